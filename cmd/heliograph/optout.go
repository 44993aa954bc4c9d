package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"time"
)

type optOutCommand struct {
	connection

	List   optOutList   `cmd:"" help:"Persons who have opted out, newest first."`
	Add    optOutAdd    `cmd:"" help:"Opt persons out."`
	Remove optOutRemove `cmd:"" help:"Opt a person in again."`
	Export optOutExport `cmd:"" help:"Write them to a CSV file."`
	Import optOutImport `cmd:"" help:"Opt out the persons of a CSV file, all or none."`
	Audit  optOutAudit  `cmd:"" help:"Every change, newest first, and who made it."`
}

// optOutChoice says which opt-outs are meant.
type optOutChoice struct {
	Account string `help:"Only those of an account." placeholder:"AUTH-ID"`
	Source  string `help:"Only of a sender, or of a campaign." placeholder:"NUMBER"`
	Number  string `help:"Only of a person." placeholder:"NUMBER"`
	After   string `help:"Then or later: a day, which begins in UTC, or such as 2026-05-06T07:00:00Z." placeholder:"TIME"`
	Before  string `help:"Before then." placeholder:"TIME"`
}

func (c *optOutChoice) query() url.Values {
	query := url.Values{}
	for name, value := range map[string]string{"auth_id": c.Account, "source": c.Source, "number": c.Number, "after": c.After, "before": c.Before} {
		setIf(query, name, value)
	}
	return query
}

// page is the choice, and which page of it.
func (c *optOutChoice) page(limit, offset int) url.Values {
	query := c.query()
	for name, values := range pageOf(limit, offset) {
		query[name] = values
	}
	return query
}

type optOutList struct {
	optOutChoice
	Limit  int `help:"At most so many, up to 1,000." default:"100" placeholder:"N"`
	Offset int `help:"Without the first so many." placeholder:"N"`
}

func (c optOutList) Run(ctx context.Context, std streams, noun *optOutCommand) error {
	var answer struct {
		OptOuts []struct {
			AuthID  string     `json:"auth_id"`
			Source  string     `json:"source"`
			Number  string     `json:"number"`
			At      *time.Time `json:"opted_out_on"`
			Origin  string     `json:"origin"`
			Keyword string     `json:"keyword"`
		} `json:"opt_outs"`
		Total int
	}
	q := question{method: http.MethodGet, path: "/opt-outs", query: c.page(c.Limit, c.Offset)}
	return noun.show(ctx, std, q, &answer, func(p *printer) {
		t := newTable("NUMBER", "SOURCE", "ACCOUNT", "OPTED OUT", "BY", "~KEYWORD")
		for _, o := range answer.OptOuts {
			t.row(o.Number, o.Source, o.AuthID, p.at(o.At), o.Origin, o.Keyword)
		}
		p.table(t, "Nobody has opted out.")
		p.shown(c.Offset+len(answer.OptOuts), answer.Total, "opt-outs")
	})
}

type optOutAdd struct {
	Account string   `arg:"" help:"Whose messages they do not want." name:"auth-id"`
	Source  string   `arg:"" help:"Sender, or campaign: all of its numbers."`
	Numbers []string `arg:"" help:"Persons."`
	Note    string   `help:"Kept in the audit trail." placeholder:"TEXT"`
}

func (c optOutAdd) Run(ctx context.Context, std streams, noun *optOutCommand) error {
	entries := make([]map[string]string, len(c.Numbers))
	for i, number := range c.Numbers {
		entries[i] = map[string]string{"auth_id": c.Account, "source": c.Source, "number": number, "note": c.Note}
	}
	var answer struct{ Changed int }
	q := question{method: http.MethodPost, path: "/opt-outs", body: map[string]any{"opt_outs": entries}}
	return noun.show(ctx, std, q, &answer, func(p *printer) {
		p.line("%s", optedOutOf(len(c.Numbers), answer.Changed, c.Source))
	})
}

// optedOutOf says what a call changed.
func optedOutOf(given, changed int, source string) string {
	switch {
	case given == 1 && changed == 1:
		return "The person has opted out of " + source + "."
	case given == 1:
		return "The person had opted out of " + source + " before."
	case changed == given:
		return fmt.Sprintf("%d persons have opted out of %s.", given, source)
	}
	return fmt.Sprintf("%d persons have opted out of %s, %d of them before.", given, source, given-changed)
}

type optOutRemove struct {
	Account string `arg:"" help:"Whose messages they want again." name:"auth-id"`
	Source  string `arg:"" help:"Sender or campaign that they had opted out of."`
	Number  string `arg:"" help:"Person."`
	Note    string `help:"Kept in the audit trail: how they asked for it." placeholder:"TEXT"`
}

func (c optOutRemove) Run(ctx context.Context, std streams, noun *optOutCommand) error {
	query := url.Values{"auth_id": {c.Account}, "source": {c.Source}, "number": {c.Number}}
	setIf(query, "note", c.Note)
	return noun.done(ctx, std, question{method: http.MethodDelete, path: "/opt-outs", query: query}, "The person has opted in to %s again.", c.Source)
}

type optOutAudit struct {
	optOutChoice
	Limit  int `help:"At most so many, up to 1,000." default:"100" placeholder:"N"`
	Offset int `help:"Without the first so many." placeholder:"N"`
}

func (c optOutAudit) Run(ctx context.Context, std streams, noun *optOutCommand) error {
	var answer struct {
		Changes []struct {
			Change  string     `json:"change"`
			AuthID  string     `json:"auth_id"`
			Source  string     `json:"source"`
			Number  string     `json:"number"`
			At      *time.Time `json:"changed_on"`
			Origin  string     `json:"origin"`
			Keyword string     `json:"keyword"`
			Message string     `json:"message_uuid"`
			Note    string     `json:"note"`
		}
		Total int
	}
	q := question{method: http.MethodGet, path: "/opt-outs/audit", query: c.page(c.Limit, c.Offset)}
	return noun.show(ctx, std, q, &answer, func(p *printer) {
		t := newTable("WHEN", "CHANGE", "NUMBER", "SOURCE", "ACCOUNT", "BY", "KEYWORD", "MESSAGE", "~NOTE")
		for _, o := range answer.Changes {
			t.row(p.at(o.At), o.Change, o.Number, o.Source, o.AuthID, o.Origin, o.Keyword, o.Message, o.Note)
		}
		p.table(t, "Nothing has changed.")
		p.shown(c.Offset+len(answer.Changes), answer.Total, "changes")
	})
}
