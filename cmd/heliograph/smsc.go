package main

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"time"

	"github.com/heliograph/heliograph/internal/smpp"
	"github.com/heliograph/heliograph/internal/smpp/smpptest"
)

type smscCommand struct {
	Listen   string `default:"127.0.0.1:2775" help:"Address for binds, and for GET /stats and POST /inbound." placeholder:"ADDR"`
	SystemID string `help:"What binds must say; empty: anything." placeholder:"ID"`
	Password string `help:"What binds must say; empty: anything." placeholder:"TEXT"`

	Delay        time.Duration `help:"Before a submit_sm is answered."`
	ReceiptDelay time.Duration `help:"From the answer to the receipt."`
	Failures     float64       `help:"Share of messages that are not delivered, 0 to 1."`
	Refused      float64       `help:"Share of submits that are refused, 0 to 1."`
	Unanswered   float64       `help:"Share of submits that are taken and never answered, 0 to 1."`
	ThrottleRate float64       `help:"Submits per second beyond which ESME_RTHROTTLED is answered; 0: any number."`
	Disconnect   int           `help:"Drop the connection at every n-th submit." placeholder:"N"`
	ReceiptFirst bool          `help:"Send receipts before the answers to their submits."`
	Duplicates   float64       `help:"Share of receipts that are sent twice, 0 to 1."`
	HexIDs       bool          `name:"hex-ids" help:"Hexadecimal message ids in answers, decimal ones in receipts."`
	Receipts     string        `enum:"both,text,tlv" default:"both" help:"Form of receipts: text, tlv or both."`
	BindStatus   uint32        `help:"Refuse every bind with this command_status." placeholder:"N"`
	Distinct     bool          `help:"Count different messages too."`

	Inbound handsetTraffic `embed:"" prefix:"inbound-"`
}

// receiptForms are the forms of receipts by their flags.
var receiptForms = map[string]smpptest.ReceiptForm{"both": smpptest.TextAndTLV, "text": smpptest.TextOnly, "tlv": smpptest.TLVOnly}

// Run pretends an SMSC until SIGTERM or an interrupt; then it prints what it counted.
func (c smscCommand) Run(ctx context.Context, std streams) error {
	for _, share := range []float64{c.Failures, c.Refused, c.Unanswered, c.Duplicates} {
		if !(share >= 0 && share <= 1) { // not NaN either
			return errors.New("shares are from 0 to 1")
		}
	}
	if c.Delay < 0 || c.ReceiptDelay < 0 || !(c.ThrottleRate >= 0) || c.Disconnect < 0 {
		return errors.New("delays, rates and numbers must not be negative")
	}
	if c.Inbound.Rate != 0 {
		if err := c.Inbound.check(); err != nil {
			return err
		}
	}
	listener, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return err
	}
	port := newSharedPort(listener)
	cfg := c.config()
	cfg.Listener = side{port, port.smpp}
	smsc, err := smpptest.Listen(cfg)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	log := newLogger(LogConfig{Level: "info", Format: "auto"}, std.err)
	running := newStages(log)
	running.start("stats", func(ctx context.Context) error {
		return serveStats(ctx, side{port, port.http}, func() any { return smsc.Counters() }, c.Inbound.serve(smsc))
	})
	running.start("smpp", smsc.Run)
	running.start("port", port.run)
	if c.Inbound.Rate > 0 {
		running.start("handsets", func(ctx context.Context) error { return c.Inbound.run(ctx, smsc) })
	}
	log.Info("listening", "address", listener.Addr().String(), "url", "http://"+listener.Addr().String())
	select {
	case <-ctx.Done():
	case err = <-running.failed:
	}
	running.stop(time.Now().Add(stopWithin))
	return errors.Join(err, json.NewEncoder(std.out).Encode(smsc.Counters()))
}

func (c *smscCommand) config() smpptest.Config {
	cfg := smpptest.Config{
		SystemID: c.SystemID, Password: c.Password, AcceptDelay: c.Delay, ReceiptDelay: c.ReceiptDelay, Undelivered: c.Failures,
		Refused: c.Refused, Unanswered: c.Unanswered, ThrottleRate: c.ThrottleRate, DisconnectEvery: c.Disconnect,
		ReceiptFirst: c.ReceiptFirst, DuplicateReceipts: c.Duplicates, Receipts: receiptForms[c.Receipts], BindRefuse: smpp.Status(c.BindStatus),
		Distinct: c.Distinct,
		FirstID:  time.Now().UnixMilli(), // so that a second run does not give the ids of the first again
	}
	if c.HexIDs {
		cfg.ResponseIDs, cfg.ReceiptIDs = smpptest.Hex, smpptest.Decimal
	}
	return cfg
}
