package plivo

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/textproto"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/heliograph/heliograph/internal/gateway"
	"github.com/heliograph/heliograph/internal/media"
)

const mediaPath = mainPath + "/Media/"

// aPNG begins as every PNG does.
const aPNG = "\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00\x1f\x15\xc4\x89"

// filePart is a file of a form; field is "file" when it is empty.
type filePart struct{ field, name, kind, content string }

// uploadForm writes files as a form, and gives the header that goes with it.
func uploadForm(files ...filePart) (body string, header map[string]string) {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for _, f := range files {
		if f.field == "" {
			f.field = "file"
		}
		h := textproto.MIMEHeader{"Content-Disposition": {fmt.Sprintf(`form-data; name="%s"`, f.field)}}
		if f.name != "" {
			h["Content-Disposition"] = []string{fmt.Sprintf(`form-data; name="%s"; filename="%s"`, f.field, f.name)}
		}
		if f.kind != "" {
			h["Content-Type"] = []string{f.kind}
		}
		part, _ := w.CreatePart(h) // a buffer fails at nothing
		_, _ = io.WriteString(part, f.content)
	}
	_ = w.Close()
	return b.String(), map[string]string{"Content-Type": w.FormDataContentType()}
}

func (s *server) upload(files ...filePart) *reply {
	s.t.Helper()
	body, header := uploadForm(files...)
	return s.do(ask{method: "POST", path: mediaPath, body: body, header: header})
}

// objects are those of a list or an upload.
func (r *reply) objects() []map[string]any {
	var list []map[string]any
	all, _ := r.body["objects"].([]any)
	for _, object := range all {
		list = append(list, object.(map[string]any))
	}
	return list
}

// fetch asks for what a link leads to.
func (s *server) fetch(link string) *httptest.ResponseRecorder {
	s.t.Helper()
	u, err := url.Parse(link)
	if err != nil {
		s.t.Fatal(err)
	}
	recorder := httptest.NewRecorder()
	s.library.ServeHTTP(recorder, httptest.NewRequest("GET", u.RequestURI(), nil))
	return recorder
}

