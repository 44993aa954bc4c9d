package plivo

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/heliograph/heliograph/internal/gateway"
)

const subaccountPath = mainPath + "/Subaccount/"

func TestAccount(t *testing.T) {
	s := newServer(t)
	s.changeAccount(mainID, func(a *gateway.Account) { a.Name = "Example Ltd" })
	get := func(path string, as gateway.AccountID) map[string]any {
		t.Helper()
		r := s.ok(s.do(ask{method: "GET", path: path, as: as}), 200)
		delete(r.body, "api_id")
		return r.body
	}
	want := map[string]any{
		"auth_id": string(mainID), "name": "Example Ltd", "account_type": "standard", "billing_mode": "postpaid", "auto_recharge": false,
		"cash_credits": "0.00000", "address": "", "city": "", "state": "", "timezone": "UTC", "resource_uri": mainPath + "/",
	}
	if diff := cmp.Diff(want, get(mainPath+"//", mainID)); diff != "" {
		t.Error(diff)
	}
	for _, test := range []struct {
		body string
		want map[string]any
	}{
		{`{"name":null,"city":null,"address":null,"state":null,"timezone":null}`, nil},
		{`{"name":" Other Ltd ","address":"1 Main St","city":"Springfield","state":"NY","timezone":"America/New_York"}`, map[string]any{
			"name": "Other Ltd", "address": "1 Main St", "city": "Springfield", "state": "NY", "timezone": "America/New_York",
		}},
		{`city=Shelbyville&unknown=1&cash_credits=99`, map[string]any{"city": "Shelbyville"}},
		{`{"address":"","timezone":""}`, map[string]any{"address": "", "timezone": "UTC"}},
		{``, nil},
	} {
		r := s.ok(s.do(ask{method: "POST", path: mainPath + "//", body: test.body}), 202)
		if diff := cmp.Diff(map[string]any{"api_id": r.body["api_id"], "message": "changed"}, r.body); diff != "" {
			t.Error(diff)
		}
		for name, value := range test.want {
			want[name] = value
		}
		if diff := cmp.Diff(want, get(mainPath, mainID)); diff != "" {
			t.Errorf("%s: %s", test.body, diff)
		}
	}
	for body, text := range map[string]string{
		`{"name":""}`: "name must not be empty",
		`{"city":"` + strings.Repeat("é", 256) + `"}`: "city must have at most 255 characters and no control characters",
		`{"state":"a\u0007"}`:                         "state must have at most 255 characters and no control characters",
		`{"timezone":{}}`:                             "timezone must be a string",
	} {
		s.refused(s.do(ask{method: "POST", path: mainPath, body: body}), 400, text)
	}
	s.refused(s.do(ask{method: "DELETE", path: mainPath}), 405, "method not allowed")

	// A subaccount is an account of its own, and learns nothing of its main account.
	r := s.ok(s.do(ask{method: "GET", path: subPath + "//", as: subID}), 200)
	if r.string("auth_id") != string(subID) || r.string("resource_uri") != subPath+"/" || strings.Contains(r.text, string(mainID)) || strings.Contains(r.text, "Other") {
		t.Errorf("a subaccount sees %s", r.text)
	}
	s.ok(s.do(ask{method: "POST", path: subPath, as: subID, body: `{"city":"Ogdenville"}`}), 202)
	if got := get(subPath, mainID)["city"]; got != "Ogdenville" {
		t.Errorf("a main account sees its subaccount in %v", got)
	}
	if diff := cmp.Diff(want, get(mainPath, mainID)); diff != "" {
		t.Error(diff)
	}
}

