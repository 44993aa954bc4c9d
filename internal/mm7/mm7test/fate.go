package mm7test

import "time"

// fate is what happens to one submit.
type fate uint8

const (
	accept fate = iota
	refuse
	throttle
	unavailable
	fault
	garbage
	ignore
	cut
	cutAnswer
	full
)

// bucket holds submits that may come: a fifth of a second's worth, so that a client that keeps to the rate is not throttled for its jitter.
type bucket struct {
	level float64
	at    time.Time
}

const bucketSpan = 5 // fills of the bucket a second

func (b *bucket) take(rate float64, now time.Time) bool {
	size := max(1, rate/bucketSpan)
	if b.at.IsZero() {
		b.level = size
	} else {
		b.level = min(size, b.level+rate*now.Sub(b.at).Seconds())
	}
	b.at = now
	if b.level < 1 {
		return false
	}
	b.level--
	return true
}

// draw decides about the n-th submit. mu is held.
func (m *MMSC) draw(n int64, now time.Time) fate {
	cfg := &m.cfg
	each := func(every int) bool { return every > 0 && n%int64(every) == 0 }
	switch {
	case m.inHand > cfg.MaxConcurrent, each(cfg.UnavailableEvery):
		return unavailable
	case m.counters.ReportsPending >= int64(cfg.MaxPending):
		return full
	case each(cfg.CutEvery):
		return cut
	case each(cfg.ThrottleEvery), cfg.ThrottleRate > 0 && !m.tokens.take(cfg.ThrottleRate, now):
		return throttle
	case each(cfg.FaultEvery):
		return fault
	case each(cfg.GarbageEvery):
		return garbage
	case each(cfg.CutAnswerEvery):
		return cutAnswer
	case m.chance(cfg.Refused):
		return refuse
	case m.chance(cfg.Unanswered):
		return ignore
	}
	return accept
}

// chance is true with probability p. Without a knob turned nothing is drawn. mu is held.
func (m *MMSC) chance(p float64) bool { return p > 0 && m.random.Float64() < p }
