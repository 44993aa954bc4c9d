package webhook

import (
	"net/url"
	"strings"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
)

// account is what memory knows of an account that has endpoints in it. All fields are guarded by Worker.mu.
type account struct {
	id        gateway.AccountID
	hosts     map[string]*host // by name and port
	endpoints int
	used      [classes]int // posts in flight
	waiting   [classes]int // events
	ready     [classes]queue[entry[lane]]
	lined     [classes]bool // in the line of accounts that may post
	toRead    queue[*endpoint]
	listed    bool // in the line of accounts whose endpoints are to be read on
}

// host is one host and port that an account's callbacks go to. What is known of an endpoint that has not taken a callback itself is
// what is known of its host: many paths on a dead host are one failing thing.
type host struct {
	account   *account
	key       string
	name      string // for people
	endpoints int
	newcomers lane // of endpoints that have taken no callback yet
	troubled  lane // of endpoints that fail by themselves
	bads      int  // endpoints that are bad
	reported  bool // that it is in trouble was the last that was logged of it
	reportAt  time.Time
	garbled   bool // an event could not be rendered, and that was logged
	idleSince time.Time
}

// reportEvery is how far apart at least what is logged of a host is: some come and go with every few callbacks.
const reportEvery = 30 * time.Second

// report says what is new of the host after an attempt: whether anything there fails, or nothing any more.
func (h *host) report(told bool, now time.Time) news {
	trouble := h.newcomers.bad || h.bads > 0
	if trouble == h.reported || !trouble && !told || !h.reportAt.IsZero() && now.Sub(h.reportAt) < reportEvery {
		return noNews
	}
	h.reported, h.reportAt = trouble, now
	if trouble {
		return badNews
	}
	return goodNews
}

// pardon forgets that an endpoint failed by itself.
func (h *host) pardon(ep *endpoint) {
	if ep.own.bad {
		h.bads--
		ep.own.health = health{limit: startPosts, since: ep.own.since}
	}
}

// hostOf is the host of a URL, as it is told apart from others and as people read it; both empty where there is none to tell.
func hostOf(callback string) (key, name string) {
	u, err := url.Parse(callback)
	if err != nil {
		return "", ""
	}
	port := u.Port()
	if port == "" {
		port = strings.ToLower(u.Scheme)
	}
	return strings.ToLower(u.Hostname()) + " " + port, strings.Clone(u.Host)
}

// Bounds of what is in memory: of endpoints that have something to tell, of endpoints whose account the store has not said yet, and
// of idle ones that are remembered for a while, of an account when there are many, and hosts likewise.
const (
	mostEndpoints = 50_000
	mostStrangers = 25_000
	mostIdle      = 10_000
	mostIdleOfOne = 500
	mostIdleAtAll = mostEndpoints / 2
	forgetAfter   = 10 * time.Minute
)

// stranger finds or makes an endpoint of which only the ID is known; nil when memory has no place for another.
func (w *Worker) stranger(id int64) *endpoint {
	ep := w.endpoints[id]
	if ep == nil && w.strangers.endpoints < mostStrangers {
		ep = w.newEndpoint(id)
	}
	return ep
}

// endpointOf finds or makes the endpoint of an event; nil when memory has no place for another of the account.
func (w *Worker) endpointOf(e *gateway.Event) *endpoint {
	id := e.Endpoint()
	ep := w.endpoints[id]
	switch {
	case ep != nil && ep.host != nil:
		return ep
	case !w.hasPlace(e.Account()):
		if ep != nil { // reading it will find the same, or that there is a place by then
			ep.behind()
			w.place(ep)
		}
		return nil
	case ep == nil:
		ep = w.newEndpoint(id)
	}
	w.introduce(ep, e)
	return ep
}

func (w *Worker) newEndpoint(id int64) *endpoint {
	ep := &endpoint{id: id, seen: w.forgotten}
	ep.own.health = health{limit: startPosts}
	w.endpoints[id] = ep
	w.strangers.endpoints++
	return ep
}

// hasPlace tells whether an account may have another endpoint in memory.
func (w *Worker) hasPlace(id gateway.AccountID) bool {
	mine := 0
	if a := w.accounts[id]; a != nil {
		mine = a.endpoints
	}
	return allowance(mostEndpoints, len(w.endpoints)-w.strangers.endpoints, mine) > 0
}

// introduce makes a stranger an endpoint of the account and the host that one of its events names.
func (w *Worker) introduce(ep *endpoint, e *gateway.Event) {
	id := e.Account()
	a := w.accounts[id]
	if a == nil {
		a = &account{id: id, hosts: map[string]*host{}}
		w.accounts[id] = a
	}
	key, name := hostOf(e.Callback().URL)
	h := a.hosts[key]
	if h == nil {
		h = &host{account: a, key: key, name: name}
		h.newcomers = lane{health: health{limit: startPosts}, account: a, class: unproven}
		h.troubled = lane{health: health{limit: 1}, account: a, class: failing}
		a.hosts[key] = h
		w.hosts++
	}
	w.strangers.endpoints--
	a.endpoints++
	h.endpoints++
	h.idleSince = time.Time{}
	ep.host, ep.lane = h, &h.newcomers
	ep.own.account, ep.own.class = a, proven
}

// forget lets an idle endpoint leave memory. Its host is remembered for a while, and the account as long as it has a host.
func (w *Worker) forget(ep *endpoint) {
	w.forgotten = max(w.forgotten, ep.seen)
	delete(w.endpoints, ep.id)
	h := ep.host
	if h == nil {
		w.strangers.endpoints--
		return
	}
	h.pardon(ep)
	h.account.endpoints--
	if h.endpoints--; h.endpoints > 0 {
		return
	}
	h.idleSince = w.Now()
	if w.crowded(w.hosts, len(h.account.hosts)) {
		w.forgetHost(h)
	}
}

func (w *Worker) forgetHost(h *host) {
	a := h.account
	delete(a.hosts, h.key)
	w.hosts--
	if len(a.hosts) == 0 {
		delete(w.accounts, a.id)
	}
}

// crowded tells whether what is idle leaves memory at once: mine are an account's, of all.
func (w *Worker) crowded(all, mine int) bool {
	return all > mostIdle && mine > mostIdleOfOne || all > mostIdleAtAll
}
