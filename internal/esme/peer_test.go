package esme

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
	"github.com/heliograph/heliograph/internal/smpp"
)

// peer is an SMSC in the bubble of a test, reached over pipes. Its fields are set before the carrier runs, or between synctest.Wait and the next
// sleep.
type peer struct {
	t *testing.T
	// dialled decides about a connection; nil takes it.
	dialled func(n int) error
	// bind decides about a bind, counted from 1; nil lets it in.
	bind func(n int, b *smpp.BindRequest)
	// answer decides about a submit_sm, counted from 1; nil takes it, with its count as the id.
	answer func(n int, r *smpp.Request)
	// script, unless nil, has the connection instead of a session.
	script func(conn net.Conn)

	running  sync.WaitGroup
	mu       sync.Mutex
	dials    []time.Time
	binds    []smpp.Bind
	sessions []*smpp.Session
	submits  []smpp.SubmitSM
	on       []*smpp.Session // the session of each submit
}

func (p *peer) dial(context.Context) (net.Conn, error) {
	p.mu.Lock()
	p.dials = append(p.dials, time.Now())
	n := len(p.dials)
	p.mu.Unlock()
	if p.dialled != nil {
		if err := p.dialled(n); err != nil {
			return nil, err
		}
	}
	client, server := net.Pipe()
	if p.script != nil {
		p.running.Go(func() { p.script(server) })
		return client, nil
	}
	session := smpp.NewSession(server, smpp.SMSC, smpp.Config{
		Window: 100, EnquireAfter: -1, Authenticate: p.authenticate, Handler: p.take,
	})
	p.running.Go(func() { _ = session.Run(context.Background()) })
	return client, nil
}

func (p *peer) authenticate(b *smpp.BindRequest) {
	p.mu.Lock()
	p.binds = append(p.binds, *b.Bind)
	p.sessions = append(p.sessions, b.Session())
	n := len(p.binds)
	p.mu.Unlock()
	if p.bind != nil {
		p.bind(n, b)
		return
	}
	_ = b.Accept("peer")
}

func (p *peer) take(r *smpp.Request) {
	pdu, ok := r.PDU.(*smpp.SubmitSM)
	if !ok {
		_ = r.Respond(smpp.ESME_RINVCMDID, nil)
		return
	}
	p.mu.Lock()
	p.submits = append(p.submits, *pdu)
	p.on = append(p.on, r.Session())
	n := len(p.submits)
	p.mu.Unlock()
	if p.answer != nil {
		p.answer(n, r)
		return
	}
	accept(n, r)
}

func accept(n int, r *smpp.Request) {
	_ = r.Respond(smpp.ESME_ROK, &smpp.SubmitSMResp{MessageID: strconv.Itoa(n)})
}

// session gives the n-th session that a bind was asked for on, from 1.
func (p *peer) session(n int) *smpp.Session {
	p.mu.Lock()
	defer p.mu.Unlock()
	if n > len(p.sessions) {
		p.t.Fatalf("there are %d sessions, not %d", len(p.sessions), n)
	}
	return p.sessions[n-1]
}

func (p *peer) counts() (dials, binds, submits int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.dials), len(p.binds), len(p.submits)
}

// deliver sends a request over the n-th session and gives its answer; the status is 0xFFFF when none came in the bubble's minute.
func (p *peer) deliver(n int, pdu smpp.PDU) smpp.Status {
	status := smpp.Status(0xFFFF)
	p.session(n).Submit(pdu, func(r smpp.Response, err error) {
		if err == nil {
			status = r.Status
		}
	})
	synctest.Wait()
	return status
}

// rig is a running carrier, its SMSC, and what it says.
type rig struct {
	*Carrier
	peer *peer
	t    *testing.T
	stop func()

	mu       sync.Mutex
	log      bytes.Buffer
	nudged   int
	receipts []gateway.Receipt
	outcomes []gateway.Outcome
	keep     func(done func(error)) // decides about a receipt; nil keeps it at once
}

// Write is the log's.
func (r *rig) Write(line []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.log.Write(line)
}

// newRig makes a carrier; start runs it.
func newRig(t *testing.T, settings ...func(*Config)) *rig {
	t.Helper()
	r := &rig{t: t, peer: &peer{t: t}}
	handler := slog.NewTextHandler(r, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey || a.Key == "carrier" {
			return slog.Attr{}
		}
		return a
	}})
	cfg := Config{
		Name: "main", Dial: r.peer.dial, SystemID: "user", Password: "secret", Now: time.Now, Log: slog.New(handler),
		OnReceipt: r.onReceipt, Rand: func() float64 { return 0.5 },
	}
	for _, set := range settings {
		set(&cfg)
	}
	c, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	r.Carrier = c
	c.OnPlaces(func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.nudged++
	})
	return r
}

func (r *rig) start() {
	r.t.Helper()
	ctx, cancel := context.WithCancel(r.t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := r.Run(ctx); err != nil {
			r.t.Error(err)
		}
	}()
	r.stop = sync.OnceFunc(func() {
		cancel()
		<-ended
		r.peer.running.Wait()
	})
	r.t.Cleanup(r.stop)
	synctest.Wait()
}

// keeping sets what becomes of receipts from now on.
func (r *rig) keeping(keep func(done func(error))) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.keep = keep
}

func (r *rig) onReceipt(receipt gateway.Receipt, done func(error)) {
	r.mu.Lock()
	r.receipts = append(r.receipts, receipt)
	keep := r.keep
	r.mu.Unlock()
	if keep != nil {
		keep(done)
		return
	}
	done(nil)
}

// submit hands over all parts of a text.
func (r *rig) submit(text string) {
	m := message(text)
	r.send(m)
}

func (r *rig) send(m *gateway.Message) {
	total := r.Parts(m)
	for n := 1; n <= total; n++ {
		r.Submit(gateway.Part{Message: m, Number: n, Total: total}, func(o gateway.Outcome) {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.outcomes = append(r.outcomes, o)
		})
	}
	synctest.Wait()
}

// statuses gives the outcomes so far, and forgets them.
func (r *rig) statuses() []gateway.OutcomeStatus {
	r.mu.Lock()
	defer r.mu.Unlock()
	var list []gateway.OutcomeStatus
	for _, o := range r.outcomes {
		list = append(list, o.Status)
	}
	r.outcomes = nil
	return list
}

// lines gives what was logged so far, and forgets it.
func (r *rig) lines() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	text := strings.TrimSpace(r.log.String())
	r.log.Reset()
	if text == "" {
		return nil
	}
	return strings.Split(text, "\n")
}

// wantLines compares the log with what each of its lines should hold.
func (r *rig) wantLines(want ...string) {
	r.t.Helper()
	got := r.lines()
	for i := range max(len(got), len(want)) {
		switch {
		case i >= len(got):
			r.t.Errorf("log line %d is missing: %s", i+1, want[i])
		case i >= len(want):
			r.t.Errorf("log line %d is too much: %s", i+1, got[i])
		case !strings.Contains(got[i], want[i]):
			r.t.Errorf("log line %d: got %s, want %s", i+1, got[i], want[i])
		}
	}
}

// state is the first bind's.
func (r *rig) state() string { return r.Binds()[0].State }

var errNoRoute = errors.New("no route to host")
