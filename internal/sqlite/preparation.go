package sqlite

import (
	"context"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/heliograph/heliograph/internal/gateway"
)

// unpreparedFrom is what is added to the due_at of a message whose media are not there yet: a time in the year 2112.
const unpreparedFrom = 1 << 52

// inPreparation is the condition of the index messages_unprepared.
const inPreparation = "state = 0 AND marked_at IS NULL AND due_at >= 4503599627370496"

// dueOrNull binds when a message is due, or when its media are looked for next.
func (q *query) dueOrNull(p *gateway.Progress) *query {
	switch {
	case p.Unprepared:
		return q.int(unpreparedFrom + micros(p.DueAt))
	case p.DueAt.IsZero():
		return q.null()
	}
	return q.int(p.DueAt.UnixMicro())
}

// readDue reads what dueOrNull wrote.
func (q *query) readDue(p *gateway.Progress) {
	due := q.readInt()
	if p.Unprepared = due >= unpreparedFrom; p.Unprepared {
		due -= unpreparedFrom
	}
	p.DueAt = timeOf(due)
}

// UnpreparedAccounts gives the accounts that have messages whose media are to be looked for at now, in an order that does not change. It takes a few
// steps into the index for each account, however many messages that has there.
func (s *Store) UnpreparedAccounts(ctx context.Context, now time.Time) (accounts []gateway.AccountID, err error) {
	err = s.read(ctx, func(conn *sqlite.Conn) error {
		q := prepare(conn, `WITH RECURSIVE waiting (account) AS (
				SELECT min(account) FROM messages INDEXED BY messages_unprepared WHERE `+inPreparation+`
				UNION ALL
				SELECT (SELECT min(account) FROM messages INDEXED BY messages_unprepared WHERE account > w.account AND `+inPreparation+`)
					FROM waiting w WHERE w.account IS NOT NULL
			)
			SELECT account FROM waiting w WHERE account IS NOT NULL AND EXISTS (
				SELECT 1 FROM messages m INDEXED BY messages_unprepared WHERE m.account = w.account AND m.due_at <= ? AND `+inPreparation+`
			) ORDER BY account`)
		var numbers []int64
		for q.int(unpreparedFrom + micros(now)); q.next(); {
			numbers = append(numbers, q.readInt())
		}
		if q.err != nil {
			return q.err
		}
		for _, number := range numbers {
			account, err := s.names.account(conn, number)
			if err != nil {
				return err
			}
			accounts = append(accounts, account)
		}
		return nil
	})
	return accounts, err
}

// UnpreparedMessages reads messages of an account whose media are to be looked for at now, the longest due first. Those that are not recorded anew are given
// again.
func (s *Store) UnpreparedMessages(ctx context.Context, account gateway.AccountID, now time.Time, limit int) (list []*gateway.Message, err error) {
	err = s.read(ctx, func(conn *sqlite.Conn) error {
		number, ok, err := s.names.accountNumber(conn, account)
		if err != nil || !ok {
			return err
		}
		q := prepare(conn, "SELECT "+messageColumns+` FROM messages m INDEXED BY messages_unprepared
			WHERE account = ? AND due_at <= ? AND `+inPreparation+` ORDER BY due_at, seq LIMIT ?`)
		q.int(number).int(unpreparedFrom + micros(now)).int(int64(limit))
		list, err = s.readMessages(conn, &q)
		return err
	})
	return list, err
}

// RecordPreparations writes what became of the media of messages that waited for them. Results are in the order of the preparations; Moved is false for
// messages that do not wait for media any more.
func (s *Store) RecordPreparations(ctx context.Context, batch []*gateway.Preparation) ([]gateway.Applied, error) {
	return writeEach(ctx, s, len(batch), func(tx *tx, i int) (gateway.Applied, error) { return s.recordPreparation(tx, batch[i]) })
}

func (s *Store) recordPreparation(tx *tx, p *gateway.Preparation) (gateway.Applied, error) {
	m, before, err := s.loadMessage(tx, p.Message.ID)
	if err != nil || m == nil {
		return gateway.Applied{State: gateway.Failed}, err
	}
	if m.State != gateway.Queued || !m.Unprepared || before.mark != unmarked {
		return gateway.Applied{State: m.State}, nil
	}
	now := before
	steps := now.Prepared(p)
	if now.State == gateway.Queued && !now.Unprepared {
		q := prepare(tx.conn, "UPDATE messages SET media_ids = ? WHERE seq = ?")
		if err := q.list(gateway.IDTexts(p.Media)).int(before.seq).run(); err != nil {
			return gateway.Applied{}, err
		}
	}
	return s.finish(tx, m, &before, &now, steps)
}
