package plivo

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/heliograph/heliograph/internal/gateway"
)

const powerpackPath = mainPath + "/Powerpack/"

// TestPowerpack holds a powerpack to the letter, from its making to its end.
func TestPowerpack(t *testing.T) {
	s := newServer(t)
	r := s.ok(s.do(ask{method: "POST", path: powerpackPath, body: `{"name":"otp","number_priority":[],"application_type":null}`}), 200)
	id, pool := r.string("uuid"), strings.Split(r.string("number_pool"), "/")[5]
	order := map[string]any{"priority1": "shortcode", "priority2": "tollfree", "priority3": "longcode"}
	var defaults []any
	for _, service := range []string{"SMS", "MMS"} {
		for _, country := range []string{"US", "CA"} {
			defaults = append(defaults, map[string]any{"service_type": service, "country_iso": country, "priority": order})
		}
	}
	want := map[string]any{
		"api_id": r.string("api_id"), "uuid": id, "name": "otp", "sticky_sender": true, "local_connect": true, "application_type": "", "application_id": "",
		"number_pool": mainPath + "/NumberPool/" + pool + "/", "number_priority": defaults, "patience": 60.0, "number_pool_refresh": false, "created_on": "2026-03-04T05:06:07.123456Z",
		"powerpack_resource_uri": powerpackPath + id + "/", "optout_enabled": true, "optout_languages": []any{}, "optout_keywords": []any{}, "optout_message": "",
		"optin_keywords": []any{}, "optin_message": "", "help_keywords": []any{}, "help_message": "",
	}
	if diff := cmp.Diff(want, r.body); diff != "" {
		t.Error(diff)
	}
	if id == pool {
		t.Error("the pool has the powerpack's id")
	}
	got := s.ok(s.do(ask{method: "GET", path: powerpackPath + id + "/"}), 200)
	want["api_id"] = got.body["api_id"]
	if diff := cmp.Diff(want, got.body); diff != "" {
		t.Error(diff)
	}

	s.giveApplications(mainID, "20342783288007824")
	body := `{"name":" otp 2 ","sticky_sender":"false","local_connect":0,"application_type":"PHLO","application_id":20342783288007824,"number_priority":[` +
		`{"service_type":"sms","country_iso":"us","priority":{"priority1":"LongCode","priority2":null,"priority3":"shortcode"}}]}`
	r = s.ok(s.do(ask{method: "POST", path: powerpackPath + id + "//", body: body}), 200)
	for name, value := range map[string]any{
		"name": "otp 2", "sticky_sender": false, "local_connect": false, "application_type": "phlo", "application_id": "20342783288007824", "number_priority": []any{
			map[string]any{"service_type": "SMS", "country_iso": "US", "priority": map[string]any{"priority1": "longcode", "priority2": nil, "priority3": "shortcode"}},
		},
	} {
		want[name] = value
	}
	want["api_id"] = r.body["api_id"]
	if diff := cmp.Diff(want, r.body); diff != "" {
		t.Error(diff)
	}
	stored := s.store.powerpacks[0]
	if diff := cmp.Diff([]gateway.Priority{{Service: gateway.SMS, Country: "US", Order: [3]gateway.NumberType{gateway.LongCode, 0, gateway.ShortCode}}}, stored.Priorities); diff != "" {
		t.Error(diff)
	}
	r = s.ok(s.do(ask{method: "POST", path: powerpackPath + id, body: "application_id=none"}), 200) // nothing else changes
	want["application_type"], want["application_id"], want["api_id"] = "", "", r.body["api_id"]
	if diff := cmp.Diff(want, r.body); diff != "" {
		t.Error(diff)
	}
	if s.changes != 3 {
		t.Errorf("%d changes told, want 3", s.changes)
	}

	r = s.ok(s.do(ask{method: "DELETE", path: powerpackPath + id + "/"}), 200)
	if r.string("response") != "success" || s.changes != 4 {
		t.Errorf("%s, %d changes", r.text, s.changes)
	}
	for _, method := range []string{"GET", "POST", "DELETE"} {
		s.refused(s.do(ask{method: method, path: powerpackPath + id + "/"}), 404, "not found")
	}
	s.refused(s.do(ask{method: "GET", path: mainPath + "/NumberPool/" + pool + "/"}), 404, "not found")
	if s.changes != 4 {
		t.Error("a refusal was told as a change")
	}
}

