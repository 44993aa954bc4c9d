package main

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"time"
)

type registrationCommand struct {
	connection

	List    registrationList    `cmd:"" help:"What accounts registered, newest first: what waits for a decision, unless a state is asked for."`
	Show    registrationShow    `cmd:"" help:"One registration, with what the account told."`
	Approve registrationApprove `cmd:"" help:"Approve one."`
	Reject  registrationReject  `cmd:"" help:"Reject one, or ask for a change."`
}

// registrationRow is a registration as the API shows it.
type registrationRow struct {
	ID            string         `json:"id"`
	Kind          string         `json:"kind"`
	AuthID        string         `json:"auth_id"`
	State         string         `json:"state"`
	Waits         bool           `json:"waits"`
	Parent        string         `json:"parent_id"`
	Number        string         `json:"number"`
	Details       map[string]any `json:"details"`
	Reason        string         `json:"reason"`
	Code          string         `json:"code"`
	Rate          *float64       `json:"rate"`
	DailyCap      *int           `json:"daily_cap"`
	BrandTier     string         `json:"brand_tier"`
	VettingStatus string         `json:"vetting_status"`
	Created       *time.Time     `json:"created_on"`
	Modified      *time.Time     `json:"modified_on"`
	Decided       *time.Time     `json:"decided_on"`
}

func (r *registrationRow) print(p *printer) {
	fields := []string{
		"registration", r.ID, "kind", r.Kind, "account", r.AuthID, "state", r.State, "waits for a decision", yesNo(r.Waits), "belongs to", r.Parent,
		"number", r.Number, "reason", r.Reason, "code", r.Code,
	}
	if r.Rate != nil && r.DailyCap != nil {
		fields = append(fields, "units per second", ratePerSecond(*r.Rate), "units per day", perDay(*r.DailyCap), "brand tier", r.BrandTier)
	}
	if r.VettingStatus != "" {
		fields = append(fields, "vetting", r.VettingStatus)
	}
	p.fields(append(fields, "created", p.at(r.Created), "changed", p.at(r.Modified), "decided", p.at(r.Decided))...)
}

type registrationList struct {
	Account string `help:"Only those of an account." placeholder:"AUTH-ID"`
	Kind    string `help:"Only profile, brand, campaign or tollfree_verification." placeholder:"KIND"`
	State   string `help:"pending, approved, rejected, update_required or all; otherwise what waits." placeholder:"STATE"`
	Limit   int    `help:"At most so many, up to 1,000." default:"100" placeholder:"N"`
	Offset  int    `help:"Without the first so many." placeholder:"N"`
}

func (c registrationList) Run(ctx context.Context, std streams, noun *registrationCommand) error {
	query := pageOf(c.Limit, c.Offset)
	setIf(query, "auth_id", c.Account)
	setIf(query, "kind", c.Kind)
	setIf(query, "state", c.State)
	var answer struct {
		Registrations []registrationRow
		Total         int
	}
	return noun.show(ctx, std, question{method: http.MethodGet, path: "/registrations", query: query}, &answer, func(p *printer) {
		t := newTable("REGISTRATION", "KIND", "ACCOUNT", "STATE", "WAITS", "NUMBER", "CREATED", "~REASON")
		for _, r := range answer.Registrations {
			t.row(r.ID, r.Kind, r.AuthID, r.State, yesNo(r.Waits), r.Number, p.at(r.Created), r.Reason)
		}
		p.table(t, "There is no such registration.")
		p.shown(c.Offset+len(answer.Registrations), answer.Total, "registrations")
	})
}

// registrationArgs name a registration.
type registrationArgs struct {
	AuthID string `arg:"" help:"Whose it is." name:"auth-id"`
	ID     string `arg:"" help:"Registration." name:"id"`
}

func (a *registrationArgs) path() string {
	return "/accounts/" + url.PathEscape(a.AuthID) + "/registrations/" + url.PathEscape(a.ID)
}

type registrationShow struct{ registrationArgs }

func (c registrationShow) Run(ctx context.Context, std streams, noun *registrationCommand) error {
	var r registrationRow
	return noun.show(ctx, std, question{method: http.MethodGet, path: c.path()}, &r, func(p *printer) {
		r.print(p)
		if len(r.Details) > 0 {
			p.line("")
			p.fields(told("", r.Details)...)
		}
	})
}

// told lists what an account told, by names in their order; what is within something else has both names.
func told(within string, details map[string]any) (pairs []string) {
	for _, name := range slices.Sorted(maps.Keys(details)) {
		switch value := details[name].(type) {
		case map[string]any:
			pairs = append(pairs, told(within+name+".", value)...)
		case nil:
		default:
			pairs = append(pairs, within+name, fmt.Sprint(value))
		}
	}
	return pairs
}

type registrationApprove struct {
	registrationArgs
	Rate          *float64 `help:"Of a campaign, needed: units per second over all its numbers; 0: unlimited." placeholder:"UNITS"`
	DailyCap      *int     `help:"Of a campaign: units per day; 0: none." placeholder:"UNITS"`
	TPM           *int     `help:"Of a campaign: messages per minute, as the account sees it." name:"tpm" placeholder:"COUNT"`
	BrandTier     string   `help:"Of a campaign, as the account sees it." placeholder:"TIER"`
	VettingStatus string   `help:"Of a brand." placeholder:"STATUS"`
	VettingScore  *int     `help:"Of a brand: 0 to 100." placeholder:"SCORE"`
}

func (c registrationApprove) Run(ctx context.Context, std streams, noun *registrationCommand) error {
	grant := map[string]any{}
	if c.Rate != nil {
		grant["rate"] = *c.Rate
	}
	for name, value := range map[string]*int{"daily_cap": c.DailyCap, "tpm": c.TPM, "vetting_score": c.VettingScore} {
		if value != nil {
			grant[name] = *value
		}
	}
	for name, value := range map[string]string{"brand_tier": c.BrandTier, "vetting_status": c.VettingStatus} {
		if value != "" {
			grant[name] = value
		}
	}
	var r registrationRow
	return noun.show(ctx, std, question{method: http.MethodPost, path: c.path() + "/approve", body: grant}, &r, r.print)
}

type registrationReject struct {
	registrationArgs
	Reason         string `help:"Which the account reads." required:"" placeholder:"TEXT"`
	Code           string `help:"Of the registry or the carrier." placeholder:"CODE"`
	UpdateRequired bool   `help:"Ask for a change instead."`
}

func (c registrationReject) Run(ctx context.Context, std streams, noun *registrationCommand) error {
	decision := map[string]any{"reason": c.Reason}
	if c.Code != "" {
		decision["code"] = c.Code
	}
	if c.UpdateRequired {
		decision["update_required"] = true
	}
	var r registrationRow
	return noun.show(ctx, std, question{method: http.MethodPost, path: c.path() + "/reject", body: decision}, &r, r.print)
}
