package plivo

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/heliograph/heliograph/internal/gateway"
)

// Further accounts: another subaccount of the main account, and one of the stranger. Nobody has the last two.
const (
	siblingID     gateway.AccountID = "SASIBLINGSIBLINGSIBL"
	strangerSubID gateway.AccountID = "SASTRANGERSTRANGERXX"
	nobodyID      gateway.AccountID = "MANOBODYNOBODYNOBODY"
	nobodySubID   gateway.AccountID = "SANOBODYNOBODYNOBODY"
)

// belongings are one thing of each kind that an account has, by its id.
type belongings struct {
	optOut                                                                     string // the person
	message, medium, powerpack, pool, number, tollfree, shortcode, application string
	profile, brand, campaign, verification                                     string
	subaccount                                                                 gateway.AccountID
}

// madeUp are ids of the right form that nobody has.
var madeUp = belongings{
	optOut:  "14152229999",
	message: "019cb73d-0000-7000-8000-00000000dead", medium: "019cb73d-0000-7000-8000-00000000face", powerpack: "019cb73d-0000-7000-8000-00000000beef", pool: "019cb73d-0000-7000-8000-00000000f00d",
	number: "14155559999", tollfree: "18005559999", shortcode: "999999", application: "99999999999999999", subaccount: nobodySubID,
	profile: "019cb73d-0000-7000-8000-00000000aaaa", brand: "BNOBODY", campaign: "CNOBODY", verification: "019cb73d-0000-7000-8000-00000000bbbb",
}

// toldOfAll is what was told of all registrations.
const toldOfAll = `{"customer_type":"DIRECT","entity_type":"PRIVATE","profile_type":"PRIMARY","brand_type":"STARTER","campaign_source":"plivo"}`

// endow gives an account its belongings; n makes them differ from others'.
func (s *server) endow(account gateway.AccountID, n int, sub gateway.AccountID) belongings {
	b := belongings{
		number: fmt.Sprintf("1415555010%d", n), tollfree: fmt.Sprintf("1800555010%d", n), shortcode: fmt.Sprintf("55500%d", n),
		application: fmt.Sprintf("2000000000000000%d", n), subaccount: sub,
	}
	ids := s.handler.(*API).ids
	p := gateway.Powerpack{ID: ids.Next(s.now), Pool: ids.Next(s.now), Account: account, Name: "pack", CreatedAt: s.now}
	s.store.powerpacks = append(s.store.powerpacks, p)
	b.powerpack, b.pool = p.ID.String(), p.Pool.String()
	for _, number := range []string{b.number, b.tollfree, b.shortcode} {
		n := s.number(number, account)
		n.Pool, n.Service = p.Pool, gateway.SMS
		s.store.numbers = append(s.store.numbers, n)
	}
	b.medium = s.giveMedium(account, fmt.Sprintf("of-%s.png", account)).ID.String()
	b.message = s.giveMessage(func(m *gateway.Message) { m.Account, m.MediaIDs = account, []string{b.medium} }).ID.String()
	b.optOut = fmt.Sprintf("1415222330%d", n-1)
	s.store.optOuts = append(s.store.optOuts, gateway.OptOut{Account: account, Source: b.number, Person: b.optOut, At: s.now, Origin: gateway.ByKeyword, Word: "STOP"})
	s.giveApplications(account, b.application)
	b.profile, b.verification = ids.Next(s.now).String(), ids.Next(s.now).String()
	b.brand, b.campaign = fmt.Sprintf("BBRAND%d", n), fmt.Sprintf("CCAMPN%d", n)
	for _, r := range []gateway.Registration{
		{ID: b.profile, Kind: gateway.BusinessProfile},
		{ID: b.brand, Kind: gateway.Brand, Parent: b.profile},
		{ID: b.campaign, Kind: gateway.RegisteredCampaign, Parent: b.brand},
		{ID: b.verification, Kind: gateway.TollFreeVerification, Parent: b.profile, Number: b.tollfree},
	} {
		r.Account, r.Details, r.CreatedAt = account, []byte(toldOfAll), s.now
		s.store.registered = append(s.store.registered, r)
	}
	return b
}

