package main

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

type queueCommand struct {
	connection

	List queueList `cmd:"" help:"The longest queues, and the rates and caps that senders share."`
}

// queueRow is a queue as the API shows it.
type queueRow struct {
	AuthID    string     `json:"auth_id"`
	Sender    string     `json:"sender"`
	Carrier   string     `json:"carrier"`
	Messages  int        `json:"messages"`
	Units     int        `json:"queued_units"`
	FreeAt    *time.Time `json:"free_at"`
	Oldest    *time.Time `json:"oldest"`
	Rate      float64    `json:"rate"`
	DailyCap  int        `json:"daily_cap"`
	SentToday int        `json:"sent_today"`
	Campaign  string     `json:"campaign"`
	Paused    bool       `json:"paused"`
}

// scopeRow is a rate or a cap that senders share.
type scopeRow struct {
	Kind      string     `json:"kind"`
	Name      string     `json:"name"`
	Rate      float64    `json:"rate"`
	DailyCap  int        `json:"daily_cap"`
	SentToday int        `json:"sent_today"`
	Units     int        `json:"queued_units"`
	FreeAt    *time.Time `json:"free_at"`
}

type queueList struct {
	Account string `help:"Only those of an account." placeholder:"AUTH-ID"`
	Sender  string `help:"Only those of a sender." placeholder:"NUMBER"`
	Limit   int    `help:"At most so many, up to 10,000." default:"100" placeholder:"N"`
}

func (c queueList) Run(ctx context.Context, std streams, noun *queueCommand) error {
	query := url.Values{"limit": {strconv.Itoa(c.Limit)}}
	setIf(query, "auth_id", c.Account)
	setIf(query, "sender", c.Sender)
	var answer struct {
		Queues []queueRow
		Scopes []scopeRow
	}
	return noun.show(ctx, std, question{method: http.MethodGet, path: "/queues", query: query}, &answer, func(p *printer) {
		t := newTable("SENDER", "CARRIER", "ACCOUNT", ">MESSAGES", ">UNITS", ">FREE IN", ">OLDEST", ">UNITS/S", ">TODAY", "CAMPAIGN")
		for _, q := range answer.Queues {
			free := p.until(q.FreeAt)
			if q.Paused {
				free = "paused"
			}
			t.row(q.Sender, q.Carrier, q.AuthID, strconv.Itoa(q.Messages), strconv.Itoa(q.Units), free, p.since(q.Oldest), ratePerSecond(q.Rate),
				usedOf(q.SentToday, q.DailyCap), q.Campaign)
		}
		p.table(t, "Nothing waits.")
		if len(answer.Scopes) == 0 {
			return
		}
		shared := newTable("SHARED BY", "NAME", ">UNITS", ">FREE IN", ">UNITS/S", ">TODAY")
		for _, s := range answer.Scopes {
			shared.row(s.Kind, s.Name, strconv.Itoa(s.Units), p.until(s.FreeAt), ratePerSecond(s.Rate), usedOf(s.SentToday, s.DailyCap))
		}
		p.line("")
		p.table(shared, "")
	})
}

// setIf adds a parameter that has a value.
func setIf(query url.Values, name, value string) {
	if value != "" {
		query.Set(name, value)
	}
}

// pageOf asks for a page of a list.
func pageOf(limit, offset int) url.Values {
	query := url.Values{"limit": {strconv.Itoa(limit)}}
	if offset != 0 {
		query.Set("offset", strconv.Itoa(offset))
	}
	return query
}
