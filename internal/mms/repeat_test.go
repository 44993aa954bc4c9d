package mms

import (
	"testing"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
)

// TestRepeats: what is remembered is bounded in time and in number.
func TestRepeats(t *testing.T) {
	var r repeats
	now := time.Unix(1e9, 0)
	id := func(n int) gateway.PartIdentity {
		return gateway.PartIdentity{Digest: [16]byte{byte(n), byte(n >> 8), byte(n >> 16)}}
	}
	for n := range mostRepeats + 1 {
		r.add(id(n), now)
	}
	if r.has(id(0), now) || !r.has(id(1), now) || len(r.taken) != mostRepeats || len(r.order) != mostRepeats {
		t.Errorf("%d are remembered", len(r.taken))
	}
	later := now.Add(gateway.RepeatWindow)
	if r.has(id(1), later) {
		t.Error("remembered too long")
	}
	r.add(id(1), later) // the oldest: those behind it are forgotten nevertheless
	if !r.has(id(1), later) || len(r.order) != 1 || len(r.taken) != 1 {
		t.Errorf("%d, %d are remembered", len(r.order), len(r.taken))
	}
}
