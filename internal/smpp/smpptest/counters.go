package smpptest

import (
	"context"
	"errors"
	"fmt"

	"github.com/heliograph/heliograph/internal/smpp"
)

// Counters say what happened since the start.
type Counters struct {
	Connections  int64 `json:"connections"`
	Bound        int64 `json:"bound"` // now
	Binds        int64 `json:"binds"` // accepted
	BindsRefused int64 `json:"binds_refused"`
	Disconnects  int64 `json:"disconnects"` // connections that we dropped

	Submits    int64 `json:"submits"`
	Accepted   int64 `json:"accepted"` // those answered ESME_ROK, or to be: the connection may be gone
	Throttled  int64 `json:"throttled"`
	Refused    int64 `json:"refused"`
	Nacked     int64 `json:"nacked"`
	Unanswered int64 `json:"unanswered"` // taken, and not answered on purpose
	Full       int64 `json:"full"`       // answered ESME_RMSGQFUL: too many receipts wait
	Distinct   int64 `json:"distinct"`   // different messages among those that were taken; see Config.Distinct

	Delivered   int64 `json:"delivered"` // messages by their end
	Undelivered int64 `json:"undelivered"`

	Receipts        int64 `json:"receipts"`         // made
	ReceiptsSent    int64 `json:"receipts_sent"`    // deliver_sm that left, repetitions included
	ReceiptsAcked   int64 `json:"receipts_acked"`   // answered ESME_ROK
	ReceiptsNacked  int64 `json:"receipts_nacked"`  // answered with another status
	ReceiptsLost    int64 `json:"receipts_lost"`    // not answered
	ReceiptsPending int64 `json:"receipts_pending"` // now: not acked yet

	InboundSent    int64 `json:"inbound_sent"`    // segments from handsets that left, repetitions included
	InboundAcked   int64 `json:"inbound_acked"`   // answered ESME_ROK
	InboundNacked  int64 `json:"inbound_nacked"`  // answered with another status
	InboundRefused int64 `json:"inbound_refused"` // of these, with ESME_RX_P_APPN
	InboundLost    int64 `json:"inbound_lost"`    // not answered
	InboundPending int64 `json:"inbound_pending"` // now: posted, and not taken yet
}

// inbound counts the answer to a segment, and tells whether the matter is settled.
func (c *Counters) inbound(answer smpp.Response, err error) (settled bool) {
	switch {
	case errors.Is(err, smpp.ErrNotSent):
		c.InboundSent-- // it did not leave after all
	case err != nil:
		c.InboundLost++
	case answer.Status == smpp.ESME_ROK:
		c.InboundAcked++
		return true
	default:
		c.InboundNacked++
		if answer.Status == smpp.ESME_RX_P_APPN {
			c.InboundRefused++
			return true
		}
	}
	return false
}

// Counters gives them.
func (s *SMSC) Counters() Counters {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.counters
}

// count changes the counters and lets those look who wait.
func (s *SMSC) count(change func(*Counters)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.counters)
	s.changed()
}

// changed lets those look who wait for something. mu is held.
func (s *SMSC) changed() {
	if s.news != nil {
		close(s.news)
		s.news = nil
	}
}

// Wait returns when the counters satisfy enough, or with an error when ctx ends first.
func (s *SMSC) Wait(ctx context.Context, enough func(Counters) bool) error {
	for {
		s.mu.Lock()
		counters := s.counters
		if s.news == nil {
			s.news = make(chan struct{})
		}
		news := s.news
		s.mu.Unlock()
		if enough(counters) {
			return nil
		}
		select {
		case <-news:
		case <-ctx.Done():
			return fmt.Errorf("smpptest: waited in vain: %+v: %w", counters, ctx.Err())
		}
	}
}

// WaitSubmits waits until n submits came, however they were answered.
func (s *SMSC) WaitSubmits(ctx context.Context, n int) error {
	return s.Wait(ctx, func(c Counters) bool { return c.Submits >= int64(n) })
}

// WaitReceipts waits until n receipts were taken.
func (s *SMSC) WaitReceipts(ctx context.Context, n int) error {
	return s.Wait(ctx, func(c Counters) bool { return c.ReceiptsAcked >= int64(n) })
}

// WaitBinds waits until n binds stand.
func (s *SMSC) WaitBinds(ctx context.Context, n int) error {
	return s.Wait(ctx, func(c Counters) bool { return c.Bound >= int64(n) })
}

// Submits gives the latest submits, oldest first: at most Config.Record.
func (s *SMSC) Submits() []Submit {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append(append([]Submit{}, s.record[s.oldest:]...), s.record[:s.oldest]...)
}

// keep records a submit in place of the oldest. mu is held.
func (s *SMSC) keep(submit Submit) {
	switch {
	case s.cfg.Record <= 0:
	case len(s.record) < s.cfg.Record:
		s.record = append(s.record, submit)
	default:
		s.record[s.oldest] = submit
		s.oldest = (s.oldest + 1) % len(s.record)
	}
}