// TestKeywords: the words and answers of a powerpack, loosely typed as all others. null changes nothing, an empty one takes it away.
func TestKeywords(t *testing.T) {
	s := newServer(t)
	r := s.ok(s.do(ask{method: "POST", path: powerpackPath, body: `{"name":"otp","optout_keywords":"basta, no  more,BASTA","optout_message":" Adiós. ","optout_languages":["ES","fr","es"]}`}), 200)
	path := powerpackPath + r.string("uuid") + "/"
	want := gateway.Keywords{OptOut: []string{"BASTA", "NO MORE"}, OptOutText: "Adiós.", Languages: []string{"es", "fr"}}
	for i, step := range []struct {
		body   string
		change func()
	}{
		{`{"name":"otp"}`, func() {}},
		{`{"optout_keywords":null,"optout_message":null,"optout_languages":null,"optout_enabled":null}`, func() {}},
		{`{"optin_keywords":["again"],"optin_message":"Hello again.","help_keywords":"wie, wo","help_message":"H"}`, func() {
			want.OptIn, want.OptInText, want.Help, want.HelpText = []string{"AGAIN"}, "Hello again.", []string{"WIE", "WO"}, "H"
		}},
		{`{"optout_keywords":[],"optout_message":"","optout_languages":"","optout_enabled":"false"}`, func() {
			want.OptOut, want.OptOutText, want.Languages, want.Off = nil, "", nil, true
		}},
		{`optout_enabled=1&help_keywords=a&help_keywords=b&optin_keywords=`, func() { want.Off, want.Help, want.OptIn = false, []string{"A", "B"}, nil }},
	} {
		r := s.ok(s.do(ask{method: "POST", path: path, body: step.body}), 200)
		step.change()
		if diff := cmp.Diff(want, s.store.powerpacks[0].Keywords); diff != "" {
			t.Errorf("step %d: %s", i, diff)
		}
		if len(r.body["help_keywords"].([]any)) != len(want.Help) || r.string("optout_message") != want.OptOutText || r.body["optout_enabled"] != !want.Off {
			t.Errorf("step %d: %s", i, r.text)
		}
	}
	kept := s.store.powerpacks[0].Keywords
	var many strings.Builder
	for i := range gateway.MaxKeywords + 1 {
		fmt.Fprintf(&many, "w%d,", i)
	}
	for body, text := range map[string]string{
		`{"optout_keywords":["no!"]}`:                         "optout_keywords must be words of letters and digits, each of at most 32 characters",
		`{"help_keywords":"` + strings.Repeat("x", 33) + `"}`: "help_keywords must be words of letters and digits, each of at most 32 characters",
		`{"optin_keywords":"` + many.String() + `"}`:          "optin_keywords must have at most 20 words",
		`{"optout_keywords":["a"]}`:                           "the keyword A is in two lists",
		`{"optout_keywords":["x"],"optin_keywords":["X"]}`:    "the keyword X is in two lists",
		`{"optout_languages":"en,de"}`:                        "optout_languages must be among en, es, fr",
		`{"help_message":"` + strings.Repeat("é", 321) + `"}`: "help_message must have at most 320 characters",
		`{"optout_enabled":"perhaps"}`:                        "optout_enabled must be true or false",
		`{"optout_keywords":{}}`:                              "optout_keywords must be a list of strings",
	} {
		s.refused(s.do(ask{method: "POST", path: path, body: body}), 400, text)
	}
	if diff := cmp.Diff(kept, s.store.powerpacks[0].Keywords); diff != "" {
		t.Error(diff)
	}
}

