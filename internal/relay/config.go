package relay

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
	"github.com/heliograph/heliograph/internal/mm4"
	"github.com/heliograph/heliograph/internal/mms"
	"github.com/heliograph/heliograph/internal/trouble"
)

// Config is one MM4 carrier. Zero values are the defaults named; Name, Address, System, PeerDomain, Listen, Now and all functions must be set.
type Config struct {
	Name string

	Address     string // of the peer's mail server: host:port
	TLS         mm4.TLSMode
	TLSConfig   *tls.Config // nil: the system's authorities, and the host of Address
	User        string      // empty: no authentication
	Password    string
	AuthInClear bool // the password may go over a connection without TLS
	Connections int  // to the peer, at once; default 4
	NoBinary    bool // the peer offers BINARYMIME and fails at it

	System      mm4.Address // ours: whom the peer answers. Its host is our domain: what the peer sends to other domains is refused
	PeerDomain  string      // of recipients
	BareNumbers bool        // numbers without "+"
	Window      int         // messages without an answer; default 100

	NoResponses     bool          // the peer answers no forwards: what its mail server took counts as taken
	ResponseTimeout time.Duration // for the response, from the acceptance of the mail; default 60 s
	StopTimeout     time.Duration // for the responses to what is in hand at the end; default 2 s
	// UnansweredLimit is how many forwards in a row may stay without a response before only one at a time leaves, until there is a response again; default 10.
	UnansweredLimit int
	Reconnect       trouble.Backoff
	// Steady is how long something must not have happened to be over, for the log; default 30 s.
	Steady time.Duration

	NoReports      bool // ask for no delivery reports: messages stay sent
	ValidityPeriod bool // tell the peer when a message expires
	// What the peer means where that is not what the tables in status.go and receipt.go say.
	Answers  map[mm4.RequestStatus]Answer
	MMStates map[mm4.MMStatus]Report

	Listen string // address for the peer's mail
	// Networks are those that the peer's mail comes from; empty: any, and then it must authenticate.
	Networks                     []netip.Prefix
	InboundUser, InboundPassword string      // what the peer must give; empty: nothing
	InboundTLS                   *tls.Config // of Listen; nil: none
	InboundMode                  mm4.TLSMode // whether the peer must use it: TLSNone offers STARTTLS
	InboundAuthInClear           bool
	Sessions                     int   // connections of the peer at once; default 50
	MostOctets                   int64 // of a mail; default 24 MiB: base64 makes a third more of a message
	MostFile                     int64 // octets of a file in it; default 8 MiB
	Now                          func() time.Time
	Log                          *slog.Logger
	mms.Ends
}

// Bounds of the settings.
const (
	maxWindow      = 10_000
	maxConnections = 100
)

// withDefaults fills in what is not set.
func (c Config) withDefaults() Config {
	fill(&c.Connections, 4)
	fill(&c.Window, 100)
	fill(&c.ResponseTimeout, time.Minute)
	fill(&c.StopTimeout, 2*time.Second)
	fill(&c.UnansweredLimit, 10)
	fill(&c.Reconnect.First, time.Second)
	fill(&c.Reconnect.Most, max(time.Minute, c.Reconnect.First))
	fill(&c.Steady, 30*time.Second)
	fill(&c.MostOctets, 24<<20)
	fill(&c.MostFile, 8<<20)
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return c
}

func fill[T comparable](field *T, value T) {
	if *field == *new(T) {
		*field = value
	}
}

// check finds what is wrong with settings whose defaults are filled in, but for what the client and the server find themselves.
func (c *Config) check() error {
	var errs []error
	wrong := func(bad bool, format string, args ...any) {
		if bad {
			errs = append(errs, fmt.Errorf("relay: "+format, args...))
		}
	}
	wrong(c.Name == "", "name: must be set")
	wrong(c.System.User == "" || c.System.Host == "", "system: must be an address such as mms@mms.example.net")
	wrong(c.PeerDomain == "", "peer domain: must be set")
	_, _, err := net.SplitHostPort(c.Listen)
	wrong(err != nil, "listen: must be an address such as 192.0.2.1:2525")
	wrong(c.Now == nil, "Now must be set")
	errs = append(errs, c.Ends.Check())
	wrong(c.Window < 1 || c.Window > maxWindow, "window: %d is not from 1 to %d", c.Window, maxWindow)
	wrong(c.Connections < 1 || c.Connections > maxConnections, "connections: %d is not from 1 to %d", c.Connections, maxConnections)
	wrong(c.UnansweredLimit < 1, "unanswered limit: must be at least 1")
	wrong(c.Reconnect.First < 0 || c.Reconnect.Most < c.Reconnect.First, "reconnect: must not be negative, nor first be longer than most")
	for _, d := range []time.Duration{c.ResponseTimeout, c.StopTimeout, c.Steady} {
		wrong(d < 0, "a duration is negative: %s", d)
	}
	for status, a := range c.Answers {
		settles := a.Status == gateway.Accepted || a.Status == gateway.Throttled || a.Status == gateway.Deferred
		wrong(!settles && (a.Status != gateway.Rejected || a.Reason == gateway.NoReason), "answers: %s: no meaning of an answer", status)
	}
	for state, r := range c.MMStates {
		wrong(r.Outcome < gateway.InTransit || r.Outcome > gateway.ReceiptUndelivered, "states: %s: no meaning of a state", state)
	}
	return errors.Join(errs...)
}

// client is how the peer is reached.
func (c *Config) client() mm4.ClientConfig {
	return mm4.ClientConfig{
		Address: c.Address, Name: c.System.Host, TLS: c.TLS, Config: c.TLSConfig, User: c.User, Password: c.Password, AuthInClear: c.AuthInClear,
		NoBinary: c.NoBinary, Connections: c.Connections, Drain: c.StopTimeout, RetryFirst: c.Reconnect.First, RetryMost: c.Reconnect.Most,
	}
}

// server is what is taken from the peer.
func (c *Config) server() mm4.ServerConfig {
	return mm4.ServerConfig{
		Name: c.System.Host, Domains: []string{c.System.Host}, Networks: c.Networks, User: c.InboundUser, Password: c.InboundPassword,
		AuthInClear: c.InboundAuthInClear, TLS: c.InboundTLS, Mode: c.InboundMode, Sessions: c.Sessions, MaxOctets: c.MostOctets, Drain: c.StopTimeout,
		Logger: c.Log.With("carrier", c.Name),
	}
}
