package esme

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
	"github.com/heliograph/heliograph/internal/smpp"
	"github.com/heliograph/heliograph/internal/smpp/smpptest"
)

// inboxes keep parts as a store does: each identity once.
type inboxes struct {
	mu      sync.Mutex
	parts   []gateway.InboundPart
	seen    map[[16]byte]bool
	repeats int
	keep    func(n int) error // decides about the n-th part that comes, counted from 1; nil keeps all
	n       int
}

func (b *inboxes) onPart(p gateway.InboundPart, done func(error)) {
	b.mu.Lock()
	b.n++
	var err error
	if b.keep != nil {
		err = b.keep(b.n)
	}
	switch {
	case err != nil:
	case b.seen[p.Identity.Digest]:
		b.repeats++
	default:
		b.seen[p.Identity.Digest] = true
		b.parts = append(b.parts, p)
	}
	b.mu.Unlock()
	done(err)
}

// take gives the parts so far, and forgets them.
func (b *inboxes) take() []gateway.InboundPart {
	b.mu.Lock()
	defer b.mu.Unlock()
	parts := b.parts
	b.parts, b.seen = nil, map[[16]byte]bool{}
	return parts
}

// TestTextsFromHandsets: every alphabet by every carriage, packed and not, in order and not, with characters split and not, over real connections. The
// SMSC has an encoder of its own.
func TestTextsFromHandsets(t *testing.T) {
	const from, to = "14155550123", "14155550100"
	long := strings.Repeat("0123456789", 20)
	for _, packed := range []bool{false, true} {
		b := &inboxes{seen: map[[16]byte]bool{}}
		smsc := smpptest.New(t)
		connect(t, smsc, func(c *Config) { c.OnPart, c.GSM7Packed, c.Binds = b.onPart, packed, 2 })
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		if err := smsc.WaitBinds(ctx, 2); err != nil {
			t.Fatal(err)
		}
		for _, text := range []smpptest.Text{
			{Text: "hello [€]"},
			{Text: long + "€Ω"},
			{Text: "ça ÿ", Coding: 3},
			{Text: long + "é", Coding: 3},
			{Text: "я😀", Coding: 8},
			{Text: long + "😀", Coding: 8},
			{Text: "a€€b", Room: 2},
			{Text: "я😀😀", Coding: 8, Room: 2},
		} {
			for _, carriage := range []smpptest.Carriage{smpptest.Header8, smpptest.Header16, smpptest.SAR, smpptest.Payload} {
				for _, asData := range []bool{false, true} {
					for _, order := range [][]int{nil, {2, 1, 2}} {
						text.From, text.To, text.Packed, text.Carriage, text.AsData, text.Order = from, to, packed, carriage, asData, order
						err := smsc.DeliverText(ctx, text)
						var refusal *smpptest.Refusal
						switch {
						case err != nil && (order == nil || errors.As(err, &refusal) || ctx.Err() != nil):
							t.Fatalf("%+v: %v", text, err)
						case err != nil:
							continue // there are not as many segments
						}
						parts := b.take()
						total := max(parts[0].Total, 1)
						got, whole := joined(parts...)
						if order != nil && total > 2 { // not all were sent
							if whole || len(parts) != 2 {
								t.Errorf("%+v: %d of %d segments, whole %v", text, len(parts), total, whole)
							}
							continue
						}
						if got != text.Text || !whole || parts[0].From != from || parts[0].To != to {
							t.Errorf("%+v: %q, %v", text, got, whole)
						}
					}
				}
			}
		}
	}
}