func TestSubaccountResource(t *testing.T) {
	s := newServer(t)
	r := s.ok(s.do(ask{method: "POST", path: subaccountPath, body: `{"name":" marketing ","enabled":"true"}`}), 201)
	id, token := r.string("auth_id"), r.string("auth_token")
	if diff := cmp.Diff(map[string]any{"api_id": r.body["api_id"], "auth_id": id, "auth_token": token, "message": "created"}, r.body); diff != "" {
		t.Error(diff)
	}
	if !gateway.AccountID(id).Valid() || !strings.HasPrefix(id, "SA") || !gateway.ValidToken(token) {
		t.Errorf("credentials %s %s", id, token)
	}
	get := func() map[string]any {
		t.Helper()
		r := s.ok(s.do(ask{method: "GET", path: subaccountPath + id + "/"}), 200)
		delete(r.body, "api_id")
		return r.body
	}
	want := map[string]any{
		"auth_id": id, "auth_token": token, "new_auth_token": token, "name": "marketing", "enabled": true, "account": mainPath + "/",
		"created": "2026-03-04", "modified": nil, "resource_uri": subaccountPath + id + "/",
	}
	if diff := cmp.Diff(want, get()); diff != "" {
		t.Error(diff)
	}
	asSub := ask{method: "GET", path: "/v1/Account/" + id + "/Message/", anonymous: true, header: basic(id, token)}
	s.ok(s.do(asSub), 200)

	s.now = s.now.AddDate(0, 0, 2)
	s.ok(s.do(ask{method: "POST", path: subaccountPath + id, body: `enabled=false`}), 202)
	want["enabled"], want["modified"] = false, "2026-03-06"
	if diff := cmp.Diff(want, get()); diff != "" {
		t.Error(diff)
	}
	s.refused(s.do(asSub), 401, "the account is disabled") // at once
	s.ok(s.do(ask{method: "POST", path: subaccountPath + id, body: `{"name":"sales","enabled":null}`}), 202)
	want["name"] = "sales"
	if diff := cmp.Diff(want, get()); diff != "" {
		t.Error(diff)
	}
	s.ok(s.do(ask{method: "POST", path: subaccountPath + id, body: `{"enabled":1}`}), 202)
	s.ok(s.do(asSub), 200)

	s.ok(s.do(ask{method: "DELETE", path: subaccountPath + id, body: `{}`}), 204)
	s.refused(s.do(asSub), 401, "invalid auth token")
	s.refused(s.do(ask{method: "GET", path: subaccountPath + id}), 404, "not found")
	s.refused(s.do(ask{method: "DELETE", path: subaccountPath + id}), 404, "not found")
	s.ok(s.do(ask{method: "POST", path: subaccountPath, body: `{"name":"off"}`}), 201)
	if got := s.store.accounts[s.store.made[1]]; got.Enabled || got.Parent != mainID {
		t.Errorf("a new subaccount is %+v", got)
	}
}

func TestSubaccountList(t *testing.T) {
	s := newServer(t)
	for i := range 3 {
		s.ok(s.do(ask{method: "POST", path: subaccountPath, body: fmt.Sprintf(`{"name":"sub%d"}`, i)}), 201)
	}
	for query, want := range map[string]string{"": "sub2 sub1 sub0", "?limit=2": "sub2 sub1", "?limit=2&offset=2": "sub0", "?offset=9": ""} {
		r := s.ok(s.do(ask{method: "GET", path: subaccountPath + query}), 200)
		var names []string
		for _, object := range r.body["objects"].([]any) {
			names = append(names, object.(map[string]any)["name"].(string))
		}
		if got := strings.Join(names, " "); got != want || r.body["meta"].(map[string]any)["total_count"] != 3.0 {
			t.Errorf("%s: %q of %v, want %q", query, got, r.body["meta"], want)
		}
	}
	r := s.ok(s.do(ask{method: "GET", path: subaccountPath + "?limit=1&offset=1"}), 200)
	meta := map[string]any{
		"limit": 1.0, "offset": 1.0, "total_count": 3.0, "next": subaccountPath + "?limit=1&offset=2", "previous": subaccountPath + "?limit=1&offset=0",
	}
	if diff := cmp.Diff(meta, r.body["meta"]); diff != "" {
		t.Error(diff)
	}
}

