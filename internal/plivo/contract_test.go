package plivo

import (
	"bytes"
	"encoding/json"
	"fmt"
	"mime/multipart"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/heliograph/heliograph/internal/gateway"
)

// Tests of what the contract says of all calls alike. They walk the route table, so a new route is in them or makes them fail.

// writing is a call that changes something, with arguments in their own types. Places in braces are filled as in paths.
type writing struct {
	call string // method and pattern
	args string
	path string // where the pattern's places are filled otherwise than with the main account's belongings
}

// writings has one call of every route and method that changes something, but for uploads, which are files.
var writings = []writing{
	{call: "POST /v1/Account/{auth_id}/", args: `{"name":"Example","address":"1 Main St","city":"Springfield","state":"NY","timezone":"America/New_York"}`},
	{call: "POST /v1/Account/{auth_id}/Subaccount/", args: `{"name":"marketing","enabled":false}`},
	{call: "POST /v1/Account/{auth_id}/Subaccount/{subauth_id}/", args: `{"name":"sales","enabled":false}`},
	{call: "DELETE /v1/Account/{auth_id}/Subaccount/{subauth_id}/", args: `{"cascade":true}`},
	{call: "POST /v1/Account/{auth_id}/Application/", args: `{"app_name":"web","message_url":"https://a.example/?a=1&b=2","message_method":"GET","answer_url":"https://b.example/","answer_method":"GET",
		"default_number_app":true,"public_uri":true,"log_incoming_messages":false,"subaccount":"{subauth_id}"}`},
	{call: "POST /v1/Account/{auth_id}/Application/{app_id}/", args: `{"app_name":"web","message_url":"https://a.example/","message_method":"GET","default_endpoint_app":true,"log_incoming_messages":false}`},
	{call: "DELETE /v1/Account/{auth_id}/Application/{app_id}/", args: `{"cascade":false}`},
	{call: "POST " + sendRoute, args: `{"src":14155550101,"dst":["14152223333",14152223334],"text":"Grüße & 100% = 1+1","type":"mms","media_urls":["https://a.example/a.gif","https://a.example/b,c.gif"],
		"media_ids":["{media_id}"],"url":"https://a.example/?a=1&b=2","method":"GET","log":false,"trackable":true,"message_expiry":600,"dlt_template_category":"promotional","dlt_entity_id":1234567890123}`},
	{call: "POST " + feedbackRoute, args: `{"status":"CONVERTED","timestamp":"2026-03-04T05:06:07.511Z"}`},
	{call: "DELETE /v1/Account/{auth_id}/Message/{message_uuid}/Media/", args: `{}`},
	{call: "POST /v1/Account/{auth_id}/Number/", args: `{"numbers":["14155550777",14155550778],"app_id":"{app_id}"}`},
	{call: "POST /v1/Account/{auth_id}/Number/{number}/", args: `{"alias":"front desk","app_id":"{app_id}"}`},
	{call: "DELETE /v1/Account/{auth_id}/Number/{number}/", args: `{}`},
	{call: "POST /v1/Account/{auth_id}/PhoneNumber/{number}/", args: `{"app_id":"{app_id}"}`, path: "/PhoneNumber/12125550100/"},
	{call: "POST /v1/Account/{auth_id}/OptOut/", args: `{"number":["14152223333",14152223334],"source":{number}}`},
	{call: "DELETE /v1/Account/{auth_id}/OptOut/", args: `{"number":[14152223300,"14152223334"],"source":{number}}`},
	{call: "POST /v1/Account/{auth_id}/Powerpack/", args: `{"name":"new","sticky_sender":false,"local_connect":false,"application_type":"xml","application_id":"{app_id}","patience":30,"number_pool_refresh":true,
		"optout_enabled":false,"optout_languages":["es","fr"],"optout_keywords":["adiós","no more"],"optout_message":"Grüße & 100% = 1+1","optin_keywords":["again"],"help_message":"x",
		"number_priority":[{"service_type":"SMS","country_iso":"US","priority":{"priority1":"longcode","priority2":null,"priority3":"tollfree"}}]}`},
	{call: "POST /v1/Account/{auth_id}/Powerpack/{uuid}/", args: `{"name":"renamed","sticky_sender":false,"local_connect":true,"patience":30}`},
	{call: "DELETE /v1/Account/{auth_id}/Powerpack/{uuid}/", args: `{"unrent_numbers":true}`},
	{call: "POST /v1/Account/{auth_id}/Powerpack/{uuid}/Number/", args: `{"number":12125550100,"rent":true,"service":"mms"}`},
	{call: "DELETE /v1/Account/{auth_id}/Powerpack/{uuid}/Number/", args: `{"number":{number},"unrent":true}`},
	{call: "POST /v1/Account/{auth_id}/Powerpack/{uuid}/Number/{number}/", args: `{"rent":true,"service":"mms"}`, path: "/Powerpack/{uuid}/Number/12125550100/"},
	{call: "DELETE /v1/Account/{auth_id}/Powerpack/{uuid}/Number/{number}/", args: `{"unrent":true}`},
	{call: "POST /v1/Account/{auth_id}/NumberPool/{pool_uuid}/Number/{number}/", args: `{"rent":true,"service":"mms"}`, path: "/NumberPool/{pool_uuid}/Number/12125550100/"},
	{call: "DELETE /v1/Account/{auth_id}/NumberPool/{pool_uuid}/Number/{number}/", args: `{"unrent":true}`},
	{call: "POST /v1/Account/{auth_id}/NumberPool/{pool_uuid}/Tollfree/{number}/", args: `{"rent":true,"service":"mms"}`, path: "/NumberPool/{pool_uuid}/Tollfree/18885550100/"},
	{call: "DELETE /v1/Account/{auth_id}/NumberPool/{pool_uuid}/Tollfree/{number}/", args: `{"unrent":true}`},
	{call: "POST /v1/Account/{auth_id}/NumberPool/{pool_uuid}/Shortcode/{shortcode}/", args: `{"rent":true,"service":"sms"}`, path: "/NumberPool/{pool_uuid}/Shortcode/777777/"},
	{call: "DELETE /v1/Account/{auth_id}/NumberPool/{pool_uuid}/Shortcode/{shortcode}/", args: `{"unrent":true}`},
	{call: "POST /v1/Account/{auth_id}/Profile/", args: `{` + profileArguments + `}`},
	{call: "POST /v1/Account/{auth_id}/Profile/{profile_uuid}/", args: `{` + profileArguments + `,"entity_type":"NON_PROFIT"}`},
	{call: "DELETE /v1/Account/{auth_id}/Profile/{profile_uuid}/", args: `{}`, path: "/Profile/019cb73d-3293-7004-8000-00000000abcd/"},
	{call: "POST /v1/Account/{auth_id}/10dlc/Brand/", args: `{"profile_uuid":"{profile_uuid}","brand_alias":"main","brand_type":"STANDARD","secondary_vetting":true,"url":"https://a.example/","method":"GET"}`},
	{call: "DELETE /v1/Account/{auth_id}/10dlc/Brand/{brand_id}/", args: `{}`, path: "/10dlc/Brand/BLONELY/"},
	{call: "POST /v1/Account/{auth_id}/10dlc/Campaign/", args: `{"brand_id":"{brand_id}",` + campaignArguments + `,"embedded_link":true,"age_gated":false,"sub_usecases":["2FA","MARKETING"]}`},
	{call: "POST /v1/Account/{auth_id}/10dlc/Campaign/Import/", args: `{"campaign_id":"CABCDEF","campaign_alias":"x","method":"GET","url":"https://a.example/"}`},
	{call: "POST /v1/Account/{auth_id}/10dlc/Campaign/{campaign_id}/", args: `{"description":"Codes that prove who somebody is, nothing else, ever.","embedded_phone":true}`},
	{call: "DELETE /v1/Account/{auth_id}/10dlc/Campaign/{campaign_id}/", args: `{}`},
	{call: "POST /v1/Account/{auth_id}/10dlc/Campaign/{campaign_id}/Number/", args: `{"numbers":[{number}],"method":"GET","url":"https://a.example/"}`},
	{call: "DELETE /v1/Account/{auth_id}/10dlc/Campaign/{campaign_id}/Number/{number}/", args: `{}`, path: "/10dlc/Campaign/{campaign_id}/Number/14155550199/"},
	{call: "POST /v1/Account/{auth_id}/TollfreeVerification/", args: `{"profile_uuid":"{profile_uuid}","number":18005550199,"usecase":["2FA"],` + verifyArguments + `,"callback_url":"https://a.example/","callback_method":"GET"}`},
	{call: "POST /v1/Account/{auth_id}/TollfreeVerification/{verification_uuid}/", args: `{"profile_uuid":"{profile_uuid}","usecase":["2FA","MARKETING"],` + verifyArguments + `}`},
	{call: "DELETE /v1/Account/{auth_id}/TollfreeVerification/{verification_uuid}/", args: `{}`},
}

