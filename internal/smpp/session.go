package smpp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// What can become of a request that was not answered. Every such error is one of the first two.
var (
	// ErrNotSent: not an octet of it has left, nor will.
	ErrNotSent = errors.New("smpp: not sent")
	// ErrUnanswered: it may have arrived, and no answer came: in time, or before the connection was lost.
	ErrUnanswered = errors.New("smpp: sent and not answered")

	// ErrWindowFull: as many requests are outstanding as may.
	ErrWindowFull = fmt.Errorf("%w: no place in the window", ErrNotSent)
	// ErrBindState: the bind, or its absence, does not allow such a request.
	ErrBindState = fmt.Errorf("%w: not allowed in this bind state", ErrNotSent)
	// ErrClosed: the session is over, or about to be.
	ErrClosed = fmt.Errorf("%w: the session is over", ErrNotSent)
)

// Why a session ended, beside errors of the connection.
var (
	// ErrPeerSilent: enquire_links stayed without an answer.
	ErrPeerSilent = errors.New("smpp: the peer answers no enquire_link")
	// ErrPeerStalled: the peer takes nothing any more, or stopped in the middle of a PDU.
	ErrPeerStalled = errors.New("smpp: the peer stalled")
	// ErrNotBound: no bind came in time.
	ErrNotBound = errors.New("smpp: no bind in time")
	// ErrPeerClosed: the peer closed the connection without an unbind.
	ErrPeerClosed = errors.New("smpp: the peer closed the connection")

	errFinished = errors.New("smpp: unbound")
)

// Config is how a session behaves. Zero values mean the defaults in parentheses.
type Config struct {
	Window          int           // our requests without an answer (10)
	ResponseTimeout time.Duration // of our requests (10 s)
	EnquireAfter    time.Duration // of silence comes an enquire_link (30 s); negative: never
	EnquireLimit    int           // unanswered enquire_links in a row that end the session (3)
	MaxPDU          int           // octets (66 KiB: the largest message_payload fits)
	FrameTimeout    time.Duration // a PDU that has begun must be complete within it (10 s)
	WriteTimeout    time.Duration // a write must be over within it (10 s)
	BindTimeout     time.Duration // SMSC: a connection without a bind is closed after it (5 s)
	MaxInbound      int           // the peer's requests without our answer (1000); more are refused, see Request

	// Handler gets the peer's requests. It runs on the reading goroutine and must not wait; the answer may come later, from anywhere.
	// Without one they are answered ESME_RSYSERR, so that the peer keeps what it has.
	Handler func(*Request)
	// Authenticate gets the bind requests, in the SMSC's role; likewise. Without one they are refused.
	Authenticate func(*BindRequest)
	// Logger hears of PDUs that cannot be decoded, at most once a minute and session. Nil: nothing is logged.
	Logger *slog.Logger
}

// Defaults of Config.
const (
	defaultWindow       = 10
	defaultTimeout      = 10 * time.Second
	defaultEnquireAfter = 30 * time.Second
	defaultEnquireLimit = 3
	defaultMaxPDU       = 66 << 10
	defaultBindTimeout  = 5 * time.Second
	defaultMaxInbound   = 1000
)

func (c Config) withDefaults() Config {
	orInt := func(n *int, otherwise int) {
		if *n <= 0 {
			*n = otherwise
		}
	}
	orDuration := func(d *time.Duration, otherwise time.Duration) {
		if *d == 0 {
			*d = otherwise
		}
	}
	orInt(&c.Window, defaultWindow)
	orInt(&c.EnquireLimit, defaultEnquireLimit)
	orInt(&c.MaxPDU, defaultMaxPDU)
	orInt(&c.MaxInbound, defaultMaxInbound)
	orDuration(&c.ResponseTimeout, defaultTimeout)
	orDuration(&c.EnquireAfter, defaultEnquireAfter)
	orDuration(&c.FrameTimeout, defaultTimeout)
	orDuration(&c.WriteTimeout, defaultTimeout)
	orDuration(&c.BindTimeout, defaultBindTimeout)
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c
}

