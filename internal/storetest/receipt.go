package storetest

import (
	"fmt"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
)

var receiptTests = map[string]func(*world){
	"a receipt moves its message, once": func(w *world) {
		m := w.submitted("a")
		w.now = w.now.Add(time.Minute)
		applied := w.receipt(w.delivered("a"))
		w.same(told(applied.Events), []string{"3 delivered"})
		w.same(applied.State, gateway.Delivered)
		e := applied.Events[0]
		w.same(e.ReportedAt, w.now)
		w.same(e.SentAt, w.now.Add(-time.Minute))
		s := w.stored(m)
		w.same(e.Message, s)
		w.same(s.ReportedAt, w.now)
		w.now = w.now.Add(time.Minute)
		w.same(w.receipt(w.delivered("a")), gateway.Applied{State: gateway.Delivered})
		w.same(w.receipt(w.undelivered("a")), gateway.Applied{State: gateway.Delivered})
		w.same(w.stored(m), s)
		w.same(told(w.pending()), []string{"1 queued", "2 sent", "3 delivered"})
	},
	"a receipt tells why a message did not arrive": func(w *world) {
		m := w.submitted("a")
		w.receipt(w.undelivered("a"))
		s := w.stored(m)
		w.same([]any{s.State, s.Reason, s.Detail}, []any{gateway.Undelivered, gateway.DestinationAway, "034"})
	},
	"a receipt that says nothing final is not kept": func(w *world) {
		m := w.submitted("a")
		transit := w.delivered("a")
		transit.Outcome = gateway.InTransit
		w.same(w.receipt(transit).Moved, false)
		transit.CarrierID = "unknown"
		w.same(w.receipt(transit), gateway.Applied{})
		w.state(m, gateway.Sent, 2)
	},
	"results are in the order of the receipts": func(w *world) {
		w.submitted("a")
		w.submitted("b")
		applied := must[[]gateway.Applied](w)(w.ApplyReceipts(w.ctx, []gateway.Receipt{
			w.undelivered("b"), w.delivered("nobody"), w.delivered("a"), w.delivered("b"),
		}))
		w.same(applied[0].State, gateway.Undelivered)
		w.same(applied[1], gateway.Applied{Parked: true})
		w.same(applied[2].State, gateway.Delivered)
		w.same(applied[3], gateway.Applied{State: gateway.Undelivered})
	},
	"a receipt that comes before its submit waits for it": func(w *world) {
		m, parts := w.queued(), w.queued()
		for range 2 {
			w.same(w.receipt(w.delivered("early")), gateway.Applied{Parked: true})
		}
		w.receipt(w.delivered("p2"))
		w.reopen()
		w.state(m, gateway.Queued, 1)
		applied := w.record(w.settled(m, 1, w.taken(1, "early")))
		w.same(told(applied.Events), []string{"2 sent", "3 delivered"})
		w.record(w.settled(parts, 2, w.taken(1, "p1"), w.taken(2, "p2")))
		w.state(parts, gateway.Sent, 2)
		w.receipt(w.delivered("p1"))
		w.state(parts, gateway.Delivered, 3)
		other := w.queued() // the receipt was taken up: it does not wait any more
		w.record(w.settled(other, 1, w.taken(1, "early")))
		w.state(other, gateway.Sent, 2)
	},
	"ids are the carrier's own": func(w *world) {
		m := w.submitted("a")
		foreign := w.delivered("a")
		foreign.Carrier = "other"
		w.same(w.receipt(foreign), gateway.Applied{Parked: true})
		w.state(m, gateway.Sent, 2)
	},
	"an id that a carrier gives again means the newest part": func(w *world) {
		old := w.submitted("7")
		parts := w.queued()
		w.record(w.settled(parts, 2, w.taken(1, "7"), w.taken(2, "8")))
		w.receipt(w.delivered("7"))
		w.receipt(w.delivered("8"))
		w.state(parts, gateway.Delivered, 3)
		w.state(old, gateway.Sent, 2)
		for range 2 {
			newer := w.submitted("8")
			w.receipt(w.delivered("8"))
			w.state(newer, gateway.Delivered, 3)
		}
	},
	"a receipt counts for its own part": func(w *world) {
		m := w.queued()
		w.record(w.settled(m, 3, w.taken(3, "c")))
		w.record(w.settled(m, 3, w.taken(1, "a"), w.taken(2, "b")))
		for i, id := range []string{"c", "b"} {
			w.receipt(w.delivered(id))
			w.same(w.stored(m).Delivered, []gateway.PartMask{0b100, 0b110}[i])
		}
	},
	"a message of several parts is delivered with the last of them": func(w *world) {
		m := w.queued()
		w.record(w.settled(m, 3, w.taken(1, "a"), w.taken(2, "b"), w.taken(3, "c")))
		for _, id := range []string{"b", "b", "c"} {
			w.same(len(w.receipt(w.delivered(id)).Events), 0)
		}
		w.now = w.now.Add(time.Second)
		w.same(w.receipt(w.delivered("b")), gateway.Applied{State: gateway.Sent})
		w.state(m, gateway.Sent, 2)
		w.same(told(w.receipt(w.delivered("a")).Events), []string{"3 delivered"})
	},
	"the first part that does not arrive decides": func(w *world) {
		m := w.queued()
		w.record(w.settled(m, 2, w.taken(1, "a"), w.taken(2, "b")))
		w.receipt(w.delivered("a"))
		w.same(told(w.receipt(w.undelivered("b")).Events), []string{"3 undelivered"})
		w.same(w.receipt(w.delivered("b")), gateway.Applied{State: gateway.Undelivered})
	},
	"a receipt for one part while others are still to go": func(w *world) {
		m, gone := w.queued(), w.queued()
		w.record(w.settled(m, 2, w.taken(1, "a")))
		w.receipt(w.delivered("a"))
		w.state(m, gateway.Queued, 1)
		w.record(w.settled(m, 2, w.taken(2, "b")))
		w.receipt(w.delivered("b"))
		w.state(m, gateway.Delivered, 3)
		w.record(w.settled(gone, 2, w.taken(1, "c")))
		w.same(told(w.receipt(w.undelivered("c")).Events), []string{"2 sent", "3 undelivered"})
		w.same(w.lane(mainLane, 0, 9), []gateway.ID{})
	},
	"a receipt that ends a message tells its sender and its country, once": func(w *world) {
		type end struct{ Sender, Country string }
		ended := func(applied gateway.Applied) end { return end{applied.Sender, applied.Country} }
		in := func(country string) *gateway.Message {
			m := w.message()
			m.Country = country
			w.accept(m)
			return m
		}
		m := in("CA")
		w.same(ended(w.record(w.settled(m, 2, w.taken(1, "a"), w.taken(2, "b")))), end{})
		w.same(ended(w.receipt(w.delivered("a"))), end{})
		w.same(ended(w.receipt(w.delivered("b"))), end{pooled, "CA"})
		w.same(ended(w.receipt(w.undelivered("b"))), end{})

		joined := w.settled(in("DE"), 1, w.taken(1, "c"))
		joined.Receipts = []gateway.PartReceipt{{Number: 1, Receipt: w.undelivered("c")}}
		w.same(ended(w.record(joined)), end{pooled, "DE"})
		w.same(ended(w.record(joined)), end{})

		w.receipt(w.delivered("d"))
		w.same(ended(w.record(w.settled(in("FR"), 1, w.taken(1, "d")))), end{pooled, "FR"})

		// What ends without a receipt tells nothing about the way to the phone.
		refused := w.settled(in("US"), 2, w.taken(1, "e"), w.rejected(2, gateway.Spam))
		refused.Receipts = []gateway.PartReceipt{{Number: 1, Receipt: w.delivered("e")}}
		applied := w.record(refused)
		w.same(applied.State, gateway.Undelivered)
		w.same(ended(applied), end{})
		w.same(ended(w.record(&gateway.SubmitRecord{Message: in("US"), Failure: gateway.Expired, At: w.now})), end{})

		held := in("GB")
		w.ok(w.MarkSubmitting(w.ctx, []gateway.ID{held.ID}, w.now))
		w.reopen()
		r := w.delivered("f")
		r.From, r.To = held.From, held.To
		w.same(ended(w.receipt(r)), end{pooled, "GB"})
	},
	"the submit that is recorded late finds its message moved on, and its receipts known": func(w *world) {
		m := w.queued()
		w.record(&gateway.SubmitRecord{Message: m, Failure: gateway.Expired, At: w.now})
		w.same(w.record(w.settled(m, 1, w.taken(1, "late"))).State, gateway.Failed)
		w.same(w.receipt(w.delivered("late")), gateway.Applied{State: gateway.Failed})
	},
}

