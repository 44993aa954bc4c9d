package vasp

import (
	"context"
	"errors"
	"net"
	"time"

	"github.com/heliograph/heliograph/internal/trouble"
)

// reachState is whether submits leave.
type reachState uint8

const (
	connecting reachState = iota // for the first time, or again
	up
	trying  // one submit at a time may leave, until one is answered
	waiting // to look again
	stopped
)

func (s reachState) String() string {
	return [...]string{"connecting", "up", "trying", "waiting", "stopped"}[s]
}

// reach is what is known of the way to the MMSC. Guarded by Carrier.mu.
type reach struct {
	state     reachState
	since     time.Time
	silent    int  // submits in a row that stayed without an answer
	worked    bool // a submit was answered since it was up last
	lastError string
	said      string // the reason that the log was told last; empty: it is up, for all that the log knows
}

// enter changes the state, and the places with it. Guarded by mu.
func (c *Carrier) enter(state reachState) {
	c.reach.state, c.reach.since = state, c.Now()
	switch state {
	case up:
		c.places.Store(int64(c.Window))
	case trying:
		c.places.Store(1)
	default:
		c.places.Store(0)
	}
}

// watch finds out whether the MMSC can be reached: at first, and whenever submits say that it cannot. It returns when ctx ends.
func (c *Carrier) watch(ctx context.Context) {
	state := up
	for failed := 0; ; {
		c.look(connecting, "")
		err := c.Probe(ctx)
		if ctx.Err() != nil {
			return
		}
		if err == nil {
			c.found(state)
			select {
			case <-ctx.Done():
				return
			case <-c.fallen:
			}
			if c.worked() {
				failed = 0
			}
		} else {
			c.look(waiting, trouble.Reason(err))
		}
		failed++
		state = trying
		pause := time.NewTimer(c.Reconnect.After(failed, c.Rand()))
		select {
		case <-pause.C:
		case <-ctx.Done():
			pause.Stop()
			return
		}
	}
}

// look notes what watch is doing, and why.
func (c *Carrier) look(state reachState, why string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.enter(state)
	if why != "" {
		c.lost(why)
	}
}

// lost notes why the MMSC cannot be reached, which the log hears once. Guarded by mu.
func (c *Carrier) lost(why string) {
	c.reach.lastError = why
	if c.reach.said != why {
		c.reach.said = why
		c.troubles.Warn("the MMSC cannot be reached; it is looked for again", "reason", why)
	}
}

// found lets submits leave: all at first, one when the last ones failed.
func (c *Carrier) found(state reachState) {
	c.mu.Lock()
	c.reach.silent, c.reach.worked = 0, false
	c.rise(state)
	c.mu.Unlock()
	c.nudge()
}

// rise lets submits leave. Guarded by mu.
func (c *Carrier) rise(state reachState) {
	c.enter(state)
	if state == up {
		c.counts.ups.Add(1)
		c.reach.said = ""
		c.troubles.Info("the MMSC can be reached")
	}
}

func (c *Carrier) worked() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.reach.worked
}

// answered notes that a submit was answered, whatever the answer was.
func (c *Carrier) answered() {
	c.mu.Lock()
	c.reach.silent, c.reach.worked = 0, true
	rose := c.reach.state == trying
	if rose {
		c.rise(up)
	}
	c.mu.Unlock()
	if rose {
		c.nudge()
	}
}

// unheard notes that a submit stayed without an answer: after several in a row, or when one was to show whether there are answers again, nothing leaves for
// a while.
func (c *Carrier) unheard(why string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.reach.silent++
	if c.reach.silent >= c.UnansweredLimit || c.reach.state == trying {
		c.fall(why)
	}
}

// unreached notes that no connection could be made.
func (c *Carrier) unreached(why string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.fall(why)
}

// fall lets nothing more leave, until watch has looked again. Guarded by mu.
func (c *Carrier) fall(why string) {
	if c.reach.state != up && c.reach.state != trying {
		return
	}
	c.counts.falls.Add(1)
	c.enter(waiting)
	c.lost(why)
	select {
	case c.fallen <- struct{}{}:
	default:
	}
}

// isDial tells that there was no connection to send anything over.
func isDial(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "dial"
}
