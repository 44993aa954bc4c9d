package smpptest

import (
	"cmp"
	"context"
	"crypto/subtle"
	"crypto/tls"
	"errors"
	"fmt"
	"hash/maphash"
	"math/rand/v2"
	"net"
	"slices"
	"sync"

	"github.com/heliograph/heliograph/internal/smpp"
)

// SMSC is one. Run must be running for anything to happen.
type SMSC struct {
	listener net.Listener
	server   smpp.Server
	later    delay // answers held back

	mu         sync.Mutex
	cfg        Config
	counters   Counters
	news       chan struct{} // closed at the next change; nil while nobody waits
	record     []Submit
	oldest     int // in record
	random     *rand.Rand
	tokens     bucket
	references uint16 // of the last text from a handset
	turn       int    // whose turn it is among the receivers
	failures   int    // how many messages were not delivered: whose turn it is in Config.Failures
	seed       maphash.Seed
	seen       map[uint64]struct{} // Config.Distinct
	conns      map[*smpp.Session]*connection
	mailboxes  map[string]*mailbox // by system_id
	running    *sync.WaitGroup     // mailboxes' goroutines; nil unless Run runs
	ctx        context.Context     // of Run; likewise
}

// connection is what we know of a session.
type connection struct {
	conn    net.Conn
	mailbox *mailbox // set when it is bound,
	bind    int64    // as which, counted from 1
}

// errDropped ends a session that Config has dropped.
var errDropped = errors.New("smpptest: dropped")

// Listen makes an SMSC that listens already: connections wait until Run.
func Listen(cfg Config) (*SMSC, error) {
	cfg.setDefaults()
	listener := cfg.Listener
	if listener == nil {
		var err error
		if listener, err = net.Listen("tcp", cfg.Address); err != nil {
			return nil, fmt.Errorf("smpptest: %w", err)
		}
	}
	if cfg.TLS != nil {
		listener = tls.NewListener(listener, cfg.TLS)
	}
	s := &SMSC{
		listener: listener, cfg: cfg,
		random: rand.New(rand.NewPCG(cfg.Seed, 0)), seed: maphash.MakeSeed(), seen: make(map[uint64]struct{}),
		conns: make(map[*smpp.Session]*connection), mailboxes: make(map[string]*mailbox),
	}
	s.later.wake = make(chan struct{}, 1)
	session := cfg.Session
	session.Window = cfg.Window
	session.MaxInbound = maxInbound
	session.Handler = s.handle
	session.Authenticate = s.authenticate
	s.server = smpp.Server{Config: session, MaxSessions: 2 * cfg.MaxBinds, Opened: s.opened, Ended: s.ended}
	return s, nil
}

// maxInbound is no bound: submits that are never answered would exhaust one. Those held back are bounded by MaxPending.
const maxInbound = 1 << 40

// Addr is where it listens.
func (s *SMSC) Addr() string { return s.listener.Addr().String() }

// Run serves until ctx ends, and returns when all connections have ended.
func (s *SMSC) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	s.mu.Lock()
	s.ctx, s.running = ctx, &wg
	s.mu.Unlock()
	wg.Go(func() { s.later.run(ctx) })
	return s.server.Serve(ctx, s.listener)
}

// TB is what New needs of a test.
type TB interface {
	Helper()
	Cleanup(func())
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
}

// New runs an SMSC until the test ends.
func New(t TB, edits ...func(*Config)) *SMSC {
	t.Helper()
	var cfg Config
	for _, edit := range edits {
		edit(&cfg)
	}
	s, err := Listen(cfg)
	if err != nil {
		t.Fatalf("%v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("%v", err)
		}
	})
	return s
}

// Set turns knobs while it runs. Address, Listener, TLS, Window, Session and the bounds stay as they were.
func (s *SMSC) Set(edit func(*Config)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	edit(&s.cfg)
	s.cfg.setDefaults()
}

// Disconnect drops every connection.
func (s *SMSC) Disconnect() {
	s.mu.Lock()
	sessions := make([]*smpp.Session, 0, len(s.conns))
	for session := range s.conns {
		sessions = append(sessions, session)
	}
	s.counters.Disconnects += int64(len(sessions))
	s.mu.Unlock()
	for _, session := range sessions {
		session.Close(errDropped)
	}
}

// ErrNoReceiver: no bind stands that takes messages.
var ErrNoReceiver = errors.New("smpptest: no receiver is bound")

