package operator

import (
	"net/http"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/heliograph/heliograph/internal/gateway"
)

func TestCredits(t *testing.T) {
	f := newFixture()
	f.accounts = []gateway.Account{{ID: anAccount, Name: "acme", Enabled: true, CreatedAt: noon, Wallet: gateway.Wallet{Billing: gateway.Prepaid, Held: 550}}}
	path := "/admin/v1/accounts/" + string(anAccount)
	status, fields := f.callWithKey(t, "POST", path+"/credits", `{"amount":"10.00","note":"bank transfer 7"}`, bearer, "transfer-7")
	want := map[string]any{
		"id": 1.0, "auth_id": string(anAccount), "amount": "10.00000", "balance": "10.00000", "note": "bank transfer 7",
		"idempotency_key": "transfer-7", "entered_on": "2026-05-06T12:00:00Z",
	}
	if diff := gocmp.Diff(want, fields); status != http.StatusCreated || diff != "" {
		t.Errorf("%d (-want +got):\n%s", status, diff)
	}
	f.call(t, "POST", path+"/credits/", `{"amount":"-0.00001"}`, bearer)
	status, fields = f.call(t, "GET", path+"/credits?limit=1&offset=1", "", bearer)
	if diff := gocmp.Diff(map[string]any{"credits": []any{want}, "total": 2.0}, fields); status != http.StatusOK || diff != "" {
		t.Errorf("%d (-want +got):\n%s", status, diff)
	}
	_, fields = f.call(t, "GET", path, "", bearer)
	for name, value := range map[string]string{"billing_mode": "prepaid", "balance": "9.99999", "held": "0.00550", "available": "9.99449"} {
		if fields[name] != value {
			t.Errorf("%s is %v, want %s", name, fields[name], value)
		}
	}
	if log := f.log.String(); !strings.Contains(log, "credit entered") || !strings.Contains(log, "amount=10.00000") {
		t.Errorf("the log says %s", log)
	}
}

func TestCreditsThatAreRefused(t *testing.T) {
	f := newFixture()
	f.accounts = []gateway.Account{{ID: anAccount}}
	path := "/admin/v1/accounts/" + string(anAccount)
	for _, test := range []struct {
		method, path, body, key string
		status                  int
	}{
		{"POST", "/credits", `{"amount":10}`, "", 400}, // a JSON number may have lost decimals
		{"POST", "/credits", `{"amount":""}`, "", 400},
		{"POST", "/credits", `{"amount":"0.00"}`, "", 400},
		{"POST", "/credits", `{"amount":"1e3"}`, "", 400},
		{"POST", "/credits", `{"amount":"0.000001"}`, "", 400},
		{"POST", "/credits", `{"amount":"1","note":"a\nb"}`, "", 400},
		{"POST", "/credits", `{"amount":"1","notes":"x"}`, "", 400},
		{"POST", "/credits", `{"amount":"1"}`, strings.Repeat("k", 201), 400},
		{"GET", "/credits?limit=0", "", "", 400},
		{"GET", "/credits?after=1", "", "", 400},
		{"POST", "", `{"billing_mode":"Prepaid"}`, "", 400},
		{"POST", "", `{"billing_mode":""}`, "", 400},
	} {
		status, fields := f.callWithKey(t, test.method, path+test.path, test.body, bearer, test.key)
		if text, _ := fields["error"].(string); status != test.status || text == "" {
			t.Errorf("%s %s %s: %d %v", test.method, test.path, test.body, status, fields)
		}
	}
	if status, _ := f.call(t, "POST", "/admin/v1/accounts", `{"name":"x","billing_mode":"later"}`, bearer); status != 400 {
		t.Errorf("a new account with an unknown billing_mode: %d", status)
	}
	if status, _ := f.call(t, "POST", "/admin/v1/accounts/MANONENONENONENONENO/credits", `{"amount":"1"}`, bearer); status != 404 {
		t.Errorf("an account that is not there: %d", status)
	}
	if len(f.credits) != 0 || f.accounts[0].Wallet != (gateway.Wallet{}) {
		t.Errorf("entered %v", f.credits)
	}
}

func TestNewAccountsPayAsTheyAreTold(t *testing.T) {
	f := newFixture()
	status, fields := f.call(t, "POST", "/admin/v1/accounts", `{"name":"x","billing_mode":"prepaid"}`, bearer)
	if status != http.StatusCreated || fields["billing_mode"] != "prepaid" || f.accounts[0].Wallet.Billing != gateway.Prepaid {
		t.Errorf("%d %v", status, fields)
	}
	f.accounts = append(f.accounts, gateway.Account{ID: "SAXXXXXXXXXXXXXXXXXX", Parent: anAccount})
	if _, fields = f.call(t, "GET", "/admin/v1/accounts/SAXXXXXXXXXXXXXXXXXX", "", bearer); fields["balance"] != nil || fields["billing_mode"] != nil {
		t.Errorf("a subaccount shows %v", fields)
	}
}
