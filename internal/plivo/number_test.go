package plivo

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/nyaruka/phonenumbers"

	"github.com/heliograph/heliograph/internal/gateway"
	"github.com/heliograph/heliograph/internal/numbering"
)

const (
	numberPath = mainPath + "/Number/"
	subPath    = "/v1/Account/" + string(subID)
)

// rent gives numbers to an account as if it had rented them, a second apart.
func (s *server) rent(account gateway.AccountID, numbers ...string) {
	for i, number := range numbers {
		n := s.number(number, account)
		n.AddedAt = s.now.Add(time.Duration(i) * time.Second)
		s.store.numbers = append(s.store.numbers, n)
	}
}

// listed are the numbers of a list, with its count checked when it is whole.
func (s *server) listed(path string, as gateway.AccountID) string {
	s.t.Helper()
	r := s.ok(s.do(ask{method: "GET", path: path, as: as}), 200)
	var numbers []string
	for _, object := range r.body["objects"].([]any) {
		numbers = append(numbers, object.(map[string]any)["number"].(string))
	}
	if total := r.body["meta"].(map[string]any)["total_count"].(float64); !strings.Contains(path, "limit") && int(total) != len(numbers) {
		s.t.Errorf("%s: total_count %v for %d numbers", path, total, len(numbers))
	}
	return strings.Join(numbers, " ")
}

func TestNumber(t *testing.T) {
	s := newServer(t)
	s.rent(mainID, "14155550100", "18005550100", "444444")
	s.store.numbers[0].Region, s.store.numbers[0].Application, s.store.numbers[0].Alias = "CA", "20342783288007824", "front desk"
	s.store.numbers[0].Carrier = "secret carrier"

	r := s.ok(s.do(ask{method: "GET", path: numberPath + "+14155550100//"}), 200)
	want := map[string]any{
		"api_id": r.body["api_id"], "number": "14155550100", "alias": "front desk", "application": mainPath + "/Application/20342783288007824/",
		"sub_account": nil, "sub_account_name": nil, "added_on": "2026-03-04", "renewal_date": nil, "carrier": "Heliograph",
		"region": "California, UNITED STATES", "city": "", "country": "United States", "number_type": "local", "monthly_rental_rate": "0.00000",
		"active": true, "cnam_lookup": "disabled", "sms_enabled": true, "sms_rate": "0.00000", "mms_enabled": true, "mms_rate": "0.00000",
		"voice_enabled": false, "voice_rate": nil, "tendlc_campaign_id": nil, "tendlc_registration_status": nil,
		"toll_free_sms_verification": nil, "toll_free_sms_verification_id": nil, "toll_free_sms_verification_order_status": nil,
		"compliance_application_id": nil, "compliance_status": nil, "resource_uri": numberPath + "14155550100/",
	}
	if diff := cmp.Diff(want, r.body); diff != "" {
		t.Error(diff)
	}
	r = s.ok(s.do(ask{method: "GET", path: numberPath + "18005550100"}), 200)
	for name, value := range map[string]any{"alias": nil, "application": nil, "region": "UNITED STATES", "number_type": "tollfree"} {
		if r.body[name] != value {
			t.Errorf("%s of a toll-free number is %v, want %v", name, r.body[name], value)
		}
	}
	r = s.ok(s.do(ask{method: "GET", path: numberPath + "444444"}), 200)
	for name, value := range map[string]any{"number_type": "shortcode", "mms_enabled": false, "mms_rate": nil} {
		if r.body[name] != value {
			t.Errorf("%s of a short code is %v, want %v", name, r.body[name], value)
		}
	}
	for _, missing := range []string{"1415555010", "141555501000", "19995550100", "%3F"} {
		s.refused(s.do(ask{method: "GET", path: numberPath + missing + "/"}), 404, "not found")
	}
}

