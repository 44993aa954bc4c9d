package gateway

import "math"

// Limit is a rate in units a second; 0 is unlimited. It is the generic cell rate algorithm (GCRA) with no tolerance: a
// sender that rested earns no burst. Times are Unix nanoseconds, so that a hundred thousand lanes cost little memory.
//
// A message of several units leaves at once and its units are paid for afterwards: what follows waits until all of them
// are. So any window of length w holds at most Rate × w units and those of one message.
type Limit struct{ Rate float64 }

const second = 1e9

// Cost is the time in nanoseconds that units take up, 0 when unlimited. It never rounds down: rates are never exceeded by
// rounding.
func (l Limit) Cost(units int) int64 {
	if l.Rate <= 0 {
		return 0
	}
	cost := math.Ceil(float64(units) * second / l.Rate)
	if cost > math.MaxInt64/4 {
		return math.MaxInt64 / 4
	}
	return int64(cost)
}
