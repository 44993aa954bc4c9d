// Package trouble is for those who talk to a peer that may fail for hours: what goes wrong again and again is said once, with when it was over, and what
// is tried again is tried ever less often.
//
//	log.go      Log: each matter once, until it is over
//	reason.go   errors in words that stay the same while the reason does
//	backoff.go  how long to wait before the next try
package trouble
