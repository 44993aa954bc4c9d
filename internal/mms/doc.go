// Package mms is what carriers of MMS have in common, whatever protocol they speak: text and files become the parts of a message, and the parts of a
// message from a handset become text and files of the account that rents its number.
//
//	ends.go    what a carrier of MMS is connected to, and how it asks for files and hands receipts on
//	part.go    text and files as parts
//	smil.go    how phones are to show them
//	intake.go  messages from handsets: texts, files, and whose they are
//	repeat.go  those that are brought again
//	number.go  numbers as peers write them
//
// A file is read from disk while it is sent, and written to disk while it comes; none is in memory.
package mms
