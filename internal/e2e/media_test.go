package e2e

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"mime/multipart"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// aGIF is a picture of one dot.
const aGIF = "R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"

// picture writes a GIF into a file that a client can upload; n makes its content differ from others'.
func picture(t testing.TB, name string, n int) (path string, content []byte) {
	t.Helper()
	content, err := base64.StdEncoding.DecodeString(aGIF)
	if err != nil {
		t.Fatal(err)
	}
	content = append(content, fmt.Sprint(n)...)
	path = filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path, content
}

// clientMedium is a file as the client shows it.
type clientMedium struct {
	ContentType, FileName, MediaID, Status, ErrorMessage, URL, MediaURL, MessageUUID, UploadTime string
	StatusCode, ErrorCode, Size                                                                  int
}

// follow asks for what a link leads to, without credentials.
func follow(t testing.TB, link string, header ...string) (*http.Response, []byte) {
	t.Helper()
	req, err := http.NewRequestWithContext(within(t), http.MethodGet, link, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, body
}

// storedFiles are the files that a server keeps, and those that are still coming in.
func storedFiles(t testing.TB, data string) (kept, incoming []string) {
	t.Helper()
	for folder, list := range map[string]*[]string{"[0-9a-f][0-9a-f]": &kept, "incoming": &incoming} {
		found, err := filepath.Glob(filepath.Join(data, "media", folder, "*"))
		if err != nil {
			t.Fatal(err)
		}
		*list = found
	}
	return kept, incoming
}

// TestMediaOfClient: the official client uploads files, lists and reads them, sends them, and finds them at the message; their links lead to them,
// after a restart too.
func TestMediaOfClient(t *testing.T) {
	data := t.TempDir()
	server := serve(t, data, "public_url: http://media.example.net\n")
	url := server.url(t)
	client := newOfficialClient(t, url)
	local := func(link string) string { // what a proxy in front would make of it
		rest, ok := strings.CutPrefix(link, "http://media.example.net/")
		if !ok {
			t.Errorf("the link is %s", link)
		}
		return url + "/" + rest
	}
	gif, content := picture(t, "sun shine.gif", 1)
	lie := filepath.Join(t.TempDir(), "page.png")
	if err := os.WriteFile(lie, []byte("<html><script>alert(1)</script>"), 0o600); err != nil {
		t.Fatal(err)
	}
	var made struct{ Objects []clientMedium }
	client.must(t, &made, list("media", "upload", list(list(gif, lie, gif))))
	if len(made.Objects) != 3 {
		t.Fatalf("the client uploads three files and gets %+v", made)
	}
	first, refused, again := made.Objects[0], made.Objects[1], made.Objects[2]
	if first.Status != "success" || first.StatusCode != 201 || first.ContentType != "image/gif" || first.FileName != "sun shine.gif" || first.Size != len(content) ||
		first.URL != first.MediaURL || first.UploadTime == "" {
		t.Errorf("the client reads %+v", first)
	}
	if refused.Status != "failed" || refused.StatusCode != 415 || refused.ErrorMessage == "" || refused.MediaID != "" {
		t.Errorf("a page as a picture: %+v", refused)
	}
	if kept, incoming := storedFiles(t, data); len(kept) != 1 || len(incoming) != 0 || again.MediaID == first.MediaID {
		t.Errorf("the same file twice is kept as %v, %v", kept, incoming)
	}

	var one clientMedium
	client.must(t, &one, list("media", "get", list(first.MediaID)))
	if one.MediaURL != first.MediaURL || one.Size != first.Size || one.ContentType != "image/gif" || one.FileName != first.FileName {
		t.Errorf("the client reads %+v", one)
	}
	var page struct {
		Objects []clientMedium
		Meta    struct {
			TotalCount int `json:"totalCount"`
			Limit      int
			Next       *string
		}
	}
	client.must(t, &page, list("media", "list", list(map[string]any{"limit": 1})))
	if len(page.Objects) != 1 || page.Objects[0].MediaID != again.MediaID || page.Meta.TotalCount != 2 || page.Meta.Next == nil {
		t.Errorf("the client lists %+v", page)
	}
	client.fails(t, http.StatusNotFound, list("media", "get", list("019cb73d-0000-7000-8000-00000000dead")))

	resp, body := follow(t, local(one.MediaURL))
	if resp.StatusCode != 200 || !bytes.Equal(body, content) || resp.Header.Get("Content-Type") != "image/gif" || resp.Header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("the link leads to %d %v", resp.StatusCode, resp.Header)
	}
	if resp, body := follow(t, local(one.MediaURL), "Range", "bytes=0-5"); resp.StatusCode != 206 || string(body) != "GIF89a" {
		t.Errorf("a part of it: %d %q", resp.StatusCode, body)
	}
	if resp, _ := follow(t, local(one.MediaURL[:len(one.MediaURL)-30])); resp.StatusCode != 404 {
		t.Errorf("a link that was cut: %d", resp.StatusCode)
	}

	var sent struct{ MessageUUID []string }
	send := map[string]any{"src": "14155550100", "dst": "14152223333", "type": "mms", "media_ids": list(first.MediaID)}
	client.must(t, &sent, list("messages", "create", list(send)))
	var attached struct{ Objects []clientMedium }
	client.must(t, &attached, list("messages", "listMedia", list(sent.MessageUUID[0])))
	if len(attached.Objects) != 1 || attached.Objects[0].MediaID != first.MediaID || attached.Objects[0].MessageUUID != sent.MessageUUID[0] {
		t.Errorf("the message has %+v", attached)
	}
	if resp, body := follow(t, local(attached.Objects[0].MediaURL)); resp.StatusCode != 200 || !bytes.Equal(body, content) {
		t.Errorf("its link leads to %d", resp.StatusCode)
	}
	send["media_ids"] = list("019cb73d-0000-7000-8000-00000000dead")
	client.fails(t, http.StatusBadRequest, list("messages", "create", list(send)))

	server.kill()
	url = serve(t, data, "").url(t)
	if resp, body := follow(t, local(one.MediaURL)); resp.StatusCode != 200 || !bytes.Equal(body, content) {
		t.Errorf("after a crash the link leads to %d", resp.StatusCode)
	}
	var shown struct{ Objects []clientMedium }
	newOfficialClient(t, url).must(t, &shown, list("media", "list", list(map[string]any{})))
	if len(shown.Objects) != 2 || !strings.HasPrefix(shown.Objects[0].MediaURL, url+"/media/") {
		t.Errorf("after a crash the client lists %+v", shown)
	}
}

