package egress

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"time"
)

// ErrTooLarge is what reading a body ends with that is larger than the client takes.
var ErrTooLarge = errors.New("egress: the body is larger than allowed")

// Config says where a client may go and how long it waits. Zero fields take the defaults.
type Config struct {
	// Allow are networks that may be dialled besides the public ones.
	Allow []netip.Prefix
	// AllowLoopback is for a server that listens on loopback itself: what can reach it can reach everything else there.
	AllowLoopback bool
	// Timeout is for a whole exchange, its body included; default 30 s. The context of a request can only shorten it.
	Timeout time.Duration
	// MaxBody is the largest body of a response, in octets; default 1 MiB.
	MaxBody int64
	// ConnsPerHost is how many idle connections to one host are kept for the next requests; default 64.
	ConnsPerHost int
}

const (
	defaultTimeout      = 30 * time.Second
	defaultMaxBody      = 1 << 20
	defaultConnsPerHost = 64

	connectTimeout = 8 * time.Second
	idleTimeout    = 90 * time.Second
	maxIdleConns   = 4096
	maxHeader      = 64 << 10
	tlsSessions    = 1024
)

// New makes a client. It speaks http and https to guarded addresses only, follows no redirect (the answer that asks for one is the
// answer), uses no proxy and keeps no cookies.
func New(cfg Config) *http.Client {
	if cfg.Timeout <= 0 {
		cfg.Timeout = defaultTimeout
	}
	if cfg.MaxBody <= 0 {
		cfg.MaxBody = defaultMaxBody
	}
	if cfg.ConnsPerHost <= 0 {
		cfg.ConnsPerHost = defaultConnsPerHost
	}
	return &http.Client{
		Transport:     &transport{base: baseTransport(cfg), timeout: cfg.Timeout, maxBody: cfg.MaxBody},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

func baseTransport(cfg Config) *http.Transport {
	dialer := &net.Dialer{Timeout: connectTimeout, Control: newGuard(cfg.Allow, cfg.AllowLoopback).control}
	return &http.Transport{
		Proxy:               nil, // a proxy would dial in our place, unguarded
		DialContext:         dialer.DialContext,
		TLSClientConfig:     &tls.Config{MinVersion: tls.VersionTLS12, ClientSessionCache: tls.NewLRUClientSessionCache(tlsSessions)},
		TLSHandshakeTimeout: connectTimeout,
		ForceAttemptHTTP2:   true, // a DialContext of one's own turns it off
		DisableCompression:  true, // what comes is as large as it was on the wire

		MaxIdleConns:           maxIdleConns,
		MaxIdleConnsPerHost:    cfg.ConnsPerHost,
		IdleConnTimeout:        idleTimeout,
		MaxResponseHeaderBytes: maxHeader,
	}
}

// transport adds to http.Transport what that does not bound.
type transport struct {
	base    *http.Transport
	timeout time.Duration
	maxBody int64
}

// RoundTrip makes one exchange. The timeout is kept here: a Client's own costs a goroutine for each request when its transport is not
// the library's.
func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	if err := checkURL(req); err != nil {
		if req.Body != nil {
			_ = req.Body.Close()
		}
		return nil, err
	}
	end := func() {}
	if deadline, set := req.Context().Deadline(); !set || time.Until(deadline) > t.timeout {
		var ctx context.Context
		ctx, end = context.WithTimeout(req.Context(), t.timeout)
		req = req.WithContext(ctx)
	}
	resp, err := t.base.RoundTrip(req)
	if err != nil || resp.Body == http.NoBody {
		end()
		return resp, err
	}
	resp.Body = &boundedBody{ReadCloser: resp.Body, left: t.maxBody, end: end}
	return resp, nil
}

// CloseIdleConnections is what http.Client.CloseIdleConnections looks for.
func (t *transport) CloseIdleConnections() { t.base.CloseIdleConnections() }

func checkURL(req *http.Request) error {
	switch {
	case req.URL.Scheme != "http" && req.URL.Scheme != "https":
		return fmt.Errorf("%w: only http and https are spoken", ErrRefused)
	case req.URL.Hostname() == "": // dialling no host would be dialling ourselves
		return fmt.Errorf("%w: there is no host to connect to", ErrRefused)
	}
	return nil
}

// boundedBody ends with ErrTooLarge instead of giving more than it may.
type boundedBody struct {
	io.ReadCloser
	left int64
	end  func()
}

func (b *boundedBody) Close() error {
	defer b.end()
	return b.ReadCloser.Close()
}

func (b *boundedBody) Read(p []byte) (int, error) {
	if b.left < 0 {
		return 0, ErrTooLarge
	}
	if int64(len(p)) > b.left+1 { // one more, to tell the end from too much
		p = p[:b.left+1]
	}
	n, err := b.ReadCloser.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return n - 1, ErrTooLarge
	}
	return n, err
}
