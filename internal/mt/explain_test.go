package mt

import (
	"errors"
	"testing"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
)

func TestExplain(t *testing.T) {
	net1, net2 := net("net1", 10, 0), net("net2", 10, 0)
	inWorld(t, func(t *testing.T, w *world) {
		w.number(alice, "net2", 0)
		w.number(bob, "", 0.5)
		w.number(carol, "", 0.5)
		w.pack(gateway.Powerpack{Sticky: true})
		p := w.start()
		to := gateway.Destination{Number: over1, Country: "US"}
		explain := func(service gateway.Service) Explanation {
			t.Helper()
			e, err := p.service.Explain(t.Context(), Question{Account: testAccount, Powerpack: testPack, To: to, Service: service})
			if err != nil || e.Senders != 3 {
				t.Fatalf("%+v, %v", e, err)
			}
			return e
		}
		other := func(e Explanation, i int, number string, verdict gateway.Verdict, in time.Duration) {
			t.Helper()
			if got := e.Others[i]; got.Number.Number != number || got.Verdict != verdict || !got.SendAt.Equal(time.Now().Add(in)) {
				t.Errorf("%d: %s, %v, at %v", i, got.Number.Number, got.Verdict, got.SendAt)
			}
		}
		_ = p.dispatcher.Pause("net2")
		for range 4 {
			w.mustSend(t, bob, over1, 1)
		}
		for range 3 { // asking changes nothing
			e := explain(gateway.SMS)
			if e.Taken.Number.Number != carol || e.Rule != gateway.ByPriority || !e.Taken.SendAt.Equal(time.Now()) || e.Habit != "" || e.Reason != 0 {
				t.Errorf("%+v", e)
			}
			other(e, 0, bob, gateway.FreeLater, 8*time.Second)
			other(e, 1, alice, gateway.IsClosed, 0)
		}
		wantFrom(t, "as explained", w.accept(t, packRequest(over1)), carol)
		_ = p.dispatcher.Resume("net2")
		e := explain(gateway.SMS)
		if e.Taken.Number.Number != carol || e.Rule != gateway.BySticky || e.Habit != carol || !e.Taken.SendAt.Equal(time.Now().Add(2*time.Second)) {
			t.Errorf("%+v", e)
		}
		other(e, 0, alice, gateway.NotSticky, 0)
		to.Country = "FR"
		w.refresh(t, func() {
			for i := range w.store.numbers {
				w.store.numbers[i].Services = gateway.Services(gateway.SMS)
			}
		})
		if e := explain(gateway.MMS); e.Taken.Number != nil || e.Rule != gateway.NoRule || e.Reason != gateway.InvalidSource || len(e.Others) != 3 {
			t.Errorf("%+v", e)
		}
		w.refresh(t, func() { w.store.numbers = w.store.numbers[1:2]; w.number0(alice); w.number0(carol) })
		for range 60 { // 3 h of what bob sends
			for range 100 {
				w.mustSend(t, bob, over1, 1)
			}
		}
		w.refresh(t, func() { w.store.numbers[1].Type, w.store.numbers[2].Type = gateway.ShortCode, gateway.ShortCode })
		if e := explain(gateway.SMS); e.Reason != gateway.Expired || e.Others[0].Verdict != gateway.NotBeforeExpiry {
			t.Errorf("%+v", e)
		}
	}, net1, net2)
}

func TestExplainRefuses(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.number(alice, "", 0)
		w.pack(gateway.Powerpack{Sticky: true})
		p := w.start()
		to := gateway.Destination{Number: over1, Country: "US"}
		for account, pack := range map[gateway.AccountID]gateway.ID{"MAOTHER": testPack, testAccount: {9}} {
			var refusal *gateway.Error
			if _, err := p.service.Explain(t.Context(), Question{Account: account, Powerpack: pack, To: to, Service: gateway.SMS}); !errors.As(err, &refusal) || refusal.Code != gateway.NotFound {
				t.Errorf("%v", err)
			}
		}
	}, net("net1", 10, 0))
}
