package main

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"
)

// stages are groups of services that run side by side. They are started from the back of the flow of a message to its front, and stopped from the
// front to the back, so that each can still finish what those before it handed over.
type stages struct {
	log    *slog.Logger
	list   []*stage
	failed chan error // of capacity 1: the first service that ended by itself
}

type stage struct {
	name   string
	cancel context.CancelFunc
	ended  chan struct{}
}

func newStages(log *slog.Logger) *stages { return &stages{log: log, failed: make(chan error, 1)} }

// start runs services as one stage, stopped before all that were started earlier.
func (s *stages) start(name string, runs ...func(context.Context) error) {
	ctx, cancel := context.WithCancel(context.Background())
	st := &stage{name: name, cancel: cancel, ended: make(chan struct{})}
	s.list = append(s.list, st)
	var running sync.WaitGroup
	for _, run := range runs {
		running.Go(func() {
			err := run(ctx)
			if ctx.Err() == nil && err == nil {
				err = fmt.Errorf("ended by itself")
			}
			if err != nil {
				select {
				case s.failed <- fmt.Errorf("%s: %w", name, err):
				default:
				}
			}
		})
	}
	go func() {
		running.Wait()
		close(st.ended)
	}()
}

// stageLeast is what a stage gets to end even when those before it have used up the time.
const stageLeast = 50 * time.Millisecond

// stop ends the stages, the last started first. A stage that does not end before the deadline is left behind: what it had in hand is as after a
// crash, and nothing that was acknowledged depends on it.
func (s *stages) stop(deadline time.Time) {
	for i := len(s.list) - 1; i >= 0; i-- {
		st := s.list[i]
		st.cancel()
		select {
		case <-st.ended:
		case <-time.After(max(time.Until(deadline), stageLeast)):
			s.log.Warn("not everything was finished in time", "stage", st.name)
		}
	}
}
