package storetest

import (
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
)

// picture makes an MMS of an account that waits for its media.
func (w *world) picture(account gateway.AccountID) *gateway.Message {
	m := w.messageOf(account)
	m.Service, m.MediaURLs, m.Unprepared, m.DueAt = gateway.MMS, []string{"https://example.com/a.gif"}, true, w.now
	return m
}

// unprepared reads the messages of an account whose media are to be looked for now.
func (w *world) unprepared(account gateway.AccountID) []gateway.ID {
	w.Helper()
	return idsOf(must[[]*gateway.Message](w)(w.UnpreparedMessages(w.ctx, account, w.now, 10)))
}

// prepared records what became of media.
func (w *world) prepared(p gateway.Preparation) gateway.Applied {
	w.Helper()
	p.At = w.now
	return must[[]gateway.Applied](w)(w.RecordPreparations(w.ctx, []*gateway.Preparation{&p}))[0]
}

var preparationTests = map[string]func(*world){
	"a message without its media is in no lane and not due": func(w *world) {
		m := w.picture(one)
		w.accept(m)
		w.same(w.lane(mainLane, 0, 10), []gateway.ID{})
		w.same(len(must[[]gateway.LaneCount](w)(w.Lanes(w.ctx))), 0)
		w.now = w.now.Add(time.Hour)
		w.same(len(must[[]*gateway.Message](w)(w.DueRetries(w.ctx, carrier, w.now, 10))), 0)
		w.same(must[time.Time](w)(w.NextRetry(w.ctx, carrier)).IsZero(), true)
		w.same(idsOf(must[[]*gateway.Message](w)(w.ExpiredMessages(w.ctx, m.ExpiresAt, 10))), []gateway.ID{m.ID})
		w.reopen()
		s := w.stored(m)
		w.same(s.Unprepared, true)
		w.same(s.DueAt, m.DueAt)
		w.same(w.unprepared(one), []gateway.ID{m.ID})
	},
	"accounts are told apart": func(w *world) {
		mine, other := w.picture(one), w.picture(two)
		other.DueAt = w.now.Add(time.Minute)
		w.accept(mine)
		w.accept(other)
		w.accept(w.picture(one))
		accounts := func() []gateway.AccountID {
			return must[[]gateway.AccountID](w)(w.UnpreparedAccounts(w.ctx, w.now))
		}
		w.same(accounts(), []gateway.AccountID{one})
		w.same(len(w.unprepared(two)), 0)
		w.same(len(w.unprepared("MANOBODYNOBODYNOBODY")), 0)
		w.now = w.now.Add(time.Minute)
		w.same(accounts(), []gateway.AccountID{one, two})
		w.same(w.unprepared(two), []gateway.ID{other.ID})
	},
	"with its media it is queued": func(w *world) {
		m := w.picture(one)
		m.MediaIDs = []string{w.id().String()}
		w.accept(m)
		media := []gateway.ID{w.id(), w.id()}
		applied := w.prepared(gateway.Preparation{Message: m, Media: media})
		w.same(applied, gateway.Applied{Moved: true, State: gateway.Queued})
		s := w.stored(m)
		w.same(s.MediaIDs, gateway.IDTexts(media))
		w.same(s.Unprepared, false)
		w.same(s.DueAt.IsZero(), true)
		w.same(w.lane(mainLane, 0, 10), []gateway.ID{m.ID})
		w.same(len(w.unprepared(one)), 0)
		w.same(w.prepared(gateway.Preparation{Message: m, Failure: gateway.MediaTooLarge}), gateway.Applied{State: gateway.Queued})
	},
	"not yet": func(w *world) {
		m := w.picture(one)
		w.accept(m)
		due := w.now.Add(time.Minute)
		w.same(w.prepared(gateway.Preparation{Message: m, Due: due, Detail: "busy"}).Moved, true)
		w.same(w.stored(m).Detail, "busy")
		w.same(len(w.unprepared(one)), 0)
		w.now = due
		w.same(w.unprepared(one), []gateway.ID{m.ID})
		w.state(m, gateway.Queued, 1)
	},
	"never": func(w *world) {
		m := w.picture(one)
		m.Log = gateway.LogNothing
		w.accept(m)
		applied := w.prepared(gateway.Preparation{Message: m, Failure: gateway.MediaTooLarge, Detail: "6 MB"})
		w.same(told(applied.Events), []string{"2 failed"})
		w.state(m, gateway.Failed, 2)
		s := w.stored(m)
		w.same(s.Reason, gateway.MediaTooLarge)
		w.same(s.Detail, "6 MB")
		w.same(len(s.MediaURLs), 0)
		w.same(len(w.unprepared(one)), 0)
	},
	"a message that expired meanwhile stays so": func(w *world) {
		m := w.picture(one)
		w.accept(m)
		w.record(&gateway.SubmitRecord{Message: m, Failure: gateway.Expired, At: w.now})
		w.same(w.prepared(gateway.Preparation{Message: m, Media: []gateway.ID{w.id()}}), gateway.Applied{State: gateway.Failed})
		w.same(w.stored(m).Unprepared, false)
		w.same(w.prepared(gateway.Preparation{Message: w.picture(one), Media: nil}), gateway.Applied{State: gateway.Failed})
	},
}
