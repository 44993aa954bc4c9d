// Package smpp is SMPP 3.4 (Short Message Peer to Peer Protocol Specification v3.4, issue 1.2) for both roles: ESME and SMSC. It knows no
// message, account or store: it carries PDUs, keeps the bind, and says for each request what became of it.
//
//	command.go   command_id: which operations there are, which PDU answers which            (5.1.2.1)
//	status.go    command_status: ESME_ROK and its relatives                                 (5.1.3, table 5-2)
//	field.go     TON, NPI, esm_class, registered_delivery, data_coding, message_state       (5.2)
//	tlv.go       optional parameters, their tags, kept in order                             (5.3)
//	time.go      absolute and relative times                                                (7.1.1)
//	pdu.go       header, Append and Decode
//	bind.go short.go data.go query.go link.go   the PDUs                                    (4)
//	reader.go    takes fields from a body and keeps the first error; writer.go appends them
//	receipt.go   delivery receipts: the text of appendix B and the TLVs
//	frame.go     PDUs from a stream, bounded in size and time
//	state.go     bind states, and which PDU may be sent in which                            (2.2, table 2-1)
//	window.go    outstanding requests: places, timeouts, what came of each
//	outbox.go    what waits to be written: many PDUs, one write
//	clock.go     ticks: timeouts, enquire_link, peers that stall, without a timer for each
//	session.go   a connection with its bind: requests out, start and end
//	inbound.go   requests in: bounded, answered now or later
//	server.go    the SMSC role's listener
//
// Two rules hold everywhere. A request is either answered, or ErrNotSent (not an octet of it can have left), or ErrUnanswered (it may have
// arrived): nothing in between, so that the caller can decide about duplicates. And a PDU that cannot be understood costs a response that says
// so, not the bind; only a length that no PDU can have ends the session, since nobody knows where the next one begins.
package smpp
