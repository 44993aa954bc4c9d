package operator

import (
	"net/netip"
	"sync"
	"time"
)

// Bounds of the throttle.
const (
	failuresAllowed = 60
	failureWindow   = time.Minute
	knownFor        = 24 * time.Hour
	sourcesKept     = 10_000
)

// throttle slows down guessing of the operator's token. A source (an IPv4 address, or an IPv6 /64 network) may fail sixty times in a minute that begins
// with its first failure; what it sends in the rest of that minute is refused unread and does not prolong it. A source from which the token came lately
// is not refused with it: whoever shares an address with a guesser, as behind a proxy, goes on working. Zero is ready for use.
type throttle struct {
	mu     sync.Mutex
	failed map[netip.Addr]guesses
	known  map[netip.Addr]time.Time
}

type guesses struct {
	since time.Time
	count int
}

// judge tells whether a request may pass, whose token is right or not; wait is how long nothing from there is looked at, 0 when it is.
func (t *throttle) judge(from netip.Addr, right bool, now time.Time) (pass bool, wait time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	f := t.failed[from]
	if left := f.since.Add(failureWindow).Sub(now); f.count >= failuresAllowed && left > 0 {
		at, known := t.known[from]
		if right && known && now.Sub(at) < knownFor {
			return true, 0
		}
		return false, left
	}
	if right {
		t.known = keep(t.known, from, now)
		return true, 0
	}
	if now.Sub(f.since) >= failureWindow {
		f = guesses{since: now}
	}
	f.count++
	t.failed = keep(t.failed, from, f)
	return false, 0
}

// keep puts an entry into a map that is bounded: any other one makes room for it.
func keep[V any](m map[netip.Addr]V, from netip.Addr, v V) map[netip.Addr]V {
	if m == nil {
		m = map[netip.Addr]V{}
	}
	if _, there := m[from]; !there && len(m) >= sourcesKept {
		for other := range m {
			delete(m, other)
			break
		}
	}
	m[from] = v
	return m
}

// sourceOf is the source of a connection.
func sourceOf(remote string) netip.Addr {
	port, err := netip.ParseAddrPort(remote)
	if err != nil {
		return netip.Addr{}
	}
	addr := port.Addr().Unmap().WithZone("")
	if addr.Is6() {
		if network, err := addr.Prefix(64); err == nil {
			return network.Addr()
		}
	}
	return addr
}
