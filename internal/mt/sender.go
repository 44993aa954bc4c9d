package mt

import (
	"math"

	"github.com/heliograph/heliograph/internal/gateway"
)

// sender is what the dispatcher knows of a number that sends. All fields are guarded by Dispatcher.mu.
type sender struct {
	number string
	load
	leaving *flight           // of a limited sender: the message whose parts are leaving; what they cost is known when they have left
	listed  bool              // the roster names it; others are forgotten when idle
	owner   gateway.AccountID // who rented it, while it is listed
	lanes   []*lane           // one for each carrier it has messages for

	pool  *gateway.Pool // the pool of the roster that it is in; nil: in none
	index int           // in the pool
}

// load is how busy a sender is. The index of its pool looks at nothing else, and only become writes it: so every change is in the index, and a
// sender that comes into a pool, or into a new one after a change of the roster, brings its load along.
type load struct {
	limit  gateway.Limit
	free   int64 // when its next message may leave, Unix nanoseconds
	queued int   // units waiting: those of its lanes, and of messages being stored
	aboard int   // units of the message whose parts are leaving, as far as they are not charged yet
	used   int64 // turn in which it was last chosen
}

// become gives the sender another load, and tells its pool.
func (s *sender) become(l load) {
	s.load = l
	if s.pool != nil {
		s.pool.Set(s.index, l.inPool())
	}
}

func (l *load) inPool() gateway.Load {
	return gateway.Load{Free: l.free, Backlog: l.limit.Cost(l.queued + l.aboard), Used: l.used}
}

// join puts the sender into a pool, or into none, and takes it out of the one that it was in.
func (s *sender) join(pool *gateway.Pool, index int) {
	s.pool, s.index = pool, index
	s.become(s.load)
}

// enqueue counts units into the sender's queue, or out of it when there are fewer than none.
func (s *sender) enqueue(units int) {
	l := s.load
	l.queued += units
	s.become(l)
}

// choose counts units into the queue of a sender that a powerpack took in a turn.
func (s *sender) choose(turn int64, units int) {
	l := s.load
	l.used = turn
	l.queued += units
	s.become(l)
}

// freeFrom notes from when on the sender's pace lets it send.
func (s *sender) freeFrom(at int64) {
	l := s.load
	l.free = at
	s.become(l)
}

// board begins the turn of a limited sender's message; pay charges what has left of it, and stopBoarding ends the turn.
func (s *sender) board(f *flight) {
	s.leaving = f
	l := s.load
	l.aboard = f.unitsToLeave()
	s.become(l)
}

func (s *sender) pay(now int64, units int) {
	l := s.load
	l.free = max(l.free, now) + l.limit.Cost(units)
	l.aboard = max(0, l.aboard-units)
	s.become(l)
}

func (s *sender) stopBoarding() {
	s.leaving = nil
	l := s.load
	l.aboard = 0
	s.become(l)
}

// limitTo gives the sender another rate, with what it owes to its pace at that.
func (s *sender) limitTo(limit gateway.Limit, free int64) {
	l := s.load
	l.limit, l.free = limit, free
	s.become(l)
}

// freeAt is when the sender's next message may leave, as far as is known.
func (s *sender) freeAt() int64 {
	if s.leaving != nil {
		return math.MaxInt64
	}
	return s.free
}

// freeFor is when a message would leave that is queued now behind all that waits.
func (s *sender) freeFor(now int64) int64 { return s.limit.FreeAt(s.free, now, s.queued+s.aboard) }
