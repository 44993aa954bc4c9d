package operator

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/heliograph/heliograph/internal/gateway"
)

func (f *fixture) Guard(_ context.Context, account gateway.AccountID) (gateway.Guard, error) {
	if account != anAccount {
		return gateway.Guard{}, gateway.Errorf(gateway.NotFound, "not found")
	}
	f.guard.Account = account
	return f.guard, f.fail
}

func (f *fixture) ChangeGuard(ctx context.Context, account gateway.AccountID, change func(*gateway.Guard) error) (gateway.Guard, error) {
	if _, err := f.Guard(ctx, account); err != nil {
		return gateway.Guard{}, err
	}
	return f.guard, change(&f.guard)
}

const guardPath = "/admin/v1/accounts/" + string(anAccount) + "/guard"

// TestGuard: each call changes what it names, and the message path follows.
func TestGuard(t *testing.T) {
	f := newFixture()
	for i, step := range []struct{ change, want string }{
		{``, `{"geo":{"others":null,"countries":{}},"thresholds":[],"alert_url":""}`},
		{`{"geo":{"countries":{"NG":false,"DE":true}}}`, `{"geo":{"others":null,"countries":{"NG":false,"DE":true}},"thresholds":[],"alert_url":""}`},
		{`{"geo":{"others":false,"countries":{"DE":null}}}`, `{"geo":{"others":false,"countries":{"NG":false}},"thresholds":[],"alert_url":""}`},
		{
			`{"thresholds":[{"prefix":"23480","per_hour":5},{"country_iso2":"*","per_hour":10},{"country_iso2":"NG","per_hour":7}],"alert_url":"https://a.example/x"}`,
			`{"geo":{"others":false,"countries":{"NG":false}},"thresholds":[{"country_iso2":"*","per_hour":10},{"prefix":"23480","per_hour":5},{"country_iso2":"NG","per_hour":7}],"alert_url":"https://a.example/x"}`,
		},
		{`{"geo":{"others":null,"countries":{"NG":null,"US":true}},"thresholds":[],"alert_url":""}`, `{"geo":{"others":null,"countries":{"US":true}},"thresholds":[],"alert_url":""}`},
		{`{}`, `{"geo":{"others":null,"countries":{"US":true}},"thresholds":[],"alert_url":""}`},
	} {
		if step.change != "" {
			if status, fields := f.call(t, "POST", guardPath, step.change, bearer); status != http.StatusOK || f.changed != i {
				t.Fatalf("%s: %d %v, %d changes told", step.change, status, fields, f.changed)
			}
		}
		_, got := f.call(t, "GET", guardPath, "", bearer)
		delete(got, "api_id")
		want := map[string]any{"auth_id": string(anAccount)}
		if err := json.Unmarshal([]byte(step.want), &want); err != nil {
			t.Fatal(err)
		}
		if diff := gocmp.Diff(want, got); diff != "" {
			t.Errorf("after %s (-want +got):\n%s", step.change, diff)
		}
	}
}

func TestGuardRefusals(t *testing.T) {
	f := newFixture()
	for _, change := range []string{
		`{"geo":{"countries":{"us":false}}}`, `{"geo":{"countries":{"XX":false}}}`, `{"geo":{"countries":{"US":"no"}}}`, `{"geo":{"others":"no"}}`, `{"geo":{"other":false}}`,
		`{"thresholds":[{"per_hour":1}]}`, `{"thresholds":[{"country_iso2":"NG","prefix":"234","per_hour":1}]}`, `{"thresholds":[{"country_iso2":"NG","per_hour":0}]}`,
		`{"thresholds":[{"country_iso2":"ng","per_hour":1}]}`, `{"thresholds":[{"prefix":"+234","per_hour":1}]}`, `{"thresholds":[{"prefix":"123456789012345","per_hour":1}]}`,
		`{"thresholds":[{"country_iso2":"NG","per_hour":1},{"country_iso2":"NG","per_hour":2}]}`, `{"thresholds":[` + strings.Repeat(`{"prefix":"1","per_hour":1},`, 200) + `{"prefix":"2","per_hour":1}]}`,
		`{"alert_url":"ftp://a.example"}`, `{"alert_url":"/x"}`, `{"alert_url":"https://a.example/a b"}`, `{"alert_url":"https://a.example/` + strings.Repeat("x", 2048) + `"}`,
		`{"countries":["US"]}`,
	} {
		if status, fields := f.call(t, "POST", guardPath, change, bearer); status != http.StatusBadRequest || fields["error"] == "" {
			t.Errorf("%.90s: %d %v", change, status, fields)
		}
	}
	stranger := strings.Replace(guardPath, string(anAccount), "MANONENONENONENONENO", 1)
	for method, body := range map[string]string{"GET": "", "POST": `{"alert_url":""}`} {
		if status, _ := f.call(t, method, stranger, body, bearer); status != http.StatusNotFound {
			t.Errorf("%s of a stranger: %d", method, status)
		}
	}
	if f.changed != 0 || f.guard.Thresholds != nil || f.guard.Geo.Countries != nil {
		t.Errorf("a refused request changed something: %+v", f.guard)
	}
}
