package webhook

import (
	"context"
	"fmt"
	"net/http"
	"sort"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/heliograph/heliograph/internal/gateway"
)

func TestEndpointsInMemoryAreBounded(t *testing.T) {
	store := newMemory(t)
	w := newWorker(store, newReceiver(hang))
	w.running = true
	for id := range int64(mostEndpoints) {
		w.endpoint(id + 1).more = true
	}
	e := store.add(message(1, "http://one.too.many.example/"), 1)
	w.Told([]gateway.Event{e})
	if len(w.held) != 0 || len(w.endpoints) != mostEndpoints {
		t.Fatalf("%d events and %d endpoints in memory", len(w.held), len(w.endpoints))
	}
	if again := w.recount(t.Context(), false); again > recountSoon {
		t.Errorf("what had no place is looked for again only after %v", again)
	}
	w.forget(w.endpoints[1])
	w.recount(t.Context(), false)
	if ep := w.endpoints[endpointOf(&e)]; ep == nil || !ep.more || !ep.listed {
		t.Errorf("the endpoint that found a place: %+v", ep)
	}
}

func TestIdleEndpointsAreForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newMemory(t)
		w := newWorker(store, newReceiver(after(time.Millisecond, 200)))
		stop := begin(t, w)
		defer stop()
		for n := range 20 {
			w.Told([]gateway.Event{store.add(message(n, fmt.Sprintf("http://a%d.example/", n)), 1)})
		}
		time.Sleep(time.Minute)
		if n := w.Stats().Endpoints; n != 20 || store.unsettled() != 0 {
			t.Errorf("%d idle endpoints are remembered; %d not settled", n, store.unsettled())
		}
		time.Sleep(forgetAfter)
		if n := w.Stats().Endpoints; n != 0 {
			t.Errorf("%d idle endpoints are remembered after a while", n)
		}
	})
}

func TestIdleEndpointsAreBounded(t *testing.T) {
	w := newWorker(newMemory(t), newReceiver(hang))
	for id := range int64(mostIdle + 500) {
		w.place(w.endpoint(id + 1))
	}
	if n := len(w.endpoints); n != mostIdle {
		t.Errorf("%d idle endpoints are remembered", n)
	}
}

// TestForgottenEndpointBelievesNoOldHint: what was learnt of how far the store was read outlives the endpoint.
func TestForgottenEndpointBelievesNoOldHint(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, r := newMemory(t), newReceiver(after(time.Millisecond, 200))
		e := store.add(message(1, "http://a.example/"), 1)
		w := newWorker(store, r)
		stop := begin(t, w)
		time.Sleep(2 * forgetAfter)
		w.Told([]gateway.Event{e})
		time.Sleep(time.Minute)
		stop()
		if n := len(r.all()); n != 1 {
			t.Errorf("%d posts", n)
		}
	})
}

func TestRoom(t *testing.T) {
	for _, c := range []struct {
		class class
		full  bool
		want  int
	}{
		{proven, false, mostEvents},
		{unproven, false, mostEvents},
		{failing, false, failedEvents},
		{proven, true, fewEvents},
		{unproven, true, fewEvents},
		{failing, true, 1},
	} {
		w := newWorker(newMemory(t), newReceiver(hang))
		if c.full {
			w.waiting[c.class] = c.class.events()
		}
		if got := w.room(&endpoint{class: c.class}); got != c.want {
			t.Errorf("class %d, full %t: %d", c.class, c.full, got)
		}
	}
}

// TestManyFailingEndpointsCostLittleMemory: each has far more to tell than memory holds of all.
func TestManyFailingEndpointsCostLittleMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newMemory(t)
		w := newWorker(store, newReceiver(func(*http.Request, seen) (int, error) { return 500, nil }))
		stop := begin(t, w)
		const endpoints, each = 200, 60
		for n := range endpoints * each {
			w.Told([]gateway.Event{store.add(message(n, fmt.Sprintf("http://a%d.example/", n%endpoints)), 1)})
		}
		bound := failing.events() + unproven.events() + 2*endpoints*failedEvents
		for range 20 {
			time.Sleep(30 * time.Second)
			if n := w.Stats().Waiting; n > bound {
				t.Errorf("%d events in memory", n)
			}
		}
		stop()
		if store.unsettled() != 0 {
			t.Errorf("%d not settled", store.unsettled())
		}
	})
}