// TestPatienceAndRefresh: our own settings of a powerpack, loosely typed as all others.
func TestPatienceAndRefresh(t *testing.T) {
	s := newServer(t)
	r := s.ok(s.do(ask{method: "POST", path: powerpackPath, body: `{"name":"otp","patience":"30","number_pool_refresh":"True"}`}), 200)
	path := powerpackPath + r.string("uuid") + "/"
	for i, step := range []struct {
		body     string
		patience float64
		stored   time.Duration
		refresh  bool
	}{
		{"", 30, 30 * time.Second, true},
		{`{"name":"other","patience":null,"number_pool_refresh":""}`, 30, 30 * time.Second, true}, // what is not given does not change
		{`{"patience":10799.0,"number_pool_refresh":0}`, 10799, 10799 * time.Second, false},
		{"patience=1&number_pool_refresh=1", 1, time.Second, true},
		{`{"patience":0,"number_pool_refresh":false}`, 60, 0, false},
	} {
		if r = s.ok(s.do(ask{method: "POST", path: path, body: step.body}), 200); r.body["patience"] != step.patience || r.body["number_pool_refresh"] != step.refresh {
			t.Errorf("%d: %s", i, r.text)
		}
		if p := s.store.powerpacks[0]; p.Patience != step.stored || p.Refresh != step.refresh {
			t.Errorf("%d: stored %v, %t", i, p.Patience, p.Refresh)
		}
		if r = s.ok(s.do(ask{method: "GET", path: powerpackPath}), 200); r.body["objects"].([]any)[0].(map[string]any)["patience"] != step.patience {
			t.Errorf("%d: listed %s", i, r.text)
		}
	}
}

func TestPowerpackRefusals(t *testing.T) {
	s := newServer(t)
	s.givePowerpack("taken")
	_, other := s.givePowerpack("other")
	s.refused(s.do(ask{method: "POST", path: powerpackPath + other + "/", body: `{"name":"taken"}`}), 400, "there is a powerpack of that name")
	priority := func(text string) string { return `{"name":"x","number_priority":` + text + `}` }
	for _, test := range []struct{ body, text string }{
		{`{}`, "name parameter not present"},
		{`{"name":""}`, "name parameter not present"},
		{`{"name":" "}`, "name must have 1 to 255 characters and no control characters"},
		{`{"name":"a\u0000b"}`, "name must have 1 to 255 characters and no control characters"},
		{`{"name":"` + strings.Repeat("é", 256) + `"}`, "name must have 1 to 255 characters and no control characters"},
		{`{"name":{}}`, "name must be a string"},
		{`{"name":"taken"}`, "there is a powerpack of that name"},
		{`{"name":"x","sticky_sender":"yes"}`, "sticky_sender must be true or false"},
		{`{"name":"x","local_connect":{}}`, "local_connect must be true or false"},
		{`{"name":"x","application_type":"soap"}`, "application_type must be xml or phlo"},
		{`{"name":"x","application_id":"a b"}`, "application_id is not the id of an application"},
		{`{"name":"x","patience":-1}`, "patience must be a whole number from 0 to 10799"},
		{`{"name":"x","patience":10800}`, "patience must be a whole number from 0 to 10799"},
		{`{"name":"x","patience":"a minute"}`, "patience must be a whole number from 0 to 10799"},
		{`{"name":"x","patience":1.5}`, "patience must be a whole number from 0 to 10799"},
		{`{"name":"x","number_pool_refresh":"perhaps"}`, "number_pool_refresh must be true or false"},
		{priority(`7`), "number_priority must be an array of at most 100 objects"},
		{priority(`"{}"`), "number_priority must be an array of at most 100 objects"},
		{priority(`"["`), "number_priority must be an array of objects"},
		{priority(`[1]`), "number_priority must be an array of objects"},
		{priority(`[{}]`), "service_type in number_priority must be SMS or MMS"},
		{priority(`[{"service_type":"SMS"}]`), "country_iso is missing in number_priority"},
		{priority(`[{"service_type":"SMS","country_iso":"USA"}]`), "country_iso must be a country code of two letters"},
		{priority(`[{"service_type":"SMS","country_iso":"US"}]`), "priority in number_priority must be an object with priority1, priority2 and priority3"},
		{priority(`[{"service_type":"SMS","country_iso":"US","priority":[]}]`), "priority in number_priority must be an object with priority1, priority2 and priority3"},
		{priority(`[{"service_type":"SMS","country_iso":"US","priority":{}}]`), "an entry of number_priority must name at least one type of numbers"},
		{priority(`[{"service_type":"SMS","country_iso":"US","priority":{"priority2":"fax"}}]`), "priority2 in number_priority must be shortcode, tollfree, longcode or null"},
		{priority(`[{"service_type":"SMS","country_iso":"US","priority":{"priority1":"tollfree","priority3":"tollfree"}}]`), "number_priority names tollfree twice for one country and service"},
		{priority(strings.Repeat(`{"service_type":"SMS","country_iso":"US","priority":{"priority1":"tollfree"}},`, 2) + `]`), "invalid json"},
		{priority(`[` + strings.Repeat(`{"service_type":"SMS","country_iso":"US","priority":{"priority1":"tollfree"}},`, 1) + `{"service_type":"sms","country_iso":"us","priority":{"priority1":"longcode"}}]`), "number_priority names SMS for US twice"},
		{priority(`[` + strings.Repeat(`{},`, 100) + `{}]`), "number_priority must be an array of at most 100 objects"},
	} {
		s.t = t
		r := s.do(ask{method: "POST", path: powerpackPath, body: test.body})
		if r.status != 400 || r.string("error") != test.text {
			t.Errorf("%s: %d %s, want %s", test.body, r.status, r.text, test.text)
		}
	}
	if len(s.store.powerpacks) != 2 || s.changes != 2 {
		t.Error("a refusal changed something")
	}
}

