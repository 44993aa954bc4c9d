package relay

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"sync"
	"time"
)

// matter is something that goes wrong again and again, and is said once.
type matter struct {
	what   string // the sentence
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

// happened notes that it happened.
func (t *troubles) happened(m matter) {
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
		t.log.Warn(m.what, m.attributes()...)
	}
}

func (m matter) attributes() []any {
	if m.reason == "" {
		return nil
	}
	return []any{"reason", m.reason}
}

// watch says what is over, until ctx ends. Before each look it has one taken at what says nothing by itself.
func (t *troubles) watch(ctx context.Context, look func()) {
	ticker := time.NewTicker(t.steady / looks)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			look()
			t.close(t.now())
		}
	}
}

// looks is how many of them are taken until something is over.
const looks = 10

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

// reason puts an error into words that stay the same while the reason does: without the addresses that change with every connection.
func reason(err error) string {
	var op *net.OpError
	var name *net.DNSError
	switch {
	case err == nil:
		return ""
	case errors.As(err, &name):
		return "its name cannot be found"
	case errors.As(err, &op):
		return op.Op + ": " + op.Err.Error()
	case errors.Is(err, context.DeadlineExceeded):
		return "no answer in time"
	}
	return err.Error()
}
