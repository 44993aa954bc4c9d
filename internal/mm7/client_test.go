package mm7_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/heliograph/heliograph/internal/mm7"
	"github.com/heliograph/heliograph/internal/mm7/mm7test"
)

// errorOf is the *mm7.Error that every failed request has.
func errorOf(t *testing.T, err error) *mm7.Error {
	t.Helper()
	var e *mm7.Error
	if !errors.As(err, &e) {
		t.Fatalf("%v is no *mm7.Error", err)
	}
	for _, secret := range []string{sender, recipient, "Bilder", "127.0.0.1:"} {
		if strings.Contains(e.Error(), secret) && e.Outcome != mm7.NotSent {
			t.Errorf("error quotes %q: %v", secret, e)
		}
	}
	return e
}

// What a request meets at the MMSC, and what its sender is told.
func TestOutcomes(t *testing.T) {
	for _, c := range []struct {
		name    string
		knob    func(*mm7test.Config)
		outcome mm7.Outcome
		code    mm7.StatusCode
		http    int
		taken   bool // by the MMSC
	}{
		{"refused", func(c *mm7test.Config) { c.Refused = 1 }, mm7.Answered, mm7.StatusAddressError, 200, false},
		{"refused recipient", func(c *mm7test.Config) {
			c.StatusOf = map[string]mm7.StatusCode{recipient: mm7.StatusOperationRestricted}
		}, mm7.Answered, mm7.StatusOperationRestricted, 200, false},
		{"a status of its own", func(c *mm7test.Config) { c.StatusOf = map[string]mm7.StatusCode{recipient: 2569} }, mm7.Answered, 2569, 200, false},
		{"throttled", func(c *mm7test.Config) { c.ThrottleEvery = 1 }, mm7.Answered, mm7.StatusServiceUnavailable, 200, false},
		{"fault", func(c *mm7test.Config) { c.FaultEvery = 1 }, mm7.Answered, mm7.StatusServerError, 500, false},
		{"HTTP 503", func(c *mm7test.Config) { c.UnavailableEvery = 1 }, mm7.Answered, 0, 503, false},
		{"wrong password", func(c *mm7test.Config) { c.Username, c.Password = "vasp", "secret" }, mm7.Answered, 0, 401, false},
		{"wrong VASPID", func(c *mm7test.Config) { c.VASPID = "other" }, mm7.Answered, mm7.StatusValidationError, 500, false},
		{"too large", func(c *mm7test.Config) { c.MaxSize = 5000 }, mm7.Answered, mm7.StatusContentRefused, 500, false},
		{"no answer", func(c *mm7test.Config) { c.Unanswered = 1 }, mm7.Unanswered, 0, 0, true},
		{"garbage", func(c *mm7test.Config) { c.GarbageEvery = 1 }, mm7.Unanswered, 0, 200, true},
		{"answer cut off", func(c *mm7test.Config) { c.CutAnswerEvery = 1 }, mm7.Unanswered, 0, 200, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := mm7test.New(t, c.knob)
			_, err := client(t, m).Submit(within(t), submitReq(), content(20_000))
			e := errorOf(t, err)
			if e.Outcome != c.outcome || e.Status.Code != c.code || e.HTTPStatus != c.http {
				t.Errorf("%v %d HTTP %d (%v); want %v %d HTTP %d", e.Outcome, e.Status.Code, e.HTTPStatus, e, c.outcome, c.code, c.http)
			}
			if taken := m.Counters().Accepted == 1; taken != c.taken {
				t.Errorf("taken %v; want %v", taken, c.taken)
			}
		})
	}
}

// A document whose last octet did not leave cannot have been taken, however far it came.
func TestCutMidwayIsNotSent(t *testing.T) {
	m := mm7test.New(t, func(c *mm7test.Config) { c.CutEvery = 1 })
	_, err := client(t, m).Submit(within(t), submitReq(), content(20<<20))
	if e := errorOf(t, err); e.Outcome != mm7.NotSent {
		t.Errorf("%v: %v", e.Outcome, e)
	}
}

func TestRetryAfter(t *testing.T) {
	m := mm7test.New(t, func(c *mm7test.Config) { c.UnavailableEvery = 1 })
	_, err := client(t, m).Submit(within(t), submitReq(), nil)
	if e := errorOf(t, err); e.RetryAfter != time.Second {
		t.Errorf("RetryAfter %v", e.RetryAfter)
	}
}

func TestNobodyListens(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	listener.Close()
	vasp := &mm7.Client{URL: "http://user:hidden@" + address + "/"}
	_, err = vasp.Submit(within(t), submitReq(), content(10))
	e := errorOf(t, err)
	if e.Outcome != mm7.NotSent || strings.Contains(e.Error(), "hidden") {
		t.Errorf("%v: %v", e.Outcome, e)
	}
}