// onDisk counts files of the library: those that are kept, and those that are still on their way in.
func (s *server) onDisk() (kept, incoming int) {
	s.t.Helper()
	err := filepath.WalkDir(s.folder, func(path string, entry os.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			if filepath.Base(filepath.Dir(path)) == "incoming" {
				incoming++
			} else {
				kept++
			}
		}
		return err
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return kept, incoming
}

// TestMedia uploads files and reads, lists and fetches them.
func TestMedia(t *testing.T) {
	s := newServer(t)
	r := s.ok(s.upload(filePart{name: "ä b.png", kind: "image/png", content: aPNG}, filePart{name: "note.txt", content: "hello"}), 200)
	shown := r.objects()
	if len(shown) != 2 {
		t.Fatalf("%d objects for two files: %s", len(shown), r.text)
	}
	id, address := shown[0]["media_id"].(string), shown[0]["media_url"].(string)
	want := map[string]any{
		"content_type": "image/png", "file_name": "ä b.png", "media_id": id, "size": float64(len(aPNG)), "upload_time": "2026-03-04T05:06:07.123456Z",
		"url": address, "media_url": address, "status": "success", "status_code": 201.0,
	}
	if diff := cmp.Diff(want, shown[0]); diff != "" {
		t.Error(diff)
	}
	if !strings.HasPrefix(address, "http://api.test/media/"+id+"/") || !strings.HasSuffix(address, "/%C3%A4%20b.png") {
		t.Errorf("the link is %s", address)
	}
	if got := s.fetch(address); got.Code != 200 || got.Body.String() != aPNG || got.Header().Get("Content-Type") != "image/png" {
		t.Errorf("the link leads to %d %v", got.Code, got.Header())
	}
	delete(want, "status")
	delete(want, "status_code")
	r = s.ok(s.do(ask{method: "GET", path: mediaPath + id + "/"}), 200)
	want["api_id"] = r.string("api_id")
	if diff := cmp.Diff(want, r.body); diff != "" {
		t.Error(diff)
	}
	delete(want, "api_id")
	r = s.ok(s.do(ask{method: "GET", path: mediaPath + "?limit=1&offset=1"}), 200)
	if diff := cmp.Diff([]map[string]any{want}, r.objects()); diff != "" {
		t.Error(diff)
	}
	meta := map[string]any{"limit": 1.0, "offset": 1.0, "next": nil, "previous": mediaPath + "?limit=1&offset=0", "total_count": 2.0}
	if diff := cmp.Diff(meta, r.body["meta"]); diff != "" {
		t.Error(diff)
	}

	s.now = s.now.Add(media.DefaultUnused - time.Second)
	s.ok(s.do(ask{method: "GET", path: mediaPath + id + "/"}), 200)
	s.now = s.now.Add(time.Second) // nobody has used it
	s.refused(s.do(ask{method: "GET", path: mediaPath + id + "/"}), 404, "not found")
	if r := s.ok(s.do(ask{method: "GET", path: mediaPath}), 200); len(r.objects()) != 0 {
		t.Errorf("expired files are listed: %s", r.text)
	}
}

func TestMediaRefusals(t *testing.T) {
	s := newServer(t)
	for _, id := range []string{"x", madeUp.medium, strings.ToUpper(madeUp.medium), "../x"} {
		s.refused(s.do(ask{method: "GET", path: mediaPath + id}), 404, "not found")
	}
	s.refused(s.do(ask{method: "GET", path: mediaPath + "?limit=21"}), 400, "limit must be a whole number from 1 to 20")
	s.refused(s.do(ask{method: "DELETE", path: mediaPath + madeUp.medium}), 405, "method not allowed")

	whole, header := uploadForm(filePart{name: "a.png", content: aPNG}, filePart{name: "b.txt", content: strings.Repeat("b", 5000)})
	many := make([]filePart, maxFiles+1)
	for i := range many {
		many[i] = filePart{name: "a.png", content: aPNG}
	}
	tooMany, manyHeader := uploadForm(many...)
	noFile, noFileHeader := uploadForm(filePart{field: "text", content: "x"})
	empty, emptyHeader := uploadForm()
	huge, hugeHeader := uploadForm(filePart{name: "a.txt", content: strings.Repeat("a", maxUpload)})
	parts := make([]filePart, maxParts+1)
	for i := range parts {
		parts[i] = filePart{field: "text", content: "x"}
	}
	crowd, crowdHeader := uploadForm(parts...)
	notAForm := "the request body must be multipart/form-data with the files in parts named file"
	for _, test := range []struct {
		name, body string
		header     map[string]string
		status     int
		text       string
	}{
		{"JSON", `{"file":"x"}`, nil, 400, notAForm},
		{"nothing", "", nil, 400, notAForm},
		{"a form of the other kind", "file=x", map[string]string{"Content-Type": "application/x-www-form-urlencoded"}, 400, notAForm},
		{"no boundary", whole, map[string]string{"Content-Type": "multipart/form-data"}, 400, notAForm},
		{"another boundary", whole, map[string]string{"Content-Type": "multipart/form-data; boundary=x"}, 400, "invalid multipart form"},
		{"multipart of another kind", whole, map[string]string{"Content-Type": strings.Replace(header["Content-Type"], "form-data", "mixed", 1)}, 400, notAForm},
		{"cut off in the second file", whole[:len(whole)-3000], header, 400, "invalid multipart form"},
		{"cut off in the first header", whole[:30], header, 400, "invalid multipart form"},
		{"cut off before the last boundary", strings.TrimSuffix(whole, "--\r\n"), header, 400, "invalid multipart form"},
		{"control characters in a header", strings.Replace(whole, "a.png", "a\x00\x07.png", 1), header, 400, "invalid multipart form"},
		{"eleven files", tooMany, manyHeader, 400, "an upload has at most 10 files"},
		{"no file", noFile, noFileHeader, 400, "file parameter not present"},
		{"an empty form", empty, emptyHeader, 400, "file parameter not present"},
		{"more than a body may have", huge, hugeHeader, 413, "the request body is too large"},
		{"a crowd of parts", crowd, crowdHeader, 400, "invalid multipart form: too many parts"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s.t = t
			s.refused(s.do(ask{method: "POST", path: mediaPath, body: test.body, header: test.header}), test.status, test.text)
			if kept, incoming := s.onDisk(); kept != 0 || incoming != 0 || len(s.store.media) != 0 {
				t.Errorf("a refusal left %d files, %d halves and %d rows", kept, incoming, len(s.store.media))
			}
		})
	}
}

