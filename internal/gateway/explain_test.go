package gateway

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestExplain(t *testing.T) {
	mms := long("14155550107", "415", "CA")
	mms.Services = Services(MMS)
	canadian := Number{Number: "555000", Type: ShortCode, Country: "CA", Services: Services(SMS)}
	itself := long(sanFrancisco.Number, "415", "CA")
	name := Number{Number: "HELIO", Type: Alphanumeric, Services: Services(SMS)}
	british := Number{Number: "447700900123", Type: LongCode, Country: "GB", Services: Services(SMS)}
	hosted := long("14155550108", "415", "CA")
	hosted.Carrier = "net1"
	orphan := hosted
	orphan.Number, orphan.Carrier = "14155550109", "net2"
	twin, late, slow, used, held, resting, paused := near, near, near, near, near, near, near
	twin.Number, late.Number, slow.Number, used.Number = "14155550101", "14155550102", "14155550103", "14155550104"
	held.Number, held.Campaign = "14155550105", "C1"
	resting.Number, paused.Number, paused.Paused = "14155550106", "14155550110", true
	longFirst := []Priority{{Service: SMS, Country: "US", Order: [3]NumberType{LongCode, TollFree}}}

	numbers := []Number{itself, mms, canadian, sc, name, tf, faraway, inState, late, slow, used, held, resting, paused, hosted, orphan, twin, near, british}
	pack := Powerpack{Sticky: true, LocalConnect: true, Priorities: longFirst, Patience: 10 * time.Second}
	req := Request{To: sanFrancisco, Service: SMS, Deadline: 100 * second}
	explain := func(most int) Explanation {
		pool := NewPool(slices.Clone(numbers))
		for i, n := range numbers {
			switch n.Number {
			case late.Number:
				pool.Set(i, Load{Backlog: 11 * second})
			case slow.Number:
				pool.Set(i, Load{Free: 200 * second})
			case used.Number:
				pool.Set(i, Load{Used: 3})
			case inState.Number:
				pool.Set(i, Load{Free: second})
			case resting.Number:
				pool.Rest(i, []string{"US"})
			}
		}
		return pack.Explain(pool, req, Outside{
			Condition: func(carrier string) Condition { return map[string]Condition{"net1": Down, "net2": Missing}[carrier] },
			Campaign:  func(id string) int64 { return map[string]int64{"C1": 2 * second}[id] },
		}, most)
	}
	same := func(e Explanation, taken string, rule Rule, others ...string) {
		t.Helper()
		if !e.Picked || numbers[e.Choice.Index].Number != taken || e.Choice.Rule != rule {
			t.Errorf("%+v is taken, want %s by %v", e.Choice, taken, rule)
		}
		var got []string
		for _, f := range e.Others {
			got = append(got, numbers[f.Index].Number+": "+f.Verdict.String())
		}
		for i := range max(len(got), len(others)) {
			if i >= len(got) || i >= len(others) || got[i] != others[i] {
				t.Errorf("%q, want %q", got[min(i, len(got)):], others[min(i, len(others)):])
				return
			}
		}
	}
	unusable := []string{
		slow.Number + ": it is not free before the message expires",
		paused.Number + ": it is paused",
		"555444: its type is not in the priority for the country and service",
		"447700900123: its type does not reach the destination's country",
		"555000: its type does not reach the destination's country",
		"HELIO: its type does not reach the destination's country",
		mms.Number + ": it does not carry the service",
		itself.Number + ": it is the destination",
	}
	same(explain(100), twin.Number, BySameArea, append([]string{
		near.Number + ": another, equal in all, comes earlier in the pool",
		used.Number + ": another, free as early, was chosen longer ago",
		held.Number + ": another is free earlier",
		inState.Number + ": another is nearer to the destination",
		faraway.Number + ": another is nearer to the destination",
		tf.Number + ": an earlier type of the priority is free in time",
		late.Number + ": the message would wait for longer than the powerpack's patience",
		resting.Number + ": its deliveries to the country fall far behind the pool's, so it rests",
		hosted.Number + ": its carrier is down or paused, and another is open",
		orphan.Number + ": its carrier is not configured",
	}, unusable...)...)
	same(explain(2), twin.Number, BySameArea,
		near.Number+": another, equal in all, comes earlier in the pool", used.Number+": another, free as early, was chosen longer ago")
	req.Sticky = tf.Number
	same(explain(1), tf.Number, BySticky, twin.Number+": the destination is used to another sender")
	req.Sticky, pack.LocalConnect = "", false
	same(explain(7), faraway.Number, ByPriority,
		twin.Number+": another, equal in all, comes earlier in the pool", near.Number+": another, equal in all, comes earlier in the pool",
		used.Number+": another, free as early, was chosen longer ago", inState.Number+": another is free earlier",
		held.Number+": another is free earlier", tf.Number+": an earlier type of the priority is free in time",
		late.Number+": the message would wait for longer than the powerpack's patience")
	req.Deadline = 0
	if e := explain(1); e.Picked || e.Others[0].Verdict != NotBeforeExpiry {
		t.Errorf("%+v", e)
	}
}

// TestExplainIsWhatPickDoes: the senders come in the order in which Pick takes them when each in turn is no more in the pool; those from which
// on it takes none are those that cannot be had.
func TestExplainIsWhatPickDoes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := drawChance(t)
		numbers, now, busy := c.pool(), int64(1000*second), oneOf(c, true, false)
		loads, rests := map[string]Load{}, map[string][]string{}
		for i := range numbers {
			loads[numbers[i].Number], rests[numbers[i].Number] = c.load(now, busy), c.rests()
		}
		index := func(numbers []Number) *Pool {
			pool := NewPool(slices.Clone(numbers))
			for i := range numbers {
				pool.Set(i, loads[numbers[i].Number])
				pool.Rest(i, rests[numbers[i].Number])
			}
			return pool
		}
		pack, req := c.pack(), c.request(numbers, now)
		outside := (&scan{
			carriers:  map[string]Condition{"net1": Down, "net2": Missing},
			campaigns: map[string]int64{"C1": c.hold(now), "C2": c.hold(now)},
		}).outside()
		e := pack.Explain(index(numbers), req, outside, len(numbers))
		if want := len(numbers) - btoi(e.Picked); len(e.Others) != want {
			t.Fatalf("%d of %d others", len(e.Others), want)
		}
		left := slices.Clone(numbers)
		next, picked := e.Choice.Index, e.Picked
		for k := 0; ; k++ {
			choice, ok := pack.Pick(index(left), req, outside)
			if ok != picked || ok && left[choice.Index].Number != numbers[next].Number {
				t.Fatalf("%d: Pick takes %+v, %v of those left, Explain says %d, %v", k, choice, ok, next, picked)
			}
			if !ok || k == len(e.Others) {
				break
			}
			left = slices.Delete(left, choice.Index, choice.Index+1)
			next, picked = e.Others[k].Index, e.Others[k].Verdict >= HasNoCarrier
		}
	})
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}