func TestNumberList(t *testing.T) {
	s := newServer(t)
	s.rent(mainID, "14155550100", "12125550101", "18005550102", "444444", "Acme")
	s.rent(subID, "14155550150")
	s.rent("", "14155550199")
	s.rent(strangerID, "14155550198")
	s.store.accounts[subID] = gateway.Account{ID: subID, Parent: mainID, Name: "marketing", Enabled: true, Token: tokenOf(subID)}
	s.store.numbers[4].Type, s.store.numbers[0].Alias = gateway.Alphanumeric, "front desk"
	s.store.numbers[1].Services = gateway.Services(gateway.SMS)
	const all = "14155550100 12125550101 18005550102 444444 Acme"
	for query, want := range map[string]string{
		"": all, "?type=any": all, "?unknown=1": all, "?services=": all, "?cnam_lookup=disabled": all,
		"?number_type=local": "14155550100 12125550101", "?type=FIXED": "14155550100 12125550101", "?number_type=tollfree&type=local": "18005550102",
		"?type=shortcode": "444444", "?type=national": "Acme", "?type=mobile": "", "?number_startswith=1415": "14155550100", "?number_startswith=%2B1": "14155550100 12125550101 18005550102",
		"?alias=front+desk": "14155550100", "?alias=front": "", "?services=mms": "14155550100 18005550102", "?services=MMS,sms&type=local": "14155550100",
		"?services=sms&services=mms&type=tollfree": "18005550102", "?services=voice": "", "?services=voice,sms": "", "?cnam_lookup=enabled": "",
		"?renewal_date__gt=2020-01-01": "", "?tendlc_campaign_id=C123456": "", "?toll_free_sms_verification=verified": "",
		"?subaccount=" + string(subID): "14155550150", "?subaccount=" + string(mainID): all,
	} {
		if got := s.listed(mainPath+"/Number//"+query, mainID); got != want {
			t.Errorf("%s: %q, want %q", query, got, want)
		}
	}
	r := s.ok(s.do(ask{method: "GET", path: numberPath + "?limit=2&offset=2&type=any"}), 200)
	meta := map[string]any{
		"limit": 2.0, "offset": 2.0, "total_count": 5.0, "next": numberPath + "?limit=2&offset=4&type=any", "previous": numberPath + "?limit=2&offset=0&type=any",
	}
	if diff := cmp.Diff(meta, r.body["meta"]); diff != "" {
		t.Error(diff)
	}
	r = s.ok(s.do(ask{method: "GET", path: numberPath + "?subaccount=" + string(subID)}), 200)
	theirs := r.body["objects"].([]any)[0].(map[string]any)
	if theirs["sub_account"] != string(subID) || theirs["sub_account_name"] != "marketing" || theirs["resource_uri"] != subPath+"/Number/14155550150/" {
		t.Errorf("a subaccount's number: %v", theirs)
	}
	if got := s.listed(subPath+"/Number/", subID); got != "14155550150" {
		t.Errorf("a subaccount sees %q", got)
	}
	for query, text := range map[string]string{
		"?type=satellite":                         "type must be local, fixed, tollfree, shortcode, national, mobile or any",
		"?number_startswith=41-5":                 "number_startswith must consist of digits",
		"?services=fax":                           "services must be a list of voice, sms and mms",
		"?subaccount=" + string(strangerID):       "subaccount is not a subaccount of this account",
		"?limit=21":                               "limit must be a whole number from 1 to 20",
		"?offset=x":                               "offset must be a whole number from 0 to 100000000",
		"?subaccount=SANONENONENONENONENO&limit=": "subaccount is not a subaccount of this account",
	} {
		s.refused(s.do(ask{method: "GET", path: numberPath + query}), 400, text)
	}
}

