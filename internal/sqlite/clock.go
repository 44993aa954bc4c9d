package sqlite

import (
	"context"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/heliograph/heliograph/internal/gateway"
)

// SaveClocks keeps when limited senders are free again, and exactly what of daily caps is used up, and notes that the stop is a clean one.
func (s *Store) SaveClocks(ctx context.Context, free map[string]int64, used []gateway.Usage) error {
	return s.write(ctx, func(tx *tx) error {
		if err := execute(tx.conn, "DELETE FROM clocks"); err != nil {
			return err
		}
		for sender, at := range free {
			q := prepare(tx.conn, "INSERT INTO clocks (sender, free) VALUES (?, ?)")
			if err := q.text(sender).int(at).run(); err != nil {
				return err
			}
		}
		for _, u := range used {
			q := prepare(tx.conn, "INSERT OR REPLACE INTO usage (kind, name, day, units) VALUES (?, ?, ?, ?)")
			if err := q.int(int64(u.Kind)).text(u.Name).int(int64(u.Day)).int(int64(u.Units)).run(); err != nil {
				return err
			}
		}
		return execute(tx.conn, "UPDATE settings SET value = 1 WHERE name = 'clean stop'")
	})
}

// TakeClocks reads the clocks and clears them, so that they count once. ok is false when the last stop was not clean; a new store counts as
// stopped cleanly, for nothing was ever sent from it.
func (s *Store) TakeClocks(ctx context.Context) (free map[string]int64, ok bool, err error) {
	err = s.write(ctx, func(tx *tx) error {
		free, ok = map[string]int64{}, false
		q := prepare(tx.conn, "SELECT value FROM settings WHERE name = 'clean stop'")
		for q.next() {
			ok = q.readBool()
		}
		if q.err != nil {
			return q.err
		}
		q = prepare(tx.conn, "DELETE FROM clocks RETURNING sender, free")
		for q.next() {
			sender := q.readText()
			free[sender] = q.readInt()
		}
		if q.err != nil {
			return q.err
		}
		return execute(tx.conn, "UPDATE settings SET value = 0 WHERE name = 'clean stop'")
	})
	if err != nil {
		return nil, false, err
	}
	return free, ok, nil
}

// Traces tells what was sent lately, by sender: of messages accepted since a time, the newest first and at most so many.
func (s *Store) Traces(ctx context.Context, since time.Time, most int) (traces map[string]gateway.Trace, ok bool, err error) {
	traces = map[string]gateway.Trace{}
	looked := 0
	err = s.read(ctx, func(conn *sqlite.Conn) error {
		q := prepare(conn, `SELECT sender, units, state, iif(sent_at > 0, sent_at, updated_at) FROM messages
			WHERE seq >= ? AND direction = 0 ORDER BY seq DESC LIMIT ?`)
		for q.int(gateway.SeqAt(since)).int(int64(most) + 1); q.next(); looked++ {
			sender, units, state, left := q.readText(), int(q.readInt()), gateway.State(q.readInt()), q.readTime()
			t := traces[sender]
			if state == gateway.Queued {
				t.Waiting = max(t.Waiting, units)
			} else {
				t.Units = max(t.Units, units)
				if left.After(t.Left) {
					t.Left = left
				}
			}
			traces[sender] = t
		}
		return q.err
	})
	if err != nil {
		return nil, false, err
	}
	return traces, looked <= most, nil
}
