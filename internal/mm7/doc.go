// Package mm7 is MM7, the interface between an MMSC and those who send through it (VASPs): 3GPP TS 23.140, release 5 and 6, SOAP 1.1 with attachments over
// HTTP. It serves both roles, and knows no account or store: it carries messages and says for each request what became of it.
//
//	status.go       StatusCode and Status                                           (8.7.8)
//	address.go      senders and recipients
//	time.go         absolute and relative dates
//	message.go      what messages have in common: flags, content, identification
//	submit.go       SubmitReq and SubmitRsp, CancelReq, ReplaceReq                  (8.7.1, 8.7.3)
//	deliver.go      DeliverReq and DeliverRsp                                       (8.7.2)
//	report.go       DeliveryReportReq, ReadReplyReq                                 (8.7.4, 8.7.5)
//	plain.go        responses that are a status and nothing else
//	envelope.go     Dialect and Envelope: the SOAP part, out and in; faults         (annex L)
//	writer.go       appends elements; reader.go takes them and keeps the first error
//	element.go      XML within bounds; charset.go: its character sets
//	content.go      the files of a message that is sent
//	document.go     a message that is sent: its length is known before its parts are read
//	mediatype.go    Content-Type as it is met
//	multipart.go    the parts of a stream
//	incoming.go     a document that is received: the envelope, then its parts as they come
//	decodeerror.go  why a document is not understood
//	client.go       requests; outcome.go: what became of those that failed
//	handler.go      what an MMSC posts to a VASP
//
// Three rules hold everywhere. A request that failed is NotSent (the peer cannot have taken it), Answered (it said that it did not) or Unanswered (it may
// have), so that the caller can decide about duplicates. A file is never in memory: parts are read while they are sent, and handed out while they come.
// And what peers send is bounded in octets, parts and depth before it is looked at; document types are refused, so no entity is ever expanded.
package mm7
