package sqlite

import (
	"context"
	"fmt"

	"zombiezen.com/go/sqlite"

	"github.com/heliograph/heliograph/internal/gateway"
)

// Money moves with messages: what a message costs is held from its wallet in the transaction that queues it, and in the one that ends its waiting the
// hold becomes a charge, when a carrier has it, or is given back. A transaction reads a wallet once and writes it once, whatever number of messages it
// moves; messages that cost nothing touch none.

// A price is one column, the rate over the fee: two would cost every move of a message, also where nothing has a price.
const feeBits = 31

// price binds a price, none as NULL.
func (q *query) price(p gateway.Price) *query {
	if p.IsZero() {
		return q.null()
	}
	if (p.Rate < 0 || p.Rate > gateway.MaxRate || p.Fee < 0 || p.Fee > gateway.MaxRate) && q.err == nil {
		q.err = fmt.Errorf("sqlite: a message has the price %s and %s", p.Rate, p.Fee)
	}
	return q.int(int64(p.Rate)<<feeBits | int64(p.Fee))
}

func (q *query) readPrice() gateway.Price {
	packed := q.readInt()
	return gateway.Price{Rate: gateway.Money(packed >> feeBits), Fee: gateway.Money(packed & (1<<feeBits - 1))}
}

// wallet is an account's wallet in a transaction.
type wallet struct {
	gateway.Wallet
	account int64
	changed bool
}

// walletOf gives the wallet that an account pays from: that of its main account.
func (tx *tx) walletOf(account int64) (*wallet, error) {
	if w := tx.wallets[account]; w != nil {
		return w, nil
	}
	q := prepare(tx.conn, `SELECT m.number, m.billing, m.balance, m.held FROM accounts a JOIN accounts m ON m.id = iif(a.parent = '', a.id, a.parent)
		WHERE a.number = ?`)
	read := &wallet{}
	for q.int(account); q.next(); {
		read.account, read.Wallet = q.readInt(), readWallet(&q)
	}
	if q.err != nil {
		return nil, q.err
	}
	if tx.wallets == nil {
		tx.wallets = map[int64]*wallet{}
	}
	if known := tx.wallets[read.account]; known != nil { // by another account that pays from it
		read = known
	}
	tx.wallets[account], tx.wallets[read.account] = read, read
	return read, nil
}

func readWallet(q *query) gateway.Wallet {
	return gateway.Wallet{Billing: gateway.Billing(q.readInt()), Balance: gateway.Money(q.readInt()), Held: gateway.Money(q.readInt())}
}

// keepWallets writes the wallets that the transaction has changed.
func (tx *tx) keepWallets() error {
	for account, w := range tx.wallets {
		if !w.changed || account != w.account {
			continue
		}
		q := prepare(tx.conn, "UPDATE accounts SET balance = ?, held = ? WHERE number = ?")
		if err := q.int(int64(w.Balance)).int(int64(w.Held)).int(account).run(); err != nil {
			return err
		}
	}
	return nil
}

// settle ends the hold of a message that is queued no more: it is charged when a carrier has it.
func (s *Store) settle(tx *tx, m *gateway.Message, sent bool) error {
	cost := m.Cost()
	if cost == 0 {
		return nil
	}
	account, _, err := s.names.accountNumber(tx.conn, m.Account)
	if err != nil {
		return err
	}
	w, err := tx.walletOf(account)
	if err != nil {
		return err
	}
	w.Held -= cost
	if sent {
		w.Balance -= cost
	}
	w.changed = true
	return nil
}

// Wallet reads what an account pays from; that of a subaccount is empty.
func (s *Store) Wallet(ctx context.Context, id gateway.AccountID) (w gateway.Wallet, err error) {
	err = s.read(ctx, func(conn *sqlite.Conn) error {
		q := prepare(conn, "SELECT billing, balance, held FROM accounts WHERE id = ? AND removed_at = 0")
		found := false
		for q.text(string(id)); q.next(); {
			w, found = readWallet(&q), true
		}
		if q.err == nil && !found {
			return gateway.Errorf(gateway.NotFound, "account %s not found", id)
		}
		return q.err
	})
	return w, err
}

const creditColumns = "id, amount, balance, note, key, at"