func TestNumberUpdate(t *testing.T) {
	s := newServer(t)
	_, _ = s.givePowerpack("main", "14155550100")
	s.giveApplications(mainID, "20342783288007824", "77", "78", "79")
	before := s.changes
	n := &s.store.numbers[0]
	for i, test := range []struct{ body, alias, application string }{
		{`{"alias":"front desk"}`, "front desk", ""},
		{`{"app_id":20342783288007824}`, "front desk", "20342783288007824"},
		{`alias=back+office&app_id=77`, "back office", "77"},
		{`{"cnam_lookup":"enabled","unknown":{}}`, "back office", "77"},
		{`{}`, "back office", "77"},
		{``, "back office", "77"},
		{`{"app_id":"none"}`, "back office", ""},
		{`{"app_id":"78","subaccount":"` + string(mainID) + `"}`, "back office", "78"},
		{`{"app_id":null,"alias":""}`, "", ""},
		{`app_id=79`, "", "79"},
		{`app_id=`, "", ""},
		{`app_id=79`, "", "79"},
		{`app_id=null&subaccount=`, "", ""},
	} {
		r := s.ok(s.do(ask{method: "POST", path: numberPath + "14155550100/", body: test.body}), 202)
		if r.string("message") != "changed" || len(r.body) != 2 || s.changes != before+i+1 {
			t.Errorf("%s: %s after %d changes", test.body, r.text, s.changes)
		}
		if n.Alias != test.alias || n.Application != test.application || n.Account != mainID || n.Pool.IsZero() {
			t.Errorf("%s: %+v", test.body, n)
		}
	}
	s.ok(s.do(ask{method: "POST", path: numberPath + "14155550100/", body: `{"subaccount":"` + string(subID) + `"}`}), 202)
	if n.Account != subID || !n.Pool.IsZero() {
		t.Errorf("given to a subaccount: %+v", n)
	}
	for _, path := range []string{numberPath, subPath + "/Number/"} {
		alias := "through " + path
		s.ok(s.do(ask{method: "POST", path: path + "14155550100/", body: `{"alias":"` + alias + `"}`}), 202)
		if n.Alias != alias || n.Account != subID {
			t.Errorf("named through %s: %+v", path, n)
		}
	}
	r := s.ok(s.do(ask{method: "GET", path: numberPath + "14155550100/"}), 200)
	if r.string("sub_account") != string(subID) || r.string("resource_uri") != subPath+"/Number/14155550100/" {
		t.Errorf("a subaccount's number: %s", r.text)
	}
	s.ok(s.do(ask{method: "POST", path: numberPath + "14155550100/", body: `{"subaccount":"` + string(mainID) + `"}`}), 202)
	if n.Account != mainID {
		t.Errorf("taken back: %+v", n)
	}
	s.ok(s.do(ask{method: "POST", path: numberPath + "14155550100/", body: `{"subaccount":"` + string(subID) + `"}`}), 202)
	s.ok(s.do(ask{method: "DELETE", path: numberPath + "14155550100/"}), 204)
	if n.Account != "" {
		t.Errorf("given back: %+v", n)
	}
}

func TestNumberRefusals(t *testing.T) {
	s := newServer(t)
	s.rent(mainID, "14155550100")
	s.rent(strangerID, "14155550198")
	s.rent("", "14155550199")
	for _, test := range []struct {
		method, number, body string
		status               int
		text                 string
	}{
		{"POST", "14155550100", `{"alias":"` + strings.Repeat("é", 256) + `"}`, 400, "alias must have at most 255 characters and no control characters"},
		{"POST", "14155550100", `{"alias":"a\u0007"}`, 400, "alias must have at most 255 characters and no control characters"},
		{"POST", "14155550100", `{"alias":{}}`, 400, "alias must be a string"},
		{"POST", "14155550100", `{"app_id":"a/b"}`, 400, "app_id is not the id of an application"},
		{"POST", "14155550100", `{"app_id":[{}]}`, 400, "app_id must be a string"},
		{"POST", "14155550100", `{"subaccount":"` + string(strangerID) + `"}`, 400, "subaccount is not a subaccount of this account"},
		{"POST", "14155550100", `{`, 400, "invalid json"},
		{"POST", "14155550198", `{"alias":"x"}`, 404, "not found"},
		{"POST", "14155550199", `{"alias":"x"}`, 404, "not found"},
		{"GET", "14155550198", "", 404, "not found"},
		{"GET", "14155550199", "", 404, "not found"},
		{"DELETE", "14155550198", "", 404, "not found"},
		{"DELETE", "14155550199", "", 404, "not found"},
		{"DELETE", "1415555010", "", 404, "not found"},
	} {
		s.refused(s.do(ask{method: test.method, path: numberPath + test.number + "/", body: test.body}), test.status, test.text)
	}
	if s.changes != 0 || s.store.numbers[0].Alias != "" {
		t.Error("a refusal changed something")
	}
}

