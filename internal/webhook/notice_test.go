package webhook

import (
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
)

// notice stores what an account is told of a registration, and gives it as Told would hear of it.
func (s *memory) notice(registration, url string) gateway.Event {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last++
	n := gateway.Notice{Account: "MA000000000000000000", Registration: registration, Callback: gateway.Callback{URL: url, Method: "POST"}}
	e := n.Event(s.last, time.Now())
	s.rows[e.ID] = &row{event: e}
	s.fresh[endpointOf(&e)] = append(s.fresh[endpointOf(&e)], e.ID)
	s.open[endpointOf(&e)]++
	return e
}

// TestNotices: what is told of registrations is posted like events of messages, from a lane beside theirs: hinted at, tried again on the schedule, and found
// in the store after a restart.
func TestNotices(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const url = "http://a.example/cb"
		store := newMemory(t)
		r := newReceiver(func(_ *http.Request, p seen) (int, error) {
			if p.event == 2 && p.attempt == 0 {
				return 500, nil
			}
			return 200, nil
		})
		w := newWorker(store, r)
		stop := begin(t, w)
		start := time.Now()
		w.Told([]gateway.Event{store.add(message(1, url), 1), store.notice("B000001", url)})
		synctest.Wait()
		if n := w.Stats().Endpoints; n != 2 {
			t.Errorf("%d endpoints, want one of messages and one of notices", n)
		}
		time.Sleep(90 * time.Second)
		stop()
		last := store.notice("B000001", url)
		stop = begin(t, newWorker(store, r))
		time.Sleep(time.Second)
		stop()
		var got []string
		for _, p := range r.all()[2:] {
			got = append(got, fmt.Sprint(p.event, " ", p.attempt, " ", p.at.Sub(start)))
		}
		if want := fmt.Sprintf("[2 1 1m0s %d 0 1m30s]", last.ID); fmt.Sprint(got) != want || store.unsettled() != 0 {
			t.Errorf("posted %v, want %s; %d are open", got, want, store.unsettled())
		}
	})
}

// TestNoticesOfARegistrationKeepTheirOrder: one waits for the first attempt of the one before it at the same address, and for no other's.
func TestNoticesOfARegistrationKeepTheirOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, r := newMemory(t), newReceiver(after(500*time.Millisecond, 200))
		w := newWorker(store, r)
		stop := begin(t, w)
		start := time.Now()
		w.Told([]gateway.Event{
			store.notice("B000001", "http://a.example/"), store.notice("B000001", "http://a.example/"), store.notice("B000002", "http://a.example/"),
			store.notice("B000001", "http://a.example/other"),
		})
		time.Sleep(5 * time.Second)
		stop()
		at := map[int64]time.Duration{}
		for _, p := range r.all() {
			at[p.event] = p.at.Sub(start)
		}
		if want := (map[int64]time.Duration{1: 0, 2: 500 * time.Millisecond, 3: 0, 4: 0}); fmt.Sprint(at) != fmt.Sprint(want) {
			t.Errorf("posted at %v, want %v", at, want)
		}
	})
}
