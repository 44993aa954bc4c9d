package media

import (
	"context"
	"errors"
	"sync"
)

// flights do what several ask for at the same time once. Its zero value is ready.
type flights[K comparable, V any] struct {
	mu    sync.Mutex
	under map[K]*flight[V]
}

// flight is what others wait for. value and err are written before done is closed.
type flight[V any] struct {
	done  chan struct{}
	value V
	err   error
}

// do gives what fn gives, of this caller or of another one with the same key. When the one that does it is given up, another does it.
func (f *flights[K, V]) do(ctx context.Context, key K, fn func() (V, error)) (V, error) {
	for {
		f.mu.Lock()
		other, under := f.under[key]
		if !under {
			own := &flight[V]{done: make(chan struct{})}
			if f.under == nil {
				f.under = map[K]*flight[V]{}
			}
			f.under[key] = own
			f.mu.Unlock()
			return f.lead(key, own, fn)
		}
		f.mu.Unlock()
		select {
		case <-ctx.Done():
			var none V
			return none, ctx.Err()
		case <-other.done:
		}
		if !errors.Is(other.err, context.Canceled) && !errors.Is(other.err, context.DeadlineExceeded) {
			return other.value, other.err
		}
	}
}

func (f *flights[K, V]) lead(key K, own *flight[V], fn func() (V, error)) (V, error) {
	defer func() {
		f.mu.Lock()
		delete(f.under, key)
		f.mu.Unlock()
		close(own.done)
	}()
	own.err = context.Canceled // should fn panic
	own.value, own.err = fn()
	return own.value, own.err
}
