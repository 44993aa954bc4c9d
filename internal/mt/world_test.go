package mt

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"sync"
	"testing/synctest"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
)

// outcomeShare is how often a carrier answers so, out of 100.
type outcomeShare struct {
	status gateway.OutcomeStatus
	share  int
}

// network is a pretend carrier behind all processes of a world. What it saw is checked afterwards.
type network struct {
	name    string
	places  int
	latency time.Duration // up to
	shares  []outcomeShare
	onePart bool // takes every message whole

	mu       sync.Mutex
	random   *rand.Rand
	down     bool
	inHand   int
	most     int // greatest inHand
	serial   int
	attempts []attempt
	nudge    func()
	refuse   bool // fails at once although it has places
}

// attempt is one Submit that a network saw.
type attempt struct {
	at      time.Time
	carrier string
	message *gateway.Message
	part    int
	total   int
	status  gateway.OutcomeStatus
}

// left tells whether it was on the wire.
func (a *attempt) left() bool { return a.status != gateway.NotSent }

// units is what the attempt cost the sender.
func (a *attempt) units() int {
	if a.total == 1 {
		return a.message.Units
	}
	return 1
}

// connection is a network as one process sees it: until that dies.
type connection struct {
	*network
	process *process
}

func (n *network) Parts(m *gateway.Message) int {
	if n.onePart {
		return 1
	}
	return m.Units
}

func (c *connection) Places() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.down {
		return 0
	}
	return c.places
}

func (c *connection) Submit(part gateway.Part, done func(gateway.Outcome)) {
	if c.process.isDead() {
		return
	}
	o, wait := c.answer(part)
	if wait == 0 {
		done(o)
		return
	}
	time.AfterFunc(wait, func() {
		if c.process.isDead() {
			return
		}
		c.mu.Lock()
		c.inHand--
		c.mu.Unlock()
		done(o)
	})
}

// answer decides about a part, and how long that takes.
func (n *network) answer(part gateway.Part) (o gateway.Outcome, wait time.Duration) {
	n.mu.Lock()
	defer n.mu.Unlock()
	o.Status, wait = gateway.Accepted, 1+n.pick(n.latency)
	die := n.random.IntN(100)
	for _, s := range n.shares {
		if die -= s.share; die < 0 {
			o.Status = s.status
			break
		}
	}
	switch {
	case n.down || n.refuse:
		o.Status, wait = gateway.NotSent, 0
	case o.Status == gateway.NotSent:
		wait *= time.Duration(n.random.IntN(2))
	case o.Status == gateway.Accepted:
		n.serial++
		o.CarrierID = fmt.Sprintf("%s-%d", n.name, n.serial)
	case o.Status == gateway.Rejected:
		o.Reason = gateway.InvalidDestination
	case o.Status == gateway.Unanswered:
		wait = 10 * time.Second
	}
	if wait > 0 {
		n.inHand++
		n.most = max(n.most, n.inHand)
	}
	n.attempts = append(n.attempts, attempt{
		at: time.Now(), carrier: n.name, message: part.Message, part: part.Number, total: part.Total, status: o.Status,
	})
	return o, wait
}

func (n *network) pick(most time.Duration) time.Duration {
	if most == 0 {
		return 0
	}
	return time.Duration(n.random.Int64N(int64(most)))
}

// set changes the network and nudges its line, as a carrier does when its places grow.
func (n *network) set(change func()) {
	n.mu.Lock()
	change()
	nudge := n.nudge
	n.mu.Unlock()
	if nudge != nil {
		nudge()
	}
}

func (n *network) seen() []attempt {
	n.mu.Lock()
	defer n.mu.Unlock()
	return append([]attempt(nil), n.attempts...)
}

// process is one life of the program: a service and a dispatcher over the world's store and networks.
type process struct {
	service    *Service
	dispatcher *Dispatcher
	stopIntake context.CancelFunc
	stopRest   context.CancelFunc
	accepting  sync.WaitGroup
	running    sync.WaitGroup

	mu   sync.Mutex
	dead bool
	err  error
}

func (p *process) isDead() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.dead
}

// handle is the store as one process sees it: until that dies.
type handle struct {
	*memory
	process *process
}

var errDead = errors.New("the process is dead")

func (h *handle) InsertMessages(ctx context.Context, batch []*gateway.Submission) ([]gateway.Inserted, error) {
	if h.process.isDead() {
		return nil, errDead
	}
	return h.memory.InsertMessages(ctx, batch)
}

func (h *handle) MarkSubmitting(ctx context.Context, ids []gateway.ID, at time.Time) error {
	if h.process.isDead() {
		return errDead
	}
	return h.memory.MarkSubmitting(ctx, ids, at)
}

func (h *handle) RecordSubmits(ctx context.Context, records []*gateway.SubmitRecord) ([]gateway.Applied, error) {
	if h.process.isDead() {
		return nil, errDead
	}
	return h.memory.RecordSubmits(ctx, records)
}

func (h *handle) SaveClocks(ctx context.Context, free map[string]int64, used []gateway.Usage) error {
	if h.process.isDead() {
		return errDead
	}
	return h.memory.SaveClocks(ctx, free, used)
}

func (h *handle) KeepUsage(ctx context.Context, usage []gateway.Usage) error {
	if h.process.isDead() {
		return errDead
	}
	return h.memory.KeepUsage(ctx, usage)
}

// world is a store, networks, and the processes that live in it one after the other.
type world struct {
	store    *memory
	networks []*network
	settings func(i int) CarrierSettings
	ids      *gateway.IDSource
	process  *process
	past     []*process
	log      *slog.Logger
	prepare  func(context.Context, *gateway.Message) gateway.Preparation
}

