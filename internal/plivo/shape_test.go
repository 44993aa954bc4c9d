package plivo

import (
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
)

// spellings are paths that clients write for the same thing. Ids keep their case.
func spellings(pattern, path string) []string {
	fixed := func(change func(string) string) string {
		filled := strings.Split(path, "/")
		for i, segment := range strings.Split(pattern, "/") {
			if !strings.HasPrefix(segment, "{") {
				filled[i] = change(filled[i])
			}
		}
		return strings.Join(filled, "/")
	}
	lower := fixed(strings.ToLower)
	return []string{
		strings.TrimSuffix(path, "/"), path + "/", strings.ReplaceAll(path, "/", "//"), "//" + strings.TrimPrefix(path, "/") + "///",
		lower, strings.TrimSuffix(lower, "/"), fixed(strings.ToUpper), strings.ReplaceAll(lower, "/", "//"),
	}
}

// calls are all of the table, with arguments with which they succeed; a list's are those that all lists have.
func calls(t *testing.T, s *server, mine belongings, fn func(pattern string, q ask)) {
	s.walk(func(pattern, method string) {
		q := ask{method: method, path: mine.fill(pattern, mainID)}
		if strings.Contains(pattern, "/Campaign/{campaign_id}/Number/{number}/") {
			q.path = strings.Replace(q.path, mine.number, "14155550199", 1)
		}
		for i := range writings {
			w := &writings[i]
			if w.call == method+" "+pattern {
				q = w.asked(mine)
				q.body = asJSON(t, w.arguments(t, mine))
			}
		}
		fn(pattern, q)
	})
}

// queryOf are arguments without which a read is refused.
func queryOf(pattern string) string {
	switch {
	case strings.HasSuffix(pattern, "/Pricing/"), strings.HasSuffix(pattern, "/PhoneNumber/"):
		return "?country_iso=us"
	case strings.HasSuffix(pattern, "/Explain/"), strings.HasSuffix(pattern, "/Conversation/"):
		return "?dst=14152223333"
	}
	return ""
}

// TestEverySpelling: however a path is written, the call answers the same and does the same, and is never redirected.
func TestEverySpelling(t *testing.T) {
	s, mine := trial(t)
	calls(t, s, mine, func(pattern string, q ask) {
		at, query, reading := s, "", q.method == http.MethodGet || q.method == http.MethodHead
		if reading {
			query = queryOf(pattern)
		} else {
			at, _ = trial(t)
		}
		asked := q.path
		q.path += query
		first, want, done := at.effect(q)
		if first.status >= 300 && !strings.HasSuffix(pattern, "/Media/") { // uploads are files
			t.Errorf("%s %s: %d %s", q.method, q.path, first.status, first.text)
		}
		for _, path := range spellings(pattern, asked) {
			if !reading {
				at, _ = trial(t)
			}
			q.path = path + query
			if _, told, did := at.effect(q); told != want || !reflect.DeepEqual(done, did) {
				t.Errorf("%s %s: %s, want %s", q.method, q.path, told, want)
			}
		}
	})
}

// TestEveryOtherMethod: what a path does not serve is 405, with what it serves.
func TestEveryOtherMethod(t *testing.T) {
	s, of := walled(t)
	before := everything(s.store)
	for i := range s.handler.(*API).routes {
		route := &s.handler.(*API).routes[i]
		for _, method := range []string{"GET", "HEAD", "POST", "DELETE", "PUT", "PATCH", "OPTIONS", "TRACE", "PROPFIND", "get"} {
			if route.handler(method) != nil {
				continue
			}
			r := s.do(ask{method: method, path: of[mainID].fill(route.pattern, mainID), body: argumentsOfAll})
			s.refused(r, http.StatusMethodNotAllowed, "method not allowed")
			if got := r.header.Get("Allow"); got != route.allow() || got == "" {
				t.Errorf("%s %s: Allow %q", method, route.pattern, got)
			}
		}
	}
	if !reflect.DeepEqual(before, everything(s.store)) {
		t.Error("something was changed")
	}
}

// TestNoArguments: a body that says nothing is no arguments, however it says so.
func TestNoArguments(t *testing.T) {
	s, mine := trial(t)
	calls(t, s, mine, func(pattern string, q ask) {
		if q.method != http.MethodPost && q.method != http.MethodDelete || strings.HasSuffix(pattern, "/Media/") && q.method == http.MethodPost {
			return
		}
		var want string
		var done []any
		for i, body := range []string{"", "{}", "null", `""`, "\ufeff \r\n\t{ }\n"} {
			for _, contentType := range []string{"application/json", formType} {
				s, _ := trial(t)
				q.body, q.header = body, map[string]string{"Content-Type": contentType}
				r, told, did := s.effect(q)
				if r.status >= 500 || strings.Contains(r.string("error"), "invalid") {
					t.Errorf("%s %s with %q: %d %s", q.method, pattern, body, r.status, r.text)
				}
				if i == 0 && contentType == "application/json" {
					want, done = told, did
				} else if told != want || !reflect.DeepEqual(done, did) {
					t.Errorf("%s %s with %q as %q: %s, want %s", q.method, pattern, body, contentType, told, want)
				}
			}
		}
	})
}

