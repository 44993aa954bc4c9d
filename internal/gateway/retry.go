package gateway

import "time"

// CallbackAttempts is how often a callback is tried in all.
const CallbackAttempts = 4

// NextCallback is when a callback whose attempt (counted from 1) ended without success at now is tried again: 60 s after the first
// attempt, 120 s after the second, 240 s after the third, then no more. Source: the delivery policy of status callbacks.
func NextCallback(attempt int, now time.Time) (time.Time, bool) {
	if attempt < 1 || attempt >= CallbackAttempts {
		return time.Time{}, false
	}
	return now.Add(60 * time.Second << (attempt - 1)), true
}

// SubmitRetry is a carrier's schedule for parts that it refused for the moment. Zero fields take the defaults.
type SubmitRetry struct {
	First time.Duration // after the first refusal; default 5 s
	Most  time.Duration // never longer than this; default 5 min
}

// Next is when a message whose attempt (counted from 1) was refused for the moment at now is tried again: First after
// the first, twice as long after each further one, at most Most. There is no last attempt: the message's expiry ends it.
func (r SubmitRetry) Next(attempt int, now time.Time) time.Time {
	first, most := r.First, r.Most
	if first <= 0 {
		first = 5 * time.Second
	}
	if most <= 0 {
		most = 5 * time.Minute
	}
	wait := first
	for range attempt - 1 {
		if wait >= most {
			break
		}
		wait *= 2
	}
	return now.Add(min(wait, most))
}
