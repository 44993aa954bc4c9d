package mo

import (
	"context"
	"time"
)

// partialBatch is how many messages that lack segments are made at once.
const partialBatch = 200

// partialLoop makes messages of segments whose others do not come, until ctx ends.
func (s *Service) partialLoop(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.partWake:
		case <-timer.C:
		}
		timer.Reset(s.completePartial(ctx))
	}
}

// completePartial makes messages of what has waited long enough, and says when to look again.
func (s *Service) completePartial(ctx context.Context) time.Duration {
	const idle = time.Hour
	for {
		before := s.Now().Add(-s.PartialAfter)
		results, err := s.Store.CompleteInbound(ctx, before, partialBatch, s.arrive)
		if err != nil {
			if ctx.Err() == nil {
				s.Log.Error("segments whose others do not come cannot be made messages", "err", err)
			}
			return pause
		}
		s.follow(results)
		if len(results) == partialBatch {
			continue
		}
		first, err := s.Store.NextIncomplete(ctx)
		switch {
		case err != nil:
			return pause
		case first.IsZero():
			return idle
		}
		return max(first.Add(s.PartialAfter).Sub(s.Now()), time.Millisecond)
	}
}
