package main

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"time"
)

type accountCommand struct {
	connection

	List    accountList    `cmd:"" help:"All accounts."`
	Create  accountCreate  `cmd:"" help:"Make an account. Its token is shown once."`
	Show    accountShow    `cmd:"" help:"One account."`
	Set     accountSet     `cmd:"" help:"Change what is given of an account."`
	Credit  accountCredit  `cmd:"" help:"Pay into an account, or correct its balance."`
	Credits accountCredits `cmd:"" help:"What was paid in and corrected, newest first."`
	Guard   accountGuard   `cmd:"" help:"Countries that an account sends to, and thresholds; with settings: change them."`
}

// accountRow is an account as the API shows it.
type accountRow struct {
	AuthID  string     `json:"auth_id"`
	Parent  string     `json:"parent_auth_id"`
	Name    string     `json:"name"`
	Enabled bool       `json:"enabled"`
	Rate    float64    `json:"rate"`
	Created *time.Time `json:"created_on"`

	// Of a main account.
	Billing   string `json:"billing_mode"`
	Balance   string `json:"balance"`
	Held      string `json:"held"`
	Available string `json:"available"`
}

func (a *accountRow) print(p *printer) {
	fields := []string{"auth id", a.AuthID, "name", a.Name, "parent", a.Parent, "enabled", yesNo(a.Enabled), "rate", ratePerSecond(a.Rate)}
	if a.Billing != "" {
		fields = append(fields, "billing", a.Billing, "balance", a.Balance, "held", a.Held, "available", a.Available)
	}
	p.fields(append(fields, "created", p.at(a.Created))...)
}

type accountList struct{}

func (accountList) Run(ctx context.Context, std streams, noun *accountCommand) error {
	var answer struct{ Accounts []accountRow }
	return noun.show(ctx, std, question{method: http.MethodGet, path: "/accounts"}, &answer, func(p *printer) {
		t := newTable("AUTH ID", "~NAME", "ENABLED", ">UNITS/S", "PARENT", "BILLING", ">AVAILABLE", "CREATED")
		for _, a := range answer.Accounts {
			t.row(a.AuthID, a.Name, yesNo(a.Enabled), ratePerSecond(a.Rate), a.Parent, a.Billing, a.Available, p.at(a.Created))
		}
		p.table(t, "There is no account.")
	})
}

type accountCreate struct {
	Name    string  `arg:"" help:"What the account is called."`
	Rate    float64 `help:"Units per second over all its senders; 0: unlimited." placeholder:"UNITS"`
	Billing string  `help:"prepaid, or postpaid unless given." placeholder:"MODE"`
}

func (c accountCreate) Run(ctx context.Context, std streams, noun *accountCommand) error {
	var made struct {
		AuthID  string `json:"auth_id"`
		Token   string `json:"auth_token"`
		Warning string `json:"warning"`
	}
	account := map[string]any{"name": c.Name, "rate": c.Rate}
	if c.Billing != "" {
		account["billing_mode"] = c.Billing
	}
	q := question{method: http.MethodPost, path: "/accounts", body: account}
	return noun.show(ctx, std, q, &made, func(p *printer) {
		p.fields("auth id", made.AuthID, "auth token", made.Token)
		p.note("Keep the token: it is not shown again.")
		if made.Warning != "" {
			p.note("Warning: %s", made.Warning)
		}
	})
}

type accountShow struct {
	AuthID string `arg:"" help:"Account." name:"auth-id"`
}

func (c accountShow) Run(ctx context.Context, std streams, noun *accountCommand) error {
	var a accountRow
	return noun.show(ctx, std, question{method: http.MethodGet, path: "/accounts/" + url.PathEscape(c.AuthID)}, &a, a.print)
}

type accountSet struct {
	AuthID   string   `arg:"" help:"Account." name:"auth-id"`
	Name     *string  `help:"What it is called." placeholder:"NAME"`
	Enabled  bool     `help:"Let it work." xor:"enabled"`
	Disabled bool     `help:"Refuse its credentials." xor:"enabled"`
	Rate     *float64 `help:"Units per second over all its senders; 0: unlimited." placeholder:"UNITS"`
	Billing  string   `help:"prepaid or postpaid; holds for new messages." placeholder:"MODE"`
}

func (c accountSet) Run(ctx context.Context, std streams, noun *accountCommand) error {
	change := map[string]any{}
	if c.Name != nil {
		change["name"] = *c.Name
	}
	if c.Enabled || c.Disabled {
		change["enabled"] = c.Enabled
	}
	if c.Rate != nil {
		change["rate"] = *c.Rate
	}
	if c.Billing != "" {
		change["billing_mode"] = c.Billing
	}
	if len(change) == 0 {
		return errors.New("nothing to change: give --name, --enabled, --disabled, --rate or --billing")
	}
	var a accountRow
	return noun.show(ctx, std, question{method: http.MethodPost, path: "/accounts/" + url.PathEscape(c.AuthID), body: change}, &a, a.print)
}
