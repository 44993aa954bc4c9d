package storetest

import (
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
)

var messageTests = map[string]func(*world){
	"a message of another account is not there": func(w *world) {
		m := w.queued()
		_, err := w.Message(w.ctx, two, m.ID)
		w.refused(err, gateway.NotFound)
		_, err = w.Message(w.ctx, one, w.id())
		w.refused(err, gateway.NotFound)
		guess := m.ID
		guess[15] ^= 1 // the time is no secret, the rest is
		_, err = w.Message(w.ctx, one, guess)
		w.refused(err, gateway.NotFound)
		_, total, err := w.Messages(w.ctx, gateway.MessageFilter{Account: two})
		w.ok(err)
		w.same(total, 0)
		_, total, err = w.Messages(w.ctx, gateway.MessageFilter{Account: "MANONENONENONENONENO"})
		w.ok(err)
		w.same(total, 0)
	},
	"messages are listed newest first, paged and counted": func(w *world) {
		var all []gateway.ID
		for i := range 5 {
			w.now = w.now.Add(time.Duration(i) * time.Second)
			all = append([]gateway.ID{w.queued().ID}, all...)
		}
		theirs := w.message()
		theirs.Account = two
		w.accept(theirs)
		w.list(gateway.MessageFilter{Account: one}, 5, all)
		w.list(gateway.MessageFilter{Account: one, Limit: 2}, 5, all[:2])
		w.list(gateway.MessageFilter{Account: one, Limit: 2, Offset: 2}, 5, all[2:4])
		w.list(gateway.MessageFilter{Account: one, Limit: 2, Offset: 4}, 5, all[4:])
		w.list(gateway.MessageFilter{Account: one, Limit: 2, Offset: 5}, 5, nil)
	},
	"messages are filtered": func(w *world) {
		start := w.now
		var made []*gateway.Message
		for i := range 6 {
			w.now = start.Add(time.Duration(i) * time.Minute)
			m := w.message()
			switch i {
			case 1:
				m.Service, m.Powerpack = gateway.MMS, w.powerpack.ID
			case 2:
				m.From, m.Country = rented, "DE"
			case 3:
				m.Fail(gateway.NoRoute, w.now)
			case 4:
				m.Fail(gateway.Expired, w.now)
			case 5:
				m.To = "14155552671"
			}
			w.accept(m)
			made = append(made, m)
		}
		w.record(w.settled(made[0], 1, w.taken(1, "a")))
		pick := func(places ...int) (ids []gateway.ID) {
			for _, i := range places {
				ids = append(ids, made[i].ID)
			}
			return ids
		}
		sent, failed, queued := gateway.Sent, gateway.Failed, gateway.Queued
		in, out := gateway.Inbound, gateway.Outbound
		for _, test := range []struct {
			filter gateway.MessageFilter
			want   []gateway.ID
		}{
			{gateway.MessageFilter{}, pick(5, 4, 3, 2, 1, 0)},
			{gateway.MessageFilter{State: &sent}, pick(0)},
			{gateway.MessageFilter{State: &queued}, pick(5, 2, 1)},
			{gateway.MessageFilter{State: &failed, After: start.Add(4 * time.Minute)}, pick(4)},
			{gateway.MessageFilter{Reasons: []gateway.Reason{gateway.NoRoute, gateway.Spam}}, pick(3)},
			{gateway.MessageFilter{Reasons: []gateway.Reason{gateway.NoRoute, gateway.Expired}}, pick(4, 3)},
			{gateway.MessageFilter{Service: gateway.MMS}, pick(1)},
			{gateway.MessageFilter{Powerpack: w.powerpack.ID}, pick(1)},
			{gateway.MessageFilter{Powerpack: w.id()}, nil},
			{gateway.MessageFilter{From: rented}, pick(2)},
			{gateway.MessageFilter{To: "14155552671"}, pick(5)},
			{gateway.MessageFilter{Country: "DE"}, pick(2)},
			{gateway.MessageFilter{Direction: &in}, nil},
			{gateway.MessageFilter{Direction: &out, Service: gateway.SMS, Country: "US", From: pooled}, pick(5, 4, 3, 0)},
			{gateway.MessageFilter{After: start.Add(2 * time.Minute)}, pick(5, 4, 3, 2)},
			{gateway.MessageFilter{Before: start.Add(2 * time.Minute)}, pick(1, 0)},
			{gateway.MessageFilter{After: start.Add(time.Minute), Before: start.Add(3 * time.Minute)}, pick(2, 1)},
			{gateway.MessageFilter{After: start.Add(time.Hour)}, nil},
		} {
			test.filter.Account = one
			w.list(test.filter, len(test.want), test.want)
		}
	},
	"a destination that a record hides is not found by it": func(w *world) {
		made := map[gateway.LogMode]*gateway.Message{}
		for _, mode := range []gateway.LogMode{gateway.LogAll, gateway.LogNothing, gateway.LogContentOnly, gateway.LogNumberOnly} {
			m := w.message()
			m.To, m.Log = "14155552671", mode
			w.accept(m)
			made[mode] = m
		}
		w.list(gateway.MessageFilter{Account: one, To: "14155552671"}, 2, idsOf([]*gateway.Message{made[gateway.LogNumberOnly], made[gateway.LogAll]}))
		w.list(gateway.MessageFilter{Account: one}, 4, idsOf([]*gateway.Message{
			made[gateway.LogNumberOnly], made[gateway.LogContentOnly], made[gateway.LogNothing], made[gateway.LogAll],
		}))
	},
	"who wrote a message is not found by a number that its record hides": func(w *world) {
		made := map[gateway.LogMode]*gateway.Message{}
		for _, mode := range []gateway.LogMode{gateway.LogAll, gateway.LogNothing, gateway.LogContentOnly, gateway.LogNumberOnly} {
			m := w.message()
			m.Direction, m.State, m.From, m.To, m.Log = gateway.Inbound, gateway.Received, "14155552671", pooled, mode
			w.accept(m)
			made[mode] = m
		}
		w.list(gateway.MessageFilter{Account: one, From: "14155552671"}, 2, idsOf([]*gateway.Message{made[gateway.LogNumberOnly], made[gateway.LogAll]}))
		w.list(gateway.MessageFilter{Account: one, To: pooled}, 4, idsOf([]*gateway.Message{
			made[gateway.LogNumberOnly], made[gateway.LogContentOnly], made[gateway.LogNothing], made[gateway.LogAll],
		}))
	},
	"a list shows messages as they are": func(w *world) {
		m := w.submitted("a")
		w.receipt(w.undelivered("a"))
		list, _, err := w.Messages(w.ctx, gateway.MessageFilter{Account: one})
		w.ok(err)
		w.same(list, []*gateway.Message{w.stored(m)})
	},
}

// list checks a list and its count.
func (w *world) list(filter gateway.MessageFilter, total int, want []gateway.ID) {
	w.Helper()
	list, n, err := w.Messages(w.ctx, filter)
	w.ok(err)
	w.same(idsOf(list), append([]gateway.ID{}, want...))
	w.same(n, total)
}
