package plivo

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
	"github.com/heliograph/heliograph/internal/mt"
)

func basic(user, token string) map[string]string {
	return map[string]string{"Authorization": "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+token))}
}

func TestCredentials(t *testing.T) {
	for _, test := range []struct {
		name   string
		header map[string]string
		status int
		text   string
	}{
		{"none", nil, 401, "authentication credentials were not provided"},
		{"empty", map[string]string{"Authorization": ""}, 401, "authentication credentials were not provided"},
		{"another scheme", map[string]string{"Authorization": "Bearer stk_x"}, 401, "invalid auth token"},
		{"not base64", map[string]string{"Authorization": "Basic ***"}, 401, "invalid auth token"},
		{"wrong token", basic(string(mainID), "x"), 401, "invalid auth token"},
		{"empty token", basic(string(mainID), ""), 401, "invalid auth token"},
		{"a prefix of the token", basic(string(mainID), tokenOf(mainID)[:39]), 401, "invalid auth token"},
		{"another's token", basic(string(mainID), tokenOf(strangerID)), 401, "invalid auth token"},
		{"unknown account", basic("MAUNKNOWNUNKNOWNUNKN", tokenOf(mainID)), 401, "invalid auth token"},
		{"unknown account, empty token", basic("MAUNKNOWNUNKNOWNUNKN", ""), 401, "invalid auth token"},
		{"malformed account, empty token", basic("x", ""), 401, "invalid auth token"},
		{"switched off", basic(string(disabledID), tokenOf(disabledID)), 401, "the account is disabled"},
		{"a stranger", basic(string(strangerID), tokenOf(strangerID)), 403, "the credentials do not give access to this account"},
		{"its subaccount", basic(string(subID), tokenOf(subID)), 403, "the credentials do not give access to this account"},
	} {
		s := newServer(t)
		r := s.do(ask{method: "GET", path: mainPath + "/Message/", anonymous: true, header: test.header})
		if s.refused(r, test.status, test.text); t.Failed() {
			t.Fatal(test.name)
		}
		if challenged := r.header.Get("WWW-Authenticate") != ""; challenged != (test.status == 401) {
			t.Errorf("%s: challenged: %v", test.name, challenged)
		}
	}
}

func TestSubaccounts(t *testing.T) {
	s := newServer(t)
	subPath := "/v1/Account/" + string(subID)
	s.ok(s.do(ask{method: "GET", path: subPath + "/Message/", as: subID}), 200)
	s.ok(s.do(ask{method: "GET", path: subPath + "/Message/"}), 200)
	send := ask{method: "POST", path: subPath + "/Message/", body: `{"src":"14155550100","dst":"14152223333","text":"x"}`}
	s.ok(s.do(send), 202)
	if got := s.last().Account; got != subID {
		t.Errorf("sent for %s", got)
	}
	s.refused(s.do(ask{method: "GET", path: subPath + "/Message/", as: strangerID}), 403, "the credentials do not give access to this account")

	s.changeAccount(subID, func(a *gateway.Account) { a.Enabled = false })
	s.refused(s.do(ask{method: "GET", path: subPath + "/Message/", as: subID}), 401, "the account is disabled")
	s.ok(s.do(ask{method: "GET", path: subPath + "/Message/"}), 200)
	s.refused(s.do(send), 400, "the subaccount is disabled")

	s.changeAccount(subID, func(a *gateway.Account) { a.Enabled = true })
	s.changeAccount(mainID, func(a *gateway.Account) { a.Enabled = false })
	s.refused(s.do(ask{method: "GET", path: subPath + "/Message/", as: subID}), 401, "the account is disabled")
}

// changeAccount changes an account in the store, and lets the time pass after which it must be seen.
func (s *server) changeAccount(id gateway.AccountID, change func(*gateway.Account)) {
	account := s.store.accounts[id]
	change(&account)
	s.store.accounts[id] = account
	s.now = s.now.Add(accountLifetime)
}

// TestWalls walks the whole route table with a stranger's credentials, in every method: in the path of another it gets nowhere, and in its own
// path the other's things are not there. Nothing is changed by any of it.
func TestWalls(t *testing.T) {
	s := newServer(t)
	pool, pack := s.givePowerpack("main", "14155550100", "18005550100", "444444")
	message := s.giveMessage(nil)
	changes := s.changes
	fill := func(pattern string, account gateway.AccountID) string {
		number := "14155550100"
		if strings.Contains(pattern, "Tollfree") {
			number = "18005550100"
		}
		return strings.NewReplacer("{auth_id}", string(account), "{message_uuid}", message.ID.String(), "{uuid}", pack, "{pool_uuid}", pool,
			"{number}", number, "{shortcode}", "444444").Replace(pattern)
	}
	for _, route := range s.handler.(*API).routes {
		for _, method := range []string{"GET", "POST", "DELETE"} {
			if route.handler(method) == nil || !route.ofAccount() {
				continue
			}
			q := ask{method: method, path: fill(route.pattern, mainID), as: strangerID, body: `{"rent":true,"unrent":true,"name":"x","number":"14155550100","status":"CONVERTED","timestamp":"2026-03-04T05:06:07Z"}`}
			s.refused(s.do(q), 403, errForeign.Text)
			if !strings.Contains(route.pattern, "uuid}") && !strings.Contains(route.pattern, "{number}") {
				continue
			}
			q.path = fill(route.pattern, strangerID)
			text := "not found"
			if strings.Contains(route.pattern, "/Profile/") {
				text = errNoProfile.text
			}
			s.refused(s.do(q), 404, text)
		}
	}
	for _, list := range []string{"Message/", "Number/", "PhoneNumber/?country_iso=US", "Powerpack/"} {
		r := s.ok(s.do(ask{method: "GET", path: "/v1/Account/" + string(strangerID) + "/" + list, as: strangerID}), 200)
		if objects := r.body["objects"].([]any); len(objects) != 0 {
			t.Errorf("a stranger sees %v", objects)
		}
	}
	if s.changes != changes || len(s.store.powerpacks) != 1 {
		t.Error("a stranger changed something")
	}
	for _, n := range s.store.numbers {
		if n.Account != mainID || n.Pool.String() != pool {
			t.Errorf("a stranger changed %v", n)
		}
	}
}

func TestThrottle(t *testing.T) {
	s := newServer(t)
	path := mainPath + "/Message/"
	wrong := ask{method: "GET", path: path, anonymous: true, header: basic(string(mainID), "guess"), from: "198.51.100.9:1"}
	right := ask{method: "GET", path: path, from: "198.51.100.9:2"}
	other := ask{method: "GET", path: "/v1/Account/" + string(strangerID) + "/Message/", as: strangerID, from: "198.51.100.9:3"}
	s.ok(s.do(right), 200) // known from this address
	for range failuresAllowed {
		s.refused(s.do(wrong), 401, "invalid auth token")
	}
	s.now = s.now.Add(10 * time.Second)
	r := s.do(wrong)
	s.refused(r, 429, "too many failed attempts to authenticate; try again later")
	if got := r.header.Get("Retry-After"); got != "50" {
		t.Errorf("Retry-After %q", got)
	}
	s.ok(s.do(right), 200)
	s.refused(s.do(other), 429, "too many failed attempts to authenticate; try again later") // never seen from there
	other.from = "198.51.100.10:3"
	s.ok(s.do(other), 200) // from elsewhere it passes
	s.now = s.now.Add(50 * time.Second)
	other.from = "198.51.100.9:3"
	s.ok(s.do(other), 200) // and here too when the minute is over: what was refused did not prolong it
	s.refused(s.do(wrong), 401, "invalid auth token")
}

func TestThrottleForgetsAndIsBounded(t *testing.T) {
	th := newThrottle()
	addr := func(i int) netip.Addr { return netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}) }
	digest := [32]byte{1}
	for i := range 3 * sourcesKept {
		th.fail(addr(i), start.Add(time.Duration(i)))
		th.succeed(addr(i), mainID, digest, start)
	}
	if len(th.failed) > sourcesKept || len(th.known) > sourcesKept {
		t.Errorf("%d and %d kept", len(th.failed), len(th.known))
	}
	one := addr(1 << 23)
	th.succeed(one, mainID, digest, start)
	later := start.Add(knownFor)
	for range failuresAllowed {
		th.fail(one, later)
	}
	if th.check(one, mainID, digest, later) == 0 {
		t.Error("credentials of an hour ago are still known")
	}
	if th.check(one, mainID, digest, later.Add(failureWindow)) != 0 {
		t.Error("refused after the window")
	}
}

