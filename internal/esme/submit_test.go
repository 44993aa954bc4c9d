package esme

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
	"github.com/heliograph/heliograph/internal/smpp"
	"github.com/heliograph/heliograph/internal/trouble"
)

// TestSubmitSM holds a whole submit_sm against what it should be.
func TestSubmitSM(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cases := []struct {
			name string
			set  func(*Config)
			m    func(*gateway.Message)
			want smpp.SubmitSM
		}{
			{
				name: "defaults",
				want: smpp.SubmitSM{
					Source: smpp.Address{TON: 1, NPI: 1, Addr: "14155550100"}, Dest: smpp.Address{TON: 1, NPI: 1, Addr: "14155550123"},
					RegisteredDelivery: smpp.ReceiptFinal, ShortMessage: "hello\x00",
				},
			},
			{
				name: "settings",
				set: func(c *Config) {
					c.ServiceType, c.RequestReceipts, c.ValidityPeriod, c.GSM7Coding = "CMT", FailureReceipts, true, smpp.DataCodingIA5
				},
				m: func(m *gateway.Message) {
					m.From, m.ExpiresAt = "555444", time.Now().Add(90*time.Minute)
				},
				want: smpp.SubmitSM{
					ServiceType: "CMT", Source: smpp.Address{TON: 3, Addr: "555444"}, Dest: smpp.Address{TON: 1, NPI: 1, Addr: "14155550123"},
					RegisteredDelivery: smpp.ReceiptFailure, ValidityPeriod: "000000013000000R", DataCoding: smpp.DataCodingIA5,
					ShortMessage: "hello\x00",
				},
			},
			{
				name: "no receipts, and an expiry that is over",
				set:  func(c *Config) { c.RequestReceipts, c.ValidityPeriod = NoReceipts, true },
				m:    func(m *gateway.Message) { m.From, m.ExpiresAt = "Acme", time.Now().Add(-time.Minute) },
				want: smpp.SubmitSM{
					Source: smpp.Address{TON: 5, Addr: "Acme"}, Dest: smpp.Address{TON: 1, NPI: 1, Addr: "14155550123"},
					ValidityPeriod: "000000000001000R", ShortMessage: "hello\x00",
				},
			},
		}
		for _, tc := range cases {
			r := newRig(t, func(c *Config) {
				if tc.set != nil {
					tc.set(c)
				}
			})
			r.start()
			m := message("hello@")
			if tc.m != nil {
				tc.m(m)
			}
			r.send(m)
			if got := r.peer.submits[0]; got != tc.want {
				t.Errorf("%s: got %+v,\nwant %+v", tc.name, got, tc.want)
			}
			r.stop()
		}
	})
}

// TestConcatenation: the octets of a long text's parts, by every way there is.
func TestConcatenation(t *testing.T) {
	head, tail := strings.Repeat("a", 153), strings.Repeat("a", 9)
	text := head + tail
	cases := []struct {
		name    string
		c       Concatenation
		class   smpp.ESMClass
		first   string
		second  string
		tlvs    [2]string // as octets
		payload bool
	}{
		{
			name: "udh", c: UDH, class: smpp.ESMUDHI,
			first: "\x05\x00\x03\xA7\x02\x01" + head, second: "\x05\x00\x03\xA7\x02\x02" + tail,
		},
		{
			name: "sar", c: SAR, first: head, second: tail,
			tlvs: [2]string{
				"\x02\x0C\x00\x02\x00\xA7\x02\x0E\x00\x01\x02\x02\x0F\x00\x01\x01",
				"\x02\x0C\x00\x02\x00\xA7\x02\x0E\x00\x01\x02\x02\x0F\x00\x01\x02",
			},
		},
		{name: "payload", c: Payload, payload: true, tlvs: [2]string{"\x04\x24\x00\xA2" + text}},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, func(c *Config) { c.Concatenation = tc.c })
				r.start()
				r.submit(text)
				want := []string{tc.first, tc.second}
				if tc.payload {
					want = want[:1]
				}
				if len(r.peer.submits) != len(want) {
					t.Fatalf("%d submits, want %d", len(r.peer.submits), len(want))
				}
				for i, pdu := range r.peer.submits {
					if pdu.ShortMessage != want[i] || pdu.ESMClass != tc.class {
						t.Errorf("part %d: esm_class %#x, %q, want %#x, %q", i+1, pdu.ESMClass, pdu.ShortMessage, tc.class, want[i])
					}
					if got := tlvOctets(t, pdu.TLVs); got != tc.tlvs[i] {
						t.Errorf("part %d: parameters %q, want %q", i+1, got, tc.tlvs[i])
					}
				}
			})
		})
	}
}

