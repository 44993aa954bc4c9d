package storetest

import (
	"bytes"
	"fmt"
	"strings"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
)

const (
	person    = "14155552671"
	personToo = "14155552672"
)

var inboundTests = map[string]func(*world){
	"a message that is whole is kept in every particular, with its event": func(w *world) {
		w.hooked()
		result := w.arrives(w.sms(person, pooled, "hello there"))
		w.same(result.Status, gateway.InboundStored)
		m := result.Message
		w.same(m.Powerpack, w.powerpack.ID)
		w.same(told(result.Events), []string{"1 received"})
		w.same(result.Events[0].Message, m)
		w.reopen()
		w.same(w.stored(m), m)
		events := w.pending()
		w.same(told(events), []string{"1 received"})
		w.same(events[0].Message, m)
		w.same(events[0].ID, result.Events[0].ID)
		w.state(m, gateway.Received, 1)
	},
	"an MMS has its subject and its media": func(w *world) {
		w.hooked()
		part := gateway.InboundPart{
			Carrier: carrier, Service: gateway.MMS, From: person, To: pooled, At: w.now, Subject: "holiday", Text: "look", Media: []gateway.ID{w.id(), w.id()},
		}
		m := w.arrives(part).Message
		w.reopen()
		s := w.stored(m)
		w.same(s, m)
		w.same([]any{s.Service, s.Subject, s.Text, s.MediaIDs}, []any{gateway.MMS, "holiday", "look", []string{part.Media[0].String(), part.Media[1].String()}})
	},
	"files of an MMS that is not logged leave a day after it, those that the account had before do not": func(w *world) {
		app := w.hooked()
		app.LogIncoming = false
		w.ok(w.ChangeApplication(w.ctx, one, app.ID, func(a *gateway.Application) error { *a = app; return nil }))
		old, came := w.medium(one, 1), w.medium(one, 2)
		old.CreatedAt, came.CreatedAt = w.now.Add(-time.Hour), w.now
		old.ExpiresAt, came.ExpiresAt = w.now.Add(1000*time.Hour), w.now.Add(1000*time.Hour)
		w.ok(w.CreateMedia(w.ctx, []gateway.Medium{old, came}))
		w.arrives(gateway.InboundPart{Carrier: carrier, Service: gateway.MMS, From: person, To: pooled, At: w.now, Media: []gateway.ID{old.ID, came.ID}})
		left := must[[]gateway.Medium](w)(w.MediaByID(w.ctx, one, []gateway.ID{old.ID, came.ID}, w.now.Add(gateway.HiddenFiles)))
		w.same(len(left), 1)
		w.same(left[0].ID, old.ID)
	},
	"what comes for a number that nobody rents is not kept": func(w *world) {
		for _, number := range []string{inventory, "14155550199"} {
			part := w.sms(person, number, "hello")
			part.Identity = gateway.PartIdentity{Digest: [16]byte{1}}
			for range 2 {
				w.same(w.arrives(part), gateway.InboundResult{Status: gateway.InboundUnowned})
			}
			part.Total, part.Number = 2, 1
			w.same(w.arrives(part).Status, gateway.InboundUnowned)
		}
		w.nextIncomplete(time.Time{})
	},
	"whose a message is: the powerpack's application before the number's, with the keywords of both": func(w *world) {
		w.hooked()
		w.link("88", pooled, rented)
		p := w.powerpack
		p.Keywords = keywords
		w.ok(w.UpdatePowerpack(w.ctx, p))
		w.ok(w.PutCampaigns(w.ctx, []gateway.Campaign{{ID: "C1", Account: one, Rate: 1, Keywords: gateway.Keywords{Off: true}}}))
		w.inCampaign(pooled, "C1")
		to := w.recipientOf(pooled)
		w.same(to, gateway.Recipient{
			Number: w.numberOf(one, pooled), Powerpack: p.ID, Application: must[gateway.Application](w)(w.Application(w.ctx, one, "77")),
			OfPowerpack: keywords, OfCampaign: gateway.Keywords{Off: true},
		})
		w.same(w.recipientOf(rented), gateway.Recipient{Number: w.numberOf(one, rented), Application: must[gateway.Application](w)(w.Application(w.ctx, one, "88"))})
		p.ApplicationID, p.ApplicationType = "", ""
		w.ok(w.UpdatePowerpack(w.ctx, p))
		w.same(w.recipientOf(pooled).Application.ID, "88")
		none := ""
		w.ok(w.ChangeNumber(w.ctx, one, pooled, gateway.NumberChange{Application: &none}))
		w.same(w.recipientOf(pooled).Application, gateway.Application{})
	},
	"a number that changes its owner brings its messages to the new one": func(w *world) {
		w.ok(w.ChangeNumber(w.ctx, one, rented, gateway.NumberChange{Account: two}))
		m := w.arrives(w.sms(person, rented, "hello")).Message
		w.same(m.Account, two)
		w.same(w.stored(m), m)
	},
	"without an application a message stays received, and nobody is told": func(w *world) {
		result := w.arrives(w.sms(person, rented, "hello"))
		w.same(len(result.Events), 0)
		w.same(w.endpoints(), map[int64]gateway.EndpointCount{})
		w.reopen()
		w.same(w.stored(result.Message).Text, "hello")
		w.state(result.Message, gateway.Received, 1)
	},
	"segments are joined in any order": func(w *world) {
		w.hooked()
		parts := w.segments(person, pooled, 7, "one ", "two ", "three")
		w.same(w.arrives(parts[2]).Status, gateway.InboundWaits)
		w.nextIncomplete(w.now)
		w.reopen()
		w.same(w.arrives(parts[0]).Status, gateway.InboundWaits)
		result := w.arrives(parts[1])
		w.same(result.Status, gateway.InboundStored)
		w.same([]any{result.Message.Text, result.Message.Units}, []any{"one two three", 3})
		w.same(told(result.Events), []string{"1 received"})
		w.nextIncomplete(time.Time{})
		w.same(w.stored(result.Message), result.Message)
	},
	"segments keep their alphabets, their languages and their times": func(w *world) {
		parts := w.segments(person, rented, 7, "a", "b")
		parts[0].Data.Alphabet, parts[0].Data.Locking, parts[0].Data.Single, parts[0].Data.Octets = 8, 2, 3, []byte{0, 255, 0}
		parts[1].At = w.now.Add(time.Second)
		w.arrives(parts[0])
		var got []gateway.InboundPart
		must[[]gateway.InboundResult](w)(w.AddInboundParts(w.ctx, parts[1:], func(all []gateway.InboundPart, to *gateway.Recipient) gateway.Arrival {
			got = all
			return w.receive(all, to)
		}))
		w.same(got, parts)
	},
	"segments of one batch": func(w *world) {
		parts := w.segments(person, rented, 7, "a", "b")
		results := must[[]gateway.InboundResult](w)(w.AddInboundParts(w.ctx, append(parts, w.sms(personToo, rented, "c")), w.receive))
		w.same([]gateway.InboundStatus{results[0].Status, results[1].Status, results[2].Status}, []gateway.InboundStatus{gateway.InboundWaits, gateway.InboundStored, gateway.InboundStored})
		w.same([]string{results[1].Message.Text, results[2].Message.Text}, []string{"ab", "c"})
	},
	"segments of other messages, senders, numbers and carriers are not joined": func(w *world) {
		first := w.segments(person, rented, 7, "a", "b")
		other := func(change func(*gateway.InboundPart)) gateway.InboundPart {
			part := first[1]
			change(&part)
			return part
		}
		w.arrives(first[0])
		for _, part := range []gateway.InboundPart{
			other(func(p *gateway.InboundPart) { p.Reference = 8 }), other(func(p *gateway.InboundPart) { p.From = personToo }),
			other(func(p *gateway.InboundPart) { p.To = pooled }), other(func(p *gateway.InboundPart) { p.Carrier = "other" }),
			other(func(p *gateway.InboundPart) { p.Total = 3 }),
		} {
			w.same(w.arrives(part).Status, gateway.InboundWaits)
		}
		w.same(w.arrives(first[1]).Message.Text, "ab")
	},
	"a segment that comes twice is there once": func(w *world) {
		parts := w.segments(person, rented, 7, "a", "b", "c")
		w.same(w.arrives(parts[0]).Status, gateway.InboundWaits)
		w.same(w.arrives(parts[0]).Status, gateway.InboundRepeated)
		w.same(w.arrives(parts[1]).Status, gateway.InboundWaits)
		w.same(w.arrives(parts[1]).Status, gateway.InboundRepeated)
		w.same(w.arrives(parts[2]).Message.Text, "abc")
	},
	"a reference that comes round begins another message, and the first one waits no more": func(w *world) {
		old, young := w.segments(person, rented, 7, "old", "old too"), w.segments(person, rented, 7, "young ", "one")
		w.arrives(old[0])
		w.now = w.now.Add(time.Second)
		young[0].At = w.now
		w.same(w.arrives(young[0]).Status, gateway.InboundWaits)
		w.same(w.arrives(young[1]).Message.Text, "young one")
		results := w.complete(w.now.Add(-time.Minute), 9)
		w.same(len(results), 1)
		w.same(results[0].Message.Text, "old[2]")
		w.nextIncomplete(time.Time{})
	},
	"what is not whole in time is a message of what is there, the longest waiting first": func(w *world) {
		w.hooked()
		start := w.now
		for i := range 3 {
			w.now = start.Add(time.Duration(i) * time.Second)
			w.arrives(w.segments(person, pooled, uint32(i), fmt.Sprint(i), "-", "-")[0])
		}
		w.reopen()
		w.nextIncomplete(start)
		w.same(len(w.complete(start, 9)), 0)
		first := w.complete(start.Add(2*time.Second), 1)
		w.same(len(first), 1)
		w.same(first[0].Status, gateway.InboundStored)
		w.same(first[0].Message.Text, "0[2][3]")
		w.same(told(first[0].Events), []string{"1 received"})
		w.same(w.stored(first[0].Message), first[0].Message)
		w.nextIncomplete(start.Add(time.Second))
		w.same(len(w.complete(start.Add(2*time.Second), 9)), 1)
		w.nextIncomplete(start.Add(2 * time.Second))
		w.same(len(w.complete(start.Add(time.Hour), 9)), 1)
		w.nextIncomplete(time.Time{})
		w.same(len(w.pending()), 3)
	},
	"a message goes to the account that had the number when its first segment came": func(w *world) {
		parts := w.segments(person, rented, 7, "for one", "for two")
		w.arrives(parts[0])
		w.ok(w.ChangeNumber(w.ctx, one, rented, gateway.NumberChange{Account: two}))
		w.same(w.arrives(parts[1]).Status, gateway.InboundWaits)
		results := w.complete(w.now.Add(time.Second), 9)
		w.same(len(results), 2)
		for i, want := range []struct {
			account gateway.AccountID
			text    string
		}{{one, "for one[2]"}, {two, "[1]for two"}} {
			w.same(results[i].Message.Account, want.account)
			w.same(results[i].Message.Text, want.text)
		}
		w.arrives(w.segments(person, pooled, 8, "late", "r")[0])
		w.ok(w.RemoveFromPool(w.ctx, one, w.powerpack.Pool, pooled, true))
		last := w.complete(w.now.Add(time.Second), 9)
		w.same([]any{last[0].Message.Account, last[0].Message.Text}, []any{one, "late[2]"})
	},
	"segments that are never completed fill an account's room, and no more": func(w *world) {
		start, large := w.now, bytes.Repeat([]byte("x"), 1<<20)
		const sent = 20
		for i := range sent {
			w.now = start.Add(time.Duration(i) * time.Second)
			part := w.segments(person, rented, uint32(i), "-", "-")[0]
			part.Data.Octets = append([]byte(fmt.Sprintf("%02d", i)), large...)
			w.same(w.arrives(part).Status, gateway.InboundWaits)
		}
		theirs := w.segments(person, pooled, 99, "a", "b")
		theirs[0].At = start.Add(sent * time.Second)
		w.arrives(theirs[0])
		if next := must[time.Time](w)(w.NextIncomplete(w.ctx)); !next.Before(start.Add(-24*time.Hour)) || next.IsZero() {
			w.Fatalf("a message that waits no more is due at %s", next)
		}
		results := w.complete(start.Add(-24*time.Hour), 1000)
		if len(results) < sent/3 || len(results) >= sent {
			w.Fatalf("%d of %d messages were made early", len(results), sent)
		}
		for i, result := range results {
			w.same(result.Message.Text[:2], fmt.Sprintf("%02d", i))
		}
		w.nextIncomplete(start.Add(time.Duration(len(results)) * time.Second))
		w.same(w.arrives(theirs[1]).Message.Text, "ab")
		// What was completed takes no room any more.
		w.same(len(w.complete(start.Add(time.Hour), 1000)), sent-len(results))
		w.now = start.Add(time.Hour)
		for i := range 5 {
			part := w.segments(person, rented, uint32(i), "-", "-")[0]
			part.Data.Octets = large
			w.arrives(part)
		}
		w.nextIncomplete(w.now)
	},
	"numbers of segments that make no sense are those of a whole message": func(w *world) {
		for _, n := range [][2]int{{0, 2}, {3, 2}, {1, 256}, {1, 1}, {0, 0}} {
			part := w.sms(person, rented, "hello")
			part.Number, part.Total = n[0], n[1]
			w.same(w.arrives(part).Message.Text, "hello")
		}
	},
	"a part of a known delivery is kept once": func(w *world) {
		part := w.sms(person, rented, "hello")
		part.Identity.Digest = [16]byte{7}
		w.same(w.arrives(part).Status, gateway.InboundStored)
		w.reopen()
		for _, later := range []time.Duration{0, time.Second, gateway.RepeatWindow - time.Microsecond} {
			part.At = w.now.Add(later)
			w.same(w.arrives(part), gateway.InboundResult{Status: gateway.InboundRepeated})
		}
		part.At = w.now.Add(gateway.RepeatWindow)
		w.same(w.arrives(part).Status, gateway.InboundStored)
		part.Identity.Digest[15] = 1
		w.same(w.arrives(part).Status, gateway.InboundStored)
		part.Identity = gateway.PartIdentity{}
		w.same(w.arrives(part).Status, gateway.InboundStored)
		w.same(w.arrives(part).Status, gateway.InboundStored)
	},
	"the same words of the same session are said twice": func(w *world) {
		part := w.by(1, 7)
		for range 3 {
			w.same(w.arrives(part).Status, gateway.InboundStored)
		}
		w.reopen()
		part = w.by(2, 7) // which brings what was not acknowledged, and says it once more
		for range 3 {
			w.same(w.arrives(part).Status, gateway.InboundRepeated)
		}
		w.same(w.arrives(part).Status, gateway.InboundStored)
		part = w.by(3, 7)
		for range 4 {
			w.same(w.arrives(part).Status, gateway.InboundRepeated)
		}
		w.same(w.arrives(part).Status, gateway.InboundStored)
	},
	"what a session has acknowledged is not brought again": func(w *world) {
		start := w.now
		w.arrives(w.by(1, 7))
		w.now = start.Add(time.Second)
		w.arrives(w.by(1, 8))
		w.arrives(w.by(2, 9))
		w.ok(w.SettleSessions(w.ctx, map[uint64]time.Time{1: start, 0: w.now, 77: w.now}))
		w.ok(w.SettleSessions(w.ctx, nil))
		w.reopen()
		w.same(w.arrives(w.by(3, 7)).Status, gateway.InboundStored)
		w.same(w.arrives(w.by(3, 8)).Status, gateway.InboundRepeated)
		w.same(w.arrives(w.by(3, 9)).Status, gateway.InboundRepeated)
		w.ok(w.SettleSessions(w.ctx, map[uint64]time.Time{3: w.now}))
		for digest := byte(7); digest < 10; digest++ {
			w.same(w.arrives(w.by(4, digest)).Status, gateway.InboundStored)
		}
	},
	"what is not known again any more is forgotten": func(w *world) {
		for i := range 30 {
			w.now = w.now.Add(time.Minute)
			w.arrives(w.by(1, byte(i)))
			part := w.by(0, 100+byte(i))
			w.arrives(part)
		}
		w.purgeAll(gateway.Retention{})
		w.reopen()
		for i := range 30 {
			want := gateway.InboundRepeated
			if i < 15 {
				want = gateway.InboundStored
			}
			w.same(w.arrives(w.by(2, byte(i))).Status, want)
			w.same(w.arrives(w.by(0, 100+byte(i))).Status, want)
		}
	},
	"a message is handed over, or is not": func(w *world) {
		w.hooked()
		for _, told := range []bool{true, false} {
			result := w.arrives(w.sms(person, pooled, "hello"))
			id, m := result.Events[0].ID, result.Message
			again := gateway.Attempt{Event: id, Number: 1, AtMicro: 1, DueAtMicro: w.now.UnixMicro(), Inbound: m.ID, Note: "not yet"}
			w.ok(w.RecordAttempts(w.ctx, []gateway.Attempt{again}))
			w.same(w.stored(m), m)
			w.now = w.now.Add(time.Minute)
			last := gateway.Attempt{Event: id, Number: 2, AtMicro: w.now.UnixMicro(), Done: told, GaveUp: !told, Inbound: m.ID, Note: "malformed XML"}
			want := *m
			want.HandOver(told, w.now)
			want.Detail = "malformed XML"
			for range 2 {
				w.ok(w.RecordAttempts(w.ctx, []gateway.Attempt{last}))
				w.reopen()
				w.same(w.stored(m), &want)
				last.Number, last.Done, last.GaveUp, last.Note = 3, !told, told, "another" // too late
			}
		}
	},
	"contents that must not be kept stay until they are handed over": func(w *world) {
		app := w.hooked()
		app.LogIncoming = false
		w.ok(w.ChangeApplication(w.ctx, one, app.ID, func(a *gateway.Application) error { *a = app; return nil }))
		part := w.sms(person, pooled, "secret")
		part.Service, part.Subject, part.Text, part.Media = gateway.MMS, "secret too", "secret", []gateway.ID{w.id()}
		result := w.arrives(part)
		m := result.Message
		w.same(m.Log, gateway.LogNothing)
		w.purgeAll(gateway.Retention{Texts: w.now.Add(time.Hour)})
		w.reopen()
		w.same(w.pending()[0].Message, m)
		w.ok(w.RecordAttempts(w.ctx, []gateway.Attempt{{Event: result.Events[0].ID, Number: 1, AtMicro: w.now.UnixMicro(), GaveUp: true, Inbound: m.ID}}))
		s := w.stored(m)
		w.same([]any{s.State, s.Text, s.Subject, s.MediaIDs}, []any{gateway.Undelivered, "", "", []string(nil)})
	},
	"contents that must not be kept are not, where nobody is told": func(w *world) {
		app := must[gateway.Application](w)(w.Application(w.ctx, one, "88"))
		app.LogIncoming = false
		w.ok(w.ChangeApplication(w.ctx, one, app.ID, func(a *gateway.Application) error { *a = app; return nil }))
		w.link("88", rented)
		parts := w.segments(person, rented, 7, "se", "cret")
		w.arrives(parts[0])
		m := w.arrives(parts[1]).Message
		w.same(m.Text, "secret")
		w.same(w.stored(m).Text, "")
	},
	"texts of received messages are removed when they are old": func(w *world) {
		w.hooked()
		told := w.arrives(w.sms(person, pooled, "told"))
		w.ok(w.RecordAttempts(w.ctx, []gateway.Attempt{{Event: told.Events[0].ID, Number: 1, AtMicro: w.now.UnixMicro(), Done: true, Inbound: told.Message.ID}}))
		waits := w.arrives(w.sms(person, pooled, "waits"))
		alone := w.arrives(w.sms(person, rented, "alone"))
		w.now = w.now.Add(time.Minute)
		w.purgeAll(gateway.Retention{Texts: w.now})
		w.same([]string{w.stored(told.Message).Text, w.stored(waits.Message).Text, w.stored(alone.Message).Text}, []string{"", "waits", ""})
		w.ok(w.RecordAttempts(w.ctx, []gateway.Attempt{{Event: waits.Events[0].ID, Number: 1, AtMicro: w.now.UnixMicro(), Done: true, Inbound: waits.Message.ID}}))
		w.same(w.stored(waits.Message).Text, "")
		w.arrives(w.sms(person, pooled, "STOP"))
		w.purgeAll(gateway.Retention{Records: w.now.Add(time.Minute)})
		w.list(gateway.MessageFilter{Account: one}, 0, nil)
		w.same(len(must[[]gateway.OwedAnswer](w)(w.OwedAnswers(w.ctx, 0, 9))), 0)
		w.same(w.optedOut(one, person), []string{pooled})
	},
	"a received message is paid at once, also with money that is not there": func(w *world) {
		w.makeBranch()
		w.prepay(one, smallCost)
		w.price = small
		parts := w.segments(person, rented, 7, "a", "b", "c")
		w.arrives(parts[0])
		w.arrives(parts[1])
		w.same(w.wallet(one).Balance, smallCost)
		m := w.arrives(parts[2]).Message
		w.same(w.wallet(one), gateway.Wallet{Billing: gateway.Prepaid, Balance: -2 * smallCost})
		w.same(w.stored(m).Price, small)
		w.ok(w.ChangeNumber(w.ctx, one, rented, gateway.NumberChange{Account: branch}))
		w.arrives(w.sms(person, rented, "to the subaccount"))
		w.reopen()
		w.same(w.wallet(one).Balance, -3*smallCost)
		known := w.by(0, 1)
		known.To = pooled
		w.arrives(known)
		w.arrives(known)
		w.same(w.wallet(one).Balance, -4*smallCost)
	},
	"a keyword opts out and in again, with an answer that is owed": func(w *world) {
		w.hooked()
		stop := w.arrives(w.sms(person, pooled, "STOP"))
		want := gateway.OptOutChange{
			OptOut:  gateway.OptOut{Account: one, Source: pooled, Person: person, At: w.now, Origin: gateway.ByKeyword, Word: "STOP"},
			Message: stop.Message.ID,
		}
		w.same(stop.Changed, []gateway.OptOutChange{want})
		w.same(stop.Answer, "bye")
		w.same(w.optedOut(one, person), []string{pooled})
		again := w.arrives(w.sms(person, pooled, "STOP"))
		w.same(len(again.Changed), 0)
		w.same(again.Answer, "bye")
		start := w.arrives(w.sms(person, pooled, "START"))
		w.same(start.Changed[0].In, true)
		w.same(start.Answer, "welcome back")
		idle := w.arrives(w.sms(person, pooled, "START"))
		w.same([]any{len(idle.Changed), idle.Answer}, []any{0, ""})
		w.reopen()
		w.same(w.optedOut(one, person), []string(nil))
		records, total, err := w.OptOutRecords(w.ctx, gateway.OptOutFilter{Account: one})
		w.ok(err)
		w.same([]int{len(records), total}, []int{2, 2})
		w.same(records[0].OptOutChange, start.Changed[0])
		w.same(records[1].OptOutChange, want)
		w.owed(0, stop, again, start)
		w.owed(stop.Message.ID.Seq(), again, start)
		w.ok(w.AnswersGiven(w.ctx, []gateway.ID{stop.Message.ID, start.Message.ID, w.id()}))
		w.ok(w.AnswersGiven(w.ctx, []gateway.ID{stop.Message.ID}))
		w.owed(0, again)
		w.same(len(must[[]gateway.OwedAnswer](w)(w.OwedAnswers(w.ctx, 0, 0))), 0)
	},
	"a batch that breaks off has done nothing": func(w *world) {
		w.hooked()
		w.price = small
		waiting := w.segments(person, pooled, 7, "a", "b")
		w.arrives(waiting[0])
		stop, last := w.by(1, 7), w.sms(person, pooled, "last")
		stop.To, stop.Data.Octets = pooled, []byte("STOP")
		batch := []gateway.InboundPart{waiting[1], stop, w.segments(person, pooled, 8, "c", "d")[0], last}
		w.breaksOff(batch, "last")
		w.reopen()
		w.list(gateway.MessageFilter{Account: one}, 0, nil)
		w.same(w.optedOut(one, person), []string(nil))
		w.same(w.wallet(one), gateway.Wallet{})
		w.same(len(w.pending()), 0)
		results := must[[]gateway.InboundResult](w)(w.AddInboundParts(w.ctx, batch, w.receive))
		var got []gateway.InboundStatus
		for _, r := range results {
			got = append(got, r.Status)
		}
		w.same(got, []gateway.InboundStatus{gateway.InboundStored, gateway.InboundStored, gateway.InboundWaits, gateway.InboundStored})
		w.same(len(w.pending()), 3)
	},
	"what a subaccount waits for comes to its main account": func(w *world) {
		w.belongings()
		parts := w.segments(person, inventory, 7, "a", "b")
		w.arrives(parts[0])
		w.ok(w.RemoveSubaccount(w.ctx, one, sub, false, w.now))
		m := w.arrives(parts[1]).Message
		w.same([]any{m.Account, m.Text}, []any{one, "ab"})
	},
	"a message with the place of another one is not stored": func(w *world) {
		m := w.arrives(w.sms(person, rented, "first")).Message
		_, err := w.AddInboundParts(w.ctx, []gateway.InboundPart{w.sms(person, rented, "second")}, func(parts []gateway.InboundPart, to *gateway.Recipient) gateway.Arrival {
			arrival := w.receive(parts, to)
			arrival.Message.ID = m.ID
			return arrival
		})
		if err == nil {
			w.Fatal("two messages have one id")
		}
		w.same(w.stored(m).Text, "first")
	},
}

