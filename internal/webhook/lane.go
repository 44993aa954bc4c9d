package webhook

import "time"

// health is how posts to somewhere went lately, and how many may be out at once because of that.
type health struct {
	limit    int       // posts at a time
	since    time.Time // when the last answer came, or the first post of those in flight left
	heard    bool      // it has taken a callback
	bad      bool
	slow     bool
	failures int // in a row
	goods    int // in a row
}

// turn is a change of health.
type turn int

const (
	noTurn turn = iota
	turnedBad
	turnedWell
)

// judge takes up how an attempt went; inflight are the posts that are still out. A failure halves what may be posted at once, some in a row
// leave one post at a time; quick successes raise it, one by one, as long as it is used up.
func (h *health) judge(told bool, latency time.Duration, inflight int) turn {
	if !told {
		h.goods = 0
		h.failures++
		h.limit = max(1, h.limit/2)
		if h.bad || h.failures < badAfter {
			return noTurn
		}
		h.bad, h.limit = true, 1
		return turnedBad
	}
	h.failures, h.heard = 0, true
	h.goods++
	if h.bad && h.goods < wellAfter {
		return noTurn
	}
	wasBad := h.bad
	h.bad = false
	switch {
	case latency > quick:
		h.limit = max(min(h.limit, startPosts), h.limit-1)
	default:
		h.slow = false
		if inflight+1 >= h.limit {
			h.limit = min(h.limit+1, mostPosts)
		}
	}
	if wasBad {
		return turnedWell
	}
	return noTurn
}

// absolve makes it as if nothing were known but that somebody answered there.
func (h *health) absolve() {
	if h.bad || h.slow {
		*h = health{limit: startPosts, heard: true, since: h.since}
	}
}

// classify is the class that the health puts posts into.
func (h *health) classify() class {
	switch {
	case h.bad || h.slow:
		return failing
	case h.heard:
		return proven
	}
	return unproven
}

// entry is a place in a line; it is void when its holder has another stamp.
type entry[T any] struct {
	who   *T
	stamp int
}

// lane is what endpoints of one host share that are judged together, or what one endpoint has to itself that has proven itself. Its endpoints
// take turns. All fields are guarded by Worker.mu.
type lane struct {
	health
	account  *account
	class    class
	inflight int
	waiting  int // events, of all its endpoints
	ready    queue[entry[endpoint]]
	lined    bool // in the line of its account's lanes that may post
	stamp    int
}

func (l *lane) postable() bool { return l.inflight < l.limit && l.ready.len() > 0 }

// silent tells whether all its posts have kept waiting for too long.
func (l *lane) silent(now time.Time) bool { return l.inflight > 0 && now.Sub(l.since) > quick }

func (l *lane) depart(now func() time.Time) {
	if l.inflight == 0 {
		l.since = now()
	}
	l.inflight++
}

func (l *lane) arrive(now time.Time) {
	l.inflight--
	l.since = now
}
