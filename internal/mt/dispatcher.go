package mt

import (
	"context"
	"log/slog"
	"math"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
	"github.com/heliograph/heliograph/internal/groupcommit"
)

// Dispatcher hands queued messages to their carriers, each sender at its rate, in order. Set its fields and add the carriers before
// Run.
type Dispatcher struct {
	Store Store
	Now   func() time.Time
	Log   *slog.Logger
	// Told hears of the events of a commit: a hint, the store is the truth.
	Told func([]gateway.Event)

	lines map[string]*line // fixed before Run and Accept

	Calendar gateway.Calendar // in which daily caps are counted

	mu        sync.Mutex
	senders   map[string]*sender
	campaigns map[string]*scope
	accounts  map[gateway.AccountID]*scope
	lanes     map[gateway.LaneKey]*lane
	flying    map[int64]struct{} // messages in flight or not recorded, by Seq
	inHand    map[partKey]*pendingRecord
	turn      int64
	toFill    []*lane                      // lanes waiting to be read on
	toRaise   []*scope                     // whose cap is used up as far as the disk knows
	astray    []*lane                      // lanes whose messages may need other senders
	storing   int64                        // Seq of the first message being stored: from there on, rows of the store come by Offer; math.MaxInt64: none
	pools     map[gateway.ID]*gateway.Pool // of the roster, by powerpack
	codes     callingCodes                 // of the roster
	health    *gateway.Health
	clocks    map[string]int64
	used      map[usageKey]gateway.Usage // of daily caps, as the store had it at the start
	last      map[string]gateway.Trace   // after a stop that was not clean: what was sent lately, by sender; nil: not known
	lastOfAll gateway.Trace              // the same of all senders together
	optedOut  map[pairKey]int64          // who opted out lately of what, and when that was noted, Unix nanoseconds
	pruneAt   time.Time                  // when it is next looked through
	dayEnd    int64                      // when the day ends that caps are counted for
	upTurn    int64                      // counts up when a carrier goes down or comes back
	floor     int64                      // after a stop that was not clean: when senders of unknown past may have been busy until
	stopping  bool

	fillWake   chan struct{}
	strandWake chan struct{}
	raiseWake  chan struct{}
	dueWake    chan struct{}
	records    *groupcommit.Group[*pendingRecord, gateway.Applied]
	quit       chan struct{} // closed when a stop waits no longer for outcomes to be written

	counting, reading, refreshing, raising, repicking, expiring, retrying, recording trouble // each of the goroutine that does it
}

// NewDispatcher makes a dispatcher without carriers.
func NewDispatcher(store Store, now func() time.Time, log *slog.Logger) *Dispatcher {
	d := &Dispatcher{
		Store: store, Now: now, Log: log, Told: func([]gateway.Event) {},
		lines: map[string]*line{}, senders: map[string]*sender{}, lanes: map[gateway.LaneKey]*lane{},
		health: gateway.NewHealth(gateway.DefaultHealthRules()), campaigns: map[string]*scope{}, accounts: map[gateway.AccountID]*scope{},
		flying: map[int64]struct{}{}, inHand: map[partKey]*pendingRecord{},
		storing: math.MaxInt64, fillWake: make(chan struct{}, 1), strandWake: make(chan struct{}, 1), raiseWake: make(chan struct{}, 1), dueWake: make(chan struct{}, 1), quit: make(chan struct{}),
	}
	d.records = groupcommit.New(groupcommit.Config{MaxBatch: recordBatch, MaxWaiting: recordWaiting}, d.commitRecords)
	return d
}

// AddCarrier makes a carrier known under its name. The nudge it returns is for the carrier to call when Places grew.
func (d *Dispatcher) AddCarrier(name string, carrier Carrier, settings CarrierSettings) (nudge func()) {
	l := &line{
		name: name, carrier: carrier, CarrierSettings: settings, wake: make(chan struct{}, 1), gates: map[gateKey]*gate{},
		retries: map[int64]struct{}{}, doubts: map[int64]struct{}{},
	}
	l.pace.limit = gateway.Limit{Rate: settings.Rate}
	d.lines[name] = l
	return l.nudge
}

