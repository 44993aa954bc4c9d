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

	first    int   // set once: units that the first part to leave stands for
	boarding int   // parts of a limited sender that were taken out and have not left yet
	charged  int64 // when the sender is free after it was charged for the parts that left; 0: not charged
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

// charge makes the sender pay for a part that has left at now.
func (f *flight) charge(now int64, units int) {
	if f.unsent() {
		return
	}
	s := f.lane.sender
	s.pay(now, units)
	f.charged = s.free
}

// refund gives back what was charged when it turns out that nothing left, unless the sender has gone on since.
func (f *flight) refund() bool {
	s := f.lane.sender
	if f.charged == 0 || s.free != f.charged || !f.unsent() {
		return false
	}
	s.freeFrom(0) // as it was before: else the flight would not have begun
	return true
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
	if r.Status == gateway.Accepted || r.Status == gateway.Rejected {
		f.results = append(f.results, r)
		return
	}
	if seriousness(r.Status) > seriousness(f.fault) {
		f.fault, f.detail = r.Status, r.Detail
	}
}
