package gateway

import (
	"slices"
	"time"
)

// Powerpack is a pool of senders and the rules by which each message gets one.
type Powerpack struct {
	ID              ID
	Account         AccountID
	Name            string
	Pool            ID // of its number pool: made with it, removed with it
	Sticky          bool
	LocalConnect    bool
	ApplicationType string
	ApplicationID   string
	Priorities      []Priority    // empty: DefaultOrder everywhere
	Patience        time.Duration // 0: DefaultPatience
	Refresh         bool          // numbers that keep resting are replaced by spare ones of the account
	Keywords        Keywords      // of its numbers
	CreatedAt       time.Time
}

// Priority is the order in which a powerpack takes types of senders for a service and a destination country. A zero type is an
// empty place: types that are not named are not used.
type Priority struct {
	Service Service
	Country string // ISO 3166-1 alpha-2
	Order   [3]NumberType
}

// DefaultOrder is the order where a powerpack sets none.
var DefaultOrder = [3]NumberType{ShortCode, TollFree, LongCode}

// order is the priority that holds for a destination, and whether the powerpack names one for it.
func (p *Powerpack) order(service Service, country string) ([3]NumberType, bool) {
	for _, priority := range p.Priorities {
		if priority.Service == service && Market(priority.Country) == Market(country) {
			return priority.Order, true
		}
	}
	return DefaultOrder, false
}

// DefaultPatience is how long a message may have to wait for the preferred type before the next type is taken.
const DefaultPatience = 60 * time.Second

// patientUntil is until when the preferred type must be free.
func (p *Powerpack) patientUntil(req *Request) int64 {
	patience := p.Patience
	if patience == 0 {
		patience = DefaultPatience
	}
	return min(req.Deadline, req.Now+int64(patience))
}

// Destination is where a message goes, as far as the choice of a sender looks at it.
type Destination struct {
	Number   string
	Country  string // ISO 3166-1 alpha-2
	Region   string // state or province
	AreaCode string
}

// Load is how busy a sender is: what the queue knows about it. Times are Unix nanoseconds.
type Load struct {
	Free    int64 // from when on its pace, and its daily cap, let it send again
	Backlog int64 // how long what waits in its queue takes, in nanoseconds
	Used    int64 // counts up with each choice: smaller is longer ago
}

// FreeAt is when a message that is queued now would leave, as far as the sender itself is concerned: its own free time.
func (l *Load) FreeAt(now int64) int64 { return max(l.Free, now) + l.Backlog }

// Request is what a sender is wanted for.
type Request struct {
	To       Destination
	Service  Service
	Sticky   string // the number that this destination is used to; empty: none
	Now      int64  // Unix nanoseconds
	Deadline int64  // the message must leave before this: its expiry
	Earliest int64  // the account's rate lets nothing leave before
}

// Rule is the rule by which a sender was chosen. Values are stored: only append.
type Rule uint8

const (
	NoRule         Rule = iota
	BySource            // the caller named it
	BySticky            // the destination is used to it
	BySameArea          // local connect: same area code
	BySameRegion        // local connect: same state or province
	ByPriority          // first type of the priority, earliest free
	ByNextPriority      // a later type, since those before it have no sender that is free in time
)

var ruleNames = [...]string{"", "source", "sticky", "local connect, same area code", "local connect, same state", "priority", "fallback to the next priority"}

func (r Rule) String() string {
	if int(r) < len(ruleNames) {
		return ruleNames[r]
	}
	return ""
}

// Choice is a sender and why it was taken.
type Choice struct {
	Index  int // into the pool
	Rule   Rule
	FreeAt int64 // when the message would leave: the sender's free time, its campaign's or the account's, whichever is last
}

// Condition is what may be expected of a carrier that hosts senders.
type Condition uint8

const (
	Up      Condition = iota // it takes messages
	Down                     // it is down or paused: messages wait for it
	Missing                  // it is not configured: messages to it fail
)

// Outside is what a choice asks about besides the pool's own numbers. Its zero value says that nothing stands in the way.
type Outside struct {
	Condition func(carrier string) Condition // of a carrier that hosts senders; nil: all are up
	// Campaign tells from when on a message that is queued now could leave as far as a campaign is concerned: its rate and what waits for
	// it, its daily cap; Unix nanoseconds. nil: no campaign holds anything up.
	Campaign func(id string) int64
}

