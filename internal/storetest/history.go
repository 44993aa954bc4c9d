package storetest

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"pgregory.net/rapid"

	"github.com/heliograph/heliograph/internal/gateway"
)

// history drives a store and a model with the same random steps. Senders, destinations and carrier ids are few, so that they meet.
type history struct {
	*world
	rt     *rapid.T
	model  model
	events []int64 // ids of the store's events, in the order of the model's
	last   func()  // the last batch, to be given again
}

func testHistory(rt *rapid.T, open func() Store) {
	w := stock(rt, open)
	defer func() { w.ok(w.Close()) }()
	h := &history{world: w, rt: rt, last: func() {}}
	steps := []func(){
		h.accept, h.accept, h.record, h.record, h.record, h.receive, h.receive, h.markSome, h.move, h.operate, h.attempt, h.restart,
	}
	for n := range rapid.IntRange(1, 20).Draw(rt, "steps") {
		h.now = h.now.Add(rapid.SampledFrom([]time.Duration{time.Millisecond, time.Second, 50 * time.Second}).Draw(rt, "pause"))
		rapid.SampledFrom(steps).Draw(rt, "step")()
		if rapid.Bool().Draw(rt, "again") {
			h.last()
		}
		h.last = func() {}
		if n%4 == 3 {
			h.compare()
		}
	}
	h.compare()
}

func (h *history) oneOf(label string, texts ...string) string {
	return rapid.SampledFrom(texts).Draw(h.rt, label)
}

func (h *history) accept() {
	var batch []*gateway.Submission
	for range rapid.IntRange(1, 3).Draw(h.rt, "messages") {
		m := h.message()
		m.Account = rapid.SampledFrom(accounts).Draw(h.rt, "account")
		m.From, m.To = h.oneOf("from", pooled, rented), h.oneOf("to", "14155552671", "14155552672")
		m.Units = rapid.IntRange(1, 3).Draw(h.rt, "units")
		m.ExpiresAt = h.now.Add(time.Duration(rapid.IntRange(1, 5).Draw(h.rt, "expiry")) * time.Minute)
		batch = append(batch, h.submission(m))
	}
	h.last = func() {
		results, err := h.InsertMessages(h.ctx, batch)
		h.ok(err)
		for i, sub := range batch {
			h.ok(results[i].Err)
			h.model.insert(sub.Messages[0], sub.Messages[0].Units)
			h.note(results[i].Events)
		}
	}
	h.last()
}

// note keeps the ids of events that the store made; the model must have made as many by now.
func (h *history) note(events []gateway.Event) {
	for _, e := range events {
		h.events = append(h.events, e.ID)
	}
	if len(h.events) != len(h.model.events) {
		h.Fatalf("the store has made %d events, the model %d", len(h.events), len(h.model.events))
	}
	for i, e := range events {
		want := h.model.events[len(h.events)-len(events)+i]
		if e.Message.ID != want.message || e.Sequence != want.sequence || e.State != want.state {
			h.Fatalf("the store made event %d %s of %s, the model %d %s of %s", e.Sequence, e.State, e.Message.ID, want.sequence, want.state, want.message)
		}
	}
}

// pick draws a message; nil when there is none.
func (h *history) pick() *modelMessage {
	if len(h.model.messages) == 0 {
		return nil
	}
	return h.model.messages[rapid.IntRange(0, len(h.model.messages)-1).Draw(h.rt, "message")]
}

func (h *history) carrierID() string {
	return fmt.Sprint(rapid.IntRange(1, 12).Draw(h.rt, "carrier id"))
}

