package sqlite

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/heliograph/heliograph/internal/gateway"
)

// Message reads one message of the account.
func (s *Store) Message(ctx context.Context, account gateway.AccountID, id gateway.ID) (m *gateway.Message, err error) {
	err = s.read(ctx, func(conn *sqlite.Conn) error {
		q := prepare(conn, "SELECT "+messageColumns+" FROM messages m WHERE seq = ? AND tail = ?")
		for q.int(id.Seq()).int(tailOf(id)); q.next(); {
			m, _ = s.readMessage(conn, &q)
		}
		if q.err == nil && (m == nil || m.Account != account) {
			return gateway.Errorf(gateway.NotFound, "message %s not found", id)
		}
		return q.err
	})
	if err != nil {
		return nil, err
	}
	return m, nil
}

// Bounds of what a count looks at, newest first; a list that is longer is told with the count up to there. The first holds where the
// index alone answers (account and time), the second where rows must be read (all other filters).
const (
	countedEntries = 1_000_000
	countedRows    = 100_000
)

// Messages lists messages newest first, and how many fit the filter in all: at least, where more rows than the bounds above would have to
// be looked at.
func (s *Store) Messages(ctx context.Context, filter gateway.MessageFilter) (list []*gateway.Message, total int, err error) {
	err = s.list(ctx, func(conn *sqlite.Conn) error {
		c, ok, err := s.messageConditions(conn, filter)
		if err != nil || !ok {
			return err
		}
		rows := c.prepare(conn, "SELECT "+messageColumns+" FROM messages m", " ORDER BY seq DESC LIMIT ? OFFSET ?")
		defer rows.finalize()
		rows.int(limitOf(filter.Limit)).int(int64(filter.Offset))
		if list, err = s.readMessages(conn, &rows.query); err != nil {
			return err
		}
		total, err = c.count(conn)
		if len(list) > 0 {
			total = max(total, filter.Offset+len(list))
		}
		return err
	})
	return list, total, err
}

// messageFilter is a filter as SQL: what the index answers, and the rest.
type messageFilter struct {
	conditions
	indexed conditions // account and order, a superset
}

// clockSlack is how far the time in a message's ID may be from the time it was accepted: searches by time use the order of IDs.
const clockSlack = time.Hour

// messageConditions makes a filter into SQL; ok is false when nothing can fit it.
func (s *Store) messageConditions(conn *sqlite.Conn, f gateway.MessageFilter) (c *messageFilter, ok bool, err error) {
	c = &messageFilter{}
	if f.Account != "" {
		account, ok, err := s.names.accountNumber(conn, f.Account)
		if err != nil || !ok {
			return nil, false, err
		}
		c.indexed.add("account = ?", account)
	}
	if !f.After.IsZero() {
		c.indexed.add("seq >= ?", gateway.SeqAt(f.After.Add(-clockSlack)))
	}
	if !f.Before.IsZero() {
		c.indexed.add("seq < ?", gateway.SeqAt(f.Before.Add(clockSlack)))
	}
	c.conditions = conditions{sql: append([]string(nil), c.indexed.sql...), values: append([]any(nil), c.indexed.values...)}
	c.addRest(f)
	return c, true, nil
}

// toShown and fromShown hold for messages whose records may show their destination, or where they came from: a filter must not find out what
// they hide.
var (
	toShown   = shownTo(gateway.Outbound)
	fromShown = shownTo(gateway.Inbound)
)

// shownTo holds for messages of the other direction, and for those whose records may show the number of the person.
func shownTo(direction gateway.Direction) string {
	return fmt.Sprintf("(direction <> %d OR log NOT IN (%d, %d))", direction, gateway.LogNothing, gateway.LogContentOnly)
}

// addRest adds the conditions that rows are read for.
func (c *messageFilter) addRest(f gateway.MessageFilter) {
	if !f.After.IsZero() {
		c.add("accepted_at >= ?", micros(f.After))
	}
	if !f.Before.IsZero() {
		c.add("accepted_at < ?", micros(f.Before))
	}
	if f.Direction != nil {
		c.add("direction = ?", int64(*f.Direction))
	}
	if f.State != nil {
		c.add("state = ?", int64(*f.State))
	}
	if f.Service != 0 {
		c.add("service = ?", int64(f.Service))
	}
	if len(f.Reasons) > 0 {
		c.addAny("reason = ?", values(f.Reasons))
	}
	if !f.Powerpack.IsZero() {
		c.add("powerpack = ?", f.Powerpack)
	}
	c.addCampaign(f)
	if f.From != "" {
		c.add("sender = ?", f.From)
		c.sql = append(c.sql, fromShown)
	}
	if f.To != "" {
		c.add("dst = ?", f.To)
		c.sql = append(c.sql, toShown)
	}
	if f.Country != "" {
		c.add("country = ?", f.Country)
	}
}

// count counts what fits, within the bounds.
func (c *messageFilter) count(conn *sqlite.Conn) (total int, err error) {
	bound := countedRows
	columns := "seq, accepted_at, direction, state, service, reason, powerpack, sender, dst, country, account, log"
	if len(c.sql) == len(c.indexed.sql) {
		bound, columns = countedEntries, "seq, account"
	}
	inner := "SELECT " + columns + " FROM messages" + c.indexed.where() + " ORDER BY seq DESC LIMIT "
	q := c.prepare(conn, "SELECT count(*) FROM ("+inner+strconv.Itoa(bound)+")", "")
	defer q.finalize()
	for q.next() {
		total = int(q.readInt())
	}
	return total, q.err
}
