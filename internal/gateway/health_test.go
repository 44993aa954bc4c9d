package gateway

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

const startOfHealth = int64(1000 * time.Hour)

// infirmary is a pool and the health of its senders, at a time.
type infirmary struct {
	*Health
	pool *Pool
	now  int64
	sent []int // messages of each sender, for their even share of failures
}

func newInfirmary(size int) *infirmary {
	return &infirmary{
		Health: NewHealth(DefaultHealthRules()), pool: NewPool(manyLongCodes(size)), now: startOfHealth, sent: make([]int, size),
	}
}

// send lets the i-th sender's messages end; of each hundred in a row as many are delivered as percent says, evenly.
func (w *infirmary) send(i, messages, percent int) {
	for range messages {
		w.sent[i]++
		delivered := w.sent[i]*percent/100 > (w.sent[i]-1)*percent/100
		w.Report(w.pool.Number(i).Number, "US", delivered, w.now)
	}
}

func (w *infirmary) judge() []int { return w.Judge(w.pool, w.now) }

func (w *infirmary) view(i int) HealthView { return w.Rate(w.pool.Number(i).Number, "US", w.now) }

func (w *infirmary) wait(d time.Duration) { w.now += int64(d) }

// pick gives the i-th sender messages.
func (w *infirmary) pick(i, messages int) {
	for range messages {
		w.Picked(w.pool, i, "US", w.now)
	}
}

// TestBadSenderRests: one that delivers far less than the others rests as soon as it has sent as many messages as it takes, not before, and in no
// other market; the others go on.
func TestBadSenderRests(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.IntRange(3, 40).Draw(t, "size")
		w, bad := newInfirmary(size), rapid.IntRange(0, size-1).Draw(t, "bad")
		good, percent := rapid.IntRange(90, 100).Draw(t, "good"), rapid.IntRange(0, 50).Draw(t, "percent")
		for n := range w.rules.Floor {
			if changed := w.judge(); len(changed) > 0 {
				t.Fatalf("%v after %d messages", changed, n)
			}
			for i := range size {
				w.send(i, 1, good-btoi(i == bad)*(good-percent))
			}
			w.wait(rapid.SampledFrom([]time.Duration{0, time.Second, 20 * time.Second}).Draw(t, "wait"))
		}
		if changed := w.judge(); !slices.Equal(changed, []int{bad}) || !w.pool.Rests(bad, "US") || w.pool.Rests(bad, "CA") {
			t.Fatalf("%v rest, %d is bad", changed, bad)
		}
		want := HealthView{
			Delivered: w.view(bad).Delivered, Ended: w.rules.Floor, Standing: Resting, RestsUntil: w.now + int64(10*time.Minute), Rests: 1,
		}
		if got := w.view(bad); got != want {
			t.Fatalf("%+v, want %+v", got, want)
		}
		for range 100 {
			choice, ok := (&Powerpack{Sticky: true}).Pick(w.pool, Request{
				To: sanFrancisco, Service: SMS, Now: w.now, Deadline: w.now + 1, Sticky: w.pool.Number(bad).Number,
			}, Outside{})
			if !ok || choice.Index == bad {
				t.Fatalf("%+v, %v", choice, ok)
			}
		}
	})
}

// sick is a pool of four of which the first has just gone to rest.
func sick(t *testing.T) *infirmary {
	t.Helper()
	w := newInfirmary(4)
	w.send(0, 50, 20)
	for i := 1; i < 4; i++ {
		w.send(i, 50, 95)
	}
	if changed := w.judge(); !slices.Equal(changed, []int{0}) {
		t.Fatalf("%v rest", changed)
	}
	return w
}

