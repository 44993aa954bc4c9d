package media

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/heliograph/heliograph/internal/egress"
	"github.com/heliograph/heliograph/internal/gateway"
)

// answers is a Client's transport that answers as a test says.
type answers func(*http.Request) (*http.Response, error)

func (a answers) RoundTrip(r *http.Request) (*http.Response, error) { return a(r) }

// answer makes one. Headers are names and values.
func answer(r *http.Request, status int, body string, headers ...string) *http.Response {
	resp := &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)), Request: r}
	for i := 0; i < len(headers); i += 2 {
		resp.Header.Set(headers[i], headers[i+1])
	}
	return resp
}

func (s *shelf) fetcher(client *http.Client) *Fetcher {
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return NewFetcher(FetcherConfig{Library: s.Library, Client: client, IDs: &s.ids, Most: 1000, UserAgent: "Heliograph/test"})
}

// TestFetch: what is fetched is kept, used, and not asked for again while it is fresh; then it is asked about.
func TestFetch(t *testing.T) {
	s := newShelf(t)
	var asked []string
	f := s.fetcher(&http.Client{Transport: answers(func(r *http.Request) (*http.Response, error) {
		asked = append(asked, r.Header.Get("If-None-Match")+r.Header.Get("If-Modified-Since"))
		if r.Header.Get("If-None-Match") == `"1"` {
			return answer(r, 304, "", "Cache-Control", "max-age=600"), nil
		}
		return answer(r, 200, gifHead, "Content-Type", "image/gif", "ETag", `"1"`, "Cache-Control", "public, max-age=120"), nil
	})})
	fetch := func(owner gateway.AccountID) gateway.Medium {
		t.Helper()
		m, err := f.Fetch(t.Context(), owner, "https://a.example/x/sun%20shine.gif?y=1")
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	m := fetch(account)
	if m.Name != "sun shine.gif" || m.Type != "image/gif" || m.Size != int64(len(gifHead)) || m.ExpiresAt != begin.Add(DefaultUnused) && m.ExpiresAt != begin.Add(DefaultUsed) {
		t.Errorf("kept as %+v", m)
	}
	if row := s.index.rows[0]; row.UsedAt != begin || row.ExpiresAt != begin.Add(DefaultUsed) {
		t.Errorf("its row is %+v", row)
	}
	for _, step := range []struct {
		after time.Duration
		asked int
	}{{0, 1}, {119 * time.Second, 1}, {120 * time.Second, 2}, {719 * time.Second, 2}, {720 * time.Second, 3}} {
		s.time = begin.Add(step.after)
		if again := fetch(account); again.ID != m.ID || len(asked) != step.asked {
			t.Errorf("after %s: asked %q for %s", step.after, asked, again.ID)
		}
	}
	if other := fetch("MATWOTWOTWOTWOTWOTWO"); other.ID == m.ID || other.Content != m.Content || asked[3] != "" {
		t.Errorf("another account got %+v, asked %q", other, asked)
	}
	s.index.rows = s.index.rows[1:] // it has expired: the whole is asked for again
	if again := fetch(account); again.ID == m.ID || asked[len(asked)-1] != "" {
		t.Errorf("got %+v, asked %q", again, asked)
	}
}

// TestFetchFails: why, and after how many attempts.
func TestFetchFails(t *testing.T) {
	for _, test := range []struct {
		name     string
		answer   func(*http.Request) (*http.Response, error)
		reason   gateway.Reason
		text     string
		attempts int
	}{
		{"not there", func(r *http.Request) (*http.Response, error) { return answer(r, 404, "x"), nil }, gateway.InvalidMessage, "the server of a medium answered 404", 1},
		{"not allowed", func(r *http.Request) (*http.Response, error) { return answer(r, 403, "x"), nil }, gateway.InvalidMessage, "the server of a medium answered 403", 1},
		{"busy", func(r *http.Request) (*http.Response, error) { return answer(r, 503, "x"), nil }, gateway.NetworkError, "the server of a medium answered 503", 4},
		{"dead", func(*http.Request) (*http.Response, error) { return nil, errors.New("secret") }, gateway.NetworkError, "the server of a medium cannot be reached, or broke off", 4},
		{"slow", func(*http.Request) (*http.Response, error) { return nil, context.DeadlineExceeded }, gateway.NetworkError, "a medium did not come in time", 4},
		{"private", func(*http.Request) (*http.Response, error) { return nil, fmt.Errorf("%w: x", egress.ErrRefused) }, gateway.InvalidMessage, "the address of a medium does not lead to the public internet", 1},
		{"large", func(r *http.Request) (*http.Response, error) { return answer(r, 200, strings.Repeat("x", 1001)), nil }, gateway.MediaTooLarge, "the file of a medium is larger than 1000 octets", 1},
		{"empty", func(r *http.Request) (*http.Response, error) { return answer(r, 200, ""), nil }, gateway.InvalidMessage, "the file of a medium is empty", 1},
		{"a page", func(r *http.Request) (*http.Response, error) {
			return answer(r, 200, html, "Content-Type", "image/gif"), nil
		}, gateway.InvalidMessage, "the file of a medium cannot be sent: files of type text/html are not taken", 1},
		{"another picture", func(r *http.Request) (*http.Response, error) {
			return answer(r, 200, pngHead, "Content-Type", "image/gif"), nil
		}, gateway.InvalidMessage, "the file of a medium cannot be sent: the file is not what it is said to be: image/gif was declared, image/png was found", 1},
		{"in circles", func(r *http.Request) (*http.Response, error) { return answer(r, 302, "", "Location", "/x"), nil }, gateway.InvalidMessage, "the address of a medium redirects more than 5 times", mostRedirects + 1},
		{"to a file", func(r *http.Request) (*http.Response, error) {
			return answer(r, 302, "", "Location", "file:///etc/passwd"), nil
		}, gateway.InvalidMessage, "the address of a medium redirects to nowhere", 1},
		{"to nowhere", func(r *http.Request) (*http.Response, error) { return answer(r, 307, ""), nil }, gateway.InvalidMessage, "the address of a medium redirects to nowhere", 1},
		{"not changed, though nothing is known", func(r *http.Request) (*http.Response, error) { return answer(r, 304, ""), nil }, gateway.InvalidMessage, "the server of a medium answered 304", 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newShelf(t)
			synctest.Test(t, func(t *testing.T) {
				attempts := 0
				f := s.fetcher(&http.Client{Transport: answers(func(r *http.Request) (*http.Response, error) { attempts++; return test.answer(r) })})
				_, err := f.Fetch(t.Context(), account, "https://a.example/secret.gif")
				var failure *Failure
				if !errors.As(err, &failure) || failure.Reason != test.reason || failure.Text != test.text || attempts != test.attempts {
					t.Errorf("%d attempts, %#v", attempts, err)
				}
			})
			if left := s.names(); len(left) != 0 {
				t.Errorf("left: %v", left)
			}
		})
	}
}

