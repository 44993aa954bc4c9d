package sqlite

import (
	"encoding/binary"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/heliograph/heliograph/internal/gateway"
)

// What a message's row says about its submit besides its Progress.
type mark uint8

const (
	unmarked   mark = iota
	submitting      // about to leave, or in the carrier's hands without an answer yet
	held            // never answered: waits for its receipt or an operator
)

// row is what changes of a message's row.
type row struct {
	seq int64
	gateway.Progress
	mark      mark
	markedAt  time.Time
	carrierID string // of the only part
}

// tailOf is the random rest of an ID, which its Seq leaves out.
func tailOf(id gateway.ID) int64 { return int64(binary.BigEndian.Uint64(id[8:])) }

func idOf(seq, tail int64) gateway.ID {
	var id gateway.ID
	binary.BigEndian.PutUint64(id[:8], uint64(seq>>12)<<16|0x7000|uint64(seq&0xfff)) // milliseconds, version 7, count
	binary.BigEndian.PutUint64(id[8:], uint64(tail))
	return id
}

// rowColumns are the columns of row, in the order in which readRow reads them.
const rowColumns = `m.state, m.reason, m.detail, m.parts, m.taken, m.refused, m.delivered, m.attempt, m.due_at, m.sequence,
	m.sent_at, m.reported_at, m.updated_at, m.mark, m.marked_at, m.carrier_id`

func readRow(q *query, r *row) {
	r.State, r.Reason, r.Detail = gateway.State(q.readInt()), gateway.Reason(q.readInt()), q.readText()
	r.Parts = int(q.readInt())
	r.Taken, r.Refused, r.Delivered = gateway.PartMask(q.readInt()), gateway.PartMask(q.readInt()), gateway.PartMask(q.readInt())
	r.Attempt = int(q.readInt())
	q.readDue(&r.Progress)
	r.Sequence = int(q.readInt())
	r.SentAt, r.ReportedAt, r.UpdatedAt = q.readTime(), q.readTime(), q.readTime()
	r.mark, r.markedAt, r.carrierID = mark(q.readInt()), q.readTime(), q.readText()
}

// messageColumns are all columns of a message, in the order in which readMessage reads them.
const messageColumns = `m.seq, m.tail, m.account, ` + rowColumns + `, m.sender, m.carrier, m.units, m.accepted_at, m.expires_at,
	m.direction, m.service, m.dst, m.country, m.alphabet, m.powerpack, m.picked_by, m.callback_url, m.callback_method, m.log,
	m.trackable, m.dlt, m.requester, m.media_ids, m.media_urls, m.text, m.price,
	m.intent, m.subject`

// readMessage reads a row of messageColumns.
func (s *Store) readMessage(conn *sqlite.Conn, q *query) (*gateway.Message, row) {
	m := &gateway.Message{}
	var r row
	r.seq = q.readInt()
	m.ID = idOf(r.seq, q.readInt())
	account := q.readInt()
	readRow(q, &r)
	m.Progress = r.Progress
	m.From = q.readText()
	carrier := q.readInt()
	m.Units, m.AcceptedAt, m.ExpiresAt = int(q.readInt()), q.readTime(), q.readTime()
	m.Direction, m.Service = gateway.Direction(q.readInt()), gateway.Service(q.readInt())
	m.To, m.Country, m.Alphabet = q.readText(), q.readText(), gateway.Alphabet(q.readInt())
	m.Powerpack, m.PickedBy = q.readID(), gateway.Rule(q.readInt())
	m.Callback = gateway.Callback{URL: q.readText(), Method: q.readText()}
	m.Log, m.Trackable = gateway.LogMode(q.readInt()), q.readBool()
	q.readJSON(&m.DLT)
	m.Requester = q.readText()
	m.MediaIDs, m.MediaURLs, m.Text = q.readList(), q.readList(), q.readText()
	m.Price, m.Intent, m.Subject = q.readPrice(), gateway.Intent(q.readInt()), q.readText()
	var err error
	if m.Account, err = s.names.account(conn, account); err != nil && q.err == nil {
		q.err = err
	}
	if m.Carrier, err = s.names.carrier(conn, carrier); err != nil && q.err == nil {
		q.err = err
	}
	return m, r
}

// readMessages reads all rows of a statement with messageColumns.
func (s *Store) readMessages(conn *sqlite.Conn, q *query) ([]*gateway.Message, error) {
	var list []*gateway.Message
	for q.next() {
		m, _ := s.readMessage(conn, q)
		list = append(list, m)
	}
	return list, q.err
}

// readID reads a UUID; NULL is the zero one.
func (q *query) readID() (id gateway.ID) {
	q.stmt.ColumnBytes(q.column, id[:])
	q.column++
	return id
}

// id binds a UUID, the zero one as NULL.
func (q *query) id(id gateway.ID) *query {
	if id.IsZero() {
		return q.null()
	}
	return q.blob(id[:])
}

