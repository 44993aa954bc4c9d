package sqlite

import (
	"context"
	"fmt"

	"zombiezen.com/go/sqlite"

	"github.com/heliograph/heliograph/internal/gateway"
)

// RecordConversions keeps feedback on messages, in its order; what came before on a message is replaced. Results are in the order of the
// feedback: NotFound when neither the account nor a subaccount of it has such a message, Invalid when it is not trackable.
func (s *Store) RecordConversions(ctx context.Context, batch []gateway.Conversion) ([]error, error) {
	return writeEach(ctx, s, len(batch), func(tx *tx, i int) (refused, err error) {
		if err = s.recordConversion(tx, &batch[i]); isRefusal(err) {
			return err, nil
		}
		return nil, err
	})
}

func (s *Store) recordConversion(tx *tx, c *gateway.Conversion) error {
	found, trackable, account := false, false, int64(0)
	q := prepare(tx.conn, "SELECT trackable, account FROM messages WHERE seq = ? AND tail = ?")
	for q.int(c.Message.Seq()).int(tailOf(c.Message)); q.next(); {
		found, trackable, account = true, q.readBool(), q.readInt()
	}
	if q.err != nil {
		return q.err
	}
	if found {
		owner, err := s.names.account(tx.conn, account)
		if err != nil {
			return err
		}
		if found, err = reads(tx.conn, c.Account, owner); err != nil {
			return err
		}
	}
	switch {
	case !found:
		return gateway.Errorf(gateway.NotFound, "message %s not found", c.Message)
	case !trackable:
		return gateway.Errorf(gateway.Invalid, "the message is not trackable: it was sent without trackable set to true")
	}
	q = prepare(tx.conn, "INSERT OR REPLACE INTO conversions (seq, status, acted_at, told_at) VALUES (?, ?, ?, ?)")
	return q.int(c.Message.Seq()).int(int64(c.Status)).time(c.ActedAt).time(c.ToldAt).run()
}

// conversionGroups are the columns that conversions are told apart by.
var conversionGroups = map[gateway.ConversionGroup]string{
	gateway.ByCarrier: "m.carrier", gateway.BySender: "m.sender", gateway.ByCountry: "ifnull(m.country, '')",
}

// Conversions counts how trackable messages that a carrier took converted, by group, those with the most messages first.
func (s *Store) Conversions(ctx context.Context, filter gateway.ConversionFilter) ([]gateway.ConversionCount, error) {
	return s.countConversions(ctx, filter, conversionGroups[filter.By], "1", filter.By == gateway.ByCarrier)
}

// ConversionBlocks is Conversions by blocks of a thousand destinations, whatever filter.By says. Name is a number of the block.
func (s *Store) ConversionBlocks(ctx context.Context, filter gateway.ConversionFilter) ([]gateway.ConversionCount, error) {
	return s.countConversions(ctx, filter, "max(m.dst)", "substr(m.dst, 1, length(m.dst) - 3)", false)
}

// countConversions counts by a group, and calls each by a name.
func (s *Store) countConversions(ctx context.Context, filter gateway.ConversionFilter, name, group string, carriers bool) (list []gateway.ConversionCount, err error) {
	err = s.list(ctx, func(conn *sqlite.Conn) error {
		c, ok, err := s.conversionConditions(conn, filter)
		if err != nil || !ok {
			return err
		}
		head := fmt.Sprintf(`SELECT %s, sum(c.status IS %d), sum(c.status IS %d), sum(c.status IS %d OR c.status IS NULL AND m.sent_at < %d),
			sum(c.status IS NULL AND m.sent_at >= %[5]d) FROM messages m INDEXED BY messages_trackable LEFT JOIN conversions c ON c.seq = m.seq`,
			name, gateway.Converted, gateway.ConvertedWithOthers, gateway.NotConverted, micros(filter.Settled))
		rows := c.prepare(conn, head, " GROUP BY "+group+" ORDER BY count(*) DESC, 1 LIMIT ?")
		defer rows.finalize()
		rows.int(limitOf(filter.Limit))
		list, err = s.readConversions(conn, &rows.query, carriers)
		return err
	})
	if err != nil {
		return nil, err
	}
	return list, nil
}

// conversionConditions makes a filter into SQL; ok is false when nothing can fit it.
func (s *Store) conversionConditions(conn *sqlite.Conn, f gateway.ConversionFilter) (c *conditions, ok bool, err error) {
	c = &conditions{}
	c.addConstant("m.trackable = 1")
	c.addConstant(fmt.Sprintf("m.state IN (%d, %d, %d)", gateway.Sent, gateway.Delivered, gateway.Undelivered))
	if f.Account != "" {
		account, ok, err := s.names.accountNumber(conn, f.Account)
		if err != nil || !ok {
			return nil, false, err
		}
		c.add("m.account = ?", account)
	}
	if f.Carrier != "" {
		carrier, ok, err := s.names.carrierNumber(conn, f.Carrier)
		if err != nil || !ok {
			return nil, false, err
		}
		c.add("m.carrier = ?", carrier)
	}
	if f.Sender != "" {
		c.add("m.sender = ?", f.Sender)
	}
	if f.Country != "" {
		c.add("m.country = ?", f.Country)
	}
	if !f.After.IsZero() {
		c.add("m.seq >= ?", gateway.SeqAt(f.After.Add(-clockSlack)))
		c.add("m.accepted_at >= ?", micros(f.After))
	}
	if !f.Before.IsZero() {
		c.add("m.seq < ?", gateway.SeqAt(f.Before.Add(clockSlack)))
		c.add("m.accepted_at < ?", micros(f.Before))
	}
	return c, true, nil
}

func (s *Store) readConversions(conn *sqlite.Conn, q *query, carriers bool) (list []gateway.ConversionCount, err error) {
	for q.next() {
		var count gateway.ConversionCount
		if !carriers {
			count.Name = q.readText()
		} else if count.Name, err = s.names.carrier(conn, q.readInt()); err != nil {
			return nil, err
		}
		count.Converted, count.ConvertedWithOthers = int(q.readInt()), int(q.readInt())
		count.NotConverted, count.Pending = int(q.readInt()), int(q.readInt())
		list = append(list, count)
	}
	return list, q.err
}
