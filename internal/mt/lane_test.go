package mt

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/heliograph/heliograph/internal/gateway"
)

// queuedMessage is a message with a given Seq, from a sender that the account may use, rented or not.
func queuedMessage(seq int64, units int) *gateway.Message {
	m := &gateway.Message{Account: testAccount, From: "14155550100", PickedBy: gateway.BySource, Country: "GB", Carrier: "net1", Units: units}
	m.ID = gateway.ID{
		byte(seq >> 52), byte(seq >> 44), byte(seq >> 36), byte(seq >> 28), byte(seq >> 20), byte(seq >> 12),
		0x70 | byte(seq>>8)&0x0f, byte(seq),
	}
	return m
}

func newLane() *lane { return &lane{sender: &sender{}, account: &scope{}, place: -1} }

func (l *lane) seqs() (seqs []int64) {
	for _, m := range l.rows[l.head:] {
		seqs = append(seqs, m.ID.Seq())
	}
	return seqs
}

func TestLaneKeepsOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := newLane()
		var want []int64
		for range rapid.IntRange(0, 300).Draw(t, "operations") {
			seq := rapid.Int64Range(1, 400).Draw(t, "seq")
			i, known := slices.BinarySearch(want, seq)
			switch rapid.IntRange(0, 3).Draw(t, "operation") {
			case 0, 1:
				if l.insert(queuedMessage(seq, 1)) == known {
					t.Fatalf("insert(%d) with %v", seq, want)
				}
				if !known {
					want = slices.Insert(want, i, seq)
				}
			case 2:
				if l.remove(seq) != known {
					t.Fatalf("remove(%d) with %v", seq, want)
				}
				if known {
					want = slices.Delete(want, i, i+1)
				}
			case 3:
				m := l.pop()
				if (m == nil) != (len(want) == 0) || m != nil && m.ID.Seq() != want[0] {
					t.Fatalf("pop gave %v with %v", m, want)
				}
				want = want[min(1, len(want)):]
			}
			if !slices.Equal(l.seqs(), want) {
				t.Fatalf("%v, want %v", l.seqs(), want)
			}
		}
	})
}

func TestLanePush(t *testing.T) {
	for name, c := range map[string]struct {
		rate    float64
		held    int
		more    bool
		filling bool
		room    bool
		want    bool
	}{
		"empty":                   {room: true, want: true},
		"empty, no room":          {want: true}, // a lane always holds its first row
		"one held, no room":       {held: 1},
		"one held":                {held: 1, room: true, want: true},
		"full":                    {held: laneRows, room: true},
		"a slow sender's second":  {rate: 0.1, held: 1, room: true},
		"1/s, its fourth":         {rate: 1, held: 3, room: true, want: true},
		"1/s, its fifth":          {rate: 1, held: 4, room: true},
		"others are in the store": {more: true, room: true},
		"being read on":           {more: true, filling: true, room: true},
	} {
		l := newLane()
		l.sender.Limit.Rate = c.rate
		for i := range c.held {
			l.insert(queuedMessage(int64(i+1), 1))
		}
		l.more, l.filling = c.more, c.filling
		kept := l.push(queuedMessage(1000, 3), c.room)
		if kept != c.want || l.more != (c.more || !c.want) || l.missed != c.filling || l.units != 3 || l.waiting != 1 {
			t.Errorf("%s: kept %v, %+v", name, kept, l)
		}
		if kept && l.after != 1000 {
			t.Errorf("%s: would be read again after %d", name, l.after)
		}
	}
}

func TestLaneDepth(t *testing.T) {
	for rate, want := range map[float64]int{0: 64, 0.0166: 1, 0.25: 1, 0.3: 2, 1: 4, 15.9: 64, 16: 64, 100: 64} {
		l := newLane()
		l.sender.Limit.Rate = rate
		if got := l.depth(); got != want {
			t.Errorf("%v/s: %d rows, want %d", rate, got, want)
		}
	}
}

func TestLaneCountsUnits(t *testing.T) {
	l := newLane()
	l.sender.queued = 5 // of messages being stored
	l.count(3, 6)
	l.uncount(queuedMessage(1, 2))
	if l.waiting != 2 || l.units != 4 || l.sender.queued != 9 {
		t.Errorf("%+v, %+v", l, l.sender)
	}
	l.uncount(queuedMessage(2, 16)) // more than was counted takes nothing from others
	if l.waiting != 1 || l.units != 0 || l.sender.queued != 5 {
		t.Errorf("%+v, %+v", l, l.sender)
	}
	l.insert(queuedMessage(3, 2))
	l.insert(queuedMessage(4, 1))
	l.recount()
	if l.waiting != 2 || l.units != 3 || l.sender.queued != 8 {
		t.Errorf("%+v, %+v", l, l.sender)
	}
}

// check tells what is wrong with a heap.
func (h laneHeap) check() error {
	for i := range h {
		if h[i].place != i {
			return fmt.Errorf("lane at %d thinks it is at %d", i, h[i].place)
		}
		if i > 0 && h.less(i, (i-1)/2) {
			return fmt.Errorf("lane at %d comes before its parent", i)
		}
	}
	return nil
}

func TestLaneHeap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var h laneHeap
		for range rapid.IntRange(0, 200).Draw(t, "operations") {
			at, turn := rapid.Int64Range(0, 9).Draw(t, "at"), rapid.Int64Range(0, 3).Draw(t, "turn")
			i := rapid.IntRange(0, max(0, len(h)-1)).Draw(t, "which")
			switch op := rapid.IntRange(0, 3).Draw(t, "operation"); {
			case op < 2:
				h.push(&lane{at: at, turn: turn, place: -1})
			case op == 2 && len(h) > 0:
				h[i].at = at
				h.fix(i)
			case len(h) > 0:
				l := h[i]
				h.remove(l)
				if l.place != -1 {
					t.Fatal("a lane that was removed has a place")
				}
			}
			if err := h.check(); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func BenchmarkLaneHeapStep(b *testing.B) {
	const lanes = 100_000
	random := rand.New(rand.NewPCG(1, 1))
	var h laneHeap
	for range lanes {
		h.push(&lane{at: random.Int64N(lanes), place: -1})
	}
	b.ReportAllocs()
	for b.Loop() {
		h[0].at += lanes
		h.fix(0)
	}
}
