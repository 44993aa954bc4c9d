package webhook

import (
	"net/url"
	"sort"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
)

// class is what an endpoint's posts are charged to. Each class has posts of its own, so that endpoints which fail, or are not known yet,
// take none from those that work.
type class int

const (
	proven   class = iota // it answers
	unproven              // it has not been heard of yet
	failing               // it fails, or keeps its posts waiting

	classes
)

// posts bounds the class's posts at one time.
func (c class) posts() int {
	if c == proven {
		return 1024
	}
	return 128
}

// events is how many events of the class wait in memory before its endpoints hold only a few each.
func (c class) events() int {
	if c == proven {
		return 16_384
	}
	return 4096
}

// Bounds of one endpoint.
const (
	startPosts   = 4  // posts at a time before anything is known
	mostPosts    = 64 // and when it answers well
	quick        = time.Second
	badAfter     = 3 // failures in a row
	wellAfter    = 3 // successes in a row
	mostEvents   = 2048
	fewEvents    = 16
	failedEvents = 32 // of an endpoint that fails
	mostArrived  = 512
)

// item is an event in memory: waiting, being posted, or posted and not recorded yet.
type item struct {
	event   gateway.Event
	ep      *endpoint
	next    *item // the later event of the same message that waits for this one's first attempt
	attempt gateway.Attempt
}

func (it *item) first() bool { return it.event.Attempt == 0 }

func earlier(a, b *item) bool { return a.event.ID < b.event.ID }

// endpoint is the lane of an account's callbacks to one URL. All fields are guarded by Worker.mu.
type endpoint struct {
	id      int64
	account gateway.AccountID
	host    string // for people

	fresh       queue[*item] // never tried, by ID
	retries     queue[*item] // due, the earliest first
	heldFresh   int          // in memory at all, whether waiting, posted or unrecorded
	heldRetries int

	more  bool  // the store holds events that were never tried and that memory does not
	after int64 // where reading them on begins
	seen  int64 // greatest ID that reading ever brought

	retryDue bool    // the store holds retries that are due
	dues     []int64 // when further retries are due, ascending, Unix microseconds; one for each second

	listed  bool // waits to be read on
	reading bool // is being read on
	missed  bool // the read may not have seen everything
	arrived []gateway.Event
	settled map[int64]struct{} // recorded since the read began

	class     class
	ready     bool // in the line of those that may post
	stamp     int  // of its place there; a place with another stamp is void
	inflight  int
	limit     int       // posts at a time
	since     time.Time // when the last answer came, or the first post of those in flight left
	idleSince time.Time // zero: not idle

	heard    bool // it has taken a callback
	bad      bool
	slow     bool
	garbled  bool // its last event could not be rendered
	failures int  // in a row
	goods    int  // in a row

	lastStatus int
	lastError  string
}

func (ep *endpoint) waiting() int { return ep.fresh.len() + ep.retries.len() }

// postable tells whether it has something to post and may.
func (ep *endpoint) postable() bool { return ep.inflight < ep.limit && ep.waiting() > 0 }

// idle tells whether nothing of it is in memory and nothing is known to wait.
func (ep *endpoint) idle() bool {
	return ep.heldFresh+ep.heldRetries == 0 && !ep.more && !ep.retryDue && len(ep.dues) == 0 && !ep.reading && !ep.listed
}

// behind notes that the store has events which memory does not. They are looked for from the beginning.
func (ep *endpoint) behind() {
	ep.more, ep.after, ep.missed = true, 0, ep.reading
}

// introduce learns who is behind the endpoint from an event.
func (ep *endpoint) introduce(m *gateway.Message) {
	if ep.account != "" {
		return
	}
	ep.account = m.Account
	if u, err := url.Parse(m.Callback.URL); err == nil {
		ep.host = u.Host
	}
}

// classify is the class that its health puts it into.
func (ep *endpoint) classify() class {
	switch {
	case ep.bad || ep.slow:
		return failing
	case ep.heard:
		return proven
	}
	return unproven
}

// turn is a change of an endpoint's health that people should know of.
type turn int

const (
	noTurn turn = iota
	turnedBad
	turnedWell
	turnedGarbled
)

// judge takes up how an attempt went. A failure halves what may be posted at once, some in a row leave one post at a time; quick
// successes raise it, one by one, as long as it is used up.
func (ep *endpoint) judge(told bool, latency time.Duration) turn {
	if !told {
		ep.goods = 0
		ep.failures++
		ep.limit = max(1, ep.limit/2)
		if ep.bad || ep.failures < badAfter {
			return noTurn
		}
		ep.bad, ep.limit = true, 1
		return turnedBad
	}
	ep.failures, ep.heard = 0, true
	ep.goods++
	if ep.bad && ep.goods < wellAfter {
		return noTurn
	}
	wasBad := ep.bad
	ep.bad = false
	switch {
	case latency > quick:
		ep.limit = max(min(ep.limit, startPosts), ep.limit-1)
	default:
		ep.slow = false
		if ep.inflight+1 >= ep.limit {
			ep.limit = min(ep.limit+1, mostPosts)
		}
	}
	if wasBad {
		return turnedWell
	}
	return noTurn
}

// dueGrain is how far apart the times of retries are told from each other, in microseconds: with the schedule's few minutes that bounds
// how many there are.
const dueGrain = int64(time.Second / time.Microsecond)

// addDue notes when a retry is due. Those of one second become due together, when the last of them is.
func (ep *endpoint) addDue(due int64) {
	i := sort.Search(len(ep.dues), func(i int) bool { return ep.dues[i]/dueGrain >= due/dueGrain })
	if i < len(ep.dues) && ep.dues[i]/dueGrain == due/dueGrain {
		ep.dues[i] = max(ep.dues[i], due)
		return
	}
	ep.dues = append(ep.dues, 0)
	copy(ep.dues[i+1:], ep.dues[i:])
	ep.dues[i] = due
}

// fallDue takes out the times that have come, and gives the next one; 0: none.
func (ep *endpoint) fallDue(now int64) (next int64) {
	n := 0
	for n < len(ep.dues) && ep.dues[n] <= now {
		n++
	}
	if n > 0 {
		ep.retryDue = true
		ep.dues = append(ep.dues[:0], ep.dues[n:]...)
	}
	if len(ep.dues) == 0 {
		return 0
	}
	return ep.dues[0]
}
