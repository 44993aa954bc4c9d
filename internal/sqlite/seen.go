package sqlite

import (
	"context"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/heliograph/heliograph/internal/gateway"
)

// Parts that were brought are known again by rows of inbound_seen: one for each that may still come again. What a session brought and has acknowledged for
// good cannot, so its row goes. A part of another session is one that comes again when a row says that it has not been acknowledged; the row is the
// new session's from then on, so that what was brought twice with the same words is known again twice, and no more often.

// repeated tells whether a part was kept before, and notes it if it was not.
func (tx *tx) repeated(part *gateway.InboundPart) (bool, error) {
	identity := &part.Identity
	if identity.IsZero() {
		return false, nil
	}
	session := int64(identity.Session)
	var known, from int64
	q := prepare(tx.conn, `SELECT id, session FROM inbound_seen INDEXED BY inbound_seen_by_digest
		WHERE digest = ? AND at > ? AND (session <> ?3 OR ?3 = 0) ORDER BY id LIMIT 1`)
	for q.blob(identity.Digest[:]).time(part.At.Add(-gateway.RepeatWindow)).int(session); q.next(); {
		known, from = q.readInt(), q.readInt()
	}
	if q.err != nil {
		return false, q.err
	}
	if known != 0 && (from == 0 || session == 0) {
		return true, nil
	}
	if known != 0 { // written anew, so that rows stay in the order of their times
		q = prepare(tx.conn, "DELETE FROM inbound_seen WHERE id = ?")
		if err := q.int(known).run(); err != nil {
			return false, err
		}
	}
	q = prepare(tx.conn, "INSERT INTO inbound_seen (digest, session, at) VALUES (?, ?, ?)")
	return known != 0, q.blob(identity.Digest[:]).int(session).time(part.At).run()
}

// SettleSessions tells that what a session brought until a time has been acknowledged for good: when another session brings the same later, it is another
// part that says the same.
func (s *Store) SettleSessions(ctx context.Context, until map[uint64]time.Time) error {
	if len(until) == 0 {
		return nil
	}
	return s.write(ctx, func(tx *tx) error {
		for session, at := range until {
			if session == 0 {
				continue
			}
			q := prepare(tx.conn, "DELETE FROM inbound_seen WHERE session = ? AND session <> 0 AND at <= ?")
			if err := q.int(int64(session)).time(at).run(); err != nil {
				return err
			}
		}
		return nil
	})
}

// seenBatch bounds the rows that one step of a purge removes: they lie side by side.
const seenBatch = 2000

// purgeSeen removes what would not be known again any more if a part came now: as of the time of the newest.
func (s *Store) purgeSeen(ctx context.Context) (more bool, err error) {
	var oldest, newest time.Time
	err = s.read(ctx, func(conn *sqlite.Conn) error {
		q := prepare(conn, "SELECT at, (SELECT at FROM inbound_seen ORDER BY id DESC LIMIT 1) FROM inbound_seen ORDER BY id LIMIT 1")
		for q.next() {
			oldest, newest = q.readTime(), q.readTime()
		}
		return q.err
	})
	before := newest.Add(-gateway.RepeatWindow)
	if err != nil || newest.IsZero() || oldest.After(before) {
		return false, err
	}
	err = s.write(ctx, func(tx *tx) error {
		q := prepare(tx.conn, `DELETE FROM inbound_seen WHERE id IN
			(SELECT id FROM (SELECT id, at FROM inbound_seen ORDER BY id LIMIT ?) WHERE at <= ?)`)
		if err := q.int(seenBatch).time(before).run(); err != nil {
			return err
		}
		more = tx.conn.Changes() == seenBatch
		return nil
	})
	return more, err
}
