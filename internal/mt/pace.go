package mt

import (
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
)

// pace is how fast a carrier is submitted to: at most at its configured rate, and slower for as long as it throttles. Its zero value is
// unlimited.
//
// When a carrier that is not slowed answers "throttled", it is slowed to 70 % of what it took a second so far. From there the pace falls by a
// fifth with a refusal, at most once a second, and rises by a tenth a second: it stays close under a limit that the carrier keeps. A carrier
// with a limit takes as much after such a fall as before; one that then takes less refuses whatever the pace, and slowing it was for nothing:
// the fall is undone, and for a while the pace stays. After half a minute without a refusal the brake is off.
type pace struct {
	limit  gateway.Limit // configured; parts a second
	free   int64         // when the next part may leave, Unix nanoseconds
	brake  float64       // parts a second; 0: none
	refuse int64         // when the carrier last throttled

	rest   int64 // how long the carrier was left alone after the last part that could not leave; 0: the last one could
	rested int64 // until when

	raised int64 // when the brake was last raised

	countFrom int64 // the running count of accepted parts
	count     int
	took      float64 // accepted a second in the last full interval
	before    float64 // what took was before the last fall; 0: the fall has been judged
	steady    int64   // neither fall nor rise before this
}

const (
	paceInterval  = int64(time.Second)
	paceForget    = int64(30 * time.Second)
	paceSteady    = int64(2 * time.Second)        // after a fall that was undone
	paceTolerance = int64(10 * time.Millisecond)  // lateness of a wake-up that may be made up for
	paceRaise     = int64(100 * time.Millisecond) // between two steps up
	paceFirst     = 0.7                           // of what the carrier took
	paceFall      = 0.8                           // of the brake
	paceUndo      = 1.25                          // of the brake: what a fall took
	paceRise      = 0.1                           // of the brake, a second
	paceSame      = 0.9                           // of what it took before a fall, when that did not cost anything
	paceLeast     = 1.0                           // parts a second

	restFirst = int64(20 * time.Millisecond) // after a part that could not leave, twice as long after each further one
	restMost  = int64(time.Second)
)

// rate is what holds now: the smaller of the configured rate and the brake; 0 is unlimited.
func (p *pace) rate() float64 {
	if p.brake > 0 && (p.limit.Rate <= 0 || p.brake < p.limit.Rate) {
		return p.brake
	}
	return p.limit.Rate
}

// spend takes the place of one part, which the caller has seen to be free.
func (p *pace) spend(now int64) {
	if cost := (gateway.Limit{Rate: p.rate()}).Cost(1); cost > 0 {
		p.free = max(p.free, now-paceTolerance) + cost
	}
}

// delayed notes that what was spent for left so much later.
func (p *pace) delayed(by time.Duration) { p.free += max(0, int64(by)-paceTolerance) }

// accepted counts a part that the carrier took and lets the brake off slowly.
func (p *pace) accepted(now int64) {
	p.roll(now)
	p.count++
	if p.brake == 0 {
		return
	}
	if now-p.refuse > paceForget {
		p.brake = 0
		return
	}
	if elapsed := now - p.raised; elapsed >= paceRaise && now >= p.steady {
		p.brake *= 1 + paceRise*float64(min(elapsed, paceInterval))/float64(time.Second)
		p.raised = now
	}
}

// throttled puts the brake on. A whole window may come back throttled; that is one refusal.
func (p *pace) throttled(now int64) {
	p.roll(now)
	p.refuse = now
	switch {
	case p.brake == 0:
		running := float64(p.count) * float64(time.Second) / float64(max(now-p.countFrom, paceInterval/4))
		p.brake = paceFirst * max(running, p.took)
		p.steady = now + paceInterval
	case p.before != 0 || now < p.steady:
		return
	default:
		p.before = p.took
		p.brake *= paceFall
	}
	p.brake = max(p.brake, paceLeast)
	p.raised, p.countFrom, p.count = now, now, 0
	p.free = max(p.free, now+gateway.Limit{Rate: p.brake}.Cost(1))
}

// notSent lets a carrier rest that parts cannot leave for although it says that it has places. All that come back at once are one failure.
func (p *pace) notSent(now int64) {
	if now < p.rested {
		return
	}
	p.rest = min(max(2*p.rest, restFirst), restMost)
	p.rested = now + p.rest
	p.free = max(p.free, p.rested)
}

// roll closes the count when its interval is over, and judges the fall that was before it.
func (p *pace) roll(now int64) {
	elapsed := now - p.countFrom
	if elapsed < paceInterval {
		return
	}
	p.took = float64(p.count) * float64(time.Second) / float64(elapsed)
	p.countFrom, p.count = now, 0
	if p.brake > 0 && p.before > 0 && p.took < paceSame*p.before {
		p.brake *= paceUndo
		p.steady = now + paceSteady
	}
	p.before = 0
}
