package plivo

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/heliograph/heliograph/internal/gateway"
)

// TestAddNumbers: an account brings numbers along.
func TestAddNumbers(t *testing.T) {
	s := newServer(t)
	s.rent(mainID, "14155550100")
	s.giveApplications(mainID, "20000000000000001")
	before := s.store.numbers[0]
	r := s.ok(s.do(ask{method: "POST", path: numberPath, body: `{"numbers":"+1 (415) 555-0111, 14155550100,442079460018,18005550111,55555,ACME","region":"anywhere","carrier":"x","app_id":"20000000000000001"}`}), 202)
	if r.string("message") != "changed" || s.changes != 1 {
		t.Errorf("%s, told %d times", r.text, s.changes)
	}
	sms, both := gateway.Services(gateway.SMS), gateway.Services(gateway.SMS, gateway.MMS)
	want := []gateway.Number{
		before, // which is the account's already
		{Number: "14155550111", Type: gateway.LongCode, Country: "US", Region: "CA", AreaCode: "415", Services: both},
		{Number: "442079460018", Type: gateway.LongCode, Country: "GB", Services: sms},
		{Number: "18005550111", Type: gateway.TollFree, Country: "US", Services: both},
		{Number: "55555", Type: gateway.ShortCode, Country: "US", Services: both},
		{Number: "ACME", Type: gateway.Alphanumeric, Services: sms},
	}
	for i := range want[1:] {
		n := &want[i+1]
		n.Account, n.Application, n.AddedAt, n.RentedAt, n.Rate, n.DailyCap = mainID, "20000000000000001", s.now, s.now, -1, -1
	}
	if diff := cmp.Diff(want, s.store.numbers); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	s.ok(s.do(ask{method: "POST", path: numberPath, body: "numbers=14155550112&subaccount=" + string(subID)}), 202)
	s.ok(s.do(ask{method: "POST", path: subPath + "/Number", body: `{"numbers":["14155550113"]}`, as: subID}), 202)
	for _, number := range []string{"14155550112", "14155550113"} {
		if n, err := s.store.Number(t.Context(), subID, number); err != nil || n.Application != "" {
			t.Errorf("%s: %+v, %v", number, n, err)
		}
	}
}

// TestAddNumbersRefuses: nobody's number is taken, and nothing tells whose it is.
func TestAddNumbersRefuses(t *testing.T) {
	s := newServer(t)
	s.rent(strangerID, "14155550120")
	s.rent(subID, "14155550121")
	s.rent("", "14155550122")
	before := slices.Clone(s.store.numbers)
	for body, text := range map[string]string{
		`{}`:                                                            "numbers parameter not present",
		`{"numbers":"14155550130,14155550120"}`:                         "14155550120 cannot be added",
		`{"numbers":"14155550130,14155550121"}`:                         "14155550121 cannot be added",
		`{"numbers":"14155550130,14155550122"}`:                         "14155550122 cannot be added",
		`{"numbers":"14155550130,1415555012"}`:                          "The number 1415555012 is not a valid number",
		`{"numbers":["14155550130","11111111111"]}`:                     "The number 11111111111 is not a valid number",
		`{"numbers":"44 020 7946 0018"}`:                                "The number 44 020 7946 0018 is not a valid number",
		`{"numbers":"twelve letters"}`:                                  "The number twelve letters is not a valid number",
		`{"numbers":"14155550130","app_id":"none at all"}`:              "app_id is not the id of an application",
		`{"numbers":"14155550130","app_id":"29999999999999999"}`:        "there is no such application",
		`{"numbers":"14155550130","subaccount":"SANOBODYNOBODYNOBODY"}`: "subaccount is not a subaccount of this account",
	} {
		s.refused(s.do(ask{method: "POST", path: numberPath, body: body}), 400, text)
	}
	if diff := cmp.Diff(before, s.store.numbers); diff != "" || s.changes != 0 {
		t.Errorf("something was changed: %s", diff)
	}
}

// TestAddNumbersIsTheOperatorsToAllow: elsewhere the method is not there.
func TestAddNumbersIsTheOperatorsToAllow(t *testing.T) {
	s := newServer(t, func(c *Config) { c.OwnNumbers = false })
	r := s.do(ask{method: "POST", path: numberPath, body: `{"numbers":"14155550111"}`})
	s.refused(r, 405, "method not allowed")
	if r.header.Get("Allow") != "GET" || len(s.store.numbers) != 0 {
		t.Errorf("allowed is %q, there are %d numbers", r.header.Get("Allow"), len(s.store.numbers))
	}
}
