package sqlite

import (
	"context"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/heliograph/heliograph/internal/gateway"
)

// PutCampaigns adds campaigns or replaces their settings; all or none.
func (s *Store) PutCampaigns(ctx context.Context, campaigns []gateway.Campaign) error {
	return s.write(ctx, func(tx *tx) error {
		for _, c := range campaigns {
			if err := tx.putCampaign(c); err != nil {
				return err
			}
		}
		return nil
	})
}

func (tx *tx) putCampaign(c gateway.Campaign) error {
	if c.Account == "" {
		return gateway.Errorf(gateway.Invalid, "campaign %s belongs to no account", c.ID)
	}
	if err := tx.requireOwner(c.Account); err != nil {
		return err
	}
	q := prepare(tx.conn, `INSERT INTO campaigns (id, account, rate, daily_cap, keywords) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET rate = excluded.rate, daily_cap = excluded.daily_cap, keywords = excluded.keywords
		WHERE account = excluded.account`)
	if err := q.text(c.ID).text(string(c.Account)).float(c.Rate).int(int64(c.DailyCap)).keywords(&c.Keywords).run(); err != nil {
		return err
	}
	if tx.conn.Changes() == 0 {
		return gateway.Errorf(gateway.Conflict, "campaign %s is another account's", c.ID)
	}
	return nil
}

// Campaigns lists all campaigns by ID.
func (s *Store) Campaigns(ctx context.Context) (list []gateway.Campaign, err error) {
	err = s.read(ctx, func(conn *sqlite.Conn) error {
		list, err = readCampaigns(conn)
		return err
	})
	return list, err
}

func readCampaigns(conn *sqlite.Conn) (list []gateway.Campaign, err error) {
	q := prepare(conn, "SELECT id, account, rate, daily_cap, keywords FROM campaigns ORDER BY id")
	for q.next() {
		c := gateway.Campaign{ID: q.readText(), Account: gateway.AccountID(q.readText()), Rate: q.readFloat(), DailyCap: int(q.readInt())}
		q.readJSON(&c.Keywords)
		list = append(list, c)
	}
	return list, q.err
}

// DeleteCampaign removes a campaign; its numbers then belong to none. What of its daily cap was used up stays known: it counts when the campaign is
// added again on the same day. One that an account registered is refused to it then, and the account is told.
func (s *Store) DeleteCampaign(ctx context.Context, id string, at time.Time) error {
	return s.writeNoticing(ctx, func(tx *tx) error {
		q := prepare(tx.conn, "DELETE FROM campaigns WHERE id = ?")
		if err := q.text(id).run(); err != nil {
			return err
		}
		if tx.conn.Changes() == 0 {
			return gateway.Errorf(gateway.NotFound, "campaign %s not found", id)
		}
		return tx.withdrawCampaign(id, at)
	})
}

// requireCampaign refuses a campaign that is not the number's owner's; a number need not belong to any.
func (tx *tx) requireCampaign(n *gateway.Number) error {
	if n.Campaign == "" {
		return nil
	}
	q := prepare(tx.conn, "SELECT 1 FROM campaigns WHERE id = ? AND account = ?")
	known := false
	for q.text(n.Campaign).text(string(n.Account)); q.next(); {
		known = true
	}
	if q.err == nil && !known {
		return gateway.Errorf(gateway.Invalid, "campaign %s does not exist, or is not of the account that rents the number", n.Campaign)
	}
	return q.err
}
