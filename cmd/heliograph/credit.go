package main

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// creditRow is an entry of an account's ledger as the API shows it.
type creditRow struct {
	ID      int64      `json:"id"`
	AuthID  string     `json:"auth_id"`
	Amount  string     `json:"amount"`
	Balance string     `json:"balance"`
	Note    string     `json:"note"`
	Key     string     `json:"idempotency_key"`
	Entered *time.Time `json:"entered_on"`
}

type accountCredit struct {
	AuthID string `arg:"" help:"Main account." name:"auth-id"`
	Amount string `arg:"" help:"Such as 250.00. To take out, write -- before the account and a negative amount."`
	Note   string `help:"Kept in the ledger." placeholder:"TEXT"`
	Key    string `help:"Makes the payment once, however often the command is repeated with it." placeholder:"KEY"`
}

func (c accountCredit) Run(ctx context.Context, std streams, noun *accountCommand) error {
	q := question{
		method: http.MethodPost, path: "/accounts/" + url.PathEscape(c.AuthID) + "/credits", once: c.Key,
		body: map[string]string{"amount": strings.TrimPrefix(c.Amount, "+"), "note": c.Note},
	}
	var entry creditRow
	return noun.show(ctx, std, q, &entry, func(p *printer) {
		p.line("%s was entered for %s; its balance was %s then.", entry.Amount, entry.AuthID, entry.Balance)
	})
}

type accountCredits struct {
	AuthID string `arg:"" help:"Main account." name:"auth-id"`
	Limit  int    `help:"At most so many, up to 1,000." default:"100" placeholder:"N"`
	Offset int    `help:"Without the first so many." placeholder:"N"`
}

func (c accountCredits) Run(ctx context.Context, std streams, noun *accountCommand) error {
	var answer struct {
		Credits []creditRow
		Total   int
	}
	q := question{method: http.MethodGet, path: "/accounts/" + url.PathEscape(c.AuthID) + "/credits", query: pageOf(c.Limit, c.Offset)}
	return noun.show(ctx, std, q, &answer, func(p *printer) {
		t := newTable("ENTERED", ">AMOUNT", ">BALANCE", "~NOTE", "~KEY")
		for _, entry := range answer.Credits {
			t.row(p.at(entry.Entered), entry.Amount, entry.Balance, entry.Note, entry.Key)
		}
		p.table(t, "Nothing was paid in.")
		p.shown(c.Offset+len(answer.Credits), answer.Total, "entries")
	})
}
