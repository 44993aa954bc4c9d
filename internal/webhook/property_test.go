package webhook

import (
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/heliograph/heliograph/internal/gateway"
)

// move is one step of a plan: what happens to the worker's surroundings.
type move struct {
	kind     string
	n        int
	account  int
	endpoint int
	wait     time.Duration
}

func drawMoves(t *rapid.T) []move {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) move {
		return move{
			kind: rapid.SampledFrom([]string{
				"told", "told", "told", "backwards", "late", "silent", "hidden", "twice", "flood", "restart", "crash", "unwritable", "unreadable", "well",
			}).Draw(t, "kind"),
			n:        rapid.IntRange(1, 40).Draw(t, "n"),
			account:  rapid.IntRange(0, 2).Draw(t, "account"),
			endpoint: rapid.IntRange(0, 5).Draw(t, "endpoint"),
			wait:     time.Duration(rapid.IntRange(0, 3000).Draw(t, "ms")) * time.Millisecond,
		}
	}), 1, 25).Draw(t, "moves")
}

// TestEveryEventEndsOnce: whatever the order in which events are told of and read, whatever fails meanwhile, each is told or given up, is
// recorded once for each attempt, and is not posted again once it was told, but for what a crash cut off.
func TestEveryEventEndsOnce(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		moves := drawMoves(rt)
		failures := rapid.SliceOfN(rapid.IntRange(0, 5), 16, 16).Draw(rt, "failures") // attempts that fail, by event
		var problem error
		synctest.Test(t, func(t *testing.T) { problem = playMoves(t, moves, failures) })
		if problem != nil {
			rt.Fatal(problem)
		}
	})
}

func playMoves(t *testing.T, moves []move, failures []int) error {
	store := newMemory(t)
	r := newReceiver(nil)
	var healed atomic.Bool
	r.answer = func(req *http.Request, p seen) (int, error) {
		if wrong := failures[int(p.event)%len(failures)]; p.attempt < wrong && !healed.Load() {
			switch p.event % 3 {
			case 0:
				return hang(req, p)
			case 1:
				return after(20*time.Millisecond, 500)(req, p)
			}
			return 0, errors.New("connection refused")
		}
		return after(time.Duration(p.event%7)*time.Millisecond, 200)(req, p)
	}
	store.slowRead = func() { time.Sleep(15 * time.Millisecond) }
	g := &game{t: t, store: store, receiver: r}
	g.begin()
	for _, m := range moves {
		g.play(m)
		time.Sleep(m.wait)
	}
	g.play(move{kind: "well"})
	time.Sleep(10 * time.Minute)
	healed.Store(true) // an endpoint that hangs gets an attempt every eight seconds: that would take days
	time.Sleep(10 * time.Minute)
	g.stop()
	return g.verdict()
}

// game is a worker with its surroundings.
type game struct {
	t        *testing.T
	store    *memory
	receiver *receiver
	worker   *Worker
	stop     func()
	messages int
	late     []gateway.Event // stored and not told of yet
	hidden   []gateway.Event
	crashes  int
	restarts int
}

func (g *game) begin() {
	g.worker = newWorker(g.store, g.receiver)
	g.stop = run(g.t, g.worker)
}

// events stores n events, up to three for a message. Two endpoints share a host; accounts share none.
func (g *game) events(m move, n int, hidden bool) []gateway.Event {
	var events []gateway.Event
	for i := range n {
		if i%3 == 0 {
			g.messages++
		}
		msg := message(g.messages, fmt.Sprintf("http://a%d.example/%d", m.endpoint/2, m.endpoint%2))
		msg.Account = gateway.AccountID(fmt.Sprintf("MA%018d", m.account))
		events = append(events, g.store.addHidden(msg, i%3+1, hidden))
	}
	return events
}

