package plivo

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/heliograph/heliograph/internal/gateway"
	"github.com/heliograph/heliograph/internal/mt"
)

const (
	messagePath = mainPath + "/Message/"
	aPowerpack  = "86bbb125-97bb-4d72-89fd-81d5c515b015"
)

// allArguments is the call that everything else serves, with every argument but src.
var allArguments = map[string]string{
	"powerpack_uuid": aPowerpack, "dst": "14152223333", "text": "Grüße", "type": "mms", "media_urls": "https://media.example/a.gif",
	"url": "http://foo.example/sms_status/", "method": "GET", "log": "false", "trackable": "true", "message_expiry": "60",
}

func wantAll() *mt.Request {
	powerpack, _ := gateway.ParseID(aPowerpack)
	return &mt.Request{
		Account: mainID, Powerpack: powerpack, To: []gateway.Destination{{Number: "14152223333", Country: "US", Region: "CA", AreaCode: "415"}},
		Service: gateway.MMS, Text: "Grüße", MediaURLs: []string{"https://media.example/a.gif"},
		Callback: gateway.Callback{URL: "http://foo.example/sms_status/", Method: "GET"}, Log: gateway.LogNothing, Trackable: true,
		Expiry: time.Minute, Requester: "192.0.2.1", ReceivedAt: start,
	}
}

// TestForms sends the same call in every form that clients use.
func TestForms(t *testing.T) {
	form := url.Values{}
	var multi bytes.Buffer
	writer := multipart.NewWriter(&multi)
	for name, text := range allArguments {
		form.Set(name, text)
		if err := writer.WriteField(name, text); err != nil {
			t.Fatal(err)
		}
	}
	file, err := writer.CreateFormFile("file", "x.bin")
	if err != nil {
		t.Fatal(err)
	}
	_, _ = file.Write([]byte{0xff, 0})
	_ = writer.Close()
	const formType = "application/x-www-form-urlencoded"
	json := `{"powerpack_uuid":"` + aPowerpack + `","dst":14152223333,"text":"Gr\u00fc\u00dfe","type":"MMS","media_urls":["https://media.example/a.gif"],` +
		`"url":" http://foo.example/sms_status/ ","method":"get","log":false,"trackable":true,"message_expiry":60.0,"src":null,"media_ids":[],` +
		`"dlt_entity_id":"","powerpackUUID":"x","unknown":{"deep":[1,2]}}`
	for _, test := range []struct{ name, contentType, body string }{
		{"json", "application/json", json},
		{"json with parameters", "application/json; charset=utf-8", "\ufeff " + json},
		{"json without a type", "", json},
		{"json called a form, as curl does", formType, json},
		{"last one wins", "application/json", `{"dst":"1",` + json[1:]},
		{"strings", "application/json", strings.NewReplacer(":false", `:"False"`, "trackable\":true", "trackable\":\"1\"", "60.0", `"60"`, `["https://media.example/a.gif"]`, `"https%3A%2F%2Fmedia.example%2Fa.gif"`).Replace(json)},
		{"form", formType, form.Encode()},
		{"form without a type", "", form.Encode()},
		{"form with brackets", formType, strings.Replace(form.Encode(), "media_urls", "media_urls%5B0%5D", 1)},
		{"multipart", writer.FormDataContentType(), multi.String()},
	} {
		s := newServer(t)
		r := s.do(ask{method: "POST", path: messagePath, body: test.body, header: map[string]string{"Content-Type": test.contentType}})
		if s.ok(r, 202); r.string("message") != "message(s) queued" {
			t.Errorf("%s: %s", test.name, r.text)
		}
		got, want := *s.last(), wantAll()
		if got.ID.String() != r.string("api_id") {
			t.Errorf("%s: request %s, api_id %s", test.name, got.ID, r.string("api_id"))
		}
		got.ID = gateway.ID{}
		if diff := cmp.Diff(want, &got); diff != "" {
			t.Errorf("%s: %s", test.name, diff)
		}
	}
}

