package sqlite

import (
	"context"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/heliograph/heliograph/internal/gateway"
)

// holdMarked holds what was marked as submitting when the last process ended: whether the carrier has it is not known. Receipts that were
// parked meanwhile may tell.
func (s *Store) holdMarked(tx *tx) error {
	q := prepare(tx.conn, "SELECT seq FROM messages INDEXED BY messages_marked "+
		"WHERE state = 0 AND marked_at IS NOT NULL AND mark = ? ORDER BY marked_at, seq")
	var left []int64
	for q.int(int64(submitting)); q.next(); {
		left = append(left, q.readInt())
	}
	if q.err != nil {
		return q.err
	}
	for _, seq := range left {
		if err := s.hold(tx, seq); err != nil {
			return err
		}
	}
	return nil
}

// hold holds one marked message.
func (s *Store) hold(tx *tx, seq int64) error {
	var m *gateway.Message
	var before row
	q := prepare(tx.conn, "SELECT "+messageColumns+" FROM messages m WHERE seq = ?")
	for q.int(seq); q.next(); {
		m, before = s.readMessage(tx.conn, &q)
	}
	if q.err != nil {
		return q.err
	}
	carrier, _, err := s.names.carrierNumber(tx.conn, m.Carrier)
	if err != nil {
		return err
	}
	now := before
	now.mark = held
	steps, err := tx.adoptByAddress(&now, carrier, m.From, m.To, nil)
	if err != nil {
		return err
	}
	_, err = s.finish(tx, m, &before, &now, steps)
	return err
}

// HeldMessages lists messages whose submit was never answered, oldest first. Those in the carrier's hands, whose answer may still
// come, are not among them.
func (s *Store) HeldMessages(ctx context.Context, limit int) (list []gateway.Held, err error) {
	err = s.read(ctx, func(conn *sqlite.Conn) error {
		q := prepare(conn, `SELECT seq, tail, account, carrier, marked_at FROM messages INDEXED BY messages_marked
			WHERE state = 0 AND marked_at IS NOT NULL AND mark = ? ORDER BY marked_at, seq LIMIT ?`)
		for q.int(int64(held)).int(int64(limit)); q.next(); {
			m := gateway.Held{ID: idOf(q.readInt(), q.readInt())}
			if m.Account, err = s.names.account(conn, q.readInt()); err != nil {
				break
			}
			if m.Carrier, err = s.names.carrier(conn, q.readInt()); err != nil {
				break
			}
			m.MarkedAt = q.readTime()
			list = append(list, m)
		}
		if err != nil {
			q.end()
			return err
		}
		return q.err
	})
	return list, err
}

// loadHeld reads a held message; NotFound when it is not held.
func (s *Store) loadHeld(tx *tx, id gateway.ID) (m *gateway.Message, r row, err error) {
	q := prepare(tx.conn, "SELECT "+messageColumns+" FROM messages m WHERE seq = ? AND tail = ? AND state = 0 AND mark = ?")
	for q.int(id.Seq()).int(tailOf(id)).int(int64(held)); q.next(); {
		m, r = s.readMessage(tx.conn, &q)
	}
	if q.err == nil && m == nil {
		return nil, r, gateway.Errorf(gateway.NotFound, "message %s is not held", id)
	}
	return m, r, q.err
}

// ReleaseHeld puts a held message back into its lane, to be submitted again.
func (s *Store) ReleaseHeld(ctx context.Context, id gateway.ID, at time.Time) (m *gateway.Message, err error) {
	err = s.write(ctx, func(tx *tx) error {
		loaded, before, err := s.loadHeld(tx, id)
		if err != nil {
			return err
		}
		now := before
		now.unmark()
		now.DueAt, now.UpdatedAt = time.Time{}, at
		loaded.Progress = now.Progress
		m = loaded
		return tx.updateRow(&before, &now, false)
	})
	if err != nil {
		return nil, err
	}
	return m, nil
}

// FailHeld ends a held message as failed.
func (s *Store) FailHeld(ctx context.Context, id gateway.ID, at time.Time) (applied gateway.Applied, err error) {
	err = s.write(ctx, func(tx *tx) error {
		m, before, err := s.loadHeld(tx, id)
		if err != nil {
			return err
		}
		now := before
		applied, err = s.finish(tx, m, &before, &now, now.Fail(gateway.DispatchFailed, at))
		return err
	})
	if err != nil {
		return gateway.Applied{}, err
	}
	return applied, nil
}