// probe waits for the first sender's rest to be over, and gives it all of its probes.
func (w *infirmary) probe(t *testing.T) {
	t.Helper()
	rest := w.view(0).RestsUntil - w.now
	w.now += rest - 1
	if changed := w.judge(); len(changed) > 0 {
		t.Fatalf("%v rest no longer", changed)
	}
	w.now++
	if changed := w.judge(); !slices.Equal(changed, []int{0}) || w.view(0).Standing != Probing || w.pool.Rests(0, "US") {
		t.Fatalf("%v changed: %+v", changed, w.view(0))
	}
	w.pick(0, w.rules.Probes-1)
	if w.pool.Rests(0, "US") {
		t.Fatal("it does not get all of its probes")
	}
	w.pick(0, 1)
	if !w.pool.Rests(0, "US") {
		t.Fatal("it gets more than its probes")
	}
}

// others keep the rest of the pool as it is known.
func (w *infirmary) others() {
	for i := 1; i < w.pool.Len(); i++ {
		w.send(i, 50, 95)
	}
}

func TestSenderComesBack(t *testing.T) {
	w := sick(t)
	w.probe(t)
	w.send(0, 9, 100)
	if w.judge(); w.view(0).Standing != Probing || !w.pool.Rests(0, "US") {
		t.Fatalf("%+v after 9 probes ended", w.view(0))
	}
	w.send(0, 1, 100)
	if changed := w.judge(); !slices.Equal(changed, []int{0}) || w.pool.Rests(0, "US") {
		t.Fatalf("%v changed", changed)
	}
	if want := (HealthView{Delivered: 10, Ended: 10, Rests: 1}); w.view(0) != want {
		t.Fatalf("%+v, want %+v", w.view(0), want)
	}
	w.send(0, 40, 100)
	if w.judge(); w.view(0).Rests != 0 {
		t.Errorf("%+v: its rests are not behind it", w.view(0))
	}
}

// TestSenderRestsForLonger: one that does no better rests twice as long each time; after the third time it is exhausted.
func TestSenderRestsForLonger(t *testing.T) {
	w := sick(t)
	for n, minutes := range []int{20, 40, 80, 120, 120} {
		if got := len(w.Exhausted(w.pool)) > 0; got != (n+1 >= 3) || got != w.view(0).Exhausted() {
			t.Fatalf("exhausted after %d rests: %v", n+1, got)
		}
		w.probe(t)
		w.others()
		w.send(0, 19, 20)
		if w.judge(); w.view(0).Standing != Probing {
			t.Fatalf("%+v before all of its probes ended", w.view(0))
		}
		w.send(0, 1, 20)
		w.judge()
		want := w.now + int64(time.Duration(minutes)*time.Minute)
		if got := w.view(0); got.Standing != Resting || got.RestsUntil != want || got.Rests != n+2 {
			t.Fatalf("%+v, want a rest of %d minutes", got, minutes)
		}
	}
	w.Forget(w.pool.Number(0).Number)
	if changed := w.judge(); !slices.Equal(changed, []int{0}) || w.pool.Rests(0, "US") || w.view(0) != (HealthView{}) || w.Count(Resting) != 0 {
		t.Errorf("%v changed: %+v", changed, w.view(0))
	}
}

// TestSilentProbes: when nothing is heard of a sender's probes, it rests again after the window.
func TestSilentProbes(t *testing.T) {
	w := sick(t)
	w.probe(t)
	w.send(0, 9, 100)
	w.wait(w.rules.Window - 1)
	if w.judge(); w.view(0).Standing != Probing {
		t.Fatalf("%+v", w.view(0))
	}
	w.wait(1)
	if w.judge(); w.view(0).Standing != Resting || w.view(0).Rests != 2 {
		t.Fatalf("%+v", w.view(0))
	}
}

// TestUnusedProbes: a sender that nobody sends by goes on probing, and is one that nothing is known of in the end.
func TestUnusedProbes(t *testing.T) {
	w := sick(t)
	w.now = w.view(0).RestsUntil
	w.judge()
	w.wait(w.rules.Window + time.Minute)
	if w.judge(); w.view(0).Standing != Probing || w.pool.Rests(0, "US") {
		t.Fatalf("%+v", w.view(0))
	}
	w.wait(w.rules.Window)
	w.others()
	if w.judge(); w.view(0) != (HealthView{}) || w.Count(Probing) != 0 || len(w.ring) != 3 {
		t.Fatalf("%+v, %d", w.view(0), len(w.ring))
	}
}

