package sqlite

import (
	"context"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/heliograph/heliograph/internal/gateway"
)

// OptOutSources gives for each person the sources that it has opted out of; nil where there are none. It is asked for everything that is sent: of
// accounts without a single opt-out nothing more is read than that.
func (s *Store) OptOutSources(ctx context.Context, addressees []gateway.Addressee) ([][]string, error) {
	sources := make([][]string, len(addressees))
	err := s.snapshot(ctx, func(conn *sqlite.Conn) error {
		accounts := map[gateway.AccountID]int64{} // 0: none of it have opted out
		q := prepare(conn, "SELECT source FROM opt_outs WHERE account = ? AND person = ? ORDER BY source")
		for i := range addressees {
			a := &addressees[i]
			account, ok := accounts[a.Account]
			if !ok {
				var err error
				if account, err = s.optedOutOf(conn, a.Account); err != nil {
					return err
				}
				accounts[a.Account] = account
			}
			if account == 0 {
				continue
			}
			q.again()
			for q.int(account).text(a.Person); q.next(); {
				sources[i] = append(sources[i], q.readText())
			}
		}
		return q.err
	})
	if err != nil {
		return nil, err
	}
	return sources, nil
}

// optedOutOf is the number of an account that somebody has opted out of; 0 when nobody has.
func (s *Store) optedOutOf(conn *sqlite.Conn, id gateway.AccountID) (account int64, err error) {
	number, ok, err := s.names.accountNumber(conn, id)
	if err != nil || !ok {
		return 0, err
	}
	q := prepare(conn, "SELECT 1 FROM opt_outs WHERE account = ? LIMIT 1")
	for q.int(number); q.next(); {
		account = number
	}
	return account, q.err
}

