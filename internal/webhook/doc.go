// Package webhook tells accounts of events: the Worker renders, signs and posts them as callbacks, tries again on the schedule of
// gateway.NextCallback, and records what became of each attempt.
//
// The rows in the store are the truth: an event is kept there until it was told or given up, and what was posted but not recorded when
// the process died is posted again. Memory holds the head of each endpoint's queue and nothing grows with the backlog.
// DESIGN.md says why no event is lost, and when one can be told twice.
//
//	worker.go    start and stop, and hints of new events
//	endpoint.go  one endpoint's queue
//	lane.go      how posts went lately, and how many may be out at once because of that
//	account.go   accounts and their hosts, and what leaves memory when
//	share.go     how much of everything an account may take
//	turns.go     whose turn it is to post
//	post.go      the goroutines that post
//	answer.go    what applications answer to messages from handsets
//	record.go    what became of attempts, written in batches
//	refill.go    reading on from the store: backlogs, retries that are due, what memory does not know of
//	queue.go     first in, first out
//	state.go     what operators and metrics see
package webhook