// TestHalfThePoolIsBad: a third rests, and it is the worst third.
func TestHalfThePoolIsBad(t *testing.T) {
	w := newInfirmary(12)
	for i := range 12 {
		w.send(i, 100, []int{95, 95, 30, 95, 40, 5, 95, 95, 10, 20, 95, 25}[i])
	}
	if changed := w.judge(); !slices.Equal(changed, []int{5, 8, 9, 11}) {
		t.Errorf("%v rest", changed)
	}
	if changed := w.judge(); len(changed) > 0 {
		t.Errorf("%v changed", changed)
	}
}

// TestPoolBecomesSmaller: when so many rest that it is more than a third of the new pool, the best of them are back at once.
func TestPoolBecomesSmaller(t *testing.T) {
	w := newInfirmary(12)
	for i := range 12 {
		w.send(i, 100, 95-80*btoi(i < 4)+3*i)
	}
	if changed := w.judge(); !slices.Equal(changed, []int{0, 1, 2, 3}) {
		t.Fatalf("%v rest", changed)
	}
	w.pool = NewPool(manyLongCodes(12)[:7])
	if changed := w.judge(); !slices.Equal(changed, []int{0, 1}) {
		t.Errorf("%v rest in the smaller pool", changed)
	}
	if got := w.view(2); got.Standing != Well || got.Ended != 0 {
		t.Errorf("%+v", got)
	}
	numbers := slices.Clone(manyLongCodes(12)[:7])
	for i := range 3 {
		numbers[i].Paused = true // those that rest among them count no more
	}
	w.pool = NewPool(numbers)
	w.judge()
	if w.view(0).Standing != Resting || w.view(1).Standing != Resting {
		t.Errorf("%+v, %+v", w.view(0), w.view(1))
	}
}

// TestHowFarBehind: of twelve senders the first delivers less than the others.
func TestHowFarBehind(t *testing.T) {
	for _, c := range []struct {
		others, own, messages int
		rests                 bool
	}{
		{95, 50, 50, true},
		{95, 50, 49, false},     // too few messages
		{90, 70, 1000, false},   // more than three quarters of what the others do
		{90, 65, 1000, true},    //
		{40, 27, 1000, false},   // less than three quarters, but no more than 13 in a hundred
		{40, 24, 1000, true},    //
		{70, 50, 60, false},     // with so few, it may be chance
		{70, 50, 1000, true},    //
		{100, 100, 1000, false}, //
		{0, 0, 1000, false},     //
	} {
		w := newInfirmary(12)
		w.send(0, c.messages, c.own)
		for i := 1; i < 12; i++ {
			w.send(i, c.messages, c.others)
		}
		if changed := w.judge(); (len(changed) == 1 && changed[0] == 0) != c.rests || len(changed) > 1 {
			t.Errorf("%v rest of %+v", changed, c)
		}
	}
}

// TestNobodyLeftToCompare: when the worst rests, the others may be too few to say anything of the next.
func TestNobodyLeftToCompare(t *testing.T) {
	w := newInfirmary(6)
	w.send(3, 50, 0)
	w.send(4, 50, 0)
	w.send(5, 49, 100)
	if changed := w.judge(); !slices.Equal(changed, []int{3}) {
		t.Errorf("%v rest", changed)
	}
}

// TestOutOfReach: who does not reach a market is no peer there.
func TestOutOfReach(t *testing.T) {
	w := newInfirmary(6)
	w.pool = NewPool(append(manyLongCodes(6)[:5], tf))
	for i := range 6 {
		w.Report(w.pool.Number(i).Number, "CA", true, w.now)
		for range 100 {
			w.Report(w.pool.Number(i).Number, "CA", i < 5, w.now)
		}
	}
	if changed := w.judge(); len(changed) > 0 {
		t.Errorf("%v rest", changed)
	}
}

// TestSmallPools: of one or two senders none rests.
func TestSmallPools(t *testing.T) {
	w := newInfirmary(2)
	w.send(0, 500, 1)
	w.send(1, 500, 100)
	if changed := w.judge(); len(changed) > 0 {
		t.Errorf("%v rest", changed)
	}
}