// TestMediaOfNoLength: a body that does not say how long it is is not read beyond its bound.
func TestMediaOfNoLength(t *testing.T) {
	s := newServer(t)
	head := "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\n\r\n"
	endless := &countingReader{from: io.MultiReader(strings.NewReader(head), zeros{})}
	req := httptest.NewRequest("POST", mediaPath, endless)
	req.ContentLength = -1
	req.SetBasicAuth(string(mainID), tokenOf(mainID))
	req.Header.Set("Content-Type", "multipart/form-data; boundary=b")
	s.refused(s.send(req), 413, "the request body is too large")
	if most := int64(2*maxUpload + 1); endless.n > most {
		t.Errorf("%d octets were read, at most %d should be", endless.n, most)
	}
	if kept, incoming := s.onDisk(); kept != 0 || incoming != 0 {
		t.Errorf("%d files and %d halves are left", kept, incoming)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

type countingReader struct {
	from io.Reader
	n    int64
}

func (r *countingReader) Read(p []byte) (int, error) {
	n, err := r.from.Read(p)
	r.n += int64(n)
	return n, err
}

// TestMediaOneByOne: what is wrong with one file of an upload is said of that one.
func TestMediaOneByOne(t *testing.T) {
	s := newServer(t)
	for _, test := range []struct {
		file filePart
		kind string // "": refused
		code int
		name string
		why  string
	}{
		{filePart{name: "a.png", kind: "image/png", content: aPNG}, "image/png", 201, "a.png", ""},
		{filePart{name: "a.png", content: aPNG}, "image/png", 201, "a.png", ""},
		{filePart{name: "a", kind: "application/octet-stream", content: aPNG}, "image/png", 201, "a", ""},
		{filePart{kind: "image/png", content: aPNG}, "image/png", 201, "file", ""},
		{filePart{field: "file[]", name: "x.png", content: aPNG}, "image/png", 201, "x.png", ""},
		{filePart{field: "media", name: "x.png", content: aPNG}, "image/png", 201, "x.png", ""},
		{filePart{name: "../../etc/passwd", content: "root"}, "text/plain", 201, "passwd", ""},
		{filePart{name: `C:\\Users\\me\\ça va.txt`, content: "x"}, "text/plain", 201, "ça va.txt", ""},
		{filePart{name: "a\u202egnp.txt", content: "x"}, "text/plain", 201, "agnp.txt", ""},
		{filePart{name: "...", content: "x"}, "text/plain", 201, "file", ""},
		{filePart{name: strings.Repeat("é", 300) + ".txt", content: "x"}, "text/plain", 201, strings.Repeat("é", 98) + ".txt", ""},
		{filePart{name: "exact.txt", content: strings.Repeat("a", maxFileSize)}, "text/plain", 201, "exact.txt", ""},
		{filePart{name: "big.txt", kind: "text/plain", content: strings.Repeat("a", maxFileSize+1)}, "", 413, "big.txt", "the file is larger than 2 MB"},
		{filePart{name: "none.txt"}, "", 400, "none.txt", "the file is empty"},
		{filePart{name: "a.jpg", kind: "image/jpeg", content: aPNG}, "", 415, "a.jpg", "the file is not what it is said to be: image/jpeg was declared, image/png was found"},
		{filePart{name: "a.png", kind: "image/png", content: "<html><script>1</script>"}, "", 415, "a.png", "files of type text/html are not taken"},
		{filePart{name: "a.txt", kind: "text/plain", content: "<!DOCTYPE html><p>"}, "", 415, "a.txt", "files of type text/html are not taken"},
		{filePart{name: "a.svg", kind: "image/svg+xml", content: `<svg xmlns="http://www.w3.org/2000/svg"/>`}, "", 415, "a.svg", "files of type image/svg+xml are not taken"},
		{filePart{name: "a.exe", kind: "application/x-msdownload", content: "MZ\x90\x00"}, "", 415, "a.exe", "files of type application/x-msdownload are not taken"},
		{filePart{name: "a", content: "MZ\x90\x00\x00\xff"}, "", 415, "a", "files of type application/vnd.microsoft.portable-executable are not taken"},
		{filePart{name: "a.zip", content: "PK\x03\x04\x14\x00\x00\x00\x08\x00" + strings.Repeat("\x00", 40)}, "", 415, "a.zip", "files of type application/zip are not taken"},
	} {
		before, _ := s.onDisk()
		rows := len(s.store.media)
		r := s.ok(s.upload(filePart{name: "first.txt", content: "first"}, test.file), 200)
		got := r.objects()[1]
		want := map[string]any{"status": "success", "status_code": 201.0, "file_name": test.name, "size": float64(len(test.file.content)), "content_type": test.kind}
		if test.code != 201 {
			want = map[string]any{
				"status": "failed", "status_code": float64(test.code), "error_code": float64(test.code), "error_message": test.why, "file_name": test.name,
				"content_type": test.file.kind, "size": float64(len(test.file.content)), "media_id": "", "upload_time": "", "url": "", "media_url": "",
			}
		}
		for key, value := range want {
			if got[key] != value {
				t.Errorf("%.40q as %s: %s is %v, want %v", test.file.name, test.file.kind, key, got[key], value)
			}
		}
		if first := r.objects()[0]; first["status"] != "success" {
			t.Errorf("%.40q: the other file is refused: %v", test.file.name, first)
		}
		after, incoming := s.onDisk()
		added := 1
		if test.code == 201 {
			added = 2
		} else if after > before+1 {
			t.Errorf("%.40q: a refused file is kept", test.file.name)
		}
		if incoming != 0 || len(s.store.media) != rows+added {
			t.Errorf("%.40q: %d halves are left, %d rows were added", test.file.name, incoming, len(s.store.media)-rows)
		}
	}
}

// TestMediaUnkept: when the rows cannot be stored, or the disk takes nothing, nobody is told anything else.
func TestMediaUnkept(t *testing.T) {
	s := newServer(t)
	s.store.err = gateway.Errorf(gateway.Unavailable, "the disk is full")
	s.refused(s.upload(filePart{name: "a.png", content: aPNG}), 503, "the disk is full")
	s.store.err = errors.New("disk on fire: secret")
	s.refused(s.upload(filePart{name: "a.png", content: aPNG}), 500, "internal server error")
	s.store.err = nil
	if _, incoming := s.onDisk(); incoming != 0 || len(s.store.media) != 0 {
		t.Errorf("%d halves and %d rows are left", incoming, len(s.store.media))
	}
	if err := os.RemoveAll(s.folder); err != nil {
		t.Fatal(err)
	}
	r := s.upload(filePart{name: "a.png", content: aPNG})
	s.refused(r, 503, "the file cannot be stored at the moment; nothing was done, try again later")
	if r.header.Get("Retry-After") == "" || !strings.Contains(s.log.String(), "a media file cannot be stored") {
		t.Errorf("Retry-After %q; the log: %s", r.header.Get("Retry-After"), s.log)
	}
}

// TestMediaAtOnce: uploads of the same content at the same time are kept once, each under an id of its own; beyond the bound they are refused.
func TestMediaAtOnce(t *testing.T) {
	s := newServer(t)
	var all sync.WaitGroup
	replies := make([]*reply, ownUploads)
	for i := range replies {
		body, header := uploadForm(filePart{name: "a.png", content: aPNG})
		req := httptest.NewRequest("POST", mediaPath, strings.NewReader(body))
		req.SetBasicAuth(string(mainID), tokenOf(mainID))
		req.Header.Set("Content-Type", header["Content-Type"])
		all.Go(func() {
			recorder := httptest.NewRecorder()
			s.handler.ServeHTTP(recorder, req)
			replies[i] = &reply{status: recorder.Code, text: recorder.Body.String()}
		})
	}
	all.Wait()
	ids := map[string]bool{}
	for _, r := range replies {
		if err := json.Unmarshal([]byte(r.text), &r.body); err != nil || r.status != 200 {
			t.Fatalf("%d %s: %v", r.status, r.text, err)
		}
		ids[r.objects()[0]["media_id"].(string)] = true
	}
	if kept, incoming := s.onDisk(); kept != 1 || incoming != 0 || len(ids) != ownUploads {
		t.Errorf("%d files, %d halves, %d ids", kept, incoming, len(ids))
	}

	a := s.handler.(*API)
	var leaves []func()
	for _, account := range []gateway.AccountID{mainID, subID, strangerID} {
		for range ownUploads {
			leave, err := a.uploads.enter(account)
			if err != nil {
				t.Fatal(err)
			}
			leaves = append(leaves, leave)
		}
	}
	r := s.upload(filePart{name: "a.png", content: aPNG})
	s.refused(r, 429, "at most 8 uploads at a time; try again when one has ended")
	for i := len(leaves); i < maxUploads; i++ {
		leave, err := a.uploads.enter(gateway.AccountID(fmt.Sprint("MA", i)))
		if err != nil {
			t.Fatal(err)
		}
		leaves = append(leaves, leave)
	}
	if _, err := a.uploads.enter(siblingID); err == nil {
		t.Error("uploads without bound")
	}
	for _, leave := range leaves {
		leave()
	}
	if len(a.uploads.own) != 0 || a.uploads.all != 0 {
		t.Errorf("%d uploads are still counted", a.uploads.all)
	}
	s.ok(s.upload(filePart{name: "a.png", content: aPNG}), 200)
}

// TestMediaLinks: where links lead to.
func TestMediaLinks(t *testing.T) {
	link := func(s *server, header map[string]string) string {
		t.Helper()
		s.store.media = nil
		s.giveMedium(mainID, "a.png")
		return s.ok(s.do(ask{method: "GET", path: mediaPath, header: header}), 200).objects()[0]["media_url"].(string)
	}
	https := map[string]string{"X-Forwarded-Proto": "HTTPS"}
	for _, test := range []struct {
		name   string
		option func(*Config)
		header map[string]string
		want   string
	}{
		{"as it was reached", func(*Config) {}, nil, "http://api.test/media/"},
		{"a stranger's word", func(*Config) {}, https, "http://api.test/media/"},
		{"a trusted proxy's word", func(c *Config) { c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")} }, https, "https://api.test/media/"},
		{"as configured", func(c *Config) { c.PublicURL = "https://media.example.net/sms" }, https, "https://media.example.net/sms/media/"},
	} {
		if got := link(newServer(t, test.option), test.header); !strings.HasPrefix(got, test.want) {
			t.Errorf("%s: %s, want %s…", test.name, got, test.want)
		}
	}
}

// TestMediaOfMessage: which files a message shows, and that it can forget them.
func TestMediaOfMessage(t *testing.T) {
	s := newServer(t)
	first, second, theirs := s.giveMedium(mainID, "a.png"), s.giveMedium(mainID, "b.png"), s.giveMedium(strangerID, "c.png")
	named := []string{second.ID.String(), first.ID.String(), theirs.ID.String(), madeUp.medium, "none"}
	m := s.giveMessage(func(m *gateway.Message) { m.Service, m.MediaIDs = gateway.MMS, named })
	path := messagePath + m.ID.String() + "/Media/"
	r := s.ok(s.do(ask{method: "GET", path: path}), 200)
	shown := r.objects()
	if len(shown) != 2 {
		t.Fatalf("%s", r.text)
	}
	want := map[string]any{
		"content_type": "image/png", "media_id": second.ID.String(), "message_uuid": m.ID.String(), "size": 47343.0, "media_url": shown[0]["media_url"],
	}
	if diff := cmp.Diff(want, shown[0]); diff != "" {
		t.Error(diff)
	}
	if !strings.HasPrefix(want["media_url"].(string), "http://api.test/media/"+second.ID.String()+"/") {
		t.Errorf("the link is %s", want["media_url"])
	}
	r = s.ok(s.do(ask{method: "GET", path: path + second.ID.String()}), 200)
	want["api_id"] = r.string("api_id")
	if diff := cmp.Diff(want, r.body); diff != "" {
		t.Error(diff)
	}
	r = s.ok(s.do(ask{method: "GET", path: path + "?limit=1&offset=1"}), 200)
	if list := r.objects(); len(list) != 1 || list[0]["media_id"] != first.ID.String() {
		t.Errorf("the second page is %s", r.text)
	}
	if got := r.body["meta"].(map[string]any)["previous"]; got != path+"?limit=1&offset=0" {
		t.Errorf("previous is %v", got)
	}
	s.ok(s.do(ask{method: "GET", path: path + "?offset=9"}), 200)
	for _, id := range []string{theirs.ID.String(), madeUp.medium, "x"} {
		s.refused(s.do(ask{method: "GET", path: path + id + "/"}), 404, "not found")
	}
	s.refused(s.do(ask{method: "GET", path: path + "?limit=x"}), 400, "limit must be a whole number from 1 to 20")
	for _, method := range []string{"GET", "DELETE"} {
		for _, id := range []string{madeUp.message, "x"} {
			s.refused(s.do(ask{method: method, path: messagePath + id + "/Media/"}), 404, "not found")
		}
	}
	s.refused(s.do(ask{method: "GET", path: messagePath + "x/Media/" + first.ID.String()}), 404, "not found")

	for mode, want := range map[gateway.LogMode]int{gateway.LogAll: 2, gateway.LogContentOnly: 2, gateway.LogNumberOnly: 0, gateway.LogNothing: 0} {
		m.Log = mode
		if r := s.ok(s.do(ask{method: "GET", path: path}), 200); len(r.objects()) != want {
			t.Errorf("log %v: %s", mode, r.text)
		}
	}
	m.Log = gateway.LogAll
	s.refused(s.do(ask{method: "DELETE", path: path}), 400, "the message has not left yet")
	m.State = gateway.Sent
	s.ok(s.do(ask{method: "DELETE", path: path}), 204)
	if r := s.ok(s.do(ask{method: "GET", path: path}), 200); len(r.objects()) != 0 {
		t.Errorf("after the deletion: %s", r.text)
	}
	s.ok(s.do(ask{method: "GET", path: mediaPath + first.ID.String()}), 200) // the file is the account's
}

// TestMediaIDs: a message names files of its account only, which are kept for it.
func TestMediaIDs(t *testing.T) {
	s := newServer(t)
	ours, theirs := s.giveMedium(mainID, "a.png"), s.giveMedium(subID, "b.png")
	send := func(ids string) *reply {
		return s.do(ask{method: "POST", path: messagePath, body: `{"src":"14155550100","dst":"14152223333","type":"mms","media_ids":` + ids + `}`})
	}
	gone := "media_ids names a file that is not there, or not any more"
	for _, id := range []string{theirs.ID.String(), madeUp.medium} {
		s.refused(send(quoted(id)), 400, gone)
		s.refused(send(`["`+ours.ID.String()+`","`+id+`"]`), 400, gone)
	}
	if !s.store.media[0].UsedAt.IsZero() || len(s.requests) != 0 {
		t.Error("a refused message uses files")
	}
	hidden := s.giveMedium(mainID, "hidden.png")
	for mode, expiry := range map[string]time.Duration{"false": time.Minute, "number_only": gateway.DefaultExpiry} {
		seconds := ""
		if expiry != gateway.DefaultExpiry {
			seconds = fmt.Sprint(int(expiry / time.Second))
		}
		s.ok(send(quoted(hidden.ID.String())+`,"log":"`+mode+`","message_expiry":"`+seconds+`"`), 202)
		if m := s.store.media[2]; !m.ExpiresAt.After(s.now.Add(expiry+24*time.Hour)) || m.ExpiresAt.After(s.now.Add(48*time.Hour)) {
			t.Errorf("with log %s it is kept until %v", mode, m.ExpiresAt)
		}
	}
	s.ok(send(quoted(hidden.ID.String())+`,"log":"content_only"`), 202)
	if m := s.store.media[2]; m.ExpiresAt != s.now.Add(media.DefaultUsed) {
		t.Errorf("a message that shows it keeps it until %v", m.ExpiresAt)
	}
	s.ok(send(`["`+strings.ToUpper(ours.ID.String())+`"]`), 202)
	if diff := cmp.Diff([]string{ours.ID.String()}, s.last().MediaIDs); diff != "" {
		t.Error(diff)
	}
	if m := s.store.media[0]; m.UsedAt != s.now || m.ExpiresAt != s.now.Add(media.DefaultUsed) {
		t.Errorf("used at %v, kept until %v", m.UsedAt, m.ExpiresAt)
	}
	s.now = s.now.Add(23 * time.Hour) // so soon after, nothing is written
	s.ok(send(quoted(ours.ID.String())), 202)
	if m := s.store.media[0]; m.ExpiresAt != start.Add(media.DefaultUsed) {
		t.Errorf("kept until %v", m.ExpiresAt)
	}
	s.now = s.now.Add(time.Hour)
	s.ok(send(quoted(ours.ID.String())), 202)
	if m := s.store.media[0]; m.UsedAt != start || m.ExpiresAt != s.now.Add(media.DefaultUsed) {
		t.Errorf("used at %v, kept until %v", m.UsedAt, m.ExpiresAt)
	}
	s.refused(send(quoted(theirs.ID.String())), 400, gone)
	s.now = s.now.Add(media.DefaultUsed)
	s.refused(send(quoted(ours.ID.String())), 400, gone)

	var large []string
	for range 3 {
		m := s.giveMedium(mainID, "large.mp4")
		s.store.media[len(s.store.media)-1].Size = 2 << 20
		large = append(large, quoted(m.ID.String()))
	}
	s.ok(send("["+strings.Join(large[:2], ",")+"]"), 202)
	s.refused(send("["+strings.Join(large, ",")+"]"), 400, "the files in media_ids have 6291456 octets together, at most 5242880 are allowed")
}

// FuzzUpload: whatever comes, the answer is a JSON object, and nothing is left of what is refused.
func FuzzUpload(f *testing.F) {
	whole, header := uploadForm(filePart{name: "a.png", content: aPNG}, filePart{field: "x", content: "y"})
	kind := header["Content-Type"]
	f.Add(kind, whole)
	f.Add(kind, whole[:len(whole)/2])
	f.Add("multipart/form-data; boundary=b", "--b\r\nContent-Disposition: form-data; name=file; filename*=utf-8''%00\r\n\r\nx\r\n--b--")
	f.Add("multipart/form-data; boundary=b", "--b\r\nContent-Transfer-Encoding: quoted-printable\r\nContent-Disposition: form-data; name=file\r\n\r\n=\r\n--b--")
	s := newServer(f)
	f.Fuzz(func(t *testing.T, kind, body string) {
		s.t = t
		req := httptest.NewRequest(http.MethodPost, mediaPath, strings.NewReader(body))
		req.SetBasicAuth(string(mainID), tokenOf(mainID))
		req.Header.Set("Content-Type", kind)
		before := len(s.store.media)
		r := s.send(req)
		if r.status != 200 && len(s.store.media) != before {
			t.Errorf("%d left rows", r.status)
		}
		if _, incoming := s.onDisk(); incoming != 0 {
			t.Errorf("%d halves are left", incoming)
		}
		for _, m := range s.store.media[before:] {
			if m.Name != media.CleanName(m.Name) || m.Size == 0 {
				t.Errorf("kept %+v", m)
			}
		}
	})
}