// trial is a server for one call, the same each time: what two calls have done can be compared.
func trial(t *testing.T) (*server, belongings) {
	s, of := walled(t, func(cfg *Config) {
		n := byte(0)
		cfg.Random = func(b []byte) {
			for i := range b {
				n++
				b[i] = n
			}
		}
	})
	s.rent("", "12125550100", "18885550100", "777777")
	s.rent(mainID, "14155550199", "18005550199")
	mine := of[mainID]
	for i := range s.store.numbers {
		switch n := &s.store.numbers[i]; n.Number {
		case "14155550199":
			n.Campaign = mine.campaign
		case "777777":
			n.Country = "CA" // there is one for the US in the pool
		}
	}
	for i := range s.store.messages {
		s.store.messages[i].State, s.store.messages[i].Trackable = gateway.Delivered, true
	}
	for i := range s.store.registered {
		if r := &s.store.registered[i]; r.ID == mine.verification {
			r.State = gateway.Incomplete
		}
	}
	s.store.registered = append(s.store.registered,
		gateway.Registration{ID: "019cb73d-3293-7004-8000-00000000abcd", Kind: gateway.BusinessProfile, Account: mainID, Details: []byte(toldOfAll), CreatedAt: s.now},
		gateway.Registration{ID: "BLONELY", Kind: gateway.Brand, Account: mainID, Parent: mine.profile, Details: []byte(toldOfAll), CreatedAt: s.now})
	return s, mine
}

