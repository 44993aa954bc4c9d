package vasp

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
	"github.com/heliograph/heliograph/internal/mm7"
	"github.com/heliograph/heliograph/internal/mms"
	"github.com/heliograph/heliograph/internal/trouble"
)

// Config is one MM7 carrier. Zero values are the defaults named; Name, URL, Now and all functions without a default must be set.
type Config struct {
	Name string
	URL  string      // of the MMSC
	TLS  *tls.Config // nil: the system's authorities
	// Transport makes requests in place of one of our own; nil: HTTP/1.1 over URL and TLS.
	Transport http.RoundTripper
	// Probe tells whether the MMSC can be reached; nil: a connection to URL can be made.
	Probe func(ctx context.Context) error

	Username, Password string // of basic authentication; empty: none
	VASPID, VASID      string
	ServiceCode        string
	Dialect            mm7.Dialect
	Transfer           mm7.Transfer
	Window             int // requests without an answer; default 20

	ResponseTimeout time.Duration // for a request: for sending it and for its answer; default 60 s
	StopTimeout     time.Duration // for the answers to what is in hand at the end; default 2 s
	// UnansweredLimit is how many submits in a row may stay without an answer before the MMSC counts as not reachable; default 10.
	UnansweredLimit int
	Reconnect       trouble.Backoff
	// Steady is how long something must not have happened to be over, for the log; default 30 s.
	Steady time.Duration

	NoReports        bool     // ask for no delivery reports: messages stay sent
	ValidityPeriod   bool     // tell the MMSC when a message expires
	Adaptations      mm7.Flag // whether the MMSC may change files to fit a phone; Absent: as it likes
	BareNumbers      bool     // numbers without "+"
	AnyTransactionID bool     // the MMSC answers with a TransactionID of its own
	// What the MMSC means where that is not what the tables in status.go and receipt.go say.
	Answers  map[mm7.StatusCode]Answer
	MMStates map[string]Report // by MMStatus

	// Credentials that the MMSC must give with what it posts; empty: none.
	InboundUsername, InboundPassword string
	Inbound                          mm7.Limits // of what it posts
	InboundAtOnce                    int        // requests of the MMSC that are in hand; more wait, and are then asked to come again. Default 64

	Now func() time.Time
	Log *slog.Logger
	// Rand gives numbers in [0, 1) for the jitter; default math/rand.
	Rand func() float64
	mms.Ends
}

const (
	maxWindow   = 10_000
	dialTimeout = 10 * time.Second
)

// withDefaults fills in what is not set.
func (c Config) withDefaults() Config {
	fill(&c.Window, 20)
	fill(&c.ResponseTimeout, time.Minute)
	fill(&c.StopTimeout, 2*time.Second)
	fill(&c.UnansweredLimit, 10)
	fill(&c.Reconnect.First, time.Second)
	fill(&c.Reconnect.Most, max(time.Minute, c.Reconnect.First))
	fill(&c.Steady, 30*time.Second)
	fill(&c.InboundAtOnce, 64)
	fill(&c.Inbound.Total, 16<<20)
	fill(&c.Inbound.Part, 8<<20)
	if c.Rand == nil {
		c.Rand = rand.Float64
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Transport == nil {
		c.Transport = c.transport()
	}
	if c.Probe == nil {
		c.Probe = c.connect
	}
	return c
}

func fill[T comparable](field *T, value T) {
	if *field == *new(T) {
		*field = value
	}
}

// transport keeps a connection for each place in the window. It speaks HTTP/1.1 only: what was sent when a request fails is not known otherwise.
func (c *Config) transport() *http.Transport {
	dialer := &net.Dialer{Timeout: dialTimeout}
	return &http.Transport{
		Proxy: nil, DialContext: dialer.DialContext, TLSClientConfig: c.TLS, TLSHandshakeTimeout: dialTimeout,
		DisableCompression: true, MaxIdleConns: c.Window, MaxIdleConnsPerHost: c.Window, IdleConnTimeout: time.Minute,
		WriteBufferSize: 32 << 10, MaxResponseHeaderBytes: 64 << 10,
	}
}

// connect makes a connection to the MMSC and closes it.
func (c *Config) connect(ctx context.Context) error {
	at, err := url.Parse(c.URL)
	if err != nil {
		return errors.New("the URL cannot be read")
	}
	port := at.Port()
	switch {
	case port != "":
	case at.Scheme == "https":
		port = "443"
	default:
		port = "80"
	}
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	address := net.JoinHostPort(at.Hostname(), port)
	var conn net.Conn
	if at.Scheme == "https" {
		conn, err = (&tls.Dialer{Config: c.TLS}).DialContext(ctx, "tcp", address)
	} else {
		conn, err = new(net.Dialer).DialContext(ctx, "tcp", address)
	}
	if err != nil {
		return err
	}
	return conn.Close()
}

// check finds what is wrong with settings whose defaults are filled in.
func (c *Config) check() error {
	var errs []error
	wrong := func(bad bool, format string, args ...any) {
		if bad {
			errs = append(errs, fmt.Errorf("vasp: "+format, args...))
		}
	}
	wrong(c.Name == "", "name: must be set")
	at, err := url.Parse(c.URL)
	wrong(err != nil || at.Scheme != "http" && at.Scheme != "https" || at.Hostname() == "", "url: must be the http or https URL of the MMSC")
	wrong(c.Now == nil, "Now must be set")
	errs = append(errs, c.Ends.Check())
	wrong(c.Window < 1 || c.Window > maxWindow, "window: %d is not from 1 to %d", c.Window, maxWindow)
	wrong(c.UnansweredLimit < 1, "unanswered limit: must be at least 1")
	wrong(c.InboundAtOnce < 1, "inbound at once: must be at least 1")
	wrong(c.Reconnect.First < 0 || c.Reconnect.Most < c.Reconnect.First, "reconnect: must not be negative, nor first be longer than most")
	for _, d := range []time.Duration{c.ResponseTimeout, c.StopTimeout, c.Steady} {
		wrong(d < 0, "a duration is negative: %s", d)
	}
	wrong(c.Transfer > mm7.Base64 || c.Adaptations > mm7.No, "unknown mode")
	for code, a := range c.Answers {
		settles := a.Status == gateway.Accepted || a.Status == gateway.Throttled || a.Status == gateway.Deferred
		wrong(!settles && (a.Status != gateway.Rejected || a.Reason == gateway.NoReason), "answers: %v: no meaning of an answer", code)
	}
	for state, r := range c.MMStates {
		wrong(r.Outcome < gateway.InTransit || r.Outcome > gateway.ReceiptUndelivered, "states: %s: no meaning of a state", state)
	}
	return errors.Join(errs...)
}