// keywords set everything that can be set.
var keywords = gateway.Keywords{
	OptOut: []string{"STOP", "ARRÊT"}, OptOutText: "bye", OptIn: []string{"START"}, OptInText: "welcome back", Help: []string{"HELP"}, HelpText: "ask us",
	Languages: []string{"en", "fr"}, Off: true,
}

// hooked gives the application of the powerpack an address to tell of messages.
func (w *world) hooked() gateway.Application {
	w.Helper()
	w.ok(w.ChangeApplication(w.ctx, one, "77", func(app *gateway.Application) error {
		app.Message = gateway.Callback{URL: callbackURL, Method: "POST"}
		return nil
	}))
	return must[gateway.Application](w)(w.Application(w.ctx, one, "77"))
}

// sms is a whole message that just came.
func (w *world) sms(from, to, text string) gateway.InboundPart {
	return gateway.InboundPart{Carrier: carrier, Service: gateway.SMS, From: from, To: to, At: w.now, Data: gateway.UserData{Octets: []byte(text)}}
}

// by is a message to a number without application, known by a digest, that a session brings.
func (w *world) by(session uint64, digest byte) gateway.InboundPart {
	part := w.sms(person, rented, "hello")
	part.Identity = gateway.PartIdentity{Digest: [16]byte{0: 1, 15: digest}, Session: session}
	return part
}

