package mt

import "github.com/heliograph/heliograph/internal/gateway"

// sender is what the dispatcher knows of a number that sends. All fields are guarded by Dispatcher.mu, and so is its scope, which is changed by
// the methods below alone: so every change is in the index of its pool, which looks at nothing else, and a sender that comes into a pool, or
// into a new one after a change of the roster, brings its load along.
type sender struct {
	scope
	used     int64             // turn in which it was last chosen
	campaign *scope            // whose rate and cap it shares; nil: none
	listed   bool              // the roster names it; others are forgotten when idle
	owner    gateway.AccountID // who rented it, while it is listed
	lanes    []*lane           // one for each account and carrier it has messages for

	powerpack gateway.ID    // that it is a number of; zero: none
	pool      *gateway.Pool // of that powerpack, in the roster
	index     int           // in the pool
}

// tell tells the pool how busy the sender is.
func (s *sender) tell() {
	if s.pool != nil {
		s.pool.Set(s.index, s.load(1))
	}
}

// load is how busy the sender is for a message of some units; its pool sees that for one.
func (s *sender) load(units int) gateway.Load {
	free, backlog := s.Behind(s.queued, s.aboard, units)
	return gateway.Load{Free: free, Backlog: backlog, Used: s.used}
}

// join puts the sender into a pool, or into none, and takes it out of the one that it was in.
func (s *sender) join(powerpack gateway.ID, pool *gateway.Pool, index int) {
	s.powerpack, s.pool, s.index = powerpack, pool, index
	s.tell()
}

// share makes the sender share a campaign's rate and cap, or none's, with all that waits for it.
func (s *sender) share(campaign *scope) {
	if s.campaign == campaign {
		return
	}
	if s.campaign != nil {
		s.campaign.queued -= s.queued
	}
	if s.campaign = campaign; campaign != nil {
		campaign.queued += s.queued
	}
}

// freeToSend is when a message of some units would leave that is queued at now, as far as the sender and its campaign are concerned.
func (s *sender) freeToSend(now int64, units int) int64 {
	return max(s.freeFor(now, units), s.campaign.freeFor(now, units))
}

// enqueue counts units into the sender's queue, or out of it when there are fewer than none.
func (s *sender) enqueue(units int) {
	s.queued += units
	if s.campaign != nil {
		s.campaign.queued += units
	}
	s.tell()
}

// stopBoarding ends the turn of a message.
func (s *sender) stopBoarding() {
	s.scope.stopBoarding()
	s.tell()
}