var heldTests = map[string]func(*world){
	"a mark is no answer: what is in the carrier's hands is not held": func(w *world) {
		m := w.queued()
		w.ok(w.MarkSubmitting(w.ctx, []gateway.ID{m.ID, m.ID, w.id()}, w.now))
		w.same(w.held(), []gateway.ID{})
		_, err := w.ReleaseHeld(w.ctx, m.ID, w.now)
		w.refused(err, gateway.NotFound)
		w.record(w.settled(m, 1, w.taken(1, "a")))
		w.state(m, gateway.Sent, 2)
		w.reopen()
		w.same(w.held(), []gateway.ID{})
	},
	"after a crash exactly the marked ones are held": func(w *world) {
		m, free, sent := w.queued(), w.queued(), w.queued()
		w.ok(w.MarkSubmitting(w.ctx, []gateway.ID{m.ID, sent.ID}, w.now.Add(time.Second)))
		w.record(w.settled(sent, 1, w.taken(1, "a")))
		w.ok(w.MarkSubmitting(w.ctx, []gateway.ID{sent.ID, m.ID}, w.now.Add(time.Hour)))
		w.reopen()
		w.same(w.lane(mainLane, 0, 9), []gateway.ID{free.ID})
		list := must[[]gateway.Held](w)(w.HeldMessages(w.ctx, 9))
		w.same(list, []gateway.Held{{ID: m.ID, Account: one, Carrier: carrier, MarkedAt: w.now.Add(time.Second)}})
	},
	"an unanswered message is held, the oldest first": func(w *world) {
		second, first, third := w.hold(2*time.Second), w.hold(time.Second), w.hold(3*time.Second)
		w.same(w.held(), []gateway.ID{first.ID, second.ID, third.ID})
		w.same(len(must[[]gateway.Held](w)(w.HeldMessages(w.ctx, 2))), 2)
		w.same(w.lane(mainLane, 0, 9), []gateway.ID{})
		w.same(len(must[[]*gateway.Message](w)(w.ExpiredMessages(w.ctx, w.now.Add(48*time.Hour), 9))), 0)
		w.state(first, gateway.Queued, 1)
	},
	"a released mark puts the message back": func(w *world) {
		m := w.queued()
		w.ok(w.MarkSubmitting(w.ctx, []gateway.ID{m.ID}, w.now))
		w.record(&gateway.SubmitRecord{Message: m, Total: 1, Released: true, At: w.now})
		w.same(w.lane(mainLane, 0, 9), []gateway.ID{m.ID})
		w.ok(w.MarkSubmitting(w.ctx, []gateway.ID{m.ID}, w.now))
		w.record(&gateway.SubmitRecord{Message: m, Total: 1, Due: w.now.Add(time.Second), At: w.now})
		w.same(w.due(w.now.Add(time.Second), 9), []gateway.ID{m.ID})
		w.reopen()
		w.same(w.held(), []gateway.ID{})
	},
	"an operator releases a held message": func(w *world) {
		m := w.hold(0)
		back := must[*gateway.Message](w)(w.ReleaseHeld(w.ctx, m.ID, w.now.Add(time.Minute)))
		w.same(back, w.stored(m))
		w.same(back.UpdatedAt, w.now.Add(time.Minute))
		w.same(w.lane(mainLane, 0, 9), []gateway.ID{m.ID})
		_, err := w.ReleaseHeld(w.ctx, m.ID, w.now)
		w.refused(err, gateway.NotFound)
		_, err = w.FailHeld(w.ctx, m.ID, w.now)
		w.refused(err, gateway.NotFound)
		w.record(w.settled(back, 1, w.taken(1, "a")))
		w.state(m, gateway.Sent, 2)
	},
	"a held message that was deferred before goes back into its lane, not to wait": func(w *world) {
		m := w.queued()
		w.record(&gateway.SubmitRecord{Message: m, Total: 1, Due: w.now.Add(time.Second), At: w.now})
		w.ok(w.MarkSubmitting(w.ctx, []gateway.ID{m.ID}, w.now))
		w.same(w.due(w.now.Add(time.Hour), 9), []gateway.ID{})
		w.record(&gateway.SubmitRecord{Message: m, Total: 1, Held: true, At: w.now})
		must[*gateway.Message](w)(w.ReleaseHeld(w.ctx, m.ID, w.now))
		w.same(w.lane(mainLane, 0, 9), []gateway.ID{m.ID})
		w.same(w.due(w.now.Add(time.Hour), 9), []gateway.ID{})
	},
	"an operator fails a held message": func(w *world) {
		m := w.hold(0)
		applied := must[gateway.Applied](w)(w.FailHeld(w.ctx, m.ID, w.now))
		w.same(told(applied.Events), []string{"2 failed"})
		w.same(applied.Events[0].Reason, gateway.DispatchFailed)
		_, err := w.FailHeld(w.ctx, m.ID, w.now)
		w.refused(err, gateway.NotFound)
		w.same(w.held(), []gateway.ID{})
		w.state(m, gateway.Failed, 2)
	},
	"a receipt finds the held message by its addresses, the one marked first": func(w *world) {
		second, first := w.message(), w.message()
		second.To = first.To
		elsewhere := w.message()
		w.accept(second, first, elsewhere)
		for i, m := range []*gateway.Message{first, second, elsewhere} {
			w.ok(w.MarkSubmitting(w.ctx, []gateway.ID{m.ID}, w.now.Add(time.Duration(i)*time.Second)))
			w.record(&gateway.SubmitRecord{Message: m, Total: 1, Held: true, At: w.now})
		}
		r := w.delivered("x")
		r.From, r.To = pooled, first.To
		w.same(told(w.receipt(r).Events), []string{"2 sent", "3 delivered"})
		w.state(first, gateway.Delivered, 3)
		w.same(w.receipt(r), gateway.Applied{State: gateway.Delivered}) // by its id now: not another one
		r.CarrierID, r.Outcome = "y", gateway.ReceiptUndelivered
		w.receipt(r)
		w.state(second, gateway.Undelivered, 3)
		r.CarrierID = "z"
		w.same(w.receipt(r), gateway.Applied{Parked: true})
		w.state(elsewhere, gateway.Queued, 1)
		w.same(w.held(), []gateway.ID{elsewhere.ID})
	},
	"a receipt with addresses never moves what is not held": func(w *world) {
		queued, marked := w.message(), w.message()
		marked.To = queued.To
		w.accept(queued, marked)
		w.ok(w.MarkSubmitting(w.ctx, []gateway.ID{marked.ID}, w.now))
		r := w.delivered("x")
		r.From, r.To = pooled, queued.To
		w.same(w.receipt(r), gateway.Applied{Parked: true})
		w.state(queued, gateway.Queued, 1)
		w.state(marked, gateway.Queued, 1)
	},
	"a receipt that came before the message was held is taken up": func(w *world) {
		m, crashed := w.queued(), w.queued()
		w.ok(w.MarkSubmitting(w.ctx, []gateway.ID{m.ID, crashed.ID}, w.now))
		for _, held := range []*gateway.Message{m, crashed} {
			r := w.delivered("x" + held.To)
			r.From, r.To = pooled, held.To
			w.receipt(r)
		}
		applied := w.record(&gateway.SubmitRecord{Message: m, Total: 1, Held: true, At: w.now.Add(time.Second)})
		w.same(told(applied.Events), []string{"2 sent", "3 delivered"})
		w.reopen()
		w.state(crashed, gateway.Delivered, 3)
		w.same(w.held(), []gateway.ID{})
	},
	"a receipt from before the submit is not about it": func(w *world) {
		m := w.message()
		stale := w.delivered("stale")
		stale.From, stale.To, stale.At = pooled, m.To, w.now.Add(-time.Hour)
		w.receipt(stale)
		w.accept(m)
		w.ok(w.MarkSubmitting(w.ctx, []gateway.ID{m.ID}, w.now))
		w.record(&gateway.SubmitRecord{Message: m, Total: 1, Held: true, At: w.now})
		w.state(m, gateway.Queued, 1)
		w.same(w.held(), []gateway.ID{m.ID})
	},
	"parts of a held message": func(w *world) {
		m := w.queued()
		w.ok(w.MarkSubmitting(w.ctx, []gateway.ID{m.ID}, w.now))
		r := w.settled(m, 2, w.taken(1, "a"))
		r.Held = true
		w.record(r)
		w.same(w.held(), []gateway.ID{m.ID})
		w.receipt(w.delivered("a"))
		w.same(w.held(), []gateway.ID{m.ID})
		second := w.delivered("b")
		second.From, second.To = pooled, m.To
		w.receipt(second)
		w.state(m, gateway.Delivered, 3)
		w.same(w.receipt(second), gateway.Applied{State: gateway.Delivered})
	},
	"a held message of which no part was answered takes a receipt for each": func(w *world) {
		m := w.queued()
		w.ok(w.MarkSubmitting(w.ctx, []gateway.ID{m.ID}, w.now))
		w.record(&gateway.SubmitRecord{Message: m, Total: 2, Held: true, At: w.now})
		for i, state := range []gateway.State{gateway.Queued, gateway.Delivered} {
			r := w.delivered(fmt.Sprint("x", i))
			r.From, r.To = pooled, m.To
			w.same(w.receipt(r).State, state)
		}
		w.state(m, gateway.Delivered, 3)
	},
}

// hold makes a message that was marked so long after now and never answered.
func (w *world) hold(after time.Duration) *gateway.Message {
	w.Helper()
	m := w.queued()
	w.ok(w.MarkSubmitting(w.ctx, []gateway.ID{m.ID}, w.now.Add(after)))
	applied := w.record(&gateway.SubmitRecord{Message: m, Total: 1, Held: true, At: w.now.Add(after + time.Minute)})
	w.same(applied, gateway.Applied{Moved: true, State: gateway.Queued})
	return m
}

func (w *world) held() []gateway.ID {
	w.Helper()
	ids := []gateway.ID{}
	for _, h := range must[[]gateway.Held](w)(w.HeldMessages(w.ctx, 100)) {
		ids = append(ids, h.ID)
	}
	return ids
}
