package e2e

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/heliograph/heliograph/internal/smpp/smpptest"
)

// ledger accounts for every message of a crash test: what was acknowledged, what the SMSC got, what the callbacks told.
type ledger struct {
	mu           sync.Mutex
	acknowledged map[string]string          // destination → message
	submits      map[string]int             // by destination
	told         map[string]map[string]bool // message → states
	fresh        chan struct{}              // closed and replaced at every change
}

func newLedger() *ledger {
	return &ledger{acknowledged: map[string]string{}, submits: map[string]int{}, told: map[string]map[string]bool{}, fresh: make(chan struct{})}
}

// note changes the ledger.
func (l *ledger) note(change func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	change()
	close(l.fresh)
	l.fresh = make(chan struct{})
}

func (l *ledger) submitted(s smpptest.Submit) { l.note(func() { l.submits[s.PDU.Dest.Addr]++ }) }

func (l *ledger) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	id, state := r.FormValue("MessageUUID"), r.FormValue("Status")
	l.note(func() {
		if l.told[id] == nil {
			l.told[id] = map[string]bool{}
		}
		l.told[id][state] = true
	})
}

// await waits until the condition holds.
func (l *ledger) await(t testing.TB, what string, condition func() (bool, string)) {
	t.Helper()
	deadline := time.After(patience)
	for {
		l.mu.Lock()
		met, missing := condition()
		fresh := l.fresh
		l.mu.Unlock()
		if met {
			return
		}
		select {
		case <-fresh:
		case <-deadline:
			t.Fatalf("%s did not come: %s", what, missing)
		}
	}
}

// crashConfig is small enough that duplicates, bounded by two windows a crash, would be seen if they were not bounded.
const (
	crashRounds  = 6
	crashWindow  = 10
	crashSenders = 16 // connections that send
)

// crash runs the server again and again on one folder under load, killing it each time after a random number of acknowledgements.
func crash(t *testing.T, l *ledger, data, config, statusURL string) {
	t.Helper()
	random := rand.New(rand.NewPCG(1, 2))
	var next atomic.Int64
	for round := range crashRounds {
		server := serve(t, data, config)
		customer := newAccount(t, server.url(t))
		if round == 0 {
			customer.powerpack(t, "crash", "14155550101", "14155550102", "14155550103", "14155550104")
		}
		pack := powerpackNamed(t, customer, "crash")
		left := int64(50 + random.IntN(400))
		var acks atomic.Int64
		var sending sync.WaitGroup
		enough := make(chan struct{})
		for range crashSenders {
			sending.Go(func() {
				for {
					to := destination(int(next.Add(1)))
					body := fmt.Appendf(nil, `{"powerpack_uuid":%q,"dst":%q,"text":"x","url":%q}`, pack, to, statusURL)
					r, err := customer.do(context.Background(), http.MethodPost, "/v1/Account/"+authID+"/Message/", "application/json", body, asCustomer)
					if err != nil {
						return // the server is gone; what this request became is anybody's guess
					}
					if r.status != http.StatusAccepted {
						t.Errorf("a send was answered %d %s", r.status, r.body)
						return
					}
					id := r.fields["message_uuid"].([]any)[0].(string)
					l.note(func() { l.acknowledged[to] = id })
					if acks.Add(1) == left {
						close(enough)
					}
				}
			})
		}
		select {
		case <-enough:
		case <-time.After(patience):
			t.Error("the server does not take enough messages")
		}
		server.kill()
		sending.Wait()
	}
}

// powerpackNamed finds a powerpack.
func powerpackNamed(t testing.TB, customer *account, name string) string {
	t.Helper()
	packs := customer.call(t, http.MethodGet, "/Powerpack/", nil).want(t, http.StatusOK)
	for _, object := range packs.fields["objects"].([]any) {
		if pack := object.(map[string]any); pack["name"] == name {
			return pack["uuid"].(string)
		}
	}
	t.Fatalf("there is no powerpack %q", name)
	return ""
}

