package plivo

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/heliograph/heliograph/internal/gateway"
)

// TestEveryCallOfPowerpacks goes through the reference's table of calls, the aliases of the command line among them, as one story.
func TestEveryCallOfPowerpacks(t *testing.T) {
	s := newServer(t)
	pool, pack := s.givePowerpack("main")
	s.rent(mainID, "14155550100", "14155550101", "18005550100", "444444")
	paths := strings.NewReplacer("{uuid}", pack, "{pool_uuid}", pool)
	for _, call := range []struct{ method, path, body, shows string }{
		{"POST", "/Powerpack/", `{"name":"second"}`, "second"},
		{"GET", "/Powerpack/", "", "second"},
		{"GET", "/Powerpack/{uuid}/", "", "main"},
		{"POST", "/Powerpack/{uuid}/", `{"name":"renamed"}`, "renamed"},
		{"GET", "/NumberPool/{pool_uuid}/", "", pool},
		{"POST", "/NumberPool/{pool_uuid}/Number/14155550100/", "", "14155550100"},
		{"GET", "/NumberPool/{pool_uuid}/Number/", "", "14155550100"},
		{"GET", "/NumberPool/{pool_uuid}/Number/14155550100/", "", "14155550100"},
		{"POST", "/NumberPool/{pool_uuid}/Shortcode/444444/", "", "444444"},
		{"GET", "/NumberPool/{pool_uuid}/Shortcode/", "", "444444"},
		{"GET", "/NumberPool/{pool_uuid}/Shortcode/444444/", "", "444444"},
		{"DELETE", "/NumberPool/{pool_uuid}/Shortcode/444444/", "", "success"},
		{"POST", "/NumberPool/{pool_uuid}/Tollfree/18005550100/", "", "18005550100"},
		{"GET", "/NumberPool/{pool_uuid}/Tollfree/", "", "18005550100"},
		{"GET", "/NumberPool/{pool_uuid}/Tollfree/18005550100/", "", "18005550100"},
		{"DELETE", "/NumberPool/{pool_uuid}/Tollfree/18005550100/", "", "success"},
		{"GET", "/Powerpack/{uuid}/Number/", "", "14155550100"},
		{"GET", "/Powerpack/{uuid}/Number/14155550100/", "", "14155550100"},
		{"POST", "/Powerpack/{uuid}/Number/14155550101/", "", "14155550101"},
		{"DELETE", "/Powerpack/{uuid}/Number/14155550101/", "", "success"},
		{"POST", "/Powerpack/{uuid}/Number/", `{"number":"14155550101"}`, "14155550101"},
		{"DELETE", "/Powerpack/{uuid}/Number/", `{"number":"14155550101"}`, "success"},
		{"DELETE", "/NumberPool/{pool_uuid}/Number/14155550100/", "", "success"},
		{"DELETE", "/Powerpack/{uuid}/", "", "success"},
	} {
		r := s.do(ask{method: call.method, path: mainPath + paths.Replace(call.path), body: call.body})
		if r.status != 200 || !strings.Contains(r.text, `"`+call.shows+`"`) {
			t.Errorf("%s %s: %d %s, want 200 with %s", call.method, call.path, r.status, r.text, call.shows)
		}
	}
	if got := s.listed(mainPath+"/Number/", mainID); got != "14155550100 14155550101 18005550100 444444" {
		t.Errorf("the account rents %q", got) // whatever left the pool
	}
}

// TestRemovalArguments: arguments of DELETE come in the query, as JSON or as a form; the body wins.
func TestRemovalArguments(t *testing.T) {
	for _, test := range []struct {
		query, body string
		unrent      bool
	}{
		{"", "", false},
		{"?%s=true", "", true},
		{"?%s=false", "", false},
		{"", `{"%s":true}`, true},
		{"", `{"%s":"true"}`, true},
		{"", `{"%s":"False"}`, false},
		{"", `{"%s":null}`, false},
		{"", "%s=true", true},
		{"?%s=true", `{"%s":false}`, false},
		{"?%s=false", "%s=1", true},
	} {
		for what, argument := range map[string]string{
			"/Powerpack/{uuid}/": "unrent_numbers", "/NumberPool/{pool_uuid}/Number/14155550100/": "unrent", "/Powerpack/{uuid}/Number/14155550100/": "unrent",
			"/NumberPool/{pool_uuid}/Tollfree/18005550100/": "unrent", "/NumberPool/{pool_uuid}/Shortcode/444444/": "unrent",
		} {
			s := newServer(t)
			pool, pack := s.givePowerpack("main", "14155550100", "18005550100", "444444")
			fill := strings.NewReplacer("{uuid}", pack, "{pool_uuid}", pool, "%s", argument)
			r := s.do(ask{method: "DELETE", path: mainPath + fill.Replace(what+test.query), body: fill.Replace(test.body)})
			if r.status != 200 || r.string("response") != "success" {
				t.Errorf("%s %s: %d %s", what+test.query, test.body, r.status, r.text)
			}
			for _, n := range s.store.numbers {
				left := strings.Contains(what, n.Number) || argument == "unrent_numbers"
				if n.Pool.IsZero() != left || (n.Account == "") != (left && test.unrent) {
					t.Errorf("%s %s: %s is of %q, in pool %s", what+test.query, test.body, n.Number, n.Account, n.Pool)
				}
			}
		}
	}
}

