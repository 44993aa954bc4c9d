package gateway

import (
	"cmp"
	"slices"
)

// Verdict says by which rule of Powerpack.Pick a sender is not taken: the first one at which it falls behind. They are in the order in which
// the rules look at a sender: the greater its verdict, the further it came.
type Verdict uint8

const (
	NoVerdict       Verdict = iota
	IsDestination           // it would send to itself
	LacksService            // it does not carry the service
	OutOfReach              // its kind does not reach the destination's country
	NotInPriority           // the powerpack's priority for the country and service does not name its type
	IsPaused                // the operator paused it
	NotBeforeExpiry         // it is not free before the message's time is over
	HasNoCarrier            // the carrier that hosts it is not configured; another's is
	IsClosed                // its carrier is down or paused; another is open and free in time
	Rests                   // so few of its messages to the country are delivered that it rests; another is open and free in time
	NotSticky               // the destination is used to another
	BeyondPatience          // the powerpack is not so patient, and another is free earlier than that
	OfLaterType             // a type that comes earlier in the priority is free in time
	Farther                 // another is nearer to the destination
	FreeLater               // another is free earlier
	UsedLater               // another, free as early, was chosen longer ago
	LaterInPool             // another, equal in all of this, comes earlier in the pool
)

var verdictNames = [...]string{
	"", "it is the destination", "it does not carry the service", "its type does not reach the destination's country",
	"its type is not in the priority for the country and service", "it is paused", "it is not free before the message expires",
	"its carrier is not configured", "its carrier is down or paused, and another is open",
	"its deliveries to the country fall far behind the pool's, so it rests", "the destination is used to another sender",
	"the message would wait for longer than the powerpack's patience", "an earlier type of the priority is free in time",
	"another is nearer to the destination", "another is free earlier", "another, free as early, was chosen longer ago",
	"another, equal in all, comes earlier in the pool",
}

func (v Verdict) String() string {
	if int(v) < len(verdictNames) {
		return verdictNames[v]
	}
	return ""
}

// Finding is a sender that is not taken.
type Finding struct {
	Index   int // into the pool
	Verdict Verdict
	FreeAt  int64 // when it would send the message, Unix nanoseconds
}

// Explanation is what Powerpack.Explain finds.
type Explanation struct {
	Choice Choice
	Picked bool // false: no sender can carry the message in time
	// Others are the senders that are not taken: first the one that would be if the choice were not in the pool, then the one that would
	// be without these two, and so on; in the end those that cannot carry the message in time.
	Others []Finding
}

// Explain tells which sender Pick takes, and why not the others: at most as many of them as most says. Unlike Pick it looks at every sender.
func (p *Powerpack) Explain(pool *Pool, req Request, outside Outside, most int) Explanation {
	var e Explanation
	e.Choice, e.Picked = p.Pick(pool, req, outside)
	s := p.search(pool, &req, outside)
	var first []standing
	for i := range pool.numbers {
		if e.Picked && i == e.Choice.Index {
			continue
		}
		st := s.standing(i)
		at, _ := slices.BinarySearchFunc(first, st, standing.compare)
		if at < most {
			first = slices.Insert(first, at, st)
			first = first[:min(len(first), most)]
		}
	}
	e.Others = make([]Finding, len(first))
	var taken standing
	if e.Picked {
		taken = s.standing(e.Choice.Index)
	}
	for i := range first {
		e.Others[i] = Finding{Index: first[i].index, Verdict: first[i].against(&taken, e.Choice.Rule), FreeAt: first[i].freeAt}
	}
	return e
}

// standing is all that the rules look at in a sender; the one that compares as least is taken. Where it says false or a smaller number, the
// sender is ahead.
type standing struct {
	out       Verdict // it cannot be taken, and why; NoVerdict: it can
	carrier   Condition
	condition Condition // of its carrier, or that of a sender that rests
	notSticky bool
	unnamed   bool // of the type that is taken when no type of the order can be
	late      bool // not free within patience
	place     int  // of its type in the order
	distance  int  // 0: same area code, 1: same region, 2: same country, 3: farther, or it does not matter
	freeAt    int64
	ownFreeAt int64 // as far as it is concerned itself
	used      int64
	index     int
}

func (s *search) standing(i int) standing {
	n, load := &s.numbers[i], s.loads[i]
	st := standing{
		carrier: s.carrier(n.Carrier), condition: s.conditionOf(int32(i)), notSticky: s.sticky() != int32(i), distance: 3,
		ownFreeAt: load.FreeAt(s.req.Now), used: load.Used, index: i,
	}
	st.freeAt = max(st.ownFreeAt, s.heldUntil(n.Campaign))
	order, named := s.order(s.req.Service, s.req.To.Country)
	st.place = slices.Index(order[:], n.Type)
	st.unnamed = st.place < 0
	st.late = !st.unnamed && st.freeAt >= s.patientUntil(s.req)
	switch {
	case !s.LocalConnect:
	case n.near(&s.req.To) == BySameArea:
		st.distance = 0
	case n.near(&s.req.To) == BySameRegion:
		st.distance = 1
	case n.Type == LongCode && isUSCA(s.market) && Market(n.Country) == s.market:
		st.distance = 2
	}
	switch class := n.class(); {
	case n.Number == s.req.To.Number:
		st.out = IsDestination
	case !class.services.Has(s.req.Service):
		st.out = LacksService
	case !class.reaches(s.market):
		st.out = OutOfReach
	case st.unnamed && st.notSticky && (named || n.Type != Alphanumeric):
		st.out = NotInPriority
	case n.Paused:
		st.out = IsPaused
	case st.freeAt >= s.req.Deadline:
		st.out = NotBeforeExpiry
	}
	return st
}

// compare orders senders as the rules do.
func (st standing) compare(o standing) int {
	return cmp.Or(
		compareBool(st.out != NoVerdict, o.out != NoVerdict), cmp.Compare(o.out, st.out),
		cmp.Compare(st.condition, o.condition), compareBool(st.notSticky, o.notSticky), compareBool(st.unnamed, o.unnamed),
		compareBool(st.late, o.late), cmp.Compare(st.place, o.place), cmp.Compare(st.distance, o.distance),
		cmp.Compare(st.freeAt, o.freeAt), cmp.Compare(st.ownFreeAt, o.ownFreeAt), cmp.Compare(st.used, o.used), cmp.Compare(st.index, o.index),
	)
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

// against is the rule by which the sender falls behind the one that is taken.
func (st *standing) against(taken *standing, rule Rule) Verdict {
	switch {
	case st.out != NoVerdict:
		return st.out
	case st.carrier > taken.condition && st.carrier == Missing:
		return HasNoCarrier
	case st.carrier > taken.condition:
		return IsClosed
	case st.condition > taken.condition:
		return Rests
	case rule == BySticky:
		return NotSticky
	case st.unnamed != taken.unnamed:
		return OfLaterType
	case st.late && !taken.late:
		return BeyondPatience
	case st.place != taken.place:
		return OfLaterType
	case st.distance != taken.distance:
		return Farther
	case st.freeAt != taken.freeAt, st.ownFreeAt != taken.ownFreeAt:
		return FreeLater
	case st.used != taken.used:
		return UsedLater
	}
	return LaterInPool
}
