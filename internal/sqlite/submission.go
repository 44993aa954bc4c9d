package sqlite

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/heliograph/heliograph/internal/gateway"
)

// InsertMessages stores submissions with their first events, sticky choices and idempotency keys. Results are in the order of the
// submissions. One that cannot be stored as it is (its key was used with another body, its account does not exist) fails alone.
func (s *Store) InsertMessages(ctx context.Context, batch []*gateway.Submission) ([]gateway.Inserted, error) {
	var carriers names
	for _, sub := range batch {
		for _, m := range sub.Messages {
			carriers.add(m.Carrier)
		}
	}
	if err := s.enrol(ctx, carriers); err != nil {
		return nil, err
	}
	return writeEach(ctx, s, len(batch), func(tx *tx, i int) (gateway.Inserted, error) {
		inserted, err := s.insertSubmission(tx, batch[i])
		if isRefusal(err) {
			inserted.Err, err = err, nil
		}
		return inserted, err
	})
}

// insertSubmission stores one submission. It refuses, if it does, before it writes.
func (s *Store) insertSubmission(tx *tx, sub *gateway.Submission) (inserted gateway.Inserted, err error) {
	account, ok, err := s.names.accountNumber(tx.conn, sub.Account)
	if err != nil {
		return inserted, err
	}
	if !ok {
		return inserted, gateway.Errorf(gateway.NotFound, "account %s not found", sub.Account)
	}
	if sub.Idempotency != nil {
		if inserted.Replayed, err = tx.useKey(account, sub); err != nil || inserted.Replayed != nil {
			return inserted, err
		}
	}
	for i, m := range sub.Messages {
		carrier, _, err := s.names.carrierNumber(tx.conn, m.Carrier)
		if err != nil {
			return inserted, err
		}
		if err := tx.insertMessage(&inserted, sub, i, account, carrier); err != nil {
			return inserted, err
		}
	}
	for _, choice := range sub.Remember {
		if err := tx.remember(choice); err != nil {
			return inserted, err
		}
	}
	return inserted, nil
}

// insertMessage stores one message of a submission, as failed when it cannot be paid.
func (tx *tx) insertMessage(inserted *gateway.Inserted, sub *gateway.Submission, i int, account, carrier int64) error {
	m := sub.Messages[i]
	var payer *wallet // nil: it costs nothing, or has failed already
	var steps []gateway.Step
	if i < len(sub.Steps) {
		steps = sub.Steps[i]
	}
	cost := m.Cost()
	if cost != 0 && m.State == gateway.Queued {
		var err error
		if payer, err = tx.walletOf(account); err != nil {
			return err
		}
		if !payer.Covers(cost) {
			failed := *m // what was handed over is not written any more
			steps = append(slices.Clip(steps), failed.Fail(gateway.NoCredit, sub.At)...)
			m = &failed
		}
	}
	stored, err := tx.insertRow(m, account, carrier)
	if err != nil {
		return err
	}
	unpaid := m.State == gateway.Failed && payer != nil
	if !stored { // the batch came again: its events are there too, and its money is held
		if unpaid, err = tx.sameMessage(m); err != nil {
			return err
		}
		steps = nil
	} else if payer != nil && !unpaid {
		payer.Held += cost
		payer.changed = true
	}
	if unpaid {
		inserted.Unpaid = append(inserted.Unpaid, i)
	}
	if m.Callback.URL == "" || len(steps) == 0 {
		return nil
	}
	inserted.Events, err = tx.insertEvents(inserted.Events, m, steps)
	return err
}

// sameMessage checks that a message whose Seq is taken is the very one that is there, and tells whether it could not be paid. Another one there is a fault
// of the source of IDs, and ends the batch.
func (tx *tx) sameMessage(m *gateway.Message) (unpaid bool, err error) {
	q := prepare(tx.conn, "SELECT tail, state, reason FROM messages WHERE seq = ?")
	same := false
	for q.int(m.ID.Seq()); q.next(); {
		same = q.readInt() == tailOf(m.ID)
		unpaid = gateway.State(q.readInt()) == gateway.Failed && gateway.Reason(q.readInt()) == gateway.NoCredit
	}
	if q.err == nil && !same {
		return false, fmt.Errorf("sqlite: message %s shares its place in the order with another one", m.ID)
	}
	return unpaid, q.err
}

// acceptance is gateway.Acceptance as it is stored.
type acceptance struct {
	Request  string   `json:"request"`
	Messages []string `json:"messages"`
	Invalid  []string `json:"invalid,omitempty"`
}

func storedAcceptance(a *gateway.Acceptance) acceptance {
	stored := acceptance{Request: a.RequestID.String(), Messages: make([]string, len(a.Messages)), Invalid: a.Invalid}
	for i, id := range a.Messages {
		stored.Messages[i] = id.String()
	}
	return stored
}

func (a *acceptance) acceptance() *gateway.Acceptance {
	request, _ := gateway.ParseID(a.Request)
	loaded := &gateway.Acceptance{RequestID: request, Messages: make([]gateway.ID, len(a.Messages)), Invalid: a.Invalid}
	for i, id := range a.Messages {
		loaded.Messages[i], _ = gateway.ParseID(id)
	}
	return loaded
}

