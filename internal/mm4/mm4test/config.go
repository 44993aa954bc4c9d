package mm4test

import (
	"crypto/tls"
	"log/slog"
	"net"
	"time"

	"github.com/heliograph/heliograph/internal/mm4"
)

// Config are the knobs of a hub. The zero value takes every forward, answers it at once and reports it retrieved at once, where that was asked
// for. Every…: each n-th mail, 0 for none; the counts run over all connections.
type Config struct {
	Address  string       // where it listens; empty: a free port of 127.0.0.1
	Listener net.Listener // listens in place of Address when it is set
	Domain   string       // our host; empty: hub.example
	TLS      *tls.Config  // offered as STARTTLS
	Implicit bool         // TLS from the first octet

	User, Password string // what senders must say; empty: anything
	MaxOctets      int64  // of one mail; 0: 10 MiB
	Plain          bool   // no BINARYMIME is offered

	GreetingCode  int // instead of 220, and the connection is closed
	EhloCode      int // to every EHLO
	MailCode      int // to MailEvery
	MailEvery     int
	RcptCode      int // to RcptEvery
	RcptEvery     int
	FinalCode     int // to the content of FinalEvery
	FinalEvery    int
	CutEvery      int           // the connection is cut before the end of these mails
	CutAfter      int           // octets of content that are read before it is
	CutFinalEvery int           // the connection is cut after the end of these mails, which are taken but not answered
	FinalDelay    time.Duration // before the answer to the content

	// Back is where responses and reports go: the other side's server. nil: nowhere.
	Back *mm4.ClientConfig
	// Fate says what becomes of a message at a recipient. nil: the zero Fate. It is called from many goroutines.
	Fate func(to mm4.Address) Fate

	ResponseDelay  time.Duration // from the acceptance to the response
	ReportDelay    time.Duration // from the response to the delivery report
	DuplicateEvery int           // these responses and reports are sent twice
	UnknownEvery   int           // these reports are followed by one for a message that never was
	RetryDelay     time.Duration // before an answer that was not taken is sent again; 0: 1 s
	Retries        int           // how often it is; 0: 10
	MaxPending     int           // answers not sent yet; 0: 10,000. More are dropped, and counted
	AckReports     bool          // reports ask for a response

	OnForward func(Forward) // called for each message that was taken, before its answer
	Record    int           // how many of the latest are kept for Forwards
	Content   bool          // Forward.Parts have their content
	Logger    *slog.Logger  // nil: silence
}

// Fate is what becomes of a message at one recipient. Empty fields mean that all is well.
type Fate struct {
	RcptCode int               // the recipient is refused at RCPT
	Request  mm4.RequestStatus // of the response
	NoAnswer bool              // no response is sent, nor a report
	MM       mm4.MMStatus      // of the delivery report
	NoReport bool
	Text     string // X-Mms-Status-Text of both
	Read     bool   // a read-reply report is sent as well, when asked for
}

// Forward is a message that the hub took.
type Forward struct {
	At       time.Time
	Envelope []mm4.Address // RCPT TO
	Message  *mm4.Forward
	Parts    []Part
	Octets   int64 // of the content, decoded
}

// Part is a piece of its content.
type Part struct {
	Type, Charset, ID, Location, Name string
	Octets                            int64
	Content                           []byte // only with Config.Content
}

func (c *Config) setDefaults() {
	if c.Address == "" {
		c.Address = "127.0.0.1:0"
	}
	if c.Domain == "" {
		c.Domain = "hub.example"
	}
	if c.MaxOctets <= 0 {
		c.MaxOctets = 10 << 20
	}
	if c.RetryDelay <= 0 {
		c.RetryDelay = time.Second
	}
	if c.Retries <= 0 {
		c.Retries = 10
	}
	if c.MaxPending <= 0 {
		c.MaxPending = 10_000
	}
	if c.Fate == nil {
		c.Fate = func(mm4.Address) Fate { return Fate{} }
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
}
