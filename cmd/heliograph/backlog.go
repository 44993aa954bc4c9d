package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
	"github.com/heliograph/heliograph/internal/smpp/smpptest"
)

// backlog is what waits while a load runs: many messages behind many slow senders.
type backlog struct {
	*benchCommand
	target *client
	own    *ownServer
	lanes  *laneWatch
	stride int // from the sender of one request to that of the next
}

// backlogResult is what a benchmark measured of a backlog. Sizes are in MiB.
type backlogResult struct {
	Messages int     `json:"messages"`
	Senders  int     `json:"senders"`
	Interval float64 `json:"interval_s"` // in which each sender sends a message

	FirstTenth float64 `json:"first_tenth_accepted_per_s"`
	LastTenth  float64 `json:"last_tenth_accepted_per_s"`
	TenthRatio float64 `json:"last_to_first_tenth"`

	IdleHeap     float64 `json:"idle_heap_mb"` // with the senders, before anything waits
	Heap         float64 `json:"heap_mb"`      // with the backlog
	HeapGrowth   float64 `json:"heap_growth_mb"`
	IdleResident float64 `json:"idle_resident_mb"`
	Resident     float64 `json:"resident_mb"`

	AcceptedRate  float64     `json:"accepted_per_s"` // of the load, beside the backlog
	AcceptedRatio float64     `json:"accepted_to_empty"`
	Accept        percentiles `json:"accept_ms"`

	LaneSeconds float64     `json:"lane_seconds"`        // for which the lanes were watched
	LaneUnits   int64       `json:"lane_units"`          // that came from the waiting senders
	LaneRatio   float64     `json:"lane_units_to_rates"` // to what their rates allow
	LaneLate    percentiles `json:"lane_late_ms"`        // what the time from a lane's unit to its next was longer than the interval

	WaitingBefore float64 `json:"waiting_before_restart"`
	WaitingAfter  float64 `json:"waiting_after_restart"`
	StopSeconds   float64 `json:"stop_s"`
	ReadySeconds  float64 `json:"ready_s"` // from the start of the process until /readyz says so
}

// Bounds of backlogs.
const (
	backlogPrefix  = "1646" // of its senders' numbers
	backlogFirst   = 2_000_000
	maxBacklogged  = 1_000_000 // senders
	backlogRequest = 10        // destinations of a request, at most
	backlogNumbers = 10_000    // numbers in one call
	heapSamples    = 5
	readyStep      = 5 * time.Millisecond
)

func backlogSender(i int) string { return fmt.Sprintf("%s%07d", backlogPrefix, backlogFirst+i) }

// checkBacklog says what cannot be measured.
func (c *benchCommand) checkBacklog() error {
	switch {
	case c.Backlog == 0:
		return nil
	case c.URL != "":
		return errors.New("--backlog needs a server of our own: it is restarted")
	case c.BacklogSenders < 1 || c.BacklogSenders > maxBacklogged || c.Backlog < c.BacklogSenders:
		return fmt.Errorf("--backlog-senders must be 1 to %d, and not more than --backlog", maxBacklogged)
	case c.BacklogInterval < time.Second || time.Duration(c.depth())*c.BacklogInterval > gateway.DefaultExpiry:
		return fmt.Errorf("--backlog-interval must be at least 1s and let %d messages leave within %s", c.depth(), gateway.DefaultExpiry)
	}
	return nil
}

// depth is how many messages the deepest lane gets.
func (c *benchCommand) depth() int {
	perRequest := c.perRequest()
	requests := (c.Backlog + perRequest - 1) / perRequest
	return (requests + c.BacklogSenders - 1) / c.BacklogSenders * perRequest
}

func (c *benchCommand) perRequest() int { return min(backlogRequest, c.Backlog/c.BacklogSenders) }

func newBacklog(c *benchCommand, target *client, own *ownServer) *backlog {
	b := &backlog{benchCommand: c, target: target, own: own, lanes: own.lanes}
	for b.stride = max(1, c.BacklogSenders*5/8); gcd(b.stride, c.BacklogSenders) != 1; {
		b.stride++
	}
	return b
}

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// measure fills the queues, runs the load beside them, restarts the server and gives the figures. empty is what the load was on empty queues.
func (b *backlog) measure(ctx context.Context, empty *benchResult) (*backlogResult, error) {
	r := &backlogResult{Messages: b.Backlog, Senders: b.BacklogSenders, Interval: b.BacklogInterval.Seconds()}
	if err := b.addSenders(ctx); err != nil {
		return nil, err
	}
	idle, err := b.settled(ctx)
	if err != nil {
		return nil, err
	}
	if r.FirstTenth, r.LastTenth, err = b.fill(ctx); err != nil {
		return nil, err
	}
	full, err := b.settled(ctx)
	if err != nil {
		return nil, err
	}
	r.TenthRatio = r.LastTenth / r.FirstTenth
	r.IdleHeap, r.Heap, r.HeapGrowth = idle.heap/(1<<20), full.heap/(1<<20), (full.heap-idle.heap)/(1<<20)
	r.IdleResident, r.Resident = idle.resident/(1<<20), full.resident/(1<<20)
	if err := b.runBeside(ctx, r, empty); err != nil {
		return nil, err
	}
	return r, b.restart(ctx, r)
}

