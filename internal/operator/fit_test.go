package operator

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/heliograph/heliograph/internal/gateway"
)

// TestMisfits: what contradicts a number is refused with its field and the number, and what its plan leaves open is not.
func TestMisfits(t *testing.T) {
	for _, c := range []struct{ number, field, says string }{
		{`"4155550100","type":"shortcode"`, "type", "4155550100 has 10 digits: a shortcode has at most 8"},
		{`"4155550100","country_iso2":"US","type":"longcode"`, "number", "4155550100 lacks its country code: write 14155550100"},
		{`"18005550100","type":"longcode"`, "type", "18005550100 has a toll-free area code: it is no longcode"},
		{`"14155550100","type":"tollfree"`, "type", "14155550100 has the area code of a place: it is no tollfree"},
		{`"HELIO","type":"longcode"`, "type", "HELIO has letters: it is an alphanumeric sender and no longcode"},
		{`"HELIO","services":["sms","mms"]`, "services", "services of HELIO: an alphanumeric sender carries sms and no mms"},
		{`"14155550100","type":"alphanumeric"`, "type", "14155550100 has digits alone: an alphanumeric sender has a letter"},
		{`"555444","type":"longcode"`, "type", "555444 has 6 digits, too few for a longcode"},
		{`"14155550100","country_iso2":"ZZ"`, "country_iso2", `country_iso2 of 14155550100: there is no country "ZZ"`},
		{`"HELIO","country_iso2":"ZZ"`, "country_iso2", `country_iso2 of HELIO: there is no country "ZZ"`},
		{`"555444","country_iso2":"001"`, "country_iso2", `country_iso2 of 555444: there is no country "001"`},
		{`"14155550100","country_iso2":"CA"`, "country_iso2", "14155550100 has an area code of US, not of CA"},
		{`"14155550100","country_iso2":"DE"`, "country_iso2", "14155550100 is no number of DE: those begin with 49"},
		{`"491512345678","country_iso2":"US"`, "country_iso2", "491512345678 is no number of US: those begin with 1"},
		{`"07700900123","country_iso2":"GB"`, "country_iso2", "07700900123 is no number of GB: those begin with 44"},
		{`"4402079460000"`, "number", "4402079460000 has the digits that are dialled within its country: write 442079460000"},
		{`"1415555010"`, "number", "1415555010 is no number: after 1 come an area code, which begins with 2 to 9, and seven digits"},
		{`"11155550100"`, "number", "11155550100 is no number: after 1 come an area code, which begins with 2 to 9, and seven digits"},
		{`"99955501000"`, "country_iso2", "country_iso2 of 99955501000 is needed: it does not follow from the number"},
		{`"14155550100","services":["voice"]`, "services", "services of 14155550100 may hold sms and mms"},

		{`"15555550100"`, "", ""},                                           // an area code for examples
		{`"15551234567","country_iso2":"CA"`, "", ""},                       // unassigned: of any country of country code 1
		{`"18225550100","type":"tollfree"`, "", ""},                         // an area code yet to come
		{`"18005550100","country_iso2":"CA"`, "", ""},                       // toll-free numbers are shared
		{`"17875550100","country_iso2":"US"`, "", ""},                       // Puerto Rico
		{`"441481960000","country_iso2":"GB"`, "", ""},                      // Guernsey has Britain's country code
		{`"448001111111","type":"tollfree"`, "", ""},                        // toll-free elsewhere
		{`"12345","country_iso2":"DE"`, "", ""},                             // a short code abroad
		{`"84433221","type":"shortcode","country_iso2":"AU"`, "", ""},       // its digits could be a phone number's
		{`"491512345","country_iso2":"DE","type":"longcode"`, "", ""},       // a network that numbers as it likes
		{`"881631555010","country_iso2":"US"`, "", ""},                      // a satellite network belongs to no country
		{`"HELIO"`, "", ""},                                                 // anywhere
		{`"HELIO","type":"alphanumeric","country_iso2":"gb"`, "", ""},       // in small letters
		{`"+1 415 555 0100","type":"longcode","country_iso2":"us"`, "", ""}, // as people write it
	} {
		f := newFixture()
		status, fields := f.call(t, "POST", "/admin/v1/numbers?dry_run=true", `{"numbers":[{"number":`+c.number+`}]}`, bearer)
		if c.field == "" {
			if status != http.StatusOK {
				t.Errorf("%s: %d %v", c.number, status, fields)
			}
			continue
		}
		refused, _ := fields["refused"].([]any)
		if status != http.StatusBadRequest || fields["error"] != c.says || len(refused) != 1 || refused[0].(map[string]any)["field"] != c.field {
			t.Errorf("%s: %d %v, want %s: %s", c.number, status, fields, c.field, c.says)
		}
	}
}

