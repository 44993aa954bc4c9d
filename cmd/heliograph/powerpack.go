package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

type powerpackCommand struct {
	connection

	List    powerpackList    `cmd:"" help:"Powerpacks, newest first."`
	Show    powerpackShow    `cmd:"" help:"A powerpack's settings, and its senders in the order in which they would be taken."`
	Explain powerpackExplain `cmd:"" help:"Which sender a message to a destination would get now, and why not the others."`
}

// powerpackFields is a powerpack as the API shows it.
type powerpackFields struct {
	UUID         string     `json:"uuid"`
	AuthID       string     `json:"auth_id"`
	Name         string     `json:"name"`
	Sticky       bool       `json:"sticky_sender"`
	LocalConnect bool       `json:"local_connect"`
	Patience     int        `json:"patience"`
	Refresh      bool       `json:"number_pool_refresh"`
	Pool         string     `json:"number_pool_uuid"`
	Senders      int        `json:"senders"`
	Created      *time.Time `json:"created_on"`
	Priorities   []struct {
		Service string   `json:"service_type"`
		Country string   `json:"country_iso2"`
		Order   []string `json:"order"`
	} `json:"number_priority"`
}

// priority is the order of types in words.
func (f *powerpackFields) priority() string {
	if len(f.Priorities) == 0 {
		return "shortcode, tollfree, longcode"
	}
	orders := make([]string, len(f.Priorities))
	for i, p := range f.Priorities {
		orders[i] = fmt.Sprintf("%s to %s: %s", p.Service, p.Country, strings.Join(p.Order, ", "))
	}
	return strings.Join(orders, "; ")
}

// senderRow is a sender of a powerpack as the API shows it.
type senderRow struct {
	Reason   string     `json:"reason"`
	Number   string     `json:"number"`
	Type     string     `json:"type"`
	Carrier  string     `json:"carrier"`
	Campaign string     `json:"campaign"`
	Rate     float64    `json:"effective_rate"`
	DailyCap int        `json:"effective_daily_cap"`
	Paused   bool       `json:"paused"`
	Units    int        `json:"queued_units"`
	FreeAt   *time.Time `json:"free_at"`
	Health   string     `json:"health"`
	Share    *float64   `json:"delivery_rate"`
	Samples  int        `json:"delivery_samples"`
	Rests    *time.Time `json:"rests_until"`
}

// free is in how long the sender would send.
func (s *senderRow) free(p *printer) string {
	if s.Paused {
		return "paused"
	}
	return p.until(s.FreeAt)
}

// health is how the sender does.
func (s *senderRow) health(p *printer) string {
	text := s.Health
	if s.Rests != nil {
		text += " for " + p.until(s.Rests)
	}
	if s.Share != nil {
		text += fmt.Sprintf(", %.1f%% of %d delivered", *s.Share*100, s.Samples)
	}
	return text
}

type powerpackList struct {
	Account string `help:"Only those of an account." placeholder:"AUTH-ID"`
	Limit   int    `help:"At most so many, up to 1,000." default:"100" placeholder:"N"`
	Offset  int    `help:"Without the first so many." placeholder:"N"`
}

func (c powerpackList) Run(ctx context.Context, std streams, noun *powerpackCommand) error {
	query := pageOf(c.Limit, c.Offset)
	setIf(query, "auth_id", c.Account)
	var answer struct {
		Powerpacks []powerpackFields
		Total      int
	}
	return noun.show(ctx, std, question{method: http.MethodGet, path: "/powerpacks", query: query}, &answer, func(p *printer) {
		t := newTable("POWERPACK", "ACCOUNT", "~NAME", ">SENDERS", "STICKY", "LOCAL", "CREATED")
		for _, f := range answer.Powerpacks {
			t.row(f.UUID, f.AuthID, f.Name, strconv.Itoa(f.Senders), yesNo(f.Sticky), yesNo(f.LocalConnect), p.at(f.Created))
		}
		p.table(t, "There is no powerpack.")
		p.shown(c.Offset+len(answer.Powerpacks), answer.Total, "powerpacks")
	})
}

