package sqlite

import (
	"bytes"
	"context"
	"slices"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/heliograph/heliograph/internal/gateway"
)

// inboundRoom is what the waiting segments of an account take at most, in octets: some 30,000 of the usual size.
const inboundRoom = 8 << 20

// segmentOverhead is about what a segment takes besides its octets.
const segmentOverhead = 130

// setAside is the time since when a message waits that is to wait no more: it is the first that CompleteInbound takes.
const setAside = 1

// isSegment tells whether other parts belong to a part. Where the numbers make no sense it is taken as a whole message: 3GPP TS 23.040, 9.2.3.24.1.
func isSegment(part *gateway.InboundPart) bool {
	return part.Total > 1 && part.Total <= 255 && part.Number >= 1 && part.Number <= part.Total
}

// waiting is a message of which not all segments have come.
type waiting struct {
	id      int64
	account int64
	came    int
	size    int
}

// addSegment keeps a segment, or makes the message that is whole with it.
func (b *inbox) addSegment(part *gateway.InboundPart, to *recipient) (result gateway.InboundResult, err error) {
	carrier, _, err := b.names.carrierNumber(b.conn, part.Carrier)
	if err != nil {
		return result, err
	}
	w, err := b.findWaiting(carrier, part)
	if err != nil {
		return result, err
	}
	if w.id != 0 {
		same, other, err := b.compareSegment(w.id, part)
		switch {
		case err != nil:
			return result, err
		case w.account == to.account && same:
			return gateway.InboundResult{Status: gateway.InboundRepeated}, nil
		case w.account != to.account || other: // its reference has come round, or the number has another owner
			if err := b.setAside(&w); err != nil {
				return result, err
			}
			w = waiting{}
		}
	}
	if w.came+1 == part.Total {
		parts, err := b.takeSegments(&w, gateway.InboundPart{Carrier: part.Carrier, From: part.From, To: part.To, Reference: part.Reference, Total: part.Total})
		if err != nil {
			return result, err
		}
		parts = append(parts, *part)
		sortSegments(parts)
		return b.keep(parts, to)
	}
	return gateway.InboundResult{Status: gateway.InboundWaits}, b.keepSegment(&w, carrier, part, to)
}

func sortSegments(parts []gateway.InboundPart) {
	slices.SortFunc(parts, func(a, b gateway.InboundPart) int { return a.Number - b.Number })
}

// findWaiting finds the message that a segment belongs to; id is 0 when it is the first.
func (tx *tx) findWaiting(carrier int64, part *gateway.InboundPart) (w waiting, err error) {
	q := prepare(tx.conn, `SELECT id, account, came, size FROM inbound_waiting INDEXED BY inbound_waiting_open
		WHERE carrier = ? AND dst = ? AND sender = ? AND reference = ? AND total = ? AND since > 1`)
	for q.int(carrier).text(part.To).text(part.From).int(int64(part.Reference)).int(int64(part.Total)); q.next(); {
		w = waiting{id: q.readInt(), account: q.readInt(), came: int(q.readInt()), size: int(q.readInt())}
	}
	return w, q.err
}

// compareSegment tells whether a segment of that number is there, and whether it is the same one or another.
func (tx *tx) compareSegment(waiting int64, part *gateway.InboundPart) (same, other bool, err error) {
	q := prepare(tx.conn, "SELECT alphabet, locking, single, octets FROM inbound_segments WHERE waiting = ? AND number = ?")
	for q.int(waiting).int(int64(part.Number)); q.next(); {
		known := readUserData(&q)
		same = known.Alphabet == part.Data.Alphabet && known.Locking == part.Data.Locking && known.Single == part.Data.Single &&
			bytes.Equal(known.Octets, part.Data.Octets)
		other = !same
	}
	return same, other, q.err
}

func readUserData(q *query) gateway.UserData {
	return gateway.UserData{Alphabet: uint8(q.readInt()), Locking: uint8(q.readInt()), Single: uint8(q.readInt()), Octets: q.readBlob()}
}

// keepSegment keeps a segment that others are waited for with, and makes room for it.
func (b *inbox) keepSegment(w *waiting, carrier int64, part *gateway.InboundPart, to *recipient) error {
	size := len(part.Data.Octets) + segmentOverhead
	if w.id == 0 {
		q := prepare(b.conn, `INSERT INTO inbound_waiting (carrier, sender, dst, reference, total, account, since, came, size)
			VALUES (?, ?, ?, ?, ?, ?, ?, 1, ?)`)
		q.int(carrier).text(part.From).text(part.To).int(int64(part.Reference)).int(int64(part.Total)).int(to.account).
			int(max(micros(part.At), setAside+1)).int(int64(size))
		if err := q.run(); err != nil {
			return err
		}
		w.id = b.conn.LastInsertRowID()
	} else {
		q := prepare(b.conn, "UPDATE inbound_waiting SET came = came + 1, size = size + ? WHERE id = ?")
		if err := q.int(int64(size)).int(w.id).run(); err != nil {
			return err
		}
	}
	q := prepare(b.conn, "INSERT INTO inbound_segments (waiting, number, at, alphabet, locking, single, octets) VALUES (?, ?, ?, ?, ?, ?, ?)")
	q.int(w.id).int(int64(part.Number)).time(part.At).int(int64(part.Data.Alphabet)).int(int64(part.Data.Locking)).int(int64(part.Data.Single)).
		blob(part.Data.Octets)
	if err := q.run(); err != nil {
		return err
	}
	return b.makeRoom(to.account, size)
}

