package plivo

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/heliograph/heliograph/docs/docstest"
	"github.com/heliograph/heliograph/internal/gateway"
	"github.com/heliograph/heliograph/internal/media"
	"github.com/heliograph/heliograph/internal/mt"
)

// The accounts of the tests: a main account with a subaccount, a stranger, and one that is switched off.
const (
	mainID     gateway.AccountID = "MAMAINMAINMAINMAINMA"
	subID      gateway.AccountID = "SASUBSUBSUBSUBSUBSUB"
	strangerID gateway.AccountID = "MASTRANGERSTRANGERXX"
	disabledID gateway.AccountID = "MADISABLEDDISABLEDXX"
	mainPath                     = "/v1/Account/" + string(mainID)
)

func tokenOf(id gateway.AccountID) string {
	return strings.ToLower(string(id)) + "-token-1234567890123"
}

// server is an API over a fake store. Every answer it gives is checked against what holds for all answers and against the OpenAPI document.
type server struct {
	t        testing.TB
	handler  http.Handler
	store    *fakeStore
	library  *media.Library
	folder   string // of the library
	accounts *Accounts
	document *docstest.Document
	log      *bytes.Buffer

	mu       sync.Mutex
	now      time.Time
	accept   func(*mt.Request) (gateway.Acceptance, error)
	explain  func(mt.Question) (mt.Explanation, error)
	estimate func([]*gateway.Message) ([]time.Time, error)
	requests []*mt.Request
	changes  int
	change   error // what Changed answers
}

var start = time.Date(2026, 3, 4, 5, 6, 7, 123_456_000, time.UTC)

func newServer(t testing.TB, options ...func(*Config)) *server {
	t.Helper()
	s := &server{t: t, store: &fakeStore{accounts: map[gateway.AccountID]gateway.Account{}}, now: start, log: &bytes.Buffer{}}
	var err error
	if s.document, err = docstest.Load(); err != nil {
		t.Fatal(err)
	}
	for _, account := range []gateway.Account{
		{ID: mainID, Enabled: true},
		{ID: subID, Parent: mainID, Enabled: true},
		{ID: strangerID, Enabled: true},
		{ID: disabledID},
	} {
		account.Token = tokenOf(account.ID)
		s.store.accounts[account.ID] = account
	}
	counter := uint64(0)
	ids := &gateway.IDSource{Entropy: func() uint64 { counter++; return counter }}
	s.accept = func(req *mt.Request) (gateway.Acceptance, error) {
		messages := make([]gateway.ID, len(req.To))
		for i := range messages {
			messages[i] = ids.Next(s.clock())
		}
		return gateway.Acceptance{RequestID: req.ID, Messages: messages, Invalid: req.Invalid}, nil
	}
	s.explain = func(mt.Question) (mt.Explanation, error) { return mt.Explanation{Reason: gateway.InvalidSource}, nil }
	s.estimate = func(messages []*gateway.Message) ([]time.Time, error) { return make([]time.Time, len(messages)), nil }
	s.accounts = NewAccounts(s.store.Account, s.clock)
	s.openLibrary()
	cfg := Config{
		Store: s.store, Media: s.library, IDs: ids, Now: s.clock, Log: slog.New(slog.NewTextHandler(s.log, nil)), Accounts: s.accounts,
		OwnNumbers: true,
		Accept: func(_ context.Context, req *mt.Request) (gateway.Acceptance, error) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.requests = append(s.requests, req)
			return s.accept(req)
		},
		Explain:  func(_ context.Context, q mt.Question) (mt.Explanation, error) { return s.explain(q) },
		Estimate: func(_ context.Context, messages []*gateway.Message) ([]time.Time, error) { return s.estimate(messages) },
		Changed:  func(context.Context) error { s.changes++; return s.change },
		Feedback: func(ctx context.Context, c gateway.Conversion) error {
			results, err := s.store.RecordConversions(ctx, []gateway.Conversion{c})
			return cmp.Or(err, results[0])
		},
	}
	for _, option := range options {
		option(&cfg)
	}
	s.handler = New(cfg)
	return s
}

func (s *server) clock() time.Time { return s.now }

func (s *server) last() *mt.Request {
	s.t.Helper()
	if len(s.requests) == 0 {
		s.t.Fatal("no request was accepted")
	}
	return s.requests[len(s.requests)-1]
}

// ask is a request to be made.
type ask struct {
	method, path string
	body         string
	as           gateway.AccountID // default mainID
	header       map[string]string
	from         string // address; default 192.0.2.1:1234
	anonymous    bool
}

// reply is an answer.
type reply struct {
	status int
	header http.Header
	text   string
	body   map[string]any
}

func (r *reply) string(key string) string {
	text, _ := r.body[key].(string)
	return text
}

