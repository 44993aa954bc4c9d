package mt

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
)

// yes is a store that agrees to everything and does no more than it must: what is measured over it is mt.
type yes struct {
	*memory
	recorded atomic.Int64

	mu   sync.Mutex
	rows []*gateway.Message // of the one lane there is
}

func (s *yes) InsertMessages(_ context.Context, batch []*gateway.Submission) ([]gateway.Inserted, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, sub := range batch {
		s.rows = append(s.rows, sub.Messages...)
	}
	return make([]gateway.Inserted, len(batch)), nil
}

func (s *yes) QueuedMessages(_ context.Context, cursors []gateway.LaneCursor) ([][]*gateway.Message, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	lanes := make([][]*gateway.Message, len(cursors))
	for i, c := range cursors {
		from, _ := slices.BinarySearchFunc(s.rows, c.After+1, func(m *gateway.Message, seq int64) int { return cmp.Compare(m.ID.Seq(), seq) })
		lanes[i] = slices.Clone(s.rows[from:min(len(s.rows), from+c.Limit)])
	}
	return lanes, nil
}

func (s *yes) RecordSubmits(_ context.Context, records []*gateway.SubmitRecord) ([]gateway.Applied, error) {
	s.recorded.Add(int64(len(records)))
	applied := make([]gateway.Applied, len(records))
	for i := range applied {
		applied[i].State = gateway.Sent
	}
	return applied, nil
}

// instant is a carrier that takes everything at once.
type instant struct{}

func (instant) Parts(m *gateway.Message) int { return m.Units }
func (instant) Places() int                  { return 1000 }

func (instant) Submit(_ gateway.Part, done func(gateway.Outcome)) {
	done(gateway.Outcome{Status: gateway.Accepted, CarrierID: "1"})
}

// BenchmarkMessage is the whole way of a message through mt: accept, queue, submit, record. The sender is the caller's, or one of a
// powerpack's, whose rate of a million a second is a limit that holds nothing up.
func BenchmarkMessage(b *testing.B) {
	b.Run("source", func(b *testing.B) { benchmarkMessage(b, 0, 0) })
	for _, senders := range []int{100, 10_000} {
		b.Run(fmt.Sprint("powerpack/", senders), func(b *testing.B) { benchmarkMessage(b, senders, 0) })
		b.Run(fmt.Sprint("powerpack, limited/", senders), func(b *testing.B) { benchmarkMessage(b, senders, 1e6) })
	}
}

func benchmarkMessage(b *testing.B, senders int, rate float64) {
	store := &yes{memory: newMemory()}
	for i := range max(1, senders) {
		store.numbers = append(store.numbers, gateway.Number{
			Number: fmt.Sprint(14155550100 + i), Type: gateway.LongCode, Country: "US", Region: "CA", AreaCode: fmt.Sprint(415 + i%40),
			Services: gateway.Services(gateway.SMS), Account: testAccount, Pool: gateway.ID{2}, Rate: rate,
		})
	}
	store.powerpacks = []gateway.Powerpack{{ID: testPack, Pool: gateway.ID{2}, Account: testAccount}}
	d := NewDispatcher(store, time.Now, slog.New(slog.DiscardHandler))
	d.AddCarrier("net1", instant{}, CarrierSettings{})
	s := NewService(store, d, &gateway.IDSource{Entropy: rand.New(rand.NewPCG(1, 1)).Uint64}, time.Now)
	s.Routes = gateway.Routes{{Carriers: []string{"net1"}}}
	if err := s.Load(context.Background()); err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 2)
	go func() { ended <- s.Run(ctx) }()
	go func() { ended <- d.Run(ctx) }()

	b.ReportAllocs()
	b.SetParallelism(32)
	var sent atomic.Int64
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			req := &Request{
				Account: testAccount, Source: alice, To: []gateway.Destination{{Number: over1, Country: "US"}}, Service: gateway.SMS,
				Text: "hello", ReceivedAt: time.Now(),
			}
			if senders > 0 {
				req.Source, req.Powerpack = "", testPack
			}
			if _, err := s.Accept(ctx, req); err != nil {
				b.Error(err)
				return
			}
			sent.Add(1)
		}
	})
	for deadline := time.Now().Add(20 * time.Second); store.recorded.Load() < sent.Load(); time.Sleep(100 * time.Microsecond) {
		if time.Now().After(deadline) {
			b.Fatalf("%d of %d recorded", store.recorded.Load(), sent.Load())
		}
	}
	b.StopTimer()
	cancel()
	for range 2 {
		if err := <-ended; err != nil {
			b.Error(err)
		}
	}
}
