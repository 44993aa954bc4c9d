package storetest

import (
	"fmt"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
)

var registrationTests = map[string]func(*world){
	"a registration is kept in every particular": func(w *world) {
		w.registration(one, gateway.BusinessProfile, "p1", "")
		r := gateway.Registration{
			ID: "B000001", Kind: gateway.Brand, Account: one, Parent: "p1", Details: []byte(`{"brand_alias":"é, \"x\""}`),
			Callback: gateway.Callback{URL: "https://example.com/brand", Method: "GET"}, CreatedAt: w.now, ModifiedAt: w.now.Add(time.Hour),
			Decision: gateway.Decision{
				State: gateway.Refused, Reason: "no such business", Code: "1001", DecidedAt: w.now.Add(time.Minute),
				Grant: gateway.Grant{Rate: 0.25, DailyCap: 7, PerMinute: 15, Tier: "TOP", VettingStatus: "ACTIVE", VettingScore: 80},
			},
		}
		w.ok(w.CreateRegistration(w.ctx, r))
		w.reopen()
		w.same(must[gateway.Registration](w)(w.Registration(w.ctx, one, gateway.Brand, r.ID)), r)
		w.same(must[gateway.Registration](w)(w.Registration(w.ctx, one, 0, r.ID)), r)
		_, err := w.Registration(w.ctx, one, gateway.BusinessProfile, r.ID)
		w.refused(err, gateway.NotFound)
	},
	"an account has an id once, others may have it too": func(w *world) {
		w.registration(one, gateway.RegisteredCampaign, "C000001", "")
		w.refused(w.CreateRegistration(w.ctx, gateway.Registration{ID: "C000001", Kind: gateway.Brand, Account: one, Details: []byte("{}")}), gateway.Conflict)
		w.registration(two, gateway.RegisteredCampaign, "C000001", "")
		w.refused(w.CreateRegistration(w.ctx, gateway.Registration{ID: "C000002", Kind: gateway.Brand, Account: "MANONENONENONENONENO", Details: []byte("{}")}), gateway.Invalid)
		w.ok(w.DeleteRegistration(w.ctx, two, gateway.RegisteredCampaign, "C000001", w.now))
		w.same(w.registrations(gateway.RegistrationFilter{}), "[C000001]")
	},
	"registrations belong to what their account has": func(w *world) {
		w.registration(one, gateway.BusinessProfile, "p1", "")
		w.registration(two, gateway.BusinessProfile, "p2", "")
		w.registration(one, gateway.Brand, "B000001", "p1")
		for _, r := range []gateway.Registration{
			{ID: "x", Kind: gateway.Brand, Account: one, Parent: "p2"},
			{ID: "x", Kind: gateway.Brand, Account: one, Parent: "B000001"},
			{ID: "x", Kind: gateway.RegisteredCampaign, Account: one, Parent: "p1"},
			{ID: "x", Kind: gateway.RegisteredCampaign, Account: two, Parent: "B000001"},
		} {
			r.Details = []byte("{}")
			w.refused(w.CreateRegistration(w.ctx, r), gateway.Invalid)
		}
		w.refused(w.ChangeRegistration(w.ctx, one, gateway.Brand, "B000001", func(r *gateway.Registration) error { r.Parent = "p2"; return nil }), gateway.Invalid)
		w.refused(w.DeleteRegistration(w.ctx, one, gateway.BusinessProfile, "p1", w.now), gateway.Conflict)
		w.refused(w.DeleteRegistration(w.ctx, two, gateway.BusinessProfile, "p1", w.now), gateway.NotFound)
		w.refused(w.DeleteRegistration(w.ctx, one, gateway.BusinessProfile, "B000001", w.now), gateway.NotFound)
		w.ok(w.DeleteRegistration(w.ctx, one, gateway.Brand, "B000001", w.now))
		w.ok(w.DeleteRegistration(w.ctx, one, gateway.BusinessProfile, "p1", w.now))
	},
	"registrations are listed newest first, filtered, paged and counted": func(w *world) {
		for i, details := range []string{`{"usecase":"A"}`, `{"usecase":"A,B","vertical":"X"}`, `{"usecase":"AB"}`, `{}`} {
			w.now = w.now.Add(time.Hour)
			w.ok(w.CreateRegistration(w.ctx, gateway.Registration{
				ID: fmt.Sprint("c", i), Kind: gateway.RegisteredCampaign, Account: one, Details: []byte(details), CreatedAt: w.now,
			}))
		}
		w.registration(one, gateway.BusinessProfile, "p", "")
		w.registration(two, gateway.RegisteredCampaign, "theirs", "")
		w.decide(one, "c1", gateway.Approved)
		w.decide(one, "c2", gateway.Refused)
		w.now = w.now.Add(time.Hour)
		w.ok(w.ChangeRegistration(w.ctx, one, gateway.RegisteredCampaign, "c1", func(r *gateway.Registration) error { r.Modify(w.now); return nil }))
		campaigns := gateway.RegistrationFilter{Account: one, Kind: gateway.RegisteredCampaign}
		for _, test := range []struct {
			want   string
			change func(*gateway.RegistrationFilter)
		}{
			{"[c3 c2 c1 c0]", func(*gateway.RegistrationFilter) {}},
			{"[p c3 c2 c1 c0]", func(f *gateway.RegistrationFilter) { f.Kind = 0 }},
			{"[theirs c3 c2 c1 c0]", func(f *gateway.RegistrationFilter) { f.Account = "" }},
			{"[theirs c3 c1 c0]", func(f *gateway.RegistrationFilter) { f.Account, f.Kind, f.Waiting = "", 0, true }},
			{"[c2 c1]", func(f *gateway.RegistrationFilter) {
				f.States = []gateway.RegistrationState{gateway.Approved, gateway.Refused}
			}},
			{"[c1 c0]", func(f *gateway.RegistrationFilter) { f.Details = map[string]string{"usecase": "A"} }},
			{"[c1]", func(f *gateway.RegistrationFilter) { f.Details = map[string]string{"usecase": "A", "vertical": "X"} }},
			{"[]", func(f *gateway.RegistrationFilter) { f.Details = map[string]string{"vertical": "%"} }},
			{"[c2 c1]", func(f *gateway.RegistrationFilter) { f.Limit, f.Offset = 2, 1 }},
			{"[c3 c2]", func(f *gateway.RegistrationFilter) { f.After = w.now.Add(-2 * time.Hour) }},
			{"[c1 c0]", func(f *gateway.RegistrationFilter) { f.Before = w.now.Add(-2 * time.Hour) }},
		} {
			f := campaigns
			test.change(&f)
			w.same(w.registrations(f), test.want)
		}
		_, total, err := w.Registrations(w.ctx, gateway.RegistrationFilter{Account: one, Kind: gateway.RegisteredCampaign, Limit: 1, Offset: 9})
		w.ok(err)
		w.same(total, 4)
	},
	"an approved campaign is the queue's, with the numbers that waited for it": func(w *world) {
		w.registration(one, gateway.RegisteredCampaign, "C000001", "")
		w.ok(w.LinkNumbers(w.ctx, one, "C000001", []string{pooled}, gateway.Callback{}, w.now))
		w.inOrWaiting(pooled, "", "C000001")
		w.same(w.campaigns(), []gateway.Campaign(nil))
		decided := must[gateway.Registration](w)(w.DecideRegistration(w.ctx, one, "C000001", gateway.Decision{
			State: gateway.Approved, Grant: gateway.Grant{Rate: 3.75, DailyCap: 2000}, DecidedAt: w.now,
		}))
		w.same(must[gateway.Registration](w)(w.Registration(w.ctx, one, 0, "C000001")), decided)
		w.reopen()
		w.same(w.campaigns(), []gateway.Campaign{{ID: "C000001", Account: one, Rate: 3.75, DailyCap: 2000}})
		w.inOrWaiting(pooled, "C000001", "")
		w.ok(w.LinkNumbers(w.ctx, one, "C000001", []string{pooledToo}, gateway.Callback{}, w.now)) // at once
		w.inOrWaiting(pooledToo, "C000001", "")
		w.decide(one, "C000001", gateway.Approved)
		w.same(w.campaigns(), []gateway.Campaign{{ID: "C000001", Account: one}})
		w.ok(w.UnlinkNumber(w.ctx, one, "C000001", pooled, gateway.Callback{}, w.now))
		w.inOrWaiting(pooled, "", "")
		w.ok(w.DeleteRegistration(w.ctx, one, gateway.RegisteredCampaign, "C000001", w.now))
		w.inOrWaiting(pooledToo, "", "")
		w.same(w.campaigns(), []gateway.Campaign(nil))
	},
	"a refused campaign has no numbers": func(w *world) {
		for _, first := range []gateway.RegistrationState{gateway.Pending, gateway.Approved} {
			id := "C00000" + fmt.Sprint(first)
			w.registration(one, gateway.RegisteredCampaign, id, "")
			if first == gateway.Approved {
				w.decide(one, id, first)
			}
			w.ok(w.LinkNumbers(w.ctx, one, id, []string{pooled}, gateway.Callback{}, w.now))
			w.decide(one, id, gateway.Refused)
			w.inOrWaiting(pooled, "", "")
			w.same(w.campaigns(), []gateway.Campaign(nil))
			w.refused(w.LinkNumbers(w.ctx, one, id, []string{pooled}, gateway.Callback{}, w.now), gateway.Invalid)
		}
	},
	"a campaign that the operator removes is refused": func(w *world) {
		w.registration(one, gateway.RegisteredCampaign, "C000001", "")
		w.decide(one, "C000001", gateway.Approved)
		w.ok(w.LinkNumbers(w.ctx, one, "C000001", []string{pooled}, gateway.Callback{}, w.now))
		w.ok(w.DeleteCampaign(w.ctx, "C000001", w.now))
		r := must[gateway.Registration](w)(w.Registration(w.ctx, one, 0, "C000001"))
		w.same([]any{r.State, r.Reason != ""}, []any{gateway.Refused, true})
		w.inOrWaiting(pooled, "", "")
	},
	"decisions that cannot be taken are not": func(w *world) {
		w.campaign("C000001", two)
		w.registration(one, gateway.RegisteredCampaign, "C000001", "")
		w.registration(one, gateway.BusinessProfile, "p", "")
		for _, test := range []struct {
			account gateway.AccountID
			id      string
			code    gateway.ErrorCode
		}{{one, "C000001", gateway.Conflict}, {one, "p", gateway.Invalid}, {one, "none", gateway.NotFound}, {two, "C000001", gateway.NotFound}} {
			_, err := w.DecideRegistration(w.ctx, test.account, test.id, gateway.Decision{State: gateway.Approved, DecidedAt: w.now})
			w.refused(err, test.code)
		}
		w.same(must[gateway.Registration](w)(w.Registration(w.ctx, one, 0, "C000001")).State, gateway.Pending)
		w.same(w.campaigns(), []gateway.Campaign{{ID: "C000001", Account: two, Rate: 1}})
	},
	"only long codes of the account are linked, to one campaign, all or none": func(w *world) {
		w.registration(one, gateway.RegisteredCampaign, "C000001", "")
		w.registration(one, gateway.RegisteredCampaign, "C000002", "")
		w.ok(w.PutNumbers(w.ctx, []gateway.Number{
			{Number: "18005550199", Type: gateway.TollFree, Country: "US", Account: one},
			{Number: "14165550199", Type: gateway.LongCode, Country: "CA", Account: one},
			w.number("14155550199", two, gateway.ID{}),
		}))
		for _, number := range []string{"18005550199", "14165550199", "14155550199", inventory, "nobody"} {
			w.refused(w.LinkNumbers(w.ctx, one, "C000001", []string{rented, number}, gateway.Callback{}, w.now), gateway.Invalid)
		}
		w.inOrWaiting(rented, "", "")
		w.refused(w.LinkNumbers(w.ctx, two, "C000001", []string{rented}, gateway.Callback{}, w.now), gateway.NotFound)
		w.ok(w.LinkNumbers(w.ctx, one, "C000001", []string{rented, pooled}, gateway.Callback{}, w.now))
		for _, campaign := range []string{"C000001", "C000002"} {
			w.refused(w.LinkNumbers(w.ctx, one, campaign, []string{rented}, gateway.Callback{}, w.now), gateway.Conflict)
		}
		w.refused(w.UnlinkNumber(w.ctx, one, "C000002", rented, gateway.Callback{}, w.now), gateway.Invalid)
		w.refused(w.UnlinkNumber(w.ctx, two, "C000001", rented, gateway.Callback{}, w.now), gateway.NotFound)
		w.ok(w.UnlinkNumber(w.ctx, one, "C000001", rented, gateway.Callback{}, w.now))
		w.refused(w.UnlinkNumber(w.ctx, one, "C000001", rented, gateway.Callback{}, w.now), gateway.Invalid)
		w.inOrWaiting(pooled, "", "C000001")
	},
	"a campaign has so many numbers and no more": func(w *world) {
		w.registration(one, gateway.RegisteredCampaign, "C000001", "")
		var numbers []gateway.Number
		var names []string
		for i := range gateway.MaxLinked + 1 {
			numbers = append(numbers, w.number(fmt.Sprintf("1415666%04d", i), one, gateway.ID{}))
			names = append(names, numbers[i].Number)
		}
		w.ok(w.PutNumbers(w.ctx, numbers))
		w.refused(w.LinkNumbers(w.ctx, one, "C000001", names, gateway.Callback{}, w.now), gateway.Conflict)
		w.ok(w.LinkNumbers(w.ctx, one, "C000001", names[1:], gateway.Callback{}, w.now))
		w.refused(w.LinkNumbers(w.ctx, one, "C000001", names[:1], gateway.Callback{}, w.now), gateway.Conflict)
	},
	"a number that leaves its account waits for no campaign": func(w *world) {
		w.subaccount(sub)
		w.registration(one, gateway.RegisteredCampaign, "C000001", "")
		w.ok(w.LinkNumbers(w.ctx, one, "C000001", []string{pooled, pooledToo, rented}, gateway.Callback{}, w.now))
		w.ok(w.RemoveFromPool(w.ctx, one, w.powerpack.Pool, pooled, false))
		w.inOrWaiting(pooled, "", "C000001")
		w.ok(w.UnrentNumber(w.ctx, one, pooled))
		w.ok(w.RemoveFromPool(w.ctx, one, w.powerpack.Pool, pooledToo, true))
		w.ok(w.ChangeNumber(w.ctx, one, rented, gateway.NumberChange{Account: sub}))
		w.ok(w.RentNumber(w.ctx, one, pooled, "", w.now))
		w.ok(w.RentNumber(w.ctx, one, pooledToo, "", w.now))
		w.decide(one, "C000001", gateway.Approved)
		w.inOrWaiting(pooled, "", "")
		w.inOrWaiting(pooledToo, "", "")
		w.same(w.numberOf(sub, rented).Campaign, "")
		n := w.numberOf(one, pooled)
		n.Linking = "C000001" // what an operator sets of a number leaves its account's wishes alone, unless it fulfils them
		w.ok(w.PutNumbers(w.ctx, []gateway.Number{n}))
		w.inOrWaiting(pooled, "", "")
	},
	"an operator's campaign ends the wait of a number": func(w *world) {
		w.registration(one, gateway.RegisteredCampaign, "C000001", "")
		w.campaign("mine", one)
		w.ok(w.LinkNumbers(w.ctx, one, "C000001", []string{rented}, gateway.Callback{}, w.now))
		n := w.numberOf(one, rented)
		n.Paused = true
		w.ok(w.PutNumbers(w.ctx, []gateway.Number{n}))
		w.inOrWaiting(rented, "", "C000001")
		n.Campaign = "mine"
		w.ok(w.PutNumbers(w.ctx, []gateway.Number{n}))
		w.inOrWaiting(rented, "mine", "")
	},
	"toll-free numbers of the account are verified, one at a time": func(w *world) {
		w.registration(one, gateway.BusinessProfile, "p1", "")
		w.ok(w.RentNumber(w.ctx, one, inventory2, "", w.now))
		n := w.numberOf(one, inventory2)
		n.Type = gateway.TollFree
		w.ok(w.PutNumbers(w.ctx, []gateway.Number{n}))
		verify := func(id, number string) error {
			return w.CreateRegistration(w.ctx, gateway.Registration{
				ID: id, Kind: gateway.TollFreeVerification, Account: one, Parent: "p1", Number: number, Details: []byte("{}"), CreatedAt: w.now,
			})
		}
		w.refused(verify("v0", rented), gateway.Invalid)
		w.refused(verify("v0", inventory), gateway.Invalid)
		unverified, pending := func(f *gateway.NumberFilter) { f.Unverified = true }, gateway.Pending
		w.same(w.numbersThat(unverified), "["+inventory2+"]")
		w.ok(verify("v1", inventory2))
		w.same(w.numbersThat(unverified), "[]")
		w.same(w.numbersThat(func(f *gateway.NumberFilter) { f.Verified = &pending }), "["+inventory2+"]")
		w.refused(verify("v2", inventory2), gateway.Conflict)
		w.decide(one, "v1", gateway.Refused)
		w.same(w.numbersThat(unverified), "["+inventory2+"]")
		w.ok(verify("v2", inventory2))
		w.decide(one, "v2", gateway.Approved)
		approved := gateway.Approved
		w.same(w.numbersThat(func(f *gateway.NumberFilter) { f.Verified = &approved }), "["+inventory2+"]")
		found := must[map[string]gateway.Registration](w)(w.Verifications(w.ctx, one, []string{inventory2, rented}))
		w.same([]any{len(found), found[inventory2].ID}, []any{1, "v2"})
		w.same(w.registrations(gateway.RegistrationFilter{Account: one, Number: inventory2}), "[v2 v1]")
		w.same(w.registrations(gateway.RegistrationFilter{Account: one, Parent: "p1"}), "[v2 v1]")
		w.same(len(must[map[string]gateway.Registration](w)(w.Verifications(w.ctx, two, []string{inventory2}))), 0)
	},
	"numbers and messages are found by their campaigns": func(w *world) {
		w.registration(one, gateway.RegisteredCampaign, "C000001", "")
		w.ok(w.LinkNumbers(w.ctx, one, "C000001", []string{pooled}, gateway.Callback{}, w.now))
		w.campaign("mine", one)
		w.inCampaign(rented, "mine")
		yes, no := true, false
		w.same(w.numbersThat(func(f *gateway.NumberFilter) { f.Campaign = "C000001" }), "["+pooled+"]")
		w.same(w.numbersThat(func(f *gateway.NumberFilter) { f.Campaign = "mine" }), "["+rented+"]")
		w.same(w.numbersThat(func(f *gateway.NumberFilter) { f.Linked = &yes }), "["+rented+"]")
		w.same(w.numbersThat(func(f *gateway.NumberFilter) { f.Linked = &no }), "["+pooled+"]")
		m, other := w.message(), w.message()
		m.From = rented
		w.accept(m)
		w.accept(other)
		for _, test := range []struct {
			filter gateway.MessageFilter
			want   []gateway.ID
		}{
			{gateway.MessageFilter{Campaign: "mine"}, []gateway.ID{m.ID}},
			{gateway.MessageFilter{Campaign: "C000001"}, []gateway.ID{}},
			{gateway.MessageFilter{Registered: &yes}, []gateway.ID{m.ID}},
			{gateway.MessageFilter{Registered: &no}, []gateway.ID{other.ID}},
		} {
			test.filter.Account = one
			found, total, err := w.Messages(w.ctx, test.filter)
			w.ok(err)
			w.same(idsOf(found), test.want)
			w.same(total, len(test.want))
		}
		of := must[map[string]gateway.Number](w)(w.NumbersOf(w.ctx, one, []string{rented, inventory, "nobody"}))
		w.same(of, map[string]gateway.Number{rented: w.numberOf(one, rented)})
	},
	"what a subaccount registered goes to its main account, or away": func(w *world) {
		for id, cascade := range map[gateway.AccountID]bool{sub: false, subToo: true} {
			w.subaccount(id)
			w.registration(id, gateway.BusinessProfile, "p"+string(id), "")
			w.registration(id, gateway.RegisteredCampaign, "same", "")
			w.registration(id, gateway.RegisteredCampaign, "C"+string(id), "")
			w.decide(id, "C"+string(id), gateway.Approved)
			n := w.number("1415777000"+fmt.Sprint(len(w.campaigns())), id, gateway.ID{})
			w.ok(w.PutNumbers(w.ctx, []gateway.Number{n}))
			w.ok(w.LinkNumbers(w.ctx, id, "C"+string(id), []string{n.Number}, gateway.Callback{}, w.now))
			if !cascade {
				w.registration(one, gateway.RegisteredCampaign, "same", "")
			}
			w.ok(w.RemoveSubaccount(w.ctx, one, id, cascade, w.now))
			if cascade {
				w.same(w.numberOf("", n.Number).Campaign, "")
			} else {
				w.same(w.numberOf(one, n.Number).Campaign, "C"+string(id))
			}
		}
		w.same(len(must[[]gateway.Campaign](w)(w.Campaigns(w.ctx))), 1)
		w.same(w.campaigns()[0].Account, one)
		w.same(w.registrations(gateway.RegistrationFilter{Account: one, Kind: gateway.RegisteredCampaign}), "[same C"+string(sub)+"]")
		w.same(w.registrations(gateway.RegistrationFilter{Account: subToo}), "[]")
	},
	"what a change of a registration refuses is not done": func(w *world) {
		w.registration(one, gateway.BusinessProfile, "p", "")
		no := gateway.Errorf(gateway.Invalid, "no")
		w.refused(w.ChangeRegistration(w.ctx, one, gateway.BusinessProfile, "p", func(r *gateway.Registration) error { r.Details = nil; return no }), gateway.Invalid)
		w.refused(w.ChangeRegistration(w.ctx, two, gateway.BusinessProfile, "p", func(*gateway.Registration) error { return nil }), gateway.NotFound)
		w.same(string(must[gateway.Registration](w)(w.Registration(w.ctx, one, 0, "p")).Details), "{}")
	},
}

