package relay

import (
	"context"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
	"github.com/heliograph/heliograph/internal/mm4"
	"github.com/heliograph/heliograph/internal/mms"
	"github.com/heliograph/heliograph/internal/trouble"
)

// Carrier is one MM4 carrier. Make it with New; Run must be running for anything to be submitted.
type Carrier struct {
	Config
	nudge    func()
	client   *mm4.Client
	server   *mm4.Server
	troubles *trouble.Log
	counts   counts
	intake   *mms.Intake
	queue    chan *submit // of capacity Window: all that have a place fit
	replies  chan mm4.Mail

	mu        sync.Mutex
	running   bool
	listening net.Addr // nil: not
	since     time.Time
	inHand    map[string]*submit // those without an outcome, by transaction id
	emptied   chan struct{}      // closed when inHand is empty after running ended; made by stop
	silent    int                // forwards in a row that stayed without a response
}

// New makes a carrier; an error says what is wrong with its settings.
func New(cfg Config) (*Carrier, error) {
	cfg = cfg.withDefaults()
	if err := cfg.check(); err != nil {
		return nil, err
	}
	c := &Carrier{
		Config: cfg, nudge: func() {}, troubles: trouble.New(cfg.Log.With("carrier", cfg.Name), cfg.Now, cfg.Steady), since: cfg.Now(),
		queue: make(chan *submit, cfg.Window), replies: make(chan mm4.Mail, mostReplies), inHand: map[string]*submit{},
	}
	c.intake = mms.NewIntake(cfg.Ends, cfg.MostFile, c.troubles)
	to := cfg.client()
	to.OnChange = c.changed
	from := cfg.server()
	from.Handler = c.handler()
	var err error
	if c.client, err = mm4.NewClient(to); err != nil {
		return nil, err
	}
	c.server, err = mm4.NewServer(from)
	return c, err
}

// OnPlaces sets what is called when Places grew. It is called once, before Run.
func (c *Carrier) OnPlaces(nudge func()) { c.nudge = nudge }

// Run lets submits leave and takes the peer's mail until ctx ends. Then it waits a while for what is in hand, and returns when all it started has ended. It
// runs once.
func (c *Carrier) Run(ctx context.Context) error {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", c.Listen)
	if err != nil {
		return err
	}
	c.begin(listener.Addr())
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	hearing, deafen := context.WithCancel(context.WithoutCancel(ctx)) // responses are taken until nobody waits for one
	defer deafen()
	failed := make(chan error, 1)
	go func() { // ends before Run does, which reads from failed
		failed <- c.server.Serve(hearing, listener)
		cancel() // without responses nothing should leave
	}()
	var sending sync.WaitGroup
	sending.Go(func() { _ = c.client.Run(ctx) }) // it returns nil
	for range c.workers() {
		sending.Go(func() { c.work(ctx) })
	}
	sending.Go(func() { c.troubles.Watch(ctx, c.Steady/looks, c.lookAtPeer) })
	sending.Wait()
	c.finish()
	deafen()
	return <-failed
}

func (c *Carrier) begin(listening net.Addr) {
	c.troubles.Info("listening for the peer's mail", "address", listening.String())
	c.mu.Lock()
	defer c.mu.Unlock()
	c.running, c.listening, c.since = true, listening, c.Now()
}

// workers is how many mails are made ready or sent at once: as many as the client has places for.
func (c *Carrier) workers() int { return 2 * c.Connections }

// work sends one mail after the other until ctx ends.
func (c *Carrier) work(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case s := <-c.queue:
			c.send(ctx, s)
		case mail := <-c.replies:
			c.sendReply(ctx, mail)
		}
	}
}

// finish answers all that is in hand: what did not leave at once, the rest when its response comes or none was there in time.
func (c *Carrier) finish() {
	emptied := c.stop()
	for len(c.queue) > 0 {
		c.settle(<-c.queue, gateway.Outcome{Status: gateway.NotSent, Detail: "the carrier has stopped"})
	}
	c.counts.lost.Add(int64(len(c.replies)))
	timer := time.NewTimer(c.StopTimeout)
	defer timer.Stop()
	select {
	case <-emptied:
		return
	case <-timer.C:
	}
	for _, s := range c.left() {
		c.settle(s, unanswered)
	}
}

// stop lets nothing more in; the channel is closed when nothing is in hand any more.
func (c *Carrier) stop() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.running, c.listening, c.since = false, nil, c.Now()
	c.emptied = make(chan struct{})
	if len(c.inHand) == 0 {
		close(c.emptied)
	}
	return c.emptied
}

func (c *Carrier) left() (list []*submit) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range c.inHand {
		list = append(list, s)
	}
	return list
}

// Parts is 1: an MMS is one.
func (c *Carrier) Parts(*gateway.Message) int { return 1 }

