package mt

import (
	"math"
	"slices"
	"sort"

	"github.com/heliograph/heliograph/internal/gateway"
)

// Bounds of what lanes hold in memory; the rest of a lane waits in the store.
const (
	laneRows  = 64     // rows a lane holds at most, but for those that came back
	laneAhead = 4      // seconds: a lane holds no more than its sender sends in them
	totalRows = 20_000 // rows in all lanes; every carrier has its share
)

// lane is the queue of what an account sends from a sender to a carrier. All fields are guarded by Dispatcher.mu.
type lane struct {
	key     gateway.LaneKey
	sender  *sender
	account *scope
	line    *line
	gate    *gate // that it waits at

	rows    []*gateway.Message // the head of the queue, in the order of Seq; rows[:head] are gone
	head    int
	waiting int     // messages queued: those in rows and those only in the store
	units   int     // of the messages queued; they are among those of the sender
	after   int64   // greatest Seq ever taken from the store or from Accept
	more    bool    // the store holds messages after `after`
	filling bool    // a refill is under way
	missed  bool    // a message was accepted during the refill which that may not have seen
	reread  bool    // an earlier message came during the refill, after which the lane is to be read again from `after`
	watched int64   // which change of what is up the lane was last looked through for
	astray  bool    // messages in it need another sender: it waits until they have one
	flown   []int64 // messages beyond `after` that landed during the refill, which may have read them as queued
	busy    int     // messages in flight or not recorded yet
	gone    int     // units of these: the store counts them among those queued

	served int64 // when a message last left, Unix nanoseconds: whoever waits since then comes first
	at     int64 // heap key: when the sender was free and since when it waits, as last known
	turn   int64 // second key: lanes that wait alike take turns
	place  int   // in the heap, -1: not in it
}

func (l *lane) held() int { return len(l.rows) - l.head }

// depth is how many rows of the lane are worth memory: what its sender sends in a few seconds, so that slow senders do not crowd out
// fast ones.
func (l *lane) depth() int {
	rate := l.sender.Limit.Rate
	if rate <= 0 || rate >= laneRows/laneAhead {
		return laneRows
	}
	return max(1, int(math.Ceil(rate*laneAhead)))
}

// nextUnits is what the message at the head costs, as far as it is known.
func (l *lane) nextUnits() int {
	if l.held() == 0 {
		return 1
	}
	return l.rows[l.head].Units
}

// due is when the lane's turn is: when its sender is free, but not before those that wait for longer.
func (l *lane) due() int64 { return max(l.sender.freeAt(l.nextUnits()), l.served) }

// freeFor is when a message of some units would leave that is queued at now behind all that waits for what it will wait for.
func (l *lane) freeFor(now int64, units int) int64 {
	return max(l.sender.freeToSend(now, units), l.account.freeFor(now, units))
}

// enqueue counts units in for all that the lane's messages wait for.
func (l *lane) enqueue(units int) {
	l.sender.enqueue(units)
	l.account.queued += units
}

// count adds messages to those queued.
func (l *lane) count(messages, units int) {
	l.waiting += messages
	l.units += units
	l.enqueue(units)
}

// uncount takes a message out of those queued.
func (l *lane) uncount(m *gateway.Message) {
	units := min(m.Units, l.units)
	l.waiting = max(0, l.waiting-1)
	l.units -= units
	l.enqueue(-units)
}

// recount counts the lane anew when memory holds all of it.
func (l *lane) recount() {
	units := 0
	for _, m := range l.rows[l.head:] {
		units += m.Units
	}
	l.waiting = l.held()
	l.enqueue(units - l.units)
	l.units = units
}

// takeOff notes that a message of the lane is in flight, and land that it is not any more.
func (l *lane) takeOff(m *gateway.Message) {
	l.busy++
	l.gone += m.Units
}

func (l *lane) land(m *gateway.Message) {
	l.busy--
	l.gone -= m.Units
}

// push adds a message that was just accepted and tells whether memory keeps it: only while memory holds the whole lane. The message's
// units are among the sender's already.
func (l *lane) push(m *gateway.Message, room bool) (kept bool) {
	l.waiting++
	l.units += m.Units
	if l.more || l.held() > 0 && !room || l.held() >= l.depth() {
		l.more = true
		l.missed = l.missed || l.filling
		return false
	}
	l.rows, l.after = append(l.rows, m), max(l.after, m.ID.Seq())
	return true
}

// insert puts a message into its place in the order, once.
func (l *lane) insert(m *gateway.Message) bool {
	seq := m.ID.Seq()
	live := l.rows[l.head:]
	i := sort.Search(len(live), func(i int) bool { return live[i].ID.Seq() >= seq })
	switch {
	case i < len(live) && live[i].ID.Seq() == seq:
		return false
	case i == 0 && l.head > 0:
		l.head--
		l.rows[l.head] = m
	default:
		l.rows = slices.Insert(l.rows, l.head+i, m)
	}
	return true
}

// pop takes the first message out; nil when memory holds none.
func (l *lane) pop() *gateway.Message {
	if l.held() == 0 {
		return nil
	}
	m := l.rows[l.head]
	l.rows[l.head] = nil
	l.head++
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
			l.rows = slices.Delete(l.rows, i, i+1)
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
