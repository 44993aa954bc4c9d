package sqlite

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/heliograph/heliograph/internal/gateway"
)

const registrationColumns = `account, id, kind, parent, dialled, details, callback_url, callback_method, state, reason, code, granted,
	decided_at, created_at, modified_at`

func readRegistration(q *query) gateway.Registration {
	r := gateway.Registration{
		Account: gateway.AccountID(q.readText()), ID: q.readText(), Kind: gateway.RegistrationKind(q.readInt()), Parent: q.readText(), Number: q.readText(),
		Details: []byte(q.readText()), Callback: gateway.Callback{URL: q.readText(), Method: q.readText()},
		Decision: gateway.Decision{State: gateway.RegistrationState(q.readInt()), Reason: q.readText(), Code: q.readText()},
	}
	q.readJSON(&r.Grant)
	r.DecidedAt, r.CreatedAt, r.ModifiedAt = q.readTime(), q.readTime(), q.readTime()
	return r
}

func readRegistrations(q *query) (list []gateway.Registration, err error) {
	for q.next() {
		list = append(list, readRegistration(q))
	}
	return list, q.err
}

// putRegistration stores a new registration, or replaces one in its place in lists.
func (tx *tx) putRegistration(r *gateway.Registration) error {
	q := prepare(tx.conn, "INSERT OR REPLACE INTO registrations (number, "+registrationColumns+`)
		VALUES ((SELECT number FROM registrations WHERE account = ?1 AND id = ?2), ?1, ?2, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`)
	q.text(string(r.Account)).text(r.ID).int(int64(r.Kind)).textOrNull(r.Parent).textOrNull(r.Number).text(string(r.Details)).
		textOrNull(r.Callback.URL).textOrNull(r.Callback.Method).int(int64(r.State)).textOrNull(r.Reason).textOrNull(r.Code).json(r.Grant).
		time(r.DecidedAt).time(r.CreatedAt).time(r.ModifiedAt)
	return q.run()
}

// loadRegistration reads a registration of the account; kind 0 is any.
func loadRegistration(conn *sqlite.Conn, account gateway.AccountID, kind gateway.RegistrationKind, id string) (r gateway.Registration, err error) {
	q := prepare(conn, "SELECT "+registrationColumns+" FROM registrations WHERE account = ? AND id = ?")
	found := false
	for q.text(string(account)).text(id); q.next(); {
		r, found = readRegistration(&q), true
	}
	if q.err == nil && (!found || kind != 0 && r.Kind != kind) {
		return gateway.Registration{}, gateway.Errorf(gateway.NotFound, "registration not found")
	}
	return r, q.err
}

// CreateRegistration stores a new registration. Conflict when the account has one of that id, or has asked to verify the number already; Invalid when it
// has not the parent, or not the number among its toll-free numbers.
func (s *Store) CreateRegistration(ctx context.Context, r gateway.Registration) error {
	return s.write(ctx, func(tx *tx) error {
		if err := tx.requireOwner(r.Account); err != nil {
			return err
		}
		if _, err := loadRegistration(tx.conn, r.Account, 0, r.ID); !isRefusal(err) {
			if err == nil {
				err = gateway.Errorf(gateway.Conflict, "%s %s exists already", r.Kind, r.ID)
			}
			return err
		}
		if err := tx.requireParent(&r); err != nil {
			return err
		}
		if err := tx.requireVerifiable(&r); err != nil {
			return err
		}
		return tx.putRegistration(&r)
	})
}

// parents are the kinds that others belong to.
var parents = map[gateway.RegistrationKind]gateway.RegistrationKind{
	gateway.BusinessProfile: gateway.BusinessProfile, gateway.Brand: gateway.BusinessProfile, gateway.RegisteredCampaign: gateway.Brand, gateway.TollFreeVerification: gateway.BusinessProfile,
}

func (tx *tx) requireParent(r *gateway.Registration) error {
	if r.Parent == "" {
		return nil
	}
	_, err := loadRegistration(tx.conn, r.Account, parents[r.Kind], r.Parent)
	if isRefusal(err) {
		return gateway.Errorf(gateway.Invalid, "there is no such %s", parents[r.Kind])
	}
	return err
}

