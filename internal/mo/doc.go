// Package mo is the way of a message from a handset: parts that carriers bring are kept, joined, understood (keywords) and handed on to
// the account that rents the number.
//
//	service.go  Service.Receive: parts into the store, in batches, and what follows from them
//	arrival.go  what a whole message is and asks for: pure
//	keyword.go  the words for opting out, opting in and help, and their answers, in three languages
//	partial.go  messages whose other segments do not come
//	answer.go   automatic answers that are owed
//	session.go  which carriers' sessions have been acknowledged for good
//	loop.go     two automatic answerers answering each other
//	store.go    what all that needs of a store
package mo
