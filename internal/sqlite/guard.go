package sqlite

import (
	"context"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/heliograph/heliograph/internal/gateway"
)

const guardColumns = "account, others, countries, thresholds, alert_url"

// threshold is gateway.Threshold as it is stored.
type threshold struct {
	Country string `json:"country,omitempty"`
	Prefix  string `json:"prefix,omitempty"`
	PerHour int    `json:"per_hour"`
}

func readGuard(q *query) gateway.Guard {
	g := gateway.Guard{Account: gateway.AccountID(q.readText())}
	if q.stmt.ColumnType(q.column) != sqlite.TypeNull {
		others := q.readBool()
		g.Geo.Others = &others
	} else {
		q.column++
	}
	q.readJSON(&g.Geo.Countries)
	var stored []threshold
	q.readJSON(&stored)
	for _, t := range stored {
		g.Thresholds = append(g.Thresholds, gateway.Threshold(t))
	}
	g.AlertURL = q.readText()
	return g
}

// readGuards reads all guards, and, where there are any, who inherits them.
func readGuards(conn *sqlite.Conn) (list []gateway.Guard, parents map[gateway.AccountID]gateway.AccountID, err error) {
	q := prepare(conn, "SELECT "+guardColumns+" FROM guards ORDER BY account")
	for q.next() {
		list = append(list, readGuard(&q))
	}
	if q.err != nil || len(list) == 0 {
		return nil, nil, q.err
	}
	parents = map[gateway.AccountID]gateway.AccountID{}
	q = prepare(conn, "SELECT id, parent FROM accounts WHERE parent <> '' AND removed_at = 0")
	for q.next() {
		id := gateway.AccountID(q.readText())
		parents[id] = gateway.AccountID(q.readText())
	}
	return list, parents, q.err
}

// Guard reads what guards an account.
func (s *Store) Guard(ctx context.Context, account gateway.AccountID) (g gateway.Guard, err error) {
	err = s.snapshot(ctx, func(conn *sqlite.Conn) error {
		g, err = loadGuard(conn, account)
		return err
	})
	return g, err
}

// loadGuard reads the guard of an account, an empty one when it has none.
func loadGuard(conn *sqlite.Conn, account gateway.AccountID) (gateway.Guard, error) {
	g := gateway.Guard{Account: account}
	q := prepare(conn, "SELECT 1 FROM accounts WHERE id = ? AND removed_at = 0")
	known := false
	for q.text(string(account)); q.next(); {
		known = true
	}
	switch {
	case q.err != nil:
		return g, q.err
	case !known:
		return g, gateway.Errorf(gateway.NotFound, "account %s not found", account)
	}
	q = prepare(conn, "SELECT "+guardColumns+" FROM guards WHERE account = ?")
	for q.text(string(account)); q.next(); {
		g = readGuard(&q)
	}
	return g, q.err
}

// ChangeGuard changes what guards an account, unless change refuses, and gives it as it is then.
func (s *Store) ChangeGuard(ctx context.Context, account gateway.AccountID, change func(*gateway.Guard) error) (g gateway.Guard, err error) {
	err = s.write(ctx, func(tx *tx) error {
		if g, err = loadGuard(tx.conn, account); err != nil {
			return err
		}
		if err := change(&g); err != nil {
			return err
		}
		return tx.putGuard(&g)
	})
	if err != nil {
		return gateway.Guard{}, err
	}
	return g, nil
}

func (tx *tx) putGuard(g *gateway.Guard) error {
	stored := make([]threshold, len(g.Thresholds))
	for i, t := range g.Thresholds {
		stored[i] = threshold(t)
	}
	countries := g.Geo.Countries
	if countries == nil {
		countries = map[string]bool{}
	}
	q := prepare(tx.conn, "INSERT OR REPLACE INTO guards ("+guardColumns+") VALUES (?, ?, ?, ?, ?)")
	q.text(string(g.Account))
	optional(&q, (*query).bool, g.Geo.Others)
	return q.json(countries).json(stored).text(g.AlertURL).run()
}

// SentSince counts the messages of an account, accepted since a time, that a carrier was found for: by country, and of those whose number begins
// with one of the prefixes. It may walk over an hour of messages, so it has the connections of lists, and their time is not its.
func (s *Store) SentSince(ctx context.Context, account gateway.AccountID, since time.Time, prefixes []string) (counts map[string]int, err error) {
	counts = map[string]int{}
	err = s.readFrom(ctx, s.listers, inSnapshot(func(conn *sqlite.Conn) error {
		number, ok, err := s.names.accountNumber(conn, account)
		if err != nil || !ok {
			return err
		}
		const theirs = " FROM messages WHERE account = ? AND seq >= ? AND accepted_at >= ? AND direction = 0 AND carrier <> 0"
		from := gateway.SeqAt(since.Add(-clockSlack))
		q := prepare(conn, "SELECT ifnull(country, ''), count(*)"+theirs+" GROUP BY 1")
		for q.int(number).int(from).time(since); q.next(); {
			country := q.readText()
			counts[country] = int(q.readInt())
		}
		if q.err != nil {
			return q.err
		}
		for _, prefix := range prefixes {
			q := prepare(conn, "SELECT count(*)"+theirs+" AND dst >= ?4 AND dst < ?4 || ':'") // a colon follows the digits
			for q.int(number).int(from).time(since).text(prefix); q.next(); {
				counts[prefix] = int(q.readInt())
			}
			if q.err != nil {
				return q.err
			}
		}
		return nil
	}))
	return counts, err
}