// TestFetchAgain: what fails for the moment is tried again by the schedule, and a message that is given up waits no longer.
func TestFetchAgain(t *testing.T) {
	s := newShelf(t)
	synctest.Test(t, func(t *testing.T) {
		started := time.Now()
		var at []time.Duration
		f := s.fetcher(&http.Client{Transport: answers(func(r *http.Request) (*http.Response, error) {
			if at = append(at, time.Since(started)); len(at) < 4 {
				return answer(r, 429, ""), nil
			}
			return answer(r, 200, gifHead), nil
		})})
		if _, err := f.Fetch(t.Context(), account, "https://a.example/a.gif"); err != nil {
			t.Error(err)
		}
		if want := "[0s 1s 6s 31s]"; fmt.Sprint(at) != want {
			t.Errorf("tried at %v, want %s", at, want)
		}
		at = nil
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		if _, err := f.Fetch(ctx, account, "https://a.example/b.gif"); !errors.Is(err, context.DeadlineExceeded) || len(at) != 2 {
			t.Errorf("%v after %d attempts", err, len(at))
		}
	})
}

// TestFetchOnce: a thousand messages fetch once, and when the one that leads is given up, another leads.
func TestFetchOnce(t *testing.T) {
	s := newShelf(t)
	synctest.Test(t, func(t *testing.T) {
		asked := 0
		f := s.fetcher(&http.Client{Transport: answers(func(r *http.Request) (*http.Response, error) {
			asked++
			select {
			case <-time.After(time.Second):
				return answer(r, 200, gifHead), nil
			case <-r.Context().Done():
				return nil, r.Context().Err()
			}
		})})
		leading, giveUp := context.WithCancel(t.Context())
		var all sync.WaitGroup
		all.Go(func() {
			if _, err := f.Fetch(leading, account, "https://a.example/a.gif"); !errors.Is(err, context.Canceled) {
				t.Errorf("given up: %v", err)
			}
		})
		synctest.Wait()
		ids := make([]gateway.ID, 1000)
		for i := range ids {
			all.Go(func() {
				m, err := f.Fetch(t.Context(), account, "https://a.example/a.gif")
				if err != nil {
					t.Error(err)
				}
				ids[i] = m.ID
			})
		}
		synctest.Wait()
		giveUp()
		all.Wait()
		for _, id := range ids {
			if id != ids[0] || id.IsZero() {
				t.Fatalf("%s and %s", ids[0], id)
			}
		}
		if asked != 2 {
			t.Errorf("asked %d times", asked)
		}
		if len(f.flights.under) != 0 || len(f.gate.taken) != 0 {
			t.Errorf("%d flights are left, and %v is taken", len(f.flights.under), f.gate.taken)
		}
	})
}

