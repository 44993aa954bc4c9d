package plivo

import (
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
)

// TestPaths holds the shapes that the official clients send, and some more.
func TestPaths(t *testing.T) {
	s := newServer(t)
	pool, pack := s.givePowerpack("main", "14155550100", "444444")
	message := s.giveMessage(nil)
	uuid := message.ID.String()
	for _, path := range []string{
		mainPath + "/Message/",
		mainPath + "/Message",
		mainPath + "//Message//",
		"//v1///Account//" + string(mainID) + "/Message/",
		"/v1/account/" + string(mainID) + "/message/",
		"/V1/ACCOUNT/" + string(mainID) + "/MESSAGE",
		mainPath + "/Message/" + uuid,
		mainPath + "/Message/" + strings.ToUpper(uuid) + "//",
		mainPath + "/Message/" + uuid + "/Media//",
		mainPath + "/Media",
		mainPath + "/Powerpack//",
		mainPath + "/Powerpack/" + pack + "//",
		mainPath + "/NumberPool/" + pool + "/Number//?limit=5",
		mainPath + "/NumberPool/" + pool + "/Number/?search=hack",
		mainPath + "/NumberPool/" + pool + "/Number/?%3Fsearch=hack",
		mainPath + "/NumberPool/" + pool + "/Number/?limit=5&?search=hack",
		mainPath + "/NumberPool/" + pool + "/Number/14155550100//",
		mainPath + "/NumberPool/" + pool + "/Number/+1-415-555-0100/",
		mainPath + "/NumberPool/" + pool + "/Shortcode/444444/&service=sms",
		mainPath + "/NumberPool/" + pool + "/Shortcode/444444/&service=sms/",
		mainPath + "/Powerpack/" + pack + "/Number/",
		mainPath + "/Powerpack/" + pack + "/Number/14155550100",
		mainPath + "//",
		"/v1/account/" + string(mainID),
	} {
		if r := s.do(ask{method: "GET", path: path}); r.status != 200 {
			t.Errorf("GET %s: %d %s", path, r.status, r.text)
		}
	}
	r := s.do(ask{method: "GET", path: mainPath + "/NumberPool/" + pool + "/Shortcode/444444/&service=mms"})
	s.refused(r, 404, "not found") // the query behind the & counts
	for _, path := range []string{
		"/v1/", "/v1/Account/", mainPath + "/Messages/", mainPath + "/Message/" + uuid + "/Medias/",
		mainPath + "/Message/" + uuid + "/x/y/z/", mainPath + "/../" + string(mainID) + "/Message/", "/v2/Account/" + string(mainID) + "/Message/",
		mainPath + "/Me\u017f\u017fage/", mainPath + "/&/Message/",
	} {
		s.refused(s.do(ask{method: "GET", path: strings.ReplaceAll(path, "\u017f", "%C5%BF")}), 404, "not found")
	}
}

func TestMethods(t *testing.T) {
	s := newServer(t)
	for _, test := range []struct{ method, path, allow string }{
		{"PUT", mainPath + "/Message/", "GET, POST"},
		{"DELETE", mainPath + "/Message/", "GET, POST"},
		{"PATCH", mainPath + "/Message/x/", "GET"},
		{"OPTIONS", mainPath + "/Powerpack/x/", "GET, POST, DELETE"},
		{"POST", mainPath + "/NumberPool/x/", "GET"},
	} {
		r := s.do(ask{method: test.method, path: test.path})
		s.refused(r, 405, "method not allowed")
		if got := r.header.Get("Allow"); got != test.allow {
			t.Errorf("%s %s: Allow %q, want %q", test.method, test.path, got, test.allow)
		}
	}
	if r := s.do(ask{method: "HEAD", path: mainPath + "/Message/"}); r.status != 200 {
		t.Errorf("HEAD: %d", r.status)
	}
}

func FuzzPath(f *testing.F) {
	for _, path := range []string{"/v1/Account/MA/Message/", "//a///b", "/x/&y=z", "/x/&y/z", "/a/b/c/d/e/f/g/h", "/&", "", "/a/&b/&c"} {
		f.Add(path)
	}
	handler := newServer(f).handler.(*API)
	f.Fuzz(func(t *testing.T, path string) {
		s := cutPath(path)
		list := s.list[:s.n]
		for _, segment := range list {
			if segment == "" || strings.Contains(segment, "/") {
				t.Errorf("segment %q of %q", segment, path)
			}
		}
		if !s.long {
			again := cutPath("//" + strings.Join(list, "//") + "//")
			if s.query == "" && !slices.Equal(again.list[:again.n], list) && !strings.Contains(path, "&") {
				t.Errorf("%q cut again: %q, %q", path, list, again.list[:again.n])
			}
		}
		req := httptest.NewRequest("GET", "http://api.test/", nil)
		req.URL.Path = path
		recorder := httptest.NewRecorder()
		handler.ServeHTTP(recorder, req)
		if code := recorder.Code; code != 404 && code != 401 {
			t.Errorf("%q: %d", path, code) // never a redirect, and nothing without credentials
		}
	})
}
