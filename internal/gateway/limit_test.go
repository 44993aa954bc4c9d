package gateway

import (
	"testing"
	"time"
)

func TestNextCallback(t *testing.T) {
	for attempt, want := range map[int]time.Duration{1: 60 * time.Second, 2: 120 * time.Second, 3: 240 * time.Second} {
		if next, ok := NextCallback(attempt, at); !ok || next.Sub(at) != want {
			t.Errorf("after attempt %d: %v, %v", attempt, next.Sub(at), ok)
		}
	}
	for _, attempt := range []int{0, 4, 5} {
		if _, ok := NextCallback(attempt, at); ok {
			t.Errorf("attempt %d has no next", attempt)
		}
	}
}

func TestSubmitRetry(t *testing.T) {
	retry := SubmitRetry{First: time.Second, Most: 10 * time.Second}
	for attempt, want := range map[int]time.Duration{1: 1, 2: 2, 3: 4, 4: 8, 5: 10, 60: 10} {
		if got := retry.Next(attempt, at).Sub(at); got != want*time.Second {
			t.Errorf("attempt %d: %v", attempt, got)
		}
	}
	if got := (SubmitRetry{}).Next(1, at).Sub(at); got != 5*time.Second {
		t.Errorf("default: %v", got)
	}
}
