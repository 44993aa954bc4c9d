package mt

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
)

// campaign puts numbers into a campaign. Before start.
func (w *world) campaign(rate float64, dailyCap int, numbers ...string) {
	w.store.mu.Lock()
	defer w.store.mu.Unlock()
	w.store.campaigns = []gateway.Campaign{{ID: testCampaign, Account: testAccount, Rate: rate, DailyCap: dailyCap}}
	for i := range w.store.numbers {
		for _, number := range numbers {
			if w.store.numbers[i].Number == number {
				w.store.numbers[i].Campaign = testCampaign
			}
		}
	}
}

// Numbers of a campaign share its rate, and take turns; others do not wait for it.
func TestCampaignRate(t *testing.T) {
	net1, net2 := net("net1", 100, 0), net("net2", 100, 0)
	inWorld(t, func(t *testing.T, w *world) {
		w.number(alice, "", 0)
		w.number(bob, "net2", 0)
		w.number(carol, "net2", 0)
		w.campaign(0.5, 0, alice, bob)
		p := w.start()
		began := time.Now()
		w.mustSend(t, alice, over1, 1)
		synctest.Wait()
		for _, from := range []string{bob, alice, bob} {
			w.mustSend(t, from, over1, 1)
		}
		w.mustSend(t, carol, over1, 1)
		synctest.Wait()
		scopes := p.dispatcher.Scopes()
		if len(scopes) != 1 || scopes[0].Kind != "campaign" || scopes[0].Units != 3 || !scopes[0].FreeAt.Equal(began.Add(8*time.Second)) {
			t.Errorf("%+v", scopes)
		}
		time.Sleep(time.Minute)
		wantTimes(t, net1, began, "0.00", "4.00")
		wantTimes(t, net2, began, "0.00", "2.00", "6.00")
	}, net1, net2)
}

// An account's rate holds for all its numbers together, and for no other account.
func TestAccountRate(t *testing.T) {
	net1 := net("net1", 100, 0)
	inWorld(t, func(t *testing.T, w *world) {
		w.number(alice, "", 0)
		w.number(bob, "", 0)
		w.store.rates = map[gateway.AccountID]float64{testAccount: 0.25}
		p := w.start()
		began := time.Now()
		w.mustSend(t, alice, over1, 2)
		w.mustSend(t, bob, over1, 1)
		other := &Request{
			Account: "MABBBBBBBBBBBBBBBBBB", Source: "441234567890", To: []gateway.Destination{{Number: over1, Country: "GB"}}, Service: gateway.SMS,
			Text: "a", ReceivedAt: time.Now(),
		}
		if _, err := p.service.Accept(t.Context(), other); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		wantTimes(t, net1, began, "0.00", "0.00", "0.00", "8.00")
		w.refresh(t, func() { w.store.rates = nil })
		for range 3 {
			w.mustSend(t, bob, over1, 1)
		}
		synctest.Wait()
		wantTimes(t, net1, began, "0.00", "0.00", "0.00", "8.00", "60.00", "60.00", "60.00")
	}, net1)
}

// An account of many senders that waits for its rate costs the others of its carrier nothing.
func TestManySendersWaitForOneRate(t *testing.T) {
	net1 := net("net1", 1000, 0)
	inWorld(t, func(t *testing.T, w *world) {
		const senders = 500
		for i := range senders {
			w.number(fmt.Sprint(14155550200+i), "", 0)
		}
		w.store.rates = map[gateway.AccountID]float64{testAccount: 1}
		p := w.start()
		for i := range senders {
			w.mustSend(t, fmt.Sprint(14155550200+i), over1, 1)
		}
		synctest.Wait()
		d := p.dispatcher
		d.mu.Lock()
		gates := len(d.lines["net1"].queue)
		d.mu.Unlock()
		if gates != 1 {
			t.Errorf("%d things wait for one rate", gates)
		}
		time.Sleep((senders + 1) * time.Second)
		if got := len(net1.seen()); got != senders {
			t.Errorf("%d of %d left", got, senders)
		}
	}, net1)
}

// A daily cap holds until midnight, over restarts and crashes; what does not fit leaves on the next day.
func TestDailyCap(t *testing.T) {
	for name, end := range map[string]func(w *world){
		"no restart": func(*world) {},
		"restart":    func(w *world) { w.process.stop(); w.start() },
		"crash":      func(w *world) { w.process.kill(); w.start() },
	} {
		net1 := net("net1", 100, 0)
		inWorld(t, func(t *testing.T, w *world) {
			time.Sleep(22 * time.Hour)
			w.number(alice, "", 0)
			w.store.numbers[0].DailyCap = 40
			w.start()
			for range 24 {
				w.mustSend(t, alice, over1, 1)
			}
			time.Sleep(time.Minute)
			end(w)
			for range 10 {
				w.mustSend(t, alice, over1, 2)
			}
			time.Sleep(time.Minute)
			today := len(net1.seen())
			if name == "crash" { // what the disk was told ahead is lost for the day
				if today > 40 || today < 24 {
					t.Errorf("%s: %d units left today", name, today)
				}
			} else if today != 40 {
				t.Errorf("%s: %d units left today", name, today)
			}
			time.Sleep(2*time.Hour - 3*time.Minute)
			if got := len(net1.seen()); got != today {
				t.Errorf("%s: %d more before midnight", name, got-today)
			}
			time.Sleep(2 * time.Minute)
			if got := len(net1.seen()); got != 44 {
				t.Errorf("%s: %d units after midnight", name, got)
			}
		}, net1)
	}
}

