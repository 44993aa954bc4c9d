package esme

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"log/slog"
	"math/big"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/heliograph/heliograph/internal/gateway"
	"github.com/heliograph/heliograph/internal/smpp"
	"github.com/heliograph/heliograph/internal/smpp/smpptest"
	"github.com/heliograph/heliograph/internal/trouble"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// user stands in for the dispatcher: it keeps to the places, hands a message over again until its answer settles it, and keeps book.
type user struct {
	*Carrier
	t     testing.TB
	nudge chan struct{} // of capacity 1

	mu       sync.Mutex
	inflight int
	answers  map[gateway.OutcomeStatus]int
	accepted map[string]bool // carrier ids
	reported map[string]int  // carrier ids of receipts
	early    int             // receipts that came before the answer
	again    []*gateway.Message
	said     strings.Builder // the log
}

// connect runs a carrier towards the SMSC until the test ends.
func connect(t testing.TB, smsc *smpptest.SMSC, settings ...func(*Config)) *user {
	t.Helper()
	u := &user{
		t: t, nudge: make(chan struct{}, 1), answers: map[gateway.OutcomeStatus]int{}, accepted: map[string]bool{}, reported: map[string]int{},
	}
	cfg := Config{
		Name: "main", Address: smsc.Addr(), SystemID: "user", Password: "secret", Window: 10, Now: time.Now,
		Reconnect: trouble.Backoff{First: time.Millisecond, Most: 10 * time.Millisecond}, OnReceipt: u.onReceipt, Log: slog.New(slog.NewTextHandler(u, nil)),
	}
	for _, set := range settings {
		set(&cfg)
	}
	c, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	u.Carrier = c
	c.OnPlaces(u.wake)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- c.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return u
}

func (u *user) wake() {
	select {
	case u.nudge <- struct{}{}:
	default:
	}
}

// Write is the log's.
func (u *user) Write(line []byte) (int, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.wake()
	return u.said.Write(line)
}

func (u *user) onReceipt(r gateway.Receipt, done func(error)) {
	u.mu.Lock()
	if !u.accepted[r.CarrierID] {
		u.early++
	}
	u.reported[r.CarrierID]++
	u.mu.Unlock()
	u.wake()
	done(nil)
}

// send hands over n messages and waits until each is accepted or rejected.
func (u *user) send(n int) {
	u.t.Helper()
	for i := range n {
		m := message("hello")
		binary.BigEndian.PutUint64(m.ID[8:], uint64(i))
		u.again = append(u.again, m)
	}
	u.wait(func() bool {
		u.depart()
		return len(u.again) == 0 && u.inflight == 0
	})
}

// depart hands over what there are places for. mu is held.
func (u *user) depart() {
	for len(u.again) > 0 && u.inflight < u.Places() {
		m := u.again[0]
		u.again = u.again[1:]
		u.inflight++
		once := false
		u.mu.Unlock()
		u.Submit(gateway.Part{Message: m, Number: 1, Total: 1}, func(o gateway.Outcome) {
			u.mu.Lock()
			defer u.mu.Unlock()
			if once {
				u.t.Error("answered twice")
			}
			once = true
			u.answered(m, o)
		})
		u.mu.Lock()
	}
}

// answered keeps book. mu is held.
func (u *user) answered(m *gateway.Message, o gateway.Outcome) {
	u.inflight--
	u.answers[o.Status]++
	switch o.Status {
	case gateway.Accepted:
		if o.CarrierID == "" || u.accepted[o.CarrierID] {
			u.t.Errorf("accepted with the id %q", o.CarrierID)
		}
		u.accepted[o.CarrierID] = true
	case gateway.Rejected:
	default:
		u.again = append(u.again, m)
	}
	u.wake()
}

// patience is how long anything may take that a test waits for.
const patience = 30 * time.Second

// wait returns when enough is true; it looks when something happened. mu is held while it looks.
func (u *user) wait(enough func() bool) {
	u.t.Helper()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	for {
		u.mu.Lock()
		done := enough()
		u.mu.Unlock()
		if done {
			return
		}
		select {
		case <-u.nudge:
		case <-deadline.C:
			u.mu.Lock()
			defer u.mu.Unlock()
			u.t.Fatalf("waited in vain: %d in flight, answers %v, %d receipts, binds %+v", u.inflight, u.answers, len(u.reported), u.Binds())
		}
	}
}

// waitReports waits until every accepted message was reported on.
func (u *user) waitReports() {
	u.t.Helper()
	u.wait(func() bool {
		for id := range u.accepted {
			if u.reported[id] == 0 {
				return false
			}
		}
		return true
	})
}