// TestIllegibleBodies: what is wrong with a body is said in the words of JSON, and names the field.
func TestIllegibleBodies(t *testing.T) {
	for _, c := range []struct{ path, body, says string }{
		{"accounts", ``, "the body is empty; it must be a JSON object"},
		{"accounts", `[]`, "the body must be an object"},
		{"accounts", `{"name":5}`, "name must be a text"},
		{"accounts", `{"name":"x","rate":"fast"}`, "rate must be a number"},
		{"accounts", `{"name":"x","rte":1}`, `there is no field "rte"`},
		{"accounts", `{"name":"x"`, "invalid json: it ends too early"},
		{"accounts", `{"name":"x"}}`, "invalid json: more than one value"},
		{"accounts/MAXXXXXXXXXXXXXXXXXX", `{"enabled":"yes"}`, "enabled must be true or false"},
		{"accounts/MAXXXXXXXXXXXXXXXXXX/credits", `{"amount":5}`, "amount must be a text"},
		{"accounts/MAXXXXXXXXXXXXXXXXXX/guard", `{"thresholds":[{"prefix":44,"per_hour":1}]}`, "thresholds.prefix must be a text"},
		{"accounts/MAXXXXXXXXXXXXXXXXXX/guard", `{"geo":{"countries":{"US":1}}}`, "each value of geo.countries must be true or false"},
		{"accounts/MAXXXXXXXXXXXXXXXXXX/guard", `{"geo":{"others":1}}`, "others must be true, false or null"},
		{"campaigns", `{"campaigns":{}}`, "campaigns must be a list"},
		{"campaigns", `{"campaigns":[{"daily_cap":1.5}]}`, "campaigns.daily_cap must be a whole number"},
		{"numbers", `{"numbers":[{"number":"555444"},{"number":"555445","rate":"1"}]}`, "number 2 of the call: rate must be a number"},
		{"numbers", `{"numbers":[{"number":14155550100}]}`, "number 1 of the call: number must be a text"},
		{"numbers", `{"numbers":[{"number":"555444","services":"sms"}]}`, "number 1 of the call: services must be a list"},
		{"numbers", `{"numbers":[{"number":"555444","services":[1]}]}`, "number 1 of the call: each value of services must be a text"},
		{"numbers", `{"numbers":[{"number":"555444","daily_cap":1e30}]}`, "number 1 of the call: daily_cap must be a whole number"},
		{"numbers", `{"numbers":[{"number":"555444","rte":1}]}`, `number 1 of the call: there is no field "rte"`},
		{"numbers", `{"numbers":5}`, "numbers must be a list"},
	} {
		f := newFixture()
		status, fields := f.call(t, "POST", "/admin/v1/"+c.path, c.body, bearer)
		text, _ := fields["error"].(string)
		if status != http.StatusBadRequest || text != c.says || strings.Contains(text, "Go") {
			t.Errorf("%s %s: %d %v, want %s", c.path, c.body, status, fields, c.says)
		}
	}
}

// TestShortCodesOfAPool: a change that would give a pool two short codes for a country names the number, also when it is only tried.
func TestShortCodesOfAPool(t *testing.T) {
	f := newFixture()
	f.accounts = []gateway.Account{{ID: anAccount}}
	pool := f.IDs.Next(noon)
	for number, country := range map[string]string{"555444": "US", "555333": "CA"} {
		f.numbers = append(f.numbers, gateway.Number{Number: number, Type: gateway.ShortCode, Country: country, Account: anAccount, Pool: pool})
	}
	put := func(query string, countries map[string]string) (int, map[string]any) {
		var entries []string
		for _, number := range slices.Sorted(maps.Keys(countries)) {
			entries = append(entries, fmt.Sprintf(`{"number":%q,"country_iso2":%q,"auth_id":%q}`, number, countries[number], anAccount))
		}
		return f.call(t, "POST", "/admin/v1/numbers"+query, `{"numbers":[`+strings.Join(entries, ",")+`]}`, bearer)
	}
	const says = "country_iso2 of 555333: its powerpack has a short code for US already, 555444"
	for query, refusal := range map[string]*gateway.Error{"?dry_run=true": nil, "": gateway.Errorf(gateway.Conflict, "the powerpack has a short code for US already")} {
		f.refusal = refusal
		for _, countries := range []map[string]string{{"555333": "US"}, {"555222": "US", "555333": "US"}} {
			if status, fields := put(query, countries); status != http.StatusBadRequest || fields["error"] != says {
				t.Errorf("%s %v: %d %v", query, countries, status, fields)
			}
		}
	}
	for _, countries := range []map[string]string{{"555333": "CA", "555444": "US"}, {"555333": "US", "555444": "CA"}, {"555333": "GB"}, {"555222": "US"}} {
		if status, fields := put("?dry_run=true", countries); status != http.StatusOK {
			t.Errorf("%v: %d %v", countries, status, fields)
		}
	}
}
