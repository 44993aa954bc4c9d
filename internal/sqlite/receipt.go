package sqlite

import (
	"context"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
)

// ApplyReceipts finds the part of each receipt by carrier and carrier id, moves its message and stores the events; results are in the order
// of the receipts. Of several parts with the same id the newest is meant: carriers count anew now and then. A receipt whose part is
// not known moves the message held longest with the same carrier, sender and destination; else it is parked.
func (s *Store) ApplyReceipts(ctx context.Context, receipts []gateway.Receipt) ([]gateway.Applied, error) {
	var carriers names
	for i := range receipts {
		carriers.add(receipts[i].Carrier)
	}
	if err := s.enrol(ctx, carriers); err != nil {
		return nil, err
	}
	return writeEach(ctx, s, len(receipts), func(tx *tx, i int) (gateway.Applied, error) { return s.applyReceipt(tx, &receipts[i]) })
}

func (s *Store) applyReceipt(tx *tx, receipt *gateway.Receipt) (gateway.Applied, error) {
	if receipt.Outcome == gateway.InTransit { // says nothing final: not worth keeping
		return gateway.Applied{}, nil
	}
	carrier, _, err := s.names.carrierNumber(tx.conn, receipt.Carrier)
	if err != nil {
		return gateway.Applied{}, err
	}
	m, before, part, err := s.findPart(tx, carrier, receipt)
	if err != nil {
		return gateway.Applied{}, err
	}
	now := before
	if m == nil {
		if m, before, err = s.findHeld(tx, carrier, receipt); err != nil {
			return gateway.Applied{}, err
		}
		if m == nil {
			return tx.park(carrier, receipt)
		}
		now, part = before, before.unknownPart()
		if receipt.CarrierID != "" {
			if err := tx.keepPart(&now, carrier, receipt.CarrierID, max(now.Parts, 1), part); err != nil {
				return gateway.Applied{}, err
			}
		}
	}
	applied, err := s.finish(tx, m, &before, &now, now.Receipted(part, *receipt))
	if !before.State.Final() {
		reported(&applied, m)
	}
	return applied, err
}

// findPart finds the newest part with the receipt's id; the message is nil when there is none.
func (s *Store) findPart(tx *tx, carrier int64, receipt *gateway.Receipt) (m *gateway.Message, r row, part int, err error) {
	if receipt.CarrierID == "" {
		return nil, row{}, 0, nil
	}
	q := prepare(tx.conn, "SELECT "+messageColumns+` FROM messages m INDEXED BY messages_by_carrier_id
		WHERE carrier = ? AND carrier_id = ? AND carrier_id IS NOT NULL ORDER BY seq DESC LIMIT 1`)
	for q.int(carrier).text(receipt.CarrierID); q.next(); {
		m, r = s.readMessage(tx.conn, &q)
		part = 1
	}
	if q.err != nil {
		return nil, row{}, 0, q.err
	}
	seq := r.seq
	q = prepare(tx.conn, "SELECT seq, part FROM parts WHERE carrier = ? AND carrier_id = ? AND seq > ? ORDER BY seq DESC LIMIT 1")
	newer := false
	for q.int(carrier).text(receipt.CarrierID).int(seq); q.next(); {
		seq, part, newer = q.readInt(), int(q.readInt()), true
	}
	if q.err != nil || !newer {
		return m, r, part, q.err
	}
	q = prepare(tx.conn, "SELECT "+messageColumns+" FROM messages m WHERE seq = ?")
	for q.int(seq); q.next(); {
		m, r = s.readMessage(tx.conn, &q)
	}
	return m, r, part, q.err
}

// findHeld finds the message that was marked first of those held with the receipt's carrier, sender and destination.
func (s *Store) findHeld(tx *tx, carrier int64, receipt *gateway.Receipt) (m *gateway.Message, r row, err error) {
	if receipt.From == "" || receipt.To == "" {
		return nil, row{}, nil
	}
	q := prepare(tx.conn, "SELECT "+messageColumns+` FROM messages m INDEXED BY messages_marked_by_address
		WHERE carrier = ? AND sender = ? AND dst = ? AND state = 0 AND marked_at IS NOT NULL AND mark = ? ORDER BY marked_at, seq LIMIT 1`)
	for q.int(carrier).text(receipt.From).text(receipt.To).int(int64(held)); q.next(); {
		m, r = s.readMessage(tx.conn, &q)
	}
	return m, r, q.err
}