// requireVerifiable refuses a verification of a number that is not a toll-free one of the account, or whose newest verification was not refused.
func (tx *tx) requireVerifiable(r *gateway.Registration) error {
	if r.Kind != gateway.TollFreeVerification {
		return nil
	}
	n, ok, err := tx.loadNumber(r.Number)
	if err != nil {
		return err
	}
	if !ok || n.Account != r.Account || n.Type != gateway.TollFree {
		return gateway.Errorf(gateway.Invalid, "number is not a toll-free number of the account")
	}
	q := prepare(tx.conn, newestVerification)
	for q.text(string(r.Account)).text(r.Number); q.next(); {
		if readRegistration(&q).State != gateway.Refused {
			err = gateway.Errorf(gateway.Conflict, "the number has a verification already")
		}
	}
	if q.err != nil {
		return q.err
	}
	return err
}

const newestVerification = "SELECT " + registrationColumns + ` FROM registrations
	WHERE account = ?1 AND dialled = ?2 ORDER BY number DESC LIMIT 1`

// Registration reads a registration of the account; kind 0 is any.
func (s *Store) Registration(ctx context.Context, account gateway.AccountID, kind gateway.RegistrationKind, id string) (r gateway.Registration, err error) {
	err = s.read(ctx, func(conn *sqlite.Conn) error {
		r, err = loadRegistration(conn, account, kind, id)
		return err
	})
	return r, err
}

// Registrations lists registrations, newest first, and how many fit the filter in all.
func (s *Store) Registrations(ctx context.Context, filter gateway.RegistrationFilter) (list []gateway.Registration, total int, err error) {
	c := registrationConditions(filter)
	err = s.list(ctx, func(conn *sqlite.Conn) error {
		q := c.prepare(conn, "SELECT count(*) FROM registrations", "")
		defer q.finalize()
		for q.next() {
			total = int(q.readInt())
		}
		if q.err != nil {
			return q.err
		}
		rows := c.prepare(conn, "SELECT "+registrationColumns+" FROM registrations", " ORDER BY number DESC LIMIT ? OFFSET ?")
		defer rows.finalize()
		rows.int(limitOf(filter.Limit)).int(int64(filter.Offset))
		list, err = readRegistrations(&rows.query)
		return err
	})
	return list, total, err
}

func registrationConditions(f gateway.RegistrationFilter) *conditions {
	c := &conditions{}
	if f.Account != "" {
		c.add("account = ?", string(f.Account))
	}
	if f.Kind != 0 {
		c.add("kind = ?", int64(f.Kind))
	}
	if len(f.States) > 0 {
		c.addAny("state = ?", values(f.States))
	}
	if f.Waiting {
		c.addConstant(fmt.Sprintf("kind <> %d AND (state = %d OR modified_at > decided_at)", gateway.BusinessProfile, gateway.Pending))
	}
	if f.Parent != "" {
		c.add("parent = ?", f.Parent)
	}
	if f.Number != "" {
		c.add("dialled = ?", f.Number)
	}
	for _, name := range slices.Sorted(maps.Keys(f.Details)) {
		c.addDetail(name, f.Details[name])
	}
	if !f.After.IsZero() {
		c.add("created_at >= ?", micros(f.After))
	}
	if !f.Before.IsZero() {
		c.add("created_at < ?", micros(f.Before))
	}
	return c
}

// addDetail adds a member of the details: it is the value, or a list with it that commas part.
func (c *conditions) addDetail(name, value string) {
	c.addPair("instr(',' || ifnull(json_extract(details, ?%d), '') || ',', ?%d) > 0", "$."+name, ","+value+",")
}

// addPair adds a piece with two values.
func (c *conditions) addPair(sql string, first, second any) {
	c.values = append(c.values, first, second)
	c.sql = append(c.sql, fmt.Sprintf(sql, len(c.values)-1, len(c.values)))
}

// ChangeRegistration changes a registration of the account, unless change refuses.
func (s *Store) ChangeRegistration(ctx context.Context, account gateway.AccountID, kind gateway.RegistrationKind, id string, change func(*gateway.Registration) error) error {
	return s.write(ctx, func(tx *tx) error {
		r, err := loadRegistration(tx.conn, account, kind, id)
		if err != nil {
			return err
		}
		if err := change(&r); err != nil {
			return err
		}
		if err := tx.requireParent(&r); err != nil {
			return err
		}
		return tx.putRegistration(&r)
	})
}

