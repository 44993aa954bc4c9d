package trouble

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// Matter is something that goes wrong again and again, and is said once. It must not hold what is another each time: it would be said each time.
type Matter struct {
	What   string // the sentence
	Bind   string // where; empty: the peer as a whole
	Reason string
}

func (m Matter) attributes() []any {
	var list []any
	if m.Bind != "" {
		list = append(list, "bind", m.Bind)
	}
	if m.Reason != "" {
		list = append(list, "reason", m.Reason)
	}
	return list
}

// MaxMatters bounds what is remembered; beyond it a new matter is not said.
const MaxMatters = 64

// Log says each matter when it begins, and when it has not happened for a while that it is over. What is no matter is said as with any logger.
type Log struct {
	*slog.Logger
	now    func() time.Time
	steady time.Duration

	mu   sync.Mutex
	open map[Matter]*bout
}

// bout is a matter that was said and is not over.
type bout struct {
	since, last time.Time
	times       int
}

// New makes a Log of a logger. steady is how long a matter must not have happened to be over.
func New(logger *slog.Logger, now func() time.Time, steady time.Duration) *Log {
	return &Log{Logger: logger, now: now, steady: steady, open: map[Matter]*bout{}}
}

// Happened notes that it happened. details are said with it when it begins, and may be others each time.
func (l *Log) Happened(m Matter, details ...any) {
	now := l.now()
	l.mu.Lock()
	b := l.open[m]
	begins := b == nil && len(l.open) < MaxMatters
	switch {
	case b != nil:
		b.last = now
		b.times++
	case begins:
		l.open[m] = &bout{since: now, last: now, times: 1}
	}
	l.mu.Unlock()
	if begins {
		l.Warn(m.What, append(m.attributes(), details...)...)
	}
}

// Watch looks every so often what is over and says it, until ctx ends. look, unless it is nil, is called before each: it notes what goes on without being
// noticed.
func (l *Log) Watch(ctx context.Context, every time.Duration, look func()) {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			if look != nil {
				look()
			}
			l.close(l.now())
		}
	}
}

// close ends the bouts that did not go on for a while.
func (l *Log) close(now time.Time) {
	over := map[Matter]*bout{}
	l.mu.Lock()
	for m, b := range l.open {
		if now.Sub(b.last) >= l.steady {
			over[m] = b
			delete(l.open, m)
		}
	}
	l.mu.Unlock()
	for m, b := range over {
		l.Info("over: "+m.What, append(m.attributes(), "times", b.times, "lasted", b.last.Sub(b.since))...)
	}
}