// TestFetchRemembersFailures: what has failed is not tried again for each message, and its file is no longer taken for what the address gives.
func TestFetchRemembersFailures(t *testing.T) {
	s := newShelf(t)
	asked := 0
	next := func(r *http.Request) (*http.Response, error) { return answer(r, 404, ""), nil }
	f := s.fetcher(&http.Client{Transport: answers(func(r *http.Request) (*http.Response, error) { asked++; return next(r) })})
	f.pauses = nil
	good := func(r *http.Request) (*http.Response, error) {
		return answer(r, 200, gifHead, "Cache-Control", "no-store", "ETag", `"1"`), nil
	}
	// The name leads to somewhere else now.
	private := func(*http.Request) (*http.Response, error) {
		return nil, fmt.Errorf("%w: 10.0.0.1 is not a public address", egress.ErrRefused)
	}
	busy := func(r *http.Request) (*http.Response, error) { return answer(r, 503, "", "Retry-After", "90"), nil }
	var first gateway.ID
	for i, test := range []struct {
		at     time.Duration
		next   func(*http.Request) (*http.Response, error)
		text   string
		after  time.Duration
		asked  int
		asNext bool // the answer is asked for
	}{
		{0, next, "the server of a medium answered 404", failedFresh, 1, true},
		{29 * time.Second, good, "the server of a medium answered 404", time.Second, 1, false},
		{30 * time.Second, good, "", 0, 2, true},
		{30 * time.Second, private, "the address of a medium does not lead to the public internet", failedFresh, 3, true},
		{60 * time.Second, busy, "the server of a medium answered 503", 90 * time.Second, 4, true},
		{149 * time.Second, good, "the server of a medium answered 503", time.Second, 4, false},
		{150 * time.Second, good, "", 0, 5, true},
	} {
		s.time, next = begin.Add(test.at), test.next
		m, err := f.Fetch(t.Context(), account, "https://a.example/a.gif")
		var failure *Failure
		switch {
		case asked != test.asked:
			t.Errorf("%d: asked %d times", i, asked)
		case test.text == "" && (err != nil || !first.IsZero() && m.ID != first):
			t.Errorf("%d: %s, %v", i, m.ID, err) // the same file again is the same medium
		case test.text != "" && (!errors.As(err, &failure) || failure.Text != test.text || failure.After != test.after):
			t.Errorf("%d: %+v", i, err)
		}
		if test.text == "" {
			first = m.ID
		}
	}
}