// TestFaults: whatever the SMSC does, each message is settled, each submit answered once, and each accepted message reported on.
//
// The window is smaller than the number of submits between two lost connections: or else an SMSC that answers in batches might never get to
// answer one.
func TestFaults(t *testing.T) {
	const n = 300
	cases := []struct {
		name  string
		set   func(*smpptest.Config)
		esme  func(*Config)
		want  []gateway.OutcomeStatus // answers that must have come besides Accepted
		early bool                    // every receipt must have come before the answer
	}{
		{name: "none"},
		{name: "drops the connection", set: func(c *smpptest.Config) { c.DisconnectEvery = 40 }, want: []gateway.OutcomeStatus{gateway.Unanswered}},
		{name: "throttles", set: func(c *smpptest.Config) { c.ThrottleEvery = 3 }, want: []gateway.OutcomeStatus{gateway.Throttled}},
		{name: "nacks", set: func(c *smpptest.Config) { c.NackEvery = 5 }, want: []gateway.OutcomeStatus{gateway.Deferred}},
		{name: "answers garbage", set: func(c *smpptest.Config) { c.GarbageEvery = 40 }, want: []gateway.OutcomeStatus{gateway.Unanswered}},
		{name: "sends what cannot be decoded", set: func(c *smpptest.Config) { c.MalformedEvery = 2 }},
		{name: "refuses", set: func(c *smpptest.Config) { c.Refused = 0.3 }, want: []gateway.OutcomeStatus{gateway.Rejected}},
		{
			name: "leaves submits unanswered", set: func(c *smpptest.Config) { c.Unanswered = 0.1 },
			esme: func(c *Config) { c.ResponseTimeout = 50 * time.Millisecond }, want: []gateway.OutcomeStatus{gateway.Unanswered},
		},
		{name: "reports before it answers", set: func(c *smpptest.Config) { c.ReceiptFirst = true }, early: true},
		{name: "reports twice, and on what never was", set: func(c *smpptest.Config) { c.DuplicateReceipts, c.UnknownReceipts = 0.5, 0.5 }},
		{name: "reports in text", set: func(c *smpptest.Config) { c.Receipts = smpptest.TextOnly }},
		{name: "reports in parameters", set: func(c *smpptest.Config) { c.Receipts = smpptest.TLVOnly }},
		{name: "reports in a payload", set: func(c *smpptest.Config) { c.Receipts = smpptest.PayloadText }},
		{
			name: "has several binds", set: func(c *smpptest.Config) { c.DisconnectEvery = 70 }, esme: func(c *Config) { c.Binds = 3 },
			want: []gateway.OutcomeStatus{gateway.Unanswered},
		},
		{name: "takes a transmitter and a receiver", esme: func(c *Config) { c.Mode = TransmitterReceiver }},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			smsc := smpptest.New(t, func(c *smpptest.Config) {
				c.SystemID, c.Password, c.RetryDelay = "user", "secret", time.Millisecond
				if tc.set != nil {
					tc.set(c)
				}
			})
			u := connect(t, smsc, func(c *Config) {
				if tc.esme != nil {
					tc.esme(c)
				}
			})
			u.send(n)
			u.waitReports()
			settled := u.answers[gateway.Accepted] + u.answers[gateway.Rejected]
			if settled != n {
				t.Errorf("%d messages settled, want %d", settled, n)
			}
			for _, status := range tc.want {
				if u.answers[status] == 0 {
					t.Errorf("no outcome %d among %v: the fault was not met", status, u.answers)
				}
			}
			if tc.early && u.early != n {
				t.Errorf("%d receipts came before the answer, want %d", u.early, n)
			}
			counted := smsc.Counters()
			if counted.Submits < int64(n) || counted.Accepted < int64(u.answers[gateway.Accepted]) {
				t.Errorf("the SMSC counts %+v, we %v", counted, u.answers)
			}
		})
	}
}

// TestMalformedIsSaidOnce: a PDU that cannot be decoded costs neither the bind nor a line each, also when the connection is another.
func TestMalformedIsSaidOnce(t *testing.T) {
	smsc := smpptest.New(t, func(c *smpptest.Config) { c.MalformedEvery = 1 })
	u := connect(t, smsc)
	for n := range 3 {
		u.send(10)
		smsc.Disconnect()
		u.wait(func() bool { return u.Stats().BindsMade == int64(n+2) })
	}
	if got := strings.Count(u.said.String(), "undecodable"); got != 1 {
		t.Errorf("said %d times: %s", got, u.said.String())
	}
	if s := u.Stats(); s.BindsLost != 3 {
		t.Errorf("stats %+v", s)
	}
}

