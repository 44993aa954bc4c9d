package operator

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/heliograph/heliograph/internal/gateway"
)

func TestAccountChanges(t *testing.T) {
	f := newFixture()
	status, fields := f.call(t, "POST", "/admin/v1/accounts", `{"name":"acme","rate":2.5}`, bearer)
	id, _ := fields["auth_id"].(string)
	if status != http.StatusCreated || fields["rate"] != 2.5 || f.accounts[0].Rate != 2.5 || f.changed != 1 {
		t.Fatalf("%d %v, %d changes", status, fields, f.changed)
	}
	path := "/admin/v1/accounts/" + id
	want := map[string]any{
		"auth_id": id, "name": "acme", "enabled": true, "rate": 2.5, "created_on": "2026-05-06T12:00:00Z",
		"billing_mode": "postpaid", "balance": "0.00000", "held": "0.00000", "available": "0.00000",
	}
	for _, step := range []struct {
		method, body string
		change       map[string]any
		changes      int
	}{
		{"GET", "", nil, 1},
		{"POST", `{"rate":0}`, map[string]any{"rate": 0.0}, 2},
		{"POST", `{"enabled":false}`, map[string]any{"enabled": false}, 3},
		{"POST", `{"name":"acme 2","enabled":true,"rate":7}`, map[string]any{"name": "acme 2", "enabled": true, "rate": 7.0}, 4},
		{"POST", `{"name":null}`, nil, 5},
		{"POST", `{"billing_mode":"prepaid"}`, map[string]any{"billing_mode": "prepaid"}, 6},
		{"GET", "", nil, 6},
	} {
		for name, value := range step.change {
			want[name] = value
		}
		status, fields := f.call(t, step.method, path, step.body, bearer)
		if diff := gocmp.Diff(want, fields); status != http.StatusOK || diff != "" || f.changed != step.changes {
			t.Errorf("%s %s: %d, %d changes (-want +got):\n%s", step.method, step.body, status, f.changed, diff)
		}
	}
	if log := f.log.String(); !strings.Contains(log, "account changed") || !strings.Contains(log, id) {
		t.Errorf("the log says %s", log)
	}
}

func TestCampaigns(t *testing.T) {
	f := newFixture()
	f.accounts = []gateway.Account{{ID: anAccount}}
	status, fields := f.call(t, "POST", "/admin/v1/campaigns", `{"campaigns":[{"id":"C-1_a","auth_id":"MAXXXXXXXXXXXXXXXXXX","rate":0.75,"daily_cap":2000},`+
		`{"id":"2","auth_id":"MAXXXXXXXXXXXXXXXXXX"}]}`, bearer)
	if diff := gocmp.Diff(map[string]any{"message": "changed", "campaigns": []any{"C-1_a", "2"}}, fields); status != http.StatusOK || diff != "" {
		t.Errorf("%d (-want +got):\n%s", status, diff)
	}
	stored := []gateway.Campaign{{ID: "C-1_a", Account: anAccount, Rate: 0.75, DailyCap: 2000}, {ID: "2", Account: anAccount}}
	if diff := gocmp.Diff(stored, f.campaigns); diff != "" || f.changed != 1 {
		t.Errorf("%d changes (-want +got):\n%s", f.changed, diff)
	}
	_, fields = f.call(t, "GET", "/admin/v1/campaigns/", "", bearer)
	want := map[string]any{"campaigns": []any{
		map[string]any{"id": "C-1_a", "auth_id": string(anAccount), "rate": 0.75, "daily_cap": 2000.0},
		map[string]any{"id": "2", "auth_id": string(anAccount), "rate": 0.0, "daily_cap": 0.0},
	}}
	if diff := gocmp.Diff(want, fields); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if status, _ = f.call(t, "DELETE", "/admin/v1/campaigns/C-1_a", "", bearer); status != http.StatusOK || len(f.campaigns) != 1 || f.changed != 2 {
		t.Errorf("delete: %d, left %v, %d changes", status, f.campaigns, f.changed)
	}
	if log := f.log.String(); !strings.Contains(log, "campaigns changed") || !strings.Contains(log, "campaign=C-1_a") {
		t.Errorf("the log says %s", log)
	}
}