func TestBrokenForms(t *testing.T) {
	s := newServer(t)
	multi := map[string]string{"Content-Type": "multipart/form-data; boundary=x"}
	for _, body := range []string{"x", "--x\r\nContent-Disposition: form-data; name=\"dst\"\r\n\r\n1", "--x\r\nbroken\r\n\r\n1\r\n--x--\r\n"} {
		s.refused(s.do(ask{method: "POST", path: messagePath, body: body, header: multi}), 400, "invalid multipart form")
	}
	body := "--x\r\nContent-Disposition: form-data; name=\"text\"\r\n\r\n\xff\r\n--x--\r\n"
	s.refused(s.do(ask{method: "POST", path: messagePath, body: body, header: multi}), 400, "invalid form: not UTF-8")
}

// sendable is a message that is taken; tests change it.
var sendable = map[string]any{"src": `"+1 (415) 555-0100"`, "dst": `"14152223333"`, "text": `"hi"`}

func with(changes ...string) string {
	args := maps.Clone(sendable)
	for i := 0; i < len(changes); i += 2 {
		args[changes[i]] = changes[i+1]
		if changes[i+1] == "" {
			delete(args, changes[i])
		}
	}
	var parts []string
	for name, text := range args {
		parts = append(parts, fmt.Sprintf("%q:%s", name, text))
	}
	return "{" + strings.Join(parts, ",") + "}"
}

// TestNumbersAsTexts: a number in the place of a text is its digits.
func TestNumbersAsTexts(t *testing.T) {
	for text, want := range map[string]string{`1234`: "1234", `-5`: "-5", `007`: "", `12.50`: "12.50", `1.4152223333e10`: "14152223333", `1.5e300`: "", `true`: "true"} {
		s := newServer(t)
		s.do(ask{method: "POST", path: messagePath, body: with("text", text)})
		got := ""
		if len(s.requests) > 0 {
			got = s.last().Text
		}
		if got != want {
			t.Errorf("%s was taken as %q, want %q", text, got, want)
		}
	}
}

// TestFormsByHand: forms that people write without escaping them say what they meant.
func TestFormsByHand(t *testing.T) {
	for text, want := range map[string]string{
		"Your code is 1234; reply STOP": "Your code is 1234; reply STOP", "100% off": "100% off", "a+b%20c%": "a b c%", "%4": "%4", "%e2%82%ac": "€",
	} {
		s := newServer(t)
		s.do(ask{method: "POST", path: messagePath, body: "src=14155550100&dst=14152223333&text=" + text})
		if len(s.requests) != 1 || s.requests[0].Text != want {
			t.Errorf("%q was taken as %+v", text, s.requests)
		}
	}
}

func TestMMSDestinations(t *testing.T) {
	s := newServer(t)
	s.refused(s.do(ask{method: "POST", path: messagePath, body: `{"src":"14155550100","dst":"442071838750","text":"x","type":"mms"}`}), 400,
		"MMS is not supported to destinations outside the US and Canada")
	if r := s.do(ask{method: "POST", path: messagePath, body: `{"src":"14155550100","dst":"17875550123<14165550123","text":"x","type":"mms"}`}); r.status != 202 {
		t.Errorf("Puerto Rico and Canada: %d %s", r.status, r.text)
	}
}

func quoted(text string) string { return fmt.Sprintf("%q", text) }

