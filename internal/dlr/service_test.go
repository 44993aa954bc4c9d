package dlr

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/heliograph/heliograph/internal/gateway"
)

// memory is a store without a disk: it knows parts by their ids, and parks what it does not know.
type memory struct {
	mu      sync.Mutex
	known   map[string]bool
	applied []gateway.Receipt
	batches []int
	err     error
	latency time.Duration
}

func (s *memory) ApplyReceipts(_ context.Context, receipts []gateway.Receipt) ([]gateway.Applied, error) {
	time.Sleep(s.latency)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.batches = append(s.batches, len(receipts))
	if s.err != nil {
		return nil, s.err
	}
	applied := make([]gateway.Applied, len(receipts))
	for i, r := range receipts {
		if !s.known[r.CarrierID] {
			applied[i].Parked = true
			continue
		}
		s.applied = append(s.applied, r)
		applied[i] = gateway.Applied{Moved: true, State: gateway.Delivered, Events: []gateway.Event{{ID: int64(len(s.applied)), Sequence: 3}}}
	}
	return applied, nil
}

func (s *memory) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.err = err
}

// start runs a service; stop ends it and waits for it.
func start(t *testing.T, s *Service) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	return func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
}

// answers counts how each receipt was answered.
type answers struct {
	mu   sync.Mutex
	good map[string]int
	bad  map[string]int
}

func newAnswers() *answers { return &answers{good: map[string]int{}, bad: map[string]int{}} }

func (a *answers) to(id string) func(error) {
	return func(err error) {
		a.mu.Lock()
		defer a.mu.Unlock()
		if err != nil {
			a.bad[id]++
		} else {
			a.good[id]++
		}
	}
}

// got gives how often a receipt was answered well and with an error.
func (a *answers) got(id string) [2]int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return [2]int{a.good[id], a.bad[id]}
}

func receipt(id string) gateway.Receipt {
	return gateway.Receipt{Carrier: "main", CarrierID: id, Outcome: gateway.ReceiptDelivered}
}

func TestRecord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &memory{known: map[string]bool{"known": true}, latency: time.Second}
		s := NewService(store)
		var told []gateway.Event
		s.Told = func(events []gateway.Event) { told = append(told, events...) }
		joined := map[string]func(error){}
		s.Attach = func(r gateway.Receipt, done func(error)) bool {
			if r.CarrierID != "in hand" {
				return false
			}
			joined[r.CarrierID] = done
			return true
		}
		stop := start(t, s)
		a := newAnswers()

		onTheWay := receipt("on the way")
		onTheWay.Outcome = gateway.InTransit
		for id, r := range map[string]gateway.Receipt{
			"on the way": onTheWay, "known": receipt("known"), "unknown": receipt("unknown"), "in hand": receipt("in hand"),
		} {
			s.Record(r, a.to(id))
		}
		if got := a.got("on the way"); got != [2]int{1, 0} {
			t.Errorf("nothing to keep, answered %v", got)
		}
		for _, id := range []string{"known", "unknown", "in hand"} {
			if got := a.got(id); got != [2]int{} {
				t.Errorf("%s: answered %v before it was on disk", id, got)
			}
		}
		time.Sleep(2*time.Second + time.Millisecond)
		synctest.Wait()
		for _, id := range []string{"known", "unknown"} {
			if got := a.got(id); got != [2]int{1, 0} {
				t.Errorf("%s: answered %v", id, got)
			}
		}
		if got := a.got("in hand"); got != [2]int{} {
			t.Errorf("joined, and answered %v before its record", got)
		}
		joined["in hand"](nil)
		if got := a.got("in hand"); got != [2]int{1, 0} {
			t.Errorf("joined: answered %v", got)
		}
		stop()
		if len(store.applied) != 1 || len(told) != 1 {
			t.Errorf("applied %v, told %v", store.applied, told)
		}
		if got := s.Stats(); got != (Stats{Received: 4, Parked: 1}) {
			t.Errorf("%+v", got)
		}
	})
}

func TestFailingStoreLeavesReceiptsWithTheCarrier(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &memory{known: map[string]bool{"a": true}, err: errors.New("the disk is full")}
		s := NewService(store)
		s.Told = func([]gateway.Event) { t.Error("told of what is not on disk") }
		stop := start(t, s)
		defer stop()
		a := newAnswers()
		for range 3 {
			s.Record(receipt("a"), a.to("a"))
		}
		synctest.Wait()
		if got := a.got("a"); got != [2]int{0, 3} {
			t.Errorf("answered %v", got)
		}
		store.fail(nil)
		s.Told = func([]gateway.Event) {}
		s.Record(receipt("a"), a.to("a")) // the carrier sends it again
		synctest.Wait()
		if got := a.got("a"); got != [2]int{1, 3} {
			t.Errorf("answered %v", got)
		}
	})
}

// Beyond the bound, and after the stop, receipts stay with the carrier: they are answered at once, and once.
func TestReceiptsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &memory{latency: time.Second}
		s := NewService(store)
		stop := start(t, s)
		a := newAnswers()
		s.Record(receipt("first"), a.to("first"))
		synctest.Wait() // it is being written
		for range receiptWaiting + 5 {
			s.Record(receipt("many"), a.to("many"))
		}
		if got := a.got("many"); got != [2]int{0, 5} {
			t.Errorf("beyond the bound: answered %v", got)
		}
		stop()
		if got := a.got("many"); got != [2]int{receiptWaiting, 5} {
			t.Errorf("after the stop: answered %v", got)
		}
		for _, size := range store.batches {
			if size > receiptBatch {
				t.Errorf("a batch of %d", size)
			}
		}
		s.Record(receipt("late"), a.to("late"))
		if got := a.got("late"); got != [2]int{0, 1} {
			t.Errorf("after the stop: answered %v", got)
		}
	})
}

// Whatever the store does, every receipt is answered exactly once, and well only if it is applied or parked.
func TestEveryReceiptIsAnsweredOnce(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		latency := rapid.SampledFrom([]time.Duration{0, 10 * time.Millisecond}).Draw(rt, "latency")
		failures := rapid.SliceOfN(rapid.Bool(), 1, 20).Draw(rt, "failures")
		gaps := rapid.SliceOfN(rapid.IntRange(0, 8), len(failures), len(failures)).Draw(rt, "gaps")
		var wrong []string
		synctest.Test(t, func(t *testing.T) {
			store := &memory{latency: latency, known: map[string]bool{}}
			s := NewService(store)
			stop := start(t, s)
			a := newAnswers()
			for i, failing := range failures {
				time.Sleep(time.Duration(gaps[i]) * time.Millisecond)
				store.fail(nil)
				if failing {
					store.fail(errors.New("the disk is full"))
				}
				store.mu.Lock()
				store.known[fmt.Sprint(i)] = true
				store.mu.Unlock()
				s.Record(receipt(fmt.Sprint(i)), a.to(fmt.Sprint(i)))
			}
			stop()
			applied := map[string]bool{}
			for _, r := range store.applied {
				applied[r.CarrierID] = true
			}
			for i := range failures {
				got, want := a.got(fmt.Sprint(i)), [2]int{0, 1}
				if applied[fmt.Sprint(i)] {
					want = [2]int{1, 0}
				}
				if got != want {
					wrong = append(wrong, fmt.Sprintf("receipt %d: answered %v, want %v", i, got, want))
				}
			}
		})
		if len(wrong) > 0 {
			rt.Fatalf("%v", wrong)
		}
	})
}