func (h *history) record() {
	m := h.pick()
	if m == nil {
		return
	}
	before := m.Message
	r := &gateway.SubmitRecord{Message: &before, Total: m.total, At: h.now}
	for part := 1; part <= m.total; part++ {
		switch h.oneOf("answer", "taken", "taken", "refused", "none") {
		case "taken":
			r.Results = append(r.Results, h.taken(part, h.carrierID()))
		case "refused":
			r.Results = append(r.Results, h.rejected(part, gateway.Spam))
		}
	}
	switch h.oneOf("kind", "settled", "settled", "deferred", "failed", "held", "released") {
	case "deferred":
		r.Due = h.now.Add(time.Minute)
	case "failed":
		r.Failure = gateway.Expired
	case "held":
		r.Held = true
	case "released":
		r.Released = true
	}
	if rapid.Bool().Draw(h.rt, "joined") {
		part := rapid.IntRange(1, m.total).Draw(h.rt, "part")
		r.Receipts = append(r.Receipts, gateway.PartReceipt{Number: part, Receipt: h.anyReceipt()})
	}
	h.last = func() {
		applied, err := h.RecordSubmits(h.ctx, []*gateway.SubmitRecord{r})
		h.ok(err)
		state, ended := h.model.record(r)
		h.same(applied[0].State, state)
		h.reported(&applied[0], ended, &before)
		h.note(applied[0].Events)
	}
	h.last()
}

// reported checks what is told of a message that receipts ended.
func (h *history) reported(applied *gateway.Applied, ended bool, m *gateway.Message) {
	want := [2]string{}
	if ended {
		want = [2]string{m.From, m.Country}
	}
	h.same([2]string{applied.Sender, applied.Country}, want)
}

func (h *history) anyReceipt() gateway.Receipt {
	r := h.delivered(h.carrierID())
	if rapid.Bool().Draw(h.rt, "undelivered") {
		r = h.undelivered(r.CarrierID)
	}
	if rapid.Bool().Draw(h.rt, "addresses") {
		r.From, r.To = h.oneOf("from", pooled, rented), h.oneOf("to", "14155552671", "14155552672")
	}
	return r
}

func (h *history) receive() {
	var batch []gateway.Receipt
	for range rapid.IntRange(1, 3).Draw(h.rt, "receipts") {
		batch = append(batch, h.anyReceipt())
		h.now = h.now.Add(time.Microsecond)
	}
	h.last = func() {
		applied, err := h.ApplyReceipts(h.ctx, batch)
		h.ok(err)
		var events []gateway.Event
		for i, r := range batch {
			parked, ended := h.model.receipt(r)
			h.same(applied[i].Parked, parked)
			h.reported(&applied[i], ended != nil, ended.message())
			events = append(events, applied[i].Events...)
		}
		h.note(events)
	}
	h.last()
}

func (h *history) markSome() {
	m := h.pick()
	if m == nil {
		return
	}
	id, at := m.ID, h.now
	h.last = func() {
		h.ok(h.MarkSubmitting(h.ctx, []gateway.ID{id}, at))
		h.model.mark(id, at)
	}
	h.last()
}

// move gives a message another sender, or ends it. What is known of its sender may be out of date.
func (h *history) move() {
	m := h.pick()
	if m == nil {
		return
	}
	known := gateway.Message{ID: m.ID, From: h.oneOf("known", m.From, m.From, pooled, rented)}
	move := gateway.Move{
		Message: &known, From: h.oneOf("new", pooled, rented), Carrier: carrier, PickedBy: gateway.Rule(rapid.IntRange(1, 3).Draw(h.rt, "rule")), At: h.now,
	}
	if rapid.IntRange(0, 3).Draw(h.rt, "kind") == 0 {
		move.Failure = gateway.InvalidSource
	}
	h.last = func() {
		applied, err := h.MoveMessages(h.ctx, []gateway.Move{move}, nil)
		h.ok(err)
		h.same(applied[0].Moved, h.model.move(move))
		h.same(applied[0].State, m.State)
		h.note(applied[0].Events)
	}
	h.last()
}

// operate releases or fails a message as an operator does.
func (h *history) operate() {
	m := h.pick()
	if m == nil {
		return
	}
	if rapid.Bool().Draw(h.rt, "release") {
		_, err := h.ReleaseHeld(h.ctx, m.ID, h.now)
		if !m.held {
			h.refused(err, gateway.NotFound)
			return
		}
		h.ok(err)
		m.held, m.markedAt, m.DueAt = false, time.Time{}, time.Time{}
		return
	}
	applied, err := h.FailHeld(h.ctx, m.ID, h.now)
	if !m.held {
		h.refused(err, gateway.NotFound)
		return
	}
	h.ok(err)
	h.model.moved(m, m.Fail(gateway.DispatchFailed, h.now))
	h.note(applied.Events)
}

