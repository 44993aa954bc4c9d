package sqlite

import (
	"context"

	"github.com/heliograph/heliograph/internal/gateway"
)

// MoveMessages gives queued messages other senders, or ends them, and keeps the sticky choices that go with that. Results are in the order of the
// moves. A message that is not there any more answers Failed.
func (s *Store) MoveMessages(ctx context.Context, moves []gateway.Move, remember []gateway.Sticky) ([]gateway.Applied, error) {
	var carriers names
	for i := range moves {
		carriers.add(moves[i].Carrier)
	}
	if err := s.enrol(ctx, carriers); err != nil {
		return nil, err
	}
	applied := make([]gateway.Applied, len(moves))
	err := s.write(ctx, func(tx *tx) error {
		for i := range moves {
			done, err := s.moveMessage(tx, &moves[i])
			if err != nil {
				return err
			}
			applied[i] = done
		}
		for _, choice := range remember {
			if err := tx.remember(choice); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return applied, nil
}

func (s *Store) moveMessage(tx *tx, move *gateway.Move) (gateway.Applied, error) {
	m, before, err := s.loadMessage(tx, move.Message.ID)
	if err != nil || m == nil {
		return gateway.Applied{State: gateway.Failed}, err
	}
	applied := gateway.Applied{State: m.State}
	if m.State != gateway.Queued || before.mark != unmarked {
		return applied, nil
	}
	switch {
	case m.From == move.Message.From && move.Failure != gateway.NoReason:
		now := before
		return s.finish(tx, m, &before, &now, now.Fail(move.Failure, move.At))
	case m.From == move.Message.From:
		applied.Moved = true
		return applied, s.giveSender(tx, before.seq, move)
	case move.Failure == gateway.NoReason: // it has the new sender already: the batch came again
		applied.Moved = m.From == move.From && m.Carrier == move.Carrier
	}
	return applied, nil
}

// giveSender puts a queued message into another lane. All else about it stays, also when it is tried again.
func (s *Store) giveSender(tx *tx, seq int64, move *gateway.Move) error {
	carrier, _, err := s.names.carrierNumber(tx.conn, move.Carrier)
	if err != nil {
		return err
	}
	q := prepare(tx.conn, "UPDATE messages SET shard = ?, sender = ?, carrier = ?, picked_by = ? WHERE seq = ?")
	return q.int(int64(gateway.ShardOf(move.From))).text(move.From).int(carrier).int(int64(move.PickedBy)).int(seq).run()
}

// loadMessage reads a whole message with what changes of its row; nil when it is not there.
func (s *Store) loadMessage(tx *tx, id gateway.ID) (m *gateway.Message, r row, err error) {
	q := prepare(tx.conn, "SELECT "+messageColumns+" FROM messages m WHERE seq = ? AND tail = ?")
	for q.int(id.Seq()).int(tailOf(id)); q.next(); {
		m, r = s.readMessage(tx.conn, &q)
	}
	return m, r, q.err
}
