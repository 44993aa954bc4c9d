package webhook

import (
	"sort"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
)

// Bounds of one endpoint, and of the posts of those that share a lane.
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
	class   class // that its post is charged to
	next    *item // the later event of the same message that waits for this one's first attempt
	attempt gateway.Attempt
}

func (it *item) first() bool { return it.event.Attempt == 0 }

func earlier(a, b *item) bool { return a.event.ID < b.event.ID }

// endpoint is the queue of an account's callbacks to one URL. All fields are guarded by Worker.mu.
type endpoint struct {
	id   int64
	host *host // nil: a stranger; no event of it was seen yet, so none is in memory
	own  lane  // its own health and posts in flight, whichever lane it is in
	lane *lane // own, or one of its host's

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

	ready     bool      // in its lane's line
	stamp     int       // of its place there
	idleSince time.Time // zero: not idle

	lastStatus int
	lastError  string
}

func (ep *endpoint) waiting() int { return ep.fresh.len() + ep.retries.len() }

// postable tells whether it has something to post and may.
func (ep *endpoint) postable() bool { return ep.own.inflight < ep.own.limit && ep.waiting() > 0 }

// idle tells whether nothing of it is in memory and nothing is known to wait.
func (ep *endpoint) idle() bool {
	return ep.heldFresh+ep.heldRetries == 0 && !ep.more && !ep.retryDue && len(ep.dues) == 0 && !ep.reading && !ep.listed
}

// behind notes that the store has events which memory does not. They are looked for from the beginning.
func (ep *endpoint) behind() {
	ep.more, ep.after, ep.missed = true, 0, ep.reading
}

// home is the lane where it belongs. One that has taken a callback is judged by itself; until then it is what its host is. When it fails it
// shares one place with those of its host that fail too.
func (ep *endpoint) home() *lane {
	switch {
	case ep.own.bad || ep.own.slow:
		return &ep.host.troubled
	case ep.own.heard:
		return &ep.own
	}
	return &ep.host.newcomers
}

// overfull tells whether it fails and holds more events than such a one may.
func (ep *endpoint) overfull() bool {
	return ep.lane != nil && ep.lane.class == failing && ep.fresh.len() > failedEvents
}

// failing tells whether it is known to fail, by itself or by its host.
func (ep *endpoint) failing() bool {
	return ep.own.bad || ep.host != nil && ep.lane == &ep.host.newcomers && ep.lane.bad
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
