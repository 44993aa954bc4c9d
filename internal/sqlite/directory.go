package sqlite

import (
	"context"
	"sync"

	"zombiezen.com/go/sqlite"

	"github.com/heliograph/heliograph/internal/gateway"
)

// directory knows the small numbers by which messages refer to accounts and carriers. Neither is ever removed or renumbered, so what it
// knows stays true. Only committed rows come into it.
type directory struct {
	mu       sync.RWMutex
	accounts pairs[gateway.AccountID]
	carriers pairs[string]
}

type pairs[N comparable] struct {
	numbers map[N]int64
	names   map[int64]N
}

func (p *pairs[N]) add(name N, number int64) {
	if p.numbers == nil {
		p.numbers, p.names = map[N]int64{}, map[int64]N{}
	}
	p.numbers[name], p.names[number] = number, name
}

// accountNumber finds an account; ok is false when there is none. conn must not be inside a transaction that makes accounts.
func (d *directory) accountNumber(conn *sqlite.Conn, id gateway.AccountID) (number int64, ok bool, err error) {
	d.mu.RLock()
	number, ok = d.accounts.numbers[id]
	d.mu.RUnlock()
	if ok {
		return number, true, nil
	}
	q := prepare(conn, "SELECT number FROM accounts WHERE id = ?")
	if q.text(string(id)); !q.next() {
		return 0, false, q.err
	}
	number = q.readInt()
	q.end()
	d.mu.Lock()
	d.accounts.add(id, number)
	d.mu.Unlock()
	return number, true, q.err
}

// account is the account with that number.
func (d *directory) account(conn *sqlite.Conn, number int64) (gateway.AccountID, error) {
	d.mu.RLock()
	id, ok := d.accounts.names[number]
	d.mu.RUnlock()
	if ok {
		return id, nil
	}
	q := prepare(conn, "SELECT id FROM accounts WHERE number = ?")
	if q.int(number); q.next() {
		id = gateway.AccountID(q.readText())
		q.end()
		d.mu.Lock()
		d.accounts.add(id, number)
		d.mu.Unlock()
	}
	return id, q.err
}

// carrierNumber finds a carrier; "" is 0. ok is false when no message was ever given to it.
func (d *directory) carrierNumber(conn *sqlite.Conn, name string) (number int64, ok bool, err error) {
	if name == "" {
		return 0, true, nil
	}
	d.mu.RLock()
	number, ok = d.carriers.numbers[name]
	d.mu.RUnlock()
	if ok {
		return number, true, nil
	}
	q := prepare(conn, "SELECT number FROM carriers WHERE name = ?")
	if q.text(name); !q.next() {
		return 0, false, q.err
	}
	number = q.readInt()
	q.end()
	d.mu.Lock()
	d.carriers.add(name, number)
	d.mu.Unlock()
	return number, true, q.err
}

// carrier is the name of the carrier with that number.
func (d *directory) carrier(conn *sqlite.Conn, number int64) (string, error) {
	if number == 0 {
		return "", nil
	}
	d.mu.RLock()
	name, ok := d.carriers.names[number]
	d.mu.RUnlock()
	if ok {
		return name, nil
	}
	q := prepare(conn, "SELECT name FROM carriers WHERE number = ?")
	if q.int(number); q.next() {
		name = q.readText()
		q.end()
		d.mu.Lock()
		d.carriers.add(name, number)
		d.mu.Unlock()
	}
	return name, q.err
}

// enrol gives numbers to carriers that have none, in a transaction of their own, before the one that refers to them.
func (s *Store) enrol(ctx context.Context, carriers names) error {
	missing := map[string]struct{}{}
	s.names.mu.RLock()
	for _, name := range carriers.list {
		if _, ok := s.names.carriers.numbers[name]; !ok && name != "" {
			missing[name] = struct{}{}
		}
	}
	s.names.mu.RUnlock()
	if len(missing) == 0 {
		return nil
	}
	err := s.write(ctx, func(tx *tx) error {
		for name := range missing {
			q := prepare(tx.conn, "INSERT INTO carriers (name) VALUES (?) ON CONFLICT DO NOTHING")
			if err := q.text(name).run(); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return s.read(ctx, func(conn *sqlite.Conn) error {
		for name := range missing {
			if _, _, err := s.names.carrierNumber(conn, name); err != nil {
				return err
			}
		}
		return nil
	})
}
