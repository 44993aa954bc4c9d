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
		for d.expire(ctx) {
		}
	}
}

// expire ends one batch; more tells whether there may be others.
func (d *Dispatcher) expire(ctx context.Context) (more bool) {
	now := d.Now()
	limit := expiryBatch + d.flyingCount()
	expired, err := d.Store.ExpiredMessages(ctx, now, limit)
	if err != nil {
		if ctx.Err() == nil {
			d.Log.Error("expired messages cannot be read", "err", err)
		}
		return false
	}
	records := d.claimExpired(expired, now)
	if len(records) == 0 {
		return false
	}
	applied, err := d.Store.RecordSubmits(ctx, records)
	d.release(records)
	if err != nil {
		if ctx.Err() == nil {
			d.Log.Error("expired messages cannot be ended; trying again", "err", err)
		}
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

// claimExpired takes expired messages out of memory, but for those in flight: whose answer decides.
func (d *Dispatcher) claimExpired(expired []*gateway.Message, now time.Time) []*gateway.SubmitRecord {
	d.mu.Lock()
	defer d.mu.Unlock()
	records := make([]*gateway.SubmitRecord, 0, len(expired))
	for _, m := range expired {
		seq := m.ID.Seq()
		if _, flying := d.flying[seq]; flying {
			continue
		}
		d.flying[seq] = struct{}{}
		records = append(records, &gateway.SubmitRecord{Message: m, Failure: gateway.Expired, At: now})
		if l := d.lanes[gateway.LaneKey{Sender: m.From, Carrier: m.Carrier}]; l != nil && l.counts(m) {
			if l.remove(seq) {
				d.buffered--
			}
			l.waiting = max(0, l.waiting-1)
			l.sender.queued = max(0, l.sender.queued-m.Units)
			d.place(l)
		}
	}
	return records
}

// counts tells whether the lane counts the message among its waiting ones: a deferred one only when it was brought back.
func (l *lane) counts(m *gateway.Message) bool {
	_, back := l.line.retries[m.ID.Seq()]
	return m.DueAt.IsZero() || back
}

func (d *Dispatcher) release(records []*gateway.SubmitRecord) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, r := range records {
		delete(d.flying, r.Message.ID.Seq())
		if l := d.lines[r.Message.Carrier]; l != nil {
			delete(l.retries, r.Message.ID.Seq())
		}
	}
}

// retryBatch is how many deferred messages are brought back at once.
const retryBatch = 500

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
		if l.carrier.Places() == 0 {
			wait = min(wait, storePause)
			continue
		}
		next, err := d.bringBackTo(ctx, l)
		switch {
		case err != nil && ctx.Err() == nil:
			d.Log.Error("deferred messages cannot be read; trying again", "err", err)
			wait = min(wait, storePause)
		case !next.IsZero():
			wait = min(wait, max(next.Sub(d.Now()), storePause/4))
		}
	}
	return wait
}

// bringBackTo queues what is due for one carrier, at most retryBatch at a time, and gives the time of the next.
func (d *Dispatcher) bringBackTo(ctx context.Context, l *line) (next time.Time, err error) {
	now := d.Now()
	d.mu.Lock()
	back := len(l.retries)
	d.mu.Unlock()
	if back >= retryBatch {
		return now, nil
	}
	due, err := d.Store.DueRetries(ctx, l.name, now, 2*retryBatch)
	if err != nil {
		return now, err
	}
	d.queueRetries(l, due)
	return d.Store.NextRetry(ctx, l.name)
}

// queueRetries puts due messages into their lanes, once each: they stay due in the store until they are recorded anew.
func (d *Dispatcher) queueRetries(l *line, due []*gateway.Message) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, m := range due {
		seq := m.ID.Seq()
		if _, known := l.retries[seq]; !known && d.comeBack(m) {
			l.retries[seq] = struct{}{}
		}
	}
}
