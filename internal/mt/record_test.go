package mt

import (
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
)

func receiptFor(id string) gateway.Receipt {
	return gateway.Receipt{Carrier: "net1", CarrierID: id, Outcome: gateway.ReceiptDelivered, At: time.Now()}
}

// answers collects what receipts were answered.
type answers struct {
	mu   sync.Mutex
	errs []error
}

func (a *answers) done(err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.errs = append(a.errs, err)
}

func (a *answers) all() []error {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.errs)
}

func TestReceiptJoinsItsSubmit(t *testing.T) {
	net1 := net("net1", 10, time.Millisecond)
	inWorld(t, func(t *testing.T, w *world) {
		w.number(alice, "", 0)
		p := w.start()
		w.mustSend(t, alice, over1, 1) // the one whose record is being written
		w.store.slowRecords(time.Second)
		time.Sleep(10 * time.Millisecond)
		first, _ := w.send(alice, over1, 1, 0)
		id, _ := w.send(alice, over1, 1, 0)
		time.Sleep(10 * time.Millisecond)

		var a answers
		if p.dispatcher.Attach(receiptFor("net1-9"), a.done) {
			t.Error("a receipt for nothing that is in hand joined")
		}
		for range 2 {
			if !p.dispatcher.Attach(receiptFor("net1-3"), a.done) {
				t.Fatal("a receipt did not join its submit in hand")
			}
		}
		if len(a.all()) != 0 {
			t.Fatal("answered before the commit")
		}
		time.Sleep(5 * time.Second)
		if got := a.all(); len(got) != 2 || got[0] != nil || got[1] != nil {
			t.Errorf("answered %v", got)
		}
		if m := w.store.message(id); m.State != gateway.Delivered || m.Sequence != 3 {
			t.Errorf("%v, %d events", m.State, m.Sequence)
		}
		if m := w.store.message(first); m.State != gateway.Sent {
			t.Errorf("%v", m.State)
		}
		if p.dispatcher.Attach(receiptFor("net1-3"), a.done) {
			t.Error("a receipt joined a submit that is recorded")
		}
	}, net1)
}

func TestJoinedReceiptsAreBounded(t *testing.T) {
	net1 := net("net1", 10, time.Millisecond)
	inWorld(t, func(t *testing.T, w *world) {
		w.number(alice, "", 0)
		p := w.start()
		for range 2 {
			w.mustSend(t, alice, over1, 1)
			w.store.slowRecords(time.Second) // the first record holds up the second
			time.Sleep(10 * time.Millisecond)
		}
		var a answers
		joined := 0
		for range 1000 {
			if p.dispatcher.Attach(receiptFor("net1-2"), a.done) {
				joined++
			}
		}
		if joined > maxJoined {
			t.Errorf("%d receipts joined one record", joined)
		}
		time.Sleep(time.Minute)
		if got := len(a.all()); got != joined {
			t.Errorf("%d of %d answered", got, joined)
		}
	}, net1)
}

// The carrier keeps a receipt that joined a record which could not be written before the stop.
func TestJoinedReceiptIsRefusedAtStop(t *testing.T) {
	net1 := net("net1", 10, time.Millisecond)
	inWorld(t, func(t *testing.T, w *world) {
		w.number(alice, "", 0)
		p := w.start()
		_ = p.dispatcher.Pause("net1")
		w.mustSend(t, alice, over1, 1)
		w.mustSend(t, alice, over1, 1)
		w.store.setFull(true)
		_ = p.dispatcher.Resume("net1")
		time.Sleep(time.Second)
		var a answers
		joined := 0
		for _, id := range []string{"net1-1", "net1-2"} {
			if p.dispatcher.Attach(receiptFor(id), a.done) {
				joined++
			}
		}
		p.stop()
		w.store.setFull(false)
		if got := a.all(); joined == 0 || len(got) != joined || slices.Contains(got, nil) {
			t.Errorf("%d joined, answered %v", joined, got)
		}
	}, net1)
}

