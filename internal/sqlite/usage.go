package sqlite

import (
	"context"

	"zombiezen.com/go/sqlite"

	"github.com/heliograph/heliograph/internal/gateway"
)

// KeepUsage notes what of daily caps is used up, or soon will be: of each scope the latest day, and of a day the most.
func (s *Store) KeepUsage(ctx context.Context, usage []gateway.Usage) error {
	var all usages
	all.add(usage)
	return s.write(ctx, func(tx *tx) error { return tx.keepUsages(all) })
}

// Usage gives what of daily caps was used up, of each scope its latest day.
func (s *Store) Usage(ctx context.Context) (list []gateway.Usage, err error) {
	err = s.read(ctx, func(conn *sqlite.Conn) error {
		q := prepare(conn, "SELECT kind, name, day, units FROM usage ORDER BY kind, name")
		for q.next() {
			list = append(list, gateway.Usage{
				Kind: gateway.ScopeKind(q.readInt()), Name: q.readText(), Day: int(q.readInt()), Units: int(q.readInt()),
			})
		}
		return q.err
	})
	return list, err
}

// usages gathers what a batch used up of daily caps, so that each scope is written once. The zero value is ready.
type usages map[scope]gateway.Usage

type scope struct {
	kind gateway.ScopeKind
	name string
}

// add takes up usages. Of two of one scope the later day counts, and on one day the greater total.
func (u *usages) add(list []gateway.Usage) {
	for _, usage := range list {
		if *u == nil {
			*u = usages{}
		}
		key := scope{usage.Kind, usage.Name}
		known, ok := (*u)[key]
		if !ok || usage.Day > known.Day || usage.Day == known.Day && usage.Units > known.Units {
			(*u)[key] = usage
		}
	}
}

// keepUsages writes them by the same rule.
func (tx *tx) keepUsages(all usages) error {
	for _, u := range all {
		q := prepare(tx.conn, `INSERT INTO usage (kind, name, day, units) VALUES (?, ?, ?, ?)
			ON CONFLICT (kind, name) DO UPDATE SET day = excluded.day, units = excluded.units
			WHERE excluded.day > day OR excluded.day = day AND excluded.units > units`)
		if err := q.int(int64(u.Kind)).text(u.Name).int(int64(u.Day)).int(int64(u.Units)).run(); err != nil {
			return err
		}
	}
	return nil
}
