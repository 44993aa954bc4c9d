package storetest

import (
	"fmt"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
)

var submitTests = map[string]func(*world){
	"a message of one part is sent": func(w *world) {
		m := w.queued()
		w.now = w.now.Add(time.Second)
		applied := w.record(w.settled(m, 1, w.taken(1, "a")))
		w.same(applied.Moved, true)
		w.same(applied.State, gateway.Sent)
		w.same(told(applied.Events), []string{"2 sent"})
		w.same(applied.Events[0].SentAt, w.now)
		s := w.stored(m)
		w.same(s.SentAt, w.now)
		w.same(s.UpdatedAt, w.now)
		w.same(s.Parts, 1)
		w.same(applied.Events[0].Message, s)
	},
	"what the caller holds is not written on": func(w *world) {
		m := w.queued()
		before := *m
		w.record(w.settled(m, 1, w.taken(1, "a")))
		w.same(*m, before)
	},
	"the same records again do nothing twice": func(w *world) {
		m, parts, failed := w.queued(), w.queued(), w.queued()
		batch := []*gateway.SubmitRecord{
			w.settled(m, 1, w.taken(1, "a")), w.settled(parts, 2, w.taken(1, "b1"), w.taken(2, "b2")), w.settled(failed, 1, w.rejected(1, gateway.InvalidDestination)),
		}
		first := must[[]gateway.Applied](w)(w.RecordSubmits(w.ctx, batch))
		for _, applied := range first {
			w.same(len(applied.Events), 1)
		}
		again := must[[]gateway.Applied](w)(w.RecordSubmits(w.ctx, batch))
		w.same(again, []gateway.Applied{{State: gateway.Sent}, {State: gateway.Sent}, {State: gateway.Failed}})
		w.same(len(w.pending()), 6)
	},
	"one message twice in a batch moves once": func(w *world) {
		m := w.queued()
		r := w.settled(m, 1, w.taken(1, "a"))
		applied := must[[]gateway.Applied](w)(w.RecordSubmits(w.ctx, []*gateway.SubmitRecord{r, r}))
		w.same([]bool{applied[0].Moved, applied[1].Moved}, []bool{true, false})
		w.state(m, gateway.Sent, 2)
	},
	"the store's row decides, not the caller's copy": func(w *world) {
		m := w.queued()
		stale := *m
		w.record(w.settled(m, 2, w.taken(1, "a")))
		applied := w.record(w.settled(&stale, 2, w.taken(2, "b")))
		w.same(applied.State, gateway.Sent)
		w.same(w.stored(m).Taken, gateway.AllParts(2))
	},
	"a refused message has failed": func(w *world) {
		m := w.queued()
		applied := w.record(w.settled(m, 1, w.rejected(1, gateway.InvalidDestination)))
		w.same(told(applied.Events), []string{"2 failed"})
		w.same(applied.Events[0].Reason, gateway.InvalidDestination)
		s := w.stored(m)
		w.same(s.Reason, gateway.InvalidDestination)
		w.same(s.Detail, "ESME_RINVDSTADR")
		w.same(s.SentAt.IsZero(), true)
	},
	"a refused part makes a message undelivered that others were taken of": func(w *world) {
		m := w.queued()
		applied := w.record(w.settled(m, 3, w.taken(1, "a"), w.rejected(2, gateway.Spam)))
		w.same(told(applied.Events), []string{"2 sent", "3 undelivered"})
		w.state(m, gateway.Undelivered, 3)
	},
	"a message of several parts is sent with the last of them": func(w *world) {
		m := w.queued()
		w.same(w.record(w.settled(m, 3, w.taken(1, "a"))).Events == nil, true)
		w.state(m, gateway.Queued, 1)
		w.same(w.lane(mainLane, 0, 9), []gateway.ID{m.ID})
		w.same(w.stored(m).Taken.Has(1), true)
		w.record(w.settled(m, 3, w.taken(2, "b"), w.taken(3, "c")))
		w.state(m, gateway.Sent, 2)
	},
	"parts of which some were taken can be deferred": func(w *world) {
		m := w.queued()
		r := w.settled(m, 2, w.taken(1, "a"))
		r.Due = w.now.Add(time.Second)
		w.record(r)
		s := w.stored(m)
		w.same(s.Attempt, 1)
		w.same(s.Taken.Has(1), true)
		w.same(w.due(w.now.Add(time.Second), 9), []gateway.ID{m.ID})
		w.record(w.settled(m, 2, w.taken(2, "b")))
		w.state(m, gateway.Sent, 2)
		w.receipt(w.delivered("b"))
		w.receipt(w.delivered("a"))
		w.state(m, gateway.Delivered, 3)
	},
	"a message that is not there is nobody's to submit": func(w *world) {
		w.same(w.record(w.settled(w.message(), 1, w.taken(1, "a"))), gateway.Applied{State: gateway.Failed})
		m := w.queued()
		twin := *m
		twin.ID[15]++ // the same place in the order, another message
		w.same(w.record(w.settled(&twin, 1, w.taken(1, "a"))), gateway.Applied{State: gateway.Failed})
		w.state(m, gateway.Queued, 1)
	},
	"receipts that came while the submit was in hand are applied with it": func(w *world) {
		m, gone := w.queued(), w.queued()
		r := w.settled(m, 2, w.taken(1, "a"), w.taken(2, "b"))
		r.Receipts = []gateway.PartReceipt{{Number: 2, Receipt: w.delivered("b")}, {Number: 1, Receipt: w.delivered("a")}}
		bad := w.settled(gone, 1, w.taken(1, "c"))
		bad.Receipts = []gateway.PartReceipt{{Number: 1, Receipt: w.undelivered("c")}, {Number: 1, Receipt: w.delivered("c")}}
		batch := []*gateway.SubmitRecord{r, bad}
		applied := must[[]gateway.Applied](w)(w.RecordSubmits(w.ctx, batch))
		w.same(told(applied[0].Events), []string{"2 sent", "3 delivered"})
		w.same(told(applied[1].Events), []string{"2 sent", "3 undelivered"})
		w.same(w.stored(gone).Reason, gateway.DestinationAway)
		again := must[[]gateway.Applied](w)(w.RecordSubmits(w.ctx, batch))
		w.same(again, []gateway.Applied{{State: gateway.Delivered}, {State: gateway.Undelivered}})
	},
	"a message without a callback moves without events": func(w *world) {
		m := w.message()
		m.Callback = gateway.Callback{}
		w.same(len(w.accept(m)), 0)
		w.same(len(w.record(w.settled(m, 1, w.taken(1, "a"))).Events), 0)
		w.same(len(w.receipt(w.delivered("a")).Events), 0)
		w.state(m, gateway.Delivered, 3)
		w.same(len(must[[]gateway.EndpointCount](w)(w.Endpoints(w.ctx))), 0)
	},
	"large batches": func(w *world) {
		var messages []*gateway.Message
		for range 300 {
			messages = append(messages, w.message())
		}
		w.accept(messages...)
		var records []*gateway.SubmitRecord
		var receipts []gateway.Receipt
		for i, m := range messages {
			records = append(records, w.settled(m, 1, w.taken(1, fmt.Sprint(i))))
			receipts = append(receipts, w.delivered(fmt.Sprint(i)))
		}
		for _, applied := range must[[]gateway.Applied](w)(w.RecordSubmits(w.ctx, records)) {
			w.same(applied.State, gateway.Sent)
		}
		for i, applied := range must[[]gateway.Applied](w)(w.ApplyReceipts(w.ctx, receipts)) {
			w.same(applied.State, gateway.Delivered)
			w.same(applied.Events[0].Message.ID, messages[i].ID)
		}
		w.same(len(w.pending()), 900)
	},
}