func TestUnrent(t *testing.T) {
	s := newServer(t)
	pool, _ := s.givePowerpack("main", "14155550100", "18005550100")
	before := s.changes
	s.ok(s.do(ask{method: "DELETE", path: numberPath + "14155550100/", body: `{}`}), http.StatusNoContent)
	if n := s.store.numbers[0]; n.Account != "" || !n.Pool.IsZero() || s.changes != before+1 {
		t.Errorf("unrented: %+v after %d changes", n, s.changes-before)
	}
	s.refused(s.do(ask{method: "DELETE", path: numberPath + "14155550100/"}), 404, "not found")
	s.refused(s.do(ask{method: "GET", path: mainPath + "/NumberPool/" + pool + "/Number/14155550100/"}), 404, "not found")
	if got := s.listed(mainPath+"/PhoneNumber/?country_iso=US", mainID); got != "14155550100" {
		t.Errorf("the inventory has %q", got)
	}
	s.change = errors.New("the store went away")
	s.refused(s.do(ask{method: "DELETE", path: numberPath + "18005550100/"}), 503, "the change was stored, but does not hold for new messages yet")
}

func TestInventory(t *testing.T) {
	s := newServer(t)
	s.rent("", "14155550100", "12125550101", "18005550102", "444444", "Acme", "14165550105")
	s.rent(mainID, "14155550199")
	numbers := s.store.numbers
	numbers[0].Region, numbers[0].AreaCode, numbers[1].Region = "CA", "415", "NY"
	numbers[1].Services = gateway.Services(gateway.SMS)
	numbers[4].Type, numbers[5].Country, numbers[5].Region = gateway.Alphanumeric, "CA", "ON"

	r := s.ok(s.do(ask{method: "GET", path: mainPath + "/PhoneNumber/?country_iso=us&pattern=415&limit=5"}), 200)
	want := map[string]any{
		"number": "14155550100", "prefix": "415", "city": "", "country": "UNITED STATES", "region": "California", "rate_center": nil, "lata": nil,
		"type": "fixed", "monthly_rental_rate": "0.00000", "setup_rate": "0.00000", "sms_enabled": true, "sms_rate": "0.00000",
		"mms_enabled": true, "mms_rate": "0.00000", "voice_enabled": false, "voice_rate": nil, "restriction": nil, "restriction_text": nil,
		"compliance_requirement": nil, "ha_enabled": false, "resource_uri": mainPath + "/PhoneNumber/14155550100/",
	}
	if diff := cmp.Diff([]any{want}, r.body["objects"]); diff != "" {
		t.Error(diff)
	}
	meta := map[string]any{"limit": 5.0, "offset": 0.0, "next": nil, "previous": nil, "total_count": 1.0}
	if diff := cmp.Diff(meta, r.body["meta"]); diff != "" {
		t.Error(diff)
	}
	for query, found := range map[string]string{
		"US": "14155550100 12125550101 18005550102", "ca": "14165550105", "GB": "", "US&type=any": "14155550100 12125550101 18005550102",
		"US&type=local": "14155550100 12125550101", "US&type=fixed": "14155550100 12125550101", "US&type=tollfree": "18005550102",
		"US&type=toll-free": "18005550102", "US&type=mobile": "", "US&type=national": "", "US&type=shortcode": "",
		"US&pattern=212": "12125550101", "US&pattern=*5550": "14155550100 12125550101 18005550102", "US&pattern=*0101": "12125550101", "US&pattern=9": "",
		"US&region=california": "14155550100", "US&region=NY": "12125550101", "US&region=New+York": "12125550101", "US&region=Bavaria": "", "CA&region=Ontario": "14165550105", "US&region=Ontario": "",
		"US&services=mms": "14155550100 18005550102", "US&service=mms&type=local": "14155550100", "US&services=sms,mms&type=local": "14155550100", "US&services=voice,sms": "",
		"US&npanxx=415555": "14155550100", "US&npanxx=415555&pattern=212": "", "US&city=San+Francisco": "", "US&lata=722": "", "US&rate_center=SNFC": "",
		"US&country_iso2=US&eligible=true": "14155550100 12125550101 18005550102",
	} {
		if got := s.listed(mainPath+"/PhoneNumber/?country_iso="+query, mainID); got != found {
			t.Errorf("%s: %q, want %q", query, got, found)
		}
	}
	for query, text := range map[string]string{
		"":                                "country_iso parameter not present",
		"country_iso=":                    "country_iso parameter not present",
		"country_iso=USA":                 "country_iso must be a country code of two letters",
		"country_iso=XX":                  "country_iso is not a country with telephone numbers",
		"country_iso=US&type=satellite":   "type must be local, fixed, tollfree, shortcode, national, mobile or any",
		"country_iso=US&pattern=4%5B1%5D": "pattern must consist of at most 20 digits and stars",
		"country_iso=US&pattern=%3F15":    "pattern must consist of at most 20 digits and stars",
		"country_iso=US&pattern=" + strings.Repeat("*", 21): "pattern must consist of at most 20 digits and stars",
		"country_iso=US&npanxx=41555":                       "npanxx must consist of six digits",
		"country_iso=US&npanxx=41555*":                      "npanxx must consist of six digits",
		"country_iso=US&services=telepathy":                 "services must be a list of voice, sms and mms",
		"country_iso=US&limit=0":                            "limit must be a whole number from 1 to 20",
	} {
		s.refused(s.do(ask{method: "GET", path: mainPath + "/PhoneNumber/?" + query}), 400, text)
	}
	s.refused(s.do(ask{method: "GET", path: mainPath + "/PhoneNumber/14155550100/"}), 405, "method not allowed")
}

