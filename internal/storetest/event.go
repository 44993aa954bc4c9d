package storetest

import (
	"fmt"
	"sort"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
)

var eventTests = map[string]func(*world){
	"events are counted and read by endpoint": func(w *world) {
		other := w.message()
		other.Callback.URL = "https://example.org/status"
		m := w.queued()
		w.accept(other)
		w.record(w.settled(m, 1, w.taken(1, "a")))
		w.same(w.endpoints(), map[int64]gateway.EndpointCount{
			gateway.EndpointOf(one, callbackURL): {Fresh: 2}, gateway.EndpointOf(one, other.Callback.URL): {Fresh: 1},
		})
		fresh := w.pending()
		w.same(told(fresh), []string{"1 queued", "2 sent"})
		w.same(fresh[1].Message, w.stored(m))
		w.same(fresh[1].SentAt, w.now)
		w.same(w.fresh(fresh[0].ID, 9), []int64{fresh[1].ID})
		w.same(w.fresh(0, 1), []int64{fresh[0].ID})
		w.same(w.fresh(fresh[1].ID, 9), []int64{})
	},
	"an event that is told is not given again": func(w *world) {
		e := w.accept(w.message())[0]
		done := gateway.Attempt{Event: e.ID, Number: 1, AtMicro: w.now.UnixMicro(), Status: 200, Latency: 12, Done: true}
		for range 2 {
			w.ok(w.RecordAttempts(w.ctx, []gateway.Attempt{done}))
			w.same(w.endpoints(), map[int64]gateway.EndpointCount{})
			w.same(len(w.pending()), 0)
		}
		late := gateway.Attempt{Event: e.ID, Number: 2, AtMicro: w.now.UnixMicro(), Status: 500, DueAtMicro: w.now.UnixMicro()}
		w.ok(w.RecordAttempts(w.ctx, []gateway.Attempt{late}))
		w.same(w.endpoints(), map[int64]gateway.EndpointCount{})
	},
	"an event is tried again when it is due, earliest first": func(w *world) {
		events := w.accept(w.message(), w.message(), w.message())
		due := []time.Duration{2 * time.Minute, time.Minute}
		for i, wait := range due {
			w.ok(w.RecordAttempts(w.ctx, []gateway.Attempt{{
				Event: events[i].ID, Number: 1, AtMicro: w.now.UnixMicro(), Status: 503, Error: "refused", DueAtMicro: w.now.Add(wait).UnixMicro(),
			}}))
		}
		endpoint := gateway.EndpointOf(one, callbackURL)
		w.same(w.endpoints(), map[int64]gateway.EndpointCount{endpoint: {Fresh: 1, Retries: 2, DueAt: w.now.Add(time.Minute).UnixMicro()}})
		w.same(w.fresh(0, 9), []int64{events[2].ID})
		w.same(w.retries(w.now, 9), []int64{})
		w.same(w.retries(w.now.Add(time.Minute), 9), []int64{events[1].ID})
		w.same(w.retries(w.now.Add(time.Hour), 9), []int64{events[1].ID, events[0].ID})
		w.same(w.retries(w.now.Add(time.Hour), 1), []int64{events[1].ID})
		w.reopen()
		again := must[[]gateway.Event](w)(w.RetryEvents(w.ctx, endpoint, w.now.Add(time.Hour), 9))
		w.same(again[0].Attempt, 1)
		w.same(again[0].Message.ID, events[1].Message.ID)
	},
	"an attempt that is recorded again does not put the next one off": func(w *world) {
		e := w.accept(w.message())[0]
		first := gateway.Attempt{Event: e.ID, Number: 1, AtMicro: 1, DueAtMicro: w.now.UnixMicro()}
		second := gateway.Attempt{Event: e.ID, Number: 2, AtMicro: 2, DueAtMicro: w.now.Add(time.Minute).UnixMicro()}
		w.ok(w.RecordAttempts(w.ctx, []gateway.Attempt{first, second, first, second}))
		w.same(w.retries(w.now.Add(time.Second), 9), []int64{})
		w.same(w.retries(w.now.Add(time.Minute), 9), []int64{e.ID})
	},
	"an event that was given up is not given again": func(w *world) {
		e := w.accept(w.message())[0]
		for number := 1; number <= gateway.CallbackAttempts; number++ {
			a := gateway.Attempt{Event: e.ID, Number: number, AtMicro: 1, GaveUp: number == gateway.CallbackAttempts}
			if !a.GaveUp {
				a.DueAtMicro = w.now.UnixMicro()
			}
			w.ok(w.RecordAttempts(w.ctx, []gateway.Attempt{a}))
			w.same(len(w.retries(w.now, 9)), map[bool]int{true: 0, false: 1}[a.GaveUp])
		}
		w.same(w.endpoints(), map[int64]gateway.EndpointCount{})
	},
	"an attempt for an event that is not there": func(w *world) {
		w.ok(w.RecordAttempts(w.ctx, []gateway.Attempt{{Event: 4711, Number: 1, Done: true}}))
	},
	"ids of events are never given twice": func(w *world) {
		last := int64(0)
		for i := range 4 {
			m := w.message()
			events := append(w.accept(m), w.record(w.settled(m, 1, w.rejected(1, gateway.Spam))).Events...)
			for _, e := range events {
				if e.ID <= last {
					w.Fatalf("an event has id %d after %d", e.ID, last)
				}
				last = e.ID
				w.ok(w.RecordAttempts(w.ctx, []gateway.Attempt{{Event: e.ID, Number: 1, AtMicro: w.now.UnixMicro(), Done: true}}))
			}
			w.purgeAll([]gateway.Retention{{Told: w.now.Add(time.Hour)}, {Records: w.now.Add(time.Hour)}}[i%2])
			w.reopen()
		}
	},
	"two accounts do not share an endpoint": func(w *world) {
		m := w.message()
		m.Account = two
		w.accept(m)
		w.same(len(w.pending()), 0)
		w.same(fmt.Sprint(w.endpoints()), fmt.Sprint(map[int64]gateway.EndpointCount{gateway.EndpointOf(two, callbackURL): {Fresh: 1}}))
	},
}

func (w *world) endpoints() map[int64]gateway.EndpointCount {
	w.Helper()
	counts := map[int64]gateway.EndpointCount{}
	for _, c := range must[[]gateway.EndpointCount](w)(w.Endpoints(w.ctx)) {
		if _, twice := counts[c.Endpoint]; twice {
			w.Fatalf("endpoint %d is given twice", c.Endpoint)
		}
		endpoint := c.Endpoint
		c.Endpoint = 0
		counts[endpoint] = c
	}
	return counts
}

func (w *world) fresh(after int64, limit int) []int64 {
	w.Helper()
	return w.freshOf(one, after, limit)
}

func (w *world) freshOf(account gateway.AccountID, after int64, limit int) []int64 {
	w.Helper()
	ids := eventIDs(must[[]gateway.Event](w)(w.FreshEvents(w.ctx, gateway.EndpointOf(account, callbackURL), after, limit)))
	if !sort.SliceIsSorted(ids, func(i, j int) bool { return ids[i] < ids[j] }) {
		w.Fatalf("fresh events are out of order: %v", ids)
	}
	return ids
}

func (w *world) retries(at time.Time, limit int) []int64 {
	w.Helper()
	return eventIDs(must[[]gateway.Event](w)(w.RetryEvents(w.ctx, gateway.EndpointOf(one, callbackURL), at, limit)))
}

func eventIDs(events []gateway.Event) []int64 {
	ids := make([]int64, len(events))
	for i := range events {
		ids[i] = events[i].ID
	}
	return ids
}
