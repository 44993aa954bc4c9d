package sqlite

import (
	"context"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/heliograph/heliograph/internal/gateway"
)

const powerpackColumns = `id, account, name, pool, sticky, local_connect, application_type, application_id, priorities, patience,
	refresh, created_at, keywords`

func readPowerpack(q *query) gateway.Powerpack {
	p := gateway.Powerpack{
		ID: q.readID(), Account: gateway.AccountID(q.readText()), Name: q.readText(), Pool: q.readID(), Sticky: q.readBool(),
		LocalConnect: q.readBool(), ApplicationType: q.readText(), ApplicationID: q.readText(),
	}
	var priorities []priority
	q.readJSON(&priorities)
	for _, stored := range priorities {
		p.Priorities = append(p.Priorities, gateway.Priority(stored))
	}
	p.Patience, p.Refresh, p.CreatedAt = time.Duration(q.readInt())*time.Microsecond, q.readBool(), q.readTime()
	q.readJSON(&p.Keywords)
	return p
}

func readPowerpacks(q *query) ([]gateway.Powerpack, error) {
	var list []gateway.Powerpack
	for q.next() {
		list = append(list, readPowerpack(q))
	}
	return list, q.err
}

// priority is gateway.Priority as it is stored.
type priority struct {
	Service gateway.Service       `json:"service"`
	Country string                `json:"country"`
	Order   [3]gateway.NumberType `json:"order"`
}

func storedPriorities(p *gateway.Powerpack) []priority {
	stored := make([]priority, len(p.Priorities))
	for i := range p.Priorities {
		stored[i] = priority(p.Priorities[i])
	}
	return stored
}

// keywords binds keywords as JSON, those that set nothing as NULL.
func (q *query) keywords(k *gateway.Keywords) *query {
	if k.IsZero() {
		return q.null()
	}
	return q.json(k)
}

// CreatePowerpack stores a new powerpack with its pool. Conflict when the account has one of that name.
func (s *Store) CreatePowerpack(ctx context.Context, powerpack gateway.Powerpack) error {
	return s.write(ctx, func(tx *tx) error {
		if err := tx.requireApplication(powerpack.Account, powerpack.ApplicationID); err != nil {
			return err
		}
		return tx.insertPowerpack(&powerpack)
	})
}

