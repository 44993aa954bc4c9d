package sqlite

import (
	"context"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
)

// MarkSubmitting notes that messages are about to leave. Those that are not queued any more, or marked already, stay as they are.
func (s *Store) MarkSubmitting(ctx context.Context, ids []gateway.ID, at time.Time) error {
	return s.write(ctx, func(tx *tx) error {
		for _, id := range ids {
			q := prepare(tx.conn, "UPDATE messages SET mark = ?, marked_at = ? WHERE seq = ? AND tail = ? AND state = 0 AND marked_at IS NULL")
			if err := q.int(int64(submitting)).time(at).int(id.Seq()).int(tailOf(id)).run(); err != nil {
				return err
			}
		}
		return nil
	})
}

// RecordSubmits writes what became of submits and takes up receipts that were parked for them. Results are in the order of the
// records. A message that is not there any more answers Failed: nothing more is to be done about it.
func (s *Store) RecordSubmits(ctx context.Context, records []*gateway.SubmitRecord) ([]gateway.Applied, error) {
	var carriers names
	for _, r := range records {
		carriers.add(r.Message.Carrier)
	}
	if err := s.enrol(ctx, carriers); err != nil {
		return nil, err
	}
	applied := make([]gateway.Applied, len(records))
	err := s.write(ctx, func(tx *tx) error {
		var used usages
		for i, r := range records {
			used.add(r.Usage)
			done, err := s.recordSubmit(tx, r)
			if err != nil {
				return err
			}
			applied[i] = done
		}
		return tx.keepUsages(used)
	})
	if err != nil {
		return nil, err
	}
	return applied, nil
}

func (s *Store) recordSubmit(tx *tx, r *gateway.SubmitRecord) (gateway.Applied, error) {
	now, ok, err := tx.loadRow(r.Message.ID)
	if err != nil || !ok {
		return gateway.Applied{State: gateway.Failed}, err
	}
	carrier, _, err := s.names.carrierNumber(tx.conn, r.Message.Carrier)
	if err != nil {
		return gateway.Applied{}, err
	}
	before := now
	steps := now.settle(r)
	if err := tx.keepParts(&now, carrier, r); err != nil {
		return gateway.Applied{}, err
	}
	open := !now.State.Final()
	for _, receipt := range r.Receipts {
		steps = append(steps, now.Receipted(receipt.Number, receipt.Receipt)...)
	}
	if steps, err = tx.adoptParked(&now, carrier, r, steps); err != nil {
		return gateway.Applied{}, err
	}
	applied, err := s.finish(tx, r.Message, &before, &now, steps)
	if open {
		reported(&applied, r.Message)
	}
	return applied, err
}

// settle takes up the record by gateway's rules. What it was told before changes nothing.
func (r *row) settle(record *gateway.SubmitRecord) (steps []gateway.Step) {
	if len(record.Results) > 0 {
		steps = r.Submitted(record.Total, record.Results)
	}
	if r.State != gateway.Queued {
		return steps
	}
	switch {
	case record.Failure != gateway.NoReason:
		return append(steps, r.Fail(record.Failure, record.At)...)
	case !record.Due.IsZero():
		if !sameTime(r.DueAt, record.Due) {
			r.Defer(record.Due, record.At)
		}
		r.unmark()
	case record.Held:
		if r.mark == unmarked {
			r.markedAt = record.At
		}
		r.mark = held
		if r.Parts == 0 {
			r.Parts = record.Total
		}
	default: // it goes again: into its lane, if it was deferred before
		r.DueAt = time.Time{}
		if record.Released {
			r.unmark()
		}
	}
	return steps
}

func (r *row) unmark() { r.mark, r.markedAt = unmarked, time.Time{} }

// loadRow reads what changes of a message; ok is false when it is not there.
func (tx *tx) loadRow(id gateway.ID) (r row, ok bool, err error) {
	q := prepare(tx.conn, "SELECT "+rowColumns+" FROM messages m WHERE seq = ? AND tail = ?")
	for q.int(id.Seq()).int(tailOf(id)); q.next(); {
		r.seq, ok = id.Seq(), true
		readRow(&q, &r)
	}
	return r, ok, q.err
}

// keepParts notes the carrier's ids of the parts that it took, also when the message has moved on meanwhile: their receipts will come.
func (tx *tx) keepParts(r *row, carrier int64, record *gateway.SubmitRecord) error {
	for i := range record.Results {
		result := &record.Results[i]
		if result.Status != gateway.Accepted || result.CarrierID == "" {
			continue
		}
		if err := tx.keepPart(r, carrier, result.CarrierID, record.Total, result.Number); err != nil {
			return err
		}
	}
	return nil
}

// keepPart notes the carrier's id of one part: that of an only part in the message's row.
func (tx *tx) keepPart(r *row, carrier int64, carrierID string, total, part int) error {
	if total == 1 && (r.carrierID == "" || r.carrierID == carrierID) {
		r.carrierID = carrierID
		return nil
	}
	q := prepare(tx.conn, "INSERT INTO parts (carrier, carrier_id, seq, part) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING")
	return q.int(carrier).text(carrierID).int(r.seq).int(int64(part)).run()
}

// reported notes whose message it is that receipts have ended.
func reported(applied *gateway.Applied, m *gateway.Message) {
	if applied.State.Final() {
		applied.Sender, applied.Country = m.From, m.Country
	}
}

// finish writes a row that was moved, lets the wallet follow and stores its events.
func (s *Store) finish(tx *tx, m *gateway.Message, before, r *row, steps []gateway.Step) (gateway.Applied, error) {
	applied := gateway.Applied{State: r.State}
	if !r.changed(before) {
		return applied, nil
	}
	applied.Moved = true
	ended := before.State == gateway.Queued && r.State != gateway.Queued
	forget := ended && (m.Log.HidesContent() || r.seq < tx.textsUntil)
	if err := tx.updateRow(before, r, forget); err != nil {
		return applied, err
	}
	if forget {
		tx.removed++
	}
	if ended {
		if err := s.settle(tx, m, r.State != gateway.Failed); err != nil {
			return applied, err
		}
	}
	if len(steps) == 0 || m.Callback.URL == "" {
		return applied, nil
	}
	moved := *m // what was handed over is not written any more
	moved.Progress = r.Progress
	var err error
	applied.Events, err = tx.insertEvents(nil, &moved, steps)
	return applied, err
}
