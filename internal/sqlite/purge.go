package sqlite

import (
	"context"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/heliograph/heliograph/internal/gateway"
)

// purgeBatch bounds the rows that one step of a purge touches: the writer is taken for some milliseconds.
const purgeBatch = 500

// Purge removes what has become too old, some of it at a time: more tells that there may be more to remove. Each kind is a transaction of its
// own; none holds up the writer for long. Times are those in the messages' IDs.
func (s *Store) Purge(ctx context.Context, retention gateway.Retention) (more bool, err error) {
	steps := []func() (bool, error){
		func() (bool, error) { return s.purgeTexts(ctx, retention.Texts) },
		func() (bool, error) { return s.purgeRecords(ctx, retention.Records) },
		func() (bool, error) { return s.purgeTold(ctx, retention.Told) },
		func() (bool, error) { return s.purgeNotices(ctx, retention.Told, retention.Records) },
		func() (bool, error) {
			return s.purgeRows(ctx, retention.Keys, `DELETE FROM idempotency WHERE (account, key) IN
				(SELECT account, key FROM idempotency WHERE at < ? ORDER BY at LIMIT ?)`, nil)
		},
		func() (bool, error) {
			return s.purgeRows(ctx, retention.Parked, `DELETE FROM parked WHERE (carrier, carrier_id) IN
				(SELECT carrier, carrier_id FROM parked WHERE at < ? ORDER BY at LIMIT ?)`, func(tx *tx, n int64) { tx.parked -= n })
		},
		func() (bool, error) { return s.purgeSticky(ctx) },
		func() (bool, error) { return s.purgeSeen(ctx) },
	}
	for _, step := range steps {
		left, err := step()
		if err != nil {
			return more, err
		}
		more = more || left
	}
	return more, nil
}

// purgeRows runs one bounded DELETE.
func (s *Store) purgeRows(ctx context.Context, before time.Time, sql string, deleted func(*tx, int64)) (more bool, err error) {
	if before.IsZero() {
		return false, nil
	}
	err = s.write(ctx, func(tx *tx) error {
		q := prepare(tx.conn, sql)
		if err := q.time(before).int(purgeBatch).run(); err != nil {
			return err
		}
		n := int64(tx.conn.Changes())
		more = n == purgeBatch
		if deleted != nil {
			deleted(tx, n)
		}
		return nil
	})
	return more, err
}

// purgeTexts removes the contents of messages accepted before. It goes on from where it was; a message that is still queued then, or not handed
// over yet, keeps its text until it is.
func (s *Store) purgeTexts(ctx context.Context, before time.Time) (more bool, err error) {
	if before.IsZero() {
		return false, nil
	}
	err = s.write(ctx, func(tx *tx) error {
		until, n := gateway.SeqAt(before), 0
		if until <= tx.textsUntil {
			return nil
		}
		q := prepare(tx.conn, "SELECT seq FROM messages WHERE seq >= ? AND seq < ? ORDER BY seq LIMIT ?")
		last := int64(0)
		for q.int(tx.textsUntil).int(until).int(purgeBatch); q.next(); n++ {
			last = q.readInt()
		}
		if q.err != nil {
			return q.err
		}
		if more = n == purgeBatch; more {
			until = last + 1
		}
		q = prepare(tx.conn, `UPDATE messages SET text = NULL, media_urls = NULL, media_ids = NULL, subject = NULL
			WHERE seq >= ? AND seq < ? AND state <> 0 AND NOT (state = ? AND callback_url IS NOT NULL)
				AND (text IS NOT NULL OR media_urls IS NOT NULL OR media_ids IS NOT NULL OR subject IS NOT NULL)`)
		if err := q.int(tx.textsUntil).int(until).int(int64(gateway.Received)).run(); err != nil {
			return err
		}
		tx.textsUntil = until
		tx.removed += int64(tx.conn.Changes())
		q = prepare(tx.conn, "UPDATE settings SET value = ? WHERE name = 'texts removed until'")
		return q.int(until).run()
	})
	return more, err
}

