package operator

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/heliograph/heliograph/internal/gateway"
)

func (f *fixture) Registrations(_ context.Context, filter gateway.RegistrationFilter) ([]gateway.Registration, int, error) {
	var found []gateway.Registration
	for _, r := range slices.Backward(f.registrations) {
		if (filter.Account == "" || filter.Account == r.Account) && (filter.Kind == 0 || filter.Kind == r.Kind) &&
			(len(filter.States) == 0 || slices.Contains(filter.States, r.State)) && (!filter.Waiting || r.Waits()) {
			found = append(found, r)
		}
	}
	page := found[min(filter.Offset, len(found)):]
	return page[:min(filter.Limit, len(page))], len(found), f.fail
}

func (f *fixture) registration(account gateway.AccountID, id string) (*gateway.Registration, error) {
	for i := range f.registrations {
		if r := &f.registrations[i]; r.Account == account && r.ID == id && f.fail == nil {
			return r, nil
		}
	}
	if f.fail != nil {
		return nil, f.fail
	}
	return nil, gateway.Errorf(gateway.NotFound, "not found")
}

func (f *fixture) Registration(_ context.Context, account gateway.AccountID, _ gateway.RegistrationKind, id string) (gateway.Registration, error) {
	r, err := f.registration(account, id)
	if err != nil {
		return gateway.Registration{}, err
	}
	return *r, nil
}

func (f *fixture) DecideRegistration(_ context.Context, account gateway.AccountID, id string, decision gateway.Decision) (gateway.Registration, error) {
	r, err := f.registration(account, id)
	if err != nil {
		return gateway.Registration{}, err
	}
	if r.Kind == gateway.BusinessProfile {
		return gateway.Registration{}, gateway.Errorf(gateway.Invalid, "nobody decides on a profile")
	}
	r.Decision = decision
	return *r, nil
}

// registered is a fixture with one registration of each kind.
func registered() *fixture {
	f := newFixture()
	for i, r := range []gateway.Registration{
		{ID: "P", Kind: gateway.BusinessProfile},
		{ID: "BAAAAAA", Kind: gateway.Brand, Parent: "P", Callback: gateway.Callback{URL: "https://a.example/", Method: "POST"}},
		{ID: "CAAAAAA", Kind: gateway.RegisteredCampaign, Parent: "BAAAAAA"},
		{ID: "V", Kind: gateway.TollFreeVerification, Parent: "P", Number: "18005550100"},
	} {
		r.Account, r.Details, r.CreatedAt = anAccount, []byte(fmt.Sprintf(`{"n":%d}`, i)), noon
		f.registrations = append(f.registrations, r)
	}
	return f
}

const registrationsPath = "/admin/v1/accounts/" + string(anAccount) + "/registrations/"

func TestApproveCampaign(t *testing.T) {
	f := registered()
	want := map[string]any{
		"id": "CAAAAAA", "kind": "campaign", "auth_id": string(anAccount), "state": "pending", "waits": true, "parent_id": "BAAAAAA", "number": "",
		"details": map[string]any{"n": 2.0}, "callback_url": "", "callback_method": "", "reason": "", "code": "", "rate": nil, "daily_cap": nil, "tpm": nil,
		"brand_tier": "", "vetting_status": "", "vetting_score": 0.0, "created_on": "2026-05-06T12:00:00Z", "modified_on": nil, "decided_on": nil,
	}
	for i, step := range []struct {
		method, verb, body string
		change             map[string]any
		changes            int
	}{
		{"GET", "", "", nil, 0},
		{"POST", "/approve", `{"rate":3.75,"daily_cap":2000,"brand_tier":"TOP"}`, map[string]any{
			"state": "approved", "waits": false, "rate": 3.75, "daily_cap": 2000.0, "tpm": 225.0, "brand_tier": "TOP", "decided_on": "2026-05-06T12:00:00Z",
		}, 1},
		{"POST", "/approve", `{"rate":0,"tpm":4500}`, map[string]any{"rate": 0.0, "daily_cap": 0.0, "tpm": 4500.0, "brand_tier": ""}, 2},
		{"POST", "/reject", `{"reason":" no samples ","code":"1001"}`, map[string]any{
			"state": "rejected", "reason": "no samples", "code": "1001", "rate": nil, "daily_cap": nil, "tpm": nil,
		}, 3},
		{"GET", "/", "", nil, 3},
	} {
		for name, value := range step.change {
			want[name] = value
		}
		status, fields := f.call(t, step.method, registrationsPath+"CAAAAAA"+step.verb, step.body, bearer)
		if diff := gocmp.Diff(want, fields); status != http.StatusOK || diff != "" || f.changed != step.changes {
			t.Errorf("step %d: %d, %d changes (-want +got):\n%s", i, status, f.changed, diff)
		}
	}
	if log := f.log.String(); !strings.Contains(log, "registration approved") || !strings.Contains(log, "registration=CAAAAAA") {
		t.Errorf("the log says %s", log)
	}
}

