package esme

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"strings"

	"github.com/heliograph/heliograph/internal/smpp"
	"github.com/heliograph/heliograph/internal/trouble"
)

// sessionLog makes matters of what a session has to say, which would otherwise be said again on every new connection.
type sessionLog struct {
	troubles *trouble.Log
	bind     string
}

// Enabled is for warnings.
func (s sessionLog) Enabled(_ context.Context, level slog.Level) bool { return level >= slog.LevelWarn }

// Handle takes the line's sentence and its error.
func (s sessionLog) Handle(_ context.Context, line slog.Record) error {
	m := trouble.Matter{What: line.Message, Bind: s.bind}
	line.Attrs(func(a slog.Attr) bool {
		if err, ok := a.Value.Any().(error); ok {
			m.Reason = err.Error()
		}
		return true
	})
	s.troubles.Happened(m)
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
