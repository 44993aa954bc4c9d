package plivo

import (
	"fmt"
	"testing"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
)

// TestLimits: calls beyond the limit are refused until five seconds after the first; sending has a limit of its own, and so has each account.
func TestLimits(t *testing.T) {
	s := newServer(t, func(cfg *Config) { cfg.Limits = Limits{Requests: 300, Messages: 10} })
	tracked := s.giveMessage(func(m *gateway.Message) { m.Trackable = true })
	list := ask{method: "GET", path: mainPath + "/Powerpack/"}
	send := ask{method: "POST", path: messagePath, body: with()}
	feedback := ask{method: "POST", path: mainPath + "//message/" + tracked.ID.String() + "/conversion", body: `{"status":"CONVERTED","timestamp":"2026-03-04T05:06:07Z"}`}
	for range 150 {
		s.ok(s.do(list), 200)
		s.ok(s.do(ask{method: "GET", path: "/v1/Account/" + string(subID) + "/Message/"}), 200) // below a subaccount's path, but its own call
	}
	s.now = s.now.Add(1500 * time.Millisecond)
	for range 3 {
		r := s.do(list)
		s.refused(r, 429, "too many requests")
		if got := r.header.Get("Retry-After"); got != "4" {
			t.Errorf("Retry-After %q", got)
		}
	}
	s.ok(s.do(ask{method: "GET", path: "/v1/Account/" + string(subID) + "/Message/", as: subID}), 200)
	s.ok(s.do(ask{method: "GET", path: "/v1/Account/" + string(strangerID) + "/Message/", as: strangerID}), 200)
	for range 5 {
		s.ok(s.do(send), 202)
		s.ok(s.do(feedback), 200)
	}
	r := s.do(send)
	s.refused(r, 429, "too many requests")
	if got := r.header.Get("Retry-After"); got != "5" {
		t.Errorf("Retry-After %q", got)
	}
	s.now = s.now.Add(3500 * time.Millisecond) // five seconds after the first
	s.ok(s.do(list), 200)
	s.refused(s.do(send), 429, "too many requests")
	s.now = s.now.Add(1500 * time.Millisecond)
	s.ok(s.do(send), 202)
}

func TestNoLimits(t *testing.T) {
	s := newServer(t)
	for range 1000 {
		s.ok(s.do(ask{method: "GET", path: mainPath + "/Powerpack/"}), 200)
		s.ok(s.do(ask{method: "POST", path: messagePath, body: with()}), 202)
	}
}

func TestLimiterIsBoundedAndFree(t *testing.T) {
	l := newLimiter(3)
	for i := range accountsKept + 3000 {
		l.take(gateway.AccountID(fmt.Sprintf("MA%018d", i)), start.Add(time.Duration(i)))
	}
	if len(l.windows) > accountsKept {
		t.Errorf("%d kept", len(l.windows))
	}
	if n := testing.AllocsPerRun(1000, func() { l.take(mainID, start) }); n > 0 {
		t.Errorf("%v allocations a call", n)
	}
	l = newLimiter(1)
	l.take(mainID, start)
	if wait := l.take(mainID, start.Add(-time.Hour)); wait > 0 { // the clock was set back
		t.Errorf("wait %s", wait)
	}
}
