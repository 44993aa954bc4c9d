package storetest

import (
	"slices"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
)

var conversationTests = map[string]func(*world){
	"a conversation has both directions of a pair in their order": func(w *world) {
		all := w.talk()
		pick := func(places ...int) (ids []gateway.ID) {
			for _, i := range places {
				ids = append(ids, all[i].ID)
			}
			return ids
		}
		start := all[0].AcceptedAt
		for _, test := range []struct {
			filter gateway.ConversationFilter
			total  int
			want   []gateway.ID
		}{
			{gateway.ConversationFilter{Number: pooled, Person: person}, 4, pick(6, 4, 1, 0)},
			{gateway.ConversationFilter{Number: pooled, Person: person, OldestFirst: true}, 4, pick(0, 1, 4, 6)},
			{gateway.ConversationFilter{Number: pooled, Person: person, Limit: 2, Offset: 1}, 4, pick(4, 1)},
			{gateway.ConversationFilter{Person: person}, 5, pick(6, 4, 3, 1, 0)},
			{gateway.ConversationFilter{Number: rented, Person: person}, 1, pick(3)},
			{gateway.ConversationFilter{Number: pooled, Person: personToo}, 1, pick(2)},
			{gateway.ConversationFilter{Number: pooled, Person: person, After: start.Add(time.Minute), Before: start.Add(6 * time.Minute)}, 2, pick(4, 1)},
			{gateway.ConversationFilter{Number: person, Person: pooled}, 0, nil},
		} {
			test.filter.Account = one
			list, total, err := w.Conversation(w.ctx, test.filter)
			w.ok(err)
			w.same(idsOf(list), append([]gateway.ID{}, test.want...))
			w.same(total, test.total)
		}
		list, _, err := w.Conversation(w.ctx, gateway.ConversationFilter{Account: one, Number: pooled, Person: person, Limit: 1})
		w.ok(err)
		w.same(list, []*gateway.Message{w.stored(all[6])})
		for _, id := range []gateway.AccountID{two, "MANONENONENONENONENO"} {
			_, total, err := w.Conversation(w.ctx, gateway.ConversationFilter{Account: id, Person: "14155559999"})
			w.ok(err)
			w.same(total, 0)
		}
		for _, filter := range []gateway.ConversationFilter{{Account: one, Number: pooled}, {Person: person}} {
			_, _, err := w.Conversation(w.ctx, filter)
			w.refused(err, gateway.Invalid)
		}
	},
	"received messages are among those of a list, and found by their numbers": func(w *world) {
		all := w.talk()
		in, out := gateway.Inbound, gateway.Outbound
		for _, test := range []struct {
			filter gateway.MessageFilter
			want   []int
		}{
			{gateway.MessageFilter{}, []int{7, 6, 5, 4, 3, 2, 1, 0}},
			{gateway.MessageFilter{Direction: &in}, []int{7, 6, 5, 3, 1}},
			{gateway.MessageFilter{Direction: &out}, []int{4, 2, 0}},
			{gateway.MessageFilter{To: person}, []int{4, 0}},
			{gateway.MessageFilter{To: person, Direction: &in}, nil},
			{gateway.MessageFilter{To: pooled}, []int{7, 6, 1}},
			{gateway.MessageFilter{To: pooled, Direction: &in}, []int{7, 6, 1}},
			{gateway.MessageFilter{To: pooled, Direction: &out}, nil},
			{gateway.MessageFilter{From: person}, []int{6, 3, 1}},
			{gateway.MessageFilter{From: person, Direction: &in}, []int{6, 3, 1}},
			{gateway.MessageFilter{From: person, Direction: &out}, nil},
			{gateway.MessageFilter{From: pooled}, []int{4, 2, 0}},
			{gateway.MessageFilter{From: pooled, To: person}, []int{4, 0}},
			{gateway.MessageFilter{From: person, To: pooled}, []int{6, 1}},
			{gateway.MessageFilter{From: person, To: pooled, Before: all[5].AcceptedAt}, []int{1}},
			{gateway.MessageFilter{From: person, After: all[3].AcceptedAt}, []int{6, 3}},
			{gateway.MessageFilter{To: pooled, Powerpack: w.powerpack.ID}, []int{7, 6, 1}},
		} {
			test.filter.Account = one
			var want []gateway.ID
			for _, i := range test.want {
				want = append(want, all[i].ID)
			}
			w.list(test.filter, len(want), want)
			if len(want) > 1 {
				test.filter.Limit, test.filter.Offset = 1, 1
				w.list(test.filter, len(want), want[1:2])
			}
		}
		state := gateway.Received
		w.list(gateway.MessageFilter{State: &state, From: person}, 3, []gateway.ID{all[6].ID, all[3].ID, all[1].ID})
		w.list(gateway.MessageFilter{State: &state, To: "14155559999"}, 0, nil)
	},
	"what records hide is in no conversation": func(w *world) {
		var shown []gateway.ID
		for _, mode := range []gateway.LogMode{gateway.LogAll, gateway.LogNothing, gateway.LogContentOnly, gateway.LogNumberOnly} {
			sent := w.message()
			sent.To, sent.Log = person, mode
			w.accept(sent)
			result := must[[]gateway.InboundResult](w)(w.AddInboundParts(w.ctx, []gateway.InboundPart{w.sms(person, pooled, "hello")},
				func(parts []gateway.InboundPart, to *gateway.Recipient) gateway.Arrival {
					arrival := w.receive(parts, to)
					arrival.Message.Log = mode
					return arrival
				}))
			if mode == gateway.LogAll || mode == gateway.LogNumberOnly {
				shown = append(shown, sent.ID, result[0].Message.ID)
			}
		}
		list, total, err := w.Conversation(w.ctx, gateway.ConversationFilter{Account: one, Number: pooled, Person: person, OldestFirst: true})
		w.ok(err)
		w.same(idsOf(list), shown)
		w.same(total, len(shown))
		w.list(gateway.MessageFilter{Account: one, From: person}, 2, []gateway.ID{shown[3], shown[1]})
		w.list(gateway.MessageFilter{Account: one, To: pooled}, 4, w.receivedBy(pooled))
	},
}

// receivedBy are the messages for a number, newest first, as a list of everything tells.
func (w *world) receivedBy(number string) (ids []gateway.ID) {
	w.Helper()
	list, _, err := w.Messages(w.ctx, gateway.MessageFilter{Account: one})
	w.ok(err)
	for _, m := range list {
		if m.To == number {
			ids = append(ids, m.ID)
		}
	}
	return ids
}

// talk makes messages of account one, a minute after one another: with a person through two numbers, with others, and with some who share the last digits of
// their numbers. Another account has one as well.
func (w *world) talk() (all []*gateway.Message) {
	w.Helper()
	send := func(from, to string) {
		m := w.message()
		m.From, m.To = from, to
		w.accept(m)
		all = append(all, m)
		w.now = w.now.Add(time.Minute)
	}
	get := func(from, to string) {
		all = append(all, w.arrives(w.sms(from, to, "hello")).Message)
		w.now = w.now.Add(time.Minute)
	}
	send(pooled, person)
	get(person, pooled)
	send(pooled, personToo)
	get(person, rented)
	send(pooled, person)
	get(personToo, rented)
	get(person, pooled)
	get("1"+person, pooled)
	theirs := w.messageOf(two)
	theirs.To = person
	w.accept(theirs)
	w.reopen()
	return slices.Clip(all)
}