func TestRefusals(t *testing.T) {
	s := newServer(t)
	s.accept = func(*mt.Request) (gateway.Acceptance, error) { return gateway.Acceptance{}, nil }
	manyURLs := strings.Repeat(`"https://a.example/x",`, 10) + `"https://a.example/x"`
	for _, test := range []struct {
		body   string
		status int
		text   string
	}{
		{"{", 400, "invalid json"},
		{"[]", 400, "invalid json: the body must be an object"},
		{"7", 400, "invalid json: the body must be an object"},
		{`"src=1"`, 400, "invalid json: the body must be an object"},
		{"true", 400, "invalid json: the body must be an object"},
		{`{"text":"` + "\xff" + `"}`, 400, "invalid json: not UTF-8"},
		{`{"text":"\ud800"}`, 400, "invalid json: not UTF-8"},
		{`{"a":` + strings.Repeat("[", 50) + strings.Repeat("]", 50) + "}", 400, "invalid json: nested too deeply"},
		{"text=%ff", 400, "invalid form: not UTF-8"},
		{strings.Repeat("a=&", maxValues) + "b=", 400, "invalid form: too many values"},
		{"null", 400, "Specify either powerpack_uuid or src in request params to send a message"},
		{`""`, 400, "Specify either powerpack_uuid or src in request params to send a message"},
		{"", 400, "Specify either powerpack_uuid or src in request params to send a message"},
		{with("src", ""), 400, "Specify either powerpack_uuid or src in request params to send a message"},
		{with("src", `""`), 400, "Specify either powerpack_uuid or src in request params to send a message"},
		{with("powerpack_uuid", quoted(aPowerpack)), 400, "Both powerpack_uuid and src cannot be specified. Specify either powerpack_uuid or src in request params to send a message"},
		{with("src", "", "powerpack_uuid", `"x"`), 404, "not found"},
		{with("src", `{}`), 400, "src must be a string"},
		{with("src", `"???"`), 400, "src must be a phone number of at most 14 digits, a short code, or at most 11 letters and digits"},
		{with("src", `"141555501001234"`), 400, "src must be a phone number of at most 14 digits, a short code, or at most 11 letters and digits"},
		{with("src", `"Abcdefghijkl"`), 400, "src must be a phone number of at most 14 digits, a short code, or at most 11 letters and digits"},
		{with("src", `14155550100e4`), 400, "src must be a phone number of at most 14 digits, a short code, or at most 11 letters and digits"},
		{with("src", `1e999999999`), 400, "src must be a string"},
		{with("src", `1.5`), 400, "src must be a phone number of at most 14 digits, a short code, or at most 11 letters and digits"},
		{with("dst", ""), 400, "dst parameter not present"},
		{with("dst", "null"), 400, "dst parameter not present"},
		{with("dst", `" < "`), 400, "dst parameter not present"},
		{with("dst", `{"x":1}`), 400, "dst must be a list of strings"},
		{with("dst", `"1111111"`), 400, "'1111111' is not a valid phone number."},
		{with("dst", `"+1 11-11.1 1"`), 400, "'1111111' is not a valid phone number."},
		{with("dst", `"12<34"`), 400, "'12' is not a valid phone number."},
		{with("dst", `"<script>"`), 400, "'script>' is not a valid phone number."},
		{with("dst", quoted(strings.Repeat("é", 100))), 400, "'" + strings.Repeat("é", 64) + "…' is not a valid phone number."},
		{with("dst", `"14155550100"`), 400, "dst is identical to src"},
		{with("dst", `"14152223333<+14155550100"`), 400, "dst is identical to src"},
		{with("dst", quoted(strings.Repeat("14152223333<", 1001))), 400, "dst has more than 1000 destinations"},
		{with("text", ""), 400, "text parameter not present"},
		{with("text", `["x"]`), 400, "text must be a string"},
		{with("text", quoted(strings.Repeat("x", 1601))), 400, "text is too long: 1601 characters of the GSM alphabet, at most 1600 are allowed"},
		{with("text", quoted(strings.Repeat("x", 1599)+"€")), 400, "text is too long: 1601 characters of the GSM alphabet, at most 1600 are allowed"},
		{with("text", quoted(strings.Repeat("я", 738))), 400, "text is too long: 738 Unicode characters, at most 737 are allowed"},
		{with("text", quoted(strings.Repeat("👋", 369))), 400, "text is too long: 738 Unicode characters, at most 737 are allowed"},
		{with("type", `"fax"`), 400, "type must be sms or mms"},
		{with("type", `"whatsapp"`), 400, "type whatsapp is not supported by this server"},
		{with("template", `{"name":"t"}`), 400, "template is for type whatsapp, which is not supported by this server"},
		{with("type", `" WhatsApp"`), 400, "type whatsapp is not supported by this server"},
		{with("type", `"WHATSAPP"`, "text", "", "template", `{"name":"t"}`), 400, "type whatsapp is not supported by this server"},
		{with("interactive", `{"type":"button"}`, "text", ""), 400, "interactive is for type whatsapp, which is not supported by this server"},
		{with("template", "null", "interactive", `""`, "location", `[]`, "type", `"whatsapp"`), 400, "type whatsapp is not supported by this server"},
		{"src=14155550100&dst=14152223333&template=%7B%22name%22%3A%22t%22%7D", 400, "template is for type whatsapp, which is not supported by this server"},
		{with("location", `{}`), 400, "location is for type whatsapp, which is not supported by this server"},
		{with("url", `"foo.example/x"`), 400, "url must be an absolute http or https URL"},
		{with("url", `"ftp://foo.example/x"`), 400, "url must be an absolute http or https URL"},
		{with("url", `"http:///x"`), 400, "url must be an absolute http or https URL"},
		{with("url", `"http://:80/x"`), 400, "url must be an absolute http or https URL"},
		{with("url", `"http:foo"`), 400, "url must be an absolute http or https URL"},
		{with("url", `"http://foo.example/?a b"`), 400, "url must be an absolute http or https URL"},
		{with("url", `"http://foo.example/?a\u0000b"`), 400, "url must be an absolute http or https URL"},
		{with("url", `"http://foo.example:99999/"`), 400, "url must be an absolute http or https URL"},
		{with("url", `"http://foo.example:0/"`), 400, "url must be an absolute http or https URL"},
		{with("url", `"http://foo.example/%zz"`), 400, "url must be an absolute http or https URL"},
		{with("url", `"javascript:alert(1)"`), 400, "url must be an absolute http or https URL"},
		{with("url", quoted("http://a.example/"+strings.Repeat("x", 2048))), 400, "url must be an absolute http or https URL"},
		{with("method", `"PUT"`), 400, "method must be GET or POST"},
		{with("log", `"maybe"`), 400, "log must be true, false, content_only or number_only"},
		{with("log", `[]`, "trackable", `"x"`), 400, "trackable must be true or false"},
		{with("log", `{}`), 400, "log must be true, false, content_only or number_only"},
		{with("log", `2`), 400, "log must be true, false, content_only or number_only"},
		{with("message_expiry", `4`), 400, "message_expiry must be a whole number from 5 to 10799"},
		{with("message_expiry", `"10800"`), 400, "message_expiry must be a whole number from 5 to 10799"},
		{with("message_expiry", `1e999999999`), 400, "message_expiry must be a whole number from 5 to 10799"},
		{with("message_expiry", `9.5`), 400, "message_expiry must be a whole number from 5 to 10799"},
		{with("message_expiry", `"0x10"`), 400, "message_expiry must be a whole number from 5 to 10799"},
		{with("message_expiry", `true`), 400, "message_expiry must be a whole number from 5 to 10799"},
		{with("type", `"mms"`, "text", ""), 400, "an mms needs text, media_urls or media_ids"},
		{with("type", `"mms"`, "text", quoted(strings.Repeat("я", 1601))), 400, "text is too long: 1601 characters, at most 1600 are allowed"},
		{with("type", `"mms"`, "media_urls", "["+manyURLs+"]"), 400, "media_urls and media_ids name 11 media, at most 10 are allowed"},
		{with("type", `"mms"`, "media_urls", `"a.gif"`), 400, "media_urls must be absolute http or https URLs"},
		{with("type", `"mms"`, "media_urls", `[{}]`), 400, "media_urls must be a list of strings"},
		{with("type", `"mms"`, "media_ids", `"x"`), 400, "media_ids must be ids given by the Media API"},
		{with("dlt_template_category", `"other"`), 400, "dlt_template_category must be one of transactional, promotional, service_implicit, service_explicit"},
		{with("dlt_entity_id", quoted(strings.Repeat("1", 65))), 400, "dlt_entity_id is too long"},
	} {
		s.t = t
		r := s.do(ask{method: "POST", path: messagePath, body: test.body})
		if r.status != test.status || r.string("error") != test.text || len(r.body) != 2 {
			t.Errorf("%.120s\n got %d %s\nwant %d %s", test.body, r.status, r.text, test.status, test.text)
		}
	}
}