// useKey notes the submission's idempotency key. When the same request used it within the window, it gives the answer of then; when
// another request did, it refuses.
func (tx *tx) useKey(account int64, sub *gateway.Submission) (*gateway.Acceptance, error) {
	answer, err := answered(tx.conn, account, sub.Idempotency.Key, sub.Idempotency.BodyHash, sub.At)
	if answer != nil || err != nil {
		return answer, err
	}
	q := prepare(tx.conn, `INSERT INTO idempotency (account, key, body_hash, acceptance, at) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (account, key) DO UPDATE SET body_hash = excluded.body_hash, acceptance = excluded.acceptance, at = excluded.at`)
	q.int(account).text(sub.Idempotency.Key).blob(sub.Idempotency.BodyHash[:]).
		json(storedAcceptance(&sub.Idempotency.Acceptance)).time(sub.At)
	return nil, q.run()
}

// answered finds what an idempotency key was answered within the window; nil when it is free. It refuses when another request used it.
func answered(conn *sqlite.Conn, account int64, key string, body [32]byte, at time.Time) (*gateway.Acceptance, error) {
	q := prepare(conn, "SELECT body_hash, at, acceptance FROM idempotency WHERE account = ? AND key = ?")
	for q.int(account).text(key); q.next(); {
		hash, used := q.readBlob(), q.readTime()
		if at.Sub(used) >= gateway.IdempotencyWindow {
			continue
		}
		var stored acceptance
		q.readJSON(&stored)
		q.end()
		if q.err == nil && !bytes.Equal(hash, body[:]) {
			return nil, gateway.Errorf(gateway.Conflict, "this Idempotency-Key was used with a different request")
		}
		return stored.acceptance(), q.err
	}
	return nil, q.err
}

// Answered gives what a request with that key was answered within the window, nil when none was.
func (s *Store) Answered(ctx context.Context, account gateway.AccountID, key string, body [32]byte, at time.Time) (acceptance *gateway.Acceptance, err error) {
	err = s.read(ctx, func(conn *sqlite.Conn) error {
		number, ok, err := s.names.accountNumber(conn, account)
		if ok && err == nil {
			acceptance, err = answered(conn, number, key, body, at)
		}
		return err
	})
	return acceptance, err
}

// remember keeps a sticky choice. One that is there stays while its sender is in the powerpack's pool. A powerpack that is gone
// remembers nothing.
func (tx *tx) remember(choice gateway.Sticky) error {
	q := prepare(tx.conn, `INSERT INTO sticky (powerpack, dst, sender) SELECT number, ?1, ?2 FROM powerpacks WHERE id = ?3
		ON CONFLICT (powerpack, dst) DO UPDATE SET sender = excluded.sender
		WHERE sticky.sender = ?4
			OR NOT EXISTS (SELECT 1 FROM numbers n JOIN powerpacks p ON p.pool = n.pool WHERE n.number = sticky.sender AND p.id = ?3)`)
	return q.text(choice.To).text(choice.From).blob(choice.Powerpack[:]).text(choice.Instead).run()
}

// StickySenders gives the remembered sender for each key, "" where there is none.
func (s *Store) StickySenders(ctx context.Context, keys []gateway.StickyKey) ([]string, error) {
	senders := make([]string, len(keys))
	err := s.snapshot(ctx, func(conn *sqlite.Conn) error {
		for i, key := range keys {
			q := prepare(conn, "SELECT sender FROM sticky WHERE powerpack = (SELECT number FROM powerpacks WHERE id = ?) AND dst = ?")
			for q.blob(key.Powerpack[:]).text(key.To); q.next(); {
				senders[i] = q.readText()
			}
			if q.err != nil {
				return q.err
			}
		}
		return nil
	})
	return senders, err
}

// insertEvents stores steps of a message as events and appends them to list.
func (tx *tx) insertEvents(list []gateway.Event, m *gateway.Message, steps []gateway.Step) ([]gateway.Event, error) {
	endpoint := gateway.EndpointOf(m.Account, m.Callback.URL)
	for _, step := range steps {
		tx.lastEvent++
		q := prepare(tx.conn, `INSERT INTO events (id, endpoint, seq, sequence, state, reason, at, sent_at, reported_at,
			outcome, attempt, tried_at, status, latency, error, due_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0, 0, 0, 0, 0, NULL, 0)`)
		q.int(tx.lastEvent).int(endpoint).int(m.ID.Seq()).int(int64(step.Sequence)).int(int64(step.State)).int(int64(step.Reason)).
			time(step.At).time(step.SentAt).time(step.ReportedAt)
		if err := q.run(); err != nil {
			return list, err
		}
		list = append(list, gateway.Event{
			ID: tx.lastEvent, Message: m, Sequence: step.Sequence, State: step.State, Reason: step.Reason,
			At: step.At, SentAt: step.SentAt, ReportedAt: step.ReportedAt,
		})
	}
	return list, nil
}

// names gathers the names of carriers of a batch; batches name few, and mostly the same one after another.
type names struct {
	list []string
	last string
}

func (n *names) add(name string) {
	if name != n.last {
		n.list, n.last = append(n.list, name), name
	}
}

// sameTime compares times in the precision of the store.
func sameTime(a, b time.Time) bool { return micros(a) == micros(b) }
