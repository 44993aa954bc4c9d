// Package esme is the carrier side over SMPP 3.4: it keeps binds to an SMSC, submits parts as submit_sm, says what became of each, and
// hands on the receipts and the messages from handsets that come as deliver_sm or data_sm. What differs from one SMSC to the next is a setting; docs/carrier-quirks.md lists
// them with the behaviour that each answers.
//
//	config.go     the settings, their defaults and their check
//	carrier.go    Carrier: places, the choice of a bind, start and stop
//	link.go       one connection that is kept bound: dial, bind, hold, wait, again
//	submit.go     a part on its way: into a submit_sm, and its answer out
//	segment.go    alphabets and concatenation: a part's user data
//	address.go    TON and NPI by the kind of sender
//	status.go     command_status → outcome, as a table
//	inbound.go    what the SMSC sends: receipts, and messages from handsets
//	part.go       deliver_sm → gateway.InboundPart: header, segmentation
//	coding.go     data_coding → how the user data is read, as a table
//	identity.go   by what a part is known that is brought again
//	settled.go    what has been acknowledged for good
//	receipt.go    message state and error codes → gateway.Receipt, as tables
//	receiptid.go  message ids that look different in receipts
//	episode.go    what is the matter with a bind, said once until it changes
//
// A receipt, or a message, is acknowledged when it is on disk and not before; a submit is answered exactly once, whatever happens to the connection.
package esme
