package mt

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
)

// leave takes numbers out of their pool.
func (w *world) leave(t *testing.T, numbers ...string) {
	t.Helper()
	w.refresh(t, func() {
		for i := range w.store.numbers {
			if slices.Contains(numbers, w.store.numbers[i].Number) {
				w.store.numbers[i].Pool = gateway.ID{}
			}
		}
	})
}

// What waits for a number that leaves its pool goes by others of the pool, in the order in which it was accepted, and destinations move with it. What its
// account sends from it by name stays.
func TestWaitingMessagesLeaveWithTheirNumber(t *testing.T) {
	net1 := net("net1", 100, 0)
	inWorld(t, func(t *testing.T, w *world) {
		w.number(alice, "", 0.01)
		w.number(bob, "", 1)
		w.pack(gateway.Powerpack{Sticky: true, Patience: 3 * time.Hour})
		p := w.start()
		w.refresh(t, func() { w.store.numbers[1].Pool = gateway.ID{} })
		var ids []gateway.ID
		for i := range 200 { // more than memory holds of a lane
			ids = append(ids, w.accept(t, packRequest(fmt.Sprintf("1202555%04d", i)))[0].ID)
			if i == 100 {
				break // what alice can send within three hours
			}
		}
		own := w.mustSend(t, alice, over1, 1)
		w.refresh(t, func() { w.store.numbers[1].Pool = w.store.powerpacks[0].Pool })
		for range 3 {
			w.mustSend(t, bob, over1, 1)
		}
		time.Sleep(time.Second)
		w.leave(t, alice)
		time.Sleep(10 * time.Minute)
		var order []gateway.ID
		for _, a := range net1.seen() {
			if a.message.From == bob && !a.message.Powerpack.IsZero() {
				order = append(order, a.message.ID)
			}
		}
		if !slices.Equal(order, ids[1:]) {
			t.Errorf("%d of %d left by bob, in order: %v", len(order), len(ids)-1, slices.IsSortedFunc(order, func(a, b gateway.ID) int { return int(a.Seq() - b.Seq()) }))
		}
		if m := w.store.message(own); m.From != alice {
			t.Errorf("what was sent from alice by name went from %s", m.From)
		}
		if habit := w.store.sticky[gateway.StickyKey{Powerpack: testPack, To: "12025550042"}]; habit != bob {
			t.Errorf("the destination is used to %s", habit)
		}
		if q := p.dispatcher.Queues(QueueFilter{Limit: 9}); len(q) != 0 && (len(q) != 1 || q[0].Sender != alice || q[0].Messages != 1) {
			t.Errorf("%+v", q)
		}
	}, net1)
}

// When the pool has no other number, what waits fails for its source; when the powerpack is gone altogether, it leaves as it would have.
func TestWaitingMessagesOfTheLastNumber(t *testing.T) {
	for name, c := range map[string]struct {
		change func(w *world)
		want   gateway.State
	}{
		"removed":                           {func(w *world) { w.store.numbers[0].Pool = gateway.ID{} }, gateway.Failed},
		"given back":                        {func(w *world) { w.store.numbers = nil }, gateway.Failed},
		"its powerpack deleted, given back": {func(w *world) { w.store.powerpacks, w.store.numbers = nil, nil }, gateway.Failed},
		"with its powerpack":                {func(w *world) { w.store.powerpacks, w.store.numbers[0].Pool = nil, gateway.ID{} }, gateway.Sent},
	} {
		net1 := net("net1", 10, 0)
		inWorld(t, func(t *testing.T, w *world) {
			w.number(alice, "", 0.1)
			w.pack(gateway.Powerpack{})
			w.start()
			w.accept(t, packRequest(over1))
			synctest.Wait()
			waiting := w.accept(t, packRequest(over1))[0]
			w.refresh(t, func() { c.change(w) })
			time.Sleep(time.Minute)
			m := w.store.message(waiting.ID)
			if m.State != c.want || c.want == gateway.Failed && m.Reason != gateway.InvalidSource {
				t.Errorf("%s: %v, %v", name, m.State, m.Reason)
			}
		}, net1)
	}
}

// A store that cannot be written keeps messages with their old sender's lane, and they move as soon as it can.
func TestMovesWaitForTheStore(t *testing.T) {
	net1 := net("net1", 10, 0)
	inWorld(t, func(t *testing.T, w *world) {
		w.number(alice, "", 0.001)
		w.number(bob, "", 0)
		w.pack(gateway.Powerpack{Patience: 3 * time.Hour})
		w.start()
		w.leave(t, bob)
		w.accept(t, packRequest(over1))
		synctest.Wait()
		waiting := w.accept(t, packRequest(over1))[0]
		w.refresh(t, func() { w.store.numbers[1].Pool = w.store.powerpacks[0].Pool })
		w.store.setFull(true)
		w.leave(t, alice)
		time.Sleep(time.Minute)
		if got := len(net1.seen()); got != 1 {
			t.Errorf("%d left", got)
		}
		w.store.setFull(false)
		time.Sleep(5 * time.Second)
		if m := w.store.message(waiting.ID); m.State != gateway.Sent || m.From != bob {
			t.Errorf("%v from %s", m.State, m.From)
		}
	}, net1)
}

// Reading a lane again from an earlier message gives each message once, in order.
func TestRewind(t *testing.T) {
	for name, c := range map[string]struct {
		filling bool
		want    []int64 // in memory after the reading
	}{
		"idle":          {false, []int64{30, 40, 50, 60}},
		"while reading": {true, []int64{30, 40}}, // what that brought is let go of
	} {
		d := NewDispatcher(newMemory(), time.Now, nil)
		d.AddCarrier("net1", &connection{net("net1", 0, 0), &process{}}, CarrierSettings{})
		l := d.lane(gateway.LaneKey{Account: testAccount, Sender: alice, Carrier: "net1"})
		deferred := queuedMessage(40, 1)
		deferred.DueAt = time.Now()
		l.insert(queuedMessage(30, 1))
		l.insert(deferred)
		l.insert(queuedMessage(60, 1))
		l.line.buffered, l.after, l.more, l.waiting, l.filling = 3, 60, true, 5, c.filling
		l.rewind(50)
		if want := []int64{30, 40}; !slices.Equal(l.seqs(), want) || l.after != 49 || !l.more || l.line.buffered != 2 || l.reread != c.filling {
			t.Errorf("%s: %v in memory, %+v", name, l.seqs(), l)
		}
		rows := []*gateway.Message{queuedMessage(50, 1), queuedMessage(60, 1)}
		if c.filling {
			rows = []*gateway.Message{queuedMessage(70, 1)} // was being read from 60 on
		}
		d.filled(l, rows, false)
		if !slices.Equal(l.seqs(), c.want) || l.more != c.filling {
			t.Errorf("%s: %v in memory, %+v", name, l.seqs(), l)
		}
	}
}