// A part that cannot be read, or that is not as long as it says, ends the request before its last octet.
func TestBrokenParts(t *testing.T) {
	gone := errors.New("file is gone")
	for name, part := range map[string]mm7.Part{
		"cannot be opened": {Type: "image/gif", Size: 3, Open: func() (io.ReadCloser, error) { return nil, gone }},
		"too short": {Type: "image/gif", Size: 30, Open: func() (io.ReadCloser, error) {
			return io.NopCloser(strings.NewReader("abc")), nil
		}},
		"too long":         {Type: "image/gif", Size: 2, Open: func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader("abc")), nil }},
		"no reader":        {Type: "image/gif", Size: 2},
		"header injection": {Type: "image/gif\r\nX-Evil: 1", Size: 0, Open: func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader("")), nil }},
	} {
		for _, transfer := range []mm7.Transfer{mm7.Binary, mm7.Base64} {
			t.Run(name, func(t *testing.T) {
				m := mm7test.New(t)
				vasp := client(t, m, func(c *mm7.Client) { c.Transfer = transfer })
				_, err := vasp.Submit(within(t), submitReq(), &mm7.Content{Parts: []mm7.Part{part, picture(10)}})
				if e := errorOf(t, err); e.Outcome != mm7.NotSent {
					t.Errorf("%v: %v", e.Outcome, e)
				}
				if m.Counters().Accepted != 0 {
					t.Error("it was taken")
				}
			})
		}
	}
}

// Requests run at once over connections that are kept.
func TestParallel(t *testing.T) {
	const workers, each = 8, 10
	m := mm7test.New(t)
	vasp := client(t, m)
	ids := make(chan string, workers*each)
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for range each {
				rsp, err := vasp.Submit(t.Context(), submitReq(), content(1000))
				if err != nil {
					t.Error(err)
					return
				}
				ids <- rsp.MessageID
			}
		})
	}
	wg.Wait()
	close(ids)
	seen := make(map[string]bool)
	for id := range ids {
		seen[id] = true
	}
	if len(seen) != workers*each {
		t.Errorf("%d ids", len(seen))
	}
	if n := m.Counters().Connections; n > workers*each/2 { // a worker may dial while another's connection is on its way back
		t.Errorf("%d connections for %d requests, %d at once", n, workers*each, workers)
	}
}

func TestTimeout(t *testing.T) {
	m := mm7test.New(t, func(c *mm7test.Config) { c.AcceptDelay = time.Hour })
	vasp := client(t, m)
	ctx, cancel := context.WithCancel(t.Context())
	context.AfterFunc(t.Context(), cancel)
	go func() {
		if err := m.WaitSubmits(t.Context(), 1); err == nil { // it was taken: now nobody waits for its answer
			cancel()
		}
	}()
	_, err := vasp.Submit(ctx, submitReq(), content(1000))
	if e := errorOf(t, err); e.Outcome != mm7.Unanswered || !errors.Is(err, context.Canceled) {
		t.Errorf("%v: %v", e.Outcome, e)
	}
}

func TestCancelAndReplace(t *testing.T) {
	m := mm7test.New(t, func(c *mm7test.Config) {
		c.ReportURL, c.ReportDelay, c.Record = "http://127.0.0.1:1/", time.Hour, 10
	})
	vasp := client(t, m)
	ctx := within(t)
	rsp, err := vasp.Submit(ctx, submitReq(), content(10))
	if err != nil {
		t.Fatal(err)
	}
	identification := submitReq().SenderIdentification
	if _, err := vasp.Replace(ctx, &mm7.ReplaceReq{
		SenderIdentification: identification, MessageID: rsp.MessageID, ServiceCode: "free", ReadReply: mm7.No,
	}, content(20)); err != nil {
		t.Error(err, m.Submits())
	}
	if _, err := vasp.Cancel(ctx, &mm7.CancelReq{SenderIdentification: identification, MessageID: rsp.MessageID}); err != nil {
		t.Error(err)
	}
	_, err = vasp.Cancel(ctx, &mm7.CancelReq{SenderIdentification: identification, MessageID: rsp.MessageID})
	if e := errorOf(t, err); e.Outcome != mm7.Answered || e.Status.Code != mm7.StatusMessageIDNotFound {
		t.Errorf("second cancel: %v", e)
	}
	if c := m.Counters(); c.Cancelled != 1 || c.Replaced != 1 || c.ReportsPending != 0 {
		t.Errorf("%+v", c)
	}
}

func TestAuthorization(t *testing.T) {
	m := mm7test.New(t, func(c *mm7test.Config) { c.Username, c.Password = "vasp", "secret" })
	vasp := client(t, m, func(c *mm7.Client) { c.Authorize = mm7.BasicAuth("vasp", "secret") })
	if _, err := vasp.Submit(within(t), submitReq(), nil); err != nil {
		t.Error(err)
	}
	if n := m.Counters().Requests; n != 1 {
		t.Errorf("%d requests: the password was not given at once", n)
	}
	for name, want := range map[string]struct {
		authorize     func(*http.Request)
		header, value string
	}{
		"bearer": {mm7.Bearer("abc"), "Authorization", "Bearer abc"},
		"header": {mm7.Header("X-Api-Key", "abc"), "X-Api-Key", "abc"},
	} {
		request := httptest.NewRequest(http.MethodPost, "/", nil)
		want.authorize(request)
		if got := request.Header.Get(want.header); got != want.value {
			t.Errorf("%s: %s: %s", name, want.header, got)
		}
	}
}

