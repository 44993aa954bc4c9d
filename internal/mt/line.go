package mt

import (
	"context"
	"slices"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
)

// CarrierSettings are how the dispatcher treats a carrier.
type CarrierSettings struct {
	Rate  float64 // parts a second over all binds; 0 is unlimited
	Hold  bool    // unanswered: hold (else resend)
	Retry gateway.SubmitRetry
	// Services are what it carries; zero: everything.
	Services gateway.ServiceSet
	// MMS is the carrier by which the MMS of numbers go that this one hosts; empty: this one.
	MMS string
}

// carries tells whether the carrier takes messages of a service.
func (c *CarrierSettings) carries(service gateway.Service) bool {
	return c.Services == 0 || c.Services.Has(service)
}

// line is one carrier's side of the dispatcher: its lanes by the time they are free, what is in flight, its pace. Its goroutine runs
// Dispatcher.serve. Fields below mu's line are guarded by Dispatcher.mu.
type line struct {
	name    string
	carrier Carrier
	CarrierSettings
	wake    chan struct{} // of capacity 1: something changed
	marking trouble       // of the line's goroutine

	gates      map[gateKey]*gate
	queue      gateHeap // gates with lanes that have a message to send
	lanes      int      // all of the carrier
	buffered   int      // rows in them
	open       *flight  // whose parts are leaving
	inflight   int      // parts without an answer
	unrecorded int      // messages whose outcome is not on disk
	paused     bool
	downSince  int64 // Unix nanoseconds, as far as was seen; 0: up
	pace       pace
	retries    map[int64]struct{} // deferred messages that are back in memory, by Seq
	reading    bool               // due messages are being read
	settled    map[int64]struct{} // those that left retries meanwhile, which that may have read as due
	doubts     map[int64]struct{} // messages that were submitted and not answered once, and go again at once
	LineStats
}

// LineStats counts a carrier's parts.
type LineStats struct {
	Submitted, Accepted, Rejected, Throttled, Deferred, Unanswered, NotSent int64
}

func (l *line) nudge() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// submitBatch is how many parts leave in one turn of the line: it bounds how long the lock is held.
const submitBatch = 32

// pollEvery is how long a line sleeps at most: nudges are a hint, looking is the truth. It also bounds what a step of the clock does.
const pollEvery = time.Second

// departure is a part about to leave.
type departure struct {
	flight *flight
	part   int
	units  int  // what it costs
	paced  bool // somebody charges for it when it has left
}

// serve hands messages to the carrier until ctx ends. It sleeps until the next lane is free, or something changed.
func (d *Dispatcher) serve(ctx context.Context, l *line) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	departures := make([]departure, 0, submitBatch)
	for {
		var wait time.Duration
		departures, wait = d.depart(l, departures[:0])
		if len(departures) > 0 {
			d.submit(ctx, l, departures)
			d.left(departures)
			clear(departures)
			continue
		}
		if wait < 0 || wait > pollEvery {
			wait = pollEvery
		}
		timer.Reset(wait)
		select {
		case <-ctx.Done():
			return
		case <-l.wake:
		case <-timer.C:
		}
	}
}

// depart takes out what may leave now. When that is nothing, wait is how long to sleep before more may: negative until nudged.
func (d *Dispatcher) depart(l *line, departures []departure) ([]departure, time.Duration) {
	places := l.carrier.Places()
	at := d.Now()
	now := at.UnixNano()
	d.mu.Lock()
	defer d.mu.Unlock()
	if places <= 0 || l.paused || l.open != nil && l.open.message.ExpiresAt.UnixNano() <= now {
		d.breakOff(l, at)
	}
	for len(departures) < cap(departures) {
		switch {
		case d.stopping || l.paused || l.inflight >= places || l.inflight+l.unrecorded >= 2*places:
			return departures, -1
		case now < l.pace.free:
			return departures, time.Duration(l.pace.free - now)
		}
		if l.open == nil {
			if wait := d.nextFlight(l, now); l.open == nil {
				return departures, wait
			}
		}
		departures = append(departures, d.board(l, now))
	}
	return departures, 0
}

// board takes the next part of the open flight.
func (d *Dispatcher) board(l *line, now int64) departure {
	f := l.open
	dep := departure{flight: f, part: f.next, units: f.partUnits(), paced: f.paced()}
	f.next++
	f.skipTaken()
	f.out++
	l.inflight++
	l.Submitted++
	l.pace.spend(now)
	if dep.paced {
		f.boarding++
	}
	if !f.leaving() {
		l.open = nil
	}
	return dep
}

