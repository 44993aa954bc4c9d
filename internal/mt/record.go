package mt

import (
	"context"
	"errors"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
	"github.com/heliograph/heliograph/internal/groupcommit"
)

// Bounds of a batch of records and of those waiting for one. Lines stop long before the second: it holds for all of them.
const (
	recordBatch   = 1000
	recordWaiting = 1 << 20
)

// partKey names a part by what its receipt will say.
type partKey struct{ carrier, id string }

// pendingRecord is what became of a message, on its way to the disk. Until its batch is written, receipts for its parts can join it.
type pendingRecord struct {
	*gateway.SubmitRecord
	flight *flight
	line   *line
	back   bool // goes into its lane again once this is written

	joined []func(error) // who waits for a joined receipt; guarded by Dispatcher.mu until the batch is taken
}

// record sends what became of a flight to the disk. Guarded by mu.
func (d *Dispatcher) record(l *line, f *flight, r *gateway.SubmitRecord, back bool) {
	p := &pendingRecord{SubmitRecord: r, flight: f, line: l, back: back}
	l.unrecorded++
	for i := range r.Results {
		if result := &r.Results[i]; result.Status == gateway.Accepted && result.CarrierID != "" {
			d.inHand[partKey{l.name, result.CarrierID}] = p
		}
	}
	if err := d.records.Submit(p, func(applied gateway.Applied, err error) { d.recorded(p, applied, err) }); err != nil {
		d.unregister(p) // it came after the stop, as the log says, and stays in flight: after the restart it counts as unanswered
		l.unrecorded--
	}
}

// giveUp ends a message that is not in flight and will not be. Guarded by mu.
func (d *Dispatcher) giveUp(ln *lane, m *gateway.Message, reason gateway.Reason, at time.Time) {
	f := newFlight(m, ln, 1)
	ln.takeOff(m)
	d.flying[m.ID.Seq()] = struct{}{}
	d.record(ln.line, f, &gateway.SubmitRecord{Message: m, Failure: reason, At: at}, false)
}

// unregister takes the record's parts out of hand: no receipt joins it any more. Guarded by mu.
func (d *Dispatcher) unregister(p *pendingRecord) {
	for i := range p.Results {
		key := partKey{p.line.name, p.Results[i].CarrierID}
		if d.inHand[key] == p {
			delete(d.inHand, key)
		}
	}
}

// maxJoined bounds the receipts that join a record: a carrier may send the same one again and again while the disk is full.
const maxJoined = 2 * gateway.MaxParts

// Attach joins a receipt to the record of the submit it belongs to, if that is still in hand: both then become one write. done is
// called after the commit.
func (d *Dispatcher) Attach(receipt gateway.Receipt, done func(error)) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	p := d.inHand[partKey{receipt.Carrier, receipt.CarrierID}]
	if p == nil || len(p.joined) >= maxJoined {
		return false
	}
	for i := range p.Results {
		if p.Results[i].CarrierID == receipt.CarrierID {
			p.Receipts = append(p.Receipts, gateway.PartReceipt{Number: p.Results[i].Number, Receipt: receipt})
			p.joined = append(p.joined, done)
			return true
		}
	}
	return false
}

// commitRecords writes a batch. A store that cannot keep it is asked again, with pauses, until it can: the outcomes are known nowhere
// else. Meanwhile the lines come to rest at their bound of unrecorded submits.
func (d *Dispatcher) commitRecords(ctx context.Context, batch []*pendingRecord) []groupcommit.Result[gateway.Applied] {
	records := d.seal(batch)
	applied, err := d.Store.RecordSubmits(ctx, records)
	for pause := storePause / 8; err != nil; pause = min(2*pause, 4*storePause) {
		d.recording.note(d.Log, "outcomes of submits cannot be written, so nothing more is submitted", err)
		if !d.sleep(pause) {
			break
		}
		applied, err = d.Store.RecordSubmits(ctx, records)
	}
	results := make([]groupcommit.Result[gateway.Applied], len(batch))
	if err != nil {
		d.Log.Error("outcomes were not written before the stop; after the restart they count as unanswered", "messages", len(batch))
		for i := range results {
			results[i].Err = errNotRecorded
		}
		return results
	}
	d.recording.note(d.Log, "outcomes of submits cannot be written, so nothing more is submitted", nil)
	for i := range results {
		results[i].Value = applied[i]
	}
	d.tell(applied)
	return results
}

// sleep waits; it answers false when the stop's patience ended first.
func (d *Dispatcher) sleep(pause time.Duration) bool {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-d.quit:
		return false
	case <-timer.C:
		return true
	}
}

// seal closes a batch to further receipts.
func (d *Dispatcher) seal(batch []*pendingRecord) []*gateway.SubmitRecord {
	d.mu.Lock()
	defer d.mu.Unlock()
	records := make([]*gateway.SubmitRecord, len(batch))
	for i, p := range batch {
		d.unregister(p)
		records[i] = p.SubmitRecord
	}
	return records
}

func (d *Dispatcher) tell(applied []gateway.Applied) {
	var events []gateway.Event
	for i := range applied {
		events = append(events, applied[i].Events...)
	}
	if len(events) > 0 {
		d.Told(events)
	}
}

var errNotRecorded = errors.New("mt: stopped before the outcome was written")

// recorded frees what the record held, after the commit, on the committing goroutine.
func (d *Dispatcher) recorded(p *pendingRecord, applied gateway.Applied, err error) {
	for _, done := range p.joined {
		if err != nil {
			done(err)
		} else {
			done(nil)
		}
	}
	if err != nil && !errors.Is(err, errNotRecorded) { // a fault of the store's, not of the disk
		d.Log.Error("an outcome was not written; after a restart it counts as unanswered", "message", p.Message.ID, "err", err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	p.line.unrecorded--
	if err == nil {
		d.reportRecord(p, &applied)
		for i := range p.Usage {
			if s := d.scopeOf(&p.Usage[i]); s != nil {
				s.keep(p.Usage[i])
			}
		}
	}
	if p.back && err == nil && applied.State == gateway.Queued {
		d.again(p.flight, withTaken(p))
	} else {
		p.line.settle(p.Message.ID.Seq())
		p.flight.lane.land(p.Message)
		d.unfly(p.flight.lane, p.Message.ID.Seq())
		d.place(p.flight.lane)
	}
	if !p.Due.IsZero() && err == nil {
		d.nudgeRetries()
	}
	p.line.nudge()
}

// withTaken is the message as it goes again: without the parts that the carrier took.
func withTaken(p *pendingRecord) *gateway.Message {
	m := *p.Message
	m.Parts, m.Taken = p.Total, p.flight.taken
	for i := range p.Results {
		m.Taken = m.Taken.With(p.Results[i].Number)
	}
	return &m
}
