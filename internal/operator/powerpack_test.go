package operator

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/heliograph/heliograph/internal/gateway"
	"github.com/heliograph/heliograph/internal/mt"
)

// packed is a fixture with two powerpacks, the first with a short code and a long code.
func packed() (f *fixture, first, second gateway.Powerpack) {
	f = newFixture()
	first = gateway.Powerpack{
		ID: f.IDs.Next(noon), Account: anAccount, Name: "main", Pool: f.IDs.Next(noon), Sticky: true, LocalConnect: true, CreatedAt: noon,
		Priorities: []gateway.Priority{{Service: gateway.SMS, Country: "US", Order: [3]gateway.NumberType{gateway.TollFree, gateway.LongCode}}},
		Patience:   90 * time.Second, Refresh: true, ApplicationType: "xml", ApplicationID: "1",
	}
	second = gateway.Powerpack{ID: f.IDs.Next(noon), Account: "MAYYYYYYYYYYYYYYYYYY", Name: "other", Pool: f.IDs.Next(noon), CreatedAt: noon}
	f.powerpacks = []gateway.Powerpack{first, second}
	f.numbers = []gateway.Number{
		{Number: "14165550100", Type: gateway.LongCode, Country: "CA", Rate: 2, DailyCap: 9, Campaign: "C1", Carrier: "main", Account: anAccount, Pool: first.Pool},
		{Number: "555444", Type: gateway.ShortCode, Country: "US", Rate: -1, DailyCap: -1, Paused: true, Account: anAccount, Pool: first.Pool},
	}
	f.explained = mt.Explanation{
		Taken: mt.Candidate{
			Number: &f.numbers[0], SendAt: noon.Add(time.Minute), QueuedUnits: 7,
			Health: mt.SenderHealth{Ended: 3, Delivered: 1, Standing: "resting", RestsUntil: noon.Add(time.Hour)},
		},
		Rule: gateway.BySameArea, Habit: "14165550100", Senders: 2,
		Others: []mt.Candidate{{Number: &f.numbers[1], Verdict: gateway.IsPaused}},
	}
	return f, first, second
}

func settingsOf(first gateway.Powerpack) map[string]any {
	return map[string]any{
		"uuid": first.ID.String(), "auth_id": string(anAccount), "name": "main", "sticky_sender": true, "local_connect": true,
		"number_priority": []any{map[string]any{"service_type": "sms", "country_iso2": "US", "order": []any{"tollfree", "longcode"}}},
		"patience":        90.0, "number_pool_refresh": true, "application_type": "xml", "application_id": "1", "number_pool_uuid": first.Pool.String(),
		"senders": 2.0, "created_on": "2026-05-06T12:00:00Z",
	}
}

var (
	takenSender = map[string]any{
		"number": "14165550100", "type": "longcode", "country_iso2": "CA", "carrier": "main", "campaign": "C1", "effective_rate": 2.0,
		"effective_daily_cap": 9.0, "paused": false, "queued_units": 7.0, "free_at": "2026-05-06T12:01:00Z", "health": "resting", "delivery_rate": 0.3333,
		"delivery_samples": 3.0, "rests_until": "2026-05-06T13:00:00Z",
	}
	pausedSender = map[string]any{
		"number": "555444", "type": "shortcode", "country_iso2": "US", "carrier": "", "campaign": "", "effective_rate": 100.0,
		"effective_daily_cap": 0.0, "paused": true, "queued_units": 0.0, "free_at": nil, "health": "well", "delivery_rate": nil,
		"delivery_samples": 0.0, "rests_until": nil,
	}
)

func with(fields map[string]any, name string, value any) map[string]any {
	all := map[string]any{name: value}
	for name, value := range fields {
		all[name] = value
	}
	return all
}

