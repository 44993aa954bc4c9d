package sqlite

import (
	"context"
	"strings"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/heliograph/heliograph/internal/gateway"
)

const numberColumns = `number, type, country, region, area_code, services, carrier, rate, daily_cap, account, pool, service, added_at`

func readNumber(q *query) gateway.Number {
	return gateway.Number{
		Number: q.readText(), Type: gateway.NumberType(q.readInt()), Country: q.readText(), Region: q.readText(), AreaCode: q.readText(),
		Services: gateway.ServiceSet(q.readInt()), Carrier: q.readText(), Rate: q.readFloat(), DailyCap: int(q.readInt()),
		Account: gateway.AccountID(q.readText()), Pool: q.readID(), Service: gateway.Service(q.readInt()), AddedAt: q.readTime(),
	}
}

func readNumbers(q *query) ([]gateway.Number, error) {
	var list []gateway.Number
	for q.next() {
		list = append(list, readNumber(q))
	}
	return list, q.err
}

// nextPlace is the place of a number that is added now, after all others.
const nextPlace = "(SELECT ifnull(max(place), 0) + 1 FROM numbers)"

// putNumber stores a number as it is given, in the place of one that is there.
func (tx *tx) putNumber(n *gateway.Number) error {
	q := prepare(tx.conn, `INSERT OR REPLACE INTO numbers (number, type, country, region, area_code, services, carrier, rate, daily_cap,
		account, pool, service, added_at, rented_at, place) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?13, ?13, `+nextPlace+")")
	q.text(n.Number).int(int64(n.Type)).text(n.Country).text(n.Region).text(n.AreaCode).int(int64(n.Services)).text(n.Carrier).
		float(n.Rate).int(int64(n.DailyCap)).textOrNull(string(n.Account)).id(n.Pool).int(int64(n.Service)).time(n.AddedAt)
	return q.run()
}

// loadNumber reads a number; ok is false when nobody here owns it.
func (tx *tx) loadNumber(number string) (n gateway.Number, ok bool, err error) {
	q := prepare(tx.conn, "SELECT "+numberColumns+" FROM numbers WHERE number = ?")
	for q.text(number); q.next(); {
		n, ok = readNumber(&q), true
	}
	return n, ok, q.err
}