func TestLengths(t *testing.T) {
	s := newServer(t)
	for _, text := range []string{
		strings.Repeat("x", 1600), strings.Repeat("€", 800), strings.Repeat("я", 737), strings.Repeat("👋", 368) + "я", "\x00\x01\x7f", "\n\r\f", " ", "\u2028",
	} {
		s.ok(s.do(ask{method: "POST", path: messagePath, body: "{" + `"src":"1415","dst":"14152223333","text":` + jsonText(text) + "}"}), 202)
		if got := s.last().Text; got != text {
			t.Errorf("%q became %q", text, got)
		}
	}
	s.ok(s.do(ask{method: "POST", path: messagePath, body: with("type", `"mms"`, "text", quoted(strings.Repeat("я", 1600)))}), 202)
}

// jsonText writes a JSON string with every control character escaped.
func jsonText(text string) string {
	var b strings.Builder
	for _, r := range text {
		if r < ' ' || r == '"' || r == '\\' {
			fmt.Fprintf(&b, `\u%04x`, r)
			continue
		}
		b.WriteRune(r)
	}
	return `"` + b.String() + `"`
}

func TestSeveralDestinations(t *testing.T) {
	s := newServer(t)
	r := s.ok(s.do(ask{method: "POST", path: messagePath, body: with("dst", `"14152223333< +1 (212) 555-2368 <1234<14152223333<"`)}), 202)
	if got := len(r.body["message_uuid"].([]any)); got != 3 {
		t.Errorf("%d messages", got)
	}
	if got := fmt.Sprint(r.body["invalid_number"]); got != "[1234]" {
		t.Errorf("invalid_number %s", got)
	}
	var numbers []string
	for _, to := range s.last().To {
		numbers = append(numbers, to.Number)
	}
	if want := []string{"14152223333", "12125552368", "14152223333"}; !cmp.Equal(numbers, want) {
		t.Errorf("to %v, want %v", numbers, want)
	}
	s.ok(s.do(ask{method: "POST", path: messagePath, body: with("dst", `["14152223333",12125552368]`)}), 202)
	if got := len(s.last().To); got != 2 {
		t.Errorf("%d destinations of an array", got)
	}
	s.ok(s.do(ask{method: "POST", path: messagePath, body: with("dst", quoted(strings.Repeat("14152223333<", 1000)))}), 202)
}