func TestRent(t *testing.T) {
	s := newServer(t)
	s.rent("", "14155550100", "14155550101", "14155550102")
	s.rent(strangerID, "14155550198")
	s.giveApplications(mainID, "77")
	path := mainPath + "/PhoneNumber/"
	r := s.ok(s.do(ask{method: "POST", path: path + "14155550100/", body: `{"app_id":"77","cnam_lookup":"enabled","ha_enable":false}`}), 201)
	want := map[string]any{
		"api_id": r.body["api_id"], "message": "created", "status": "fulfilled",
		"numbers": []any{map[string]any{"number": "14155550100", "status": "Success"}},
	}
	if diff := cmp.Diff(want, r.body); diff != "" {
		t.Error(diff)
	}
	if n := s.store.numbers[0]; n.Account != mainID || n.Application != "77" || s.changes != 1 {
		t.Errorf("rented: %+v after %d changes", n, s.changes)
	}
	s.ok(s.do(ask{method: "POST", path: path + "+1-415-555-0101"}), 201)
	s.ok(s.do(ask{method: "POST", path: path + "14155550102/", body: "subaccount=" + string(subID)}), 201)
	if n := s.store.numbers[2]; n.Account != subID || n.Application != "" {
		t.Errorf("rented for a subaccount: %+v", n)
	}
	if got := s.listed(numberPath, mainID); got != "14155550100 14155550101" {
		t.Errorf("the account has %q", got)
	}
	changes := s.changes
	for _, test := range []struct {
		number, body string
		status       int
		text         string
	}{
		{"14155550100", "", 400, "the account rents this number already"},
		{"14155550102", "", 404, "not found"},
		{"14155550198", "", 404, "not found"},
		{"19995550100", "", 404, "not found"},
		{"%3F", "", 404, "not found"},
		{"14155550100", `{"app_id":"a b"}`, 400, "app_id is not the id of an application"},
		{"14155550100", `{"subaccount":"` + string(strangerID) + `"}`, 400, "subaccount is not a subaccount of this account"},
	} {
		s.refused(s.do(ask{method: "POST", path: path + test.number + "/", body: test.body}), test.status, test.text)
	}
	if s.changes != changes {
		t.Error("a refusal was told as a change")
	}
}

