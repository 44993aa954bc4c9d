package gateway

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"time"
)

// HealthRules say when a sender delivers so badly that it rests. The zero value switches health off: nobody rests, and nothing is counted.
type HealthRules struct {
	Window      time.Duration // over which deliveries are counted, in twelve steps
	Floor       int           // fewer ended messages, of a sender or of the rest of its pool, say nothing
	Ratio       float64       // a sender that rests delivers less than this part of what the rest of the pool does,
	Gap         float64       // and at least this much less,
	Deviations  float64       // and by more than this many standard deviations, were all senders equal
	Rest        time.Duration // how long it rests for the first time; each further time in a row twice as long,
	LongestRest time.Duration // but no longer than this
	Probes      int           // messages that are let through after a rest, to see how they fare
}

// DefaultHealthRules are those where nothing else is set. A sender is looked at every few seconds, so three deviations would be exceeded by
// accident every few days where the network delivers 75 %; five are in about a thousand days, and where it delivers 90 % the ratio
// alone asks for as much.
func DefaultHealthRules() HealthRules {
	return HealthRules{
		Window: time.Hour, Floor: 50, Ratio: 0.75, Gap: 0.15, Deviations: 5,
		Rest: 10 * time.Minute, LongestRest: 2 * time.Hour, Probes: 20,
	}
}

const (
	healthSteps    = 12 // of the window
	restingShare   = 3  // at most every third of a pool's senders rests or probes at a time: where more do badly, it is not the senders
	exhaustedAfter = 3  // rests in a row
)

// HealthStanding is what a sender may do in a market.
type HealthStanding uint8

const (
	Well    HealthStanding = iota
	Resting                // it is taken only when nobody else is left
	Probing                // it has rested; a few messages are let through
)

var standingNames = [...]string{"well", "resting", "probing"}

func (s HealthStanding) String() string {
	if int(s) < len(standingNames) {
		return standingNames[s]
	}
	return ""
}

// HealthView is what is known of a sender in a market.
type HealthView struct {
	Delivered, Ended int // messages within the window; while it probes, since it began to
	Standing         HealthStanding
	RestsUntil       int64 // Unix nanoseconds, while it rests
	Rests            int   // in a row
}

// Exhausted tells whether the sender came back from rests and fell behind again so often that another number should take its place.
func (v HealthView) Exhausted() bool { return v.Rests >= exhaustedAfter }

// Health counts how the messages of senders end, in each market, and decides who rests. It knows only senders that something was reported of
// lately. It is not safe for concurrent use. Times are Unix nanoseconds.
type Health struct {
	rules    HealthRules
	patients map[string]*patient // by sender
	ring     []*patient          // the same; each report looks at the next few, and drops what is out of date
	turn     int                 // where in the ring
	counts   [Probing + 1]int    // records of each standing
}

// patient is a sender.
type patient struct {
	sender  string
	place   int // in the ring
	records []record
}

// record is a sender in one market.
type record struct {
	market   string
	steps    [healthSteps]struct{ delivered, ended uint32 } // of the window, by their number modulo healthSteps
	step     int64                                          // the number of the latest
	sum      tally                                          // of the steps
	touched  int64                                          // when something was last heard of it
	until    int64                                          // resting: the end of its rest; probing: until when it waits for the last of its probes to end
	picked   int32                                          // probing: messages that were let through
	rests    uint8                                          // in a row
	standing HealthStanding
}

// tally is messages that ended.
type tally struct{ delivered, ended int }

func (t tally) rate() float64 { return float64(t.delivered) / float64(max(t.ended, 1)) }

func (t tally) plus(o tally) tally  { return tally{t.delivered + o.delivered, t.ended + o.ended} }
func (t tally) minus(o tally) tally { return tally{t.delivered - o.delivered, t.ended - o.ended} }

// NewHealth knows nothing yet: all senders are well.
func NewHealth(rules HealthRules) *Health {
	return &Health{rules: rules, patients: map[string]*patient{}}
}