// ChangeOptOuts opts persons out, and in again, all or none, and tells which of the changes changed something: those have a line in the audit trail.
// NotFound when an account does not exist.
func (s *Store) ChangeOptOuts(ctx context.Context, changes []gateway.OptOutChange) ([]bool, error) {
	changed := make([]bool, len(changes))
	err := s.write(ctx, func(tx *tx) error {
		accounts := map[gateway.AccountID]int64{}
		for i := range changes {
			id := changes[i].Account
			account, ok := accounts[id]
			if !ok {
				var err error
				if account, err = presentAccount(tx.conn, id); err != nil {
					return err
				}
				accounts[id] = account
			}
			var err error
			if changed[i], err = tx.changeOptOut(account, &changes[i]); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return changed, nil
}

// presentAccount is the number of an account that was not removed.
func presentAccount(conn *sqlite.Conn, id gateway.AccountID) (number int64, err error) {
	q := prepare(conn, "SELECT number FROM accounts WHERE id = ? AND removed_at = 0")
	for q.text(string(id)); q.next(); {
		number = q.readInt()
	}
	if q.err == nil && number == 0 {
		return 0, gateway.Errorf(gateway.NotFound, "account %s not found", id)
	}
	return number, q.err
}

// changeOptOut makes one change, and tells whether it changed something.
func (tx *tx) changeOptOut(account int64, c *gateway.OptOutChange) (changed bool, err error) {
	if c.In {
		q := prepare(tx.conn, "DELETE FROM opt_outs WHERE account = ? AND person = ? AND source = ?")
		err = q.int(account).text(c.Person).text(c.Source).run()
	} else {
		q := prepare(tx.conn, "INSERT INTO opt_outs (account, person, source, at, origin, word) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING")
		err = q.int(account).text(c.Person).text(c.Source).time(c.At).int(int64(c.Origin)).textOrNull(c.Word).run()
	}
	if err != nil || tx.conn.Changes() == 0 {
		return false, err
	}
	q := prepare(tx.conn, "INSERT INTO opt_out_changes (account, person, source, at, origin, word, opted_in, message, note) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)")
	return true, q.int(account).text(c.Person).text(c.Source).time(c.At).int(int64(c.Origin)).textOrNull(c.Word).
		bool(c.In).id(c.Message).textOrNull(c.Note).run()
}

// inherit gives what persons have said to a subaccount that is removed to its main account: their opt-outs, with the audit trail, and segments that wait
// for others. What a person has said does not end with a subaccount, whose numbers the account may have now. An opt-out of both stays as it was made with
// the main account.
func (tx *tx) inherit(id, parent gateway.AccountID) error {
	const from, to = "(SELECT number FROM accounts WHERE id = ?1)", "(SELECT number FROM accounts WHERE id = ?2)"
	return tx.runAll([]string{
		"UPDATE inbound_waiting SET account = " + to + " WHERE account = " + from,
		"INSERT INTO inbound_rooms (account, size) SELECT " + to + ", size FROM inbound_rooms WHERE account = " + from +
			" ON CONFLICT (account) DO UPDATE SET size = size + excluded.size",
		"DELETE FROM inbound_rooms WHERE account = " + from + " AND account <> " + to,
		"UPDATE OR IGNORE opt_outs SET account = " + to + " WHERE account = " + from,
		"DELETE FROM opt_outs WHERE account = " + from + " AND account <> " + to,
		"UPDATE opt_out_changes SET account = " + to + " WHERE account = " + from,
	}, string(id), string(parent))
}

// bringOptOuts gives an account what persons have said to numbers that it has now, and that its main account or another subaccount had when they said it,
// with the audit trail: an account does not get round a person's word by giving the number to a subaccount. What was said to strangers stays with them.
func (tx *tx) bringOptOuts(account gateway.AccountID) error {
	const to = "(SELECT number FROM accounts WHERE id = ?1)"
	// The others of the family alone: an account without one has nothing read, however many opt-outs it has.
	const theirs = ` WHERE account IN (SELECT m.number FROM accounts a JOIN accounts m
			ON m.id = iif(a.parent = '', a.id, a.parent) OR m.parent = iif(a.parent = '', a.id, a.parent) WHERE a.id = ?1 AND m.id <> ?1)
		AND EXISTS (SELECT 1 FROM numbers n WHERE n.number = source AND n.account = ?1)`
	return tx.runAll([]string{
		"UPDATE OR IGNORE opt_outs SET account = " + to + theirs,
		"DELETE FROM opt_outs" + theirs,
		"UPDATE opt_out_changes SET account = " + to + theirs,
	}, string(account))
}

func (tx *tx) bringAllOptOuts(accounts map[gateway.AccountID]bool) error {
	for account, gained := range accounts {
		if !gained {
			continue
		}
		if err := tx.bringOptOuts(account); err != nil {
			return err
		}
	}
	return nil
}

const optOutColumns = "account, person, source, at, origin, word"

func (s *Store) readOptOut(conn *sqlite.Conn, q *query) (o gateway.OptOut) {
	account, err := s.names.account(conn, q.readInt())
	if err != nil && q.err == nil {
		q.err = err
	}
	return gateway.OptOut{
		Account: account, Person: q.readText(), Source: q.readText(), At: q.readTime(), Origin: gateway.OptOutOrigin(q.readInt()), Word: q.readText(),
	}
}

// RecentOptOuts reads opt-outs that stand and were made at a time or later, in the order of their times.
func (s *Store) RecentOptOuts(ctx context.Context, since time.Time) (list []gateway.OptOut, err error) {
	err = s.read(ctx, func(conn *sqlite.Conn) error {
		q := prepare(conn, "SELECT "+optOutColumns+" FROM opt_outs INDEXED BY opt_outs_by_time WHERE at >= ? ORDER BY at")
		for q.time(since); q.next(); {
			list = append(list, s.readOptOut(conn, &q))
		}
		return q.err
	})
	return list, err
}

// optOutConditions makes a filter into SQL; ok is false when nothing can fit it.
func (s *Store) optOutConditions(conn *sqlite.Conn, f *gateway.OptOutFilter) (c *conditions, ok bool, err error) {
	c = &conditions{}
	if f.Account != "" {
		account, ok, err := s.names.accountNumber(conn, f.Account)
		if err != nil || !ok {
			return nil, false, err
		}
		c.add("account = ?", account)
	}
	if f.Person != "" {
		c.add("person = ?", f.Person)
	}
	if f.Source != "" {
		c.add("source = ?", f.Source)
	}
	if !f.After.IsZero() {
		c.add("at >= ?", micros(f.After))
	}
	if !f.Before.IsZero() {
		c.add("at < ?", micros(f.Before))
	}
	return c, true, nil
}

// OptOuts lists opt-outs that stand, newest first, and how many fit the filter in all.
func (s *Store) OptOuts(ctx context.Context, filter gateway.OptOutFilter) (list []gateway.OptOut, total int, err error) {
	total, err = s.listOptOuts(ctx, &filter, optOutColumns, "opt_outs", "at DESC, account, person, source", func(conn *sqlite.Conn, q *query) {
		list = append(list, s.readOptOut(conn, q))
	})
	return list, total, err
}

// OptOutRecords lists the audit trail, newest first, and how many lines fit the filter in all.
func (s *Store) OptOutRecords(ctx context.Context, filter gateway.OptOutFilter) (list []gateway.OptOutRecord, total int, err error) {
	const columns = optOutColumns + ", id, opted_in, message, note"
	total, err = s.listOptOuts(ctx, &filter, columns, "opt_out_changes", "id DESC", func(conn *sqlite.Conn, q *query) {
		r := gateway.OptOutRecord{OptOutChange: gateway.OptOutChange{OptOut: s.readOptOut(conn, q)}}
		r.ID, r.In, r.Message, r.Note = q.readInt(), q.readBool(), q.readID(), q.readText()
		list = append(list, r)
	})
	return list, total, err
}

func (s *Store) listOptOuts(ctx context.Context, f *gateway.OptOutFilter, columns, table, order string, row func(*sqlite.Conn, *query)) (total int, err error) {
	err = s.list(ctx, func(conn *sqlite.Conn) error {
		c, ok, err := s.optOutConditions(conn, f)
		if err != nil || !ok {
			return err
		}
		q := c.prepare(conn, "SELECT count(*) FROM "+table, "")
		defer q.finalize()
		for q.next() {
			total = int(q.readInt())
		}
		if q.err != nil {
			return q.err
		}
		rows := c.prepare(conn, "SELECT "+columns+" FROM "+table, " ORDER BY "+order+" LIMIT ? OFFSET ?")
		defer rows.finalize()
		for rows.int(limitOf(f.Limit)).int(int64(f.Offset)); rows.next(); {
			row(conn, &rows.query)
		}
		return rows.err
	})
	return total, err
}