// Deliver sends a message over one of the binds that take them, and waits for its answer.
func (s *SMSC) Deliver(ctx context.Context, message *smpp.DeliverSM) (smpp.Response, error) {
	r, err := s.receiver(0)
	if err != nil {
		return smpp.Response{}, err
	}
	return s.deliver(ctx, r, message)
}

// receiver is a bind that takes messages.
type receiver struct {
	session *smpp.Session
	mailbox *mailbox
	bind    int64
}

// receiver finds the n-th of those that stand, in the order in which they bound, or with 0 the one whose turn it is.
func (s *SMSC) receiver(n int) (receiver, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []receiver
	for session, c := range s.conns {
		if c.mailbox != nil && takesMessages(session) {
			list = append(list, receiver{session, c.mailbox, c.bind})
		}
	}
	if len(list) == 0 || n > len(list) {
		return receiver{}, ErrNoReceiver
	}
	slices.SortFunc(list, func(a, b receiver) int { return cmp.Compare(a.bind, b.bind) })
	if n == 0 {
		n = s.turn%len(list) + 1
		s.turn++
	}
	return list[n-1], nil
}

// deliver sends a message over a bind, waits for its answer and counts it.
func (s *SMSC) deliver(ctx context.Context, r receiver, message smpp.PDU) (smpp.Response, error) {
	defer signal(r.mailbox.wake) // receipts may wait for the place that this takes
	s.count(func(c *Counters) { c.InboundSent++ })
	answer, err := r.session.Do(ctx, message)
	s.count(func(c *Counters) { c.inbound(answer, err) })
	return answer, err
}

func takesMessages(session *smpp.Session) bool {
	state := session.State()
	return state == smpp.BoundRX || state == smpp.BoundTRX
}

func (s *SMSC) opened(session *smpp.Session, conn net.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.conns[session] = &connection{conn: conn}
	s.counters.Connections++
	s.changed()
}

func (s *SMSC) ended(session *smpp.Session) {
	s.mu.Lock()
	c := s.conns[session]
	delete(s.conns, session)
	if c.mailbox != nil {
		s.counters.Bound--
	}
	s.changed()
	s.mu.Unlock()
	if c.mailbox != nil {
		c.mailbox.leave(session)
	}
}

// authenticate decides about a bind.
func (s *SMSC) authenticate(bind *smpp.BindRequest) {
	s.mu.Lock()
	cfg := &s.cfg
	name, status, garbage, silence, nack := cfg.Name, cfg.BindRefuse, cfg.BindGarbage, cfg.BindSilence, cfg.BindNack
	switch {
	case status != smpp.ESME_ROK:
	case cfg.SystemID != "" && bind.SystemID != cfg.SystemID:
		status = smpp.ESME_RINVSYSID
	case cfg.Password != "" && subtle.ConstantTimeCompare([]byte(bind.Password), []byte(cfg.Password)) != 1:
		status = smpp.ESME_RINVPASWD
	case s.counters.Bound >= int64(cfg.MaxBinds):
		status = smpp.ESME_RALYBND
	case s.mailboxes[bind.SystemID] == nil && len(s.mailboxes) >= cfg.MaxBinds: // their receipts wait for them
		status = smpp.ESME_RBINDFAIL
	}
	c := s.conns[bind.Session()]
	s.mu.Unlock()
	switch {
	case silence:
	case garbage:
		_, _ = c.conn.Write(garbageOctets()) // the peer may be gone
	case nack != smpp.ESME_ROK:
		_, _ = c.conn.Write(smpp.AppendStatus(nil, smpp.CommandGenericNack, bind.Header().Sequence, nack)) // likewise
	case status != smpp.ESME_ROK:
		s.count(func(c *Counters) { c.BindsRefused++ })
		_ = bind.Refuse(status) // likewise
	default:
		m := s.bound(bind, c) // first: once the ESME knows, everybody may
		if bind.Accept(name) == nil {
			m.join(bind.Session())
		}
	}
}

// bound gives a connection the account's mailbox.
func (s *SMSC) bound(bind *smpp.BindRequest, c *connection) *mailbox {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.mailboxes[bind.SystemID]
	if m == nil {
		m = newMailbox(s)
		s.mailboxes[bind.SystemID] = m
		s.running.Go(func() { m.run(s.ctx) })
	}
	c.mailbox = m
	s.counters.Binds++
	c.bind = s.counters.Binds
	s.counters.Bound++
	s.changed()
	return m
}

// garbageOctets are no PDU: what a proxy answers that speaks another protocol.
func garbageOctets() []byte { return []byte("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n") }
