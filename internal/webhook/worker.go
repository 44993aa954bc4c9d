package webhook

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
	"github.com/heliograph/heliograph/internal/groupcommit"
)

// Config is what a Worker works with. All fields but Answered and Observe must be set.
type Config struct {
	Store Store
	// Client makes the requests. It follows no redirects.
	Client *http.Client
	// Render makes the request that tells an event, signed, anew for each attempt. An error gives the event up, unless it
	// is a gateway.Error of code Unavailable: that counts as an attempt.
	Render func(ctx context.Context, e *gateway.Event) (*http.Request, error)
	// Answered, when set, takes what an application said when it was told of a message from a handset: body has at most AnswerOctets, and one more if
	// there was more. An error means that it cannot be taken now: the message is told again, and so it may come twice. The note, about what was wrong with
	// the answer, is kept with the message. It is called beside other posts, and should be quick.
	Answered func(ctx context.Context, e *gateway.Event, contentType string, body []byte) (note string, err error)
	Now      func() time.Time
	Log      *slog.Logger
	// Observe, when set, hears how long each attempt took and whether it told the event. It must not block.
	Observe func(latency time.Duration, told bool)
}

// Worker posts events. Run must be running for anything to happen; it runs once.
type Worker struct {
	Config

	mu          sync.Mutex
	running     bool // Run has begun, and its end has not
	endpoints   map[int64]*endpoint
	accounts    map[gateway.AccountID]*account
	strangers   *account             // of no ID: endpoints whose account is not known yet
	hosts       int                  // of all accounts
	held        map[int64]*item      // every event in memory, by ID
	firsts      map[gateway.ID]*item // the event of a message whose first attempt is being made
	ready       [classes]queue[*account]
	used        [classes]int // posts in flight
	waiting     [classes]int // events waiting in memory
	toRead      queue[*account]
	recountFrom int64 // endpoint from which the next recount looks for some that memory does not know
	refused     bool  // an endpoint was read that found no place
	forgotten   int64 // greatest `seen` of the endpoints that were forgotten
	unrecorded  int
	posters     int  // goroutines that post
	asleep      int  // of them
	roused      bool // one is on its way to look for work
	readFailed  bool
	writeFailed bool
	counts      Stats // what is a level is filled in when asked for

	wake     *sync.Cond    // of mu: there may be something to post
	readWake chan struct{} // of capacity 1: toRead has something

	// Set by Run before anything uses them.
	posting context.Context // of the posts; ends when the grace at the stop is over
	group   sync.WaitGroup  // the posters
	records *groupcommit.Group[*item, struct{}]
}

// New makes a worker.
func New(cfg Config) *Worker {
	w := &Worker{
		Config: cfg, endpoints: map[int64]*endpoint{}, accounts: map[gateway.AccountID]*account{}, strangers: &account{},
		held: map[int64]*item{}, firsts: map[gateway.ID]*item{},
		readWake: make(chan struct{}, 1),
	}
	w.wake = sync.NewCond(&w.mu)
	return w
}

// stopGrace bounds how long a stop waits for posts in flight; writeGrace, how long then for a store that cannot write what became of them.
const (
	stopGrace  = 3 * time.Second
	writeGrace = time.Second
)

// Run posts until ctx ends; then it takes no more events, gives the posts in flight a few seconds, records what became of them and
// returns when all it started has ended. A post that is cut off is not recorded: it is made again after the next start.
func (w *Worker) Run(ctx context.Context) error {
	working := context.WithoutCancel(ctx)
	posting, cutOff := context.WithCancel(working)
	defer cutOff()
	recording, endRecording := context.WithCancel(working)
	defer endRecording()
	writing, stopWriting := context.WithCancel(working)
	defer stopWriting()

	w.start(posting, recording)
	var serving, recorder sync.WaitGroup
	serving.Go(func() { w.readLoop(ctx) })
	serving.Go(func() { w.watchLoop(ctx) })
	recorder.Go(func() { _ = w.records.Run(writing) })

	<-ctx.Done()
	w.stop()
	serving.Wait()
	cutting := time.AfterFunc(stopGrace, cutOff)
	w.group.Wait()
	cutting.Stop()
	stopWriting()
	ending := time.AfterFunc(writeGrace, endRecording)
	recorder.Wait()
	ending.Stop()
	return nil
}