// Response is the answer to a request. A refusal is one too: look at Status.
type Response struct {
	Status Status
	PDU    PDU // of the type that answers the request, or *GenericNack
}

// Stats counts since the session began.
type Stats struct {
	Sent        int64 // requests of ours that got a place
	Answered    int64
	TimedOut    int64 // or abandoned by their caller
	Late        int64 // responses that nobody waited for any more
	Received    int64 // the peer's requests, without enquire_link
	Refused     int64 // of these, for want of room
	Undecodable int64
}

// Session is a connection with, at times, a bind on it, in either role. Its goroutines are Run's: one reads, one writes, one keeps the time.
// Fields that say nothing else are set once.
type Session struct {
	conn   net.Conn
	role   Role
	cfg    Config
	frames *frames       // the reading goroutine's
	wake   chan struct{} // of capacity 1: the outbox has something
	room   chan struct{} // of capacity 1: the outbox was emptied
	over   chan struct{} // closed when the session failed or finished
	done   chan struct{} // closed when Run has ended everything

	tick    time.Duration
	ticks   atomic.Int64 // the time, in ticks since Run; the timekeeper writes it
	heard   atomic.Int64 // tick of the last PDU
	partial atomic.Int64 // tick at which the PDU began that is being received, or never
	writing atomic.Int64 // tick at which the write began that is going on, or never

	mu        sync.Mutex // guards what follows, up to the next empty line
	state     State
	bind      *Bind    // what was bound with
	binding   bool     // a bind request is being decided about, or awaits its answer
	leaving   bool     // Unbind was called, or the peer unbinds: no requests are taken any more
	parting   *Request // the peer's unbind, while answers to our requests are still awaited
	partBy    int64    // tick after which they are not
	finishing bool     // the session is over once the outbox is empty,
	reason    error    // for this reason
	err       error    // why it is over
	window    window
	outbox    outbox
	inbound   int // the peer's requests without our answer
	quiet     []chan struct{}
	stats     Stats
	enquiring bool // an enquire_link is outstanding
	missed    int  // unanswered enquire_links in a row

	loggedAt int64 // tick of the last line about an undecodable PDU; the reading goroutine's
}

// never is a tick that does not come.
const never = int64(1) << 62

// NewSession makes a session over a fresh connection. Nothing happens before Run; without it, Close closes the connection.
func NewSession(conn net.Conn, role Role, cfg Config) *Session {
	s := &Session{
		conn: conn, role: role, cfg: cfg.withDefaults(),
		wake: make(chan struct{}, 1), room: make(chan struct{}, 1), over: make(chan struct{}), done: make(chan struct{}),
		loggedAt: -never,
	}
	s.frames = newFrames(conn, s.cfg.MaxPDU, s.receiving)
	s.window = newWindow(s.cfg.Window)
	s.tick = s.cfg.tick()
	s.partial.Store(never)
	s.writing.Store(never)
	return s
}

// Run runs the session until it is over: unbound by either side (nil), failed, or ctx ended, which closes the connection at once. When it
// returns, every request has its outcome and nothing that it started is left.
func (s *Session) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	wg.Go(s.write)
	wg.Go(func() { s.keepTime(ctx) })
	s.read()
	wg.Wait()
	s.settle()
	close(s.done)
	return s.Err()
}

// fail ends the session at once. Only the first reason counts, and a session that is finishing has its reason already.
func (s *Session) fail(reason error) {
	s.mu.Lock()
	first := s.err == nil
	if first {
		if s.finishing {
			reason = s.reason
		}
		s.err = reason
		s.state = Closed
		close(s.over)
		s.window.wakeAll()
		s.wakeQuiet()
	}
	s.mu.Unlock()
	if first {
		_ = s.conn.Close() // nobody could do anything about its error
	}
}

// finish ends the session as soon as what waits is written. Nothing more is queued.
func (s *Session) finish(reason error) {
	s.mu.Lock()
	if !s.finishing {
		s.finishing, s.reason = true, reason
	}
	s.mu.Unlock()
	s.hurry()
}