// tlvOctets writes parameters as they are on the wire.
func tlvOctets(t *testing.T, tlvs smpp.TLVs) string {
	t.Helper()
	with, err := smpp.Append(nil, 1, smpp.ESME_ROK, &smpp.SubmitSM{TLVs: tlvs})
	if err != nil {
		t.Fatal(err)
	}
	without, err := smpp.Append(nil, 1, smpp.ESME_ROK, &smpp.SubmitSM{})
	if err != nil {
		t.Fatal(err)
	}
	return string(with[len(without):])
}

func TestMMS(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.start()
		m := message("")
		m.Service = gateway.MMS
		r.send(m)
		want := gateway.Outcome{Status: gateway.Rejected, Reason: gateway.Prohibited, Detail: "SMPP carries no MMS"}
		if len(r.outcomes) != 1 || r.outcomes[0] != want || len(r.peer.submits) != 0 {
			t.Errorf("outcomes %+v, %d submits", r.outcomes, len(r.peer.submits))
		}
	})
}

// TestUnencodable: what no PDU has room for is refused, and does not come back for ever.
func TestUnencodable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.start()
		m := message("hello")
		m.From = "a name that is longer than twenty octets"
		r.send(m)
		if len(r.outcomes) != 1 || r.outcomes[0].Status != gateway.Rejected || r.outcomes[0].Reason != gateway.InvalidSource {
			t.Errorf("outcomes %+v", r.outcomes)
		}
		if b := r.Binds()[0]; b.InUse != 0 || b.State != "bound" {
			t.Errorf("got %+v", b)
		}
	})
}

// TestThrottled: no failure of the message; said once, and once that it is over.
func TestThrottled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.peer.answer = func(n int, req *smpp.Request) {
			switch {
			case n <= 5:
				_ = req.Respond(smpp.ESME_RTHROTTLED, nil)
			case n == 6:
				_ = req.Respond(smpp.ESME_RMSGQFUL, nil)
			default:
				accept(n, req)
			}
		}
		r.start()
		for range 5 {
			r.submit("a")
			time.Sleep(10 * time.Second)
		}
		r.submit("a")
		r.submit("a")
		const no = gateway.Throttled
		if got := r.statuses(); !slices.Equal(got, []gateway.OutcomeStatus{no, no, no, no, no, no, gateway.Accepted}) {
			t.Errorf("outcomes %v", got)
		}
		time.Sleep(29 * time.Second)
		r.wantLines(`msg=bound`, `level=WARN msg="the SMSC throttles" reason=ESME_RTHROTTLED`, `level=WARN msg="the SMSC throttles" reason=ESME_RMSGQFUL`)
		time.Sleep(time.Minute)
		synctest.Wait()
		lines := r.lines()
		slices.Sort(lines)
		if len(lines) != 2 || !strings.Contains(lines[0], `msg="over: the SMSC throttles" reason=ESME_RMSGQFUL times=1`) ||
			!strings.Contains(lines[1], `msg="over: the SMSC throttles" reason=ESME_RTHROTTLED times=5 lasted=40s`) {
			t.Errorf("log: %q", lines)
		}
	})
}

// TestRemarks: what the log says about the answers to submits.
func TestRemarks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cases := []struct {
			status smpp.Status
			line   string
		}{
			{smpp.ESME_RINVDSTADR, ""},
			{smpp.ESME_RSYSERR, `msg="the SMSC takes no submits for the moment" reason=ESME_RSYSERR`},
			{smpp.ESME_RINVSRCTON, `msg="the SMSC refuses submits; the carrier's settings may be wrong" reason=ESME_RINVSRCTON`},
			{0x455, `msg="the SMSC refuses submits; the carrier's settings may be wrong" reason="command_status 0x00000455"`},
			{smpp.ESME_ROK, `msg="the SMSC gives no message id; receipts cannot be matched"`},
		}
		for _, tc := range cases {
			r := newRig(t)
			r.peer.answer = func(_ int, req *smpp.Request) { _ = req.Respond(tc.status, nil) }
			r.start()
			r.lines()
			r.submit("a")
			r.submit("b")
			if tc.line == "" {
				r.wantLines()
			} else {
				r.wantLines(tc.line)
			}
			r.stop()
		}
	})
}

// TestMattersAreBounded: an SMSC with a status for each submit does not fill the memory, nor the log.
func TestMattersAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.peer.answer = func(n int, req *smpp.Request) { _ = req.Respond(smpp.Status(0x10000+n), nil) }
		r.start()
		r.lines()
		for range 3 * trouble.MaxMatters {
			r.submit("a")
		}
		if got := len(r.lines()); got != trouble.MaxMatters {
			t.Errorf("%d lines, want %d", got, trouble.MaxMatters)
		}
	})
}