func (w *Worker) start(posting, recording context.Context) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.posting = posting
	w.records = groupcommit.New(groupcommit.Config{MaxBatch: recordBatch, MaxWaiting: mostUnrecorded + mostPosters},
		func(_ context.Context, batch []*item) []groupcommit.Result[struct{}] {
			return w.commit(recording, batch)
		})
	w.running = true
}

func (w *Worker) stop() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.running = false
	w.asleep = 0
	w.wake.Broadcast()
}

// Told hears of events that were just committed. It is a hint: what it does not keep is read from the store. It never waits for
// anything but a short lock.
func (w *Worker) Told(events []gateway.Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.running { // Run begins with looking into the store
		return
	}
	for i := range events {
		w.offer(&events[i])
	}
	w.rouse()
}

// offer takes an event up if memory holds the whole queue of its endpoint and has room; else the store is read in time.
//
// Commits of different kinds tell of their events independently, so an event may come after a later one, and after the store was read
// and gave it already. While it is in memory it is recognised by its ID. When it is not, and the store was never read as far as
// its ID, it is new, for then nothing but this call can have brought it. In between only the store knows, and it is asked.
func (w *Worker) offer(e *gateway.Event) {
	if e.ID == 0 || e.Callback().URL == "" || w.held[e.ID] != nil {
		return
	}
	ep := w.endpointOf(e)
	if ep == nil { // found when memory is held against the store
		return
	}
	switch {
	case ep.reading && len(ep.arrived) < mostArrived:
		ep.arrived = append(ep.arrived, *e) // the read may have begun before its commit
	case ep.reading:
		ep.missed = true
	case !ep.more:
		w.admit(ep, e, ep.seen)
	}
	w.place(ep)
}

// admit adds an event that Told brought, unless the store has to be asked.
func (w *Worker) admit(ep *endpoint, e *gateway.Event, seen int64) {
	if _, settled := ep.settled[e.ID]; settled || w.held[e.ID] != nil {
		return
	}
	if e.ID <= seen || ep.fresh.len() >= w.room(ep) {
		ep.behind()
		return
	}
	w.addFresh(ep, e)
}

func (w *Worker) addFresh(ep *endpoint, e *gateway.Event) {
	it := &item{event: *e, ep: ep}
	w.held[e.ID] = it
	ep.heldFresh++
	w.queueFresh(it)
}

func (w *Worker) queueFresh(it *item) {
	it.ep.fresh.insert(it, earlier)
	w.wait(it.ep, 1)
}

func (w *Worker) addRetry(ep *endpoint, e *gateway.Event) {
	it := &item{event: *e, ep: ep}
	w.held[e.ID] = it
	ep.heldRetries++
	ep.retries.push(it)
	w.wait(ep, 1)
}

// release lets go of an event: memory does not answer for it any more.
func (w *Worker) release(it *item) {
	delete(w.held, it.event.ID)
	if it.first() {
		it.ep.heldFresh--
	} else {
		it.ep.heldRetries--
	}
}

// room is how many events of a kind an endpoint may hold waiting.
func (w *Worker) room(ep *endpoint) int {
	if ep.host == nil { // one is enough to know who it is
		return fewEvents
	}
	c, mine := ep.lane.class, ep.host.account.waiting[ep.lane.class]
	full := allowance(c.events(), w.waiting[c], mine) <= 0
	switch {
	case full && (c == failing || mine >= c.events()):
		return 1
	case c == failing:
		return failedEvents
	case full:
		return fewEvents
	}
	return mostEvents
}

