package mt

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
)

// What is estimated is what happens.
func TestEstimate(t *testing.T) {
	net1 := net("net1", 100, 0)
	inWorld(t, func(t *testing.T, w *world) {
		w.number(alice, "", 0.5)
		w.number(bob, "", 0)
		w.campaign(0.1, 0, bob)
		p := w.start()
		began := time.Now()
		var all []*gateway.Message
		for _, send := range []struct {
			from  string
			units int
		}{{alice, 3}, {alice, 1}, {alice, 2}, {alice, 1}, {bob, 1}, {bob, 1}, {bob, 1}} {
			all = append(all, w.store.message(w.mustSend(t, send.from, over1, send.units)))
		}
		synctest.Wait()
		time.Sleep(time.Second)
		for i := range all {
			all[i] = w.store.message(all[i].ID)
		}
		times, err := p.service.Estimate(t.Context(), all)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Minute)
		left := map[gateway.ID]time.Time{}
		for _, a := range net1.seen() {
			if _, known := left[a.message.ID]; !known {
				left[a.message.ID] = a.at
			}
		}
		for i, m := range all {
			if m.State != gateway.Queued {
				if !times[i].IsZero() {
					t.Errorf("%d has left, and is expected at %v", i, times[i].Sub(began))
				}
				continue
			}
			if !times[i].Equal(left[m.ID]) {
				t.Errorf("%d is expected after %v, and left after %v", i, times[i].Sub(began), left[m.ID].Sub(began))
			}
		}
	}, net1)
}

// Nobody knows when a paused sender goes on, and what is held or over does not leave.
func TestEstimateUnknown(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.number(alice, "", 1)
		p := w.start()
		w.mustSend(t, alice, over1, 1)
		w.refresh(t, func() { w.store.numbers[0].Paused = true })
		waiting := w.store.message(w.mustSend(t, alice, over1, 1))
		failed := *waiting
		failed.State = gateway.Failed
		inbound := *waiting
		inbound.Direction = gateway.Inbound
		times, err := p.service.Estimate(t.Context(), []*gateway.Message{waiting, &failed, &inbound})
		if err != nil {
			t.Fatal(err)
		}
		for i, at := range times {
			if !at.IsZero() {
				t.Errorf("%d: %v", i, at)
			}
		}
	}, net("net1", 10, 0))
}

// What is just leaving is expected now, and what is behind it is not expected twice as late.
func TestEstimateWhileLeaving(t *testing.T) {
	net1 := net("net1", 10, 0)
	inWorld(t, func(t *testing.T, w *world) {
		w.number(alice, "", 0.01)
		p := w.start()
		w.store.slowRecords(time.Minute)
		first := w.mustSend(t, alice, over1, 3)
		second := w.mustSend(t, alice, over1, 1)
		began := time.Now()
		time.Sleep(time.Second)
		messages := []*gateway.Message{w.store.message(first), w.store.message(second)}
		times, err := p.service.Estimate(t.Context(), messages)
		if err != nil {
			t.Fatal(err)
		}
		if messages[0].State != gateway.Queued || !times[0].Equal(time.Now()) {
			t.Errorf("%v, expected after %v", messages[0].State, times[0].Sub(began))
		}
		if got := times[1].Sub(began).Round(time.Second); got != 300*time.Second {
			t.Errorf("expected after %v", got)
		}
	}, net1)
}