// TestSeveralBinds: submits spread over the binds that have places; the parts of a message stay together in order; a bind that is lost takes
// only its own places away.
func TestSeveralBinds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, func(c *Config) { c.Binds, c.Window = 3, 4 })
		var held []func()
		r.peer.answer = func(n int, req *smpp.Request) { held = append(held, func() { accept(n, req) }) }
		r.start()
		if r.Places() != 12 || r.nudged != 3 {
			t.Fatalf("%d places, %d nudges", r.Places(), r.nudged)
		}
		long := message(strings.Repeat("a", 400)) // three parts
		r.send(long)
		if on := r.peer.on; on[0] != on[1] || on[1] != on[2] {
			t.Error("the parts of a message went over several binds")
		}
		for n := range 9 {
			m := message("short")
			m.ID[15] = byte(n)
			r.send(m)
		}
		use := map[*smpp.Session]int{}
		for _, s := range r.peer.on {
			use[s]++
		}
		for _, b := range r.Binds() {
			if b.InUse != 4 {
				t.Errorf("%s: %d in use", b.Name, b.InUse)
			}
		}
		if len(use) != 3 || len(r.peer.on) != 12 {
			t.Errorf("%d submits over %d binds", len(r.peer.on), len(use))
		}
		r.submit("no place")
		if got := r.statuses(); !slices.Equal(got, []gateway.OutcomeStatus{gateway.NotSent}) {
			t.Errorf("outcomes %v", got)
		}

		r.peer.on[0].Close(errors.New("dropped"))
		synctest.Wait()
		if r.Places() != 8 || len(r.statuses()) != 4 {
			t.Errorf("%d places", r.Places())
		}
		for _, answer := range held {
			answer()
		}
		synctest.Wait()
		if got := r.statuses(); len(got) != 8 {
			t.Errorf("outcomes %v", got)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if r.Places() != 12 {
			t.Errorf("%d places", r.Places())
		}
	})
}

// TestEqualBindsTakeTurns: an SMSC that limits the rate of each bind sees them used alike, also when each submit is answered before the
// next.
func TestEqualBindsTakeTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, func(c *Config) { c.Binds = 3 })
		r.start()
		use := map[*smpp.Session]int{}
		for n := range 30 {
			m := message("a")
			m.ID[14] = byte(n)
			r.send(m)
			use[r.peer.on[n]]++
		}
		for _, n := range use {
			if n != 10 || len(use) != 3 {
				t.Fatalf("used %v", use)
			}
		}
	})
}

// TestTransmitterAndReceiver: submits go over the one, receipts come over the other, and each is kept bound by itself.
func TestTransmitterAndReceiver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, func(c *Config) { c.Mode = TransmitterReceiver })
		r.start()
		tx, rx := r.peer.session(1), r.peer.session(2)
		if r.peer.binds[0].Mode != smpp.Transmitter {
			tx, rx = rx, tx
		}
		if tx.State() != smpp.BoundTX || rx.State() != smpp.BoundRX {
			t.Fatalf("states %s and %s", tx.State(), rx.State())
		}
		if b := r.Binds(); b[0].Name != "main/1/tx" || b[0].Window != 10 || b[1].Name != "main/1/rx" || b[1].Window != 0 {
			t.Errorf("got %+v", b)
		}
		r.submit("a")
		if r.Places() != 10 || r.nudged != 1 || r.peer.on[0] != tx {
			t.Errorf("%d places, %d nudges", r.Places(), r.nudged)
		}
		rx.Close(errors.New("dropped"))
		synctest.Wait()
		if b := r.Binds(); r.Places() != 10 || b[0].State != "bound" || b[1].State != "waiting" {
			t.Errorf("%d places, %+v", r.Places(), b)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if b := r.Binds(); b[1].State != "bound" {
			t.Errorf("got %+v", b)
		}
		if got := r.peer.deliver(3, textReceipt("1", "DELIVRD")); got != smpp.ESME_ROK || len(r.receipts) != 1 {
			t.Errorf("answered %s, %d receipts", got, len(r.receipts))
		}
	})
}

// TestForgottenBind: an SMSC that answers "not bound" is bound to anew.
func TestForgottenBind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, func(c *Config) { c.UnansweredLimit = 2 })
		r.peer.answer = func(n int, req *smpp.Request) {
			if n <= 2 {
				_ = req.Respond(smpp.ESME_RINVBNDSTS, nil)
				return
			}
			accept(n, req)
		}
		r.start()
		r.submit("a")
		r.submit("b")
		time.Sleep(time.Second)
		synctest.Wait()
		r.submit("c")
		if got := r.statuses(); !slices.Equal(got, []gateway.OutcomeStatus{gateway.Deferred, gateway.Deferred, gateway.Accepted}) {
			t.Errorf("outcomes %v", got)
		}
		if _, binds, _ := r.peer.counts(); binds != 2 {
			t.Errorf("bound %d times", binds)
		}
	})
}
