package storetest

import (
	"fmt"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
)

// Subaccounts of account one, where a test makes them.
const (
	sub    = gateway.AccountID("SASUBSUBSUBSUBSUBSUB")
	subToo = gateway.AccountID("SATOOTOOTOOTOOTOOTOO")
)

var subaccountTests = map[string]func(*world){
	"a profile is kept, and changes where it is told to": func(w *world) {
		w.same(must[gateway.Profile](w)(w.Profile(w.ctx, one)), gateway.Profile{Name: "One"})
		text := func(s string) *string { return &s }
		w.ok(w.ChangeProfile(w.ctx, one, gateway.ProfileChange{
			Name: text("One Ltd"), Address: text("1 Main St"), City: text("Springfield"), State: text("NY"), Timezone: text("America/New_York"),
		}))
		w.ok(w.ChangeProfile(w.ctx, one, gateway.ProfileChange{Address: text(""), City: text("Shelbyville")}))
		w.ok(w.ChangeProfile(w.ctx, one, gateway.ProfileChange{}))
		w.reopen()
		want := gateway.Profile{Name: "One Ltd", City: "Shelbyville", State: "NY", Timezone: "America/New_York"}
		w.same(must[gateway.Profile](w)(w.Profile(w.ctx, one)), want)
		w.same(must[gateway.Account](w)(w.Account(w.ctx, one)).Name, "One Ltd")
		w.same(must[gateway.Profile](w)(w.Profile(w.ctx, two)), gateway.Profile{Name: "Two"})
		_, err := w.Profile(w.ctx, "MANONENONENONENONENO")
		w.refused(err, gateway.NotFound)
		w.refused(w.ChangeProfile(w.ctx, "MANONENONENONENONENO", gateway.ProfileChange{Name: text("x")}), gateway.NotFound)
	},
	"subaccounts are listed newest first, paged and counted, with their tokens": func(w *world) {
		first, second := w.subaccount(sub), w.subaccount(subToo)
		w.ok(w.CreateAccount(w.ctx, gateway.Account{ID: "SATWOTWOTWOTWOTWOTWO", Parent: two, Name: "theirs", CreatedAt: w.now}))
		w.reopen()
		for _, test := range []struct {
			parent        gateway.AccountID
			limit, offset int
			total         int
			want          []gateway.Subaccount
		}{
			{one, 9, 0, 2, []gateway.Subaccount{second, first}},
			{one, 1, 0, 2, []gateway.Subaccount{second}},
			{one, 1, 1, 2, []gateway.Subaccount{first}},
			{one, 1, 2, 2, nil},
			{sub, 9, 0, 0, nil},
		} {
			list, total, err := w.Subaccounts(w.ctx, test.parent, test.limit, test.offset)
			w.ok(err)
			w.same(total, test.total)
			w.same(list, test.want)
		}
		w.same(must[gateway.Subaccount](w)(w.Subaccount(w.ctx, one, sub)), first)
	},
	"a subaccount is its main account's, and nobody else's": func(w *world) {
		before := w.subaccount(sub)
		name, off := "other", false
		for _, parent := range []gateway.AccountID{two, sub, "", "MANONENONENONENONENO"} {
			_, err := w.Subaccount(w.ctx, parent, sub)
			w.refused(err, gateway.NotFound)
			w.refused(w.ChangeSubaccount(w.ctx, parent, sub, gateway.SubaccountChange{Name: &name, Enabled: &off}, w.now), gateway.NotFound)
			w.refused(w.RemoveSubaccount(w.ctx, parent, sub, true, w.now), gateway.NotFound)
		}
		for _, id := range []gateway.AccountID{one, two, subToo} { // none of them is a subaccount of one
			_, err := w.Subaccount(w.ctx, one, id)
			w.refused(err, gateway.NotFound)
			w.refused(w.ChangeSubaccount(w.ctx, one, id, gateway.SubaccountChange{Enabled: &off}, w.now), gateway.NotFound)
			w.refused(w.RemoveSubaccount(w.ctx, one, id, true, w.now), gateway.NotFound)
		}
		w.same(must[gateway.Subaccount](w)(w.Subaccount(w.ctx, one, sub)), before)
	},
	"a subaccount changes where it is told to": func(w *world) {
		want := w.subaccount(sub)
		name, off := "renamed", false
		at := w.now.Add(time.Hour)
		w.ok(w.ChangeSubaccount(w.ctx, one, sub, gateway.SubaccountChange{Name: &name}, at))
		want.Name, want.ModifiedAt = name, at
		w.same(must[gateway.Subaccount](w)(w.Subaccount(w.ctx, one, sub)), want)
		at = at.Add(time.Hour)
		w.ok(w.ChangeSubaccount(w.ctx, one, sub, gateway.SubaccountChange{Enabled: &off}, at))
		want.Enabled, want.ModifiedAt = false, at
		w.reopen()
		w.same(must[gateway.Subaccount](w)(w.Subaccount(w.ctx, one, sub)), want)
		w.same(must[gateway.Account](w)(w.Account(w.ctx, sub)), want.Account)
	},
	"a removed subaccount is gone, but for its messages, its callbacks and its id": func(w *world) {
		before := w.subaccount(sub)
		m := w.ofSub(pooled)
		w.record(w.settled(m, 1, w.taken(1, "a")))
		at := w.now.Add(time.Hour)
		w.ok(w.RemoveSubaccount(w.ctx, one, sub, false, at))
		w.reopen()
		_, err := w.Subaccount(w.ctx, one, sub)
		w.refused(err, gateway.NotFound)
		_, err = w.Profile(w.ctx, sub)
		w.refused(err, gateway.NotFound)
		w.refused(w.RemoveSubaccount(w.ctx, one, sub, false, at), gateway.NotFound)
		_, err = w.ChangeAccount(w.ctx, sub, gateway.AccountChange{})
		w.refused(err, gateway.NotFound)
		list, total, err := w.Subaccounts(w.ctx, one, 9, 0)
		w.ok(err)
		w.same([]int{len(list), total}, []int{0, 0})
		w.same(len(must[[]gateway.Account](w)(w.Accounts(w.ctx))), 2)

		removed := before.Account // for the signatures of its callbacks
		removed.Enabled, removed.RemovedAt = false, at
		w.same(must[gateway.Account](w)(w.Account(w.ctx, sub)), removed)
		w.refused(w.CreateAccount(w.ctx, before.Account), gateway.Conflict)
		w.refused(w.CreateApplication(w.ctx, w.application("10000000000000001", sub)), gateway.Invalid)
		w.refused(w.RentNumber(w.ctx, sub, inventory, "", w.now), gateway.Invalid)
		w.refused(w.CreateAccount(w.ctx, gateway.Account{ID: subToo, Parent: sub}), gateway.Invalid)

		w.receipt(w.delivered("a"))
		events := must[[]gateway.Event](w)(w.FreshEvents(w.ctx, gateway.EndpointOf(sub, callbackURL), 0, 9))
		w.same(told(events), []string{"1 queued", "2 sent", "3 delivered"})
		w.same(must[*gateway.Message](w)(w.Message(w.ctx, sub, m.ID)).State, gateway.Delivered)
		w.list(gateway.MessageFilter{Account: sub}, 1, []gateway.ID{m.ID})
	},
	"a main account reads its subaccounts' messages, and nobody else does": func(w *world) {
		w.subaccount(sub)
		w.subaccount(subToo)
		m := w.message()
		m.Account, m.Trackable, m.MediaIDs = sub, true, []string{w.id().String()}
		mine := w.message()
		mine.Trackable = true
		w.accept(m)
		w.accept(mine)
		w.refused(w.ForgetMedia(w.ctx, one, m.ID), gateway.Conflict)
		for _, removed := range []bool{false, true} {
			for _, account := range []gateway.AccountID{one, sub} {
				w.same(must[*gateway.Message](w)(w.Message(w.ctx, account, m.ID)).Account, sub)
			}
			for _, stranger := range []gateway.AccountID{two, subToo, "", "MANONENONENONENONENO"} {
				_, err := w.Message(w.ctx, stranger, m.ID)
				w.refused(err, gateway.NotFound)
				w.refused(w.ForgetMedia(w.ctx, stranger, m.ID), gateway.NotFound)
			}
			_, err := w.Message(w.ctx, sub, mine.ID)
			w.refused(err, gateway.NotFound)
			w.refused(w.ForgetMedia(w.ctx, sub, mine.ID), gateway.NotFound)
			results, err := w.RecordConversions(w.ctx, []gateway.Conversion{
				{Account: one, Message: m.ID, Status: gateway.Converted},
				{Account: subToo, Message: m.ID, Status: gateway.NotConverted},
				{Account: two, Message: m.ID, Status: gateway.NotConverted},
				{Account: sub, Message: mine.ID, Status: gateway.NotConverted},
			})
			w.ok(err)
			w.ok(results[0])
			for _, err := range results[1:] {
				w.refused(err, gateway.NotFound)
			}
			if !removed {
				w.record(w.settled(m, 1, w.taken(1, "a")))
				w.ok(w.RemoveSubaccount(w.ctx, one, sub, false, w.now))
			}
		}
		w.same(w.conversions(gateway.ConversionFilter{}), []string{"main 1/0/0/0"})
		w.ok(w.ForgetMedia(w.ctx, one, m.ID))
		w.same(must[*gateway.Message](w)(w.Message(w.ctx, one, m.ID)).MediaIDs, []string(nil))
	},
	"what a removed subaccount has goes to its main account": func(w *world) {
		p := w.belongings()
		campaign := w.campaignOfSub()
		w.ok(w.ChangeApplication(w.ctx, one, "77", func(app *gateway.Application) error { app.DefaultNumber = true; return nil }))
		w.ok(w.RemoveSubaccount(w.ctx, one, sub, false, w.now))
		w.reopen()
		n := w.number(inventory, one, p.Pool)
		n.Application, n.Alias, n.Campaign = "10000000000000001", "front desk", campaign.ID
		campaign.Account = one
		w.same(must[[]gateway.Campaign](w)(w.Campaigns(w.ctx)), []gateway.Campaign{campaign})
		w.same(w.numberOf(one, inventory), n)
		p.Account = one
		w.same(must[gateway.Powerpack](w)(w.Powerpack(w.ctx, one, p.ID)), p)
		app := w.application("10000000000000001", one)
		w.same(must[gateway.Application](w)(w.Application(w.ctx, one, app.ID)), app)
		w.same(must[string](w)(w.DefaultApplication(w.ctx, one)), "77")
		w.same(w.sticky(p.ID, "14155552671"), inventory)
	},
	"a powerpack that comes to a main account with a name that is taken has the subaccount's id behind it": func(w *world) {
		p := w.belongings()
		p.Name = w.powerpack.Name
		w.ok(w.UpdatePowerpack(w.ctx, p))
		w.ok(w.RemoveSubaccount(w.ctx, one, sub, false, w.now))
		w.same(must[gateway.Powerpack](w)(w.Powerpack(w.ctx, one, p.ID)).Name, w.powerpack.Name+" "+string(sub))
		w.same(must[gateway.Powerpack](w)(w.Powerpack(w.ctx, one, w.powerpack.ID)), w.powerpack)
	},
	"a subaccount whose powerpack's name cannot be changed to one that is free is not removed": func(w *world) {
		p := w.belongings()
		p.Name = w.powerpack.Name
		w.ok(w.UpdatePowerpack(w.ctx, p))
		w.otherPowerpack(one, w.powerpack.Name+" "+string(sub))
		w.refused(w.RemoveSubaccount(w.ctx, one, sub, false, w.now), gateway.Conflict)
		w.same(must[gateway.Powerpack](w)(w.Powerpack(w.ctx, sub, p.ID)), p)
		w.same(w.numberOf(sub, inventory).Pool, p.Pool)
		must[gateway.Subaccount](w)(w.Subaccount(w.ctx, one, sub))
	},
	"what a subaccount that is removed with cascade has is gone": func(w *world) {
		p := w.belongings()
		w.campaignOfSub()
		w.ok(w.RemoveSubaccount(w.ctx, one, sub, true, w.now))
		w.reopen()
		w.same(len(must[[]gateway.Campaign](w)(w.Campaigns(w.ctx))), 0)
		w.same(w.numberOf("", inventory), w.number(inventory, "", gateway.ID{}))
		for _, account := range []gateway.AccountID{one, sub} {
			_, err := w.Powerpack(w.ctx, account, p.ID)
			w.refused(err, gateway.NotFound)
			_, err = w.Application(w.ctx, account, "10000000000000001")
			w.refused(err, gateway.NotFound)
		}
		w.same(w.sticky(p.ID, "14155552671"), "")
		for more := true; more; {
			more = must[bool](w)(w.Purge(w.ctx, gateway.Retention{}))
		}
		w.same(w.numbers(gateway.NumberFilter{Account: one}), []string{pooled, pooledToo, rented}) // the main account's own are as they were
		must[gateway.Application](w)(w.Application(w.ctx, one, "77"))
	},
	"a subaccount with queued messages is not removed": func(w *world) {
		for name, queue := range map[string]func(*gateway.Message){
			"waiting": func(*gateway.Message) {},
			"deferred": func(m *gateway.Message) {
				w.record(&gateway.SubmitRecord{Message: m, Due: w.now.Add(time.Hour), At: w.now})
			},
			"marked": func(m *gateway.Message) { w.ok(w.MarkSubmitting(w.ctx, []gateway.ID{m.ID}, w.now)) },
		} {
			id := gateway.AccountID(fmt.Sprintf("SA%-18.18s", name))
			w.ok(w.CreateAccount(w.ctx, gateway.Account{ID: id, Parent: one, Name: name, Enabled: true, CreatedAt: w.now}))
			m := w.message()
			m.Account = id
			w.accept(m)
			queue(m)
			w.queued() // somebody else's
			for _, cascade := range []bool{false, true} {
				w.refused(w.RemoveSubaccount(w.ctx, one, id, cascade, w.now), gateway.Conflict)
			}
			must[gateway.Subaccount](w)(w.Subaccount(w.ctx, one, id))
			m = w.stored(m)
			w.record(w.settled(m, 1, w.taken(1, "carrier id of "+name)))
			w.ok(w.RemoveSubaccount(w.ctx, one, id, false, w.now))
			w.state(m, gateway.Sent, 2)
		}
	},
	"a subaccount is removed while it sends: every message is refused or ends": func(w *world) {
		w.subaccount(sub)
		const senders = 4
		removed := false
		errs := w.together(senders+1, func(i int) error {
			if i == senders {
				err := w.RemoveSubaccount(w.ctx, one, sub, false, w.now)
				removed = err == nil
				return nil
			}
			m := &gateway.Message{
				ID: w.ids.Next(w.now), Account: sub, Service: gateway.SMS, From: pooled, To: "14155552671", Units: 1, Carrier: carrier, AcceptedAt: w.now, ExpiresAt: w.now,
			}
			m.Start(w.now)
			results, err := w.InsertMessages(w.ctx, []*gateway.Submission{{Account: sub, Messages: []*gateway.Message{m}, At: w.now}})
			if err == nil {
				err = results[0].Err
			}
			return err
		})
		for _, err := range errs {
			w.ok(err) // a request that was let in before the removal is not lost
		}
		list, total, err := w.Messages(w.ctx, gateway.MessageFilter{Account: sub})
		w.ok(err)
		w.same([]int{len(list), total}, []int{senders, senders})
		account := must[gateway.Account](w)(w.Account(w.ctx, sub))
		w.same(!account.RemovedAt.IsZero(), removed)
	},
}

