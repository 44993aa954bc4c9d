package mt

import (
	"iter"
	"maps"
	"math"

	"github.com/heliograph/heliograph/internal/gateway"
)

// scope is what has a rate and a daily cap: a sender, a campaign, an account. What senders share, all of them wait for. All fields are
// guarded by Dispatcher.mu; those of a sender are changed by the sender's methods, which tell its pool.
type scope struct {
	kind gateway.ScopeKind
	name string
	gateway.Allowance

	queued  int     // units waiting: those of lanes, and of messages being stored
	aboard  int     // units of the message whose parts are leaving, as far as they are not charged yet
	leaving *flight // where there is a rate: the message whose parts are leaving; what they cost is known when they have left
	gates   []*gate // what is shared: the lanes that wait for it
	last    *gate   // of these, the one that had the last turn
	known   bool    // its rate was set before

	kept    gateway.Usage // of a daily cap: what the disk counts as used up. More than that must not leave before it is written
	raising bool          // that is being written
}

// freeAt is when a message of some units may leave, as far as is known, if it is the next.
func (s *scope) freeAt(units int) int64 {
	if s == nil {
		return 0
	}
	if s.leaving != nil || s.raising {
		return math.MaxInt64
	}
	return s.FreeAt(units)
}

// freeFor is when a message of some units would leave that is queued at now behind all that waits.
func (s *scope) freeFor(now int64, units int) int64 {
	if s == nil {
		return now
	}
	return s.BehindAt(now, s.queued, s.aboard, units)
}

// board begins the turn of a message, where there is a rate.
func (s *scope) board(f *flight, units int) {
	if s.Limit.Rate > 0 {
		s.leaving, s.aboard = f, units
	}
}

// pay charges what has left of the message whose turn it is.
func (s *scope) pay(now int64, units int) {
	s.Pay(now, units)
	s.aboard = max(0, s.aboard-units)
}

// stopBoarding ends the turn of a message.
func (s *scope) stopBoarding() { s.leaving, s.aboard = nil, 0 }

// clock is the name under which the scope's free time is kept over a stop. No number has a blank in it.
func (s *scope) clock() string {
	switch s.kind {
	case gateway.SenderScope:
		return s.name
	case gateway.CampaignScope:
		return "campaign " + s.name
	}
	return "account " + s.name
}

// limit sets a scope's rate and cap, as the roster has them.
//
// The first time it is not known what was sent before the start. After a clean stop the clocks and the use of the cap tell; after a crash, what the store
// has on record and what may have left without (see restAfterCrash). Of a cap the disk counts some more as used
// up than was (see cap.go), so that nothing is missing.
func (d *Dispatcher) limit(s *scope, limit gateway.Limit, dailyCap int, paused bool) {
	now := d.Now().UnixNano()
	first := !s.known
	if first {
		s.known = true
		s.Free = d.clocks[s.clock()]
		if d.floor > 0 && d.pools == nil { // what comes later sent nothing before the crash
			s.Free = max(s.Free, d.restAfterCrash(s, limit))
		}
	}
	if first || s.Limit != limit || s.Cap != dailyCap {
		s.Reset(d.Calendar, limit, dailyCap, now)
	}
	if kept := d.used[usageKey{s.kind, s.name}]; first && dailyCap > 0 && kept.Day == s.Day {
		s.Used, s.kept = kept.Units, kept
	}
	s.Paused = paused
}

// restAfterCrash is when a scope is free after a stop that was not clean, so that its rate holds whatever was sent just before: the last message on
// record, or one that is still queued and left without a record at the very last moment. Where the store knows too much to be looked through, that is taken
// to be the longest message.
func (d *Dispatcher) restAfterCrash(s *scope, limit gateway.Limit) int64 {
	if d.last == nil {
		return d.floor + limit.Cost(gateway.MaxParts)
	}
	if s.kind == gateway.SenderScope {
		return freeAfter(limit, d.last[s.name], d.floor)
	}
	return freeAfter(limit, d.lastOfAll, d.floor)
}

// ofAll is what is known of all senders together: who sends for a campaign or an account may have changed, so all count.
func ofAll(traces map[string]gateway.Trace) (all gateway.Trace) {
	for _, t := range traces {
		all.Waiting, all.Units = max(all.Waiting, t.Waiting), max(all.Units, t.Units)
		if t.Left.After(all.Left) {
			all.Left = t.Left
		}
	}
	return all
}

// freeAfter is when a rate is free after what a sender sent before a crash.
func freeAfter(limit gateway.Limit, t gateway.Trace, crash int64) (free int64) {
	if t.Waiting > 0 {
		free = crash + limit.Cost(t.Waiting)
	}
	if !t.Left.IsZero() {
		free = max(free, t.Left.UnixNano()+limit.Cost(t.Units))
	}
	return free
}

// usageKey names a scope.
type usageKey struct {
	kind gateway.ScopeKind
	name string
}

// scopes lists all senders', campaigns' and accounts' scopes.
func (d *Dispatcher) scopes() iter.Seq[*scope] {
	return func(yield func(*scope) bool) {
		for _, s := range d.senders {
			if !yield(&s.scope) {
				return
			}
		}
		for _, shared := range [...]iter.Seq[*scope]{maps.Values(d.campaigns), maps.Values(d.accounts)} {
			for s := range shared {
				if !yield(s) {
					return
				}
			}
		}
	}
}
