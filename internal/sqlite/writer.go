package sqlite

import (
	"context"

	"zombiezen.com/go/sqlite"

	"github.com/heliograph/heliograph/internal/gateway"
)

// writer is the connection that writes and what it knows without asking. Who owns Store.writing owns it.
type writer struct {
	conn *sqlite.Conn
	counters
	unhealthy int   // writes that must pass until all is well; 0: all is well
	scrubbed  int64 // of removed: those that are gone from the log too
}

// counters are facts about the committed rows.
type counters struct {
	lastEvent  int64 // greatest id of an event: ids are never given twice
	parked     int64 // receipts without a part: none is the usual case, and then none needs to be looked for
	textsUntil int64 // messages with a smaller Seq have lost their texts, unless they are still queued
	removed    int64 // how often contents were removed; see Scrub
}

// tx is a transaction of the writer. Its counters become the writer's when it commits.
type tx struct {
	conn *sqlite.Conn
	counters
	wallets map[int64]*wallet // that it has to do with, by the numbers of all accounts that it met; nil: none yet
	notices []gateway.Event   // that it made
}

// write runs fn in a transaction. When it returns without an error the rows are on disk; with one, nothing was done. ctx ends only the wait
// for the writer: a transaction under way is short, and an unclear end would help nobody.
func (s *Store) write(ctx context.Context, fn func(*tx) error) error {
	return s.own(ctx, func(w *writer) error { return s.verdict(w.transact(fn)) })
}

// writeEach runs a step for each of n things in one transaction, and gives what the steps give in their order.
func writeEach[R any](ctx context.Context, s *Store, n int, step func(tx *tx, i int) (R, error)) ([]R, error) {
	results := make([]R, n)
	err := s.write(ctx, func(tx *tx) (err error) {
		for i := range results {
			if results[i], err = step(tx, i); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return results, nil
}

// own runs fn while nobody else has the writer.
func (s *Store) own(ctx context.Context, fn func(*writer) error) error {
	if s.isClosed() {
		return errClosed
	}
	select {
	case s.writing <- struct{}{}:
	case <-s.closed:
		return errClosed
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-s.writing }()
	return fn(s.writer)
}

// transact begins, runs fn and commits, or rolls back.
func (w *writer) transact(fn func(*tx) error) error {
	if err := execute(w.conn, "BEGIN IMMEDIATE"); err != nil {
		return err
	}
	done := false
	defer func() {
		if !done { // an error or a panic
			w.rollback()
		}
	}()
	t := tx{conn: w.conn, counters: w.counters}
	if err := fn(&t); err != nil {
		return err
	}
	if err := t.keepWallets(); err != nil {
		return err
	}
	if err := execute(w.conn, "COMMIT"); err != nil {
		return err
	}
	done, w.counters = true, t.counters
	return nil
}

// rollback ends the transaction, unless SQLite has ended it already, as it does after some errors. A rollback needs no room on the disk;
// should it fail all the same, the next BEGIN does too and says so.
func (w *writer) rollback() {
	if !w.conn.AutocommitEnabled() {
		_ = execute(w.conn, "ROLLBACK")
	}
}

// calm is how many writes must pass one after another until the store counts as healthy again: on a disk that is nearly full small ones
// pass and large ones do not, and the log is to say so once.
const calm = 20

// verdict turns what SQLite says about a write into what callers understand, and tells the log once when writes begin to fail and
// once when they pass again. Who owns the writer calls it.
func (s *Store) verdict(err error) error {
	switch {
	case err == nil:
		if s.writer.unhealthy > 0 {
			if s.writer.unhealthy--; s.writer.unhealthy == 0 {
				s.log.Info("the store can be written again")
			}
		}
		return nil
	case isRefusal(err):
		return err
	case unavailable(err):
		if s.writer.unhealthy == 0 {
			s.log.Error("the store cannot be written; what cannot be kept is refused until it can", "err", err)
		}
		s.writer.unhealthy = calm
		return gateway.Errorf(gateway.Unavailable, "the message store cannot be written at the moment; nothing was done, try again later")
	}
	return err
}