// segments are those of one message.
func (w *world) segments(from, to string, reference uint32, texts ...string) []gateway.InboundPart {
	parts := make([]gateway.InboundPart, len(texts))
	for i, text := range texts {
		parts[i] = w.sms(from, to, text)
		parts[i].Reference, parts[i].Number, parts[i].Total = reference, i+1, len(texts)
	}
	return parts
}

// receive is the simplest reading of parts: octets are text, and a segment that is not there is its number in brackets.
func (w *world) receive(parts []gateway.InboundPart, to *gateway.Recipient) gateway.Arrival {
	first := &parts[0]
	m := &gateway.Message{
		ID: w.id(), Account: to.Number.Account, Direction: gateway.Inbound, Service: first.Service, From: first.From, To: first.To, Units: len(parts),
		Powerpack: to.Powerpack, Carrier: first.Carrier, AcceptedAt: first.At, Price: w.price, Subject: first.Subject,
		Callback: to.Application.Message, Text: first.Text,
	}
	if m.Callback.URL == "" {
		m.Callback = gateway.Callback{}
	}
	if to.Application.ID != "" && !to.Application.LogIncoming {
		m.Log = gateway.LogNothing
	}
	for _, id := range first.Media {
		m.MediaIDs = append(m.MediaIDs, id.String())
	}
	m.Text += textOf(parts)
	m.Arrive(m.AcceptedAt)
	arrival := gateway.Arrival{Message: m}
	change := gateway.OptOutChange{OptOut: gateway.OptOut{Account: m.Account, Source: m.To, Person: m.From, At: m.AcceptedAt, Origin: gateway.ByKeyword, Word: m.Text}}
	switch m.Text {
	case "STOP":
		m.Intent = gateway.OptOutIntent
		arrival.OptOuts, arrival.Answer = []gateway.OptOutChange{change}, "bye"
	case "START":
		m.Intent, change.In = gateway.OptInIntent, true
		arrival.OptOuts, arrival.Answer, arrival.OnlyIfChanged = []gateway.OptOutChange{change}, "welcome back", true
	}
	return arrival
}