// TestPostedTexts: whatever becomes of the connections and the store, each segment that the SMSC has is kept, and known when it comes again.
func TestPostedTexts(t *testing.T) {
	const n = 60
	b := &inboxes{seen: map[[16]byte]bool{}}
	smsc := smpptest.New(t, func(c *smpptest.Config) { c.RetryDelay = time.Millisecond })
	var dropping sync.WaitGroup
	defer dropping.Wait()
	b.keep = func(n int) error {
		if n%11 == 0 {
			dropping.Go(smsc.Disconnect) // many answers are lost
		}
		if n%7 == 0 {
			return errors.New("disk full")
		}
		return nil
	}
	u := connect(t, smsc, func(c *Config) { c.OnPart, c.Binds = b.onPart, 2 })
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := smsc.WaitBinds(ctx, 2); err != nil {
		t.Fatal(err)
	}
	for i := range n {
		err := smsc.PostText("user", smpptest.Text{From: "14155550123", To: "14155550100", Text: "ab", Room: 1, Reference: uint16(i + 1)})
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := smsc.Wait(ctx, func(c smpptest.Counters) bool { return c.InboundPending == 0 }); err != nil {
		t.Fatal(err)
	}
	whole := map[uint32][]gateway.InboundPart{}
	for _, p := range b.take() {
		whole[p.Reference] = append(whole[p.Reference], p)
	}
	for reference, parts := range whole {
		if text, ok := joined(parts...); text != "ab" || !ok || len(parts) != 2 {
			t.Errorf("reference %#x: %q of %d parts", reference, text, len(parts))
		}
	}
	if s := u.Stats(); len(whole) != n || s.InboundKept != 2*n+int64(b.repeats) || s.InboundPutOff == 0 {
		t.Errorf("%d messages, %d repeats, %+v", len(whole), b.repeats, s)
	}
	if c := smsc.Counters(); c.InboundAcked != 2*n || c.InboundNacked == 0 {
		t.Errorf("%+v", c)
	}
}

// TestUnrentedIsRefusedOnce: the SMSC forgets what is for nobody.
func TestUnrentedIsRefusedOnce(t *testing.T) {
	b := &inboxes{seen: map[[16]byte]bool{}, keep: func(int) error { return gateway.Errorf(gateway.NotFound, "no account rents the number") }}
	smsc := smpptest.New(t, func(c *smpptest.Config) { c.RetryDelay = time.Millisecond })
	connect(t, smsc, func(c *Config) { c.OnPart = b.onPart })
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := smsc.WaitBinds(ctx, 1); err != nil {
		t.Fatal(err)
	}
	if err := smsc.PostText("user", smpptest.Text{From: "14155550123", To: "14155550100", Text: "hello"}); err != nil {
		t.Fatal(err)
	}
	if err := smsc.Wait(ctx, func(c smpptest.Counters) bool { return c.InboundPending == 0 }); err != nil {
		t.Fatal(err)
	}
	if c := smsc.Counters(); c.InboundSent != 1 || c.InboundRefused != 1 {
		t.Errorf("%+v", c)
	}
	if err := smsc.DeliverText(ctx, smpptest.Text{Text: "hello"}); err == nil || !strings.Contains(err.Error(), smpp.ESME_RX_P_APPN.String()) {
		t.Errorf("answered %v", err)
	}
}

// BenchmarkInbound is the whole way of a segment over one bind, but for what a store does with it.
func BenchmarkInbound(b *testing.B) {
	smsc := smpptest.New(b)
	connect(b, smsc, func(c *Config) { c.OnPart = func(_ gateway.InboundPart, done func(error)) { done(nil) } })
	ctx, cancel := context.WithTimeout(b.Context(), patience)
	defer cancel()
	if err := smsc.WaitBinds(ctx, 1); err != nil {
		b.Fatal(err)
	}
	text := smpptest.Text{From: "14155550123", To: "14155550100", Text: strings.Repeat("a", 160)}
	b.ResetTimer()
	for range b.N {
		for smsc.PostText("user", text) != nil { // as many wait as may
			if err := smsc.Wait(ctx, func(c smpptest.Counters) bool { return c.InboundPending < 1000 }); err != nil {
				b.Fatal(err)
			}
		}
	}
	if err := smsc.Wait(ctx, func(c smpptest.Counters) bool { return c.InboundPending == 0 }); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "segments/s")
}