func TestPowerpackList(t *testing.T) {
	s := newServer(t)
	for i := range 23 {
		s.givePowerpack(fmt.Sprint("p", i))
	}
	r := s.ok(s.do(ask{method: "GET", path: mainPath + "/Powerpack//?offset=20"}), 200)
	want := map[string]any{"limit": 20.0, "offset": 20.0, "next": nil, "previous": powerpackPath + "?limit=20&offset=0", "total_count": 23.0}
	if diff := cmp.Diff(want, r.body["meta"]); diff != "" {
		t.Error(diff)
	}
	objects := r.body["objects"].([]any)
	if len(objects) != 3 || objects[2].(map[string]any)["name"] != "p0" {
		t.Errorf("%v", objects)
	}
	s.refused(s.do(ask{method: "GET", path: powerpackPath + "?limit=50"}), 400, "limit must be a whole number from 1 to 20")
}

// TestPool goes through what the official clients do with the lists of a pool.
func TestPool(t *testing.T) {
	s := newServer(t)
	pool, pack := s.givePowerpack("main")
	path := mainPath + "/NumberPool/" + pool + "/"
	for _, number := range []string{"14155550100", "18005550100", "444444"} {
		s.store.numbers = append(s.store.numbers, s.number(number, mainID))
	}
	s.store.numbers = append(s.store.numbers, s.number("14155550199", "")) // in the inventory

	r := s.ok(s.do(ask{method: "GET", path: path}), 200)
	want := map[string]any{
		"api_id": r.body["api_id"], "uuid": pool, "numbers": path + "Number/", "shortcodes": path + "Shortcode/", "tollfree": path + "Tollfree/",
	}
	if diff := cmp.Diff(want, r.body); diff != "" {
		t.Error(diff)
	}

	r = s.ok(s.do(ask{method: "POST", path: path + "Number/14155550100/", body: `{"rent":"false","service":"MMS"}`}), 200)
	number := map[string]any{
		"api_id": r.body["api_id"], "number_pool_uuid": pool, "numberpool_uuid": pool, "number": "14155550100", "type": "fixed", "service": "mms",
		"country_iso2": "US", "added_on": "2026-03-04T05:06:07.123456Z", "account_phone_number_resource": mainPath + "/Number/14155550100/",
	}
	if diff := cmp.Diff(number, r.body); diff != "" {
		t.Error(diff)
	}
	s.now = s.now.Add(time.Second)
	s.ok(s.do(ask{method: "POST", path: path + "Tollfree/18005550100/"}), 200)
	r = s.ok(s.do(ask{method: "POST", path: path + "Shortcode/444444/"}), 200)
	short := map[string]any{
		"api_id": r.body["api_id"], "number_pool_uuid": pool, "shortcode": "444444", "short_code": "444444", "number": "444444", "country_iso2": "US",
		"service": "sms", "added_on": "2026-03-04T05:06:08.123456Z",
	}
	if diff := cmp.Diff(short, r.body); diff != "" {
		t.Error(diff)
	}
	s.refused(s.do(ask{method: "POST", path: path + "Number/14155550199/"}), 404, "not found")
	s.ok(s.do(ask{method: "POST", path: path + "Number/14155550199/", body: `{"rent":"true"}`}), 200)

	for list, numbers := range map[string]string{
		"Number/": "14155550100 14155550199", "Number//?type=fixed&service=mms": "14155550100", "Number/?type=mobile": "", "Number/?type=toll-free": "18005550100",
		"Number/?country_iso2=us&starts_with=415555019,999": "14155550199", "Number/?country_iso2=CA": "", "Number/?limit=1&offset=1": "14155550199",
		"Tollfree/": "18005550100", "tollfree/?type=fixed": "", "Shortcode/": "444444",
	} {
		r := s.ok(s.do(ask{method: "GET", path: path + list}), 200)
		var got []string
		for _, object := range r.body["objects"].([]any) {
			got = append(got, object.(map[string]any)["number"].(string))
		}
		if strings.Join(got, " ") != numbers {
			t.Errorf("%s: %v, want %v", list, got, numbers)
		}
	}
	r = s.ok(s.do(ask{method: "GET", path: mainPath + "/Powerpack/" + pack + "/Number/?type=fixed&limit=1&?search=hack"}), 200)
	meta := map[string]any{"limit": 1.0, "offset": 0.0, "next": path + "Number/?limit=1&offset=1&type=fixed", "previous": "", "total_count": 2.0}
	if diff := cmp.Diff(meta, r.body["meta"]); diff != "" {
		t.Error(diff)
	}

	r = s.ok(s.do(ask{method: "GET", path: path + "Number/14155550100/?service=mms"}), 200)
	number["api_id"] = r.body["api_id"]
	if diff := cmp.Diff(number, r.body); diff != "" {
		t.Error(diff)
	}
	s.ok(s.do(ask{method: "GET", path: path + "Tollfree/18005550100/"}), 200)
	s.ok(s.do(ask{method: "GET", path: path + "Number/18005550100/"}), 200)
	for _, missing := range []string{"Number/14155550100/?service=sms", "Number/1415555010/", "Number/444444/", "Tollfree/14155550100/", "Shortcode/555555/", "Number/%3F/"} {
		s.refused(s.do(ask{method: "GET", path: path + missing}), 404, "not found")
	}

	before := s.changes
	r = s.ok(s.do(ask{method: "DELETE", path: path + "Number/14155550199/?unrent=1", body: `{"unrent":"True"}`}), 200)
	if r.string("response") != "success" || s.changes != before+1 {
		t.Error(r.text)
	}
	s.refused(s.do(ask{method: "DELETE", path: path + "Number/14155550199/"}), 404, "not found")
	s.ok(s.do(ask{method: "DELETE", path: path + "Shortcode/444444/"}), 200)
	s.ok(s.do(ask{method: "DELETE", path: mainPath + "/Powerpack/" + pack + "/Number/+14155550100/", body: `{"unrent":false}`}), 200)
	s.ok(s.do(ask{method: "DELETE", path: powerpackPath + pack + "/", body: `{"unrent_numbers":true}`}), 200)
	rented := map[string]gateway.AccountID{}
	for _, n := range s.store.numbers {
		rented[n.Number] = n.Account
	}
	if diff := cmp.Diff(map[string]gateway.AccountID{"14155550100": mainID, "444444": mainID, "18005550100": "", "14155550199": ""}, rented); diff != "" {
		t.Error(diff)
	}
}

