// Package mm4 is MM4, the interface between MMS relay/servers of different networks and what hubs between carriers speak: 3GPP TS 23.140, chapter
// 8.4, release 6, which lays its messages into mail and SMTP. It knows no message of ours, no account and no store: it carries multimedia
// messages and reports, and says for each mail what became of it.
//
//	message.go     the six messages and what they have in common                      (8.4.1 to 8.4.3)
//	status.go      request status, message status, read status, and which are final
//	address.go     +14155550123/TYPE=PLMN@mms.example.net                              (8.4.5)
//	field.go       the header fields, written and read                                (8.4.4)
//	charset.go     text in other charsets than UTF-8
//	encode.go      a message as mail, its content streamed
//	decode.go      a mail as message; body.go its content, part by part
//	outcome.go     what became of a mail
//	client.go      mail to the peer: several connections, used again, and a peer that goes and comes
//	connection.go  one connection: TLS, AUTH, one transaction after the other
//	server.go      mail from peers: who may come in, how many, for how long
//	session.go     one peer's connection; gives messages to the handler
//
// A message travels like this. We send an MM4_forward.REQ; 250 after its content says that the peer has it, no more. When it asked for one
// (X-Mms-Ack-Request) an MM4_forward.RES comes by mail, at any time and from any connection, with the same transaction id: Ok, or why not.
// When a report was asked for, an MM4_delivery_report.REQ for each recipient follows, with a transaction id of its own: it belongs to the
// message by X-Mms-Message-ID and its From, which is the recipient. To in the header lists all recipients of a message, the envelope those
// that the peer is to serve.
//
// Three rules hold everywhere. A mail is never accepted (nothing was taken over, it may be sent again), accepted, refused for good, or unknown:
// its end may have arrived and its answer did not, the only case in which sending again may deliver twice. A peer is told that a mail is
// accepted only after the handler has returned, and the handler learns that a mail was whole only from io.EOF after its last part. And
// whatever cannot be written as a single field, address or part of its own is refused before anything is sent.
//
// The server's protocol is github.com/emersion/go-smtp; the client stands on net/smtp for the connection and speaks the transaction itself,
// since what became of a mail depends on the very octet at which it broke off.
package mm4