type powerpackShow struct {
	UUID    string `arg:"" help:"Powerpack." name:"uuid"`
	Country string `help:"As for a message to a country; otherwise to that of its first number." placeholder:"US"`
	Type    string `help:"As for an sms or an mms." default:"sms"`
}

func (c powerpackShow) Run(ctx context.Context, std streams, noun *powerpackCommand) error {
	query := url.Values{}
	setIf(query, "country_iso2", c.Country)
	setIf(query, "type", c.Type)
	var f struct {
		powerpackFields
		Country string `json:"destination_country_iso2"`
		Service string `json:"type"`
		Numbers []senderRow
	}
	q := question{method: http.MethodGet, path: "/powerpacks/" + url.PathEscape(c.UUID), query: query}
	return noun.show(ctx, std, q, &f, func(p *printer) {
		p.fields("powerpack", f.UUID, "account", f.AuthID, "name", f.Name, "sticky sender", yesNo(f.Sticky), "local connect", yesNo(f.LocalConnect),
			"priority", f.priority(), "patience", brief(time.Duration(f.Patience)*time.Second), "refresh", yesNo(f.Refresh), "number pool", f.Pool,
			"senders", strconv.Itoa(f.Senders), "created", p.at(f.Created))
		p.line("")
		t := newTable("SENDER", "TYPE", "CARRIER", "CAMPAIGN", ">UNITS/S", ">UNITS/DAY", ">QUEUED", ">FREE IN", "HEALTH IN "+f.Country)
		for _, s := range f.Numbers {
			t.row(s.Number, s.Type, s.Carrier, s.Campaign, ratePerSecond(s.Rate), perDay(s.DailyCap), strconv.Itoa(s.Units), s.free(p), s.health(p))
		}
		p.table(t, "It has no senders.")
		if len(f.Numbers) < f.Senders {
			p.note("%d of %d senders; all: heliograph number list --pool %s", len(f.Numbers), f.Senders, f.Pool)
		}
	})
}

type powerpackExplain struct {
	UUID   string `arg:"" help:"Powerpack." name:"uuid"`
	Dst    string `arg:"" help:"Destination, with its country code."`
	Type   string `help:"As for an sms or an mms." default:"sms"`
	Expiry int    `help:"Seconds in which the message must leave." placeholder:"SECONDS"`
}

func (c powerpackExplain) Run(ctx context.Context, std streams, noun *powerpackCommand) error {
	query := url.Values{"dst": {c.Dst}, "type": {c.Type}}
	if c.Expiry != 0 {
		query.Set("message_expiry", strconv.Itoa(c.Expiry))
	}
	var found struct {
		Sender  *senderRow
		Failure string
		Sticky  string `json:"sticky_sender"`
		Senders int
		Others  []senderRow
	}
	q := question{method: http.MethodGet, path: "/powerpacks/" + url.PathEscape(c.UUID) + "/explain", query: query}
	return noun.show(ctx, std, q, &found, func(p *printer) {
		if found.Sender == nil {
			p.line("A message would fail: %s.", found.Failure)
		} else {
			p.line("A message would be sent by %s (%s), chosen by %s; free: %s.", found.Sender.Number, found.Sender.Type, found.Sender.Reason, found.Sender.free(p))
		}
		if found.Sticky != "" {
			p.line("The destination is used to %s.", found.Sticky)
		}
		if len(found.Others) == 0 {
			return
		}
		p.line("")
		t := newTable("NOT", "TYPE", ">QUEUED", ">FREE IN", "~BECAUSE")
		for _, s := range found.Others {
			t.row(s.Number, s.Type, strconv.Itoa(s.Units), s.free(p), s.Reason)
		}
		p.table(t, "")
		p.shownOthers(len(found.Others), found.Senders)
	})
}

// shownOthers notes that an explanation leaves some out.
func (p *printer) shownOthers(count, senders int) {
	if count+1 < senders {
		p.note("The %d that come next, of %d senders", count, senders)
	}
}
