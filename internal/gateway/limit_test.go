package gateway

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestSpend(t *testing.T) {
	limit := Limit{Rate: 2} // a unit takes half a second
	free, ok := limit.Spend(0, second, 1)
	if !ok || free != 1.5*second {
		t.Fatalf("first: free at %d, %v", free, ok)
	}
	if again, ok := limit.Spend(free, 1.4*second, 1); ok || again != free {
		t.Fatalf("too early: free at %d, %v", again, ok)
	}
	if three, ok := limit.Spend(free, 1.5*second, 3); !ok || three != 3*second {
		t.Fatalf("three units: free at %d, %v", three, ok)
	}
	if free, ok := (Limit{}).Spend(0, 7, 100); !ok || free != 7 {
		t.Fatalf("unlimited: free at %d, %v", free, ok)
	}
}

func TestFreeAt(t *testing.T) {
	limit := Limit{Rate: 1}
	if got := limit.FreeAt(5*second, 3*second, 4); got != 9*second {
		t.Errorf("busy sender: %d", got)
	}
	if got := limit.FreeAt(1*second, 3*second, 0); got != 3*second {
		t.Errorf("idle sender: %d", got)
	}
}

// TestNoWindowHoldsMore tries to send as eagerly as the limit lets it: no window of any length holds more units than its length allows and
// those of one message.
func TestNoWindowHoldsMore(t *testing.T) {
	type sent struct {
		at    int64
		units int
	}
	rapid.Check(t, func(t *rapid.T) {
		limit := Limit{Rate: rapid.Float64Range(0.05, 500).Draw(t, "rate")}
		var free, now int64
		var log []sent
		for range rapid.IntRange(2, 60).Draw(t, "messages") {
			now += rapid.Int64Range(0, int64(3*second/limit.Rate)).Draw(t, "pause")
			units := rapid.IntRange(1, 11).Draw(t, "units")
			next, ok := limit.Spend(free, now, units)
			if !ok {
				if next != free {
					t.Fatal("a refused message must not cost")
				}
				continue
			}
			free, log = next, append(log, sent{now, units})
		}
		for i := range log {
			total := 0
			for j := i; j < len(log); j++ {
				total += log[j].units
				window := time.Duration(log[j].at - log[i].at).Seconds()
				if allowed := window*limit.Rate + float64(log[j].units) + 1e-6; float64(total) > allowed {
					t.Fatalf("%d units in %.3f s at %.3f/s", total, window, limit.Rate)
				}
			}
		}
	})
}

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
