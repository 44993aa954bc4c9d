package mm7test

import (
	"crypto/tls"
	"net"
	"time"

	"github.com/heliograph/heliograph/internal/mm7"
)

// Config are the knobs of an MMSC. The zero value accepts every submit at once and reports to nobody. Shares are from 0 to 1; Every…: each n-th request,
// 0 for none.
type Config struct {
	Address  string       // where it listens; empty: a free port of 127.0.0.1
	Listener net.Listener // listens in place of Address when it is set
	TLS      *tls.Config  // nil: plain HTTP

	Username, Password string // of basic authentication; empty: anybody
	VASPID, VASID      string // what submits must say; empty: anything
	Name               string // our MMSRelayServerID; empty: mm7test
	Dialect            mm7.Dialect
	MaxSize            int64 // octets of a submit, beyond which it is refused with StatusContentRefused; 0: 16 MiB
	MaxConcurrent      int   // submits in hand, beyond which HTTP 503 is answered; 0: 1000

	AcceptDelay      time.Duration // before a submit is answered
	StatusOf         map[string]mm7.StatusCode
	Refused          float64 // share of submits that are refused
	RefusedStatus    mm7.StatusCode
	Unanswered       float64 // share of submits that are taken, and whose connection is then closed without an answer
	ThrottleRate     float64 // submits a second beyond which ThrottleStatus is answered; 0: any number
	ThrottleEvery    int     // these are answered with ThrottleStatus
	ThrottleStatus   mm7.StatusCode
	UnavailableEvery int // these are answered with HTTP 503 and no SOAP; they are not read
	FaultEvery       int // these are answered with a SOAP fault, RSErrorRsp 3000, under HTTP 500
	GarbageEvery     int // these are taken and answered with HTTP 200 and a page of HTML
	CutEvery         int // in the midst of these the connection is closed: they are not taken
	CutAnswerEvery   int // these are taken, and in the midst of the answer the connection is closed

	ReportURL                  string // where reports go; empty: nowhere
	ReportUsername, ReportPass string // of basic authentication; empty: none
	ReportTLS                  *tls.Config
	ReportDelay                time.Duration // from the answer to the report
	ReportFirst                bool          // the report is sent before the answer
	ReportAlways               bool          // also for submits that ask for none
	RetryDelay                 time.Duration // before a report that was not taken is sent again; 0: 1 s
	MaxTries                   int           // after which it is forgotten; 0: 10
	Undelivered                float64       // share of recipients that are not reached
	Failures                   []Failure     // how, in turn; empty: Expired
	ReportOf                   map[string]Failure
	Read                       float64 // share of recipients that read the message, when a read reply is asked for
	DuplicateReports           float64 // share of reports that are sent twice
	UnknownReports             float64 // share of reports that are followed by one for a message that never was
	Senders                    int     // reports on their way at once; 0: 4
	MaxPending                 int     // reports that are not taken yet; 0: 200,000
	FirstID                    int64   // id of the first message, the others count on; 0: 1,000,000,001

	Seed        uint64       // of the draw
	OnSubmit    func(Submit) // called for every submit that was understood, before it is answered
	Record      int          // how many of the latest submits are kept for Submits
	KeepContent bool         // with their files
}

// Failure is a way in which a message is not delivered.
type Failure struct {
	MMStatus   string
	StatusText string
}

const (
	defaultName          = "mm7test"
	defaultMaxSize       = 16 << 20
	defaultMaxConcurrent = 1000
	defaultRetryDelay    = time.Second
	defaultMaxTries      = 10
	defaultSenders       = 4
	defaultMaxPending    = 200_000
	defaultFirstID       = 1_000_000_001
)

func (c *Config) setDefaults() {
	orString(&c.Address, "127.0.0.1:0")
	orString(&c.Name, defaultName)
	orNumber(&c.MaxSize, defaultMaxSize)
	orNumber(&c.MaxConcurrent, defaultMaxConcurrent)
	orNumber(&c.RefusedStatus, mm7.StatusAddressError)
	orNumber(&c.ThrottleStatus, mm7.StatusServiceUnavailable)
	orNumber(&c.RetryDelay, defaultRetryDelay)
	orNumber(&c.MaxTries, defaultMaxTries)
	orNumber(&c.Senders, defaultSenders)
	orNumber(&c.MaxPending, defaultMaxPending)
	orNumber(&c.FirstID, defaultFirstID)
	if len(c.Failures) == 0 {
		c.Failures = []Failure{{MMStatus: mm7.MMExpired}}
	}
}

func orString(value *string, otherwise string) {
	if *value == "" {
		*value = otherwise
	}
}

func orNumber[T ~int | ~int64](value *T, otherwise T) {
	if *value <= 0 {
		*value = otherwise
	}
}