// fill puts an account and belongings into the places of a route or an argument.
func (b belongings) fill(pattern string, account gateway.AccountID) string {
	number := b.number
	if strings.Contains(pattern, "Tollfree") {
		number = b.tollfree
	}
	return strings.NewReplacer("{auth_id}", string(account), "{message_uuid}", b.message, "{media_id}", b.medium, "{uuid}", b.powerpack, "{pool_uuid}", b.pool,
		"{number}", number, "{shortcode}", b.shortcode, "{app_id}", b.application, "{subauth_id}", string(b.subaccount),
		"{profile_uuid}", b.profile, "{brand_id}", b.brand, "{campaign_id}", b.campaign, "{verification_uuid}", b.verification).Replace(pattern)
}

// said is all of an answer that could tell something, but for the request's id.
func said(r *reply) string {
	text := strings.ReplaceAll(r.text, r.string("api_id"), "")
	var headers []string
	for name, values := range r.header {
		if name != "X-Request-Id" {
			headers = append(headers, fmt.Sprint(name, values))
		}
	}
	slices.Sort(headers)
	return fmt.Sprint(r.status, text, headers)
}

// everything is a copy of all that a store has.
func everything(s *fakeStore) []any {
	accounts := map[gateway.AccountID]gateway.Account{}
	for id, account := range s.accounts {
		accounts[id] = account
	}
	messages := make([]gateway.Message, len(s.messages))
	for i, m := range s.messages {
		messages[i] = *m
	}
	return []any{accounts, messages, slices.Clone(s.powerpacks), slices.Clone(s.numbers), slices.Clone(s.applications), slices.Clone(s.registered), maps.Clone(s.profiles), maps.Clone(s.feedback), slices.Clone(s.media), slices.Clone(s.optOuts), slices.Clone(s.trail)}
}

// walled is a server with accounts that have one thing of each kind each.
func walled(t *testing.T, options ...func(*Config)) (s *server, of map[gateway.AccountID]belongings) {
	s = newServer(t, options...)
	for id, parent := range map[gateway.AccountID]gateway.AccountID{subID: mainID, siblingID: mainID, strangerSubID: strangerID} {
		s.store.accounts[id] = gateway.Account{ID: id, Parent: parent, Name: "sub", Token: tokenOf(id), Enabled: true}
	}
	of = map[gateway.AccountID]belongings{
		mainID: s.endow(mainID, 1, siblingID), subID: s.endow(subID, 2, nobodySubID), siblingID: s.endow(siblingID, 3, nobodySubID),
		strangerID: s.endow(strangerID, 4, strangerSubID), strangerSubID: s.endow(strangerSubID, 5, nobodySubID),
	}
	return s, of
}

// walk calls fn for every route and method that is served.
func (s *server) walk(fn func(pattern, method string)) {
	for _, route := range s.handler.(*API).routes {
		for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodDelete} {
			if route.handler(method) != nil {
				fn(route.pattern, method)
			}
		}
	}
}

// walkAccounts is walk for what is an account's: the rest is the same for all of them.
func (s *server) walkAccounts(fn func(pattern, method string)) {
	s.walk(func(pattern, method string) {
		if strings.Contains(pattern, "{auth_id}") {
			fn(pattern, method)
		}
	})
}

// unlinking is a call whose refusal repeats the number: 400, whoever has it.
func unlinking(pattern, method string) bool {
	return method == http.MethodDelete && strings.HasSuffix(pattern, "/Campaign/{campaign_id}/Number/{number}/")
}

// argumentsOfAll are good for any route.
const argumentsOfAll = `{"name":"x","app_name":"x","number":"14155550100","rent":true,"unrent":true,"cascade":true,"src":"14155550100","dst":"14152223333","text":"x","status":"CONVERTED","timestamp":"2026-03-04T05:06:07Z","numbers":["14155550100"],"source":"14155550100"}`

