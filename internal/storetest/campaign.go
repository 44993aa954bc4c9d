package storetest

import (
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
)

var campaignTests = map[string]func(*world){
	"campaigns are kept in every particular, and listed by their ids": func(w *world) {
		w.same(len(w.campaigns()), 0)
		low := gateway.Campaign{ID: "C-LOW_1", Account: one, Rate: 0.25, DailyCap: 2000}
		free := gateway.Campaign{ID: "C-FREE", Account: two}
		w.ok(w.PutCampaigns(w.ctx, []gateway.Campaign{low, free}))
		w.reopen()
		w.same(w.campaigns(), []gateway.Campaign{free, low})
		low.Rate, low.DailyCap = 75, 0
		w.ok(w.PutCampaigns(w.ctx, []gateway.Campaign{low}))
		w.same(w.campaigns(), []gateway.Campaign{free, low})
	},
	"campaigns of an account that does not exist, or of another: none is put": func(w *world) {
		w.campaign("mine", one)
		want := w.campaigns()
		other := gateway.Campaign{ID: "other", Account: one}
		for _, test := range []struct {
			campaign gateway.Campaign
			code     gateway.ErrorCode
		}{
			{gateway.Campaign{ID: "bad", Account: "MANONENONENONENONENO"}, gateway.Invalid},
			{gateway.Campaign{ID: "bad"}, gateway.Invalid},
			{gateway.Campaign{ID: "mine", Account: two, Rate: 9}, gateway.Conflict},
		} {
			w.refused(w.PutCampaigns(w.ctx, []gateway.Campaign{other, test.campaign}), test.code)
			w.same(w.campaigns(), want)
		}
	},
	"numbers come into a campaign of their owner, and out of it": func(w *world) {
		w.campaign("mine", one)
		w.campaign("theirs", two)
		n := w.inCampaign(pooled, "mine")
		w.reopen()
		w.same(w.numberOf(one, pooled), n)
		n.Campaign = ""
		w.ok(w.PutNumbers(w.ctx, []gateway.Number{n}))
		w.same(w.numberOf(one, pooled), n)
		for _, bad := range []struct {
			campaign string
			owner    gateway.AccountID
		}{{"theirs", one}, {"nobody's", one}, {"mine", two}, {"mine", ""}} {
			other := w.number(rented, bad.owner, gateway.ID{})
			other.Campaign = bad.campaign
			n.Rate = 7
			w.refused(w.PutNumbers(w.ctx, []gateway.Number{n, other}), gateway.Invalid)
		}
		n.Rate = -1
		w.same(w.numberOf(one, pooled), n)
		w.same(w.numberOf(one, rented), w.number(rented, one, gateway.ID{}))
	},
	"a number that changes its owner leaves its campaign": func(w *world) {
		w.campaign("mine", one)
		for _, number := range []string{pooled, pooledToo, rented} {
			w.inCampaign(number, "mine")
		}
		w.ok(w.ChangeNumber(w.ctx, one, pooled, gateway.NumberChange{Account: two}))
		w.same(w.numberOf(two, pooled).Campaign, "")
		w.ok(w.RemoveFromPool(w.ctx, one, w.powerpack.Pool, pooledToo, true))
		w.same(w.numberOf("", pooledToo).Campaign, "")
		w.same(w.numberOf(one, rented).Campaign, "mine")
		w.ok(w.UnrentNumber(w.ctx, one, rented))
		w.same(w.numberOf("", rented).Campaign, "")
	},
	"a number that changes its owner comes into the new one's campaign": func(w *world) {
		w.campaign("mine", one)
		w.campaign("theirs", two)
		w.inCampaign(pooled, "mine")
		n := w.number(pooled, two, gateway.ID{})
		n.Campaign = "theirs"
		w.ok(w.PutNumbers(w.ctx, []gateway.Number{n}))
		w.same(w.numberOf(two, pooled), n)
	},
	"a number that its account links or renames stays in its campaign, and paused": func(w *world) {
		w.campaign("mine", one)
		n := w.inCampaign(pooled, "mine")
		n.Paused, n.Alias = true, "front desk"
		w.ok(w.PutNumbers(w.ctx, []gateway.Number{n}))
		w.ok(w.ChangeNumber(w.ctx, one, pooled, gateway.NumberChange{Alias: &n.Alias, Account: one}))
		w.ok(w.RemoveFromPool(w.ctx, one, w.powerpack.Pool, pooled, false))
		n.Pool, n.Service = gateway.ID{}, 0
		w.same(w.numberOf(one, pooled), n)
	},
	"a deleted campaign has no numbers": func(w *world) {
		w.campaign("mine", one)
		w.campaign("other", one)
		w.inCampaign(pooled, "mine")
		w.inCampaign(rented, "other")
		w.ok(w.DeleteCampaign(w.ctx, "mine", w.now))
		w.refused(w.DeleteCampaign(w.ctx, "mine", w.now), gateway.NotFound)
		w.reopen()
		w.same(w.numberOf(one, pooled), w.number(pooled, one, w.powerpack.Pool))
		w.same(w.numberOf(one, rented).Campaign, "other")
		w.same(w.campaigns(), []gateway.Campaign{{ID: "other", Account: one, Rate: 1}})
		w.ok(w.PutCampaigns(w.ctx, []gateway.Campaign{{ID: "mine", Account: two}})) // the id is free again
		w.same(w.numberOf(one, pooled).Campaign, "")
	},
}

