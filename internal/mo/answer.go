package mo

import (
	"context"
	"errors"
	"sync"

	"github.com/heliograph/heliograph/internal/gateway"
)

// answerBatch is how many automatic answers are made messages at once, side by side.
const answerBatch = 64

// answerLoop makes messages of the automatic answers that are owed, until ctx ends. The store remembers what is owed: a crash forgets none, and what was made
// a message already is not made another one.
func (s *Service) answerLoop(ctx context.Context) {
	for {
		for s.answerSome(ctx) {
		}
		select {
		case <-ctx.Done():
			return
		case <-s.owedWake:
		}
	}
}

// answerSome works on the oldest of what is owed; more tells whether there may be others.
func (s *Service) answerSome(ctx context.Context) (more bool) {
	owed, err := s.Store.OwedAnswers(ctx, 0, answerBatch)
	if err != nil {
		if ctx.Err() == nil {
			s.Log.Error("automatic answers that are owed cannot be read", "err", err)
		}
		return sleep(ctx, pause)
	}
	if len(owed) == 0 {
		return false
	}
	settled, delayed := s.answerAll(ctx, owed)
	if len(settled) > 0 {
		if err := s.Store.AnswersGiven(ctx, settled); err != nil {
			delayed = true
		}
	}
	if delayed {
		return sleep(ctx, pause)
	}
	return ctx.Err() == nil
}

// answerAll gives answers and tells for which messages nothing is owed any more; delayed, that some have to be tried again.
func (s *Service) answerAll(ctx context.Context, owed []gateway.OwedAnswer) (settled []gateway.ID, delayed bool) {
	var mu sync.Mutex
	var answering sync.WaitGroup
	for i := range owed {
		answering.Go(func() {
			err := s.Answer(ctx, owed[i].Message, owed[i].Text)
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil:
				s.counts.answered.Add(1)
			case final(err):
				s.Log.Warn("an automatic answer cannot be sent", "message", owed[i].Message.ID, "account", owed[i].Message.Account, "reason", err)
			default:
				if !errors.Is(err, context.Canceled) {
					s.Log.Warn("automatic answers have to wait", "reason", err)
				}
				delayed = true
				return
			}
			settled = append(settled, owed[i].Message.ID)
		})
	}
	answering.Wait()
	return settled, delayed
}