func (tx *tx) insertPowerpack(p *gateway.Powerpack) error {
	if err := tx.requireOwner(p.Account); err != nil {
		return err
	}
	q := prepare(tx.conn, "INSERT INTO powerpacks ("+powerpackColumns+") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
	q.blob(p.ID[:]).text(string(p.Account)).text(p.Name).blob(p.Pool[:]).bool(p.Sticky).bool(p.LocalConnect).
		text(p.ApplicationType).text(p.ApplicationID).json(storedPriorities(p)).
		int(p.Patience.Microseconds()).bool(p.Refresh).time(p.CreatedAt).keywords(&p.Keywords)
	return nameTaken(q.run(), p)
}

// nameTaken makes a violated uniqueness a refusal.
func nameTaken(err error, p *gateway.Powerpack) error {
	if duplicate(err) {
		return gateway.Errorf(gateway.Conflict, "there is a powerpack named %q already", p.Name)
	}
	return err
}

// UpdatePowerpack replaces the settings of the account's powerpack with that ID; its pool and the time of its making stay.
func (s *Store) UpdatePowerpack(ctx context.Context, powerpack gateway.Powerpack) error {
	return s.write(ctx, func(tx *tx) error {
		p := &powerpack
		q := prepare(tx.conn, `UPDATE powerpacks SET name = ?, sticky = ?, local_connect = ?, application_type = ?, application_id = ?,
			priorities = ?, patience = ?, refresh = ?, keywords = ? WHERE id = ? AND account = ?`)
		q.text(p.Name).bool(p.Sticky).bool(p.LocalConnect).text(p.ApplicationType).text(p.ApplicationID).json(storedPriorities(p)).
			int(p.Patience.Microseconds()).bool(p.Refresh).keywords(&p.Keywords).blob(p.ID[:]).text(string(p.Account))
		if err := q.run(); err != nil {
			return nameTaken(err, p)
		}
		if tx.conn.Changes() == 0 {
			return gateway.Errorf(gateway.NotFound, "powerpack %s not found", p.ID)
		}
		return tx.requireApplication(p.Account, p.ApplicationID)
	})
}

// Powerpack reads one powerpack of the account.
func (s *Store) Powerpack(ctx context.Context, account gateway.AccountID, id gateway.ID) (gateway.Powerpack, error) {
	return s.onePowerpack(ctx, "SELECT "+powerpackColumns+" FROM powerpacks WHERE id = ? AND account = ?", account, id,
		gateway.Errorf(gateway.NotFound, "powerpack %s not found", id))
}

// PowerpackOfPool reads the powerpack of the account that the pool belongs to.
func (s *Store) PowerpackOfPool(ctx context.Context, account gateway.AccountID, pool gateway.ID) (gateway.Powerpack, error) {
	return s.onePowerpack(ctx, "SELECT "+powerpackColumns+" FROM powerpacks WHERE pool = ? AND account = ?", account, pool,
		gateway.Errorf(gateway.NotFound, "number pool %s not found", pool))
}

func (s *Store) onePowerpack(ctx context.Context, sql string, account gateway.AccountID, id gateway.ID, missing error) (p gateway.Powerpack, err error) {
	err = s.read(ctx, func(conn *sqlite.Conn) error {
		q := prepare(conn, sql)
		found := false
		for q.blob(id[:]).text(string(account)); q.next(); {
			p, found = readPowerpack(&q), true
		}
		if q.err == nil && !found {
			return missing
		}
		return q.err
	})
	return p, err
}

// Powerpacks lists the account's powerpacks, newest first, and how many there are.
func (s *Store) Powerpacks(ctx context.Context, account gateway.AccountID, limit, offset int) ([]gateway.Powerpack, int, error) {
	c := &conditions{}
	c.add("account = ?", string(account))
	return s.listPowerpacks(ctx, c, limit, offset)
}

// AllPowerpacks lists the powerpacks of an account, or of all when it is empty, newest first, and how many there are. It is for the operator.
func (s *Store) AllPowerpacks(ctx context.Context, account gateway.AccountID, limit, offset int) ([]gateway.Powerpack, int, error) {
	if account != "" {
		return s.Powerpacks(ctx, account, limit, offset)
	}
	return s.listPowerpacks(ctx, &conditions{}, limit, offset)
}

func (s *Store) listPowerpacks(ctx context.Context, c *conditions, limit, offset int) (list []gateway.Powerpack, total int, err error) {
	err = s.list(ctx, func(conn *sqlite.Conn) error {
		q := c.prepare(conn, "SELECT count(*) FROM powerpacks", "")
		defer q.finalize()
		for q.next() {
			total = int(q.readInt())
		}
		if q.err != nil {
			return q.err
		}
		rows := c.prepare(conn, "SELECT "+powerpackColumns+" FROM powerpacks", " ORDER BY number DESC LIMIT ? OFFSET ?")
		defer rows.finalize()
		rows.int(limitOf(limit)).int(int64(offset))
		list, err = readPowerpacks(&rows.query)
		return err
	})
	return list, total, err
}

// AnyPowerpack reads a powerpack, whoever has it. It is for the operator.
func (s *Store) AnyPowerpack(ctx context.Context, id gateway.ID) (p gateway.Powerpack, err error) {
	missing := gateway.Errorf(gateway.NotFound, "powerpack %s not found", id)
	err = s.read(ctx, func(conn *sqlite.Conn) error {
		q := prepare(conn, "SELECT "+powerpackColumns+" FROM powerpacks WHERE id = ?")
		found := false
		for q.blob(id[:]); q.next(); {
			p, found = readPowerpack(&q), true
		}
		if q.err == nil && !found {
			return missing
		}
		return q.err
	})
	return p, err
}

// DeletePowerpack removes the powerpack and its pool. Its sticky choices are void at once and removed by Purge, for there may be
// millions.
func (s *Store) DeletePowerpack(ctx context.Context, account gateway.AccountID, id gateway.ID, unrent bool) error {
	return s.write(ctx, func(tx *tx) error {
		q := prepare(tx.conn, "DELETE FROM powerpacks WHERE id = ? AND account = ? RETURNING number, pool")
		var number int64
		var pool gateway.ID
		for q.blob(id[:]).text(string(account)); q.next(); {
			number, pool = q.readInt(), q.readID()
		}
		if q.err != nil {
			return q.err
		}
		if pool.IsZero() {
			return gateway.Errorf(gateway.NotFound, "powerpack %s not found", id)
		}
		q = prepare(tx.conn, leavePool(unrent))
		if err := q.blob(pool[:]).run(); err != nil {
			return err
		}
		q = prepare(tx.conn, "INSERT INTO powerpacks_removed (number) VALUES (?)")
		return q.int(number).run()
	})
}
