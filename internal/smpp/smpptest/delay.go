package smpptest

import (
	"context"
	"sync"
	"time"
)

// fifo is a queue.
type fifo[T any] struct {
	items []T
	head  int
}

func (f *fifo[T]) len() int { return len(f.items) - f.head }

func (f *fifo[T]) push(item T) { f.items = append(f.items, item) }

func (f *fifo[T]) front() *T { return &f.items[f.head] }

// pop takes the first item out. The room of those that left is used again once it is half of all.
func (f *fifo[T]) pop() T {
	var none T
	item := f.items[f.head]
	f.items[f.head] = none
	f.head++
	if f.head*2 >= len(f.items) {
		n := copy(f.items, f.items[f.head:])
		clear(f.items[n:])
		f.items, f.head = f.items[:n], 0
	}
	return item
}

// delay calls functions later, in the order in which they came.
type delay struct {
	wake  chan struct{} // of capacity 1
	mu    sync.Mutex
	queue fifo[delayed]
}

type delayed struct {
	due  time.Time
	call func()
}

func (d *delay) add(due time.Time, call func()) {
	d.mu.Lock()
	d.queue.push(delayed{due, call})
	first := d.queue.len() == 1
	d.mu.Unlock()
	if first {
		signal(d.wake)
	}
}

func (d *delay) len() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.queue.len()
}

// next takes out what is due. wait is how long until there may be something, negative when nothing waits.
func (d *delay) next() (call func(), wait time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.queue.len() == 0 {
		return nil, -1
	}
	if wait := time.Until(d.queue.front().due); wait > 0 {
		return nil, wait
	}
	return d.queue.pop().call, 0
}

func (d *delay) run(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for ctx.Err() == nil {
		call, wait := d.next()
		if call != nil {
			call()
			continue
		}
		pause(ctx, timer, wait, d.wake)
	}
}

// pause sleeps until the time is over, wake says something, or ctx ends. A negative time is endless.
func pause(ctx context.Context, timer *time.Timer, wait time.Duration, wake <-chan struct{}) {
	if wait < 0 {
		timer.Stop()
	} else {
		timer.Reset(wait)
	}
	select {
	case <-timer.C:
	case <-wake:
	case <-ctx.Done():
	}
}

func signal(wake chan struct{}) {
	select {
	case wake <- struct{}{}:
	default:
	}
}