func TestPoolRefusals(t *testing.T) {
	s := newServer(t)
	pool, pack := s.givePowerpack("main", "14155550100", "444444")
	second, _ := s.givePowerpack("second")
	s.store.numbers = append(s.store.numbers, s.number("555555", mainID), s.number("18005550100", mainID), s.number("14155550150", strangerID))
	path, other := mainPath+"/NumberPool/"+pool+"/", mainPath+"/NumberPool/"+second+"/"
	for _, test := range []struct {
		method, path, body string
		status             int
		text               string
	}{
		{"POST", path + "Number/14155550100/", `{"service":"fax"}`, 400, "service must be sms or mms"},
		{"POST", path + "Number/14155550100/", `{"rent":"perhaps"}`, 400, "rent must be true or false"},
		{"POST", path + "Number/14155550150/", `{"rent":true}`, 404, "not found"}, // another's
		{"POST", path + "Number/19995550100/", `{"rent":true}`, 404, "not found"},
		{"POST", other + "Number/14155550100/", "", 400, "the number is in another number pool"},
		{"POST", path + "Shortcode/444444/", `{"service":"mms"}`, 400, "the number cannot carry mms"},
		{"POST", path + "Shortcode/555555/", "", 400, "the powerpack has a short code for US already"},
		{"POST", path + "Shortcode/14155550100/", "", 400, "14155550100 is a longcode number: it does not belong below Shortcode"},
		{"POST", path + "Tollfree/14155550100/", "", 400, "14155550100 is a longcode number: it does not belong below Tollfree"},
		{"POST", path + "Number/555555/", "", 400, "555555 is a shortcode number: it does not belong below Number"},
		{"POST", mainPath + "/Powerpack/" + pack + "/Number/", "", 400, "number parameter not present"},
		{"POST", mainPath + "/NumberPool/" + pack + "/Number/14155550100/", "", 404, "not found"}, // the powerpack's id is not the pool's
		{"GET", mainPath + "/NumberPool/x/", "", 404, "not found"},
		{"GET", path + "Number/?type=satellite", "", 400, "type must be fixed, mobile or toll-free"},
		{"GET", path + "Number/?starts_with=415", "", 400, "starts_with needs country_iso2"},
		{"GET", path + "Number/?starts_with=4x&country_iso2=US", "", 400, "starts_with must consist of digits"},
		{"GET", path + "Number/?starts_with=4&country_iso2=XX", "", 400, "country_iso2 is not a country with telephone numbers"},
		{"GET", path + "Number/?starts_with=1,2,3,4,5,6,7,8,9,0,1&country_iso2=US", "", 400, "starts_with may name at most 10 prefixes"},
		{"GET", path + "Number/?limit=100", "", 400, "limit must be a whole number from 1 to 20"},
		{"GET", path + "Number/14155550100/?service=fax", "", 400, "service must be sms or mms"},
		{"DELETE", path + "Number/14155550100/", `{"unrent":"x"}`, 400, "unrent must be true or false"},
		{"DELETE", path + "Number/14155550100/", `{`, 400, "invalid json"},
		{"DELETE", other + "Number/14155550100/", "", 404, "not found"},
		{"DELETE", powerpackPath + pack, `{"unrent_numbers":"x"}`, 400, "unrent_numbers must be true or false"},
		{"DELETE", powerpackPath + "x", "", 404, "not found"},
	} {
		changes := s.changes
		r := s.do(ask{method: test.method, path: test.path, body: test.body})
		if r.status != test.status || r.string("error") != test.text || s.changes != changes {
			t.Errorf("%s %s %s: %d %s, want %d %s", test.method, test.path, test.body, r.status, r.text, test.status, test.text)
		}
	}
	s.ok(s.do(ask{method: "POST", path: mainPath + "/Powerpack/" + pack + "/Number/", body: `{"number":"+18005550100"}`}), 200)
	s.ok(s.do(ask{method: "DELETE", path: mainPath + "/Powerpack/" + pack + "/Number/", body: `{"number":"+18005550100"}`}), 200)
	s.refused(s.do(ask{method: "DELETE", path: mainPath + "/Powerpack/" + pack + "/Number/?number=18005550100"}), 404, "not found")
	s.refused(s.do(ask{method: "DELETE", path: mainPath + "/Powerpack/" + pack + "/Number/"}), 400, "number parameter not present")
	s.ok(s.do(ask{method: "POST", path: other + "Shortcode/555555/"}), 200)
}

func TestChangeThatDoesNotHold(t *testing.T) {
	s := newServer(t)
	s.change = errors.New("the store went away")
	r := s.do(ask{method: "POST", path: powerpackPath, body: `{"name":"x"}`})
	s.refused(r, 503, "the change was stored, but does not hold for new messages yet")
	if !strings.Contains(s.log.String(), "the store went away") {
		t.Errorf("the log says %s", s.log)
	}
}
