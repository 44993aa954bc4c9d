package mt

import (
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
)

// pace is how fast a carrier is submitted to: at most at its configured rate, and slower for as long as it throttles. Its zero value is
// unlimited. It slows to 70 % of what the carrier took in the last interval when that answers "throttled", at most once an interval, and
// rises by a tenth a second from there; after half a minute without a refusal the brake is off.
type pace struct {
	limit  gateway.Limit // configured; parts a second
	free   int64         // when the next part may leave, Unix nanoseconds
	brake  float64       // parts a second; 0: none
	braked int64         // when the brake was last set or raised
	refuse int64         // when the carrier last throttled

	rest   int64 // how long the carrier was left alone after the last part that could not leave; 0: the last one could
	rested int64 // until when

	countFrom int64 // the running count of accepted parts
	count     int
	took      float64 // accepted a second in the last full interval
}

const (
	paceInterval  = int64(250 * time.Millisecond)
	paceForget    = int64(30 * time.Second)
	paceTolerance = int64(10 * time.Millisecond) // lateness of a wake-up that may be made up for
	paceFall      = 0.7
	paceRise      = 0.1 // of the rate, a second
	paceLeast     = 1.0

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
	if elapsed := now - p.braked; elapsed >= paceInterval {
		p.brake *= 1 + paceRise*float64(min(elapsed, 4*paceInterval))/float64(time.Second)
		p.braked = now
	}
}

// throttled puts the brake on. A whole window may come back throttled; that is one refusal.
func (p *pace) throttled(now int64) {
	p.roll(now)
	if p.brake > 0 && now-p.refuse < paceInterval {
		return
	}
	took := p.took
	if took == 0 && now > p.countFrom {
		took = float64(p.count) * float64(time.Second) / float64(max(now-p.countFrom, int64(time.Millisecond)))
	}
	if p.brake > 0 {
		took = min(took, p.brake)
	}
	p.brake = max(paceFall*took, paceLeast)
	p.braked, p.refuse = now, now
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

func (p *pace) roll(now int64) {
	elapsed := now - p.countFrom
	if elapsed < paceInterval {
		return
	}
	if p.countFrom != 0 {
		p.took = float64(p.count) * float64(time.Second) / float64(elapsed)
	}
	p.countFrom, p.count = now, 0
}