func TestSubaccountRefusals(t *testing.T) {
	s := newServer(t)
	for body, text := range map[string]string{
		``:            "name parameter not present",
		`{"name":""}`: "name parameter not present",
		`{"name":"` + strings.Repeat("é", 256) + `"}`: "name must have 1 to 255 characters and no control characters",
		`{"name":"a\u0007"}`:                          "name must have 1 to 255 characters and no control characters",
		`{"name":{}}`:                                 "name must be a string",
		`{"name":"x","enabled":"yes"}`:                "enabled must be true or false",
	} {
		s.refused(s.do(ask{method: "POST", path: subaccountPath, body: body}), 400, text)
	}
	s.refused(s.do(ask{method: "DELETE", path: subaccountPath + string(subID) + "?cascade=x"}), 400, "cascade must be true or false")
	for _, missing := range []string{"SANOBODYNOBODYNOBODY", "x", string(mainID), string(strangerID), strings.ToLower(string(subID))} {
		for _, method := range []string{"GET", "POST", "DELETE"} {
			s.refused(s.do(ask{method: method, path: subaccountPath + missing + "/"}), 404, "not found")
		}
	}
	// A subaccount has none of its own, whoever asks.
	for _, as := range []gateway.AccountID{subID, mainID} {
		s.refused(s.do(ask{method: "POST", path: subPath + "/Subaccount/", as: as, body: `{"name":"x"}`}), 400, "a subaccount has no subaccounts")
		r := s.ok(s.do(ask{method: "GET", path: subPath + "/Subaccount/", as: as}), 200)
		if objects := r.body["objects"].([]any); len(objects) != 0 {
			t.Errorf("a subaccount has %v", objects)
		}
		s.refused(s.do(ask{method: "GET", path: subPath + "/Subaccount/" + string(subID), as: as}), 404, "not found")
	}
	if len(s.store.made) != 0 || s.changes != 0 {
		t.Error("a refusal made something")
	}
}

// TestSubaccountDeletion: what a subaccount has goes to its main account or away; its records and callbacks stay.
func TestSubaccountDeletion(t *testing.T) {
	for _, cascade := range []bool{false, true} {
		s, of := walled(t)
		mine := of[subID]
		path := subaccountPath + string(subID) + "/"
		body := ask{method: "DELETE", path: path, body: fmt.Sprintf(`{"cascade":"%t"}`, cascade)}
		s.refused(s.do(body), 400, "the subaccount has messages that have not left yet")
		s.ok(s.do(ask{method: "GET", path: path}), 200)
		for _, m := range s.store.messages {
			m.State = gateway.Sent
		}
		changes := s.changes
		s.ok(s.do(body), 204)
		if s.changes != changes+1 {
			t.Error("not told")
		}
		status := 200
		if cascade {
			status = 404
		}
		for _, thing := range []string{"/Number/" + mine.number, "/Powerpack/" + mine.powerpack, "/Application/" + mine.application} {
			s.ok(s.do(ask{method: "GET", path: mainPath + thing}), status)
		}
		found := strings.Contains(s.listed(mainPath+"/PhoneNumber/?country_iso=US", mainID), mine.number)
		if found != cascade {
			t.Errorf("cascade %t: the number is in the inventory: %t", cascade, found)
		}

		r := s.ok(s.do(ask{method: "GET", path: mainPath + "/Message/?subaccount=" + string(subID)}), 200)
		if !strings.Contains(r.text, mine.message) {
			t.Errorf("the records are gone: %s", r.text)
		}
		for _, query := range []string{"/Number/?subaccount=", "/Application/?subaccount="} {
			s.refused(s.do(ask{method: "GET", path: mainPath + query + string(subID)}), 400, "subaccount is not a subaccount of this account")
		}
		r = s.do(ask{method: "GET", path: "/v1/Account/" + string(strangerID) + "/Message/?subaccount=" + string(subID), as: strangerID})
		s.refused(r, 400, "subaccount is not a subaccount of this account")

		event := gateway.Event{Message: s.store.messages[1], State: gateway.Delivered, Sequence: 3, At: s.now}
		event.Message.Callback = gateway.Callback{URL: "https://app.example.com/status", Method: "POST"}
		req, err := NewCallbacks(s.accounts, "test").Request(t.Context(), &event)
		if err != nil || event.Message.Account != subID || req.Header.Get("X-Plivo-Signature-V3") == "" {
			t.Errorf("a callback of a deleted subaccount: %v", err)
		}
	}
}

