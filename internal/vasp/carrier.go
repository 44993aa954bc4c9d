package vasp

import (
	"context"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
	"github.com/heliograph/heliograph/internal/mm7"
	"github.com/heliograph/heliograph/internal/mms"
	"github.com/heliograph/heliograph/internal/trouble"
)

// Carrier is one MM7 carrier. Make it with New; Run must be running for anything to be submitted.
type Carrier struct {
	Config
	nudge    func()
	client   *mm7.Client
	handler  *mm7.Handler
	troubles *trouble.Log
	counts   counts
	intake   *mms.Intake

	places atomic.Int64  // as reach says; written under mu
	fallen chan struct{} // of capacity 1: it fell

	mu     sync.Mutex
	reach  reach
	inUse  int             // submits without an outcome
	ending context.Context // of submits; nil: Run is not running
	inHand sync.WaitGroup  // of submits; added to while ending is not nil
}

// New makes a carrier; an error says what is wrong with its settings.
func New(cfg Config) (*Carrier, error) {
	cfg = cfg.withDefaults()
	if err := cfg.check(); err != nil {
		return nil, err
	}
	c := &Carrier{Config: cfg, nudge: func() {}, troubles: trouble.New(cfg.Log.With("carrier", cfg.Name), cfg.Now, cfg.Steady), fallen: make(chan struct{}, 1)}
	c.reach.since = cfg.Now()
	c.intake = mms.NewIntake(cfg.Ends, cfg.Inbound.Part, c.troubles)
	c.client = &mm7.Client{
		URL: cfg.URL, Dialect: cfg.Dialect, Transfer: cfg.Transfer, Timeout: cfg.ResponseTimeout, AnyTransactionID: cfg.AnyTransactionID,
		HTTP: &http.Client{
			Transport:     cfg.Transport,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
	if cfg.Username != "" {
		c.client.Authorize = mm7.BasicAuth(cfg.Username, cfg.Password)
	}
	c.handler = c.newHandler()
	return c, nil
}

// OnPlaces sets what is called when Places grew. It is called once, before Run.
func (c *Carrier) OnPlaces(nudge func()) { c.nudge = nudge }

// Run lets submits leave and looks whether the MMSC can be reached until ctx ends. Then it waits for what is in hand, and returns when all it started has
// ended.
func (c *Carrier) Run(ctx context.Context) error {
	ending, end := context.WithCancel(context.WithoutCancel(ctx)) // outlives ctx until what is in hand is answered
	defer end()
	c.mu.Lock()
	c.ending = ending
	c.mu.Unlock()
	var running sync.WaitGroup
	running.Go(func() { c.watch(ctx) })
	running.Go(func() { c.troubles.Watch(ctx, c.Steady, nil) })
	running.Wait()
	c.stop()
	timer := time.AfterFunc(c.StopTimeout, end)
	defer timer.Stop()
	c.inHand.Wait()
	c.client.HTTP.CloseIdleConnections()
	return nil
}

// stop lets no more submits leave.
func (c *Carrier) stop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ending = nil
	c.enter(stopped)
}

// Parts is 1: an MMS is one.
func (c *Carrier) Parts(*gateway.Message) int { return 1 }

// Places is how many requests may be outstanding at once now; 0 while the MMSC cannot be reached.
func (c *Carrier) Places() int { return int(c.places.Load()) }

// board takes a place for a submit; nil: there is none.
func (c *Carrier) board() context.Context {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ending == nil || c.places.Load() == 0 || c.inUse >= c.Window {
		return nil
	}
	c.inUse++
	c.inHand.Add(1)
	return c.ending
}

// alight gives the place back, before the submit's answer makes somebody want it.
func (c *Carrier) alight() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.inUse--
}

// BindState is what the carrier is doing.
type BindState struct {
	Name      string
	State     string // connecting, up, trying (one submit, to see), waiting (to look again) or stopped
	Since     time.Time
	Window    int
	InUse     int
	LastError string
}

// Binds gives the state of the carrier, which is one.
func (c *Carrier) Binds() []BindState {
	c.mu.Lock()
	defer c.mu.Unlock()
	r := &c.reach
	return []BindState{{Name: c.Name, State: r.state.String(), Since: r.since, Window: c.Window, InUse: c.inUse, LastError: r.lastError}}
}

// counts are what Stats gives.
type counts struct {
	outcomes                      [gateway.Unanswered + 1]atomic.Int64 // by OutcomeStatus
	receipts, kept, putOff, reads atomic.Int64
	inbound, unowned, delayed     atomic.Int64
	intruders, ups, falls         atomic.Int64
}

// Stats counts since the start.
type Stats struct {
	Accepted, Rejected, Throttled, Deferred, NotSent, Unanswered int64 // messages, by what became of their submits

	Receipts       int64 // delivery reports that came
	ReceiptsKept   int64 // answered with success: they are on disk, or said nothing final
	ReceiptsPutOff int64 // that could not be kept: the MMSC was asked to send them again
	Reads          int64 // read replies

	Inbound         int64 // messages from handsets that came
	InboundTaken    int64 // that are on disk
	InboundRepeated int64 // that were taken before
	InboundUnowned  int64 // for numbers that nobody rents: refused
	InboundPutOff   int64 // that could not be kept: the MMSC was asked to send them again
	FilesTaken      int64 // with them
	FilesDropped    int64 // of types that are not taken

	Intruders  int64 // requests with wrong credentials, or none
	Ups, Falls int64 // how often the MMSC became reachable, and ceased to be
}

// Stats gives the counts.
func (c *Carrier) Stats() Stats {
	n, in := &c.counts, c.intake.Counts()
	return Stats{
		Accepted: n.outcomes[gateway.Accepted].Load(), Rejected: n.outcomes[gateway.Rejected].Load(),
		Throttled: n.outcomes[gateway.Throttled].Load(), Deferred: n.outcomes[gateway.Deferred].Load(),
		NotSent: n.outcomes[gateway.NotSent].Load(), Unanswered: n.outcomes[gateway.Unanswered].Load(),
		Receipts: n.receipts.Load(), ReceiptsKept: n.kept.Load(), ReceiptsPutOff: n.putOff.Load(), Reads: n.reads.Load(),
		Inbound: n.inbound.Load(), InboundTaken: in.Taken, InboundRepeated: in.Repeated, InboundUnowned: n.unowned.Load(),
		InboundPutOff: n.delayed.Load(), FilesTaken: in.FilesTaken, FilesDropped: in.FilesDropped,
		Intruders: n.intruders.Load(), Ups: n.ups.Load(), Falls: n.falls.Load(),
	}
}

// Receipts is how many receipts came.
func (c *Carrier) Receipts() int64 { return c.counts.receipts.Load() }
