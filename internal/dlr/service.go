// Package dlr records delivery receipts: a carrier's word about a part becomes a move of its message and an event for its
// account.
package dlr

import (
	"context"
	"sync/atomic"

	"github.com/heliograph/heliograph/internal/gateway"
	"github.com/heliograph/heliograph/internal/groupcommit"
)

// Store is what recording needs of a store.
type Store interface {
	// ApplyReceipts finds the part of each receipt by carrier and carrier id, moves its message and stores the events; results
	// are in the order of the receipts. A receipt whose part is not known is parked until a submit brings its id, or
	// given up after three days; one that fits a held message by its addresses moves that one.
	ApplyReceipts(ctx context.Context, receipts []gateway.Receipt) ([]gateway.Applied, error)
}

// Service records receipts. Set its fields before Run.
type Service struct {
	Store Store
	// Attach gives a receipt to the submit it belongs to while that is still in hand, so that both become one write; it answers false
	// when it is not. done is called after the commit.
	Attach func(receipt gateway.Receipt, done func(error)) bool
	// Told hears of the events of a commit: a hint, the store is the truth.
	Told func(events []gateway.Event)
	// Ended hears of what became of receipts, after the commit.
	Ended func(applied []gateway.Applied)

	group    *groupcommit.Group[gateway.Receipt, gateway.Applied]
	received atomic.Int64
	parked   atomic.Int64
}

// Bounds of a batch of receipts and of those waiting for one; beyond the second, carriers are asked to keep theirs.
const (
	receiptBatch   = 500
	receiptWaiting = 10_000
)

// NewService makes a service; Attach, Told and Ended may be set before Run.
func NewService(store Store) *Service {
	s := &Service{
		Store:  store,
		Attach: func(gateway.Receipt, func(error)) bool { return false },
		Told:   func([]gateway.Event) {},
		Ended:  func([]gateway.Applied) {},
	}
	s.group = groupcommit.New(groupcommit.Config{MaxBatch: receiptBatch, MaxWaiting: receiptWaiting}, s.commit)
	return s
}

// Run records receipts until ctx ends and everything waiting is recorded.
func (s *Service) Run(ctx context.Context) error { return s.group.Run(ctx) }

// Record takes a receipt and returns at once. done is called exactly once: without an error when the receipt is on disk, so that the
// carrier may forget it; with one when the carrier must keep it and send it again.
func (s *Service) Record(receipt gateway.Receipt, done func(error)) {
	s.received.Add(1)
	if receipt.Outcome == gateway.InTransit { // nothing to keep
		done(nil)
		return
	}
	if s.Attach(receipt, done) {
		return
	}
	if err := s.group.Submit(receipt, func(_ gateway.Applied, err error) { done(err) }); err != nil {
		done(err)
	}
}

// commit records a batch.
func (s *Service) commit(ctx context.Context, batch []gateway.Receipt) []groupcommit.Result[gateway.Applied] {
	results := make([]groupcommit.Result[gateway.Applied], len(batch))
	applied, err := s.Store.ApplyReceipts(ctx, batch)
	if err != nil {
		for i := range results {
			results[i].Err = err
		}
		return results
	}
	s.Ended(applied)
	var events []gateway.Event
	for i := range applied {
		results[i].Value = applied[i]
		events = append(events, applied[i].Events...)
		if applied[i].Parked {
			s.parked.Add(1)
		}
	}
	if len(events) > 0 {
		s.Told(events)
	}
	return results
}

// Stats counts receipts since the start: all that came, and those that were parked because no part with their id was known yet.
type Stats struct{ Received, Parked int64 }

// Stats gives the counts.
func (s *Service) Stats() Stats { return Stats{s.received.Load(), s.parked.Load()} }
