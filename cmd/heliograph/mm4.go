package main

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
	"github.com/heliograph/heliograph/internal/mm4"
	"github.com/heliograph/heliograph/internal/mt"
	"github.com/heliograph/heliograph/internal/operator"
	"github.com/heliograph/heliograph/internal/relay"
)

// What the MM4 settings are called.
var listenModes = map[string]mm4.TLSMode{"": mm4.TLSNone, "offered": mm4.TLSNone, "starttls": mm4.TLSStart, "implicit": mm4.TLSImplicit}

// maxConnections bounds those to a peer.
const maxConnections = 100

// checkMM4 finds what is wrong with an MM4 carrier.
func (c *CarrierConfig) checkMM4() []error {
	var errs []error
	wrong := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if host, port, err := net.SplitHostPort(c.Address); err != nil || host == "" || port == "" {
		wrong("address: %q is no address such as mm4.hub.example:25", c.Address)
	}
	if system, ok := mm4.ParseAddress(c.System); !ok || system.Host == "" || system.Type != "" {
		wrong("system: %q is no address such as system@mms.example.net", c.System)
	}
	if peer, ok := mm4.ParseAddress("x@" + c.PeerDomain); !ok || peer.Host != c.PeerDomain || c.PeerDomain == "" {
		wrong("peer_domain: %q is no domain such as mms.hub.example", c.PeerDomain)
	}
	if c.TLS && c.StartTLS {
		wrong("tls, starttls: exclude each other")
	}
	if c.Username == "" && c.Password != "" {
		wrong("password: belongs to a username")
	}
	if c.Username != "" && !c.TLS && !c.StartTLS && !c.ClearPassword {
		wrong("username: the password would go over the network in clear; set tls or starttls, or clear_password for a network that is private otherwise")
	}
	if c.Connections < 0 || c.Connections > maxConnections {
		wrong("connections: must be 1 to %d", maxConnections)
	}
	if c.Window < 0 || c.Window > maxWindow {
		wrong("window: must be 1 to %d", maxWindow)
	}
	if c.ResponseTimeout < 0 {
		wrong("response_timeout: must not be negative")
	}
	if _, ok := reportAsked[c.Receipts]; !ok {
		wrong("receipts: must be final or none")
	}
	if _, err := c.mm4Answers(); err != nil {
		wrong("answers: %w", err)
	}
	if _, err := c.mm7Reports(); err != nil {
		wrong("report_states: %w", err)
	}
	if _, err := c.mm4TLS(); err != nil {
		wrong("tls_ca: %w", err)
	}
	return append(append(errs, c.checkMMS()...), c.checkMM4Listen()...)
}

// checkMM4Listen finds what is wrong with where the peer's mail is taken.
func (c *CarrierConfig) checkMM4Listen() []error {
	var errs []error
	wrong := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if _, port, err := net.SplitHostPort(c.Listen); err != nil || port == "" {
		wrong("listen: %q is no address such as 192.0.2.1:25", c.Listen)
	}
	if (c.InboundUsername == "") != (c.InboundPassword == "") {
		wrong("inbound_username, inbound_password: belong together")
	}
	if len(c.Peers) == 0 && c.InboundPassword == "" {
		wrong("peers: must name the networks that the peer's mail comes from, unless it has an inbound_password")
	}
	mode, ok := listenModes[c.ListenTLS]
	secure, err := c.listenTLS()
	switch {
	case !ok:
		wrong("listen_tls: must be offered, starttls or implicit")
	case err != nil:
		wrong("listen_cert, listen_key: %w", err)
	case secure == nil && mode != mm4.TLSNone:
		wrong("listen_tls: needs listen_cert and listen_key")
	case secure == nil && c.InboundPassword != "" && !c.ClearPassword:
		wrong("inbound_password: would come over the network in clear; set listen_cert and listen_key, or clear_password for a network that is private otherwise")
	}
	return errs
}

// mm4TLS is how connections to the peer are secured, nil: not at all.
func (c *CarrierConfig) mm4TLS() (*tls.Config, error) {
	secured := *c
	secured.TLS = c.TLS || c.StartTLS
	return secured.tlsConfig()
}