// textOf joins segments.
func textOf(parts []gateway.InboundPart) (text string) {
	first := &parts[0]
	if first.Total < 2 || first.Total > 255 || first.Number < 1 || first.Number > first.Total {
		return string(first.Data.Octets)
	}
	for number := 1; number <= first.Total; number++ {
		if len(parts) > 0 && parts[0].Number == number {
			text += string(parts[0].Data.Octets)
			parts = parts[1:]
		} else {
			text += fmt.Sprintf("[%d]", number)
		}
	}
	return text
}

// arrives brings one part.
func (w *world) arrives(part gateway.InboundPart) gateway.InboundResult {
	w.Helper()
	results := must[[]gateway.InboundResult](w)(w.AddInboundParts(w.ctx, []gateway.InboundPart{part}, w.receive))
	if len(results) != 1 {
		w.Fatalf("%d results for one part", len(results))
	}
	return results[0]
}

func (w *world) complete(before time.Time, limit int) []gateway.InboundResult {
	w.Helper()
	return must[[]gateway.InboundResult](w)(w.CompleteInbound(w.ctx, before, limit, w.receive))
}

// recipientOf is what a store tells of a number.
func (w *world) recipientOf(number string) (got gateway.Recipient) {
	w.Helper()
	must[[]gateway.InboundResult](w)(w.AddInboundParts(w.ctx, []gateway.InboundPart{w.sms(person, number, "who?")},
		func(parts []gateway.InboundPart, to *gateway.Recipient) gateway.Arrival {
			got = *to
			return w.receive(parts, to)
		}))
	return got
}