func (h *Health) off() bool { return h.rules.Window < healthSteps }

// stepOf is the number of the step that a time is in.
func (h *Health) stepOf(now int64) int64 { return now / int64(h.rules.Window/healthSteps) }

// Report counts a message that ended: it was delivered, or it was sent and will never be. market is where it went (see Market).
func (h *Health) Report(sender, market string, delivered bool, now int64) {
	if h.off() {
		return
	}
	h.sweep(now)
	r := h.record(sender, market)
	if r == nil {
		r = h.begin(sender, market, now)
	}
	r.roll(h.stepOf(now))
	at := &r.steps[r.step%healthSteps]
	at.ended++
	r.sum.ended++
	if delivered {
		at.delivered++
		r.sum.delivered++
	}
	r.touched = max(r.touched, now)
}

// record is what is known of a sender in a market; nil: nothing. It is good until the next report.
func (h *Health) record(sender, market string) *record {
	p := h.patients[sender]
	if p == nil {
		return nil
	}
	for i := range p.records {
		if p.records[i].market == market {
			return &p.records[i]
		}
	}
	return nil
}

// begin makes the record of a sender in a market.
func (h *Health) begin(sender, market string, now int64) *record {
	p := h.patients[sender]
	if p == nil {
		sender = strings.Clone(sender) // it may be a piece of a whole request
		p = &patient{sender: sender, place: len(h.ring)}
		h.patients[sender] = p
		h.ring = append(h.ring, p)
	}
	p.records = append(p.records, record{market: market, step: h.stepOf(now), touched: now})
	h.counts[Well]++
	return &p.records[len(p.records)-1]
}

// roll brings the window up to a step. A clock that goes back changes nothing.
func (r *record) roll(step int64) {
	if step-r.step >= healthSteps {
		r.forget()
		r.step = step
		return
	}
	for r.step < step {
		r.step++
		at := &r.steps[r.step%healthSteps]
		r.sum = r.sum.minus(tally{int(at.delivered), int(at.ended)})
		at.delivered, at.ended = 0, 0
	}
}

// forget empties the window.
func (r *record) forget() {
	clear(r.steps[:])
	r.sum = tally{}
}

// Picked notes that a powerpack took the i-th sender of its pool for a message to a market. Most senders are well, and then it costs nothing. A
// sender that probes and has had all of its probes comes up no more until it is judged.
func (h *Health) Picked(pool *Pool, i int, market string, now int64) {
	if h.counts[Probing] == 0 {
		return
	}
	sender := pool.Number(i).Number
	r := h.record(sender, market)
	if r == nil || r.standing != Probing || h.hidden(r) {
		return
	}
	r.picked++
	r.touched = max(r.touched, now)
	if h.hidden(r) {
		r.until = now + int64(h.rules.Window)
		pool.Rest(i, h.restingIn(h.patients[sender]))
	}
}

// hidden tells whether a sender does not come up in a market.
func (h *Health) hidden(r *record) bool {
	return r.standing == Resting || r.standing == Probing && int(r.picked) >= h.rules.Probes
}

// restingIn are the markets in which a sender does not come up; it may be nil.
func (h *Health) restingIn(p *patient) []string {
	var markets []string
	if p != nil {
		for i := range p.records {
			if h.hidden(&p.records[i]) {
				markets = append(markets, p.records[i].market)
			}
		}
	}
	return markets
}

// Rate is how a sender does in a market.
func (h *Health) Rate(sender, market string, now int64) HealthView {
	r := h.record(sender, market)
	if r == nil {
		return HealthView{}
	}
	at := *r
	at.roll(h.stepOf(now))
	v := HealthView{Delivered: at.sum.delivered, Ended: at.sum.ended, Standing: at.standing, Rests: int(at.rests)}
	if at.standing == Resting {
		v.RestsUntil = at.until
	}
	return v
}

// Count is how many senders have a standing in a market, over all markets; of those that are well, only what was reported of lately.
func (h *Health) Count(s HealthStanding) int { return h.counts[s] }