func TestHealthSwitchedOff(t *testing.T) {
	w := sick(t)
	w.Health = NewHealth(HealthRules{})
	w.others()
	w.send(0, 500, 0)
	if w.pick(0, 100); len(w.ring) > 0 || w.view(0) != (HealthView{}) {
		t.Errorf("%+v", w.view(0))
	}
	if changed := w.judge(); !slices.Equal(changed, []int{0}) || w.pool.Rests(0, "US") {
		t.Errorf("%v changed", changed)
	}
}

// TestEqualSendersDoNotRest: chance alone sends nobody to rest, be the network good or not so good. The seeds are fixed: over very many days it
// does happen.
func TestEqualSendersDoNotRest(t *testing.T) {
	for seed := range uint64(8) {
		random := rand.New(rand.NewPCG(seed, 1))
		w, quality := newInfirmary(20), 0.7+0.3*random.Float64()
		for minute := range 24 * 60 {
			for i := range w.pool.Len() {
				for range random.IntN(4) {
					w.Report(w.pool.Number(i).Number, "US", random.Float64() < quality, w.now)
				}
			}
			w.wait(time.Minute)
			if changed := w.judge(); len(changed) > 0 {
				t.Errorf("seed %d: %v rest after %d minutes, though all deliver %.2f", seed, changed, minute, quality)
			}
		}
	}
}

