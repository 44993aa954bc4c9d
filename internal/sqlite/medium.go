package sqlite

import (
	"context"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/heliograph/heliograph/internal/gateway"
)

const mediumColumns = "id, account, content, name, type, size, created_at, used_at, expires_at"

func readMedium(q *query) gateway.Medium {
	return gateway.Medium{
		ID: q.readID(), Account: gateway.AccountID(q.readText()), Content: q.readContent(), Name: q.readText(), Type: q.readText(),
		Size: q.readInt(), CreatedAt: q.readTime(), UsedAt: q.readTime(), ExpiresAt: q.readTime(),
	}
}

func (q *query) readContent() (content gateway.Content) {
	copy(content[:], q.readBlob())
	return content
}

// CreateMedia stores rows of media, all or none. Invalid when the account of one does not exist.
func (s *Store) CreateMedia(ctx context.Context, list []gateway.Medium) error {
	return s.write(ctx, func(tx *tx) error {
		for i := range list {
			m := &list[i]
			if err := tx.requireOwner(m.Account); err != nil {
				return err
			}
			q := prepare(tx.conn, "INSERT INTO media ("+mediumColumns+") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)")
			q.blob(m.ID[:]).text(string(m.Account)).blob(m.Content[:]).text(m.Name).text(m.Type).int(m.Size).
				time(m.CreatedAt).time(m.UsedAt).time(m.ExpiresAt)
			if err := q.run(); err != nil {
				return err
			}
		}
		return nil
	})
}

// AnyMedium reads a medium, whoever has it. NotFound when it is not there, or expired at that time.
func (s *Store) AnyMedium(ctx context.Context, id gateway.ID, at time.Time) (m gateway.Medium, err error) {
	found := false
	err = s.read(ctx, func(conn *sqlite.Conn) error {
		m, found, err = loadMedium(conn, id, at)
		return err
	})
	if err == nil && !found {
		err = gateway.Errorf(gateway.NotFound, "medium %s not found", id)
	}
	return m, err
}

func loadMedium(conn *sqlite.Conn, id gateway.ID, at time.Time) (m gateway.Medium, found bool, err error) {
	q := prepare(conn, "SELECT "+mediumColumns+" FROM media WHERE id = ? AND expires_at > ?")
	for q.blob(id[:]).time(at); q.next(); {
		m, found = readMedium(&q), true
	}
	return m, found, q.err
}

// MediaByID reads media of an account, in the order of the ids and as often as they are given. Those that are not there, or expired at that time,
// are left out.
func (s *Store) MediaByID(ctx context.Context, account gateway.AccountID, ids []gateway.ID, at time.Time) (list []gateway.Medium, err error) {
	err = s.snapshot(ctx, func(conn *sqlite.Conn) error {
		for _, id := range ids {
			m, found, err := loadMedium(conn, id, at)
			if err != nil {
				return err
			}
			if found && m.Account == account {
				list = append(list, m)
			}
		}
		return nil
	})
	return list, err
}

// Media lists media, newest first, and how many fit the filter in all.
func (s *Store) Media(ctx context.Context, filter gateway.MediumFilter) (list []gateway.Medium, total int, err error) {
	err = s.list(ctx, func(conn *sqlite.Conn) error {
		const fits = " FROM media WHERE account = ? AND expires_at > ?"
		q := prepare(conn, "SELECT count(*)"+fits)
		for q.text(string(filter.Account)).time(filter.At); q.next(); {
			total = int(q.readInt())
		}
		if q.err != nil {
			return q.err
		}
		q = prepare(conn, "SELECT "+mediumColumns+fits+" ORDER BY number DESC LIMIT ? OFFSET ?")
		q.text(string(filter.Account)).time(filter.At).int(limitOf(filter.Limit)).int(int64(filter.Offset))
		for q.next() {
			list = append(list, readMedium(&q))
		}
		return q.err
	})
	return list, total, err
}

// MediaSize is how many octets the media of an account have together that have not expired at that time.
func (s *Store) MediaSize(ctx context.Context, account gateway.AccountID, at time.Time) (size int64, err error) {
	err = s.read(ctx, func(conn *sqlite.Conn) error {
		q := prepare(conn, "SELECT ifnull(sum(size), 0) FROM media INDEXED BY media_by_account WHERE account = ? AND expires_at > ?")
		for q.text(string(account)).time(at); q.next(); {
			size = q.readInt()
		}
		return q.err
	})
	return size, err
}

// UseMedia notes that messages name media of the account, which are kept until a later time from now on, never a shorter one than before. NotFound
// when one is not there, or expired: then nothing is noted.
func (s *Store) UseMedia(ctx context.Context, account gateway.AccountID, ids []gateway.ID, at, until time.Time) error {
	return s.write(ctx, func(tx *tx) error {
		for _, id := range ids {
			q := prepare(tx.conn, `UPDATE media SET used_at = iif(used_at = 0, ?1, used_at), expires_at = max(expires_at, ?2)
				WHERE id = ?3 AND account = ?4 AND expires_at > ?1`)
			if err := q.time(at).time(until).blob(id[:]).text(string(account)).run(); err != nil {
				return err
			}
			if tx.conn.Changes() == 0 {
				return gateway.Errorf(gateway.NotFound, "medium %s not found", id)
			}
		}
		return nil
	})
}

// ExpireMedia removes some rows that expired before a time, and gives the contents that no row names any more.
func (s *Store) ExpireMedia(ctx context.Context, before time.Time) (orphans []gateway.Content, more bool, err error) {
	err = s.write(ctx, func(tx *tx) error {
		gone := map[gateway.Content]bool{}
		n := 0
		q := prepare(tx.conn, "DELETE FROM media WHERE number IN (SELECT number FROM media WHERE expires_at <= ? ORDER BY expires_at LIMIT ?) RETURNING content")
		for q.time(before).int(purgeBatch); q.next(); n++ {
			gone[q.readContent()] = true
		}
		if q.err != nil {
			return q.err
		}
		more = n == purgeBatch
		for content := range gone {
			named, err := contentNamed(tx.conn, content)
			if err != nil {
				return err
			}
			if !named {
				orphans = append(orphans, content)
			}
		}
		return nil
	})
	if err != nil {
		return nil, false, err
	}
	return orphans, more, nil
}

// ContentNamed tells whether a row names a content.
func (s *Store) ContentNamed(ctx context.Context, content gateway.Content) (named bool, err error) {
	err = s.read(ctx, func(conn *sqlite.Conn) error {
		named, err = contentNamed(conn, content)
		return err
	})
	return named, err
}

func contentNamed(conn *sqlite.Conn, content gateway.Content) (named bool, err error) {
	q := prepare(conn, "SELECT 1 FROM media WHERE content = ? LIMIT 1")
	for q.blob(content[:]); q.next(); {
		named = true
	}
	return named, q.err
}

// ForgetMedia makes a message of the account, or of a subaccount of it, name no media any more. NotFound when there is none of that id; Conflict while it
// is queued.
func (s *Store) ForgetMedia(ctx context.Context, account gateway.AccountID, id gateway.ID) error {
	m, err := s.Message(ctx, account, id)
	if err != nil {
		return err
	}
	if m.State == gateway.Queued {
		return gateway.Errorf(gateway.Conflict, "the message has not left yet; its media can be deleted when it has")
	}
	return s.write(ctx, func(tx *tx) error {
		tx.removed++
		q := prepare(tx.conn, "UPDATE messages SET media_ids = NULL, media_urls = NULL WHERE seq = ? AND tail = ?")
		return q.int(id.Seq()).int(tailOf(id)).run()
	})
}
