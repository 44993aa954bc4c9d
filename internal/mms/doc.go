// Package mms is what carriers of MMS have in common, whatever protocol they speak: text and files become the parts of a message, and the parts of a
// message from a handset become text and files of the account that rents its number.
//
//	part.go    text and files as parts
//	smil.go    how phones are to show them
//
// A file is read from disk while it is sent, and written to disk while it comes; none is in memory.
package mms
