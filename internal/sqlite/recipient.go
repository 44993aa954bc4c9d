package sqlite

import "github.com/heliograph/heliograph/internal/gateway"

// recipient is whose a number is, with the number of its account.
type recipient struct {
	gateway.Recipient
	account int64
}

// recipient finds whose a number is; nil when no account rents it. The number's pool, its campaign and its application are the account's own by the
// rules under which they are linked.
func (b *inbox) recipient(number string) (*recipient, error) {
	if known, ok := b.recipients[number]; ok {
		return known, nil
	}
	n, ok, err := b.loadNumber(number)
	if err != nil {
		return nil, err
	}
	var to *recipient
	if ok && n.Account != "" {
		if to, err = b.loadRecipient(n); err != nil {
			return nil, err
		}
	}
	b.recipients[number] = to
	return to, nil
}

func (b *inbox) loadRecipient(n gateway.Number) (*recipient, error) {
	to := &recipient{Recipient: gateway.Recipient{Number: n}}
	application := n.Application
	if !n.Pool.IsZero() {
		q := prepare(b.conn, "SELECT "+powerpackColumns+" FROM powerpacks WHERE pool = ? AND account = ?")
		for q.blob(n.Pool[:]).text(string(n.Account)); q.next(); {
			p := readPowerpack(&q)
			to.Powerpack, to.OfPowerpack = p.ID, p.Keywords
			if p.ApplicationID != "" {
				application = p.ApplicationID
			}
		}
		if q.err != nil {
			return nil, q.err
		}
	}
	if application != "" {
		q := prepare(b.conn, "SELECT "+applicationColumns+" FROM applications WHERE id = ? AND account = ?")
		for q.text(application).text(string(n.Account)); q.next(); {
			to.Application = readApplication(&q)
		}
		if q.err != nil {
			return nil, q.err
		}
	}
	if n.Campaign != "" {
		q := prepare(b.conn, "SELECT keywords FROM campaigns WHERE id = ? AND account = ?")
		for q.text(n.Campaign).text(string(n.Account)); q.next(); {
			q.readJSON(&to.OfCampaign)
		}
		if q.err != nil {
			return nil, q.err
		}
	}
	var err error
	to.account, _, err = b.names.accountNumber(b.conn, n.Account)
	return to, err
}

// formerOwner is the recipient of a message whose first segment came when another account had the number: that account. What it may have said
// of the number is not known any more.
func (b *inbox) formerOwner(number string, account int64) (*recipient, error) {
	id, err := b.names.account(b.conn, account)
	if err != nil {
		return nil, err
	}
	return &recipient{Recipient: gateway.Recipient{Number: gateway.Number{Number: number, Account: id}}, account: account}, nil
}
