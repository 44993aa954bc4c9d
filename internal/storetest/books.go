package storetest

import (
	"fmt"
	"time"

	"pgregory.net/rapid"

	"github.com/heliograph/heliograph/internal/gateway"
)

// books is a random history of messages that cost something. After every step two sentences must hold for each account that pays: its balance and what was
// charged are what was paid in, and what is held is what its queued messages cost. What messages were charged is read from their rows.
type books struct {
	*world
	rt       *rapid.T
	messages []*gateway.Message
	paid     map[gateway.AccountID]gateway.Money
	last     func() // does the last step once more, as after an unclear answer
	ids      int
}

func testBooks(rt *rapid.T, open func() Store) {
	b := &books{world: stock(rt, open), rt: rt, paid: map[gateway.AccountID]gateway.Money{}, last: func() {}}
	defer func() { b.ok(b.Close()) }()
	b.makeBranch()
	prepaid := gateway.Prepaid
	must[gateway.Account](b.world)(b.ChangeAccount(b.ctx, one, gateway.AccountChange{Billing: &prepaid}))
	rt.Repeat(map[string]func(*rapid.T){
		"pay":      func(*rapid.T) { b.pay() },
		"send":     func(*rapid.T) { b.send() },
		"send too": func(*rapid.T) { b.send() }, // more often than the rest
		"submit":   func(*rapid.T) { b.submit() },
		"receipt":  func(*rapid.T) { b.report() },
		"move":     func(*rapid.T) { b.move() },
		"operate":  func(*rapid.T) { b.operate() },
		"again":    func(*rapid.T) { b.last() },
		"reopen":   func(*rapid.T) { b.restart() },
		"":         func(*rapid.T) { b.balance() },
	})
}

// balance checks both sentences.
func (b *books) balance() {
	charged, held := map[gateway.AccountID]gateway.Money{}, map[gateway.AccountID]gateway.Money{}
	for _, m := range b.messages {
		payer := m.Account
		if payer == branch {
			payer = one
		}
		now := b.stored(m)
		b.same(now.Price, m.Price)
		switch now.State {
		case gateway.Queued:
			held[payer] += now.Cost()
		case gateway.Failed:
		default:
			charged[payer] += now.Cost()
		}
	}
	for _, id := range accounts {
		w := b.wallet(id)
		if w.Balance+charged[id] != b.paid[id] || w.Held != held[id] {
			b.Fatalf("account %s has %s and holds %s; %s were paid in, %s charged, and %s wait", id, w.Balance, w.Held, b.paid[id], charged[id], held[id])
		}
	}
}

func (b *books) pay() {
	id := rapid.SampledFrom(accounts).Draw(b.rt, "account")
	amount := gateway.Money(rapid.Int64Range(1, 3000).Draw(b.rt, "amount"))
	b.ids++
	key := fmt.Sprint("payment ", b.ids)
	b.credit(id, amount, "", key)
	b.paid[id] += amount
	b.last = func() { b.credit(id, amount, "", key) }
}

// send stores a batch. That nothing is sent on credit by the prepaid account is checked here: payments are never taken back.
func (b *books) send() {
	var batch []*gateway.Submission
	for range rapid.IntRange(1, 3).Draw(b.rt, "submissions") {
		account := rapid.SampledFrom([]gateway.AccountID{one, branch, two}).Draw(b.rt, "account")
		var messages []*gateway.Message
		for range rapid.IntRange(1, 3).Draw(b.rt, "messages") {
			price := gateway.Price{Rate: gateway.Money(rapid.Int64Range(0, 500).Draw(b.rt, "rate")), Fee: gateway.Money(rapid.Int64Range(0, 200).Draw(b.rt, "fee"))}
			m := b.priced(price, rapid.IntRange(1, 3).Draw(b.rt, "units"))
			m.Account = account
			if rapid.IntRange(0, 9).Draw(b.rt, "no route") == 0 {
				m.Fail(gateway.NoRoute, b.now)
			}
			messages = append(messages, m)
		}
		batch = append(batch, b.submission(messages...))
		b.messages = append(b.messages, messages...)
	}
	b.last = func() {
		must[[]gateway.Inserted](b.world)(b.InsertMessages(b.ctx, batch))
		if w := b.wallet(one); w.Available() < 0 {
			b.Fatalf("the prepaid account has %s and holds %s", w.Balance, w.Held)
		}
	}
	b.last()
}

// restart opens the store anew, now and then: it takes longer than all else.
func (b *books) restart() {
	if rapid.IntRange(0, 3).Draw(b.rt, "now") == 0 {
		b.reopen()
	}
}

// any picks a message, nil when there is none.
func (b *books) any() *gateway.Message {
	if len(b.messages) == 0 {
		return nil
	}
	return rapid.SampledFrom(b.messages).Draw(b.rt, "message")
}

func (b *books) submit() {
	m := b.any()
	if m == nil {
		return
	}
	b.now = b.now.Add(time.Second)
	total := rapid.IntRange(1, 2).Draw(b.rt, "total")
	part := rapid.IntRange(1, total).Draw(b.rt, "part")
	r := b.settled(m, total)
	switch rapid.SampledFrom([]string{"taken", "rejected", "deferred", "held", "released", "expired"}).Draw(b.rt, "outcome") {
	case "taken":
		r.Results = append(r.Results, b.taken(part, carrierIDOf(m, part)))
	case "rejected":
		r.Results = append(r.Results, b.rejected(part, gateway.Spam))
	case "deferred":
		r.Due = b.now.Add(time.Minute)
	case "held":
		r.Held = true
	case "released":
		r.Released = true
	default:
		r.Failure = gateway.Expired
	}
	if rapid.IntRange(0, 4).Draw(b.rt, "with receipt") == 0 {
		r.Receipts = append(r.Receipts, gateway.PartReceipt{Number: part, Receipt: b.delivered(carrierIDOf(m, part))})
	}
	b.last = func() { must[[]gateway.Applied](b.world)(b.RecordSubmits(b.ctx, []*gateway.SubmitRecord{r})) }
	b.last()
}

func carrierIDOf(m *gateway.Message, part int) string { return fmt.Sprintf("%s/%d", m.ID, part) }

func (b *books) report() {
	m := b.any()
	if m == nil {
		return
	}
	r := b.delivered(carrierIDOf(m, rapid.IntRange(1, 2).Draw(b.rt, "part")))
	if rapid.Bool().Draw(b.rt, "undelivered") {
		r.Outcome, r.Reason = gateway.ReceiptUndelivered, gateway.DestinationAway
	}
	r.From, r.To = m.From, m.To
	b.last = func() { b.receipt(r) }
	b.last()
}

func (b *books) move() {
	m := b.any()
	if m == nil {
		return
	}
	move := gateway.Move{Message: b.stored(m), From: pooledToo, Carrier: carrier, At: b.now}
	if rapid.Bool().Draw(b.rt, "fails") {
		move.Failure = gateway.InvalidSource
	}
	b.last = func() { must[[]gateway.Applied](b.world)(b.MoveMessages(b.ctx, []gateway.Move{move}, nil)) }
	b.last()
}

// operate ends a held message or puts it back; one that is not held is not there for the operator.
func (b *books) operate() {
	m := b.any()
	if m == nil {
		return
	}
	var err error
	if rapid.Bool().Draw(b.rt, "fails") {
		_, err = b.FailHeld(b.ctx, m.ID, b.now)
	} else {
		_, err = b.ReleaseHeld(b.ctx, m.ID, b.now)
	}
	if err != nil {
		b.refused(err, gateway.NotFound)
	}
}
