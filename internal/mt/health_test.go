package mt

import (
	"fmt"
	"testing"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
)

// ended tells the dispatcher of messages of a sender that receipts ended.
func (p *process) ended(sender string, delivered, undelivered int) {
	var applied []gateway.Applied
	for i := range delivered + undelivered {
		a := gateway.Applied{Moved: true, Sender: sender, Country: "US", State: gateway.Undelivered}
		if i < delivered {
			a.State = gateway.Delivered
		}
		applied = append(applied, a)
	}
	p.dispatcher.Ended(applied)
}

// A sender that delivers far worse than its pool rests, is shown as resting, and comes back by probing.
func TestBadSenderRests(t *testing.T) {
	net1 := net("net1", 100, 0)
	inWorld(t, func(t *testing.T, w *world) {
		numbers := []string{alice, bob, carol}
		for _, n := range numbers {
			w.number(n, "", 0)
		}
		w.pack(gateway.Powerpack{})
		p := w.start()
		p.ended(alice, 10, 90)
		p.ended(bob, 95, 5)
		p.ended(carol, 95, 5)
		time.Sleep(2 * judgeEvery)
		count := func(sends int) int {
			n := 0
			for i := range sends {
				if w.accept(t, packRequest(fmt.Sprintf("1202555%04d", i)))[0].From == alice {
					n++
				}
			}
			return n
		}
		if got := count(60); got != 0 {
			t.Errorf("it was taken %d times while it rests", got)
		}
		if h := p.service.Health(); h.Resting != 1 {
			t.Errorf("%+v", h)
		}
		e, err := p.service.Explain(t.Context(), Question{Account: testAccount, Powerpack: testPack, To: gateway.Destination{Number: over1, Country: "US"}, Service: gateway.SMS})
		if err != nil {
			t.Fatal(err)
		}
		last := e.Others[len(e.Others)-1]
		if last.Number.Number != alice || last.Verdict != gateway.Rests || last.Health.Standing != "resting" || last.Health.Ended != 100 || last.Health.RestsUntil.IsZero() {
			t.Errorf("%+v", last)
		}
		w.refresh(t, func() { w.store.powerpacks[0].Name = "other" }) // a new pool knows of it too
		if got := count(60); got != 0 {
			t.Errorf("it was taken %d times after a change of the roster", got)
		}
		time.Sleep(11 * time.Minute)
		if got := count(300); got != gateway.DefaultHealthRules().Probes {
			t.Errorf("%d probes", got)
		}
		p.ended(alice, 20, 0)
		time.Sleep(2 * judgeEvery)
		if got := count(60); got != 20 {
			t.Errorf("well again, it was taken %d times of 60", got)
		}
	}, net1)
}

// What a carrier refuses counts as not delivered.
func TestRefusalsCount(t *testing.T) {
	net1 := net("net1", 100, 0)
	inWorld(t, func(t *testing.T, w *world) {
		w.number(alice, "", 0)
		p := w.start()
		net1.set(func() { net1.shares = []outcomeShare{{gateway.Rejected, 100}} })
		for range 5 {
			w.mustSend(t, alice, over1, 1)
		}
		time.Sleep(time.Minute)
		p.dispatcher.mu.Lock()
		defer p.dispatcher.mu.Unlock()
		if h := p.dispatcher.healthOf(alice, "US", time.Now().UnixNano()); h.Ended != 5 || h.Delivered != 0 {
			t.Errorf("%+v", h)
		}
	}, net1)
}

// A number that keeps falling behind is replaced by a spare one of its area, where the powerpack wants that.
func TestNumberPoolRefresh(t *testing.T) {
	for _, wanted := range []bool{true, false} {
		net1 := net("net1", 100, 0)
		inWorld(t, func(t *testing.T, w *world) {
			for _, n := range []string{alice, bob, carol} {
				w.number(n, "", 0)
			}
			w.pack(gateway.Powerpack{Refresh: wanted})
			w.number("12125550100", "", 0) // spare, of another area
			w.number("14155550199", "", 0) // spare, of the same one
			for i, area := range []string{"415", "415", "415", "212", "415"} {
				w.store.numbers[i].AreaCode = area
			}
			p := w.start()
			p.ended(alice, 10, 90)
			for _, rest := range []time.Duration{10 * time.Minute, 20 * time.Minute, 0} {
				p.ended(bob, 95, 5)
				p.ended(carol, 95, 5)
				time.Sleep(rest + 2*judgeEvery)
				for i := range 100 { // after its rest it probes
					w.accept(t, packRequest(fmt.Sprintf("1202555%04d", i)))
				}
				p.ended(alice, 2, 18)
				time.Sleep(2 * judgeEvery)
			}
			in := map[string]bool{}
			for _, n := range w.store.numbers {
				in[n.Number] = !n.Pool.IsZero()
			}
			if in[alice] == wanted || in["14155550199"] != wanted || in["12125550100"] {
				t.Errorf("refresh %v: in the pool are %v", wanted, in)
			}
			if h := p.service.Health(); (h.Replaced == 1) != wanted {
				t.Errorf("%+v", h)
			}
		}, net1)
	}
}
