package esme

import (
	"math/rand/v2"
	"sync"
	"time"

	"github.com/heliograph/heliograph/internal/smpp"
)

// When answers count as acknowledged for good: an SMSC that has not forgotten a message so long after our answer was lost in between, and its session with it.
const (
	settleEvery = 10 * time.Second
	settleAfter = 30 * time.Second
)

// intake is what one session brings of messages from handsets, and how much of it has been acknowledged for good.
type intake struct {
	session uint64 // drawn for it; never 0

	mu    sync.Mutex
	spans []*span // in their order
	asked bool    // an enquire_link is on its way
}

// span is what was brought within a while.
type span struct {
	first, last time.Time // when it came
	inHand      int       // not answered yet
	answered    time.Time // the last answer
}

// maxSpans bounds them, should answers be awaited for long.
const maxSpans = 64

// newIntake draws a session. It has 63 bits, for databases without unsigned numbers.
func newIntake() *intake { return &intake{session: rand.Uint64()>>1 | 1} }

// brought notes a part that is to be answered.
func (i *intake) brought(at time.Time) *span {
	i.mu.Lock()
	defer i.mu.Unlock()
	n := len(i.spans)
	if n == 0 || n < maxSpans && at.Sub(i.spans[n-1].first) >= settleEvery {
		i.spans = append(i.spans, &span{first: at, last: at})
		n++
	}
	s := i.spans[n-1]
	if at.After(s.last) { // a clock that was set back changes nothing
		s.last = at
	}
	s.inHand++
	return s
}

// answered notes that one of a span was answered.
func (i *intake) answered(s *span, at time.Time) {
	i.mu.Lock()
	defer i.mu.Unlock()
	s.inHand--
	s.answered = at
}

// clockStep is by how much times must differ to be told apart wherever they are kept.
const clockStep = time.Millisecond

// settleable says until when all that came was answered long enough ago, and in how many spans; none: 0.
func (i *intake) settleable(now time.Time) (until time.Time, spans int) {
	i.mu.Lock()
	defer i.mu.Unlock()
	for n, s := range i.spans {
		if s.inHand > 0 || now.Sub(s.answered) < settleAfter {
			break
		}
		until, spans = s.last, n+1
		if n+1 < len(i.spans) && i.spans[n+1].first.Sub(until) < clockStep {
			until = until.Add(-clockStep) // the first of the next span could pass for one of this
		}
	}
	return until, spans
}

// ask begins an enquire_link, unless one is on its way.
func (i *intake) ask() bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	asked := i.asked
	i.asked = true
	return !asked
}

// told ends it, and forgets spans that are settled.
func (i *intake) told(spans int) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.asked = false
	i.spans = append(i.spans[:0], i.spans[spans:]...)
}

// settle reports what has been acknowledged for good. An answer that we wrote may lie in the buffers of a dead connection for minutes; that the SMSC has
// it is sure when it answers an enquire_link which we wrote after it.
func (l *link) settle(session *smpp.Session, in *intake) {
	c := l.carrier
	until, spans := in.settleable(c.Now())
	if spans == 0 || c.OnSettled == nil || !in.ask() {
		return
	}
	session.Submit(&smpp.EnquireLink{}, func(_ smpp.Response, err error) {
		if err != nil {
			in.told(0) // the next time, if the session lives on
			return
		}
		in.told(spans)
		c.OnSettled(in.session, until)
	})
}
