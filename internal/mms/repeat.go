package mms

import (
	"sync"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
)

// mostRepeats bounds what is remembered of messages that were taken.
const mostRepeats = 10_000

// repeats remembers which messages from handsets were taken a short while ago: one that is brought again, because its answer got lost, need not have its
// files kept twice. What is forgotten here the store still knows.
type repeats struct {
	mu    sync.Mutex
	taken map[gateway.PartIdentity]time.Time
	order []gateway.PartIdentity // the longest taken first
}

// has tells whether a message was taken.
func (r *repeats) has(id gateway.PartIdentity, now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	at, there := r.taken[id]
	return there && now.Sub(at) < gateway.RepeatWindow
}

// add remembers a message that was taken, and forgets those of which nobody asks any more.
func (r *repeats) add(id gateway.PartIdentity, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.taken == nil {
		r.taken = map[gateway.PartIdentity]time.Time{}
	}
	for len(r.order) >= mostRepeats || len(r.order) > 0 && now.Sub(r.taken[r.order[0]]) >= gateway.RepeatWindow {
		delete(r.taken, r.order[0])
		r.order = r.order[1:]
	}
	if _, there := r.taken[id]; !there {
		r.order = append(r.order, id)
		r.taken[id] = now
	}
}
