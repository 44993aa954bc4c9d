package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// load is one run of a benchmark: what is sent, and what comes back.
type load struct {
	*benchCommand
	target *client
	sink   *callbackSink
	body   []byte // of every request but for its destination
	pack   string

	// carried counts the parts of this load that our SMSC got. It is nil while nothing else waits in the server, which then tells the same.
	carried func() int64

	next      atomic.Int64 // messages begun
	refused   atomic.Int64
	callbacks atomic.Int64
	missed    atomic.Int64 // messages whose end is not delivered
	stirred   atomic.Int64 // when something last happened, Unix nanoseconds

	accepts  *latencies // of requests
	complete *latencies // from the request to the final callback

	mu        sync.Mutex
	submitted time.Time            // of the last callback that told of a submit
	sent      map[string]time.Time // by message: when its request began; taken out by its final callback
	last      map[string]time.Time // final callbacks that came before the answer to their request
	end       time.Time            // of the last final callback
}

// benchPack begins the names of powerpacks that a benchmark makes.
const benchPack = "bench "

// cleanUp removes the powerpacks that benchmarks have left behind, with their claim on the numbers.
func cleanUp(ctx context.Context, target *client) error {
	for offset := 0; ; {
		var page struct {
			Objects []struct{ UUID, Name string }
		}
		if err := target.account(ctx, http.MethodGet, fmt.Sprintf("/Powerpack/?limit=20&offset=%d", offset), nil, &page); err != nil {
			return err
		}
		if len(page.Objects) == 0 {
			return nil
		}
		for _, pack := range page.Objects {
			if !strings.HasPrefix(pack.Name, benchPack) {
				offset++
			} else if err := target.account(ctx, http.MethodDelete, "/Powerpack/"+pack.UUID+"/", nil, nil); err != nil {
				return err
			}
		}
	}
}

// newLoad sets up senders and a powerpack with unlimited rates.
func newLoad(ctx context.Context, c *benchCommand, target *client) (*load, error) {
	if err := cleanUp(ctx, target); err != nil {
		return nil, err
	}
	l := &load{
		benchCommand: c, target: target, accepts: newLatencies(c.Messages), complete: newLatencies(c.Messages),
		sent: make(map[string]time.Time, c.Messages), last: map[string]time.Time{},
	}
	type number struct {
		Number  string   `json:"number"`
		Type    string   `json:"type"`
		Rate    float64  `json:"rate"`
		AuthID  string   `json:"auth_id"`
		Service []string `json:"services"`
	}
	numbers := make([]number, c.Senders)
	for i := range numbers {
		numbers[i] = number{fmt.Sprintf("1415556%04d", i), "longcode", 0, target.authID, []string{"sms", "mms"}}
	}
	if err := target.operator(ctx, http.MethodPost, "/numbers", map[string]any{"numbers": numbers}, nil); err != nil {
		return nil, err
	}
	var pack struct {
		UUID       string `json:"uuid"`
		NumberPool string `json:"number_pool"`
	}
	name := fmt.Sprintf(benchPack+"%s", time.Now().UTC().Format("2006-01-02 15:04:05.000000"))
	if err := target.account(ctx, http.MethodPost, "/Powerpack/", map[string]any{"name": name, "sticky_sender": false}, &pack); err != nil {
		return nil, err
	}
	l.pack = pack.UUID
	pool := pack.NumberPool[len("/v1/Account/"+target.authID):]
	for _, n := range numbers {
		if err := target.account(ctx, http.MethodPost, pool+"Number/"+n.Number+"/", map[string]any{}, nil); err != nil {
			return nil, err
		}
	}
	return l, nil
}