// Bounds of how long a stop waits for the answers to submits in hand and for their record, and then for the clocks to be kept.
const (
	stopGrace = 5 * time.Second
	saveGrace = 2 * time.Second
)

// Run dispatches what Service.Load found and what Offer brings until ctx ends; then it takes no more messages out, waits for the submits in
// hand, records them and keeps the senders' clocks. It returns when all it started has ended. It runs once.
func (d *Dispatcher) Run(ctx context.Context) error {
	working, cancel := context.WithCancel(context.WithoutCancel(ctx)) // outlives ctx until what is in hand is done
	defer cancel()
	var serving, writing sync.WaitGroup
	for _, l := range d.lines {
		serving.Go(func() { d.serve(ctx, l) })
	}
	serving.Go(func() { d.fillLoop(ctx) })
	serving.Go(func() { d.raiseLoop(ctx) })
	serving.Go(func() { d.expiryLoop(ctx) })
	serving.Go(func() { d.retryLoop(ctx) })
	writing.Go(func() { _ = d.records.Run(working) })

	<-ctx.Done()
	d.stop()
	serving.Wait()
	d.awaitLanding()
	close(d.quit)
	cancel()
	writing.Wait()
	saving, cancelSaving := context.WithTimeout(context.WithoutCancel(ctx), saveGrace)
	defer cancelSaving()
	return d.Store.SaveClocks(saving, d.busyClocks(), d.usedUp())
}

// stop lets nothing more leave: neither messages nor the further parts of one.
func (d *Dispatcher) stop() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.stopping = true
	for _, l := range d.lines {
		d.breakOff(l, d.Now())
	}
}

// awaitLanding waits until every submit is answered and recorded, or the grace is over. The lines' goroutines have ended: nobody else
// listens to their wake.
func (d *Dispatcher) awaitLanding() {
	deadline := time.NewTimer(stopGrace)
	defer deadline.Stop()
	for _, l := range d.lines {
		for d.inHandOf(l) {
			select {
			case <-l.wake:
			case <-deadline.C:
				d.Log.Warn("stopping with submits that are unanswered or not recorded")
				return
			}
		}
	}
}

func (d *Dispatcher) inHandOf(l *line) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return l.inflight > 0 || l.unrecorded > 0
}

