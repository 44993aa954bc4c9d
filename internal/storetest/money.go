package storetest

import (
	"fmt"
	"sync"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
)

// small is a price with a carrier's fee: what a message of one unit costs is 850.
var small = gateway.Price{Rate: 550, Fee: 300}

const smallCost = gateway.Money(850)

// branch is a subaccount of account one.
const branch = gateway.AccountID("SAONEONEONEONEONEONE")

var moneyTests = map[string]func(*world){
	"accounts are postpaid, with nothing in their wallets, until somebody says otherwise": func(w *world) {
		w.same(w.wallet(one), gateway.Wallet{})
		w.same(must[gateway.Account](w)(w.Account(w.ctx, one)).Wallet, gateway.Wallet{})
		w.ok(w.CreateAccount(w.ctx, gateway.Account{ID: "MAPREPAIDPREPAIDPREP", Enabled: true, CreatedAt: w.now, Wallet: gateway.Wallet{Billing: gateway.Prepaid}}))
		w.same(w.wallet("MAPREPAIDPREPAIDPREP"), gateway.Wallet{Billing: gateway.Prepaid})
		_, err := w.Wallet(w.ctx, "MANONENONENONENONENO")
		w.refused(err, gateway.NotFound)
	},
	"a price is kept with its message": func(w *world) {
		m := w.priced(small, 3)
		w.accept(m)
		w.reopen()
		w.same(w.stored(m), m)
		w.same(w.wallet(one), gateway.Wallet{Held: 3 * smallCost})
		for _, price := range []gateway.Price{{Rate: gateway.MaxRate, Fee: gateway.MaxRate}, {Rate: gateway.MaxRate}, {Fee: gateway.MaxRate}, {Rate: 1}, {Fee: 1}} {
			m := w.priced(price, 1)
			w.accept(m)
			w.same(w.stored(m).Price, price)
		}
		for _, price := range []gateway.Price{{Rate: gateway.MaxRate + 1}, {Fee: gateway.MaxRate + 1}, {Rate: -1}, {Fee: -1}} {
			if err := w.insert(w.submission(w.priced(price, 1))); err == nil {
				w.Fatalf("a price of %s and %s is stored", price.Rate, price.Fee)
			}
		}
	},
	"what an operator pays in is in the ledger, newest first": func(w *world) {
		first := w.credit(one, 1000, "first", "")
		w.now = w.now.Add(time.Minute)
		second := w.credit(one, -300, "correction", "k")
		w.credit(two, 7, "", "k") // keys of two accounts do not meet
		w.same(first.Balance, gateway.Money(1000))
		w.same(second.Balance, gateway.Money(700))
		w.reopen()
		w.same(w.wallet(one).Balance, gateway.Money(700))
		list, total, err := w.Credits(w.ctx, one, 10, 0)
		w.ok(err)
		w.same(list, []gateway.Credit{second, first})
		w.same(total, 2)
		list, total, err = w.Credits(w.ctx, one, 1, 1)
		w.ok(err)
		w.same(list, []gateway.Credit{first})
		w.same(total, 2)
	},
	"a payment that comes again is made once, over a restart": func(w *world) {
		first := w.credit(one, 1000, "transfer", "bank-1")
		w.reopen()
		w.now = w.now.Add(time.Hour)
		w.same(w.credit(one, 1000, "transfer", "bank-1"), first)
		w.same(w.wallet(one).Balance, gateway.Money(1000))
		for _, other := range []gateway.Credit{{Account: one, Amount: 1001, Note: "transfer"}, {Account: one, Amount: 1000, Note: "other"}} {
			other.Key, other.At = "bank-1", w.now
			_, err := w.AddCredit(w.ctx, other)
			w.refused(err, gateway.Conflict)
		}
		w.same(w.wallet(one).Balance, gateway.Money(1000))
	},
	"money goes to main accounts that are there, within bounds": func(w *world) {
		w.makeBranch()
		for id, code := range map[gateway.AccountID]gateway.ErrorCode{branch: gateway.Invalid, "MANONENONENONENONENO": gateway.NotFound} {
			_, err := w.AddCredit(w.ctx, gateway.Credit{Account: id, Amount: 1, At: w.now})
			w.refused(err, code)
			_, _, err = w.Credits(w.ctx, id, 10, 0)
			w.refused(err, code)
			prepaid := gateway.Prepaid
			_, err = w.ChangeAccount(w.ctx, id, gateway.AccountChange{Billing: &prepaid})
			w.refused(err, code)
		}
		w.credit(one, gateway.MaxMoney, "", "")
		_, err := w.AddCredit(w.ctx, gateway.Credit{Account: one, Amount: 1, Key: "k", At: w.now})
		w.refused(err, gateway.Invalid)
		w.same(w.credit(one, -1, "", "k").Balance, gateway.MaxMoney-1) // a refusal uses no key
	},
	"a message is held for while it is queued, and charged once when a carrier has it": func(w *world) {
		w.prepay(one, 10*smallCost)
		m := w.priced(small, 1)
		w.accept(m)
		w.same(w.wallet(one), gateway.Wallet{Billing: gateway.Prepaid, Balance: 10 * smallCost, Held: smallCost})
		charged := gateway.Wallet{Billing: gateway.Prepaid, Balance: 9 * smallCost}
		record := w.settled(m, 1, w.taken(1, "a"))
		for range 2 {
			w.record(record)
			w.same(w.wallet(one), charged)
		}
		for range 2 {
			w.receipt(w.undelivered("a"))
			w.same(w.wallet(one), charged)
		}
		w.state(m, gateway.Undelivered, 3)
		w.reopen()
		w.same(w.wallet(one), charged)
	},
	"a message that fails costs nothing, whatever ends it": func(w *world) {
		w.prepay(one, 10*smallCost)
		full := w.wallet(one)
		for what, end := range map[string]func(m *gateway.Message){
			"expired": func(m *gateway.Message) {
				w.record(&gateway.SubmitRecord{Message: m, Failure: gateway.Expired, At: w.now})
			},
			"rejected": func(m *gateway.Message) { w.record(w.settled(m, 1, w.rejected(1, gateway.Spam))) },
			"moved away": func(m *gateway.Message) {
				must[[]gateway.Applied](w)(w.MoveMessages(w.ctx, []gateway.Move{{Message: m, Failure: gateway.InvalidSource, At: w.now}}, nil))
			},
			"failed by the operator": func(m *gateway.Message) {
				w.record(&gateway.SubmitRecord{Message: m, Total: 1, Held: true, At: w.now})
				w.same(w.wallet(one).Held, smallCost)
				must[gateway.Applied](w)(w.FailHeld(w.ctx, m.ID, w.now))
			},
			"deferred, then expired": func(m *gateway.Message) {
				w.record(&gateway.SubmitRecord{Message: m, Total: 1, Due: w.now.Add(time.Minute), At: w.now})
				w.same(w.wallet(one).Held, smallCost)
				w.record(&gateway.SubmitRecord{Message: m, Failure: gateway.Expired, At: w.now})
			},
		} {
			m := w.priced(small, 1)
			w.accept(m)
			w.same(w.wallet(one).Held, smallCost)
			end(m)
			if state := w.stored(m).State; state != gateway.Failed {
				w.Fatalf("%s: the message is %s", what, state)
			}
			w.same(w.wallet(one), full)
		}
	},
	"a message that a carrier has is charged, whatever tells so": func(w *world) {
		w.prepay(one, 100*smallCost)
		for what, send := range map[string]func(m *gateway.Message){
			"a receipt that came before the answer": func(m *gateway.Message) {
				w.receipt(w.delivered("early"))
				w.record(w.settled(m, 1, w.taken(1, "early")))
			},
			"a receipt recorded with the answer": func(m *gateway.Message) {
				r := w.settled(m, 1, w.taken(1, "joint"))
				r.Receipts = []gateway.PartReceipt{{Number: 1, Receipt: w.undelivered("joint")}}
				w.record(r)
			},
			"a receipt for a message on hold": func(m *gateway.Message) {
				w.record(&gateway.SubmitRecord{Message: m, Total: 1, Held: true, At: w.now})
				r := w.delivered("late")
				r.From, r.To = m.From, m.To
				w.receipt(r)
			},
			"a part that was refused after another was taken": func(m *gateway.Message) {
				w.record(w.settled(m, 2, w.taken(1, "half"), w.rejected(2, gateway.Spam)))
			},
			"parts taken one by one, by another sender": func(m *gateway.Message) {
				must[[]gateway.Applied](w)(w.MoveMessages(w.ctx, []gateway.Move{{Message: m, From: pooledToo, Carrier: carrier, At: w.now}}, nil))
				w.record(w.settled(m, 2, w.taken(1, "x1")))
				w.same(w.wallet(one).Held, smallCost)
				w.record(w.settled(m, 2, w.taken(2, "x2")))
			},
			"a receipt that waits over a restart": func(m *gateway.Message) {
				w.ok(w.MarkSubmitting(w.ctx, []gateway.ID{m.ID}, w.now))
				r := w.delivered("parked")
				r.From, r.To = m.From, m.To
				w.receipt(r)
				w.reopen()
			},
		} {
			before := w.wallet(one)
			m := w.priced(small, 1)
			w.accept(m)
			send(m)
			if state := w.stored(m).State; state == gateway.Queued || state == gateway.Failed {
				w.Fatalf("%s: the message is %s", what, state)
			}
			before.Balance -= smallCost
			w.same(w.wallet(one), before)
		}
	},
	"what a prepaid account cannot pay is accepted and fails": func(w *world) {
		w.prepay(one, 3*smallCost-1)
		batch := []*gateway.Message{w.priced(small, 1), w.priced(small, 2), w.priced(small, 1), w.priced(gateway.Price{}, 9)}
		sub := w.submission(batch...)
		for range 2 { // the batch comes again
			results := w.insertTogether(true, sub)
			w.same(results[0].Unpaid, []int{1})
			w.same(w.wallet(one).Held, 2*smallCost)
		}
		failed := w.stored(batch[1])
		w.same(failed.State, gateway.Failed)
		w.same(failed.Reason, gateway.NoCredit)
		w.same(batch[1].State, gateway.Queued) // what was handed over is not written
		w.same(told(w.pending()), []string{"1 queued", "1 queued", "2 failed", "1 queued", "1 queued"})
		w.same(w.pending()[2].Reason, gateway.NoCredit)
		w.same(w.lane(mainLane, 0, 9), idsOf([]*gateway.Message{batch[0], batch[2], batch[3]}))
	},
	"a message that failed at acceptance holds nothing": func(w *world) {
		w.prepay(one, 0)
		m := w.priced(small, 1)
		m.Fail(gateway.NoRoute, w.now)
		results := w.insertTogether(true, w.submission(m))
		w.same(results[0].Unpaid == nil, true)
		w.same(w.stored(m).Reason, gateway.NoRoute)
		w.same(w.wallet(one), gateway.Wallet{Billing: gateway.Prepaid})
	},
	"contents that are not to be logged go with a message that cannot be paid": func(w *world) {
		w.prepay(one, 0)
		m := w.priced(small, 1)
		m.Log = gateway.LogNothing
		w.accept(m)
		w.same(w.stored(m).Text, "")
	},
	"a postpaid account owes": func(w *world) {
		m := w.priced(small, 2)
		w.accept(m)
		w.record(w.settled(m, 1, w.taken(1, "a")))
		w.same(w.wallet(one), gateway.Wallet{Balance: -2 * smallCost})
		w.prepay(one, smallCost-1)
		results := w.insertTogether(true, w.submission(w.priced(small, 1)))
		w.same(results[0].Unpaid, []int{0})
	},
	"a wallet survives a change of billing while messages wait": func(w *world) {
		m := w.priced(small, 1)
		w.accept(m)
		w.prepay(one, smallCost)
		w.same(w.wallet(one), gateway.Wallet{Billing: gateway.Prepaid, Balance: smallCost, Held: smallCost})
		w.record(w.settled(m, 1, w.taken(1, "a")))
		w.same(w.wallet(one), gateway.Wallet{Billing: gateway.Prepaid})
	},
	"a correction may take what is held; only new messages fail of it": func(w *world) {
		w.prepay(one, smallCost)
		m := w.priced(small, 1)
		w.accept(m)
		w.credit(one, -smallCost, "charged back", "")
		w.same(w.insertTogether(true, w.submission(w.priced(small, 1)))[0].Unpaid, []int{0})
		w.record(w.settled(m, 1, w.taken(1, "a")))
		w.same(w.wallet(one), gateway.Wallet{Billing: gateway.Prepaid, Balance: -smallCost})
	},
	"a subaccount spends the money of its main account": func(w *world) {
		w.makeBranch()
		w.prepay(one, 2*smallCost)
		own, theirs, third := w.priced(small, 1), w.priced(small, 1), w.priced(small, 1)
		theirs.Account, third.Account = branch, branch
		results := w.insertTogether(true, w.submission(theirs), w.submission(own), w.submission(third))
		w.same([]int{len(results[0].Unpaid), len(results[1].Unpaid), len(results[2].Unpaid)}, []int{0, 0, 1})
		w.same(w.wallet(one), gateway.Wallet{Billing: gateway.Prepaid, Balance: 2 * smallCost, Held: 2 * smallCost})
		w.same(w.wallet(branch), gateway.Wallet{})
		applied := must[[]gateway.Applied](w)(w.RecordSubmits(w.ctx, []*gateway.SubmitRecord{
			w.settled(theirs, 1, w.taken(1, "a")), w.settled(own, 1, w.rejected(1, gateway.Spam)),
		}))
		w.same(len(applied), 2)
		w.same(w.wallet(one), gateway.Wallet{Billing: gateway.Prepaid, Balance: smallCost})
		w.same(w.wallet(two), gateway.Wallet{})
	},
	"many who race for the last credits get no more than there are": func(w *world) {
		const senders, each, paid = 8, 12, 37
		w.prepay(one, paid*smallCost+smallCost/2)
		batches := make([][]*gateway.Submission, senders)
		for i := range batches {
			for n := range each { // of several sizes: one message a batch, or several
				sub := w.submission(w.priced(small, 1))
				if i%2 == 0 || n == 0 {
					batches[i] = append(batches[i], sub)
				} else {
					sub.Messages = append(sub.Messages, w.priced(small, 1))
					sub.Steps = append(sub.Steps, w.submission(sub.Messages[1]).Steps[0])
					batches[i] = append(batches[i], sub)
				}
			}
		}
		queued := w.race(batches)
		w.same(len(queued), paid)
		w.same(w.wallet(one), gateway.Wallet{Billing: gateway.Prepaid, Balance: paid*smallCost + smallCost/2, Held: paid * smallCost})
		records := make([]*gateway.SubmitRecord, len(queued))
		for i, m := range queued {
			records[i] = w.settled(m, 1, w.taken(1, m.ID.String()))
		}
		must[[]gateway.Applied](w)(w.RecordSubmits(w.ctx, records))
		w.same(w.wallet(one), gateway.Wallet{Billing: gateway.Prepaid, Balance: smallCost / 2})
	},
}