// left lets parts that have left be charged: then, because only then it is known when that was. Between taking a message out and
// its parts' leaving, a mark may have had to be written.
func (d *Dispatcher) left(departures []departure) {
	if !slices.ContainsFunc(departures, func(dep departure) bool { return dep.paced }) {
		return
	}
	now := d.Now().UnixNano()
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, dep := range departures {
		if !dep.paced {
			continue
		}
		dep.flight.boarding--
		dep.flight.charge(d.Calendar, now, dep.units)
		d.letOthersLeave(dep.flight)
	}
}

// letOthersLeave ends the turn of a message with all that limit it once no more of its parts leave.
func (d *Dispatcher) letOthersLeave(f *flight) {
	if f.boarding > 0 || f.leaving() {
		return
	}
	for i := range f.fares {
		switch fare := &f.fares[i]; {
		case fare.leaving != f:
		case fare.sender != nil:
			fare.sender.stopBoarding()
			d.reorder(fare.sender)
		default:
			fare.stopBoarding()
			fare.settleGates()
		}
	}
}

// breakOff lets no further part of the open flight leave: the carrier is down or paused, the message's time is over, or all stops. What was
// taken is recorded, the rest waits in the lane again, where others need not wait for it.
func (d *Dispatcher) breakOff(l *line, at time.Time) {
	f := l.open
	if f == nil {
		return
	}
	l.open = nil
	f.fault = gateway.NotSent
	d.letOthersLeave(f)
	if f.landed() {
		d.landed(l, f, at)
	}
}

// nextFlight opens the flight of the first message that nothing it shares and not its sender holds up. When there is none it says how long until
// there may be.
func (d *Dispatcher) nextFlight(l *line, now int64) (wait time.Duration) {
	for givenUp := 0; len(l.queue) > 0; {
		g := l.queue[0]
		if g.at > now {
			return time.Duration(g.at - now)
		}
		next := g.ready[0]
		if next.held() > 0 && d.orphaned(next.sender, next.rows[next.head]) {
			d.strand(next)
			continue
		}
		if next.held() > 0 && !d.covered(next, now) {
			continue
		}
		m := d.take(next)
		if m == nil {
			d.refill(next)
			d.place(next)
			continue
		}
		reason := d.hopeless(next.sender, m, now)
		if reason == gateway.NoReason && d.unwanted(next.sender, m) && m.Taken == 0 { // what a carrier has begun is finished
			reason = gateway.OptedOut
		}
		if reason == gateway.NoReason {
			d.fly(next, m, now)
			return 0
		}
		d.giveUp(next, m, reason, time.Unix(0, now))
		d.place(next)
		if givenUp++; givenUp == submitBatch { // others want the lock
			return 0
		}
	}
	return -1
}

// hopeless tells why a message that waited must not leave any more: its time is over, or its sender is not its account's any more.
// Another account may have rented the number meanwhile, and must neither send for the first one nor wait for it. Guarded by mu.
func (d *Dispatcher) hopeless(s *sender, m *gateway.Message, now int64) gateway.Reason {
	switch {
	case m.ExpiresAt.UnixNano() <= now:
		return gateway.Expired
	case (!s.listed || s.owner != m.Account) && !(m.PickedBy == gateway.BySource && d.codes.fromElsewhere(m)):
		return gateway.InvalidSource
	}
	return gateway.NoReason
}

// fly opens a flight for the message.
func (d *Dispatcher) fly(ln *lane, m *gateway.Message, now int64) {
	f := newFlight(m, ln, max(1, ln.line.carrier.Parts(m)))
	ln.takeOff(m)
	d.turn++
	ln.turn, ln.served = d.turn, now
	d.flying[m.ID.Seq()] = struct{}{}
	ln.line.open = f
	f.board(d.Calendar, now)
	for i := range f.fares {
		f.fares[i].settleGates()
	}
	d.reorder(ln.sender)
	d.place(ln)
}

