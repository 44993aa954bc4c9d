package plivo

import (
	"encoding/json"
	"errors"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestParseJSON(t *testing.T) {
	for input, want := range map[string]error{
		`{}`: nil, ` { "a" : [ 1 , -0.5e+10 , "x" , true , false , null , {} ] } `: nil,
		"\"\\ud83d\\ude00 \\u00e9 \\\" \\\\ \\/ \\b\\f\\n\\r\\t\"": nil, "1e999999999": nil, `"` + strings.Repeat("é", 5000) + `"`: nil,
		``: errJSON, `{`: errJSON, `{"a"}`: errJSON, `{"a":}`: errJSON, `{"a":1,}`: errJSON, `[1,]`: errJSON, `[1 2]`: errJSON, `{'a':1}`: errJSON,
		`{"a":1}}`: errJSON, `01`: errJSON, `1.`: errJSON, `-`: errJSON, `1e`: errJSON, `.5`: errJSON, `+1`: errJSON, `nul`: errJSON, `truefalse`: errJSON,
		"\"a\nb\"": errJSON, "\"\x00\"": errJSON, `"\x41"`: errJSON, `"\u12g4"`: errJSON, `"\u12`: errJSON, `"\`: errJSON, `"abc`: errJSON, `NaN`: errJSON,
		"\"\xff\"": errJSONUTF8, "{\"a\xc0\":1}": errJSONUTF8, "\"\xed\xa0\x80\"": errJSONUTF8,
		`"\ud83d"`: errJSONUTF8, `"\ude00\ud83d"`: errJSONUTF8, `"\ud83dx"`: errJSONUTF8, `"\ud83d\u0041"`: errJSONUTF8,
		strings.Repeat("[", maxDepth) + strings.Repeat("]", maxDepth):     nil,
		strings.Repeat("[", maxDepth+2) + strings.Repeat("]", maxDepth+2): errJSONDeep,
		strings.Repeat("[", 1_000_000):                                    errJSONDeep,
		strings.Repeat(`{"a":`, 100_000):                                  errJSONDeep,
		"[" + strings.Repeat("0,", maxValues) + "0]":                      errJSONValues,
	} {
		if _, err := parseJSON(input); !errors.Is(err, want) {
			t.Errorf("%.60q: %v, want %v", input, err, want)
		}
	}
}

// plain makes a value into what encoding/json gives with UseNumber.
func plain(v value) any {
	switch v.kind {
	case isText:
		return v.text
	case isNumber:
		return json.Number(v.text)
	case isBool:
		return v.text == "true"
	case isList:
		list := []any{}
		for _, item := range v.list {
			list = append(list, plain(item))
		}
		return list
	case isObject:
		object := map[string]any{}
		for _, m := range v.members {
			object[m.name] = plain(m.value)
		}
		return object
	}
	return nil
}

// FuzzJSON holds the reader against encoding/json: it takes and understands the same, but for what it refuses on purpose.
func FuzzJSON(f *testing.F) {
	for _, seed := range []string{
		`{"src":"1","dst":"2","media_urls":["a","b"],"trackable":false,"n":null,"x":{"y":[1.5e3]}}`, `"\ud83d\ude00"`, `[1,2,{"a":""}]`, `{"a":1,"a":2}`, "\"\u2028\"", `-0`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, input string) {
		v, err := parseJSON(input)
		var want any
		decoder := json.NewDecoder(strings.NewReader(input))
		decoder.UseNumber()
		valid := json.Valid([]byte(input)) && decoder.Decode(&want) == nil
		switch {
		case errors.Is(err, errJSON) && valid:
			t.Fatalf("refused: %q", input)
		case err == nil && !valid:
			t.Fatalf("taken: %q", input)
		case err == nil && !reflect.DeepEqual(plain(v), want):
			t.Fatalf("%q: %#v, want %#v", input, plain(v), want)
		case errors.Is(err, errJSONUTF8) && utf8.ValidString(input) && !strings.Contains(input, `\u`):
			t.Fatalf("refused as not UTF-8: %q", input)
		}
	})
}

func FuzzBody(f *testing.F) {
	f.Add("application/json", `{"src":"14155550100","dst":"14152223333","text":"x","log":"true","trackable":"False"}`)
	f.Add("application/x-www-form-urlencoded", "src=14155550100&dst=14152223333&text=a+b&media_urls[]=http://a/&media_urls[1]=b")
	f.Add("multipart/form-data; boundary=x", "--x\r\nContent-Disposition: form-data; name=\"dst\"\r\n\r\n1\r\n--x--\r\n")
	f.Add("", "null")
	s := newServer(f)
	f.Fuzz(func(t *testing.T, contentType, body string) {
		s.t, s.requests = t, nil
		r := s.do(ask{method: "POST", path: mainPath + "/Message/", body: body, header: map[string]string{"Content-Type": contentType}})
		if r.status != 202 && r.status != 400 && r.status != 404 {
			t.Errorf("%q: %d %s", body, r.status, r.text)
		}
		for _, req := range s.requests {
			if !utf8.ValidString(req.Text) || len(req.To) == 0 || (req.Source == "") == req.Powerpack.IsZero() {
				t.Errorf("%q was taken as %#v", body, req)
			}
		}
	})
}

func BenchmarkParseJSON(b *testing.B) {
	body := `{"powerpack_uuid":"86bbb125-97bb-4d72-89fd-81d5c515b015","dst":"14152223333","text":"your code is ` + strconv.Itoa(123456) +
		`","type":"sms","url":"http://foo.example/sms_status/","method":"POST","log":"true","trackable":"false"}`
	b.ReportAllocs()
	for b.Loop() {
		if _, err := parseJSON(body); err != nil {
			b.Fatal(err)
		}
	}
}
