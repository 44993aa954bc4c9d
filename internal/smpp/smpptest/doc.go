// Package smpptest is an SMSC in the same process, reached over real TCP: a peer for tests, and for the program's simulator. It takes
// submits, sends receipts, and misbehaves as it is told, the way SMSCs in the field do.
//
//	config.go    the knobs
//	smsc.go      start, stop, binds
//	submit.go    what a submit is answered, and what becomes of the message
//	fate.go      the draw: which submit meets which fault
//	mailbox.go   receipts of an account and messages to it: kept until they are taken
//	handset.go   texts from handsets, in any alphabet and any order of their segments
//	delay.go     answers that are held back
//	text.go      user data as text, for those who want to read it
//	counters.go  what happened, and waiting for it
//
// Memory is bounded: receipts that nobody takes are MaxPending at most, beyond which submits are answered ESME_RMSGQFUL, and of the submits
// only the latest Record are kept.
package smpptest