// TestFetchWaitsAsItIsTold: a Retry-After is waited for, unless it is so long that the caller had better come back.
func TestFetchWaitsAsItIsTold(t *testing.T) {
	s := newShelf(t)
	synctest.Test(t, func(t *testing.T) {
		started := time.Now()
		var at []time.Duration
		waits := []string{"7", "garbage", "30"}
		f := s.fetcher(&http.Client{Transport: answers(func(r *http.Request) (*http.Response, error) {
			if at = append(at, time.Since(started)); len(at) > len(waits) {
				return answer(r, 200, gifHead), nil
			}
			return answer(r, 503, "", "Retry-After", waits[len(at)-1]), nil
		})})
		if _, err := f.Fetch(t.Context(), account, "https://a.example/a.gif"); err != nil || fmt.Sprint(at) != "[0s 7s 12s 42s]" {
			t.Errorf("tried at %v, %v", at, err)
		}
		at, waits = nil, []string{"7", s.time.Add(2 * time.Minute).Format(http.TimeFormat)}
		_, err := f.Fetch(t.Context(), account, "https://a.example/b.gif")
		var failure *Failure
		if !errors.As(err, &failure) || !failure.Temporary || failure.After != 2*time.Minute || len(at) != 2 {
			t.Errorf("tried at %v, %+v", at, err)
		}
	})
}

// slowBody gives some octets at a time, after some time.
type slowBody struct {
	every time.Duration
	some  int
	left  int
	ctx   context.Context
}

func (b *slowBody) Read(p []byte) (int, error) {
	select {
	case <-time.After(b.every):
	case <-b.ctx.Done():
		return 0, b.ctx.Err()
	}
	if b.left == 0 {
		return 0, io.EOF
	}
	n := copy(p[:min(b.some, b.left, len(p))], gifHead+strings.Repeat("x", b.some))
	b.left -= n
	return n, nil
}

func (b *slowBody) Close() error { return nil }

// TestFetchCutsADrip: a server that sends a little now and then is as good as one that is silent; one that is merely slow is not.
func TestFetchCutsADrip(t *testing.T) {
	s := newShelf(t)
	synctest.Test(t, func(t *testing.T) {
		for _, test := range []struct {
			name       string
			begins     time.Duration
			every      time.Duration
			some, size int
			takes      time.Duration
			good       bool
		}{
			{"an octet a second", 0, time.Second, 1, 500, stepTime, false},
			{"half a step at a time", 0, 9 * time.Second, step / 2, 3 * step, stepTime, false},
			{"silence", time.Hour, 0, 1, 1, stepTime, false},
			{"slow", 9 * time.Second, 5 * time.Second, step, 3 * step, 29 * time.Second, true},
			{"steady for too long", 0, 5 * time.Second, step, 100 * step, FetchTimeout, false},
		} {
			f := s.fetcher(&http.Client{Transport: answers(func(r *http.Request) (*http.Response, error) {
				select {
				case <-time.After(test.begins):
				case <-r.Context().Done():
					return nil, r.Context().Err()
				}
				resp := answer(r, 200, "", "Content-Type", "image/gif")
				resp.Body, resp.ContentLength = &slowBody{test.every, test.some, test.size, r.Context()}, int64(test.size)
				return resp, nil
			})})
			f.cfg.Most, f.pauses = 1<<30, nil
			started := time.Now()
			_, err := f.Fetch(t.Context(), account, "https://a.example/"+test.name)
			if took := time.Since(started); (err == nil) != test.good || err != nil && err.Error() != "a medium did not come in time" ||
				took < test.takes-stepTime/2 || took > test.takes {
				t.Errorf("%s: %v after %s, want %s", test.name, err, took, test.takes)
			}
		}
	})
}

