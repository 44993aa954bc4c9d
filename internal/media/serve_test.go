package media

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
)

// ask makes a request for a path.
func (s *shelf) ask(method, path string, header ...string) *httptest.ResponseRecorder {
	req := httptest.NewRequest(method, path, nil)
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	recorder := httptest.NewRecorder()
	s.ServeHTTP(recorder, req)
	for name, want := range map[string]string{
		"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "default-src 'none'; sandbox", "Referrer-Policy": "no-referrer",
	} {
		if got := recorder.Header().Get(name); got != want {
			s.t.Errorf("%s %s: %s is %q", method, path, name, got)
		}
	}
	return recorder
}

// addAs keeps a file under a name and a type.
func (s *shelf) addAs(name, kind, content string) gateway.Medium {
	s.t.Helper()
	m := s.add(content)
	row := &s.index.rows[len(s.index.rows)-1]
	row.Name, row.Type = name, kind
	m.Name, m.Type = name, kind
	return m
}

func TestServe(t *testing.T) {
	s := newShelf(t)
	for _, test := range []struct{ name, kind, disposition string }{
		{"a.png", "image/png", `inline; filename=a.png`},
		{"ä b.gif", "image/gif", `inline; filename*=utf-8''%C3%A4%20b.gif`},
		{`a"b\c.mp4`, "video/mp4", `inline; filename="a\"b\\c.mp4"`},
		{"a.mp3", "audio/mpeg", `inline; filename=a.mp3`},
		{"a.txt", "text/plain", `attachment; filename=a.txt`},
		{"a.pdf", "application/pdf", `attachment; filename=a.pdf`},
		{"a.vcf", "text/vcard", `attachment; filename=a.vcf`},
		{"a.svg", "image/svg+xml", `attachment; filename=a.svg`}, // were there ever one
		{"a.html", "text/html", `attachment; filename=a.html`},
	} {
		m := s.addAs(test.name, test.kind, "0123456789 "+test.name)
		r := s.ask("GET", s.Link(&m))
		for name, want := range map[string]string{
			"Content-Type": test.kind, "Content-Disposition": test.disposition, "ETag": `"` + m.Content.String() + `"`,
			"Cache-Control": "private, max-age=21600", "Last-Modified": "Wed, 04 Mar 2026 05:06:07 GMT", "Accept-Ranges": "bytes",
		} {
			if got := r.Header().Get(name); got != want {
				t.Errorf("%s: %s is %q, want %q", test.name, name, got, want)
			}
		}
		if r.Code != 200 || r.Body.String() != "0123456789 "+test.name {
			t.Errorf("%s: %d %s", test.name, r.Code, r.Body)
		}
	}
}

func TestServeParts(t *testing.T) {
	s := newShelf(t)
	m := s.add("0123456789")
	link, tag := s.Link(&m), `"`+m.Content.String()+`"`
	for _, test := range []struct {
		method string
		header []string
		status int
		body   string
	}{
		{"HEAD", nil, 200, ""},
		{"GET", []string{"Range", "bytes=2-4"}, 206, "234"},
		{"GET", []string{"Range", "bytes=-3"}, 206, "789"},
		{"GET", []string{"Range", "bytes=10-"}, 416, "invalid range: failed to overlap\n"},
		{"GET", []string{"Range", "bytes=2-4", "If-Range", `"other"`}, 200, "0123456789"},
		{"GET", []string{"If-None-Match", tag}, 304, ""},
		{"GET", []string{"If-Match", `"other"`}, 412, ""},
	} {
		if r := s.ask(test.method, link, test.header...); r.Code != test.status || r.Body.String() != test.body {
			t.Errorf("%s %v: %d %q, want %d %q", test.method, test.header, r.Code, r.Body, test.status, test.body)
		}
	}
	if got := s.ask("HEAD", link).Header().Get("Content-Length"); got != "10" {
		t.Errorf("HEAD says %q octets", got)
	}
}

