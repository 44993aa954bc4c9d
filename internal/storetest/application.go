package storetest

import (
	"fmt"
	"time"

	"pgregory.net/rapid"

	"github.com/heliograph/heliograph/internal/gateway"
)

var applicationTests = map[string]func(*world){
	"an application is kept in every particular": func(w *world) {
		app := w.application("10000000000000001", one)
		app.Message = gateway.Callback{URL: "https://app.example.com/in?a=b", Method: "GET"}
		app.Answer = gateway.Callback{URL: "https://app.example.com/answer", Method: "POST"}
		app.Hangup = gateway.Callback{URL: "https://app.example.com/hangup", Method: "GET"}
		app.Fallback = gateway.Callback{URL: "https://app.example.com/fallback", Method: "GET"}
		app.DefaultNumber, app.DefaultEndpoint, app.PublicURI, app.LogIncoming = true, true, true, true
		w.ok(w.CreateApplication(w.ctx, app))
		bare := gateway.Application{ID: "10000000000000002", Account: two, Name: "bare", CreatedAt: w.now}
		w.ok(w.CreateApplication(w.ctx, bare))
		w.reopen()
		w.same(must[gateway.Application](w)(w.Application(w.ctx, one, app.ID)), app)
		w.same(must[gateway.Application](w)(w.Application(w.ctx, two, bare.ID)), bare)
	},
	"an application's id is taken once, its name is not": func(w *world) {
		app := w.application("10000000000000001", one)
		w.ok(w.CreateApplication(w.ctx, app))
		app.Account = two
		w.refused(w.CreateApplication(w.ctx, app), gateway.Conflict)
		w.same(must[gateway.Application](w)(w.Application(w.ctx, one, app.ID)).Account, one)
		app.ID = "10000000000000002"
		w.ok(w.CreateApplication(w.ctx, app))
		app.ID, app.Account = "10000000000000003", "MANONENONENONENONENO"
		w.refused(w.CreateApplication(w.ctx, app), gateway.Invalid)
	},
	"applications are listed newest first, filtered, paged and counted": func(w *world) {
		w.subaccount(sub)
		for i, name := range []string{"in", "in_2", "In", "inbound", "i%", "out"} {
			app := w.application(fmt.Sprintf("1000000000000000%d", i), one)
			app.Name = name
			w.ok(w.CreateApplication(w.ctx, app))
		}
		w.ok(w.CreateApplication(w.ctx, w.application("20000000000000000", sub)))
		w.ok(w.ChangeApplication(w.ctx, one, "10000000000000000", func(*gateway.Application) error { return nil })) // keeps its place
		for _, test := range []struct {
			filter gateway.ApplicationFilter
			total  int
			want   string
		}{
			{gateway.ApplicationFilter{Account: one}, 8, "[out i% inbound In in_2 in app-88 app-77]"},
			{gateway.ApplicationFilter{Account: one, Name: "in"}, 3, "[inbound in_2 in]"},
			{gateway.ApplicationFilter{Account: one, Name: "in_"}, 1, "[in_2]"},
			{gateway.ApplicationFilter{Account: one, Name: "i%"}, 1, "[i%]"},
			{gateway.ApplicationFilter{Account: one, Name: "x"}, 0, "[]"},
			{gateway.ApplicationFilter{Account: one, Limit: 2}, 8, "[out i%]"},
			{gateway.ApplicationFilter{Account: one, Limit: 2, Offset: 6}, 8, "[app-88 app-77]"},
			{gateway.ApplicationFilter{Account: one, Offset: 9, Limit: 2}, 8, "[]"},
			{gateway.ApplicationFilter{Account: sub}, 1, "[app-20000000000000000]"},
			{gateway.ApplicationFilter{Account: two}, 0, "[]"},
		} {
			list, total, err := w.Applications(w.ctx, test.filter)
			w.ok(err)
			var names []string
			for _, app := range list {
				names = append(names, app.Name)
			}
			w.same([]any{total, fmt.Sprint(names)}, []any{test.total, test.want})
		}
	},
	"applications are within reach of their account and of its main account": func(w *world) {
		w.subaccount(sub)
		w.subaccount(subToo)
		theirs := w.application("10000000000000001", sub)
		w.ok(w.CreateApplication(w.ctx, theirs))
		rename := func(app *gateway.Application) error { app.Name = "renamed"; return nil }
		for _, id := range []gateway.AccountID{two, subToo, "MANONENONENONENONENO"} {
			_, err := w.Application(w.ctx, id, theirs.ID)
			w.refused(err, gateway.NotFound)
			w.refused(w.ChangeApplication(w.ctx, id, theirs.ID, rename), gateway.NotFound)
			w.refused(w.DeleteApplication(w.ctx, id, theirs.ID), gateway.NotFound)
		}
		_, err := w.Application(w.ctx, sub, "77")
		w.refused(err, gateway.NotFound)
		w.refused(w.DeleteApplication(w.ctx, sub, "77"), gateway.NotFound)
		w.same(must[gateway.Application](w)(w.Application(w.ctx, one, theirs.ID)), theirs)
		w.ok(w.ChangeApplication(w.ctx, one, theirs.ID, rename))
		theirs.Name = "renamed"
		w.same(must[gateway.Application](w)(w.Application(w.ctx, sub, theirs.ID)), theirs)
		w.ok(w.DeleteApplication(w.ctx, one, theirs.ID))
		_, err = w.Application(w.ctx, sub, theirs.ID)
		w.refused(err, gateway.NotFound)
	},
	"what a change refuses is not done": func(w *world) {
		no := gateway.Errorf(gateway.Invalid, "no")
		w.refused(w.ChangeApplication(w.ctx, one, "77", func(app *gateway.Application) error { app.Name = "other"; return no }), gateway.Invalid)
		w.same(must[gateway.Application](w)(w.Application(w.ctx, one, "77")).Name, "app-77")
	},
	"concurrent changes of an application are all kept": func(w *world) {
		errs := w.together(8, func(i int) error {
			return w.ChangeApplication(w.ctx, one, "77", func(app *gateway.Application) error {
				app.Message.URL += fmt.Sprint(i)
				return nil
			})
		})
		for _, err := range errs {
			w.ok(err)
		}
		w.same(len(must[gateway.Application](w)(w.Application(w.ctx, one, "77")).Message.URL), 8)
	},
	"numbers and powerpacks are linked to applications of their account only": func(w *world) {
		w.subaccount(sub)
		w.ok(w.CreateApplication(w.ctx, w.application("10000000000000001", sub)))
		for _, id := range []string{"10000000000000001", "10000000000000002"} {
			w.refused(w.ChangeNumber(w.ctx, one, pooled, gateway.NumberChange{Application: &id}), gateway.Invalid)
			w.refused(w.RentNumber(w.ctx, one, inventory, id, w.now), gateway.Invalid)
			p := w.powerpack
			p.ApplicationID = id
			w.refused(w.UpdatePowerpack(w.ctx, p), gateway.Invalid)
			p.ID, p.Pool, p.Name = w.id(), w.id(), "other"
			w.refused(w.CreatePowerpack(w.ctx, p), gateway.Invalid)
		}
		w.same(w.numberOf(one, pooled).Application, "")
		w.same(w.numberOf("", inventory), w.number(inventory, "", gateway.ID{}))
		w.same(must[gateway.Powerpack](w)(w.Powerpack(w.ctx, one, w.powerpack.ID)), w.powerpack)

		ours, theirs := "77", "10000000000000001" // a number that goes to another account is linked to one of that account
		w.refused(w.ChangeNumber(w.ctx, one, pooled, gateway.NumberChange{Account: sub, Application: &ours}), gateway.Invalid)
		w.same(w.numberOf(one, pooled), w.number(pooled, one, w.powerpack.Pool))
		w.ok(w.ChangeNumber(w.ctx, one, pooled, gateway.NumberChange{Account: sub, Application: &theirs}))
		w.same(w.numberOf(sub, pooled).Application, theirs)
	},
	"a deleted application is linked to nothing any more": func(w *world) {
		w.link("77", pooled, rented)
		w.link("88", pooledToo)
		w.ok(w.DeleteApplication(w.ctx, one, "77"))
		w.refused(w.DeleteApplication(w.ctx, one, "77"), gateway.NotFound)
		w.reopen()
		w.same(w.linked(pooled, rented, pooledToo), []string{"", "", "88"})
		p := must[gateway.Powerpack](w)(w.Powerpack(w.ctx, one, w.powerpack.ID))
		w.same([]string{p.ApplicationType, p.ApplicationID}, []string{"", ""})
	},
	"an application that goes to a subaccount leaves what it is linked to": func(w *world) {
		w.subaccount(sub)
		w.link("77", pooled)
		w.link("88", pooledToo)
		give := func(to gateway.AccountID) error {
			return w.ChangeApplication(w.ctx, one, "77", func(app *gateway.Application) error { app.Account = to; return nil })
		}
		w.refused(give("SANONENONENONENONENO"), gateway.Invalid)
		w.same(w.linked(pooled, pooledToo), []string{"77", "88"})
		w.ok(give(sub))
		w.same(w.linked(pooled, pooledToo), []string{"", "88"})
		w.same(must[gateway.Powerpack](w)(w.Powerpack(w.ctx, one, w.powerpack.ID)).ApplicationID, "")
		w.same(must[gateway.Application](w)(w.Application(w.ctx, sub, "77")).Name, "app-77")
		w.ok(give(one))
		_, err := w.Application(w.ctx, sub, "77")
		w.refused(err, gateway.NotFound)
	},
	"an account has one default application of each kind at most": func(w *world) {
		w.same(must[string](w)(w.DefaultApplication(w.ctx, one)), "")
		other := w.application("10000000000000001", two)
		other.DefaultNumber, other.DefaultEndpoint = true, true
		w.ok(w.CreateApplication(w.ctx, other))
		set := func(id string, number, endpoint bool) {
			w.Helper()
			w.ok(w.ChangeApplication(w.ctx, one, id, func(app *gateway.Application) error {
				app.DefaultNumber, app.DefaultEndpoint = number, endpoint
				return nil
			}))
		}
		set("77", true, true)
		w.same(must[string](w)(w.DefaultApplication(w.ctx, one)), "77")
		set("88", true, false)
		w.same(must[string](w)(w.DefaultApplication(w.ctx, one)), "88")
		app := must[gateway.Application](w)(w.Application(w.ctx, one, "77"))
		w.same([]bool{app.DefaultNumber, app.DefaultEndpoint}, []bool{false, true})
		third := w.application("10000000000000002", one)
		third.DefaultEndpoint = true
		w.ok(w.CreateApplication(w.ctx, third))
		w.same(must[gateway.Application](w)(w.Application(w.ctx, one, "77")).DefaultEndpoint, false)
		w.same(must[string](w)(w.DefaultApplication(w.ctx, one)), "88")
		w.same(must[string](w)(w.DefaultApplication(w.ctx, two)), other.ID)
		w.ok(w.DeleteApplication(w.ctx, one, "88"))
		w.same(must[string](w)(w.DefaultApplication(w.ctx, one)), "")
	},
	"a number that the operator gives to an account is linked to its default application": func(w *world) {
		put := func(number string, account gateway.AccountID) string {
			w.Helper()
			n := w.number(number, account, gateway.ID{})
			n.AddedAt, n.RentedAt = w.now, w.now
			w.ok(w.PutNumbers(w.ctx, []gateway.Number{n}))
			return w.numberOf(account, number).Application
		}
		w.same(put(inventory2, one), "") // there is none
		w.ok(w.ChangeApplication(w.ctx, one, "77", func(app *gateway.Application) error { app.DefaultNumber = true; return nil }))
		w.same(put("14155550199", one), "77") // a new one
		w.same(put(inventory, one), "77")
		w.same(put(inventory, one), "77")
		other := "88"
		w.ok(w.ChangeNumber(w.ctx, one, inventory, gateway.NumberChange{Application: &other}))
		w.same(put(inventory, one), "88") // it has it already: what it is linked to is the account's affair
		w.same(put(inventory2, one), "")
		w.same(put(inventory, two), "")
		w.same(put(inventory, ""), "")
		w.same(put(inventory, one), "77")
	},
	"a number that is rented into a pool is linked to the default application": func(w *world) {
		w.link("88", rented)
		w.ok(w.ChangeApplication(w.ctx, one, "77", func(app *gateway.Application) error { app.DefaultNumber = true; return nil }))
		for number, want := range map[string]string{inventory: "77", rented: "88"} {
			added := must[gateway.Number](w)(w.AddToPool(w.ctx, one, w.powerpack.Pool, number, gateway.SMS, true, w.now))
			w.same(added.Application, want)
			w.same(w.numberOf(one, number).Application, want)
		}
	},
	"a random history of links never ends at an application that is not there": func(w *world) {
		// A store of its own for each history would take long; each goes on where the last one ended.
		w.subaccount(sub)
		ids := []string{"77", "88", "10000000000000001", "10000000000000002"}
		for _, id := range ids[2:] {
			w.ok(w.CreateApplication(w.ctx, w.application(id, sub)))
		}
		numbers := []string{pooled, pooledToo, rented}
		rapid.Check(w.failing.(rapid.TB), func(rt *rapid.T) {
			for range rapid.IntRange(1, 8).Draw(rt, "steps") {
				id, number := rapid.SampledFrom(ids).Draw(rt, "application"), rapid.SampledFrom(numbers).Draw(rt, "number")
				owner := rapid.SampledFrom([]gateway.AccountID{one, sub}).Draw(rt, "owner")
				switch rapid.IntRange(0, 3).Draw(rt, "step") {
				case 0:
					_ = w.DeleteApplication(w.ctx, owner, id)
				case 1:
					_ = w.CreateApplication(w.ctx, w.application(id, owner))
				case 2:
					_ = w.ChangeApplication(w.ctx, one, id, func(app *gateway.Application) error { app.Account = owner; return nil })
				case 3:
					from := rapid.SampledFrom([]gateway.AccountID{one, sub}).Draw(rt, "from")
					_ = w.ChangeNumber(w.ctx, from, number, gateway.NumberChange{Account: owner, Application: &id})
				}
				for _, owner := range []gateway.AccountID{one, sub} {
					list, _, err := w.Numbers(w.ctx, gateway.NumberFilter{Account: owner})
					w.ok(err)
					for _, n := range list {
						if n.Application == "" {
							continue
						}
						if app, err := w.Application(w.ctx, owner, n.Application); err != nil || app.Account != owner {
							rt.Fatalf("%s of %s is linked to %s: %v", n.Number, owner, n.Application, err)
						}
					}
				}
			}
		})
	},
}

// application makes an application that is in no store yet.
func (w *world) application(id string, account gateway.AccountID) gateway.Application {
	post := gateway.Callback{Method: "POST"}
	return gateway.Application{
		ID: id, Account: account, Name: "app-" + id, Message: post, Answer: post, Hangup: post, Fallback: post, LogIncoming: true,
		CreatedAt: w.now.Add(time.Minute),
	}
}

// link links numbers of account one to an application.
func (w *world) link(application string, numbers ...string) {
	w.Helper()
	for _, number := range numbers {
		w.ok(w.ChangeNumber(w.ctx, one, number, gateway.NumberChange{Application: &application}))
	}
}

// linked are the applications that numbers of account one are linked to.
func (w *world) linked(numbers ...string) []string {
	w.Helper()
	list := make([]string, len(numbers))
	for i, number := range numbers {
		list[i] = w.numberOf(one, number).Application
	}
	return list
}