// run sends everything, waits for the end of every message and gives the figures.
func (l *load) run(ctx context.Context) (*benchResult, error) {
	arguments := map[string]any{"powerpack_uuid": l.pack, "text": l.Text}
	if l.Callbacks {
		sink, err := startSink(l.take)
		if err != nil {
			return nil, err
		}
		defer func() { _ = sink.stop() }()
		l.sink, arguments["url"] = sink, sink.url
	}
	finish := func(*benchResult) error { return nil }
	if l.MMS > 0 {
		var err error
		if finish, err = l.attachPicture(ctx, arguments); err != nil {
			return nil, err
		}
	}
	result, err := l.runWith(ctx, arguments)
	if result == nil {
		result = &benchResult{}
	}
	return result, errors.Join(err, finish(result))
}

// runWith sends messages with these arguments.
func (l *load) runWith(ctx context.Context, arguments map[string]any) (*benchResult, error) {
	body, err := json.Marshal(arguments)
	if err != nil {
		return nil, err
	}
	l.body = body
	profiled := make(chan error, 1)
	if l.CPUProfile != "" {
		go func() { profiled <- l.profile(ctx) }()
	} else {
		profiled <- nil
	}
	taken, err := l.takenParts(ctx)
	if err != nil {
		return nil, err
	}
	before, err := l.target.usage(ctx)
	if err != nil {
		return nil, err
	}
	begin := time.Now()
	l.stir(begin)
	if err := l.send(ctx, begin); err != nil {
		return nil, err
	}
	accepted := time.Since(begin)
	if err := l.await(ctx); err != nil {
		return nil, err
	}
	after, err := l.target.usage(ctx)
	if err != nil {
		return nil, err
	}
	result := l.result(begin, accepted, before, after)
	switch {
	case l.Callbacks:
	case l.carried != nil:
		result.Lost = max(0, int64(l.accepts.count())-l.carried())
	default: // a message that no carrier took was not submitted, though it waits no more
		now, err := l.takenParts(ctx)
		if err != nil {
			return nil, err
		}
		result.Lost = max(0, int64(l.accepts.count())-(now-taken))
	}
	return result, <-profiled
}

// takenParts counts the parts that carriers have taken since the server's start.
func (l *load) takenParts(ctx context.Context) (parts int64, err error) {
	var state struct{ Carriers []struct{ Accepted int64 } }
	err = l.target.operator(ctx, http.MethodGet, "/carriers", nil, &state)
	for _, c := range state.Carriers {
		parts += c.Accepted
	}
	return parts, err
}

// send keeps the connections busy until every message has been asked for.
func (l *load) send(ctx context.Context, begin time.Time) error {
	var sending sync.WaitGroup
	failures := make(chan error, l.Connections)
	for range l.Connections {
		sending.Go(func() {
			for n := l.next.Add(1); n <= int64(l.Messages); n = l.next.Add(1) {
				if l.Rate > 0 && !sleepUntil(ctx, begin.Add(time.Duration(float64(n-1)/l.Rate*float64(time.Second)))) {
					return
				}
				if err := l.sendOne(ctx, n); err != nil {
					failures <- err
					return
				}
			}
		})
	}
	sending.Wait()
	select {
	case err := <-failures:
		return err
	default:
		return ctx.Err()
	}
}

func sleepUntil(ctx context.Context, at time.Time) bool {
	wait := time.Until(at)
	if wait <= 0 {
		return ctx.Err() == nil
	}
	select {
	case <-ctx.Done():
		return false
	case <-time.After(wait):
		return true
	}
}

// sendOne asks for the n-th message.
func (l *load) sendOne(ctx context.Context, n int64) error {
	body := append([]byte(nil), l.body[:len(l.body)-1]...)
	body = fmt.Appendf(body, `,"dst":"1%d"}`, 2_122_000_000+n%7_000_000)
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, l.target.url+"/v1/Account/"+l.target.authID+"/Message/", bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	r.SetBasicAuth(l.target.authID, l.target.authToken)
	begin := time.Now()
	response, err := l.target.http.Do(r)
	if err != nil {
		return err
	}
	answer, err := io.ReadAll(response.Body)
	_ = response.Body.Close()
	if err != nil {
		return err
	}
	now := time.Now()
	l.stir(now)
	var accepted struct {
		UUID []string `json:"message_uuid"`
	}
	if response.StatusCode != http.StatusAccepted || json.Unmarshal(answer, &accepted) != nil || len(accepted.UUID) != 1 {
		if l.refused.Add(1) == 1 && response.StatusCode < 500 && response.StatusCode != http.StatusTooManyRequests {
			return fmt.Errorf("the server refuses: %s: %s", response.Status, bytes.TrimSpace(answer))
		}
		return nil
	}
	l.accepts.add(now.Sub(begin))
	l.taken(accepted.UUID[0], begin)
	return nil
}

