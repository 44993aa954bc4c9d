// Package vasp is the carrier side over MM7: it posts messages to an MMSC as SubmitReq, says what became of each, hands on the reports that the MMSC
// posts back, and brings in what handsets send. What differs from one MMSC to the next is a setting; docs/carrier-quirks.md lists them with the
// behaviour that each answers.
//
//	config.go   the settings, their defaults and their check
//	carrier.go  Carrier: places, submits in hand, start and stop
//	reach.go    whether the MMSC can be reached: fall, wait, look, try
//	submit.go   a message on its way: into a SubmitReq, and its answer out
//	content.go  the parts of a message in a document
//	address.go  senders and recipients by their kind
//	status.go   StatusCode → outcome, as a table
//	handler.go  what the MMSC posts: who may, and to whom it goes
//	receipt.go  MMStatus → gateway.Receipt, as a table
//	inbound.go  messages from handsets: whose they are
//
// A file is read from disk while it is sent, and written to disk while it comes; none is in memory. A report is answered when it is on disk and not
// before, and so is a message from a handset. A submit is answered exactly once, whatever happens to its connection.
package vasp
