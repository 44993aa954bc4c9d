package mm4

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"time"
)

// TLSMode says how a connection is encrypted.
type TLSMode uint8

// TLS modes.
const (
	TLSNone     TLSMode = iota // plain: for networks that are private otherwise
	TLSStart                   // STARTTLS, without which nothing is sent
	TLSImplicit                // TLS from the first octet
)

// Timeouts bound the phases of SMTP. Zero values are replaced by the defaults in the comments; RFC 5321, 4.5.3.2, would wait longer, for people.
type Timeouts struct {
	Connect time.Duration // TCP and TLS (30 s)
	Command time.Duration // the greeting, and the answer to each command (1 min)
	Data    time.Duration // each piece of content that is written (1 min)
	Final   time.Duration // the answer to the end of the content (5 min)
}

func (t Timeouts) withDefaults() Timeouts {
	for _, d := range []struct {
		at    *time.Duration
		value time.Duration
	}{{&t.Connect, 30 * time.Second}, {&t.Command, time.Minute}, {&t.Data, time.Minute}, {&t.Final, 5 * time.Minute}} {
		if *d.at <= 0 {
			*d.at = d.value
		}
	}
	return t
}

// ClientConfig is how to reach a peer. Zero values are replaced by the defaults in the comments.
type ClientConfig struct {
	Address string // host:port
	Dial    func(ctx context.Context, network, address string) (net.Conn, error)
	Name    string // what EHLO says: our own host
	TLS     TLSMode
	Config  *tls.Config // nil: the system's roots, and the host of Address

	User, Password string
	AuthInClear    bool // the password may go over a connection without TLS

	NoBinary      bool          // BINARYMIME is not used, for peers that offer it and fail at it
	Connections   int           // at once (4)
	PerConnection int           // mails on one connection before another is made (1000)
	Idle          time.Duration // how long a connection without work is kept (30 s)
	Timeouts      Timeouts
	Drain         time.Duration // how long Run waits for the mails in hand when its context ends (5 s)
	// RetryFirst and RetryMost are the pauses between tries to reach a peer that is down, doubled from the one to the other (1 s, 1 min).
	RetryFirst, RetryMost time.Duration

	// OnChange is called after the peer was found to be up or down, from any goroutine; it must not block. nil: nothing.
	OnChange func()
}

func (c *ClientConfig) setDefaults() {
	if c.Dial == nil {
		c.Dial = new(net.Dialer).DialContext
	}
	if c.Connections <= 0 {
		c.Connections = 4
	}
	if c.PerConnection <= 0 {
		c.PerConnection = 1000
	}
	for _, d := range []struct {
		at    *time.Duration
		value time.Duration
	}{{&c.Idle, 30 * time.Second}, {&c.Drain, 5 * time.Second}, {&c.RetryFirst, time.Second}, {&c.RetryMost, time.Minute}} {
		if *d.at <= 0 {
			*d.at = d.value
		}
	}
	c.Timeouts = c.Timeouts.withDefaults()
}

// Mail is a message with its envelope.
type Mail struct {
	From    Address   // MAIL FROM; zero: the message's Sender
	To      []Address // RCPT TO: the recipients that this peer is to serve, each with a host
	Message Message
}

// Client sends mail to one peer over several connections that are kept and used again. Make it with NewClient; Run must be running.
type Client struct {
	cfg   ClientConfig
	jobs  chan job
	probe chan struct{} // of capacity 1: the peer was found to be down

	mu      sync.Mutex
	running bool
	up      bool
	since   time.Time
	err     error // why the peer is down
	places  int   // jobs may be in hand, waiting or being sent
	inHand  int
}

type job struct {
	mail Mail
	done func(Outcome)
}

// Errors of mails that were not tried.
var (
	ErrNotRunning = errors.New("mm4: the client is not running")
	ErrDown       = errors.New("mm4: the peer cannot be reached")
	ErrFull       = errors.New("mm4: as many mails are in hand as may be")
)

// NewClient checks a configuration.
func NewClient(cfg ClientConfig) (*Client, error) {
	cfg.setDefaults()
	host, _, err := net.SplitHostPort(cfg.Address)
	switch {
	case err != nil:
		return nil, fmt.Errorf("mm4: address: %w", err)
	case cfg.Name == "" || len(cfg.Name) > maxHost || !only(cfg.Name, isHostChar):
		return nil, errors.New("mm4: the name for EHLO is no host name")
	case cfg.TLS > TLSImplicit:
		return nil, errors.New("mm4: no such TLS mode")
	case cfg.Password != "" && cfg.User == "":
		return nil, errors.New("mm4: a password without a user")
	case cfg.User != "" && cfg.TLS == TLSNone && !cfg.AuthInClear:
		return nil, errors.New("mm4: a password would go over the network in clear")
	}
	if cfg.Config == nil {
		cfg.Config = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	if cfg.Config.ServerName == "" {
		cfg.Config = cfg.Config.Clone()
		cfg.Config.ServerName = host
	}
	places := 2 * cfg.Connections // one is sent while the next is at hand
	return &Client{cfg: cfg, places: places, jobs: make(chan job, places), probe: make(chan struct{}, 1), since: time.Now()}, nil
}

// Places is how many mails may be in hand at once: none before the peer was reached, while it is down, and after Run.
func (c *Client) Places() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.running || !c.up {
		return 0
	}
	return c.places
}

// State says whether the peer is up, since when, and why not.
func (c *Client) State() (up bool, since time.Time, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.running && c.up, c.since, c.err
}

