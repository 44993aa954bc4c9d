package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

type numberCommand struct {
	connection

	List   numberList   `cmd:"" help:"Numbers, in the order in which they were added."`
	Show   numberShow   `cmd:"" help:"One number."`
	Add    numberAdd    `cmd:"" help:"Add numbers, or replace all settings of those that are there."`
	Set    numberSet    `cmd:"" help:"Change what is given of a number."`
	Pause  numberPause  `cmd:"" help:"Send nothing more from a number; what waits for it stays."`
	Resume numberResume `cmd:"" help:"Send from it again."`
	Import numberImport `cmd:"" help:"Add the numbers of a CSV file, or replace all settings of those that are there: all of them, or none."`
}

// numberSettings is a number as the API takes it; what is absent has its default.
type numberSettings struct {
	Number   string   `json:"number"`
	Type     string   `json:"type,omitempty"`
	Country  string   `json:"country_iso2,omitempty"`
	Carrier  string   `json:"carrier,omitempty"`
	Services []string `json:"services,omitempty"`
	Rate     *float64 `json:"rate,omitempty"`
	DailyCap *int     `json:"daily_cap,omitempty"`
	Campaign string   `json:"campaign,omitempty"`
	Paused   bool     `json:"paused,omitempty"`
	AuthID   string   `json:"auth_id,omitempty"`
}

// numberRow is a number as the API shows it: its settings, and what follows from them.
type numberRow struct {
	numberSettings
	Region      string     `json:"region"`
	AreaCode    string     `json:"area_code"`
	RateApplied float64    `json:"effective_rate"`
	CapApplied  int        `json:"effective_daily_cap"`
	Pool        string     `json:"number_pool_uuid"`
	PoolService string     `json:"number_pool_service"`
	Added       *time.Time `json:"added_on"`
	Rented      *time.Time `json:"rented_on"`
}

// limits tells a rate and a cap, and whether they are defaults.
func (n *numberRow) limits() (rate, dailyCap string) {
	rate, dailyCap = ratePerSecond(n.RateApplied), perDay(n.CapApplied)
	if n.Rate == nil {
		rate += " (default)"
	}
	if n.DailyCap == nil {
		dailyCap += " (default)"
	}
	return rate, dailyCap
}

func (n *numberRow) print(p *printer) {
	rate, dailyCap := n.limits()
	p.fields("number", n.Number, "type", n.Type, "country", n.Country, "region", n.Region, "area code", n.AreaCode, "services", strings.Join(n.Services, " "),
		"carrier", n.Carrier, "account", n.AuthID, "number pool", n.Pool, "there for", n.PoolService, "campaign", n.Campaign, "units per second", rate, "units per day", dailyCap,
		"paused", yesNo(n.Paused), "added", p.at(n.Added), "rented", p.at(n.Rented))
}

type numberList struct {
	Account   string `help:"Only those of an account." placeholder:"AUTH-ID"`
	Inventory bool   `help:"Only those that nobody rents."`
	Pool      string `help:"Only those of a number pool." placeholder:"UUID"`
	Type      string `help:"Only longcode, tollfree, shortcode or alphanumeric." placeholder:"TYPE"`
	Country   string `help:"Only those of a country." placeholder:"US"`
	Campaign  string `help:"Only those that are in a campaign." placeholder:"ID"`
	Prefix    string `help:"Only those that begin with this, country code included." placeholder:"DIGITS"`
	Limit     int    `help:"At most so many; 0: all." default:"100" placeholder:"N"`
}

// numberPage is the most numbers that the API lists in one answer.
const numberPage = 1000

// Run reads as many pages as it takes; with --json they are one document, as one answer would be.
func (c numberList) Run(ctx context.Context, std streams, noun *numberCommand) error {
	if c.Limit < 0 {
		return errors.New("--limit must not be negative")
	}
	query := c.query()
	all, at := struct {
		Numbers []json.RawMessage `json:"numbers"`
		Total   int               `json:"total"`
	}{Numbers: []json.RawMessage{}}, time.Time{}
	for {
		most := numberPage
		if c.Limit > 0 {
			most = min(most, c.Limit-len(all.Numbers))
		}
		query.Set("limit", strconv.Itoa(most))
		query.Set("offset", strconv.Itoa(len(all.Numbers)))
		answer, err := noun.call(ctx, question{method: http.MethodGet, path: "/numbers", query: query})
		if err != nil {
			return err
		}
		var page struct {
			Numbers []json.RawMessage
			Total   int
		}
		if err := json.Unmarshal(answer.body, &page); err != nil {
			return err
		}
		all.Numbers, all.Total, at = append(all.Numbers, page.Numbers...), page.Total, answer.at
		if len(page.Numbers) == 0 || len(all.Numbers) >= page.Total || len(all.Numbers) == c.Limit {
			break
		}
	}
	body, err := json.Marshal(all)
	if err != nil {
		return err
	}
	var list struct {
		Numbers []numberRow
		Total   int
	}
	return noun.print(std, apiAnswer{body, at}, &list, func(p *printer) { printNumbers(p, list.Numbers, list.Total) })
}

func (c *numberList) query() url.Values {
	query := url.Values{}
	setIf(query, "auth_id", c.Account)
	setIf(query, "number_pool_uuid", c.Pool)
	setIf(query, "type", c.Type)
	setIf(query, "country_iso2", c.Country)
	setIf(query, "campaign", c.Campaign)
	setIf(query, "prefix", c.Prefix)
	if c.Inventory {
		query.Set("inventory", "true")
	}
	return query
}