// race stores batches side by side, each submission of odd ones by itself, and gives the messages that were queued.
func (w *world) race(batches [][]*gateway.Submission) (queued []*gateway.Message) {
	w.Helper()
	var running sync.WaitGroup
	errs := make([]error, len(batches))
	for i, batch := range batches {
		running.Go(func() {
			size := len(batch)
			if i%2 == 1 {
				size = 1
			}
			for start := 0; start < len(batch) && errs[i] == nil; start += size {
				_, errs[i] = w.InsertMessages(w.ctx, batch[start:start+size])
			}
		})
	}
	running.Wait()
	for i, batch := range batches {
		w.ok(errs[i])
		for _, sub := range batch {
			for _, m := range sub.Messages {
				if w.stored(m).State == gateway.Queued {
					queued = append(queued, m)
				}
			}
		}
	}
	return queued
}

// priced makes a message that costs something.
func (w *world) priced(price gateway.Price, units int) *gateway.Message {
	m := w.message()
	m.Price, m.Units = price, units
	return m
}

func (w *world) wallet(id gateway.AccountID) gateway.Wallet {
	w.Helper()
	return must[gateway.Wallet](w)(w.Wallet(w.ctx, id))
}

func (w *world) credit(id gateway.AccountID, amount gateway.Money, note, key string) gateway.Credit {
	w.Helper()
	credit := gateway.Credit{Account: id, Amount: amount, Note: note, Key: key, At: w.now}
	entered := must[gateway.Credit](w)(w.AddCredit(w.ctx, credit))
	if entered.ID == 0 || entered.Account != id {
		w.Fatalf("entered as %+v", entered)
	}
	return entered
}

// prepay makes an account prepaid, with so much more than it owes or has.
func (w *world) prepay(id gateway.AccountID, balance gateway.Money) {
	w.Helper()
	prepaid := gateway.Prepaid
	changed := must[gateway.Account](w)(w.ChangeAccount(w.ctx, id, gateway.AccountChange{Billing: &prepaid}))
	w.same(changed.Wallet.Billing, gateway.Prepaid)
	if more := balance - changed.Wallet.Balance; more != 0 {
		w.same(w.credit(id, more, fmt.Sprintf("up to %s", balance), "").Balance, balance)
	}
}

func (w *world) makeBranch() {
	w.Helper()
	w.ok(w.CreateAccount(w.ctx, gateway.Account{ID: branch, Parent: one, Name: "Branch", Token: "token of branch", Enabled: true, CreatedAt: w.now}))
}
