package sqlite

import (
	"context"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/heliograph/heliograph/internal/gateway"
)

// Lanes counts what is queued, from the index alone: a million rows take some tenths of a second and no memory but the result's.
func (s *Store) Lanes(ctx context.Context) ([]gateway.LaneCount, error) {
	var lanes []gateway.LaneCount
	err := s.read(ctx, func(conn *sqlite.Conn) error {
		q := prepare(conn, `SELECT sender, carrier, count(*), sum(units) FROM messages INDEXED BY messages_queued
			WHERE state = 0 AND marked_at IS NULL AND due_at IS NULL GROUP BY shard, sender, carrier`)
		for q.next() {
			lane := gateway.LaneCount{LaneKey: gateway.LaneKey{Sender: q.readText()}}
			carrier, err := s.names.carrier(conn, q.readInt())
			if err != nil {
				q.end()
				return err
			}
			lane.Carrier, lane.Messages, lane.Units = carrier, int(q.readInt()), int(q.readInt())
			lanes = append(lanes, lane)
		}
		return q.err
	})
	return lanes, err
}

// QueuedMessages reads the next messages of given lanes; results are in the order of the cursors.
func (s *Store) QueuedMessages(ctx context.Context, cursors []gateway.LaneCursor) ([][]*gateway.Message, error) {
	lanes := make([][]*gateway.Message, len(cursors))
	err := s.read(ctx, func(conn *sqlite.Conn) error {
		for i, c := range cursors {
			carrier, ok, err := s.names.carrierNumber(conn, c.Carrier)
			if err != nil {
				return err
			}
			if !ok {
				continue
			}
			q := prepare(conn, "SELECT "+messageColumns+` FROM messages m INDEXED BY messages_queued
				WHERE shard = ? AND sender = ? AND carrier = ? AND seq > ? AND state = 0 AND marked_at IS NULL AND due_at IS NULL
				ORDER BY seq LIMIT ?`)
			q.int(int64(gateway.ShardOf(c.Sender))).text(c.Sender).int(carrier).int(c.After).int(int64(c.Limit))
			if lanes[i], err = s.readMessages(conn, &q); err != nil {
				return err
			}
		}
		return nil
	})
	return lanes, err
}

// DueRetries reads deferred messages of a carrier that are due at now, earliest first.
func (s *Store) DueRetries(ctx context.Context, carrier string, now time.Time, limit int) (due []*gateway.Message, err error) {
	err = s.read(ctx, func(conn *sqlite.Conn) error {
		number, ok, err := s.names.carrierNumber(conn, carrier)
		if err != nil || !ok {
			return err
		}
		q := prepare(conn, "SELECT "+messageColumns+` FROM messages m INDEXED BY messages_due
			WHERE carrier = ? AND due_at <= ? AND state = 0 AND marked_at IS NULL AND due_at IS NOT NULL
			ORDER BY due_at, seq LIMIT ?`)
		q.int(number).time(now).int(int64(limit))
		due, err = s.readMessages(conn, &q)
		return err
	})
	return due, err
}

// NextRetry is when the earliest deferred message of a carrier is due; zero when there is none.
func (s *Store) NextRetry(ctx context.Context, carrier string) (next time.Time, err error) {
	err = s.read(ctx, func(conn *sqlite.Conn) error {
		number, ok, err := s.names.carrierNumber(conn, carrier)
		if err != nil || !ok {
			return err
		}
		q := prepare(conn, `SELECT due_at FROM messages INDEXED BY messages_due
			WHERE carrier = ? AND state = 0 AND marked_at IS NULL AND due_at IS NOT NULL ORDER BY due_at LIMIT 1`)
		for q.int(number); q.next(); {
			next = q.readTime()
		}
		return q.err
	})
	return next, err
}

// ExpiredMessages reads queued messages whose expiry is not after now, the longest expired first; those marked as submitting are not
// among them.
func (s *Store) ExpiredMessages(ctx context.Context, now time.Time, limit int) (expired []*gateway.Message, err error) {
	err = s.read(ctx, func(conn *sqlite.Conn) error {
		q := prepare(conn, "SELECT "+messageColumns+` FROM messages m INDEXED BY messages_expiring
			WHERE expires_at <= ? AND state = 0 AND marked_at IS NULL ORDER BY expires_at, seq LIMIT ?`)
		q.time(now).int(int64(limit))
		expired, err = s.readMessages(conn, &q)
		return err
	})
	return expired, err
}
