package main

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// guardRow is what guards an account as the API shows it.
type guardRow struct {
	AuthID string `json:"auth_id"`
	Geo    struct {
		Others    *bool           `json:"others"`
		Countries map[string]bool `json:"countries"`
	} `json:"geo"`
	Thresholds []thresholdRow `json:"thresholds"`
	AlertURL   string         `json:"alert_url"`
}

// thresholdRow is a threshold as the API shows it and takes it.
type thresholdRow struct {
	Country string `json:"country_iso2,omitempty"`
	Prefix  string `json:"prefix,omitempty"`
	PerHour int    `json:"per_hour"`
}

func (g *guardRow) print(p *printer) {
	listed := func(allowed bool) string {
		var countries []string
		for _, country := range slices.Sorted(maps.Keys(g.Geo.Countries)) {
			if g.Geo.Countries[country] == allowed {
				countries = append(countries, country)
			}
		}
		return strings.Join(countries, " ")
	}
	others := "inherited"
	if g.Geo.Others != nil {
		others = map[bool]string{true: "allowed", false: "forbidden"}[*g.Geo.Others]
	}
	p.fields("account", g.AuthID, "allowed", listed(true), "forbidden", listed(false), "other countries", others, "alerts to", g.AlertURL)
	p.line("")
	t := newTable("THRESHOLD", ">MESSAGES/HOUR")
	for _, threshold := range g.Thresholds {
		of := threshold.Country
		switch {
		case of == "*":
			of = "each other country"
		case of == "":
			of = "numbers " + threshold.Prefix + "…"
		}
		t.row(of, strconv.Itoa(threshold.PerHour))
	}
	p.table(t, "No threshold of its own.")
}

type accountGuard struct {
	AuthID       string   `arg:"" help:"Account." name:"auth-id"`
	Allow        []string `help:"Countries that it sends to." placeholder:"US"`
	Forbid       []string `help:"Countries that it does not send to." placeholder:"NG"`
	Inherit      []string `help:"Countries about which nothing is said any more." placeholder:"DE"`
	Others       string   `help:"All countries that are not named: allow, forbid or inherit." enum:",allow,forbid,inherit" default:"" placeholder:"WHAT"`
	Threshold    []string `help:"Messages an hour, instead of all thresholds that are there: to a country (NG=100), to numbers by their first digits (23480=20), to each other country (*=5000)." placeholder:"WHERE=COUNT"`
	NoThresholds bool     `help:"Remove all thresholds." xor:"thresholds"`
	AlertURL     *string  `help:"Is told when a threshold is passed; empty: nobody is." name:"alert-url" placeholder:"URL"`
}

func (c accountGuard) Run(ctx context.Context, std streams, noun *accountCommand) error {
	change, err := c.change()
	if err != nil {
		return err
	}
	q := question{method: http.MethodGet, path: "/accounts/" + url.PathEscape(c.AuthID) + "/guard"}
	if len(change) > 0 {
		q.method, q.body = http.MethodPost, change
	}
	var g guardRow
	return noun.show(ctx, std, q, &g, g.print)
}

// change is what is given, as the API takes it.
func (c *accountGuard) change() (map[string]any, error) {
	change, geo, countries := map[string]any{}, map[string]any{}, map[string]any{}
	for _, group := range []struct {
		list  []string
		value any
	}{{c.Allow, true}, {c.Forbid, false}, {c.Inherit, nil}} {
		for _, country := range group.list {
			country = strings.ToUpper(country)
			if _, twice := countries[country]; twice {
				return nil, fmt.Errorf("%s is given twice", country)
			}
			countries[country] = group.value
		}
	}
	if len(countries) > 0 {
		geo["countries"] = countries
	}
	if c.Others != "" {
		geo["others"] = map[string]any{"allow": true, "forbid": false}[c.Others]
	}
	if len(geo) > 0 {
		change["geo"] = geo
	}
	if len(c.Threshold) > 0 && c.NoThresholds {
		return nil, fmt.Errorf("give --threshold or --no-thresholds")
	}
	if len(c.Threshold) > 0 || c.NoThresholds {
		thresholds, err := readThresholds(c.Threshold)
		if err != nil {
			return nil, err
		}
		change["thresholds"] = thresholds
	}
	if c.AlertURL != nil {
		change["alert_url"] = *c.AlertURL
	}
	return change, nil
}

// readThresholds reads thresholds such as NG=100, 23480=20 and *=5000.
func readThresholds(texts []string) ([]thresholdRow, error) {
	thresholds := []thresholdRow{}
	for _, text := range texts {
		of, count, _ := strings.Cut(text, "=")
		perHour, err := strconv.Atoi(count)
		if err != nil || of == "" {
			return nil, fmt.Errorf("%q is no threshold such as NG=100", text)
		}
		t := thresholdRow{Country: strings.ToUpper(of), PerHour: perHour}
		if strings.Trim(of, "0123456789") == "" {
			t.Country, t.Prefix = "", of
		}
		thresholds = append(thresholds, t)
	}
	return thresholds, nil
}