func (w *world) campaigns() []gateway.Campaign {
	w.Helper()
	return must[[]gateway.Campaign](w)(w.Campaigns(w.ctx))
}

// campaign adds a campaign of one unit a second.
func (w *world) campaign(id string, account gateway.AccountID) {
	w.Helper()
	w.ok(w.PutCampaigns(w.ctx, []gateway.Campaign{{ID: id, Account: account, Rate: 1}}))
}

// inCampaign puts a number of account one into a campaign and gives it as it should be then.
func (w *world) inCampaign(number, campaign string) gateway.Number {
	w.Helper()
	n := w.numberOf(one, number)
	n.Campaign = campaign
	w.ok(w.PutNumbers(w.ctx, []gateway.Number{n}))
	w.same(w.numberOf(one, number), n)
	return n
}

var rosterTests = map[string]func(*world){
	"the roster has what is rented, every powerpack and campaign, and the rates that there are": func(w *world) {
		roster := must[gateway.Roster](w)(w.Roster(w.ctx))
		w.same(len(roster.Campaigns)+len(roster.Rates), 0)
		w.same(roster.Powerpacks, []gateway.Powerpack{w.powerpack})
		w.campaign("z", one)
		w.campaign("a", two)
		rate := 2.5
		must[gateway.Account](w)(w.ChangeAccount(w.ctx, two, gateway.AccountChange{Rate: &rate}))
		paused := w.number(pooledToo, one, gateway.ID{})
		paused.Paused, paused.Campaign = true, "z"
		w.ok(w.PutNumbers(w.ctx, []gateway.Number{paused}))
		paused.Pool, paused.Service = w.powerpack.Pool, gateway.SMS
		other := w.otherPowerpack(two, "other")
		w.ok(w.RentNumber(w.ctx, two, inventory2, "", w.now.Add(time.Hour)))
		w.reopen()
		theirs := w.numberOf(two, inventory2)
		w.same(must[gateway.Roster](w)(w.Roster(w.ctx)), gateway.Roster{
			Numbers:    []gateway.Number{w.number(pooled, one, w.powerpack.Pool), paused, w.number(rented, one, gateway.ID{}), theirs},
			Powerpacks: []gateway.Powerpack{w.powerpack, other},
			Campaigns:  []gateway.Campaign{{ID: "a", Account: two, Rate: 1}, {ID: "z", Account: one, Rate: 1}},
			Rates:      map[gateway.AccountID]float64{two: rate},
		})
	},
}
