package storetest

import (
	"fmt"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
)

// tracked accepts a trackable message that a carrier took.
func (w *world) tracked(change func(*gateway.Message)) *gateway.Message {
	w.Helper()
	m := w.message()
	m.Trackable = true
	if change != nil {
		change(m)
	}
	w.accept(m)
	w.record(w.settled(m, 1, w.taken(1, m.ID.String())))
	return m
}

// says gives feedback on a message that must be taken.
func (w *world) says(m *gateway.Message, status gateway.ConversionStatus) {
	w.Helper()
	results, err := w.RecordConversions(w.ctx, []gateway.Conversion{{Account: m.Account, Message: m.ID, Status: status, ActedAt: w.now, ToldAt: w.now}})
	w.ok(err)
	w.ok(results[0])
}

// conversions writes down counts as "name converted/with others/not/pending".
func (w *world) conversions(filter gateway.ConversionFilter) []string {
	w.Helper()
	lines := []string{}
	for _, c := range must[[]gateway.ConversionCount](w)(w.Conversions(w.ctx, filter)) {
		lines = append(lines, fmt.Sprintf("%s %d/%d/%d/%d", c.Name, c.Converted, c.ConvertedWithOthers, c.NotConverted, c.Pending))
	}
	return lines
}

var conversionTests = map[string]func(*world){
	"the last feedback holds, in a batch and over a restart": func(w *world) {
		a, b := w.tracked(nil), w.tracked(nil)
		w.says(a, gateway.Converted)
		w.same(w.conversions(gateway.ConversionFilter{}), []string{"main 1/0/0/1"})
		w.says(a, gateway.NotConverted)
		w.same(w.conversions(gateway.ConversionFilter{}), []string{"main 0/0/1/1"})
		results, err := w.RecordConversions(w.ctx, []gateway.Conversion{
			{Account: one, Message: b.ID, Status: gateway.Converted},
			{Account: one, Message: a.ID, Status: gateway.Converted},
			{Account: one, Message: b.ID, Status: gateway.ConvertedWithOthers},
		})
		w.ok(err)
		w.same(results, make([]error, 3))
		w.reopen()
		w.same(w.conversions(gateway.ConversionFilter{}), []string{"main 1/1/0/0"})
	},
	"feedback on what is not trackable, not there or another's is refused alone": func(w *world) {
		mine, plain, theirs := w.tracked(nil), w.submitted("a"), w.tracked(func(m *gateway.Message) { m.Account = two })
		twin := mine.ID
		twin[15]++
		batch := []gateway.Conversion{
			{Account: one, Message: plain.ID},
			{Account: one, Message: theirs.ID},
			{Account: one, Message: w.id()},
			{Account: one, Message: twin},
			{Account: "MANONENONENONENONENO", Message: mine.ID},
			{Account: one, Message: mine.ID, Status: gateway.Converted},
		}
		results, err := w.RecordConversions(w.ctx, batch)
		w.ok(err)
		w.refused(results[0], gateway.Invalid)
		for _, err := range results[1:5] {
			w.refused(err, gateway.NotFound)
		}
		w.ok(results[5])
		w.same(w.conversions(gateway.ConversionFilter{}), []string{"main 1/0/0/1"})
	},
	"without feedback a message has not converted when its time is over": func(w *world) {
		w.tracked(nil)
		w.now = w.now.Add(time.Hour)
		w.says(w.tracked(nil), gateway.Converted)
		w.tracked(nil)
		w.same(w.conversions(gateway.ConversionFilter{Settled: w.now}), []string{"main 1/0/1/1"})
		w.same(w.conversions(gateway.ConversionFilter{Settled: w.now.Add(time.Microsecond)}), []string{"main 1/0/2/0"})
	},
	"what no carrier took does not count, nor what is not trackable": func(w *world) {
		waiting, failed := w.message(), w.message()
		waiting.Trackable, failed.Trackable = true, true
		failed.Fail(gateway.NoRoute, w.now)
		w.accept(waiting, failed)
		w.submitted("plain")
		w.says(failed, gateway.Converted) // as the account likes; nobody got that message
		w.same(w.conversions(gateway.ConversionFilter{}), []string{})
		undelivered := w.tracked(nil)
		w.receipt(w.undelivered(undelivered.ID.String()))
		delivered := w.tracked(nil)
		w.receipt(w.delivered(delivered.ID.String()))
		w.says(delivered, gateway.Converted)
		w.same(w.conversions(gateway.ConversionFilter{Settled: w.now.Add(time.Hour)}), []string{"main 1/0/1/0"})
	},
	"conversions by carrier, sender and country, within a time": func(w *world) {
		begin := w.now
		made := []*gateway.Message{
			w.tracked(nil),
			w.tracked(func(m *gateway.Message) { m.From, m.Country = rented, "CA" }),
			w.tracked(func(m *gateway.Message) { m.Carrier, m.Country = "other", "" }),
		}
		w.now = w.now.Add(time.Hour)
		made = append(made, w.tracked(func(m *gateway.Message) { m.Carrier, m.Account = "other", two }), w.tracked(func(m *gateway.Message) { m.Carrier = "other" }))
		w.says(made[0], gateway.Converted)
		w.says(made[3], gateway.ConvertedWithOthers)
		for _, test := range []struct {
			filter gateway.ConversionFilter
			want   []string
		}{
			{gateway.ConversionFilter{}, []string{"other 0/1/2/0", "main 1/0/1/0"}},
			{gateway.ConversionFilter{By: gateway.BySender}, []string{pooled + " 1/1/2/0", rented + " 0/0/1/0"}},
			{gateway.ConversionFilter{By: gateway.ByCountry}, []string{"US 1/1/1/0", " 0/0/1/0", "CA 0/0/1/0"}},
			{gateway.ConversionFilter{By: gateway.ByCountry, Limit: 1}, []string{"US 1/1/1/0"}},
			{gateway.ConversionFilter{Account: one}, []string{"main 1/0/1/0", "other 0/0/2/0"}},
			{gateway.ConversionFilter{Account: "MANONENONENONENONENO"}, []string{}},
			{gateway.ConversionFilter{Carrier: "main", By: gateway.BySender}, []string{pooled + " 1/0/0/0", rented + " 0/0/1/0"}},
			{gateway.ConversionFilter{Carrier: "nobody"}, []string{}},
			{gateway.ConversionFilter{Sender: rented}, []string{"main 0/0/1/0"}},
			{gateway.ConversionFilter{Country: "CA"}, []string{"main 0/0/1/0"}},
			{gateway.ConversionFilter{After: w.now}, []string{"other 0/1/1/0"}},
			{gateway.ConversionFilter{Before: w.now}, []string{"main 1/0/1/0", "other 0/0/1/0"}},
			{gateway.ConversionFilter{After: begin, Before: w.now.Add(time.Microsecond), Account: two}, []string{"other 0/1/0/0"}},
		} {
			test.filter.Settled = w.now.Add(time.Hour)
			w.same(w.conversions(test.filter), test.want)
		}
	},
	"conversions by blocks of a thousand destinations": func(w *world) {
		to := func(number, country string) *gateway.Message {
			return w.tracked(func(m *gateway.Message) { m.To, m.Country = number, country })
		}
		w.says(to("8613912345678", "CN"), gateway.Converted)
		to("8613912345001", "CN")
		to("8613912346001", "CN")
		w.says(to("861391234567", "CN"), gateway.NotConverted)
		for filter, want := range map[string][]string{
			"":   {"8613912345678 1/0/0/1", "861391234567 0/0/1/0", "8613912346001 0/0/0/1"},
			"CN": {"8613912345678 1/0/0/1", "861391234567 0/0/1/0", "8613912346001 0/0/0/1"},
			"US": {},
		} {
			lines := []string{}
			for _, c := range must[[]gateway.ConversionCount](w)(w.ConversionBlocks(w.ctx, gateway.ConversionFilter{Country: filter, Settled: w.now})) {
				lines = append(lines, fmt.Sprintf("%s %d/%d/%d/%d", c.Name, c.Converted, c.ConvertedWithOthers, c.NotConverted, c.Pending))
			}
			w.same(lines, want)
		}
		w.same(len(must[[]gateway.ConversionCount](w)(w.ConversionBlocks(w.ctx, gateway.ConversionFilter{Limit: 2}))), 2)
	},
	"feedback goes with its message": func(w *world) {
		m := w.tracked(nil)
		w.says(m, gateway.Converted)
		w.purgeAll(gateway.Retention{Records: w.now.Add(time.Hour)})
		results, err := w.RecordConversions(w.ctx, []gateway.Conversion{{Account: one, Message: m.ID}})
		w.ok(err)
		w.refused(results[0], gateway.NotFound)
		w.same(w.conversions(gateway.ConversionFilter{}), []string{})
	},
}