// TestListNumbers: a number is shown with its settings, under the names by which they are set, and what applies.
func TestListNumbers(t *testing.T) {
	f := newFixture()
	pool := f.IDs.Next(noon)
	f.numbers = []gateway.Number{
		{
			Number: "14155550100", Type: gateway.LongCode, Country: "US", Region: "CA", AreaCode: "415", Services: gateway.Services(gateway.SMS, gateway.MMS),
			Carrier: "main", Rate: -1, DailyCap: -1, Account: anAccount, Pool: pool, Service: gateway.MMS, AddedAt: noon, RentedAt: noon.Add(-time.Hour),
		},
		{Number: "14165550100", Type: gateway.LongCode, Country: "CA", Rate: 2, DailyCap: 9, Campaign: "C1", Paused: true, Account: anAccount, AddedAt: noon},
		{Number: "18005550100", Type: gateway.TollFree, Country: "US", Rate: 0, DailyCap: 0, AddedAt: noon},
		{Number: "141555", Type: gateway.ShortCode, Country: "US", Rate: -1, DailyCap: -1, AddedAt: noon},
	}
	_, fields := f.call(t, "GET", "/admin/v1/numbers?limit=2", "", bearer)
	want := map[string]any{"total": 4.0, "numbers": []any{
		map[string]any{
			"number": "14155550100", "type": "longcode", "country_iso2": "US", "region": "CA", "area_code": "415", "services": []any{"sms", "mms"},
			"carrier": "main", "rate": nil, "daily_cap": nil, "effective_rate": 1.0, "effective_daily_cap": 2000.0, "campaign": "", "paused": false,
			"auth_id": string(anAccount), "number_pool_uuid": pool.String(), "number_pool_service": "mms", "added_on": "2026-05-06T12:00:00Z",
			"rented_on": "2026-05-06T11:00:00Z",
		},
		map[string]any{
			"number": "14165550100", "type": "longcode", "country_iso2": "CA", "region": "", "area_code": "", "services": []any{},
			"carrier": "", "rate": 2.0, "daily_cap": 9.0, "effective_rate": 2.0, "effective_daily_cap": 9.0, "campaign": "C1", "paused": true,
			"auth_id": string(anAccount), "number_pool_uuid": "", "number_pool_service": "", "added_on": "2026-05-06T12:00:00Z", "rented_on": nil,
		},
	}}
	if diff := gocmp.Diff(want, fields); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for query, numbers := range map[string]string{
		"": "14155550100 14165550100 18005550100 141555", "auth_id=" + string(anAccount): "14155550100 14165550100", "inventory=true": "18005550100 141555",
		"inventory=false": "14155550100 14165550100 18005550100 141555", "type=TollFree": "18005550100", "type=shortcode&country_iso2=us": "141555",
		"country_iso2=ca": "14165550100", "prefix=%2B1415": "14155550100 141555", "prefix=1-800": "18005550100", "limit=1&offset=2": "18005550100",
		"offset=9": "", "limit=1000": "14155550100 14165550100 18005550100 141555",
	} {
		status, fields := f.call(t, "GET", "/admin/v1/numbers/?"+query, "", bearer)
		var got []string
		for _, number := range fields["numbers"].([]any) {
			got = append(got, number.(map[string]any)["number"].(string))
		}
		if status != http.StatusOK || strings.Join(got, " ") != numbers {
			t.Errorf("%s: %d %v, want %s", query, status, got, numbers)
		}
	}
}

