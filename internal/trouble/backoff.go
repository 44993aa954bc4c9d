package trouble

import "time"

// Backoff is how long the pauses between tries are: First, doubled after each, up to Most; each is drawn between half of that and all.
type Backoff struct {
	First time.Duration // default 1 s
	Most  time.Duration // default 60 s
}

// After is the pause after the given number of tries in a row that failed, at least 1. random is in [0, 1): the pause is between half and all of what the
// schedule says, so that what many installations try again does not come in one moment.
func (b Backoff) After(failed int, random float64) time.Duration {
	pause := b.First
	for range failed - 1 {
		if pause >= b.Most {
			break
		}
		pause *= 2
	}
	half := min(pause, b.Most) / 2
	return half + time.Duration(random*float64(half))
}