// DeleteRegistration removes a registration of the account. Conflict while others belong to it. The numbers of a campaign then belong to none; of those
// that waited for it the account is told that they never will.
func (s *Store) DeleteRegistration(ctx context.Context, account gateway.AccountID, kind gateway.RegistrationKind, id string, at time.Time) error {
	return s.writeNoticing(ctx, func(tx *tx) error {
		r, err := loadRegistration(tx.conn, account, kind, id)
		if err != nil {
			return err
		}
		q := prepare(tx.conn, "SELECT kind FROM registrations WHERE account = ? AND parent = ? LIMIT 1")
		child := gateway.RegistrationKind(0)
		for q.text(string(account)).text(id); q.next(); {
			child = gateway.RegistrationKind(q.readInt())
		}
		switch {
		case q.err != nil:
			return q.err
		case child != 0:
			return gateway.Errorf(gateway.Conflict, "a %s belongs to it; delete that first", child)
		}
		if kind == gateway.RegisteredCampaign {
			if err := tx.closeCampaign(&r, at); err != nil {
				return err
			}
		}
		q = prepare(tx.conn, "DELETE FROM registrations WHERE account = ? AND id = ?")
		return q.text(string(account)).text(id).run()
	})
}

// DecideRegistration sets what the operator decided, and gives the registration as it is then. An approved campaign is one of the queue's, with the
// numbers that waited for it; one that is refused is none any more. The account is told. NotFound when the account has none of that id; Invalid when there is nothing
// to decide; Conflict when the campaign is another account's.
func (s *Store) DecideRegistration(ctx context.Context, account gateway.AccountID, id string, decision gateway.Decision) (r gateway.Registration, err error) {
	err = s.writeNoticing(ctx, func(tx *tx) error {
		if r, err = loadRegistration(tx.conn, account, 0, id); err != nil {
			return err
		}
		if r.Kind == gateway.BusinessProfile {
			return gateway.Errorf(gateway.Invalid, "nobody decides on a profile")
		}
		r.Decision = decision
		if err := tx.putRegistration(&r); err != nil {
			return err
		}
		if err := tx.notice(gateway.NewNotice(gateway.DecisionNotice, &r, r.Callback), decision.DecidedAt); err != nil {
			return err
		}
		switch {
		case r.Kind != gateway.RegisteredCampaign:
			return nil
		case r.State == gateway.Approved:
			return tx.openCampaign(&r, decision.DecidedAt)
		}
		return tx.closeCampaign(&r, decision.DecidedAt)
	})
	return r, err
}

// openCampaign lets the numbers of a campaign send in it.
func (tx *tx) openCampaign(r *gateway.Registration, at time.Time) error {
	if err := tx.putCampaign(r.Campaign()); err != nil {
		return err
	}
	if err := tx.noticeLinking(r, at); err != nil {
		return err
	}
	return tx.runAll([]string{"UPDATE numbers SET campaign = ?1, linking = NULL WHERE linking = ?1 AND account = ?2"}, r.ID, string(r.Account))
}

// closeCampaign takes a campaign out of the queue; its numbers belong to none then.
func (tx *tx) closeCampaign(r *gateway.Registration, at time.Time) error {
	if err := tx.noticeLinking(r, at); err != nil {
		return err
	}
	return tx.runAll([]string{
		"DELETE FROM campaigns WHERE id = ?1 AND account = ?2",
		"UPDATE numbers SET campaign = NULL WHERE campaign = ?1 AND account = ?2",
		"UPDATE numbers SET linking = NULL WHERE linking = ?1 AND account = ?2",
	}, r.ID, string(r.Account))
}

// noticeLinking tells what became of each number that waits for a campaign: that it came into it, or, when it is not approved, that it never will.
func (tx *tx) noticeLinking(r *gateway.Registration, at time.Time) error {
	q := prepare(tx.conn, "SELECT number, linking_url, linking_method FROM numbers WHERE linking = ? AND account = ? AND linking_url IS NOT NULL ORDER BY number")
	var notices []gateway.Notice
	for q.text(r.ID).text(string(r.Account)); q.next(); {
		number := q.readText()
		notices = append(notices, linkNotice(gateway.LinkNotice, r, number, gateway.Callback{URL: q.readText(), Method: q.readText()}))
	}
	if q.err != nil {
		return q.err
	}
	for _, n := range notices {
		if err := tx.notice(n, at); err != nil {
			return err
		}
	}
	return nil
}

