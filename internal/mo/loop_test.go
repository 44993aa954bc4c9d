package mo

import (
	"strconv"
	"testing"
	"time"
)

func TestLoops(t *testing.T) {
	begin := time.Unix(1_700_000_000, 0).Truncate(time.Minute)
	l := &Loops{Most: 3, Window: time.Minute}
	turn := func(person string, after time.Duration) bool {
		return l.Turn("MA", "14155550101", person, begin.Add(after))
	}
	for i := range 3 {
		if !turn("1", time.Duration(i)*time.Second) {
			t.Fatalf("answer %d of 3 was cut", i+1)
		}
	}
	if turn("1", 3*time.Second) {
		t.Error("the fourth answer passed")
	}
	if !turn("2", 3*time.Second) {
		t.Error("another person's was cut")
	}
	if turn("1", 62*time.Second) {
		t.Error("it passed although nearly all of the last minute's count")
	}
	if !turn("1", 200*time.Second) {
		t.Error("it stayed cut for ever")
	}
	if !(&Loops{}).Turn("MA", "1", "2", begin) {
		t.Error("the zero value cuts")
	}
}

// TestLoopsMemory: however many pairs there are, a bounded number is remembered.
func TestLoopsMemory(t *testing.T) {
	l := DefaultLoops()
	at := time.Unix(1_700_000_000, 0)
	for i := range mostPairs + 10 {
		l.Turn("MA", "14155550101", strconv.Itoa(i), at)
	}
	if len(l.pairs) != mostPairs || len(l.order) != mostPairs {
		t.Errorf("%d pairs are remembered, in order %d", len(l.pairs), len(l.order))
	}
}
