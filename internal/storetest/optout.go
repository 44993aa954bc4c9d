package storetest

import (
	"fmt"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
)

var optOutTests = map[string]func(*world){
	"an opt-out is kept in every particular, of one account": func(w *world) {
		o := w.optOut(one, person, pooled)
		o.Word, o.Origin, o.Note, o.Message = "STOP", gateway.ByKeyword, "by hand", w.id()
		w.changes([]bool{true}, o)
		w.reopen()
		list, total, err := w.OptOuts(w.ctx, gateway.OptOutFilter{Account: one})
		w.ok(err)
		w.same(list, []gateway.OptOut{o.OptOut})
		w.same(total, 1)
		records, total, err := w.OptOutRecords(w.ctx, gateway.OptOutFilter{Account: one})
		w.ok(err)
		w.same([]int{len(records), total}, []int{1, 1})
		w.same(records[0].OptOutChange, o)
		w.same(w.optedOut(one, person), []string{pooled})
		w.same(w.optedOut(two, person), []string(nil))
		w.same(w.optedOut(one, personToo), []string(nil))
		w.same(w.optedOut("MANONENONENONENONENO", person), []string(nil))
	},
	"what changes nothing has no line in the trail": func(w *world) {
		out := w.optOut(one, person, pooled)
		in := out
		in.In = true
		later := out
		later.At = w.now.Add(time.Hour)
		w.changes([]bool{false, true, false, true, false, true}, in, out, later, in, in, out)
		records, total, err := w.OptOutRecords(w.ctx, gateway.OptOutFilter{})
		w.ok(err)
		w.same(total, 3)
		for i, want := range []bool{false, true, false} { // newest first
			w.same(records[i].In, want)
			if i > 0 && records[i].ID >= records[i-1].ID {
				w.Fatalf("line %d comes before line %d", records[i].ID, records[i-1].ID)
			}
		}
	},
	"an account that does not exist: nothing is changed": func(w *world) {
		w.subaccount(sub)
		w.ok(w.RemoveSubaccount(w.ctx, one, sub, true, w.now))
		for _, id := range []gateway.AccountID{"MANONENONENONENONENO", "", sub} {
			_, err := w.ChangeOptOuts(w.ctx, []gateway.OptOutChange{w.optOut(one, person, pooled), w.optOut(id, person, pooled)})
			w.refused(err, gateway.NotFound)
		}
		w.same(w.optedOut(one, person), []string(nil))
	},
	"sources are given in the order of the questions": func(w *world) {
		w.changes([]bool{true, true, true, true}, w.optOut(one, person, pooled), w.optOut(one, person, "C1"), w.optOut(one, personToo, rented), w.optOut(two, person, "C2"))
		sources := must[[][]string](w)(w.OptOutSources(w.ctx, []gateway.Addressee{
			{Account: one, Person: personToo},
			{Account: two, Person: personToo},
			{Account: two, Person: person},
			{Account: one, Person: person},
			{Account: one, Person: "1"},
			{Account: one, Person: person},
		}))
		w.same(sources, [][]string{{rented}, nil, {"C2"}, {pooled, "C1"}, nil, {pooled, "C1"}})
		w.same(len(must[[][]string](w)(w.OptOutSources(w.ctx, nil))), 0)
	},
	"opt-outs are listed newest first, filtered, paged and counted": func(w *world) {
		start := w.now
		var all []gateway.OptOutChange
		for i := range 6 {
			w.now = start.Add(time.Duration(i) * time.Minute)
			all = append(all, w.optOut(accounts[i/5], fmt.Sprintf("1415555000%d", i%3), []string{pooled, rented}[i%2]))
		}
		w.changes([]bool{true, true, true, true, true, true}, all...)
		for _, test := range []struct {
			filter gateway.OptOutFilter
			total  int
			want   []int
		}{
			{gateway.OptOutFilter{}, 6, []int{5, 4, 3, 2, 1, 0}},
			{gateway.OptOutFilter{Account: one}, 5, []int{4, 3, 2, 1, 0}},
			{gateway.OptOutFilter{Account: one, Limit: 2, Offset: 1}, 5, []int{3, 2}},
			{gateway.OptOutFilter{Account: two}, 1, []int{5}},
			{gateway.OptOutFilter{Account: "MANONENONENONENONENO"}, 0, nil},
			{gateway.OptOutFilter{Person: "14155550002"}, 2, []int{5, 2}},
			{gateway.OptOutFilter{Account: one, Person: "14155550001", Source: rented}, 1, []int{1}},
			{gateway.OptOutFilter{Account: one, Source: pooled}, 3, []int{4, 2, 0}},
			{gateway.OptOutFilter{After: start.Add(time.Minute), Before: start.Add(3 * time.Minute)}, 2, []int{2, 1}},
		} {
			var outs []gateway.OptOut
			var lines []gateway.OptOutChange
			for _, i := range test.want {
				outs, lines = append(outs, all[i].OptOut), append(lines, all[i])
			}
			list, total, err := w.OptOuts(w.ctx, test.filter)
			w.ok(err)
			w.same(list, outs)
			w.same(total, test.total)
			records, total, err := w.OptOutRecords(w.ctx, test.filter)
			w.ok(err)
			var got []gateway.OptOutChange
			for _, r := range records {
				got = append(got, r.OptOutChange)
			}
			w.same(got, lines)
			w.same(total, test.total)
		}
	},
	"recent opt-outs are those that stand and were made since": func(w *world) {
		old, gone, recent := w.optOut(one, person, pooled), w.optOut(one, person, rented), w.optOut(two, person, "C1")
		recent.At, gone.At = w.now.Add(time.Minute), w.now.Add(time.Minute)
		in := gone
		in.In = true
		w.changes([]bool{true, true, true, true}, recent, gone, in, old)
		w.same(must[[]gateway.OptOut](w)(w.RecentOptOuts(w.ctx, w.now.Add(time.Minute))), []gateway.OptOut{recent.OptOut})
		w.same(must[[]gateway.OptOut](w)(w.RecentOptOuts(w.ctx, w.now)), []gateway.OptOut{old.OptOut, recent.OptOut})
		w.same(len(must[[]gateway.OptOut](w)(w.RecentOptOuts(w.ctx, w.now.Add(time.Hour)))), 0)
	},
	"opt-outs of a subaccount that is removed are its main account's": func(w *world) {
		for i, cascade := range []bool{true, false} {
			id := []gateway.AccountID{sub, subToo}[i]
			w.subaccount(id)
			theirs, both := w.optOut(id, person, fmt.Sprint("C", i)), w.optOut(id, personToo, fmt.Sprint("C", i))
			mine := both
			mine.Account, mine.At = one, w.now.Add(-time.Hour)
			w.changes([]bool{true, true, true}, theirs, both, mine)
			w.ok(w.RemoveSubaccount(w.ctx, one, id, cascade, w.now))
			w.reopen()
			w.same(w.optedOut(id, person), []string(nil))
			list, _, err := w.OptOuts(w.ctx, gateway.OptOutFilter{Account: one, Source: theirs.Source})
			w.ok(err)
			theirs.Account = one
			w.same(list, []gateway.OptOut{theirs.OptOut, mine.OptOut})
			_, lines, err := w.OptOutRecords(w.ctx, gateway.OptOutFilter{Account: one, Source: theirs.Source})
			w.ok(err)
			w.same(lines, 3)
			_, lines, err = w.OptOutRecords(w.ctx, gateway.OptOutFilter{Account: id})
			w.ok(err)
			w.same(lines, 0)
		}
	},
	"a number that goes to another account leaves its opt-outs behind": func(w *world) {
		w.changes([]bool{true}, w.optOut(one, person, rented))
		w.ok(w.ChangeNumber(w.ctx, one, rented, gateway.NumberChange{Account: two}))
		w.same(w.optedOut(one, person), []string{rented})
		w.same(w.optedOut(two, person), []string(nil))
		w.ok(w.ChangeNumber(w.ctx, two, rented, gateway.NumberChange{Account: one}))
		w.ok(w.UnrentNumber(w.ctx, one, rented))
		w.ok(w.DeletePowerpack(w.ctx, one, w.powerpack.ID, true))
		w.purgeAll(gateway.Retention{
			Texts: w.now.AddDate(1, 0, 0), Records: w.now.AddDate(1, 0, 0), Keys: w.now.AddDate(1, 0, 0), Parked: w.now.AddDate(1, 0, 0), Told: w.now.AddDate(1, 0, 0),
		})
		w.same(w.optedOut(one, person), []string{rented})
		_, lines, err := w.OptOutRecords(w.ctx, gateway.OptOutFilter{Account: one})
		w.ok(err)
		w.same(lines, 1)
	},
	"a number that goes to a subaccount, or back, brings its opt-outs": func(w *world) {
		w.subaccount(sub)
		w.subaccount(subToo)
		other := w.optOut(one, person, pooled)
		w.changes([]bool{true, true, true}, w.optOut(one, person, rented), other, w.optOut(two, person, rented))
		at := func(account gateway.AccountID) {
			w.Helper()
			for _, id := range []gateway.AccountID{one, sub, subToo} {
				var want []string
				if id == one {
					want = []string{pooled}
				}
				if id == account {
					want = append(want, rented)
				}
				w.same(w.optedOut(id, person), want)
				_, lines, err := w.OptOutRecords(w.ctx, gateway.OptOutFilter{Account: id})
				w.ok(err)
				w.same(lines, len(want))
			}
			w.same(w.optedOut(two, person), []string{rented})
		}
		w.ok(w.ChangeNumber(w.ctx, one, rented, gateway.NumberChange{Account: sub}))
		at(sub)
		w.ok(w.UnrentNumber(w.ctx, sub, rented))
		at(sub)
		w.ok(w.RentNumber(w.ctx, subToo, rented, "", w.now))
		at(subToo)
		n := w.numberOf(subToo, rented)
		n.Account = sub
		w.ok(w.PutNumbers(w.ctx, []gateway.Number{n}))
		at(sub)
		w.reopen()
		in := w.optOut(sub, person, rented)
		in.In = true
		w.changes([]bool{true}, in)
		w.ok(w.ChangeNumber(w.ctx, sub, rented, gateway.NumberChange{Account: one}))
		w.same(w.optedOut(one, person), []string{pooled})
	},
	"keywords are kept with powerpacks and campaigns": func(w *world) {
		p := w.powerpack
		p.Keywords = keywords
		w.ok(w.UpdatePowerpack(w.ctx, p))
		second := gateway.Powerpack{ID: w.id(), Account: one, Name: "second", Pool: w.id(), CreatedAt: w.now, Keywords: gateway.Keywords{HelpText: "?"}}
		w.ok(w.CreatePowerpack(w.ctx, second))
		c := gateway.Campaign{ID: "C1", Account: one, Rate: 1, Keywords: keywords}
		w.ok(w.PutCampaigns(w.ctx, []gateway.Campaign{c}))
		w.reopen()
		w.same(must[gateway.Powerpack](w)(w.Powerpack(w.ctx, one, p.ID)), p)
		w.same(must[gateway.Powerpack](w)(w.Powerpack(w.ctx, one, second.ID)), second)
		w.same(w.campaigns(), []gateway.Campaign{c})
		roster := must[gateway.Roster](w)(w.Roster(w.ctx))
		w.same(roster.Powerpacks, []gateway.Powerpack{p, second})
		w.same(roster.Campaigns, []gateway.Campaign{c})
		p.Keywords, c.Keywords = gateway.Keywords{}, gateway.Keywords{}
		w.ok(w.UpdatePowerpack(w.ctx, p))
		w.ok(w.PutCampaigns(w.ctx, []gateway.Campaign{c}))
		w.same(must[gateway.Powerpack](w)(w.Powerpack(w.ctx, one, p.ID)), p)
		w.same(w.campaigns(), []gateway.Campaign{c})
	},
}

// optOut is an opt-out that is made now.
func (w *world) optOut(account gateway.AccountID, person, source string) gateway.OptOutChange {
	return gateway.OptOutChange{OptOut: gateway.OptOut{Account: account, Source: source, Person: person, At: w.now, Origin: gateway.ByOperator}}
}

// changes makes changes, and checks which of them change something.
func (w *world) changes(want []bool, changes ...gateway.OptOutChange) {
	w.Helper()
	w.same(must[[]bool](w)(w.ChangeOptOuts(w.ctx, changes)), want)
}

// optedOut is what a person has opted out of.
func (w *world) optedOut(account gateway.AccountID, person string) []string {
	w.Helper()
	return must[[][]string](w)(w.OptOutSources(w.ctx, []gateway.Addressee{{Account: account, Person: person}}))[0]
}