// makeRoom notes that an account's segments take more room; those that have waited longest make way when there is none.
func (b *inbox) makeRoom(account int64, size int) error {
	used, err := b.useRoom(account, size)
	for err == nil && used > b.room {
		var oldest waiting
		q := prepare(b.conn, `SELECT id, size FROM inbound_waiting INDEXED BY inbound_waiting_by_account
			WHERE account = ? AND since > 1 ORDER BY since, id LIMIT 1`)
		for q.int(account); q.next(); {
			oldest = waiting{id: q.readInt(), account: account, size: int(q.readInt())}
		}
		if q.err != nil || oldest.id == 0 {
			return q.err
		}
		used -= oldest.size
		err = b.setAside(&oldest)
	}
	return err
}

// useRoom adds to the room that an account's waiting segments take, and gives what they take then.
func (tx *tx) useRoom(account int64, size int) (used int, err error) {
	q := prepare(tx.conn, `INSERT INTO inbound_rooms (account, size) VALUES (?, ?)
		ON CONFLICT (account) DO UPDATE SET size = size + excluded.size RETURNING size`)
	for q.int(account).int(int64(size)); q.next(); {
		used = int(q.readInt())
	}
	return used, q.err
}

// setAside lets a message wait no more for further segments. It takes none of its account's room from then on.
func (tx *tx) setAside(w *waiting) error {
	q := prepare(tx.conn, "UPDATE inbound_waiting SET since = ? WHERE id = ?")
	if err := q.int(setAside).int(w.id).run(); err != nil {
		return err
	}
	_, err := tx.useRoom(w.account, -w.size)
	return err
}

// takeSegments reads and removes what has come of a message; like is what all its segments say alike.
func (tx *tx) takeSegments(w *waiting, like gateway.InboundPart) (parts []gateway.InboundPart, err error) {
	q := prepare(tx.conn, "DELETE FROM inbound_segments WHERE waiting = ? RETURNING number, at, alphabet, locking, single, octets")
	for q.int(w.id); q.next(); {
		part := like
		part.Service, part.Number, part.At, part.Data = gateway.SMS, int(q.readInt()), q.readTime(), readUserData(&q)
		parts = append(parts, part)
	}
	if q.err != nil {
		return nil, q.err
	}
	sortSegments(parts)
	q = prepare(tx.conn, "DELETE FROM inbound_waiting WHERE id = ? RETURNING since > 1")
	open := false
	for q.int(w.id); q.next(); {
		open = q.readBool()
	}
	if q.err != nil || !open {
		return parts, q.err
	}
	_, err = tx.useRoom(w.account, -w.size)
	return parts, err
}

// CompleteInbound makes messages of segments that came before a time and still wait for others: at most limit messages, the longest waiting first. A
// message goes to the account that had the number when its first segment came.
func (s *Store) CompleteInbound(ctx context.Context, before time.Time, limit int, receive gateway.Receive) (results []gateway.InboundResult, err error) {
	err = s.write(ctx, func(tx *tx) error {
		results = nil
		box := s.inbox(tx, receive)
		due, err := box.dueWaiting(before, limit)
		if err != nil {
			return err
		}
		for i := range due {
			result, err := box.complete(&due[i].waiting, due[i].like)
			if err != nil {
				return err
			}
			results = append(results, result)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return results, nil
}

// incomplete is a message that is waited for no longer.
type incomplete struct {
	waiting
	like gateway.InboundPart
}

func (b *inbox) dueWaiting(before time.Time, limit int) (due []incomplete, err error) {
	q := prepare(b.conn, `SELECT id, account, came, size, carrier, sender, dst, reference, total FROM inbound_waiting INDEXED BY inbound_waiting_by_time
		WHERE since < ? ORDER BY since, id LIMIT ?`)
	for q.time(before).int(int64(limit)); q.next(); {
		var w incomplete
		w.waiting = waiting{id: q.readInt(), account: q.readInt(), came: int(q.readInt()), size: int(q.readInt())}
		carrier, err := b.names.carrier(b.conn, q.readInt())
		if err != nil {
			q.end()
			return nil, err
		}
		w.like = gateway.InboundPart{
			Carrier: carrier, From: q.readText(), To: q.readText(), Reference: uint32(q.readInt()), Total: int(q.readInt()),
		}
		due = append(due, w)
	}
	return due, q.err
}

// complete makes a message of what has come of it.
func (b *inbox) complete(w *waiting, like gateway.InboundPart) (result gateway.InboundResult, err error) {
	parts, err := b.takeSegments(w, like)
	if err != nil {
		return result, err
	}
	to, err := b.recipient(like.To)
	if err == nil && (to == nil || to.account != w.account) {
		to, err = b.formerOwner(like.To, w.account)
	}
	if err != nil {
		return result, err
	}
	return b.keep(parts, to)
}

// NextIncomplete is when the longest waiting segment came whose message is not whole; zero: none waits. Where one waits no more it is long ago.
func (s *Store) NextIncomplete(ctx context.Context) (next time.Time, err error) {
	err = s.read(ctx, func(conn *sqlite.Conn) error {
		q := prepare(conn, "SELECT since FROM inbound_waiting INDEXED BY inbound_waiting_by_time ORDER BY since LIMIT 1")
		for q.next() {
			next = q.readTime()
		}
		return q.err
	})
	return next, err
}