// TestForeignPaths walks the whole route table with credentials that give no access to the account in the path. The answer is the same whether that
// account exists or not, and whatever is asked for there; nothing is changed.
func TestForeignPaths(t *testing.T) {
	s, of := walled(t)
	before := everything(s.store)
	for _, test := range []struct {
		caller, theirs, nobodys gateway.AccountID
	}{
		{strangerID, mainID, nobodyID},
		{strangerID, subID, nobodySubID},
		{strangerSubID, mainID, nobodyID},
		{strangerSubID, subID, nobodySubID},
		{subID, mainID, nobodyID},
		{subID, siblingID, nobodySubID},
		{subID, strangerSubID, nobodySubID},
		{mainID, strangerID, nobodyID},
		{mainID, strangerSubID, nobodySubID},
	} {
		s.walkAccounts(func(pattern, method string) {
			q := ask{method: method, as: test.caller, body: argumentsOfAll, path: madeUp.fill(pattern, test.nobodys)}
			want := s.do(q)
			if want.status != http.StatusForbidden {
				t.Errorf("%s as %s: %d %s", q.path, test.caller, want.status, want.text)
			}
			for _, b := range []belongings{madeUp, of[test.theirs], of[test.caller]} {
				q.path = b.fill(pattern, test.theirs)
				if got := s.do(q); said(got) != said(want) {
					t.Errorf("%s %s as %s: %s, where %s is said of an account that is not there", method, q.path, test.caller, said(got), said(want))
				}
			}
		})
	}
	if diff := cmp.Diff(before, everything(s.store)); diff != "" || s.changes != 0 || len(s.requests) != 0 {
		t.Errorf("something was changed: %s", diff)
	}
}

// TestWrongCredentials walks the whole route table with tokens that are not the account's: the answer is the same whether the account exists or
// not, is switched off or was deleted.
func TestWrongCredentials(t *testing.T) {
	s, of := walled(t)
	s.changeAccount(siblingID, func(a *gateway.Account) { a.RemovedAt = s.now })
	i := 0
	s.walk(func(pattern, method string) {
		i++
		var want string
		for _, id := range []gateway.AccountID{nobodyID, mainID, subID, siblingID, disabledID} {
			token := "not-the-token"
			if id == siblingID {
				token = tokenOf(id) // it was good
			}
			r := s.do(ask{
				method: method, path: of[mainID].fill(pattern, mainID), body: argumentsOfAll, anonymous: true, header: basic(string(id), token),
				from: fmt.Sprintf("198.51.100.%d:1", i), // or the throttle would step in
			})
			if want == "" {
				s.refused(r, http.StatusUnauthorized, "invalid auth token")
				want = said(r)
			}
			if said(r) != want {
				t.Errorf("%s %s as %s: %s, want %s", method, pattern, id, said(r), want)
			}
		}
	})
}

// TestForeignIDs walks the whole route table below callers' own paths with ids of what is others'. The answer is what is said of ids that
// nobody has, and nothing is changed.
func TestForeignIDs(t *testing.T) {
	s, of := walled(t)
	before := everything(s.store)
	owners := []gateway.AccountID{mainID, subID, siblingID, strangerID, strangerSubID}
	for _, caller := range owners {
		for _, owner := range owners {
			if owner == caller || s.store.accounts[owner].Parent == caller {
				continue
			}
			s.walkAccounts(func(pattern, method string) {
				foreign := of[owner]
				own := of[caller] // with a foreign number in the place of its own
				own.number, own.tollfree, own.shortcode = foreign.number, foreign.tollfree, foreign.shortcode
				for _, b := range []belongings{foreign, own} {
					q := ask{method: method, as: caller, body: `{"rent":true,"unrent":true,"name":"x","number":"` + b.number + `","status":"CONVERTED","timestamp":"2026-03-04T05:06:07Z"}`}
					if q.path = b.fill(pattern, caller); q.path == of[caller].fill(pattern, caller) {
						continue // nothing in it is foreign
					}
					got := s.do(q)
					q.path = madeUp.fill(pattern, caller)
					if unlinking(pattern, method) && got.status == http.StatusBadRequest {
						s.refused(got, http.StatusBadRequest, "The number "+b.number+" is not linked to this campaign")
						continue
					}
					if want := s.do(q); got.status != http.StatusNotFound || said(got) != said(want) {
						t.Errorf("%s %s of %s as %s: %s, where %s is said of what is not there", method, pattern, owner, caller, said(got), said(want))
					}
				}
			})
		}
	}
	if diff := cmp.Diff(before, everything(s.store)); diff != "" || s.changes != 0 {
		t.Errorf("something was changed: %s", diff)
	}
}