// Submit hands a mail over and returns without waiting. done is called exactly once, from any goroutine and maybe before Submit returns; it must
// not block.
func (c *Client) Submit(mail Mail, done func(Outcome)) {
	if err := c.enter(); err != nil {
		done(failure(PhaseNothing, err))
		return
	}
	c.jobs <- job{mail, done} // there is room for every mail that has a place
}

// enter takes a place.
func (c *Client) enter() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case !c.running:
		return ErrNotRunning
	case !c.up:
		return ErrDown
	case c.inHand >= c.places:
		return ErrFull
	}
	c.inHand++
	return nil
}

// finish gives the place back before it says what became of the mail, so that done may submit the next one.
func (c *Client) finish(j job, out Outcome) {
	c.mu.Lock()
	c.inHand--
	c.mu.Unlock()
	j.done(out)
}

// Run keeps the connections until ctx ends. Then no mail is begun any more, those in hand have Drain to come to their end, and Run returns when
// every one was told what became of it. It can be called once.
func (c *Client) Run(ctx context.Context) error {
	hard, cut := context.WithCancel(context.WithoutCancel(ctx))
	defer cut()
	c.mu.Lock()
	c.running = true
	c.mu.Unlock()
	var workers sync.WaitGroup
	for range c.cfg.Connections {
		workers.Go(func() { c.work(ctx, hard) })
	}
	workers.Go(func() { c.watch(ctx) })
	<-ctx.Done()
	c.stop()
	drained := time.AfterFunc(c.cfg.Drain, cut)
	workers.Wait()
	drained.Stop()
	for c.waiting() { // those that no worker came to
		c.finish(<-c.jobs, failure(PhaseNothing, ErrNotRunning))
	}
	return nil
}

// stop lets no more mail in.
func (c *Client) stop() {
	c.mu.Lock()
	c.running, c.up = false, false
	c.mu.Unlock()
}

// waiting tells whether a mail has a place. When the workers have ended, it is in jobs or on its way there.
func (c *Client) waiting() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.inHand > 0
}

// work is one connection's: it sends one mail after the other, and makes the connection when there is one to send.
func (c *Client) work(ctx, hard context.Context) {
	var conn *connection
	defer func() { conn.quit() }()
	idle := time.NewTimer(c.cfg.Idle)
	defer idle.Stop()
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
			return
		case <-idle.C:
			conn.quit()
			conn = nil
		case j := <-c.jobs:
			conn = c.send(hard, conn, j)
			idle.Reset(c.cfg.Idle)
		}
	}
}

// send sends a mail over a connection that is there, or a new one, and returns the one to use next, if any.
func (c *Client) send(ctx context.Context, conn *connection, j job) *connection {
	encoded, err := checkMail(j.mail)
	if err != nil {
		c.finish(j, Outcome{Status: Refused, Phase: PhaseNothing, Err: err})
		return conn
	}
	for {
		used := conn != nil
		if !used {
			if conn, err = connect(ctx, &c.cfg); err != nil {
				c.turn(false, err)
				c.finish(j, failure(PhaseConnect, err))
				return nil
			}
			c.turn(true, nil)
		}
		out, usable := conn.send(ctx, j.mail, encoded)
		if !usable || conn.sent >= c.cfg.PerConnection {
			conn.quit()
			conn = nil
		}
		if used && !usable && out.Phase == PhaseMail && ctx.Err() == nil {
			continue // the peer closed it while there was nothing to do
		}
		c.finish(j, out)
		return conn
	}
}

// checkMail refuses what could not be sent in any transfer.
func checkMail(m Mail) (encoded func(Transfer) (*document, error), err error) {
	if m.Message == nil {
		return nil, errors.New("mm4: a mail without a message")
	}
	if len(m.To) == 0 {
		return nil, errors.New("mm4: a mail without recipients")
	}
	for _, a := range append([]Address{m.from()}, m.To...) {
		if a.Host == "" || a.check() != nil {
			return nil, fmt.Errorf("mm4: envelope: %w", errAddress)
		}
	}
	if _, err := newDocument(m.Message, Transfer{}); err != nil {
		return nil, err
	}
	return func(t Transfer) (*document, error) { return newDocument(m.Message, t) }, nil
}

func (m Mail) from() Address {
	if m.From.IsZero() {
		return m.Message.head().Sender
	}
	return m.From
}

// turn keeps whether the peer is up. Once it is down, mails are no longer tried: watch finds out when it is back.
func (c *Client) turn(up bool, err error) {
	c.mu.Lock()
	changed := c.running && c.up != up
	if changed {
		c.up, c.since = up, time.Now()
	}
	c.err = err
	c.mu.Unlock()
	if !changed {
		return
	}
	if !up {
		select {
		case c.probe <- struct{}{}:
		default:
		}
	}
	if c.cfg.OnChange != nil {
		c.cfg.OnChange()
	}
}

// watch tries to reach the peer, at the start and whenever it is down.
func (c *Client) watch(ctx context.Context) {
	for pause := c.cfg.RetryFirst; ; {
		conn, err := connect(ctx, &c.cfg)
		if ctx.Err() != nil {
			conn.close()
			return
		}
		c.turn(err == nil, err)
		if err == nil {
			conn.quit()
			pause = c.cfg.RetryFirst
			select {
			case <-c.probe:
			case <-ctx.Done():
				return
			}
		}
		timer := time.NewTimer(pause/2 + rand.N(pause/2+1))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return
		}
		pause = min(2*pause, c.cfg.RetryMost)
	}
}
