package plivo

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/heliograph/heliograph/internal/gateway"
)

const applicationPath = mainPath + "/Application/"

// makeApplication makes an application by the API and gives its id.
func (s *server) makeApplication(body string) string {
	s.t.Helper()
	return s.ok(s.do(ask{method: "POST", path: applicationPath, body: body}), 201).string("app_id")
}

func TestApplication(t *testing.T) {
	s := newServer(t)
	r := s.ok(s.do(ask{method: "POST", path: applicationPath, body: `{"app_name":"sms_in","message_url":"https://app.example.com/in","subaccount":null}`}), 201)
	id := r.string("app_id")
	if diff := cmp.Diff(map[string]any{"api_id": r.body["api_id"], "message": "created", "app_id": id}, r.body); diff != "" {
		t.Error(diff)
	}
	get := func() map[string]any {
		t.Helper()
		r := s.ok(s.do(ask{method: "GET", path: applicationPath + id + "/"}), 200)
		delete(r.body, "api_id")
		return r.body
	}
	want := map[string]any{
		"app_id": id, "app_name": "sms_in", "message_url": "https://app.example.com/in", "message_method": "POST",
		"answer_url": "", "answer_method": "POST", "hangup_url": "", "hangup_method": "POST", "fallback_answer_url": "", "fallback_method": "POST",
		"default_app": false, "default_endpoint_app": false, "enabled": true, "public_uri": false,
		"log_incoming_messages": true, "log_incoming_message": true, "application_type": "XML", "sip_uri": "sip:" + id + "@app.plivo.com",
		"sub_account": nil, "resource_uri": applicationPath + id + "/",
	}
	if diff := cmp.Diff(want, get()); diff != "" {
		t.Error(diff)
	}
	for _, test := range []struct {
		body string
		want map[string]any
	}{
		{`{}`, nil},
		{``, nil},
		{`{"app_name":"","message_url":null,"message_method":null,"unknown":[{}]}`, nil},
		{`{"app_name":"sms-IN_2","message_method":"get"}`, map[string]any{"app_name": "sms-IN_2", "message_method": "GET"}},
		{
			`answer_url=http://voice.example/a%3Fb%3D1&answer_method=GET&hangup_url=http://voice.example/h&hangup_method=Get&fallback_answer_url=http://voice.example/f&fallback_method=GET`,
			map[string]any{
				"answer_url": "http://voice.example/a?b=1", "answer_method": "GET", "hangup_url": "http://voice.example/h", "hangup_method": "GET",
				"fallback_answer_url": "http://voice.example/f", "fallback_method": "GET",
			},
		},
		{
			`{"default_number_app":"True","default_endpoint_app":1,"public_uri":true,"log_incoming_messages":"false"}`,
			map[string]any{
				"default_app": true, "default_endpoint_app": true, "public_uri": true, "log_incoming_messages": false, "log_incoming_message": false,
			},
		},
		{`{"default_app":false,"log_incoming_message":true}`, map[string]any{"default_app": false, "log_incoming_messages": true, "log_incoming_message": true}},
		{`{"message_url":"","hangup_url":""}`, map[string]any{"message_url": "", "hangup_url": ""}},
	} {
		r := s.ok(s.do(ask{method: "POST", path: applicationPath + id, body: test.body}), 202)
		if diff := cmp.Diff(map[string]any{"api_id": r.body["api_id"], "message": "changed"}, r.body); diff != "" {
			t.Error(diff)
		}
		for name, value := range test.want {
			want[name] = value
		}
		if diff := cmp.Diff(want, get()); diff != "" {
			t.Errorf("%s: %s", test.body, diff)
		}
	}
	if s.changes != 0 {
		t.Errorf("%d changes told of what no message depends on", s.changes)
	}
}

