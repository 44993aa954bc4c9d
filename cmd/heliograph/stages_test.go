package main

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// TestStagesStopBackwards: each stage ends before the one that was started earlier is asked to.
func TestStagesStopBackwards(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var ended []string
		s := newStages(slog.New(slog.DiscardHandler))
		for _, name := range []string{"store", "carrier", "http"} {
			s.start(name, func(ctx context.Context) error {
				<-ctx.Done()
				time.Sleep(time.Second)
				mu.Lock()
				defer mu.Unlock()
				ended = append(ended, name)
				return nil
			})
		}
		begin := time.Now()
		s.stop(begin.Add(time.Minute))
		if want := []string{"http", "carrier", "store"}; !slices.Equal(ended, want) || time.Since(begin) != 3*time.Second {
			t.Errorf("ended %v after %s", ended, time.Since(begin))
		}
	})
}

// TestStagesStopInTime: a stage that hangs holds nobody up beyond the deadline.
func TestStagesStopInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStages(slog.New(slog.DiscardHandler))
		release := make(chan struct{})
		s.start("first", func(ctx context.Context) error { <-ctx.Done(); return nil })
		s.start("hangs", func(context.Context) error { <-release; return nil })
		begin := time.Now()
		s.stop(begin.Add(9 * time.Second))
		if took := time.Since(begin); took != 9*time.Second {
			t.Errorf("the stop took %s", took)
		}
		close(release)
	})
}

// TestStagesFail: the first service that ends by itself is told, with its name.
func TestStagesFail(t *testing.T) {
	broken := errors.New("broken")
	s := newStages(slog.New(slog.DiscardHandler))
	s.start("good", func(ctx context.Context) error { <-ctx.Done(); return nil })
	s.start("bad", func(context.Context) error { return broken })
	if err := <-s.failed; !errors.Is(err, broken) || err.Error() != "bad: broken" {
		t.Errorf("got %v", err)
	}
	s.stop(time.Now().Add(time.Minute))
}
