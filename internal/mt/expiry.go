package mt

import (
	"context"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
)

// expiryBatch is how many expired messages are ended at once.
const expiryBatch = 500

// expiryLoop ends messages whose time is over, every second: those at the head of a lane are found when their turn comes, these are the
// ones whose turn does not come, because their carrier is down or their lane is long.
func (d *Dispatcher) expiryLoop(ctx context.Context) {
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		d.beginDay()
		for d.expire(ctx) {
		}
	}
}

// beginDay gives everybody the whole of their daily cap again when the day is over for which it was counted, and forgets what no message can need.
func (d *Dispatcher) beginDay() {
	at := d.Now()
	now := at.UnixNano()
	d.mu.Lock()
	defer d.mu.Unlock()
	d.pruneOptOuts(at)
	if now < d.dayEnd {
		return
	}
	_, d.dayEnd = d.Calendar.Day(now)
	for s := range d.scopes() {
		s.Roll(d.Calendar, now)
	}
	for _, s := range d.senders {
		if s.Cap > 0 {
			s.tell()
			d.reorder(s)
		}
	}
	d.settleAll()
}

// expire ends one batch; more tells whether there may be others.
func (d *Dispatcher) expire(ctx context.Context) (more bool) {
	now := d.Now()
	limit := expiryBatch + d.flyingCount()
	expired, err := d.Store.ExpiredMessages(ctx, now, limit)
	if err != nil {
		if ctx.Err() == nil {
			d.expiring.note(d.Log, "expired messages cannot be ended", err)
		}
		return false
	}
	records, queued := d.claimExpired(expired, now)
	if len(records) == 0 {
		return false
	}
	applied, err := d.Store.RecordSubmits(ctx, records)
	d.release(records, queued, err)
	if ctx.Err() == nil {
		d.expiring.note(d.Log, "expired messages cannot be ended", err)
	}
	if err != nil {
		return false
	}
	d.tell(applied)
	return len(expired) == limit
}

func (d *Dispatcher) flyingCount() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.flying)
}

// claimExpired takes expired messages out of memory, but for those in flight, whose answer decides, and those still being stored. queued
// tells which of them were counted in a lane: the others are deferred.
func (d *Dispatcher) claimExpired(expired []*gateway.Message, now time.Time) (records []*gateway.SubmitRecord, queued []bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, m := range expired {
		seq := m.ID.Seq()
		if _, flying := d.flying[seq]; flying || seq >= d.storing {
			continue
		}
		d.flying[seq] = struct{}{}
		records = append(records, &gateway.SubmitRecord{Message: m, Failure: gateway.Expired, At: now})
		queued = append(queued, d.uncount(m))
	}
	return records, queued
}

// uncount takes a message that will not be sent out of its lane and tells whether it was there: in memory, or in the part of the lane that only
// the store has.
func (d *Dispatcher) uncount(m *gateway.Message) bool {
	l := d.lanes[m.Lane()]
	if l == nil {
		return false
	}
	held := l.remove(m.ID.Seq())
	if held {
		l.line.buffered--
	}
	if !held && (!l.more || !m.DueAt.IsZero() || m.ID.Seq() <= l.after) {
		return false
	}
	l.uncount(m)
	if l.waiting == 0 && l.more { // the store is asked whether that was all
		d.refill(l)
	}
	d.place(l)
	return true
}

// release ends a claim. What could not be ended is queued again.
func (d *Dispatcher) release(records []*gateway.SubmitRecord, queued []bool, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for i, r := range records {
		m := r.Message
		d.unfly(d.lanes[m.Lane()], m.ID.Seq())
		l := d.lines[m.Carrier]
		switch {
		case l == nil:
		case err == nil:
			l.settle(m.ID.Seq())
		case queued[i]:
			d.comeBack(m)
		}
	}
}

// settle forgets what was remembered of a message that came back from the carrier.
func (l *line) settle(seq int64) {
	delete(l.doubts, seq)
	if _, back := l.retries[seq]; back {
		delete(l.retries, seq)
		if l.reading {
			l.settled[seq] = struct{}{}
		}
	}
}

// Bounds of how many deferred messages are brought back at once, and of those of a carrier that are back in memory: when so many wait for their
// senders, the others wait for them.
const (
	retryBatch = 500
	retryMost  = 5000
)

func (d *Dispatcher) nudgeRetries() {
	select {
	case d.dueWake <- struct{}{}:
	default:
	}
}

// retryLoop brings deferred messages back into their lanes when they are due.
func (d *Dispatcher) retryLoop(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-d.dueWake:
		case <-timer.C:
		}
		timer.Reset(d.bringBack(ctx))
	}
}

// bringBack queues what is due and says when to look again. Carriers that are down are left alone: their messages wait in the store.
func (d *Dispatcher) bringBack(ctx context.Context) time.Duration {
	const idle = time.Minute
	wait := idle
	for _, l := range d.lines {
		if l.carrier.Places() <= 0 {
			wait = min(wait, storePause)
			continue
		}
		next, err := d.bringBackTo(ctx, l)
		if ctx.Err() == nil {
			d.retrying.note(d.Log, "deferred messages cannot be read", err)
		}
		switch {
		case err != nil:
			wait = min(wait, storePause)
		case !next.IsZero():
			wait = min(wait, max(0, next.Sub(d.Now())))
		}
	}
	return wait
}

// bringBackTo queues what is due for one carrier, at most retryBatch at a time, and gives the time of the next.
func (d *Dispatcher) bringBackTo(ctx context.Context, l *line) (next time.Time, err error) {
	now := d.Now()
	back := d.beginReading(l)
	if back >= retryMost {
		d.queueRetries(l, nil)
		return now.Add(storePause), nil
	}
	due, err := d.Store.DueRetries(ctx, l.name, now, back+retryBatch)
	fresh := d.queueRetries(l, due)
	if err != nil {
		return time.Time{}, err
	}
	if fresh >= retryBatch {
		return now, nil
	}
	next, err = d.Store.NextRetry(ctx, l.name)
	if !next.IsZero() && !next.After(now) { // the next is one that is back already: those behind it are looked for now and then
		next = now.Add(max(storePause, time.Duration(back)*time.Millisecond))
	}
	return next, err
}

// beginReading notes that due messages are being read; it tells how many are back already.
func (d *Dispatcher) beginReading(l *line) (back int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	l.reading, l.settled = true, map[int64]struct{}{}
	return len(l.retries)
}

// queueRetries puts due messages into their lanes, once each: they stay due in the store until they are recorded anew. It tells how many
// it had not seen before.
func (d *Dispatcher) queueRetries(l *line, due []*gateway.Message) (fresh int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, m := range due {
		seq := m.ID.Seq()
		_, known := l.retries[seq]
		_, settled := l.settled[seq]
		if !known && !settled && d.comeBack(m) {
			l.retries[seq] = struct{}{}
			fresh++
		}
	}
	l.reading, l.settled = false, nil
	return fresh
}