func (h *history) attempt() {
	if len(h.events) == 0 {
		return
	}
	place := rapid.IntRange(1, len(h.events)).Draw(h.rt, "event")
	a := gateway.Attempt{Event: h.events[place-1], Number: rapid.IntRange(1, 3).Draw(h.rt, "attempt"), AtMicro: h.now.UnixMicro()}
	switch h.oneOf("outcome", "told", "given up", "again") {
	case "told":
		a.Done = true
	case "given up":
		a.GaveUp = true
	default:
		a.DueAtMicro = h.now.Add(time.Minute).UnixMicro()
	}
	h.last = func() {
		h.ok(h.RecordAttempts(h.ctx, []gateway.Attempt{a}))
		h.model.attempt(place, a)
	}
	h.last()
}

// restart closes the store and opens it again. Events that come of it are not told to anyone; their ids are read.
func (h *history) restart() {
	h.reopen()
	h.model.restart()
	if len(h.model.events) == len(h.events) {
		return
	}
	last := int64(0)
	if len(h.events) > 0 {
		last = h.events[len(h.events)-1]
	}
	var events []gateway.Event
	for _, account := range accounts {
		events = append(events, must[[]gateway.Event](h.world)(h.FreshEvents(h.ctx, gateway.EndpointOf(account, callbackURL), last, 1000))...)
	}
	slices.SortFunc(events, func(a, b gateway.Event) int { return cmp.Compare(a.ID, b.ID) })
	h.note(events)
}

// compare holds everything that can be read against the model.
func (h *history) compare() {
	h.same(h.counts(), h.model.lanes())
	for _, m := range h.model.messages {
		want, got := m.Message, *h.stored(&m.Message)
		want.UpdatedAt, got.UpdatedAt = time.Time{}, time.Time{}
		h.same(got, want)
	}
	h.compareLanes()
	later := h.now.Add(2 * time.Minute)
	h.same(h.due(later, 1000), h.model.ids(func(m *modelMessage) bool {
		return m.State == gateway.Queued && !m.submitting && !m.held && !m.DueAt.IsZero() && !m.DueAt.After(later)
	}, func(m *modelMessage) time.Time { return m.DueAt }))
	h.same(idsOf(must[[]*gateway.Message](h.world)(h.ExpiredMessages(h.ctx, later, 1000))), h.model.ids(func(m *modelMessage) bool {
		return m.State == gateway.Queued && !m.submitting && !m.held && !m.ExpiresAt.After(later)
	}, func(m *modelMessage) time.Time { return m.ExpiresAt }))
	h.same(h.held(), h.model.ids(func(m *modelMessage) bool { return m.held }, func(m *modelMessage) time.Time { return m.markedAt }))
	h.compareEvents()
}

func noOrder(*modelMessage) time.Time { return time.Time{} }

// compareLanes reads every lane, and counts the units before each of its messages.
func (h *history) compareLanes() {
	var places []gateway.LanePosition
	var want []int
	for key := range h.model.lanes() {
		ids := h.model.ids(func(m *modelMessage) bool { return m.waiting() && m.Lane() == key }, noOrder)
		h.same(h.lane(key, 0, 1000), ids)
		units := 0
		for _, id := range ids {
			places, want = append(places, gateway.LanePosition{LaneKey: key, Seq: id.Seq()}), append(want, units)
			units += h.model.find(id).Units
		}
	}
	h.same(must[[]int](h.world)(h.UnitsBefore(h.ctx, places)), append([]int{}, want...))
}

func (h *history) compareEvents() {
	for _, account := range accounts {
		h.compareEventsOf(account)
	}
}

func (h *history) compareEventsOf(account gateway.AccountID) {
	fresh, want := []int64{}, gateway.EndpointCount{}
	for i, e := range h.model.events {
		switch {
		case e.closed || e.account != account:
		case e.attempt == 0:
			fresh = append(fresh, h.events[i])
			want.Fresh++
		default:
			want.Retries++
			if want.DueAt == 0 || e.dueAt < want.DueAt {
				want.DueAt = e.dueAt
			}
		}
	}
	h.same(h.freshOf(account, 0, 1000), fresh)
	h.same(h.endpoints()[gateway.EndpointOf(account, callbackURL)], want)
}
