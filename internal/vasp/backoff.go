package vasp

import "time"

// after is the pause after the given number of looks in a row that found nothing, at least 1. random is in [0, 1): the pause is between half and
// all of what the schedule says, so that many installations do not come back in one moment.
func (b Backoff) after(failed int, random float64) time.Duration {
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
