package esme

import (
	"context"
	"errors"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
	"github.com/heliograph/heliograph/internal/smpp"
	"github.com/heliograph/heliograph/internal/trouble"
)

// submit is a part on its way. They are used again: a part costs no allocation but for octets that are not its text's.
type submit struct {
	carrier *Carrier
	link    *link
	session *smpp.Session
	done    func(gateway.Outcome)
	pdu     smpp.SubmitSM
	scratch []byte
	settled func(smpp.Response, error) // settle, bound once
}

func newSubmit(c *Carrier) *submit {
	s := &submit{carrier: c}
	s.settled = s.settle
	return s
}

// Submit hands over one part and returns without waiting for its answer. done is called exactly once, from any goroutine.
func (c *Carrier) Submit(part gateway.Part, done func(gateway.Outcome)) {
	m := part.Message
	if m.Service == gateway.MMS {
		c.counts.outcomes[gateway.Rejected].Add(1)
		done(gateway.Outcome{Status: gateway.Rejected, Reason: gateway.Prohibited, Detail: "SMPP carries no MMS"})
		return
	}
	l, session := c.board(m.ID)
	if session == nil {
		c.counts.outcomes[gateway.NotSent].Add(1)
		done(gateway.Outcome{Status: gateway.NotSent, Detail: "no bind has a place"})
		return
	}
	s := c.submits.Get().(*submit)
	s.link, s.session, s.done = l, session, done
	s.pdu = smpp.SubmitSM{
		ServiceType: c.ServiceType, Source: c.source(m.From), Dest: c.destination(m.To),
		RegisteredDelivery: c.RequestReceipts.registeredDelivery(), ValidityPeriod: c.validity(m),
	}
	s.scratch = c.fill(&s.pdu, part, s.scratch)
	session.Submit(&s.pdu, s.settled) // writes the PDU down before it returns; s may be another part's by then
}

// settle takes up what became of the submit.
func (s *submit) settle(r smpp.Response, err error) {
	c, l, session, done := s.carrier, s.link, s.session, s.done
	s.link, s.session, s.done, s.pdu = nil, nil, nil, smpp.SubmitSM{}
	c.submits.Put(s)

	outcome, answer := c.outcome(r, err)
	if c.alight(l, r, err) {
		c.counts.silent.Add(1)
		session.Close(errSilent)
	}
	c.counts.outcomes[outcome.Status].Add(1)
	if outcome.Status != gateway.Accepted || outcome.CarrierID == "" {
		c.remark(l, r, err, outcome, answer)
	}
	done(outcome)
}

var errSilent = errors.New("submits stay without an answer")

// alight gives the place on the bind back. It answers true when too many submits in a row stayed without a useful answer: a new bind may cure
// an SMSC that forgot this one.
func (c *Carrier) alight(l *link, r smpp.Response, err error) (renew bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	l.inUse--
	switch {
	case err == nil && r.Status != smpp.ESME_RINVBNDSTS:
		l.silent, l.worked = 0, true
		return false
	case err != nil && !errors.Is(err, smpp.ErrUnanswered): // it did not leave
		return false
	}
	l.silent++
	return l.silent == c.UnansweredLimit
}

// remark has the log say once what is the matter with submits.
func (c *Carrier) remark(l *link, r smpp.Response, err error, o gateway.Outcome, a Answer) {
	status := r.Status.String()
	switch {
	case o.Status == gateway.Accepted:
		c.troubles.Happened(trouble.Matter{What: "the SMSC gives no message id; receipts cannot be matched"})
	case o.Status == gateway.Throttled:
		c.troubles.Happened(trouble.Matter{What: "the SMSC throttles", Reason: status})
	case o.Status == gateway.Deferred:
		c.troubles.Happened(trouble.Matter{What: "the SMSC takes no submits for the moment", Reason: status})
	case errors.Is(err, context.DeadlineExceeded): // of a lost connection the bind's own line tells
		c.troubles.Happened(trouble.Matter{What: "submits stay without an answer", Bind: l.name})
	case a.Settings:
		c.troubles.Happened(trouble.Matter{What: "the SMSC refuses submits; the carrier's settings may be wrong", Reason: status})
	}
}

// registeredDelivery is what asks for the receipts wanted. SMPP 3.4, 5.2.17.
func (r ReceiptRequest) registeredDelivery() smpp.RegisteredDelivery {
	switch r {
	case FailureReceipts:
		return smpp.ReceiptFailure
	case NoReceipts:
		return smpp.ReceiptNone
	}
	return smpp.ReceiptFinal
}

// validity is how long the SMSC may try, where that is to be told. It is relative, so that no clock and no time zone of the SMSC matters.
func (c *Config) validity(m *gateway.Message) string {
	if !c.ValidityPeriod || m.ExpiresAt.IsZero() {
		return ""
	}
	return smpp.RelativeTime(max(m.ExpiresAt.Sub(c.Now()), time.Second))
}
