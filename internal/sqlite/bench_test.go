package sqlite

import (
	"context"
	"encoding/binary"
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
			To: benchPerson(l.made), Country: "US", Text: "Your code is 123456. It is valid for ten minutes.", Units: 1,
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

// benchPerson scatters persons, as they are in the world: an index by them is not written in its order.
func benchPerson(i int) string { return fmt.Sprintf("1%010d", i*7_368_787_879%10_000_000_000) }

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

// BenchmarkInbound is what comes from handsets: messages of one part for 400 numbers of one account, each known by a digest, with the event that its
// application is told, and the session that brought them settled after each batch. The second one tells the events as well.
func BenchmarkInbound(b *testing.B) {
	for _, size := range []int{1, 50, 500} {
		b.Run(fmt.Sprintf("batch=%d", size), func(b *testing.B) { benchInbound(b, size, false) })
	}
	b.Run("batch=500/told", func(b *testing.B) { benchInbound(b, 500, true) })
}

func benchInbound(b *testing.B, size int, told bool) {
	const hook, numbers = "http://127.0.0.1:9000/inbound", 400
	s, l, ctx := openBench(b), newLife(hook), context.Background()
	err := s.CreateApplication(ctx, gateway.Application{ID: "1", Account: benchAccount, Message: l.callback, LogIncoming: true})
	if err != nil {
		b.Fatal(err)
	}
	if err := s.PutNumbers(ctx, benchNumbers(numbers)); err != nil {
		b.Fatal(err)
	}
	application := "1"
	for i := range numbers {
		if err := s.ChangeNumber(ctx, benchAccount, benchSender(i), gateway.NumberChange{Application: &application}); err != nil {
			b.Fatal(err)
		}
	}
	before := cpu()
	b.ResetTimer()
	for done := 0; done < b.N; done += size {
		results, err := s.AddInboundParts(ctx, l.inbound(min(size, b.N-done)), l.receive)
		if err != nil {
			b.Fatal(err)
		}
		if err := s.SettleSessions(ctx, map[uint64]time.Time{1: time.Now()}); err != nil {
			b.Fatal(err)
		}
		var attempts []gateway.Attempt
		for i := range results {
			if results[i].Status != gateway.InboundStored || len(results[i].Events) != 1 {
				b.Fatalf("part %d became %+v", i, results[i])
			}
			attempts = append(attempts, gateway.Attempt{
				Event: results[i].Events[0].ID, Number: 1, AtMicro: time.Now().UnixMicro(), Status: 200, Latency: 3, Done: true, Inbound: results[i].Message.ID,
			})
		}
		if told {
			if err := s.RecordAttempts(ctx, attempts); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64((cpu()-before).Microseconds())/float64(b.N), "cpu-µs/row")
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}

func (l *life) inbound(n int) []gateway.InboundPart {
	now := time.Now()
	parts := make([]gateway.InboundPart, n)
	for i := range parts {
		l.made++
		p := gateway.InboundPart{
			Carrier: "main", Service: gateway.SMS, From: benchPerson(l.made), To: benchSender(l.made * 7919 % l.senders), At: now,
			Data: gateway.UserData{Octets: []byte("Yes please, on Tuesday at ten.")},
		}
		p.Identity.Session = 1
		binary.BigEndian.PutUint64(p.Identity.Digest[:], l.ids.Entropy())
		parts[i] = p
	}
	return parts
}

func (l *life) receive(parts []gateway.InboundPart, to *gateway.Recipient) gateway.Arrival {
	p := &parts[0]
	m := &gateway.Message{
		ID: l.ids.Next(p.At), Account: to.Number.Account, Direction: gateway.Inbound, Service: p.Service, From: p.From, To: p.To, Country: "US",
		Text: string(p.Data.Octets), Units: len(parts), Carrier: p.Carrier, Callback: to.Application.Message, AcceptedAt: p.At,
	}
	m.Arrive(p.At)
	return gateway.Arrival{Message: m}
}

// BenchmarkOptOutSources asks for 500 persons at once: of an account that nobody has opted out of, and of one that 100,000 others have.
func BenchmarkOptOutSources(b *testing.B) {
	s, ctx := openBench(b), context.Background()
	keys := make([]gateway.Addressee, 500)
	for i := range keys {
		keys[i] = gateway.Addressee{Account: benchAccount, Person: benchPerson(1_000_000 + i)}
	}
	for _, opted := range []int{0, 100_000} {
		for done := 0; done < opted; done += 1000 {
			changes := make([]gateway.OptOutChange, 1000)
			for i := range changes {
				changes[i].OptOut = gateway.OptOut{Account: benchAccount, Source: benchSender(1), Person: benchPerson(done + i), At: time.Now(), Origin: gateway.ByOperator}
			}
			if _, err := s.ChangeOptOuts(ctx, changes); err != nil {
				b.Fatal(err)
			}
		}
		b.Run(fmt.Sprintf("of=%d", opted), func(b *testing.B) {
			for range b.N {
				if _, err := s.OptOutSources(ctx, keys); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkImport opts persons out, a thousand at a time.
func BenchmarkImport(b *testing.B) {
	s, ctx, made := openBench(b), context.Background(), 0
	b.ResetTimer()
	for done := 0; done < b.N; done += 1000 {
		changes := make([]gateway.OptOutChange, min(1000, b.N-done))
		for i := range changes {
			made++
			changes[i].OptOut = gateway.OptOut{Account: benchAccount, Source: benchSender(1), Person: benchPerson(made), At: time.Now(), Origin: gateway.ByOperator}
		}
		if _, err := s.ChangeOptOuts(ctx, changes); err != nil {
			b.Fatal(err)
		}
	}
}
