package mt

import (
	"testing"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
)

// What an account cannot pay is stored as failed: it is not sent, keeps nobody waiting, and the account is told.
func TestUnpaidMessagesAreNotSent(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		const rate = 550
		credit := gateway.Money(2 * 3 * rate)
		w.store.credit = &credit
		w.number(alice, "", 1)
		w.pack(gateway.Powerpack{})
		p := w.start()
		priced := 0
		p.service.Price = func(m *gateway.Message, from *gateway.Number) gateway.Price {
			if m.From != alice || m.Carrier == "" || from.Number != alice || m.Units != 3 {
				t.Errorf("a price is asked for a message from %s through %q, number %s", m.From, m.Carrier, from.Number)
			}
			priced++
			return gateway.Price{Rate: rate}
		}
		var states []gateway.State
		p.service.Told = func(events []gateway.Event) {
			for _, e := range events {
				states = append(states, e.State)
			}
		}
		req := packRequest(over1, over1, over1, over1)
		req.Text = text(3)
		a, err := p.service.Accept(t.Context(), req)
		if err != nil {
			t.Fatal(err)
		}
		if priced != 4 || len(states) != 6 || states[5] != gateway.Failed || states[4] != gateway.Queued {
			t.Errorf("%d prices, told of %v", priced, states)
		}
		for i, id := range a.Messages {
			if failed := i > 1; a.SendAt[i].IsZero() != failed || (w.store.message(id).Reason == gateway.NoCredit) != failed {
				t.Errorf("message %d: expected to leave at %v, reason %v", i, a.SendAt[i], w.store.message(id).Reason)
			}
		}
		p.dispatcher.mu.Lock()
		if queued := p.dispatcher.senders[alice].queued; queued > 6 {
			t.Errorf("%d units wait", queued)
		}
		p.dispatcher.mu.Unlock()
		credit = rate * 3 // paid in: the sender is as free as if the others had never come
		again, err := p.service.Accept(t.Context(), req)
		if err != nil {
			t.Fatal(err)
		}
		if wait := again.SendAt[0].Sub(a.SendAt[0]); wait > 7*time.Second {
			t.Errorf("the next message waits %v", wait)
		}
		time.Sleep(time.Minute)
		for _, at := range w.attempts() {
			if m := w.store.message(at.message.ID); m.Reason == gateway.NoCredit || m.Price.Rate != rate {
				t.Errorf("sent: %v at %s", m.Reason, m.Price.Rate)
			}
		}
		if sent := len(w.attempts()); sent != 9 {
			t.Errorf("%d parts were sent, want those of 3 messages", sent)
		}
		if wrong := p.auditPools(); len(wrong) > 0 {
			t.Error(wrong)
		}
		p.dispatcher.mu.Lock()
		defer p.dispatcher.mu.Unlock()
		if s := p.dispatcher.senders[alice]; s.queued != 0 {
			t.Errorf("%d units are left", s.queued)
		}
	}, net("net1", 10, 0))
}

// A message that fails when it is accepted has no price.
func TestFailedChoicesHaveNoPrice(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.number(alice, "", 0)
		p := w.start()
		p.service.Price = func(*gateway.Message, *gateway.Number) gateway.Price { return gateway.Price{Rate: 1} }
		for source, want := range map[string]gateway.Money{alice: 1, "14155550999": 0} {
			id, err := p.send(source, over1, 1, 0)
			if err != nil {
				t.Fatal(err)
			}
			if m := w.store.message(id); m.Price.Rate != want {
				t.Errorf("%s: %s, %s", source, m.State, m.Price.Rate)
			}
		}
	}, net("net1", 10, 0))
}
