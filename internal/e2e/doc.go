// Package e2e holds tests only: the built program, as its users run it, between the official client, an SMPP peer that is not ours, the
// pretend SMSC, and a callback sink. ./scripts/test installs what they need.
//
//	program_test.go  the program as a process: start, kill, stop
//	node_test.go     what runs in Node: the official client, the foreign SMSC, the verifying sink
//	operator_test.go an operator's commands
//	account_test.go  an account's HTTP calls
package e2e
