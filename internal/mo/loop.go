package mo

import (
	"sync"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
)

// Loops cuts conversations between two automatic answerers: of the answers that one number of an account gives one person without a human hand, it lets
// a limited number pass within a time. The zero value lets everything pass. Safe for concurrent use.
type Loops struct {
	Most   int           // answers within Window; 0: any number
	Window time.Duration // more than 0 where Most is

	mu     sync.Mutex
	pairs  map[pair]*tally
	order  []pair // of pairs, as they came; full, it is a ring
	eldest int    // of a full ring
}

// DefaultLoops lets 20 answers pass within five minutes: a person who plays with a bot gets theirs, and two machines, which answer within a second, are cut soon.
func DefaultLoops() *Loops { return &Loops{Most: 20, Window: 5 * time.Minute} }

// pair is a number of an account and a person.
type pair struct {
	account        gateway.AccountID
	number, person string
}

// tally counts the answers of a pair in the current step of the window and in the one before it.
type tally struct {
	step        int64
	now, before int
}

// mostPairs bounds the pairs that are remembered; beyond it the longest known is forgotten.
const mostPairs = 100_000

// Turn counts an answer and tells whether it may go. One that may not is counted too: a loop stays cut until its messages come more slowly.
func (l *Loops) Turn(account gateway.AccountID, number, person string, at time.Time) bool {
	if l.Most == 0 {
		return true
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	t := l.tallyOf(pair{account, number, person})
	step := at.UnixNano() / int64(l.Window)
	switch step - t.step {
	case 0:
	case 1:
		t.before, t.now = t.now, 0
	default:
		t.before, t.now = 0, 0
	}
	t.step = step
	t.now++
	passed := float64(at.UnixNano()%int64(l.Window)) / float64(l.Window)
	return float64(t.now)+float64(t.before)*(1-passed) <= float64(l.Most)
}

// tallyOf gives the tally of a pair, a new one if need be. Guarded by mu.
func (l *Loops) tallyOf(p pair) *tally {
	if t := l.pairs[p]; t != nil {
		return t
	}
	if l.pairs == nil {
		l.pairs = map[pair]*tally{}
	}
	t := &tally{}
	l.pairs[p] = t
	if len(l.order) < mostPairs {
		l.order = append(l.order, p)
		return t
	}
	delete(l.pairs, l.order[l.eldest])
	l.order[l.eldest] = p
	l.eldest = (l.eldest + 1) % mostPairs
	return t
}
