package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
	"github.com/heliograph/heliograph/internal/loopback"
	"github.com/heliograph/heliograph/internal/mo"
	"github.com/heliograph/heliograph/internal/mt"
	"github.com/heliograph/heliograph/internal/operator"
)

// TestAnswerer: an answer goes back to who wrote, is exempt from what they have just said, is made once by a key that no customer can use, and fails when two
// machines answer each other.
func TestAnswerer(t *testing.T) {
	ids := &gateway.IDSource{Entropy: func() uint64 { return 1 }}
	var made []*mt.Request
	var refusal error
	a := answerer{
		accept: func(_ context.Context, r *mt.Request) (gateway.Acceptance, error) {
			made = append(made, r)
			return gateway.Acceptance{}, refusal
		},
		loops: &mo.Loops{Most: 2, Window: time.Minute}, ids: ids, now: time.Now,
	}
	inbound := &gateway.Message{ID: ids.Next(time.Now()), Account: testAccount, From: "14155550123", To: "14155550100", Log: gateway.LogNothing}
	for range 3 {
		if err := a.answer(t.Context(), inbound, "You have been unsubscribed."); err != nil {
			t.Fatal(err)
		}
	}
	for i, r := range made {
		if r.Source != inbound.To || r.To[0].Number != inbound.From || r.To[0].Country != "US" || !r.Exempt || r.Account != inbound.Account || r.Log != gateway.LogNothing ||
			r.Text != "You have been unsubscribed." || r.Service != gateway.SMS {
			t.Errorf("request %+v", r)
		}
		if r.Key != made[0].Key || r.BodyHash != made[0].BodyHash || !strings.HasPrefix(r.Key, "\x00") || !strings.Contains(r.Key, inbound.ID.String()) {
			t.Errorf("the key is %q", r.Key)
		}
		if wanted := i == 2; (r.Failure == gateway.Loop) != wanted {
			t.Errorf("answer %d has the failure %v", i+1, r.Failure)
		}
	}
	refusal = errors.New("the disk is full")
	if err := a.answer(t.Context(), inbound, "x"); !errors.Is(err, refusal) {
		t.Errorf("got %v", err)
	}
	inbound.From = "99"
	var final *gateway.Error
	if err := a.answer(t.Context(), inbound, "x"); !errors.As(err, &final) || final.Code != gateway.Invalid {
		t.Errorf("a sender without a number: %v", err)
	}
}

// TestHandsets: the operator gets the id of the message that the last of its parts makes, of whichever of two that are on their way at once.
func TestHandsets(t *testing.T) {
	ids := &gateway.IDSource{Entropy: func() uint64 { return 1 }}
	type taken struct {
		part gateway.InboundPart
		done func(gateway.InboundResult, error)
	}
	parts := make(chan taken, 10)
	h := &handsets{take: func(p gateway.InboundPart, done func(gateway.InboundResult, error)) { parts <- taken{p, done} }}
	for _, name := range []string{"one", "two"} {
		h.networks = append(h.networks, loopback.New(loopback.Config{Name: name, Now: time.Now, OnPart: h.part}))
	}
	type got struct {
		id  gateway.ID
		err error
	}
	bring := func(m operator.Handset) chan got {
		answer := make(chan got, 1)
		go func() {
			id, err := h.bring(t.Context(), m)
			answer <- got{id, err}
		}()
		return answer
	}
	first := bring(operator.Handset{Carrier: "two", From: "14155550123", To: "14155550100", Service: gateway.SMS, Text: strings.Repeat("x", 200)})
	one, two := <-parts, <-parts
	second := bring(operator.Handset{From: "14155550123", To: "14155550100", Service: gateway.SMS, Text: "short"})
	other := <-parts
	if one.part.Carrier != "two" || two.part.Total != 2 || other.part.Carrier != "one" {
		t.Errorf("parts %+v %+v %+v", one.part, two.part, other.part)
	}
	stored := func() gateway.InboundResult {
		return gateway.InboundResult{Status: gateway.InboundStored, Message: &gateway.Message{ID: ids.Next(time.Now())}}
	}
	long, short := stored(), stored()
	other.done(short, nil)
	two.done(gateway.InboundResult{Status: gateway.InboundWaits}, nil)
	one.done(long, nil)
	if g := <-first; g.err != nil || g.id != long.Message.ID {
		t.Errorf("the long one: %+v", g)
	}
	if g := <-second; g.err != nil || g.id != short.Message.ID {
		t.Errorf("the short one: %+v", g)
	}

	failed := bring(operator.Handset{From: "14155550123", To: "14155550100", Service: gateway.SMS, Text: "x"})
	full := errors.New("the disk is full")
	(<-parts).done(gateway.InboundResult{}, full)
	if g := <-failed; !errors.Is(g.err, full) {
		t.Errorf("not stored: %+v", g)
	}
	incomplete := bring(operator.Handset{From: "14155550123", To: "14155550100", Service: gateway.SMS, Text: "x"})
	(<-parts).done(gateway.InboundResult{Status: gateway.InboundWaits}, nil)
	var refusal *gateway.Error
	if g := <-incomplete; !errors.As(g.err, &refusal) || refusal.Code != gateway.Unavailable {
		t.Errorf("not whole: %+v", g)
	}
	if _, err := h.bring(t.Context(), operator.Handset{Carrier: "three"}); !errors.As(err, &refusal) || refusal.Code != gateway.NotFound {
		t.Errorf("no such network: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := h.bring(ctx, operator.Handset{From: "14155550123", To: "14155550100", Service: gateway.SMS}); !errors.Is(err, context.Canceled) {
		t.Errorf("nobody waits: %v", err)
	}
}

func TestInboundSettings(t *testing.T) {
	c := defaultInbound()
	if errs := c.check(); len(errs) > 0 {
		t.Error(errs)
	}
	loops := c.Loop.loops()
	if want := mo.DefaultLoops(); loops.Most != want.Most || loops.Window != want.Window {
		t.Errorf("%d answers within %s", loops.Most, loops.Window)
	}
	c = InboundConfig{PartialAfter: Duration(time.Minute), Loop: LoopConfig{0, Duration(time.Second)}}
	if errs := c.check(); len(errs) > 0 || !c.Loop.loops().Turn(testAccount, "1", "2", time.Now()) {
		t.Error(fmt.Sprint("any number of answers: ", errs))
	}
}
