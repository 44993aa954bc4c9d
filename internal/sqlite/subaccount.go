package sqlite

import (
	"context"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/heliograph/heliograph/internal/gateway"
)

const profileColumns = "name, address, city, state, timezone"

// Profile reads what an account says of itself.
func (s *Store) Profile(ctx context.Context, id gateway.AccountID) (profile gateway.Profile, err error) {
	err = s.read(ctx, func(conn *sqlite.Conn) error {
		profile, err = loadProfile(conn, id)
		return err
	})
	return profile, err
}

func loadProfile(conn *sqlite.Conn, id gateway.AccountID) (p gateway.Profile, err error) {
	q := prepare(conn, "SELECT "+profileColumns+" FROM accounts WHERE id = ? AND removed_at = 0")
	found := false
	for q.text(string(id)); q.next(); {
		p, found = gateway.Profile{Name: q.readText(), Address: q.readText(), City: q.readText(), State: q.readText(), Timezone: q.readText()}, true
	}
	if q.err == nil && !found {
		return p, gateway.Errorf(gateway.NotFound, "account %s not found", id)
	}
	return p, q.err
}

// ChangeProfile changes what an account says of itself.
func (s *Store) ChangeProfile(ctx context.Context, id gateway.AccountID, change gateway.ProfileChange) error {
	return s.write(ctx, func(tx *tx) error {
		p, err := loadProfile(tx.conn, id)
		if err != nil {
			return err
		}
		for _, field := range [...]struct{ to, from *string }{
			{&p.Name, change.Name}, {&p.Address, change.Address}, {&p.City, change.City}, {&p.State, change.State}, {&p.Timezone, change.Timezone},
		} {
			if field.from != nil {
				*field.to = *field.from
			}
		}
		q := prepare(tx.conn, "UPDATE accounts SET name = ?, address = ?, city = ?, state = ?, timezone = ? WHERE id = ?")
		return q.text(p.Name).text(p.Address).text(p.City).text(p.State).text(p.Timezone).text(string(id)).run()
	})
}

const (
	subaccountColumns = accountColumns + ", modified_at"
	theSubaccount     = " FROM accounts WHERE id = ? AND parent = ? AND removed_at = 0"
)

func (s *Store) readSubaccount(q *query) gateway.Subaccount {
	return gateway.Subaccount{Account: s.readAccount(q), ModifiedAt: q.readTime()}
}

// Subaccounts lists the subaccounts of an account, newest first, and how many there are.
func (s *Store) Subaccounts(ctx context.Context, parent gateway.AccountID, limit, offset int) (list []gateway.Subaccount, total int, err error) {
	err = s.snapshot(ctx, func(conn *sqlite.Conn) error {
		q := prepare(conn, "SELECT count(*) FROM accounts WHERE parent = ? AND removed_at = 0")
		for q.text(string(parent)); q.next(); {
			total = int(q.readInt())
		}
		if q.err != nil {
			return q.err
		}
		q = prepare(conn, "SELECT "+subaccountColumns+" FROM accounts WHERE parent = ? AND removed_at = 0 ORDER BY number DESC LIMIT ? OFFSET ?")
		for q.text(string(parent)).int(limitOf(limit)).int(int64(offset)); q.next(); {
			list = append(list, s.readSubaccount(&q))
		}
		return q.err
	})
	if err != nil {
		return nil, 0, err
	}
	return list, total, nil
}

// Subaccount reads a subaccount of an account.
func (s *Store) Subaccount(ctx context.Context, parent, id gateway.AccountID) (sub gateway.Subaccount, err error) {
	err = s.read(ctx, func(conn *sqlite.Conn) error {
		sub, err = s.loadSubaccount(conn, parent, id)
		return err
	})
	return sub, err
}

func (s *Store) loadSubaccount(conn *sqlite.Conn, parent, id gateway.AccountID) (sub gateway.Subaccount, err error) {
	q := prepare(conn, "SELECT "+subaccountColumns+theSubaccount)
	found := false
	for q.text(string(id)).text(string(parent)); q.next(); {
		sub, found = s.readSubaccount(&q), true
	}
	switch {
	case q.err != nil:
		return gateway.Subaccount{}, q.err
	case !found:
		return gateway.Subaccount{}, gateway.Errorf(gateway.NotFound, "subaccount %s not found", id)
	}
	return sub, nil
}

// ChangeSubaccount changes a subaccount of an account.
func (s *Store) ChangeSubaccount(ctx context.Context, parent, id gateway.AccountID, change gateway.SubaccountChange, at time.Time) error {
	return s.write(ctx, func(tx *tx) error {
		sub, err := s.loadSubaccount(tx.conn, parent, id)
		if err != nil {
			return err
		}
		if change.Name != nil {
			sub.Name = *change.Name
		}
		if change.Enabled != nil {
			sub.Enabled = *change.Enabled
		}
		q := prepare(tx.conn, "UPDATE accounts SET name = ?, enabled = ?, modified_at = ? WHERE id = ?")
		return q.text(sub.Name).bool(sub.Enabled).time(at).text(string(id)).run()
	})
}

