package esme

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
	"github.com/heliograph/heliograph/internal/smpp"
	"github.com/heliograph/heliograph/internal/trouble"
)

// Carrier is one SMPP carrier with all its binds. Make it with New; Run must be running for anything to be submitted.
type Carrier struct {
	Config
	nudge    func()
	links    []*link
	submits  sync.Pool // of *submit
	troubles *trouble.Log
	counts   counts

	places atomic.Int64 // windows of the binds that stand; written under mu

	mu       sync.Mutex
	turn     int        // where the search for a bind begins, so that equals take turns
	lastID   gateway.ID // the message whose part was submitted last,
	lastLink *link      // and on which bind; nil: none
}

// New makes a carrier; an error says what is wrong with its settings.
func New(cfg Config) (*Carrier, error) {
	cfg = cfg.withDefaults()
	if err := cfg.check(); err != nil {
		return nil, err
	}
	c := &Carrier{Config: cfg, nudge: func() {}, troubles: trouble.New(cfg.Log.With("carrier", cfg.Name), cfg.Now, cfg.Steady)}
	c.submits.New = func() any { return newSubmit(c) }
	for i := range cfg.Binds {
		name := fmt.Sprintf("%s/%d", cfg.Name, i+1)
		if cfg.Mode == Transceiver {
			c.links = append(c.links, newLink(c, name, smpp.Transceiver))
			continue
		}
		c.links = append(c.links, newLink(c, name+"/tx", smpp.Transmitter), newLink(c, name+"/rx", smpp.Receiver))
	}
	return c, nil
}

// OnPlaces sets what is called when Places grew. It is called once, before Run.
func (c *Carrier) OnPlaces(nudge func()) { c.nudge = nudge }

// Run keeps the binds bound until ctx ends. Then it waits for what is in hand, unbinds, and returns when all it started has ended.
func (c *Carrier) Run(ctx context.Context) error {
	var running sync.WaitGroup
	for _, l := range c.links {
		running.Go(func() { l.run(ctx) })
	}
	running.Go(func() { c.troubles.Watch(ctx, c.Steady, nil) })
	running.Wait()
	return nil
}

// Parts is how many submit_sm the message makes.
func (c *Carrier) Parts(m *gateway.Message) int { return c.parts(m) }

// Places is how many parts may be outstanding at once now, over all binds; 0 while none stands.
func (c *Carrier) Places() int { return int(c.places.Load()) }

// board takes a place on a bind for the part: on that of the message's part before, so that they stay in order, or else on the least used.
// Without one the session is nil.
func (c *Carrier) board(id gateway.ID) (*link, *smpp.Session) {
	c.mu.Lock()
	defer c.mu.Unlock()
	l := c.lastLink
	if l == nil || c.lastID != id || !l.free() {
		if l = c.leastUsed(); l == nil {
			return nil, nil
		}
	}
	l.inUse++
	c.lastID, c.lastLink = id, l
	return l, l.session
}

// leastUsed finds the bind with the fewest submits outstanding; nil when none has a place. Guarded by mu.
func (c *Carrier) leastUsed() *link {
	var best *link
	for i := range c.links {
		l := c.links[(c.turn+i)%len(c.links)]
		if l.free() && (best == nil || l.inUse < best.inUse) {
			best = l
		}
	}
	c.turn++
	return best
}

// BindState is what a connection is doing.
type BindState struct {
	Name      string
	State     string // connecting, binding, bound, waiting (to try again), unbinding or stopped
	Since     time.Time
	Window    int // 0 for a receiver
	InUse     int
	LastError string
}

// Binds gives the state of every connection.
func (c *Carrier) Binds() []BindState {
	c.mu.Lock()
	defer c.mu.Unlock()
	states := make([]BindState, len(c.links))
	for i, l := range c.links {
		states[i] = BindState{
			Name: l.name, State: l.state.String(), Since: l.since, Window: l.window, InUse: l.inUse, LastError: l.lastError,
		}
	}
	return states
}

// counts are what Stats gives.
type counts struct {
	outcomes                            [gateway.Unanswered + 1]atomic.Int64 // by OutcomeStatus
	receipts, kept, putOff, useless     atomic.Int64
	inbound, taken, postponed, unrented atomic.Int64
	bindsMade, bindsLost, silent        atomic.Int64
}

// Stats counts since the start.
type Stats struct {
	Accepted, Rejected, Throttled, Deferred, NotSent, Unanswered int64 // parts, by what became of their submits

	Receipts        int64 // that came
	ReceiptsKept    int64 // acknowledged: they are on disk, or said nothing final
	ReceiptsPutOff  int64 // that could not be kept: the SMSC was asked to send them again
	ReceiptsUseless int64 // that nobody can make sense of: acknowledged and dropped

	Inbound         int64 // parts of messages from handsets that came
	InboundKept     int64 // acknowledged: they are on disk
	InboundPutOff   int64 // that could not be kept: the SMSC was asked to send them again
	InboundUnrented int64 // to numbers that nobody rents

	BindsMade, BindsLost int64
	BindsSilent          int64 // of the lost: given up because submits stayed without an answer
}

// Stats gives the counts.
func (c *Carrier) Stats() Stats {
	n := &c.counts
	return Stats{
		Accepted: n.outcomes[gateway.Accepted].Load(), Rejected: n.outcomes[gateway.Rejected].Load(),
		Throttled: n.outcomes[gateway.Throttled].Load(), Deferred: n.outcomes[gateway.Deferred].Load(),
		NotSent: n.outcomes[gateway.NotSent].Load(), Unanswered: n.outcomes[gateway.Unanswered].Load(),
		Receipts: n.receipts.Load(), ReceiptsKept: n.kept.Load(), ReceiptsPutOff: n.putOff.Load(), ReceiptsUseless: n.useless.Load(),
		Inbound: n.inbound.Load(), InboundKept: n.taken.Load(), InboundPutOff: n.postponed.Load(), InboundUnrented: n.unrented.Load(),
		BindsMade: n.bindsMade.Load(), BindsLost: n.bindsLost.Load(), BindsSilent: n.silent.Load(),
	}
}

// Receipts is how many receipts came.
func (c *Carrier) Receipts() int64 { return c.counts.receipts.Load() }
