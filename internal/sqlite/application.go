package sqlite

import (
	"context"

	"zombiezen.com/go/sqlite"

	"github.com/heliograph/heliograph/internal/gateway"
)

const applicationColumns = `id, account, name, message_url, message_method, answer_url, answer_method, hangup_url, hangup_method,
	fallback_url, fallback_method, default_number, default_endpoint, public_uri, log_incoming, created_at`

func readApplication(q *query) gateway.Application {
	app := gateway.Application{ID: q.readText(), Account: gateway.AccountID(q.readText()), Name: q.readText()}
	for _, hook := range hooks(&app) {
		hook.URL, hook.Method = q.readText(), q.readText()
	}
	app.DefaultNumber, app.DefaultEndpoint, app.PublicURI, app.LogIncoming = q.readBool(), q.readBool(), q.readBool(), q.readBool()
	app.CreatedAt = q.readTime()
	return app
}

// hooks are the addresses of an application, in the order of their columns.
func hooks(app *gateway.Application) [4]*gateway.Callback {
	return [4]*gateway.Callback{&app.Message, &app.Answer, &app.Hangup, &app.Fallback}
}

// putApplication stores a new application, or replaces one in its place in lists.
func (tx *tx) putApplication(app *gateway.Application) error {
	q := prepare(tx.conn, "INSERT OR REPLACE INTO applications (number, "+applicationColumns+`)
		VALUES ((SELECT number FROM applications WHERE id = ?1), ?1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`)
	q.text(app.ID).text(string(app.Account)).text(app.Name)
	for _, hook := range hooks(app) {
		q.text(hook.URL).text(hook.Method)
	}
	q.bool(app.DefaultNumber).bool(app.DefaultEndpoint).bool(app.PublicURI).bool(app.LogIncoming).time(app.CreatedAt)
	if err := q.run(); err != nil {
		return err
	}
	return tx.onlyDefault(app)
}

// onlyDefault takes what an application is the default for from the account's others.
func (tx *tx) onlyDefault(app *gateway.Application) error {
	for sql, is := range map[string]bool{
		"UPDATE applications SET default_number = 0 WHERE account = ? AND id <> ? AND default_number":     app.DefaultNumber,
		"UPDATE applications SET default_endpoint = 0 WHERE account = ? AND id <> ? AND default_endpoint": app.DefaultEndpoint,
	} {
		if !is {
			continue
		}
		q := prepare(tx.conn, sql)
		if err := q.text(string(app.Account)).text(app.ID).run(); err != nil {
			return err
		}
	}
	return nil
}

// CreateApplication stores a new application. Conflict when its id is taken; Invalid when its account does not exist.
func (s *Store) CreateApplication(ctx context.Context, app gateway.Application) error {
	return s.write(ctx, func(tx *tx) error {
		if err := tx.requireOwner(app.Account); err != nil {
			return err
		}
		q := prepare(tx.conn, "SELECT 1 FROM applications WHERE id = ?")
		taken := false
		for q.text(app.ID); q.next(); {
			taken = true
		}
		if q.err == nil && taken {
			return gateway.Errorf(gateway.Conflict, "application %s exists already", app.ID)
		}
		if q.err != nil {
			return q.err
		}
		return tx.putApplication(&app)
	})
}

// theApplication finds an application that an account may act on: of its own, or of a subaccount of it.
const theApplication = `WHERE id = ?1 AND (account = ?2 OR account IN (SELECT a.id FROM accounts a WHERE a.parent = ?2 AND a.removed_at = 0))`

func loadApplication(conn *sqlite.Conn, account gateway.AccountID, id string) (app gateway.Application, err error) {
	q := prepare(conn, "SELECT "+applicationColumns+" FROM applications "+theApplication)
	found := false
	for q.text(id).text(string(account)); q.next(); {
		app, found = readApplication(&q), true
	}
	if q.err == nil && !found {
		return app, gateway.Errorf(gateway.NotFound, "application %s not found", id)
	}
	return app, q.err
}

