package sqlite

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/heliograph/heliograph/internal/gateway"
)

// Message reads one message of the account, or of a subaccount of it, also of one that was removed.
func (s *Store) Message(ctx context.Context, account gateway.AccountID, id gateway.ID) (m *gateway.Message, err error) {
	err = s.read(ctx, func(conn *sqlite.Conn) error {
		q := prepare(conn, "SELECT "+messageColumns+" FROM messages m WHERE seq = ? AND tail = ?")
		for q.int(id.Seq()).int(tailOf(id)); q.next(); {
			m, _ = s.readMessage(conn, &q)
		}
		if q.err != nil {
			return q.err
		}
		if m != nil {
			if ok, err := reads(conn, account, m.Account); err != nil || ok {
				return err
			}
		}
		return gateway.Errorf(gateway.NotFound, "message %s not found", id)
	})
	if err != nil {
		return nil, err
	}
	return m, nil
}

// reads tells whether an account sees the messages of another: of itself, and of its subaccounts, also those that were removed.
func reads(conn *sqlite.Conn, account, owner gateway.AccountID) (yes bool, err error) {
	if account == owner {
		return true, nil
	}
	q := prepare(conn, "SELECT 1 FROM accounts WHERE id = ? AND parent = ? AND parent <> ''")
	for q.text(string(owner)).text(string(account)); q.next(); {
		yes = true
	}
	return yes, q.err
}

// Bounds of what a count looks at, newest first; a list that is longer is told with the count up to there. The first holds where the
// index alone answers (account and time), the second where rows must be read (all other filters).
const (
	countedEntries = 1_000_000
	countedRows    = 100_000
)

// Messages lists messages newest first, and how many fit the filter in all: at least, where more rows than the bounds above would have to
// be looked at.
func (s *Store) Messages(ctx context.Context, filter gateway.MessageFilter) ([]*gateway.Message, int, error) {
	return s.listMessages(ctx, messageArms(&filter), "DESC", filter.Limit, filter.Offset)
}

// listMessages lists what fits any of the filters, of which no two fit the same message.
func (s *Store) listMessages(ctx context.Context, filters []gateway.MessageFilter, order string, limit, offset int) (list []*gateway.Message, total int, err error) {
	err = s.list(ctx, func(conn *sqlite.Conn) error {
		arms, err := s.messageFilters(conn, filters)
		if err != nil || len(arms) == 0 {
			return err
		}
		rows := arms[len(arms)-1].prepare(conn, selectArms(arms), " ORDER BY 1 "+order+" LIMIT ? OFFSET ?")
		defer rows.finalize()
		rows.int(limitOf(limit)).int(int64(offset))
		if list, err = s.readMessages(conn, &rows.query); err != nil {
			return err
		}
		for _, arm := range arms {
			n, err := arm.count(conn)
			if err != nil {
				return err
			}
			total += n
		}
		if len(list) > 0 {
			total = max(total, offset+len(list))
		}
		return nil
	})
	return list, total, err
}

// messageArms parts a search by a number by direction: which of them has the number of the person decides which index finds it.
func messageArms(f *gateway.MessageFilter) []gateway.MessageFilter {
	if f.Direction != nil || f.From == "" && f.To == "" {
		return []gateway.MessageFilter{*f}
	}
	return bothWays(*f, *f)
}

// bothWays makes the one filter one of what was sent, and the other one of what was received.
func bothWays(sent, received gateway.MessageFilter) []gateway.MessageFilter {
	out, in := gateway.Outbound, gateway.Inbound
	sent.Direction, received.Direction = &out, &in
	return []gateway.MessageFilter{sent, received}
}

// selectArms makes one statement of several filters, up to the conditions of the last; how they are ordered follows.
func selectArms(arms []*messageFilter) string {
	const columns = "SELECT " + messageColumns + " FROM messages m"
	var sql strings.Builder
	for _, arm := range arms[:len(arms)-1] {
		sql.WriteString(columns + arm.where() + " UNION ALL ")
	}
	return sql.String() + columns
}