func TestClient(t *testing.T) {
	proxied := func(cfg *Config) {
		cfg.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("::1/128")}
	}
	for _, test := range []struct{ remote, forwarded, want, source string }{
		{"192.0.2.1:99", "", "192.0.2.1", "192.0.2.1"},
		{"192.0.2.1:99", "203.0.113.9", "192.0.2.1", "192.0.2.1"}, // not one of ours: not believed
		{"10.1.1.1:99", "203.0.113.9", "203.0.113.9", "203.0.113.9"},
		{"10.1.1.1:99", "1.1.1.1, 203.0.113.9, 10.2.2.2", "203.0.113.9", "203.0.113.9"},
		{"10.1.1.1:99", "nonsense", "10.1.1.1", "10.1.1.1"},
		{"10.1.1.1:99", "", "10.1.1.1", "10.1.1.1"},
		{"[::1]:99", "[2001:db8:1:2:3::4]:777", "2001:db8:1:2:3::4", "2001:db8:1:2::"},
		{"[::ffff:192.0.2.1]:99", "", "192.0.2.1", "192.0.2.1"},
		{"[fe80::1%eth0]:99", "", "fe80::1", "fe80::"},
		{"@", "", "invalid IP", "invalid IP"},
	} {
		s := newServer(t, proxied)
		req := httptest.NewRequest("GET", "/", nil)
		req.RemoteAddr = test.remote
		if test.forwarded != "" {
			req.Header.Set("X-Forwarded-For", test.forwarded)
		}
		client := s.handler.(*API).clientOf(req)
		if client.String() != test.want || sourceOf(client).String() != test.source {
			t.Errorf("%s for %q: %s, %s", test.remote, test.forwarded, client, sourceOf(client))
		}
	}
}

