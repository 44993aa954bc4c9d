package storetest

import (
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
)

var laneTests = map[string]func(*world){
	"lanes are counted by account, sender and carrier, in messages and units": func(w *world) {
		var messages []*gateway.Message
		for i := range 6 {
			m := w.message()
			m.Units = i + 1
			if i >= 3 {
				m.From = rented
			}
			if i == 5 {
				m.Carrier = "other"
			}
			messages = append(messages, m)
		}
		failed := w.message()
		failed.From, failed.Carrier = "", ""
		failed.Fail(gateway.NoRoute, w.now)
		w.accept(append(messages, failed)...)
		w.accept(w.messageOf(two), w.messageOf(two))
		want := map[gateway.LaneKey][2]int{
			mainLane: {3, 6}, {Account: one, Sender: rented, Carrier: carrier}: {2, 9}, {Account: one, Sender: rented, Carrier: "other"}: {1, 6},
			{Account: two, Sender: pooled, Carrier: carrier}: {2, 2},
		}
		w.same(w.counts(), want)
		w.reopen()
		w.same(w.counts(), want)
	},
	"a lane is read in the order of its IDs, page by page": func(w *world) {
		var messages []*gateway.Message
		for range 5 {
			messages = append(messages, w.message())
		}
		other := w.message()
		other.From = rented
		theirs := w.messageOf(two)
		w.accept(theirs)
		w.accept(append(messages, other)...)
		ids := idsOf(messages)
		w.same(w.lane(mainLane, 0, 2), ids[:2])
		w.same(w.lane(mainLane, ids[1].Seq(), 2), ids[2:4])
		w.same(w.lane(mainLane, ids[3].Seq(), 2), ids[4:])
		w.same(w.lane(mainLane, ids[4].Seq(), 2), []gateway.ID{})
		lanes := must[[][]*gateway.Message](w)(w.QueuedMessages(w.ctx, []gateway.LaneCursor{
			{LaneKey: gateway.LaneKey{Account: one, Sender: rented, Carrier: carrier}, Limit: 9},
			{LaneKey: gateway.LaneKey{Account: one, Sender: rented, Carrier: "unheard of"}, Limit: 9},
			{LaneKey: mainLane, Limit: 1},
			{LaneKey: theirs.Lane(), Limit: 9},
			{LaneKey: gateway.LaneKey{Account: "MANONENONENONENONENO", Sender: pooled, Carrier: carrier}, Limit: 9},
		}))
		w.same([][]gateway.ID{idsOf(lanes[0]), idsOf(lanes[1]), idsOf(lanes[2]), idsOf(lanes[3]), idsOf(lanes[4])},
			[][]gateway.ID{{other.ID}, {}, ids[:1], {theirs.ID}, {}})
		w.same(lanes[2][0], messages[0])
	},
	"units before places in lanes are counted": func(w *world) {
		var all []*gateway.Message
		for i := range 8 {
			m := w.message()
			m.Units = 1 << i
			if i%2 == 1 {
				m.From = rented
			}
			all = append(all, m)
		}
		w.accept(all...)
		theirs := w.messageOf(two)
		w.accept(theirs)
		at := func(m *gateway.Message) gateway.LanePosition {
			return gateway.LanePosition{LaneKey: m.Lane(), Seq: m.ID.Seq()}
		}
		places := []gateway.LanePosition{at(all[6]), at(all[0]), at(all[3]), at(theirs), at(all[2]), at(all[6]), at(all[7])}
		unheardOf := at(all[7])
		unheardOf.Carrier = "unheard of"
		places = append(places, unheardOf)
		before := func() []int { return must[[]int](w)(w.UnitsBefore(w.ctx, places)) }
		w.same(before(), []int{1 + 4 + 16, 0, 2, 0, 1, 1 + 4 + 16, 2 + 8 + 32, 0})
		w.record(w.settled(all[0], 1, w.taken(1, "a")))
		w.ok(w.MarkSubmitting(w.ctx, []gateway.ID{all[4].ID}, w.now))
		w.record(&gateway.SubmitRecord{Message: all[1], Total: 1, Due: w.now.Add(time.Minute), At: w.now})
		w.same(before(), []int{4, 0, 0, 0, 0, 4, 8 + 32, 0})
		w.same(len(must[[]int](w)(w.UnitsBefore(w.ctx, nil))), 0)
	},
	"what is submitted, deferred or marked is in no lane": func(w *world) {
		sent, deferred, marked, left := w.queued(), w.queued(), w.queued(), w.queued()
		w.record(w.settled(sent, 1, w.taken(1, "a")))
		w.record(&gateway.SubmitRecord{Message: deferred, Total: 1, Due: w.now.Add(time.Minute), At: w.now})
		w.ok(w.MarkSubmitting(w.ctx, []gateway.ID{marked.ID}, w.now))
		w.same(w.lane(mainLane, 0, 9), []gateway.ID{left.ID})
		w.same(w.counts(), map[gateway.LaneKey][2]int{mainLane: {1, 1}})
	},
	"deferred messages are given when they are due, earliest first, until they are recorded anew": func(w *world) {
		late, early, other := w.queued(), w.queued(), w.message()
		other.Carrier = "other"
		w.accept(other)
		w.same(w.nextRetry(carrier), time.Time{})
		for i, m := range []*gateway.Message{late, early, other} {
			due := w.now.Add([]time.Duration{time.Minute, time.Second, time.Millisecond}[i])
			applied := w.record(&gateway.SubmitRecord{Message: m, Total: 1, Due: due, At: w.now})
			w.same(applied, gateway.Applied{Moved: true, State: gateway.Queued})
		}
		w.same(w.nextRetry(carrier), w.now.Add(time.Second))
		w.same(w.due(w.now, 9), []gateway.ID{})
		w.same(w.due(w.now.Add(time.Second), 9), []gateway.ID{early.ID})
		w.same(w.due(w.now.Add(time.Minute), 9), []gateway.ID{early.ID, late.ID})
		w.same(w.due(w.now.Add(time.Minute), 1), []gateway.ID{early.ID})
		w.same(w.due(w.now.Add(time.Minute), 9), []gateway.ID{early.ID, late.ID})
		w.same(w.stored(early).Attempt, 1)
		w.record(w.settled(early, 1, w.taken(1, "a")))
		w.same(w.due(w.now.Add(time.Minute), 9), []gateway.ID{late.ID})
		w.same(w.nextRetry(carrier), w.now.Add(time.Minute))
		w.same(w.nextRetry("unheard of"), time.Time{})
	},
	"a deferral that is recorded again counts once, the next one twice": func(w *world) {
		m := w.queued()
		first := &gateway.SubmitRecord{Message: m, Total: 1, Due: w.now.Add(5 * time.Second), At: w.now}
		w.record(first)
		w.same(w.record(first), gateway.Applied{State: gateway.Queued})
		w.same(w.stored(m).Attempt, 1)
		w.record(&gateway.SubmitRecord{Message: m, Total: 1, Due: w.now.Add(15 * time.Second), At: w.now.Add(5 * time.Second)})
		s := w.stored(m)
		w.same(s.Attempt, 2)
		w.same(s.DueAt, w.now.Add(15*time.Second))
	},
	"a message that goes again after a deferral is in its lane": func(w *world) {
		m := w.queued()
		w.record(&gateway.SubmitRecord{Message: m, Total: 2, Due: w.now.Add(time.Second), At: w.now})
		w.same(w.lane(mainLane, 0, 9), []gateway.ID{})
		w.record(w.settled(m, 2, w.taken(1, "a")))
		w.same(w.lane(mainLane, 0, 9), []gateway.ID{m.ID})
		w.same(w.due(w.now.Add(time.Hour), 9), []gateway.ID{})
	},
	"expired messages are read, the longest expired first, deferred ones too, marked ones not": func(w *world) {
		var messages []*gateway.Message
		for i := range 5 {
			m := w.message()
			m.ExpiresAt = w.now.Add(time.Duration(5-i) * time.Second)
			messages = append(messages, m)
		}
		w.accept(messages...)
		w.record(&gateway.SubmitRecord{Message: messages[3], Total: 1, Due: w.now.Add(time.Minute), At: w.now})
		w.ok(w.MarkSubmitting(w.ctx, []gateway.ID{messages[2].ID}, w.now))
		w.record(w.settled(messages[1], 1, w.taken(1, "a")))
		expired := func(at time.Time, limit int) []gateway.ID {
			return idsOf(must[[]*gateway.Message](w)(w.ExpiredMessages(w.ctx, at, limit)))
		}
		w.same(expired(w.now, 9), []gateway.ID{})
		w.same(expired(w.now.Add(time.Second), 9), []gateway.ID{messages[4].ID})
		w.same(expired(w.now.Add(time.Minute), 9), []gateway.ID{messages[4].ID, messages[3].ID, messages[0].ID})
		w.same(expired(w.now.Add(time.Minute), 2), []gateway.ID{messages[4].ID, messages[3].ID})
	},
	"an expired message fails once": func(w *world) {
		m := w.queued()
		r := &gateway.SubmitRecord{Message: m, Failure: gateway.Expired, At: w.now.Add(time.Hour)}
		applied := w.record(r)
		w.same(applied.Moved, true)
		w.same(told(applied.Events), []string{"2 failed"})
		w.same(applied.Events[0].Reason, gateway.Expired)
		w.same(w.record(r), gateway.Applied{State: gateway.Failed})
		w.state(m, gateway.Failed, 2)
		w.same(len(must[[]*gateway.Message](w)(w.ExpiredMessages(w.ctx, w.now.Add(2*time.Hour), 9))), 0)
	},
}

// counts are the store's lanes: messages and units.
func (w *world) counts() map[gateway.LaneKey][2]int {
	w.Helper()
	counts := map[gateway.LaneKey][2]int{}
	for _, lane := range must[[]gateway.LaneCount](w)(w.Lanes(w.ctx)) {
		if _, twice := counts[lane.LaneKey]; twice {
			w.Fatalf("lane %v is given twice", lane.LaneKey)
		}
		counts[lane.LaneKey] = [2]int{lane.Messages, lane.Units}
	}
	return counts
}

func (w *world) due(at time.Time, limit int) []gateway.ID {
	w.Helper()
	return idsOf(must[[]*gateway.Message](w)(w.DueRetries(w.ctx, carrier, at, limit)))
}

func (w *world) nextRetry(carrier string) time.Time {
	w.Helper()
	return must[time.Time](w)(w.NextRetry(w.ctx, carrier))
}