// needed tells whether a message is still to be sent, or to be handed over.
func needed(m *gateway.Message) bool {
	return m.State == gateway.Queued || m.State == gateway.Received && m.Callback.URL != ""
}

const insertMessage = `INSERT INTO messages (seq, tail, account,
	state, reason, detail, parts, taken, refused, delivered, attempt, due_at, sequence, sent_at, reported_at, updated_at,
	mark, marked_at, carrier_id, shard, sender, carrier, units, accepted_at, expires_at, direction, service, dst, country, alphabet,
	powerpack, picked_by, callback_url, callback_method, log, trackable, dlt, requester, media_ids, media_urls, text, price,
	intent, subject)
	VALUES (?, ?, ?,  ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,  0, NULL, NULL,  ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
	ON CONFLICT (seq) DO NOTHING`

// insertRow stores a new message. stored is false when it is there already.
func (tx *tx) insertRow(m *gateway.Message, account, carrier int64) (stored bool, err error) {
	q := prepare(tx.conn, insertMessage)
	p := &m.Progress
	q.int(m.ID.Seq()).int(tailOf(m.ID)).int(account).
		int(int64(p.State)).int(int64(p.Reason)).textOrNull(p.Detail).int(int64(p.Parts)).
		int(int64(p.Taken)).int(int64(p.Refused)).int(int64(p.Delivered)).int(int64(p.Attempt)).dueOrNull(p).
		int(int64(p.Sequence)).time(p.SentAt).time(p.ReportedAt).time(p.UpdatedAt).
		int(int64(gateway.ShardOf(m.From))).text(m.From).int(carrier).int(int64(m.Units)).time(m.AcceptedAt).time(m.ExpiresAt).
		int(int64(m.Direction)).int(int64(m.Service)).text(m.To).textOrNull(m.Country).int(int64(m.Alphabet)).
		id(m.Powerpack).int(int64(m.PickedBy)).textOrNull(m.Callback.URL).textOrNull(m.Callback.Method).
		int(int64(m.Log)).bool(m.Trackable)
	if m.DLT == (gateway.DLT{}) {
		q.null()
	} else {
		q.json(m.DLT)
	}
	q.textOrNull(m.Requester)
	subject := m.Subject
	if m.Log.HidesContent() && !needed(m) {
		q.null().null().null()
		subject = ""
	} else {
		q.list(m.MediaIDs).list(m.MediaURLs).textOrNull(m.Text)
	}
	q.price(m.Price)
	if m.Intent == gateway.NoIntent {
		q.null()
	} else {
		q.int(int64(m.Intent))
	}
	if err := q.textOrNull(subject).run(); err != nil {
		return false, err
	}
	return tx.conn.Changes() > 0, nil
}

// There are two ways to write a row, because SQLite writes every index anew of which a column is named in SET: most
// moves of a message that was sent already touch none of them.
const (
	updateQueued = `UPDATE messages SET state = ?, reason = ?, detail = ?, parts = ?, taken = ?, refused = ?, delivered = ?,
	sequence = ?, sent_at = ?, reported_at = ?, updated_at = ?, attempt = ?, due_at = ?, mark = ?, marked_at = ?, carrier_id = ?,
	text = iif(?17, NULL, text), media_urls = iif(?17, NULL, media_urls), media_ids = iif(?17, NULL, media_ids) WHERE seq = ?18`
	updateSent = `UPDATE messages SET state = ?, reason = ?, detail = ?, parts = ?, taken = ?, refused = ?, delivered = ?,
	sequence = ?, sent_at = ?, reported_at = ?, updated_at = ? WHERE seq = ?`
)

// updateRow writes what became of a row that was before. forget says that the contents are not needed any more.
func (tx *tx) updateRow(before, r *row, forget bool) error {
	sent := before.State != gateway.Queued && before.carrierID == r.carrierID
	sql := updateQueued
	if sent {
		sql = updateSent
	}
	q := prepare(tx.conn, sql)
	q.int(int64(r.State)).int(int64(r.Reason)).textOrNull(r.Detail).int(int64(r.Parts)).
		int(int64(r.Taken)).int(int64(r.Refused)).int(int64(r.Delivered)).
		int(int64(r.Sequence)).time(r.SentAt).time(r.ReportedAt).time(r.UpdatedAt)
	if !sent {
		q.int(int64(r.Attempt)).dueOrNull(&r.Progress).int(int64(r.mark)).timeOrNull(r.markedAt).textOrNull(r.carrierID).bool(forget)
	}
	return q.int(r.seq).run()
}

// changed tells whether there is anything to write. The time of the last change alone is not.
func (r *row) changed(before *row) bool {
	a, b := *r, *before
	a.UpdatedAt, b.UpdatedAt = time.Time{}, time.Time{}
	return a != b
}
