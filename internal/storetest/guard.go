package storetest

import (
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
)

var guardTests = map[string]func(*world){
	"a guard is kept in every particular, and the roster has it": func(w *world) {
		w.same(must[gateway.Guard](w)(w.Guard(w.ctx, one)), gateway.Guard{Account: one})
		w.same(must[gateway.Roster](w)(w.Roster(w.ctx)).Guards, []gateway.Guard(nil))
		off, on := false, true
		sub := gateway.AccountID("SASUBSUBSUBSUBSUBSUB")
		w.ok(w.CreateAccount(w.ctx, gateway.Account{ID: sub, Parent: one, Name: "Sub", Token: "token of sub", Enabled: true, CreatedAt: w.now}))
		for _, want := range []gateway.Guard{
			{
				Account: one, Geo: gateway.GeoPermissions{Others: &off, Countries: map[string]bool{"US": true, "NG": false}},
				Thresholds: []gateway.Threshold{{Country: gateway.AnyCountry, PerHour: 10}, {Prefix: "23480", PerHour: 5}}, AlertURL: "https://example.com/alert",
			},
			{Account: one, Geo: gateway.GeoPermissions{Others: &on}},
			{Account: one},
		} {
			changed, err := w.ChangeGuard(w.ctx, one, func(g *gateway.Guard) error { *g = want; return nil })
			w.ok(err)
			w.same(changed, want)
			w.reopen()
			got := must[gateway.Guard](w)(w.Guard(w.ctx, one))
			if len(got.Geo.Countries) == 0 {
				got.Geo.Countries = nil
			}
			w.same(got, want)
			roster := must[gateway.Roster](w)(w.Roster(w.ctx))
			w.same(len(roster.Guards), 1)
			w.same(roster.Guards[0].Thresholds, want.Thresholds)
			w.same(roster.Parents, map[gateway.AccountID]gateway.AccountID{sub: one})
		}
	},
	"a change of a guard starts from what is there; what it refuses is not done": func(w *world) {
		add := func(country string) error {
			_, err := w.ChangeGuard(w.ctx, two, func(g *gateway.Guard) error {
				if country == "" {
					return gateway.Errorf(gateway.Invalid, "no")
				}
				g.Thresholds = append(g.Thresholds, gateway.Threshold{Country: country, PerHour: 1})
				return nil
			})
			return err
		}
		w.ok(add("NG"))
		w.ok(add("DE"))
		w.refused(add(""), gateway.Invalid)
		w.same(must[gateway.Guard](w)(w.Guard(w.ctx, two)).Thresholds, []gateway.Threshold{{Country: "NG", PerHour: 1}, {Country: "DE", PerHour: 1}})
	},
	"an account that is not there has no guard": func(w *world) {
		_, err := w.Guard(w.ctx, "MANONENONENONENONENO")
		w.refused(err, gateway.NotFound)
		_, err = w.ChangeGuard(w.ctx, "MANONENONENONENONENO", func(*gateway.Guard) error { return nil })
		w.refused(err, gateway.NotFound)
	},
	"what an account sent is counted by country and prefix": func(w *world) {
		early := w.message()
		w.accept(early)
		since := w.now.Add(time.Minute)
		w.now = since
		to := func(number, country string) *gateway.Message {
			m := w.message()
			m.To, m.Country = number, country
			return m
		}
		refused, foreign, inbound := to("2348012345678", "NG"), to("2348012345678", "NG"), to("2348012345678", "NG")
		refused.Carrier = ""
		refused.Fail(gateway.ThresholdExceeded, w.now)
		foreign.Account = two
		inbound.Direction = gateway.Inbound
		failed := to("2348112345678", "NG") // later: it was counted
		w.accept(to("2348012345678", "NG"), to("2347012345678", "NG"), refused, inbound, failed, to("88123456789", ""))
		w.accept(foreign)
		w.record(&gateway.SubmitRecord{Message: failed, Failure: gateway.Expired, At: w.now})
		count := func(account gateway.AccountID, since time.Time, prefixes ...string) map[string]int {
			return must[map[string]int](w)(w.SentSince(w.ctx, account, since, prefixes))
		}
		w.same(count(one, since, "23480", "234", "49"), map[string]int{"NG": 3, "": 1, "23480": 1, "234": 3, "49": 0})
		w.same(count(one, since.Add(-time.Minute)), map[string]int{"NG": 3, "": 1, "US": 1})
		w.same(count(one, since.Add(time.Second)), map[string]int{})
		w.same(count(two, since, "23480"), map[string]int{"NG": 1, "23480": 1})
		w.same(count("MANONENONENONENONENO", since), map[string]int{})
	},
}
