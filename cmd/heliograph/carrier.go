package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

type carrierCommand struct {
	connection

	List   carrierList   `cmd:"" help:"All carriers and their binds."`
	Pause  carrierPause  `cmd:"" help:"Submit nothing more to a carrier; what waits for it stays."`
	Resume carrierResume `cmd:"" help:"Submit to it again."`
}

// carrierRow is a carrier as the API shows it.
type carrierRow struct {
	Name       string    `json:"name"`
	Paused     bool      `json:"paused"`
	Places     int       `json:"places"`
	InFlight   int       `json:"in_flight"`
	Lanes      int       `json:"lanes"`
	SlowedTo   float64   `json:"slowed_to"`
	Submitted  int64     `json:"submitted"`
	Accepted   int64     `json:"accepted"`
	Rejected   int64     `json:"rejected"`
	Throttled  int64     `json:"throttled"`
	Deferred   int64     `json:"deferred"`
	Unanswered int64     `json:"unanswered"`
	Receipted  int64     `json:"receipted"`
	Binds      []bindRow `json:"binds"`
}

type bindRow struct {
	Name      string     `json:"name"`
	State     string     `json:"state"`
	Since     *time.Time `json:"since"`
	Window    int        `json:"window"`
	InUse     int        `json:"window_in_use"`
	LastError string     `json:"last_error"`
}

// state is what an operator has to know first.
func (c *carrierRow) state() string {
	switch {
	case c.Paused:
		return "paused"
	case c.Places == 0:
		return "down"
	case c.SlowedTo > 0:
		return "slowed to " + ratePerSecond(c.SlowedTo) + "/s"
	}
	return "up"
}

type carrierList struct{}

func (carrierList) Run(ctx context.Context, std streams, noun *carrierCommand) error {
	var answer struct{ Carriers []carrierRow }
	return noun.show(ctx, std, question{method: http.MethodGet, path: "/carriers"}, &answer, func(p *printer) {
		t := newTable("CARRIER", "STATE", ">IN FLIGHT", ">QUEUES", ">SUBMITTED", ">ACCEPTED", ">REJECTED", ">THROTTLED", ">DEFERRED", ">UNANSWERED", ">RECEIPTS")
		binds := newTable("BIND", "CARRIER", "STATE", "FOR", ">WINDOW", "~LAST ERROR")
		count := func(n int64) string { return strconv.FormatInt(n, 10) }
		for _, c := range answer.Carriers {
			t.row(c.Name, c.state(), fmt.Sprintf("%d of %d", c.InFlight, c.Places), strconv.Itoa(c.Lanes), count(c.Submitted), count(c.Accepted), count(c.Rejected),
				count(c.Throttled), count(c.Deferred), count(c.Unanswered), count(c.Receipted))
			for _, b := range c.Binds {
				binds.row(b.Name, c.Name, b.State, p.since(b.Since), fmt.Sprintf("%d of %d", b.InUse, b.Window), b.LastError)
			}
		}
		p.table(t, "There is no carrier.")
		if len(binds.rows) > 0 {
			p.line("")
			p.table(binds, "")
		}
	})
}

type carrierPause struct {
	Name string `arg:"" help:"Carrier."`
}

func (c carrierPause) Run(ctx context.Context, std streams, noun *carrierCommand) error {
	q := question{method: http.MethodPost, path: "/carriers/" + url.PathEscape(c.Name) + "/pause"}
	return noun.done(ctx, std, q, "Carrier %s is paused. A restart resumes it.", c.Name)
}

type carrierResume struct {
	Name string `arg:"" help:"Carrier."`
}

func (c carrierResume) Run(ctx context.Context, std streams, noun *carrierCommand) error {
	q := question{method: http.MethodPost, path: "/carriers/" + url.PathEscape(c.Name) + "/resume"}
	return noun.done(ctx, std, q, "Carrier %s goes on.", c.Name)
}
