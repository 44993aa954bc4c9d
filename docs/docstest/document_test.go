package docstest

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
)

func mustLoad(t *testing.T) *Document {
	t.Helper()
	d, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// exampleAnswer is a documented answer.
type exampleAnswer struct {
	name   string // the operation and the status
	answer Answer
}

// examples gives the answer that the document shows of each operation, and of each refusal.
func examples(t *testing.T, d *Document) (all []exampleAnswer) {
	t.Helper()
	operations := d.Operations()
	for _, name := range slices.Sorted(maps.Keys(operations)) {
		method, path, _ := strings.Cut(name, " ")
		for status, response := range operations[name].Responses.Map() {
			content := response.Value.Content["application/json"]
			if content == nil {
				continue
			}
			if content.Example == nil {
				t.Errorf("%s %s has no example", name, status)
				continue
			}
			code, err := strconv.Atoi(status)
			if err != nil {
				t.Fatalf("%s has the status %s", name, status)
			}
			all = append(all, exampleAnswer{name + " " + status, answerOf(t, method, path, code, response.Value, content.Example)})
		}
	}
	return all
}

// answerOf is an answer with all headers that must be there.
func answerOf(t *testing.T, method, path string, status int, response *openapi3.Response, body any) Answer {
	t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	a := Answer{Method: method, Path: path, Status: status, Body: text, Header: http.Header{"Content-Type": {"application/json"}}}
	if object, ok := body.(map[string]any); ok {
		if id, ok := object["api_id"].(string); ok {
			a.Header.Set("X-Request-ID", id)
		}
	}
	for name, header := range response.Headers {
		switch {
		case name == "Allow" && strings.HasPrefix(path, "/v1/"):
			a.Header.Set(name, "GET")
		case name == "Allow":
			a.Header.Set(name, "GET, HEAD")
		case name == "WWW-Authenticate" && strings.HasPrefix(path, "/admin/"):
			a.Header.Set(name, `Bearer realm="heliograph operator"`)
		case name == "WWW-Authenticate":
			a.Header.Set(name, `Basic realm="Heliograph"`)
		case header.Value.Required && a.Header.Get(name) == "":
			t.Fatalf("no value for header %s is known here", name)
		}
	}
	return a
}

// TestExamples: each operation shows what goes in and what comes out, and what it shows is true to itself.
func TestExamples(t *testing.T) {
	d := mustLoad(t)
	all := examples(t, d)
	if len(all) < 500 {
		t.Errorf("only %d examples", len(all))
	}
	for _, e := range all {
		if err := d.Check(&e.answer); err != nil {
			t.Errorf("%s: %v", e.name, err)
		}
	}
	for name, operation := range d.Operations() {
		if operation.Summary == "" || operation.OperationID == "" || len(operation.Tags) != 1 {
			t.Errorf("%s is not described", name)
		}
		if operation.RequestBody == nil {
			continue
		}
		if content := operation.RequestBody.Value.Content["application/json"]; content != nil && content.Example == nil {
			t.Errorf("%s shows no body of a request", name)
		}
	}
}

// free are the objects into which anything may be put; by the last step to them.
var free = []string{"details"}

// mutants are the ways in which an answer goes wrong: what, and the value with it.
func mutants(value any, path string, yield func(what string, wrong any)) {
	other := func(what string, wrong any) { yield(path+" "+what, wrong) }
	switch v := value.(type) {
	case string:
		other("is a number", 7.0)
		other("is true", true)
	case float64:
		other("is a text", fmt.Sprint(v))
	case bool:
		other("is a text", fmt.Sprint(v))
	case []any:
		other("is an object", map[string]any{})
		other("is a text", "x")
		for i := range v {
			mutants(v[i], fmt.Sprintf("%s/%d", path, i), func(what string, wrong any) {
				changed := slices.Clone(v)
				changed[i] = wrong
				yield(what, changed)
			})
		}
	case map[string]any:
		other("is a list", []any{v})
		if slices.ContainsFunc(free, func(name string) bool { return strings.HasSuffix(path, "/"+name) }) {
			return
		}
		extended := maps.Clone(v)
		extended["surprise"] = "x"
		other("has more", extended)
		for name := range v {
			mutants(v[name], path+"/"+name, func(what string, wrong any) {
				changed := maps.Clone(v)
				changed[name] = wrong
				yield(what, changed)
			})
		}
	}
}

// TestMutants: whatever goes wrong with the type of a field, in any answer that the document shows, is found, and so is any field more.
func TestMutants(t *testing.T) {
	d := mustLoad(t)
	count := 0
	for _, e := range examples(t, d) {
		var body any
		if err := json.Unmarshal(e.answer.Body, &body); err != nil {
			t.Fatal(err)
		}
		mutants(body, "", func(what string, wrong any) {
			count++
			answer := e.answer
			answer.Body, _ = json.Marshal(wrong) // made of what was read
			if d.Check(&answer) == nil {
				t.Errorf("%s: not found that%s", e.name, what)
			}
		})
	}
	if count < 5000 {
		t.Errorf("only %d answers went wrong", count)
	}
}

// TestWrongAnswers: what is wrong besides the fields is found too.
func TestWrongAnswers(t *testing.T) {
	d := mustLoad(t)
	const id = "019cb73d-0b2c-7000-8000-000000000001"
	good := func() Answer {
		return Answer{
			Method: "DELETE", Path: "/v1/account/MA//Powerpack/u", Status: 200, Body: []byte(`{"api_id":"` + id + `","response":"success"}`),
			Header: http.Header{"Content-Type": {"application/json; charset=utf-8"}, "X-Request-Id": {id}},
		}
	}
	if a := good(); d.Check(&a) != nil {
		t.Fatal(d.Check(&a))
	}
	for name, spoil := range map[string]func(*Answer){
		"a status that is not documented": func(a *Answer) { a.Status = 201 },
		"another type":                    func(a *Answer) { a.Header.Set("Content-Type", "text/plain") },
		"no type":                         func(a *Answer) { a.Header.Del("Content-Type") },
		"another id in the header":        func(a *Answer) { a.Header.Set("X-Request-Id", "019cb73d-0b2c-7000-8000-000000000002") },
		"no id in the header":             func(a *Answer) { a.Header.Del("X-Request-Id") },
		"two ids in the header":           func(a *Answer) { a.Header.Add("X-Request-Id", id) },
		"no uuid": func(a *Answer) {
			a.Body = []byte(`{"api_id":"x","response":"success"}`)
			a.Header.Set("X-Request-Id", "x")
		},
		"two objects":                func(a *Answer) { a.Body = append(a.Body, a.Body...) },
		"half an object":             func(a *Answer) { a.Body = a.Body[:9] },
		"no body":                    func(a *Answer) { a.Body = nil },
		"a list":                     func(a *Answer) { a.Body = []byte("[]") },
		"a field less":               func(a *Answer) { a.Body = []byte(`{"api_id":"` + id + `"}`) },
		"a null":                     func(a *Answer) { a.Body = []byte(`{"api_id":"` + id + `","response":null}`) },
		"success on an unknown path": func(a *Answer) { a.Path = "/v1/Account/MA/Fax/" },
		"success of a wrong method":  func(a *Answer) { a.Method = "PUT" },
		"a body with 204":            func(a *Answer) { a.Path, a.Status = "/v1/Account/MA/Number/1/", 204 },
		"a body of HEAD":             func(a *Answer) { a.Method, a.Path = "HEAD", "/v1/Account/MA/" },
	} {
		a := good()
		if spoil(&a); d.Check(&a) == nil {
			t.Errorf("%s is not found", name)
		}
	}
	for _, refusal := range []Answer{{Method: "GET", Path: "/v1/Account/MA/Fax/", Status: 404}, {Method: "GET", Path: "/x", Status: 401}} {
		refusal.Header = http.Header{"Content-Type": {"application/json"}, "X-Request-Id": {id}, "Www-Authenticate": {`Basic realm="Heliograph"`}}
		refusal.Body = []byte(`{"api_id":"` + id + `","error":"not found"}`)
		if err := d.Check(&refusal); err != nil {
			t.Error(err)
		}
	}
}

// TestCallbacks: what the document shows of callbacks is what it says of them, and what goes wrong with one is found, however it is sent.
func TestCallbacks(t *testing.T) {
	d := mustLoad(t)
	shown := 0
	for name, operation := range d.Operations() {
		for _, callback := range operation.Callbacks {
			for _, item := range callback.Value.Map() {
				content := item.Post.RequestBody.Value.Content["application/x-www-form-urlencoded"]
				if content == nil { // an alert, which is JSON
					continue
				}
				shown++
				form := map[string]string{}
				for field, value := range content.Example.(map[string]any) {
					form[field], _ = value.(string)
				}
				for _, method := range []string{http.MethodGet, http.MethodPost} {
					if err := d.CheckCallback(method, form); err != nil {
						t.Errorf("%s: %v", name, err)
					}
					for field := range form {
						less, other := maps.Clone(form), maps.Clone(form)
						delete(less, field)
						other["surprise"] = "x"
						if d.CheckCallback(method, less) == nil || d.CheckCallback(method, other) == nil {
							t.Errorf("%s: a callback without %s, or with something more, is not found", name, field)
						}
					}
				}
			}
		}
	}
	if shown < 9 {
		t.Errorf("only %d callbacks are shown", shown)
	}
}

// schemasOfAnswers are all schemas that an answer may be made of, by where they are first met.
func schemasOfAnswers(d *Document) map[string]*openapi3.Schema {
	found, seen := map[string]*openapi3.Schema{}, map[*openapi3.Schema]bool{}
	var walk func(name string, ref *openapi3.SchemaRef)
	walk = func(name string, ref *openapi3.SchemaRef) {
		if ref == nil || seen[ref.Value] {
			return
		}
		if ref.Ref != "" {
			name = ref.Ref[strings.LastIndex(ref.Ref, "/")+1:]
		}
		seen[ref.Value], found[name] = true, ref.Value
		walk(name+"[]", ref.Value.Items)
		walk(name+"{}", ref.Value.AdditionalProperties.Schema)
		for _, part := range ref.Value.AllOf {
			walk(name, part)
		}
		for field, property := range ref.Value.Properties {
			walk(name+"."+field, property)
		}
	}
	for name, operation := range d.Operations() {
		for status, response := range operation.Responses.Map() {
			if content := response.Value.Content["application/json"]; content != nil {
				walk(name+" "+status, content.Schema)
			}
		}
	}
	return found
}

// optional are the fields that may be absent.
var optional = []string{
	"Accepted.invalid_number", "CampaignNumbers.meta", "CarrierSetting.brand_tier", "CarrierSetting.tpm", "RegisteredProfile.profile_uuid",
	"Upload.error_code", "Upload.error_message",
	"LinesRefused.refused", "LinesRefused.refused_total", "NumbersRefused.refused", "NumbersRefused.refused_total", "RefusedLine.column", "OperatorAccount.available", "OperatorAccount.balance", "OperatorAccount.billing_mode",
	"OperatorAccount.held", "OperatorAccount.parent_auth_id", "OperatorBind.last_error", "OperatorConversion.carrier", "OperatorConversion.country_iso2",
	"OperatorConversion.sender", "OperatorCreatedAccount.warning", "OperatorCredit.idempotency_key", "OperatorMessage.carrier_detail",
	"OperatorConversion.network", "OperatorMessage.powerpack_uuid", "OperatorSingleMessage.carrier_detail", "OperatorSingleMessage.powerpack_uuid", "OperatorSingleAccount.available", "OperatorSingleAccount.balance", "OperatorSingleAccount.billing_mode",
	"OperatorSingleAccount.held", "OperatorSingleAccount.parent_auth_id", "OperatorSingleCredit.idempotency_key", "OperatorThreshold.country_iso2",
	"OperatorThreshold.prefix",
}

// TestAnswersAreClosed: each object of an answer names all its fields, each has a type, and those that may be absent are known.
func TestAnswersAreClosed(t *testing.T) {
	absent := map[string]bool{}
	for name, schema := range schemasOfAnswers(mustLoad(t)) {
		if schema.Type == nil && len(schema.AllOf) == 0 {
			t.Errorf("%s has no type", name)
		}
		if !schema.Type.Is("object") {
			continue
		}
		open := schema.AdditionalProperties.Has == nil && schema.AdditionalProperties.Schema == nil
		if named := name[strings.LastIndex(name, ".")+1:]; schema.AdditionalProperties.Has != nil && *schema.AdditionalProperties.Has && !slices.Contains(free, named) {
			open = true
		}
		if open && name != "NoRates" && schema.MaxItems == nil {
			t.Errorf("%s may hold anything", name)
		}
		for field := range schema.Properties {
			if !slices.Contains(schema.Required, field) {
				absent[name+"."+field] = true
			}
		}
	}
	for field := range absent {
		if !slices.Contains(optional, field) {
			t.Errorf("%s may be absent, which is not known here", field)
		}
	}
	for _, field := range optional {
		if !absent[field] {
			t.Errorf("%s is always there", field)
		}
	}
}