// TestMessageOfSubaccount: the main account reads it below its own path, with what belongs to it, also when the subaccount is gone.
func TestMessageOfSubaccount(t *testing.T) {
	s, of := walled(t)
	mine := of[subID]
	m := s.store.messages[slices.IndexFunc(s.store.messages, func(m *gateway.Message) bool { return m.Account == subID })]
	m.Trackable, m.From, m.State = true, mine.number, gateway.Sent
	s.store.numbers[slices.IndexFunc(s.store.numbers, func(n gateway.Number) bool { return n.Number == mine.number })].Campaign = mine.campaign
	path := messagePath + mine.message
	for _, removed := range []bool{false, true} {
		r := s.ok(s.do(ask{method: "GET", path: path}), 200)
		if r.string("resource_uri") != subPath+"/Message/"+mine.message+"/" {
			t.Errorf("it is shown as %s", r.text)
		}
		if r.string("tendlc_campaign_id") != mine.campaign && !removed {
			t.Errorf("its sender is shown as in no campaign: %s", r.text)
		}
		if list := s.ok(s.do(ask{method: "GET", path: path + "/Media/"}), 200).objects(); len(list) != 1 || list[0]["media_id"] != mine.medium {
			t.Errorf("its files are %v", list)
		}
		s.ok(s.do(ask{method: "GET", path: path + "/Media/" + mine.medium}), 200)
		s.ok(s.do(ask{method: "POST", path: path + "/conversion/", body: `{"status":"CONVERTED","timestamp":"2026-03-04T05:06:07Z"}`}), 200)
		if !removed {
			s.ok(s.do(ask{method: "DELETE", path: subaccountPath + string(subID)}), 204)
		}
	}
	s.ok(s.do(ask{method: "DELETE", path: path + "/Media/"}), 204)
	if len(m.MediaIDs) != 0 || s.store.feedback[m.ID].Account != mainID {
		t.Errorf("it names %v, feedback is %v", m.MediaIDs, s.store.feedback[m.ID])
	}
}

func TestSubaccountDeletionIsTold(t *testing.T) {
	s := newServer(t)
	s.change = errors.New("the store went away")
	s.refused(s.do(ask{method: "DELETE", path: subaccountPath + string(subID)}), 503, "the change was stored, but does not hold for new messages yet")
	s.refused(s.do(ask{method: "GET", path: subPath, as: subID}), 401, "invalid auth token")
}

// TestForget: a reading that began before a change is nobody's afterwards but theirs who waited for it then.
func TestForget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		token := "before"
		load := func(context.Context, gateway.AccountID) (gateway.Account, error) {
			read := token
			time.Sleep(time.Second)
			return gateway.Account{ID: mainID, Token: read}, nil
		}
		a := NewAccounts(load, time.Now)
		got := func() string {
			account, err := a.get(t.Context(), mainID)
			if err != nil {
				t.Error(err)
			}
			return account.Token
		}
		var all sync.WaitGroup
		all.Go(func() {
			if token := got(); token != "before" {
				t.Errorf("who asked before got %q", token)
			}
		})
		synctest.Wait()
		token = "after"
		a.forget(mainID)
		for range 2 {
			all.Go(func() {
				if token := got(); token != "after" {
					t.Errorf("who asked afterwards got %q", token)
				}
			})
		}
		all.Wait()
		if token := got(); token != "after" || len(a.loading) != 0 {
			t.Errorf("kept is %q, %d loading", token, len(a.loading))
		}
	})
}
