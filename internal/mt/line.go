package mt

import (
	"context"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
)

// CarrierSettings are how the dispatcher treats a carrier.
type CarrierSettings struct {
	Rate  float64 // parts a second over all binds; 0 is unlimited
	Hold  bool    // unanswered: hold (else resend)
	Retry gateway.SubmitRetry
}

// line is one carrier's side of the dispatcher: its lanes by the time they are free, what is in flight, its pace. Its goroutine runs
// Dispatcher.serve. Fields below mu's line are guarded by Dispatcher.mu.
type line struct {
	name    string
	carrier Carrier
	CarrierSettings
	wake chan struct{} // of capacity 1: something changed

	ready      laneHeap // lanes with a message to send, as far as is known; not those being filled
	open       *flight  // whose parts are leaving
	inflight   int      // parts without an answer
	unrecorded int      // messages whose outcome is not on disk
	paused     bool
	pace       pace
	retries    map[int64]struct{} // deferred messages that are back in memory, by Seq
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

// notSentPause is how long a carrier is left alone after a part could not leave.
const notSentPause = 20 * time.Millisecond

// departure is a part about to leave.
type departure struct {
	flight *flight
	part   int
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
			if wait == 0 {
				continue
			}
		}
		if wait >= 0 {
			timer.Reset(wait)
		} else {
			timer.Stop()
		}
		select {
		case <-ctx.Done():
			return
		case <-l.wake:
		case <-timer.C:
		}
	}
}

// depart takes out what may leave now. wait is how long to sleep before more may: 0 not at all, negative until nudged.
func (d *Dispatcher) depart(l *line, departures []departure) ([]departure, time.Duration) {
	places := l.carrier.Places()
	now := d.Now().UnixNano()
	d.mu.Lock()
	defer d.mu.Unlock()
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
	dep := departure{f, f.next}
	f.next++
	f.skipTaken()
	f.out++
	l.inflight++
	l.Submitted++
	l.pace.spend(now)
	if !f.leaving() {
		l.open = nil
	}
	return dep
}

// nextFlight opens the flight of the first message whose sender is free. When there is none it says how long until there may be.
func (d *Dispatcher) nextFlight(l *line, now int64) (wait time.Duration) {
	for len(l.ready) > 0 {
		next := l.ready[0]
		if next.at = next.sender.free; next.at > now {
			l.ready.fix(0)
			if l.ready[0] == next {
				return time.Duration(next.at - now)
			}
			continue
		}
		m := d.take(next)
		if m == nil {
			l.ready.remove(next)
			d.refill(next)
			continue
		}
		if m.ExpiresAt.UnixNano() <= now {
			d.giveUp(next, m, gateway.Expired, time.Unix(0, now))
			d.place(next)
			if l.unrecorded >= 2*submitBatch {
				return -1 // the records' commit wakes the line
			}
			continue
		}
		d.fly(next, m, now)
		d.place(next)
		return 0
	}
	return -1
}

// fly opens a flight for the message and charges its sender.
func (d *Dispatcher) fly(ln *lane, m *gateway.Message, now int64) {
	f := newFlight(m, ln, ln.line.carrier.Parts(m))
	ln.sender.free, _ = ln.sender.limit.Spend(ln.sender.free, now, f.units())
	ln.busy++
	d.turn++
	ln.turn = d.turn
	d.flying[m.ID.Seq()] = struct{}{}
	ln.line.open = f
}

// submit lets parts leave, after noting it where the carrier is set to hold. It runs without the lock: carriers answer from their own
// goroutines, or at once.
func (d *Dispatcher) submit(ctx context.Context, l *line, departures []departure) {
	if l.Hold && !d.mark(ctx, departures) {
		for _, dep := range departures {
			d.answered(l, dep, gateway.Outcome{Status: gateway.NotSent, Detail: "could not be marked as submitting"})
		}
		return
	}
	for _, dep := range departures {
		part := gateway.Part{Message: dep.flight.message, Number: dep.part, Total: dep.flight.total}
		l.carrier.Submit(part, func(o gateway.Outcome) { d.answered(l, dep, o) })
	}
}

// mark notes in the store that the messages are about to leave.
func (d *Dispatcher) mark(ctx context.Context, departures []departure) bool {
	ids := make([]gateway.ID, 0, len(departures))
	for i, dep := range departures {
		if i == 0 || dep.flight != departures[i-1].flight {
			ids = append(ids, dep.flight.message.ID)
		}
	}
	if err := d.Store.MarkSubmitting(ctx, ids, d.Now()); err != nil {
		d.Log.Error("submits cannot be marked; none leaves until they can", "err", err)
		return false
	}
	return true
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
		l.pace.free = max(l.pace.free, now+int64(notSentPause))
	}
}

// landed decides what becomes of a message whose parts are all answered.
func (d *Dispatcher) landed(l *line, f *flight, at time.Time) {
	record := &gateway.SubmitRecord{Message: f.message, Total: f.total, Results: f.results, At: at}
	switch {
	case f.refused() || f.fault == 0:
		d.record(l, f, record, false)
	case f.fault == gateway.Deferred:
		record.Due = l.Retry.Next(f.message.Attempt+1, at)
		d.record(l, f, record, false)
	case f.fault == gateway.Unanswered && l.Hold:
		record.Held = true
		d.record(l, f, record, false)
	case len(f.results) > 0 || l.Hold: // what was taken must be on disk before the rest goes again
		record.Released = l.Hold
		d.record(l, f, record, true)
	default:
		d.again(f, f.message)
	}
}

// again puts a message back into its lane; nothing needs to be written for that.
func (d *Dispatcher) again(f *flight, m *gateway.Message) {
	delete(d.flying, m.ID.Seq())
	f.lane.busy--
	f.lane.putBack(m)
	d.buffered++
	f.lane.sender.queued += m.Units
	d.place(f.lane)
}