func TestApplicationRefusals(t *testing.T) {
	s := newServer(t)
	id := s.makeApplication(`{"app_name":"x"}`)
	for body, text := range map[string]string{
		`{"app_name":"two words"}`:                                    "app_name must consist of at most 255 letters, digits, hyphens and underscores",
		`{"app_name":"é"}`:                                            "app_name must consist of at most 255 letters, digits, hyphens and underscores",
		`{"app_name":"` + strings.Repeat("a", 256) + `"}`:             "app_name must consist of at most 255 letters, digits, hyphens and underscores",
		`{"app_name":{}}`:                                             "app_name must be a string",
		`{"app_name":"y","message_url":"ftp://x/"}`:                   "message_url must be an absolute http or https URL",
		`{"app_name":"y","answer_url":"/relative"}`:                   "answer_url must be an absolute http or https URL",
		`{"app_name":"y","hangup_url":{}}`:                            "hangup_url must be a string",
		`{"app_name":"y","fallback_answer_url":"http://a b/"}`:        "fallback_answer_url must be an absolute http or https URL",
		`{"app_name":"y","message_method":"PUT"}`:                     "message_method must be GET or POST",
		`{"app_name":"y","fallback_method":"HEAD"}`:                   "fallback_method must be GET or POST",
		`{"app_name":"y","default_number_app":"maybe"}`:               "default_number_app must be true or false",
		`{"app_name":"y","public_uri":2}`:                             "public_uri must be true or false",
		`{"app_name":"y","subaccount":"` + string(strangerID) + `"}`:  "subaccount is not a subaccount of this account",
		`{"app_name":"y","subaccount":"SANOBODYNOBODYNOBODY"}`:        "subaccount is not a subaccount of this account",
		`{"app_name":"y","log_incoming_messages":[],"public_uri":{}}`: "public_uri must be true or false",
		`[]`: "invalid json: the body must be an object",
	} {
		s.refused(s.do(ask{method: "POST", path: applicationPath, body: body}), 400, text)
		s.refused(s.do(ask{method: "POST", path: applicationPath + id, body: body}), 400, text)
	}
	s.refused(s.do(ask{method: "POST", path: applicationPath}), 400, "app_name parameter not present")
	for _, q := range []ask{
		{method: "DELETE", path: applicationPath + id + "/?cascade=perhaps"},
		{method: "DELETE", path: applicationPath + id + "/", body: `{"cascade":"perhaps"}`},
	} {
		s.refused(s.do(q), 400, "cascade must be true or false")
	}
	for _, heir := range []string{id, "20000000000000000", "x"} {
		s.refused(s.do(ask{method: "DELETE", path: applicationPath + id, body: `{"new_endpoint_application":"` + heir + `"}`}), 400,
			"new_endpoint_application is not another application of this account")
	}
	for _, missing := range []string{"20000000000000000", "x", id + "0", id[:16], "%2A"} {
		for _, method := range []string{"GET", "POST", "DELETE"} {
			s.refused(s.do(ask{method: method, path: applicationPath + missing + "/"}), 404, "not found")
		}
	}
	s.refused(s.do(ask{method: "DELETE", path: applicationPath}), 405, "method not allowed")
	if len(s.store.applications) != 1 || s.store.applications[0].Name != "x" || s.changes != 0 {
		t.Errorf("a refusal left %+v", s.store.applications)
	}
}