// submit lets parts leave, after noting it where the carrier is set to hold. It runs without the lock: carriers answer from their own
// goroutines, or at once.
func (d *Dispatcher) submit(ctx context.Context, l *line, departures []departure) {
	var now time.Time
	marked := true
	if l.Hold {
		began := d.Now()
		marked = d.mark(ctx, l, departures)
		now = d.Now()
		d.mu.Lock()
		l.pace.delayed(now.Sub(began))
		d.mu.Unlock()
	}
	for _, dep := range departures {
		if !marked || !dep.flight.message.ExpiresAt.After(now) { // writing the mark took the rest of its time
			d.answered(l, dep, gateway.Outcome{Status: gateway.NotSent})
			continue
		}
		part := gateway.Part{Message: dep.flight.message, Number: dep.part, Total: dep.flight.total}
		l.carrier.Submit(part, func(o gateway.Outcome) { d.answered(l, dep, o) })
	}
}

// mark notes in the store that the messages are about to leave. While it cannot, nothing leaves and the order stays; it answers false when
// ctx ended over that.
func (d *Dispatcher) mark(ctx context.Context, l *line, departures []departure) bool {
	ids := make([]gateway.ID, 0, len(departures))
	for i, dep := range departures {
		if i == 0 || dep.flight != departures[i-1].flight {
			ids = append(ids, dep.flight.message.ID)
		}
	}
	for pause := storePause / 8; ; pause = min(2*pause, 4*storePause) {
		err := d.Store.MarkSubmitting(ctx, ids, d.Now())
		if ctx.Err() == nil {
			l.marking.note(d.Log, "submits cannot be marked, so none leaves", err)
		}
		if err == nil {
			return true
		}
		select {
		case <-ctx.Done():
			return false
		case <-time.After(pause):
		}
	}
}

// answered takes up the carrier's answer for a part. Carriers call it from any goroutine, once for each part.
func (d *Dispatcher) answered(l *line, dep departure, o gateway.Outcome) {
	at := d.Now()
	d.mu.Lock()
	defer d.mu.Unlock()
	f := dep.flight
	f.answered(gateway.PartResult{Number: dep.part, Outcome: o, At: at})
	l.inflight--
	l.count(o, at.UnixNano())
	if l.open == f && !f.leaving() {
		l.open = nil
	}
	d.letOthersLeave(f)
	if f.landed() {
		d.landed(l, f, at)
	}
	l.nudge()
}

func (l *line) count(o gateway.Outcome, now int64) {
	switch o.Status {
	case gateway.Accepted:
		l.Accepted++
		l.pace.accepted(now)
	case gateway.Rejected:
		l.Rejected++
		l.pace.accepted(now)
	case gateway.Throttled:
		l.Throttled++
		l.pace.throttled(now)
	case gateway.Deferred:
		l.Deferred++
	case gateway.Unanswered:
		l.Unanswered++
	case gateway.NotSent: // it goes again: not at once, or a carrier that fails at once would be asked without end
		l.NotSent++
		l.pace.notSent(now)
		return
	}
	l.pace.rest = 0
}

// landed decides what becomes of a message whose parts are all answered.
func (d *Dispatcher) landed(l *line, f *flight, at time.Time) {
	for _, changed := range f.refund(d.Calendar, at.UnixNano()) {
		if changed.sender != nil {
			d.reorder(changed.sender)
		}
		changed.settleGates()
	}
	record := &gateway.SubmitRecord{Message: f.message, Total: f.total, Results: f.results, Usage: f.usage(), At: at}
	switch {
	case f.refused() || f.fault == 0:
		d.record(l, f, record, false)
	case f.fault == gateway.Unanswered && l.Hold:
		record.Held = true
		d.record(l, f, record, false)
	case f.fault == gateway.Deferred, f.fault == gateway.Unanswered && l.doubted(f.message):
		record.Due = l.Retry.Next(f.message.Attempt+1, at)
		d.record(l, f, record, false)
	case len(f.results) > 0 || l.Hold: // what was taken must be on disk before the rest goes again
		record.Released = l.Hold
		d.record(l, f, record, true)
	default:
		d.again(f, f.message)
	}
}

// doubted notes that a submit of the message was not answered and tells whether one was before. The first time the message goes again at once,
// and keeps its place: a lost connection costs no order. After that it goes on the schedule of deferred ones, so that a carrier which takes
// messages and never answers does not get them over and over.
func (l *line) doubted(m *gateway.Message) bool {
	seq := m.ID.Seq()
	if _, before := l.doubts[seq]; before || m.Attempt > 0 {
		return true
	}
	l.doubts[seq] = struct{}{}
	return false
}

// again puts a message back into its lane; nothing needs to be written for that.
func (d *Dispatcher) again(f *flight, m *gateway.Message) {
	f.lane.land(f.message)
	d.unfly(f.lane, m.ID.Seq())
	d.comeBack(m)
}
