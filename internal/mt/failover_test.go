package mt

import (
	"slices"
	"testing"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
)

// What waits for a carrier that is down goes by another one of its route, in order; what is bound to the carrier, what has no other way, and what an
// operator has paused waits.
func TestFailOver(t *testing.T) {
	net1, net2 := net("net1", 10, 0), net("net2", 10, 0)
	inWorld(t, func(t *testing.T, w *world) {
		w.number(alice, "", 0)
		w.number(bob, "net1", 0)
		p := w.start()
		p.service.Routes = gateway.Routes{{Prefix: "12", Carriers: []string{"net1", "net2"}}, {Prefix: "1202555", Carriers: []string{"net1"}}}
		elsewhere, nowhere := "12125550100", "12025550100"
		_ = p.dispatcher.Pause("net2") // so that all begins at net1
		_ = p.dispatcher.Pause("net1")
		var ids []gateway.ID
		for range 100 {
			ids = append(ids, w.mustSend(t, alice, elsewhere, 1))
		}
		w.mustSend(t, alice, nowhere, 1)
		w.mustSend(t, bob, elsewhere, 1)
		_ = p.dispatcher.Resume("net2")
		net1.set(func() { net1.down = true })
		time.Sleep(2 * failOverAfter)
		if got := len(net2.seen()); got != 0 {
			t.Errorf("%d left while net1 was paused", got)
		}
		_ = p.dispatcher.Resume("net1")
		time.Sleep(time.Minute)
		var by2 []gateway.ID
		for _, a := range net2.seen() {
			by2 = append(by2, a.message.ID)
		}
		if !slices.Equal(by2, ids) {
			t.Errorf("%d of %d went by net2", len(by2), len(ids))
		}
		net1.set(func() { net1.down = false })
		time.Sleep(time.Minute)
		if got := len(net1.seen()); got != 2 {
			t.Errorf("%d of 2 left by net1 when it was back", got)
		}
	}, net1, net2)
}

// A carrier that is down for a moment keeps what it has.
func TestNoFailOverForAMoment(t *testing.T) {
	net1, net2 := net("net1", 10, 0), net("net2", 10, 0)
	inWorld(t, func(t *testing.T, w *world) {
		w.number(alice, "", 1)
		p := w.start()
		p.service.Routes = gateway.Routes{{Carriers: []string{"net1", "net2"}}}
		for range 5 {
			w.mustSend(t, alice, over1, 1)
		}
		for range 4 {
			net1.set(func() { net1.down = true })
			time.Sleep(failOverAfter - 2*judgeEvery)
			net1.set(func() { net1.down = false })
			time.Sleep(judgeEvery)
		}
		if one, two := len(net1.seen()), len(net2.seen()); one != 5 || two != 0 {
			t.Errorf("%d and %d", one, two)
		}
	}, net1, net2)
}