// Pick chooses the sender of a message from the pool.
//
// A sender's free time is the latest of its own, of its campaign's and of what the account's rate allows (Request.Earliest).
//
// The rules in their order: the sticky sender, if it is still in the pool, can carry the message and is free before the deadline; else the
// first type of the priority that has a sender free within patience and before the deadline; among long codes those of the
// destination's area code, then of its state, then of its country; among those left the one that is free earliest, of those the one that would be if there
// were no campaigns and no account's rate, and of equals the one that was chosen longest ago. When no type has a sender free within
// patience, the first that has one free before the deadline is taken; and when none has, and the powerpack names no order for the
// destination, an alphanumeric sender.
//
// A sender whose carrier is not up, and one that rests in the destination's market, do not come up while an open one can carry the message in
// time. When none can, the choice is made as if all were open: the message waits for its carrier, which may be back in a moment, rather
// than fail. Senders whose carrier is missing come up last, and paused ones never. ok is false when even so no sender can carry the message
// in time.
//
// Sources: the powerpack pages of the API reference (sticky sender, local connect, number priority, fallback).
func (p *Powerpack) Pick(pool *Pool, req Request, outside Outside) (choice Choice, ok bool) {
	s := p.search(pool, &req, outside)
	for s.worst = Up; s.worst <= Missing; s.worst++ {
		if choice, ok := s.pick(); ok {
			return choice, true
		}
		if !s.closed {
			break // no one else is left
		}
		s.closed = false
	}
	return Choice{}, false
}

// Suits tells whether the pool has a sender that the powerpack would let carry the message if it were free and open; a paused one is none.
func (p *Powerpack) Suits(pool *Pool, req Request) bool {
	s := p.search(pool, &req, Outside{})
	order, named := p.order(req.Service, req.To.Country)
	for _, t := range order {
		if s.has(t) {
			return true
		}
	}
	i := s.sticky()
	return i != none && s.mayCarry(i) || !named && s.has(Alphanumeric)
}

// search is one choice.
type search struct {
	*Pool
	*Powerpack
	req     *Request
	market  string // of the destination
	pass    int32  // the sender that is the destination itself; none: none is
	outside Outside
	worst   Condition // senders in a worse one do not come up
	closed  bool      // there was one that did not
}

func (p *Powerpack) search(pool *Pool, req *Request, outside Outside) search {
	return search{Pool: pool, Powerpack: p, req: req, market: Market(req.To.Country), pass: pool.find(req.To.Number), outside: outside}
}

func (s *search) pick() (Choice, bool) {
	if choice, ok := s.pickSticky(); ok {
		return choice, true
	}
	order, named := s.order(s.req.Service, s.req.To.Country)
	if choice, ok := s.pickInOrder(order, s.patientUntil(s.req)); ok {
		return choice, true
	}
	if choice, ok := s.pickInOrder(order, s.req.Deadline); ok {
		return choice, true
	}
	if named {
		return Choice{}, false
	}
	return s.pickOther()
}

// sticky is the sender that the destination is used to, none when there is none in the pool or the powerpack does not care.
func (s *search) sticky() int32 {
	if !s.Sticky || s.req.Sticky == "" {
		return none
	}
	return s.find(s.req.Sticky)
}

func (s *search) pickSticky() (Choice, bool) {
	i := s.sticky()
	if i == none || !s.mayCarry(i) || !s.comesUp(s.conditionOf(i)) {
		return Choice{}, false
	}
	at := max(s.loads[i].FreeAt(s.req.Now), s.heldUntil(s.numbers[i].Campaign))
	return Choice{Index: int(i), Rule: BySticky, FreeAt: at}, at < s.req.Deadline
}

// mayCarry tells whether a sender may carry the message at all.
func (s *search) mayCarry(i int32) bool { return !s.numbers[i].Paused && s.numbers[i].Carries(*s.req) }

// conditionOf is the condition that a sender is in: that of its carrier, and one that rests is no better than one whose carrier is down.
func (s *search) conditionOf(i int32) Condition {
	c := s.carrier(s.numbers[i].Carrier)
	if s.Rests(int(i), s.market) {
		c = max(c, Down)
	}
	return c
}

