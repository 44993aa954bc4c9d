package sqlite

import (
	"context"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

// Contents that were removed are overwritten in the database by SQLite itself (PRAGMA secure_delete). The log still has the pages as they were
// before, until it is written over from its beginning, which on a quiet server may be never: Scrub empties it.

// scrubPatience is how long the writer waits for readers that still need the log. Whoever sends waits with it, so it is short.
const scrubPatience = 50 * time.Millisecond

// Scrub makes contents that were removed unreadable in the files as well: it carries the log into the database and empties it. It does nothing
// when nothing was removed since the last time. done is false when a reader still needed the log: try again soon.
func (s *Store) Scrub(ctx context.Context) (done bool, err error) {
	removed := int64(0)
	err = s.own(ctx, func(w *writer) error {
		removed, done = w.removed, w.removed == w.scrubbed
		return nil
	})
	if err != nil || done {
		return done, err
	}
	// Most of the work, without holding up the writer.
	err = s.readFrom(ctx, s.listers, func(conn *sqlite.Conn) error {
		_, err := checkpoint(conn, "PASSIVE")
		return err
	})
	if err != nil {
		return false, err
	}
	err = s.own(ctx, func(w *writer) error {
		w.conn.SetBusyTimeout(scrubPatience)
		defer w.conn.SetBusyTimeout(busyTimeout)
		removed = w.removed
		if done, err = checkpoint(w.conn, "TRUNCATE"); done {
			w.scrubbed = removed
		}
		return s.verdict(err)
	})
	return done && err == nil, err
}

// checkpoint carries the log into the database; done is false when somebody was in the way.
func checkpoint(conn *sqlite.Conn, mode string) (done bool, err error) {
	err = sqlitex.ExecuteTransient(conn, "PRAGMA wal_checkpoint("+mode+")", &sqlitex.ExecOptions{ResultFunc: func(stmt *sqlite.Stmt) error {
		done = stmt.ColumnInt64(0) == 0
		return nil
	}})
	return done, err
}
