package webhook

import (
	"sort"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
)

// Stats counts callbacks since the start, and says how much is in memory now.
type Stats struct {
	Attempts int64         // requests that came to an end
	Told     int64         // events
	Failed   int64         // attempts that told nothing
	GivenUp  int64         // events
	Latency  time.Duration // of all attempts together

	Endpoints  int // in memory
	Failing    int // of them
	Waiting    int // events in memory; the store may hold more
	InFlight   int
	Unrecorded int
}

// count counts an attempt. Guarded by mu.
func (w *Worker) count(it *item, o *outcome) {
	latency := o.ended.Sub(o.started)
	if it.attempt.GaveUp {
		w.counts.GivenUp++
	}
	if o.unrenderable {
		return
	}
	w.counts.Attempts++
	w.counts.Latency += latency
	if it.attempt.Done {
		w.counts.Told++
	} else {
		w.counts.Failed++
	}
	if w.Observe != nil {
		w.Observe(latency, it.attempt.Done)
	}
}

// Stats gives the counts.
func (w *Worker) Stats() Stats {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := w.counts
	s.Endpoints, s.Unrecorded = len(w.endpoints), w.unrecorded
	for c := range classes {
		s.Waiting += w.waiting[c]
		s.InFlight += w.used[c]
	}
	for _, ep := range w.endpoints {
		if ep.failing() {
			s.Failing++
		}
	}
	return s
}

// EndpointState is what an operator sees of an endpoint.
type EndpointState struct {
	Endpoint   int64
	Account    gateway.AccountID
	Host       string
	Failing    bool
	Waiting    int  // events in memory
	More       bool // the store holds others that are due
	InFlight   int
	Limit      int       // posts at a time
	NextRetry  time.Time // zero: none is known
	LastStatus int
	LastError  string
}

// Endpoints gives the endpoints in memory, those that fail first, then those with most waiting; at most limit.
func (w *Worker) Endpoints(limit int) []EndpointState {
	w.mu.Lock()
	states := make([]EndpointState, 0, len(w.endpoints))
	for _, ep := range w.endpoints {
		s := EndpointState{
			Endpoint: ep.id, Failing: ep.failing(), Waiting: ep.waiting(), More: ep.more || ep.retryDue,
			InFlight: ep.own.inflight, Limit: ep.own.limit, LastStatus: ep.lastStatus, LastError: ep.lastError,
		}
		if ep.host != nil {
			s.Account, s.Host, s.Limit = ep.host.account.id, ep.host.name, min(ep.own.limit, ep.lane.limit)
		}
		if len(ep.dues) > 0 {
			s.NextRetry = time.UnixMicro(ep.dues[0])
		}
		states = append(states, s)
	}
	w.mu.Unlock()
	sort.Slice(states, func(i, j int) bool {
		a, b := &states[i], &states[j]
		switch {
		case a.Failing != b.Failing:
			return a.Failing
		case a.Waiting != b.Waiting:
			return a.Waiting > b.Waiting
		}
		return a.Endpoint < b.Endpoint
	})
	return states[:min(limit, len(states))]
}