// TestForeignArguments names what is others' in arguments instead of paths.
func TestForeignArguments(t *testing.T) {
	s, of := walled(t)
	s.rent("", "12125550100")
	before := everything(s.store)
	for _, test := range []struct{ method, path, query, body string }{
		{"POST", "/Powerpack/", "", `{"name":"y","application_id":"{app_id}"}`},
		{"POST", "/Powerpack/{uuid}/", "", `{"application_id":"{app_id}"}`},
		{"POST", "/Number/{number}/", "", `{"app_id":"{app_id}"}`},
		{"POST", "/Number/{number}/", "", `{"subaccount":"{subauth_id}"}`},
		{"POST", "/PhoneNumber/12125550100/", "", `{"app_id":"{app_id}"}`},
		{"POST", "/PhoneNumber/12125550100/", "", `{"subaccount":"{subauth_id}"}`},
		{"POST", "/Application/", "", `{"app_name":"x","subaccount":"{subauth_id}"}`},
		{"POST", "/Application/{app_id}/", "", `{"subaccount":"{subauth_id}"}`},
		{"DELETE", "/Application/{app_id}/", "", `{"new_endpoint_application":"{app_id}"}`},
		{"POST", "/Powerpack/{uuid}/Number/", "", `{"number":"{number}","rent":"true"}`},
		{"DELETE", "/Powerpack/{uuid}/Number/", "", `{"number":"{number}"}`},
		{"POST", "/Profile/{profile_uuid}/", "", `{"plivo_subaccount":"{subauth_id}"}`},
		{"POST", "/10dlc/Brand/", "", `{"profile_uuid":"{profile_uuid}","brand_alias":"x"}`},
		{"POST", "/10dlc/Campaign/", "", `{"brand_id":"{brand_id}","usecase":"2FA","sample1":"Your code is 123456, thank you."}`},
		{"POST", "/TollfreeVerification/", "", `{"profile_uuid":"{profile_uuid}","number":"{number}","usecase":"2FA","usecase_summary":"x","message_sample":"x",
			"optin_image_url":"https://a.example/","optin_type":"VERBAL","volume":"100"}`},
		{"POST", "/TollfreeVerification/{verification_uuid}/", "", `{"profile_uuid":"{profile_uuid}","usecase":"2FA","usecase_summary":"x","message_sample":"x",
			"optin_image_url":"https://a.example/","optin_type":"VERBAL","volume":"100"}`},
		{"GET", "/10dlc/Campaign/", "?brand_id={brand_id}", ""},
		{"GET", "/TollfreeVerification/", "?profile_uuid={profile_uuid}", ""},
		{"GET", "/Message/", "?tendlc_campaign_id={campaign_id}", ""},
		{"GET", "/Number/", "?tendlc_campaign_id={campaign_id}", ""},
		{"POST", "/Message/", "", `{"src":"14155550100","dst":"14152223333","type":"mms","media_ids":"{media_id}"}`},
		{"GET", "/Message/", "?subaccount={subauth_id}", ""},
		{"POST", "/OptOut/", "", `{"number":"14152223333","source":"{number}"}`},
		{"POST", "/OptOut/", "", `{"number":"14152223333","source":"{campaign_id}"}`},
		{"GET", "/OptOut/", "?source={number}", ""},
		{"GET", "/Conversation/", "?dst=14152223333&number={number}", ""},
		{"GET", "/Message/", "?powerpack_id={uuid}", ""},
		{"GET", "/Number/", "?subaccount={subauth_id}", ""},
		{"GET", "/Application/", "?subaccount={subauth_id}", ""},
	} {
		for _, pair := range [][2]gateway.AccountID{{subID, mainID}, {subID, siblingID}, {mainID, strangerID}, {strangerID, mainID}, {strangerSubID, subID}} {
			caller, foreign := pair[0], of[pair[1]]
			if foreign.subaccount == nobodySubID {
				foreign.subaccount = pair[1]
			}
			path := "/v1/Account/" + string(caller) + of[caller].fill(test.path, caller)
			answers := make([]string, 2)
			for i, b := range []belongings{foreign, madeUp} {
				r := s.do(ask{method: test.method, path: path + b.fill(test.query, caller), body: b.fill(test.body, caller), as: caller})
				if test.method != "GET" && r.status != 400 && r.status != 404 {
					t.Errorf("%s %s as %s: %d %s", test.method, test.path, caller, r.status, r.text)
				}
				answers[i] = said(r)
			}
			if answers[0] != answers[1] {
				t.Errorf("%s %s%s %s as %s: %s, where %s is said of what is not there", test.method, test.path, test.query, test.body, caller, answers[0], answers[1])
			}
		}
	}
	if diff := cmp.Diff(before, everything(s.store)); diff != "" || s.changes != 0 {
		t.Errorf("something was changed: %s", diff)
	}
}