// place puts an endpoint where it belongs after anything about it changed: into its lane, into the line of those that may post, into
// the line of those to be read on, or out of memory.
func (w *Worker) place(ep *endpoint) {
	if ep.host != nil {
		w.enter(ep)
	}
	if !ep.listed && !ep.reading && (w.wantsFresh(ep) || w.wantsRetries(ep)) {
		w.list(ep)
	}
	switch {
	case !ep.idle():
		ep.idleSince = time.Time{}
	case ep.host == nil || w.crowded(len(w.endpoints), ep.host.account.endpoints):
		w.forget(ep)
	case ep.idleSince.IsZero(): // all that it failed to take is told or given up
		ep.idleSince = w.Now()
		ep.host.pardon(ep)
		w.enter(ep)
	}
}

// enter puts an endpoint into its lane, and both into the lines of those that may post. One that fails keeps only a few events in memory.
func (w *Worker) enter(ep *endpoint) {
	if l := ep.home(); l != ep.lane {
		w.move(ep, l)
	}
	if ep.overfull() {
		rest := ep.fresh.cut(failedEvents)
		w.wait(ep, -len(rest))
		for _, it := range rest {
			w.release(it)
		}
		ep.behind()
	}
	if !ep.ready && ep.postable() {
		w.line(ep)
	}
	w.lineLane(ep.lane)
}

// move moves an endpoint with all that it has into another lane.
func (w *Worker) move(ep *endpoint, to *lane) {
	from, n := ep.lane, ep.waiting()
	w.wait(ep, -n)
	ep.lane = to
	w.wait(ep, n)
	if from != &ep.own {
		from.inflight -= ep.own.inflight
	}
	if to != &ep.own {
		to.inflight += ep.own.inflight
	}
	if ep.ready {
		w.line(ep)
	}
	w.lineLane(from)
}

// reclassify moves a lane with all that waits in it into the class that its health puts it into.
func (w *Worker) reclassify(l *lane) {
	c := l.classify()
	if c == l.class {
		return
	}
	w.waiting[l.class] -= l.waiting
	l.account.waiting[l.class] -= l.waiting
	l.class = c
	w.waiting[c] += l.waiting
	l.account.waiting[c] += l.waiting
	l.lined = false // a place in the old line is void
	w.lineLane(l)
}

// list puts an endpoint into the line of its account's to be read on.
func (w *Worker) list(ep *endpoint) {
	ep.listed = true
	a := w.strangers
	if ep.host != nil {
		a = ep.host.account
	}
	a.toRead.push(ep)
	w.listAccount(a)
	select {
	case w.readWake <- struct{}{}:
	default:
	}
}

func (w *Worker) listAccount(a *account) {
	if !a.listed && a.toRead.len() > 0 {
		a.listed = true
		w.toRead.push(a)
	}
}

// watchEvery is how often endpoints are looked at that do not answer.
const watchEvery = 500 * time.Millisecond

// watchLoop looks for retries that have become due and for endpoints that keep their posts waiting, until ctx ends.
func (w *Worker) watchLoop(ctx context.Context) {
	timer := time.NewTimer(watchEvery)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		timer.Reset(w.watch())
	}
}

// watch looks once and says when to look again.
func (w *Worker) watch() time.Duration {
	now := w.Now()
	micro := now.UnixMicro()
	wait := watchEvery
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, ep := range w.endpoints {
		if next := ep.fallDue(micro); next > 0 {
			wait = min(wait, time.Duration(next-micro)*time.Microsecond)
		}
		switch {
		case ep.lane == &ep.own && ep.own.silent(now):
			ep.own.slow = true
			w.place(ep)
		case ep.retryDue, ep.overfull():
			w.place(ep)
		case !ep.idleSince.IsZero() && now.Sub(ep.idleSince) > forgetAfter:
			w.forget(ep)
		}
	}
	for _, a := range w.accounts {
		for _, h := range a.hosts {
			w.watchHost(h, now)
		}
	}
	w.rouse()
	return max(wait, time.Millisecond)
}

func (w *Worker) watchHost(h *host, now time.Time) {
	if l := &h.newcomers; !l.slow && l.silent(now) {
		l.slow = true
		w.reclassify(l)
	}
	if h.endpoints == 0 && now.Sub(h.idleSince) > forgetAfter {
		w.forgetHost(h)
	}
}
