package sqlite

import (
	"context"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/heliograph/heliograph/internal/gateway"
)

// writeNoticing runs fn in a transaction, and afterwards hands over the notices that it made.
func (s *Store) writeNoticing(ctx context.Context, fn func(*tx) error) error {
	var made []gateway.Event
	err := s.write(ctx, func(tx *tx) error {
		err := fn(tx)
		made = tx.notices
		return err
	})
	if err == nil && len(made) > 0 && s.Noticed != nil {
		s.Noticed(made)
	}
	return err
}

// notice keeps a notice until it is told. Without a callback URL there is nobody to tell.
func (tx *tx) notice(n gateway.Notice, at time.Time) error {
	if n.Callback.URL == "" {
		return nil
	}
	tx.lastEvent++
	e := n.Event(tx.lastEvent, at)
	q := prepare(tx.conn, `INSERT INTO notices (id, endpoint, kind, account, registration, registered, parent, dialled, state, reason, code, callback_url, callback_method, at,
		outcome, attempt, tried_at, status, latency, error, due_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, 0, 0, 0, 0, NULL, 0)`)
	q.int(e.ID).int(e.Endpoint()).int(int64(n.Kind)).text(string(n.Account)).text(n.Registration).int(int64(n.Of)).textOrNull(n.Parent).textOrNull(n.Number).
		int(int64(n.State)).textOrNull(n.Reason).textOrNull(n.Code).text(n.Callback.URL).text(n.Callback.Method).time(at)
	tx.notices = append(tx.notices, e)
	return q.run()
}

const noticeColumns = "id, kind, account, registration, registered, parent, dialled, state, reason, code, callback_url, callback_method, at, attempt"

func readNotices(q *query) (list []gateway.Event, err error) {
	for q.next() {
		id := q.readInt()
		n := gateway.Notice{
			Kind: gateway.NoticeKind(q.readInt()), Account: gateway.AccountID(q.readText()), Registration: q.readText(), Of: gateway.RegistrationKind(q.readInt()),
			Parent: q.readText(), Number: q.readText(), State: gateway.RegistrationState(q.readInt()), Reason: q.readText(), Code: q.readText(),
			Callback: gateway.Callback{URL: q.readText(), Method: q.readText()},
		}
		e := n.Event(id, q.readTime())
		e.Attempt = int(q.readInt())
		list = append(list, e)
	}
	return list, q.err
}

// freshNotices is FreshEvents where the endpoint is one of notices.
func freshNotices(conn *sqlite.Conn, endpoint, after int64, limit int) ([]gateway.Event, error) {
	q := prepare(conn, "SELECT "+noticeColumns+` FROM notices INDEXED BY notices_fresh
		WHERE endpoint = ? AND id > ? AND outcome = 0 AND attempt = 0 ORDER BY id LIMIT ?`)
	q.int(endpoint).int(after).int(int64(limit))
	return readNotices(&q)
}

// dueNotices is RetryEvents where the endpoint is one of notices.
func dueNotices(conn *sqlite.Conn, endpoint int64, now time.Time, limit int) ([]gateway.Event, error) {
	q := prepare(conn, "SELECT "+noticeColumns+` FROM notices INDEXED BY notices_retry
		WHERE endpoint = ? AND due_at <= ? AND outcome = 0 AND attempt > 0 ORDER BY due_at, id LIMIT ?`)
	q.int(endpoint).time(now).int(int64(limit))
	return readNotices(&q)
}

// purgeNotices removes notices that were told, or given up, before the one time, and all that were made before the other.
func (s *Store) purgeNotices(ctx context.Context, told, records time.Time) (more bool, err error) {
	if told.IsZero() && records.IsZero() {
		return false, nil
	}
	err = s.write(ctx, func(tx *tx) error {
		q := prepare(tx.conn, `DELETE FROM notices WHERE id IN
			(SELECT id FROM notices WHERE outcome <> 0 AND tried_at < ? OR at < ? LIMIT ?)`)
		if err := q.time(told).time(records).int(purgeBatch).run(); err != nil {
			return err
		}
		more = tx.conn.Changes() == purgeBatch
		return tx.keepLastEvent()
	})
	return more, err
}
