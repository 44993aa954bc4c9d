package main

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/heliograph/heliograph/internal/mm7"
	"github.com/heliograph/heliograph/internal/mm7/mm7test"
)

type mmscCommand struct {
	Listen   string `default:"127.0.0.1:2780" help:"Address for submits (any path, such as /mm7), and for GET /stats." placeholder:"ADDR"`
	Username string `help:"What submits must say; empty: anything." placeholder:"NAME"`
	Password string `help:"What submits must say." placeholder:"TEXT"`
	VASPID   string `name:"vasp-id" help:"What submits must say; empty: anything." placeholder:"ID"`
	VASID    string `name:"vas-id" help:"What submits must say; empty: anything." placeholder:"ID"`
	Schema   string `help:"The schema that is spoken, such as REL-5-MM7-1-2; empty: REL-6-MM7-1-4." placeholder:"NAME"`
	MaxSize  int64  `help:"Octets of a submit, beyond which 2004 is answered; 0: 16 MiB." placeholder:"N"`

	Delay        time.Duration `help:"Before a submit is answered."`
	Failures     float64       `help:"Share of messages that are not delivered, 0 to 1."`
	Refused      float64       `help:"Share of submits that are refused, 0 to 1."`
	RefusedWith  int           `default:"2002" help:"The StatusCode of these." placeholder:"CODE"`
	Unanswered   float64       `help:"Share of submits that are taken and never answered, 0 to 1."`
	ThrottleRate float64       `help:"Submits per second beyond which 4006 is answered; 0: any number."`
	Unavailable  int           `help:"Answer HTTP 503 to every n-th submit." placeholder:"N"`
	Faults       int           `help:"Answer a SOAP fault to every n-th submit." placeholder:"N"`
	Garbage      int           `help:"Answer a page of HTML to every n-th submit, which is taken." placeholder:"N"`
	Cut          int           `help:"Close the connection in the midst of every n-th submit." placeholder:"N"`

	ReportURL      string        `name:"report-url" help:"Where reports go: the server's /carriers/NAME/mm7; empty: nowhere." placeholder:"URL"`
	ReportUsername string        `help:"What they say." placeholder:"NAME"`
	ReportPassword string        `help:"What they say." placeholder:"TEXT"`
	ReportDelay    time.Duration `help:"From the answer to the report."`
	ReportFirst    bool          `help:"Send reports before the answers to their submits."`
	Duplicates     float64       `help:"Share of reports that are sent twice, 0 to 1."`
	Unknown        float64       `help:"Share of reports that are followed by one for a message that never was, 0 to 1."`
}

// Run pretends an MMSC until SIGTERM or an interrupt; then it prints what it counted.
func (c mmscCommand) Run(ctx context.Context, std streams) error {
	for _, share := range []float64{c.Failures, c.Refused, c.Unanswered, c.Duplicates, c.Unknown} {
		if !(share >= 0 && share <= 1) { // not NaN either
			return errors.New("shares are from 0 to 1")
		}
	}
	if c.Delay < 0 || c.ReportDelay < 0 || !(c.ThrottleRate >= 0) || min(c.Unavailable, c.Faults, c.Garbage, c.Cut) < 0 || c.MaxSize < 0 {
		return errors.New("delays, rates and numbers must not be negative")
	}
	if c.RefusedWith < 2000 || c.RefusedWith > 9999 {
		return errors.New("a StatusCode that refuses is from 2000 to 9999")
	}
	mmsc, err := mm7test.Listen(c.config())
	if err != nil {
		return err
	}
	log := newLogger(LogConfig{Level: "info", Format: "auto"}, std.err)
	running := newStages(log)
	running.start("mmsc", mmsc.Run)
	log.Info("listening", "url", mmsc.URL(), "stats", "http://"+mmsc.Addr()+"/stats")
	select {
	case <-ctx.Done():
	case err = <-running.failed:
	}
	running.stop(time.Now().Add(stopWithin))
	return errors.Join(err, json.NewEncoder(std.out).Encode(mmsc.Counters()))
}

func (c *mmscCommand) config() mm7test.Config {
	return mm7test.Config{
		Address: c.Listen, Username: c.Username, Password: c.Password, VASPID: c.VASPID, VASID: c.VASID, Dialect: mm7.Dialect{Schema: c.Schema},
		MaxSize: c.MaxSize, AcceptDelay: c.Delay, Undelivered: c.Failures, Refused: c.Refused, RefusedStatus: mm7.StatusCode(c.RefusedWith),
		Unanswered: c.Unanswered, ThrottleRate: c.ThrottleRate, UnavailableEvery: c.Unavailable, FaultEvery: c.Faults, GarbageEvery: c.Garbage,
		CutEvery: c.Cut, ReportURL: c.ReportURL, ReportUsername: c.ReportUsername, ReportPass: c.ReportPassword, ReportDelay: c.ReportDelay,
		ReportFirst: c.ReportFirst, DuplicateReports: c.Duplicates, UnknownReports: c.Unknown,
		FirstID: time.Now().UnixMilli(), // so that a second run does not give the ids of the first again
	}
}
