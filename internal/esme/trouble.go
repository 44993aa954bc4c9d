package esme

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/heliograph/heliograph/internal/smpp"
)

// matter is something that goes wrong again and again, and is said once.
type matter struct {
	what   string // the sentence
	bind   string // where; empty: the carrier as a whole
	reason string
}

// maxMatters bounds what is remembered; beyond it a new matter is not said.
const maxMatters = 64

// troubles says each matter when it begins, and when it has not happened for a while that it is over.
type troubles struct {
	log    *slog.Logger
	now    func() time.Time
	steady time.Duration

	mu   sync.Mutex
	open map[matter]*bout
}

// bout is a matter that was said and is not over.
type bout struct {
	since, last time.Time
	times       int
}

func newTroubles(cfg Config) *troubles {
	return &troubles{log: cfg.Log.With("carrier", cfg.Name), now: cfg.Now, steady: cfg.Steady, open: map[matter]*bout{}}
}

// happened notes that it happened. details are for the log.
func (t *troubles) happened(m matter, details ...any) {
	now := t.now()
	t.mu.Lock()
	b := t.open[m]
	begins := b == nil && len(t.open) < maxMatters
	switch {
	case b != nil:
		b.last = now
		b.times++
	case begins:
		t.open[m] = &bout{since: now, last: now, times: 1}
	}
	t.mu.Unlock()
	if begins {
		t.log.Warn(m.what, append(m.attributes(), details...)...)
	}
}

func (m matter) attributes() []any {
	var list []any
	if m.bind != "" {
		list = append(list, "bind", m.bind)
	}
	if m.reason != "" {
		list = append(list, "reason", m.reason)
	}
	return list
}

// watch says what is over, until ctx ends.
func (t *troubles) watch(ctx context.Context) {
	ticker := time.NewTicker(t.steady)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			t.close(t.now())
		}
	}
}

// close ends the bouts that did not go on for a while.
func (t *troubles) close(now time.Time) {
	over := map[matter]*bout{}
	t.mu.Lock()
	for m, b := range t.open {
		if now.Sub(b.last) >= t.steady {
			over[m] = b
			delete(t.open, m)
		}
	}
	t.mu.Unlock()
	for m, b := range over {
		t.log.Info("over: "+m.what, append(m.attributes(), "times", b.times, "lasted", b.last.Sub(b.since))...)
	}
}

// sessionLog makes matters of what a session has to say, which would otherwise be said again on every new connection.
type sessionLog struct {
	troubles *troubles
	bind     string
}

// Enabled is for warnings.
func (s sessionLog) Enabled(_ context.Context, level slog.Level) bool { return level >= slog.LevelWarn }

// Handle takes the line's sentence and its error.
func (s sessionLog) Handle(_ context.Context, line slog.Record) error {
	m := matter{what: line.Message, bind: s.bind}
	line.Attrs(func(a slog.Attr) bool {
		if err, ok := a.Value.Any().(error); ok {
			m.reason = err.Error()
		}
		return true
	})
	s.troubles.happened(m)
	return nil
}

// WithAttrs keeps none: the matter names the bind.
func (s sessionLog) WithAttrs([]slog.Attr) slog.Handler { return s }

// WithGroup has no meaning here.
func (s sessionLog) WithGroup(string) slog.Handler { return s }

// episode is what the log was told about a bind that is not well. It begins with a trouble, or before the first bind, and ends when the bind has
// held for a while: whatever happens meanwhile, each thing is said once. It is the link's goroutine's.
type episode struct {
	reasons []string // said
	unsaid  int      // troubles that were said before
	up      bool     // that it is bound was said
	flaps   bool     // that it does not hold was said
}

// maxReasons bounds what is said in an episode.
const maxReasons = 16

// lost says why the bind does not stand, unless that was said in this episode.
func (l *link) lost(why string) {
	e := &l.episode
	key := withoutDigits(why)
	for _, said := range e.reasons {
		if said == key {
			if e.unsaid++; e.up && !e.flaps {
				e.flaps = true
				l.log.Warn("bind does not hold", "reason", why)
			}
			return
		}
	}
	if len(e.reasons) == maxReasons {
		e.unsaid++
		return
	}
	e.reasons, e.up = append(e.reasons, key), false
	l.log.Warn("bind down; it is made again", "reason", why)
}

// found says that the bind stands, once for what was said to be the matter.
func (l *link) found() {
	if !l.episode.up {
		l.episode.up = true
		l.log.Info("bound", "mode", l.mode.String())
	}
}

// holds ends the episode.
func (l *link) holds() {
	if l.episode.unsaid > 0 {
		l.log.Info("bind holds again", "failures", l.episode.unsaid+len(l.episode.reasons))
	}
	l.episode = episode{up: true}
}

// reason puts an error into words that stay the same while the reason does: without the addresses that change with every connection.
func reason(err error) string {
	var status smpp.Status
	var op *net.OpError
	switch {
	case errors.As(err, &status):
		return "the SMSC refuses the bind: " + status.String()
	case errors.As(err, &op):
		return op.Op + ": " + op.Err.Error()
	}
	return err.Error()
}

// withoutDigits is a reason as it is compared: times and ports in it do not make it another.
func withoutDigits(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return -1
		}
		return r
	}, s)
}
