package webhook

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/heliograph/heliograph/internal/gateway"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// seen is one request as the receiver saw it.
type seen struct {
	event   int64
	attempt int // made before
	at      time.Time
	url     string
}

// receiver is a RoundTripper that answers in the place of accounts' servers.
type receiver struct {
	answer func(req *http.Request, p seen) (int, error)

	mu       sync.Mutex
	posts    []seen
	inflight map[string]int // by host
	most     map[string]int
}

func newReceiver(answer func(*http.Request, seen) (int, error)) *receiver {
	return &receiver{answer: answer, inflight: map[string]int{}, most: map[string]int{}}
}

func (r *receiver) RoundTrip(req *http.Request) (*http.Response, error) {
	event, _ := strconv.ParseInt(req.Header.Get("X-Event"), 10, 64)
	attempt, _ := strconv.Atoi(req.Header.Get("X-Attempt"))
	p := seen{event, attempt, time.Now(), req.URL.String()}
	r.mu.Lock()
	r.posts = append(r.posts, p)
	r.inflight[req.URL.Host]++
	r.most[req.URL.Host] = max(r.most[req.URL.Host], r.inflight[req.URL.Host])
	r.mu.Unlock()
	defer func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.inflight[req.URL.Host]--
	}()
	status, err := r.answer(req, p)
	if err != nil {
		return nil, err
	}
	return &http.Response{StatusCode: status, Body: http.NoBody, Request: req, Header: http.Header{}}, nil
}

func (r *receiver) all() []seen {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]seen(nil), r.posts...)
}

func (r *receiver) mostAt(host string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.most[host]
}

// after answers with a status after a while, or not at all when the request's time is over before. A wait of nothing uses no timer: in a
// bubble, timers that have expired when several goroutines look at them crash the race detector of Go 1.26.
func after(wait time.Duration, status int) func(*http.Request, seen) (int, error) {
	return func(req *http.Request, _ seen) (int, error) {
		if wait == 0 {
			return status, nil
		}
		timer := time.NewTimer(wait)
		defer timer.Stop()
		select {
		case <-timer.C:
			return status, nil
		case <-req.Context().Done():
			return 0, req.Context().Err()
		}
	}
}

func hang(req *http.Request, _ seen) (int, error) {
	<-req.Context().Done()
	return 0, req.Context().Err()
}

func render(ctx context.Context, e *gateway.Event) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, e.Callback().URL, strings.NewReader("Status="+e.State.String()))
	if err != nil {
		return nil, err
	}
	req.Header.Set("X-Event", strconv.FormatInt(e.ID, 10))
	req.Header.Set("X-Attempt", strconv.Itoa(e.Attempt))
	return req, nil
}

func newWorker(store Store, transport http.RoundTripper) *Worker {
	return New(Config{
		Store: store, Client: &http.Client{Transport: transport}, Render: render, Now: time.Now, Log: slog.New(slog.DiscardHandler),
	})
}

// run runs a worker; stop ends it and waits.
func run(t testing.TB, w *Worker) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- w.Run(ctx) }()
	return sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// begin runs a worker in a bubble and waits until it has looked into the store.
func begin(t testing.TB, w *Worker) (stop func()) {
	stop = run(t, w)
	synctest.Wait()
	return stop
}

func message(n int, url string) *gateway.Message {
	m := &gateway.Message{Account: "MA000000000000000000", Callback: gateway.Callback{URL: url, Method: "POST"}}
	m.ID[0], m.ID[1], m.ID[2] = byte(n>>16), byte(n>>8), byte(n)
	return m
}

func TestScheduleUntilGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, r := newMemory(t), newReceiver(func(*http.Request, seen) (int, error) { return 500, nil })
		w := newWorker(store, r)
		stop := begin(t, w)
		start := time.Now()
		w.Told([]gateway.Event{store.add(message(1, "http://a.example/cb?token=secret"), 2)})
		time.Sleep(time.Hour)
		stop()
		var at []time.Duration
		for _, p := range r.all() {
			at = append(at, p.at.Sub(start))
		}
		if fmt.Sprint(at) != "[0s 1m0s 3m0s 7m0s]" {
			t.Errorf("posted at %v", at)
		}
		attempts := store.recorded()
		for i, a := range attempts {
			if a.Number != i+1 || a.Status != 500 || a.Done || a.GaveUp != (i == 3) || a.Error != "answered with status 500" {
				t.Errorf("recorded %+v", a)
			}
		}
		if s := w.Stats(); len(attempts) != 4 || s.Attempts != 4 || s.Failed != 4 || s.GivenUp != 1 || s.Told != 0 || store.unsettled() != 0 {
			t.Errorf("%d attempts, %+v", len(attempts), s)
		}
	})
}

func TestToldAtTheSecondAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newMemory(t)
		r := newReceiver(func(_ *http.Request, p seen) (int, error) {
			if p.attempt == 0 {
				return 0, errors.New("connection reset")
			}
			return 204, nil
		})
		w := newWorker(store, r)
		stop := begin(t, w)
		w.Told([]gateway.Event{store.add(message(1, "http://a.example/"), 1)})
		time.Sleep(time.Hour)
		stop()
		attempts := store.recorded()
		if len(attempts) != 2 || attempts[0].Error != "connection reset" || attempts[0].Status != 0 || !attempts[1].Done || attempts[1].Status != 204 {
			t.Errorf("recorded %+v", attempts)
		}
	})
}

func TestWholeAnswerWithinEightSeconds(t *testing.T) {
	for _, c := range []struct {
		name   string
		answer func(*http.Request, seen) (int, error)
		told   bool
	}{
		{"just in time", after(7999*time.Millisecond, 200), true},
		{"too late", after(8001*time.Millisecond, 200), false},
		{"never", hang, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				store := newMemory(t)
				w := newWorker(store, newReceiver(c.answer))
				stop := begin(t, w)
				w.Told([]gateway.Event{store.add(message(1, "http://a.example/"), 1)})
				time.Sleep(10 * time.Second)
				stop()
				a := store.recorded()
				if len(a) != 1 || a[0].Done != c.told || !c.told && (a[0].Latency != 8000 || a[0].Error != "no whole answer within 8 s") {
					t.Errorf("recorded %+v", a)
				}
			})
		})
	}
}

// slowBody answers at once, with a body that does not end.
type slowBody struct{}

func (slowBody) RoundTrip(req *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: 200, Body: &endless{req.Context()}, Request: req, Header: http.Header{}}, nil
}

type endless struct{ ctx context.Context }

func (b *endless) Read([]byte) (int, error) {
	<-b.ctx.Done()
	return 0, b.ctx.Err()
}
func (b *endless) Close() error { return nil }

func TestBodyBelongsToTheAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newMemory(t)
		w := newWorker(store, slowBody{})
		stop := begin(t, w)
		w.Told([]gateway.Event{store.add(message(1, "http://a.example/"), 1)})
		time.Sleep(9 * time.Second)
		stop()
		if a := store.recorded(); len(a) != 1 || a[0].Done || a[0].Latency != 8000 || a[0].Status != 200 {
			t.Errorf("recorded %+v", a)
		}
	})
}

func TestHangingEndpointDelaysNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newMemory(t)
		const roundTrip = 5 * time.Millisecond
		told := map[int64]time.Time{}
		r := newReceiver(nil)
		r.answer = func(req *http.Request, p seen) (int, error) {
			if req.URL.Host == "dead.example" {
				return hang(req, p)
			}
			return after(roundTrip, 200)(req, p)
		}
		w := newWorker(store, r)
		stop := begin(t, w)
		for n := range 10_000 {
			w.Told([]gateway.Event{store.add(message(n, "http://dead.example/"), 1)})
		}
		for n := range 3000 {
			e := store.add(message(20_000+n, "http://good.example/"), 1)
			told[e.ID] = time.Now()
			w.Told([]gateway.Event{e})
			time.Sleep(10 * time.Millisecond)
		}
		stop()
		answered := 0
		for _, p := range r.all() {
			if at, good := told[p.event]; good {
				answered++
				if late := p.at.Sub(at); late != 0 {
					t.Fatalf("event %d was posted %v after it was told of", p.event, late)
				}
			}
		}
		if answered != 3000 {
			t.Errorf("%d posts for 3000 events", answered)
		}
		if most := r.mostAt("dead.example"); most > startPosts {
			t.Errorf("%d posts at a time to an endpoint that never answered", most)
		}
	})
}