func (g *game) play(m move) {
	switch m.kind {
	case "told":
		g.worker.Told(g.events(m, m.n, false))
	case "backwards":
		events := g.events(m, m.n, false)
		for i := range events {
			last := len(events) - 1 - i
			g.worker.Told(events[last : last+1])
		}
	case "flood": // more than memory takes
		g.worker.Told(g.events(m, m.n*100, false))
	case "silent":
		g.events(m, m.n, false)
	case "late":
		g.late = append(g.late, g.events(m, m.n, false)...)
	case "hidden":
		g.hidden = append(g.hidden, g.events(m, m.n, true)...)
	case "twice":
		events := g.events(m, m.n, false)
		g.worker.Told(append(events, events...))
	case "restart":
		g.restarts++
		g.stop()
		g.silence()
		g.begin()
	case "crash": // what is in flight or not written is lost
		g.store.setFaults(true, true)
		g.crashes++
		g.stop()
		g.store.setFaults(false, false)
		g.silence()
		g.begin()
	case "unwritable":
		g.store.setFaults(false, true)
	case "unreadable":
		g.store.setFaults(true, false)
	case "well":
		g.store.setFaults(false, false)
		for _, e := range g.hidden {
			g.store.commit(e.ID)
		}
		g.worker.Told(append(g.late, g.hidden...))
		g.late, g.hidden = nil, nil
	}
}

// silence: hints do not outlive the process that would have given them.
func (g *game) silence() {
	for _, e := range g.hidden {
		g.store.commit(e.ID)
	}
	g.late, g.hidden = nil, nil
}

func (g *game) verdict() error {
	if n := g.store.unsettled(); n > 0 {
		return fmt.Errorf("%d of %d events are neither told nor given up", n, g.store.last)
	}
	if len(g.store.wrong) > 0 {
		return errors.New(g.store.wrong[0])
	}
	records := map[int64]int{}
	for _, a := range g.store.recorded() {
		records[a.Event]++
	}
	posts := map[int64]map[int]int{}
	for _, p := range g.receiver.all() {
		if posts[p.event] == nil {
			posts[p.event] = map[int]int{}
		}
		posts[p.event][p.attempt]++
	}
	for event, attempts := range posts {
		if len(attempts) != records[event] {
			return fmt.Errorf("event %d: %d different attempts posted, %d recorded", event, len(attempts), records[event])
		}
		for attempt, times := range attempts {
			if times > 1+g.stops() {
				return fmt.Errorf("event %d: attempt %d was posted %d times", event, attempt+1, times)
			}
		}
	}
	if s := g.worker.Stats(); s.Waiting+s.InFlight+s.Unrecorded > 0 || len(g.worker.held) > 0 || len(g.worker.firsts) > 0 {
		return fmt.Errorf("left in memory: %+v, %d held", s, len(g.worker.held))
	}
	return g.worker.books()
}

// stops is how often posts may have been cut off.
func (g *game) stops() int { return g.crashes + g.restarts }

// books holds the worker's counts against what they count, when nothing is in memory.
func (w *Worker) books() error {
	if w.used != [classes]int{} || w.waiting != [classes]int{} || w.toRead.len() > 0 || w.strangers.endpoints != 0 {
		return fmt.Errorf("nothing is to be done, and posts %v, events %v, %d accounts to read, %d strangers", w.used, w.waiting, w.toRead.len(), w.strangers.endpoints)
	}
	hosts, endpoints := 0, map[*host]int{}
	for _, ep := range w.endpoints {
		endpoints[ep.host]++
		if ep.own.inflight != 0 || ep.lane.inflight != 0 || ep.lane.waiting != 0 || ep.lane != ep.home() {
			return fmt.Errorf("endpoint %+v", ep)
		}
	}
	for id, a := range w.accounts {
		n := 0
		for key, h := range a.hosts {
			hosts, n = hosts+1, n+h.endpoints
			if h.account != a || h.key != key || h.endpoints != endpoints[h] || h.bads != 0 {
				return fmt.Errorf("host %+v has %d endpoints", h, endpoints[h])
			}
		}
		if a.id != id || a.used != [classes]int{} || a.waiting != [classes]int{} || a.endpoints != n || n == 0 && len(a.hosts) == 0 {
			return fmt.Errorf("account %+v has %d endpoints", a, n)
		}
	}
	if hosts != w.hosts {
		return fmt.Errorf("%d hosts, counted %d", hosts, w.hosts)
	}
	return nil
}
