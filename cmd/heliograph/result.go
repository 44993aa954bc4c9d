package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// benchResult is what a benchmark measured. Rates are per second; latencies are in milliseconds.
type benchResult struct {
	Messages      int     `json:"messages"`
	Connections   int     `json:"connections"`
	Refused       int64   `json:"refused"`
	Lost          int64   `json:"lost"`          // accepted, and not at their end
	Undelivered   int64   `json:"not_delivered"` // at an end that is not delivered
	AcceptedRate  float64 `json:"accepted_per_s"`
	SubmittedRate float64 `json:"submitted_per_s"` // with callbacks: to the last one that told of a submit; else to the last recorded one
	DeliveredRate float64 `json:"delivered_per_s"` // to the last final callback
	Callbacks     int64   `json:"callbacks"`
	CallbackRate  float64 `json:"callbacks_per_s"`

	Accept   percentiles `json:"accept_ms"`
	Complete percentiles `json:"complete_ms"` // from the request to the final callback

	CPU          float64 `json:"server_cpu_s"`
	CPUPer1000   float64 `json:"server_cpu_s_per_1000"`
	ResidentMB   float64 `json:"server_resident_mb"`
	CallbacksOn  bool    `json:"callbacks_on"`
	TotalSeconds float64 `json:"seconds"`

	Inbound *inboundResult `json:"inbound,omitempty"`
	Backlog *backlogResult `json:"backlog,omitempty"`
	MMS     *mmsResult     `json:"mms,omitempty"`
}

func (l *load) result(begin time.Time, accepting time.Duration, before, after usage) *benchResult {
	l.mu.Lock()
	defer l.mu.Unlock()
	total := l.end.Sub(begin)
	accepted := int64(l.accepts.count())
	r := &benchResult{
		Messages: l.Messages, Connections: l.Connections, Refused: l.refused.Load(), CallbacksOn: l.sink != nil,
		AcceptedRate: float64(accepted) / accepting.Seconds(), Accept: l.accepts.percentiles(), Complete: l.complete.percentiles(),
		Callbacks: l.callbacks.Load(), CPU: after.cpu - before.cpu, ResidentMB: after.resident / (1 << 20), TotalSeconds: total.Seconds(),
	}
	ended := accepted
	if l.Callbacks {
		ended = int64(l.complete.count())
		r.Lost = accepted - ended
	}
	r.Undelivered = l.missed.Load()
	if total > 0 && l.Callbacks {
		ended -= r.Undelivered
		r.DeliveredRate, r.CallbackRate = float64(ended)/total.Seconds(), float64(r.Callbacks)/total.Seconds()
	}
	if submitting := l.submitted.Sub(begin); submitting > 0 {
		r.SubmittedRate = float64(accepted) / submitting.Seconds()
	}
	if accepted > 0 {
		r.CPUPer1000 = r.CPU / float64(accepted) * 1000
	}
	return r
}

func (r *benchResult) print(out io.Writer) {
	fmt.Fprintf(out, "messages          %d over %d connections, %d refused, %d lost, %d not delivered\n",
		r.Messages, r.Connections, r.Refused, r.Lost, r.Undelivered)
	fmt.Fprintf(out, "accepted/s        %.0f\n", r.AcceptedRate)
	fmt.Fprintf(out, "submitted/s       %.0f\n", r.SubmittedRate)
	if r.CallbacksOn {
		fmt.Fprintf(out, "delivered/s       %.0f\n", r.DeliveredRate)
		fmt.Fprintf(out, "callbacks/s       %.0f (%d in all)\n", r.CallbackRate, r.Callbacks)
	}
	fmt.Fprintf(out, "accept ms         %s\n", r.Accept)
	if r.CallbacksOn {
		fmt.Fprintf(out, "end to end ms     %s\n", r.Complete)
	}
	fmt.Fprintf(out, "server CPU        %.3f s per 1,000 messages (%.2f s in all)\n", r.CPUPer1000, r.CPU)
	fmt.Fprintf(out, "server memory     %.0f MB\n", r.ResidentMB)
	if r.MMS != nil {
		r.MMS.print(out)
	}
	if r.Inbound != nil {
		r.Inbound.print(out)
	}
	if r.Backlog != nil {
		r.Backlog.print(out)
	}
}

// latencies gathers durations. It is safe for many goroutines.
type latencies struct {
	mu   sync.Mutex
	list []time.Duration
}

func newLatencies(expected int) *latencies {
	return &latencies{list: make([]time.Duration, 0, expected)}
}

func (l *latencies) add(d time.Duration) {
	l.mu.Lock()
	l.list = append(l.list, d)
	l.mu.Unlock()
}

func (l *latencies) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.list)
}

// percentiles are latencies in milliseconds.
type percentiles struct {
	P50 float64 `json:"p50"`
	P90 float64 `json:"p90"`
	P99 float64 `json:"p99"`
	Max float64 `json:"max"`
}

func (p percentiles) String() string {
	return fmt.Sprintf("p50 %.2f  p90 %.2f  p99 %.2f  max %.2f", p.P50, p.P90, p.P99, p.Max)
}

func (l *latencies) percentiles() percentiles {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.list) == 0 {
		return percentiles{}
	}
	slices.Sort(l.list)
	at := func(share float64) float64 {
		return float64(l.list[min(len(l.list)-1, int(share*float64(len(l.list))))].Microseconds()) / 1000
	}
	return percentiles{at(0.5), at(0.9), at(0.99), at(1)}
}

// usage is what the server process has used: CPU seconds since its start, resident octets, those of its heap; and the messages that wait in it.
type usage struct{ cpu, resident, heap, waiting float64 }

// usage reads it from the server's metrics.
func (c *client) usage(ctx context.Context) (usage, error) {
	var (
		page bytes.Buffer
		u    usage
	)
	if err := c.fetch(ctx, "/metrics", &page); err != nil {
		return u, err
	}
	wanted := map[string]*float64{
		"process_cpu_seconds_total": &u.cpu, "process_resident_memory_bytes": &u.resident, "go_memstats_heap_alloc_bytes": &u.heap,
		"heliograph_queue_messages": &u.waiting,
	}
	for line := range strings.Lines(page.String()) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		if into := wanted[name]; into != nil {
			var err error
			if *into, err = strconv.ParseFloat(value, 64); err != nil {
				return u, fmt.Errorf("metric %s: %w", name, err)
			}
		}
	}
	return u, nil
}