func TestAccountsAreReadOnceInAWhile(t *testing.T) {
	s := newServer(t)
	q := ask{method: "GET", path: mainPath + "/Message/"}
	for range 50 {
		s.ok(s.do(q), 200)
	}
	if s.store.reads != 1 {
		t.Errorf("%d reads", s.store.reads)
	}
	s.changeAccount(mainID, func(a *gateway.Account) { a.Token = "another-token" })
	s.refused(s.do(q), 401, "invalid auth token")
	s.changeAccount(mainID, func(a *gateway.Account) { a.Token = tokenOf(mainID) })
	s.ok(s.do(q), 200)
	delete(s.store.accounts, mainID)
	s.now = s.now.Add(accountLifetime)
	s.refused(s.do(q), 401, "invalid auth token")
}

func TestAccountsAreBounded(t *testing.T) {
	load := func(_ context.Context, id gateway.AccountID) (gateway.Account, error) {
		if id[2] == 'X' {
			return gateway.Account{}, gateway.Errorf(gateway.NotFound, "not found")
		}
		return gateway.Account{ID: id}, nil
	}
	a := NewAccounts(load, func() time.Time { return start })
	for i := range accountsKept + 3000 {
		for _, prefix := range []string{"MA", "MAX"} {
			if _, err := a.get(t.Context(), gateway.AccountID(fmt.Sprintf("%s%0*d", prefix, 20-len(prefix), i))); err != nil {
				t.Fatal(err)
			}
		}
	}
	if len(a.kept) > accountsKept || len(a.loading) != 0 {
		t.Errorf("%d kept, %d loading", len(a.kept), len(a.loading))
	}
}

// TestAccountsAreReadTogether: many callers at once cost one read, and who goes away does not end it for the others.
func TestAccountsAreReadTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reads := 0
		load := func(ctx context.Context, id gateway.AccountID) (gateway.Account, error) {
			reads++
			time.Sleep(time.Second)
			return gateway.Account{ID: id, Token: "t"}, ctx.Err()
		}
		a := NewAccounts(load, time.Now)
		impatient, cancel := context.WithCancel(t.Context())
		cancel()
		var all sync.WaitGroup
		var mu sync.Mutex
		got := map[error]int{}
		for i := range 20 {
			all.Go(func() {
				ctx := t.Context()
				if i%2 == 0 {
					ctx = impatient
				}
				_, err := a.get(ctx, mainID)
				mu.Lock()
				defer mu.Unlock()
				got[err]++
			})
		}
		all.Wait()
		if reads != 1 || got[nil] < 10 || got[nil]+got[context.Canceled] != 20 {
			t.Errorf("%d reads, %v", reads, got)
		}
	})
}

func TestFailures(t *testing.T) {
	s := newServer(t)
	q := ask{method: "GET", path: mainPath + "/Powerpack/"}
	s.store.err = errors.New("disk on fire: secret")
	s.refused(s.do(q), 500, "internal server error")
	if !strings.Contains(s.log.String(), "disk on fire") {
		t.Errorf("not logged: %s", s.log)
	}
	s.store.err = gateway.Errorf(gateway.Unavailable, "the disk is full")
	r := s.do(q)
	s.refused(r, 503, "the disk is full")
	if r.header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
}