func TestDecideBrandAndVerification(t *testing.T) {
	f := registered()
	for _, step := range []struct {
		id, verb, body string
		want           map[string]any
	}{
		{"BAAAAAA", "approve", `{"vetting_status":"ACTIVE","vetting_score":75}`, map[string]any{"state": "approved", "vetting_status": "ACTIVE", "vetting_score": 75.0, "rate": nil}},
		{"BAAAAAA", "approve", ``, map[string]any{"vetting_status": "", "vetting_score": 0.0}},
		{"V", "reject", `{"reason":"where is the picture?","update_required":true}`, map[string]any{"state": "update_required", "number": "18005550100"}},
		{"V", "approve", `{}`, map[string]any{"state": "approved", "reason": ""}},
	} {
		status, fields := f.call(t, "POST", registrationsPath+step.id+"/"+step.verb, step.body, bearer)
		for name, value := range step.want {
			if status != http.StatusOK || fields[name] != value {
				t.Errorf("%s %s: %d, %s is %v, want %v", step.verb, step.id, status, name, fields[name], value)
			}
		}
	}
	if f.changed != 0 {
		t.Errorf("%d changes of what is no campaign's", f.changed)
	}
}

func TestRegistrationRefusals(t *testing.T) {
	f := registered()
	for _, step := range []struct {
		path, body string
		status     int
	}{
		{"CAAAAAA/approve", ``, 400},
		{"CAAAAAA/approve", `{"rate":-1}`, 400},
		{"CAAAAAA/approve", `{"rate":1,"daily_cap":-1}`, 400},
		{"CAAAAAA/approve", `{"rate":1,"tpm":-1}`, 400},
		{"CAAAAAA/approve", `{"rate":1,"vetting_score":1}`, 400},
		{"CAAAAAA/approve", `{"rates":1}`, 400},
		{"BAAAAAA/approve", `{"rate":1}`, 400},
		{"BAAAAAA/approve", `{"vetting_score":101}`, 400},
		{"V/approve", `{"brand_tier":"TOP"}`, 400},
		{"P/approve", `{}`, 400},
		{"P/reject", `{"reason":"x"}`, 400},
		{"none/approve", `{}`, 404},
		{"none/reject", `{"reason":"x"}`, 404},
		{"CAAAAAA/reject", `{}`, 400},
		{"CAAAAAA/reject", `{"reason":" "}`, 400},
		{"CAAAAAA/reject", `{"reason":"a\nb"}`, 400},
		{"CAAAAAA/reject", `{"reason":"` + strings.Repeat("x", maxReason+1) + `"}`, 400},
	} {
		if status, fields := f.call(t, "POST", registrationsPath+step.path, step.body, bearer); status != step.status || fields["error"] == "" {
			t.Errorf("%s %s: %d %v, want %d", step.path, step.body, status, fields, step.status)
		}
	}
	for _, query := range []string{"kind=x", "state=x", "auth_id=x", "limit=0", "what=x"} {
		if status, _ := f.call(t, "GET", "/admin/v1/registrations?"+query, "", bearer); status != http.StatusBadRequest {
			t.Errorf("%s: %d", query, status)
		}
	}
	if f.changed != 0 || f.registrations[2].State != gateway.Pending {
		t.Error("a refused call changed something")
	}
}

func TestListRegistrations(t *testing.T) {
	f := registered()
	f.registrations[1].Decision = gateway.Decision{State: gateway.Approved, DecidedAt: noon}
	f.registrations[3].Decision = gateway.Decision{State: gateway.Approved, DecidedAt: noon}
	f.registrations[3].ModifiedAt = noon.Add(time.Hour)
	for query, want := range map[string]string{
		"": "V CAAAAAA", "state=all": "V CAAAAAA BAAAAAA P", "state=approved": "V BAAAAAA", "state=pending&kind=campaign": "CAAAAAA", "kind=Brand": "",
		"state=all&limit=1&offset=1": "CAAAAAA", "auth_id=MANONENONENONENONENO": "", "state=rejected": "",
	} {
		status, fields := f.call(t, "GET", "/admin/v1/registrations/?"+query, "", bearer)
		var got []string
		for _, r := range fields["registrations"].([]any) {
			got = append(got, r.(map[string]any)["id"].(string))
		}
		if status != http.StatusOK || strings.Join(got, " ") != want {
			t.Errorf("%s: %d %v, want %s", query, status, got, want)
		}
	}
}

// TestConflicts: what another call changed in between is refused as a conflict.
func TestConflicts(t *testing.T) {
	f := registered()
	f.fail = gateway.Errorf(gateway.Conflict, "campaign CAAAAAA is another account's")
	if status, fields := f.call(t, "POST", registrationsPath+"CAAAAAA/approve", `{"rate":1}`, bearer); status != http.StatusConflict {
		t.Errorf("an approval: %d %v", status, fields)
	}
	f = newFixture()
	f.refusal = gateway.Errorf(gateway.Conflict, "the powerpack has a short code for US already")
	if status, fields := f.call(t, "POST", "/admin/v1/numbers", `{"numbers":[{"number":"555333"}]}`, bearer); status != http.StatusConflict {
		t.Errorf("numbers: %d %v", status, fields)
	}
}
