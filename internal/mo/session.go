package mo

import (
	"context"
	"time"
)

// settleEvery is how often it is written which sessions have been acknowledged for good.
const settleEvery = 10 * time.Second

// Settled hears that everything a session brought until a time has been acknowledged, and that the session has lived on: its carrier has the answers. What another
// session brings later is then new, even if it says the same.
func (s *Service) Settled(session uint64, until time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if until.After(s.settled[session]) {
		s.settled[session] = until
	}
}

// sessionLoop writes what Settled heard, until ctx ends.
func (s *Service) sessionLoop(ctx context.Context) {
	ticker := time.NewTicker(settleEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			s.writeSettled(context.WithoutCancel(ctx))
			return
		case <-ticker.C:
			s.writeSettled(ctx)
		}
	}
}

// writeSettled writes once. What cannot be written comes again with the next that the session settles.
func (s *Service) writeSettled(ctx context.Context) {
	s.mu.Lock()
	settled := s.settled
	s.settled = map[uint64]time.Time{}
	s.mu.Unlock()
	if len(settled) == 0 {
		return
	}
	if err := s.Store.SettleSessions(ctx, settled); err != nil && ctx.Err() == nil {
		s.Log.Warn("what carriers have been told cannot be written", "err", err)
	}
}
