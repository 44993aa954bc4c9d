package sqlite

import (
	"context"

	"zombiezen.com/go/sqlite"

	"github.com/heliograph/heliograph/internal/gateway"
)

// Roster reads who sends, as of one moment.
func (s *Store) Roster(ctx context.Context) (roster gateway.Roster, err error) {
	err = s.snapshot(ctx, func(conn *sqlite.Conn) error {
		q := prepare(conn, "SELECT "+numberColumns+" FROM numbers WHERE account IS NOT NULL ORDER BY place")
		if roster.Numbers, err = readNumbers(&q); err != nil {
			return err
		}
		q = prepare(conn, "SELECT "+powerpackColumns+" FROM powerpacks ORDER BY number")
		if roster.Powerpacks, err = readPowerpacks(&q); err != nil {
			return err
		}
		if roster.Campaigns, err = readCampaigns(conn); err != nil {
			return err
		}
		if roster.Rates, err = readRates(conn); err != nil {
			return err
		}
		roster.Guards, roster.Parents, err = readGuards(conn)
		return err
	})
	if err != nil {
		return gateway.Roster{}, err
	}
	return roster, nil
}

// readRates reads the rates of accounts that have one.
func readRates(conn *sqlite.Conn) (map[gateway.AccountID]float64, error) {
	rates := map[gateway.AccountID]float64{}
	q := prepare(conn, "SELECT id, rate FROM accounts WHERE rate <> 0")
	for q.next() {
		id := gateway.AccountID(q.readText())
		rates[id] = q.readFloat()
	}
	return rates, q.err
}
