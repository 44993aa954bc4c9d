package mt

import (
	"sort"

	"github.com/heliograph/heliograph/internal/gateway"
)

// sender is what the dispatcher knows of a number that sends. All fields are guarded by Dispatcher.mu.
type sender struct {
	number string
	limit  gateway.Limit
	free   int64 // when its next message may leave, Unix nanoseconds
	queued int   // units waiting in its lanes, and of messages being stored
	used   int64 // turn in which it was last chosen
	listed bool  // the roster names it; others are forgotten when idle
}

// Bounds of what lanes hold in memory; the rest of a lane waits in the store.
const (
	laneRows  = 64     // rows a lane holds at most, but for those that came back
	totalRows = 50_000 // rows in all lanes from which on no lane takes more than it needs next
	refillLow = 16     // a lane with fewer rows and more in the store is read on
)

// lane is the queue of a sender towards a carrier. All fields are guarded by Dispatcher.mu.
type lane struct {
	key    gateway.LaneKey
	sender *sender
	line   *line

	rows    []*gateway.Message // the head of the queue, in the order of Seq; rows[:head] are gone
	head    int
	waiting int   // messages queued: those in rows and those only in the store
	after   int64 // greatest Seq ever taken from the store or from Accept
	more    bool  // the store holds messages after `after`
	filling bool  // a refill is under way
	missed  bool  // a message was accepted during the refill which that may not have seen
	busy    int   // messages in flight or not recorded yet

	at    int64 // heap key: when the sender was free, as last known
	turn  int64 // second key: lanes that are free alike take turns
	place int   // in the heap, -1: not in it
}

func (l *lane) held() int { return len(l.rows) - l.head }

// push adds a message that was just accepted. It is kept in memory only while memory holds the whole lane.
func (l *lane) push(m *gateway.Message, room bool) (kept bool) {
	seq := m.ID.Seq()
	if seq <= l.after { // a refill has brought it already, and counted it
		return false
	}
	l.waiting++
	switch {
	case l.more || !room || l.held() >= laneRows:
		l.more = true
		l.missed = l.missed || l.filling
		return false
	}
	l.rows, l.after = append(l.rows, m), seq
	return true
}

// putBack returns a message to its place in the order. It leaves `after` alone: the store may hold others before this one that
// were not read yet, and does not give this one again.
func (l *lane) putBack(m *gateway.Message) {
	l.waiting++
	live := l.rows[l.head:]
	i := sort.Search(len(live), func(i int) bool { return live[i].ID.Seq() > m.ID.Seq() })
	if i == 0 && l.head > 0 {
		l.head--
		l.rows[l.head] = m
		return
	}
	l.rows = append(l.rows, nil)
	live = l.rows[l.head:]
	copy(live[i+1:], live[i:])
	live[i] = m
}

// filled takes up what a refill read: the rows after `after`, asked for up to limit.
func (l *lane) filled(rows []*gateway.Message, limit int) {
	l.filling = false
	for _, m := range rows {
		if seq := m.ID.Seq(); seq > l.after {
			l.rows, l.after = append(l.rows, m), seq
		}
	}
	l.more = len(rows) >= limit || l.missed
	l.missed = false
	if l.waiting = max(l.waiting, l.held()); !l.more { // now it is known exactly
		l.waiting = l.held()
	}
}

// pop takes the first message out; nil when memory holds none.
func (l *lane) pop() *gateway.Message {
	if l.held() == 0 {
		return nil
	}
	m := l.rows[l.head]
	l.rows[l.head] = nil
	l.head++
	l.waiting--
	switch {
	case l.head == len(l.rows):
		l.rows, l.head = l.rows[:0], 0
	case l.head >= laneRows:
		n := copy(l.rows, l.rows[l.head:])
		clear(l.rows[n:])
		l.rows, l.head = l.rows[:n], 0
	}
	return m
}

// remove takes a message out wherever it is in memory.
func (l *lane) remove(seq int64) bool {
	for i := l.head; i < len(l.rows); i++ {
		if l.rows[i].ID.Seq() == seq {
			l.rows = append(l.rows[:i], l.rows[i+1:]...)
			return true
		}
	}
	return false
}

// laneHeap orders lanes by when their sender is free, then by turn. It is container/heap's algorithm written out, because that costs two
// interface calls a comparison where a hundred thousand lanes are moved.
type laneHeap []*lane

func (h laneHeap) less(i, j int) bool {
	return h[i].at < h[j].at || h[i].at == h[j].at && h[i].turn < h[j].turn
}

func (h laneHeap) swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].place, h[j].place = i, j
}

func (h *laneHeap) push(l *lane) {
	l.place = len(*h)
	*h = append(*h, l)
	h.up(l.place)
}

func (h *laneHeap) remove(l *lane) {
	i, last := l.place, len(*h)-1
	h.swap(i, last)
	(*h)[last] = nil
	*h = (*h)[:last]
	l.place = -1
	if i < last {
		h.fix(i)
	}
}

func (h laneHeap) fix(i int) {
	if !h.down(i) {
		h.up(i)
	}
}

func (h laneHeap) up(i int) {
	for i > 0 {
		parent := (i - 1) / 2
		if !h.less(i, parent) {
			return
		}
		h.swap(i, parent)
		i = parent
	}
}

func (h laneHeap) down(i int) (moved bool) {
	for {
		child := 2*i + 1
		if child >= len(h) {
			return moved
		}
		if right := child + 1; right < len(h) && h.less(right, child) {
			child = right
		}
		if !h.less(child, i) {
			return moved
		}
		h.swap(i, child)
		i, moved = child, true
	}
}