// TestPauseNumber: pausing changes one number, also one whose digits other numbers begin with, and nothing else about it.
func TestPauseNumber(t *testing.T) {
	f := newFixture()
	for i := range maxListed + 1 {
		f.numbers = append(f.numbers, gateway.Number{Number: fmt.Sprintf("1415555%04d", i), Type: gateway.LongCode})
	}
	short := gateway.Number{Number: "14155", Type: gateway.ShortCode, Rate: 3, DailyCap: 4, Campaign: "C1", Account: anAccount, Carrier: "main", AddedAt: noon}
	f.numbers = append(f.numbers, short)
	stored := func() gateway.Number { return f.numbers[len(f.numbers)-1] }
	for i, step := range []struct {
		verb, done string
		paused     bool
	}{{"pause", "paused", true}, {"pause", "paused", true}, {"resume", "resumed", false}} {
		status, fields := f.call(t, "POST", "/admin/v1/numbers/+14155/"+step.verb, "", bearer)
		want := short
		want.Paused = step.paused
		if diff := gocmp.Diff(want, stored()); status != http.StatusOK || fields["message"] != step.done || diff != "" || f.changed != i+1 {
			t.Errorf("%s: %d %v, %d changes (-want +got):\n%s", step.verb, status, fields, f.changed, diff)
		}
	}
	if len(f.numbers) != maxListed+2 {
		t.Errorf("%d numbers", len(f.numbers))
	}
}

// TestLogsHoldNoNumbers: neither changes nor failures write a whole number into the log.
func TestLogsHoldNoNumbers(t *testing.T) {
	f := newFixture()
	f.call(t, "POST", "/admin/v1/numbers", `{"numbers":[{"number":"14155550100"},{"number":"ab"},{"number":"18005550100"}]}`, bearer)
	f.call(t, "POST", "/admin/v1/numbers/14155550100/pause", "", bearer)
	f.fail = errors.New("the disk is gone")
	status, _ := f.call(t, "POST", "/admin/v1/numbers/14155550100/resume", "", bearer)
	log := f.log.String()
	if status != http.StatusInternalServerError || strings.Contains(log, "14155550100") || strings.Contains(log, "18005550100") {
		t.Errorf("%d, the log says %s", status, log)
	}
	for _, part := range []string{"numbers changed", "count=3", "14155550***", `"number paused"`, "the disk is gone", "/admin/v1/numbers/{number}/resume"} {
		if !strings.Contains(log, part) {
			t.Errorf("the log lacks %s: %s", part, log)
		}
	}
}

// TestChangeThatDoesNotHold: what is stored but not yet followed is told; a new account's token is shown all the same.
func TestChangeThatDoesNotHold(t *testing.T) {
	f := newFixture()
	f.accounts = []gateway.Account{{ID: anAccount, Enabled: true}}
	f.change = errors.New("secret of the database")
	const text = "the change was stored, but does not hold for new messages yet"
	for _, call := range []struct{ method, path, body string }{
		{"POST", "/admin/v1/accounts/" + string(anAccount), `{"rate":1}`},
		{"POST", "/admin/v1/campaigns", `{"campaigns":[{"id":"C1","auth_id":"MAXXXXXXXXXXXXXXXXXX"}]}`},
		{"DELETE", "/admin/v1/campaigns/C1", ""},
		{"POST", "/admin/v1/numbers", `{"numbers":[{"number":"14155550100"}]}`},
		{"POST", "/admin/v1/numbers/14155550100/pause", ""},
		{"POST", "/admin/v1/numbers/14155550100/resume", ""},
	} {
		if status, fields := f.call(t, call.method, call.path, call.body, bearer); status != http.StatusServiceUnavailable || fields["error"] != text {
			t.Errorf("%s %s: %d %v", call.method, call.path, status, fields)
		}
	}
	status, fields := f.call(t, "POST", "/admin/v1/accounts", `{"name":"x"}`, bearer)
	if secret, _ := fields["auth_token"].(string); status != http.StatusCreated || !gateway.ValidToken(secret) || fields["warning"] != text {
		t.Errorf("%d %v", status, fields)
	}
	if f.changed != 7 || !strings.Contains(f.log.String(), "secret of the database") {
		t.Errorf("%d changes, the log says %s", f.changed, &f.log)
	}
}

// TestOperatorGoesAway: a change that is stored is followed, even if nobody waits for the answer any more.
func TestOperatorGoesAway(t *testing.T) {
	f := newFixture()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r := httptest.NewRequestWithContext(ctx, "POST", "/admin/v1/numbers", strings.NewReader(`{"numbers":[{"number":"14155550100"}]}`))
	r.Header.Set("Authorization", bearer)
	w := httptest.NewRecorder()
	if f.ServeHTTP(w, r); w.Code != http.StatusOK || f.changed != 1 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}
