package relay

import (
	"context"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
	"github.com/heliograph/heliograph/internal/mm4"
	"github.com/heliograph/heliograph/internal/trouble"
)

// unanswered is the outcome of a forward whose response did not come.
var unanswered = gateway.Outcome{Status: gateway.Unanswered, Detail: "no response"}

// await leaves a submit in hand until its response comes, or has not come in time. One may be there already.
func (c *Carrier) await(s *submit) {
	c.mu.Lock()
	s.sent = true
	response := s.response
	if response == nil && c.inHand[s.id] == s {
		s.timer = time.AfterFunc(c.ResponseTimeout, func() { c.unheard(s) })
	}
	c.mu.Unlock()
	if response != nil {
		c.conclude(s, response)
	}
}

// answered settles a submit whose response came before it left: to the same message, when that was sent before.
func (c *Carrier) answered(s *submit) bool {
	c.mu.Lock()
	response := s.response
	c.mu.Unlock()
	if response == nil {
		return false
	}
	c.conclude(s, response)
	return true
}

// takeResponse takes the peer's answer to a forward. What answers anything else was not asked for.
func (c *Carrier) takeResponse(_ context.Context, _ mm4.Envelope, response *mm4.Response) error {
	if response.Of != mm4.ForwardReq {
		return nil
	}
	c.counts.responses.Add(1)
	c.heard()
	c.mu.Lock()
	s := c.inHand[response.TransactionID]
	if s == nil { // as peers do that keep the message's identifier only
		s = c.inHand[response.MessageID]
	}
	ready := s != nil && s.sent
	if s != nil && !ready {
		s.response = response
	}
	c.mu.Unlock()
	switch {
	case s == nil:
		c.counts.late.Add(1)
		c.troubles.Happened(trouble.Matter{What: "responses come too late, or to what was not asked"})
	case ready:
		c.conclude(s, response)
	}
	return nil
}

// conclude settles a submit as its response says.
func (c *Carrier) conclude(s *submit, response *mm4.Response) {
	outcome, answer := c.outcome(response.Status, s.id)
	if outcome.Status != gateway.Accepted {
		c.remark(outcome, answer)
	}
	c.settle(s, outcome)
}

// heard notes that there are responses.
func (c *Carrier) heard() {
	c.mu.Lock()
	grew := c.silent >= c.UnansweredLimit
	c.silent = 0
	c.mu.Unlock()
	if grew {
		c.nudge()
	}
}

// unheard settles a submit whose response did not come in time. After several in a row only one at a time leaves: each may reach its phone, and go again.
func (c *Carrier) unheard(s *submit) {
	c.mu.Lock()
	if c.inHand[s.id] == s {
		c.silent++
	}
	c.mu.Unlock()
	c.troubles.Happened(trouble.Matter{What: "forwards stay without a response"})
	c.settle(s, unanswered)
}