// settle gives each request that is still outstanding its outcome: whether an octet of it may have left is known now.
func (s *Session) settle() {
	s.mu.Lock()
	written := s.outbox.written
	var left []place
	for s.window.oldest != nil {
		left = append(left, s.window.give(s.window.oldest))
	}
	cause := s.err
	s.mu.Unlock()
	// The cause is told and not wrapped: it may be the outcome of another request.
	notSent := fmt.Errorf("%w: %v", ErrNotSent, cause)
	unanswered := fmt.Errorf("%w: %v", ErrUnanswered, cause)
	for _, p := range left {
		if p.start < written {
			p.done(Response{}, unanswered)
		} else {
			p.done(Response{}, notSent)
		}
	}
}

// Submit sends a request and returns at once. done is called exactly once: with the answer, or with an error that is ErrNotSent or
// ErrUnanswered. It may be called before Submit returns, from any goroutine, and must not wait; the place in the window is free by then.
func (s *Session) Submit(pdu PDU, done func(Response, error)) {
	if _, err := s.request(pdu, done, true); err != nil {
		done(Response{}, err)
	}
}

// request registers the waiter and queues the PDU. When it gives an error, nothing happened and done is not called. counts is false for
// the session's own requests, which need no place in the window.
func (s *Session) request(pdu PDU, done func(Response, error), counts bool) (sequence uint32, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.state == Closed || s.finishing || s.leaving && counts:
		return 0, ErrClosed
	case !requestStates(s.role, pdu.Command()).has(s.state):
		return 0, ErrBindState
	case counts && s.window.full():
		return 0, ErrWindowFull
	}
	start := s.outbox.position()
	sequence = s.window.nextSequence()
	if err := s.enqueue(sequence, ESME_ROK, pdu); err != nil {
		return 0, fmt.Errorf("%w: %w", ErrNotSent, err)
	}
	s.window.take(place{
		sequence: sequence, command: pdu.Command(), counts: counts, start: start,
		due: s.ticks.Load() + s.inTicks(s.cfg.ResponseTimeout), done: done,
	})
	s.stats.Sent++
	s.hurry()
	return sequence, nil
}

// Do sends a request and waits for its answer. While the window is full it waits for a place. When ctx ends first the request is abandoned:
// ErrNotSent if it had no place yet, ErrUnanswered if it had.
func (s *Session) Do(ctx context.Context, pdu PDU) (Response, error) {
	for {
		response, err := s.do(ctx, pdu, true, nil)
		if !errors.Is(err, ErrWindowFull) {
			return response, err
		}
		s.mu.Lock()
		if s.state == Closed || !s.window.full() {
			s.mu.Unlock()
			continue
		}
		place := s.window.wait()
		s.mu.Unlock()
		select {
		case <-place:
		case <-ctx.Done():
			s.leaveQueue(place)
			return Response{}, fmt.Errorf("%w: %w", ErrNotSent, ctx.Err())
		}
	}
}

// leaveQueue stops waiting for a place. One that was offered meanwhile goes to the next who waits.
func (s *Session) leaveQueue(place chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.window.forget(place) {
		s.window.wakeOne()
	}
}

// do sends a request and waits. answered, unless nil, hears of the answer before the next PDU is read.
func (s *Session) do(ctx context.Context, pdu PDU, counts bool, answered func(Response)) (Response, error) {
	type outcome struct {
		response Response
		err      error
	}
	answer := make(chan outcome, 1)
	sequence, err := s.request(pdu, func(r Response, err error) {
		if err == nil && answered != nil {
			answered(r)
		}
		answer <- outcome{r, err}
	}, counts)
	if err != nil {
		return Response{}, err
	}
	select {
	case o := <-answer:
		return o.response, o.err
	case <-ctx.Done():
	}
	if s.abandon(sequence) {
		return Response{}, fmt.Errorf("%w: %w", ErrUnanswered, ctx.Err())
	}
	o := <-answer // it is on its way
	return o.response, o.err
}