// addSenders rents the slow senders to the account.
func (b *backlog) addSenders(ctx context.Context) error {
	type number struct {
		Number string  `json:"number"`
		Rate   float64 `json:"rate"`
		AuthID string  `json:"auth_id"`
	}
	for first := 0; first < b.BacklogSenders; first += backlogNumbers {
		numbers := make([]number, min(backlogNumbers, b.BacklogSenders-first))
		for i := range numbers {
			numbers[i] = number{backlogSender(first + i), 1 / b.BacklogInterval.Seconds(), b.target.authID}
		}
		if err := b.target.operator(ctx, http.MethodPost, "/numbers", map[string]any{"numbers": numbers}, nil); err != nil {
			return err
		}
	}
	return nil
}

// settled reads the server's memory after garbage collection: the least of some readings, since the server works on.
func (b *backlog) settled(ctx context.Context) (least usage, err error) {
	for i := range heapSamples {
		if err := b.target.fetch(ctx, "/admin/debug/pprof/heap?gc=1", io.Discard); err != nil {
			return least, err
		}
		now, err := b.target.usage(ctx)
		if err != nil {
			return least, err
		}
		if i == 0 {
			least = now
		}
		least.heap, least.resident = min(least.heap, now.heap), min(least.resident, now.resident)
	}
	return least, nil
}

// fill queues the messages, each sender's in turn, and gives the messages per second of the first and of the last tenth.
func (b *backlog) fill(ctx context.Context) (first, last float64, err error) {
	var (
		filling    sync.WaitGroup
		next, done atomic.Int64
		tenth      = int64(b.Backlog) / 10
		marks      [2]time.Duration // when the first tenth was there, and when the last was begun
		begin      = time.Now()
		failures   = make(chan error, b.Connections)
	)
	filling.Add(b.Connections)
	for range b.Connections {
		go func() {
			defer filling.Done()
			for ctx.Err() == nil {
				n, err := b.fillOne(ctx, int(next.Add(1)-1))
				if err != nil {
					failures <- err
					return
				}
				if n == 0 {
					return
				}
				now := done.Add(int64(n))
				for i, at := range []int64{tenth, int64(b.Backlog) - tenth} {
					if now >= at && now-int64(n) < at {
						marks[i] = time.Since(begin) // by one goroutine only: the count passes each mark once
					}
				}
			}
		}()
	}
	filling.Wait()
	total := time.Since(begin)
	select {
	case err := <-failures:
		return 0, 0, err
	default:
	}
	return float64(tenth) / marks[0].Seconds(), float64(tenth) / (total - marks[1]).Seconds(), ctx.Err()
}

// fillOne makes the n-th request and gives how many messages it was for, 0 when there are enough.
func (b *backlog) fillOne(ctx context.Context, n int) (int, error) {
	per := b.perRequest()
	count := min(per, b.Backlog-n*per)
	if count <= 0 {
		return 0, nil
	}
	destinations := make([]string, count)
	for i := range destinations {
		destinations[i] = fmt.Sprintf("1312%07d", backlogFirst+(n*per+i)%7_000_000)
	}
	return count, b.target.account(ctx, http.MethodPost, "/Message/", map[string]any{
		"src": backlogSender(n * b.stride % b.BacklogSenders), "dst": strings.Join(destinations, "<"), "text": b.Text,
	}, nil)
}

// runBeside runs the load once more and watches the lanes for whole intervals meanwhile, in each of which every lane sends one unit.
func (b *backlog) runBeside(ctx context.Context, r *backlogResult, empty *benchResult) error {
	begin := time.Now()
	b.lanes.watch()
	load, err := newLoad(ctx, b.benchCommand, b.target)
	if err != nil {
		return err
	}
	load.carried = b.lanes.others()
	beside, err := load.run(ctx)
	if err != nil {
		return err
	}
	if beside.Lost > 0 || beside.Refused > 0 {
		return fmt.Errorf("beside the backlog %d messages were refused and %d did not come to their end", beside.Refused, beside.Lost)
	}
	intervals := (time.Since(begin) + b.BacklogInterval - 1) / b.BacklogInterval
	if !sleepUntil(ctx, begin.Add(intervals*b.BacklogInterval)) {
		return ctx.Err()
	}
	units, late := b.lanes.watched()
	r.AcceptedRate, r.AcceptedRatio, r.Accept = beside.AcceptedRate, beside.AcceptedRate/empty.AcceptedRate, beside.Accept
	r.LaneSeconds = (intervals * b.BacklogInterval).Seconds()
	r.LaneUnits, r.LaneLate = units, late.percentiles()
	r.LaneRatio = float64(units) / float64(int64(intervals)*int64(b.BacklogSenders))
	return nil
}

