package mt

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
)

const (
	alice = "14155550100"
	bob   = "14155550101"
	over1 = "12025550100" // by net1
	over2 = "22025550100" // by net2
)

func net(name string, places int, latency time.Duration) *network {
	return &network{name: name, places: places, latency: latency}
}

// inWorld runs a test in a bubble of its own time.
func inWorld(t *testing.T, test func(t *testing.T, w *world), networks ...*network) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(1, networks...)
		defer w.end()
		test(t, w)
	})
}

func (w *world) mustSend(t *testing.T, from, to string, units int) gateway.ID {
	t.Helper()
	id, err := w.send(from, to, units, 0)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// times gives when a network saw parts on the wire, in seconds since a time, to the hundredth.
func (n *network) times(since time.Time) (times []string) {
	for _, a := range n.seen() {
		if a.left() {
			times = append(times, fmt.Sprintf("%.2f", a.at.Sub(since).Seconds()))
		}
	}
	return times
}

func wantTimes(t *testing.T, n *network, since time.Time, want ...string) {
	t.Helper()
	if got := n.times(since); !slices.Equal(got, want) {
		t.Errorf("%s saw parts at %v, want %v", n.name, got, want)
	}
}

func TestSenderKeepsItsRate(t *testing.T) {
	net1 := net("net1", 100, 0)
	inWorld(t, func(t *testing.T, w *world) {
		w.number(alice, "", 0.5)
		w.start()
		began := time.Now()
		for _, units := range []int{3, 1, 1} {
			w.mustSend(t, alice, over1, units)
		}
		time.Sleep(time.Minute)
		wantTimes(t, net1, began, "0.00", "0.00", "0.00", "6.00", "8.00")
		w.mustSend(t, alice, over1, 1) // a sender that rested earns no burst
		w.mustSend(t, alice, over1, 1)
		time.Sleep(time.Minute)
		wantTimes(t, net1, began, "0.00", "0.00", "0.00", "6.00", "8.00", "60.00", "62.00")
	}, net1)
}

func TestDeadCarrierDelaysNobody(t *testing.T) {
	net1, net2 := net("net1", 10, 0), net("net2", 10, 0)
	inWorld(t, func(t *testing.T, w *world) {
		w.number(alice, "", 0)
		w.number(bob, "", 0)
		w.start()
		net1.set(func() { net1.down = true })
		for range 200 {
			w.mustSend(t, alice, over1, 1)
		}
		began := time.Now()
		w.mustSend(t, bob, over2, 1)
		w.mustSend(t, alice, over2, 1)
		synctest.Wait()
		wantTimes(t, net2, began, "0.00", "0.00")
		time.Sleep(time.Hour)
		if got := len(net1.seen()); got != 0 {
			t.Errorf("a carrier that is down was asked %d times", got)
		}
		net1.set(func() { net1.down = false })
		time.Sleep(time.Second)
		if got := len(net1.seen()); got != 200 {
			t.Errorf("after it came back %d of 200 left", got)
		}
	}, net1, net2)
}

// A message whose parts are leaving holds up its sender's other lanes: not for longer than its carrier is up.
func TestCarrierThatDiesWithinAMessage(t *testing.T) {
	for name, die := range map[string]func(*world, *network){
		"down":   func(_ *world, n *network) { n.set(func() { n.down = true }) },
		"paused": func(w *world, n *network) { _ = w.process.dispatcher.Pause(n.name) },
	} {
		net1, net2 := net("net1", 1, 10*time.Millisecond), net("net2", 1, 0)
		inWorld(t, func(t *testing.T, w *world) {
			w.settings = func(i int) CarrierSettings { return CarrierSettings{Rate: []float64{1, 0}[i]} }
			w.number(alice, "", 10)
			w.start()
			began := time.Now()
			first := w.mustSend(t, alice, over1, 5)
			synctest.Wait()
			w.mustSend(t, alice, over2, 1)
			time.Sleep(1500 * time.Millisecond)
			die(w, net1) // two parts have left
			time.Sleep(2 * time.Second)
			wantTimes(t, net1, began, "0.00", "0.99") // a line may make up for being late
			wantTimes(t, net2, began, "1.50")
			net1.set(func() { net1.down = false })
			_ = w.process.dispatcher.Resume("net1")
			time.Sleep(time.Minute)
			wantTimes(t, net1, began, "0.00", "0.99", "3.50", "4.49", "5.49") // the rest, and that once
			if m := w.store.message(first); m.State != gateway.Sent || m.Taken != gateway.AllParts(5) {
				t.Errorf("%s: %v, %b", name, m.State, m.Taken)
			}
		}, net1, net2)
	}
}

func TestExpiryWithinAMessage(t *testing.T) {
	net1 := net("net1", 1, 10*time.Millisecond)
	inWorld(t, func(t *testing.T, w *world) {
		w.settings = func(int) CarrierSettings { return CarrierSettings{Rate: 0.25} }
		w.number(alice, "", 0)
		w.start()
		began := time.Now()
		id, _ := w.send(alice, over1, 5, 6*time.Second)
		time.Sleep(time.Minute)
		wantTimes(t, net1, began, "0.00", "3.99")
		if m := w.store.message(id); m.State != gateway.Failed || m.Reason != gateway.Expired {
			t.Errorf("%v, %v", m.State, m.Reason)
		}
	}, net1)
}

// A long lane of expired messages holds up neither itself nor others.
func TestExpiredAtTheHeadOfALane(t *testing.T) {
	net1 := net("net1", 10, 0)
	inWorld(t, func(t *testing.T, w *world) {
		w.number(alice, "", 0)
		for i := range 1000 {
			m := queuedMessage(int64(i+1), 1)
			m.From, m.Carrier, m.ExpiresAt = alice, "net1", time.Now().Add(-time.Second)
			if i == 999 {
				m.ExpiresAt = time.Now().Add(time.Hour)
			}
			w.store.put(m)
		}
		began := time.Now()
		w.start()
		time.Sleep(900 * time.Millisecond) // before expired messages are looked for
		wantTimes(t, net1, began, "0.00")
		w.settleDown(time.Minute)
		for _, r := range w.store.rows {
			if (r.message.State == gateway.Sent) != (r.message.ID.Seq() == 1000) {
				t.Errorf("%d: %v", r.message.ID.Seq(), r.message.State)
			}
		}
	}, net1)
}

func TestBrokenCarrierIsLeftAlone(t *testing.T) {
	net1 := net("net1", 100, 0)
	inWorld(t, func(t *testing.T, w *world) {
		w.number(alice, "", 0)
		w.start()
		net1.set(func() { net1.refuse = true })
		for range 200 {
			w.mustSend(t, alice, over1, 1)
		}
		time.Sleep(time.Minute)
		rounds := map[time.Time]bool{}
		for _, a := range net1.seen() {
			rounds[a.at] = true
		}
		if len(rounds) > 70 {
			t.Errorf("a carrier that fails at once was asked in %d rounds within a minute", len(rounds))
		}
		net1.set(func() { net1.refuse = false })
		time.Sleep(2 * time.Second)
		if sent := len(net1.times(time.Now())); sent != 200 {
			t.Errorf("%d of 200 left afterwards", sent)
		}
		if written := w.store.called("RecordSubmits"); written > 200 {
			t.Errorf("%d writes", written)
		}
	}, net1)
}

func TestThrottledCarrierSlowsOnlyItself(t *testing.T) {
	net1, net2 := net("net1", 10, 0), net("net2", 10, 0)
	net1.shares = []outcomeShare{{gateway.Throttled, 100}}
	inWorld(t, func(t *testing.T, w *world) {
		w.number(alice, "", 0)
		w.start()
		for range 20 {
			w.mustSend(t, alice, over1, 1)
		}
		time.Sleep(10 * time.Second)
		asked := len(net1.seen())
		if asked < 8 || asked > 50 {
			t.Errorf("a carrier that throttles was asked %d times in 10 s", asked)
		}
		began := time.Now()
		w.mustSend(t, alice, over2, 1)
		synctest.Wait()
		wantTimes(t, net2, began, "0.00")
		net1.set(func() { net1.shares = nil })
		w.settleDown(time.Hour)
		for _, r := range w.store.rows {
			if r.message.State != gateway.Sent || r.message.Attempt != 0 {
				t.Errorf("throttled, then %v with %d attempts", r.message.State, r.message.Attempt)
			}
		}
	}, net1, net2)
}

func TestNotSentCostsNoPace(t *testing.T) {
	net1 := net("net1", 10, 0)
	inWorld(t, func(t *testing.T, w *world) {
		w.number(alice, "", 1.0/60)
		w.start()
		net1.set(func() { net1.shares = []outcomeShare{{gateway.NotSent, 100}} })
		began := time.Now()
		w.mustSend(t, alice, over1, 1)
		time.Sleep(5 * time.Second)
		net1.set(func() { net1.shares = nil })
		time.Sleep(2 * time.Second)
		if got := net1.times(began); len(got) != 1 {
			t.Errorf("left at %v; it should not wait for pace it never used", got)
		}
	}, net1)
}

func TestRateChangesTakeEffectAtOnce(t *testing.T) {
	for name, c := range map[string]struct {
		before, after float64
		want          string
	}{
		"faster":    {0.0166, 10, "1.40"}, // 4 units are owed
		"slower":    {1, 0.5, "7.00"},     // 3 of 4 units are owed
		"unlimited": {0.0166, 0, "1.00"},
		"limited":   {0, 0.01, "1.00"},
		"same":      {1, 1, "4.00"},
	} {
		net1 := net("net1", 10, 0)
		inWorld(t, func(t *testing.T, w *world) {
			w.number(alice, "", c.before)
			w.start()
			began := time.Now()
			w.mustSend(t, alice, over1, 4)
			time.Sleep(time.Second)
			w.setRate(alice, c.after)
			if err := w.process.service.Refresh(t.Context()); err != nil {
				t.Fatal(err)
			}
			w.mustSend(t, alice, over1, 1)
			time.Sleep(10 * time.Minute)
			t.Log(name)
			wantTimes(t, net1, began, "0.00", "0.00", "0.00", "0.00", c.want)
		}, net1)
	}
}

// A lane that waits is woken by a rate that was raised, also behind others.
func TestRaisedRateWakesItsLane(t *testing.T) {
	net1 := net("net1", 10, 0)
	inWorld(t, func(t *testing.T, w *world) {
		w.number(alice, "", 0.001)
		w.number(bob, "", 0.01)
		w.start()
		began := time.Now()
		for range 2 {
			w.mustSend(t, alice, over1, 1)
			w.mustSend(t, bob, over1, 1)
		}
		time.Sleep(10 * time.Second)
		w.setRate(alice, 100)
		if err := w.process.service.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(100 * time.Second)
		wantTimes(t, net1, began, "0.00", "0.00", "10.01", "100.00")
	}, net1)
}

func TestClocksOverRestarts(t *testing.T) {
	for name, c := range map[string]struct {
		end  func(p *process)
		want string
	}{
		"clean": {func(p *process) { p.stop() }, "60.00"},
		"crash": {func(p *process) { p.kill() }, "60.00"}, // what it sent is on record
	} {
		net1 := net("net1", 10, 0)
		inWorld(t, func(t *testing.T, w *world) {
			w.number(alice, "", 1.0/60)
			w.number(bob, "", 1.0/60)
			p := w.start()
			began := time.Now()
			w.mustSend(t, alice, over1, 1)
			time.Sleep(10 * time.Second)
			c.end(p)
			w.start()
			w.mustSend(t, alice, over1, 1)
			time.Sleep(time.Hour)
			t.Log(name)
			wantTimes(t, net1, began, "0.00", c.want)
		}, net1)
	}
}

// Who may have sent just before a crash rests for that; numbers that come after it owe nothing.
func TestRestAfterACrash(t *testing.T) {
	net1 := net("net1", 10, 10*time.Second)
	inWorld(t, func(t *testing.T, w *world) {
		for _, n := range []string{alice, bob} {
			w.number(n, "", 0.1)
		}
		p := w.start()
		w.mustSend(t, alice, over1, 2)
		time.Sleep(time.Millisecond) // it has left, and is not answered
		p.kill()
		w.start()
		w.store.mu.Lock()
		w.number0(carol)
		w.store.numbers[2].Rate = 0.1
		w.store.mu.Unlock()
		if err := w.process.service.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		w.mustSend(t, bob, over1, 1)
		w.mustSend(t, carol, over1, 1)
		time.Sleep(15 * time.Second)
		wantTimes(t, net1, began, "-0.00", "-0.00", "0.00", "0.00")
		time.Sleep(6 * time.Second)
		if got := net1.times(began); len(got) != 6 || got[4] != "20.00" {
			t.Errorf("alice's goes again at %v", got)
		}
	}, net1)
}

func TestClockSetBackSilencesNobody(t *testing.T) {
	net1 := net("net1", 10, 0)
	inWorld(t, func(t *testing.T, w *world) {
		w.number(alice, "", 1)
		w.store.clocks = map[string]int64{alice: time.Now().Add(24 * time.Hour).UnixNano()}
		w.start()
		w.mustSend(t, alice, over1, 1)
		time.Sleep((gateway.MaxParts + 1) * time.Second)
		if got := len(net1.seen()); got != 1 {
			t.Errorf("%d messages left", got)
		}
	}, net1)
}

func TestStopWaitsForSubmitsInHand(t *testing.T) {
	net1 := net("net1", 10, 4*time.Second)
	inWorld(t, func(t *testing.T, w *world) {
		w.number(alice, "", 0)
		p := w.start()
		for range 30 {
			w.mustSend(t, alice, over1, 1)
		}
		time.Sleep(time.Second)
		if took := p.stop(); took > stopGrace {
			t.Errorf("the stop took %v", took)
		}
		left := len(net1.seen())
		sent := 0
		for _, r := range w.store.rows {
			if r.message.State == gateway.Sent {
				sent++
			}
		}
		if sent != left || left == 30 {
			t.Errorf("%d left, %d are recorded", left, sent)
		}
		w.start()
		w.settleDown(time.Hour)
		if got := len(net1.seen()); got != 30 {
			t.Errorf("%d submits for 30 messages", got)
		}
	}, net1)
}

func TestStopBetweenParts(t *testing.T) {
	net1 := net("net1", 10, 10*time.Millisecond)
	inWorld(t, func(t *testing.T, w *world) {
		w.settings = func(int) CarrierSettings { return CarrierSettings{Rate: 1} }
		w.number(alice, "", 0)
		p := w.start()
		id := w.mustSend(t, alice, over1, 4)
		time.Sleep(1500 * time.Millisecond)
		if took := p.stop(); took > time.Second {
			t.Errorf("the stop took %v", took)
		}
		w.start()
		w.settleDown(time.Hour)
		if m := w.store.message(id); m.State != gateway.Sent || len(net1.seen()) != 4 {
			t.Errorf("%v after %d submits for 4 parts", m.State, len(net1.seen()))
		}
	}, net1)
}

func TestStopGivesUpInTime(t *testing.T) {
	for name, c := range map[string]struct {
		latency time.Duration
		full    bool
	}{"no answer": {latency: time.Hour}, "a full disk": {full: true}} {
		net1 := net("net1", 10, c.latency)
		inWorld(t, func(t *testing.T, w *world) {
			w.number(alice, "", 0)
			p := w.start()
			w.mustSend(t, alice, over1, 1)
			w.store.setFull(c.full)
			w.mustSendFails(t, c.full)
			time.Sleep(time.Second)
			if took := p.stop(); took > stopGrace+saveGrace {
				t.Errorf("%s: the stop took %v", name, took)
			}
			if (p.err != nil) != c.full { // the clocks could not be kept
				t.Errorf("%s: %v", name, p.err)
			}
			w.store.setFull(false)
			net1.set(func() { net1.latency = 0 })
			w.start()
			w.settleDown(time.Hour)
			if got := len(net1.seen()); got != 2 { // the one duplicate that is allowed
				t.Errorf("%s: submitted %d times", name, got)
			}
		}, net1)
	}
}

// mustSendFails checks that nothing is accepted on a full disk.
func (w *world) mustSendFails(t *testing.T, full bool) {
	t.Helper()
	if !full {
		return
	}
	var refusal *gateway.Error
	if _, err := w.send(alice, over1, 1, 0); !errors.As(err, &refusal) || refusal.Code != gateway.Unavailable {
		t.Errorf("on a full disk: %v", err)
	}
}

func TestFullDisk(t *testing.T) {
	net1 := net("net1", 10, time.Millisecond)
	inWorld(t, func(t *testing.T, w *world) {
		w.number(alice, "", 0)
		p := w.start()
		_ = p.dispatcher.Pause("net1")
		for range 100 {
			w.mustSend(t, alice, over1, 1)
		}
		w.store.setFull(true)
		_ = p.dispatcher.Resume("net1")
		time.Sleep(time.Hour)
		if got := len(net1.seen()); got != 20 {
			t.Errorf("%d submits left while none could be recorded; the bound is two windows", got)
		}
		w.mustSendFails(t, true)
		if writes := w.store.called("RecordSubmits"); writes > 3600/2 {
			t.Errorf("the store was asked %d times in an hour", writes)
		}
		w.store.setFull(false)
		w.settleDown(time.Hour)
		if got := len(net1.seen()); got != 100 {
			t.Errorf("%d submits for 100 messages", got)
		}
		for _, r := range w.store.rows {
			if r.message.State != gateway.Sent {
				t.Errorf("%v", r.message.State)
			}
		}
	}, net1)
}

// What expires while the disk is full stays queued and counted until it can be ended.
func TestExpiryOnAFullDisk(t *testing.T) {
	net1 := net("net1", 10, 0)
	inWorld(t, func(t *testing.T, w *world) {
		w.number(alice, "", 0)
		p := w.start()
		_ = p.dispatcher.Pause("net1")
		for range 5 {
			if _, err := w.send(alice, over1, 2, 10*time.Second); err != nil {
				t.Fatal(err)
			}
		}
		w.store.setFull(true)
		time.Sleep(time.Minute)
		if q := p.dispatcher.Queues(QueueFilter{Limit: 10}); len(q) != 1 || q[0].Messages != 5 || q[0].Units != 10 {
			t.Errorf("%+v", q)
		}
		w.store.setFull(false)
		time.Sleep(2 * time.Second)
		if q := p.dispatcher.Queues(QueueFilter{Limit: 10}); len(q) != 0 {
			t.Errorf("%+v", q)
		}
		for _, r := range w.store.rows {
			if r.message.Reason != gateway.Expired {
				t.Errorf("%v, %v", r.message.State, r.message.Reason)
			}
		}
		if len(net1.seen()) != 0 {
			t.Error("an expired message left")
		}
	}, net1)
}

// A line that rests at its bound of unrecorded submits goes on as soon as they are on disk.
func TestRecordsWakeTheLine(t *testing.T) {
	net1 := net("net1", 1, 0)
	inWorld(t, func(t *testing.T, w *world) {
		w.number(alice, "", 0)
		w.start()
		w.store.slowRecords(time.Millisecond)
		for range 100 {
			w.mustSend(t, alice, over1, 1)
		}
		time.Sleep(500 * time.Millisecond)
		if got := len(net1.seen()); got != 100 {
			t.Errorf("%d of 100 left", got)
		}
	}, net1)
}

func TestUnansweredGoesAgainAndThenOnSchedule(t *testing.T) {
	net1 := net("net1", 10, 0)
	net1.shares = []outcomeShare{{gateway.Unanswered, 100}} // each after 10 s
	inWorld(t, func(t *testing.T, w *world) {
		w.number(alice, "", 0)
		w.start()
		began := time.Now()
		id, _ := w.send(alice, over1, 1, 2*time.Minute)
		time.Sleep(10 * time.Minute)
		wantTimes(t, net1, began, "0.00", "10.00", "25.00", "45.00", "75.00")
		if m := w.store.message(id); m.State != gateway.Failed || m.Reason != gateway.Expired {
			t.Errorf("%v, %v", m.State, m.Reason)
		}
	}, net1)
}

func TestHoldSendsOnceUntilReleased(t *testing.T) {
	net1 := net("net1", 10, 0)
	net1.shares = []outcomeShare{{gateway.Unanswered, 100}}
	inWorld(t, func(t *testing.T, w *world) {
		w.settings = func(int) CarrierSettings { return CarrierSettings{Hold: true} }
		w.number(alice, "", 0)
		p := w.start()
		id := w.mustSend(t, alice, over1, 1)
		time.Sleep(time.Minute)
		net1.set(func() { net1.shares = nil })
		p.kill()
		p = w.start()
		time.Sleep(time.Hour)
		if got := len(net1.seen()); got != 1 {
			t.Fatalf("held, and submitted %d times", got)
		}
		if m := w.store.message(id); m.State != gateway.Queued {
			t.Fatalf("held, and %v", m.State)
		}
		p.dispatcher.Return(w.store.releaseHeld(id))
		for range 200 { // the lane is read on from the store, where the released one is queued too
			w.mustSend(t, alice, over1, 1)
		}
		w.settleDown(time.Hour)
		if got := len(net1.seen()); got != 202 {
			t.Errorf("%d submits, want 202", got)
		}
		if m := w.store.message(id); m.State != gateway.Sent {
			t.Errorf("released, and %v", m.State)
		}
	}, net1)
}

func TestDeferredComeBackWhenDue(t *testing.T) {
	net1 := net("net1", 10, 0)
	net1.shares = []outcomeShare{{gateway.Deferred, 100}}
	inWorld(t, func(t *testing.T, w *world) {
		w.number(alice, "", 0)
		p := w.start()
		began := time.Now()
		id := w.mustSend(t, alice, over1, 1)
		time.Sleep(6 * time.Second)
		p.stop() // it is on disk when it is due
		w.start()
		time.Sleep(60 * time.Second)
		net1.set(func() { net1.shares = nil })
		time.Sleep(time.Minute)
		wantTimes(t, net1, began, "0.00", "5.00", "15.00", "35.00", "75.00")
		if m := w.store.message(id); m.State != gateway.Sent || m.Attempt != 4 {
			t.Errorf("%v after %d attempts", m.State, m.Attempt)
		}
	}, net1)
}

func TestStoreIsTheTruth(t *testing.T) {
	net1 := net("net1", 10, 0)
	inWorld(t, func(t *testing.T, w *world) {
		w.number(alice, "", 0)
		w.start()
		m := queuedMessage(gateway.SeqAt(time.Now()), 1)
		m.From, m.Carrier, m.ExpiresAt = alice, "net1", time.Now().Add(time.Hour)
		w.store.put(m) // stored by a commit that was answered with an error
		time.Sleep(2 * reconcileEvery)
		if got := len(net1.seen()); got != 1 {
			t.Errorf("submitted %d times", got)
		}
		_ = w.process.dispatcher.Pause("net1")
		for range 5 {
			w.mustSend(t, alice, over1, 2)
		}
		time.Sleep(3 * reconcileEvery) // what memory knows is not counted again
		if q := w.process.dispatcher.Queues(QueueFilter{Limit: 10}); len(q) != 1 || q[0].Messages != 5 || q[0].Units != 10 {
			t.Errorf("%+v", q)
		}
	}, net1)
}

func TestMessagesOfAMissingCarrierWaitAndExpire(t *testing.T) {
	net1, net2 := net("net1", 10, 0), net("net2", 0, 0)
	inWorld(t, func(t *testing.T, w *world) {
		w.number(alice, "", 0)
		p := w.start()
		_ = p.dispatcher.Pause("net2")
		first := w.mustSend(t, alice, over2, 1)
		p.stop()
		w.networks = w.networks[:1]
		p = w.start()
		time.Sleep(time.Hour)
		if m := w.store.message(first); m.State != gateway.Queued {
			t.Errorf("%v", m.State)
		}
		p.dispatcher.Return(w.store.message(first)) // harmless
		time.Sleep(3 * time.Hour)
		if m := w.store.message(first); m.Reason != gateway.Expired {
			t.Errorf("%v, %v", m.State, m.Reason)
		}
	}, net1, net2)
}

func TestMemoryIsBounded(t *testing.T) {
	const senders, rows = 1000, 70
	net1 := net("net1", 100, 20*time.Millisecond)
	inWorld(t, func(t *testing.T, w *world) {
		for i := range senders * rows {
			m := queuedMessage(int64(i+1), 1)
			m.From, m.Carrier, m.ExpiresAt = fmt.Sprintf("44770090%04d", i%senders), "net1", time.Now().Add(3*time.Hour)
			w.store.put(m)
		}
		p := w.start()
		most := 0
		for range 400 {
			time.Sleep(5 * time.Millisecond)
			most = max(most, p.dispatcher.Totals().Buffered)
		}
		if most > totalRows+2*senders || most < totalRows/2 {
			t.Errorf("%d rows in memory at once, the bound is %d", most, totalRows+2*senders)
		}
		if got := p.dispatcher.Totals(); got.Messages+len(net1.seen()) < senders*rows {
			t.Errorf("%+v after %d submits", got, len(net1.seen()))
		}
	}, net1)
}

// Slow senders with deep lanes are not read into memory beyond what they send soon.
func TestSlowSendersAreReadByNeed(t *testing.T) {
	net1 := net("net1", 100, 0)
	inWorld(t, func(t *testing.T, w *world) {
		w.number(alice, "", 1.0/60)
		for i := range 500 {
			m := queuedMessage(int64(i+1), 1)
			m.From, m.Carrier, m.ExpiresAt = alice, "net1", time.Now().Add(3*time.Hour)
			w.store.put(m)
		}
		p := w.start()
		time.Sleep(10 * time.Minute)
		if got := p.dispatcher.Totals().Buffered; got > 1 {
			t.Errorf("%d rows are in memory", got)
		}
		if asked := w.store.limits(); slices.Max(asked) > 1 || len(asked) > 15 {
			t.Errorf("reads of %v rows", asked)
		}
	}, net1)
}

func TestOperatorsView(t *testing.T) {
	net1, net2 := net("net1", 10, 0), net("net2", 3, 0)
	inWorld(t, func(t *testing.T, w *world) {
		w.number(alice, "", 1)
		p := w.start()
		accepted := time.Now()
		for range 10 {
			w.mustSend(t, alice, over1, 2)
			synctest.Wait()
		}
		time.Sleep(time.Second)
		q := p.dispatcher.Queues(QueueFilter{Limit: 10})
		if len(q) != 1 || q[0].Messages != 9 || q[0].Units != 18 || q[0].Rate != 1 || !q[0].Oldest.Equal(accepted) ||
			!q[0].FreeAt.Equal(accepted.Add(20*time.Second)) {
			t.Errorf("%+v", q)
		}
		_ = p.dispatcher.Pause("net2")
		if err := p.dispatcher.Pause("net3"); err == nil {
			t.Error("a carrier that is not there was paused")
		}
		c := p.dispatcher.Carriers()
		if len(c) != 2 || c[0].Name != "net1" || c[0].Places != 10 || c[0].Accepted != 2 || c[0].Lanes != 1 || c[0].Paused ||
			!c[1].Paused {
			t.Errorf("%+v", c)
		}
		if got := p.dispatcher.Totals(); got != (Totals{Lanes: 1, Messages: 9, Buffered: 4}) {
			t.Errorf("%+v", got)
		}
		if got := p.service.Accepted(); got != 10 {
			t.Errorf("%d accepted", got)
		}
	}, net1, net2)
}

// What waits for a number that its account gave back never leaves, and whoever rents the number next does not wait for it.
func TestNumberThatChangedHands(t *testing.T) {
	net1 := net("net1", 10, 0)
	inWorld(t, func(t *testing.T, w *world) {
		w.number(alice, "", 0.1)
		p := w.start()
		var ids []gateway.ID
		for range 5 {
			ids = append(ids, w.mustSend(t, alice, over1, 1))
		}
		time.Sleep(time.Second)
		w.store.mu.Lock()
		w.store.numbers[0].Account = "MABBBBBBBBBBBBBBBBBB"
		w.store.mu.Unlock()
		if err := p.service.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		time.Sleep(time.Minute)
		for i, id := range ids {
			want, why := gateway.Failed, gateway.InvalidSource
			if i == 0 { // it had left
				want, why = gateway.Sent, gateway.NoReason
			}
			if m := w.store.message(id); m.State != want || m.Reason != why {
				t.Errorf("message %d: %v, %v", i, m.State, m.Reason)
			} else if i > 0 && m.UpdatedAt.After(began.Add(10*time.Second)) {
				t.Errorf("message %d failed after %v", i, m.UpdatedAt.Sub(began))
			}
		}
		wantTimes(t, net1, began, "-1.00")
	}, net1)
}
