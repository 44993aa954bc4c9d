package mm4test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/emersion/go-smtp"

	"github.com/heliograph/heliograph/internal/mm4"
)

// Hub is the other side of MM4. Make it with New; Run must be running.
type Hub struct {
	cfg      Config
	listener net.Listener
	smtp     *smtp.Server
	back     *mm4.Client // nil: answers go nowhere

	answers sync.WaitGroup
	ctx     context.Context

	mu       sync.Mutex
	conns    map[net.Conn]struct{}
	stopped  bool
	counters Counters
	latest   []Forward
	pending  int
	mails    int // of which MAIL was said; rcpts, datas: likewise
	rcpts    int
	datas    int
	sent     int // responses and reports
	reports  int
}

// Counters are what a hub saw.
type Counters struct {
	Connections    int `json:"connections"`
	Forwards       int `json:"forwards"` // taken, those whose answer was cut included
	Duplicates     int `json:"duplicates"`
	Responses      int `json:"responses"` // to our reports
	Refused        int `json:"refused"`   // mails, on purpose or because they were wrong
	Cut            int `json:"cut"`
	ResponsesSent  int `json:"responses_sent"` // and taken by the other side
	ReportsSent    int `json:"reports_sent"`
	ReadsSent      int `json:"reads_sent"`
	AnswersRefused int `json:"answers_refused"` // by the other side, for good
	AnswersDropped int `json:"answers_dropped"` // too many, or not taken in all the tries
}

// New makes a hub that listens already, so that its address is known.
func New(cfg Config) (*Hub, error) {
	cfg.setDefaults()
	h := &Hub{cfg: cfg, listener: cfg.Listener, conns: map[net.Conn]struct{}{}}
	if cfg.Back != nil {
		back, err := mm4.NewClient(*cfg.Back)
		if err != nil {
			return nil, err
		}
		h.back = back
	}
	if h.listener == nil {
		listener, err := net.Listen("tcp", cfg.Address)
		if err != nil {
			return nil, fmt.Errorf("mm4test: %w", err)
		}
		h.listener = listener
	}
	h.smtp = smtp.NewServer(smtp.BackendFunc(h.newSession))
	h.smtp.Domain = cfg.Domain
	h.smtp.MaxMessageBytes = cfg.MaxOctets
	h.smtp.MaxLineLength = 0 // the library counts the octets of BDAT for a line
	h.smtp.AllowInsecureAuth = true
	h.smtp.EnableBINARYMIME = !cfg.Plain
	h.smtp.ErrorLog = log.New(discard{}, "", 0)
	if !cfg.Implicit {
		h.smtp.TLSConfig = cfg.TLS
	}
	return h, nil
}

// discard takes what the library logs about connections that end: most do so to order.
type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }

// Addr is where it listens.
func (h *Hub) Addr() string { return h.listener.Addr().String() }

// Run serves until ctx ends, and returns when everything that it started has ended. Answers not sent by then are dropped.
func (h *Hub) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	h.ctx = ctx
	var parts sync.WaitGroup
	if h.back != nil {
		parts.Go(func() { _ = h.back.Run(ctx) }) // it returns nil
	}
	failed := make(chan error, 1)
	parts.Go(func() { failed <- h.smtp.Serve(door{h.listener, h}) })
	var err error
	select {
	case <-ctx.Done():
	case err = <-failed:
	}
	cancel()
	h.mu.Lock()
	h.stopped = true
	h.mu.Unlock()
	if closed := h.smtp.Close(); err == nil && !errors.Is(closed, net.ErrClosed) {
		err = closed
	}
	h.closeConns()
	h.answers.Wait()
	parts.Wait()
	return err
}

func (h *Hub) closeConns() {
	h.mu.Lock()
	left := make([]net.Conn, 0, len(h.conns))
	for conn := range h.conns {
		left = append(left, conn)
	}
	h.mu.Unlock()
	for _, conn := range left {
		_ = conn.Close() // a close that fails leaves nothing to do
	}
}

// door counts connections, turns them away where it was told to, and remembers them for the end.
type door struct {
	net.Listener
	hub *Hub
}

// Accept gives the next connection.
func (d door) Accept() (net.Conn, error) {
	for {
		conn, err := d.Listener.Accept()
		if err != nil {
			return nil, err
		}
		d.hub.count(func(c *Counters) { c.Connections++ })
		if code := d.hub.cfg.GreetingCode; code != 0 {
			_, _ = fmt.Fprintf(conn, "%d mm4test lets nobody in\r\n", code)
			_ = conn.Close() // neither matters: the other side sees a refusal either way
			continue
		}
		guest := &guest{Conn: conn, hub: d.hub}
		if !guest.enter() {
			_ = conn.Close()
			continue
		}
		if d.hub.cfg.Implicit {
			return tls.Server(guest, d.hub.cfg.TLS), nil
		}
		return guest, nil
	}
}

type guest struct {
	net.Conn
	hub *Hub
}

func (g *guest) enter() bool {
	g.hub.mu.Lock()
	defer g.hub.mu.Unlock()
	if g.hub.stopped {
		return false
	}
	g.hub.conns[g] = struct{}{}
	return true
}

// Close forgets the connection.
func (g *guest) Close() error {
	g.hub.mu.Lock()
	delete(g.hub.conns, g)
	g.hub.mu.Unlock()
	return g.Conn.Close()
}

func (h *Hub) count(change func(*Counters)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	change(&h.counters)
}

// Counters are what the hub saw so far.
func (h *Hub) Counters() Counters {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.counters
}

// Forwards are the latest messages that were taken, oldest first.
func (h *Hub) Forwards() []Forward {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.latest)
}

// Pending is how many answers are still to be sent.
func (h *Hub) Pending() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.pending
}

// taken records a message.
func (h *Hub) taken(f Forward) {
	h.mu.Lock()
	h.counters.Forwards++
	if slices.ContainsFunc(h.latest, func(seen Forward) bool { return seen.Message.MessageID == f.Message.MessageID }) {
		h.counters.Duplicates++
	}
	if h.cfg.Record > 0 {
		if len(h.latest) == h.cfg.Record {
			h.latest = slices.Delete(h.latest, 0, 1)
		}
		h.latest = append(h.latest, f)
	}
	h.mu.Unlock()
	if h.cfg.OnForward != nil {
		h.cfg.OnForward(f)
	}
}

// wait waits, unless the hub stops before.
func (h *Hub) wait(d time.Duration) bool {
	if d <= 0 {
		return h.ctx.Err() == nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-h.ctx.Done():
		return false
	}
}

// turn counts one up and tells whether it is each n-th.
func (h *Hub) turn(counter *int, every int) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	*counter++
	return every > 0 && *counter%every == 0
}
