package esme

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/heliograph/heliograph/internal/smpp"
)

// linkState is what a link is doing.
type linkState uint8

const (
	waiting linkState = iota // for its next try
	connecting
	binding
	bound
	unbinding
	stopped
)

func (s linkState) String() string {
	return [...]string{"waiting", "connecting", "binding", "bound", "unbinding", "stopped"}[s]
}

// link is one connection that is kept bound. Its goroutine is Carrier.Run's.
type link struct {
	carrier *Carrier
	name    string
	mode    smpp.BindMode
	window  int // of submits; 0 for a receiver
	log     *slog.Logger
	episode episode // the link's goroutine's

	// Guarded by Carrier.mu.
	session   *smpp.Session // nil: not bound
	inUse     int           // submits without an outcome, of sessions before as well
	silent    int           // submits in a row that stayed without an answer
	worked    bool          // this session answered a submit, or brought a receipt
	state     linkState
	since     time.Time
	lastError string
}

func newLink(c *Carrier, name string, mode smpp.BindMode) *link {
	l := &link{carrier: c, name: name, mode: mode, log: c.Log.With("carrier", c.Name, "bind", name), since: c.Now()}
	if mode != smpp.Receiver {
		l.window = c.Window
	}
	return l
}

// free tells whether a submit may board. Guarded by Carrier.mu.
func (l *link) free() bool { return l.session != nil && l.inUse < l.window }

// run keeps the link bound until ctx ends.
func (l *link) run(ctx context.Context) {
	c := l.carrier
	defer l.enter(stopped)
	for failed := 0; ; {
		held, err := l.hold(ctx)
		if ctx.Err() != nil {
			return
		}
		if held {
			failed = 0
		}
		failed++
		l.fail(err)
		pause := time.NewTimer(c.Reconnect.After(failed, c.Rand()))
		select {
		case <-pause.C:
		case <-ctx.Done():
			pause.Stop()
			return
		}
	}
}

// hold makes a connection, binds, and stays until the session is over or ctx ends; err is why it is over. held tells whether the bind
// was of use, or lasted: then the next try may come soon.
func (l *link) hold(ctx context.Context) (held bool, err error) {
	c := l.carrier
	in := newIntake()
	session, err := l.connect(ctx, in)
	if err != nil {
		return false, fmt.Errorf("connect: %w", err)
	}
	running, hardStop := context.WithCancel(context.WithoutCancel(ctx)) // the session outlives ctx until it is unbound
	var ended sync.WaitGroup
	ended.Go(func() { _ = session.Run(running) }) // Err has its error
	defer ended.Wait()
	defer hardStop()

	l.enter(binding)
	trying, cancel := context.WithTimeout(ctx, c.BindTimeout)
	_, err = session.Bind(trying, c.bind(l.mode))
	late := trying.Err() != nil
	cancel()
	switch {
	case late:
		return false, errors.New("the SMSC answers no bind")
	case err != nil:
		return false, bindError(err, session)
	}
	l.up(session)
	steady := l.stay(ctx, session, in)
	worked := l.down()
	if ctx.Err() != nil {
		l.unbind(ctx, session, hardStop)
		return true, nil
	}
	if err = session.Err(); err == nil {
		err = errors.New("the SMSC unbound")
	}
	return steady || worked, err
}

// connect makes a connection in time; what it will bring is in.
func (l *link) connect(ctx context.Context, in *intake) (*smpp.Session, error) {
	c := l.carrier
	l.enter(connecting)
	trying, cancel := context.WithTimeout(ctx, c.BindTimeout)
	defer cancel()
	conn, err := c.Dial(trying)
	if err != nil {
		if trying.Err() != nil && ctx.Err() == nil {
			return nil, errors.New("no connection in time")
		}
		return nil, err
	}
	return smpp.NewSession(conn, smpp.ESME, smpp.Config{
		Window:          c.Window + 1, // a place for settle's enquire_link
		ResponseTimeout: c.ResponseTimeout, EnquireAfter: c.EnquireLink, MaxInbound: c.Inbound,
		Handler: func(r *smpp.Request) { l.take(r, in) }, Logger: slog.New(sessionLog{c.troubles, l.name}),
	}), nil
}

// bindError is why a bind did not come about: the SMSC's refusal or, when the session is over, why it is.
func bindError(err error, session *smpp.Session) error {
	var refused smpp.Status
	if errors.As(err, &refused) {
		return err
	}
	if why := session.Err(); why != nil {
		return fmt.Errorf("bind: %w", why)
	}
	return fmt.Errorf("bind: %w", err)
}

// stay waits until the session is over or ctx ends, and tells whether the bind held for a while.
func (l *link) stay(ctx context.Context, session *smpp.Session, in *intake) (steady bool) {
	timer := time.NewTimer(l.carrier.Steady)
	defer timer.Stop()
	settling := time.NewTicker(settleEvery)
	defer settling.Stop()
	for {
		select {
		case <-ctx.Done():
			return steady
		case <-session.Done():
			return steady
		case <-timer.C:
			steady = true
			l.holds()
		case <-settling.C:
			l.settle(session, in)
		}
	}
}

// unbindGrace is how long an unbind may take beyond its time before the connection is closed.
const unbindGrace = 250 * time.Millisecond

// unbind ends the session in order, or in disorder when that takes too long.
func (l *link) unbind(ctx context.Context, session *smpp.Session, hardStop func()) {
	l.enter(unbinding)
	limit := l.carrier.UnbindTimeout
	timer := time.AfterFunc(limit+unbindGrace, hardStop)
	defer timer.Stop()
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), limit)
	defer cancel()
	if err := session.Unbind(ending); err != nil {
		l.log.Warn("unbound without the SMSC's answer", "reason", reason(err))
		return
	}
	l.log.Info("unbound")
}

// up lets submits board.
func (l *link) up(session *smpp.Session) {
	c := l.carrier
	c.counts.bindsMade.Add(1)
	l.found()
	c.mu.Lock()
	l.session, l.silent, l.worked = session, 0, false
	l.state, l.since = bound, c.Now()
	c.places.Add(int64(l.window))
	c.mu.Unlock()
	if l.window > 0 {
		c.nudge()
	}
}

// down lets no more submits board, and tells whether the bind was of use.
func (l *link) down() (worked bool) {
	c := l.carrier
	c.mu.Lock()
	defer c.mu.Unlock()
	l.session = nil
	c.places.Add(-int64(l.window))
	return l.worked
}

// fail notes why the link is not bound and that it waits.
func (l *link) fail(err error) {
	c, why := l.carrier, reason(err)
	c.counts.bindsLost.Add(1)
	c.mu.Lock()
	l.state, l.since, l.lastError = waiting, c.Now(), why
	c.mu.Unlock()
	l.lost(why)
}

func (l *link) enter(state linkState) {
	l.carrier.mu.Lock()
	defer l.carrier.mu.Unlock()
	l.state, l.since = state, l.carrier.Now()
}

// useful notes that the bind serves.
func (l *link) useful() {
	l.carrier.mu.Lock()
	defer l.carrier.mu.Unlock()
	l.worked = true
}