// A receipt decides a message while a part of it waits to go again: the part stays.
func TestReceiptEndsMessageBetweenAttempts(t *testing.T) {
	net1 := net("net1", 10, time.Millisecond)
	inWorld(t, func(t *testing.T, w *world) {
		w.settings = func(int) CarrierSettings { return CarrierSettings{Rate: 1} }
		w.number(alice, "", 0)
		p := w.start()
		id := w.mustSend(t, alice, over1, 3)
		time.Sleep(100 * time.Millisecond) // part 1 was taken
		w.store.slowRecords(time.Second)
		_ = p.dispatcher.Pause("net1") // part 2 and 3 go back, after part 1 is written
		synctest.Wait()
		var a answers
		receipt := receiptFor("net1-1")
		receipt.Outcome, receipt.Reason = gateway.ReceiptUndelivered, gateway.DestinationGone
		if !p.dispatcher.Attach(receipt, a.done) { // the record is being written: the store takes it
			if _, err := w.store.ApplyReceipts(t.Context(), []gateway.Receipt{receipt}); err != nil {
				t.Fatal(err)
			}
		}
		w.store.slowRecords(0)
		_ = p.dispatcher.Resume("net1")
		time.Sleep(time.Minute)
		synctest.Wait()
		if m := w.store.message(id); m.State != gateway.Undelivered {
			t.Errorf("%v", m.State)
		}
		if got := len(net1.seen()); got != 1 {
			t.Errorf("%d parts left after the message was decided", got)
		}
	}, net1)
}

// What a refill read while messages landed is not queued again.
func TestRefillLeavesOutWhatIsInHand(t *testing.T) {
	d := NewDispatcher(newMemory(), time.Now, nil)
	d.AddCarrier("net1", &connection{net("net1", 0, 0), &process{}}, CarrierSettings{})
	l := d.lane(gateway.LaneKey{Account: testAccount, Sender: alice, Carrier: "net1"})
	rows := make([]*gateway.Message, 8)
	for i := range rows {
		rows[i] = queuedMessage(int64(i+1)*10, 2)
	}
	l.more, l.filling = true, true
	l.after = 10              // 10: taken earlier
	d.flying[20] = struct{}{} // 20: in flight
	d.flying[30] = struct{}{} // 30: was in flight while the store was read
	d.unfly(l, 30)            //
	l.insert(rows[3])         // 40: came back into memory
	d.storing = 70            // 70 and 80: being stored
	l.sender.queued = 4       // their units
	d.filled(l, rows, false)
	if want := []int64{40, 50, 60}; !slices.Equal(l.seqs(), want) {
		t.Errorf("%v in memory, want %v", l.seqs(), want)
	}
	if l.after != 60 || l.more || l.filling || l.waiting != 3 || l.units != 6 || l.sender.queued != 10 || l.line.buffered != 2 {
		t.Errorf("%+v, %+v", l, l.sender)
	}
	d.Offer(rows[6:])
	if want := []int64{40, 50, 60, 70, 80}; !slices.Equal(l.seqs(), want) || l.sender.queued != 10 {
		t.Errorf("%v in memory, %d units", l.seqs(), l.sender.queued)
	}
}

// What the store gave as due and was settled meanwhile is not brought back.
func TestRetriesLeaveOutWhatWasSettled(t *testing.T) {
	d := NewDispatcher(newMemory(), time.Now, nil)
	d.AddCarrier("net1", &connection{net("net1", 0, 0), &process{}}, CarrierSettings{})
	l := d.lines["net1"]
	l.retries[10], l.retries[20] = struct{}{}, struct{}{}
	if back := d.beginReading(l); back != 2 {
		t.Errorf("%d back", back)
	}
	l.settle(10)
	fresh := d.queueRetries(l, []*gateway.Message{queuedMessage(10, 1), queuedMessage(20, 1), queuedMessage(30, 1)})
	if seqs := d.lanes[gateway.LaneKey{Account: testAccount, Sender: alice, Carrier: "net1"}].seqs(); fresh != 1 || !slices.Equal(seqs, []int64{30}) {
		t.Errorf("%d new, %v in memory", fresh, seqs)
	}
}