// TestManyBadEndpoints: hundreds of endpoints hang, some of which worked before; those that work and new ones are not delayed.
func TestManyBadEndpoints(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newMemory(t)
		r := newReceiver(nil)
		var dead atomic.Bool
		r.answer = func(req *http.Request, p seen) (int, error) {
			switch host := req.URL.Host; {
			case strings.HasPrefix(host, "dead"), strings.HasPrefix(host, "turning") && dead.Load():
				return hang(req, p)
			default:
				return after(time.Millisecond, 200)(req, p)
			}
		}
		w := newWorker(store, r)
		stop := begin(t, w)
		defer stop()
		tell := func(host string, n int) {
			w.Told([]gateway.Event{store.add(message(n, "http://"+host+"/"), 1)})
		}
		for n := range 6000 { // thirty endpoints that earn many posts at a time, more than there are in all
			tell(fmt.Sprintf("turning%d.example", n%30), n)
		}
		tell("good.example", 6000)
		time.Sleep(time.Second)
		dead.Store(true)
		for n := range 6000 {
			tell(fmt.Sprintf("turning%d.example", n%30), 10_000+n)
		}
		for n := range 300 {
			for i := range 4 {
				tell(fmt.Sprintf("dead%d.example", n), 20_000+4*n+i)
			}
		}
		told := map[int64]time.Time{}
		for n := range 1000 {
			e := store.add(message(30_000+n, "http://good.example/"), 1)
			told[e.ID] = time.Now()
			w.Told([]gateway.Event{e})
			time.Sleep(50 * time.Millisecond)
		}
		fresh := store.add(message(40_000, "http://new.example/"), 1)
		told[fresh.ID] = time.Now()
		w.Told([]gateway.Event{fresh})
		time.Sleep(time.Second)
		for _, p := range r.all() {
			if at, good := told[p.event]; good {
				delete(told, p.event)
				if late := p.at.Sub(at); late != 0 {
					t.Fatalf("event %d to %s was posted %v after it was told of", p.event, p.url, late)
				}
			}
		}
		if len(told) > 0 {
			t.Errorf("%d events to good endpoints were not posted", len(told))
		}
		if s := w.Stats(); s.InFlight > mostPosters || s.Failing < 100 {
			t.Errorf("%+v", s)
		}
	})
}

func TestConcurrencyFollowsHealth(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newMemory(t)
		var down atomic.Bool
		r := newReceiver(func(req *http.Request, p seen) (int, error) {
			if down.Load() {
				return after(time.Millisecond, 503)(req, p)
			}
			return after(time.Millisecond, 200)(req, p)
		})
		var log bytes.Buffer
		w := newWorker(store, r)
		w.Log = slog.New(slog.NewTextHandler(&log, nil))
		stop := begin(t, w)
		tell := func(from, n int) {
			for i := range n {
				w.Told([]gateway.Event{store.add(message(from+i, "http://a.example/cb?token=secret"), 1)})
			}
		}
		limit := func() int { return w.Endpoints(1)[0].Limit }
		tell(0, 2000)
		time.Sleep(time.Second)
		if most := r.mostAt("a.example"); most != mostPosts || limit() != mostPosts {
			t.Errorf("%d at a time while all is well, limit %d", most, limit())
		}
		down.Store(true)
		tell(2000, 200)
		time.Sleep(time.Second)
		if s := w.Endpoints(1)[0]; s.Limit != 1 || !s.Failing || s.LastStatus != 503 || s.Host != "a.example" || s.NextRetry.IsZero() {
			t.Errorf("while it fails: %+v", s)
		}
		down.Store(false)
		time.Sleep(2 * time.Minute)
		if s := w.Endpoints(1)[0]; s.Limit <= 1 || s.Failing {
			t.Errorf("well again: %+v", s)
		}
		stop()
		if store.unsettled() != 0 {
			t.Errorf("%d events are not settled", store.unsettled())
		}
		if text := log.String(); strings.Count(text, "\n") != 2 || strings.Contains(text, "secret") || !strings.Contains(text, "host=a.example") {
			t.Errorf("logged:\n%s", text)
		}
	})
}

