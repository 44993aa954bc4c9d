package mt

import (
	"context"
	"log/slog"
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

	mu       sync.Mutex
	senders  map[string]*sender
	lanes    map[gateway.LaneKey]*lane
	flying   map[int64]struct{} // messages in flight or not recorded, by Seq
	inHand   map[partKey]*pendingRecord
	turn     int64
	buffered int     // rows in all lanes
	toFill   []*lane // lanes waiting to be read on
	clocks   map[string]int64
	floor    int64 // after a stop that was not clean: when senders of unknown past may have been busy until
	stopping bool

	fillWake chan struct{}
	dueWake  chan struct{}
	records  *groupcommit.Group[*pendingRecord, gateway.Applied]
}

// NewDispatcher makes a dispatcher without carriers.
func NewDispatcher(store Store, now func() time.Time, log *slog.Logger) *Dispatcher {
	d := &Dispatcher{
		Store: store, Now: now, Log: log, Told: func([]gateway.Event) {},
		lines: map[string]*line{}, senders: map[string]*sender{}, lanes: map[gateway.LaneKey]*lane{},
		flying: map[int64]struct{}{}, inHand: map[partKey]*pendingRecord{},
		fillWake: make(chan struct{}, 1), dueWake: make(chan struct{}, 1),
	}
	d.records = groupcommit.New(groupcommit.Config{MaxBatch: recordBatch, MaxWaiting: recordWaiting}, d.commitRecords)
	return d
}

// AddCarrier makes a carrier known under its name. The nudge it returns is for the carrier to call when Places grew.
func (d *Dispatcher) AddCarrier(name string, carrier Carrier, settings CarrierSettings) (nudge func()) {
	l := &line{
		name: name, carrier: carrier, CarrierSettings: settings, wake: make(chan struct{}, 1), retries: map[int64]struct{}{},
	}
	l.pace.limit = gateway.Limit{Rate: settings.Rate}
	d.lines[name] = l
	return l.nudge
}

// stopGrace bounds how long a stop waits for the answers to submits in hand.
const stopGrace = 5 * time.Second

// Run dispatches what Service.Load found and what Offer brings until ctx ends; then it takes no more messages out, waits for the submits in
// hand, records them and keeps the senders' clocks. It returns when all it started has ended.
func (d *Dispatcher) Run(ctx context.Context) error {
	working, cancel := context.WithCancel(context.WithoutCancel(ctx)) // outlives ctx until what is in hand is done
	defer cancel()
	var serving, writing sync.WaitGroup
	for _, l := range d.lines {
		serving.Go(func() { d.serve(ctx, l) })
	}
	serving.Go(func() { d.fillLoop(ctx) })
	serving.Go(func() { d.expiryLoop(ctx) })
	serving.Go(func() { d.retryLoop(ctx) })
	writing.Go(func() { _ = d.records.Run(working) })

	<-ctx.Done()
	d.stop()
	serving.Wait()
	d.awaitLanding()
	cancel()
	writing.Wait()
	saving, cancelSaving := context.WithTimeout(context.WithoutCancel(ctx), stopGrace)
	defer cancelSaving()
	return d.Store.SaveClocks(saving, d.busyClocks())
}

func (d *Dispatcher) stop() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.stopping = true
}