// linkNotice is a notice about a number and a campaign.
func linkNotice(kind gateway.NoticeKind, r *gateway.Registration, number string, to gateway.Callback) gateway.Notice {
	n := gateway.NewNotice(kind, r, to)
	n.Number = number
	return n
}

// withdrawCampaign is what becomes of numbers and of a registration when the operator removes a campaign of the queue.
func (tx *tx) withdrawCampaign(id string, at time.Time) error {
	err := tx.runAll([]string{"UPDATE numbers SET campaign = NULL WHERE campaign = ?1"}, id)
	if err != nil {
		return err
	}
	q := prepare(tx.conn, "SELECT "+registrationColumns+" FROM registrations WHERE id = ? AND kind = ? AND state = ?")
	q.text(id).int(int64(gateway.RegisteredCampaign)).int(int64(gateway.Approved))
	registered, err := readRegistrations(&q)
	if err != nil {
		return err
	}
	for i := range registered {
		r := &registered[i]
		r.State, r.Reason, r.DecidedAt = gateway.Refused, "The campaign was removed.", at
		if err := tx.putRegistration(r); err != nil {
			return err
		}
		if err := tx.notice(gateway.NewNotice(gateway.DecisionNotice, r, r.Callback), at); err != nil {
			return err
		}
	}
	return nil
}

// LinkNumbers puts numbers of the account into a campaign that it registered: at once when that is approved, else as soon as it is. All or none. Invalid
// when a number is not a long code of the account that may be in a campaign, or the campaign was refused; Conflict when a number is in a campaign or waits
// for one, or there would be too many. The account is told of each number when it is in, or never will be.
func (s *Store) LinkNumbers(ctx context.Context, account gateway.AccountID, campaign string, numbers []string, to gateway.Callback, at time.Time) error {
	return s.writeNoticing(ctx, func(tx *tx) error {
		r, err := loadRegistration(tx.conn, account, gateway.RegisteredCampaign, campaign)
		if err != nil {
			return err
		}
		if r.State == gateway.Refused || r.State == gateway.Incomplete {
			return gateway.Errorf(gateway.Invalid, "the campaign was rejected")
		}
		for _, number := range numbers {
			if err := tx.linkNumber(&r, number, to, at); err != nil {
				return err
			}
		}
		return tx.requireFewLinked(&r)
	})
}

func (tx *tx) linkNumber(r *gateway.Registration, number string, to gateway.Callback, at time.Time) error {
	n, ok, err := tx.loadNumber(number)
	switch {
	case err != nil:
		return err
	case !ok || n.Account != r.Account || !n.Linkable():
		return gateway.Errorf(gateway.Invalid, "The number %s is not a valid number", number)
	case n.Campaign != "" || n.Linking != "":
		return gateway.Errorf(gateway.Conflict, "The number %s is already requested for linking", number)
	}
	if r.State != gateway.Approved {
		q := prepare(tx.conn, "UPDATE numbers SET linking = ?, linking_url = ?, linking_method = ? WHERE number = ?")
		return q.text(r.ID).textOrNull(to.URL).textOrNull(to.Method).text(number).run()
	}
	q := prepare(tx.conn, "UPDATE numbers SET campaign = ? WHERE number = ?")
	if err := q.text(r.ID).text(number).run(); err != nil {
		return err
	}
	return tx.notice(linkNotice(gateway.LinkNotice, r, number, to), at)
}

func (tx *tx) requireFewLinked(r *gateway.Registration) error {
	q := prepare(tx.conn, "SELECT count(*) FROM numbers WHERE account = ?1 AND (campaign = ?2 OR linking = ?2)")
	linked := int64(0)
	for q.text(string(r.Account)).text(r.ID); q.next(); {
		linked = q.readInt()
	}
	if q.err == nil && linked > gateway.MaxLinked {
		return gateway.Errorf(gateway.Conflict, "a campaign has at most %d numbers", gateway.MaxLinked)
	}
	return q.err
}

