package mt

import "github.com/heliograph/heliograph/internal/gateway"

// flight is a message on its way to the carrier: its parts leave together and in order, and it has landed when every part that left
// was answered. All fields are guarded by Dispatcher.mu, but for those set once.
type flight struct {
	message *gateway.Message // set once
	lane    *lane            // set once
	total   int              // set once: parts in all
	taken   gateway.PartMask // set once: parts that the carrier has already, from an earlier attempt
	next    int              // number of the next part to leave
	out     int              // parts without an answer
	results []gateway.PartResult
	fault   gateway.OutcomeStatus // the worst answer that settled nothing; 0: none
	detail  string

	first    int // set once: units that the first part to leave stands for
	boarding int // parts that were taken out and have not left yet, where somebody charges for them
	reserved int // units that were taken from daily caps
	gone     int // of these, units of parts that left
	used     int // of these, units of parts that the carrier has taken up
	fares    []fare
}

// fare is a scope that limits the flight, and what it charged.
type fare struct {
	*scope
	sender  *sender // whose own scope it is; nil: it is shared
	capped  bool    // units were taken from its cap
	day     int     // on which they were
	charged int64   // when it is free after the parts that left were charged; 0: not charged
}

func newFlight(m *gateway.Message, l *lane, total int) *flight {
	f := &flight{message: m, lane: l, total: total, next: 1}
	if m.Parts == total && m.Taken != gateway.AllParts(total) { // else it is split otherwise than it was: what was taken is of no use
		f.taken = m.Taken
	}
	f.first = max(1, m.Units-total+1)
	f.skipTaken()
	return f
}

// skipTaken passes over parts that the carrier has already, from an earlier attempt.
func (f *flight) skipTaken() {
	for f.next <= f.total && f.taken.Has(f.next) {
		f.next++
	}
}

// leaving tells whether there are parts still to leave. After a part that failed the rest stays: it goes with the next attempt or, after
// a refusal, not at all.
func (f *flight) leaving() bool { return f.next <= f.total && !f.refused() && f.fault == 0 }

func (f *flight) landed() bool { return f.out == 0 && !f.leaving() }

func (f *flight) refused() bool {
	for i := range f.results {
		if f.results[i].Status == gateway.Rejected {
			return true
		}
	}
	return false
}

// partUnits is what the next part costs its sender: a unit each, and the first one what the message has beyond that, if the carrier takes it
// in fewer parts than it has units.
func (f *flight) partUnits() int { return f.unitsOf(f.next) }

func (f *flight) unitsOf(part int) int {
	if part == 1 {
		return f.first
	}
	return 1
}

// unitsToLeave is what all parts cost that are still to leave.
func (f *flight) unitsToLeave() (units int) {
	for part := f.next; part <= f.total; part++ {
		if !f.taken.Has(part) {
			units += f.unitsOf(part)
		}
	}
	return units
}

// unsent tells whether the flight has landed without any part having left.
func (f *flight) unsent() bool {
	return f.landed() && f.fault == gateway.NotSent && len(f.results) == 0
}

// board begins the flight's turn with all that limit it.
func (f *flight) board(c gateway.Calendar, now int64) {
	s := f.lane.sender
	f.reserved = f.unitsToLeave()
	for _, limit := range [...]*scope{&s.scope, s.campaign, f.lane.account} {
		if limit == nil || !limit.Limited() {
			continue
		}
		fare := fare{scope: limit, capped: limit.Reserve(c, now, f.reserved), day: limit.Day}
		limit.board(f, f.reserved)
		if limit == &s.scope {
			fare.sender = s
			s.tell()
		} else {
			limit.last = f.lane.gate
		}
		f.fares = append(f.fares, fare)
	}
}

// paced tells whether somebody charges for parts when they have left.
func (f *flight) paced() bool {
	for i := range f.fares {
		if fare := &f.fares[i]; fare.capped || fare.leaving == f {
			return true
		}
	}
	return false
}

// charge makes everybody who limits the flight pay for a part that has left at now.
func (f *flight) charge(c gateway.Calendar, now int64, units int) {
	f.gone += units
	unsent := f.unsent()
	for i := range f.fares {
		fare := &f.fares[i]
		if fare.capped {
			fare.Leave(c, now, units)
		}
		if fare.leaving == f && !unsent {
			fare.pay(now, units)
			fare.charged = fare.Free
		}
		if fare.sender != nil {
			fare.sender.tell()
		}
	}
}

// refund gives back what was charged when it turns out that nothing left, unless others have gone on since, and what was taken from daily caps
// for parts that the carrier has not taken up. It gives the scopes that this changed.
func (f *flight) refund(c gateway.Calendar, now int64) (changed []fare) {
	stayed := f.reserved - f.gone
	for i := range f.fares {
		fare, unused := &f.fares[i], f.reserved-f.used
		back := fare.charged != 0 && fare.Free == fare.charged && f.unsent()
		if back {
			fare.Free = 0 // as it was before: else the flight would not have begun
		}
		if fare.capped {
			fare.Leave(c, now, stayed)
			if fare.day != fare.Day { // what had left before counts for a day that is over
				unused = stayed
			}
			fare.Return(unused)
		}
		if fare.sender != nil {
			fare.sender.tell()
		}
		if back || fare.capped && unused > 0 {
			changed = append(changed, *fare)
		}
	}
	return changed
}

// usage is what is to be kept of daily caps with the flight's record, as far as they hold for it.
func (f *flight) usage() (list []gateway.Usage) {
	for i := range f.fares {
		if fare := &f.fares[i]; fare.capped && fare.Cap > 0 {
			list = append(list, fare.toKeep(0))
		}
	}
	return list
}

// seriousness orders the answers that settle nothing: what the whole message does follows the most serious one.
func seriousness(s gateway.OutcomeStatus) int {
	switch s {
	case gateway.NotSent:
		return 1
	case gateway.Throttled:
		return 2
	case gateway.Deferred:
		return 3
	case gateway.Unanswered:
		return 4
	}
	return 0
}

// answered takes up the carrier's answer for a part.
func (f *flight) answered(r gateway.PartResult) {
	f.out--
	switch r.Status {
	case gateway.Accepted, gateway.Rejected, gateway.Unanswered:
		f.used += f.unitsOf(r.Number)
	}
	if r.Status == gateway.Accepted || r.Status == gateway.Rejected {
		f.results = append(f.results, r)
		return
	}
	if seriousness(r.Status) > seriousness(f.fault) {
		f.fault, f.detail = r.Status, r.Detail
	}
}