// TestBodiesOfReads: what a GET has for a body is not looked at, whatever it is called.
func TestBodiesOfReads(t *testing.T) {
	s, of := walled(t)
	s.walk(func(pattern, method string) {
		if method != http.MethodGet && method != http.MethodHead {
			return
		}
		q := ask{method: method, path: of[mainID].fill(pattern, mainID) + queryOf(pattern), header: map[string]string{"Content-Type": "application/json"}}
		want := said(s.do(q))
		for _, body := range []string{"{}", "null", `{"limit":99,"offset":"x","country_iso":"ZZ","subaccount":"x","service":"x"}`, "{", "\xff", `[1]`, strings.Repeat("x", DefaultMaxBody+1)} {
			q.body = body
			if got := said(s.do(q)); got != want {
				t.Errorf("%s %s with %.20q: %s, want %s", method, pattern, body, got, want)
			}
		}
	})
}

// argumentNames are those that the OpenAPI document knows of an operation, and some that clients leak into it.
func argumentNames(op *openapi3.Operation) []string {
	names := []string{"limit", "offset", "callback_url", "powerpackUUID"}
	for _, p := range op.Parameters {
		if p.Value.In == openapi3.ParameterInQuery {
			names = append(names, p.Value.Name)
		}
	}
	if op.RequestBody != nil {
		if media := op.RequestBody.Value.Content.Get("application/json"); media != nil {
			for name := range media.Schema.Value.Properties {
				names = append(names, name)
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// oddValues are of types and sizes that few arguments have.
var oddValues = []string{
	`{"a":{"b":[null]}}`, `[[]]`, `[null,1,"x",true]`, `true`, `-1`, `1.5`, `1e999`, `99999999999999999999`, `null`, `" "`, `"\u0000"`,
	`"%s%d☃"`, `"'; DROP TABLE messages; --"`, `"2026-13-45 99:99"`, `"` + strings.Repeat("9", 400) + `"`, `"` + strings.Repeat("é", 5000) + `"`,
}

// TestOddArguments gives each argument of each call values that it cannot have. Whatever becomes of it, it is no fault of the server, and what is said of it
// is for the caller; the rest is in server.check.
func TestOddArguments(t *testing.T) {
	s, mine := trial(t)
	tried := 0
	calls(t, s, mine, func(pattern string, q ask) {
		op := s.document.Operations()[strings.Replace(q.method, "HEAD", "GET", 1)+" "+pattern]
		if q.method == http.MethodHead {
			return // as GET
		}
		s, _ := trial(t) // what earlier calls have changed would hide refusals
		path := q.path
		for _, name := range argumentNames(op) {
			for _, odd := range oddValues {
				tried++
				q.path, q.body = path, ""
				if q.method == http.MethodPost {
					q.body = withArgument(t, pattern, mine, name, odd)
				} else {
					form := asForm(t, map[string]any{name: strings.Trim(odd, `"`)}, "")
					q.path += "?" + form.Encode() + strings.Replace(queryOf(pattern), "?", "&", 1)
					if q.method == http.MethodDelete {
						q.body = `{"` + name + `":` + odd + `}`
					}
				}
				if r := s.do(q); r.status >= 500 || r.status/100 == 3 {
					t.Errorf("%s %s with %q: %.60s: %d %s", q.method, pattern, name, odd, r.status, r.text)
				}
			}
		}
	})
	if tried < 3000 {
		t.Errorf("only %d", tried)
	}
}

// withArgument is the body of a call's writing with one argument in another way.
func withArgument(t *testing.T, pattern string, mine belongings, name, odd string) string {
	t.Helper()
	args := map[string]any{}
	for i := range writings {
		if writings[i].call == "POST "+pattern {
			args = writings[i].arguments(t, mine)
		}
	}
	delete(args, name)
	text := asJSON(t, args)
	return strings.Replace(text[:len(text)-1]+`,"`+name+`":`+odd+"}", "{,", "{", 1)
}

// TestUnknownPaths: what is no path of the API is 404, in the same form, before credentials are looked at.
func TestUnknownPaths(t *testing.T) {
	s, of := walled(t)
	var first string
	try := func(path string) {
		for _, method := range []string{"GET", "POST", "DELETE", "PUT", "OPTIONS"} {
			for _, anonymous := range []bool{false, true} {
				r := s.do(ask{method: method, path: path, anonymous: anonymous, body: argumentsOfAll})
				s.refused(r, http.StatusNotFound, "not found")
				if first == "" {
					first = said(r)
				} else if said(r) != first {
					t.Errorf("%s %s: %s, want %s", method, path, said(r), first)
				}
			}
		}
	}
	s.walk(func(pattern, method string) {
		if method == http.MethodGet || method == http.MethodPost {
			path := of[mainID].fill(pattern, mainID)
			try("/x" + path)
			try(strings.Replace(path, "/v1/", "/v2/", 1))
			try(strings.Replace(path, "/v1/", "/v1/x/", 1))
			try(path + "x/y/z/x/y/z/x/y/z/")
		}
	})
	for _, path := range []string{"/", "//", "/v1", "/v1/", "/v1/Account", "/v1/Number/", "/v1/Account/" + string(mainID) + "/Endpoint/", "/v1/Account/" + string(mainID) + "/Call/"} {
		try(path)
	}
}

// reads calls fn for every read of the table that the OpenAPI document has arguments for.
func (s *server) reads(mine belongings, fn func(path, query string, op *openapi3.Operation)) {
	s.walk(func(pattern, method string) {
		if method == http.MethodGet {
			fn(mine.fill(pattern, mainID), queryOf(pattern)+"&", s.document.Operations()["GET "+pattern])
		}
	})
}

// TestEveryWord: words by which reads are narrowed may come in any case.
func TestEveryWord(t *testing.T) {
	s, mine := trial(t)
	tried := 0
	s.reads(mine, func(path, query string, op *openapi3.Operation) {
		for _, p := range op.Parameters {
			if p.Value.In != openapi3.ParameterInQuery || p.Value.Schema == nil {
				continue
			}
			for _, word := range p.Value.Schema.Value.Enum {
				text, ok := word.(string)
				if !ok {
					continue
				}
				tried++
				asked := path + "?" + strings.TrimPrefix(query, "?") + p.Value.Name + "="
				want := s.do(ask{method: "GET", path: asked + text})
				if want.status != 200 && want.status != 404 { // what is there for one service is not for another
					t.Errorf("%s%s: %d %s", asked, text, want.status, want.text)
				}
				for _, other := range []string{strings.ToUpper(text), strings.ToLower(text), strings.ToUpper(text[:1]) + strings.ToLower(text[1:])} {
					if got := s.do(ask{method: "GET", path: asked + other}); said(got) != said(want) {
						t.Errorf("%s%s: %s, want %s", asked, other, said(got), said(want))
					}
				}
			}
		}
	})
	if tried < 30 {
		t.Errorf("only %d words", tried)
	}
}

// TestEveryList: all lists have pages of 1 to 20, whose links lead through all of it with the filters kept, forth and back.
func TestEveryList(t *testing.T) {
	s, mine := trial(t)
	lists, longer := 0, 0
	s.reads(mine, func(path, query string, op *openapi3.Operation) {
		if op.Parameters.GetByInAndName(openapi3.ParameterInQuery, "limit") == nil {
			return
		}
		lists++
		first := path + "?" + strings.TrimPrefix(query, "?")
		for _, page := range []string{"limit=0", "limit=21", "limit=-1", "limit=x", "limit=1.5", "offset=-1", "offset=x", "limit=100&offset=0"} {
			if r := s.do(ask{method: "GET", path: first + page}); r.status != 400 || !strings.Contains(r.text, " must be a whole number from ") {
				t.Errorf("%s%s: %d %s", first, page, r.status, r.text)
			}
		}
		for _, page := range []string{"", "limit=", "limit=20", "limit=20&offset=0", "limit=20.0", "limit=1&limit=20"} {
			meta := s.ok(s.do(ask{method: "GET", path: first + page}), 200).body["meta"].(map[string]any)
			if meta["limit"] != 20.0 || meta["offset"] != 0.0 {
				t.Errorf("%s%s: %v", first, page, meta)
			}
		}
		total, seen := 0.0, 0
		for next, back := first+"limit=1&x=y+z%26", ""; next != ""; {
			r := s.ok(s.do(ask{method: "GET", path: next}), 200)
			meta := r.body["meta"].(map[string]any)
			if total, seen = meta["total_count"].(float64), seen+1; meta["limit"] != 1.0 || meta["offset"] != float64(seen-1) {
				t.Fatalf("%s: %v", next, meta)
			}
			if previous, _ := meta["previous"].(string); (previous != "") != (back != "") {
				t.Errorf("%s: previous is %q", next, previous)
			} else if back != "" {
				again := s.ok(s.do(ask{method: "GET", path: previous}), 200)
				if again.body["meta"].(map[string]any)["offset"] != float64(seen-2) {
					t.Errorf("%s leads to %v", previous, again.body["meta"])
				}
			}
			back = next
			next, _ = meta["next"].(string)
			if next != "" && (!strings.HasPrefix(next, "/v1/Account/"+string(mainID)+"/") || !strings.Contains(next, "x=y+z%26")) {
				t.Errorf("%s leads to %s", back, next)
			}
		}
		if seen != max(1, int(total)) {
			t.Errorf("%s: %d pages of %v", path, seen, total)
		}
		if seen > 1 {
			longer++
		}
	})
	if lists < 12 || longer < 4 {
		t.Errorf("%d lists, %d of them of several pages", lists, longer)
	}
}
