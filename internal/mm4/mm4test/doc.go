// Package mm4test is a hub of MM4 in the same process, with faults to order: it takes forwards over real SMTP, records them, and sends responses,
// delivery reports and read replies back through a client of its own. Tests use it, and the program's simulator may.
//
//	config.go   the knobs
//	hub.go      the listener, start and end, what was taken
//	session.go  a sender's connection, and the faults on it
//	answer.go   responses and reports: when, which, how often
package mm4test
