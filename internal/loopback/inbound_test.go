package loopback

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/heliograph/heliograph/internal/gateway"
	"github.com/heliograph/heliograph/internal/tpdu"
)

// account keeps parts, and gives their answers when it is told to.
type account struct {
	mu      sync.Mutex
	parts   []gateway.InboundPart
	answers []func(error)
}

func (a *account) onPart(p gateway.InboundPart, done func(error)) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.parts = append(a.parts, p)
	a.answers = append(a.answers, done)
}

func newAccount() (*Carrier, *account) {
	a := &account{}
	return New(Config{Name: "loopback", Now: func() time.Time { return time.Unix(1_800_000_000, 0) }, OnPart: a.onPart}), a
}

// text joins the parts as package mo does.
func (a *account) text() (string, bool) {
	segments := make([]tpdu.Segment, len(a.parts))
	for i, p := range a.parts {
		segments[i] = tpdu.Segment{Number: p.Number, Total: p.Total, Octets: p.Data.Octets, Coding: tpdu.Coding{Alphabet: tpdu.Alphabet(p.Data.Alphabet)}}
	}
	return tpdu.Join(segments, "")
}

// TestDeliver: a text comes in the segments of a handset, and done is called once, when the last is kept.
func TestDeliver(t *testing.T) {
	for _, tc := range []struct {
		text     string
		alphabet tpdu.Alphabet
		segments int
	}{
		{"", tpdu.GSM7, 1},
		{"hello", tpdu.GSM7, 1},
		{strings.Repeat("a", 160), tpdu.GSM7, 1},
		{strings.Repeat("€", 100), tpdu.GSM7, 2},
		{strings.Repeat("я", 70), tpdu.UCS2, 1},
		{strings.Repeat("😀", 70), tpdu.UCS2, 3},
	} {
		c, a := newAccount()
		called := 0
		c.Deliver(Inbound{Service: gateway.SMS, From: "14155550123", To: "14155550100", Text: tc.text}, func(err error) {
			if called++; err != nil {
				t.Errorf("%q: %v", tc.text, err)
			}
		})
		if got, whole := a.text(); got != tc.text || !whole || len(a.parts) != tc.segments {
			t.Errorf("%q comes as %q, %v, in %d segments", tc.text, got, whole, len(a.parts))
		}
		for i, p := range a.parts {
			if p.From != "14155550123" || p.To != "14155550100" || p.Carrier != "loopback" || p.At.IsZero() || p.Service != gateway.SMS ||
				tpdu.Alphabet(p.Data.Alphabet) != tc.alphabet || p.Reference != a.parts[0].Reference || !p.Identity.IsZero() {
				t.Errorf("%q: %+v", tc.text, p)
			}
			if called != 0 {
				t.Errorf("%q: done with %d of %d kept", tc.text, i, len(a.parts))
			}
			a.answers[i](nil)
		}
		if called != 1 {
			t.Errorf("%q: done %d times", tc.text, called)
		}
	}
}

// TestDeliverTwice: two messages have two references.
func TestDeliverTwice(t *testing.T) {
	c, a := newAccount()
	for range 2 {
		c.Deliver(Inbound{Service: gateway.SMS, From: "14155550123", To: "14155550100", Text: strings.Repeat("a", 161)}, func(error) {})
	}
	if len(a.parts) != 4 || a.parts[0].Reference == a.parts[2].Reference {
		t.Errorf("%d parts, references %d and %d", len(a.parts), a.parts[0].Reference, a.parts[2].Reference)
	}
}

func TestDeliverMMS(t *testing.T) {
	c, a := newAccount()
	media := []gateway.ID{{1}, {2}}
	c.Deliver(Inbound{
		Service: gateway.MMS, From: "14155550123", To: "14155550100", Subject: "cats", Text: strings.Repeat("a", 2000), Media: media,
	}, func(error) {})
	if len(a.parts) != 1 {
		t.Fatalf("%d parts", len(a.parts))
	}
	p := a.parts[0]
	if p.Service != gateway.MMS || p.Subject != "cats" || len(p.Text) != 2000 || len(p.Media) != 2 || p.Media[1] != media[1] || p.Total != 0 {
		t.Errorf("%+v", p)
	}
}

// TestDeliverFails: the first error is the message's, and is told when all segments have their answers.
func TestDeliverFails(t *testing.T) {
	c, a := newAccount()
	first, second := gateway.Errorf(gateway.NotFound, "no account rents the number"), errors.New("disk full")
	var got []error
	done := func(err error) { got = append(got, err) }
	c.Deliver(Inbound{Service: gateway.SMS, From: "14155550123", To: "14155550100", Text: strings.Repeat("a", 400)}, done)
	a.answers[1](first)
	a.answers[0](nil)
	if len(got) != 0 {
		t.Errorf("done with one to come: %v", got)
	}
	a.answers[2](second)
	if len(got) != 1 || !errors.Is(got[0], first) {
		t.Errorf("got %v", got)
	}
	var refusal *gateway.Error
	c.Deliver(Inbound{Service: gateway.SMS, From: "14155550123", To: "14155550100", Text: strings.Repeat("a", 153*255+1)}, done)
	if len(got) != 2 || !errors.As(got[1], &refusal) || refusal.Code != gateway.Invalid || len(a.parts) != 3 {
		t.Errorf("a text that is too long: %v, %d parts", got, len(a.parts))
	}
	for name, c := range map[string]*Carrier{"nobody takes them": New(Config{Now: time.Now}), "stopped": stopped(t, a)} {
		got = nil
		c.Deliver(Inbound{Service: gateway.SMS, From: "14155550123", To: "14155550100", Text: "hello"}, done)
		if len(got) != 1 || !errors.As(got[0], &refusal) || refusal.Code != gateway.Unavailable || len(a.parts) != 3 {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// stopped is a carrier whose Run has ended.
func stopped(t *testing.T, a *account) *Carrier {
	c := New(Config{Now: time.Now, OnPart: a.onPart})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := c.Run(ctx); err != nil {
		t.Error(err)
	}
	return c
}

// TestDeliverTexts: every text comes back from its segments.
func TestDeliverTexts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringOfN(rapid.SampledFrom([]rune("aé€{я😀\n")), 0, 400, -1).Draw(t, "text")
		c, a := newAccount()
		c.Deliver(Inbound{Service: gateway.SMS, From: "14155550123", To: "14155550100", Text: text}, func(error) {})
		if got, whole := a.text(); got != text || !whole {
			t.Fatalf("%q comes back as %q, %v", text, got, whole)
		}
	})
}