// messageFilter is a filter as SQL: what the index answers, and the rest.
type messageFilter struct {
	conditions
	indexed conditions // account, who wrote or was written to, and order: a superset
	tail    bool       // the end of the destination is looked at in the index
}

// messageFilters makes filters into SQL; those that nothing can fit are left out. Each has the values of those before it as well.
func (s *Store) messageFilters(conn *sqlite.Conn, filters []gateway.MessageFilter) (arms []*messageFilter, err error) {
	var values []any
	for i := range filters {
		arm, ok, err := s.messageConditions(conn, &filters[i], values)
		if err != nil {
			return nil, err
		}
		if ok {
			arms, values = append(arms, arm), arm.values
		}
	}
	return arms, nil
}

// clockSlack is how far the time in a message's ID may be from the time it was accepted: searches by time use the order of IDs.
const clockSlack = time.Hour

// messageConditions makes a filter into SQL, after values that are bound already; ok is false when nothing can fit it.
func (s *Store) messageConditions(conn *sqlite.Conn, f *gateway.MessageFilter, bound []any) (c *messageFilter, ok bool, err error) {
	c = &messageFilter{indexed: conditions{values: slices.Clip(bound)}}
	if f.Account != "" {
		account, ok, err := s.names.accountNumber(conn, f.Account)
		if err != nil || !ok {
			return nil, false, err
		}
		c.indexed.add("account = ?", account)
	}
	c.indexed.addReceived(f)
	if !f.After.IsZero() {
		c.indexed.add("seq >= ?", gateway.SeqAt(f.After.Add(-clockSlack)))
	}
	if !f.Before.IsZero() {
		c.indexed.add("seq < ?", gateway.SeqAt(f.Before.Add(clockSlack)))
	}
	c.conditions = conditions{sql: slices.Clone(c.indexed.sql), values: slices.Clone(c.indexed.values)}
	if c.tail = f.To != "" && f.Direction != nil && *f.Direction == gateway.Outbound; c.tail {
		c.add(destinationTail+" = substr(?, -4)", f.To)
	}
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
func (c *messageFilter) addRest(f *gateway.MessageFilter) {
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
		c.addConstant(fromShown)
	}
	if f.To != "" {
		c.add("+dst = ?", f.To) // by no index: addReceived has added that, if it is the right one
		c.addConstant(toShown)
	}
	if f.Country != "" {
		c.add("country = ?", f.Country)
	}
}

// addReceived adds what the indexes of received messages answer.
func (c *conditions) addReceived(f *gateway.MessageFilter) {
	switch {
	case f.Direction == nil || *f.Direction != gateway.Inbound:
		return
	case f.From != "":
		c.add("sender = ?", f.From)
	case f.To != "":
		c.add("dst = ?", f.To)
	default:
		return
	}
	c.addConstant(isReceived)
}

// isReceived is the condition of the indexes of received messages.
var isReceived = fmt.Sprintf("direction = %d", gateway.Inbound)

// destinationTail is beside the order in the index of an account's messages. An index by destinations would be written all over with every message that is
// sent, which made storing them half as expensive again; here they are written at its end, and a search looks at some millions of entries a second, and
// at no other message.
const destinationTail = "substr(dst, -4)"

// count counts what fits, within the bounds.
func (c *messageFilter) count(conn *sqlite.Conn) (total int, err error) {
	bound := countedRows
	columns := "seq, accepted_at, direction, state, service, reason, powerpack, sender, dst, country, account, log"
	if len(c.sql) == len(c.indexed.sql) {
		bound, columns = countedEntries, "seq, account"
	}
	head, tail := "SELECT count(*) FROM (SELECT "+columns+" FROM messages"+c.indexed.where()+" ORDER BY seq DESC LIMIT "+strconv.Itoa(bound)+")", ""
	if c.tail {
		head = "SELECT count(*) FROM messages"
		tail = " AND seq >= ifnull((SELECT seq FROM messages" + c.indexed.where() + " ORDER BY seq DESC LIMIT 1 OFFSET " + strconv.Itoa(countedEntries) + "), 0)"
	}
	q := c.prepare(conn, head, tail)
	defer q.finalize()
	for q.next() {
		total = int(q.readInt())
	}
	return total, q.err
}
