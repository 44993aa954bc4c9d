package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

type conversionCommand struct {
	connection

	List conversionList `cmd:"" help:"How trackable messages converted, by group, those with the most messages first."`
}

// conversionRow says how the messages of a group converted, as the API shows it.
type conversionRow struct {
	Carrier             string   `json:"carrier"`
	Sender              string   `json:"sender"`
	Country             string   `json:"country_iso2"`
	Network             *string  `json:"network"`
	Messages            int      `json:"messages"`
	Converted           int      `json:"converted"`
	ConvertedWithOthers int      `json:"converted_with_others"`
	NotConverted        int      `json:"not_converted"`
	Pending             int      `json:"pending"`
	Rate                *float64 `json:"rate"`
}

// group is what the row is about.
func (c *conversionRow) group(by string) string {
	name := c.Carrier
	switch by {
	case "sender":
		name = c.Sender
	case "country", "network":
		name = c.Country
	}
	if name == "" {
		name = "unknown"
	}
	if c.Network == nil {
		return name
	}
	if *c.Network == "" {
		return name + ", unknown"
	}
	return name + ", " + *c.Network
}

type conversionList struct {
	By      string `help:"carrier, sender, country or network." default:"carrier" placeholder:"WHAT"`
	Account string `help:"Only messages of an account." placeholder:"AUTH-ID"`
	Carrier string `help:"Only those that a carrier took." placeholder:"NAME"`
	Sender  string `help:"Only those of a sender." placeholder:"NUMBER"`
	Country string `help:"Only those to a country." placeholder:"US"`
	From    string `help:"Accepted then or later: a day, which begins in UTC, or such as 2026-05-06T07:00:00Z; otherwise 24 hours back." placeholder:"TIME"`
	Until   string `help:"Accepted before." placeholder:"TIME"`
	Limit   int    `help:"At most so many groups, up to 10,000." default:"100" placeholder:"N"`
}

func (c conversionList) Run(ctx context.Context, std streams, noun *conversionCommand) error {
	query := url.Values{"by": {c.By}, "limit": {strconv.Itoa(c.Limit)}}
	for name, value := range map[string]string{
		"auth_id": c.Account, "carrier": c.Carrier, "sender": c.Sender, "country_iso2": c.Country, "from": c.From, "until": c.Until,
	} {
		setIf(query, name, value)
	}
	var answer struct {
		Conversions []conversionRow
		From, Until *time.Time
	}
	return noun.show(ctx, std, question{method: http.MethodGet, path: "/conversions", query: query}, &answer, func(p *printer) {
		t := newTable("~"+map[string]string{"sender": "SENDER", "country": "COUNTRY", "network": "NETWORK"}[c.By], ">MESSAGES", ">CONVERTED", ">WITH OTHERS", ">NOT", ">PENDING", ">RATE")
		if t.columns[0].title == "" {
			t.columns[0].title = "CARRIER"
		}
		for i := range answer.Conversions {
			row := &answer.Conversions[i]
			rate := ""
			if row.Rate != nil {
				rate = fmt.Sprintf("%.1f%%", *row.Rate*100)
			}
			t.row(row.group(c.By), strconv.Itoa(row.Messages), strconv.Itoa(row.Converted), strconv.Itoa(row.ConvertedWithOthers), strconv.Itoa(row.NotConverted),
				strconv.Itoa(row.Pending), rate)
		}
		p.table(t, "No trackable message was taken by a carrier then.")
		p.note("Accepted from %s until %s", p.at(answer.From), p.at(answer.Until))
	})
}