// TestSendTime: the answer says when the last of its messages leaves, if that is known of any.
func TestSendTime(t *testing.T) {
	berlin := time.FixedZone("x", 3600)
	for _, test := range []struct {
		sendAt []time.Time
		want   string
	}{
		{nil, ""}, // a repeated request
		{[]time.Time{{}, {}}, ""},
		{[]time.Time{start}, "2026-03-04T05:06:07.123Z"},
		{[]time.Time{start, start.Add(time.Minute).In(berlin), {}, start.Add(time.Second)}, "2026-03-04T05:07:07.123Z"},
		{[]time.Time{start.Truncate(time.Second)}, "2026-03-04T05:06:07.000Z"},
	} {
		s := newServer(t)
		s.accept = func(req *mt.Request) (gateway.Acceptance, error) {
			return gateway.Acceptance{RequestID: req.ID, Messages: []gateway.ID{req.ID}, SendAt: test.sendAt}, nil
		}
		r := s.ok(s.do(ask{method: "POST", path: messagePath, body: with()}), 202)
		values := r.header.Values("X-Estimated-Send-Time")
		if got := strings.Join(values, ","); got != test.want || len(values) > 1 {
			t.Errorf("%v: %q, want %q", test.sendAt, values, test.want)
		}
	}
	s := newServer(t)
	if r := s.do(ask{method: "POST", path: messagePath, body: with("dst", "")}); r.header.Get("X-Estimated-Send-Time") != "" {
		t.Errorf("a refusal has %v", r.header)
	}
}