func (w *world) nextIncomplete(want time.Time) {
	w.Helper()
	w.same(must[time.Time](w)(w.NextIncomplete(w.ctx)), want)
}

// owed checks the answers that are owed for messages after a place.
func (w *world) owed(after int64, results ...gateway.InboundResult) {
	w.Helper()
	var want []gateway.OwedAnswer
	for _, r := range results {
		want = append(want, gateway.OwedAnswer{Message: r.Message, Text: r.Answer})
	}
	w.same(must[[]gateway.OwedAnswer](w)(w.OwedAnswers(w.ctx, after, 9)), want)
}

// breaksOff brings a batch, and breaks off when it comes to a text, as a process that ends would.
func (w *world) breaksOff(batch []gateway.InboundPart, text string) {
	w.Helper()
	type broken struct{}
	defer func() {
		if p := recover(); p != nil && p != any(broken{}) {
			panic(p)
		}
	}()
	_, err := w.AddInboundParts(w.ctx, batch, func(parts []gateway.InboundPart, to *gateway.Recipient) gateway.Arrival {
		arrival := w.receive(parts, to)
		if strings.HasPrefix(arrival.Message.Text, text) {
			panic(broken{})
		}
		return arrival
	})
	w.Fatalf("the batch did not break off: %v", err)
}
