package sqlite

import (
	"context"
	"errors"
	"io/fs"
	"os"

	"zombiezen.com/go/sqlite"
)

// Stats are the sizes of the store's files in octets.
type Stats struct {
	Database int64
	Log      int64 // written ahead and not yet carried into the database
}

// Stats measures the files.
func (s *Store) Stats() (stats Stats, err error) {
	if stats.Database, err = sizeOf(s.path()); err != nil {
		return stats, err
	}
	stats.Log, err = sizeOf(s.path() + "-wal")
	return stats, err
}

func sizeOf(path string) (int64, error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return 0, nil
	case err != nil:
		return 0, err
	}
	return info.Size(), nil
}

// Check tells whether the store can keep something: it commits a tiny change, flushed like every other.
func (s *Store) Check(ctx context.Context) error {
	return s.write(ctx, func(tx *tx) error {
		return execute(tx.conn, "UPDATE settings SET value = value + 1 WHERE name = 'checks'")
	})
}

// LastSeq is the greatest Seq in use, for gateway.IDSource.Resume.
func (s *Store) LastSeq(ctx context.Context) (last int64, err error) {
	err = s.snapshot(ctx, func(conn *sqlite.Conn) error {
		q := prepare(conn, "SELECT ifnull(max(seq), 0) FROM messages")
		for q.next() {
			last = q.readInt()
		}
		if q.err != nil {
			return q.err
		}
		q = prepare(conn, "SELECT id, pool FROM powerpacks")
		for q.next() {
			last = max(last, q.readID().Seq(), q.readID().Seq())
		}
		return q.err
	})
	return last, err
}