// taken notes an accepted message; its final callback may have come already.
func (l *load) taken(id string, begin time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if final, ok := l.last[id]; ok {
		delete(l.last, id)
		l.complete.add(final.Sub(begin))
		return
	}
	l.sent[id] = begin
}

// take notes a callback.
func (l *load) take(r *http.Request) {
	now := time.Now()
	l.callbacks.Add(1)
	l.stir(now)
	switch r.Form.Get("Status") {
	case "delivered":
		l.ended(r.Form.Get("MessageUUID"), now, true)
	case "undelivered", "failed":
		l.ended(r.Form.Get("MessageUUID"), now, false)
	case "sent":
		l.mu.Lock()
		l.submitted = now
		l.mu.Unlock()
	}
}

// ended notes the end of a message. Only messages that were delivered count as such.
func (l *load) ended(id string, now time.Time, delivered bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !delivered {
		l.missed.Add(1)
	}
	if now.After(l.end) {
		l.end = now
	}
	if begin, ok := l.sent[id]; ok {
		delete(l.sent, id)
		l.complete.add(now.Sub(begin))
		return
	}
	l.last[id] = now
}

func (l *load) stir(now time.Time) { l.stirred.Store(now.UnixNano()) }

// await waits until every message has come to its end, or nothing happens any more.
func (l *load) await(ctx context.Context) error {
	const step = 5 * time.Millisecond
	seen := int64(-1)
	for {
		done, err := l.done(ctx)
		if err != nil {
			return err
		}
		now := time.Now()
		if done != seen {
			seen = done
			l.stir(now)
		}
		if done >= int64(l.Messages)-l.refused.Load() {
			if !l.Callbacks {
				l.end, l.submitted = now, now
			}
			return nil
		}
		if now.Sub(time.Unix(0, l.stirred.Load())) > l.Patience {
			return nil
		}
		if !sleepUntil(ctx, now.Add(step)) {
			return ctx.Err()
		}
	}
}

// done counts the messages at their end: told so by callback, or else come to our SMSC, or waiting no more.
func (l *load) done(ctx context.Context) (int64, error) {
	if l.Callbacks {
		return int64(l.complete.count()), nil
	}
	if l.carried != nil {
		return l.carried(), nil
	}
	var queue struct {
		Queues   []struct{ Messages int64 }
		Carriers []struct {
			InFlight   int64 `json:"in_flight"`
			Unrecorded int64
		}
	}
	err := errors.Join(
		l.target.operator(ctx, http.MethodGet, "/queues?limit=10000", nil, &queue),
		l.target.operator(ctx, http.MethodGet, "/carriers", nil, &queue),
	)
	waiting := int64(0)
	for _, q := range queue.Queues {
		waiting += q.Messages
	}
	for _, c := range queue.Carriers {
		waiting += c.InFlight + c.Unrecorded
	}
	return int64(l.Messages) - l.refused.Load() - waiting, err
}

// profile fetches a CPU profile of the server while the load runs.
func (l *load) profile(ctx context.Context) error {
	const seconds = 5
	var page bytes.Buffer
	if err := l.target.fetch(ctx, fmt.Sprintf("/admin/debug/pprof/profile?seconds=%d", seconds), &page); err != nil {
		return err
	}
	return os.WriteFile(l.CPUProfile, page.Bytes(), 0o644)
}