func TestPowerpacks(t *testing.T) {
	f, first, second := packed()
	theirs := map[string]any{
		"uuid": second.ID.String(), "auth_id": "MAYYYYYYYYYYYYYYYYYY", "name": "other", "sticky_sender": false, "local_connect": false,
		"number_priority": []any{}, "patience": 60.0, "number_pool_refresh": false, "application_type": "", "application_id": "",
		"number_pool_uuid": second.Pool.String(), "senders": 0.0, "created_on": "2026-05-06T12:00:00Z",
	}
	for query, want := range map[string][]any{
		"": {settingsOf(first), theirs}, "?limit=1&offset=1": {theirs}, "?auth_id=" + string(anAccount): {settingsOf(first)},
	} {
		status, fields := f.call(t, "GET", "/admin/v1/powerpacks"+query, "", bearer)
		if diff := gocmp.Diff(want, fields["powerpacks"]); status != http.StatusOK || diff != "" {
			t.Errorf("%s: %d (-want +got):\n%s", query, status, diff)
		}
	}
	want := with(settingsOf(first), "numbers", []any{takenSender, pausedSender})
	want["destination_country_iso2"], want["type"] = "CA", "sms"
	status, fields := f.call(t, "GET", "/admin/v1/powerpacks/"+first.ID.String(), "", bearer)
	if diff := gocmp.Diff(want, fields); status != http.StatusOK || diff != "" {
		t.Errorf("show: %d (-want +got):\n%s", status, diff)
	}
	if status, _ := f.call(t, "GET", "/admin/v1/powerpacks/"+second.ID.String()+"/?country_iso2=gb&type=MMS", "", bearer); status != http.StatusOK {
		t.Errorf("show: %d", status)
	}
	wanted := mt.Question{Account: second.Account, Powerpack: second.ID, To: gateway.Destination{Country: "GB"}, Service: gateway.MMS}
	if diff := gocmp.Diff(wanted, f.asked); diff != "" {
		t.Errorf("the question (-want +got):\n%s", diff)
	}
}

func TestExplainPowerpack(t *testing.T) {
	f, first, _ := packed()
	path := "/admin/v1/powerpacks/" + first.ID.String() + "/explain?dst="
	want := map[string]any{
		"dst": "14165550123", "destination_country_iso2": "CA", "type": "mms", "failure": "", "sticky_sender": "14165550100", "senders": 2.0,
		"sender": with(takenSender, "reason", "local connect, same area code"), "others": []any{with(pausedSender, "reason", "it is paused")},
	}
	status, fields := f.call(t, "GET", path+"%2B1+(416)+555-0123&type=mms&message_expiry=60", "", bearer)
	if diff := gocmp.Diff(want, fields); status != http.StatusOK || diff != "" {
		t.Errorf("%d (-want +got):\n%s", status, diff)
	}
	if f.asked.Expiry != time.Minute || f.asked.To.AreaCode != "416" || f.asked.Account != anAccount {
		t.Errorf("asked %+v", f.asked)
	}
	f.explained = mt.Explanation{Reason: gateway.Expired, Senders: 2}
	_, fields = f.call(t, "GET", path+"14165550123", "", bearer)
	if fields["sender"] != nil || fields["failure"] != "no sender is free before the message expires" || f.asked.Expiry != gateway.DefaultExpiry {
		t.Errorf("%v, asked %+v", fields, f.asked)
	}
	f.explained = mt.Explanation{Reason: gateway.OptedOut, Senders: 2}
	if _, fields = f.call(t, "GET", path+"14165550123", "", bearer); fields["failure"] != "the person has opted out of the sender" {
		t.Errorf("who has opted out: %v", fields)
	}
	for _, bad := range []string{"", "12", "14165550123&type=fax", "14165550123&message_expiry=4", "14165550123&message_expiry=x", "14165550123&to=1"} {
		if status, _ := f.call(t, "GET", path+bad, "", bearer); status != http.StatusBadRequest {
			t.Errorf("%q: %d", bad, status)
		}
	}
	for _, missing := range []string{"x", f.IDs.Next(noon).String()} {
		if status, _ := f.call(t, "GET", "/admin/v1/powerpacks/"+missing+"/explain?dst=14165550123", "", bearer); status != http.StatusNotFound {
			t.Errorf("%q: %d", missing, status)
		}
	}
}

// TestEveryRefusedNumberIsNamed: the answer names the entries that are wrong, and nothing is stored.
func TestEveryRefusedNumberIsNamed(t *testing.T) {
	f := newFixture()
	status, fields := f.call(t, "POST", "/admin/v1/numbers", `{"numbers":[{"number":"14155550100"},{"number":"@"},{"number":"14155550101","carrier":"none"},`+
		`{"number":"+1 415 555 0100"},{"number":"14155550102","rate":-1}]}`, bearer)
	want := map[string]any{
		"error": `"@" is no number, short code or alphanumeric sender`, "refused_total": 4.0,
		"refused": []any{
			map[string]any{"index": 1.0, "number": "@", "field": "number", "error": `"@" is no number, short code or alphanumeric sender`},
			map[string]any{"index": 2.0, "number": "14155550101", "field": "carrier", "error": `carrier of 14155550101: there is no carrier "none"`},
			map[string]any{"index": 3.0, "number": "+1 415 555 0100", "field": "number", "error": "14155550100 is there twice"},
			map[string]any{"index": 4.0, "number": "14155550102", "field": "rate", "error": "rate of 14155550102 must be units per second, 0 for unlimited"},
		},
	}
	if diff := gocmp.Diff(want, fields); status != http.StatusBadRequest || diff != "" || len(f.numbers) != 0 {
		t.Errorf("%d (-want +got):\n%s", status, diff)
	}
	var many []string
	for i := range maxRefused + 1 {
		many = append(many, fmt.Sprintf(`{"number":"1415555%04d","rate":-1}`, i))
	}
	_, fields = f.call(t, "POST", "/admin/v1/numbers", `{"numbers":[`+strings.Join(many, ",")+`]}`, bearer)
	if list, _ := fields["refused"].([]any); len(list) != maxRefused || fields["refused_total"] != maxRefused+1.0 {
		t.Errorf("%d of %v are listed", len(list), fields["refused_total"])
	}
}

