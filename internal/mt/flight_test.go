package mt

import (
	"testing"

	"github.com/heliograph/heliograph/internal/gateway"
)

func (f *flight) answer(part int, status gateway.OutcomeStatus) {
	f.answered(gateway.PartResult{Number: part, Outcome: gateway.Outcome{Status: status}})
}

func TestFlightFaults(t *testing.T) {
	const (
		taken, refused, throttled = gateway.Accepted, gateway.Rejected, gateway.Throttled
		deferred, notSent, silent = gateway.Deferred, gateway.NotSent, gateway.Unanswered
	)
	for name, c := range map[string]struct {
		answers []gateway.OutcomeStatus
		fault   gateway.OutcomeStatus
		settled int
		refused bool
		unsent  bool
	}{
		"all taken":            {answers: []gateway.OutcomeStatus{taken, taken, taken}, settled: 3},
		"one refused":          {answers: []gateway.OutcomeStatus{taken, refused, taken}, settled: 3, refused: true},
		"nothing left":         {answers: []gateway.OutcomeStatus{notSent, notSent, notSent}, fault: notSent, unsent: true},
		"throttled outweighs":  {answers: []gateway.OutcomeStatus{throttled, notSent, notSent}, fault: throttled},
		"deferred outweighs":   {answers: []gateway.OutcomeStatus{throttled, deferred, notSent}, fault: deferred},
		"unanswered outweighs": {answers: []gateway.OutcomeStatus{silent, deferred, throttled}, fault: silent},
		"taken in part":        {answers: []gateway.OutcomeStatus{taken, notSent, notSent}, fault: notSent, settled: 1},
	} {
		f := newFlight(&gateway.Message{Units: 3}, nil, 3)
		f.next, f.out = 4, 3
		for i, status := range c.answers {
			if f.landed() {
				t.Errorf("%s: landed with %d parts out", name, f.out)
			}
			f.answer(i+1, status)
		}
		if !f.landed() || f.fault != c.fault || len(f.results) != c.settled || f.refused() != c.refused || f.unsent() != c.unsent {
			t.Errorf("%s: %+v", name, f)
		}
	}
}

func TestFlightSkipsWhatWasTaken(t *testing.T) {
	for name, c := range map[string]struct {
		parts int
		taken gateway.PartMask
		total int
		want  []int
	}{
		"new":                        {total: 3, want: []int{1, 2, 3}},
		"the second was taken":       {parts: 3, taken: 0b010, total: 3, want: []int{1, 3}},
		"the first two were taken":   {parts: 3, taken: 0b011, total: 3, want: []int{3}},
		"split otherwise since":      {parts: 3, taken: 0b001, total: 1, want: []int{1}},
		"split in more parts since":  {parts: 2, taken: 0b01, total: 3, want: []int{1, 2, 3}},
		"all taken and still queued": {parts: 2, taken: 0b11, total: 2, want: []int{1, 2}},
	} {
		m := &gateway.Message{Units: c.total}
		m.Parts, m.Taken = c.parts, c.taken
		f := newFlight(m, nil, c.total)
		var got []int
		for f.leaving() {
			got = append(got, f.next)
			f.next++
			f.skipTaken()
		}
		if len(got) != len(c.want) {
			t.Fatalf("%s: parts %v, want %v", name, got, c.want)
		}
		for i := range got {
			if got[i] != c.want[i] {
				t.Errorf("%s: parts %v, want %v", name, got, c.want)
			}
		}
	}
}

func TestFlightCosts(t *testing.T) {
	for name, c := range map[string]struct{ units, total, want int }{
		"a part a unit":  {3, 3, 3},
		"whole":          {5, 1, 5},
		"in fewer parts": {5, 2, 5},
		"in more parts":  {2, 3, 3}, // they are on the wire, so they count
		"an MMS":         {1, 1, 1},
	} {
		f := newFlight(&gateway.Message{Units: c.units}, nil, c.total)
		sum := 0
		for ; f.leaving(); f.next++ {
			sum += f.partUnits()
		}
		if sum != c.want {
			t.Errorf("%s: costs %d units, want %d", name, sum, c.want)
		}
	}
}

func TestRefund(t *testing.T) {
	s := limitedSender(1)
	fly := func(now int64) *flight {
		f := newFlight(&gateway.Message{Units: 1}, &lane{sender: s}, 1)
		f.board(gateway.Calendar{}, 0)
		f.next, f.out = 2, 1
		f.charge(gateway.Calendar{}, now, 1)
		s.stopBoarding()
		return f
	}
	const second = 1_000_000_000
	first := fly(10 * second)
	first.answer(1, gateway.NotSent)
	if len(first.refund(gateway.Calendar{}, 0)) != 1 || s.Free > 10*second {
		t.Errorf("nothing left, and the sender is free at %d", s.Free)
	}
	other := fly(20 * second)
	fly(21 * second) // left since
	other.answer(1, gateway.NotSent)
	if len(other.refund(gateway.Calendar{}, 0)) != 0 || s.Free != 22*second {
		t.Errorf("another left since, and the sender is free at %d", s.Free)
	}
	third := fly(30 * second)
	third.answer(1, gateway.Throttled) // it was on the wire
	if len(third.refund(gateway.Calendar{}, 0)) != 0 || s.Free != 31*second {
		t.Errorf("throttled, and the sender is free at %d", s.Free)
	}
	fourth := newFlight(&gateway.Message{Units: 1}, &lane{sender: s}, 1)
	fourth.board(gateway.Calendar{}, 0)
	fourth.next, fourth.out = 2, 1
	fourth.answer(1, gateway.NotSent)
	fourth.charge(gateway.Calendar{}, 40*second, 1) // failed before it was known to have left
	if s.Free != 31*second {
		t.Errorf("charged for what never left: free at %d", s.Free)
	}
}