// registration registers something of which nothing is known.
func (w *world) registration(account gateway.AccountID, kind gateway.RegistrationKind, id, parent string) {
	w.Helper()
	w.ok(w.CreateRegistration(w.ctx, gateway.Registration{ID: id, Kind: kind, Account: account, Parent: parent, Details: []byte("{}"), CreatedAt: w.now}))
}

// registrations are the ids of what fits a filter.
func (w *world) registrations(filter gateway.RegistrationFilter) string {
	w.Helper()
	list, _, err := w.Registrations(w.ctx, filter)
	w.ok(err)
	ids := make([]string, len(list))
	for i, r := range list {
		ids[i] = r.ID
	}
	return fmt.Sprint(ids)
}

func (w *world) decide(account gateway.AccountID, id string, state gateway.RegistrationState) {
	w.Helper()
	r := must[gateway.Registration](w)(w.DecideRegistration(w.ctx, account, id, gateway.Decision{State: state, DecidedAt: w.now}))
	w.same(r.State, state)
}

// inOrWaiting fails the test unless a number of account one is in one campaign and waits for the other.
func (w *world) inOrWaiting(number, campaign, linking string) {
	w.Helper()
	n := w.numberOf(one, number)
	w.same([]string{n.Campaign, n.Linking}, []string{campaign, linking})
}

// numbersThat are the numbers of account one that fit a filter.
func (w *world) numbersThat(change func(*gateway.NumberFilter)) string {
	w.Helper()
	filter := gateway.NumberFilter{Account: one}
	change(&filter)
	list, _, err := w.Numbers(w.ctx, filter)
	w.ok(err)
	names := make([]string, len(list))
	for i, n := range list {
		names[i] = n.Number
	}
	return fmt.Sprint(names)
}
