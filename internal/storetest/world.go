package storetest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/heliograph/heliograph/internal/gateway"
)

// What every test finds in its store: two accounts; "one" has two numbers in the pool of its powerpack and one outside, the inventory
// holds two. The powerpack is linked to application 77 of "one", which has another one, 88.
const (
	one = gateway.AccountID("MAONEONEONEONEONEONE")
	two = gateway.AccountID("MATWOTWOTWOTWOTWOTWO")

	pooled      = "14155550101"
	pooledToo   = "14155550102"
	rented      = "14155550103"
	inventory   = "12125550104"
	inventory2  = "18005550105"
	carrier     = "main"
	callbackURL = "https://example.com/status?account=one"
)

// accounts are both of them.
var accounts = []gateway.AccountID{one, two}

// world is a store with something in it, and a clock.
type world struct {
	failing
	Store
	ctx       context.Context
	open      func() Store
	now       time.Time
	ids       gateway.IDSource
	powerpack gateway.Powerpack
	sent      int
	price     gateway.Price // of what is received
}

// failing is what a test fails by: that of package testing, or of rapid.
type failing interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

// newWorld makes a world for a test, and closes its store at the end.
func newWorld(t *testing.T, start Start) *world {
	w := stock(t, start(t))
	t.Cleanup(func() { w.ok(w.Close()) })
	return w
}

// stock opens a new store and puts something in it.
func stock(t failing, open func() Store) *world {
	w := &world{failing: t, ctx: context.Background(), open: open, now: time.Date(2026, 3, 1, 12, 0, 0, 123456000, time.UTC)}
	w.ids.Entropy = rand.New(rand.NewPCG(1, 2)).Uint64
	w.Store = open()
	w.powerpack = gateway.Powerpack{
		ID: w.id(), Account: one, Name: "first", Pool: w.id(), Sticky: true, LocalConnect: true, ApplicationType: "xml", ApplicationID: "77",
		Priorities: []gateway.Priority{{Service: gateway.SMS, Country: "CA", Order: [3]gateway.NumberType{gateway.LongCode, gateway.ShortCode}}},
		CreatedAt:  w.now,
	}
	pool := w.powerpack.Pool
	w.ok(w.Install(w.ctx, gateway.Account{ID: one, Name: "One", Token: "token of one", Enabled: true, CreatedAt: w.now}, []gateway.Number{
		w.number(pooled, one, pool), w.number(pooledToo, one, pool), w.number(rented, one, gateway.ID{}),
		w.number(inventory, "", gateway.ID{}), w.number(inventory2, "", gateway.ID{}),
	}, []gateway.Powerpack{w.powerpack}))
	for _, id := range []string{"77", "88"} {
		w.ok(w.CreateApplication(w.ctx, w.application(id, one)))
	}
	w.ok(w.CreateAccount(w.ctx, gateway.Account{ID: two, Name: "Two", Token: "token of two", Enabled: true, CreatedAt: w.now}))
	return w
}

// reopen closes the store and opens it again.
func (w *world) reopen() {
	w.Helper()
	w.ok(w.Close())
	w.Store = w.open()
}

func (w *world) id() gateway.ID { return w.ids.Next(w.now) }

func (w *world) number(number string, account gateway.AccountID, pool gateway.ID) gateway.Number {
	n := gateway.Number{
		Number: number, Type: gateway.LongCode, Country: "US", Region: "CA", AreaCode: number[1:4],
		Services: gateway.Services(gateway.SMS), Carrier: carrier, Rate: -1, DailyCap: 100, Account: account, Pool: pool,
	}
	if account != "" {
		n.AddedAt, n.RentedAt = w.now, w.now
	}
	if !pool.IsZero() {
		n.Service = gateway.SMS
	}
	return n
}

func (w *world) ok(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// refused fails the test unless err is a refusal with that code.
func (w *world) refused(err error, code gateway.ErrorCode) {
	w.Helper()
	var refusal *gateway.Error
	if !errors.As(err, &refusal) || refusal.Code != code {
		w.Fatalf("got error %v, want a refusal with code %d", err, code)
	}
}

func (w *world) same(got, want any) {
	w.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		w.Fatalf("not as it should be (-want +got):\n%s", diff)
	}
}

// must gives a value whose error must be nil.
func must[T any](w *world) func(T, error) T {
	return func(value T, err error) T {
		w.Helper()
		w.ok(err)
		return value
	}
}

// message makes a message of account one that is on no disk yet.
func (w *world) message() *gateway.Message {
	w.sent++
	m := &gateway.Message{
		ID: w.id(), Account: one, Service: gateway.SMS, From: pooled, To: fmt.Sprintf("1415222%04d", w.sent), Country: "US",
		Text: "hello, world", Units: 1, PickedBy: gateway.BySource, Carrier: carrier,
		Callback: gateway.Callback{URL: callbackURL, Method: "POST"}, AcceptedAt: w.now, ExpiresAt: w.now.Add(time.Hour), Requester: "192.0.2.7",
	}
	m.Start(w.now)
	return m
}

// messageOf makes one of another account.
func (w *world) messageOf(account gateway.AccountID) *gateway.Message {
	m := w.message()
	m.Account = account
	return m
}

