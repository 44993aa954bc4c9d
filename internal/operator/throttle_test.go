package operator

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"
	"time"
)

// TestGuessing: a source that guesses the token is refused for a while, whatever it sends then; others are not, nor is the operator beside it.
func TestGuessing(t *testing.T) {
	f := newFixture()
	now := noon
	f.Now = func() time.Time { return now }
	ask := func(from, credentials string) *http.Response {
		r := httptest.NewRequest(http.MethodGet, "/admin/v1/accounts", nil)
		r.RemoteAddr = from
		r.Header.Set("Authorization", credentials)
		r.Header.Set("X-Forwarded-For", "192.0.2.99")
		w := httptest.NewRecorder()
		f.ServeHTTP(w, r)
		return w.Result()
	}
	want := func(what, from, credentials string, status int) {
		t.Helper()
		answer := ask(from, credentials)
		if answer.StatusCode != status {
			t.Errorf("%s: %d, want %d", what, answer.StatusCode, status)
		}
		if after := answer.Header.Get("Retry-After"); (after != "") != (status == http.StatusTooManyRequests) {
			t.Errorf("%s: Retry-After %q", what, after)
		}
	}
	const home, guesser, neighbour, far = "192.0.2.1:1", "[2001:db8::1]:1", "[2001:db8::2]:5", "[2001:db8:0:1::1]:1"
	want("the operator", home, bearer, http.StatusOK)
	for range failuresAllowed {
		want("a guess", guesser, "Bearer guess", http.StatusUnauthorized)
		want("a guess beside the operator", home, "Bearer guess", http.StatusUnauthorized)
	}
	want("one more", guesser, "Bearer guess", http.StatusTooManyRequests)
	want("of the same network", neighbour, "Bearer guess", http.StatusTooManyRequests)
	want("the right one, from there", guesser, bearer, http.StatusTooManyRequests)
	want("another network", far, bearer, http.StatusOK)
	want("a guess from where the operator is", home, "Bearer guess", http.StatusTooManyRequests)
	want("the operator from where he is known", home, bearer, http.StatusOK)
	now = now.Add(failureWindow - time.Second)
	want("a second before the end", guesser, "Bearer guess", http.StatusTooManyRequests)
	now = now.Add(time.Second)
	want("then", guesser, bearer, http.StatusOK)
}

// TestThrottleIsBounded: however many sources there are.
func TestThrottleIsBounded(t *testing.T) {
	var throttle throttle
	for i := range 2 * sourcesKept {
		from := netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)})
		throttle.judge(from, false, noon)
		throttle.judge(from, true, noon)
	}
	if len(throttle.failed) > sourcesKept || len(throttle.known) > sourcesKept {
		t.Errorf("%d failed, %d known", len(throttle.failed), len(throttle.known))
	}
}
