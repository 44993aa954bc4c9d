package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

type messageCommand struct {
	connection

	List    messageList    `cmd:"" help:"Messages, newest first."`
	Show    messageShow    `cmd:"" help:"What became of a message, and why."`
	Receive messageReceive `cmd:"" help:"Have a pretend handset send a message to a number of an account."`

	Held   messageHeld   `cmd:"" help:"Messages whose submit was never answered by a carrier that is set to hold."`
	Resend messageResend `cmd:"" help:"Send a held message again."`
	Fail   messageFail   `cmd:"" help:"End a held message as failed."`
}

// messageFields is a message as the API shows it.
type messageFields struct {
	UUID      string     `json:"message_uuid"`
	AuthID    string     `json:"auth_id"`
	Direction string     `json:"direction"`
	Type      string     `json:"type"`
	State     string     `json:"state"`
	Reason    string     `json:"reason"`
	Sender    string     `json:"sender"`
	ChosenBy  string     `json:"sender_chosen_by"`
	Powerpack string     `json:"powerpack_uuid"`
	Country   string     `json:"destination_country_iso2"`
	Carrier   string     `json:"carrier"`
	Units     int        `json:"units"`
	Parts     int        `json:"parts"`
	Taken     []int      `json:"parts_taken"`
	Refused   []int      `json:"parts_refused"`
	Delivered []int      `json:"parts_delivered"`
	Media     int        `json:"media"`
	Deferred  int        `json:"deferred"`
	Detail    string     `json:"carrier_detail"`
	Cost      string     `json:"cost"`
	Log       string     `json:"log"`
	Trackable bool       `json:"trackable"`
	Requester string     `json:"requester_ip"`
	Accepted  *time.Time `json:"accepted_at"`
	Expires   *time.Time `json:"expires_at"`
	Due       *time.Time `json:"due_at"`
	Sent      *time.Time `json:"sent_at"`
	Reported  *time.Time `json:"reported_at"`
	Updated   *time.Time `json:"updated_at"`
	Events    int        `json:"events"`
}

type messageList struct {
	Account   string `help:"Only those of an account." placeholder:"AUTH-ID"`
	State     string `help:"Only queued, sent, delivered, undelivered, failed or received." placeholder:"STATE"`
	Direction string `help:"Only outbound or inbound." placeholder:"WAY"`
	Type      string `help:"Only sms or mms." placeholder:"TYPE"`
	Sender    string `help:"Only those of a sender." placeholder:"NUMBER"`
	Country   string `help:"Only those to a country." placeholder:"US"`
	Powerpack string `help:"Only those of a powerpack." placeholder:"UUID"`
	Campaign  string `help:"Only those from numbers that are in a campaign now." placeholder:"ID"`
	From      string `help:"Accepted then or later: a day, which begins in UTC, or such as 2026-05-06T07:00:00Z." placeholder:"TIME"`
	Until     string `help:"Accepted before." placeholder:"TIME"`
	Limit     int    `help:"At most so many, up to 1,000." default:"100" placeholder:"N"`
	Offset    int    `help:"Without the first so many." placeholder:"N"`
}

func (c messageList) Run(ctx context.Context, std streams, noun *messageCommand) error {
	query := pageOf(c.Limit, c.Offset)
	for name, value := range map[string]string{
		"auth_id": c.Account, "state": c.State, "direction": c.Direction, "type": c.Type, "sender": c.Sender, "country_iso2": c.Country,
		"powerpack_uuid": c.Powerpack, "campaign": c.Campaign, "from": c.From, "until": c.Until,
	} {
		setIf(query, name, value)
	}
	var answer struct {
		Messages []messageFields
		Total    int
	}
	return noun.show(ctx, std, question{method: http.MethodGet, path: "/messages", query: query}, &answer, func(p *printer) {
		t := newTable("MESSAGE", "ACCOUNT", "ACCEPTED", "STATE", "TYPE", "SENDER", "TO", "CARRIER", ">UNITS", "~REASON")
		for i := range answer.Messages {
			m := &answer.Messages[i]
			t.row(m.UUID, m.AuthID, p.at(m.Accepted), m.State, m.Type, m.Sender, m.Country, m.Carrier, strconv.Itoa(m.Units), m.Reason)
		}
		p.table(t, "There is no such message.")
		p.shown(c.Offset+len(answer.Messages), answer.Total, "messages")
	})
}