// submission makes a submission of messages that were just accepted; those not queued have failed with NoRoute.
func (w *world) submission(messages ...*gateway.Message) *gateway.Submission {
	sub := &gateway.Submission{Account: messages[0].Account, Messages: messages, At: w.now}
	for _, m := range messages {
		steps := []gateway.Step{{State: gateway.Queued, Sequence: 1, At: m.AcceptedAt}}
		if m.State == gateway.Failed {
			steps = append(steps, gateway.Step{State: gateway.Failed, Reason: m.Reason, Sequence: 2, At: m.UpdatedAt})
		}
		sub.Steps = append(sub.Steps, steps)
	}
	return sub
}

// accept stores messages in one submission and gives its events.
func (w *world) accept(messages ...*gateway.Message) []gateway.Event {
	w.Helper()
	results, err := w.InsertMessages(w.ctx, []*gateway.Submission{w.submission(messages...)})
	w.ok(err)
	if len(results) != 1 {
		w.Fatalf("%d results for one submission", len(results))
	}
	w.ok(results[0].Err)
	if results[0].Replayed != nil {
		w.Fatal("replayed without a key")
	}
	return results[0].Events
}

// queued accepts a message and gives it.
func (w *world) queued() *gateway.Message {
	w.Helper()
	m := w.message()
	w.accept(m)
	return m
}

// taken is a carrier's answer: it has the part.
func (w *world) taken(part int, carrierID string) gateway.PartResult {
	return gateway.PartResult{Number: part, Outcome: gateway.Outcome{Status: gateway.Accepted, CarrierID: carrierID}, At: w.now}
}

func (w *world) rejected(part int, reason gateway.Reason) gateway.PartResult {
	return gateway.PartResult{Number: part, Outcome: gateway.Outcome{Status: gateway.Rejected, Reason: reason, Detail: "ESME_RINVDSTADR"}, At: w.now}
}

// settled is a record of answers for all parts that left.
func (w *world) settled(m *gateway.Message, total int, results ...gateway.PartResult) *gateway.SubmitRecord {
	return &gateway.SubmitRecord{Message: m, Total: total, Results: results, At: w.now}
}

// record writes one record.
func (w *world) record(r *gateway.SubmitRecord) gateway.Applied {
	w.Helper()
	applied, err := w.RecordSubmits(w.ctx, []*gateway.SubmitRecord{r})
	w.ok(err)
	if len(applied) != 1 {
		w.Fatalf("%d results for one record", len(applied))
	}
	return applied[0]
}

// submitted accepts a message of one part that the carrier has under that id.
func (w *world) submitted(carrierID string) *gateway.Message {
	w.Helper()
	m := w.queued()
	if applied := w.record(w.settled(m, 1, w.taken(1, carrierID))); applied.State != gateway.Sent {
		w.Fatalf("state %s after the submit, want sent", applied.State)
	}
	return m
}

func (w *world) delivered(carrierID string) gateway.Receipt {
	return gateway.Receipt{Carrier: carrier, CarrierID: carrierID, Outcome: gateway.ReceiptDelivered, At: w.now}
}

func (w *world) undelivered(carrierID string) gateway.Receipt {
	return gateway.Receipt{
		Carrier: carrier, CarrierID: carrierID, Outcome: gateway.ReceiptUndelivered, Reason: gateway.DestinationAway, Detail: "034", At: w.now,
	}
}

// receipt applies one receipt.
func (w *world) receipt(r gateway.Receipt) gateway.Applied {
	w.Helper()
	applied, err := w.ApplyReceipts(w.ctx, []gateway.Receipt{r})
	w.ok(err)
	if len(applied) != 1 {
		w.Fatalf("%d results for one receipt", len(applied))
	}
	return applied[0]
}

// stored reads a message as the store has it.
func (w *world) stored(m *gateway.Message) *gateway.Message {
	w.Helper()
	return must[*gateway.Message](w)(w.Message(w.ctx, m.Account, m.ID))
}

// state fails the test unless the message is in that state with so many events behind it.
func (w *world) state(m *gateway.Message, state gateway.State, sequence int) {
	w.Helper()
	if s := w.stored(m); s.State != state || s.Sequence != sequence {
		w.Fatalf("message is %s after %d events, want %s after %d", s.State, s.Sequence, state, sequence)
	}
}

// told is what events say, without their ids and messages.
func told(events []gateway.Event) []string {
	list := make([]string, len(events))
	for i, e := range events {
		list[i] = fmt.Sprintf("%d %s", e.Sequence, e.State)
	}
	return list
}

// lane reads the ids that are queued in a lane, after a place.
func (w *world) lane(key gateway.LaneKey, after int64, limit int) []gateway.ID {
	w.Helper()
	lanes := must[[][]*gateway.Message](w)(w.QueuedMessages(w.ctx, []gateway.LaneCursor{{LaneKey: key, After: after, Limit: limit}}))
	if len(lanes) != 1 {
		w.Fatalf("%d lanes for one cursor", len(lanes))
	}
	return idsOf(lanes[0])
}

func idsOf(messages []*gateway.Message) []gateway.ID {
	ids := make([]gateway.ID, len(messages))
	for i, m := range messages {
		ids[i] = m.ID
	}
	return ids
}

var mainLane = gateway.LaneKey{Account: one, Sender: pooled, Carrier: carrier}

// pending reads the events of the callback that were never tried.
func (w *world) pending() []gateway.Event {
	w.Helper()
	return must[[]gateway.Event](w)(w.FreshEvents(w.ctx, gateway.EndpointOf(one, callbackURL), 0, 1000))
}
