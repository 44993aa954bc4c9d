package storetest

import (
	"fmt"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
)

var purgeTests = map[string]func(*world){
	"nothing is purged without a time": func(w *world) {
		m := w.submitted("a")
		w.receipt(w.delivered("parked"))
		w.now = w.now.AddDate(10, 0, 0)
		w.purgeAll(gateway.Retention{})
		w.same(w.stored(m).Text, m.Text)
		w.same(len(w.pending()), 2)
	},
	"texts go, records stay": func(w *world) {
		old, waiting := w.message(), w.message()
		old.MediaURLs, old.MediaIDs = []string{"https://example.com/a.gif"}, []string{"media"}
		w.accept(old, waiting)
		w.record(w.settled(old, 1, w.taken(1, "a")))
		w.now = w.now.Add(time.Minute)
		young := w.submitted("b")
		w.purgeAll(gateway.Retention{Texts: w.now})
		w.purgeAll(gateway.Retention{Texts: w.now.Add(-time.Hour)})
		s := w.stored(old)
		w.same([]any{s.Text, s.MediaURLs, s.MediaIDs}, []any{"", []string(nil), []string(nil)})
		w.same(s.To, old.To)
		w.same(w.stored(young).Text, young.Text)
		w.same(w.stored(waiting).Text, waiting.Text) // it is still to be sent
		w.reopen()
		w.record(w.settled(waiting, 1, w.taken(1, "c")))
		w.state(waiting, gateway.Sent, 2)
		w.same(w.stored(waiting).Text, "")
		w.receipt(w.delivered("a"))
		w.state(old, gateway.Delivered, 3)
	},
	"records go with all that belongs to them, but for those still queued": func(w *world) {
		old, parts, waiting := w.submitted("a"), w.queued(), w.queued()
		w.record(w.settled(parts, 2, w.taken(1, "p1"), w.taken(2, "p2")))
		w.receipt(w.delivered("a"))
		w.now = w.now.Add(time.Minute)
		young := w.submitted("b")
		w.purgeAll(gateway.Retention{Records: w.now})
		for _, m := range []*gateway.Message{old, parts} {
			_, err := w.Message(w.ctx, one, m.ID)
			w.refused(err, gateway.NotFound)
		}
		w.state(waiting, gateway.Queued, 1)
		w.state(young, gateway.Sent, 2)
		w.same(told(w.pending()), []string{"1 queued", "1 queued", "2 sent"})
		w.same(w.endpoints(), map[int64]gateway.EndpointCount{gateway.EndpointOf(one, callbackURL): {Fresh: 3}})
		w.list(gateway.MessageFilter{Account: one}, 2, []gateway.ID{young.ID, waiting.ID})
		w.same(w.receipt(w.delivered("p1")), gateway.Applied{Parked: true})
	},
	"told events go, those still to be told stay": func(w *world) {
		events := w.accept(w.message(), w.message(), w.message())
		at := w.now.UnixMicro()
		w.ok(w.RecordAttempts(w.ctx, []gateway.Attempt{
			{Event: events[0].ID, Number: 1, AtMicro: at, Done: true}, {Event: events[1].ID, Number: 1, AtMicro: at, DueAtMicro: at},
		}))
		w.purgeAll(gateway.Retention{Told: w.now.Add(time.Hour)})
		w.same(w.endpoints(), map[int64]gateway.EndpointCount{gateway.EndpointOf(one, callbackURL): {Fresh: 1, Retries: 1, DueAt: at}})
		w.same(len(w.pending()), 1)
		w.state(events[0].Message, gateway.Queued, 1)
	},
	"keys go": func(w *world) {
		w.ok(w.insert(w.keyed("old", 1)))
		w.now = w.now.Add(time.Minute)
		w.ok(w.insert(w.keyed("young", 1)))
		w.purgeAll(gateway.Retention{Keys: w.now})
		w.ok(w.insert(w.keyed("old", 2)))
		w.refused(w.insert(w.keyed("young", 2)), gateway.Conflict)
	},
	"parked receipts are given up": func(w *world) {
		w.receipt(w.delivered("old"))
		w.now = w.now.Add(time.Minute)
		w.receipt(w.delivered("young"))
		w.purgeAll(gateway.Retention{Parked: w.now})
		late, m := w.submitted("old"), w.queued()
		w.state(late, gateway.Sent, 2)
		w.record(w.settled(m, 1, w.taken(1, "young")))
		w.state(m, gateway.Delivered, 3)
	},
	"much is purged in many steps": func(w *world) {
		const n = 1200
		var messages []*gateway.Message
		var records []*gateway.SubmitRecord
		var receipts []gateway.Receipt
		for i := range n {
			messages = append(messages, w.message())
			records = append(records, w.settled(messages[i], 1, w.taken(1, fmt.Sprint(i))))
			receipts = append(receipts, w.delivered(fmt.Sprint("parked", i)))
		}
		w.accept(messages...)
		must[[]gateway.Applied](w)(w.RecordSubmits(w.ctx, records))
		must[[]gateway.Applied](w)(w.ApplyReceipts(w.ctx, receipts))
		w.now = w.now.Add(time.Hour)
		kept := w.submitted("kept")
		if more := must[bool](w)(w.Purge(w.ctx, gateway.Retention{Texts: w.now, Records: w.now, Parked: w.now})); !more {
			w.Fatal("all is said to be gone after one step")
		}
		w.purgeAll(gateway.Retention{Texts: w.now, Records: w.now, Parked: w.now})
		w.list(gateway.MessageFilter{Account: one}, 1, []gateway.ID{kept.ID})
		w.same(told(w.pending()), []string{"1 queued", "2 sent"})
	},
}

// purgeAll purges until nothing is left to do.
func (w *world) purgeAll(retention gateway.Retention) {
	w.Helper()
	for range 10_000 {
		if !must[bool](w)(w.Purge(w.ctx, retention)) {
			return
		}
	}
	w.Fatal("a purge does not end")
}