// Places is how many messages may be without an answer at once now: 0 while the peer cannot be reached, 1 while it does not respond.
func (c *Carrier) Places() int {
	if c.client.Places() == 0 {
		return 0
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.window()
}

// window is how many messages may be without an answer while the peer can be reached. Guarded by mu.
func (c *Carrier) window() int {
	switch {
	case !c.running:
		return 0
	case c.silent >= c.UnansweredLimit:
		return 1
	}
	return c.Window
}

// changed is called when the peer became reachable, or ceased to be.
func (c *Carrier) changed() {
	up, _, _ := c.client.State()
	if !up {
		c.counts.falls.Add(1)
		c.lookAtPeer()
		return
	}
	c.counts.ups.Add(1)
	c.troubles.Info("the peer can be reached")
	c.nudge()
}

// looks is how many are taken at the peer until a matter is over.
const looks = 10

// lookAtPeer says when the peer cannot be reached.
func (c *Carrier) lookAtPeer() {
	if up, _, err := c.client.State(); !up && err != nil {
		c.troubles.Happened(trouble.Matter{What: "the peer cannot be reached; it is tried again", Reason: trouble.Reason(err)})
	}
}

// BindState is what a side of the carrier is doing.
type BindState struct {
	Name      string
	State     string // connecting, up, trying (one submit, to see whether there are responses) or stopped; of the other side listening or stopped
	Since     time.Time
	Window    int
	InUse     int
	LastError string
}

// Binds gives the state of both sides: of mail to the peer, and from it.
func (c *Carrier) Binds() []BindState {
	up, since, err := c.client.State()
	c.mu.Lock()
	defer c.mu.Unlock()
	to := BindState{Name: c.Name + "/to", State: "stopped", Since: since, InUse: len(c.inHand)}
	from := BindState{Name: c.Name + "/from", State: "stopped", Since: c.since}
	if !c.running {
		return []BindState{to, from}
	}
	from.State = "listening"
	to.State, to.Window = "connecting", c.Window
	if up {
		to.State, to.Window = "up", c.window()
		if c.silent >= c.UnansweredLimit {
			to.State, to.LastError = "trying", "forwards stay without a response"
		}
	} else if err != nil {
		to.LastError = trouble.Reason(err)
	}
	return []BindState{to, from}
}

// Addr is where the peer's mail is taken; nil: Run is not running.
func (c *Carrier) Addr() net.Addr {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.listening
}

// counts are what Stats gives.
type counts struct {
	outcomes                               [gateway.Unanswered + 1]atomic.Int64 // by OutcomeStatus
	responses, late                        atomic.Int64
	receipts, kept, putOff, useless, reads atomic.Int64
	inbound, unowned, delayed              atomic.Int64
	repliesSent, lost, ups, falls          atomic.Int64
}

// Stats counts since the start.
type Stats struct {
	Accepted, Rejected, Throttled, Deferred, NotSent, Unanswered int64 // messages, by what became of their submits

	Responses     int64 // to forwards
	ResponsesLate int64 // of them, for forwards that nobody waits for any more

	Receipts        int64 // delivery reports that came
	ReceiptsKept    int64 // accepted: they are on disk, or said nothing final
	ReceiptsPutOff  int64 // that could not be kept: the peer was asked to send them again
	ReceiptsUseless int64 // about messages that cannot be ours: accepted and dropped
	Reads           int64 // read replies

	Inbound         int64 // messages from handsets that came
	InboundTaken    int64 // that are on disk, one for each recipient
	InboundRepeated int64 // that were taken before
	InboundUnowned  int64 // for numbers that nobody rents: refused
	InboundPutOff   int64 // that could not be kept: the peer was asked to send them again
	FilesTaken      int64 // with them
	FilesDropped    int64 // of types that are not taken

	Replies     int64 // responses and reports of ours that the peer took
	RepliesLost int64 // that it did not take

	Ups, Falls int64 // how often the peer became reachable, and ceased to be
}

// Stats gives the counts.
func (c *Carrier) Stats() Stats {
	n, in := &c.counts, c.intake.Counts()
	return Stats{
		Accepted: n.outcomes[gateway.Accepted].Load(), Rejected: n.outcomes[gateway.Rejected].Load(),
		Throttled: n.outcomes[gateway.Throttled].Load(), Deferred: n.outcomes[gateway.Deferred].Load(),
		NotSent: n.outcomes[gateway.NotSent].Load(), Unanswered: n.outcomes[gateway.Unanswered].Load(),
		Responses: n.responses.Load(), ResponsesLate: n.late.Load(),
		Receipts: n.receipts.Load(), ReceiptsKept: n.kept.Load(), ReceiptsPutOff: n.putOff.Load(), ReceiptsUseless: n.useless.Load(), Reads: n.reads.Load(),
		Inbound: n.inbound.Load(), InboundTaken: in.Taken, InboundRepeated: in.Repeated, InboundUnowned: n.unowned.Load(),
		InboundPutOff: n.delayed.Load(), FilesTaken: in.FilesTaken, FilesDropped: in.FilesDropped,
		Replies: n.repliesSent.Load(), RepliesLost: n.lost.Load(), Ups: n.ups.Load(), Falls: n.falls.Load(),
	}
}

// Receipts is how many receipts came.
func (c *Carrier) Receipts() int64 { return c.counts.receipts.Load() }