// TestBuyAndAdd goes the way of the clients' buy_add_number without a number: search, then add with rent what was found first.
func TestBuyAndAdd(t *testing.T) {
	s := newServer(t)
	pool, _ := s.givePowerpack("main")
	s.rent("", "12125550100", "14155550101")
	r := s.ok(s.do(ask{method: "GET", path: mainPath + "/PhoneNumber/?type=fixed&country_iso=US&pattern=415&service=sms&country_iso2=US"}), 200)
	number := r.body["objects"].([]any)[0].(map[string]any)["number"].(string)
	path := fmt.Sprintf("%s/NumberPool/%s/Number/%s/", mainPath, pool, number)
	if r = s.ok(s.do(ask{method: "POST", path: path, body: `{"rent":"true"}`}), 200); r.string("number") != "14155550101" {
		t.Errorf("added %s", r.text)
	}
	s.refused(s.do(ask{method: "POST", path: mainPath + "/NumberPool/" + pool + "/Number/12125550100/", body: `{"rent":"false"}`}), 404, "not found")
	s.ok(s.do(ask{method: "GET", path: numberPath + number}), 200)
	if got := s.listed(mainPath+"/PhoneNumber/?country_iso=US", mainID); got != "12125550100" {
		t.Errorf("the inventory has %q", got)
	}
}

func TestRegions(t *testing.T) {
	for _, test := range []struct{ country, region, alone, full string }{
		{"US", "CA", "California", "California, UNITED STATES"},
		{"CA", "QC", "Quebec", "Quebec, CANADA"},
		{"US", "", "United States", "UNITED STATES"},
		{"GB", "", "United Kingdom", "UNITED KINGDOM"},
		{"GB", "CA", "United Kingdom", "UNITED KINGDOM"},
		{"ZZ", "", "ZZ", "ZZ"},
		{"", "", "", ""},
	} {
		if alone, full := regionOrCountry(test.country, test.region), fullRegion(test.country, test.region); alone != test.alone || full != test.full {
			t.Errorf("%s %s: %q and %q, want %q and %q", test.country, test.region, alone, full, test.alone, test.full)
		}
	}
}

// TestEveryPlaceHasAName holds the names against the numbering plan.
func TestEveryPlaceHasAName(t *testing.T) {
	for country := range phonenumbers.GetSupportedRegions() {
		if countryNames[country] == "" {
			t.Errorf("no name for %s", country)
		}
	}
	regions := map[string]bool{}
	for code := 200; code < 1000; code++ {
		country, region, _ := numbering.Place(fmt.Sprintf("1%d5550100", code))
		if region == "" || region == country { // a territory that is one region goes by its country's name
			continue
		}
		if regions[country+region] = true; regionNames[country][region] == "" {
			t.Errorf("no name for %s in %s", region, country)
		}
	}
	if len(regions) < 60 {
		t.Errorf("only %d regions have numbers", len(regions))
	}
}