func TestOptions(t *testing.T) {
	for body, check := range map[string]func(*mt.Request) bool{
		with(): func(r *mt.Request) bool {
			return r.Source == "14155550100" && r.Log == gateway.LogAll && r.Callback.URL == "" && r.Expiry == 0
		},
		with("src", `"HELLO-World"`, "dst", `"447700900123"`): func(r *mt.Request) bool { return r.Source == "HELLOWorld" && r.To[0].Country == "GB" },
		with("log", `"Content_Only"`):                         func(r *mt.Request) bool { return r.Log == gateway.LogContentOnly },
		with("log", `"number_only"`):                          func(r *mt.Request) bool { return r.Log == gateway.LogNumberOnly },
		with("log", `"TRUE"`):                                 func(r *mt.Request) bool { return r.Log == gateway.LogAll },
		with("log", `0`):                                      func(r *mt.Request) bool { return r.Log == gateway.LogNothing },
		with("trackable", `"0"`):                              func(r *mt.Request) bool { return !r.Trackable },
		with("text", `12345678901234567890`):                  func(r *mt.Request) bool { return r.Text == "12345678901234567890" },
		with("message_expiry", `"10799"`):                     func(r *mt.Request) bool { return r.Expiry == gateway.MaxExpiry },
		with("message_expiry", `5`):                           func(r *mt.Request) bool { return r.Expiry == gateway.MinExpiry },
		with("method", `"GET"`):                               func(r *mt.Request) bool { return r.Callback == gateway.Callback{} },
		with("url", `"https://u:p@foo.example:8443/x?a=b"`): func(r *mt.Request) bool {
			return r.Callback == gateway.Callback{URL: "https://u:p@foo.example:8443/x?a=b", Method: "POST"}
		},
		with("media_urls", `["https://a.example/x.gif"]`): func(r *mt.Request) bool { return r.Service == gateway.SMS && r.MediaURLs == nil },
		with("type", `"mms"`, "text", "", "media_urls", `"https://a.example/x?y=1,2,https%3a%2f%2fb.example%2fz, HTTP://c.example/"`): func(r *mt.Request) bool {
			return cmp.Equal(r.MediaURLs, []string{"https://a.example/x?y=1,2", "https://b.example/z", "HTTP://c.example/"})
		},
		with("type", `"mms"`, "media_ids", `"`+aPowerpack+`,`+aPowerpack+`"`): func(r *mt.Request) bool { return len(r.MediaIDs) == 2 },
		with("dlt_entity_id", `1101`, "dlt_template_id", `"t"`, "dlt_template_category", `"Promotional"`): func(r *mt.Request) bool {
			return r.DLT == gateway.DLT{EntityID: "1101", TemplateID: "t", TemplateCategory: "promotional"}
		},
	} {
		s := newServer(t)
		s.nameMedium(s.giveMedium(mainID, "a.png"), aPowerpack)
		r := s.do(ask{method: "POST", path: messagePath, body: body})
		if s.ok(r, 202); !check(s.last()) {
			t.Errorf("%s became %#v", body, s.last())
		}
	}
}

func TestIdempotencyKey(t *testing.T) {
	s := newServer(t)
	s.nameMedium(s.giveMedium(mainID, "a.png"), aPowerpack)
	send := func(key, body string) [32]byte {
		s.ok(s.do(ask{method: "POST", path: messagePath, body: body, header: map[string]string{"Idempotency-Key": key}}), 202)
		if got := s.last().Key; got != key {
			t.Fatalf("key %q became %q", key, got)
		}
		return s.last().BodyHash
	}
	first := send("k", `{"src":"14155550100","dst":"14152223333","text":"hi","trackable":false}`)
	if first == [32]byte{} {
		t.Error("no hash")
	}
	for _, same := range []string{
		"src=%2B14155550100&dst=14152223333&text=hi&unknown=1", `{"text":"\u0068i","dst":14152223333,"src":"14155550100","log":"true","type":"SMS"}`,
	} {
		if send("k", same) != first {
			t.Errorf("%s is not the same request", same)
		}
	}
	seen := map[[32]byte]string{first: "the first"}
	for _, other := range []string{
		with("text", `"ho"`), with("dst", `"14152223334"`), with("dst", `"14152223333<14152223333"`), with("dst", `"14152223333<1"`), with("src", `"14155550101"`),
		with("src", "", "powerpack_uuid", quoted(aPowerpack)), with("log", "false"), with("trackable", "true"), with("url", `"http://a.example/"`),
		with("url", `"http://a.example/"`, "method", `"GET"`), with("message_expiry", "60"), with("type", `"mms"`), with("dlt_entity_id", `"1"`), with("dlt_template_id", `"1"`),
		with("type", `"mms"`, "media_urls", `"http://a.example/"`), with("type", `"mms"`, "media_ids", quoted(aPowerpack)),
	} {
		hash := send("k", other)
		if before, ok := seen[hash]; ok {
			t.Errorf("%s has the hash of %s", other, before)
		}
		seen[hash] = other
	}
	send(strings.Repeat("k", 255), with())
	for _, key := range []string{"", "\x00", "ü", strings.Repeat("k", 256), "a\tb"} {
		r := s.do(ask{method: "POST", path: messagePath, body: with(), header: map[string]string{"Idempotency-Key": key}})
		s.refused(r, 400, "Idempotency-Key must be one value of 1 to 255 printable characters")
	}
	s.ok(s.do(ask{method: "POST", path: messagePath, body: with()}), 202)
	if s.last().BodyHash != [32]byte{} {
		t.Error("hashed without a key")
	}
	replayed := gateway.Acceptance{RequestID: s.last().ID, Messages: []gateway.ID{s.last().ID}}
	s.accept = func(*mt.Request) (gateway.Acceptance, error) { return replayed, nil }
	r := s.do(ask{method: "POST", path: messagePath, body: with(), header: map[string]string{"Idempotency-Key": "k"}})
	if s.ok(r, 202); r.string("api_id") != replayed.RequestID.String() {
		t.Errorf("api_id %s, want that of the first request", r.string("api_id"))
	}
}