func TestEventsOfAMessageKeepTheirOrder(t *testing.T) {
	for _, c := range []struct {
		name  string
		order []int // in which Told hears of the sequences, in one call
		first func(*http.Request, seen) (int, error)
		want  string // when each sequence was first posted
	}{
		{"in order", []int{1, 2, 3}, after(100*time.Millisecond, 200), "[0s 100ms 200ms]"},
		{"out of order", []int{3, 1, 2}, after(100*time.Millisecond, 200), "[0s 100ms 200ms]"},
		{"the first fails", []int{1, 2, 3}, after(3*time.Second, 500), "[0s 3s 6s]"},
		{"the first times out", []int{2, 3, 1}, hang, "[0s 8s 16s]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				store, r := newMemory(t), newReceiver(c.first)
				w := newWorker(store, r)
				stop := begin(t, w)
				m, start := message(1, "http://a.example/"), time.Now()
				var events, told []gateway.Event
				for sequence := 1; sequence <= 3; sequence++ {
					events = append(events, store.add(m, sequence))
				}
				for _, sequence := range c.order {
					told = append(told, events[sequence-1])
				}
				w.Told(told)
				time.Sleep(20 * time.Second)
				stop()
				at := make([]time.Duration, 3)
				for _, p := range r.all() {
					if p.attempt == 0 {
						at[p.event-1] = p.at.Sub(start)
					}
				}
				if fmt.Sprint(at) != c.want {
					t.Errorf("posted at %v, want %s", at, c.want)
				}
			})
		})
	}
}

func TestBacklogCostsNoMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newMemory(t)
		most := 0
		r := newReceiver(nil)
		w := newWorker(store, r)
		r.answer = func(req *http.Request, p seen) (int, error) {
			if p.event%97 == 0 {
				w.mu.Lock()
				most = max(most, len(w.held))
				w.mu.Unlock()
			}
			return after(time.Millisecond, 200)(req, p)
		}
		const events = 30_000
		for n := range events {
			store.add(message(n, "http://a.example/"), 1)
		}
		stop := begin(t, w)
		time.Sleep(time.Minute)
		stop()
		if store.unsettled() != 0 || len(r.all()) != events {
			t.Errorf("%d not settled, %d posts", store.unsettled(), len(r.all()))
		}
		if bound := mostEvents + mostPosts + mostUnrecorded; most > bound || store.largest > bound+pageEvents {
			t.Errorf("%d events in memory, %d in one read", most, store.largest)
		}
		if store.reads > 100 {
			t.Errorf("%d reads", store.reads)
		}
	})
}

// TestLateWordOfAnEventThatWasReadAndTold: the store gave the event, it was told and recorded, and only then comes the hint of its commit.
func TestLateWordOfAnEventThatWasReadAndTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, r := newMemory(t), newReceiver(after(time.Millisecond, 200))
		e := store.add(message(1, "http://a.example/"), 1)
		w := newWorker(store, r)
		stop := begin(t, w)
		time.Sleep(time.Second)
		w.Told([]gateway.Event{e})
		time.Sleep(2 * time.Minute)
		stop()
		if n := len(r.all()); n != 1 {
			t.Errorf("%d posts", n)
		}
	})
}

// TestEventPassedByIsFound: an event with a lower ID becomes visible after the store was read beyond it, and no hint ever comes.
func TestEventPassedByIsFound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, r := newMemory(t), newReceiver(after(time.Millisecond, 200))
		late := store.addHidden(message(1, "http://a.example/"), 1, true)
		store.add(message(2, "http://a.example/"), 1)
		w := newWorker(store, r)
		stop := begin(t, w)
		time.Sleep(time.Second)
		store.commit(late.ID)
		time.Sleep(2 * time.Minute)
		stop()
		if store.unsettled() != 0 || len(r.all()) != 2 {
			t.Errorf("%d not settled, %d posts", store.unsettled(), len(r.all()))
		}
	})
}