// Application reads an application of the account or of a subaccount of it.
func (s *Store) Application(ctx context.Context, account gateway.AccountID, id string) (app gateway.Application, err error) {
	err = s.read(ctx, func(conn *sqlite.Conn) error {
		app, err = loadApplication(conn, account, id)
		return err
	})
	return app, err
}

// Applications lists applications, newest first, and how many fit the filter in all.
func (s *Store) Applications(ctx context.Context, filter gateway.ApplicationFilter) (list []gateway.Application, total int, err error) {
	c := &conditions{}
	if filter.Account != "" {
		c.add("account = ?", string(filter.Account))
	}
	if filter.Name != "" {
		c.add("name >= ?1 AND name < ?1 || char(0x10FFFF)", filter.Name)
	}
	err = s.list(ctx, func(conn *sqlite.Conn) error {
		q := c.prepare(conn, "SELECT count(*) FROM applications", "")
		defer q.finalize()
		for q.next() {
			total = int(q.readInt())
		}
		if q.err != nil {
			return q.err
		}
		rows := c.prepare(conn, "SELECT "+applicationColumns+" FROM applications", " ORDER BY number DESC LIMIT ? OFFSET ?")
		defer rows.finalize()
		for rows.int(limitOf(filter.Limit)).int(int64(filter.Offset)); rows.next(); {
			list = append(list, readApplication(&rows.query))
		}
		return rows.err
	})
	return list, total, err
}

// DefaultApplication is the id of the application that numbers of the account are linked to when they are rented; "" when there is none.
func (s *Store) DefaultApplication(ctx context.Context, account gateway.AccountID) (id string, err error) {
	err = s.read(ctx, func(conn *sqlite.Conn) error {
		q := prepare(conn, defaultApplication)
		for q.text(string(account)); q.next(); {
			id = q.readText()
		}
		return q.err
	})
	return id, err
}

// defaultApplication finds the default application of the account that is the first parameter.
const defaultApplication = "SELECT id FROM applications WHERE account = ?1 AND default_number"

// ChangeApplication changes an application of the account or of a subaccount of it; what change refuses is not done. One that goes to another
// account leaves the numbers and powerpacks that are linked to it.
func (s *Store) ChangeApplication(ctx context.Context, account gateway.AccountID, id string, change func(*gateway.Application) error) error {
	return s.write(ctx, func(tx *tx) error {
		app, err := loadApplication(tx.conn, account, id)
		if err != nil {
			return err
		}
		owner := app.Account
		if err := change(&app); err != nil {
			return err
		}
		if app.Account != owner {
			if err := tx.requireOwner(app.Account); err != nil {
				return err
			}
			if err := tx.unlinkApplication(id); err != nil {
				return err
			}
		}
		return tx.putApplication(&app)
	})
}

// DeleteApplication removes an application of the account or of a subaccount of it. Numbers and powerpacks that were linked to it are linked to
// none.
func (s *Store) DeleteApplication(ctx context.Context, account gateway.AccountID, id string) error {
	return s.write(ctx, func(tx *tx) error {
		q := prepare(tx.conn, "DELETE FROM applications "+theApplication)
		if err := q.text(id).text(string(account)).run(); err != nil {
			return err
		}
		if tx.conn.Changes() == 0 {
			return gateway.Errorf(gateway.NotFound, "application %s not found", id)
		}
		return tx.unlinkApplication(id)
	})
}

func (tx *tx) unlinkApplication(id string) error {
	for _, sql := range []string{
		"UPDATE numbers SET application = NULL WHERE application = ?",
		"UPDATE powerpacks SET application_type = '', application_id = '' WHERE application_id = ?",
	} {
		q := prepare(tx.conn, sql)
		if err := q.text(id).run(); err != nil {
			return err
		}
	}
	return nil
}

// requireApplication refuses to link an application that the account has not; "" is none.
func (tx *tx) requireApplication(account gateway.AccountID, id string) error {
	if id == "" {
		return nil
	}
	q := prepare(tx.conn, "SELECT 1 FROM applications WHERE id = ? AND account = ?")
	known := false
	for q.text(id).text(string(account)); q.next(); {
		known = true
	}
	if q.err == nil && !known {
		return gateway.Errorf(gateway.Invalid, "there is no such application")
	}
	return q.err
}
