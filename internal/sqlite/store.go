package sqlite

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/heliograph/heliograph/internal/gateway"
)

// FileName is the database in the data folder; "-wal" and "-shm" lie beside it while the store is open.
const FileName = "heliograph.db"

// Options say where the store is.
type Options struct {
	Dir string   // the data folder; made when it is not there
	Key [32]byte // seals auth tokens
	Log *slog.Logger
}

// Store is an open database. Its methods may be called from any goroutine.
type Store struct {
	// Noticed, when set, hears of notices that were just committed: a hint, for they are read from the store in time. It must be set before the store is
	// used.
	Noticed func([]gateway.Event)

	dir    string
	log    *slog.Logger
	lock   *os.File
	sealer sealer
	names  directory

	writing  chan struct{} // of capacity 1: who has sent into it owns writer
	writer   *writer
	readers  chan *sqlite.Conn // for what touches few rows, or an index alone
	listers  chan *sqlite.Conn // for lists with filters: they may take long, and then only each other's time
	patience time.Duration     // for a list
	counted  int               // places that one call of UnitsBefore counts at most
	room     int               // what the waiting segments of an account take at most
	closed   chan struct{}
	closing  sync.Once
}

// Bounds of the connections' memory and files.
const (
	readerCount     = 4
	listerCount     = 2
	writerCacheKiB  = 32 << 10
	readerCacheKiB  = 4 << 10
	checkpointPages = 8000 // of 4 KiB in the log before they are carried into the database: pages written over meanwhile are carried once
	logSizeLimit    = 64 << 20
	busyTimeout     = 10 * time.Second
	listPatience    = 10 * time.Second
)

// Open opens the store of a data folder, makes it when there is none, and brings its schema up to date. It fails at once when another
// process has it open.
func Open(ctx context.Context, options Options) (*Store, error) {
	if err := os.MkdirAll(options.Dir, 0o700); err != nil {
		return nil, err
	}
	lock, err := lockFolder(options.Dir)
	if err != nil {
		return nil, err
	}
	s := &Store{
		dir: options.Dir, log: options.Log, lock: lock,
		writing: make(chan struct{}, 1), closed: make(chan struct{}), patience: listPatience, counted: countedPlaces, room: inboundRoom,
		readers: make(chan *sqlite.Conn, readerCount), listers: make(chan *sqlite.Conn, listerCount),
	}
	if err := s.open(ctx, options.Key); err != nil {
		return nil, errors.Join(fmt.Errorf("store %s: %w", s.path(), err), s.release())
	}
	return s, nil
}

func (s *Store) path() string { return filepath.Join(s.dir, FileName) }

func (s *Store) open(ctx context.Context, key [32]byte) (err error) {
	if s.sealer, err = newSealer(key); err != nil {
		return err
	}
	// The log and the index of the log take their permissions from the database: nobody else reads messages.
	file, err := os.OpenFile(s.path(), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	if err := file.Close(); err != nil {
		return err
	}
	conn, err := connect(s.path(), fmt.Sprintf("cache_size = -%d", writerCacheKiB), "secure_delete = ON")
	if err != nil {
		return err
	}
	s.writer = &writer{conn: conn}
	if err := migrate(conn, schemaFiles); err != nil {
		return err
	}
	for _, pool := range []chan *sqlite.Conn{s.readers, s.listers} {
		for range cap(pool) {
			reader, err := connect(s.path(), fmt.Sprintf("cache_size = -%d", readerCacheKiB), "query_only = on")
			if err != nil {
				return err
			}
			pool <- reader
		}
	}
	return s.write(ctx, s.resume)
}

// connect opens a connection in WAL mode that flushes the log on every commit.
func connect(path string, settings ...string) (*sqlite.Conn, error) {
	conn, err := sqlite.OpenConn(path, sqlite.OpenReadWrite, sqlite.OpenWAL)
	if err != nil {
		return nil, err
	}
	conn.SetBusyTimeout(busyTimeout)
	settings = append([]string{
		"synchronous = FULL", "temp_store = MEMORY",
		fmt.Sprintf("wal_autocheckpoint = %d", checkpointPages), fmt.Sprintf("journal_size_limit = %d", logSizeLimit),
	}, settings...)
	for _, setting := range settings {
		if err := sqlitex.ExecuteTransient(conn, "PRAGMA "+setting, nil); err != nil {
			return nil, errors.Join(err, conn.Close())
		}
	}
	return conn, nil
}

// resume reads what the writer keeps in memory, and holds what the last process left unanswered.
func (s *Store) resume(tx *tx) error {
	if err := s.checkKey(tx); err != nil {
		return err
	}
	q := prepare(tx.conn, `SELECT (SELECT max(ifnull((SELECT max(id) FROM events), 0), ifnull((SELECT max(id) FROM notices), 0), value)
			FROM settings WHERE name = 'last event'),
		(SELECT count(*) FROM parked), (SELECT value FROM settings WHERE name = 'texts removed until')`)
	for q.next() {
		tx.lastEvent, tx.parked, tx.textsUntil = q.readInt(), q.readInt(), q.readInt()
	}
	if q.err != nil {
		return q.err
	}
	tx.removed = 1 // what the last process left in the log is not known
	return s.holdMarked(tx)
}

// checkKey refuses a key that is not the one the store was made with.
func (s *Store) checkKey(tx *tx) error {
	q := prepare(tx.conn, "SELECT value FROM settings WHERE name = 'probe'")
	if q.next() {
		sealed := q.readBlob()
		q.end()
		_, err := s.sealer.open(sealed, probeOwner)
		return err
	}
	if q.err != nil {
		return q.err
	}
	q = prepare(tx.conn, "INSERT INTO settings (name, value) VALUES ('probe', ?)")
	return q.blob(s.sealer.probe()).run()
}

// Close waits for what is under way, carries the log into the database and gives the folder free. Later calls of any method are
// answered Unavailable.
func (s *Store) Close() (err error) {
	s.closing.Do(func() {
		close(s.closed)
		s.writing <- struct{}{}
		err = s.release()
	})
	return err
}

// release closes what open opened. It waits for the readers.
func (s *Store) release() error {
	if s.writer == nil {
		return s.lock.Close()
	}
	errs := []error{s.drain(s.readers), s.drain(s.listers)}
	// The log is as good as the database it would be carried into: a full disk does not spoil the end.
	if err := sqlitex.ExecuteTransient(s.writer.conn, "PRAGMA wal_checkpoint(TRUNCATE)", nil); err != nil {
		s.log.Warn("the store's log could not be carried into the database; the next start does it", "err", err)
	}
	errs = append(errs, s.writer.conn.Close(), s.lock.Close())
	return errors.Join(errs...)
}

// drain closes the connections of a pool, waiting for those in use. While the store is being opened none is, and some may be missing.
func (s *Store) drain(pool chan *sqlite.Conn) error {
	n := cap(pool)
	if !s.isClosed() {
		n = len(pool)
	}
	var errs []error
	for range n {
		errs = append(errs, (<-pool).Close())
	}
	return errors.Join(errs...)
}

func (s *Store) isClosed() bool {
	select {
	case <-s.closed:
		return true
	default:
		return false
	}
}