// Exhausted are the senders of a pool that rested several times in a row, as HealthView.Exhausted has it, in any market.
func (h *Health) Exhausted(pool *Pool) []int {
	var list []int
	for i := range pool.Len() {
		p := h.patients[pool.Number(i).Number]
		if p != nil && slices.ContainsFunc(p.records, func(r record) bool { return r.rests >= exhaustedAfter }) {
			list = append(list, i)
		}
	}
	return list
}

// Forget makes a sender one that nothing is known of. Its pool follows when it is judged next.
func (h *Health) Forget(sender string) {
	p := h.patients[sender]
	if p == nil {
		return
	}
	for i := range p.records {
		h.counts[p.records[i].standing]--
	}
	h.drop(p)
}

// drop takes a patient out of the ring: the last takes its place.
func (h *Health) drop(p *patient) {
	delete(h.patients, p.sender)
	last := len(h.ring) - 1
	h.ring[p.place] = h.ring[last]
	h.ring[p.place].place = p.place
	h.ring[last] = nil
	h.ring = h.ring[:last]
	if last < cap(h.ring)/4 {
		h.ring = slices.Clone(h.ring)
	}
}

// sweepMost is how many patients a report looks at: more than it can add, so that the ring never outgrows what is up to date by much.
const sweepMost = 2

// sweep drops some of what is out of date.
func (h *Health) sweep(now int64) {
	for range min(sweepMost, len(h.ring)) {
		h.turn++
		if h.turn >= len(h.ring) {
			h.turn = 0
		}
		p := h.ring[h.turn]
		p.records = slices.DeleteFunc(p.records, func(r record) bool {
			stale := h.stale(&r, now)
			if stale {
				h.counts[r.standing]--
			}
			return stale
		})
		if len(p.records) == 0 {
			h.drop(p)
		}
	}
}

// stale tells whether a record says nothing any more. That of a sender that is not well is kept for longer, so that its pool, if it still has
// one, judges it first.
func (h *Health) stale(r *record, now int64) bool {
	if r.standing == Well {
		return now-r.touched > int64(h.rules.Window)
	}
	return now-max(r.touched, r.until) > 2*int64(h.rules.Window)
}

// peers are the senders of a pool that something is known of in a market.
type peers struct {
	records []*record
	well    tally // of those that are well
	out     int   // those that are not
	most    int   // that may be out
}

// Judge holds the senders of a pool against each other in every market, lets those rest that fall far behind and those come back that have
// rested, and tells the pool. It gives the senders for which the pool changed. A new pool knows of no rests until it is judged. It looks at
// every sender of the pool, so it is for every few seconds, not for every message.
func (h *Health) Judge(pool *Pool, now int64) (changed []int) {
	known := make([]*patient, pool.Len())
	markets := map[string]*peers{}
	for i := range known {
		n := pool.Number(i)
		known[i] = h.patients[n.Number]
		if known[i] == nil || n.Paused {
			continue
		}
		class := n.class()
		for k := range known[i].records {
			r := &known[i].records[k]
			if !class.reaches(r.market) {
				continue
			}
			m := markets[r.market]
			if m == nil {
				m = &peers{most: pool.reaching(r.market) / restingShare}
				markets[r.market] = m
			}
			r.roll(h.stepOf(now))
			m.add(r)
		}
	}
	for _, m := range markets {
		h.comeBack(m, now)
		h.pardon(m)
		h.layOff(m, now)
	}
	for i, p := range known {
		if pool.Rest(i, h.restingIn(p)) {
			changed = append(changed, i)
		}
	}
	return changed
}

func (m *peers) add(r *record) {
	m.records = append(m.records, r)
	if r.standing == Well {
		m.well = m.well.plus(r.sum)
	} else {
		m.out++
	}
}