// TestPoolPages: a list of a pool is paged by links that keep its filters, with empty texts at the ends, and shows every number once.
func TestPoolPages(t *testing.T) {
	s := newServer(t)
	var numbers []string
	for i := range 45 {
		numbers = append(numbers, fmt.Sprintf("1415555%04d", i), fmt.Sprintf("1800555%04d", i), fmt.Sprintf("1212555%04d", i))
	}
	pool, pack := s.givePowerpack("main", numbers...)
	path := mainPath + "/NumberPool/" + pool + "/"
	for _, test := range []struct{ list, first, shown, filters string }{
		{"Number/", "", "Number/", ""},
		{"Number/", "starts_with=415,999&country_iso2=us&type=fixed&service=SMS", "Number/", "&country_iso2=us&service=SMS&starts_with=415%2C999&type=fixed"},
		{"Tollfree/", "limit=7", "Tollfree/", ""},
		{"Number/", "type=toll-free&limit=20&offset=3", "Number/", "&type=toll-free"},
	} {
		var seen []string
		want := ""
		for next := path + test.list + "?" + test.first; next != ""; {
			r := s.ok(s.do(ask{method: "GET", path: next}), 200)
			m := r.body["meta"].(map[string]any)
			limit, offset := int(m["limit"].(float64)), int(m["offset"].(float64))
			link := func(offset int) string {
				return fmt.Sprintf("%s?limit=%d&offset=%d%s", path+test.shown, limit, offset, test.filters)
			}
			want = ""
			if offset > 0 {
				want = link(max(0, offset-limit))
			}
			if m["previous"] != want {
				t.Errorf("previous of %s is %v, want %s", next, m["previous"], want)
			}
			want = ""
			if offset+limit < int(m["total_count"].(float64)) {
				want = link(offset + limit)
			}
			if m["next"] != want {
				t.Fatalf("next of %s is %v, want %s", next, m["next"], want)
			}
			for _, object := range r.body["objects"].([]any) {
				seen = append(seen, object.(map[string]any)["number"].(string))
			}
			next = want
		}
		expected := slices.DeleteFunc(slices.Clone(numbers), func(number string) bool {
			free := strings.HasPrefix(number, "1800")
			return free != (test.list == "Tollfree/" || strings.Contains(test.first, "toll-free")) || strings.Contains(test.first, "415") && number[:4] != "1415"
		})
		if first, err := url.ParseQuery(test.first); err == nil && first.Get("offset") != "" {
			expected = expected[3:]
		}
		if diff := cmp.Diff(expected, seen); diff != "" {
			t.Errorf("%s?%s: %s", test.list, test.first, diff)
		}
	}
	r := s.ok(s.do(ask{method: "GET", path: mainPath + "/Powerpack/" + pack + "/Number/?limit=1&offset=1&service=mms"}), 200)
	want := map[string]any{
		"limit": 1.0, "offset": 1.0, "next": "", "previous": path + "Number/?limit=1&offset=0&service=mms", "total_count": 0.0,
	}
	if diff := cmp.Diff(want, r.body["meta"]); diff != "" {
		t.Error(diff)
	}
}