// TestFetchIsFair: a host that is slow takes half of an account's places, an account that is slow half of a host's, and nobody waits behind either.
func TestFetchIsFair(t *testing.T) {
	s := newShelf(t)
	synctest.Test(t, func(t *testing.T) {
		at := map[string]int{} // exchanges that do not end, by host
		var mu sync.Mutex
		f := s.fetcher(&http.Client{Transport: answers(func(r *http.Request) (*http.Response, error) {
			if !strings.HasPrefix(r.URL.Path, "/slow") {
				return answer(r, 200, gifHead), nil
			}
			mu.Lock()
			at[r.URL.Hostname()]++
			mu.Unlock()
			<-r.Context().Done()
			return nil, r.Context().Err()
		})})
		ctx, giveUp := context.WithCancel(t.Context())
		var all sync.WaitGroup
		for i := range 100 {
			for _, host := range []string{"slow.example", "SLOW.example:8443", "b.example", "c.example"} {
				all.Go(func() { _, _ = f.Fetch(ctx, account, fmt.Sprintf("https://%s/slow/%d", host, i)) })
			}
			synctest.Wait()
		}
		if at["slow.example"]+at["SLOW.example"] != ownHostFetches || at["b.example"]+at["c.example"] != accountFetches-ownHostFetches {
			t.Errorf("at a time: %v", at)
		}
		for _, host := range []string{"slow.example", "b.example", "d.example"} {
			if _, err := f.Fetch(ctx, "MATWOTWOTWOTWOTWOTWO", "https://"+host+"/quick.gif"); err != nil {
				t.Error(err)
			}
		}
		giveUp()
		all.Wait()
		if len(f.gate.taken) != 0 || len(f.gate.waiting) != 0 {
			t.Errorf("%v is taken, %d wait", f.gate.taken, len(f.gate.waiting))
		}
	})
}

// TestCredentials go to where they were meant for.
func TestCredentials(t *testing.T) {
	s := newShelf(t)
	var got []string
	f := s.fetcher(&http.Client{Transport: answers(func(r *http.Request) (*http.Response, error) {
		user, password, _ := r.BasicAuth()
		got = append(got, r.URL.Hostname()+" "+user+" "+password+" "+r.UserAgent())
		switch r.URL.Path {
		case "/a":
			return answer(r, 302, "", "Location", "/b"), nil
		case "/b":
			return answer(r, 302, "", "Location", "https://other.example/9f86d081"), nil
		}
		return answer(r, 200, gifHead), nil
	})})
	m, err := f.Fetch(t.Context(), account, "https://me:secret@a.example/a")
	if want := "[a.example me secret Heliograph/test a.example me secret Heliograph/test other.example   Heliograph/test]"; err != nil || fmt.Sprint(got) != want {
		t.Errorf("%v, %q", err, got)
	}
	if m.Name != "file.gif" {
		t.Errorf("the name is %q", m.Name)
	}
}

// TestKnownIsBounded: what is remembered of addresses does not grow for ever, nor with what servers say.
func TestKnownIsBounded(t *testing.T) {
	f := NewFetcher(FetcherConfig{})
	for i := range mostKnown + 10 {
		header := http.Header{"Etag": {strings.Repeat("x", 10_000)}}
		f.remember(keyOf(account, fmt.Sprint(i)), known{}.confirmed(gateway.Medium{}, header, begin))
	}
	if last := f.known[keyOf(account, fmt.Sprint(mostKnown+9))]; len(f.known) != mostKnown || last.etag != "" || last.freshUntil.IsZero() {
		t.Errorf("%d known, the last %+v", len(f.known), last)
	}
}