// unknownPart is the first part of which it is not known that the carrier has it.
func (r *row) unknownPart() int {
	for part := 1; part < r.Parts; part++ {
		if !r.Taken.Has(part) {
			return part
		}
	}
	return max(r.Parts, 1)
}

// park keeps a receipt until a submit brings its id. One with neither an id nor a message to its addresses can never be placed.
func (tx *tx) park(carrier int64, receipt *gateway.Receipt) (gateway.Applied, error) {
	if receipt.CarrierID == "" {
		return gateway.Applied{}, nil
	}
	q := prepare(tx.conn, `INSERT INTO parked (carrier, carrier_id, outcome, reason, detail, at, sender, dst) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT DO NOTHING`)
	q.int(carrier).text(receipt.CarrierID).int(int64(receipt.Outcome)).int(int64(receipt.Reason)).textOrNull(receipt.Detail).
		time(receipt.At).textOrNull(receipt.From).textOrNull(receipt.To)
	if err := q.run(); err != nil {
		return gateway.Applied{}, err
	}
	tx.parked += int64(tx.conn.Changes())
	return gateway.Applied{Parked: true}, nil
}

const parkedColumns = "carrier_id, outcome, reason, detail, at"

func readParked(q *query) gateway.Receipt {
	return gateway.Receipt{
		CarrierID: q.readText(), Outcome: gateway.ReceiptOutcome(q.readInt()), Reason: gateway.Reason(q.readInt()),
		Detail: q.readText(), At: q.readTime(),
	}
}

// adoptParked applies the receipts that were parked for the parts of a record, by their ids; a message that is held now takes those that
// came for its addresses since it was marked.
func (tx *tx) adoptParked(r *row, carrier int64, record *gateway.SubmitRecord, steps []gateway.Step) ([]gateway.Step, error) {
	if tx.parked == 0 {
		return steps, nil
	}
	for i := range record.Results {
		result := &record.Results[i]
		if result.Status != gateway.Accepted || result.CarrierID == "" {
			continue
		}
		receipt, ok, err := tx.unpark(carrier, result.CarrierID)
		if err != nil {
			return steps, err
		}
		if ok {
			steps = append(steps, r.Receipted(result.Number, receipt)...)
		}
	}
	if r.mark != held || r.State != gateway.Queued {
		return steps, nil
	}
	return tx.adoptByAddress(r, carrier, record.Message.From, record.Message.To, steps)
}

// clockDoubt is how far a carrier's time of a receipt may lie before ours: many give it in minutes.
const clockDoubt = time.Minute

// adoptByAddress applies parked receipts to a held message, the earliest first, as long as they leave it held.
func (tx *tx) adoptByAddress(r *row, carrier int64, from, to string, steps []gateway.Step) ([]gateway.Step, error) {
	for range gateway.MaxParts {
		if tx.parked == 0 || r.State != gateway.Queued {
			break
		}
		q := prepare(tx.conn, "SELECT "+parkedColumns+` FROM parked WHERE carrier = ? AND sender = ? AND dst = ? AND at >= ?
			ORDER BY at LIMIT 1`)
		var receipt gateway.Receipt
		found := false
		for q.int(carrier).text(from).text(to).time(r.markedAt.Add(-clockDoubt)); q.next(); {
			receipt, found = readParked(&q), true
		}
		if q.err != nil || !found {
			return steps, q.err
		}
		if _, _, err := tx.unpark(carrier, receipt.CarrierID); err != nil {
			return steps, err
		}
		part := r.unknownPart()
		if err := tx.keepPart(r, carrier, receipt.CarrierID, max(r.Parts, 1), part); err != nil {
			return steps, err
		}
		steps = append(steps, r.Receipted(part, receipt)...)
	}
	return steps, nil
}

// unpark takes the receipt with that id out of those parked.
func (tx *tx) unpark(carrier int64, carrierID string) (receipt gateway.Receipt, ok bool, err error) {
	q := prepare(tx.conn, "DELETE FROM parked WHERE carrier = ? AND carrier_id = ? RETURNING "+parkedColumns)
	for q.int(carrier).text(carrierID); q.next(); {
		receipt, ok = readParked(&q), true
		tx.parked--
	}
	return receipt, ok, q.err
}