func TestServeRefuses(t *testing.T) {
	s := newShelf(t)
	m, other := s.add("0123456789"), s.add("other")
	link := s.Link(&m)
	pieces := strings.Split(link, "/") // "", media, id, expiry.signature, name
	ends, signature, _ := strings.Cut(pieces[3], ".")
	with := func(id, token string) string { return "/media/" + id + "/" + token + "/a.txt" }
	flipped := "A" + signature[1:]
	if signature[0] == 'A' {
		flipped = "B" + signature[1:]
	}
	for _, path := range []string{
		"/media/", "/media/" + pieces[2], "/media/" + pieces[2] + "/", "/media/../media/x/y/z", "/other" + link, "/media/incoming/" + pieces[3] + "/x",
		with(other.ID.String(), pieces[3]), with(pieces[2], ends), with(pieces[2], ends+"."), with(pieces[2], ends+"."+flipped), with(pieces[2], signature),
		with(pieces[2], "9"+ends+"."+signature), with(pieces[2], "+"+ends+"."+signature), with(pieces[2], "0"+ends+"."+signature),
		with(pieces[2], ends+"."+signature[:42]), with(pieces[2], ends+"."+signature+"A"), with("x"+pieces[2][1:], pieces[3]),
	} {
		if r := s.ask("GET", path); r.Code != http.StatusNotFound || r.Body.String() != "not found\n" || r.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %d %s %v", path, r.Code, r.Body, r.Header())
		}
	}
	if r := s.ask("GET", with(strings.ToUpper(pieces[2]), pieces[3])); r.Code != 200 { // the same id
		t.Errorf("in capitals: %d", r.Code)
	}
	for _, method := range []string{"POST", "PUT", "DELETE", "OPTIONS"} {
		if r := s.ask(method, link); r.Code != http.StatusMethodNotAllowed || r.Header().Get("Allow") != "GET, HEAD" {
			t.Errorf("%s: %d %v", method, r.Code, r.Header())
		}
	}
	s.index.err = errors.New("no: secret")
	if r := s.ask("GET", link); r.Code != http.StatusServiceUnavailable || strings.Contains(r.Body.String(), "secret") || r.Header().Get("Retry-After") == "" {
		t.Errorf("without the rows: %d %s", r.Code, r.Body)
	}
	s.index.err = nil
	if err := os.Remove(s.files.path(m.Content)); err != nil {
		t.Fatal(err)
	}
	if r := s.ask("GET", link); r.Code != http.StatusNotFound || !strings.Contains(s.log.String(), m.ID.String()) {
		t.Errorf("without the file: %d; the log: %s", r.Code, s.log)
	}
	s.index.rows = s.index.rows[1:]
	if r := s.ask("GET", link); r.Code != http.StatusNotFound {
		t.Errorf("without the row: %d", r.Code)
	}
}

// TestLinksEnd: a link holds for its time, and no longer than its medium is there.
func TestLinksEnd(t *testing.T) {
	s := newShelf(t)
	m := s.add("0123456789")
	status := func(link string) int { return s.ask("GET", link).Code }
	unused := s.Link(&m)
	s.time = m.ExpiresAt.Add(-time.Second)
	if got := status(unused); got != 200 {
		t.Errorf("before its end: %d", got)
	}
	s.time = m.ExpiresAt
	if got := status(unused); got != http.StatusGone {
		t.Errorf("after its end: %d", got)
	}
	s.time = begin
	if _, err := s.Use(t.Context(), account, []gateway.ID{m.ID}); err != nil {
		t.Fatal(err)
	}
	m = s.index.rows[0]
	used := s.Link(&m)
	s.time = begin.Add(52 * time.Minute) // the hour is 05:06
	if again := s.Link(&m); again != used {
		t.Errorf("%s, and in the same hour %s", used, again)
	}
	s.time = begin.Add(DefaultLinked)
	if got := status(used); got != 200 {
		t.Errorf("after a day: %d", got)
	}
	s.time = begin.Add(DefaultLinked + linkStep)
	if got := status(used); got != http.StatusGone {
		t.Errorf("after a day and more: %d", got)
	}
	other, err := NewLinks([32]byte{8}, 0)
	if err != nil {
		t.Fatal(err)
	}
	if got := status(other.Path(&m, s.time)); got != http.StatusNotFound {
		t.Errorf("signed with another key: %d", got)
	}
}

// FuzzLink: only what was signed here is read, and it is read as it was signed.
func FuzzLink(f *testing.F) {
	links, err := NewLinks([32]byte{7}, 0)
	if err != nil {
		f.Fatal(err)
	}
	m := &gateway.Medium{ID: gateway.ID{1, 2, 3}, Name: "a/b?c#d e.txt", ExpiresAt: begin.AddDate(1, 0, 0)}
	good := links.Path(m, begin)
	f.Add(good)
	f.Add(good[:len(good)/2])
	f.Add("/media/" + m.ID.String() + "/1.x/y")
	f.Fuzz(func(t *testing.T, path string) {
		id, ends, ok := links.read(path)
		if !ok {
			return
		}
		signed := Prefix + id.String() + "/" + strings.Split(good, "/")[3]
		if id != m.ID || !strings.HasPrefix(strings.ToLower(path), strings.ToLower(signed)) || !ends.After(begin) {
			t.Errorf("%q was read as %s until %v", path, id, ends)
		}
	})
}
