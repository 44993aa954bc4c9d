package groupcommit

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

var cfg = Config{MaxBatch: 10, MaxWaiting: 100}

func run[T, R any](t testing.TB, g *Group[T, R]) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- g.Run(ctx) }()
	return func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

func TestEachCallerGetsItsOwnResult(t *testing.T) {
	odd := errors.New("odd")
	g := New(cfg, func(_ context.Context, batch []int) []Result[string] {
		results := make([]Result[string], len(batch))
		for i, n := range batch {
			results[i] = Result[string]{Value: fmt.Sprint(n)}
			if n%2 == 1 {
				results[i] = Result[string]{Err: odd}
			}
		}
		return results
	})
	stop := run(t, g)
	defer stop()
	var wg sync.WaitGroup
	for n := range 90 {
		wg.Go(func() {
			got, err := g.Do(context.Background(), n)
			if n%2 == 1 && !errors.Is(err, odd) || n%2 == 0 && (err != nil || got != fmt.Sprint(n)) {
				t.Errorf("%d: %q, %v", n, got, err)
			}
		})
	}
	wg.Wait()
}

func TestGathersWhileCommitting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var sizes []int
		g := New(cfg, func(_ context.Context, batch []int) []Result[int] {
			sizes = append(sizes, len(batch))
			time.Sleep(time.Second) // virtual
			return make([]Result[int], len(batch))
		})
		stop := run(t, g)
		var wg sync.WaitGroup
		call := func() { wg.Go(func() { _, _ = g.Do(context.Background(), 0) }) }
		call()
		synctest.Wait()
		for range 25 {
			call()
		}
		wg.Wait()
		stop()
		if fmt.Sprint(sizes) != "[1 10 10 5]" {
			t.Errorf("batches of %v", sizes)
		}
	})
}

func TestCallerWhoLeaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var committed []int
		g := New(cfg, func(_ context.Context, batch []int) []Result[int] {
			committed = append(committed, batch...)
			time.Sleep(time.Second)
			return make([]Result[int], len(batch))
		})
		stop := run(t, g)
		ctx, cancel := context.WithTimeout(context.Background(), time.Second/2)
		defer cancel()
		var wg sync.WaitGroup
		wg.Go(func() {
			if _, err := g.Do(ctx, 1); err != nil {
				t.Errorf("taken before its caller left: %v", err)
			}
		})
		synctest.Wait()
		wg.Go(func() {
			if _, err := g.Do(ctx, 2); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("withdrawn: %v", err)
			}
		})
		wg.Wait()
		stop()
		if fmt.Sprint(committed) != "[1]" {
			t.Errorf("committed %v", committed)
		}
	})
}

func TestBoundsAndStop(t *testing.T) {
	gate := make(chan struct{})
	g := New(Config{MaxBatch: 1, MaxWaiting: 2}, func(_ context.Context, batch []int) []Result[int] {
		<-gate
		return make([]Result[int], len(batch))
	})
	var mu sync.Mutex
	answered := 0
	done := func(int, error) { mu.Lock(); answered++; mu.Unlock() }
	for range 2 {
		if err := g.Submit(0, done); err != nil {
			t.Fatal(err)
		}
	}
	if err := g.Submit(0, done); !errors.Is(err, ErrBusy) {
		t.Errorf("beyond the bound: %v", err)
	}
	stop := run(t, g)
	close(gate)
	stop()
	if answered != 2 {
		t.Errorf("%d of 2 that waited were committed at the stop", answered)
	}
	if _, err := g.Do(context.Background(), 0); !errors.Is(err, ErrClosed) {
		t.Errorf("after the stop: %v", err)
	}
}

func TestFaultyCommitHangsNobody(t *testing.T) {
	calls := 0
	g := New(cfg, func(_ context.Context, batch []int) []Result[int] {
		switch calls++; calls {
		case 1:
			panic("boom")
		case 2:
			return nil
		}
		return make([]Result[int], len(batch))
	})
	stop := run(t, g)
	defer stop()
	for i, wantErr := range []bool{true, true, false} {
		if _, err := g.Do(context.Background(), 0); (err != nil) != wantErr {
			t.Errorf("call %d: %v", i+1, err)
		}
	}
}

func BenchmarkDo(b *testing.B) {
	g := New(Config{MaxBatch: 500, MaxWaiting: 5000}, func(_ context.Context, batch []int) []Result[int] {
		return make([]Result[int], len(batch))
	})
	stop := run(b, g)
	defer stop()
	b.ReportAllocs()
	b.SetParallelism(32)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			_, _ = g.Do(context.Background(), 1)
		}
	})
}