// TestRefusedBinds: whatever keeps the SMSC from letting us in, we are in as soon as it does.
func TestRefusedBinds(t *testing.T) {
	cases := []struct {
		name string
		set  func(c *smpptest.Config, on bool)
		why  string
	}{
		{"password", func(c *smpptest.Config, on bool) {
			if c.Password = "secret"; on {
				c.Password = "another"
			}
		}, "the SMSC refuses the bind: ESME_RINVPASWD"},
		{"status", func(c *smpptest.Config, on bool) {
			if c.BindRefuse = smpp.ESME_ROK; on {
				c.BindRefuse = smpp.ESME_RALYBND
			}
		}, "the SMSC refuses the bind: ESME_RALYBND"},
		{"nack", func(c *smpptest.Config, on bool) {
			if c.BindNack = smpp.ESME_ROK; on {
				c.BindNack = smpp.ESME_RINVCMDID
			}
		}, "the SMSC refuses the bind: ESME_RINVCMDID"},
		{"silence", func(c *smpptest.Config, on bool) { c.BindSilence = on }, "the SMSC answers no bind"},
		{"garbage", func(c *smpptest.Config, on bool) { c.BindGarbage = on }, "bind: smpp: command_length 1213486160 is not between 16 and 67584"},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			smsc := smpptest.New(t, func(c *smpptest.Config) { tc.set(c, true) })
			u := connect(t, smsc, func(c *Config) { c.BindTimeout = 250 * time.Millisecond })
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			if err := smsc.Wait(ctx, func(c smpptest.Counters) bool { return c.Connections >= 3 }); err != nil {
				t.Fatal(err)
			}
			if b := u.Binds()[0]; b.LastError != tc.why || u.Places() != 0 {
				t.Errorf("%d places, %+v", u.Places(), b)
			}
			smsc.Set(func(c *smpptest.Config) { tc.set(c, false) })
			u.send(1)
			if u.answers[gateway.Accepted] != 1 {
				t.Errorf("answers %v", u.answers)
			}
		})
	}
}

// TestIDForms: receipts find their messages whatever bases the SMSC writes its ids in.
func TestIDForms(t *testing.T) {
	cases := []struct {
		name              string
		answers, receipts smpptest.IDForm
		form              ReceiptIDs
	}{
		{"decimal", smpptest.Decimal, smpptest.Decimal, SameIDs},
		{"hexadecimal", smpptest.Hex, smpptest.Hex, SameIDs},
		{"hexadecimal answers", smpptest.Hex, smpptest.Decimal, HexToDecimal},
		{"upper-case answers", smpptest.HexUpper, smpptest.Padded, HexToDecimal},
		{"hexadecimal receipts", smpptest.Padded, smpptest.HexUpper, DecimalToHex},
		{"leading zeros", smpptest.Padded, smpptest.Decimal, LooseIDs},
		{"case", smpptest.HexUpper, smpptest.Hex, LooseIDs},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			smsc := smpptest.New(t, func(c *smpptest.Config) {
				c.ResponseIDs, c.ReceiptIDs, c.Receipts = tc.answers, tc.receipts, smpptest.TextOnly
			})
			u := connect(t, smsc, func(c *Config) { c.ReceiptIDs = tc.form })
			u.send(20)
			u.waitReports()
		})
	}
}

// TestTLS: a certificate that we know lets us in, one that we do not know does not.
func TestTLS(t *testing.T) {
	certificate, roots := selfSigned(t)
	smsc := smpptest.New(t, func(c *smpptest.Config) { c.TLS = &tls.Config{Certificates: []tls.Certificate{certificate}} })
	u := connect(t, smsc, func(c *Config) { c.TLS = &tls.Config{RootCAs: roots} })
	u.send(20)
	u.waitReports()

	wary := connect(t, smsc, func(c *Config) { c.TLS = &tls.Config{RootCAs: x509.NewCertPool()} })
	wary.wait(func() bool { return wary.Binds()[0].LastError != "" })
	if b := wary.Binds()[0]; b.LastError != "connect: tls: failed to verify certificate: x509: certificate signed by unknown authority" {
		t.Errorf("got %+v", b)
	}
}

// selfSigned makes a certificate for 127.0.0.1, and the pool that trusts it.
func selfSigned(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(parsed)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, roots
}

// BenchmarkSubmit measures submits until their answers, over TCP, with the SMSC in the same process.
func BenchmarkSubmit(b *testing.B) {
	for _, window := range []int{1, 10, 100, 1000} {
		b.Run("window="+big.NewInt(int64(window)).String(), func(b *testing.B) {
			smsc := smpptest.New(b)
			u := connect(b, smsc, func(c *Config) { c.Window, c.RequestReceipts = window, NoReceipts })
			u.wait(func() bool { return u.Places() == window })
			m := message("Your code is 123456. It is valid for ten minutes; do not pass it on to anybody.")
			places := make(chan struct{}, window)
			done := func(o gateway.Outcome) {
				if o.Status != gateway.Accepted {
					b.Errorf("outcome %+v", o)
				}
				<-places
			}
			b.ReportAllocs()
			b.ResetTimer()
			for range b.N {
				places <- struct{}{}
				u.Submit(gateway.Part{Message: m, Number: 1, Total: 1}, done)
			}
			for range window {
				places <- struct{}{}
			}
			b.StopTimer()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "msg/s")
		})
	}
}