// abandon gives the place of a request back whose caller waits no longer. It answers false when the outcome was decided before.
func (s *Session) abandon(sequence uint32) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.window.places[sequence]
	if p == nil {
		return false
	}
	s.window.give(p)
	s.stats.TimedOut++
	s.checkQuiet()
	return true
}

// Bind binds, in the ESME's role. A refusal is an error that is a Status. After any error the session is good for nothing but Close: an answer
// that came too late would leave a bind at the SMSC that we know nothing of.
func (s *Session) Bind(ctx context.Context, bind *Bind) (*BindResp, error) {
	response, err := s.do(ctx, bind, false, func(r Response) {
		if r.Status == ESME_ROK {
			s.bound(bind) // at once: the SMSC may deliver right behind its answer
		}
	})
	if err != nil {
		return nil, err
	}
	if response.Status != ESME_ROK {
		return nil, fmt.Errorf("smpp: %s answered %w", bind.Command(), response.Status)
	}
	resp, ok := response.PDU.(*BindResp)
	if !ok {
		return nil, fmt.Errorf("smpp: %s answered with %s", bind.Command(), response.PDU.Command())
	}
	return resp, nil
}

func (s *Session) bound(bind *Bind) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state == Open {
		s.state, s.bind = bind.Mode.state(), bind
	}
}

// Unbind ends the session in order: it takes no more requests, waits until those outstanding are answered on both sides, or ctx ends, then
// unbinds, and returns when Run has ended. Requests that are still without an answer have their outcome then.
func (s *Session) Unbind(ctx context.Context) error {
	err := s.awaitQuiet(ctx)
	if err == nil {
		// From the answer on the session is finishing: the peer closes the connection, and that is in order.
		_, err = s.do(ctx, new(Unbind), false, func(Response) { s.finish(errFinished) })
	} else {
		_, _ = s.request(new(Unbind), func(Response, error) {}, false) // without waiting for its answer
	}
	s.finish(errFinished)
	<-s.done
	if errors.Is(err, ErrNotSent) { // nothing was bound, or the session was over
		return nil
	}
	return err
}

// awaitQuiet takes no more requests and waits until none is outstanding on either side.
func (s *Session) awaitQuiet(ctx context.Context) error {
	s.mu.Lock()
	s.leaving = true
	quiet := make(chan struct{})
	s.quiet = append(s.quiet, quiet)
	s.checkQuiet()
	s.mu.Unlock()
	select {
	case <-quiet:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// checkQuiet tells those who wait for it that nothing is outstanding. mu is held.
func (s *Session) checkQuiet() {
	if s.window.used == 0 && s.inbound == 0 || s.state == Closed {
		s.wakeQuiet()
	}
}

func (s *Session) wakeQuiet() {
	for _, c := range s.quiet {
		close(c)
	}
	s.quiet = nil
}

// Close ends the session at once. Err is reason then.
func (s *Session) Close(reason error) {
	if reason == nil {
		reason = errFinished
	}
	s.fail(reason)
}

// Done is closed when Run has ended.
func (s *Session) Done() <-chan struct{} { return s.done }

// Err is why the session is over; nil while it is not, and when it was unbound in order.
func (s *Session) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case errors.Is(s.err, errFinished):
		return nil
	case errors.Is(s.err, io.EOF):
		return ErrPeerClosed
	}
	return s.err
}

// State is where the session is.
func (s *Session) State() State {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state
}

// Bound is what the ESME bound with, nil before.
func (s *Session) Bound() *Bind {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.bind
}

// Window is how many requests may be outstanding.
func (s *Session) Window() int { return s.cfg.Window }

// Outstanding is how many of our requests have no outcome yet.
func (s *Session) Outstanding() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.window.used
}

// Stats gives the counts.
func (s *Session) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stats
}

// RemoteAddr is the peer's address.
func (s *Session) RemoteAddr() net.Addr { return s.conn.RemoteAddr() }