func TestAcceptRefuses(t *testing.T) {
	for _, test := range []struct {
		err        error
		status     int
		text       string
		retryAfter bool
	}{
		{gateway.Errorf(gateway.Unavailable, "the disk is full"), 503, "the disk is full", true},
		{gateway.Errorf(gateway.TooMany, "too many requests"), 429, "too many requests", true},
		{gateway.Errorf(gateway.Conflict, "the key was used before"), 409, "the key was used before", false},
		{gateway.Errorf(gateway.NotFound, "powerpack x not found"), 404, "not found", false},
		{gateway.Errorf(gateway.Forbidden, "geo-permission"), 403, "geo-permission", false},
		{fmt.Errorf("wrapped: %w", gateway.Errorf(gateway.Invalid, "no")), 400, "no", false},
		{fmt.Errorf("the text was: hi"), 500, "internal server error", false},
	} {
		s := newServer(t)
		s.accept = func(*mt.Request) (gateway.Acceptance, error) { return gateway.Acceptance{}, test.err }
		r := s.do(ask{method: "POST", path: messagePath, body: with()})
		s.refused(r, test.status, test.text)
		if got := r.header.Get("Retry-After") != ""; got != test.retryAfter {
			t.Errorf("%v: Retry-After: %v", test.err, got)
		}
	}
}

func TestBodyTooLarge(t *testing.T) {
	s := newServer(t)
	body := `{"src":"14155550100","dst":"14152223333","text":"` + strings.Repeat("x", 3<<20) + `"}`
	s.refused(s.do(ask{method: "POST", path: messagePath, body: body}), 413, "the request body is too large")
	unsized := httptest.NewRequest("POST", "http://api.test"+messagePath, struct{ *strings.Reader }{strings.NewReader(body)})
	unsized.ContentLength = -1
	unsized.SetBasicAuth(string(mainID), tokenOf(mainID))
	s.refused(s.send(unsized), 413, "the request body is too large")
	exact := `{"src":"14155550100","dst":"14152223333","text":"x"}`
	s.ok(s.do(ask{method: "POST", path: messagePath, body: exact + strings.Repeat(" ", DefaultMaxBody-len(exact))}), 202)
	s.refused(s.do(ask{method: "POST", path: messagePath, body: exact + strings.Repeat(" ", DefaultMaxBody-len(exact)+1)}), 413, "the request body is too large")
}

func BenchmarkCreateMessage(b *testing.B) {
	s := newServer(b)
	body := `{"powerpack_uuid":"` + aPowerpack + `","dst":"14152223333","text":"your code is 123456","type":"sms","url":"http://foo.example/sms_status/",` +
		`"method":"POST","log":"true","trackable":"false"}`
	req := httptest.NewRequest("POST", "http://api.test"+messagePath, nil)
	req.Header["Content-Type"] = []string{"application/json"}
	req.SetBasicAuth(string(mainID), tokenOf(mainID))
	req.ContentLength = int64(len(body))
	reader := strings.NewReader(body)
	req.Body = io.NopCloser(reader)
	w := &discarding{header: http.Header{}}
	b.ReportAllocs()
	for b.Loop() {
		reader.Reset(body)
		clear(w.header)
		if s.handler.ServeHTTP(w, req); w.status != 202 {
			b.Fatal(w.status)
		}
		s.requests = s.requests[:0]
	}
}

// discarding is an answer that nobody reads.
type discarding struct {
	header http.Header
	status int
}

func (d *discarding) Header() http.Header         { return d.header }
func (d *discarding) WriteHeader(status int)      { d.status = status }
func (d *discarding) Write(b []byte) (int, error) { return len(b), nil }
