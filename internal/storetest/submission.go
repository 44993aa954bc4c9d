package storetest

import (
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
)

var submissionTests = map[string]func(*world){
	"a message is kept in every particular": func(w *world) {
		m := w.message()
		m.Service, m.Alphabet, m.Units = gateway.MMS, gateway.UCS2, 3
		m.From, m.Country = "ACME", "DE"
		m.Text = "grüße, \x00 \u2603 𝄞 'quoted'"
		m.MediaURLs, m.MediaIDs = []string{"https://example.com/a.gif", "https://example.com/b?c=d&e=\"f\""}, []string{"media"}
		m.Powerpack, m.PickedBy = w.powerpack.ID, gateway.BySameArea
		m.Log, m.Trackable = gateway.LogContentOnly, true
		m.DLT = gateway.DLT{EntityID: "e", TemplateID: "t", TemplateCategory: "c"}
		bare := &gateway.Message{ID: w.id(), Account: two, Service: gateway.SMS, From: rented, To: "14155552671", Units: 1, Carrier: carrier, AcceptedAt: w.now, ExpiresAt: w.now}
		bare.Start(w.now)
		w.accept(m)
		w.accept(bare)
		w.reopen()
		w.same(w.stored(m), m)
		w.same(w.stored(bare), bare)
	},
	"events come with the ids they are stored under, in order": func(w *world) {
		first, silent, failed := w.message(), w.message(), w.message()
		silent.Callback = gateway.Callback{}
		failed.From, failed.Carrier = "", ""
		failed.Fail(gateway.NoRoute, w.now)
		events := w.accept(first, silent, failed)
		w.same(told(events), []string{"1 queued", "1 queued", "2 failed"})
		w.same(events[2].Reason, gateway.NoRoute)
		if !(0 < events[0].ID && events[0].ID < events[1].ID && events[1].ID < events[2].ID) {
			w.Fatalf("ids of events do not increase: %d %d %d", events[0].ID, events[1].ID, events[2].ID)
		}
		w.same(events[0].Message, first)
		w.same(w.pending(), events)
		w.state(failed, gateway.Failed, 2)
	},
	"the same batch again stores nothing twice": func(w *world) {
		batch := []*gateway.Submission{w.submission(w.message(), w.message()), w.submission(w.message())}
		for range 3 {
			results, err := w.InsertMessages(w.ctx, batch)
			w.ok(err)
			w.ok(results[0].Err)
			w.ok(results[1].Err)
		}
		w.same(w.counts(), map[gateway.LaneKey][2]int{mainLane: {3, 3}})
		w.same(told(w.pending()), []string{"1 queued", "1 queued", "1 queued"})
	},
	"a batch that comes again does not undo what happened meanwhile": func(w *world) {
		sub := w.submission(w.message())
		w.ok(w.insert(sub))
		w.record(w.settled(sub.Messages[0], 1, w.taken(1, "a")))
		w.ok(w.insert(sub))
		w.state(sub.Messages[0], gateway.Sent, 2)
		w.same(w.lane(mainLane, 0, 9), []gateway.ID{})
	},
	"two messages never share a place in the order: the batch is refused whole": func(w *world) {
		m, before, twin := w.queued(), w.message(), w.message()
		twin.ID = m.ID
		twin.ID[15]++
		if _, err := w.InsertMessages(w.ctx, []*gateway.Submission{w.submission(before, twin)}); err == nil {
			w.Fatal("stored")
		}
		_, err := w.Message(w.ctx, one, before.ID)
		w.refused(err, gateway.NotFound)
		_, err = w.Message(w.ctx, one, twin.ID)
		w.refused(err, gateway.NotFound)
		w.state(m, gateway.Queued, 1)
	},
	"an account that is not there fails alone": func(w *world) {
		stranger := w.message()
		stranger.Account = "MANONENONENONENONENO"
		good := w.message()
		results, err := w.InsertMessages(w.ctx, []*gateway.Submission{w.submission(stranger), w.submission(good)})
		w.ok(err)
		w.refused(results[0].Err, gateway.NotFound)
		w.ok(results[1].Err)
		w.state(good, gateway.Queued, 1)
	},
	"a key that comes again with the same request is answered as before": func(w *world) {
		for _, batched := range []bool{false, true} {
			first, again := w.keyed("key", 1), w.keyed("key", 1)
			if batched {
				first, again = w.keyed("batched", 1), w.keyed("batched", 1)
			}
			first.Idempotency.Acceptance.Invalid = []string{"123", "x<y"}
			results := w.insertTogether(batched, first, again)
			w.ok(results[0].Err)
			w.same(results[0].Replayed == nil, true)
			w.ok(results[1].Err)
			w.same(results[1].Replayed, &first.Idempotency.Acceptance)
			w.same(results[1].Events == nil, true)
			_, err := w.Message(w.ctx, one, again.Messages[0].ID)
			w.refused(err, gateway.NotFound)
		}
	},
	"a key that comes again with another request is a conflict for that one alone": func(w *world) {
		for _, batched := range []bool{false, true} {
			key := map[bool]string{false: "key", true: "batched"}[batched]
			first, other, free := w.keyed(key, 1), w.keyed(key, 2), w.submission(w.message())
			results := w.insertTogether(batched, first, other, free)
			w.ok(results[0].Err)
			w.refused(results[1].Err, gateway.Conflict)
			w.ok(results[2].Err)
			_, err := w.Message(w.ctx, one, other.Messages[0].ID)
			w.refused(err, gateway.NotFound)
			w.state(free.Messages[0], gateway.Queued, 1)
		}
	},
	"a key is remembered for its window, over a restart": func(w *world) {
		first := w.keyed("key", 1)
		w.ok(w.insert(first))
		w.reopen()
		w.now = w.now.Add(gateway.IdempotencyWindow - time.Microsecond)
		again := w.insertTogether(true, w.keyed("key", 1))
		w.same(again[0].Replayed, &first.Idempotency.Acceptance)
		w.now = w.now.Add(time.Microsecond)
		other := w.keyed("key", 2)
		results := w.insertTogether(true, other)
		w.ok(results[0].Err)
		w.same(results[0].Replayed == nil, true)
		w.state(other.Messages[0], gateway.Queued, 1)
		w.refused(w.insertTogether(true, w.keyed("key", 1))[0].Err, gateway.Conflict)
	},
	"what a key was answered can be asked for": func(w *world) {
		first := w.keyed("key", 1)
		w.ok(w.insert(first))
		ask := func(account gateway.AccountID, key string, body byte, at time.Time) (*gateway.Acceptance, error) {
			return w.Answered(w.ctx, account, key, [32]byte{body}, at)
		}
		answer, err := ask(one, "key", 1, w.now)
		w.ok(err)
		w.same(answer, &first.Idempotency.Acceptance)
		_, err = ask(one, "key", 2, w.now)
		w.refused(err, gateway.Conflict)
		for _, none := range []struct {
			account gateway.AccountID
			key     string
			at      time.Time
		}{{one, "other", w.now}, {two, "key", w.now}, {"MANONENONENONENONENO", "key", w.now}, {one, "key", w.now.Add(gateway.IdempotencyWindow)}} {
			answer, err := ask(none.account, none.key, 1, none.at)
			w.ok(err)
			w.same(answer == nil, true)
		}
	},
	"keys of two accounts do not meet": func(w *world) {
		first, other := w.keyed("key", 1), w.keyed("key", 2)
		other.Account, other.Messages[0].Account = two, two
		results := w.insertTogether(true, first, other)
		w.ok(results[0].Err)
		w.ok(results[1].Err)
		w.same(results[1].Replayed == nil, true)
	},
	"the last place in the order is remembered": func(w *world) {
		m := w.queued()
		w.reopen()
		last := must[int64](w)(w.LastSeq(w.ctx))
		w.same(last, m.ID.Seq())
		later := w.powerpack
		later.ID, later.Pool, later.Name = w.id(), w.id(), "later"
		w.ok(w.CreatePowerpack(w.ctx, later))
		w.same(must[int64](w)(w.LastSeq(w.ctx)), later.Pool.Seq())
	},
	"contents of messages that are not to be logged go with their end": func(w *world) {
		for mode, kept := range map[gateway.LogMode]bool{
			gateway.LogAll: true, gateway.LogContentOnly: true, gateway.LogNothing: false, gateway.LogNumberOnly: false,
		} {
			m := w.message()
			m.Log, m.MediaURLs = mode, []string{"https://example.com/a.gif"}
			w.accept(m)
			w.same(w.stored(m).Text, m.Text)
			w.record(w.settled(m, 2, w.taken(1, m.ID.String())))
			w.same(w.stored(m).Text, m.Text)
			w.record(w.settled(m, 2, w.taken(2, m.To)))
			w.state(m, gateway.Sent, 2)
			w.same(w.stored(m).Text == m.Text, kept)
			w.same(w.stored(m).Text == "", !kept)
			w.same(len(w.stored(m).MediaURLs) > 0, kept)
			failed := w.message()
			failed.Log = mode
			failed.Fail(gateway.InvalidSource, w.now)
			w.accept(failed)
			w.same(w.stored(failed).Text == m.Text, kept)
		}
	},
}