func readCredit(q *query, account gateway.AccountID) gateway.Credit {
	return gateway.Credit{
		ID: q.readInt(), Account: account, Amount: gateway.Money(q.readInt()), Balance: gateway.Money(q.readInt()),
		Note: q.readText(), Key: q.readText(), At: q.readTime(),
	}
}

// AddCredit pays into a main account, or corrects its balance, and gives the entry of its ledger. One whose key was used before changes nothing and gives
// the entry of then; Conflict when that had another amount or note.
func (s *Store) AddCredit(ctx context.Context, credit gateway.Credit) (entered gateway.Credit, err error) {
	err = s.write(ctx, func(tx *tx) error {
		account, err := payerNumber(tx.conn, credit.Account)
		if err != nil {
			return err
		}
		before, ok, err := creditByKey(tx.conn, account, &credit)
		if err != nil || ok {
			entered = before
			return err
		}
		entered, err = tx.enterCredit(account, credit)
		return err
	})
	if err != nil {
		return gateway.Credit{}, err
	}
	return entered, nil
}

// payerNumber finds an account that pays for itself.
func payerNumber(conn *sqlite.Conn, id gateway.AccountID) (number int64, err error) {
	q := prepare(conn, "SELECT number, parent FROM accounts WHERE id = ? AND removed_at = 0")
	parent := ""
	for q.text(string(id)); q.next(); {
		number, parent = q.readInt(), q.readText()
	}
	switch {
	case q.err != nil:
		return 0, q.err
	case number == 0:
		return 0, gateway.Errorf(gateway.NotFound, "account %s not found", id)
	case parent != "":
		return 0, errNoWallet
	}
	return number, nil
}

var errNoWallet = gateway.Errorf(gateway.Invalid, "a subaccount has no money of its own: it spends that of its main account")

// creditByKey finds the entry that was made with the same key.
func creditByKey(conn *sqlite.Conn, account int64, credit *gateway.Credit) (before gateway.Credit, ok bool, err error) {
	if credit.Key == "" {
		return before, false, nil
	}
	q := prepare(conn, "SELECT "+creditColumns+" FROM credits WHERE account = ? AND key = ? AND key IS NOT NULL")
	for q.int(account).text(credit.Key); q.next(); {
		before, ok = readCredit(&q, credit.Account), true
	}
	if q.err == nil && ok && (before.Amount != credit.Amount || before.Note != credit.Note) {
		return before, false, gateway.Errorf(gateway.Conflict, "this Idempotency-Key was used with a different request")
	}
	return before, ok, q.err
}

func (tx *tx) enterCredit(account int64, c gateway.Credit) (gateway.Credit, error) {
	w, err := tx.walletOf(account)
	if err != nil {
		return c, err
	}
	if err := gateway.CheckCredit(w.Balance, c.Amount); err != nil {
		return c, err
	}
	w.Balance += c.Amount
	w.changed = true
	c.Balance = w.Balance
	q := prepare(tx.conn, "INSERT INTO credits (account, amount, balance, note, key, at) VALUES (?, ?, ?, ?, ?, ?)")
	if err := q.int(account).int(int64(c.Amount)).int(int64(c.Balance)).text(c.Note).textOrNull(c.Key).time(c.At).run(); err != nil {
		return c, err
	}
	c.ID = tx.conn.LastInsertRowID()
	return c, nil
}

// Credits lists the ledger of an account, newest first, and how many entries it has.
func (s *Store) Credits(ctx context.Context, id gateway.AccountID, limit, offset int) (list []gateway.Credit, total int, err error) {
	err = s.snapshot(ctx, func(conn *sqlite.Conn) error {
		account, err := payerNumber(conn, id)
		if err != nil {
			return err
		}
		q := prepare(conn, "SELECT count(*) FROM credits WHERE account = ?")
		for q.int(account); q.next(); {
			total = int(q.readInt())
		}
		if q.err != nil {
			return q.err
		}
		q = prepare(conn, "SELECT "+creditColumns+" FROM credits WHERE account = ? ORDER BY id DESC LIMIT ? OFFSET ?")
		for q.int(account).int(limitOf(limit)).int(int64(offset)); q.next(); {
			list = append(list, readCredit(&q, id))
		}
		return q.err
	})
	if err != nil {
		return nil, 0, err
	}
	return list, total, nil
}