// comeBack lets senders probe that have rested, and those that have probed be well, or rest again.
func (h *Health) comeBack(m *peers, now int64) {
	for _, r := range m.records {
		switch r.standing {
		case Resting:
			if now >= r.until {
				h.probe(r, now)
			}
		case Probing:
			far := h.farBehind(r.sum, m.well)
			switch {
			case !far && 2*r.sum.ended >= h.rules.Probes:
				h.stand(r, Well)
				m.well = m.well.plus(r.sum)
				m.out--
			case r.sum.ended >= h.rules.Probes, h.hidden(r) && now >= r.until:
				h.rest(r, now)
			}
		}
	}
}

// pardon lets the best come back at once when so many rest that it would be more than the share of a pool that has become smaller.
func (h *Health) pardon(m *peers) {
	if m.out <= m.most {
		return
	}
	var out []*record
	for _, r := range m.records {
		if r.standing != Well {
			out = append(out, r)
		}
	}
	slices.SortStableFunc(out, func(a, b *record) int { return cmp.Compare(b.sum.rate(), a.sum.rate()) })
	for _, r := range out[:m.out-m.most] {
		r.forget()
		h.stand(r, Well)
		m.out--
	}
}

// layOff lets senders rest that fall far behind the others that are well: the worst first, while not too many rest. One that holds its own with
// as many messages as it takes has its former rests behind it.
func (h *Health) layOff(m *peers, now int64) {
	var bad []*record
	for _, r := range m.records {
		switch {
		case r.standing != Well || r.sum.ended < h.rules.Floor:
		case h.fails(r, m):
			bad = append(bad, r)
		default:
			r.rests = 0
		}
	}
	slices.SortStableFunc(bad, func(a, b *record) int { return cmp.Compare(a.sum.rate(), b.sum.rate()) })
	for _, r := range bad {
		if m.out >= m.most {
			return
		}
		if h.fails(r, m) { // the others have become fewer
			m.well = m.well.minus(r.sum)
			m.out++
			h.rest(r, now)
		}
	}
}

// fails tells whether a sender that is well falls behind the others by so much that it is no accident.
func (h *Health) fails(r *record, m *peers) bool {
	others := m.well.minus(r.sum)
	return h.farBehind(r.sum, others) && h.noAccident(r.sum, others)
}

// farBehind tells whether a sender delivers far less than others do. It does not when there are too few others to tell.
func (h *Health) farBehind(own, others tally) bool {
	return others.ended >= h.rules.Floor &&
		own.rate() < h.rules.Ratio*others.rate() && own.rate() <= others.rate()-h.rules.Gap
}

// noAccident tells whether a difference in deliveries is greater than chance makes it: the deviation is that of the difference of two binomial
// proportions that are equal in truth.
func (h *Health) noAccident(own, others tally) bool {
	p := own.plus(others).rate()
	deviation := math.Sqrt(p * (1 - p) * (1/float64(own.ended) + 1/float64(others.ended)))
	return others.rate()-own.rate() > h.rules.Deviations*deviation
}

// rest sends a sender to rest: twice as long as the last time, if it comes from there.
func (h *Health) rest(r *record, now int64) {
	rest := h.rules.Rest
	for range r.rests {
		rest = min(2*rest, h.rules.LongestRest)
	}
	r.rests += uint8(min(1, math.MaxUint8-r.rests))
	r.until, r.touched = now+int64(rest), now
	h.stand(r, Resting)
}

// probe begins a sender's probes: what was before no more counts.
func (h *Health) probe(r *record, now int64) {
	r.forget()
	r.picked, r.until, r.touched = 0, 0, now
	h.stand(r, Probing)
}

func (h *Health) stand(r *record, s HealthStanding) {
	h.counts[r.standing]--
	h.counts[s]++
	r.standing = s
}

// reaching is how many senders of the pool reach a market.
func (p *Pool) reaching(market string) int {
	count := 0
	for _, groups := range p.byType {
		for _, g := range groups {
			if p.groups[g].reaches(market) {
				count += p.groups[g].size
			}
		}
	}
	return count
}
