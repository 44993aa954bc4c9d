package webhook

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
)

// says is a RoundTripper that answers every request alike.
type says struct {
	status     int
	kind, body string
}

func (s says) RoundTrip(req *http.Request) (*http.Response, error) {
	return &http.Response{
		StatusCode: s.status, Body: io.NopCloser(strings.NewReader(s.body)), Request: req, Header: http.Header{"Content-Type": {s.kind}},
	}, nil
}

// answers is an Answered that keeps what it hears.
type answers struct {
	mu    sync.Mutex
	heard []string
	note  string
	errs  []error // of the first calls
}

func (a *answers) take(_ context.Context, e *gateway.Event, kind string, body []byte) (string, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.heard = append(a.heard, e.Message.Text+"|"+kind+"|"+string(body))
	var err error
	if len(a.errs) > 0 {
		err, a.errs = a.errs[0], a.errs[1:]
	}
	return a.note, err
}

// received stores the event of a message from a handset.
func received(store *memory, n int, url string) gateway.Event {
	m := message(n, url)
	m.Direction, m.Text = gateway.Inbound, "hello"
	e := store.add(m, 1)
	e.State = gateway.Received
	return e
}

func TestAnswersToInbound(t *testing.T) {
	long := strings.Repeat("x", 2*AnswerOctets)
	for _, c := range []struct {
		name  string
		says  says
		heard string // empty: nobody hears of it
		done  bool
	}{
		{"xml", says{200, "application/xml", "<Response/>"}, "hello|application/xml|<Response/>", true},
		{"empty", says{204, "", ""}, "hello||", true},
		{"too long", says{200, "text/html", long}, "hello|text/html|" + long[:AnswerOctets+1], true},
		{"refused", says{404, "application/xml", "<Response/>"}, "", false},
		{"redirected", says{302, "application/xml", "<Response/>"}, "", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				store, a := newMemory(t), &answers{note: "a note"}
				w := newWorker(store, c.says)
				w.Answered = a.take
				stop := begin(t, w)
				e := received(store, 1, "http://a.example/")
				w.Told([]gateway.Event{e})
				time.Sleep(time.Second)
				stop()
				got := store.recorded()
				if len(got) != 1 || got[0].Done != c.done || got[0].Inbound != e.Message.ID || (got[0].Note == "a note") != (c.heard != "") {
					t.Fatalf("recorded %+v", got)
				}
				if strings.Join(a.heard, "\n") != c.heard {
					t.Errorf("heard %.200q", a.heard)
				}
			})
		})
	}
}

// TestAnswersToOthers: what is answered to an outbound message's event matters to nobody, and its attempt names no message from a handset.
func TestAnswersToOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, a := newMemory(t), &answers{}
		w := newWorker(store, says{200, "application/xml", "<Response/>"})
		w.Answered = a.take
		stop := begin(t, w)
		w.Told([]gateway.Event{store.add(message(1, "http://a.example/"), 1)})
		time.Sleep(time.Second)
		stop()
		if got := store.recorded(); len(got) != 1 || !got[0].Done || !got[0].Inbound.IsZero() || len(a.heard) != 0 {
			t.Errorf("recorded %+v, heard %q", got, a.heard)
		}
	})
}

// TestAnswerThatCannotBeTaken: the attempt is made again on the schedule, with the same message, and the endpoint is not blamed: others' posts to it go on
// at full speed.
func TestAnswerThatCannotBeTaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, full := newMemory(t), errors.New("too many requests are waiting to be stored")
		a := &answers{errs: []error{full, full, full}}
		w := newWorker(store, says{200, "text/xml", "<Response/>"})
		w.Answered = a.take
		stop := begin(t, w)
		start := time.Now()
		e := received(store, 1, "http://a.example/")
		w.Told([]gateway.Event{e})
		time.Sleep(4 * time.Minute)
		if states := w.Endpoints(10); len(states) != 1 || states[0].Failing {
			t.Errorf("endpoints %+v", states)
		}
		time.Sleep(time.Hour)
		stop()
		got := store.recorded()
		if len(got) != 4 || len(a.heard) != 4 {
			t.Fatalf("recorded %+v, heard %q", got, a.heard)
		}
		for i, after := range []time.Duration{0, time.Minute, 3 * time.Minute, 7 * time.Minute} {
			want := "the answer cannot be taken now: " + full.Error()
			if i == 3 {
				want = ""
			}
			if got[i].Done != (i == 3) || got[i].GaveUp || got[i].Error != want || time.UnixMicro(got[i].AtMicro).Sub(start) != after || got[i].Inbound != e.Message.ID {
				t.Errorf("attempt %d: %+v", i+1, got[i])
			}
		}
	})
}

// TestSlowTaking: an answer that takes long to be taken is not the endpoint's slowness; one that takes too long is tried again.
func TestSlowTaking(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newMemory(t)
		w := newWorker(store, says{200, "", ""})
		w.Answered = func(ctx context.Context, _ *gateway.Event, _ string, _ []byte) (string, error) {
			<-ctx.Done()
			return "", ctx.Err()
		}
		stop := begin(t, w)
		w.Told([]gateway.Event{received(store, 1, "http://a.example/")})
		time.Sleep(answerTimeout + time.Second)
		stop()
		if got := store.recorded(); len(got) != 1 || got[0].Done || got[0].Latency != 0 || got[0].DueAtMicro == 0 {
			t.Errorf("recorded %+v", got)
		}
	})
}

// TestStopWhileTaking: what the stop cuts off, or keeps from being taken, is not recorded, and so it is told again after the next start.
func TestStopWhileTaking(t *testing.T) {
	for _, patience := range []time.Duration{stopGrace / 2, 2 * stopGrace} {
		synctest.Test(t, func(t *testing.T) {
			store := newMemory(t)
			w := newWorker(store, says{200, "", ""})
			w.Answered = func(ctx context.Context, _ *gateway.Event, _ string, _ []byte) (string, error) {
				if !sleep(ctx, patience) {
					return "", ctx.Err()
				}
				return "", errors.New("the server is stopping")
			}
			stop := begin(t, w)
			w.Told([]gateway.Event{received(store, 1, "http://a.example/")})
			synctest.Wait()
			stop()
			if got := store.recorded(); len(got) != 0 || store.unsettled() != 1 {
				t.Errorf("recorded %+v", got)
			}
		})
	}
}
