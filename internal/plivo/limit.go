package plivo

import (
	"net/http"
	"sync"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
)

// Limits bound the calls of an account within five seconds; 0: unlimited.
type Limits struct {
	Requests int // all but those below
	Messages int // sending, and feedback on messages, of which there is one for each message
}

// limitWindow is how long calls are counted together. It begins with an account's first call, and anew with the first after it.
const limitWindow = 5 * time.Second

// messageRoutes are the routes that are called as often as messages are sent.
const (
	sendRoute     = "/v1/Account/{auth_id}/Message/"
	feedbackRoute = "/v1/Account/{auth_id}/Message/{message_uuid}/conversion/"
)

// limiter counts the calls of accounts.
type limiter struct {
	allowed int

	mu      sync.Mutex
	windows map[gateway.AccountID]callWindow
}

type callWindow struct {
	since time.Time
	count int
}

func newLimiter(allowed int) *limiter {
	return &limiter{allowed: allowed, windows: map[gateway.AccountID]callWindow{}}
}

// take counts a call, unless it is one too many: then it says how long to wait. Calls that are refused do not prolong that.
func (l *limiter) take(id gateway.AccountID, now time.Time) (wait time.Duration) {
	if l.allowed <= 0 {
		return 0
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	w, there := l.windows[id]
	if !there && len(l.windows) >= accountsKept {
		evictOldest(l.windows, func(w callWindow) time.Time { return w.since })
	}
	if age := now.Sub(w.since); age >= limitWindow || age < 0 {
		w = callWindow{since: now}
	}
	if w.count >= l.allowed {
		return w.since.Add(limitWindow).Sub(now)
	}
	w.count++
	l.windows[id] = w
	return 0
}

// limit refuses a caller who calls more often than allowed. A main account's calls below the paths of its subaccounts are its own.
func (a *API) limit(c *call, caller gateway.AccountID) error {
	limiter := a.requests
	if c.r.Method == http.MethodPost && (c.route.pattern == sendRoute || c.route.pattern == feedbackRoute) {
		limiter = a.messages
	}
	if wait := limiter.take(caller, c.at); wait > 0 {
		return &refusal{status: http.StatusTooManyRequests, text: "too many requests", retryAfter: wholeSeconds(wait)}
	}
	return nil
}

// wholeSeconds rounds up, as Retry-After has it.
func wholeSeconds(wait time.Duration) int { return int((wait + time.Second - 1) / time.Second) }