// TestToldDuringARead: the read began before the event's commit, and ends after its hint.
func TestToldDuringARead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, r := newMemory(t), newReceiver(after(time.Millisecond, 200))
		w := newWorker(store, r)
		store.add(message(1, "http://a.example/"), 1)
		told := false
		store.slowRead = func() {
			if !told {
				told = true
				w.Told([]gateway.Event{store.add(message(2, "http://a.example/"), 1)})
			}
		}
		stop := begin(t, w)
		time.Sleep(time.Second)
		stop()
		if store.unsettled() != 0 || len(r.all()) != 2 {
			t.Errorf("%d not settled, %d posts", store.unsettled(), len(r.all()))
		}
	})
}

// TestRecordedDuringARead: what a read brings was told and recorded before it ends.
func TestRecordedDuringARead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, r := newMemory(t), newReceiver(after(500*time.Millisecond, 200))
		store.slowRead = func() { time.Sleep(10 * time.Second) }
		w := newWorker(store, r)
		stop := begin(t, w)
		var events []gateway.Event
		for n := range mostEvents + 200 { // more than memory takes, so the store is read while they are told
			events = append(events, store.add(message(n, "http://a.example/"), 1))
		}
		w.Told(events)
		time.Sleep(5 * time.Minute)
		stop()
		if store.unsettled() != 0 || len(r.all()) != len(events) {
			t.Errorf("%d not settled, %d posts of %d", store.unsettled(), len(r.all()), len(events))
		}
	})
}

func TestFloodOfHints(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, r := newMemory(t), newReceiver(after(time.Millisecond, 200))
		w := newWorker(store, r)
		stop := begin(t, w)
		const events = 5 * mostEvents
		var told []gateway.Event
		for n := range events {
			told = append(told, store.add(message(n, "http://a.example/"), 1))
		}
		w.Told(told)
		if n := w.Stats().Waiting; n > mostEvents {
			t.Errorf("%d events in memory", n)
		}
		time.Sleep(10 * time.Second)
		stop()
		if store.unsettled() != 0 || len(r.all()) != events {
			t.Errorf("%d not settled, %d posts", store.unsettled(), len(r.all()))
		}
	})
}

// TestEndpointThatFailsKeepsItsPace: what such an endpoint's queue does not hold is read from the store as it goes on, its events are tried
// at their times, and memory holds a few.
func TestEndpointThatFailsKeepsItsPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, r := newMemory(t), newReceiver(func(*http.Request, seen) (int, error) { return 500, nil })
		w := newWorker(store, r)
		stop := begin(t, w)
		const events = 700
		var told []gateway.Event
		for n := range events {
			told = append(told, store.add(message(n, "http://a.example/"), 1))
		}
		w.Told(told)
		for i, at := range []time.Duration{2 * time.Second, 63 * time.Second, 185 * time.Second, 427 * time.Second} {
			time.Sleep(at - time.Since(started(r)))
			if n := len(r.all()); n != (i+1)*events {
				t.Errorf("after %v: %d posts, want %d", at, n, (i+1)*events)
			}
			if n := w.Stats().Waiting; n > failedEvents {
				t.Errorf("%d events in memory", n)
			}
		}
		stop()
		if store.unsettled() != 0 {
			t.Errorf("%d not settled", store.unsettled())
		}
	})
}

func started(r *receiver) time.Time {
	synctest.Wait()
	return r.all()[0].at
}

func TestRetriesOfOneSecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, r := newMemory(t), newReceiver(func(_ *http.Request, p seen) (int, error) { return 500 - 300*p.attempt, nil })
		w := newWorker(store, r)
		stop := begin(t, w)
		time.Sleep(time.Until(time.Now().Truncate(time.Second).Add(time.Second)))
		begun := time.Now()
		for n := range 3 {
			w.Told([]gateway.Event{store.add(message(n, "http://a.example/"), 1)})
			time.Sleep(300 * time.Millisecond)
		}
		time.Sleep(2 * time.Minute)
		stop()
		posts := r.all()
		if len(posts) != 6 {
			t.Fatalf("%d posts", len(posts))
		}
		for _, p := range posts[3:] {
			due, last := time.Minute+time.Duration(p.event-1)*300*time.Millisecond, time.Minute+600*time.Millisecond
			if at := p.at.Sub(begun); at < due || at > last {
				t.Errorf("the retry of event %d came after %v", p.event, at)
			}
		}
	})
}

func TestMoreHintsDuringAReadThanAreKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, r := newMemory(t), newReceiver(after(time.Millisecond, 200))
		w := newWorker(store, r)
		store.add(message(1, "http://a.example/"), 1)
		told := false
		store.slowRead = func() {
			for n := 0; n < 2*mostArrived && !told; n++ {
				w.Told([]gateway.Event{store.add(message(2+n, "http://a.example/"), 1)})
			}
			told = true
		}
		stop := begin(t, w)
		time.Sleep(time.Second)
		stop()
		if store.unsettled() != 0 || len(r.all()) != 1+2*mostArrived {
			t.Errorf("%d not settled, %d posts", store.unsettled(), len(r.all()))
		}
	})
}

func TestRetryAfterARestartComesAtItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, r := newMemory(t), newReceiver(func(*http.Request, seen) (int, error) { return 500, nil })
		w := newWorker(store, r)
		stop := begin(t, w)
		begun := time.Now()
		w.Told([]gateway.Event{store.add(message(1, "http://a.example/"), 1)})
		time.Sleep(7 * time.Second)
		stop()
		stop = begin(t, newWorker(store, r))
		time.Sleep(2 * time.Minute)
		stop()
		if posts := r.all(); len(posts) != 2 || posts[1].at.Sub(begun) != time.Minute {
			t.Errorf("posts: %v", posts)
		}
	})
}

func TestStoreThatCannotWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, r := newMemory(t), newReceiver(after(time.Millisecond, 200))
		var log bytes.Buffer
		w := newWorker(store, r)
		w.Log = slog.New(slog.NewTextHandler(&log, nil))
		stop := begin(t, w)
		store.setFaults(false, true)
		const events = 2 * mostUnrecorded
		for n := range events {
			w.Told([]gateway.Event{store.add(message(n, fmt.Sprintf("http://a%d.example/", n%10)), 1)})
		}
		time.Sleep(10 * time.Minute)
		if n := len(r.all()); n < mostUnrecorded || n > mostUnrecorded+mostPosters {
			t.Errorf("%d posts while nothing can be written", n)
		}
		store.setFaults(false, false)
		time.Sleep(time.Minute)
		stop()
		if store.unsettled() != 0 || len(r.all()) != events {
			t.Errorf("%d not settled, %d posts", store.unsettled(), len(r.all()))
		}
		if strings.Count(log.String(), "\n") != 2 {
			t.Errorf("logged:\n%s", log.String())
		}
	})
}

func TestStoreThatCannotRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, r := newMemory(t), newReceiver(after(time.Millisecond, 200))
		for n := range 100 {
			store.add(message(n, "http://a.example/"), 1)
		}
		store.setFaults(true, false)
		w := newWorker(store, r)
		stop := begin(t, w)
		time.Sleep(time.Minute)
		store.setFaults(false, false)
		time.Sleep(time.Minute)
		stop()
		if store.unsettled() != 0 || len(r.all()) != 100 {
			t.Errorf("%d not settled, %d posts", store.unsettled(), len(r.all()))
		}
	})
}

func TestStopLetsPostsFinish(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newMemory(t)
		r := newReceiver(func(req *http.Request, p seen) (int, error) {
			if p.event == 1 {
				return after(2*time.Second, 200)(req, p)
			}
			return hang(req, p)
		})
		w := newWorker(store, r)
		stop := begin(t, w)
		for n := range 2 {
			w.Told([]gateway.Event{store.add(message(n, fmt.Sprintf("http://a%d.example/", n)), 1)})
		}
		synctest.Wait()
		begun := time.Now()
		stop()
		if took := time.Since(begun); took != stopGrace {
			t.Errorf("the stop took %v", took)
		}
		w.Told([]gateway.Event{store.add(message(3, "http://a.example/"), 1)})
		if a := store.recorded(); len(a) != 1 || a[0].Event != 1 || !a[0].Done {
			t.Errorf("recorded %+v: the one that was cut off is to be made again", a)
		}
	})
}

func TestStopWithAStoreThatCannotWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, r := newMemory(t), newReceiver(after(time.Millisecond, 200))
		w := newWorker(store, r)
		stop := begin(t, w)
		store.setFaults(false, true)
		w.Told([]gateway.Event{store.add(message(1, "http://a.example/"), 1)})
		time.Sleep(time.Second)
		begun := time.Now()
		stop()
		if took := time.Since(begun); took > stopGrace+writeGrace {
			t.Errorf("the stop took %v", took)
		}
	})
}

func TestRestartGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newMemory(t)
		var up atomic.Bool
		r := newReceiver(func(req *http.Request, p seen) (int, error) {
			if !up.Load() {
				return 503, nil
			}
			return 200, nil
		})
		var first time.Time
		const events = 20
		stop := begin(t, newWorker(store, r))
		stop()
		w := newWorker(store, r)
		stop = begin(t, w)
		first = time.Now()
		for n := range events { // one a second: each has a due time of its own
			w.Told([]gateway.Event{store.add(message(n, "http://a.example/"), 1)})
			time.Sleep(time.Second)
		}
		stop()
		time.Sleep(10 * time.Second)
		up.Store(true)
		stop = begin(t, newWorker(store, r))
		time.Sleep(3 * time.Minute)
		stop()
		posts := r.all()
		if store.unsettled() != 0 || len(posts) != 2*events {
			t.Fatalf("%d not settled, %d posts", store.unsettled(), len(posts))
		}
		for _, p := range posts[events:] {
			due := first.Add(time.Duration(p.event-1)*time.Second + time.Minute)
			if late := p.at.Sub(due); late < 0 || late > recountSoon+2*time.Second {
				t.Errorf("the retry of event %d came %v after its time", p.event, late)
			}
		}
	})
}

func TestWhatCannotBeRendered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, r := newMemory(t), newReceiver(after(time.Millisecond, 200))
		var log bytes.Buffer
		w := newWorker(store, r)
		w.Log = slog.New(slog.NewTextHandler(&log, nil))
		busy := true
		w.Render = func(ctx context.Context, e *gateway.Event) (*http.Request, error) {
			if e.Message.Callback.URL == "http://busy.example/" && busy {
				busy = false
				return nil, gateway.Errorf(gateway.Unavailable, "the account cannot be read")
			}
			return render(ctx, e)
		}
		stop := begin(t, w)
		for n := range 10 {
			w.Told([]gateway.Event{store.add(message(n, "http://a.example/%zz?token=secret"), 1)})
		}
		w.Told([]gateway.Event{store.add(message(11, "http://busy.example/"), 1)})
		time.Sleep(2 * time.Minute)
		stop()
		gaveUp, told := 0, 0
		for _, a := range store.recorded() {
			switch {
			case a.GaveUp && strings.HasPrefix(a.Error, "cannot be rendered: ") && !strings.Contains(a.Error, "secret") && a.Number == 1:
				gaveUp++
			case a.Done && a.Number == 2:
				told++
			}
		}
		if gaveUp != 10 || told != 1 || len(r.all()) != 1 || store.unsettled() != 0 {
			t.Errorf("%d given up, %d told, %d posts: %+v", gaveUp, told, len(r.all()), store.recorded())
		}
		if strings.Count(log.String(), "\n") != 1 {
			t.Errorf("logged:\n%s", log.String())
		}
	})
}

func TestEventsWithoutACallbackAreNone(t *testing.T) {
	w := newWorker(newMemory(t), newReceiver(hang))
	stop := run(t, w)
	defer stop()
	w.Told([]gateway.Event{{ID: 1, Message: message(1, "")}, {Message: message(2, "http://a.example/")}})
	if s := w.Stats(); s.Endpoints != 0 {
		t.Errorf("%+v", s)
	}
}

func TestReasonIsShortAndPlain(t *testing.T) {
	long := strings.Repeat("x", 3*reasonOctets)
	if got := reason(&outcome{err: errors.New(long)}); len(got) != reasonOctets {
		t.Errorf("%d octets", len(got))
	}
	if got := reason(&outcome{err: io.ErrUnexpectedEOF}); got != "unexpected EOF" {
		t.Errorf("%q", got)
	}
}