func TestApplicationList(t *testing.T) {
	s := newServer(t)
	var ids []string
	for i := range 3 {
		ids = append(ids, s.makeApplication(fmt.Sprintf(`{"app_name":"app%d"}`, i)))
	}
	ids = append(ids, s.makeApplication(`{"app_name":"other"}`), s.makeApplication(`{"app_name":"theirs","subaccount":"`+string(subID)+`"}`))
	listed := func(query string) (names []string, body map[string]any) {
		t.Helper()
		r := s.ok(s.do(ask{method: "GET", path: applicationPath + query}), 200)
		for _, object := range r.body["objects"].([]any) {
			names = append(names, object.(map[string]any)["app_name"].(string))
		}
		return names, r.body
	}
	for query, want := range map[string]string{
		"": "other app2 app1 app0", "?app_name=app": "app2 app1 app0", "?app_name=app1": "app1", "?app_name=pp": "", "?limit=2": "other app2",
		"?offset=3": "app0", "?is_voice_request=true": "other app2 app1 app0", "?subaccount=" + string(subID): "theirs",
		"?subaccount=" + string(subID) + "&app_name=app": "", "?app_name=%25": "", "?app_name=*": "",
	} {
		if got, _ := listed(query); strings.Join(got, " ") != want {
			t.Errorf("%s: %q, want %q", query, got, want)
		}
	}
	_, body := listed("?limit=1&offset=1&app_name=app")
	meta := map[string]any{
		"limit": 1.0, "offset": 1.0, "total_count": 3.0, "next": applicationPath + "?limit=1&offset=2&app_name=app",
		"previous": applicationPath + "?limit=1&offset=0&app_name=app",
	}
	if diff := cmp.Diff(meta, body["meta"]); diff != "" {
		t.Error(diff)
	}
	for query, text := range map[string]string{
		"?limit=0": "limit must be a whole number from 1 to 20", "?subaccount=" + string(strangerID): "subaccount is not a subaccount of this account",
	} {
		s.refused(s.do(ask{method: "GET", path: applicationPath + query}), 400, text)
	}

	// A subaccount's is within its main account's reach, and names it there; its own path names nobody.
	s.ok(s.do(ask{method: "GET", path: applicationPath + ids[4]}), 200)
	_, body = listed("?subaccount=" + string(subID))
	theirs := body["objects"].([]any)[0].(map[string]any)
	if theirs["sub_account"] != mainPath+"/Subaccount/"+string(subID)+"/" || theirs["resource_uri"] != applicationPath+ids[4]+"/" {
		t.Errorf("a subaccount's application: %v", theirs)
	}
	r := s.ok(s.do(ask{method: "GET", path: subPath + "/Application/" + ids[4], as: subID}), 200)
	if r.body["sub_account"] != nil || r.string("resource_uri") != subPath+"/Application/"+ids[4]+"/" || strings.Contains(r.text, string(mainID)) {
		t.Errorf("a subaccount sees %s", r.text)
	}
	s.refused(s.do(ask{method: "GET", path: subPath + "/Application/" + ids[0], as: subID}), 404, "not found")
}

