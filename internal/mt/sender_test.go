package mt

import (
	"testing"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
)

func limitedSender(rate float64) *sender {
	return &sender{scope: scope{Allowance: gateway.Allowance{Limit: gateway.Limit{Rate: rate}}}}
}

// What is leaving counts until it is charged, so that a sender never looks free in between.
func TestWhatIsLeavingCounts(t *testing.T) {
	const second = int64(time.Second)
	s := limitedSender(1)
	s.join(gateway.ID{1}, gateway.NewPool([]gateway.Number{{Number: alice, Type: gateway.LongCode, Country: "US"}}), 0)
	freeFor := func(what string, now, want int64) {
		t.Helper()
		inPool := s.pool.Load(0)
		if got := s.freeFor(now, 1); got != want || inPool.FreeAt(now) != want {
			t.Errorf("%s: free at %d, in the pool at %d, want %d", what, got, inPool.FreeAt(now), want)
		}
	}
	s.enqueue(2)
	freeFor("two units wait", 10*second, 12*second)
	f := newFlight(&gateway.Message{Units: 5, Progress: gateway.Progress{Parts: 4, Taken: 0b0010}}, &lane{sender: s}, 4) // of parts of 2, 1, 1, 1 units the second was taken
	f.board(gateway.Calendar{}, 0)
	freeFor("four more are to leave", 10*second, 16*second)
	f.charge(gateway.Calendar{}, 10*second, 2)
	freeFor("two of them have left", 10*second, 16*second)
	f.charge(gateway.Calendar{}, 11*second, 1)
	freeFor("three have left", 11*second, 16*second)
	s.stopBoarding()
	freeFor("the last one does not leave", 11*second, 15*second)
	s.enqueue(-2)
	freeFor("nothing waits", 11*second, 13*second)
}

// A message that is being marked as leaving, which may take long on a busy disk, keeps its sender from looking free.
func TestChoiceWhileAMessageIsLeaving(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.settings = func(int) CarrierSettings { return CarrierSettings{Hold: true} }
		w.number(alice, "", 1)
		w.number(bob, "", 1)
		w.pack(gateway.Powerpack{})
		p := w.start()
		w.mustSend(t, bob, over1, 1)
		time.Sleep(500 * time.Millisecond) // bob is free in half a second
		w.store.setLatency(func() time.Duration { return 100 * time.Millisecond })
		w.mustSend(t, alice, over1, 3)
		time.Sleep(50 * time.Millisecond) // alice's is being marked
		w.store.setLatency(nil)
		a, err := p.service.Accept(t.Context(), packRequest(over1))
		if err != nil {
			t.Fatal(err)
		}
		if m := w.store.message(a.Messages[0]); m.From != bob {
			t.Errorf("from %s, expected to leave at %v", m.From, a.SendAt[0])
		}
	}, net("net1", 10, 0))
}