// PutNumbers adds numbers or replaces their settings; all or none. A number that changes its owner leaves its pool.
func (s *Store) PutNumbers(ctx context.Context, numbers []gateway.Number) error {
	return s.write(ctx, func(tx *tx) error {
		for _, n := range numbers {
			if err := tx.requireOwner(n.Account); err != nil {
				return err
			}
			n.Pool, n.Service = gateway.ID{}, 0 // pools are the account's affair
			known, ok, err := tx.loadNumber(n.Number)
			if err != nil {
				return err
			}
			if ok && known.Account == n.Account {
				err = tx.resetNumber(&n)
			} else {
				err = tx.putNumber(&n)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// resetNumber replaces the settings of a number that keeps its owner, and with it its pool.
func (tx *tx) resetNumber(n *gateway.Number) error {
	q := prepare(tx.conn, `UPDATE numbers SET type = ?, country = ?, region = ?, area_code = ?, services = ?, carrier = ?, rate = ?,
		daily_cap = ? WHERE number = ?`)
	q.int(int64(n.Type)).text(n.Country).text(n.Region).text(n.AreaCode).int(int64(n.Services)).text(n.Carrier).float(n.Rate).
		int(int64(n.DailyCap)).text(n.Number)
	return q.run()
}

// Roster lists every rented number, in the order in which they were added, and every powerpack, as of one moment.
func (s *Store) Roster(ctx context.Context) (numbers []gateway.Number, powerpacks []gateway.Powerpack, err error) {
	err = s.snapshot(ctx, func(conn *sqlite.Conn) error {
		q := prepare(conn, "SELECT "+numberColumns+" FROM numbers WHERE account IS NOT NULL ORDER BY place")
		if numbers, err = readNumbers(&q); err != nil {
			return err
		}
		q = prepare(conn, "SELECT "+powerpackColumns+" FROM powerpacks ORDER BY number")
		powerpacks, err = readPowerpacks(&q)
		return err
	})
	return numbers, powerpacks, err
}

// Numbers lists numbers in the order in which they were added, and how many fit the filter in all.
func (s *Store) Numbers(ctx context.Context, filter gateway.NumberFilter) (list []gateway.Number, total int, err error) {
	c := numberConditions(filter)
	err = s.list(ctx, func(conn *sqlite.Conn) error {
		q := c.prepare(conn, "SELECT count(*) FROM numbers", "")
		defer q.finalize()
		for q.next() {
			total = int(q.readInt())
		}
		if q.err != nil {
			return q.err
		}
		rows := c.prepare(conn, "SELECT "+numberColumns+" FROM numbers", " ORDER BY place LIMIT ? OFFSET ?")
		defer rows.finalize()
		rows.int(limitOf(filter.Limit)).int(int64(filter.Offset))
		list, err = readNumbers(&rows.query)
		return err
	})
	return list, total, err
}

func numberConditions(f gateway.NumberFilter) *conditions {
	c := &conditions{}
	if f.Account != "" {
		c.add("account = ?", string(f.Account))
	}
	if !f.Pool.IsZero() {
		c.add("pool = ?", f.Pool)
	}
	if len(f.Types) > 0 {
		c.addAny("type = ?", values(f.Types))
	}
	if len(f.Prefixes) > 0 {
		any := make([]any, len(f.Prefixes))
		for i, prefix := range f.Prefixes {
			any[i] = strings.TrimPrefix(prefix, "+")
		}
		c.addAny("substr(number, 1, length(?1)) = ?1", any)
	}
	if f.Country != "" {
		c.add("country = ?", f.Country)
	}
	if f.Service != 0 {
		c.add("service = ?", int64(f.Service))
	}
	return c
}

// requirePool refuses a pool that is not of the account.
func (tx *tx) requirePool(account gateway.AccountID, pool gateway.ID) error {
	q := prepare(tx.conn, "SELECT 1 FROM powerpacks WHERE pool = ? AND account = ?")
	known := false
	for q.blob(pool[:]).text(string(account)); q.next(); {
		known = true
	}
	if q.err == nil && !known {
		return gateway.Errorf(gateway.NotFound, "number pool %s not found", pool)
	}
	return q.err
}

// AddToPool puts a number of the account into the pool for a service; with rent, one of the inventory is rented first.
func (s *Store) AddToPool(ctx context.Context, account gateway.AccountID, pool gateway.ID, number string, service gateway.Service, rent bool, at time.Time) (added gateway.Number, err error) {
	err = s.write(ctx, func(tx *tx) error {
		if err := tx.requirePool(account, pool); err != nil {
			return err
		}
		n, ok, err := tx.loadNumber(number)
		if err != nil {
			return err
		}
		if err := poolable(&n, ok, account, pool, service, rent); err != nil {
			return err
		}
		q := prepare(tx.conn, "UPDATE numbers SET service = ? WHERE number = ?")
		if n.Pool != pool {
			q = prepare(tx.conn, `UPDATE numbers SET service = ?1, account = ?3, pool = ?4, added_at = ?5, place = `+nextPlace+`,
				rented_at = iif(account IS NULL, ?5, rented_at) WHERE number = ?2`)
		}
		q.int(int64(service)).text(number)
		if n.Pool != pool {
			q.text(string(account)).blob(pool[:]).time(at)
		}
		if err := q.run(); err != nil {
			return err
		}
		added, _, err = tx.loadNumber(number)
		return err
	})
	if err != nil {
		return gateway.Number{}, err
	}
	return added, nil
}

// poolable refuses a number that may not come into the pool.
func poolable(n *gateway.Number, known bool, account gateway.AccountID, pool gateway.ID, service gateway.Service, rent bool) error {
	switch {
	case !known, n.Account == "" && !rent, n.Account != "" && n.Account != account:
		return gateway.Errorf(gateway.NotFound, "number not found")
	case !n.Pool.IsZero() && n.Pool != pool:
		return gateway.Errorf(gateway.Conflict, "the number is in another number pool")
	case !n.Services.Has(service):
		return gateway.Errorf(gateway.Invalid, "the number cannot carry %s", service)
	}
	return nil
}

// What becomes of numbers that leave their pool: they go back into the inventory, or stay with the account.
const (
	leaveAndUnrent = "UPDATE numbers SET pool = NULL, service = 0, account = NULL, added_at = 0, rented_at = 0 WHERE pool = ?"
	leaveAndStay   = "UPDATE numbers SET pool = NULL, service = 0, added_at = rented_at WHERE pool = ?"
)

func leavePool(unrent bool) string {
	if unrent {
		return leaveAndUnrent
	}
	return leaveAndStay
}

// RemoveFromPool takes a number out of the pool; with unrent it goes back into the inventory.
func (s *Store) RemoveFromPool(ctx context.Context, account gateway.AccountID, pool gateway.ID, number string, unrent bool) error {
	return s.write(ctx, func(tx *tx) error {
		if err := tx.requirePool(account, pool); err != nil {
			return err
		}
		q := prepare(tx.conn, leavePool(unrent)+" AND number = ?")
		if err := q.blob(pool[:]).text(number).run(); err != nil {
			return err
		}
		if tx.conn.Changes() == 0 {
			return gateway.Errorf(gateway.NotFound, "number not found in this pool")
		}
		return nil
	})
}