// TestListsEndAtTheWall: no list shows what is another's, a main account's only what is its own or, where it asks, a subaccount's.
func TestListsEndAtTheWall(t *testing.T) {
	s, of := walled(t)
	for id := range of {
		for _, list := range []string{"Message/", "OptOut/", "Conversation/?dst=14152223333", "Media/", "Number/", "Powerpack/", "Application/", "Subaccount/", "Profile/", "10dlc/Brand/", "10dlc/Campaign/", "TollfreeVerification/"} {
			r := s.ok(s.do(ask{method: "GET", path: "/v1/Account/" + string(id) + "/" + list, as: id}), 200)
			for owner, b := range of {
				for _, thing := range []string{b.message, b.optOut, b.medium, b.powerpack, b.number, b.application, b.profile, b.brand, b.campaign, b.verification} {
					if owner != id && strings.Contains(r.text, thing) {
						t.Errorf("%s of %s shows %s of %s", list, id, thing, owner)
					}
				}
			}
		}
	}
	for _, list := range []string{"Message/", "Number/", "Application/"} {
		r := s.ok(s.do(ask{method: "GET", path: mainPath + "/" + list + "?subaccount=" + string(siblingID)}), 200)
		if objects := r.body["objects"].([]any); len(objects) == 0 {
			t.Errorf("%s does not show the subaccount's to its main account", list)
		}
		for _, object := range r.body["objects"].([]any) { // and what it shows can be asked for
			s.ok(s.do(ask{method: "GET", path: object.(map[string]any)["resource_uri"].(string)}), 200)
		}
	}
}

// TestDisabledAndDeletedSubaccounts: from that moment on the credentials are good for nothing in the whole route table.
func TestDisabledAndDeletedSubaccounts(t *testing.T) {
	s, of := walled(t)
	for _, m := range s.store.messages {
		m.State = gateway.Sent
	}
	source := 0
	nothing := func(text string) {
		s.walk(func(pattern, method string) {
			source++ // or the throttle would step in
			from := fmt.Sprintf("[2001:db8:%x::1]:9", source)
			r := s.do(ask{method: method, path: of[subID].fill(pattern, subID), as: subID, body: argumentsOfAll, from: from})
			s.refused(r, http.StatusUnauthorized, text)
		})
	}
	asParent := func(method, body string, status int) {
		t.Helper()
		s.ok(s.do(ask{method: method, path: mainPath + "/Subaccount/" + string(subID) + "/", body: body}), status)
	}
	own := ask{method: "GET", path: subPath + "/", as: subID}
	s.ok(s.do(own), 200)
	asParent("POST", `{"enabled":"false"}`, 202)
	nothing("the account is disabled")
	asParent("POST", `{"enabled":"true"}`, 202)
	s.ok(s.do(own), 200)
	asParent("DELETE", "", 204)
	nothing("invalid auth token")
	asParent("GET", "", 404)
	s.refused(s.do(ask{method: "GET", path: subPath + "/"}), 403, errForeign.Text)
}
