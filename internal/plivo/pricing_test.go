package plivo

import (
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/heliograph/heliograph/internal/gateway"
	"github.com/heliograph/heliograph/internal/pricing"
)

// withPrices gives an API a price list.
func withPrices(t testing.TB) func(*Config) {
	t.Helper()
	table, errs := pricing.Read(strings.NewReader(`item,direction,country,prefix,network,sender,rate,fee
sms,,US,,,,0.0035,0.003
sms,,US,1415,Bay Mobile,,0.0045,
sms,inbound,US,,,,0.0001,
mms,inbound,US,,,,0.005,
mms,,US,,,,0.015,
rental,,US,,,,0.8,
rental,,US,,,tollfree,1,
setup,,US,,,tollfree,2.5,
sms,,*,,,,0.05,
mms,,*,,,,0.1,
`), func(country string) bool { return country == "US" })
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	return func(cfg *Config) { cfg.Prices = table }
}

func rateBody(rate any) map[string]any { return map[string]any{"rate": rate} }

func TestPricing(t *testing.T) {
	s := newServer(t, withPrices(t))
	r := s.ok(s.do(ask{method: "GET", path: mainPath + "/Pricing/?country_iso=us"}), 200)
	noVoice := map[string]any{"ip": rateBody(nil), "local": rateBody(nil), "tollfree": rateBody(nil)}
	want := map[string]any{
		"api_id": r.body["api_id"], "country": "United States", "country_code": 1.0, "country_iso": "US",
		"message": map[string]any{
			"inbound": rateBody("0.00010"), "outbound": rateBody("0.00350"), "outbound_networks_list": []any{
				map[string]any{"group_name": "US", "rate": "0.00350"}, map[string]any{"group_name": "Bay Mobile", "rate": "0.00450"},
			},
		},
		"mms": map[string]any{
			"inbound": rateBody("0.00500"), "outbound": rateBody("0.01500"),
			"outbound_networks_list": []any{map[string]any{"group_name": "US", "rate": "0.01500"}},
		},
		"phone_numbers": map[string]any{"local": rateBody("0.80000"), "tollfree": rateBody("1.00000")},
		"voice": map[string]any{"inbound": noVoice, "outbound": map[string]any{
			"ip": rateBody(nil), "local": rateBody(nil), "tollfree": rateBody(nil), "rates": []any{},
		}},
	}
	if diff := cmp.Diff(want, r.body); diff != "" {
		t.Error(diff)
	}
	for country, outbound := range map[string]string{"DE": "0.05000", "PR": "0.00350", "us": "0.00350"} {
		r := s.ok(s.do(ask{method: "GET", path: mainPath + "/Pricing?country_iso=" + country}), 200)
		if got := r.body["message"].(map[string]any)["outbound"]; cmp.Diff(rateBody(outbound), got) != "" {
			t.Errorf("%s: %v, want %s", country, got, outbound)
		}
	}
	s.ok(s.do(ask{method: "GET", path: subPath + "/Pricing/?country_iso=US", as: subID}), 200)
	s.refused(s.do(ask{method: "GET", path: mainPath + "/Pricing/"}), 400, "country_iso parameter not present")
	s.refused(s.do(ask{method: "GET", path: mainPath + "/Pricing/?country_iso=XX"}), 404, "not found")
	s.refused(s.do(ask{method: "GET", path: mainPath + "/Pricing/?country_iso=USA"}), 400, "country_iso must be a country code of two letters")
	s.refused(s.do(ask{method: "POST", path: mainPath + "/Pricing/?country_iso=US"}), 405, "method not allowed")

	free := newServer(t).ok(newServer(t).do(ask{method: "GET", path: mainPath + "/Pricing/?country_iso=US"}), 200)
	if got := free.body["message"].(map[string]any)["outbound"]; cmp.Diff(rateBody("0.00000"), got) != "" {
		t.Errorf("without a price list: %v", got)
	}
}

