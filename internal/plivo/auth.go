package plivo

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
)

// authenticate finds out who calls and which account the call is about: the caller's own, or a subaccount of it.
func (a *API) authenticate(c *call) error {
	user, token, ok := c.r.BasicAuth()
	if !ok {
		if c.r.Header.Get("Authorization") == "" {
			return errNoAuth
		}
		return errWrongAuth
	}
	id, digest := gateway.AccountID(user), sha256.Sum256([]byte(token))
	if wait := a.throttle.check(c.from, id, digest, c.at); wait > 0 {
		return &refusal{
			status: http.StatusTooManyRequests, text: "too many failed attempts to authenticate; try again later",
			retryAfter: wholeSeconds(wait),
		}
	}
	ctx := c.r.Context()
	caller, err := a.accounts.get(ctx, id)
	if err != nil {
		return err
	}
	if same := subtle.ConstantTimeCompare(digest[:], caller.digest[:]) == 1; !same || !caller.exists {
		a.throttle.fail(c.from, c.at)
		return errWrongAuth
	}
	a.throttle.succeed(c.from, id, digest, c.at)
	if err := a.limit(c, caller.ID); err != nil {
		return err
	}
	if err := a.enabled(ctx, caller); err != nil {
		return err
	}
	return a.reach(ctx, c, caller)
}

// enabled refuses accounts that are switched off, and subaccounts of such.
func (a *API) enabled(ctx context.Context, caller *account) error {
	if !caller.Enabled {
		return errDisabled
	}
	if caller.Parent == "" {
		return nil
	}
	parent, err := a.accounts.get(ctx, caller.Parent)
	if err != nil {
		return err
	}
	if !parent.exists || !parent.Enabled {
		return errDisabled
	}
	return nil
}

// reach checks that the caller may act on the account in the path.
func (a *API) reach(ctx context.Context, c *call, caller *account) error {
	wanted := gateway.AccountID(c.param(paramAccount))
	if wanted == caller.ID || !c.route.ofAccount() {
		c.account = caller
		return nil
	}
	account, err := a.accounts.get(ctx, wanted)
	if err != nil {
		return err
	}
	if !account.exists || account.Parent != caller.ID {
		return errForeign // the same for accounts that exist and for those that do not
	}
	c.account = account
	if !account.Enabled && c.r.Method != http.MethodGet && c.r.Method != http.MethodHead {
		return gateway.Errorf(gateway.Invalid, "the subaccount is disabled")
	}
	return nil
}

// Bounds of the throttle.
const (
	failuresAllowed = 60
	failureWindow   = time.Minute
	knownFor        = time.Hour
	sourcesKept     = 10_000
)

// throttle slows down guessing. A source (an IPv4 address, or an IPv6 /64 network) may fail sixty times in a minute that begins with its first
// failure; what it sends in the rest of that minute is refused with 429, unread, and does not prolong it. Credentials that were good from the same
// source within the last hour pass all the same: whoever shares an address with a guesser, or with his own misconfigured other program, goes
// on working. Credentials never seen from there wait for the minute to end, at most.
type throttle struct {
	mu     sync.Mutex
	failed map[netip.Addr]failures
	known  map[knownKey]knownCredentials
}

type failures struct {
	since time.Time
	count int
}

type knownKey struct {
	from netip.Addr
	id   gateway.AccountID
}

type knownCredentials struct {
	digest [sha256.Size]byte
	at     time.Time
}

func newThrottle() *throttle {
	return &throttle{failed: map[netip.Addr]failures{}, known: map[knownKey]knownCredentials{}}
}

// check tells how long the source has to wait before such credentials are looked at; 0: not at all.
func (t *throttle) check(from netip.Addr, id gateway.AccountID, digest [sha256.Size]byte, now time.Time) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	f, any := t.failed[from]
	if !any || f.count < failuresAllowed {
		return 0
	}
	wait := f.since.Add(failureWindow).Sub(now)
	if wait <= 0 {
		return 0
	}
	k, known := t.known[knownKey{from, id}]
	if known && now.Sub(k.at) < knownFor && subtle.ConstantTimeCompare(k.digest[:], digest[:]) == 1 {
		return 0
	}
	return wait
}

// fail counts a failure.
func (t *throttle) fail(from netip.Addr, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	f, there := t.failed[from]
	if !there && len(t.failed) >= sourcesKept {
		evictOldest(t.failed, func(f failures) time.Time { return f.since })
	}
	if now.Sub(f.since) >= failureWindow {
		f = failures{since: now}
	}
	f.count++
	t.failed[from] = f
}

// succeed remembers good credentials. It writes once in a while only: a client that is at work calls often.
func (t *throttle) succeed(from netip.Addr, id gateway.AccountID, digest [sha256.Size]byte, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	key := knownKey{from, id}
	k, there := t.known[key]
	if there && k.digest == digest && now.Sub(k.at) < knownFor/8 {
		return
	}
	if !there && len(t.known) >= sourcesKept {
		evictOldest(t.known, func(k knownCredentials) time.Time { return k.at })
	}
	t.known[key] = knownCredentials{digest, now}
}

// evictOldest drops the oldest of a few entries picked at random.
func evictOldest[K comparable, V any](m map[K]V, age func(V) time.Time) {
	const looks = 16
	var victim K
	var oldest time.Time
	n := 0
	for key, v := range m {
		if at := age(v); n == 0 || at.Before(oldest) {
			victim, oldest = key, at
		}
		if n++; n == looks {
			break
		}
	}
	delete(m, victim)
}

// clientOf is the address of the API's caller: the connection's other end, or, when that is a trusted proxy, the last address in X-Forwarded-For
// that is not.
func (a *API) clientOf(r *http.Request) netip.Addr {
	client := parseAddr(r.RemoteAddr)
	if !a.trusted(client) {
		return client
	}
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0; i-- {
		hop := parseAddr(strings.TrimSpace(hops[i]))
		if !hop.IsValid() {
			return client
		}
		client = hop
		if !a.trusted(hop) {
			return client
		}
	}
	return client
}

func (a *API) trusted(addr netip.Addr) bool {
	for _, proxy := range a.proxies {
		if proxy.Contains(addr) {
			return true
		}
	}
	return false
}

// parseAddr reads an address with or without a port; what is none comes back invalid.
func parseAddr(text string) netip.Addr {
	if ap, err := netip.ParseAddrPort(text); err == nil {
		return ap.Addr().Unmap().WithZone("")
	}
	if host, _, err := net.SplitHostPort(text); err == nil {
		text = host
	}
	addr, err := netip.ParseAddr(text)
	if err != nil {
		return netip.Addr{}
	}
	return addr.Unmap().WithZone("")
}

// sourceOf is what the throttle counts an address as: a customer's IPv6 network counts as one.
func sourceOf(addr netip.Addr) netip.Addr {
	if addr.Is6() {
		if network, err := addr.Prefix(64); err == nil {
			return network.Addr()
		}
	}
	return addr
}