func TestTLS(t *testing.T) {
	authority := httptest.NewTLSServer(nil) // for its certificate
	authority.Close()
	m := mm7test.New(t, func(c *mm7test.Config) { c.TLS = &tls.Config{Certificates: authority.TLS.Certificates} })
	vasp := client(t, m)
	_, err := vasp.Submit(within(t), submitReq(), content(10))
	if e := errorOf(t, err); e.Outcome != mm7.NotSent {
		t.Errorf("unknown authority: %v", e)
	}
	roots := x509.NewCertPool()
	roots.AddCert(authority.Certificate())
	vasp.HTTP.Transport.(*http.Transport).TLSClientConfig = &tls.Config{RootCAs: roots, ServerName: "example.com"}
	vasp.HTTP.Transport = vasp.HTTP.Transport.(*http.Transport).Clone()
	t.Cleanup(vasp.HTTP.CloseIdleConnections)
	if _, err := vasp.Submit(within(t), submitReq(), content(100_000)); err != nil {
		t.Error(err)
	}
}

// Answers of peers that are no MMSC, or a strange one.
func TestAnswers(t *testing.T) {
	const namespace = `xmlns="http://www.3gpp.org/ftp/Specs/archive/23_series/23.140/schema/REL-6-MM7-1-4"`
	soap := func(id, body string) string {
		return `<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Header><TransactionID ` + namespace + `>` + id +
			`</TransactionID></e:Header><e:Body>` + body + `</e:Body></e:Envelope>`
	}
	ok := `<SubmitRsp ` + namespace + `><Status><StatusCode>1000</StatusCode></Status><MessageID>7</MessageID></SubmitRsp>`
	for _, c := range []struct {
		name, kind, body string
		code             int
		outcome          mm7.Outcome // 0: no error
	}{
		{"success", "text/xml", soap("tx", ok), 200, 0},
		{"success, type left out", "", soap("tx", ok), 200, 0},
		{"success under HTTP 202", "application/xml", soap("tx", ok), 202, 0},
		{"no TransactionID", "text/xml", strings.ReplaceAll(soap("tx", ok), ">tx<", "><"), 200, 0},
		{"another TransactionID", "text/xml", soap("other", ok), 200, mm7.Unanswered},
		{"another response", "text/xml", soap("tx", strings.ReplaceAll(ok, "SubmitRsp", "CancelRsp")), 200, mm7.Unanswered},
		{"another response that refuses", "text/xml", soap("tx", strings.NewReplacer("SubmitRsp", "RSErrorRsp", "1000", "4001").Replace(ok)), 200, mm7.Answered},
		{"a request", "text/xml", soap("tx", `<CancelReq><MessageID>1</MessageID></CancelReq>`), 200, mm7.Unanswered},
		{"no status", "text/xml", soap("tx", `<SubmitRsp/>`), 200, mm7.Unanswered},
		{"an endless status", "text/xml", soap("tx", `<SubmitRsp><Status><StatusCode>99999999999999999999</StatusCode></Status></SubmitRsp>`), 200, mm7.Unanswered},
		{"fault without detail", "text/xml", soap("tx", `<e:Fault><faultcode>e:Client</faultcode><faultstring>no</faultstring></e:Fault>`), 500, mm7.Answered},
		{"nothing", "", "", 200, mm7.Unanswered},
		{"an endless page", "text/html", strings.Repeat("<p>", 1<<20), 200, mm7.Unanswered},
		{"an endless envelope", "text/xml", soap("tx", strings.Repeat(" ", 1<<20)+ok), 200, mm7.Unanswered},
		{"not found", "text/html", "<p>", 404, mm7.Answered},
		{"proxy in trouble", "text/html", "<p>", 502, mm7.Unanswered},
		{"proxy without patience", "text/html", "<p>", 504, mm7.Unanswered},
		{"server in trouble", "text/plain", "oops", 500, mm7.Unanswered},
		{"moved", "text/html", "<p>", 302, mm7.Answered},
	} {
		t.Run(c.name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body)
				w.Header()["Content-Type"] = []string{c.kind}
				w.Header().Set("Location", "/elsewhere")
				w.WriteHeader(c.code)
				_, _ = io.WriteString(w, c.body)
			}))
			defer server.Close()
			vasp := &mm7.Client{URL: server.URL, NewID: func() string { return "tx" }}
			defer http.DefaultTransport.(*http.Transport).CloseIdleConnections()
			rsp, err := vasp.Submit(within(t), submitReq(), nil)
			if c.outcome == 0 {
				if err != nil || rsp.MessageID != "7" {
					t.Errorf("%v, %v", rsp, err)
				}
				return
			}
			if e := errorOf(t, err); e.Outcome != c.outcome || e.HTTPStatus != c.code {
				t.Errorf("%v; want %v", e, c.outcome)
			}
		})
	}
}