// TestAmounts: a message shows what it costs, in its record, in lists and in each callback as it was then; nothing when it has failed.
func TestAmounts(t *testing.T) {
	s := newServer(t)
	for _, test := range []struct {
		state  gateway.State
		reason gateway.Reason
		want   [4]string
	}{
		{gateway.Queued, gateway.NoReason, [4]string{"0.00350", "0.01050", "0.00300", "0.00900"}},
		{gateway.Sent, gateway.NoReason, [4]string{"0.00350", "0.01050", "0.00300", "0.00900"}},
		{gateway.Undelivered, gateway.Spam, [4]string{"0.00350", "0.01050", "0.00300", "0.00900"}},
		{gateway.Failed, gateway.NoCredit, [4]string{"0.00000", "0.00000", "0.00000", "0.00000"}},
	} {
		s.store.messages = nil
		m := s.giveMessage(func(m *gateway.Message) {
			m.Price, m.Units = gateway.Price{Rate: 350, Fee: 300}, 3
			m.State, m.Reason = test.state, test.reason
			m.Callback = gateway.Callback{URL: "https://app.example.com/status", Method: "POST"}
		})
		listed := s.ok(s.do(ask{method: "GET", path: mainPath + "/Message/"}), 200).body["objects"].([]any)[0].(map[string]any)
		single := s.ok(s.do(ask{method: "GET", path: mainPath + "/Message/" + m.ID.String() + "/"}), 200).body
		for _, r := range []map[string]any{listed, single} {
			got := [4]string{}
			for i, name := range [...]string{"total_rate", "total_amount", "carrier_fees_rate", "carrier_fees"} {
				got[i], _ = r[name].(string)
			}
			if got != test.want {
				t.Errorf("%s: %v, want %v", test.state, got, test.want)
			}
		}
		if test.reason == gateway.NoCredit && (single["error_code"] != "900" || single["error_message"] != "Insufficient credit") {
			t.Errorf("failed with %v %v", single["error_code"], single["error_message"])
		}
		for state, amount := range map[gateway.State]string{gateway.Queued: "0.01050", test.state: test.want[1]} {
			_, body := s.render(&gateway.Event{Message: m, Sequence: 1, State: state, Reason: test.reason})
			form, err := url.ParseQuery(body)
			if err != nil || form.Get("TotalAmount") != amount {
				t.Errorf("the callback %s of a message that is %s: %s, want %s", state, test.state, form.Get("TotalAmount"), amount)
			}
		}
	}
}

func TestNumbersShowTheirRates(t *testing.T) {
	s := newServer(t, withPrices(t))
	s.rent(mainID, "14155550100")
	s.rent("", "18005550101")
	s.store.numbers[0].Services = gateway.Services(gateway.SMS)
	own := s.ok(s.do(ask{method: "GET", path: mainPath + "/Number/14155550100/"}), 200).body
	found := s.ok(s.do(ask{method: "GET", path: mainPath + "/PhoneNumber/?country_iso=US"}), 200).body["objects"].([]any)[0].(map[string]any)
	for i, want := range []map[string]any{
		{"monthly_rental_rate": "0.80000", "sms_rate": "0.00010", "mms_rate": nil, "voice_rate": nil},
		{"monthly_rental_rate": "1.00000", "setup_rate": "2.50000", "sms_rate": "0.00010", "mms_rate": "0.00500"},
	} {
		for name, value := range want {
			if got := []map[string]any{own, found}[i][name]; got != value {
				t.Errorf("%s is %v, want %v", name, got, value)
			}
		}
	}
}

func TestAccountShowsItsMoney(t *testing.T) {
	s := newServer(t)
	for _, test := range []struct {
		wallet        gateway.Wallet
		mode, credits string
	}{
		{gateway.Wallet{}, "postpaid", "0.00000"},
		{gateway.Wallet{Billing: gateway.Prepaid, Balance: 2_500_000, Held: 550}, "prepaid", "24.99450"},
		{gateway.Wallet{Balance: -550}, "postpaid", "-0.00550"},
	} {
		account := s.store.accounts[mainID]
		account.Wallet = test.wallet
		s.store.accounts[mainID] = account
		r := s.ok(s.do(ask{method: "GET", path: mainPath + "/"}), 200)
		if r.body["billing_mode"] != test.mode || r.body["cash_credits"] != test.credits {
			t.Errorf("%+v: %v %v", test.wallet, r.body["billing_mode"], r.body["cash_credits"])
		}
		sub := s.ok(s.do(ask{method: "GET", path: subPath + "/", as: subID}), 200)
		if sub.body["billing_mode"] != "postpaid" || sub.body["cash_credits"] != "0.00000" {
			t.Errorf("a subaccount sees %v %v", sub.body["billing_mode"], sub.body["cash_credits"])
		}
	}
}
