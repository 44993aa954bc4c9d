package mm4

import (
	"io"
	"time"
)

// Kind is the X-Mms-Message-Type.
type Kind string

// The six messages of MM4.
const (
	ForwardReq         Kind = "MM4_forward.REQ"
	ForwardRes         Kind = "MM4_forward.RES"
	DeliveryReportReq  Kind = "MM4_delivery_report.REQ"
	DeliveryReportRes  Kind = "MM4_delivery_report.RES"
	ReadReplyReportReq Kind = "MM4_read_reply_report.REQ"
	ReadReplyReportRes Kind = "MM4_read_reply_report.RES"
)

func kinds() []Kind {
	return []Kind{ForwardReq, ForwardRes, DeliveryReportReq, DeliveryReportRes, ReadReplyReportReq, ReadReplyReportRes}
}

// response is the kind that answers, empty for a response.
func (k Kind) response() Kind {
	switch k {
	case ForwardReq:
		return ForwardRes
	case DeliveryReportReq:
		return DeliveryReportRes
	case ReadReplyReportReq:
		return ReadReplyReportRes
	}
	return ""
}

// DefaultVersion is the X-Mms-3GPP-MMS-Version that is said where none is given: release 6.
const DefaultVersion = "6.10.0"

// Message is one of Forward, Response, DeliveryReport and ReadReply.
type Message interface {
	Kind() Kind
	head() *Head
}

// Head is what every message has.
type Head struct {
	Version       string    // X-Mms-3GPP-MMS-Version; empty: DefaultVersion
	TransactionID string    // X-Mms-Transaction-ID: matches a response to its request
	MessageID     string    // X-Mms-Message-ID: of the multimedia message, given by the originator's MMS relay/server
	Sender        Address   // Sender: the system address of the MMS relay/server that sends
	MailID        string    // Message-ID of the mail, without angle brackets; empty: none is written
	Date          time.Time // Date; in a report: of the event that it reports
	// Bare is that the two identifiers are not between quotation marks, as the specification's grammar has them. Decode says what it found
	// and a response repeats it, for peers that compare octets.
	Bare bool
}

func (h *Head) head() *Head { return h }

// Forward is MM4_forward.REQ: a multimedia message on its way to another MMS relay/server. TS 23.140, 8.4.1.
type Forward struct {
	Head
	From             Address
	To, Cc           []Address // all recipients of the message, also those that the envelope of this mail leaves out
	Subject          string
	Class, Priority  string // Class…, Priority…; empty: not said
	Expiry           Expiry
	DeliveryReport   bool    // X-Mms-Delivery-Report: a report is wanted
	OriginatorReport bool    // X-Mms-Originator-R/S-Delivery-Report: the originator's MMS relay/server wants it for itself
	ReadReply        bool    // X-Mms-Read-Reply
	HideSender       bool    // X-Mms-Sender-Visibility: Hide
	AckRequest       bool    // X-Mms-Ack-Request: an MM4_forward.RES is wanted
	OriginatorSystem Address // X-Mms-Originator-System: where the response goes
	ForwardCounter   int     // X-Mms-Forward-Counter; 0: not said
	Parts            []Part  // what Encode writes; Decode leaves it empty and gives a Body
}

// Kind is ForwardReq.
func (*Forward) Kind() Kind { return ForwardReq }

// Response is the answer to one of the three requests.
type Response struct {
	Head
	Of         Kind // the request that is answered
	To         Address
	Status     RequestStatus
	Text       string    // X-Mms-Status-Text
	Recipients []Address // X-Mms-Request-Recipients: whom the status is about; empty: all of the request
}

// Kind is the answer to Of.
func (r *Response) Kind() Kind { return r.Of.response() }

// DeliveryReport is MM4_delivery_report.REQ: what became of a forwarded message at one recipient. TS 23.140, 8.4.2.
type DeliveryReport struct {
	Head
	From                Address // the recipient of the message
	To                  Address // its originator
	Status              MMStatus
	Extension           StatusExtension
	Text                string // X-Mms-Status-Text
	AckRequest          bool
	ForwardToOriginator bool    // X-Mms-Forward-To-Originator-UA: the originator asked for it, not only their MMS relay/server
	OriginatorSystem    Address // X-Mms-Originator-System: where the response goes; zero: to the Sender
}

// Kind is DeliveryReportReq.
func (*DeliveryReport) Kind() Kind { return DeliveryReportReq }

// ReadReply is MM4_read_reply_report.REQ. TS 23.140, 8.4.3.
type ReadReply struct {
	Head
	From             Address // the recipient of the message
	To               Address // its originator
	Status           ReadStatus
	Text             string
	AckRequest       bool
	OriginatorSystem Address
}

// Kind is ReadReplyReportReq.
func (*ReadReply) Kind() Kind { return ReadReplyReportReq }

// Respond makes the MM4_forward.RES.
func (f *Forward) Respond(status RequestStatus, text string) *Response {
	return f.respond(ForwardReq, f.OriginatorSystem, status, text)
}

// Respond makes the MM4_delivery_report.RES.
func (r *DeliveryReport) Respond(status RequestStatus, text string) *Response {
	return r.respond(DeliveryReportReq, r.OriginatorSystem, status, text)
}

// Respond makes the MM4_read_reply_report.RES.
func (r *ReadReply) Respond(status RequestStatus, text string) *Response {
	return r.respond(ReadReplyReportReq, r.OriginatorSystem, status, text)
}

// respond answers with the identifiers as they came. The caller fills Sender and Date, and To where the request names no system.
func (h *Head) respond(of Kind, system Address, status RequestStatus, text string) *Response {
	to := system
	if to.IsZero() {
		to = h.Sender
	}
	return &Response{
		Head: Head{TransactionID: h.TransactionID, MessageID: h.MessageID, Bare: h.Bare},
		Of:   of, To: to, Status: status, Text: text,
	}
}

// Expiry is until when a message may be delivered: a time or a span, zero when not said.
type Expiry struct {
	At    time.Time
	After time.Duration // in whole seconds
}

// Part is a piece of content that is sent.
type Part struct {
	Type     string // media type; parameters belong in Charset and Name
	Charset  string // of text; empty: not said
	ID       string // Content-ID, without angle brackets
	Location string // Content-Location: by what the presentation refers to it
	Name     string // file name
	Size     int64  // in octets; 0: not known
	// Open gives the content from its beginning. It is called once for each time that the message is encoded.
	Open func() (io.ReadCloser, error)
}