type messageShow struct {
	Account string `arg:"" help:"Whose it is."`
	UUID    string `arg:"" help:"Message." name:"uuid"`
}

func (c messageShow) Run(ctx context.Context, std streams, noun *messageCommand) error {
	var m messageFields
	q := question{method: http.MethodGet, path: "/accounts/" + url.PathEscape(c.Account) + "/messages/" + url.PathEscape(c.UUID)}
	return noun.show(ctx, std, q, &m, func(p *printer) {
		parts := "not submitted yet"
		if m.Parts > 0 {
			parts = fmt.Sprintf("%d: %d taken, %d refused, %d delivered", m.Parts, len(m.Taken), len(m.Refused), len(m.Delivered))
		}
		p.fields("message", m.UUID, "account", m.AuthID, "direction", m.Direction, "type", m.Type, "state", m.State, "reason", m.Reason,
			"sender", m.Sender, "chosen by", m.ChosenBy, "powerpack", m.Powerpack, "to country", m.Country, "carrier", m.Carrier, "carrier says", m.Detail,
			"units", strconv.Itoa(m.Units), "parts", parts, "media", strconv.Itoa(m.Media), "cost", m.Cost, "deferred", fmt.Sprintf("%d times", m.Deferred),
			"log", m.Log, "trackable", yesNo(m.Trackable), "requested from", m.Requester, "events", strconv.Itoa(m.Events), "accepted", p.at(m.Accepted),
			"next attempt", p.at(m.Due), "sent", p.at(m.Sent), "reported", p.at(m.Reported), "changed", p.at(m.Updated), "expires", p.at(m.Expires))
	})
}

type messageHeld struct {
	Limit int `help:"At most so many, up to 10,000." default:"100" placeholder:"N"`
}

func (c messageHeld) Run(ctx context.Context, std streams, noun *messageCommand) error {
	var answer struct {
		Held []struct {
			UUID      string     `json:"message_uuid"`
			AuthID    string     `json:"auth_id"`
			Carrier   string     `json:"carrier"`
			Submitted *time.Time `json:"submitted_at"`
		}
		More bool
	}
	q := question{method: http.MethodGet, path: "/held", query: url.Values{"limit": {strconv.Itoa(c.Limit)}}}
	return noun.show(ctx, std, q, &answer, func(p *printer) {
		t := newTable("MESSAGE", "ACCOUNT", "CARRIER", "SUBMITTED")
		for _, h := range answer.Held {
			t.row(h.UUID, h.AuthID, h.Carrier, p.at(h.Submitted))
		}
		p.table(t, "No message is held.")
		if answer.More {
			p.note("There are more than %d; --limit shows more", len(answer.Held))
		}
	})
}

type messageResend struct {
	UUID string `arg:"" help:"Message." name:"uuid"`
}

func (c messageResend) Run(ctx context.Context, std streams, noun *messageCommand) error {
	q := question{method: http.MethodPost, path: "/held/" + url.PathEscape(c.UUID) + "/resend"}
	return noun.done(ctx, std, q, "Message %s is queued again.", c.UUID)
}

type messageFail struct {
	UUID string `arg:"" help:"Message." name:"uuid"`
}

func (c messageFail) Run(ctx context.Context, std streams, noun *messageCommand) error {
	q := question{method: http.MethodPost, path: "/held/" + url.PathEscape(c.UUID) + "/fail"}
	return noun.done(ctx, std, q, "Message %s failed.", c.UUID)
}

type messageReceive struct {
	From    string   `arg:"" help:"The person's number."`
	To      string   `arg:"" help:"A number that an account rents."`
	Text    string   `arg:"" optional:"" help:"What it says; several words in quotes."`
	Media   []string `help:"Make it an MMS with files that the number's account has uploaded." placeholder:"MEDIA-ID"`
	Carrier string   `help:"Carrier with the protocol loopback that brings it; the first where none is named." placeholder:"NAME"`
}

func (c messageReceive) Run(ctx context.Context, std streams, noun *messageCommand) error {
	message := map[string]any{"from": c.From, "to": c.To, "text": c.Text, "carrier": c.Carrier}
	if len(c.Media) > 0 {
		message["type"], message["media_ids"] = "mms", c.Media
	}
	var answer struct {
		UUID string `json:"message_uuid"`
	}
	return noun.show(ctx, std, question{method: http.MethodPost, path: "/loopback/inbound", body: message}, &answer, func(p *printer) {
		p.line("%s has received message %s.", c.To, answer.UUID)
	})
}