// An operator's release of a message that the store is about to be read for, or was read past.
func TestReturnIsQueuedOnce(t *testing.T) {
	for name, c := range map[string]struct {
		after   int64
		more    bool
		filling bool
		want    []int64
		missed  bool
	}{
		"no lane":                {want: []int64{50}},
		"read past":              {after: 100, more: true, want: []int64{50}},
		"all in memory":          {after: 40, want: []int64{50}},
		"will be read":           {after: 40, more: true},
		"may just be read":       {after: 40, more: true, filling: true, missed: true},
		"read past, and filling": {after: 100, more: true, filling: true, want: []int64{50}},
	} {
		d := NewDispatcher(newMemory(), time.Now, nil)
		d.AddCarrier("net1", &connection{net("net1", 0, 0), &process{}}, CarrierSettings{})
		l := d.lane(gateway.LaneKey{Account: testAccount, Sender: alice, Carrier: "net1"})
		l.after, l.more, l.filling = c.after, c.more, c.filling
		d.Return(queuedMessage(50, 2))
		if !slices.Equal(l.seqs(), c.want) || l.missed != c.missed || l.waiting != 1 || l.sender.queued != 2 || l.after < min(50, c.after) {
			t.Errorf("%s: %v in memory, %+v", name, l.seqs(), l)
		}
		if c.want != nil && l.after < 50 {
			t.Errorf("%s: would be read again", name)
		}
	}
}

// Which expired messages are ended, and which of them a lane counted.
func TestClaimExpired(t *testing.T) {
	d := NewDispatcher(newMemory(), time.Now, nil)
	d.AddCarrier("net1", &connection{net("net1", 0, 0), &process{}}, CarrierSettings{})
	l := d.lane(gateway.LaneKey{Account: testAccount, Sender: alice, Carrier: "net1"})
	l.after, l.more = 50, true
	l.count(3, 6)
	l.insert(queuedMessage(40, 2)) // in memory
	d.flying[20] = struct{}{}      // in flight: its answer decides
	d.storing = 80                 // from here on being stored
	deferred := queuedMessage(60, 2)
	deferred.DueAt = time.Now()
	passed := queuedMessage(30, 2) // was queued when the store was read, and has landed since
	expired := []*gateway.Message{
		queuedMessage(20, 2), passed, queuedMessage(40, 2), deferred, queuedMessage(70, 2), queuedMessage(80, 2), queuedMessage(90, 2),
	}
	records, queued := d.claimExpired(expired, time.Now())
	var seqs []int64
	for _, r := range records {
		seqs = append(seqs, r.Message.ID.Seq())
		if _, flying := d.flying[r.Message.ID.Seq()]; !flying || r.Failure != gateway.Expired {
			t.Errorf("%d: %v", r.Message.ID.Seq(), r.Failure)
		}
	}
	if want := []int64{30, 40, 60, 70}; !slices.Equal(seqs, want) || !slices.Equal(queued, []bool{false, true, false, true}) {
		t.Errorf("%v, counted %v", seqs, queued)
	}
	if l.waiting != 1 || l.units != 2 || l.sender.queued != 2 || l.held() != 0 {
		t.Errorf("%+v", l)
	}
	d.release(records, queued, errFull) // could not be ended: as before, but that all counted ones are in memory
	if l.waiting != 3 || l.units != 6 || l.sender.queued != 6 || !slices.Equal(l.seqs(), []int64{40, 70}) || len(d.flying) != 1 {
		t.Errorf("%+v", l)
	}
}
