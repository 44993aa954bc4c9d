package main

import (
	"context"
	"time"
)

// How often contents that were removed are taken out of the store's log too, and after what time again when somebody was reading it.
const (
	scrubEvery = 5 * time.Second
	scrubAgain = time.Second
)

// scrub keeps the promise that texts which are not to be logged are in no file any more soon after their messages have left.
func (s *server) scrub(ctx context.Context) error {
	timer := time.NewTimer(scrubEvery)
	defer timer.Stop()
	failing := false
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-timer.C:
		}
		done, err := s.store.Scrub(ctx)
		if err != nil && ctx.Err() == nil && !failing {
			s.log.Error("removed texts cannot be taken out of the store's log; trying again", "err", err)
		}
		failing = err != nil
		if done || failing {
			timer.Reset(scrubEvery)
		} else {
			timer.Reset(scrubAgain)
		}
	}
}