func (w *world) insert(sub *gateway.Submission) error {
	results, err := w.InsertMessages(w.ctx, []*gateway.Submission{sub})
	if err != nil {
		return err
	}
	return results[0].Err
}

// keyed makes a submission under a key; body tells requests apart.
func (w *world) keyed(key string, body byte) *gateway.Submission {
	sub := w.submission(w.message())
	sub.Idempotency = &gateway.Idempotency{Key: key, BodyHash: [32]byte{body}, Acceptance: gateway.Acceptance{
		RequestID: w.id(), Messages: []gateway.ID{sub.Messages[0].ID},
	}}
	return sub
}

// insertTogether stores submissions in one batch, or each in its own.
func (w *world) insertTogether(batched bool, subs ...*gateway.Submission) (results []gateway.Inserted) {
	w.Helper()
	batches := [][]*gateway.Submission{subs}
	if !batched {
		batches = nil
		for _, sub := range subs {
			batches = append(batches, []*gateway.Submission{sub})
		}
	}
	for _, batch := range batches {
		done, err := w.InsertMessages(w.ctx, batch)
		w.ok(err)
		results = append(results, done...)
	}
	return results
}

var stickyTests = map[string]func(*world){
	"a sticky choice is remembered, and the first one stays": func(w *world) {
		w.remember(w.powerpack.ID, "14155552671", pooled)
		w.remember(w.powerpack.ID, "14155552671", pooledToo)
		w.reopen()
		w.same(w.sticky(w.powerpack.ID, "14155552671"), pooled)
		w.same(w.sticky(w.powerpack.ID, "14155552672"), "")
		w.same(w.sticky(w.id(), "14155552671"), "")
	},
	"a sticky choice is replaced when its sender has left the pool": func(w *world) {
		w.remember(w.powerpack.ID, "14155552671", pooled)
		w.ok(w.RemoveFromPool(w.ctx, one, w.powerpack.Pool, pooled, false))
		w.remember(w.powerpack.ID, "14155552671", pooledToo)
		w.same(w.sticky(w.powerpack.ID, "14155552671"), pooledToo)
	},
	"a sticky choice is replaced when its sender is the forerunner": func(w *world) {
		w.remember(w.powerpack.ID, "14155552671", pooled)
		w.rememberInstead(w.powerpack.ID, "14155552671", pooledToo, rented)
		w.same(w.sticky(w.powerpack.ID, "14155552671"), pooled)
		w.rememberInstead(w.powerpack.ID, "14155552671", pooledToo, pooled)
		w.same(w.sticky(w.powerpack.ID, "14155552671"), pooledToo)
	},
	"sticky choices go with their powerpack": func(w *world) {
		other := w.powerpack
		other.ID, other.Pool, other.Name = w.id(), w.id(), "other"
		w.ok(w.CreatePowerpack(w.ctx, other))
		w.remember(w.powerpack.ID, "14155552671", pooled)
		w.remember(other.ID, "14155552671", pooledToo)
		w.ok(w.DeletePowerpack(w.ctx, one, w.powerpack.ID, false))
		w.same(w.sticky(w.powerpack.ID, "14155552671"), "")
		w.remember(w.powerpack.ID, "14155552671", pooled)
		w.same(w.sticky(w.powerpack.ID, "14155552671"), "")
		for more := true; more; {
			more = must[bool](w)(w.Purge(w.ctx, gateway.Retention{}))
		}
		w.same(w.sticky(other.ID, "14155552671"), pooledToo)
	},
}

func (w *world) remember(powerpack gateway.ID, to, from string) {
	w.Helper()
	w.rememberInstead(powerpack, to, from, "")
}

func (w *world) rememberInstead(powerpack gateway.ID, to, from, forerunner string) {
	w.Helper()
	sub := w.submission(w.message())
	sub.Remember = []gateway.Sticky{{Powerpack: powerpack, To: to, From: from, Instead: forerunner}}
	w.ok(w.insert(sub))
}

func (w *world) sticky(powerpack gateway.ID, to string) string {
	w.Helper()
	senders := must[[]string](w)(w.StickySenders(w.ctx, []gateway.StickyKey{{Powerpack: powerpack, To: to}}))
	w.same(len(senders), 1)
	return senders[0]
}