// listenTLS is what the peer is offered; nil: nothing.
func (c *CarrierConfig) listenTLS() (*tls.Config, error) {
	switch {
	case c.ListenCert == "" && c.ListenKey == "":
		return nil, nil
	case c.ListenCert == "" || c.ListenKey == "":
		return nil, errors.New("belong together")
	}
	pair, err := tls.LoadX509KeyPair(c.ListenCert, c.ListenKey)
	if err != nil {
		return nil, err
	}
	return &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{pair}}, nil
}

// mm4Answers reads what the configuration says of request statuses.
func (c *CarrierConfig) mm4Answers() (map[mm4.RequestStatus]relay.Answer, error) {
	return readAnswers[mm4.RequestStatus, relay.Answer](c.Answers, func(name string) (mm4.RequestStatus, error) {
		if !strings.HasPrefix(name, "Error-") {
			return "", fmt.Errorf("%q is no request status such as \"Error-unspecified\"", name)
		}
		return mm4.RequestStatus(name), nil
	})
}

// relay makes a carrier's settings of its configuration, but for what is wired to it.
func (c *CarrierConfig) relay() (relay.Config, error) {
	secure, tlsErr := c.mm4TLS()
	offered, listenErr := c.listenTLS()
	answers, answersErr := c.mm4Answers()
	reports, reportsErr := c.mm7Reports()
	system, _ := mm4.ParseAddress(c.System)
	settings := relay.Config{
		Name: c.Name, Address: c.Address, TLSConfig: secure, User: c.Username, Password: c.Password, AuthInClear: c.ClearPassword,
		Connections: c.Connections, NoBinary: c.NoBinary, System: system, PeerDomain: c.PeerDomain, BareNumbers: c.BareNumbers, Window: c.Window,
		NoResponses: c.Responses != nil && !*c.Responses, ResponseTimeout: time.Duration(c.ResponseTimeout),
		NoReports: !reportAsked[c.Receipts], ValidityPeriod: c.Validity, Answers: answers, MMStates: map[mm4.MMStatus]relay.Report{},
		Listen: c.Listen, Networks: c.Peers, InboundUser: c.InboundUsername, InboundPassword: c.InboundPassword, InboundAuthInClear: c.ClearPassword,
		InboundTLS: offered, InboundMode: listenModes[c.ListenTLS],
	}
	switch {
	case c.TLS:
		settings.TLS = mm4.TLSImplicit
	case c.StartTLS:
		settings.TLS = mm4.TLSStart
	}
	for state, report := range reports {
		settings.MMStates[mm4.MMStatus(state)] = relay.Report(report)
	}
	return settings, errors.Join(tlsErr, listenErr, answersErr, reportsErr)
}

func addMM4(c *CarrierConfig, d *mt.Dispatcher, settings mt.CarrierSettings, w *wires) (carrier, error) {
	settled, err := c.relay()
	if err != nil {
		return carrier{}, err
	}
	limits, _ := c.limits()
	settled.Now, settled.Log, settled.Ends = time.Now, w.log, w.ends(limits)
	r, err := relay.New(settled)
	if err != nil {
		return carrier{}, err
	}
	settings.Services = gateway.Services(gateway.MMS)
	r.OnPlaces(d.AddCarrier(c.Name, r, settings))
	return carrier{
		name: c.Name, run: r.Run, receipted: r.Receipts, counted: func() map[string]int64 { return mm4Counts(r.Stats()) },
		brought: func() (map[string]int64, int64) {
			n := r.Stats()
			return map[string]int64{
				"taken": n.InboundTaken, "repeated": n.InboundRepeated, "unowned": n.InboundUnowned, "put_off": n.InboundPutOff,
			}, -1
		},
		binds: func() []operator.Bind { return bindsOf(r.Binds()) },
	}, nil
}

// mm4Counts are what the metrics show of a carrier besides what they show of all.
func mm4Counts(s relay.Stats) map[string]int64 {
	return map[string]int64{
		"response": s.Responses, "response_late": s.ResponsesLate,
		"receipt_put_off": s.ReceiptsPutOff, "receipt_useless": s.ReceiptsUseless, "read": s.Reads,
		"file_taken": s.FilesTaken, "file_dropped": s.FilesDropped,
		"reply": s.Replies, "reply_lost": s.RepliesLost, "up": s.Ups, "down": s.Falls,
	}
}
