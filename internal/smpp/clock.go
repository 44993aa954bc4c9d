package smpp

import (
	"context"
	"errors"
	"time"
)

// Time in a session goes in ticks: one goroutine counts them, everybody else reads the count. So neither a request nor a read nor a write
// costs a timer or a look at the clock; a timeout fires within one tick after its time.

// ticksPerTimeout is how fine the shortest timeout is measured.
const (
	ticksPerTimeout = 16
	shortestTick    = time.Millisecond
	longestTick     = time.Second
)

func (c Config) tick() time.Duration {
	shortest := min(c.ResponseTimeout, c.FrameTimeout, c.WriteTimeout, c.BindTimeout)
	if c.EnquireAfter > 0 {
		shortest = min(shortest, c.EnquireAfter)
	}
	return min(max(shortest/ticksPerTimeout, shortestTick), longestTick)
}

// inTicks is after how many ticks d is over for certain.
func (s *Session) inTicks(d time.Duration) int64 { return int64((d+s.tick-1)/s.tick) + 1 }

// keepTime counts the ticks and does what is due at each, until the session is over.
func (s *Session) keepTime(ctx context.Context) {
	ticker := time.NewTicker(s.tick)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
		case <-s.over:
			return
		case <-ctx.Done():
			s.fail(ctx.Err())
			return
		}
		now := s.ticks.Add(1)
		s.timeOut(now)
		s.checkPeer(now)
		s.enquire(now)
		s.checkParting()
	}
}

// timeOut gives the requests their outcome whose time is over.
func (s *Session) timeOut(now int64) {
	for {
		s.mu.Lock()
		p, ok := s.window.overdue(now)
		if ok {
			s.stats.TimedOut++
			s.checkQuiet()
		}
		s.mu.Unlock()
		if !ok {
			return
		}
		p.done(Response{}, errTimeout)
	}
}

var errTimeout = errors.Join(ErrUnanswered, context.DeadlineExceeded)

// checkPeer ends the session when the peer stalls, or does not bind.
func (s *Session) checkPeer(now int64) {
	switch {
	case now-s.partial.Load() > s.inTicks(s.cfg.FrameTimeout), now-s.writing.Load() > s.inTicks(s.cfg.WriteTimeout):
		s.fail(ErrPeerStalled)
	case s.role == SMSC && now > s.inTicks(s.cfg.BindTimeout) && s.State() == Open:
		s.fail(ErrNotBound)
	}
}

// enquire sends an enquire_link when nothing was heard for a while, one at a time.
func (s *Session) enquire(now int64) {
	if s.cfg.EnquireAfter < 0 {
		return
	}
	silent := now-s.heard.Load() > s.inTicks(s.cfg.EnquireAfter)
	s.mu.Lock()
	if !silent {
		s.missed = 0
	}
	idle := silent && s.state.Bound() && !s.enquiring && !s.finishing
	if idle {
		s.enquiring = true
	}
	s.mu.Unlock()
	if !idle {
		return
	}
	if _, err := s.request(new(EnquireLink), s.enquired, false); err != nil {
		s.enquired(Response{}, err)
	}
}

// enquired takes up what became of an enquire_link.
func (s *Session) enquired(_ Response, err error) {
	s.mu.Lock()
	s.enquiring = false
	if err != nil {
		s.missed++
	}
	silent := s.missed >= s.cfg.EnquireLimit
	s.mu.Unlock()
	if silent {
		s.fail(ErrPeerSilent)
	}
}
