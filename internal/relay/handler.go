package relay

import (
	"context"

	"github.com/heliograph/heliograph/internal/mm4"
	"github.com/heliograph/heliograph/internal/trouble"
)

// handler is what takes the peer's mail.
func (c *Carrier) handler() mm4.Handler {
	return mm4.Handler{Forward: c.takeMessage, Response: c.takeResponse, DeliveryReport: c.takeReport, ReadReply: c.takeReadReply}
}

// takeReport hands a report on. The peer may forget it when it is on disk; until then it must come again.
func (c *Carrier) takeReport(ctx context.Context, envelope mm4.Envelope, report *mm4.DeliveryReport) error {
	c.counts.receipts.Add(1)
	receipt, ours, known := c.receipt(report, c.Now())
	if !ours { // it would say no more the next time
		c.counts.useless.Add(1)
		c.troubles.Happened(trouble.Matter{What: "reports are about messages that cannot be ours; they are accepted and dropped"})
		if report.AckRequest {
			c.reply(envelope, report.Respond(mm4.ErrorMessageNotFound, ""))
		}
		return nil
	}
	if !known {
		c.troubles.Happened(trouble.Matter{What: "reports have an MM status that is not known; they change nothing", Reason: receipt.Detail})
	}
	if err := c.Record(ctx, receipt); err != nil {
		c.counts.putOff.Add(1)
		c.troubles.Happened(trouble.Matter{What: "reports cannot be recorded; the peer is asked to send them again", Reason: trouble.Reason(err)})
		return err
	}
	c.counts.kept.Add(1)
	if report.AckRequest {
		c.reply(envelope, report.Respond(mm4.Ok, ""))
	}
	return nil
}

// takeReadReply takes that somebody has read a message: nobody here is told, for the contract has no word for it.
func (c *Carrier) takeReadReply(_ context.Context, envelope mm4.Envelope, report *mm4.ReadReply) error {
	c.counts.reads.Add(1)
	if report.AckRequest {
		c.reply(envelope, report.Respond(mm4.Ok, ""))
	}
	return nil
}
