package mm7test

import (
	"context"
	"fmt"
)

// Counters say what happened since the start.
type Counters struct {
	Connections  int64 `json:"connections"`
	Requests     int64 `json:"requests"`     // of every kind
	Unauthorized int64 `json:"unauthorized"` // answered HTTP 401
	Submits      int64 `json:"submits"`
	Accepted     int64 `json:"accepted"` // taken, whether or not it was answered
	Refused      int64 `json:"refused"`
	Invalid      int64 `json:"invalid"` // against the specification: answered with a fault
	Throttled    int64 `json:"throttled"`
	Unavailable  int64 `json:"unavailable"` // answered HTTP 503
	Faults       int64 `json:"faults"`
	Unanswered   int64 `json:"unanswered"` // taken, and not answered with a SubmitRsp on purpose
	Cut          int64 `json:"cut"`        // not taken: the connection was closed in the midst, by us or by the peer
	Full         int64 `json:"full"`       // too many reports wait
	Cancelled    int64 `json:"cancelled"`
	Replaced     int64 `json:"replaced"`
	Octets       int64 `json:"octets"` // of files

	Delivered   int64 `json:"delivered"` // recipients by their end
	Undelivered int64 `json:"undelivered"`

	Reports        int64 `json:"reports"`         // made, read replies among them
	ReportsSent    int64 `json:"reports_sent"`    // requests, repetitions included
	ReportsAcked   int64 `json:"reports_acked"`   // answered with success
	ReportsRefused int64 `json:"reports_refused"` // answered otherwise, or not: sent again
	ReportsLost    int64 `json:"reports_lost"`    // forgotten after MaxTries
	ReportsPending int64 `json:"reports_pending"` // now
}

// Counters gives them.
func (m *MMSC) Counters() Counters {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.counters
}

// count changes the counters and lets those look who wait.
func (m *MMSC) count(change func(*Counters)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	change(&m.counters)
	m.changed()
}

// changed lets those look who wait for something. mu is held.
func (m *MMSC) changed() {
	if m.news != nil {
		close(m.news)
		m.news = nil
	}
}

// newsOf is closed at the next change. mu is held.
func (m *MMSC) newsOf() <-chan struct{} {
	if m.news == nil {
		m.news = make(chan struct{})
	}
	return m.news
}

// Wait returns when the counters satisfy enough, or with an error when ctx ends first.
func (m *MMSC) Wait(ctx context.Context, enough func(Counters) bool) error {
	for {
		m.mu.Lock()
		counters := m.counters
		news := m.newsOf()
		m.mu.Unlock()
		if enough(counters) {
			return nil
		}
		select {
		case <-news:
		case <-ctx.Done():
			return fmt.Errorf("mm7test: waited in vain: %+v: %w", counters, ctx.Err())
		}
	}
}

// WaitSubmits waits until n submits came, however they were answered.
func (m *MMSC) WaitSubmits(ctx context.Context, n int) error {
	return m.Wait(ctx, func(c Counters) bool { return c.Submits >= int64(n) })
}

// WaitReports waits until n reports were taken.
func (m *MMSC) WaitReports(ctx context.Context, n int) error {
	return m.Wait(ctx, func(c Counters) bool { return c.ReportsAcked >= int64(n) })
}

// Submits gives the latest submits, oldest first: at most Config.Record.
func (m *MMSC) Submits() []Submit {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append(append([]Submit{}, m.record[m.oldest:]...), m.record[:m.oldest]...)
}

// keep records a submit in place of the oldest. mu is held.
func (m *MMSC) keep(submit Submit) {
	switch {
	case m.cfg.Record <= 0:
	case len(m.record) < m.cfg.Record:
		m.record = append(m.record, submit)
	default:
		m.record[m.oldest] = submit
		m.oldest = (m.oldest + 1) % len(m.record)
	}
}
