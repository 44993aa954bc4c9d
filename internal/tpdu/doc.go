// Package tpdu turns text into the user data of short messages and back: alphabets (3GPP TS 23.038), segmentation and user data headers
// (3GPP TS 23.040). It knows no message, no carrier and no SMPP; every function is pure, and none keeps its arguments.
//
// Where to find what:
//
//	alphabet.go  the GSM 7-bit default alphabet and its extension; which alphabet a text needs
//	national.go  the shift tables of national languages
//	split.go     how many segments a text makes and what each carries
//	encode.go    text to octets
//	decode.go    octets to text
//	packed.go    septets packed into octets, as they are in a TPDU
//	udh.go       the user data header: concatenation and other elements
//	join.go      segments to the text they carried
package tpdu