// TestPutNumbersDry: a dry run checks what a store would, and stores nothing; a store's refusal is told of each number.
func TestPutNumbersDry(t *testing.T) {
	const path = "/admin/v1/numbers?dry_run="
	good := `{"number":"14155550100","auth_id":"` + string(anAccount) + `","campaign":"C1"}`
	bad := `{"number":"14155550101","auth_id":"MAYYYYYYYYYYYYYYYYYY"},{"number":"14155550102","auth_id":"` + string(anAccount) + `","campaign":"C2"}`
	f := newFixture()
	f.accounts = []gateway.Account{{ID: anAccount}}
	f.campaigns = []gateway.Campaign{{ID: "C1", Account: anAccount}, {ID: "C2", Account: "MAZZZZZZZZZZZZZZZZZZ"}}
	status, fields := f.call(t, "POST", path+"true", `{"numbers":[`+good+`]}`, bearer)
	if status != http.StatusOK || fields["message"] != "checked, nothing changed" || len(f.numbers)+f.changed != 0 {
		t.Errorf("%d %v, stored %d", status, fields, len(f.numbers))
	}
	want := []any{
		map[string]any{"index": 1.0, "number": "14155550101", "field": "auth_id", "error": "account MAYYYYYYYYYYYYYYYYYY does not exist"},
		map[string]any{
			"index": 2.0, "number": "14155550102", "field": "campaign",
			"error": "campaign C2 does not exist, or is not of the account that rents the number",
		},
	}
	status, fields = f.call(t, "POST", path+"true", `{"numbers":[`+good+`,`+bad+`]}`, bearer)
	if diff := gocmp.Diff(want, fields["refused"]); status != http.StatusBadRequest || diff != "" {
		t.Errorf("dry: %d (-want +got):\n%s", status, diff)
	}
	f.refusal = gateway.Errorf(gateway.Invalid, "account MAYYYYYYYYYYYYYYYYYY does not exist")
	status, fields = f.call(t, "POST", path+"false", `{"numbers":[`+good+`,`+bad+`]}`, bearer)
	if diff := gocmp.Diff(want, fields["refused"]); status != http.StatusBadRequest || diff != "" || f.changed != 0 {
		t.Errorf("%d (-want +got):\n%s", status, diff)
	}
	if status, fields = f.call(t, "POST", path, `{"numbers":[`+good+`]}`, bearer); status != http.StatusBadRequest || fields["error"] != f.refusal.Text || fields["refused"] != nil {
		t.Errorf("a refusal that nothing explains: %d %v", status, fields)
	}
	if status, _ = f.call(t, "POST", path+"perhaps", `{"numbers":[`+good+`]}`, bearer); status != http.StatusBadRequest {
		t.Errorf("%d", status)
	}
	f.fail = errors.New("the disk is gone")
	if status, _ = f.call(t, "POST", path+"1", `{"numbers":[`+good+`]}`, bearer); status != http.StatusInternalServerError {
		t.Errorf("%d", status)
	}
}

func TestShowNumber(t *testing.T) {
	f, first, _ := packed()
	_, listed := f.call(t, "GET", "/admin/v1/numbers?number_pool_uuid="+first.Pool.String()+"&prefix=5", "", bearer)
	status, shown := f.call(t, "GET", "/admin/v1/numbers/555444", "", bearer)
	if diff := gocmp.Diff(listed["numbers"], []any{shown}); status != http.StatusOK || diff != "" {
		t.Errorf("%d (-want +got):\n%s", status, diff)
	}
	if status, _ := f.call(t, "GET", "/admin/v1/numbers/55544", "", bearer); status != http.StatusNotFound {
		t.Errorf("%d", status)
	}
	if status, _ := f.call(t, "GET", "/admin/v1/numbers?number_pool_uuid=x", "", bearer); status != http.StatusBadRequest {
		t.Errorf("%d", status)
	}
}
