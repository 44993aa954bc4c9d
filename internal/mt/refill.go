package mt

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
)

// lanesPerFill is how many lanes one read serves.
const lanesPerFill = 256

// refill asks for the lane to be read on. Guarded by mu.
func (d *Dispatcher) refill(l *lane) {
	if l.filling {
		return
	}
	l.filling = true
	d.toFill = append(d.toFill, l)
	select {
	case d.fillWake <- struct{}{}:
	default:
	}
}

// reconcileEvery is how often memory is held against the store, give or take a quarter.
const reconcileEvery = time.Minute

// fillLoop reads lanes on, many in one call, until ctx ends. Now and then it looks for lanes that memory does not know.
func (d *Dispatcher) fillLoop(ctx context.Context) {
	timer := time.NewTimer(jitter(reconcileEvery))
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-d.fillWake:
		case <-timer.C:
			d.reconcile(ctx)
			timer.Reset(jitter(reconcileEvery))
		}
		for d.fill(ctx) {
		}
	}
}

func jitter(d time.Duration) time.Duration { return d*3/4 + rand.N(d/2) }

// reconcile makes lanes for messages that wait in the store and are known to no lane. What memory was told is a hint; this is the
// truth. A lane that is in memory is left alone: it, or something in flight, accounts for its rows.
func (d *Dispatcher) reconcile(ctx context.Context) {
	counts, err := d.Store.Lanes(ctx)
	if err != nil {
		if ctx.Err() == nil {
			d.Log.Error("queued messages cannot be counted", "err", err)
		}
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, c := range counts {
		if _, known := d.lanes[c.LaneKey]; known || d.lines[c.Carrier] == nil || d.busySender(c.Sender) {
			continue
		}
		l := d.lane(c.LaneKey)
		l.waiting, l.more = c.Messages, true
		l.sender.queued += c.Units
		d.place(l)
		l.line.nudge()
	}
}

// fill reads one batch of lanes on; more tells whether others wait.
func (d *Dispatcher) fill(ctx context.Context) (more bool) {
	lanes, cursors := d.nextFill()
	if len(lanes) == 0 {
		return false
	}
	rows, err := d.Store.QueuedMessages(ctx, cursors)
	if err != nil {
		if ctx.Err() != nil {
			return false
		}
		d.Log.Error("queued messages cannot be read; trying again", "err", err)
		d.fillLater(ctx, lanes)
		return true
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for i, l := range lanes {
		before := l.held()
		l.filled(rows[i], cursors[i].Limit)
		d.buffered += l.held() - before
		d.place(l)
		l.line.nudge()
	}
	return len(d.toFill) > 0
}

func (d *Dispatcher) nextFill() ([]*lane, []gateway.LaneCursor) {
	d.mu.Lock()
	defer d.mu.Unlock()
	n := min(len(d.toFill), lanesPerFill)
	lanes := append([]*lane(nil), d.toFill[:n]...)
	d.toFill = append(d.toFill[:0], d.toFill[n:]...)
	cursors := make([]gateway.LaneCursor, n)
	for i, l := range lanes {
		cursors[i] = gateway.LaneCursor{LaneKey: l.key, After: l.after, Limit: d.depth(l)}
	}
	return lanes, cursors
}

// depth is how many rows a lane is read on by: one where little waits, more where much does and memory allows.
func (d *Dispatcher) depth(l *lane) int {
	if d.buffered >= totalRows {
		return 1
	}
	return max(1, min(l.waiting, laneRows))
}

// fillLater puts lanes back in the line for being read, after a pause.
func (d *Dispatcher) fillLater(ctx context.Context, lanes []*lane) {
	select {
	case <-ctx.Done():
	case <-time.After(storePause):
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.toFill = append(d.toFill, lanes...)
}

// storePause is the pause before a store that failed is asked again.
const storePause = time.Second

// busySender tells whether messages of the sender are being stored or wait in another lane: what they account for is not known
// lane by lane, so it is looked at another time. Guarded by mu.
func (d *Dispatcher) busySender(number string) bool {
	s := d.senders[number]
	return s != nil && s.queued > 0
}
