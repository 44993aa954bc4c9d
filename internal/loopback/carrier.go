// Package loopback is the built-in pretend network of a development install. It takes every message, reports it delivered
// after a delay, and obeys magic destination numbers, so that every state and error code can be provoked on a laptop. It keeps nothing on
// disk: reports that are still to come are lost when the program stops, and their messages stay sent. Pretend handsets send messages through Deliver.
package loopback

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
)

// Config is how the pretend network behaves.
type Config struct {
	Name string
	// Delay is how long after its submit a message is reported. Default 500 ms.
	Delay time.Duration
	Now   func() time.Time
	// OnReceipt takes a report; done is called when it is kept or could not be.
	OnReceipt func(receipt gateway.Receipt, done func(error))
	// OnPart takes a part of a message from a pretend handset; likewise. Nil: nobody does.
	OnPart func(part gateway.InboundPart, done func(error))
}

// Times of the pretend network.
const (
	DefaultDelay = 500 * time.Millisecond
	slowAnswer   = 3 * time.Second  // of the slow number, to its submit
	slowReport   = 10 * time.Second // of the slow number, after its answer
	askAgain     = time.Second      // after a report that could not be kept
)

// What the pretend network holds in memory: submits in hand, reports to come, messages with a temporary refusal behind them.
const (
	window      = 1000
	maxReports  = 100_000
	maxMischief = 10_000
)

// Carrier is the pretend network. Make it with New; Run must be running for anything to be reported.
type Carrier struct {
	Config
	nudge func()
	wake  chan struct{} // of capacity 1: an agenda entry came to the front

	mu        sync.Mutex
	agenda    agenda
	reports   int                // of the agenda
	answers   int                // of the agenda
	seen      map[gateway.ID]int // how often a magic number was refused so far, by message
	serial    int64
	reference uint8 // of the last message from a handset
	stopped   bool
	accepted  int64
	reported  int64
}

// New makes a pretend network.
func New(cfg Config) *Carrier {
	if cfg.Delay == 0 {
		cfg.Delay = DefaultDelay
	}
	c := &Carrier{Config: cfg, nudge: func() {}, wake: make(chan struct{}, 1), seen: map[gateway.ID]int{}}
	c.serial = cfg.Now().UnixNano()
	return c
}

// OnPlaces sets what is called when Places grew. It is called once, before Run.
func (c *Carrier) OnPlaces(nudge func()) { c.nudge = nudge }

// Parts is the number of segments of an SMS, and 1 for an MMS.
func (c *Carrier) Parts(m *gateway.Message) int {
	if m.Service == gateway.MMS {
		return 1
	}
	return m.Units
}

// Places is how many parts the network takes now: none before Run and after its end.
func (c *Carrier) Places() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stopped || c.reports >= maxReports {
		return 0
	}
	return window
}

// Submit takes one part, as its destination number commands.
func (c *Carrier) Submit(part gateway.Part, done func(gateway.Outcome)) {
	answer, wait := c.take(part)
	if wait == 0 {
		done(answer)
		return
	}
	c.schedule(wait, entry{answer: func() { done(answer) }})
}

// take decides about a part: its answer, and how long that takes. The report of an accepted one goes onto the agenda.
func (c *Carrier) take(part gateway.Part) (answer gateway.Outcome, wait time.Duration) {
	m := part.Message
	act := actFor(m.To)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stopped {
		return gateway.Outcome{Status: gateway.NotSent, Detail: "the loopback carrier has stopped"}, 0
	}
	if refusal, ok := c.mischief(act, m.ID); ok {
		return refusal, 0
	}
	if act.refuse != gateway.NoReason {
		return gateway.Outcome{Status: gateway.Rejected, Reason: act.refuse, Detail: "loopback: refused as the number commands"}, 0
	}
	c.serial++
	id := fmt.Sprintf("%016x", c.serial)
	c.accepted++
	delay := c.Delay
	if act.slow {
		wait, delay = slowAnswer, slowAnswer+slowReport
	}
	if !act.silent {
		c.add(c.Now().Add(delay), entry{receipt: c.receipt(m, id, act)})
	}
	return gateway.Outcome{Status: gateway.Accepted, CarrierID: id}, wait
}

// mischief is a refusal that passes: the first attempts of some magic numbers. Guarded by mu.
func (c *Carrier) mischief(act act, id gateway.ID) (gateway.Outcome, bool) {
	if act.times == 0 || c.seen[id] >= act.times || len(c.seen) >= maxMischief {
		delete(c.seen, id)
		return gateway.Outcome{}, false
	}
	c.seen[id]++
	return gateway.Outcome{Status: act.first, Detail: "loopback: as the number commands"}, true
}

func (c *Carrier) receipt(m *gateway.Message, id string, act act) *gateway.Receipt {
	r := &gateway.Receipt{Carrier: c.Name, CarrierID: id, Outcome: gateway.ReceiptDelivered, From: m.From, To: m.To}
	if act.report != gateway.NoReason {
		r.Outcome, r.Reason, r.Detail = gateway.ReceiptUndelivered, act.report, "loopback: not delivered as the number commands"
	}
	return r
}

func (c *Carrier) schedule(wait time.Duration, e entry) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.add(c.Now().Add(wait), e)
}

// add puts an entry onto the agenda. Guarded by mu.
func (c *Carrier) add(at time.Time, e entry) {
	e.at = at
	if e.receipt != nil {
		c.reports++
	} else {
		c.answers++
	}
	if c.agenda.push(e) {
		select {
		case c.wake <- struct{}{}:
		default:
		}
	}
}

// Run gives answers and reports when their time has come, until ctx ends. Answers still to come are given then; reports are dropped.
func (c *Carrier) Run(ctx context.Context) error {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		due, next := c.due()
		for i := range due {
			c.perform(due[i])
		}
		if len(due) > 0 {
			c.nudge()
			continue
		}
		timer.Reset(next)
		select {
		case <-ctx.Done():
			c.stop()
			return nil
		case <-c.wake:
		case <-timer.C:
		}
	}
}

// due takes out what is due now, at most some of it, and says how long to sleep otherwise.
func (c *Carrier) due() (due []entry, next time.Duration) {
	const most = 256
	now := c.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	for len(due) < most {
		first, ok := c.agenda.first()
		switch {
		case !ok:
			return due, time.Hour
		case first.After(now):
			return due, first.Sub(now)
		}
		e := c.agenda.pop()
		if e.receipt != nil {
			c.reports--
			c.reported++
		} else {
			c.answers--
		}
		due = append(due, e)
	}
	return due, 0
}

func (c *Carrier) perform(e entry) {
	if e.receipt == nil {
		e.answer()
		return
	}
	e.receipt.At = c.Now()
	c.OnReceipt(*e.receipt, func(err error) {
		if err != nil { // as an SMSC would: it keeps the report and comes again
			c.schedule(askAgain, e)
		}
	})
}

// stop closes the network and gives the answers that were still to come.
func (c *Carrier) stop() {
	c.mu.Lock()
	c.stopped = true
	left := c.agenda
	c.agenda = nil
	c.mu.Unlock()
	for i := range left {
		if left[i].receipt == nil {
			left[i].answer()
		}
	}
}

// Stats counts what the network did since its start.
type Stats struct {
	Accepted, Reported int64
	Pending            int // reports to come
}

// Stats gives the counts.
func (c *Carrier) Stats() Stats {
	c.mu.Lock()
	defer c.mu.Unlock()
	return Stats{c.accepted, c.reported, c.reports}
}
