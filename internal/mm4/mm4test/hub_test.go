package mm4test_test

import (
	"context"
	"net"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/heliograph/heliograph/internal/mm4"
	"github.com/heliograph/heliograph/internal/mm4/mm4test"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const patience = 10 * time.Second

func run(t *testing.T, what func(context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- what(ctx) }()
	t.Cleanup(func() {
		cancel()
		select {
		case err := <-ended:
			if err != nil {
				t.Errorf("Run: %v", err)
			}
		case <-time.After(patience):
			t.Error("Run does not return")
		}
	})
}

// peer is the other side of a hub: it sends forwards and counts what comes back.
type peer struct {
	client                             *mm4.Client
	hub                                *mm4test.Hub
	responses, reports, unknown, reads atomic.Int64
}

func newPeer(t *testing.T, cfg mm4test.Config) *peer {
	t.Helper()
	p := &peer{}
	server, err := mm4.NewServer(mm4.ServerConfig{
		Name: "us.example", Domains: []string{"us.example"}, Networks: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")},
		Handler: mm4.Handler{
			Response: func(context.Context, mm4.Envelope, *mm4.Response) error { p.responses.Add(1); return nil },
			DeliveryReport: func(_ context.Context, _ mm4.Envelope, r *mm4.DeliveryReport) error {
				if r.MessageID == "m" {
					p.reports.Add(1)
				} else {
					p.unknown.Add(1)
				}
				return nil
			},
			ReadReply: func(context.Context, mm4.Envelope, *mm4.ReadReply) error { p.reads.Add(1); return nil },
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	run(t, func(ctx context.Context) error { return server.Serve(ctx, listener) })
	cfg.Back = &mm4.ClientConfig{Address: listener.Addr().String(), Name: "hub.example", RetryFirst: time.Millisecond}
	cfg.RetryDelay, cfg.Retries = time.Millisecond, 10_000
	if p.hub, err = mm4test.New(cfg); err != nil {
		t.Fatal(err)
	}
	run(t, p.hub.Run)
	if p.client, err = mm4.NewClient(mm4.ClientConfig{Address: p.hub.Addr(), Name: "us.example", RetryFirst: time.Millisecond}); err != nil {
		t.Fatal(err)
	}
	run(t, p.client.Run)
	p.until(t, func() bool { return p.client.Places() > 0 })
	return p
}

func (p *peer) until(t *testing.T, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("it does not happen: %+v", p.hub.Counters())
		}
	}
}

// send sends a message to some numbers, and gives the outcome.
func (p *peer) send(t *testing.T, ask bool, numbers ...string) mm4.Outcome {
	t.Helper()
	us := mm4.Address{User: "mms", Host: "us.example"}
	m := &mm4.Forward{
		Head: mm4.Head{TransactionID: "t", MessageID: "m", Sender: us, Date: time.Unix(1e9, 0)}, From: mm4.PLMN("+14155550123", "us.example"),
		AckRequest: ask, DeliveryReport: ask, ReadReply: ask,
	}
	for _, number := range numbers {
		m.To = append(m.To, mm4.PLMN(number, "hub.example"))
	}
	done := make(chan mm4.Outcome, 1)
	p.client.Submit(mm4.Mail{To: m.To, Message: m}, func(out mm4.Outcome) { done <- out })
	select {
	case out := <-done:
		return out
	case <-time.After(patience):
		t.Fatal("no outcome")
	}
	return mm4.Outcome{}
}

// The knobs of answers do what they say.
func TestAnswers(t *testing.T) {
	fates := map[string]mm4test.Fate{
		"+1": {}, "+2": {NoAnswer: true}, "+3": {NoReport: true}, "+4": {Request: mm4.ErrorServiceDenied}, "+5": {Read: true}, "+6": {RcptCode: 550},
	}
	fate := func(to mm4.Address) mm4test.Fate { return fates[to.User] }
	for name, c := range map[string]struct {
		cfg                                mm4test.Config
		to                                 []string
		silent                             bool
		responses, reports, unknown, reads int64
	}{
		"well":            {to: []string{"+1"}, responses: 1, reports: 1},
		"nothing asked":   {to: []string{"+1"}, silent: true},
		"no answer":       {to: []string{"+1", "+2"}, responses: 1, reports: 1},
		"no report":       {to: []string{"+3"}, responses: 1},
		"denied":          {to: []string{"+1", "+4"}, responses: 2, reports: 1},
		"read":            {to: []string{"+5"}, responses: 1, reports: 1, reads: 1},
		"refused":         {to: []string{"+1", "+6"}, responses: 1, reports: 1},
		"twice":           {cfg: mm4test.Config{DuplicateEvery: 1}, to: []string{"+1"}, responses: 2, reports: 2},
		"unknown ids":     {cfg: mm4test.Config{UnknownEvery: 1}, to: []string{"+1"}, responses: 1, reports: 1, unknown: 1},
		"late":            {cfg: mm4test.Config{ResponseDelay: 5 * time.Millisecond, ReportDelay: 5 * time.Millisecond, FinalDelay: 5 * time.Millisecond}, to: []string{"+1"}, responses: 1, reports: 1},
		"taken, cut":      {cfg: mm4test.Config{CutFinalEvery: 1}, to: []string{"+1"}, responses: 1, reports: 1},
		"refused at last": {cfg: mm4test.Config{FinalCode: 451, FinalEvery: 1}, to: []string{"+1"}},
	} {
		t.Run(name, func(t *testing.T) {
			c.cfg.Fate = fate
			p := newPeer(t, c.cfg)
			p.send(t, !c.silent, c.to...)
			got := func() [4]int64 {
				return [4]int64{p.responses.Load(), p.reports.Load(), p.unknown.Load(), p.reads.Load()}
			}
			want := [4]int64{c.responses, c.reports, c.unknown, c.reads}
			p.until(t, func() bool { return got() == want })
			p.until(t, func() bool { return p.hub.Pending() == 0 }) // and nothing more
			if got() != want {
				t.Errorf("%v instead of %v", got(), want)
			}
		})
	}
}

// Every n-th is each n-th: of mails, over all connections.
func TestEvery(t *testing.T) {
	p := newPeer(t, mm4test.Config{FinalEvery: 3, FinalCode: 554, CutFinalEvery: 4, Record: 2})
	var got []mm4.Status
	for range 8 {
		got = append(got, p.send(t, false, "+1").Status)
	}
	for i, want := range []mm4.Status{mm4.Accepted, mm4.Accepted, mm4.Refused, mm4.Unknown, mm4.Accepted, mm4.Refused, mm4.Accepted, mm4.Unknown} {
		if got[i] != want {
			t.Errorf("mail %d: %v instead of %v", i+1, got[i], want)
		}
	}
	if c := p.hub.Counters(); c.Forwards != 6 || c.Refused != 2 || c.Cut != 2 || c.Duplicates != 5 {
		t.Errorf("%+v", c)
	}
	if kept := p.hub.Forwards(); len(kept) != 2 {
		t.Errorf("%d are kept", len(kept))
	}
}

// Answers beyond the limit are dropped and counted, not kept.
func TestPendingIsBounded(t *testing.T) {
	p := newPeer(t, mm4test.Config{MaxPending: 1, ResponseDelay: time.Hour})
	for range 3 {
		p.send(t, true, "+1")
	}
	if c := p.hub.Counters(); c.AnswersDropped != 2 || p.hub.Pending() != 1 {
		t.Errorf("%+v, %d pending", c, p.hub.Pending())
	}
}
