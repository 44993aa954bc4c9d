package mt

import (
	"testing"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
)

// carry plays a carrier that accepts rate parts a second for a while, and gives the time after.
func (p *pace) carry(now int64, rate float64, span time.Duration) int64 {
	step := int64(float64(time.Second) / rate)
	for end := now + int64(span); now < end; now += step {
		p.accepted(now)
	}
	return now
}

func TestPaceSlowsAndRecovers(t *testing.T) {
	var p pace
	now := p.carry(int64(time.Hour), 100, 2*time.Second)
	if p.rate() != 0 {
		t.Fatalf("braked at %v without a refusal", p.rate())
	}
	p.throttled(now)
	fell := p.rate()
	if fell < 65 || fell > 72 {
		t.Fatalf("100/s and a refusal: %v/s", fell)
	}
	for range 99 { // the rest of the window comes back throttled: one refusal
		p.throttled(now + int64(time.Millisecond))
	}
	if p.rate() != fell {
		t.Errorf("a window of refusals: %v/s", p.rate())
	}
	now = p.carry(now, fell, 5*time.Second)
	if p.rate() < fell*1.3 || p.rate() > fell*1.8 {
		t.Errorf("five seconds later: from %v to %v/s", fell, p.rate())
	}
	p.carry(now, 100, 31*time.Second)
	if p.rate() != 0 {
		t.Errorf("half a minute without a refusal: still %v/s", p.rate())
	}
}

// drive submits as fast as the pace allows, to a carrier that decides about each part, and counts what it took and what it refused.
func (p *pace) drive(span time.Duration, takes func(now int64) bool) (took, refused int) {
	now := int64(time.Hour)
	for end := now + int64(span); now < end; {
		if now < p.free {
			now = p.free
			continue
		}
		p.spend(now)
		if takes(now) {
			took++
			p.accepted(now)
		} else {
			refused++
			p.throttled(now)
		}
		now += int64(time.Millisecond) // the round trip
	}
	return took, refused
}

// TestPaceStaysUnderALimit: before a carrier that takes so many parts a second, nearly all of that is used, and little more is sent: at small limits that is a part or two a second.
func TestPaceStaysUnderALimit(t *testing.T) {
	for limit, most := range map[int]float64{5: 0.5, 50: 0.25, 500: 0.15} {
		var p pace
		second, inSecond := int64(0), 0
		took, refused := p.drive(5*time.Minute, func(now int64) bool {
			if now/int64(time.Second) != second {
				second, inSecond = now/int64(time.Second), 0
			}
			inSecond++
			return inSecond <= limit
		})
		if used := float64(took) / float64(300*limit); used < 0.9 {
			t.Errorf("%d/s: %.0f %% of it was used", limit, 100*used)
		}
		if share := float64(refused) / float64(took); share > most {
			t.Errorf("%d/s: %.1f %% were refused", limit, 100*share)
		}
	}
}

// TestPaceLivesWithRandomRefusals: a carrier that refuses parts at any pace is not starved.
func TestPaceLivesWithRandomRefusals(t *testing.T) {
	for every, least := range map[int]int{2: 100, 3: 400, 5: 600, 10: 1000} {
		var p pace
		n := 0
		took, _ := p.drive(time.Minute, func(int64) bool { n++; return n%every != 0 })
		if took < least {
			t.Errorf("every part of %d is refused: %d parts in a minute", every, took)
		}
	}
}

func TestPaceNeverStops(t *testing.T) {
	var p pace
	now := int64(time.Hour)
	for range 100 {
		p.throttled(now)
		now += int64(time.Second)
	}
	if p.rate() != paceLeast {
		t.Errorf("a carrier that always refuses: %v/s", p.rate())
	}
	if p.free > now {
		t.Errorf("the next part waits %v", time.Duration(p.free-now))
	}
}

func TestPaceHoldsTheConfiguredRate(t *testing.T) {
	p := pace{limit: gateway.Limit{Rate: 10}}
	now := int64(time.Hour)
	sent := 0
	for end := now + int64(10*time.Second); now < end; now += int64(3 * time.Millisecond) { // wakes up late now and then
		if now >= p.free {
			p.spend(now)
			sent++
		}
	}
	if sent < 100 || sent > 101 {
		t.Errorf("%d parts in 10 s at 10/s", sent)
	}
	p.brake = 100
	if p.rate() != 10 {
		t.Errorf("a brake above the rate: %v/s", p.rate())
	}
	p.delayed(time.Second)
	if p.free < now+int64(900*time.Millisecond)-paceTolerance {
		t.Error("what left late was not counted late")
	}
}

func TestPaceRestsAfterFailures(t *testing.T) {
	var p pace
	now := int64(time.Hour)
	var rests []time.Duration
	for range 9 {
		for range 3 { // all that come back at once are one failure
			p.notSent(now)
		}
		rests = append(rests, time.Duration(p.free-now))
		now = p.free
	}
	want := 20 * time.Millisecond
	for i, rest := range rests {
		if rest != want {
			t.Errorf("failure %d: rests %v, want %v", i+1, rest, want)
		}
		want = min(2*want, time.Second)
	}
	p.rest = 0 // an answer
	p.notSent(now)
	if got := time.Duration(p.free - now); got != 20*time.Millisecond {
		t.Errorf("after an answer: rests %v", got)
	}
}
