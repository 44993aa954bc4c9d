package mt

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
)

// says lets a person opt out of sources, in the store.
func (w *world) says(person string, sources ...string) {
	w.store.mu.Lock()
	defer w.store.mu.Unlock()
	if w.store.out == nil {
		w.store.out = map[gateway.Addressee][]string{}
	}
	w.store.out[gateway.Addressee{Account: testAccount, Person: person}] = sources
}

// became is the state and reason of messages.
func became(t *testing.T, what string, messages []*gateway.Message, state gateway.State, reason gateway.Reason) {
	t.Helper()
	for _, m := range messages {
		if m.State != state || m.Reason != reason {
			t.Errorf("%s: %s for reason %d, want %s for %d", what, m.State, m.Reason, state, reason)
		}
	}
}

func byName(from, to string) *Request {
	return &Request{
		Account: testAccount, Source: from, To: []gateway.Destination{{Number: to, Country: "US"}}, Service: gateway.SMS, Text: "a", ReceivedAt: time.Now(),
	}
}

func TestOptedOut(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.number(alice, "", 0)
		w.number(bob, "", 0)
		w.campaign(0, 0, bob)
		p := w.start()
		w.says(over1, alice, testCampaign)
		became(t, "from who was told to stop", w.accept(t, byName(alice, over1)), gateway.Failed, gateway.OptedOut)
		became(t, "from one of the campaign", w.accept(t, byName(bob, over1)), gateway.Failed, gateway.OptedOut)
		became(t, "to another person", w.accept(t, byName(alice, over2)), gateway.Queued, gateway.NoReason)
		exempt := byName(alice, over1)
		exempt.Exempt = true
		became(t, "the answer to just that", w.accept(t, exempt), gateway.Queued, gateway.NoReason)
		w.says(over1, "another campaign", carol)
		became(t, "of other sources", w.accept(t, byName(alice, over1)), gateway.Queued, gateway.NoReason)
		loop := byName(alice, over1)
		loop.Failure = gateway.Loop
		became(t, "a loop", w.accept(t, loop), gateway.Failed, gateway.Loop)
		synctest.Wait()
		if s := p.dispatcher.Totals(); s.Messages != 0 {
			t.Errorf("%+v", s)
		}
		w.process.auditPools()
	}, net("net1", 100, 0), net("net2", 100, 0))
}

// TestNoSenderEvadesAnOptOut: the sender that a destination is used to is asked even where another one would be taken.
func TestNoSenderEvadesAnOptOut(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.number(alice, "", 0)
		w.number(bob, "", 0)
		w.pack(gateway.Powerpack{Sticky: true})
		p := w.start()
		first := w.accept(t, packRequest(over1))
		used := first[0].From
		w.says(over1, used)
		fails := func(what string) {
			t.Helper()
			got := w.accept(t, packRequest(over1))
			became(t, what, got, gateway.Failed, gateway.OptedOut)
			if got[0].From != used {
				t.Errorf("%s: it names %q", what, got[0].From)
			}
		}
		fails("sticky")
		e, err := p.service.Explain(t.Context(), Question{Account: testAccount, Powerpack: testPack, To: gateway.Destination{Number: over1, Country: "US"}, Service: gateway.SMS})
		if err != nil || e.Reason != gateway.OptedOut || e.Rule != gateway.NoRule || e.Taken.Number != nil {
			t.Errorf("explained as %+v, %v", e, err)
		}
		w.leave(t, used)
		fails("its number has left the pool")
		w.refresh(t, func() { w.store.numbers = w.store.numbers[:0] })
		fails("its number is nobody's any more")
	}, net("net1", 100, 0))
}

// TestOptOutWhileItWaits: what was accepted before and still waits is not sent, what is accepted later is the store's affair, also after a restart.
func TestOptOutWhileItWaits(t *testing.T) {
	net1 := net("net1", 100, 0)
	inWorld(t, func(t *testing.T, w *world) {
		w.number(alice, "", 0.1)
		w.campaign(0, 0, alice)
		p := w.start()
		w.mustSend(t, alice, "12025550178", 1)
		waiting := w.accept(t, byName(alice, over1))[0].ID
		another := w.accept(t, byName(alice, "12025550178"))[0].ID
		back := w.accept(t, byName(alice, "12025550177"))[0].ID
		time.Sleep(time.Second)
		stop := gateway.OptOutChange{OptOut: gateway.OptOut{Account: testAccount, Source: testCampaign, Person: over1, At: time.Now()}}
		there := gateway.OptOutChange{OptOut: gateway.OptOut{Account: testAccount, Source: alice, Person: "12025550177", At: time.Now()}}
		p.dispatcher.OptedOut([]gateway.OptOutChange{stop, there})
		there.In = true
		p.dispatcher.OptedOut([]gateway.OptOutChange{there})
		time.Sleep(time.Second)
		later := w.accept(t, byName(alice, over1))[0].ID // as the store, which knows nothing of it, lets it
		time.Sleep(time.Minute)
		for id, want := range map[gateway.ID]gateway.State{waiting: gateway.Failed, another: gateway.Sent, back: gateway.Sent, later: gateway.Sent} {
			if got := w.store.message(id); got.State != want {
				t.Errorf("to %s: %s, want %s", got.To, got.State, want)
			}
		}
		again := w.accept(t, byName(alice, over1))[0].ID
		again2 := w.accept(t, byName(alice, over1))[0].ID
		time.Sleep(time.Second)
		w.store.recent = []gateway.OptOut{{Account: testAccount, Source: alice, Person: over1, At: time.Now()}}
		p.kill()
		w.start()
		time.Sleep(time.Hour)
		if w.store.message(again).State != gateway.Sent && w.store.message(again).Reason != gateway.OptedOut || w.store.message(again2).Reason != gateway.OptedOut {
			t.Errorf("after a restart: %s, %s", w.store.message(again).State, w.store.message(again2).State)
		}
		time.Sleep(4 * time.Hour)
		w.process.dispatcher.mu.Lock()
		defer w.process.dispatcher.mu.Unlock()
		if n := len(w.process.dispatcher.optedOut); n != 0 {
			t.Errorf("%d opt-outs are remembered for ever", n)
		}
	}, net1)
}

// TestOptOutWhoseCommitTakesLong: what was accepted between the time of a change that the operator makes and its commit, and waits when the process is killed, is
// not sent after the restart; a person's word is committed at once, and what follows it, such as its answer, is.
func TestOptOutWhoseCommitTakesLong(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.number(alice, "", 0.01)
		p := w.start()
		w.mustSend(t, alice, "12025550176", 1)
		asked := time.Now()
		time.Sleep(time.Second)
		byList := w.accept(t, byName(alice, "12025550178"))[0].ID
		byKeyword := w.accept(t, byName(alice, "12025550177"))[0].ID
		w.store.recent = []gateway.OptOut{
			{Account: testAccount, Source: alice, Person: "12025550178", At: asked, Origin: gateway.ByOperator},
			{Account: testAccount, Source: alice, Person: "12025550177", At: asked, Origin: gateway.ByKeyword},
		}
		p.kill()
		w.start()
		time.Sleep(time.Hour)
		if list, keyword := w.store.message(byList), w.store.message(byKeyword); list.Reason != gateway.OptedOut || keyword.State != gateway.Sent {
			t.Errorf("to who was on the list %s, after a keyword %s", list.State, keyword.State)
		}
	}, net("net1", 100, 0))
}