// effect is what a call answered and did.
func (s *server) effect(q ask) (r *reply, told string, done []any) {
	s.t.Helper()
	r = s.do(q)
	s.store.mu.Lock()
	defer s.store.mu.Unlock()
	for _, req := range s.requests {
		done = append(done, *req)
	}
	return r, said(r), append(done, everything(s.store), s.changes)
}

// asked is the call of a writing, without arguments.
func (w *writing) asked(mine belongings) ask {
	method, pattern, _ := strings.Cut(w.call, " ")
	path := mine.fill(pattern, mainID)
	if w.path != "" {
		path = mainPath + mine.fill(w.path, mainID)
	}
	return ask{method: method, path: path}
}

// arguments are those of a writing, decoded.
func (w *writing) arguments(t *testing.T, mine belongings) map[string]any {
	t.Helper()
	text := mine.fill(w.args, mainID)
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	args := map[string]any{}
	if err := decoder.Decode(&args); err != nil {
		t.Fatalf("%s: %v in %s", w.call, err, text)
	}
	return args
}

// mapped changes all values of arguments, from the inside out.
func mapped(v any, change func(any) any) any {
	switch v := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for name, inner := range v {
			out[name] = mapped(inner, change)
		}
		return change(out)
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = mapped(v[i], change)
		}
		return change(out)
	}
	return change(v)
}

