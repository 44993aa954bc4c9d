package mt

import (
	"context"
	"math/rand/v2"
	"slices"
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
	if ctx.Err() == nil {
		d.counting.note(d.Log, "queued messages cannot be counted", err)
	}
	if err != nil {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, c := range counts {
		if _, known := d.lanes[c.LaneKey]; !known && d.lines[c.Carrier] != nil {
			d.discover(c)
		}
	}
}

// fill reads one batch of lanes on; more tells whether others wait.
func (d *Dispatcher) fill(ctx context.Context) (more bool) {
	lanes, cursors := d.nextFill()
	if len(lanes) == 0 {
		return false
	}
	rows, err := d.Store.QueuedMessages(ctx, cursors)
	if ctx.Err() == nil {
		d.reading.note(d.Log, "queued messages cannot be read", err)
	}
	if err != nil {
		d.fillLater(ctx, lanes)
		return ctx.Err() == nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for i, l := range lanes {
		d.filled(l, rows[i], len(rows[i]) >= cursors[i].Limit)
		d.place(l)
	}
	return len(d.toFill) > 0
}

// filled takes up what a refill read; more tells whether the store has others behind. It leaves out what is in flight or was while the
// store was read, and what is being stored just now, which comes by Offer. Guarded by mu.
func (d *Dispatcher) filled(l *lane, rows []*gateway.Message, more bool) {
	from := l.after // earlier than where the reading began, if a message came in between
	for _, m := range rows {
		seq := m.ID.Seq()
		if seq >= d.storing {
			break
		}
		if seq <= l.after {
			continue
		}
		l.after = seq
		if _, flying := d.flying[seq]; flying || slices.Contains(l.flown, seq) {
			continue
		}
		if l.insert(m) {
			l.line.buffered++
		}
	}
	l.more = more || l.missed
	l.filling, l.missed, l.flown = false, false, nil
	if l.reread {
		l.reread = false
		l.rewind(from + 1)
	}
	if !l.more {
		l.recount()
	}
}

// nextFill takes the next lanes to be read on, and says from where and how far. Where the carrier's share of memory is full, a lane gets the
// one row that it needs next, if it has none.
func (d *Dispatcher) nextFill() (lanes []*lane, cursors []gateway.LaneCursor) {
	d.mu.Lock()
	defer d.mu.Unlock()
	asked := make(map[*line]int, len(d.lines))
	n := 0
	for ; n < len(d.toFill) && len(lanes) < lanesPerFill; n++ {
		l := d.toFill[n]
		room := d.room(l.line) - asked[l.line]
		if room <= 0 && l.held() > 0 {
			l.filling, l.missed, l.reread, l.flown = false, false, false, nil
			continue
		}
		limit := max(1, min(l.waiting, l.depth(), room))
		asked[l.line] += limit
		lanes = append(lanes, l)
		cursors = append(cursors, gateway.LaneCursor{LaneKey: l.key, After: l.after, Limit: limit})
	}
	d.toFill = slices.Delete(d.toFill, 0, n)
	return lanes, cursors
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