func (s *server) do(q ask) *reply {
	s.t.Helper()
	var body io.Reader
	if q.body != "" {
		body = strings.NewReader(q.body)
	}
	req := httptest.NewRequest(q.method, "http://api.test"+q.path, body)
	req.RemoteAddr = "192.0.2.1:1234"
	if q.from != "" {
		req.RemoteAddr = q.from
	}
	if q.as == "" {
		q.as = mainID
	}
	if !q.anonymous {
		req.SetBasicAuth(string(q.as), tokenOf(q.as))
	}
	if strings.HasPrefix(q.body, "{") {
		req.Header.Set("Content-Type", "application/json")
	}
	for name, text := range q.header {
		req.Header.Set(name, text)
	}
	return s.send(req)
}

func (s *server) send(req *http.Request) *reply {
	s.t.Helper()
	recorder := httptest.NewRecorder()
	s.handler.ServeHTTP(recorder, req)
	r := &reply{status: recorder.Code, header: recorder.Header(), text: recorder.Body.String()}
	s.check(req, r)
	return r
}

// check holds an answer against what every answer must be.
func (s *server) check(req *http.Request, r *reply) {
	s.t.Helper()
	answer := &docstest.Answer{Method: req.Method, Path: req.URL.Path, Status: r.status, Header: r.header, Body: []byte(r.text)}
	if req.Method == http.MethodHead { // the recorder has the body that a server leaves out
		answer.Body = nil
	}
	if err := s.document.Check(answer); err != nil {
		s.t.Errorf("%s %s: %d %s\nis not what openapi.yaml says: %v", req.Method, req.URL, r.status, r.text, err)
	}
	if r.status == http.StatusNoContent {
		return
	}
	if err := json.Unmarshal([]byte(r.text), &r.body); err != nil {
		s.t.Fatalf("%s %s: %d: not a JSON object: %v: %q", req.Method, req.URL, r.status, err, r.text)
	}
	if text, failed := r.body["error"].(string); failed != (r.status >= 400) || failed && (text == "" || insideWords.MatchString(text)) {
		s.t.Errorf("%s %s: %d with %s", req.Method, req.URL, r.status, r.text)
	}
	if r.status/100 != 2 && r.status < 400 {
		s.t.Errorf("%s %s: %d: clients make a GET of a POST that is redirected", req.Method, req.URL, r.status)
	}
}

// insideWords are those that only this program's authors understand.
var insideWords = regexp.MustCompile(`(?i)\b(json:|unmarshal|strconv|parsing|syntax|struct|interface|pointer|nil|EOF|goroutine|runtime|panic|sqlite|postgres|sql|errno)\b|%!|\bGo\b|\b(http|url|mime|multipart|plivo|mt|gateway|media|store): `)

// refused checks a refusal, to the letter.
func (s *server) refused(r *reply, status int, text string) {
	s.t.Helper()
	if r.status != status || r.string("error") != text || len(r.body) != 2 {
		s.t.Errorf("got %d %s, want %d %q", r.status, r.text, status, text)
	}
}

func (s *server) ok(r *reply, status int) *reply {
	s.t.Helper()
	if r.status != status {
		s.t.Fatalf("got %d %s, want %d", r.status, r.text, status)
	}
	return r
}

// givePowerpack makes a powerpack of the main account with numbers in it, and gives the ids of its pool and its own.
func (s *server) givePowerpack(name string, numbers ...string) (pool, id string) {
	s.t.Helper()
	r := s.ok(s.do(ask{method: "POST", path: mainPath + "/Powerpack/", body: `{"name":"` + name + `"}`}), 200)
	pool, id = strings.Split(r.string("number_pool"), "/")[5], r.string("uuid")
	for i, number := range numbers {
		n := s.number(number, mainID)
		n.Pool, _ = gateway.ParseID(pool)
		n.Service, n.AddedAt = gateway.SMS, s.now.Add(time.Duration(i)*time.Second)
		s.store.numbers = append(s.store.numbers, n)
	}
	return pool, id
}

// number makes a number of an account, of the type that its digits look like.
func (s *server) number(number string, account gateway.AccountID) gateway.Number {
	n := gateway.Number{
		Number: number, Type: gateway.LongCode, Country: "US", Services: gateway.Services(gateway.SMS, gateway.MMS), Account: account, AddedAt: s.now,
	}
	if account != "" {
		n.RentedAt = s.now
	}
	switch {
	case len(number) < 7:
		n.Type, n.Services = gateway.ShortCode, gateway.Services(gateway.SMS)
	case strings.HasPrefix(number, "18"):
		n.Type = gateway.TollFree
	}
	return n
}

// giveMessage stores a message of the main account.
func (s *server) giveMessage(change func(*gateway.Message)) *gateway.Message {
	m := &gateway.Message{
		ID: s.handler.(*API).ids.Next(s.now), Account: mainID, Service: gateway.SMS, From: "14155550100", To: "14152223333", Country: "US",
		Text: "secret text", Units: 1, Requester: "203.0.113.7", AcceptedAt: s.now, ExpiresAt: s.now.Add(gateway.DefaultExpiry),
		Progress: gateway.Progress{Sequence: 1, UpdatedAt: s.now},
	}
	if change != nil {
		change(m)
	}
	s.store.messages = append(s.store.messages, m)
	return m
}
