package sqlite

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"syscall"
	"testing"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
)

const benchAccount = gateway.AccountID("MABENCHBENCHBENCH000")

func openBench(b *testing.B) *Store {
	b.Helper()
	s, err := Open(context.Background(), Options{Dir: b.TempDir(), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := s.Close(); err != nil {
			b.Error(err)
		}
	})
	if err := s.CreateAccount(context.Background(), gateway.Account{ID: benchAccount, Enabled: true, CreatedAt: time.Now()}); err != nil {
		b.Fatal(err)
	}
	return s
}

// life is what benchmarks make messages with.
type life struct {
	ids      gateway.IDSource
	random   uint64
	callback gateway.Callback
	senders  int
	price    gateway.Price
	made     int
}

func newLife(callback string) *life {
	l := &life{senders: 400, callback: gateway.Callback{URL: callback, Method: "POST"}}
	l.ids.Entropy = func() uint64 { l.random = l.random*6364136223846793005 + 1442695040888963407; return l.random }
	return l
}

func (l *life) submissions(n int) []*gateway.Submission {
	now := time.Now()
	batch := make([]*gateway.Submission, n)
	for i := range batch {
		l.made++
		m := &gateway.Message{
			ID: l.ids.Next(now), Account: benchAccount, Service: gateway.SMS, From: benchSender(l.made * 7919 % l.senders),
			To: fmt.Sprintf("1415222%07d", l.made), Country: "US", Text: "Your code is 123456. It is valid for ten minutes.", Units: 1,
			PickedBy: gateway.ByPriority, Carrier: "main", Callback: l.callback, Requester: "127.0.0.1", AcceptedAt: now, ExpiresAt: now.Add(3 * time.Hour), Price: l.price,
		}
		batch[i] = &gateway.Submission{Account: benchAccount, Messages: []*gateway.Message{m}, Steps: [][]gateway.Step{{m.Start(now)}}, At: now}
	}
	return batch
}

func records(batch []*gateway.Submission) ([]*gateway.SubmitRecord, []gateway.Receipt) {
	now := time.Now()
	list, receipts := make([]*gateway.SubmitRecord, len(batch)), make([]gateway.Receipt, len(batch))
	for i, sub := range batch {
		m := sub.Messages[0]
		id := fmt.Sprintf("%010x", uint64(m.ID.Seq())*2654435761)
		list[i] = &gateway.SubmitRecord{Message: m, Total: 1, At: now, Results: []gateway.PartResult{
			{Number: 1, Outcome: gateway.Outcome{Status: gateway.Accepted, CarrierID: id}, At: now},
		}}
		receipts[i] = gateway.Receipt{Carrier: "main", CarrierID: id, Outcome: gateway.ReceiptDelivered, At: now}
	}
	return list, receipts
}

// BenchmarkLife is the whole life of a row: inserted, submitted, receipted, each its own commit; with callbacks, its three events are
// told as well.
func BenchmarkLife(b *testing.B) {
	for _, callback := range []string{"", "http://127.0.0.1:9000/status"} {
		for _, size := range []int{1, 50, 500} {
			name := fmt.Sprintf("batch=%d", size)
			if callback != "" {
				name += "/events"
			}
			b.Run(name, func(b *testing.B) { benchLife(b, openBench(b), newLife(callback), size) })
		}
	}
}

// BenchmarkPricedLife is the same of messages that a prepaid account pays.
func BenchmarkPricedLife(b *testing.B) {
	for _, size := range []int{1, 50, 500} {
		b.Run(fmt.Sprintf("batch=%d", size), func(b *testing.B) {
			s, l, prepaid := openBench(b), newLife(""), gateway.Prepaid
			l.price = gateway.Price{Rate: 550, Fee: 300}
			if _, err := s.ChangeAccount(context.Background(), benchAccount, gateway.AccountChange{Billing: &prepaid}); err != nil {
				b.Fatal(err)
			}
			if _, err := s.AddCredit(context.Background(), gateway.Credit{Account: benchAccount, Amount: gateway.MaxMoney}); err != nil {
				b.Fatal(err)
			}
			benchLife(b, s, l, size)
		})
	}
}

func benchLife(b *testing.B, s *Store, l *life, size int) {
	ctx := context.Background()
	before := cpu()
	b.ResetTimer()
	for done := 0; done < b.N; done += size {
		batch := l.submissions(min(size, b.N-done))
		inserted, err := s.InsertMessages(ctx, batch)
		if err != nil {
			b.Fatal(err)
		}
		var events []gateway.Event
		for _, in := range inserted {
			events = append(events, in.Events...)
		}
		list, receipts := records(batch)
		submitted, err := s.RecordSubmits(ctx, list)
		if err != nil {
			b.Fatal(err)
		}
		applied, err := s.ApplyReceipts(ctx, receipts)
		if err != nil {
			b.Fatal(err)
		}
		for i := range applied {
			if applied[i].State != gateway.Delivered {
				b.Fatal("not delivered")
			}
			events = append(append(events, submitted[i].Events...), applied[i].Events...)
		}
		tell(b, s, events)
	}
	b.ReportMetric(float64((cpu()-before).Microseconds())/float64(b.N), "cpu-µs/row")
}

