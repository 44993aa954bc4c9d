package main

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
)

type campaignCommand struct {
	connection

	List   campaignList   `cmd:"" help:"All campaigns."`
	Set    campaignSet    `cmd:"" help:"Add a campaign, or change what is given of one."`
	Delete campaignDelete `cmd:"" help:"Remove a campaign; its numbers then belong to none."`
}

// campaignRow is a campaign as the API shows it and takes it.
type campaignRow struct {
	ID       string  `json:"id"`
	AuthID   string  `json:"auth_id"`
	Rate     float64 `json:"rate"`
	DailyCap int     `json:"daily_cap"`
}

type campaignList struct{}

func (campaignList) Run(ctx context.Context, std streams, noun *campaignCommand) error {
	var answer struct{ Campaigns []campaignRow }
	return noun.show(ctx, std, question{method: http.MethodGet, path: "/campaigns"}, &answer, func(p *printer) {
		t := newTable("CAMPAIGN", "ACCOUNT", ">UNITS/S", ">UNITS/DAY")
		for _, c := range answer.Campaigns {
			t.row(c.ID, c.AuthID, ratePerSecond(c.Rate), perDay(c.DailyCap))
		}
		p.table(t, "There is no campaign.")
	})
}

type campaignSet struct {
	ID       string   `arg:"" help:"Campaign." name:"id"`
	Account  string   `help:"Whose it is; needed for a new one." placeholder:"AUTH-ID"`
	Rate     *float64 `help:"Units per second over all its numbers; 0: unlimited." placeholder:"UNITS"`
	DailyCap *int     `help:"Units per day over all its numbers; 0: none." placeholder:"UNITS"`
}

// Run reads the campaign first: the API replaces all of its settings, and what is not given is to stay.
func (c campaignSet) Run(ctx context.Context, std streams, noun *campaignCommand) error {
	answer, err := noun.call(ctx, question{method: http.MethodGet, path: "/campaigns"})
	if err != nil {
		return err
	}
	var known struct{ Campaigns []campaignRow }
	if err := json.Unmarshal(answer.body, &known); err != nil {
		return err
	}
	row := campaignRow{ID: c.ID}
	if i := slices.IndexFunc(known.Campaigns, func(other campaignRow) bool { return other.ID == c.ID }); i >= 0 {
		row = known.Campaigns[i]
	} else if c.Account == "" {
		return errors.New("there is no campaign " + c.ID + "; to add it, say whose it is with --account")
	}
	if c.Account != "" {
		row.AuthID = c.Account
	}
	if c.Rate != nil {
		row.Rate = *c.Rate
	}
	if c.DailyCap != nil {
		row.DailyCap = *c.DailyCap
	}
	q := question{method: http.MethodPost, path: "/campaigns", body: map[string]any{"campaigns": []campaignRow{row}}}
	return noun.done(ctx, std, q, "Campaign %s of %s; units per second: %s, per day: %s.", row.ID, row.AuthID, ratePerSecond(row.Rate), perDay(row.DailyCap))
}

type campaignDelete struct {
	ID string `arg:"" help:"Campaign." name:"id"`
}

func (c campaignDelete) Run(ctx context.Context, std streams, noun *campaignCommand) error {
	q := question{method: http.MethodDelete, path: "/campaigns/" + url.PathEscape(c.ID)}
	return noun.done(ctx, std, q, "Campaign %s is removed.", c.ID)
}