// UnlinkNumber takes a number out of a campaign of the account, and tells the account. NotFound when there is no such campaign; Invalid when the number
// is not in it.
func (s *Store) UnlinkNumber(ctx context.Context, account gateway.AccountID, campaign, number string, to gateway.Callback, at time.Time) error {
	return s.writeNoticing(ctx, func(tx *tx) error {
		r, err := loadRegistration(tx.conn, account, gateway.RegisteredCampaign, campaign)
		if err != nil {
			return err
		}
		q := prepare(tx.conn, `UPDATE numbers SET campaign = NULL, linking = NULL
			WHERE number = ?1 AND account = ?2 AND (campaign = ?3 OR linking = ?3)`)
		if err := q.text(number).text(string(account)).text(campaign).run(); err != nil {
			return err
		}
		if tx.conn.Changes() == 0 {
			return gateway.Errorf(gateway.Invalid, "The number %s is not linked to this campaign", number)
		}
		return tx.notice(linkNotice(gateway.UnlinkNotice, &r, number, to), at)
	})
}

// NumbersOf reads those of the numbers that the account has.
func (s *Store) NumbersOf(ctx context.Context, account gateway.AccountID, numbers []string) (map[string]gateway.Number, error) {
	found := map[string]gateway.Number{}
	err := s.read(ctx, func(conn *sqlite.Conn) error {
		for _, number := range numbers {
			q := prepare(conn, "SELECT "+numberColumns+" FROM numbers WHERE number = ? AND account = ?")
			for q.text(number).text(string(account)); q.next(); {
				found[number] = readNumber(&q)
			}
			if q.err != nil {
				return q.err
			}
		}
		return nil
	})
	return found, err
}

// Verifications reads the newest verification of each of the account's numbers that has one.
func (s *Store) Verifications(ctx context.Context, account gateway.AccountID, numbers []string) (map[string]gateway.Registration, error) {
	found := map[string]gateway.Registration{}
	err := s.read(ctx, func(conn *sqlite.Conn) error {
		for _, number := range numbers {
			q := prepare(conn, newestVerification)
			for q.text(string(account)).text(number); q.next(); {
				found[number] = readRegistration(&q)
			}
			if q.err != nil {
				return q.err
			}
		}
		return nil
	})
	return found, err
}

// addRegistration adds what numbers are registered for.
func (c *conditions) addRegistration(f gateway.NumberFilter) {
	if f.Campaign != "" {
		c.add("(campaign = ?1 OR linking = ?1)", f.Campaign)
	}
	if f.Linked != nil && *f.Linked {
		c.addConstant("campaign IS NOT NULL")
	}
	if f.Linked != nil && !*f.Linked {
		c.addConstant("linking IS NOT NULL")
	}
	const newest = `(SELECT state FROM registrations r WHERE r.account = numbers.account AND r.dialled = numbers.number ORDER BY r.number DESC LIMIT 1)`
	if f.Verified != nil {
		c.add(newest+" = ?", int64(*f.Verified))
	}
	if f.Unverified {
		c.add("type = ?", int64(gateway.TollFree))
		c.addConstant(fmt.Sprintf("ifnull(%s, %d) IN (%d, %d)", newest, gateway.Refused, gateway.Refused, gateway.Incomplete))
	}
}

// addCampaign adds which campaigns the senders of messages are in.
func (c *messageFilter) addCampaign(f *gateway.MessageFilter) {
	if f.Campaign != "" {
		c.addPair("sender IN (SELECT n.number FROM numbers n WHERE n.campaign = ?%d AND n.account = ?%d)", f.Campaign, string(f.Account))
		c.addConstant(fmt.Sprintf("direction = %d", gateway.Outbound))
	}
	if f.Registered != nil {
		c.add(fmt.Sprintf("direction = %d AND sender IN (SELECT n.number FROM numbers n WHERE n.account = ?1 AND n.type = %d AND n.country IN (%s) AND (n.campaign IS NOT NULL) = %t)",
			gateway.Outbound, gateway.LongCode, "'US', 'PR', 'VI', 'GU', 'AS', 'MP'", *f.Registered), string(f.Account))
	}
}
