package e2e

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/heliograph/heliograph/internal/smpp"
	"github.com/heliograph/heliograph/internal/smpp/smpptest"
)

// TestCarrierFaults puts the server before SMSCs that misbehave: nothing is lost, everything is delivered in the end, and the log says what is
// the matter a few times, not a thousand.
func TestCarrierFaults(t *testing.T) {
	const messages = 200
	cases := []struct {
		name   string
		config func(*smpptest.Config)
		heal   func(*smpptest.Config) // once some messages have been tried
		more   string                 // of the carrier
		most   int                    // submits for one message
		said   string                 // what the log must say
	}{
		{name: "drops the connection", config: func(c *smpptest.Config) { c.DisconnectEvery = 37 }, more: "window: 5", most: 20, said: "carrier"},
		{name: "throttles", config: func(c *smpptest.Config) { c.ThrottleEvery = 5 }, most: 100, said: ""},
		{name: "receipts before responses", config: func(c *smpptest.Config) { c.ReceiptFirst = true }, most: 1},
		{name: "doubled receipts", config: func(c *smpptest.Config) { c.DuplicateReceipts = 1 }, most: 1},
		{
			name: "refuses the bind", config: func(c *smpptest.Config) { c.BindRefuse = smpp.ESME_RINVPASWD },
			heal: func(c *smpptest.Config) { c.BindRefuse = 0 }, most: 1, said: "ESME_RINVPASWD",
		},
		{
			name: "never answers", config: func(c *smpptest.Config) { c.Unanswered = 1 },
			heal: func(c *smpptest.Config) { c.Unanswered = 0 }, more: "response_timeout: 500ms, window: 5", most: 200, said: "answer",
		},
		{
			name: "answers garbage", config: func(c *smpptest.Config) { c.GarbageEvery = 1 },
			heal: func(c *smpptest.Config) { c.GarbageEvery = 0 }, more: "response_timeout: 500ms, window: 5", most: 200, said: "carrier",
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			l := newLedger()
			smsc := smpptest.New(t, c.config, func(cfg *smpptest.Config) { cfg.OnSubmit = l.submitted })
			sink := httptest.NewServer(l)
			t.Cleanup(sink.Close)
			server := serve(t, t.TempDir(), smppConfig(smsc.Addr(), c.more))
			customer := newAccount(t, server.url(t))
			pack := customer.powerpack(t, "faults", "14155550101", "14155550102")
			for n := range messages {
				to := destination(n)
				id := customer.call(t, http.MethodPost, "/Message/", map[string]any{"powerpack_uuid": pack, "dst": to, "text": "x", "url": sink.URL}).messages(t)[0]
				l.note(func() { l.acknowledged[to] = id })
			}
			if c.heal != nil {
				server.await(t, "a word about the trouble", func(lines []string, _ string) bool {
					return strings.Contains(strings.Join(lines, "\n"), c.said)
				})
				smsc.Set(c.heal)
			}
			l.await(t, "the delivery of every message", func() (bool, string) {
				for to, id := range l.acknowledged {
					if !l.told[id]["delivered"] {
						return false, fmt.Sprintf("message %s to %s: %d submits, told %v", id, to, l.submits[to], l.told[id])
					}
				}
				return true, ""
			})
			l.mu.Lock()
			defer l.mu.Unlock()
			for to, n := range l.submits {
				if n > c.most {
					t.Errorf("%s got %d submits, at most %d may be", to, n, c.most)
				}
			}
			lines := server.log()
			if n := strings.Count(lines, "\n"); n > 60 {
				t.Errorf("the log has %d lines about it", n)
			}
			if !strings.Contains(lines, c.said) {
				t.Errorf("the log does not say %q", c.said)
			}
		})
	}
}

// TestDeadCarrierCostsNothing: while nobody listens at the SMSC's address the server waits without spinning, and another carrier's messages go on.
func TestDeadCarrierCostsNothing(t *testing.T) {
	dead := smpptest.New(t, func(c *smpptest.Config) { c.BindRefuse = smpp.ESME_RBINDFAIL })
	config := smppConfig(dead.Addr(), "") + "  - {name: loop, protocol: loopback, delay: 1ms}\n" +
		"routes:\n  - {prefix: \"1212\", carriers: [main]}\n  - {prefix: \"\", carriers: [loop]}\n"
	server := serve(t, t.TempDir(), config)
	customer := newAccount(t, server.url(t))
	pack := customer.powerpack(t, "two", "14155550101")
	send := func(to string) string {
		return customer.call(t, http.MethodPost, "/Message/", map[string]any{"powerpack_uuid": pack, "dst": to, "text": "x"}).messages(t)[0]
	}
	parked := send(destination(1))
	for n := range 50 {
		customer.awaitState(t, send(fmt.Sprintf("1415555%04d", 2000+n)), "delivered")
	}
	if r := customer.record(t, parked); r.text("message_state") != "queued" {
		t.Errorf("the message for the dead carrier is %s", r.text("message_state"))
	}
	before := cpuSeconds(t, customer)
	pause(2 * time.Second)
	if used := cpuSeconds(t, customer) - before; used > 0.5 {
		t.Errorf("waiting for two seconds took %.2f s of CPU", used)
	}
}

// cpuSeconds is what the server process has used since its start.
func cpuSeconds(t testing.TB, a *account) float64 {
	t.Helper()
	answer, err := a.do(within(t), http.MethodGet, "/metrics", "", nil, func(*http.Request) {})
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(answer.body)) {
		var seconds float64
		if n, _ := fmt.Sscanf(line, "process_cpu_seconds_total %g", &seconds); n == 1 {
			return seconds
		}
	}
	t.Fatal("the metrics do not tell the CPU time")
	return 0
}