// TestFetchFromPeers: over the network, guarded as everything is that customers name.
func TestFetchFromPeers(t *testing.T) {
	var served atomic.Int64
	mux := http.NewServeMux()
	mux.HandleFunc("/a.gif", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, gifHead) })
	mux.HandleFunc("/moved", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/a.gif", http.StatusMovedPermanently)
	})
	mux.HandleFunc("/loop", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/loop", http.StatusFound) })
	mux.HandleFunc("/private", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "http://169.254.169.254/a.gif", http.StatusFound)
	})
	mux.HandleFunc("/endless", func(w http.ResponseWriter, r *http.Request) {
		for r.Context().Err() == nil {
			n, err := w.Write(make([]byte, 1000))
			if served.Add(int64(n)); err != nil {
				return
			}
		}
	})
	mux.HandleFunc("/10GB", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "10000000000")
		_, _ = io.WriteString(w, gifHead)
	})
	mux.HandleFunc("/short", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "500")
		_, _ = io.WriteString(w, gifHead)
	})
	mux.HandleFunc("/cut", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, gifHead)
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	})
	mux.HandleFunc("/bomb", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		pack := gzip.NewWriter(w)
		_, _ = io.WriteString(pack, gifHead+strings.Repeat("\x00", 100<<10))
		_ = pack.Close()
	})
	mux.HandleFunc("/long.gif", func(w http.ResponseWriter, r *http.Request) { // a body that is longer than it is said to be ends where it is said to
		conn, buffer, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		_, _ = buffer.WriteString("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 10\r\n\r\n" + gifHead + strings.Repeat("x", 100))
		_ = buffer.Flush()
		_ = conn.Close()
	})
	server := httptest.NewServer(mux)
	defer server.Close()
	s := newShelf(t)
	client := egress.New(egress.Config{AllowLoopback: true, Timeout: FetchTimeout})
	defer client.CloseIdleConnections()
	f := s.fetcher(client)
	f.pauses = nil
	for path, want := range map[string]string{
		"/a.gif": "", "/moved": "", "/long.gif": "", "/private": "the address of a medium does not lead to the public internet",
		"/loop": "the address of a medium redirects more than 5 times", "/endless": "the file of a medium is larger than 1000 octets",
		"/10GB": "the file of a medium is larger than 1000 octets", "/short": "the server of a medium broke off before the file was whole",
		"/cut":  "the server of a medium broke off before the file was whole",
		"/bomb": "the server of a medium sends it with a Content-Encoding, though it was asked not to",
	} {
		m, err := f.Fetch(t.Context(), account, server.URL+path)
		switch {
		case want == "" && (err != nil || m.Type != "image/gif" || m.Size != int64(len(gifHead)) || !strings.HasSuffix(m.Name, ".gif")):
			t.Errorf("%s: %+v, %v", path, m, err)
		case want != "" && (err == nil || err.Error() != want):
			t.Errorf("%s: %v, want %q", path, err, want)
		}
	}
	if n := served.Load(); n > 64<<20 {
		t.Errorf("%d octets of a stream without end were sent", n)
	}
}

func TestFreshFor(t *testing.T) {
	date := begin.Format(http.TimeFormat)
	for _, test := range []struct {
		headers []string
		want    time.Duration
	}{
		{nil, usualFresh},
		{[]string{"Cache-Control", "no-store"}, 0},
		{[]string{"Cache-Control", "max-age=300, no-cache"}, 0},
		{[]string{"Cache-Control", "max-age=0"}, 0},
		{[]string{"Cache-Control", "public, Max-Age=300"}, 5 * time.Minute},
		{[]string{"Cache-Control", `max-age="900"`}, 15 * time.Minute},
		{[]string{"Cache-Control", "max-age=900", "Age", "300"}, 10 * time.Minute},
		{[]string{"Cache-Control", "max-age=900", "Age", "3000"}, 0},
		{[]string{"Cache-Control", "max-age=99999999"}, mostFresh},
		{[]string{"Cache-Control", "max-age=99999999999999999999"}, mostFresh},
		{[]string{"Cache-Control", "max-age=-1"}, usualFresh},
		{[]string{"Cache-Control", "x,,="}, usualFresh},
		{[]string{"Expires", begin.Add(2 * time.Minute).Format(http.TimeFormat)}, 2 * time.Minute},
		{[]string{"Expires", begin.Add(2 * time.Minute).Format(http.TimeFormat), "Date", begin.Add(time.Minute).Format(http.TimeFormat)}, time.Minute},
		{[]string{"Expires", "0", "Date", date}, 0},
		{[]string{"Expires", date, "Date", date}, 0},
		{[]string{"Expires", begin.Add(-time.Hour).Format(http.TimeFormat)}, 0},
		{[]string{"Expires", begin.Add(-time.Hour).Format(http.TimeFormat), "Cache-Control", "max-age=60"}, time.Minute},
	} {
		header := http.Header{}
		for i := 0; i < len(test.headers); i += 2 {
			header.Set(test.headers[i], test.headers[i+1])
		}
		if got := freshFor(header, begin); got != test.want {
			t.Errorf("%q: %s, want %s", test.headers, got, test.want)
		}
	}
}
