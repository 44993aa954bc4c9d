package mo

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
	"github.com/heliograph/heliograph/internal/groupcommit"
)

// Config is what a Service works with. All fields must be set unless they say otherwise.
type Config struct {
	Store Store
	IDs   *gateway.IDSource
	Now   func() time.Time
	Log   *slog.Logger
	// Price is what a unit costs that comes in for a number; nil: nothing.
	Price func(service gateway.Service, to *gateway.Number) gateway.Price
	// Told hears of the events of a commit: a hint, the store is the truth.
	Told func([]gateway.Event)
	// OptedOut hears of changes after their commit; nil: nobody does.
	OptedOut func([]gateway.OptOutChange)
	// Answer makes an automatic answer a message to who sent the inbound one, even if they have opted out. It is idempotent: it may be called again for one
	// that it made. An error that is a gateway.Error, but not of code Unavailable, is final.
	Answer func(ctx context.Context, inbound *gateway.Message, text string) error
	// PartialAfter is how long segments wait for the others of their message; 0: DefaultPartialAfter.
	PartialAfter time.Duration
}

// DefaultPartialAfter is how long segments wait for the others of their message. Networks send them within seconds, and try for hours when one is lost; after
// some minutes a reader is better served with what is there.
const DefaultPartialAfter = 10 * time.Minute

// Service receives messages from handsets. Make it with NewService; Run must be running for anything to happen.
type Service struct {
	Config
	group    *groupcommit.Group[gateway.InboundPart, gateway.InboundResult]
	partWake chan struct{} // of capacity 1: a segment began to wait
	owedWake chan struct{} // of capacity 1: an answer is owed

	mu      sync.Mutex
	settled map[uint64]time.Time // sessions that were acknowledged for good until a time, not written yet

	counts struct{ received, waiting, stored, repeated, unowned, failed, partial, answered, optedOut, optedIn atomic.Int64 }
}

// Bounds of a batch of parts and of those waiting for one; beyond the second, carriers are asked to keep theirs.
const (
	partBatch   = 500
	partWaiting = 10_000
)

// NewService makes a service.
func NewService(cfg Config) *Service {
	if cfg.Price == nil {
		cfg.Price = func(gateway.Service, *gateway.Number) gateway.Price { return gateway.Price{} }
	}
	if cfg.OptedOut == nil {
		cfg.OptedOut = func([]gateway.OptOutChange) {}
	}
	if cfg.PartialAfter == 0 {
		cfg.PartialAfter = DefaultPartialAfter
	}
	s := &Service{Config: cfg, partWake: make(chan struct{}, 1), owedWake: make(chan struct{}, 1), settled: map[uint64]time.Time{}}
	s.group = groupcommit.New(groupcommit.Config{MaxBatch: partBatch, MaxWaiting: partWaiting}, s.commit)
	return s
}

// Run receives until ctx ends and everything waiting is stored.
func (s *Service) Run(ctx context.Context) error {
	var beside sync.WaitGroup
	beside.Go(func() { s.partialLoop(ctx) })
	beside.Go(func() { s.answerLoop(ctx) })
	beside.Go(func() { s.sessionLoop(ctx) })
	defer beside.Wait()
	return s.group.Run(ctx)
}

// Receive takes a part and returns at once. done is called exactly once: without an error when the part is on disk, so that the carrier may forget it.
// With a gateway.Error of code NotFound nobody here rents the number, and the carrier need not bring it again; with any other error it must.
func (s *Service) Receive(part gateway.InboundPart, done func(error)) {
	s.Take(part, func(_ gateway.InboundResult, err error) { done(err) })
}

// Take is Receive for who wants to know what became of the part.
func (s *Service) Take(part gateway.InboundPart, done func(gateway.InboundResult, error)) {
	s.counts.received.Add(1)
	err := s.group.Submit(part, func(result gateway.InboundResult, err error) {
		if err == nil && result.Status == gateway.InboundUnowned {
			err = errUnowned
		} else if err != nil {
			s.counts.failed.Add(1)
		}
		done(result, err)
	})
	if err != nil {
		s.counts.failed.Add(1)
		done(gateway.InboundResult{}, err)
	}
}

var errUnowned = gateway.Errorf(gateway.NotFound, "no account rents the number")

// commit stores a batch.
func (s *Service) commit(ctx context.Context, batch []gateway.InboundPart) []groupcommit.Result[gateway.InboundResult] {
	results := make([]groupcommit.Result[gateway.InboundResult], len(batch))
	stored, err := s.Store.AddInboundParts(ctx, batch, s.arrive)
	if err != nil {
		for i := range results {
			results[i].Err = err
		}
		return results
	}
	for i := range stored {
		results[i].Value = stored[i]
	}
	s.follow(stored)
	return results
}

// follow does what follows from parts that are stored.
func (s *Service) follow(results []gateway.InboundResult) {
	var events []gateway.Event
	var changed []gateway.OptOutChange
	waits, owed := false, false
	for i := range results {
		r := &results[i]
		s.count(r.Status)
		waits = waits || r.Status == gateway.InboundWaits
		owed = owed || r.Answer != ""
		events = append(events, r.Events...)
		changed = append(changed, r.Changed...)
	}
	if len(changed) > 0 { // before anybody hears of the message
		s.countChanges(changed)
		s.OptedOut(changed)
	}
	if len(events) > 0 {
		s.Told(events)
	}
	if waits {
		wake(s.partWake)
	}
	if owed {
		wake(s.owedWake)
	}
}

func wake(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

func (s *Service) count(status gateway.InboundStatus) {
	switch status {
	case gateway.InboundWaits:
		s.counts.waiting.Add(1)
	case gateway.InboundStored:
		s.counts.stored.Add(1)
	case gateway.InboundRepeated:
		s.counts.repeated.Add(1)
	case gateway.InboundUnowned:
		s.counts.unowned.Add(1)
	}
}

func (s *Service) countChanges(changed []gateway.OptOutChange) {
	for i := range changed {
		if changed[i].In {
			s.counts.optedIn.Add(1)
		} else {
			s.counts.optedOut.Add(1)
		}
	}
}

// Stats counts since the start: parts that came, and what became of them, Failed could not be kept; messages that were stored, and those of them that lack
// segments; automatic answers; opt-outs that keywords made and removed.
type Stats struct{ Received, Waited, Stored, Repeated, Unowned, Failed, Partial, Answered, OptedOut, OptedIn int64 }

// Stats gives the counts.
func (s *Service) Stats() Stats {
	c := &s.counts
	return Stats{
		Received: c.received.Load(), Waited: c.waiting.Load(), Stored: c.stored.Load(), Repeated: c.repeated.Load(),
		Unowned: c.unowned.Load(), Failed: c.failed.Load(), Partial: c.partial.Load(), Answered: c.answered.Load(),
		OptedOut: c.optedOut.Load(), OptedIn: c.optedIn.Load(),
	}
}

// pause is how long a store, or a queue, that cannot take something is left alone.
const pause = time.Second

// sleep waits; it answers false when ctx ended first.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// final tells whether trying again is of no use.
func final(err error) bool {
	var refusal *gateway.Error
	return errors.As(err, &refusal) && refusal.Code != gateway.Unavailable && refusal.Code != gateway.TooMany
}
