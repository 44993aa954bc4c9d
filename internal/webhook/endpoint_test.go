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

// known makes an endpoint of an account in memory.
func known(w *Worker, account gateway.AccountID, url string) *endpoint {
	m := message(1, url)
	m.Account = account
	return w.endpointOf(&gateway.Event{Message: m})
}

func TestEndpointsInMemoryAreBounded(t *testing.T) {
	store := newMemory(t)
	w := newWorker(store, newReceiver(hang))
	w.running, w.posters = true, mostPosters // none is started
	for n := 1; ; n++ {                      // accounts with ever more endpoints than they get
		mine := 0
		account := gateway.AccountID(fmt.Sprintf("MA%018d", n))
		for ; mine < mostEndpoints; mine++ {
			ep := known(w, account, fmt.Sprintf("http://a%d.example/", mine))
			if ep == nil {
				break
			}
			ep.more = true
		}
		if n == 1 && mine != mostEndpoints/2 {
			t.Fatalf("the first account has %d endpoints in memory", mine)
		}
		if n <= 10 && mine < 800 {
			t.Errorf("account %d finds place for %d", n, mine)
		}
		if mine == 0 {
			break
		}
	}
	e := store.add(message(1, "http://one.too.many.example/"), 1)
	w.Told([]gateway.Event{e})
	if len(w.held) != 0 || len(w.endpoints) != mostEndpoints {
		t.Fatalf("%d events and %d endpoints in memory", len(w.held), len(w.endpoints))
	}
	for range 2 { // it is read, and has no place, until there is one
		if again := w.recount(t.Context(), false); again < recountSoon {
			t.Errorf("looked for again after %v", again)
		}
		if w.readNext(t.Context()); w.endpoints[endpointOf(&e)] != nil || !w.takeRefused() || w.strangers.endpoints != 0 {
			t.Fatal("the endpoint of an account that has no place is in memory")
		}
	}
	for _, ep := range w.endpoints {
		w.forget(ep)
		break
	}
	w.recount(t.Context(), false)
	for w.readNext(t.Context()) {
	}
	if len(w.held) != 1 || w.endpoints[endpointOf(&e)].host == nil {
		t.Errorf("%d events are held when there is a place", len(w.held))
	}
}

// TestStrangersAreBounded: after a start the store names more endpoints than are looked through at a time; each has its turn.
func TestStrangersAreBounded(t *testing.T) {
	store := newMemory(t)
	w := newWorker(store, newReceiver(hang))
	w.running, w.posters = true, mostPosters // none is started
	const endpoints = mostStrangers + 10
	for n := range endpoints {
		m := message(n, fmt.Sprintf("http://a.example/%d", n))
		m.Account = gateway.AccountID(fmt.Sprintf("MA%018d", n%100))
		store.add(m, 1)
	}
	for _, want := range []int{mostStrangers, endpoints} {
		again := w.recount(t.Context(), false)
		if overflow := want < endpoints; overflow != (again < recountEvery/2) || w.strangers.endpoints > mostStrangers {
			t.Errorf("again after %v, %d strangers", again, w.strangers.endpoints)
		}
		for w.readNext(t.Context()) {
		}
		if n := len(w.endpoints); n != want || w.strangers.endpoints != 0 {
			t.Errorf("%d endpoints after a recount, want %d; %d strangers", n, want, w.strangers.endpoints)
		}
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
		time.Sleep(forgetAfter)
		w.mu.Lock()
		defer w.mu.Unlock()
		if len(w.accounts) != 0 || w.hosts != 0 {
			t.Errorf("%d accounts and %d hosts are remembered", len(w.accounts), w.hosts)
		}
	})
}

func TestIdleEndpointsAreBounded(t *testing.T) {
	w := newWorker(newMemory(t), newReceiver(hang))
	for n := range mostIdle + 500 {
		w.place(known(w, "MA000000000000000000", fmt.Sprintf("http://a%d.example/", n)))
	}
	if n := len(w.endpoints); n != mostIdle || w.hosts != mostIdle {
		t.Errorf("%d idle endpoints and %d hosts are remembered", n, w.hosts)
	}
	for n := range 2 * mostIdleOfOne { // another account's are still remembered, as far as they are few
		w.place(known(w, "MA000000000000000001", fmt.Sprintf("http://a.example/%d", n)))
	}
	if n := len(w.endpoints); n != mostIdle+mostIdleOfOne {
		t.Errorf("%d idle endpoints of two accounts are remembered", n)
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
		class     class
		all, mine int // events that wait, in parts of a half of the class's
		want      int
	}{
		{proven, 0, 0, mostEvents},
		{unproven, 0, 0, mostEvents},
		{failing, 0, 0, failedEvents},
		{proven, 1, 1, fewEvents},
		{unproven, 1, 1, fewEvents},
		{failing, 1, 1, 1},
		{proven, 1, 0, mostEvents}, // the half is another account's
		{failing, 1, 0, failedEvents},
		{proven, 2, 0, fewEvents},
		{proven, 2, 2, 1},
		{unproven, 2, 2, 1},
	} {
		w := newWorker(newMemory(t), newReceiver(hang))
		ep := known(w, "MA000000000000000000", "http://a.example/")
		ep.lane.class = c.class
		w.waiting[c.class] = c.all * c.class.events() / 2
		ep.host.account.waiting[c.class] = c.mine * c.class.events() / 2
		if got := w.room(ep); got != c.want {
			t.Errorf("class %d, %d halves wait, %d of the account's: %d", c.class, c.all, c.mine, got)
		}
	}
	if got := newWorker(newMemory(t), nil).room(&endpoint{}); got != fewEvents {
		t.Errorf("a stranger: %d", got)
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
		ep := w.stranger(int64(id + 1))
		for range more {
			ep.fresh.push(&item{ep: ep})
		}
		ep.own.bad = id == 4
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
					return
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
	ep := known(w, "MA000000000000000000", "http://a.example/")
	for id := range int64(4) {
		w.addFresh(ep, &gateway.Event{ID: id + 1, Message: message(int(id), "http://a.example/")})
	}
	ep.own.bad, ep.own.heard = true, true
	w.used[failing] = failing.posts()
	w.place(ep)
	w.running, w.posters = true, mostPosters // none is started
	if it := w.next(); it != nil {
		t.Fatalf("event %d leaves beyond the bound of failing endpoints", it.event.ID)
	}
	ep.own.bad = false
	w.place(ep)
	if it := w.next(); it == nil || it.event.ID != 1 || w.used[proven] != 1 {
		t.Fatalf("the endpoint is well, and %+v leaves", it)
	}
	w.used[failing] = 0
	if it := w.nextOf(failing); it != nil {
		t.Errorf("event %d leaves with the posts of failing endpoints", it.event.ID)
	}
}

// TestReadingGoesByAccounts: an endpoint is not read on after a thousand of another account.
func TestReadingGoesByAccounts(t *testing.T) {
	w := newWorker(newMemory(t), newReceiver(hang))
	for n := range 1000 {
		ep := known(w, "MA000000000000000001", fmt.Sprintf("http://a%d.example/", n))
		ep.behind()
		w.place(ep)
	}
	ep := known(w, "MA000000000000000002", "http://a.example/")
	ep.behind()
	w.place(ep)
	for n := range 1001 {
		p, ok := w.beginRead()
		if !ok || n == 1 && p.ep != ep {
			t.Fatalf("read %d is of %+v", n, p.ep)
		}
	}
	if _, ok := w.beginRead(); ok {
		t.Error("an endpoint is read twice")
	}
}
