package loopback

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
)

// network is a running carrier in a bubble, with what it reported.
type network struct {
	*Carrier
	receipts []gateway.Receipt
	refuse   int // so many receipts cannot be kept
}

func start(t *testing.T) *network {
	t.Helper()
	n := &network{}
	n.Carrier = New(Config{
		Name: "loopback", Now: time.Now,
		OnReceipt: func(r gateway.Receipt, done func(error)) {
			if n.refuse > 0 {
				n.refuse--
				done(errors.New("no room"))
				return
			}
			n.receipts = append(n.receipts, r)
			done(nil)
		},
	})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = n.Run(ctx)
	}()
	t.Cleanup(func() { cancel(); <-ended })
	return n
}

// submit hands over a one-part message and gives the answer that came within a minute; the zero outcome if none did.
func (n *network) submit(id byte, to string) gateway.Outcome {
	var answer gateway.Outcome
	m := &gateway.Message{ID: gateway.ID{15: id}, From: "14155550100", To: to, Service: gateway.SMS, Units: 1}
	n.Submit(gateway.Part{Message: m, Number: 1, Total: 1}, func(o gateway.Outcome) { answer = o })
	time.Sleep(time.Minute)
	synctest.Wait()
	return answer
}

func TestMagicNumbers(t *testing.T) {
	cases := []struct {
		to      string
		answers []gateway.OutcomeStatus
		refused gateway.Reason
		report  gateway.ReceiptOutcome // 0: none
		why     gateway.Reason
	}{
		{"14155550123", []gateway.OutcomeStatus{gateway.Accepted}, 0, gateway.ReceiptDelivered, 0},
		{"15005550000", []gateway.OutcomeStatus{gateway.Accepted}, 0, gateway.ReceiptDelivered, 0},
		{"15005550030", []gateway.OutcomeStatus{gateway.Accepted}, 0, gateway.ReceiptUndelivered, gateway.Spam},
		{"15005551000", []gateway.OutcomeStatus{gateway.Accepted}, 0, gateway.ReceiptUndelivered, gateway.UnknownReason},
		{"15005552000", []gateway.OutcomeStatus{gateway.Accepted}, 0, 0, 0},
		{"15005553000", []gateway.OutcomeStatus{gateway.Throttled, gateway.Throttled, gateway.Throttled, gateway.Accepted}, 0, gateway.ReceiptDelivered, 0},
		{"15005554000", []gateway.OutcomeStatus{gateway.Accepted}, 0, gateway.ReceiptDelivered, 0},
		{"15005555000", []gateway.OutcomeStatus{gateway.Deferred, gateway.Accepted}, 0, gateway.ReceiptDelivered, 0},
		{"15005556000", []gateway.OutcomeStatus{gateway.Unanswered, gateway.Accepted}, 0, gateway.ReceiptDelivered, 0},
		{"15005560050", []gateway.OutcomeStatus{gateway.Rejected}, gateway.InvalidDestination, 0, 0},
		{"15005560000", []gateway.OutcomeStatus{gateway.Accepted}, 0, gateway.ReceiptDelivered, 0},
	}
	for _, c := range cases {
		t.Run(c.to, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := start(t)
				for i, want := range c.answers {
					got := n.submit(1, c.to)
					if got.Status != want || got.Reason != c.refused {
						t.Fatalf("answer %d: got status %d for reason %d, want %d for %d", i+1, got.Status, got.Reason, want, c.refused)
					}
					if (got.CarrierID != "") != (want == gateway.Accepted) {
						t.Fatalf("answer %d: status %d with id %q", i+1, got.Status, got.CarrierID)
					}
				}
				if c.report == 0 {
					if len(n.receipts) != 0 {
						t.Fatalf("got %d receipts, want none", len(n.receipts))
					}
					return
				}
				if len(n.receipts) != 1 || n.receipts[0].Outcome != c.report || n.receipts[0].Reason != c.why {
					t.Fatalf("got receipts %+v", n.receipts)
				}
			})
		})
	}
}

// TestEveryCodeHasANumber holds the table of codes against the reasons that a carrier's word can lead to.
func TestEveryCodeHasANumber(t *testing.T) {
	byGateway := map[gateway.Reason]bool{ // ends that come from the gateway itself, before a carrier
		gateway.OptedOut: true, gateway.TollFreeToCanada: true, gateway.DispatchFailed: true, gateway.Expired: true,
		gateway.CountryBarred: true, gateway.ThresholdExceeded: true, gateway.NoCredit: true, gateway.AccountDisabled: true,
	}
	have := map[gateway.Reason]bool{}
	for code, reason := range codes {
		have[reason] = true
		if _, twice := specials[code]; twice {
			t.Errorf("%s is a code and a special", code)
		}
	}
	for _, reason := range gateway.Reasons() {
		if have[reason] == byGateway[reason] {
			t.Errorf("reason %d: has a number %v, comes from the gateway %v", reason, have[reason], byGateway[reason])
		}
	}
}

func TestTimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := start(t)
		begin := time.Now()
		n.submit(1, "14155550123")
		n.submit(2, "15005554000")
		if got := n.receipts[0].At.Sub(begin); got != DefaultDelay {
			t.Errorf("an ordinary report came after %s, want %s", got, DefaultDelay)
		}
		if got := n.receipts[1].At.Sub(begin.Add(time.Minute)); got != slowAnswer+slowReport {
			t.Errorf("the slow report came after %s, want %s", got, slowAnswer+slowReport)
		}
	})
}

// TestReportComesAgain: a report that could not be kept is not lost.
func TestReportComesAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := start(t)
		n.refuse = 2
		n.submit(1, "14155550123")
		if len(n.receipts) != 1 {
			t.Fatalf("got %d receipts, want 1", len(n.receipts))
		}
	})
}

// TestStop: after its end the network takes nothing, and every submit got an answer.
func TestStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := New(Config{Now: time.Now, OnReceipt: func(gateway.Receipt, func(error)) {}})
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { defer close(ended); _ = c.Run(ctx) }()
		answers := 0
		slow := &gateway.Message{To: "15005554000", Units: 1}
		c.Submit(gateway.Part{Message: slow, Number: 1, Total: 1}, func(gateway.Outcome) { answers++ })
		synctest.Wait()
		cancel()
		<-ended
		if answers != 1 {
			t.Errorf("the slow submit got %d answers", answers)
		}
		c.Submit(gateway.Part{Message: slow, Number: 1, Total: 1}, func(o gateway.Outcome) {
			answers++
			if o.Status != gateway.NotSent {
				t.Errorf("a submit after the end got status %d", o.Status)
			}
		})
		if answers != 2 || c.Places() != 0 {
			t.Errorf("%d answers, %d places", answers, c.Places())
		}
	})
}
