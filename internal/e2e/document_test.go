package e2e

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/heliograph/heliograph/docs/docstest"
)

// witness passes requests on to servers, and holds each answer of their APIs against openapi.yaml. Every request of these tests that is made to
// an API goes through one: those of Go directly, those of other clients and of the program's commands by witnessed.
type witness struct {
	http.RoundTripper
	document *docstest.Document

	mu    sync.Mutex
	wrong map[string]bool // what was wrong, once each
}

// newWitness makes a witness, whose findings fail the test when it ends.
func newWitness(t testing.TB, transport http.RoundTripper) *witness {
	t.Helper()
	document, err := docstest.Load()
	if err != nil {
		t.Fatal(err)
	}
	w := &witness{RoundTripper: transport, document: document, wrong: map[string]bool{}}
	t.Cleanup(func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		for finding := range w.wrong {
			t.Error(finding)
		}
	})
	return w
}

// isAPI tells whether the document is about a path: not about what has formats of its own, nor about the pretend SMSC.
func isAPI(path string) bool {
	for _, other := range [...]string{"/metrics", "/media/", "/admin/debug/", "/stats"} {
		if strings.HasPrefix(path, other) {
			return false
		}
	}
	return true
}

// RoundTrip makes a request and reads the whole answer.
func (w *witness) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := w.RoundTripper.RoundTrip(r)
	if err != nil || !isAPI(r.URL.Path) {
		return response, err
	}
	body, err := io.ReadAll(response.Body)
	_ = response.Body.Close()
	if err != nil {
		return nil, err
	}
	response.Body = io.NopCloser(bytes.NewReader(body))
	answer := &docstest.Answer{Method: r.Method, Path: r.URL.Path, Status: response.StatusCode, Header: response.Header, Body: body}
	if err := w.document.Check(answer); err != nil {
		w.find(fmt.Sprintf("%s %s was answered %d %.2000s\nwhich is not what openapi.yaml says: %v", r.Method, r.URL.Path, response.StatusCode, body, err), err)
	}
	return response, nil
}

// mostFindings bounds what one test says.
const mostFindings = 20

func (w *witness) find(finding string, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.wrong) < mostFindings && !w.known(err) {
		w.wrong[finding] = true
	}
}

// known tells whether something has been found before. Guarded by mu.
func (w *witness) known(err error) bool {
	for finding := range w.wrong {
		if strings.HasSuffix(finding, err.Error()) {
			return true
		}
	}
	return false
}

// witnessed gives an address that stands for a server's, for clients of other languages and for the program's commands: what is sent there goes
// through a witness. A server that is gone is one that closes connections.
func witnessed(t testing.TB, server string) string {
	t.Helper()
	target, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{MaxIdleConnsPerHost: 64}
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) { // the path stays as it came, doubled slashes and all; links lead to the server
			r.Out.URL.Scheme, r.Out.URL.Host, r.Out.Host = target.Scheme, target.Host, ""
		},
		Transport:    newWitness(t, transport),
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) },
	}
	listener := httptest.NewServer(proxy)
	t.Cleanup(func() {
		listener.Close()
		transport.CloseIdleConnections()
	})
	return listener.URL
}

// TestDocumentIsServed: anybody reads openapi.yaml from the program, however often.
func TestDocumentIsServed(t *testing.T) {
	server := serve(t, t.TempDir(), "api_limit: {requests: 2}\n")
	customer := newAccount(t, server.url(t))
	ask := func(method, known string) *reply {
		answer, err := customer.do(within(t), method, "/openapi.yaml", "", nil, func(r *http.Request) {
			if known != "" {
				r.Header.Set("If-None-Match", known)
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		return answer
	}
	first := ask(http.MethodGet, "").want(t, http.StatusOK)
	if !bytes.HasPrefix(first.body, []byte("openapi: 3")) {
		t.Errorf("the document begins with %.40q", first.body)
	}
	for range 5 { // more than the account may ask
		ask(http.MethodGet, first.header.Get("ETag")).want(t, http.StatusNotModified)
		ask(http.MethodHead, "").want(t, http.StatusOK)
	}
	ask(http.MethodPost, "").want(t, http.StatusMethodNotAllowed)
	customer.call(t, http.MethodGet, "/Powerpack/", nil).want(t, http.StatusOK)
	for _, path := range []string{"/healthz", "/readyz"} {
		answer, err := customer.do(within(t), http.MethodGet, path, "", nil, func(*http.Request) {})
		if err != nil {
			t.Fatal(err)
		}
		answer.want(t, http.StatusOK)
	}
}

// TestWitness: an answer that is not as the document says is found, whoever asked.
func TestWitness(t *testing.T) {
	answered := `{"api_id":"019cb73d-0b2c-7000-8000-000000000001","response":"success"}`
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("X-Request-ID", "019cb73d-0b2c-7000-8000-000000000001")
		_, _ = io.WriteString(w, answered)
	}))
	defer server.Close()
	found := newWitness(quiet{t}, http.DefaultTransport)
	ask := func(method string) {
		t.Helper()
		r, err := http.NewRequestWithContext(within(t), method, server.URL+"/v1/Account/"+authID+"/Powerpack/019cb73d-0b2c-7000-8000-000000000002/", nil)
		if err != nil {
			t.Fatal(err)
		}
		response, err := found.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		if body, err := io.ReadAll(response.Body); err != nil || string(body) != answered {
			t.Errorf("the witness hands on %q, %v", body, err)
		}
	}
	if ask(http.MethodDelete); len(found.wrong) != 0 {
		t.Errorf("a good answer is blamed: %v", found.wrong)
	}
	for i, bad := range []string{
		`{"api_id":"019cb73d-0b2c-7000-8000-000000000001","response":1}`,
		`{"api_id":"019cb73d-0b2c-7000-8000-000000000001","response":"success","more":1}`,
		`{"api_id":"019cb73d-0b2c-7000-8000-000000000009","response":"success"}`,
		`{"response":"success"}`, `[]`, ``,
	} {
		answered = bad
		if ask(http.MethodDelete); len(found.wrong) != i+1 {
			t.Errorf("%q is not found: %v", bad, found.wrong)
		}
	}
}

// quiet is a test that what a witness found does not fail.
type quiet struct{ testing.TB }

func (quiet) Cleanup(func()) {}