const testAccount = gateway.AccountID("MAAAAAAAAAAAAAAAAAAA")

func newWorld(seed uint64, networks ...*network) *world {
	random := rand.New(rand.NewPCG(seed, 1))
	for i, n := range networks {
		n.random = rand.New(rand.NewPCG(seed, uint64(i)+2))
	}
	return &world{
		store: newMemory(), networks: networks, ids: &gateway.IDSource{Entropy: random.Uint64},
		log:      slog.New(slog.DiscardHandler),
		settings: func(int) CarrierSettings { return CarrierSettings{} },
	}
}

// number adds a sender to the roster.
func (w *world) number(number, carrier string, rate float64) {
	w.store.mu.Lock()
	defer w.store.mu.Unlock()
	w.store.numbers = append(w.store.numbers, gateway.Number{
		Number: number, Type: gateway.LongCode, Country: "US", Services: gateway.Services(gateway.SMS, gateway.MMS),
		Carrier: carrier, Rate: rate, Account: testAccount,
	})
}

func (w *world) setRate(number string, rate float64) {
	w.store.mu.Lock()
	defer w.store.mu.Unlock()
	for i := range w.store.numbers {
		if w.store.numbers[i].Number == number {
			w.store.numbers[i].Rate = rate
		}
	}
}

// start begins a process.
func (w *world) start() *process {
	p := &process{}
	h := &handle{memory: w.store, process: p}
	p.dispatcher = NewDispatcher(h, time.Now, w.log)
	var routes gateway.Routes
	for i, n := range w.networks {
		nudge := p.dispatcher.AddCarrier(n.name, &connection{n, p}, w.settings(i))
		n.set(func() { n.nudge, n.inHand = nudge, 0 })
		routes = append(routes, gateway.Route{Prefix: fmt.Sprint(i + 1), Carriers: []string{n.name}})
	}
	p.service = NewService(h, p.dispatcher, w.ids, time.Now)
	p.service.Routes, p.service.Prepare = routes, w.prepare
	if err := p.service.Load(context.Background()); err != nil {
		panic(err)
	}
	intake, stopIntake := context.WithCancel(context.Background())
	rest, stopRest := context.WithCancel(context.Background())
	p.stopIntake, p.stopRest = stopIntake, stopRest
	p.accepting.Go(func() { _ = p.service.Run(intake) })
	p.running.Go(func() {
		err := p.dispatcher.Run(rest)
		p.mu.Lock()
		p.err = err
		p.mu.Unlock()
	})
	w.process = p
	w.past = append(w.past, p)
	return p
}

// auditPools tells where the index of a pool has another load of a sender than the sender itself.
func (p *process) auditPools() (wrong []string) {
	d := p.dispatcher
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, pool := range p.service.roster.Load().pools {
		for i := range pool.index.Len() {
			s := d.senders[pool.index.Number(i).Number]
			if got, want := pool.index.Load(i), s.load(1); got != want || s.pool != pool.index || s.index != i {
				wrong = append(wrong, fmt.Sprintf("sender %s has %+v, its pool %+v", s.name, want, got))
			}
		}
	}
	return wrong
}

// stop ends the process as SIGTERM does, and says how long that took.
func (p *process) stop() time.Duration {
	began := time.Now()
	p.stopIntake()
	p.accepting.Wait()
	p.stopRest()
	p.running.Wait()
	took := time.Since(began)
	p.mu.Lock()
	p.dead = true
	p.mu.Unlock()
	return took
}

// kill ends the process as kill -9 does: from now on nothing it does has an effect. What is left of it ends in the background.
func (p *process) kill() {
	p.mu.Lock()
	p.dead = true
	p.mu.Unlock()
	p.stopIntake()
	p.stopRest()
}

// end ends everything.
func (w *world) end() {
	if w.process != nil && !w.process.isDead() {
		w.process.stop()
	}
	for _, p := range w.past {
		p.accepting.Wait()
		p.running.Wait()
	}
}

// send accepts one message of some units, and waits until it is stored.
func (w *world) send(from, to string, units int, expiry time.Duration) (gateway.ID, error) {
	return w.process.send(from, to, units, expiry)
}

// send accepts one message from a sender, or from the powerpack when from is empty.
func (p *process) send(from, to string, units int, expiry time.Duration) (gateway.ID, error) {
	req := &Request{
		Account: testAccount, Source: from, To: []gateway.Destination{{Number: to, Country: "US"}}, Service: gateway.SMS,
		Text: text(units), Expiry: expiry, ReceivedAt: time.Now(), Callback: gateway.Callback{URL: "http://sink.example/"},
	}
	if from == "" {
		req.Powerpack = testPack
	}
	a, err := p.service.Accept(context.Background(), req)
	if err != nil {
		return gateway.ID{}, err
	}
	return a.Messages[0], nil
}

func text(units int) string {
	if units == 1 {
		return "a"
	}
	return strings.Repeat("a", 153*units)
}

// attempts gives what all networks saw, in the order of time within each.
func (w *world) attempts() (all []attempt) {
	for _, n := range w.networks {
		all = append(all, n.seen()...)
	}
	return all
}

// settleDown waits until nothing is queued in the store but held messages, or the patience is over.
func (w *world) settleDown(patience time.Duration) {
	for until := time.Now().Add(patience); time.Now().Before(until); time.Sleep(10 * time.Second) {
		w.store.mu.Lock()
		queued := 0
		for r := range w.store.queued {
			if !r.marked {
				queued++
			}
		}
		w.store.mu.Unlock()
		if queued == 0 {
			break
		}
	}
	time.Sleep(20 * time.Second)
	synctest.Wait()
}