func TestEndpointStates(t *testing.T) {
	w := newWorker(newMemory(t), newReceiver(hang))
	for id, more := range []int{0, 3, 7, 7, 0} {
		ep := w.endpoint(int64(id + 1))
		for range more {
			ep.fresh.push(&item{ep: ep})
		}
		ep.bad = id == 4
	}
	var order []int64
	for _, s := range w.Endpoints(4) {
		order = append(order, s.Endpoint)
	}
	if fmt.Sprint(order) != "[5 3 4 2]" {
		t.Errorf("order %v", order)
	}
}

func TestDues(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		dues := rapid.SliceOf(rapid.Int64Range(1, 30_000_000)).Draw(t, "dues")
		var ep endpoint
		for _, due := range dues {
			ep.addDue(due)
		}
		if len(ep.dues) > 31 || !sort.SliceIsSorted(ep.dues, func(i, j int) bool { return ep.dues[i] < ep.dues[j] }) {
			t.Fatalf("kept %v", ep.dues)
		}
		for _, due := range dues { // each has fallen due once the second it lies in is over, and none before its time
			i := sort.Search(len(ep.dues), func(i int) bool { return ep.dues[i] >= due })
			if i == len(ep.dues) || ep.dues[i]/dueGrain != due/dueGrain {
				t.Fatalf("%d is not among %v", due, ep.dues)
			}
		}
		now := rapid.Int64Range(0, 31_000_000).Draw(t, "now")
		kept := append([]int64(nil), ep.dues...)
		next := ep.fallDue(now)
		fell := sort.Search(len(kept), func(i int) bool { return kept[i] > now })
		if ep.retryDue != (fell > 0) || len(ep.dues) != len(kept)-fell || next != append(kept[fell:], 0)[0] {
			t.Fatalf("at %d of %v: due %t, %v stay, next %d", now, kept, ep.retryDue, ep.dues, next)
		}
	})
}

func TestQueue(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var q queue[int]
		var model []int
		less := func(a, b int) bool { return a < b }
		t.Repeat(map[string]func(*rapid.T){
			"insert": func(t *rapid.T) {
				v := rapid.IntRange(0, 1000).Draw(t, "v")
				q.insert(v, less)
				model = append(model, v)
				sort.Ints(model)
			},
			"pop": func(t *rapid.T) {
				if len(model) == 0 {
					t.Skip()
				}
				if got := q.pop(); got != model[0] {
					t.Fatalf("popped %d of %v", got, model)
				}
				model = model[1:]
			},
			"cut": func(t *rapid.T) {
				n := rapid.IntRange(0, 20).Draw(t, "n")
				rest := q.cut(n)
				at := min(n, len(model))
				if fmt.Sprint(rest) != fmt.Sprint(model[at:]) {
					t.Fatalf("cut %v of %v", rest, model)
				}
				model = model[:at:at]
			},
			"": func(t *rapid.T) {
				if q.len() != len(model) || fmt.Sprint(q.list[q.head:]) != fmt.Sprint(model) {
					t.Fatalf("%v, want %v", q.list[q.head:], model)
				}
			},
		})
	})
}

func TestRenderThatWaitsForTheStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newMemory(t)
		w := newWorker(store, newReceiver(hang))
		w.Render = func(ctx context.Context, _ *gateway.Event) (*http.Request, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}
		stop := begin(t, w)
		w.Told([]gateway.Event{store.add(message(1, "http://a.example/"), 1)})
		time.Sleep(time.Second)
		stop()
		if a := store.recorded(); len(a) != 0 {
			t.Errorf("recorded %+v of a rendering that was cut off", a)
		}
	})
}

// TestEndpointThatIsWellWaitsForNoFailingOne: it leaves the line of its old class, whose posts are all out, at once and for good.
func TestEndpointThatIsWellWaitsForNoFailingOne(t *testing.T) {
	w := newWorker(newMemory(t), newReceiver(hang))
	ep := w.endpoint(1)
	ep.bad, ep.heard = true, true
	w.place(ep)
	for id := range int64(4) {
		w.addFresh(ep, &gateway.Event{ID: id + 1, Message: message(int(id), "http://a.example/")})
	}
	w.used[failing] = failing.posts()
	w.place(ep)
	w.running = true
	if it := w.next(); it != nil {
		t.Fatalf("event %d leaves beyond the bound of failing endpoints", it.event.ID)
	}
	ep.bad = false
	w.place(ep)
	if it := w.next(); it == nil || it.event.ID != 1 || w.used[proven] != 1 {
		t.Fatalf("the endpoint is well, and %+v leaves", it)
	}
	w.used[failing] = 0
	if it := w.nextOf(failing); it != nil {
		t.Errorf("event %d leaves with the posts of failing endpoints", it.event.ID)
	}
}
