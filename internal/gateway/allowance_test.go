package gateway

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestNoWindowHoldsMore tries to send as eagerly as a rate and a cap let it: no window of any length holds more units than its length allows and
// those of one message, and no day more than the cap.
func TestNoWindowHoldsMore(t *testing.T) {
	type sent struct {
		at    int64
		units int
	}
	rapid.Check(t, func(t *rapid.T) {
		a := Allowance{}
		now := rapid.Int64Range(0, 3*day).Draw(t, "start")
		a.Reset(Calendar{}, Limit{Rate: rapid.Float64Range(0.05, 500).Draw(t, "rate")}, rapid.SampledFrom([]int{0, 11, 40}).Draw(t, "cap"), now)
		var log []sent
		days := map[int64]int{}
		for range rapid.IntRange(2, 60).Draw(t, "messages") {
			now += rapid.Int64Range(0, int64(3*second/a.Limit.Rate)).Draw(t, "pause")
			units := rapid.IntRange(1, 11).Draw(t, "units")
			a.Roll(Calendar{}, now)
			if now < a.FreeAt(units) {
				continue
			}
			a.Reserve(Calendar{}, now, units)
			a.Leave(Calendar{}, now, units)
			a.Pay(now, units)
			log = append(log, sent{now, units})
			days[now/day] += units
		}
		for d, units := range days {
			if a.Cap > 0 && units > a.Cap {
				t.Fatalf("%d units on day %d, the cap is %d", units, d, a.Cap)
			}
		}
		for i := range log {
			total := 0
			for j := i; j < len(log); j++ {
				total += log[j].units
				window := time.Duration(log[j].at - log[i].at).Seconds()
				if allowed := window*a.Limit.Rate + float64(log[j].units) + min(1, a.Limit.Rate*time.Duration(lateness).Seconds()) + 1e-6; float64(total) > allowed {
					t.Fatalf("%d units in %.3f s at %.3f/s", total, window, a.Limit.Rate)
				}
			}
		}
	})
}

// TestBehind holds what is said of a message's time against what happens to a queue of single units before it.
func TestBehind(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		now := rapid.Int64Range(0, day).Draw(t, "now")
		a := Allowance{}
		dailyCap := rapid.SampledFrom([]int{0, 1, 3, 10, 50}).Draw(t, "cap")
		a.Reset(Calendar{}, Limit{Rate: rapid.SampledFrom([]float64{0, 0.01, 1, 40}).Draw(t, "rate")}, dailyCap, now)
		if a.Cap > 0 {
			a.Used = rapid.IntRange(0, a.Cap).Draw(t, "used")
		}
		a.Free = now + rapid.Int64Range(-day, 100*second).Draw(t, "free")
		queued := rapid.IntRange(0, 120).Draw(t, "queued")
		got := a.BehindAt(now, queued, 0, 1)
		at := now
		for i := 0; i <= queued; i++ {
			for next := a.FreeAt(1); at < next; next = a.FreeAt(1) {
				at = next
				a.Roll(Calendar{}, at)
			}
			a.Reserve(Calendar{}, at, 1)
			a.Leave(Calendar{}, at, 1)
			if i < queued {
				a.Pay(at, 1)
			}
		}
		if diff := got - at; diff < -int64(queued)-1 || diff > int64(queued)+1+lateness { // nanoseconds of rounding, and what the first one may make up for
			t.Fatalf("behind %d units: said %v, is %v", queued, time.Duration(got-now), time.Duration(at-now))
		}
	})
}

func TestAllowanceEdges(t *testing.T) {
	a := Allowance{Cap: 5, Used: 4, DayEnd: 100 * second}
	for units, want := range map[int]int64{1: 0, 2: 100 * second, 5: 100 * second, 6: Never} {
		if got := a.FreeAt(units); got != want {
			t.Errorf("%d units: free at %d, want %d", units, got, want)
		}
	}
	a.Paused = true
	if a.FreeAt(1) != Never || a.BehindAt(7, 0, 0, 1) != Never || !a.Limited() {
		t.Error("a paused one sends")
	}
}

// What is about to leave when the day ends counts for the new one.
func TestMidnight(t *testing.T) {
	a := Allowance{}
	a.Reset(Calendar{}, Limit{}, 10, day-second)
	a.Reserve(Calendar{}, day-second, 4)
	a.Leave(Calendar{}, day-second, 1)
	a.Roll(Calendar{}, day)
	if a.Used != 3 || a.Day != 1 || a.DayEnd != 2*day {
		t.Errorf("%+v", a)
	}
	a.Return(2)
	if a.Used != 1 {
		t.Errorf("two did not leave after all, and %d are used", a.Used)
	}
}

func TestResetKeepsWhatIsOwed(t *testing.T) {
	for name, c := range map[string]struct {
		before, after float64
		free, want    int64
	}{
		"faster":                  {1, 10, 4 * second, 4 * second / 10},
		"slower":                  {1, 0.5, 3 * second, 6 * second},
		"unlimited":               {1, 0, 4 * second, 0},
		"same":                    {2, 2, 4 * second, 4 * second},
		"more than a message":     {1, 1, 1000 * second, 16 * second},
		"a clock that was behind": {0, 1, 1000 * second, 16 * second},
		"rested":                  {1, 0.1, -5 * second, -5 * second},
	} {
		a := Allowance{Limit: Limit{Rate: c.before}, Free: c.free}
		a.Reset(Calendar{}, Limit{Rate: c.after}, 0, 0)
		if a.Free != c.want {
			t.Errorf("%s: free at %v, want %v", name, time.Duration(a.Free), time.Duration(c.want))
		}
	}
}

func TestCalendar(t *testing.T) {
	pacific, err := time.LoadLocation("America/Los_Angeles")
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]struct {
		zone *time.Location
		day  string
		left time.Duration
	}{
		"2026-05-06T00:00:00Z": {nil, "2026-05-06", 24 * time.Hour},
		"2026-05-06T06:59:59Z": {pacific, "2026-05-05", time.Second},
		"2026-05-06T07:00:00Z": {pacific, "2026-05-06", 24 * time.Hour},
		"2026-03-08T08:00:00Z": {pacific, "2026-03-08", 23 * time.Hour}, // clocks go forward
		"2026-11-01T07:00:00Z": {pacific, "2026-11-01", 25 * time.Hour},
	} {
		at, err := time.Parse(time.RFC3339, text)
		if err != nil {
			t.Fatal(err)
		}
		number, end := Calendar{want.zone}.Day(at.UnixNano())
		if got := time.Unix(int64(number)*secondsADay, 0).UTC().Format(time.DateOnly); got != want.day || time.Duration(end-at.UnixNano()) != want.left {
			t.Errorf("%s: day %s, %v left", text, got, time.Duration(end-at.UnixNano()))
		}
	}
}
