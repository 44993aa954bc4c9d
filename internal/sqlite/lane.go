package sqlite

import (
	"cmp"
	"context"
	"slices"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/heliograph/heliograph/internal/gateway"
)

// inLane holds for what is queued in a lane; bindLane binds its parameters.
const inLane = "shard = ? AND sender = ? AND carrier = ? AND account = ? AND state = 0 AND marked_at IS NULL AND due_at IS NULL"

const (
	countLanes = `SELECT sender, carrier, account, count(*), sum(units) FROM messages INDEXED BY messages_queued
		WHERE state = 0 AND marked_at IS NULL AND due_at IS NULL GROUP BY shard, sender, carrier, account`
	countBefore = "SELECT count(*), ifnull(sum(units), 0) FROM (SELECT units FROM messages INDEXED BY messages_queued WHERE " + inLane +
		" AND seq >= ? AND seq < ? ORDER BY seq LIMIT ?)"
)

// Lanes counts what is queued, from the index alone: a million rows take some tenths of a second and no memory but the result's.
func (s *Store) Lanes(ctx context.Context) ([]gateway.LaneCount, error) {
	var lanes []gateway.LaneCount
	err := s.read(ctx, func(conn *sqlite.Conn) error {
		q := prepare(conn, countLanes)
		for q.next() {
			key, err := s.readKey(conn, &q)
			if err != nil {
				q.end()
				return err
			}
			lanes = append(lanes, gateway.LaneCount{LaneKey: key, Messages: int(q.readInt()), Units: int(q.readInt())})
		}
		return q.err
	})
	return lanes, err
}

// readKey reads the columns sender, carrier and account.
func (s *Store) readKey(conn *sqlite.Conn, q *query) (key gateway.LaneKey, err error) {
	key.Sender = q.readText()
	if key.Carrier, err = s.names.carrier(conn, q.readInt()); err != nil {
		return key, err
	}
	key.Account, err = s.names.account(conn, q.readInt())
	return key, err
}

// bindLane binds a lane; ok is false when there never was one of that name.
func (s *Store) bindLane(conn *sqlite.Conn, q *query, key gateway.LaneKey) (ok bool, err error) {
	carrier, ok, err := s.names.carrierNumber(conn, key.Carrier)
	if err != nil || !ok {
		return false, err
	}
	account, ok, err := s.names.accountNumber(conn, key.Account)
	if err != nil || !ok {
		return false, err
	}
	q.int(int64(gateway.ShardOf(key.Sender))).text(key.Sender).int(carrier).int(account)
	return true, nil
}

// QueuedMessages reads the next messages of given lanes; results are in the order of the cursors.
func (s *Store) QueuedMessages(ctx context.Context, cursors []gateway.LaneCursor) ([][]*gateway.Message, error) {
	lanes := make([][]*gateway.Message, len(cursors))
	err := s.read(ctx, func(conn *sqlite.Conn) error {
		for i, c := range cursors {
			q := prepare(conn, "SELECT "+messageColumns+" FROM messages m INDEXED BY messages_queued WHERE "+inLane+
				" AND seq > ? ORDER BY seq LIMIT ?")
			ok, err := s.bindLane(conn, &q, c.LaneKey)
			if err != nil {
				return err
			}
			if !ok {
				continue
			}
			q.int(c.After).int(int64(c.Limit))
			if lanes[i], err = s.readMessages(conn, &q); err != nil {
				return err
			}
		}
		return nil
	})
	return lanes, err
}

// countedPlaces bounds the entries of the index that one call of UnitsBefore looks at: some tens of milliseconds.
const countedPlaces = 250_000

// UnitsBefore counts the units that are queued before given places in lanes, from the index alone: at least, where more entries than the bound
// above would have to be looked at. Lanes share the bound: what one leaves of its part is the next one's. Places in one lane are counted from each
// to the next.
func (s *Store) UnitsBefore(ctx context.Context, places []gateway.LanePosition) ([]int, error) {
	units := make([]int, len(places))
	order := make([]int, len(places))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return compareLanes(&places[a], &places[b]) })
	left, lanes := s.counted, 0
	starts := func(i int) bool { return i == 0 || places[order[i]].LaneKey != places[order[i-1]].LaneKey }
	for i := range order {
		if starts(i) {
			lanes++
		}
	}
	err := s.snapshot(ctx, func(conn *sqlite.Conn) error {
		var count laneCounter
		for i, place := range order {
			if starts(i) {
				left += count.limit
				count = laneCounter{LaneKey: places[place].LaneKey, limit: left / lanes}
				left, lanes = left-count.limit, lanes-1
			}
			if err := count.to(s, conn, places[place].Seq); err != nil {
				return err
			}
			units[place] = count.units
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return units, nil
}

func compareLanes(a, b *gateway.LanePosition) int {
	return cmp.Or(
		cmp.Compare(a.Sender, b.Sender), cmp.Compare(a.Carrier, b.Carrier), cmp.Compare(a.Account, b.Account), cmp.Compare(a.Seq, b.Seq),
	)
}

// laneCounter counts the units of a lane up to one place after the other.
type laneCounter struct {
	gateway.LaneKey
	limit int // entries that it may look at yet
	seq   int64
	units int
}

// to counts on up to a place.
func (c *laneCounter) to(s *Store, conn *sqlite.Conn, seq int64) error {
	q := prepare(conn, countBefore)
	ok, err := s.bindLane(conn, &q, c.LaneKey)
	if err != nil || !ok {
		return err
	}
	for q.int(c.seq).int(seq).int(int64(c.limit)); q.next(); {
		c.limit -= int(q.readInt())
		c.units += int(q.readInt())
	}
	c.seq = seq
	return q.err
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
			WHERE carrier = ? AND due_at < ? AND state = 0 AND marked_at IS NULL AND due_at IS NOT NULL ORDER BY due_at LIMIT 1`)
		for q.int(number).int(unpreparedFrom); q.next(); {
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
