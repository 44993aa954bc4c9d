package storetest

import (
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
)

var moveTests = map[string]func(*world){
	"a queued message gets another sender": func(w *world) {
		m, other := w.queued(), w.queued()
		want := *m
		want.From, want.Carrier, want.PickedBy = rented, "other", gateway.BySameArea
		move := gateway.Move{Message: m, From: rented, Carrier: "other", PickedBy: gateway.BySameArea, At: w.now.Add(time.Second)}
		w.same(w.move(move), gateway.Applied{Moved: true, State: gateway.Queued})
		w.reopen()
		w.same(w.stored(m), &want)
		w.same(w.counts(), map[gateway.LaneKey][2]int{mainLane: {1, 1}, want.Lane(): {1, 1}})
		w.same(w.lane(want.Lane(), 0, 9), []gateway.ID{m.ID})
		w.same(w.lane(mainLane, 0, 9), []gateway.ID{other.ID})
		w.same(w.move(move), gateway.Applied{Moved: true, State: gateway.Queued}) // the batch came again
		w.same(w.stored(m), &want)
		w.same(told(w.pending()), []string{"1 queued", "1 queued"})
		w.record(w.settled(&want, 1, w.taken(1, "a")))
		w.same(w.stored(m).From, rented)
	},
	"what the caller holds is not moved with it": func(w *world) {
		m := w.queued()
		before := *m
		w.move(gateway.Move{Message: m, From: rented, Carrier: carrier, At: w.now})
		w.same(*m, before)
	},
	"results are in the order of the moves": func(w *world) {
		sent, failed, marked, moved, free, ending := w.queued(), w.queued(), w.queued(), w.queued(), w.queued(), w.queued()
		w.record(w.settled(sent, 1, w.taken(1, "a")))
		w.record(w.settled(failed, 1, w.rejected(1, gateway.Spam)))
		w.ok(w.MarkSubmitting(w.ctx, []gateway.ID{marked.ID}, w.now))
		w.move(gateway.Move{Message: moved, From: pooledToo, Carrier: carrier, At: w.now})
		to := func(m *gateway.Message) gateway.Move {
			return gateway.Move{Message: m, From: rented, Carrier: carrier, At: w.now}
		}
		end := to(ending)
		end.From, end.Failure = "", gateway.InvalidSource
		twin := *free
		twin.ID[15]++ // the same place in the order, another message
		moves := []gateway.Move{to(sent), to(free), to(failed), end, to(marked), to(w.message()), to(moved), to(&twin)}
		applied := must[[]gateway.Applied](w)(w.MoveMessages(w.ctx, moves, nil))
		w.same(told(applied[3].Events), []string{"2 failed"})
		applied[3].Events = nil
		w.same(applied, []gateway.Applied{
			{State: gateway.Sent},
			{Moved: true, State: gateway.Queued},
			{State: gateway.Failed},
			{Moved: true, State: gateway.Failed},
			{State: gateway.Queued},
			{State: gateway.Failed},
			{State: gateway.Queued},
			{State: gateway.Failed},
		})
		for _, m := range []*gateway.Message{sent, failed, marked, ending} {
			w.same(w.stored(m).From, pooled)
		}
		w.same([]string{w.stored(moved).From, w.stored(free).From}, []string{pooledToo, rented})
	},
	"a moved message that has left since is not moved again": func(w *world) {
		m := w.queued()
		move := gateway.Move{Message: m, From: rented, Carrier: carrier, At: w.now}
		w.same(w.move(move).Moved, true)
		w.ok(w.MarkSubmitting(w.ctx, []gateway.ID{m.ID}, w.now))
		w.same(w.move(move), gateway.Applied{State: gateway.Queued})
		w.record(w.settled(m, 1, w.taken(1, "a")))
		w.same(w.move(move), gateway.Applied{State: gateway.Sent})
	},
	"a move to another carrier alone": func(w *world) {
		m := w.queued()
		move := gateway.Move{Message: m, From: pooled, Carrier: "other", PickedBy: m.PickedBy, At: w.now}
		for range 2 {
			w.same(w.move(move), gateway.Applied{Moved: true, State: gateway.Queued})
			w.same(w.counts(), map[gateway.LaneKey][2]int{{Account: one, Sender: pooled, Carrier: "other"}: {1, 1}})
		}
	},
	"a deferred message moves and stays deferred": func(w *world) {
		m := w.queued()
		due := w.now.Add(time.Minute)
		w.record(&gateway.SubmitRecord{Message: m, Total: 1, Due: due, At: w.now})
		w.same(w.move(gateway.Move{Message: m, From: rented, Carrier: "other", At: w.now}).Moved, true)
		w.same(w.counts(), map[gateway.LaneKey][2]int{})
		w.same([]time.Time{w.nextRetry(carrier), w.nextRetry("other")}, []time.Time{{}, due})
		retries := must[[]*gateway.Message](w)(w.DueRetries(w.ctx, "other", due, 9))
		w.same(idsOf(retries), []gateway.ID{m.ID})
		w.same([]any{retries[0].From, retries[0].Attempt, retries[0].DueAt}, []any{rented, 1, due})
	},
	"a message that nobody can send fails, once": func(w *world) {
		m, silent := w.message(), w.message()
		m.Log, silent.Callback = gateway.LogNothing, gateway.Callback{}
		w.accept(m, silent)
		w.record(&gateway.SubmitRecord{Message: m, Total: 1, Due: w.now.Add(time.Minute), At: w.now}) // deferred ones too
		at := w.now.Add(time.Hour)
		end := func(m *gateway.Message) gateway.Move {
			bare := &gateway.Message{ID: m.ID, From: m.From} // all that is read of it
			return gateway.Move{Message: bare, Failure: gateway.InvalidSource, At: at}
		}
		applied := w.move(end(m))
		w.same([]any{applied.Moved, applied.State}, []any{true, gateway.Failed})
		w.same(told(applied.Events), []string{"2 failed"})
		e := applied.Events[0]
		w.same([]any{e.Reason, e.At}, []any{gateway.InvalidSource, at})
		s := w.stored(m)
		w.same([]any{s.State, s.Reason, s.Sequence, s.Text, s.From}, []any{gateway.Failed, gateway.InvalidSource, 2, "", pooled})
		w.same([]any{e.Message.ID, e.Message.Callback, e.Message.State}, []any{m.ID, m.Callback, gateway.Failed})
		w.same(w.move(end(m)), gateway.Applied{State: gateway.Failed})
		w.same(w.move(end(silent)), gateway.Applied{Moved: true, State: gateway.Failed})
		w.same(w.counts(), map[gateway.LaneKey][2]int{})
		w.same(w.nextRetry(carrier), time.Time{})
		w.reopen()
		w.same(told(w.pending()), []string{"1 queued", "2 failed"})
	},
	"sticky choices are kept with moves, by the rule of all of them": func(w *world) {
		const stays, goes, fresh = "14155552671", "14155552672", "14155552673"
		w.remember(w.powerpack.ID, stays, pooledToo)
		w.remember(w.powerpack.ID, goes, pooled)
		w.ok(w.RemoveFromPool(w.ctx, one, w.powerpack.Pool, pooled, false))
		must[gateway.Number](w)(w.AddToPool(w.ctx, one, w.powerpack.Pool, rented, gateway.SMS, false, w.now))
		var remember []gateway.Sticky
		for _, to := range []string{stays, goes, fresh} {
			remember = append(remember, gateway.Sticky{Powerpack: w.powerpack.ID, To: to, From: rented})
		}
		remember = append(remember, gateway.Sticky{Powerpack: w.id(), To: fresh, From: rented}) // a powerpack that is gone
		for range 2 {
			must[[]gateway.Applied](w)(w.MoveMessages(w.ctx, nil, remember))
			w.reopen()
			w.same([]string{w.sticky(w.powerpack.ID, stays), w.sticky(w.powerpack.ID, goes), w.sticky(w.powerpack.ID, fresh)}, []string{pooledToo, rented, rented})
		}
	},
}

// move makes one move.
func (w *world) move(move gateway.Move) gateway.Applied {
	w.Helper()
	applied := must[[]gateway.Applied](w)(w.MoveMessages(w.ctx, []gateway.Move{move}, nil))
	if len(applied) != 1 {
		w.Fatalf("%d results for one move", len(applied))
	}
	return applied[0]
}