// booleans writes truth values in another way.
func booleans(yes, no any) func(any) any {
	return func(v any) any {
		switch v {
		case true:
			return yes
		case false:
			return no
		}
		return v
	}
}

func numbersAsTexts(v any) any {
	if n, ok := v.(json.Number); ok {
		return n.String()
	}
	return v
}

// digitsAsNumbers makes numbers of texts of digits, but for those that would lose something.
func digitsAsNumbers(v any) any {
	text, ok := v.(string)
	if !ok || text == "" || text[0] == '0' || len(text) > 15 || strings.Trim(text, "0123456789") != "" {
		return v
	}
	return json.Number(text)
}

// enumerations are words that arguments have to be.
var enumerations = []string{
	"sms", "mms", "GET", "POST", "promotional", "xml", "longcode", "tollfree", "direct", "PRIVATE", "NON_PROFIT", "STANDARD", "web_form", "CONVERTED",
}

func enumerationsAs(change func(string) string) func(any) any {
	return func(v any) any {
		if text, ok := v.(string); ok && slices.Contains(enumerations, text) {
			return change(text)
		}
		return v
	}
}

func asJSON(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// asForm writes arguments as a form: lists as a name several times, with a suffix, and objects as JSON in text.
func asForm(t *testing.T, args map[string]any, suffix string) url.Values {
	t.Helper()
	form := url.Values{}
	for name, v := range args {
		items, list := v.([]any)
		switch {
		case list && len(items) > 0 && !isMap(items[0]):
			for _, item := range items {
				form.Add(name+suffix, fmt.Sprint(item))
			}
		case list || isMap(v):
			form.Set(name, asJSON(t, v))
		default:
			form.Set(name, fmt.Sprint(v))
		}
	}
	return form
}

func isMap(v any) bool {
	_, ok := v.(map[string]any)
	return ok
}

// encoding is a way of writing a call's arguments.
type encoding struct {
	name  string
	write func(t *testing.T, q *ask, args map[string]any)
}

// inJSON writes arguments into the body, changed.
func inJSON(name string, change func(any) any) encoding {
	return encoding{name, func(t *testing.T, q *ask, args map[string]any) { q.body = asJSON(t, mapped(args, change)) }}
}

const formType = "application/x-www-form-urlencoded"

// encodings are the ways in which clients write arguments. All of them mean the same.
func encodings() []encoding {
	same := func(v any) any { return v }
	called := func(contentType string) encoding {
		return encoding{"called " + contentType, func(t *testing.T, q *ask, args map[string]any) {
			q.body, q.header = asJSON(t, args), map[string]string{"Content-Type": contentType}
		}}
	}
	return []encoding{
		inJSON("JSON", same), inJSON(`"true"`, booleans("true", "false")), inJSON(`"True"`, booleans("True", "False")),
		inJSON("1", booleans(json.Number("1"), json.Number("0"))), inJSON(`"1"`, booleans("1", "0")), inJSON(`"TRUE"`, booleans("TRUE", "FALSE")),
		inJSON("numbers as texts", numbersAsTexts), inJSON("texts as numbers", digitsAsNumbers),
		inJSON("upper case", enumerationsAs(strings.ToUpper)), inJSON("lower case", enumerationsAs(strings.ToLower)),
		called(""), called("application/json; charset=utf-8"), called("text/plain"), called(formType),
		{"with unknown names", func(t *testing.T, q *ask, args map[string]any) {
			args["powerpackUUID"], args["unknown"], args["nothing"], args["?search"] = "x", map[string]any{"a": []any{1, "b", nil}}, nil, "hack"
			q.body = asJSON(t, args)
		}},
		{"form", func(t *testing.T, q *ask, args map[string]any) {
			q.body, q.header = asForm(t, args, "").Encode(), map[string]string{"Content-Type": formType}
		}},
		{"form with brackets", func(t *testing.T, q *ask, args map[string]any) {
			q.body, q.header = asForm(t, args, "[]").Encode(), map[string]string{"Content-Type": formType + "; charset=UTF-8"}
		}},
		{"multipart", func(t *testing.T, q *ask, args map[string]any) {
			var body bytes.Buffer
			w := multipart.NewWriter(&body)
			for name, values := range asForm(t, args, "") {
				for _, text := range values {
					if err := w.WriteField(name, text); err != nil {
						t.Fatal(err)
					}
				}
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			q.body, q.header = body.String(), map[string]string{"Content-Type": w.FormDataContentType()}
		}},
	}
}

// inQuery are the further ways of DELETE.
func inQuery() []encoding {
	query := func(q *ask, form url.Values) { q.path += "?" + form.Encode() }
	return []encoding{
		{"query", func(t *testing.T, q *ask, args map[string]any) { query(q, asForm(t, args, "")) }},
		{"query of PHP", func(t *testing.T, q *ask, args map[string]any) {
			query(q, asForm(t, mapped(args, booleans(1, 0)).(map[string]any), "[]"))
		}},
		{"query and body", func(t *testing.T, q *ask, args map[string]any) {
			query(q, asForm(t, mapped(args, booleans(1, 0)).(map[string]any), ""))
			q.body = asJSON(t, args)
		}},
		{"query, and an empty body", func(t *testing.T, q *ask, args map[string]any) {
			query(q, asForm(t, args, ""))
			q.body = "{}"
		}},
		{"body against the query", func(t *testing.T, q *ask, args map[string]any) {
			query(q, asForm(t, mapped(args, booleans(false, true)).(map[string]any), ""))
			q.body = asJSON(t, args)
		}},
	}
}

// besideQuery is a query that a POST's arguments do not come from.
func besideQuery() encoding {
	return encoding{"beside a query", func(t *testing.T, q *ask, args map[string]any) {
		other := mapped(args, func(v any) any {
			if _, nested := v.(map[string]any); nested {
				return v
			}
			return "other"
		})
		q.path += "?" + asForm(t, other.(map[string]any), "").Encode()
		q.body = asJSON(t, args)
	}}
}

// TestEveryEncoding: however the arguments of a call are written, it answers the same and does the same.
func TestEveryEncoding(t *testing.T) {
	for i := range writings {
		w := &writings[i]
		t.Run(w.call, func(t *testing.T) {
			s, mine := trial(t)
			before := everything(s.store)
			ways := encodings()
			if strings.HasPrefix(w.call, "DELETE") {
				ways = append(ways, inQuery()...)
			} else {
				ways = append(ways, besideQuery())
			}
			q := w.asked(mine)
			ways[0].write(t, &q, w.arguments(t, mine))
			first, want, done := s.effect(q)
			if first.status >= 300 {
				t.Fatalf("%s: %d %s", q.path, first.status, first.text)
			}
			if len(s.requests) == 0 && reflect.DeepEqual(before, everything(s.store)) {
				t.Error("nothing was changed")
			}
			for _, way := range ways[1:] {
				s, mine := trial(t)
				q := w.asked(mine)
				way.write(t, &q, w.arguments(t, mine))
				_, told, did := s.effect(q)
				if told != want {
					t.Errorf("%s: %s, want %s", way.name, told, want)
				} else if !reflect.DeepEqual(done, did) {
					t.Errorf("%s did something else (-%s +%s): %s", way.name, ways[0].name, way.name, cmp.Diff(done, did))
				}
			}
		})
	}
}

// TestEveryWritingIsThere: writings has all routes that change something.
func TestEveryWritingIsThere(t *testing.T) {
	s := newServer(t)
	var missing []string
	s.walk(func(pattern, method string) {
		call := method + " " + pattern
		there := slices.ContainsFunc(writings, func(w writing) bool { return w.call == call })
		if (method == http.MethodPost || method == http.MethodDelete) && !there && call != "POST /v1/Account/{auth_id}/Media/" {
			missing = append(missing, call)
		}
	})
	if len(missing) > 0 {
		t.Errorf("not tried: %q", missing)
	}
}