// rebuild makes the lanes anew from the store's index.
func (d *Dispatcher) rebuild(ctx context.Context) error {
	clocks, clean, err := d.Store.TakeClocks(ctx)
	if err != nil {
		return err
	}
	counts, err := d.Store.Lanes(ctx)
	if err != nil {
		return err
	}
	usage, err := d.Store.Usage(ctx)
	if err != nil {
		return err
	}
	var traces map[string]gateway.Trace
	if !clean {
		if traces, err = d.traces(ctx); err != nil {
			return err
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.clocks, d.last, d.lastOfAll = clocks, traces, ofAll(traces)
	d.used = make(map[usageKey]gateway.Usage, len(usage))
	for _, u := range usage {
		d.used[usageKey{u.Kind, u.Name}] = u
	}
	if !clean {
		d.floor = d.Now().UnixNano()
	}
	missing := map[string]int{}
	for _, c := range counts {
		if d.lines[c.Carrier] == nil {
			missing[c.Carrier] += c.Messages
			continue
		}
		d.discover(c)
	}
	for name, messages := range missing {
		d.Log.Warn("messages wait for a carrier that is not configured", "carrier", name, "messages", messages)
	}
	return nil
}

// tracesMost is how many messages are looked at after a crash to find what was sent just before it: some tenths of a second.
const tracesMost = 300_000

// traces finds what was sent just before a crash; nil when that would take too long. A message leaves before its expiry, so one that was accepted longer
// ago than the longest left long ago.
func (d *Dispatcher) traces(ctx context.Context) (map[string]gateway.Trace, error) {
	traces, ok, err := d.Store.Traces(ctx, d.Now().Add(-gateway.DefaultExpiry-time.Minute), tracesMost)
	if err != nil || !ok {
		return nil, err
	}
	return traces, nil
}

// discover makes the lane of messages that wait in the store. Guarded by mu.
func (d *Dispatcher) discover(c gateway.LaneCount) {
	l := d.lane(c.LaneKey)
	l.more = true
	l.count(c.Messages, c.Units)
	d.place(l)
}

// lane finds or makes the lane of a key whose carrier is known.
func (d *Dispatcher) lane(key gateway.LaneKey) *lane {
	l := d.lanes[key]
	if l == nil {
		s := d.sender(key.Sender)
		key.Sender = s.name // the caller's may be a piece of a whole request, which a lane must not keep
		l = &lane{key: key, sender: s, account: d.accountScope(key.Account), line: d.lines[key.Carrier], place: -1}
		l.sender.lanes = append(l.sender.lanes, l)
		l.line.lanes++
		d.lanes[key] = l
		l.enter()
	}
	return l
}

// drop takes a lane that is done out of memory.
func (d *Dispatcher) drop(l *lane) {
	s := l.sender
	l.enqueue(-l.units)
	l.leave()
	s.lanes = slices.DeleteFunc(s.lanes, func(other *lane) bool { return other == l })
	l.line.lanes--
	delete(d.lanes, l.key)
	d.forget(s)
}

// sender finds or makes the sender of a number.
func (d *Dispatcher) sender(number string) *sender {
	s := d.senders[number]
	if s == nil {
		number = strings.Clone(number)
		s = &sender{scope: scope{kind: gateway.SenderScope, name: number}}
		d.senders[number] = s
	}
	return s
}

// forget drops a sender that nothing needs to be remembered of.
func (d *Dispatcher) forget(s *sender) {
	if !s.listed && s.queued == 0 && len(s.lanes) == 0 && s.Free <= d.Now().UnixNano() {
		delete(d.senders, s.name)
	}
}

// reorder moves the sender's lanes in their heaps after its free time changed.
func (d *Dispatcher) reorder(s *sender) {
	for _, l := range s.lanes {
		if l.place < 0 {
			continue
		}
		l.at = l.due()
		l.gate.ready.fix(l.place)
		l.gate.settle()
	}
}

// place puts the lane where it belongs: into the heap while it has messages, out of memory when it is done.
func (d *Dispatcher) place(l *lane) {
	if l.more && !l.filling && (l.waiting == 0 || l.held() > 0 && l.held() <= l.depth()/4 && d.room(l.line) > 0) {
		d.refill(l) // with none waiting, to see that the store has none either
	}
	wanted := (l.held() > 0 || l.more && !l.filling) && !l.astray
	switch {
	case wanted:
		l.at = l.due()
		if l.place < 0 {
			l.gate.ready.push(l)
		} else {
			l.gate.ready.fix(l.place)
		}
		l.gate.settle()
	case l.place >= 0:
		l.gate.ready.remove(l)
		l.gate.settle()
	}
	if !wanted && !l.filling && !l.astray && l.busy == 0 {
		d.drop(l)
	}
}

// take pops the lane's next message, and counts it out.
func (d *Dispatcher) take(l *lane) *gateway.Message {
	m := l.pop()
	if m != nil {
		l.line.buffered--
		l.uncount(m)
	}
	return m
}

// room is how many more rows the carrier's share of memory has room for.
func (d *Dispatcher) room(l *line) int { return totalRows/len(d.lines) - l.buffered }

// Offer queues messages that were just stored, in the order in which they were stored; none is being stored any more.
func (d *Dispatcher) Offer(messages []*gateway.Message) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.storing = math.MaxInt64
	for _, m := range messages {
		l := d.lane(m.Lane())
		if l.push(m, d.room(l.line) > 0) {
			l.line.buffered++
		}
		d.place(l)
	}
}

// Return queues a message that was held and that an operator released: the store has it among the queued ones again.
func (d *Dispatcher) Return(m *gateway.Message) {
	if d.lines[m.Carrier] == nil {
		return // waits in the store for its carrier to be configured
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	l, seq := d.lane(m.Lane()), m.ID.Seq()
	if seq > l.after && l.more { // the store will be read there anyway
		l.missed = l.filling
		l.count(1, m.Units)
		d.place(l)
		return
	}
	if !l.more { // all that the store has is known: it is not read again up to here
		l.after = max(l.after, seq)
	}
	d.comeBack(m)
}

// comeBack puts a message that was out of the queue into its lane's memory.
func (d *Dispatcher) comeBack(m *gateway.Message) bool {
	l := d.lane(m.Lane())
	_, flying := d.flying[m.ID.Seq()]
	back := !flying && l.insert(m)
	if back {
		l.line.buffered++
		l.count(1, m.Units)
	}
	d.place(l)
	return back
}

// setAside counts units of a message that is being stored into the queues of all that it will wait for, or out of them when there are fewer
// than none. Guarded by mu.
func (d *Dispatcher) setAside(s *sender, account gateway.AccountID, units int) {
	s.enqueue(units)
	d.accountScope(account).queued += units
}

// unfly notes that a message is neither in flight nor to be recorded any more. The lane is nil when it has none.
func (d *Dispatcher) unfly(l *lane, seq int64) {
	delete(d.flying, seq)
	if l != nil && l.filling && seq > l.after {
		l.flown = append(l.flown, seq)
	}
}

// condition is what may be expected of a carrier now. Guarded by mu.
func (d *Dispatcher) condition(carrier string) gateway.Condition {
	switch l := d.lines[carrier]; {
	case l == nil:
		return gateway.Missing
	case l.paused || l.carrier.Places() <= 0:
		return gateway.Down
	}
	return gateway.Up
}

// conditionFor is how the carrier is by which messages of a service go from numbers that are bound to a carrier. Guarded by mu.
func (d *Dispatcher) conditionFor(carrier string, service gateway.Service) gateway.Condition {
	host := d.host(carrier, service)
	if l := d.lines[host]; l != nil && !l.carries(service) {
		return gateway.Missing
	}
	return d.condition(host)
}

// outside is what a choice made now for a message of some units asks about besides its pool. Guarded by mu.
func (d *Dispatcher) outside(now int64, units int, service gateway.Service) gateway.Outside {
	return gateway.Outside{
		Condition: func(carrier string) gateway.Condition { return d.conditionFor(carrier, service) },
		Campaign:  func(id string) int64 { return d.campaigns[id].freeFor(now, units) },
	}
}

// Pause stops submitting to a carrier until Resume; nothing is lost or rewritten.
func (d *Dispatcher) Pause(carrier string) error { return d.setPaused(carrier, true) }

// Resume lets a paused carrier go on, each lane at its rate.
func (d *Dispatcher) Resume(carrier string) error { return d.setPaused(carrier, false) }

func (d *Dispatcher) setPaused(carrier string, paused bool) error {
	l := d.lines[carrier]
	if l == nil {
		return gateway.Errorf(gateway.NotFound, "there is no carrier %q", carrier)
	}
	d.mu.Lock()
	l.paused = paused
	d.mu.Unlock()
	l.nudge()
	return nil
}

// busyClocks are the senders, campaigns and accounts that are not free yet.
func (d *Dispatcher) busyClocks() map[string]int64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := d.Now().UnixNano()
	clocks := map[string]int64{}
	for s := range d.scopes() {
		if s.Free > now {
			clocks[s.clock()] = s.Free
		}
	}
	return clocks
}