func TestPoolFilters(t *testing.T) {
	s := newServer(t)
	pool, pack := s.givePowerpack("main", "14155550100", "12125550100", "14165550100", "447700900100", "18005550100", "444444")
	numbers := s.store.numbers
	numbers[1].Service, numbers[2].Country, numbers[3].Country = gateway.MMS, "CA", "GB"
	for query, found := range map[string]string{
		"":                                     "14155550100 12125550100 14165550100 447700900100",
		"type=FIXED":                           "14155550100 12125550100 14165550100 447700900100",
		"type=mobile":                          "",
		"type=toll-free":                       "18005550100",
		"type=tollfree":                        "18005550100",
		"service=MMS":                          "12125550100",
		"service=sms&country_iso2=us":          "14155550100",
		"country_iso2=CA":                      "14165550100",
		"country_iso2=gb&starts_with=77009":    "447700900100",
		"country_iso2=US&starts_with=415,+212": "14155550100 12125550100",
		"country_iso2=US&starts_with=415&starts_with=212": "14155550100 12125550100",
		"country_iso2=US&starts_with=416":                 "",
		"country_iso2=US&starts_with=1415":                "", // prefixes have no country code
		"country_iso2=US&starts_with=":                    "14155550100 12125550100",
		"country_iso2=&type=&service=&limit=":             "14155550100 12125550100 14165550100 447700900100",
	} {
		for _, list := range []string{"/NumberPool/" + pool + "/Number/?", "/Powerpack/" + pack + "/Number/?"} {
			if got := s.listed(mainPath+list+query, mainID); got != found {
				t.Errorf("%s: %q, want %q", query, got, found)
			}
		}
	}
}

// TestShortcodesOfAPool: one of each country.
func TestShortcodesOfAPool(t *testing.T) {
	s := newServer(t)
	pool, _ := s.givePowerpack("main")
	s.rent(mainID, "444444", "555555", "666666", "777777")
	s.store.numbers[2].Country, s.store.numbers[3].Country = "CA", "CA"
	path := mainPath + "/NumberPool/" + pool + "/Shortcode/"
	add := func(code string) *reply { return s.do(ask{method: "POST", path: path + code + "/"}) }
	s.ok(add("444444"), 200)
	s.ok(add("666666"), 200)
	s.ok(add("444444"), 200) // again: it is there
	s.refused(add("555555"), 400, "the powerpack has a short code for US already")
	s.refused(add("777777"), 400, "the powerpack has a short code for CA already")
	if got := s.listed(path, mainID); got != "444444 666666" {
		t.Errorf("in the pool %q", got)
	}
	s.ok(s.do(ask{method: "DELETE", path: path + "666666/"}), 200)
	s.ok(add("777777"), 200)
	s.refused(s.do(ask{method: "GET", path: path + "777777/?service=mms"}), 404, "not found")
	if r := s.ok(s.do(ask{method: "GET", path: path + "777777/?service=sms"}), 200); r.string("country_iso2") != "CA" {
		t.Error(r.text)
	}
}

// TestOnePool: a number is in one pool only. It has to leave it, or the pool has to go, before another takes it; unrenting takes it out.
func TestOnePool(t *testing.T) {
	s := newServer(t)
	first, pack := s.givePowerpack("first", "14155550100", "14155550101", "18005550100")
	second, _ := s.givePowerpack("second")
	into := func(pool, number string) *reply {
		return s.do(ask{method: "POST", path: mainPath + "/NumberPool/" + pool + "/Number/" + number + "/"})
	}
	for _, number := range []string{"14155550100", "18005550100"} {
		s.refused(into(second, number), 400, "the number is in another number pool")
	}
	s.ok(s.do(ask{method: "DELETE", path: mainPath + "/NumberPool/" + first + "/Number/14155550100/"}), 200)
	s.ok(into(second, "14155550100"), 200)
	r := s.ok(s.do(ask{method: "POST", path: mainPath + "/NumberPool/" + second + "/Number/14155550100/", body: `{"service":"mms"}`}), 200)
	if r.string("service") != "mms" || r.string("number_pool_uuid") != second {
		t.Errorf("put in again for mms: %s", r.text)
	}
	s.ok(s.do(ask{method: "DELETE", path: mainPath + "/Number/14155550101/"}), 204)
	s.refused(into(second, "14155550101"), 404, "not found")
	s.ok(s.do(ask{method: "DELETE", path: powerpackPath + pack}), 200)
	s.ok(into(second, "18005550100"), 200)
	if got := s.listed(mainPath+"/NumberPool/"+second+"/Number/", mainID); got != "14155550100" {
		t.Errorf("in the second pool %q", got)
	}
}