// TestApplicationLinks: only applications of the account are linked, and those that are gone are linked no more.
func TestApplicationLinks(t *testing.T) {
	s := newServer(t)
	_, pack := s.givePowerpack("main", "14155550100")
	s.rent("", "14155550101", "14155550102", "14155550103", "14155550104")
	ours, theirs := s.makeApplication(`{"app_name":"ours"}`), s.makeApplication(`{"app_name":"theirs","subaccount":"`+string(subID)+`"}`)
	links := func(wantNumber, wantPowerpack string) {
		t.Helper()
		if n, p := s.store.numbers[0], s.store.powerpacks[0]; n.Application != wantNumber || p.ApplicationID != wantPowerpack {
			t.Errorf("linked to %q and %q, want %q and %q", n.Application, p.ApplicationID, wantNumber, wantPowerpack)
		}
	}
	link := func(app string, status int) {
		t.Helper()
		for path, body := range map[string]string{
			numberPath + "14155550100/":     `{"app_id":"` + app + `"}`,
			mainPath + "/Powerpack/" + pack: `{"application_id":"` + app + `"}`,
		} {
			r := s.do(ask{method: "POST", path: path, body: body})
			if ok := r.status < 300; ok != (status < 300) {
				t.Fatalf("%s %s: %d %s", path, body, r.status, r.text)
			}
			if status >= 300 {
				s.refused(r, status, "there is no such application")
			}
		}
	}
	link(ours, 200)
	links(ours, ours)
	link(theirs, 400)
	link("20000000000000000", 400)
	links(ours, ours)
	r := s.ok(s.do(ask{method: "GET", path: numberPath + "14155550100/"}), 200)
	s.ok(s.do(ask{method: "GET", path: r.string("application")}), 200)

	changes := s.changes
	s.ok(s.do(ask{method: "DELETE", path: applicationPath + ours + "/", body: `{"cascade":"false","new_endpoint_application":"` + theirs + `"}`}), 204)
	links("", "")
	if s.changes != changes+1 {
		t.Error("a removal that unlinks was not told")
	}
	s.refused(s.do(ask{method: "GET", path: applicationPath + ours}), 404, "not found")
	link(ours, 400)

	// One that goes to a subaccount leaves what it was linked to.
	moved := s.makeApplication(`{"app_name":"moved"}`)
	link(moved, 200)
	s.ok(s.do(ask{method: "POST", path: applicationPath + moved, body: `{"subaccount":"` + string(mainID) + `"}`}), 202)
	links(moved, moved)
	changes = s.changes
	s.ok(s.do(ask{method: "POST", path: applicationPath + moved, body: `{"subaccount":"` + string(subID) + `"}`}), 202)
	links("", "")
	if s.changes != changes+1 {
		t.Error("a move that unlinks was not told")
	}
	s.ok(s.do(ask{method: "GET", path: subPath + "/Application/" + moved, as: subID}), 200)
	s.ok(s.do(ask{method: "POST", path: applicationPath + moved, body: `{"app_name":"still_theirs"}`}), 202) // and stays there
	s.ok(s.do(ask{method: "GET", path: subPath + "/Application/" + moved, as: subID}), 200)
	s.change = errors.New("the store went away")
	s.refused(s.do(ask{method: "POST", path: applicationPath + moved, body: `{"subaccount":"` + string(mainID) + `"}`}), 503, "the change was stored, but does not hold for new messages yet")
	s.refused(s.do(ask{method: "DELETE", path: applicationPath + moved}), 503, "the change was stored, but does not hold for new messages yet")
}

// TestDefaultNumberApplication: numbers that are rented without an application get the account's default one.
func TestDefaultNumberApplication(t *testing.T) {
	s := newServer(t)
	s.rent("", "14155550101", "14155550102", "14155550103", "14155550104", "14155550105", "14155550106")
	rentedWith := func(i int, body, want string) {
		t.Helper()
		s.ok(s.do(ask{method: "POST", path: mainPath + "/PhoneNumber/" + s.store.numbers[i].Number + "/", body: body}), 201)
		if got := s.store.numbers[i].Application; got != want {
			t.Errorf("%s: linked to %q, want %q", body, got, want)
		}
	}
	other := s.makeApplication(`{"app_name":"other"}`)
	rentedWith(0, `{}`, "")
	first := s.makeApplication(`{"app_name":"first","default_number_app":true}`)
	rentedWith(1, `{"app_id":null}`, first)
	second := s.makeApplication(`{"app_name":"second","default_number_app":"true"}`)
	rentedWith(2, `{}`, second)
	rentedWith(3, `{"app_id":"`+other+`"}`, other)
	rentedWith(4, `{"app_id":"none"}`, "")
	if app, err := s.store.Application(t.Context(), mainID, first); err != nil || app.DefaultNumber {
		t.Errorf("two default applications: %+v, %v", app, err)
	}
	rentedWith(5, `{"subaccount":"`+string(subID)+`"}`, "") // the default is not the subaccount's
}

func TestApplicationIDs(t *testing.T) {
	for random, want := range map[uint64]string{0: "10000000000000000", 89_999_999_999_999_999: "99999999999999999", 90_000_000_000_000_001: "10000000000000001"} {
		if got := gateway.NewApplicationID(random); got != want || len(got) != gateway.ApplicationIDLength {
			t.Errorf("%d: %s, want %s", random, got, want)
		}
	}
}
