// Package mm7test is an MMSC in the same process, reached over real HTTP: a peer for tests, and for the program's simulator. It takes submits, reports
// deliveries, brings messages, and misbehaves as it is told, the way MMSCs in the field do.
//
//	config.go    the knobs
//	mmsc.go      start, stop, requests
//	inspect.go   a reader of its own for what is submitted, as strict as the specification
//	schema.go    the order of elements and their values
//	fate.go      the draw: which submit meets which fault
//	answer.go    what a submit is answered
//	report.go    reports: kept until they are taken
//	counters.go  what happened, and waiting for it
//
// Memory is bounded: files are hashed as they come and not kept (unless KeepContent says so, for Record submits), reports that nobody takes are MaxPending
// at most, beyond which submits are answered with StatusServiceUnavailable.
package mm7test