// BenchmarkRefill reads lanes on, 64 rows each.
func BenchmarkRefill(b *testing.B) {
	s, l, ctx := openBench(b), newLife("http://127.0.0.1:9000/status"), context.Background()
	const depth, lanes = 64, 400
	for range lanes * depth / 800 {
		if _, err := s.InsertMessages(ctx, l.submissions(800)); err != nil {
			b.Fatal(err)
		}
	}
	before := cpu()
	b.ResetTimer()
	for done := 0; done < b.N; done += depth {
		cursor := gateway.LaneCursor{LaneKey: gateway.LaneKey{Account: benchAccount, Sender: benchSender(done / depth % lanes), Carrier: "main"}, Limit: depth}
		rows, err := s.QueuedMessages(ctx, []gateway.LaneCursor{cursor})
		if err != nil || len(rows[0]) != depth {
			b.Fatalf("%d rows, %v", len(rows[0]), err)
		}
	}
	b.ReportMetric(float64((cpu()-before).Microseconds())/float64(b.N), "cpu-µs/row")
}

// BenchmarkWaiting is a store with many messages that wait behind 100,000 senders: what one more costs, and what is read of all of them. Filling it
// takes a while: choose one of the sizes by its name.
func BenchmarkWaiting(b *testing.B) {
	for _, size := range []int{0, 100_000, 1_000_000} {
		b.Run(fmt.Sprintf("messages=%d", size), func(b *testing.B) { benchWaiting(b, size) })
	}
}

func benchWaiting(b *testing.B, size int) {
	const senders = 100_000
	s, l, ctx := openBench(b), newLife(""), context.Background()
	l.senders = senders
	l.wait(b, s, size)
	b.Run("insert", func(b *testing.B) { l.wait(b, s, b.N) })
	b.Run("lanes", func(b *testing.B) {
		for range b.N {
			if _, err := s.Lanes(ctx); err != nil {
				b.Fatal(err)
			}
		}
	})
	if err := s.PutNumbers(ctx, benchNumbers(senders)); err != nil {
		b.Fatal(err)
	}
	b.Run("roster", func(b *testing.B) {
		for range b.N {
			if roster, err := s.Roster(ctx); err != nil || len(roster.Numbers) != senders {
				b.Fatalf("%d numbers, %v", len(roster.Numbers), err)
			}
		}
	})
	l.senders = 1
	last := l.submissions(1)[0].Messages[0]
	l.wait(b, s, countedPlaces)
	places := []gateway.LanePosition{{LaneKey: last.Lane(), Seq: math.MaxInt64}}
	b.Run("units", func(b *testing.B) {
		for range b.N {
			if units, err := s.UnitsBefore(ctx, places); err != nil || units[0] != countedPlaces {
				b.Fatalf("%v units, %v", units, err)
			}
		}
	})
}

// wait stores messages that stay queued.
func (l *life) wait(b *testing.B, s *Store, n int) {
	const size = 500
	for done := 0; done < n; done += size {
		b.StopTimer()
		batch := l.submissions(min(size, n-done))
		b.StartTimer()
		if _, err := s.InsertMessages(context.Background(), batch); err != nil {
			b.Fatal(err)
		}
	}
}

func benchNumbers(n int) []gateway.Number {
	numbers := make([]gateway.Number, n)
	for i := range numbers {
		numbers[i] = gateway.Number{
			Number: benchSender(i), Type: gateway.LongCode, Country: "US", Region: "CA", AreaCode: "415",
			Services: gateway.Services(gateway.SMS, gateway.MMS), Rate: -1, Account: benchAccount, AddedAt: time.Now(),
		}
	}
	return numbers
}

func benchSender(i int) string { return fmt.Sprintf("1415%07d", i) }

func tell(b *testing.B, s *Store, events []gateway.Event) {
	if len(events) == 0 {
		return
	}
	attempts := make([]gateway.Attempt, len(events))
	for i := range events {
		attempts[i] = gateway.Attempt{Event: events[i].ID, Number: 1, AtMicro: time.Now().UnixMicro(), Status: 200, Latency: 3, Done: true}
	}
	if err := s.RecordAttempts(context.Background(), attempts); err != nil {
		b.Fatal(err)
	}
}

func cpu() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