// comesUp tells whether senders in a condition come up, and notes that some do not.
func (s *search) comesUp(c Condition) bool {
	if c > s.worst {
		s.closed = true
	}
	return c <= s.worst
}

// carrier is the condition of a carrier; who is bound to none goes by a route, which has others.
func (s *search) carrier(name string) Condition {
	if name == "" || s.outside.Condition == nil {
		return Up
	}
	return s.outside.Condition(name)
}

// heldUntil is until when the account's rate and a campaign hold a message up, whoever sends it.
func (s *search) heldUntil(campaign string) int64 {
	if campaign == "" || s.outside.Campaign == nil {
		return s.req.Earliest
	}
	return max(s.req.Earliest, s.outside.Campaign(campaign))
}

// pickInOrder takes the best sender of the first type in the order that has one free before latest. Passing over a type that the pool has
// is a fallback.
func (s *search) pickInOrder(order [3]NumberType, latest int64) (Choice, bool) {
	first := true
	for _, t := range order {
		if choice, ok := s.pickOfType(t, latest); ok {
			if !first {
				choice.Rule = ByNextPriority
			}
			return choice, true
		}
		first = first && !s.has(t)
	}
	return Choice{}, false
}

// pickOther serves types that no default order names (alphanumeric senders abroad).
func (s *search) pickOther() (Choice, bool) {
	choice, ok := s.pickOfType(Alphanumeric, s.req.Deadline)
	if !ok {
		return Choice{}, false
	}
	for _, t := range DefaultOrder {
		if s.has(t) {
			choice.Rule = ByNextPriority
		}
	}
	return choice, true
}

// pickOfType takes the nearest sender of a type that is free before latest, and of those equally near the one that is free earliest.
func (s *search) pickOfType(t NumberType, latest int64) (Choice, bool) {
	if t == LongCode && s.LocalConnect && isUSCA(s.market) {
		if choice, ok := s.pickOf(s.areas[s.req.To.AreaCode], "", BySameArea, latest); ok {
			return choice, true
		}
		if choice, ok := s.pickOf(s.regions[region{s.req.To.Country, s.req.To.Region}], "", BySameRegion, latest); ok {
			return choice, true
		}
		if choice, ok := s.pickOf(s.byType[t], s.market, ByPriority, latest); ok {
			return choice, true
		}
	}
	return s.pickOf(s.byType[t], "", ByPriority, latest)
}

// pickOf takes the sender of some groups, or of those at home in a market, that is free earliest, if that is before latest. What holds all of a group up does not change their
// order, so each group gives its first, and these are compared with that.
func (s *search) pickOf(groups []int32, home string, rule Rule, latest int64) (Choice, bool) {
	best, bestAt := none, latest
	for _, g := range groups {
		group := &s.groups[g]
		if !group.carries(s.req.Service, s.market) || !s.comesUp(s.carrier(group.carrier)) || home != "" && group.home != home {
			continue
		}
		i := s.firstOf(group)
		if i == none || s.loads[i].FreeAt(s.req.Now) > bestAt {
			continue
		}
		at := max(s.loads[i].FreeAt(s.req.Now), s.heldUntil(group.campaign))
		if at < bestAt || at == bestAt && best != none && s.first(best, i, s.req.Now) == i {
			best, bestAt = i, at
		}
	}
	return Choice{Index: int(best), Rule: rule, FreeAt: bestAt}, best != none
}

// firstOf is the sender of a group that comes first by its own free time, of those that come up.
func (s *search) firstOf(group *group) int32 {
	best := s.earliest(group.root, s.req.Now, s.pass)
	for w := range group.wards {
		if ward := &group.wards[w]; !slices.Contains(ward.markets, s.market) || s.comesUp(Down) {
			best = s.first(best, s.earliest(ward.root, s.req.Now, s.pass), s.req.Now)
		}
	}
	return best
}

// has tells whether the pool has senders of the type that could carry the message.
func (s *search) has(t NumberType) bool {
	for _, g := range s.byType[t] {
		group := &s.groups[g]
		if !group.carries(s.req.Service, s.market) {
			continue
		}
		if group.size > 1 || s.pass == none || s.in[s.pass][ofClass] != g {
			return true
		}
	}
	return false
}