// TestHealthOverTime lives through random histories: senders become worse and better, messages take their time to end, numbers come and go, the
// clock leaps. What is counted is what was reported; at no time does more than a third of a pool rest; and the pool is told all.
func TestHealthOverTime(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := drawChance(t)
		numbers := manyLongCodes(oneOf(c, 3, 5, 10, 30))
		h, pool, now := NewHealth(DefaultHealthRules()), NewPool(slices.Clone(numbers)), startOfHealth
		quality, ledger := make([]float64, len(numbers)), history{}
		for i := range quality {
			quality[i] = oneOf(c, 0.95, 0.9, 0.3)
		}
		for range 150 {
			for range c.IntN(400) {
				i, market := c.IntN(len(numbers)), oneOf(c, "US", "US", "US", "CA")
				delivered := c.Float64() < quality[i]
				h.Report(numbers[i].Number, market, delivered, now)
				ledger.add(h, numbers[i].Number, market, delivered, now)
				if at := c.IntN(pool.Len()); c.IntN(2) == 0 {
					h.Picked(pool, at, market, now)
				}
			}
			switch c.IntN(12) {
			case 0:
				quality[c.IntN(len(numbers))] = oneOf(c, 0.95, 0.9, 0.3, 0)
			case 1:
				pool = NewPool(slices.Clone(numbers[:1+c.IntN(len(numbers))]))
			case 2:
				number := oneOf(c, numbers...).Number
				h.Forget(number)
				ledger.forget(number)
			}
			now += int64(oneOf(c, time.Second, time.Minute, 5*time.Minute, 20*time.Minute, 2*time.Hour))
			h.Judge(pool, now)
			ledger.check(t, h, numbers, now)
			checkRests(t, h, pool)
			if err := pool.check(); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// checkRests holds what the pool knows against what the health does, and both against the share that may rest.
func checkRests(t *rapid.T, h *Health, pool *Pool) {
	for _, market := range []string{"US", "CA"} {
		out, rest := 0, 0
		for i := range pool.Len() {
			r := h.record(pool.Number(i).Number, market)
			out += btoi(r != nil && r.standing != Well)
			rest += btoi(pool.Rests(i, market))
			if want := r != nil && (r.standing == Resting || r.standing == Probing && r.picked == 20); pool.Rests(i, market) != want {
				t.Fatalf("sender %d in %s: the pool does not say %v", i, market, want)
			}
		}
		if 3*rest > pool.Len() || 3*out > pool.Len() {
			t.Fatalf("%d of %d rest in %s, %d are not well", rest, pool.Len(), market, out)
		}
	}
	var counts [3]int
	for _, p := range h.ring {
		for _, r := range p.records {
			counts[r.standing]++
		}
	}
	if counts != h.counts || len(h.ring) != len(h.patients) {
		t.Fatalf("%v of %d, counted %v of %d", counts, len(h.ring), h.counts, len(h.patients))
	}
}

// history is all reports, as a plain list.
type history map[[2]string][]report

type report struct {
	step      int64
	delivered bool
}

func (l history) add(h *Health, sender, market string, delivered bool, now int64) {
	key := [2]string{sender, market}
	l[key] = append(l[key], report{h.stepOf(now), delivered})
}

func (l history) forget(sender string) {
	delete(l, [2]string{sender, "US"})
	delete(l, [2]string{sender, "CA"})
}

// check holds the rates against the list. What was before a sender's probes, or before it was pardoned, is forgotten there too.
func (l history) check(t *rapid.T, h *Health, numbers []Number, now int64) {
	for i := range numbers {
		for _, market := range []string{"US", "CA"} {
			key, v := [2]string{numbers[i].Number, market}, h.Rate(numbers[i].Number, market, now)
			reports := l[key]
			if v.Ended == 0 {
				r := h.record(numbers[i].Number, market)
				if r != nil && r.touched > now-int64(h.rules.Window)/2 && r.standing == Well && r.rests == 0 && len(reports) > 0 {
					t.Fatalf("nothing is known of %v", key)
				}
				delete(l, key)
				continue
			}
			var want tally
			for _, r := range reports {
				if h.stepOf(now)-r.step < healthSteps {
					want = want.plus(tally{btoi(r.delivered), 1})
				}
			}
			if got := (tally{v.Delivered, v.Ended}); got != want {
				t.Fatalf("%v: %+v, want %+v", key, got, want)
			}
		}
	}
}

// TestWindow: what is older than the window does not count; what comes while the clock is back counts to the latest step.
func TestWindow(t *testing.T) {
	w := newInfirmary(1)
	ended := func(want int) {
		t.Helper()
		if got := w.view(0).Ended; got != want {
			t.Errorf("%d ended, want %d", got, want)
		}
	}
	w.send(0, 1, 100)
	w.wait(30 * time.Minute)
	w.send(0, 2, 100)
	ended(3)
	w.wait(-10 * time.Minute)
	w.send(0, 4, 100)
	ended(7)
	w.wait(45 * time.Minute)
	ended(6)
	w.wait(20 * time.Minute)
	ended(6)
	w.wait(15 * time.Minute)
	ended(0)
}

// TestHealthForgetsWhoIsGone: memory is for senders that something was reported of lately, however many there were.
func TestHealthForgetsWhoIsGone(t *testing.T) {
	h, now := NewHealth(DefaultHealthRules()), startOfHealth
	for i := range 100_000 {
		h.Report(fmt.Sprint(i), "US", i%2 == 0, now)
		if now += int64(4 * time.Second); len(h.ring) > 2000 || len(h.patients) != len(h.ring) || cap(h.ring) > 8000 || h.Count(Well) != len(h.ring) {
			t.Fatalf("%d, %d senders are known after %d, 900 of the last hour", len(h.ring), len(h.patients), i)
		}
	}
}

func TestReportAllocatesNothing(t *testing.T) {
	w := sick(t)
	w.probe(t)
	if n := testing.AllocsPerRun(1000, func() {
		w.send(0, 1, 50)
		w.send(1, 1, 50)
		w.pick(1, 1)
		w.wait(time.Second)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkReport(b *testing.B) {
	w, i := newInfirmary(10_000), 0
	b.ReportAllocs()
	for b.Loop() {
		w.Report(w.pool.Number(i%10_000).Number, "US", i%10 > 0, w.now)
		w.now += int64(time.Millisecond)
		i++
	}
}

func BenchmarkJudge(b *testing.B) {
	w := newInfirmary(10_000)
	for i := range 10_000 {
		w.send(i, 60, 90+i%10)
	}
	b.ReportAllocs()
	for b.Loop() {
		w.judge()
	}
}
