package mt

import "github.com/heliograph/heliograph/internal/gateway"

// flight is a message on its way to the carrier: its parts leave together and in order, and it has landed when every part that left
// was answered. All fields are guarded by Dispatcher.mu, but for those set once.
type flight struct {
	message *gateway.Message // set once
	lane    *lane            // set once
	total   int              // set once: parts in all
	next    int              // number of the next part to leave
	out     int              // parts without an answer
	results []gateway.PartResult
	fault   gateway.OutcomeStatus // the worst answer that settled nothing; 0: none
	detail  string
}

func newFlight(m *gateway.Message, l *lane, total int) *flight {
	f := &flight{message: m, lane: l, total: total, next: 1}
	f.skipTaken()
	return f
}

// skipTaken passes over parts that the carrier has already, from an earlier attempt.
func (f *flight) skipTaken() {
	for f.next <= f.total && f.message.Taken.Has(f.next) {
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

// units is what the rest of the message costs its sender.
func (f *flight) units() int {
	taken := 0
	for part := 1; part <= f.total; part++ {
		if f.message.Taken.Has(part) {
			taken++
		}
	}
	return max(1, f.message.Units-taken)
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