// When no more fits into the day, a powerpack takes another sender, also when only a part of the message would fit; and when there is none
// that is free before the expiry, that is known at once.
func TestCapsInTheChoice(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.number(alice, "", 0)
		w.number(bob, "", 0)
		w.pack(gateway.Powerpack{})
		w.store.numbers[0].DailyCap, w.store.numbers[1].DailyCap = 3, 5
		w.start()
		three := packRequest(over1, over1, over1)
		three.Text = text(2)
		wantFrom(t, "two units each", w.accept(t, three), alice, bob, bob)
		wantFrom(t, "one each", w.accept(t, packRequest(over1, over1)), alice, bob)
		m := w.accept(t, packRequest(over1))[0]
		if m.State != gateway.Failed || m.Reason != gateway.Expired || m.From != "" {
			t.Errorf("%v, %v, from %q", m.State, m.Reason, m.From)
		}
	}, net("net1", 100, 0))
}

// What fails for a cap that has room for a part of it names no sender: none was taken.
func TestNoSenderHasRoom(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.number(alice, "", 0)
		w.pack(gateway.Powerpack{})
		w.store.numbers[0].DailyCap = 3
		w.start()
		four := packRequest(over1)
		four.Text = text(4)
		if m := w.accept(t, four)[0]; m.State != gateway.Failed || m.Reason != gateway.Expired || m.From != "" || m.PickedBy != gateway.NoRule {
			t.Errorf("%v, %v, from %q", m.State, m.Reason, m.From)
		}
		wantFrom(t, "there is room for three", w.accept(t, packRequest(over1)), alice)
	}, net("net1", 100, 0))
}

// A sender without a limit and with much to send does not keep a limited one from its turns, and neither does a limited one that is behind.
func TestSlowSendersGetTheirTurns(t *testing.T) {
	net1 := net("net1", 10, 0)
	inWorld(t, func(t *testing.T, w *world) {
		w.settings = func(int) CarrierSettings { return CarrierSettings{Rate: 20} }
		w.number(alice, "", 0)
		w.number(bob, "", 1)
		w.start()
		for range 2000 {
			w.mustSend(t, alice, over1, 1)
		}
		for range 10 {
			w.mustSend(t, bob, over1, 1)
		}
		time.Sleep(20 * time.Second)
		bobs := 0
		for _, a := range net1.seen() {
			if a.message.From == bob {
				bobs++
			}
		}
		if bobs < 10 {
			t.Errorf("%d of 10 messages left in 20 s beside a sender without a limit", bobs)
		}
	}, net1)
}

// A paused sender keeps what waits for it, is not taken by a powerpack, and goes on at its rate.
func TestPausedSender(t *testing.T) {
	net1 := net("net1", 10, 0)
	inWorld(t, func(t *testing.T, w *world) {
		w.number(alice, "", 1)
		w.number(bob, "", 1)
		w.pack(gateway.Powerpack{Sticky: true})
		p := w.start()
		wantFrom(t, "before", w.accept(t, packRequest(over1)), alice)
		synctest.Wait()
		w.refresh(t, func() { w.store.numbers[0].Paused = true })
		began := time.Now()
		id := w.mustSend(t, alice, over1, 1)
		wantFrom(t, "paused", w.accept(t, packRequest(over1)), bob)
		time.Sleep(time.Minute)
		if m := w.store.message(id); m.State != gateway.Queued {
			t.Errorf("paused, and %v", m.State)
		}
		if q := p.dispatcher.Queues(QueueFilter{Limit: 1}); len(q) != 1 || !q[0].Paused || !q[0].FreeAt.IsZero() {
			t.Errorf("%+v", q)
		}
		w.refresh(t, func() { w.store.numbers[0].Paused = false })
		time.Sleep(time.Minute)
		wantTimes(t, net1, began, "0.00", "0.00", "60.00")
		wantFrom(t, "resumed", w.accept(t, packRequest(over1)), alice)
	}, net1)
}

// Who names a sender that is not free in time learns that at once.
func TestExpiryOfASourceIsKnownAtOnce(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.number(alice, "", 1)
		w.start()
		for i, want := range []gateway.State{gateway.Queued, gateway.Queued, gateway.Queued, gateway.Queued, gateway.Queued, gateway.Failed} {
			id, err := w.send(alice, over1, 1, 5*time.Second)
			if err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			if m := w.store.message(id); m.State != want || want == gateway.Failed && m.Reason != gateway.Expired {
				t.Errorf("%d: %v, %v", i, m.State, m.Reason)
			}
		}
	}, net("net1", 10, 0))
}

// A message of several units goes by another sender when its campaign's cap has room for fewer, as Explain says.
func TestCampaignCapInTheChoice(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.number(alice, "", 0)
		w.number(bob, "", 0)
		w.number(carol, "", 1)
		w.campaign(0, 4, alice, bob)
		w.pack(gateway.Powerpack{})
		p := w.start()
		three := packRequest(over1)
		three.Text = text(3)
		explain := func(want string) {
			t.Helper()
			q := Question{Account: testAccount, Powerpack: testPack, To: gateway.Destination{Number: over1, Country: "US"}, Service: gateway.SMS, Units: 3}
			e, err := p.service.Explain(t.Context(), q)
			if err != nil || e.Taken.Number == nil || e.Taken.Number.Number != want {
				t.Errorf("%+v, %v", e.Taken, err)
			}
		}
		explain(alice)
		wantFrom(t, "all of it", w.accept(t, three), alice)
		explain(carol)
		wantFrom(t, "one unit is left", w.accept(t, three), carol)
		wantFrom(t, "which is enough for one", w.accept(t, packRequest(over1)), bob)
	}, net("net1", 100, 0))
}
