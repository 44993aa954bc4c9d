package sqlite

import (
	"context"
	"strings"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/heliograph/heliograph/internal/gateway"
)

const numberColumns = `number, type, country, region, area_code, services, carrier, rate, daily_cap, campaign, linking, paused, account, pool,
	service, added_at, alias, application, iif(account IS NULL, 0, rented_at)`

func readNumber(q *query) gateway.Number {
	return gateway.Number{
		Number: q.readText(), Type: gateway.NumberType(q.readInt()), Country: q.readText(), Region: q.readText(), AreaCode: q.readText(),
		Services: gateway.ServiceSet(q.readInt()), Carrier: q.readText(), Rate: q.readFloat(), DailyCap: int(q.readInt()),
		Campaign: q.readText(), Linking: q.readText(), Paused: q.readBool(), Account: gateway.AccountID(q.readText()), Pool: q.readID(), Service: gateway.Service(q.readInt()), AddedAt: q.readTime(),
		Alias: q.readText(), Application: q.readText(), RentedAt: q.readTime(),
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
		campaign, paused, account, pool, service, added_at, rented_at, alias, application, place)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?15, ?15, ?16, ?17, `+nextPlace+")")
	q.text(n.Number).int(int64(n.Type)).text(n.Country).text(n.Region).text(n.AreaCode).int(int64(n.Services)).text(n.Carrier).
		float(n.Rate).int(int64(n.DailyCap)).textOrNull(n.Campaign).bool(n.Paused).textOrNull(string(n.Account)).id(n.Pool).
		int(int64(n.Service)).time(n.AddedAt).textOrNull(n.Alias).textOrNull(n.Application)
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

// requireParties refuses a number whose owner or campaign does not exist or do not belong together.
func (tx *tx) requireParties(n *gateway.Number) error {
	if err := tx.requireOwner(n.Account); err != nil {
		return err
	}
	return tx.requireCampaign(n)
}

// PutNumbers adds numbers or replaces their settings; all or none. A number that changes its owner leaves its pool, and is linked to the new owner's
// default application. Conflict when a pool would have two short codes for one country.
func (s *Store) PutNumbers(ctx context.Context, numbers []gateway.Number) error {
	return s.write(ctx, func(tx *tx) error {
		pooled := map[string]gateway.ID{}      // short codes that stay in their pools
		gained := map[gateway.AccountID]bool{} // accounts that had not all of their numbers before
		for _, n := range numbers {
			if err := tx.requireParties(&n); err != nil {
				return err
			}
			n.Pool, n.Service, n.Alias, n.Application = gateway.ID{}, 0, "", "" // these are the account's affair
			known, ok, err := tx.loadNumber(n.Number)
			if err != nil {
				return err
			}
			if ok && known.Account == n.Account {
				if n.Type == gateway.ShortCode && !known.Pool.IsZero() {
					pooled[n.Number] = known.Pool
				}
				err = tx.resetNumber(&n)
			} else {
				gained[n.Account] = n.Account != ""
				err = tx.giveNumber(&n)
			}
			if err != nil {
				return err
			}
		}
		if err := tx.bringAllOptOuts(gained); err != nil {
			return err
		}
		for i := range numbers { // when all are as they will be: two may change places
			n := &numbers[i]
			if pool, ok := pooled[n.Number]; ok {
				if err := tx.requireOnlyShortCode(n, pool); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// AddNumbers stores numbers that an account brings along; those that it has already stay as they are. All or none: Conflict when one is somebody else's
// or in the inventory.
func (s *Store) AddNumbers(ctx context.Context, numbers []gateway.Number) error {
	return s.write(ctx, func(tx *tx) error {
		gained := map[gateway.AccountID]bool{}
		for i := range numbers {
			n := &numbers[i]
			if err := tx.requireOwner(n.Account); err != nil {
				return err
			}
			if err := tx.requireApplication(n.Account, n.Application); err != nil {
				return err
			}
			switch known, ok, err := tx.loadNumber(n.Number); {
			case err != nil:
				return err
			case ok && known.Account == n.Account:
				continue
			case ok:
				return gateway.Errorf(gateway.Conflict, "%s cannot be added", n.Number)
			}
			if err := tx.putNumber(n); err != nil {
				return err
			}
			gained[n.Account] = true
		}
		return tx.bringAllOptOuts(gained)
	})
}

// giveNumber stores a number that its owner has from now on, as one that it rented.
func (tx *tx) giveNumber(n *gateway.Number) error {
	if err := tx.putNumber(n); err != nil || n.Account == "" {
		return err
	}
	q := prepare(tx.conn, "UPDATE numbers SET application = ("+defaultApplication+") WHERE number = ?2")
	return q.text(string(n.Account)).text(n.Number).run()
}

// PauseNumber pauses a number, or lets it go on.
func (s *Store) PauseNumber(ctx context.Context, number string, paused bool) error {
	return s.write(ctx, func(tx *tx) error {
		q := prepare(tx.conn, "UPDATE numbers SET paused = ? WHERE number = ?")
		if err := q.bool(paused).text(number).run(); err != nil {
			return err
		}
		if tx.conn.Changes() == 0 {
			return gateway.Errorf(gateway.NotFound, "number not found")
		}
		return nil
	})
}

// resetNumber replaces the settings of a number that keeps its owner, and with it its pool.
func (tx *tx) resetNumber(n *gateway.Number) error {
	q := prepare(tx.conn, `UPDATE numbers SET type = ?, country = ?, region = ?, area_code = ?, services = ?, carrier = ?, rate = ?,
		daily_cap = ?, campaign = ?9, linking = iif(?9 IS NULL, linking, NULL), paused = ?10 WHERE number = ?11`)
	q.int(int64(n.Type)).text(n.Country).text(n.Region).text(n.AreaCode).int(int64(n.Services)).text(n.Carrier).float(n.Rate).
		int(int64(n.DailyCap)).textOrNull(n.Campaign).bool(n.Paused).text(n.Number)
	return q.run()
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

// beginsWith is a range, so that an index finds it: no character of a number comes after the last one of Unicode.
const beginsWith = "number >= ?1 AND number < ?1 || char(0x10FFFF)"

// addPattern adds a pattern of digits and stars. What comes before the first star is a range of the index.
func (c *conditions) addPattern(pattern string) {
	prefix, _, wild := strings.Cut(pattern, "*")
	c.add(beginsWith, prefix)
	if wild {
		c.add("number GLOB ?", pattern+"*")
	}
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
		c.addAny(beginsWith, any)
	}
	if f.Pattern != "" {
		c.addPattern(f.Pattern)
	}
	if f.Inventory {
		c.addConstant("account IS NULL")
	}
	if f.Region != "" {
		c.add("region = ?", f.Region)
	}
	if f.Carries != 0 {
		c.add("services & ?1 = ?1", int64(f.Carries))
	}
	c.addRegistration(f)
	if f.Alias != "" {
		c.add("alias = ?", f.Alias)
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
		if err := tx.addToPool(account, pool, number, service, rent, at); err != nil {
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

func (tx *tx) addToPool(account gateway.AccountID, pool gateway.ID, number string, service gateway.Service, rent bool, at time.Time) error {
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
	if err := tx.requireOnlyShortCode(&n, pool); err != nil {
		return err
	}
	if n.Pool == pool {
		q := prepare(tx.conn, "UPDATE numbers SET service = ? WHERE number = ?")
		return q.int(int64(service)).text(number).run()
	}
	q := prepare(tx.conn, `UPDATE numbers SET account = ?1, service = ?3, pool = ?4, added_at = ?5, place = `+nextPlace+`,
		rented_at = iif(account IS NULL, ?5, rented_at), application = iif(account IS NULL, (`+defaultApplication+`), application)
		WHERE number = ?2`)
	if err := q.text(string(account)).text(number).int(int64(service)).blob(pool[:]).time(at).run(); err != nil || n.Account == account {
		return err
	}
	return tx.bringOptOuts(account)
}

// ReplaceInPool takes a number out of a pool and puts another one of the account into it, for the same service.
func (s *Store) ReplaceInPool(ctx context.Context, account gateway.AccountID, pool gateway.ID, old, other string, at time.Time) error {
	return s.write(ctx, func(tx *tx) error {
		n, ok, err := tx.loadNumber(old)
		switch {
		case err != nil:
			return err
		case !ok || n.Pool != pool:
			return gateway.Errorf(gateway.NotFound, "number not found in this pool")
		}
		spare, ok, err := tx.loadNumber(other)
		switch {
		case err != nil:
			return err
		case !ok || spare.Account != account || !spare.Pool.IsZero():
			return gateway.Errorf(gateway.NotFound, "the account has no such number to spare")
		}
		if err := tx.removeFromPool(account, pool, old, false); err != nil {
			return err
		}
		return tx.addToPool(account, pool, other, n.Service, false, at)
	})
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

// requireOnlyShortCode refuses a short code when the pool has another one for the same country.
func (tx *tx) requireOnlyShortCode(n *gateway.Number, pool gateway.ID) error {
	if n.Type != gateway.ShortCode {
		return nil
	}
	q := prepare(tx.conn, "SELECT 1 FROM numbers WHERE pool = ? AND type = ? AND country = ? AND number <> ? LIMIT 1")
	taken := false
	for q.blob(pool[:]).int(int64(gateway.ShortCode)).text(n.Country).text(n.Number); q.next(); {
		taken = true
	}
	if q.err == nil && taken {
		return gateway.Errorf(gateway.Conflict, "the powerpack has a short code for %s already", n.Country)
	}
	return q.err
}

// What becomes of numbers that leave their pool: they go back into the inventory, or stay with the account.
const (
	toInventory = `UPDATE numbers SET pool = NULL, service = 0, account = NULL, campaign = NULL, linking = NULL, added_at = 0, rented_at = 0,
		alias = NULL, application = NULL`
	leaveAndUnrent = toInventory + " WHERE pool = ?"
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
	return s.write(ctx, func(tx *tx) error { return tx.removeFromPool(account, pool, number, unrent) })
}

func (tx *tx) removeFromPool(account gateway.AccountID, pool gateway.ID, number string, unrent bool) error {
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
}

// Number reads one number: of the account, or of the inventory when account is empty.
func (s *Store) Number(ctx context.Context, account gateway.AccountID, number string) (n gateway.Number, err error) {
	err = s.read(ctx, func(conn *sqlite.Conn) error {
		q := prepare(conn, "SELECT "+numberColumns+" FROM numbers WHERE number = ? AND account IS ?")
		found := false
		for q.text(number).textOrNull(string(account)); q.next(); {
			n, found = readNumber(&q), true
		}
		if q.err == nil && !found {
			return gateway.Errorf(gateway.NotFound, "number not found")
		}
		return q.err
	})
	return n, err
}

// NumberOwner is which has a number: the account, or one of its subaccounts.
func (s *Store) NumberOwner(ctx context.Context, account gateway.AccountID, number string) (owner gateway.AccountID, err error) {
	err = s.read(ctx, func(conn *sqlite.Conn) error {
		q := prepare(conn, `SELECT account FROM numbers WHERE number = ?1
			AND (account = ?2 OR account IN (SELECT id FROM accounts WHERE parent = ?2 AND parent <> '' AND removed_at = 0))`)
		for q.text(number).text(string(account)); q.next(); {
			owner = gateway.AccountID(q.readText())
		}
		if q.err == nil && owner == "" {
			return gateway.Errorf(gateway.NotFound, "number not found")
		}
		return q.err
	})
	return owner, err
}

// RentNumber gives a number of the inventory to the account, linked to an application or to none.
func (s *Store) RentNumber(ctx context.Context, account gateway.AccountID, number, application string, at time.Time) error {
	return s.write(ctx, func(tx *tx) error {
		if err := tx.requireOwner(account); err != nil {
			return err
		}
		n, ok, err := tx.loadNumber(number)
		switch {
		case err != nil:
			return err
		case ok && n.Account == account:
			return gateway.Errorf(gateway.Conflict, "the account rents this number already")
		case !ok || n.Account != "":
			return gateway.Errorf(gateway.NotFound, "number not found")
		}
		if err := tx.requireApplication(account, application); err != nil {
			return err
		}
		q := prepare(tx.conn, `UPDATE numbers SET account = ?1, application = ?2, added_at = ?3, rented_at = ?3, place = `+nextPlace+`
			WHERE number = ?4`)
		if err := q.text(string(account)).textOrNull(application).time(at).text(number).run(); err != nil {
			return err
		}
		return tx.bringOptOuts(account)
	})
}

// ChangeNumber changes what the account says of a number that it rents, or who has it.
func (s *Store) ChangeNumber(ctx context.Context, account gateway.AccountID, number string, change gateway.NumberChange) error {
	return s.write(ctx, func(tx *tx) error {
		n, ok, err := tx.loadNumber(number)
		if err != nil {
			return err
		}
		if !ok || n.Account != account {
			return gateway.Errorf(gateway.NotFound, "number not found")
		}
		if change.Account != "" && change.Account != account {
			if err := tx.moveNumber(number, change.Account); err != nil {
				return err
			}
			n.Account, n.Application = change.Account, "" // it is not the new owner's
		}
		if change.Alias != nil {
			n.Alias = *change.Alias
		}
		if change.Application != nil {
			if err := tx.requireApplication(n.Account, *change.Application); err != nil {
				return err
			}
			n.Application = *change.Application
		}
		q := prepare(tx.conn, "UPDATE numbers SET alias = ?, application = ? WHERE number = ?")
		return q.textOrNull(n.Alias).textOrNull(n.Application).text(number).run()
	})
}

// moveNumber gives a rented number to another account, out of its pool and its campaign.
func (tx *tx) moveNumber(number string, to gateway.AccountID) error {
	if err := tx.requireOwner(to); err != nil {
		return err
	}
	q := prepare(tx.conn, "UPDATE numbers SET account = ?, campaign = NULL, linking = NULL, pool = NULL, service = 0, added_at = rented_at WHERE number = ?")
	if err := q.text(string(to)).text(number).run(); err != nil {
		return err
	}
	return tx.bringOptOuts(to)
}

// UnrentNumber puts a number of the account back into the inventory, out of its pool.
func (s *Store) UnrentNumber(ctx context.Context, account gateway.AccountID, number string) error {
	return s.write(ctx, func(tx *tx) error {
		q := prepare(tx.conn, toInventory+" WHERE number = ? AND account = ?")
		if err := q.text(number).text(string(account)).run(); err != nil {
			return err
		}
		if tx.conn.Changes() == 0 {
			return gateway.Errorf(gateway.NotFound, "number not found")
		}
		return nil
	})
}