// RemoveSubaccount removes a subaccount. Its numbers, powerpacks and applications go to the account, or, with cascade, its numbers into the
// inventory and the rest away. Its messages stay, with their callbacks; while one of them is queued, the subaccount is not removed. What persons have
// said to it goes to the account in either case.
func (s *Store) RemoveSubaccount(ctx context.Context, parent, id gateway.AccountID, cascade bool, at time.Time) error {
	last, err := s.nothingQueued(ctx, parent, id)
	if err != nil {
		return err
	}
	return s.write(ctx, func(tx *tx) error {
		number, err := numberOfSubaccount(tx.conn, parent, id)
		if err != nil {
			return err
		}
		q := prepare(tx.conn, "SELECT 1 FROM messages WHERE account = ? AND seq > ? AND state = 0 LIMIT 1")
		if q.int(number).int(last); q.next() {
			q.end()
			return errStillQueued
		}
		if q.err != nil {
			return q.err
		}
		if cascade {
			err = tx.dropBelongings(id)
		} else {
			err = tx.moveBelongings(id, parent)
		}
		if err != nil {
			return err
		}
		if err := tx.inherit(id, parent); err != nil {
			return err
		}
		q = prepare(tx.conn, "UPDATE accounts SET enabled = 0, removed_at = ? WHERE id = ?")
		return q.time(at).text(string(id)).run()
	})
}

var errStillQueued = gateway.Errorf(gateway.Conflict, "the subaccount has messages that have not left yet; disable it, and delete it when they have")

func numberOfSubaccount(conn *sqlite.Conn, parent, id gateway.AccountID) (number int64, err error) {
	q := prepare(conn, "SELECT number"+theSubaccount)
	for q.text(string(id)).text(string(parent)); q.next(); {
		number = q.readInt()
	}
	if q.err == nil && number == 0 {
		return 0, gateway.Errorf(gateway.NotFound, "subaccount %s not found", id)
	}
	return number, q.err
}

// nothingQueued refuses a subaccount that has queued messages, and gives the Seq of the newest message that it has looked at. It walks the queue, whose
// end may be far, so it does that without the writer: what was not queued then is never queued again, and later messages have a greater Seq.
func (s *Store) nothingQueued(ctx context.Context, parent, id gateway.AccountID) (last int64, err error) {
	err = s.readFrom(ctx, s.listers, inSnapshot(func(conn *sqlite.Conn) error {
		number, err := numberOfSubaccount(conn, parent, id)
		if err != nil {
			return err
		}
		q := prepare(conn, `SELECT ifnull((SELECT max(seq) FROM messages), 0),
			EXISTS (SELECT 1 FROM messages INDEXED BY messages_expiring WHERE state = 0 AND marked_at IS NULL AND account = ?1) OR
			EXISTS (SELECT 1 FROM messages INDEXED BY messages_marked WHERE state = 0 AND marked_at IS NOT NULL AND account = ?1)`)
		queued := false
		for q.int(number); q.next(); {
			last, queued = q.readInt(), q.readBool()
		}
		if q.err == nil && queued {
			return errStillQueued
		}
		return q.err
	}))
	return last, err
}

// dropBelongings removes what a subaccount has.
func (tx *tx) dropBelongings(id gateway.AccountID) error {
	return tx.runAll([]string{
		toInventory + " WHERE account = ?1",
		"INSERT INTO powerpacks_removed (number) SELECT number FROM powerpacks WHERE account = ?1",
		"DELETE FROM powerpacks WHERE account = ?1",
		"DELETE FROM applications WHERE account = ?1",
		"DELETE FROM registrations WHERE account = ?1",
		"DELETE FROM campaigns WHERE account = ?1",
		"UPDATE media SET expires_at = 1 WHERE account = ?1", // their files go when the rows do
	}, string(id))
}

// moveBelongings gives what a subaccount has to its main account, whose own defaults stay. A powerpack whose name is taken there has the
// subaccount's id behind it from then on.
func (tx *tx) moveBelongings(id, parent gateway.AccountID) error {
	err := tx.runAll([]string{
		"UPDATE numbers SET account = ?2 WHERE account = ?1",
		`UPDATE powerpacks SET account = ?2, name = iif(EXISTS (SELECT 1 FROM powerpacks p WHERE p.account = ?2 AND p.name = powerpacks.name),
			name || ' ' || ?1, name) WHERE account = ?1`,
		// What the account has registered under the same id stays its own.
		"UPDATE OR IGNORE registrations SET account = ?2 WHERE account = ?1",
		"DELETE FROM registrations WHERE account = ?1 AND account <> ?2",
		"UPDATE campaigns SET account = ?2 WHERE account = ?1",
		"UPDATE applications SET account = ?2, default_number = 0, default_endpoint = 0 WHERE account = ?1",
		"UPDATE media SET account = ?2 WHERE account = ?1",
	}, string(id), string(parent))
	if duplicate(err) {
		return gateway.Errorf(gateway.Conflict, "a powerpack of the subaccount has a name that is taken in the account")
	}
	return err
}

// runAll runs statements with the same parameters.
func (tx *tx) runAll(statements []string, values ...string) error {
	for _, sql := range statements {
		q := prepare(tx.conn, sql)
		for _, value := range values {
			q.text(value)
		}
		if err := q.run(); err != nil {
			return err
		}
	}
	return nil
}
