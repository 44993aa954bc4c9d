package vasp

import (
	"context"
	"errors"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
	"github.com/heliograph/heliograph/internal/mm7"
	"github.com/heliograph/heliograph/internal/mms"
	"github.com/heliograph/heliograph/internal/trouble"
)

// Submit hands over a message and returns without waiting for its answer. done is called exactly once, from any goroutine.
func (c *Carrier) Submit(part gateway.Part, done func(gateway.Outcome)) {
	if part.Message.Service != gateway.MMS {
		c.finish(gateway.Outcome{Status: gateway.Rejected, Reason: gateway.Prohibited, Detail: "MM7 carries no SMS"}, done)
		return
	}
	ctx := c.board()
	if ctx == nil {
		c.finish(gateway.Outcome{Status: gateway.NotSent, Detail: "no place is free"}, done)
		return
	}
	go func() { // Run waits for it
		defer c.inHand.Done()
		outcome := c.submit(ctx, part.Message)
		c.alight()
		c.finish(outcome, done)
	}()
}

func (c *Carrier) finish(outcome gateway.Outcome, done func(gateway.Outcome)) {
	c.counts.outcomes[outcome.Status].Add(1)
	done(outcome)
}

// submit sends a message and waits for what becomes of it.
func (c *Carrier) submit(ctx context.Context, m *gateway.Message) gateway.Outcome {
	files, err := c.Files(ctx, m)
	if err != nil {
		return mms.Unready(ctx, err, c.troubles)
	}
	defer mms.Close(files)
	rsp, err := c.client.Submit(ctx, c.request(m), content(m.Text, files))
	outcome, answer, heard := c.outcome(rsp, err)
	switch heard {
	case anAnswer:
		c.answered()
	case noAnswer:
		c.unheard(why(err))
	case noConnection:
		c.unreached(why(err))
	}
	c.remark(outcome, answer, heard)
	return outcome
}

// why is the error beneath, without what mm7 says around it.
func why(err error) string {
	var failed *mm7.Error
	if errors.As(err, &failed) && failed.Err != nil {
		return trouble.Reason(failed.Err)
	}
	return trouble.Reason(err)
}

// request is a message as a SubmitReq.
func (c *Carrier) request(m *gateway.Message) *mm7.SubmitReq {
	r := &mm7.SubmitReq{
		SenderIdentification: mm7.SenderIdentification{VASPID: c.VASPID, VASID: c.VASID, SenderAddress: c.sender(m.From)},
		Recipients:           mm7.Recipients{To: []mm7.Address{c.number(m.To)}},
		ServiceCode:          c.ServiceCode,
		DeliveryReport:       mm7.Yes,
		Content:              mm7.ContentRef{AllowAdaptations: c.Adaptations},
	}
	if c.NoReports {
		r.DeliveryReport = mm7.No
	}
	if c.ValidityPeriod && !m.ExpiresAt.IsZero() { // as a span, so that no clock of the MMSC matters
		r.ExpiryDate.After = max(m.ExpiresAt.Sub(c.Now()), time.Second)
	}
	return r
}

// remark has the log say once what is the matter with submits.
func (c *Carrier) remark(o gateway.Outcome, a Answer, heard heard) {
	switch {
	case o.Status == gateway.Accepted && o.CarrierID == "" && !c.NoReports:
		c.troubles.Happened(trouble.Matter{What: "the MMSC gives no MessageID; its reports cannot be matched"})
	case o.Status == gateway.Throttled:
		c.troubles.Happened(trouble.Matter{What: "the MMSC throttles", Reason: o.Detail})
	case heard == noAnswer:
		c.troubles.Happened(trouble.Matter{What: "submits stay without an answer", Reason: o.Detail})
	case a.Settings:
		c.troubles.Happened(trouble.Matter{What: "the MMSC refuses submits; the carrier's settings may be wrong", Reason: o.Detail})
	case o.Status == gateway.Deferred && heard == anAnswer:
		c.troubles.Happened(trouble.Matter{What: "the MMSC takes no submits for the moment", Reason: o.Detail})
	}
}