// restart stops the server and starts it again.
func (b *backlog) restart(ctx context.Context, r *backlogResult) error {
	before, err := b.target.usage(ctx)
	if err != nil {
		return err
	}
	begin := time.Now()
	if err := b.own.server.stop(); err != nil {
		return err
	}
	stopped := time.Now()
	if b.own.server, err = b.own.server.again(ctx); err != nil {
		return err
	}
	b.target.url = b.own.server.url
	for b.target.fetch(ctx, "/readyz", io.Discard) != nil {
		if time.Since(stopped) > childStart {
			return fmt.Errorf("the server is not ready after %s", childStart)
		}
		if !sleepUntil(ctx, time.Now().Add(readyStep)) {
			return ctx.Err()
		}
	}
	r.StopSeconds, r.ReadySeconds = stopped.Sub(begin).Seconds(), time.Since(stopped).Seconds()
	after, err := b.target.usage(ctx)
	r.WaitingBefore, r.WaitingAfter = before.waiting, after.waiting
	return err
}

func (r *backlogResult) print(out io.Writer) {
	fmt.Fprintf(out, "\nbacklog           %d messages behind %d senders, each of which sends one in %.0f s\n", r.Messages, r.Senders, r.Interval)
	fmt.Fprintf(out, "queued/s          %.0f the first tenth, %.0f the last: ratio %.2f\n", r.FirstTenth, r.LastTenth, r.TenthRatio)
	fmt.Fprintf(out, "heap              %.1f MB before, %.1f MB with the backlog: %.1f MB more\n", r.IdleHeap, r.Heap, r.HeapGrowth)
	fmt.Fprintf(out, "server memory     %.0f MB before, %.0f MB with the backlog\n", r.IdleResident, r.Resident)
	fmt.Fprintf(out, "accepted/s        %.0f beside the backlog: ratio to empty queues %.2f\n", r.AcceptedRate, r.AcceptedRatio)
	fmt.Fprintf(out, "accept ms         %s\n", r.Accept)
	fmt.Fprintf(out, "lanes             %d units in %.0f s: ratio to their rates %.4f\n", r.LaneUnits, r.LaneSeconds, r.LaneRatio)
	fmt.Fprintf(out, "lanes late ms     %s\n", r.LaneLate)
	fmt.Fprintf(out, "restart           stopped after %.2f s, ready after %.2f s; %.0f waited before, %.0f after\n",
		r.StopSeconds, r.ReadySeconds, r.WaitingBefore, r.WaitingAfter)
}

// laneWatch counts what comes to the pretend SMSC, the backlog's senders by themselves.
type laneWatch struct {
	interval time.Duration

	mu      sync.Mutex
	last    []time.Time // by sender: when its latest unit came
	late    *latencies  // nil: nobody watches
	units   int64
	foreign int64 // submits of other senders
}

func newLaneWatch(senders int, interval time.Duration) *laneWatch {
	return &laneWatch{interval: interval, last: make([]time.Time, senders)}
}

// submitted takes a submit.
func (w *laneWatch) submitted(s smpptest.Submit) {
	w.mu.Lock()
	defer w.mu.Unlock()
	digits, ok := strings.CutPrefix(s.PDU.Source.Addr, backlogPrefix)
	n, err := strconv.Atoi(digits)
	if n -= backlogFirst; !ok || err != nil || n < 0 || n >= len(w.last) {
		w.foreign++
		return
	}
	if w.late != nil {
		w.units++
		if !w.last[n].IsZero() {
			w.late.add(s.At.Sub(w.last[n]) - w.interval)
		}
	}
	w.last[n] = s.At
}

// watch counts from now on.
func (w *laneWatch) watch() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.units, w.late = 0, newLatencies(len(w.last))
}

// watched ends the count and gives it.
func (w *laneWatch) watched() (units int64, late *latencies) {
	w.mu.Lock()
	defer w.mu.Unlock()
	late, w.late = w.late, nil
	return w.units, late
}

// others gives a function that counts the submits of other senders from now on.
func (w *laneWatch) others() func() int64 {
	count := func() int64 { w.mu.Lock(); defer w.mu.Unlock(); return w.foreign }
	before := count()
	return func() int64 { return count() - before }
}

// fetch gets a page of the server, with the operator's token.
func (c *client) fetch(ctx context.Context, path string, into io.Writer) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, c.url+path, nil)
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", "Bearer "+c.adminToken)
	response, err := c.http.Do(r)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(response.Body, 1<<10))
		return fmt.Errorf("GET %s: %s: %s", path, response.Status, bytes.TrimSpace(text))
	}
	_, err = io.Copy(into, response.Body)
	return err
}
