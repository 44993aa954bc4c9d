package sqlite

import (
	"context"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/heliograph/heliograph/internal/gateway"
)

// What became of an event.
const (
	eventTold   = 1
	eventGaveUp = 2
)

// Endpoints counts the events that are not told yet, by endpoint, from the indexes alone.
func (s *Store) Endpoints(ctx context.Context) ([]gateway.EndpointCount, error) {
	var list []gateway.EndpointCount
	err := s.snapshot(ctx, func(conn *sqlite.Conn) error {
		places := map[int64]int{}
		q := prepare(conn, `SELECT endpoint, count(*) FROM events INDEXED BY events_fresh WHERE outcome = 0 AND attempt = 0 GROUP BY endpoint
			UNION ALL SELECT endpoint, count(*) FROM notices INDEXED BY notices_fresh WHERE outcome = 0 AND attempt = 0 GROUP BY endpoint`)
		for q.next() {
			count := gateway.EndpointCount{Endpoint: q.readInt(), Fresh: int(q.readInt())}
			places[count.Endpoint] = len(list)
			list = append(list, count)
		}
		if q.err != nil {
			return q.err
		}
		q = prepare(conn, `SELECT endpoint, count(*), min(due_at) FROM events INDEXED BY events_retry WHERE outcome = 0 AND attempt > 0 GROUP BY endpoint
			UNION ALL SELECT endpoint, count(*), min(due_at) FROM notices INDEXED BY notices_retry WHERE outcome = 0 AND attempt > 0 GROUP BY endpoint`)
		for q.next() {
			count := gateway.EndpointCount{Endpoint: q.readInt(), Retries: int(q.readInt()), DueAt: q.readInt()}
			if i, ok := places[count.Endpoint]; ok {
				list[i].Retries, list[i].DueAt = count.Retries, count.DueAt
			} else {
				list = append(list, count)
			}
		}
		return q.err
	})
	return list, err
}

const eventColumns = "e.id, e.sequence, e.state, e.reason, e.at, e.sent_at, e.reported_at, e.attempt, " + messageColumns

// readEvents reads all rows of a statement with eventColumns. Events of one message share it.
func (s *Store) readEvents(conn *sqlite.Conn, q *query) ([]gateway.Event, error) {
	var list []gateway.Event
	for q.next() {
		e := gateway.Event{ID: q.readInt(), Sequence: int(q.readInt()), State: gateway.State(q.readInt()), Reason: gateway.Reason(q.readInt())}
		e.At, e.SentAt, e.ReportedAt, e.Attempt = q.readTime(), q.readTime(), q.readTime(), int(q.readInt())
		e.Message, _ = s.readMessage(conn, q)
		list = append(list, e)
	}
	return list, q.err
}

// FreshEvents reads events of an endpoint that were never tried, with IDs greater than after, in their order.
func (s *Store) FreshEvents(ctx context.Context, endpoint, after int64, limit int) (list []gateway.Event, err error) {
	err = s.read(ctx, func(conn *sqlite.Conn) error {
		if endpoint < 0 {
			list, err = freshNotices(conn, endpoint, after, limit)
			return err
		}
		q := prepare(conn, "SELECT "+eventColumns+` FROM events e INDEXED BY events_fresh CROSS JOIN messages m ON m.seq = e.seq
			WHERE e.endpoint = ? AND e.id > ? AND e.outcome = 0 AND e.attempt = 0 ORDER BY e.id LIMIT ?`)
		q.int(endpoint).int(after).int(int64(limit))
		list, err = s.readEvents(conn, &q)
		return err
	})
	return list, err
}

// RetryEvents reads events of an endpoint whose next attempt is due at now, earliest first.
func (s *Store) RetryEvents(ctx context.Context, endpoint int64, now time.Time, limit int) (list []gateway.Event, err error) {
	err = s.read(ctx, func(conn *sqlite.Conn) error {
		if endpoint < 0 {
			list, err = dueNotices(conn, endpoint, now, limit)
			return err
		}
		q := prepare(conn, "SELECT "+eventColumns+` FROM events e INDEXED BY events_retry CROSS JOIN messages m ON m.seq = e.seq
			WHERE e.endpoint = ? AND e.due_at <= ? AND e.outcome = 0 AND e.attempt > 0 ORDER BY e.due_at, e.id LIMIT ?`)
		q.int(endpoint).time(now).int(int64(limit))
		list, err = s.readEvents(conn, &q)
		return err
	})
	return list, err
}

// RecordAttempts closes events, gives them up, or sets when they are tried again. An attempt that was recorded already, or comes for
// an event that is closed, changes nothing. The message from a handset that an event told is handed over when it is told, and is not when it is given up.
func (s *Store) RecordAttempts(ctx context.Context, attempts []gateway.Attempt) error {
	return s.write(ctx, func(tx *tx) error {
		for i := range attempts {
			a := &attempts[i]
			outcome, due := int64(0), a.DueAtMicro
			switch {
			case a.Done:
				outcome, due = eventTold, 0
			case a.GaveUp:
				outcome, due = eventGaveUp, 0
			}
			for _, sql := range [...]string{recordOfEvent, recordOfNotice} {
				q := prepare(tx.conn, sql)
				q.int(outcome).int(int64(a.Number)).int(a.AtMicro).int(int64(a.Status)).int(int64(a.Latency)).textOrNull(a.Error).int(due).
					int(a.Event)
				if err := q.run(); err != nil {
					return err
				}
				if tx.conn.Changes() > 0 { // ids of notices are none of events
					break
				}
			}
			if a.Inbound.IsZero() || outcome == 0 || tx.conn.Changes() == 0 {
				continue
			}
			if err := tx.handOver(a); err != nil {
				return err
			}
		}
		return nil
	})
}

const (
	recordOfEvent  = "UPDATE events" + recordAttempt
	recordOfNotice = "UPDATE notices" + recordAttempt
	recordAttempt  = ` SET outcome = ?, attempt = ?, tried_at = ?, status = ?, latency = ?, error = ?, due_at = ?
		WHERE id = ? AND outcome = 0 AND attempt < ?2`
)
