package sqlite

import (
	"context"
	"fmt"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/heliograph/heliograph/internal/gateway"
)

// inbox is what comes in, in one transaction.
type inbox struct {
	*Store
	*tx
	receive    gateway.Receive
	recipients map[string]*recipient // of the numbers that the transaction has met; nil: nobody rents it
}

func (s *Store) inbox(tx *tx, receive gateway.Receive) *inbox {
	return &inbox{Store: s, tx: tx, receive: receive, recipients: map[string]*recipient{}}
}

// AddInboundParts keeps parts that carriers brought. One with which a message is whole becomes that message, with its first event, its opt-out or opt-in,
// the answer that is owed for it, and what it costs taken from its account's wallet: at once, and from a prepaid wallet also when that goes below zero by
// it, for the account cannot refuse what somebody sends it. A part that is there already changes nothing. Segments whose message is not whole are kept
// until it is, within the room that an account has for them: when that is used up, its messages that have waited longest wait no more, and CompleteInbound
// makes them of what is there. Results are in the order of the parts.
func (s *Store) AddInboundParts(ctx context.Context, parts []gateway.InboundPart, receive gateway.Receive) ([]gateway.InboundResult, error) {
	var carriers names
	for i := range parts {
		carriers.add(parts[i].Carrier)
	}
	if err := s.enrol(ctx, carriers); err != nil {
		return nil, err
	}
	results := make([]gateway.InboundResult, len(parts))
	err := s.write(ctx, func(tx *tx) error {
		box := s.inbox(tx, receive)
		for i := range parts {
			result, err := box.add(&parts[i])
			if err != nil {
				return err
			}
			results[i] = result
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return results, nil
}

// add takes up one part.
func (b *inbox) add(part *gateway.InboundPart) (gateway.InboundResult, error) {
	to, err := b.recipient(part.To)
	if err != nil {
		return gateway.InboundResult{}, err
	}
	if to == nil {
		return gateway.InboundResult{Status: gateway.InboundUnowned}, nil
	}
	if repeated, err := b.repeated(part); err != nil || repeated {
		return gateway.InboundResult{Status: gateway.InboundRepeated}, err
	}
	if isSegment(part) {
		return b.addSegment(part, to)
	}
	return b.keep([]gateway.InboundPart{*part}, to)
}

// keep stores the message that parts make, with all that follows from it.
func (b *inbox) keep(parts []gateway.InboundPart, to *recipient) (result gateway.InboundResult, err error) {
	arrival := b.receive(parts, &to.Recipient)
	m := arrival.Message
	if m.Account != to.Number.Account {
		return result, fmt.Errorf("sqlite: message %s is not of the account that has the number", m.ID)
	}
	if m.Sequence == 0 {
		m.Arrive(m.AcceptedAt)
	}
	if err := b.insertInbound(m, to.account); err != nil {
		return result, err
	}
	if len(parts) > 1 && m.Log.HidesContent() {
		b.removed++ // the segments' own
	}
	if err := b.hideFiles(m); err != nil {
		return result, err
	}
	result = gateway.InboundResult{Status: gateway.InboundStored, Message: m}
	if m.State == gateway.Received && m.Callback.URL != "" {
		step := gateway.Step{State: m.State, Sequence: m.Sequence, At: m.UpdatedAt}
		if result.Events, err = b.insertEvents(nil, m, []gateway.Step{step}); err != nil {
			return result, err
		}
	}
	if err := b.charge(m, to.account); err != nil {
		return result, err
	}
	return result, b.follow(&arrival, to.account, &result)
}

// hideFiles lets the files that came with a message which hides its contents leave a day after it: its webhook, which links to them, is over by then. Files
// that the account had before stay as they are.
func (b *inbox) hideFiles(m *gateway.Message) error {
	if !m.Log.HidesContent() {
		return nil
	}
	for _, text := range m.MediaIDs {
		id, ok := gateway.ParseID(text)
		if !ok {
			continue
		}
		q := prepare(b.conn, "UPDATE media SET expires_at = min(expires_at, ?) WHERE id = ? AND account = ? AND created_at >= ?")
		q.time(m.AcceptedAt.Add(gateway.HiddenFiles)).blob(id[:]).text(string(m.Account)).time(m.AcceptedAt.Add(-gateway.RepeatWindow))
		if err := q.run(); err != nil {
			return err
		}
	}
	return nil
}

func (b *inbox) insertInbound(m *gateway.Message, account int64) error {
	carrier, _, err := b.names.carrierNumber(b.conn, m.Carrier)
	if err != nil {
		return err
	}
	stored, err := b.insertRow(m, account, carrier)
	if err == nil && !stored { // its parts would have been known again if it were the same one
		err = fmt.Errorf("sqlite: message %s shares its place in the order with another one", m.ID)
	}
	return err
}

// charge takes what a message costs from the wallet that its account pays from.
func (tx *tx) charge(m *gateway.Message, account int64) error {
	cost := m.Cost()
	if cost == 0 {
		return nil
	}
	w, err := tx.walletOf(account)
	if err != nil {
		return err
	}
	w.Balance -= cost
	w.changed = true
	return nil
}

// follow does what a message's keyword asks for, and notes the answer that is owed.
func (b *inbox) follow(arrival *gateway.Arrival, account int64, result *gateway.InboundResult) error {
	m := arrival.Message
	for _, change := range arrival.OptOuts {
		change.Account, change.Message = m.Account, m.ID
		changed, err := b.changeOptOut(account, &change)
		if err != nil {
			return err
		}
		if changed {
			result.Changed = append(result.Changed, change)
		}
	}
	if arrival.Answer == "" || arrival.OnlyIfChanged && len(result.Changed) == 0 {
		return nil
	}
	result.Answer = arrival.Answer
	q := prepare(b.conn, "INSERT INTO inbound_answers (seq, text) VALUES (?, ?)")
	return q.int(m.ID.Seq()).text(arrival.Answer).run()
}

// handOver ends an inbound message whose event is told, or given up.
func (tx *tx) handOver(a *gateway.Attempt) error {
	r, ok, err := tx.loadRow(a.Inbound)
	if err != nil || !ok || r.State != gateway.Received {
		return err
	}
	r.HandOver(a.Done, time.UnixMicro(a.AtMicro).UTC())
	if a.Note != "" {
		r.Detail = a.Note
	}
	q := prepare(tx.conn, "UPDATE messages SET state = ?, detail = ?, sequence = ?, updated_at = ? WHERE seq = ? RETURNING log")
	q.int(int64(r.State)).textOrNull(r.Detail).int(int64(r.Sequence)).time(r.UpdatedAt).int(r.seq)
	forget := r.seq < tx.textsUntil
	for q.next() {
		forget = forget || gateway.LogMode(q.readInt()).HidesContent()
	}
	if q.err != nil || !forget {
		return q.err
	}
	tx.removed++
	q = prepare(tx.conn, "UPDATE messages SET text = NULL, media_urls = NULL, media_ids = NULL, subject = NULL WHERE seq = ?")
	return q.int(r.seq).run()
}

// OwedAnswers reads answers that are owed for messages after a Seq, in their order.
func (s *Store) OwedAnswers(ctx context.Context, after int64, limit int) (list []gateway.OwedAnswer, err error) {
	err = s.read(ctx, func(conn *sqlite.Conn) error {
		q := prepare(conn, "SELECT a.text, "+messageColumns+` FROM inbound_answers a CROSS JOIN messages m ON m.seq = a.seq
			WHERE a.seq > ? ORDER BY a.seq LIMIT ?`)
		for q.int(after).int(int64(limit)); q.next(); {
			owed := gateway.OwedAnswer{Text: q.readText()}
			owed.Message, _ = s.readMessage(conn, &q)
			list = append(list, owed)
		}
		return q.err
	})
	return list, err
}

// AnswersGiven notes that answers have become messages, or never will.
func (s *Store) AnswersGiven(ctx context.Context, inbound []gateway.ID) error {
	return s.write(ctx, func(tx *tx) error {
		for _, id := range inbound {
			q := prepare(tx.conn, "DELETE FROM inbound_answers WHERE seq = ?")
			if err := q.int(id.Seq()).run(); err != nil {
				return err
			}
		}
		return nil
	})
}
