package relay

import (
	"context"
	"errors"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
	"github.com/heliograph/heliograph/internal/media"
	"github.com/heliograph/heliograph/internal/mm4"
	"github.com/heliograph/heliograph/internal/mms"
	"github.com/heliograph/heliograph/internal/trouble"
)

// submit is a message on its way.
type submit struct {
	message *gateway.Message
	id      string // the message's, which both identifiers of the forward are
	done    func(gateway.Outcome)

	// Guarded by Carrier.mu.
	sent     bool          // the peer has the mail, or may have it: only the response is missing
	response *mm4.Response // came before sent was known
	timer    *time.Timer   // of the response
}

// Submit hands over a message and returns without waiting for its answer. done is called exactly once, from any goroutine.
func (c *Carrier) Submit(part gateway.Part, done func(gateway.Outcome)) {
	m := part.Message
	if m.Service != gateway.MMS {
		c.answer(gateway.Outcome{Status: gateway.Rejected, Reason: gateway.Prohibited, Detail: "MM4 carries no SMS"}, done)
		return
	}
	s := &submit{message: m, id: m.ID.String(), done: done}
	if !c.board(s) {
		c.answer(gateway.Outcome{Status: gateway.NotSent, Detail: "no place is free"}, done)
		return
	}
	c.queue <- s
}

// board takes a place for a submit, if there is one.
func (c *Carrier) board(s *submit) bool {
	if c.client.Places() == 0 {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.inHand[s.id] != nil || len(c.inHand) >= c.window() {
		return false
	}
	c.inHand[s.id] = s
	return true
}

// settle ends a submit, once, and gives its place back before its answer makes somebody want it.
func (c *Carrier) settle(s *submit, outcome gateway.Outcome) {
	c.mu.Lock()
	there := c.inHand[s.id] == s
	if there {
		delete(c.inHand, s.id)
		if s.timer != nil {
			s.timer.Stop()
		}
		if c.emptied != nil && len(c.inHand) == 0 {
			close(c.emptied)
		}
	}
	c.mu.Unlock()
	if there {
		c.answer(outcome, s.done)
	}
}

func (c *Carrier) answer(outcome gateway.Outcome, done func(gateway.Outcome)) {
	c.counts.outcomes[outcome.Status].Add(1)
	done(outcome)
}

// send makes a message ready, sends it, and takes up what became of the mail.
func (c *Carrier) send(ctx context.Context, s *submit) {
	if c.answered(s) {
		return
	}
	files, err := c.Files(ctx, s.message)
	if err != nil {
		c.settle(s, mms.Unready(ctx, err, c.troubles))
		return
	}
	defer mms.Close(files)
	mail, refused := c.mail(s, files)
	if refused != nil {
		c.settle(s, *refused)
		return
	}
	c.mailed(ctx, s, c.transmit(mail))
}

// transmit sends a mail and waits for what becomes of it.
func (c *Carrier) transmit(mail mm4.Mail) mm4.Outcome {
	result := make(chan mm4.Outcome, 1)
	c.client.Submit(mail, func(out mm4.Outcome) { result <- out })
	return <-result // the client answers every mail, also when it stops
}

// mailed takes up what became of the mail. One that the peer has, or may have, stays in hand until its response comes.
func (c *Carrier) mailed(ctx context.Context, s *submit, out mm4.Outcome) {
	var source *mm4.SourceError
	if errors.As(out.Err, &source) {
		c.settle(s, mms.Unready(ctx, source.Err, c.troubles))
		return
	}
	if out.Status == mm4.NeverAccepted || out.Status == mm4.Refused {
		outcome, answer := mailOutcome(out)
		c.remark(outcome, answer)
		c.settle(s, outcome)
		return
	}
	if !c.NoResponses {
		c.await(s)
		return
	}
	if out.Status == mm4.Accepted {
		c.settle(s, gateway.Outcome{Status: gateway.Accepted, CarrierID: s.id})
		return
	}
	c.troubles.Happened(trouble.Matter{What: "connections break before mail is answered"})
	c.settle(s, unanswered)
}

// mail is a message as an MM4_forward.REQ, unless its parties have no address there.
func (c *Carrier) mail(s *submit, files []*media.File) (mm4.Mail, *gateway.Outcome) {
	m := s.message
	from, ok := c.address(m.From, c.System.Host)
	if !ok {
		return mm4.Mail{}, &gateway.Outcome{Status: gateway.Rejected, Reason: gateway.InvalidSource, Detail: "only numbers can send MMS"}
	}
	to, ok := c.address(m.To, c.PeerDomain)
	if !ok {
		return mm4.Mail{}, &gateway.Outcome{Status: gateway.Rejected, Reason: gateway.InvalidDestination, Detail: "only numbers can receive MMS"}
	}
	forward := &mm4.Forward{
		Head: mm4.Head{
			TransactionID: s.id, MessageID: s.id, Sender: c.System, Date: c.Now(), MailID: s.id + "@" + c.System.Host,
		},
		From: from, To: []mm4.Address{to}, Class: mm4.ClassPersonal, Priority: mm4.PriorityNormal,
		DeliveryReport: !c.NoReports, AckRequest: !c.NoResponses, OriginatorSystem: c.System, Parts: content(m.Text, files),
	}
	if c.ValidityPeriod && !m.ExpiresAt.IsZero() { // as a span, so that no clock of the peer matters
		forward.Expiry.After = max(m.ExpiresAt.Sub(c.Now()), time.Second)
	}
	return mm4.Mail{From: c.System, To: forward.To, Message: forward}, nil
}

// remark has the log say once what is the matter with submits.
func (c *Carrier) remark(o gateway.Outcome, a Answer) {
	switch {
	case o.Status == gateway.Throttled:
		c.troubles.Happened(trouble.Matter{What: "the peer throttles", Reason: o.Detail})
	case a.Settings:
		c.troubles.Happened(trouble.Matter{What: "the peer refuses submits; the carrier's settings may be wrong", Reason: o.Detail})
	case o.Status == gateway.Deferred:
		c.troubles.Happened(trouble.Matter{What: "the peer takes no submits for the moment", Reason: o.Detail})
	}
}