// TestCrashResend kills the server under load, with `unanswered: resend`: every acknowledged message reaches the SMSC and its end, all its
// states are told, and at most two windows of submits a crash go out twice.
func TestCrashResend(t *testing.T) {
	l := newLedger()
	smsc := smpptest.New(t, func(c *smpptest.Config) { c.OnSubmit = l.submitted })
	sink := httptest.NewServer(l)
	t.Cleanup(sink.Close)
	data := t.TempDir()
	config := smppConfig(smsc.Addr(), fmt.Sprintf("window: %d, unanswered: resend", crashWindow))
	crash(t, l, data, config, sink.URL)

	server := serve(t, data, config)
	server.url(t)
	l.await(t, "the end of every acknowledged message", func() (bool, string) {
		for to, id := range l.acknowledged {
			states := l.told[id]
			if l.submits[to] == 0 || !states["queued"] || !states["sent"] || !states["delivered"] {
				return false, fmt.Sprintf("message %s to %s: %d submits, told %v", id, to, l.submits[to], states)
			}
		}
		return true, ""
	})
	l.mu.Lock()
	defer l.mu.Unlock()
	twice := 0
	for _, n := range l.submits {
		twice += n - 1
	}
	if most := crashRounds * 2 * crashWindow; twice > most {
		t.Errorf("%d submits went out twice in %d crashes, at most %d may", twice, crashRounds, most)
	}
	t.Logf("%d acknowledged, %d destinations at the SMSC, %d submits more than one", len(l.acknowledged), len(l.submits), twice)
}

// TestCrashHold is the same with `unanswered: hold`: nothing goes out twice, and what is not at the SMSC is on hold for the operator, who
// sends it.
func TestCrashHold(t *testing.T) {
	l := newLedger()
	smsc := smpptest.New(t, func(c *smpptest.Config) { c.OnSubmit = l.submitted })
	sink := httptest.NewServer(l)
	t.Cleanup(sink.Close)
	data := t.TempDir()
	config := smppConfig(smsc.Addr(), fmt.Sprintf("window: %d, unanswered: hold", crashWindow))
	crash(t, l, data, config, sink.URL)

	server := serve(t, data, config)
	operator := newAccount(t, server.url(t))
	held := heldMessages(t, operator)
	if most := crashRounds * 2 * crashWindow; len(held) > most {
		t.Errorf("%d messages are held after %d crashes, at most %d may be", len(held), crashRounds, most)
	}
	l.await(t, "the end of every acknowledged message but those on hold", func() (bool, string) {
		for to, id := range l.acknowledged {
			if !held[id] && !(l.submits[to] > 0 && l.told[id]["delivered"]) {
				return false, fmt.Sprintf("message %s to %s: %d submits, told %v, not held", id, to, l.submits[to], l.told[id])
			}
		}
		return true, ""
	})
	l.mu.Lock()
	for to, n := range l.submits {
		if n > 1 {
			t.Errorf("%s got %d submits", to, n)
		}
	}
	t.Logf("%d acknowledged, %d destinations at the SMSC, %d held", len(l.acknowledged), len(l.submits), len(held))
	l.mu.Unlock()
	for id := range heldMessages(t, operator) { // those whose receipt came after all are no longer among them
		if r := operator.operate(t, http.MethodPost, "/held/"+id+"/resend", nil); r.status != http.StatusNotFound {
			r.want(t, http.StatusOK)
		}
	}
	l.await(t, "the end of the messages that were on hold", func() (bool, string) {
		for _, id := range l.acknowledged {
			if held[id] && !l.told[id]["delivered"] {
				return false, id
			}
		}
		return true, ""
	})
}

func heldMessages(t testing.TB, operator *account) map[string]bool {
	t.Helper()
	r := operator.operate(t, http.MethodGet, "/held?limit=10000", nil).want(t, http.StatusOK)
	held := map[string]bool{}
	for _, object := range r.fields["held"].([]any) {
		held[object.(map[string]any)["message_uuid"].(string)] = true
	}
	return held
}
