// Package groupcommit gathers concurrent callers into one call of a commit function: one transaction, one fsync, for as many of them as
// were waiting. Nobody waits for a batch to fill: while one is being committed, the next gathers.
package groupcommit

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
)

var (
	// ErrBusy: as many callers wait as may; nothing was done.
	ErrBusy = errors.New("groupcommit: too many waiting")
	// ErrClosed: the group has stopped; nothing was done.
	ErrClosed = errors.New("groupcommit: closed")
)

// Config bounds a group.
type Config struct {
	MaxBatch   int // items in one call of the commit function
	MaxWaiting int // items waiting for one
}

// Result is what became of one item.
type Result[R any] struct {
	Value R
	Err   error
}

// Group gathers items for one commit function. Run must be running for anything to be committed.
type Group[T, R any] struct {
	cfg    Config
	commit func(ctx context.Context, batch []T) []Result[R]

	mu      sync.Mutex
	waiting []*waiter[T, R]
	closed  bool
	wake    chan struct{} // of capacity 1

	waiters sync.Pool
}

// waiter is one item and how its caller learns what became of it.
type waiter[T, R any] struct {
	item   T
	done   func(R, error)
	signal chan struct{} // of capacity 1; Do's form
	result Result[R]
}

// New makes a group. The commit function gets batches in the order of arrival, one at a time, and answers with a result for each item.
func New[T, R any](cfg Config, commit func(ctx context.Context, batch []T) []Result[R]) *Group[T, R] {
	g := &Group[T, R]{cfg: cfg, commit: commit, wake: make(chan struct{}, 1)}
	g.waiters.New = func() any { return &waiter[T, R]{signal: make(chan struct{}, 1)} }
	return g
}

// Do waits until the item is committed and gives its result. When ctx ends before the item was taken into a batch it is withdrawn, and
// nothing was done; after that Do waits on, so that the caller always knows.
func (g *Group[T, R]) Do(ctx context.Context, item T) (R, error) {
	w := g.waiters.Get().(*waiter[T, R])
	w.item, w.done, w.result = item, nil, Result[R]{}
	if err := g.add(w); err != nil {
		var none R
		return none, err
	}
	select {
	case <-w.signal:
	case <-ctx.Done():
		if g.withdraw(w) {
			var none R
			return none, ctx.Err()
		}
		<-w.signal
	}
	result := w.result
	var none T
	w.item = none
	g.waiters.Put(w)
	return result.Value, result.Err
}

// Submit is Do for callers that must not wait: done is called after the commit, on the committing goroutine. When Submit itself gives an
// error, done is not called.
func (g *Group[T, R]) Submit(item T, done func(R, error)) error {
	return g.add(&waiter[T, R]{item: item, done: done})
}

func (g *Group[T, R]) add(w *waiter[T, R]) error {
	g.mu.Lock()
	switch {
	case g.closed:
		g.mu.Unlock()
		return ErrClosed
	case len(g.waiting) >= g.cfg.MaxWaiting:
		g.mu.Unlock()
		return ErrBusy
	}
	g.waiting = append(g.waiting, w)
	first := len(g.waiting) == 1
	g.mu.Unlock()
	if first {
		select {
		case g.wake <- struct{}{}:
		default:
		}
	}
	return nil
}

// withdraw takes a waiter out that is in no batch yet.
func (g *Group[T, R]) withdraw(w *waiter[T, R]) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	for i, other := range g.waiting {
		if other == w {
			g.waiting = slices.Delete(g.waiting, i, i+1)
			return true
		}
	}
	return false
}

// Run commits batches until ctx ends; then it takes no more items, commits those that wait and returns. The context of the commit
// function is not ended by ctx.
func (g *Group[T, R]) Run(ctx context.Context) error {
	working := context.WithoutCancel(ctx)
	var batch []*waiter[T, R]
	for {
		batch = g.take(batch[:0])
		if len(batch) > 0 {
			g.commitBatch(working, batch)
			continue
		}
		select {
		case <-g.wake:
		case <-ctx.Done():
			g.close()
			for batch = g.take(batch[:0]); len(batch) > 0; batch = g.take(batch[:0]) {
				g.commitBatch(working, batch)
			}
			return nil
		}
	}
}

func (g *Group[T, R]) close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closed = true
}

func (g *Group[T, R]) take(batch []*waiter[T, R]) []*waiter[T, R] {
	g.mu.Lock()
	defer g.mu.Unlock()
	n := min(len(g.waiting), g.cfg.MaxBatch)
	batch = append(batch, g.waiting[:n]...)
	rest := copy(g.waiting, g.waiting[n:])
	clear(g.waiting[rest:])
	g.waiting = g.waiting[:rest]
	return batch
}

func (g *Group[T, R]) commitBatch(ctx context.Context, batch []*waiter[T, R]) {
	items := make([]T, len(batch))
	for i, w := range batch {
		items[i] = w.item
	}
	results, err := g.protect(ctx, items)
	for i, w := range batch {
		result := Result[R]{Err: err}
		if err == nil {
			result = results[i]
		}
		batch[i] = nil
		if w.done != nil {
			w.done(result.Value, result.Err)
			continue
		}
		w.result = result
		w.signal <- struct{}{}
	}
}

// protect calls the commit function. A panic in it becomes an error for every caller: they must not wait for ever.
func (g *Group[T, R]) protect(ctx context.Context, items []T) (results []Result[R], err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("groupcommit: the commit function panicked: %v", p)
		}
	}()
	results = g.commit(ctx, items)
	if len(results) != len(items) {
		return nil, fmt.Errorf("groupcommit: %d results for %d items", len(results), len(items))
	}
	return results, nil
}