// awaitLanding waits until no submit is in hand, or the grace is over.
func (d *Dispatcher) awaitLanding() {
	deadline := time.NewTimer(stopGrace)
	defer deadline.Stop()
	for _, l := range d.lines {
		for d.inHandOf(l) {
			select {
			case <-l.wake:
			case <-deadline.C:
				d.Log.Warn("stopping with submits unanswered", "carrier", l.name)
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
	d.mu.Lock()
	defer d.mu.Unlock()
	d.clocks = clocks
	if !clean {
		d.floor = d.Now().UnixNano()
	}
	missing := map[string]int{}
	for _, c := range counts {
		if d.lines[c.Carrier] == nil {
			missing[c.Carrier] += c.Messages
			continue
		}
		l := d.lane(c.LaneKey)
		l.waiting, l.more = c.Messages, true
		l.sender.queued += c.Units
		d.place(l)
	}
	for name, messages := range missing {
		d.Log.Warn("messages wait for a carrier that is not configured", "carrier", name, "messages", messages)
	}
	return nil
}

// lane finds or makes the lane of a key whose carrier is known.
func (d *Dispatcher) lane(key gateway.LaneKey) *lane {
	l := d.lanes[key]
	if l == nil {
		l = &lane{key: key, sender: d.sender(key.Sender), line: d.lines[key.Carrier], place: -1}
		d.lanes[key] = l
	}
	return l
}

// unitsInDoubt is how many units a sender may have sent just before a crash without a trace: those of one message, which
// is sent again then.
const unitsInDoubt = 11

// sender finds or makes the sender of a number.
func (d *Dispatcher) sender(number string) *sender {
	s := d.senders[number]
	if s == nil {
		s = &sender{number: number}
		d.senders[number] = s
		s.free = d.clocks[number]
	}
	return s
}

// limitSender sets a sender's rate, as the roster has it. What a sender sent just before a crash is not known: it rests until its
// rate would hold even so.
func (d *Dispatcher) limitSender(s *sender, limit gateway.Limit) {
	s.listed = true
	if s.limit == limit {
		return
	}
	if s.limit.Rate == 0 && d.floor > 0 {
		s.free = max(s.free, d.floor+limit.Cost(unitsInDoubt))
	}
	s.limit = limit
}

// place puts the lane where it belongs: into the heap while it has messages, out of memory when it is done.
func (d *Dispatcher) place(l *lane) {
	wanted := l.held() > 0 || l.more && !l.filling
	switch {
	case wanted && l.place < 0:
		l.at = l.sender.free
		l.line.ready.push(l)
		if l.place == 0 {
			l.line.nudge()
		}
	case wanted:
		l.at = l.sender.free
		l.line.ready.fix(l.place)
	case l.place >= 0:
		l.line.ready.remove(l)
	}
	if l.more && !l.filling && l.held() < refillLow && l.held() > 0 {
		d.refill(l)
	}
	if !wanted && !l.filling && l.busy == 0 {
		l.waiting = 0
		delete(d.lanes, l.key)
		d.forget(l.sender)
	}
}

// forget drops a sender that nothing needs to be remembered of.
func (d *Dispatcher) forget(s *sender) {
	if !s.listed && s.queued <= 0 && s.limit.Rate == 0 {
		delete(d.senders, s.number)
	}
}

// take pops the lane's next message, and counts it out.
func (d *Dispatcher) take(l *lane) *gateway.Message {
	m := l.pop()
	if m != nil {
		d.buffered--
		l.sender.queued = max(0, l.sender.queued-m.Units)
	}
	return m
}

// Offer queues messages that were just stored, in the order in which they were stored.
func (d *Dispatcher) Offer(messages []*gateway.Message) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, m := range messages {
		if d.lines[m.Carrier] == nil {
			continue // waits in the store for its carrier to be configured
		}
		l := d.lane(gateway.LaneKey{Sender: m.From, Carrier: m.Carrier})
		if l.push(m, d.buffered < totalRows) {
			d.buffered++
		}
		d.place(l)
	}
}

// Return queues a message that was held and that an operator released: the store has it among the queued ones again.
func (d *Dispatcher) Return(m *gateway.Message) {
	d.mu.Lock()
	defer d.mu.Unlock()
	l, known := d.lanes[gateway.LaneKey{Sender: m.From, Carrier: m.Carrier}]
	if known && m.ID.Seq() > l.after && (l.more || l.filling) { // the store will be read there anyway
		l.more, l.missed = true, l.filling
		l.waiting++
		l.sender.queued += m.Units
		return
	}
	d.comeBack(m)
}

// comeBack puts a message that was out of the queue into its lane's memory.
func (d *Dispatcher) comeBack(m *gateway.Message) bool {
	if _, flying := d.flying[m.ID.Seq()]; flying || d.lines[m.Carrier] == nil {
		return false
	}
	l := d.lane(gateway.LaneKey{Sender: m.From, Carrier: m.Carrier})
	l.putBack(m)
	d.buffered++
	l.sender.queued += m.Units
	d.place(l)
	return true
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

// busyClocks are the senders that are not free yet.
func (d *Dispatcher) busyClocks() map[string]int64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := d.Now().UnixNano()
	clocks := map[string]int64{}
	for number, s := range d.senders {
		if s.free > now {
			clocks[number] = s.free
		}
	}
	return clocks
}
