package sqlite

import (
	"context"

	"zombiezen.com/go/sqlite"

	"github.com/heliograph/heliograph/internal/gateway"
)

// Install stocks an empty store, all or nothing: the first account, the numbers as they are given and powerpacks. Conflict when there is
// an account already.
func (s *Store) Install(ctx context.Context, account gateway.Account, numbers []gateway.Number, powerpacks []gateway.Powerpack) error {
	return s.write(ctx, func(tx *tx) error {
		empty, err := isEmpty(tx.conn)
		if err != nil {
			return err
		}
		if !empty {
			return gateway.Errorf(gateway.Conflict, "the store has accounts already")
		}
		if err := s.insertAccount(tx, account); err != nil {
			return err
		}
		for i := range powerpacks {
			if err := tx.insertPowerpack(&powerpacks[i]); err != nil {
				return err
			}
		}
		for _, n := range numbers {
			if err := tx.requireParties(&n); err != nil {
				return err
			}
			if err := tx.putNumber(&n); err != nil {
				return err
			}
		}
		return nil
	})
}

// Empty tells whether there is no account yet.
func (s *Store) Empty(ctx context.Context) (empty bool, err error) {
	err = s.read(ctx, func(conn *sqlite.Conn) error {
		empty, err = isEmpty(conn)
		return err
	})
	return empty, err
}

func isEmpty(conn *sqlite.Conn) (empty bool, err error) {
	q := prepare(conn, "SELECT NOT EXISTS (SELECT 1 FROM accounts)")
	for q.next() {
		empty = q.readBool()
	}
	return empty, q.err
}

// CreateAccount stores a new account. Conflict when its id is taken; Invalid when its parent does not exist.
func (s *Store) CreateAccount(ctx context.Context, account gateway.Account) error {
	return s.write(ctx, func(tx *tx) error { return s.insertAccount(tx, account) })
}

func (s *Store) insertAccount(tx *tx, a gateway.Account) error {
	if err := tx.requireOwner(a.Parent); err != nil {
		return err
	}
	q := prepare(tx.conn, "INSERT INTO accounts (id, parent, name, token, enabled, rate, created_at, billing) VALUES (?, ?, ?, ?, ?, ?, ?, ?)")
	q.text(string(a.ID)).text(string(a.Parent)).text(a.Name).blob(s.sealer.seal(a.Token, string(a.ID))).bool(a.Enabled).
		float(a.Rate).time(a.CreatedAt).int(int64(a.Wallet.Billing))
	if err := q.run(); duplicate(err) {
		return gateway.Errorf(gateway.Conflict, "account %s exists already", a.ID)
	} else if err != nil {
		return err
	}
	return nil
}

// requireOwner refuses an account that does not exist; the empty one is nobody.
func (tx *tx) requireOwner(id gateway.AccountID) error {
	if id == "" {
		return nil
	}
	q := prepare(tx.conn, "SELECT 1 FROM accounts WHERE id = ? AND removed_at = 0")
	known := false
	for q.text(string(id)); q.next(); {
		known = true
	}
	if q.err == nil && !known {
		return gateway.Errorf(gateway.Invalid, "account %s does not exist", id)
	}
	return q.err
}

const accountColumns = "id, parent, name, token, enabled, rate, created_at, billing, balance, held"

func (s *Store) readAccount(q *query) gateway.Account {
	a := gateway.Account{ID: gateway.AccountID(q.readText()), Parent: gateway.AccountID(q.readText()), Name: q.readText()}
	token, err := s.sealer.open(q.readBlob(), string(a.ID))
	if err != nil && q.err == nil {
		q.err = err
	}
	a.Token, a.Enabled, a.Rate, a.CreatedAt, a.Wallet = token, q.readBool(), q.readFloat(), q.readTime(), readWallet(q)
	return a
}

// Account reads one account, also one that was removed.
func (s *Store) Account(ctx context.Context, id gateway.AccountID) (account gateway.Account, err error) {
	err = s.read(ctx, func(conn *sqlite.Conn) error {
		q := prepare(conn, "SELECT "+accountColumns+", removed_at FROM accounts WHERE id = ?")
		found := false
		for q.text(string(id)); q.next(); {
			account, found = s.readAccount(&q), true
			account.RemovedAt = q.readTime()
		}
		if q.err == nil && !found {
			return gateway.Errorf(gateway.NotFound, "account %s not found", id)
		}
		return q.err
	})
	if err != nil {
		return gateway.Account{}, err
	}
	return account, nil
}

// Accounts lists all accounts in the order in which they were made.
func (s *Store) Accounts(ctx context.Context) (list []gateway.Account, err error) {
	err = s.read(ctx, func(conn *sqlite.Conn) error {
		q := prepare(conn, "SELECT "+accountColumns+" FROM accounts WHERE removed_at = 0 ORDER BY number")
		for q.next() {
			list = append(list, s.readAccount(&q))
		}
		return q.err
	})
	if err != nil {
		return nil, err
	}
	return list, nil
}

// ChangeAccount changes an account and gives it as it is then. Invalid when a subaccount is to pay for itself.
func (s *Store) ChangeAccount(ctx context.Context, id gateway.AccountID, change gateway.AccountChange) (account gateway.Account, err error) {
	err = s.write(ctx, func(tx *tx) error {
		if change.Billing != nil {
			if _, err := payerNumber(tx.conn, id); err != nil {
				return err
			}
		}
		q := prepare(tx.conn, `UPDATE accounts SET name = ifnull(?, name), enabled = ifnull(?, enabled), rate = ifnull(?, rate), billing = ifnull(?, billing)
			WHERE id = ? AND removed_at = 0
			RETURNING `+accountColumns)
		optional(&q, (*query).text, change.Name)
		optional(&q, (*query).bool, change.Enabled)
		optional(&q, (*query).float, change.Rate)
		optional(&q, func(q *query, b gateway.Billing) *query { return q.int(int64(b)) }, change.Billing)
		found := false
		for q.text(string(id)); q.next(); {
			account, found = s.readAccount(&q), true
		}
		if q.err == nil && !found {
			return gateway.Errorf(gateway.NotFound, "account %s not found", id)
		}
		return q.err
	})
	if err != nil {
		return gateway.Account{}, err
	}
	return account, nil
}

// OperatorToken reads the hash of the operator's token; ok is false when none was set.
func (s *Store) OperatorToken(ctx context.Context) (hash [32]byte, ok bool, err error) {
	err = s.read(ctx, func(conn *sqlite.Conn) error {
		q := prepare(conn, "SELECT value FROM settings WHERE name = 'operator token'")
		for q.next() {
			ok = copy(hash[:], q.readBlob()) == len(hash)
		}
		return q.err
	})
	return hash, ok, err
}

// SetOperatorToken sets the hash of the operator's token.
func (s *Store) SetOperatorToken(ctx context.Context, hash [32]byte) error {
	return s.write(ctx, func(tx *tx) error {
		q := prepare(tx.conn, "INSERT INTO settings (name, value) VALUES ('operator token', ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value")
		return q.blob(hash[:]).run()
	})
}