// subaccount makes a subaccount of account one.
func (w *world) subaccount(id gateway.AccountID) gateway.Subaccount {
	w.Helper()
	account := gateway.Account{ID: id, Parent: one, Name: "Sub", Token: "token of " + string(id), Enabled: true, CreatedAt: w.now}
	w.ok(w.CreateAccount(w.ctx, account))
	return gateway.Subaccount{Account: account}
}

// ofSub accepts a message of the subaccount.
func (w *world) ofSub(from string) *gateway.Message {
	w.Helper()
	m := w.message()
	m.Account, m.From = sub, from
	w.accept(m)
	return m
}

// belongings makes the subaccount with a powerpack, which it gives, a number in its pool, which a destination is used to, and an application.
func (w *world) belongings() gateway.Powerpack {
	w.Helper()
	w.subaccount(sub)
	app := w.application("10000000000000001", sub)
	app.DefaultNumber = true
	w.ok(w.CreateApplication(w.ctx, app))
	p := gateway.Powerpack{
		ID: w.id(), Account: sub, Name: "theirs", Pool: w.id(), Sticky: true, ApplicationType: "xml", ApplicationID: app.ID, CreatedAt: w.now,
	}
	w.ok(w.CreatePowerpack(w.ctx, p))
	must[gateway.Number](w)(w.AddToPool(w.ctx, sub, p.Pool, inventory, gateway.SMS, true, w.now))
	alias := "front desk"
	w.ok(w.ChangeNumber(w.ctx, sub, inventory, gateway.NumberChange{Alias: &alias}))
	w.remember(p.ID, "14155552671", inventory)
	return p
}

// campaignOfSub makes a campaign of the subaccount, and its number share it.
func (w *world) campaignOfSub() gateway.Campaign {
	w.Helper()
	c := gateway.Campaign{ID: "CSUBSUB", Account: sub, Rate: 2, DailyCap: 9}
	w.ok(w.PutCampaigns(w.ctx, []gateway.Campaign{c}))
	n := w.number(inventory, sub, gateway.ID{})
	n.Campaign = c.ID
	w.ok(w.PutNumbers(w.ctx, []gateway.Number{n}))
	return c
}
