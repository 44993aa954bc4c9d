package webhook

import (
	"context"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
	"github.com/heliograph/heliograph/internal/groupcommit"
)

const (
	recordBatch = 1000
	// mostUnrecorded is how many attempts may wait to be written; then nothing more is posted. It bounds what is told twice after a crash.
	mostUnrecorded = 4096
)

// record sends what became of an attempt to the disk. Guarded by mu.
func (w *Worker) record(it *item) {
	w.unrecorded++
	err := w.records.Submit(it, func(_ struct{}, err error) {
		if err != nil {
			w.unwritten(it, err)
		}
	})
	if err != nil { // the group's bound is beyond ours
		w.unrecorded--
		w.release(it)
		w.Log.Error("an attempt could not be queued for writing; it will be made again", "err", err)
	}
}

// unwritten lets go of an event whose attempt will not be written: the stop did not wait any longer. The store has it still.
func (w *Worker) unwritten(it *item, err error) {
	w.writeTrouble(err)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.unrecorded--
	w.release(it)
}

// storePause is the pause before a store that failed is asked again.
const storePause = time.Second

// commit writes a batch. A store that cannot keep it is asked again, with pauses, until it can or ctx ends: what was told is known nowhere
// else, and an event that is not recorded stays in memory, so that it is not told again meanwhile.
func (w *Worker) commit(ctx context.Context, batch []*item) []groupcommit.Result[struct{}] {
	attempts := make([]gateway.Attempt, len(batch))
	for i, it := range batch {
		attempts[i] = it.attempt
	}
	err := w.Store.RecordAttempts(ctx, attempts)
	for pause := storePause / 8; err != nil && sleep(ctx, pause); pause = min(2*pause, 4*storePause) {
		w.writeTrouble(err)
		err = w.Store.RecordAttempts(ctx, attempts)
	}
	w.writeTrouble(err)
	results := make([]groupcommit.Result[struct{}], len(batch))
	if err == nil {
		w.recorded(batch)
	}
	for i := range results {
		results[i].Err = err
	}
	return results
}

// writeTrouble logs when writing begins to fail and when it works again. Only the committing goroutine calls it.
func (w *Worker) writeTrouble(err error) {
	if failed := err != nil; failed != w.writeFailed {
		w.writeFailed = failed
		if failed {
			w.Log.Error("attempts of callbacks cannot be written; posting stops at a bound until they can", "err", err)
		} else {
			w.Log.Info("attempts of callbacks are written again")
		}
	}
}

// recorded lets go of a batch that was written.
func (w *Worker) recorded(batch []*item) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, it := range batch {
		ep := it.ep
		w.unrecorded--
		w.release(it)
		if ep.reading {
			w.settle(ep, it.event.ID)
		}
		if it.attempt.DueAtMicro != 0 {
			ep.addDue(it.attempt.DueAtMicro)
		}
		w.place(ep)
	}
	w.rouse()
}

// sleep waits; it answers false when ctx ended first.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