// TestStoreFailures walks the route table over a store that can do nothing.
func TestStoreFailures(t *testing.T) {
	s := newServer(t)
	s.store.err = gateway.Errorf(gateway.Unavailable, "the store is busy")
	s.accept = func(*mt.Request) (gateway.Acceptance, error) { return gateway.Acceptance{}, s.store.err }
	fill := strings.NewReplacer("{auth_id}", string(mainID), "{message_uuid}", aPowerpack, "{media_id}", aPowerpack, "{uuid}", aPowerpack, "{pool_uuid}", aPowerpack,
		"{number}", "14155550100", "{shortcode}", "444444")
	for i, route := range s.handler.(*API).routes {
		for _, method := range []string{"GET", "POST", "DELETE"} {
			if route.handler(method) == nil || !route.ofAccount() || strings.HasSuffix(route.pattern, "/Pricing/") { // which asks the price list, not the store
				continue
			}
			body := `{"name":"x","app_name":"x","number":"14152223333","source":"14155550100","src":"14155550100","dst":"14152223333","text":"x","status":"CONVERTED","timestamp":"2026-03-04T05:06:07Z"}`
			if i > 0 { // the account itself has an address of its own
				body = strings.TrimSuffix(body, "}") + "," + registrationArguments + `,"numbers":["14152223333"]}`
			}
			q := ask{method: method, path: fill.Replace(route.pattern) + "?country_iso=US&dst=14152223333", body: body}
			if route.pattern == "/v1/Account/{auth_id}/Media/" && method == "POST" {
				q.body, q.header = uploadForm(filePart{name: "a.txt", content: "x"})
			}
			s.refused(s.do(q), 503, "the store is busy")
		}
	}
	s.store.accounts, s.accounts.load = nil, func(context.Context, gateway.AccountID) (gateway.Account, error) {
		return gateway.Account{}, s.store.err
	}
	s.now = s.now.Add(accountLifetime)
	s.refused(s.do(ask{method: "GET", path: messagePath}), 503, "the store is busy")
}

type panicking struct{ Store }

func (panicking) Powerpacks(context.Context, gateway.AccountID, int, int) ([]gateway.Powerpack, int, error) {
	panic("a secret")
}

func TestPanic(t *testing.T) {
	s := newServer(t, func(cfg *Config) { cfg.Store = panicking{cfg.Store} })
	r := s.do(ask{method: "GET", path: mainPath + "/Powerpack/"})
	s.refused(r, 500, "internal server error")
	if !strings.Contains(s.log.String(), r.string("api_id")) || !strings.Contains(s.log.String(), "goroutine") {
		t.Errorf("the log says %s", s.log)
	}
	if strings.Contains(s.log.String(), "a secret") {
		t.Error("the log repeats a value that may hold a text")
	}
}

func TestServedHearsOfEveryAnswer(t *testing.T) {
	var heard []string
	s := newServer(t, func(cfg *Config) {
		cfg.Served = func(method, pattern string, status int, took time.Duration) {
			heard = append(heard, fmt.Sprint(method, " ", pattern, " ", status, " ", took))
		}
	})
	s.do(ask{method: "GET", path: mainPath + "//message"})
	s.do(ask{method: "POST", path: "/v1/nothing"})
	want := []string{"GET /v1/Account/{auth_id}/Message/ 200 0s", "POST  404 0s"}
	if fmt.Sprint(heard) != fmt.Sprint(want) {
		t.Errorf("heard %q", heard)
	}
}

// TestClientGoesAway: that a client gave up is no failure of the server.
func TestClientGoesAway(t *testing.T) {
	s := newServer(t)
	ctx, cancel := context.WithCancel(t.Context())
	s.accept = func(*mt.Request) (gateway.Acceptance, error) {
		cancel()
		return gateway.Acceptance{}, fmt.Errorf("waiting: %w", ctx.Err())
	}
	req := httptest.NewRequest("POST", "http://api.test"+messagePath, strings.NewReader(with())).WithContext(ctx)
	req.SetBasicAuth(string(mainID), tokenOf(mainID))
	s.refused(s.send(req), 503, "the client gave up")
	if s.log.Len() > 0 {
		t.Errorf("logged: %s", s.log)
	}
}

// TestLargeBodyOverASocket: a client that writes three megabytes before it reads gets its answer all the same, and a connection goes on
// after a refusal.
func TestLargeBodyOverASocket(t *testing.T) {
	s := newServer(t)
	listening := httptest.NewServer(s.handler)
	defer listening.Close()
	for _, test := range []struct {
		size, status int
	}{{3 << 20, 413}, {10, 202}, {7 << 20, 413}, {10, 202}} {
		body := `{"src":"14155550100","dst":"14152223333","text":"x","junk":"` + strings.Repeat("x", test.size) + `"}`
		req, err := http.NewRequestWithContext(t.Context(), "POST", listening.URL+"//v1//Account/"+string(mainID)+"/Message", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.SetBasicAuth(string(mainID), tokenOf(mainID))
		res, err := listening.Client().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(res.Body)
		_ = res.Body.Close()
		if err != nil || res.StatusCode != test.status || !strings.HasPrefix(string(text), `{"api_id":"`) {
			t.Errorf("%d octets: %d %s, %v", test.size, res.StatusCode, text, err)
		}
	}
}