// form writes a file as the body of an upload.
func form(t testing.TB, name string, content []byte) (body []byte, contentType string) {
	t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	part, err := w.CreateFormFile("file", name)
	if err == nil {
		_, err = part.Write(content)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes(), w.FormDataContentType()
}

// TestMediaRefused: a client that writes its whole upload before it reads gets the answer, however early that was clear.
func TestMediaRefused(t *testing.T) {
	customer := newAccount(t, serve(t, t.TempDir(), "").url(t))
	large := bytes.Repeat([]byte("a"), 16<<20)
	body, contentType := form(t, "a.txt", large)
	crowd := strings.Repeat("--b\r\nContent-Disposition: form-data; name=file; filename=a.txt\r\n\r\nx\r\n", 11) + string(large)
	for _, test := range []struct {
		contentType string
		body        []byte
		status      int
	}{
		{contentType, body, http.StatusOK}, // for the file alone is refused
		{"application/octet-stream", large, http.StatusBadRequest},
		{"multipart/form-data; boundary=b", []byte(crowd), http.StatusBadRequest},
		{contentType, append(bytes.Clone(body), make([]byte, 5<<20+100<<10)...), http.StatusRequestEntityTooLarge},
	} {
		r, err := customer.do(within(t), http.MethodPost, "/v1/Account/"+authID+"/Media/", test.contentType, test.body, asCustomer)
		if err != nil {
			t.Fatal(err)
		}
		if r.want(t, test.status); strings.Contains(string(r.body), "success") {
			t.Errorf("kept: %s", r.body)
		}
	}
}

// TestMediaCutOff: an upload whose connection ends, or whose server does, leaves nothing behind.
func TestMediaCutOff(t *testing.T) {
	data := t.TempDir()
	server := serve(t, data, "")
	url := server.url(t)
	body, contentType := form(t, "a.txt", bytes.Repeat([]byte("a"), 1<<20))
	begin := func(url string) net.Conn {
		t.Helper()
		conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		basic := base64.StdEncoding.EncodeToString([]byte(authID + ":" + authToken))
		_, err = fmt.Fprintf(conn, "POST /v1/Account/%s/Media/ HTTP/1.1\r\nHost: x\r\nAuthorization: Basic %s\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s",
			authID, basic, contentType, len(body), body[:len(body)/2])
		if err != nil {
			t.Fatal(err)
		}
		return conn
	}
	await := func(incoming int) {
		t.Helper()
		deadline := time.Now().Add(patience)
		for {
			kept, coming := storedFiles(t, data)
			if len(coming) == incoming && len(kept) == 0 {
				return
			}
			if time.Now().After(deadline) {
				t.Fatalf("kept: %v; coming in: %v, want %d", kept, coming, incoming)
			}
			pause(10 * time.Millisecond)
		}
	}
	conn := begin(url)
	await(1)
	if err := conn.Close(); err != nil {
		t.Fatal(err)
	}
	await(0)
	conn = begin(url)
	defer conn.Close()
	await(1)
	server.kill()
	server = serve(t, data, "")
	url = server.url(t)
	await(0)
	customer := newAccount(t, url)
	if r := customer.call(t, http.MethodGet, "/Media/", nil).want(t, http.StatusOK); strings.Contains(string(r.body), "media_id") {
		t.Errorf("listed: %s", r.body)
	}
}

// TestMediaOnFullDisk: uploads that the disk does not take are refused with 503 and leave nothing; what was acknowledged before is whole.
func TestMediaOnFullDisk(t *testing.T) {
	data := t.TempDir()
	script := `mount -t tmpfs -o size=12m tmpfs "$1" && exec "$2" serve --listen 127.0.0.1:0 --data "$1"`
	server := launch(t, credentials(), exec.Command("unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script, "sh", data, program))
	customer := newAccount(t, server.url(t))
	inside := fmt.Sprintf("/proc/%d/root%s", server.cmd.Process.Pid, data)
	upload := func(n int) *reply {
		content := bytes.Repeat([]byte(fmt.Sprintf("%07d\n", n)), 1<<20/8)
		body, contentType := form(t, "a.txt", content)
		r, err := customer.do(within(t), http.MethodPost, "/v1/Account/"+authID+"/Media/", contentType, body, asCustomer)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	var links []string
	full := false
	for n := 0; n < 30 && !full; n++ {
		r := upload(n)
		if full = r.status == http.StatusServiceUnavailable; full {
			if r.text("error") == "" || r.header.Get("Retry-After") == "" {
				t.Errorf("the refusal says %s", r.body)
			}
			continue
		}
		object := r.want(t, http.StatusOK).fields["objects"].([]any)[0].(map[string]any)
		links = append(links, object["media_url"].(string))
	}
	if !full || len(links) == 0 {
		t.Fatalf("%d uploads fit on the disk; full: %v", len(links), full)
	}
	if kept, incoming := storedFiles(t, inside); len(incoming) != 0 || len(kept) < len(links) {
		t.Errorf("%d uploads were acknowledged, %d files are kept, and %v are still coming in", len(links), len(kept), incoming)
	}
	for n, link := range links {
		if resp, body := follow(t, link); resp.StatusCode != 200 || len(body) != 1<<20 || string(body[:8]) != fmt.Sprintf("%07d\n", n) {
			t.Errorf("upload %d: %d, %d octets", n, resp.StatusCode, len(body))
		}
	}
	r := customer.call(t, http.MethodGet, "/Media/", nil).want(t, http.StatusOK)
	if listed := r.fields["objects"].([]any); len(listed) != len(links) {
		t.Errorf("%d uploads were acknowledged, %d are listed", len(links), len(listed))
	}
}