// purgeRecords removes messages accepted before with all that belongs to them; those still queued stay.
func (s *Store) purgeRecords(ctx context.Context, before time.Time) (more bool, err error) {
	if before.IsZero() {
		return false, nil
	}
	err = s.write(ctx, func(tx *tx) error {
		q := prepare(tx.conn, "SELECT seq FROM messages WHERE seq < ? AND state <> 0 ORDER BY seq LIMIT ?")
		var old []int64
		for q.int(gateway.SeqAt(before)).int(purgeBatch); q.next(); {
			old = append(old, q.readInt())
		}
		if q.err != nil {
			return q.err
		}
		more = len(old) == purgeBatch
		tx.removed += int64(len(old)) // texts are kept as long as records where the settings say so
		for _, seq := range old {
			for _, sql := range []string{
				"DELETE FROM events WHERE seq = ?", "DELETE FROM parts WHERE seq = ?", "DELETE FROM conversions WHERE seq = ?",
				"DELETE FROM inbound_answers WHERE seq = ?", "DELETE FROM messages WHERE seq = ?",
			} {
				q := prepare(tx.conn, sql)
				if err := q.int(seq).run(); err != nil {
					return err
				}
			}
		}
		return tx.keepLastEvent()
	})
	return more, err
}

// keepLastEvent notes the greatest id of an event before the event itself is removed: ids are never given twice, also after a restart.
func (tx *tx) keepLastEvent() error {
	q := prepare(tx.conn, "UPDATE settings SET value = ? WHERE name = 'last event' AND value < ?1")
	return q.int(tx.lastEvent).run()
}

// purgeTold removes events that were told, or given up, before. IDs of events follow the order in which they were made, so the old ones are at the
// front; the search ends with the first stretch that has none.
func (s *Store) purgeTold(ctx context.Context, before time.Time) (more bool, err error) {
	if before.IsZero() {
		return false, nil
	}
	var old []int64
	err = s.snapshot(ctx, func(conn *sqlite.Conn) error {
		after, oldest := int64(0), true
		for oldest && len(old) == 0 {
			oldest = false
			q := prepare(conn, "SELECT id, at, outcome, tried_at FROM events WHERE id > ? ORDER BY id LIMIT ?")
			for q.int(after).int(purgeBatch); q.next(); {
				after = q.readInt()
				at, outcome, tried := q.readInt(), q.readInt(), q.readInt()
				oldest = oldest || at < micros(before)
				if outcome != 0 && tried < micros(before) {
					old = append(old, after)
				}
			}
			if q.err != nil {
				return q.err
			}
		}
		return nil
	})
	if err != nil || len(old) == 0 {
		return false, err
	}
	return true, s.write(ctx, func(tx *tx) error {
		for _, id := range old {
			q := prepare(tx.conn, "DELETE FROM events WHERE id = ? AND outcome <> 0")
			if err := q.int(id).run(); err != nil {
				return err
			}
		}
		return tx.keepLastEvent()
	})
}

// purgeSticky removes sticky choices of powerpacks that are gone.
func (s *Store) purgeSticky(ctx context.Context) (more bool, err error) {
	var gone int64
	err = s.read(ctx, func(conn *sqlite.Conn) error {
		q := prepare(conn, "SELECT number FROM powerpacks_removed LIMIT 1")
		for q.next() {
			gone = q.readInt()
		}
		return q.err
	})
	if err != nil || gone == 0 {
		return false, err
	}
	return true, s.write(ctx, func(tx *tx) error {
		q := prepare(tx.conn, "DELETE FROM sticky WHERE powerpack = ?1 AND dst IN (SELECT dst FROM sticky WHERE powerpack = ?1 LIMIT ?2)")
		if err := q.int(gone).int(purgeBatch).run(); err != nil {
			return err
		}
		if tx.conn.Changes() == purgeBatch {
			return nil
		}
		q = prepare(tx.conn, "DELETE FROM powerpacks_removed WHERE number = ?")
		return q.int(gone).run()
	})
}
