package gateway

import "time"

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
	Priorities      []Priority // empty: DefaultOrder everywhere
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
		if priority.Service == service && priority.Country == market(country) {
			return priority.Order, true
		}
	}
	return DefaultOrder, false
}

// DefaultPatience is how long a message may have to wait for the preferred type before the next type is taken.
const DefaultPatience = 60 * time.Second

// Destination is where a message goes, as far as the choice of a sender looks at it.
type Destination struct {
	Number   string
	Country  string // ISO 3166-1 alpha-2
	Region   string // state or province
	AreaCode string
}

// Load is how busy a sender is: what the queue knows about it. Times are Unix nanoseconds.
type Load struct {
	FreeAt int64 // when a message queued now would leave
	Used   int64 // counts up with each choice: smaller is longer ago
	Closed bool  // it must not be chosen: paused, unhealthy
}

// Request is what a sender is wanted for.
type Request struct {
	To       Destination
	Service  Service
	Sticky   string // the number that this destination is used to; empty: none
	Now      int64  // Unix nanoseconds
	Deadline int64  // the message must leave before this: its expiry
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
	FreeAt int64
}

// Pick chooses the sender of a message from the pool. load tells how busy the i-th sender is.
//
// The rules in their order: the sticky sender, if it is still in the pool, can carry the message and is free before the deadline; else the
// first type of the priority that has a sender free within patience and before the deadline; among long codes those of the
// destination's area code, then of its state; among those left the one that is free earliest, and of equals the one that was
// chosen longest ago. When no type has a sender free within patience, the one that is free earliest before the deadline is taken,
// whatever its type. ok is false when no sender can carry the message in time.
//
// Sources: the powerpack pages of the API reference (sticky sender, local connect, number priority, fallback).
func (p *Powerpack) Pick(pool []Number, req Request, load func(i int) Load) (choice Choice, ok bool) {
	if choice, ok := p.pickSticky(pool, req, load); ok {
		return choice, true
	}
	order, named := p.order(req.Service, req.To.Country)
	latest := min(req.Deadline, req.Now+int64(DefaultPatience))
	if choice, ok := p.pickInOrder(pool, req, order, latest, load); ok {
		return choice, true
	}
	if choice, ok := p.pickInOrder(pool, req, order, req.Deadline, load); ok {
		return choice, true
	}
	if named {
		return Choice{}, false
	}
	return p.pickOther(pool, req, load)
}

func (p *Powerpack) pickSticky(pool []Number, req Request, load func(int) Load) (Choice, bool) {
	if !p.Sticky || req.Sticky == "" {
		return Choice{}, false
	}
	for i := range pool {
		if pool[i].Number != req.Sticky {
			continue
		}
		l := load(i)
		if pool[i].Carries(req) && !l.Closed && l.FreeAt < req.Deadline {
			return Choice{Index: i, Rule: BySticky, FreeAt: l.FreeAt}, true
		}
		break
	}
	return Choice{}, false
}

// Carries tells whether the number may send such a message at all.
func (n *Number) Carries(req Request) bool {
	if !n.Services.Has(req.Service) || n.Number == req.To.Number {
		return false
	}
	from, to := market(n.Country), market(req.To.Country)
	switch n.Type {
	case ShortCode:
		return from == to
	case TollFree: // US toll-free numbers do not reach Canada; Canadian ones reach both
		return from == to || (from == "CA" && to == "US")
	case LongCode:
		return from == to || (isUSCA(from) && isUSCA(to)) || !isUSCA(to)
	}
	return !isUSCA(to) // alphanumeric senders do not exist in the US and Canada
}

func isUSCA(country string) bool { return country == "US" || country == "CA" }

// market is the country whose carriers' rules hold in a country: the territories of the United States are served by its carriers.
func market(country string) string {
	switch country {
	case "PR", "VI", "GU", "AS", "MP":
		return "US"
	}
	return country
}

// candidate gathers the best sender seen so far.
type candidate struct {
	Choice
	near Rule // 0, BySameRegion or BySameArea
	used int64
	set  bool
}

// offer takes the i-th sender if it is better: nearer, then free earlier, then unused for longer.
func (c *candidate) offer(i int, near Rule, l Load) {
	better := !c.set || nearness(near) > nearness(c.near) ||
		near == c.near && (l.FreeAt < c.FreeAt || l.FreeAt == c.FreeAt && l.Used < c.used)
	if better {
		*c = candidate{Choice: Choice{Index: i, FreeAt: l.FreeAt}, near: near, used: l.Used, set: true}
	}
}

func nearness(r Rule) int {
	switch r {
	case BySameArea:
		return 2
	case BySameRegion:
		return 1
	}
	return 0
}

// pickInOrder takes the best sender of the first type in the order that has one free before latest.
func (p *Powerpack) pickInOrder(pool []Number, req Request, order [3]NumberType, latest int64, load func(int) Load) (Choice, bool) {
	var best [3]candidate
	for i := range pool {
		place := -1
		for k, t := range order {
			if t == pool[i].Type {
				place = k
				break
			}
		}
		if place < 0 || !pool[i].Carries(req) {
			continue
		}
		l := load(i)
		if l.Closed || l.FreeAt >= latest {
			continue
		}
		best[place].offer(i, p.near(&pool[i], req.To), l)
	}
	first := true
	for k := range best {
		if best[k].set {
			return best[k].because(first), true
		}
		first = first && !hasType(pool, order[k], req)
	}
	return Choice{}, false
}

// hasType tells whether the pool has senders of the type that could carry the message: passing them over is a fallback.
func hasType(pool []Number, t NumberType, req Request) bool {
	for i := range pool {
		if pool[i].Type == t && pool[i].Carries(req) {
			return true
		}
	}
	return false
}

func (c *candidate) because(first bool) Choice {
	switch {
	case !first:
		c.Rule = ByNextPriority
	case c.near != NoRule:
		c.Rule = c.near
	default:
		c.Rule = ByPriority
	}
	return c.Choice
}

func (p *Powerpack) near(n *Number, to Destination) Rule {
	if !p.LocalConnect || n.Type != LongCode || !isUSCA(market(to.Country)) {
		return NoRule
	}
	switch {
	case n.AreaCode != "" && n.AreaCode == to.AreaCode:
		return BySameArea
	case n.Region != "" && n.Region == to.Region && n.Country == to.Country:
		return BySameRegion
	}
	return NoRule
}

// pickOther serves types that no default order names (alphanumeric senders abroad).
func (p *Powerpack) pickOther(pool []Number, req Request, load func(int) Load) (Choice, bool) {
	var best candidate
	for i := range pool {
		if pool[i].Type != Alphanumeric || !pool[i].Carries(req) {
			continue
		}
		if l := load(i); !l.Closed && l.FreeAt < req.Deadline {
			best.offer(i, NoRule, l)
		}
	}
	if !best.set {
		return Choice{}, false
	}
	first := true
	for _, t := range DefaultOrder {
		first = first && !hasType(pool, t, req)
	}
	return best.because(first), true
}
