// Package relay is the carrier side over MM4, on which our role is that of an MMS relay/server: it forwards messages to the peer as MM4_forward.REQ, says
// what became of each, hands on the reports that the peer sends, and brings in what the peer forwards to us. What differs from one peer to the next is a
// setting; docs/carrier-quirks.md lists them with the behaviour that each answers.
//
//	config.go    the settings, their defaults and their check
//	carrier.go   Carrier: places, start and stop
//	submit.go    a message on its way: into an MM4_forward.REQ, and what became of the mail out
//	response.go  MM4_forward.RES, which comes by mail of its own, or not in time
//	content.go   the parts of a message in a mail
//	address.go   senders and recipients
//	status.go    request status and SMTP reply → outcome, as tables
//	handler.go   what the peer sends, and to whom it goes
//	receipt.go   MM status → gateway.Receipt, as a table
//	inbound.go   messages from handsets: whose they are
//	reply.go     what we owe the peer: responses and reports of ours
//
// A submit takes two answers: the peer's 250 says that it has the mail, its MM4_forward.RES that it takes the message. Until the second comes, the submit is
// in hand. Both identifiers of a forward are the message's ID and stay the same however often it is sent: the peer can know a repetition from a new
// message, and its answer to either settles the one that is in hand.
//
// A file is read from disk while it is sent, and written to disk while it comes; none is in memory. A report is answered when it is on disk and not before,
// and so is a message from a handset. A submit is answered exactly once, whatever happens to its connection.
package relay
