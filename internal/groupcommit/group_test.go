package groupcommit

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
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

// Whatever callers do, each learns the truth about its own item, items keep their order, and none is committed twice.
func TestCallersLearnTheTruth(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		type caller struct {
			After, Patience int // milliseconds
			Submits         bool
		}
		callers := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) caller {
			return caller{
				rapid.IntRange(0, 3).Draw(t, "after"), rapid.SampledFrom([]int{0, 1, 5, 1000}).Draw(t, "patience"), rapid.Bool().Draw(t, "submits"),
			}
		}), 1, 60).Draw(rt, "callers")
		bounds := Config{MaxBatch: rapid.IntRange(1, 8).Draw(rt, "batch"), MaxWaiting: rapid.IntRange(1, 20).Draw(rt, "waiting")}
		latency := time.Duration(rapid.IntRange(0, 5).Draw(rt, "latency")) * time.Millisecond
		stopAt := rapid.IntRange(0, len(callers)).Draw(rt, "stop")
		var wrong string
		synctest.Test(t, func(t *testing.T) {
			var mu sync.Mutex
			var committed []int
			answered := map[int][]error{}
			answer := func(item, value int, err error) {
				mu.Lock()
				defer mu.Unlock()
				if err == nil && value != item {
					err = fmt.Errorf("the result of %d", value)
				}
				answered[item] = append(answered[item], err)
			}
			g := New(bounds, func(_ context.Context, batch []int) []Result[int] {
				time.Sleep(latency)
				mu.Lock()
				defer mu.Unlock()
				committed = append(committed, batch...)
				results := make([]Result[int], len(batch))
				for i, item := range batch {
					results[i].Value = item
				}
				return results
			})
			stop := run(t, g)
			var wg sync.WaitGroup
			for i, c := range callers {
				time.Sleep(time.Duration(c.After) * time.Millisecond)
				if i == stopAt {
					wg.Go(stop)
				}
				if c.Submits {
					if err := g.Submit(i, func(value int, err error) { answer(i, value, err) }); err != nil {
						answer(i, i, err)
					}
					continue
				}
				wg.Go(func() {
					ctx, cancel := context.WithTimeout(context.Background(), time.Duration(c.Patience)*time.Millisecond)
					defer cancel()
					value, err := g.Do(ctx, i)
					answer(i, value, err)
				})
			}
			if stopAt == len(callers) {
				wg.Go(stop)
			}
			wg.Wait()
			synctest.Wait()
			in := map[int]int{}
			for _, item := range committed {
				in[item]++
			}
			for i := range callers {
				switch got := answered[i]; {
				case len(got) != 1:
					wrong = fmt.Sprintf("%d was answered %d times", i, len(got))
				case in[i] > 1:
					wrong = fmt.Sprintf("%d was committed %d times", i, in[i])
				case (got[0] == nil) != (in[i] == 1):
					wrong = fmt.Sprintf("%d was answered %v and committed %d times", i, got[0], in[i])
				case got[0] != nil && !errors.Is(got[0], ErrBusy) && !errors.Is(got[0], ErrClosed) && !errors.Is(got[0], context.DeadlineExceeded):
					wrong = fmt.Sprintf("%d was answered %v", i, got[0])
				}
			}
			if len(g.waiting) != 0 {
				wrong = fmt.Sprintf("%d items are left", len(g.waiting))
			}
		})
		if wrong != "" {
			rt.Fatal(wrong)
		}
	})
}

func TestOrderOfArrival(t *testing.T) {
	var committed []int
	g := New(Config{MaxBatch: 7, MaxWaiting: 1000}, func(_ context.Context, batch []int) []Result[int] {
		committed = append(committed, batch...)
		return make([]Result[int], len(batch))
	})
	for i := range 1000 {
		if err := g.Submit(i, func(int, error) {}); err != nil {
			t.Fatal(err)
		}
	}
	run(t, g)()
	if len(committed) != 1000 || !slices.IsSorted(committed) {
		t.Errorf("%d committed, not in their order", len(committed))
	}
}

// A waiter that was withdrawn is not kept alive by the queue.
func TestWithdrawnWaiterIsForgotten(t *testing.T) {
	g := New(cfg, func(_ context.Context, batch []*int) []Result[int] { return make([]Result[int], len(batch)) })
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := g.Do(ctx, new(int)); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if queue := g.waiting[:1]; len(g.waiting) != 0 || queue[0] != nil {
		t.Errorf("%d waiting, and %v behind them", len(g.waiting), queue[0])
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
