package trouble

import (
	"testing"
	"time"
)

func TestBackoff(t *testing.T) {
	b := Backoff{First: time.Second, Most: time.Minute}
	for failed, want := range map[int]time.Duration{
		1: time.Second, 2: 2 * time.Second, 3: 4 * time.Second, 6: 32 * time.Second, 7: time.Minute, 8: time.Minute, 1000: time.Minute,
	} {
		if got := b.After(failed, 0); got != want/2 {
			t.Errorf("after %d: at least %s, want %s", failed, got, want/2)
		}
		if got := b.After(failed, 0.999999999); got > want || got < want-time.Microsecond {
			t.Errorf("after %d: at most %s, want %s", failed, got, want)
		}
	}
}