func printNumbers(p *printer, numbers []numberRow, total int) {
	t := newTable("NUMBER", "TYPE", "COUNTRY", "SERVICES", "CARRIER", ">UNITS/S", ">UNITS/DAY", "CAMPAIGN", "PAUSED", "ACCOUNT")
	for i := range numbers {
		n := &numbers[i]
		t.row(n.Number, n.Type, n.Country, strings.Join(n.Services, " "), n.Carrier, ratePerSecond(n.RateApplied), perDay(n.CapApplied), n.Campaign,
			yesNo(n.Paused), n.AuthID)
	}
	p.table(t, "There is no such number.")
	p.shown(len(numbers), total, "numbers")
}

type numberShow struct {
	Number string `arg:"" help:"Number."`
}

func (c numberShow) Run(ctx context.Context, std streams, noun *numberCommand) error {
	var n numberRow
	return noun.show(ctx, std, question{method: http.MethodGet, path: "/numbers/" + url.PathEscape(c.Number)}, &n, func(p *printer) { n.print(p) })
}

// numberFlags are settings of numbers.
type numberFlags struct {
	Account  *string  `help:"Who rents it; empty: nobody, it is in the inventory." placeholder:"AUTH-ID"`
	Carrier  *string  `help:"Carrier that hosts it; empty: by route." placeholder:"NAME"`
	Services []string `help:"What it carries: sms,mms." placeholder:"LIST"`
	Rate     *string  `help:"Units per second; 0: unlimited; default: that of its type." placeholder:"UNITS"`
	DailyCap *string  `help:"Units per day; 0: none; default: that of its type." placeholder:"UNITS"`
	Campaign *string  `help:"Campaign of its account; empty: none." placeholder:"ID"`
	Type     string   `help:"longcode, tollfree, shortcode or alphanumeric, where it does not follow from the number." placeholder:"TYPE"`
	Country  string   `help:"Where it does not follow from the number." placeholder:"US"`
}

// settingDefault is the value of a flag that sets a limit back to that of the number's type.
const settingDefault = "default"

// apply changes what is given of a number.
func (f *numberFlags) apply(n *numberSettings) error {
	for flag, setting := range map[*string]*string{f.Account: &n.AuthID, f.Carrier: &n.Carrier, f.Campaign: &n.Campaign} {
		if flag != nil {
			*setting = *flag
		}
	}
	if f.Type != "" {
		n.Type = f.Type
	}
	if f.Country != "" {
		n.Country = f.Country
	}
	if len(f.Services) > 0 {
		n.Services = f.Services
	}
	if f.Rate != nil {
		n.Rate = nil
		if *f.Rate != settingDefault {
			rate, err := strconv.ParseFloat(*f.Rate, 64)
			if err != nil {
				return errors.New("--rate must be a number, or default")
			}
			n.Rate = &rate
		}
	}
	if f.DailyCap != nil {
		n.DailyCap = nil
		if *f.DailyCap != settingDefault {
			units, err := strconv.Atoi(*f.DailyCap)
			if err != nil {
				return errors.New("--daily-cap must be a whole number, or default")
			}
			n.DailyCap = &units
		}
	}
	return nil
}

type numberAdd struct {
	Numbers []string `arg:"" help:"Numbers." name:"number"`
	numberFlags
}

func (c numberAdd) Run(ctx context.Context, std streams, noun *numberCommand) error {
	numbers := make([]numberSettings, len(c.Numbers))
	for i, number := range c.Numbers {
		numbers[i].Number = number
		if err := c.apply(&numbers[i]); err != nil {
			return err
		}
	}
	return noun.put(ctx, std, numbers)
}

type numberSet struct {
	Number string `arg:"" help:"Number."`
	numberFlags
}

// Run reads the number first: the API replaces all of its settings, and what is not given is to stay.
func (c numberSet) Run(ctx context.Context, std streams, noun *numberCommand) error {
	answer, err := noun.call(ctx, question{method: http.MethodGet, path: "/numbers/" + url.PathEscape(c.Number)})
	if err != nil {
		return err
	}
	var n numberRow
	if err := json.Unmarshal(answer.body, &n); err != nil {
		return err
	}
	before := n.numberSettings
	if err := c.apply(&n.numberSettings); err != nil {
		return err
	}
	if same(before, n.numberSettings) {
		return errors.New("nothing to change")
	}
	return noun.put(ctx, std, []numberSettings{n.numberSettings})
}

// same compares settings as the API would see them.
func same(a, b numberSettings) bool {
	one, errOne := json.Marshal(a)
	other, errOther := json.Marshal(b)
	return errOne == nil && errOther == nil && bytes.Equal(one, other)
}

// put sends numbers with their settings.
func (c *numberCommand) put(ctx context.Context, std streams, numbers []numberSettings) error {
	q := question{method: http.MethodPost, path: "/numbers", body: map[string]any{"numbers": numbers}}
	var done struct{ Numbers []string }
	return c.show(ctx, std, q, &done, func(p *printer) {
		for _, number := range done.Numbers {
			p.line("Number %s is set.", number)
		}
	})
}

type numberPause struct {
	Number string `arg:"" help:"Number."`
}

func (c numberPause) Run(ctx context.Context, std streams, noun *numberCommand) error {
	q := question{method: http.MethodPost, path: "/numbers/" + url.PathEscape(c.Number) + "/pause"}
	return noun.done(ctx, std, q, "Number %s is paused.", c.Number)
}

type numberResume struct {
	Number string `arg:"" help:"Number."`
}

func (c numberResume) Run(ctx context.Context, std streams, noun *numberCommand) error {
	q := question{method: http.MethodPost, path: "/numbers/" + url.PathEscape(c.Number) + "/resume"}
	return noun.done(ctx, std, q, "Number %s goes on.", c.Number)
}