// TestRentIntoAPool: each list of a pool rents what it takes; what the account rents already is only added.
func TestRentIntoAPool(t *testing.T) {
	s := newServer(t)
	pool, pack := s.givePowerpack("main")
	s.rent("", "14155550100", "14155550101", "18005550100", "444444")
	s.rent(mainID, "14155550102")
	path := mainPath + "/NumberPool/" + pool + "/"
	for _, call := range []struct{ path, body string }{
		{path + "Number/14155550100/", `{"rent":true}`},
		{mainPath + "/Powerpack/" + pack + "/Number/14155550101/", "rent=true&service=mms"},
		{path + "Tollfree/18005550100/", `{"rent":"True","service":"mms"}`},
		{path + "Shortcode/444444/", `{"rent":1}`},
		{path + "Number/14155550102/", `{"rent":true,"service":null}`},
	} {
		s.ok(s.do(ask{method: "POST", path: call.path, body: call.body}), 200)
	}
	pooled := map[string]gateway.Service{}
	for _, n := range s.store.numbers {
		if n.Account == mainID && n.Pool.String() == pool {
			pooled[n.Number] = n.Service
		}
	}
	want := map[string]gateway.Service{"14155550100": gateway.SMS, "14155550101": gateway.MMS, "18005550100": gateway.MMS, "444444": gateway.SMS, "14155550102": gateway.SMS}
	if diff := cmp.Diff(want, pooled); diff != "" {
		t.Error(diff)
	}
	// An argument that is wrong for the list rents nothing.
	s.rent("", "14155550103")
	s.refused(s.do(ask{method: "POST", path: path + "Tollfree/14155550103/", body: `{"rent":true}`}), 400,
		"14155550103 is a longcode number: it does not belong below Tollfree")
	if got := s.listed(mainPath+"/PhoneNumber/?country_iso=US", mainID); got != "14155550103" {
		t.Errorf("the inventory has %q", got)
	}
}

func TestPowerpackApplication(t *testing.T) {
	for _, test := range []struct{ create, update, kind, id string }{
		{`"application_id":"none"`, "", "", ""},
		{`"application_id":"77"`, "", "xml", "77"},
		{`"application_id":"77","application_type":"PHLO"`, "", "phlo", "77"},
		{`"application_type":"xml"`, "", "", ""},
		{`"application_id":"77"`, `"application_id":"None","application_type":"xml"`, "", ""},
		{`"application_id":"77","application_type":"phlo"`, `"name":"y"`, "phlo", "77"},
		{`"application_id":"77","application_type":"phlo"`, `"application_id":78`, "phlo", "78"},
		{`"application_id":"77"`, `"application_id":"","application_type":"phlo"`, "phlo", "77"},
	} {
		s := newServer(t)
		s.giveApplications(mainID, "77", "78")
		r := s.ok(s.do(ask{method: "POST", path: powerpackPath, body: `{"name":"x",` + test.create + `}`}), 200)
		if test.update != "" {
			r = s.ok(s.do(ask{method: "POST", path: powerpackPath + r.string("uuid"), body: "{" + test.update + "}"}), 200)
		}
		if r.string("application_type") != test.kind || r.string("application_id") != test.id {
			t.Errorf("%s, then %s: %s", test.create, test.update, r.text)
		}
	}
}

// TestPriorities: places that are null, empty or missing are empty; an update replaces all orders or, with none, leaves them.
func TestPriorities(t *testing.T) {
	s := newServer(t)
	r := s.ok(s.do(ask{method: "POST", path: powerpackPath, body: `{"name":"x"}`}), 200)
	path := powerpackPath + r.string("uuid")
	entry := func(service, country string, places ...any) any {
		return map[string]any{
			"service_type": service, "country_iso": country,
			"priority": map[string]any{"priority1": places[0], "priority2": places[1], "priority3": places[2]},
		}
	}
	short := entry("MMS", "CA", nil, "tollfree", nil)
	for _, step := range []struct {
		body string
		want []any
	}{
		{
			`{"number_priority":[{"service_type":"SMS","country_iso":"US","priority":{"priority1":"shortcode","priority2":"longcode","priority3":"tollfree"}},` +
				`{"service_type":"mms","country_iso":"ca","priority":{"priority1":null,"priority2":"TollFree","priority3":""}}]}`,
			[]any{entry("SMS", "US", "shortcode", "longcode", "tollfree"), short},
		},
		{`{"number_priority":[{"service_type":"MMS","country_iso":"CA","priority":{"priority2":"tollfree"}}]}`, []any{short}},
		{`{"number_priority":[]}`, []any{short}},
		{`{"number_priority":null}`, []any{short}},
		{`{"name":"y"}`, []any{short}},
		{
			"number_priority=" + url.QueryEscape(`[{"service_type":"SMS","country_iso":"US","priority":{"priority3":"longcode"}}]`),
			[]any{entry("SMS", "US", nil, nil, "longcode")},
		},
	} {
		r := s.ok(s.do(ask{method: "POST", path: path, body: step.body}), 200)
		if diff := cmp.Diff(step.want, r.body["number_priority"]); diff != "" {
			t.Errorf("%s: %s", step.body, diff)
		}
	}
}
