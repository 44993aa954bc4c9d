package smpptest

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"math/big"
	"net"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/heliograph/heliograph/internal/smpp"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// client is an ESME bound to the SMSC of a test. It takes every receipt, unless the test says otherwise.
type client struct {
	*smpp.Session
	t testing.TB

	mu       sync.Mutex
	receipts []smpp.Receipt
	events   []string // in the order in which they came: "response ID", "receipt ID"
}

func bind(t testing.TB, s *SMSC, mode smpp.BindMode, cfg smpp.Config) *client {
	t.Helper()
	c := &client{t: t}
	if cfg.Handler == nil {
		cfg.Handler = c.take
	}
	session, err := connect(t, s, mode, cfg)
	if err != nil {
		t.Fatal(err)
	}
	c.Session = session
	return c
}

func connect(t testing.TB, s *SMSC, mode smpp.BindMode, cfg smpp.Config) (*smpp.Session, error) {
	t.Helper()
	conn, err := net.Dial("tcp", s.Addr())
	if err != nil {
		t.Fatal(err)
	}
	session := smpp.NewSession(conn, smpp.ESME, cfg)
	ctx, cancel := context.WithCancel(context.Background())
	go func() { _ = session.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		<-session.Done()
	})
	_, err = session.Bind(ctx, &smpp.Bind{Mode: mode, SystemID: "user", Password: "secret", InterfaceVersion: smpp.InterfaceVersion})
	return session, err
}

func (c *client) take(r *smpp.Request) {
	d, ok := r.PDU.(*smpp.DeliverSM)
	if !ok {
		c.t.Errorf("%v", r.Header)
		return
	}
	receipt, isReceipt, err := smpp.ParseReceipt(d)
	if err != nil || !isReceipt {
		c.t.Errorf("receipt: %v, %v", isReceipt, err)
	}
	c.mu.Lock()
	c.receipts = append(c.receipts, receipt)
	c.events = append(c.events, "receipt "+receipt.ID)
	c.mu.Unlock()
	_ = r.Respond(smpp.ESME_ROK, nil)
}

func message(n int) *smpp.SubmitSM {
	return &smpp.SubmitSM{
		Source: smpp.Address{TON: smpp.TONInternational, NPI: smpp.NPIISDN, Addr: "14155550100"}, Dest: smpp.Address{Addr: "14152223333"},
		RegisteredDelivery: smpp.ReceiptFinal, ShortMessage: fmt.Sprintf("message %d", n),
	}
}

// send submits n messages, one after the other, and gives their answers; nil for one that was not answered.
func (c *client) send(n int) []*smpp.Response {
	var responses []*smpp.Response
	for i := range n {
		answer := make(chan error, 1)
		var response smpp.Response
		c.Submit(message(i+1), func(r smpp.Response, err error) {
			if response = r; err == nil && r.Status == smpp.ESME_ROK {
				c.mu.Lock()
				c.events = append(c.events, "response "+r.PDU.(*smpp.SubmitSMResp).MessageID)
				c.mu.Unlock()
			}
			answer <- err
		})
		if err := <-answer; err != nil {
			responses = append(responses, nil)
			continue
		}
		responses = append(responses, &response)
	}
	return responses
}

func (c *client) statuses(n int) string {
	var list []smpp.Status
	for _, r := range c.send(n) {
		if r == nil {
			list = append(list, 0xFFFF)
			continue
		}
		list = append(list, r.Status)
	}
	return fmt.Sprint(list)
}

func soon(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func TestSubmitAndReceipt(t *testing.T) {
	s := New(t, func(c *Config) { c.SystemID, c.Password, c.Record, c.DecodeText = "user", "secret", 2, true })
	c := bind(t, s, smpp.Transceiver, smpp.Config{})
	for i, r := range c.send(3) {
		if want := fmt.Sprint(1_000_000_001 + i); r == nil || r.Status != smpp.ESME_ROK || r.PDU.(*smpp.SubmitSMResp).MessageID != want {
			t.Errorf("answer %d: %+v", i, r)
		}
	}
	if err := s.WaitReceipts(soon(t), 3); err != nil {
		t.Fatal(err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if r := c.receipts[2]; r.ID != "1000000003" || r.TextID != r.ID || r.State != smpp.StateDelivered || r.Text != "message 3" || r.Err != "000" {
		t.Errorf("receipt %+v", r)
	}
	kept := s.Submits()
	if len(kept) != 2 || kept[0].N != 2 || kept[1].Text != "message 3" || kept[1].MessageID != "1000000003" || kept[1].SystemID != "user" {
		t.Errorf("recorded %+v", kept)
	}
	got := s.Counters()
	if got.Submits != 3 || got.Accepted != 3 || got.Delivered != 3 || got.ReceiptsAcked != 3 || got.ReceiptsPending != 0 || got.Bound != 1 {
		t.Errorf("%+v", got)
	}
}

func TestAnswers(t *testing.T) {
	for _, test := range []struct {
		name string
		edit func(*Config)
		want string
	}{
		{"throttle every third", func(c *Config) { c.ThrottleEvery = 3 }, "[ESME_ROK ESME_ROK ESME_RTHROTTLED ESME_ROK ESME_ROK ESME_RTHROTTLED]"},
		{"nack every second", func(c *Config) { c.NackEvery = 2 }, "[ESME_ROK ESME_RSYSERR ESME_ROK ESME_RSYSERR ESME_ROK ESME_RSYSERR]"},
		{"refuse all", func(c *Config) { c.Refused = 1 }, "[ESME_RINVDSTADR ESME_RINVDSTADR ESME_RINVDSTADR ESME_RINVDSTADR ESME_RINVDSTADR ESME_RINVDSTADR]"},
		{"refuse some", func(c *Config) { c.Refused, c.RefusedStatus, c.Seed = 0.5, smpp.ESME_RSUBMITFAIL, 1 }, "[ESME_RSUBMITFAIL ESME_ROK ESME_RSUBMITFAIL ESME_RSUBMITFAIL ESME_ROK ESME_ROK]"},
		{"rate", func(c *Config) { c.ThrottleRate = 0.001 }, "[ESME_ROK ESME_RTHROTTLED ESME_RTHROTTLED ESME_RTHROTTLED ESME_RTHROTTLED ESME_RTHROTTLED]"},
		{"malformed in between", func(c *Config) { c.MalformedEvery = 2 }, "[ESME_ROK ESME_ROK ESME_ROK ESME_ROK ESME_ROK ESME_ROK]"},
		{"late", func(c *Config) { c.AcceptDelay = time.Millisecond }, "[ESME_ROK ESME_ROK ESME_ROK ESME_ROK ESME_ROK ESME_ROK]"},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := bind(t, New(t, test.edit), smpp.Transmitter, smpp.Config{})
			if got := c.statuses(6); got != test.want {
				t.Errorf("answered %v, want %v", got, test.want)
			}
		})
	}
}

func TestSubmitsThatAreNotAnswered(t *testing.T) {
	for _, test := range []struct {
		name     string
		edit     func(*Config)
		answered int
	}{
		{"silence", func(c *Config) { c.Unanswered = 1 }, 0},
		{"dropped at the third", func(c *Config) { c.DisconnectEvery = 3 }, 2},
		{"garbage at the second", func(c *Config) { c.GarbageEvery = 2 }, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := New(t, test.edit)
			c := bind(t, s, smpp.Transmitter, smpp.Config{ResponseTimeout: 50 * time.Millisecond})
			for i, r := range c.send(3) {
				if (r != nil) != (i < test.answered) {
					t.Errorf("answer %d: %+v", i+1, r)
				}
			}
		})
	}
}

func TestReceiptForms(t *testing.T) {
	for _, test := range []struct {
		name       string
		edit       func(*Config)
		id, textID string
		state      smpp.MessageState
		err        string
	}{
		{"text only", func(c *Config) { c.Receipts = TextOnly }, "1000000001", "1000000001", smpp.StateDelivered, "000"},
		{"TLV only", func(c *Config) { c.Receipts = TLVOnly }, "1000000001", "", smpp.StateDelivered, ""},
		{"message_payload", func(c *Config) { c.Receipts = PayloadText }, "1000000001", "1000000001", smpp.StateDelivered, "000"},
		{"hexadecimal in receipts", func(c *Config) { c.ReceiptIDs = HexUpper }, "3B9ACA01", "3B9ACA01", smpp.StateDelivered, "000"},
		{"hexadecimal in answers", func(c *Config) { c.ResponseIDs, c.ReceiptIDs = Hex, Padded }, "00001000000001", "00001000000001", smpp.StateDelivered, "000"},
		{"undelivered", func(c *Config) { c.Undelivered, c.Failures = 1, []Failure{{smpp.StateExpired, "045"}} }, "1000000001", "1000000001", smpp.StateExpired, "045"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := New(t, test.edit)
			c := bind(t, s, smpp.Transceiver, smpp.Config{})
			c.send(1)
			if err := s.WaitReceipts(soon(t), 1); err != nil {
				t.Fatal(err)
			}
			c.mu.Lock()
			defer c.mu.Unlock()
			if r := c.receipts[0]; r.ID != test.id || r.TextID != test.textID || r.State != test.state || r.Err != test.err {
				t.Errorf("receipt %+v", r)
			}
		})
	}
}

func TestReceiptFirst(t *testing.T) {
	s := New(t, func(c *Config) { c.ReceiptFirst = true })
	c := bind(t, s, smpp.Transceiver, smpp.Config{})
	c.send(2)
	c.mu.Lock()
	defer c.mu.Unlock()
	if got := fmt.Sprint(c.events); got != "[receipt 1000000001 response 1000000001 receipt 1000000002 response 1000000002]" {
		t.Errorf("came as %v", got)
	}
}

func TestDuplicatedAndUnknownReceipts(t *testing.T) {
	s := New(t, func(c *Config) { c.DuplicateReceipts, c.UnknownReceipts = 1, 1 })
	c := bind(t, s, smpp.Transceiver, smpp.Config{})
	c.send(1)
	if err := s.WaitReceipts(soon(t), 3); err != nil {
		t.Fatal(err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if got := fmt.Sprint(c.events); got != "[response 1000000001 receipt 1000000001 receipt 1000000001 receipt 8000000001]" {
		t.Errorf("came as %v", got)
	}
}

// A receipt stays with the SMSC until it is taken: while no receiver is bound, when it is refused, when the connection is lost.
func TestReceiptsAreKept(t *testing.T) {
	s := New(t, func(c *Config) { c.RetryDelay = time.Millisecond })
	transmitter := bind(t, s, smpp.Transmitter, smpp.Config{})
	transmitter.send(2)
	if got := s.Counters(); got.ReceiptsPending != 2 || got.ReceiptsSent != 0 {
		t.Errorf("without a receiver: %+v", got)
	}
	dying := make(chan struct{}, 2)
	lost := bind(t, s, smpp.Receiver, smpp.Config{Handler: func(*smpp.Request) { dying <- struct{}{} }})
	<-dying
	lost.Close(nil)
	<-lost.Done()
	refused := 0
	c := &client{t: t}
	session, err := connect(t, s, smpp.Receiver, smpp.Config{Handler: func(r *smpp.Request) {
		if refused++; refused <= 3 {
			_ = r.Respond(smpp.ESME_RX_T_APPN, nil)
			return
		}
		c.take(r)
	}})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.WaitReceipts(soon(t), 2); err != nil {
		t.Fatal(err)
	}
	if got := s.Counters(); got.ReceiptsPending != 0 || got.ReceiptsNacked != 3 || got.ReceiptsLost < 1 {
		t.Errorf("at the end: %+v", got)
	}
	if err := session.Unbind(soon(t)); err != nil {
		t.Error(err)
	}
}

func TestMemoryOfReceiptsIsBounded(t *testing.T) {
	c := bind(t, New(t, func(c *Config) { c.MaxPending = 2 }), smpp.Transmitter, smpp.Config{})
	if got := c.statuses(4); got != "[ESME_ROK ESME_ROK ESME_RMSGQFUL ESME_RMSGQFUL]" {
		t.Errorf("answered %v", got)
	}
}

func TestMemoryOfAnswersIsBounded(t *testing.T) {
	s := New(t, func(c *Config) { c.MaxPending, c.AcceptDelay = 2, time.Hour })
	c := bind(t, s, smpp.Transmitter, smpp.Config{})
	m := message(1)
	m.RegisteredDelivery = smpp.ReceiptNone
	for range 2 {
		c.Submit(m, func(smpp.Response, error) {})
	}
	if r, err := c.Do(soon(t), m); err != nil || r.Status != smpp.ESME_RMSGQFUL {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestReceiptsOnlyWhereWanted(t *testing.T) {
	s := New(t, func(c *Config) { c.Undelivered, c.Seed = 0.5, 1 })
	c := bind(t, s, smpp.Transceiver, smpp.Config{})
	for _, wanted := range []smpp.RegisteredDelivery{smpp.ReceiptNone, smpp.ReceiptFailure, smpp.ReceiptFinal} {
		for range 20 {
			m := message(1)
			m.RegisteredDelivery = wanted
			if _, err := c.Do(soon(t), m); err != nil {
				t.Fatal(err)
			}
		}
	}
	got := s.Counters()
	if err := s.WaitReceipts(soon(t), int(got.Receipts)); err != nil {
		t.Fatal(err)
	}
	failed := 0
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, r := range c.receipts {
		if r.State != smpp.StateDelivered {
			failed++
		}
	}
	if got.Receipts <= 20 || got.Receipts >= 40 || failed == 0 || failed == int(got.Receipts) {
		t.Errorf("%d receipts, %d of failures: %+v", got.Receipts, failed, got)
	}
}

func TestBinds(t *testing.T) {
	for _, test := range []struct {
		name   string
		edit   func(*Config)
		status smpp.Status
		err    error
	}{
		{"refused", func(c *Config) { c.BindRefuse = smpp.ESME_RBINDFAIL }, smpp.ESME_RBINDFAIL, nil},
		{"nacked", func(c *Config) { c.BindNack = smpp.ESME_RINVCMDID }, smpp.ESME_RINVCMDID, nil},
		{"wrong system_id", func(c *Config) { c.SystemID = "other" }, smpp.ESME_RINVSYSID, nil},
		{"wrong password", func(c *Config) { c.Password = "other" }, smpp.ESME_RINVPASWD, nil},
		{"silence", func(c *Config) { c.BindSilence = true }, 0, smpp.ErrUnanswered},
		{"garbage", func(c *Config) { c.BindGarbage = true }, 0, smpp.ErrUnanswered},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := connect(t, New(t, test.edit), smpp.Transceiver, smpp.Config{ResponseTimeout: 50 * time.Millisecond})
			var status smpp.Status
			if test.err != nil && !errors.Is(err, test.err) || test.err == nil && (!errors.As(err, &status) || status != test.status) {
				t.Errorf("bind: %v", err)
			}
		})
	}
}

func TestMaxBinds(t *testing.T) {
	s := New(t, func(c *Config) { c.MaxBinds = 1 })
	c := bind(t, s, smpp.Transceiver, smpp.Config{})
	if _, err := connect(t, s, smpp.Transceiver, smpp.Config{}); !errors.Is(err, smpp.ESME_RALYBND) {
		t.Errorf("the second: %v", err)
	}
	if err := c.Unbind(soon(t)); err != nil {
		t.Fatal(err)
	}
	if err := s.Wait(soon(t), func(c Counters) bool { return c.Bound == 0 }); err != nil {
		t.Fatal(err)
	}
	bind(t, s, smpp.Transceiver, smpp.Config{})
}

func TestDeliver(t *testing.T) {
	s := New(t)
	if _, err := s.Deliver(soon(t), &smpp.DeliverSM{}); !errors.Is(err, ErrNoReceiver) {
		t.Errorf("without a bind: %v", err)
	}
	got := make(chan string, 1)
	bind(t, s, smpp.Receiver, smpp.Config{Handler: func(r *smpp.Request) {
		got <- r.PDU.(*smpp.DeliverSM).UserData()
		_ = r.Respond(smpp.ESME_ROK, nil)
	}})
	response, err := s.Deliver(soon(t), &smpp.DeliverSM{ShortMessage: "STOP"})
	if err != nil || response.Status != smpp.ESME_ROK || <-got != "STOP" {
		t.Errorf("%+v, %v", response, err)
	}
}

func TestDistinctAndOnSubmit(t *testing.T) {
	heard := make(chan Submit, 4)
	s := New(t, func(c *Config) { c.Distinct, c.OnSubmit = true, func(s Submit) { heard <- s } })
	c := bind(t, s, smpp.Transmitter, smpp.Config{})
	for _, n := range []int{1, 2, 1, 2} {
		if _, err := c.Do(soon(t), message(n)); err != nil {
			t.Fatal(err)
		}
		if got := (<-heard).PDU.ShortMessage; got != fmt.Sprintf("message %d", n) {
			t.Errorf("heard of %q", got)
		}
	}
	if got := s.Counters(); got.Distinct != 2 || got.Submits != 4 {
		t.Errorf("%+v", got)
	}
}

func TestSetAndDisconnect(t *testing.T) {
	s := New(t)
	c := bind(t, s, smpp.Transmitter, smpp.Config{})
	s.Set(func(c *Config) { c.ThrottleEvery = 1 })
	if got := c.statuses(1); got != "[ESME_RTHROTTLED]" {
		t.Errorf("answered %v", got)
	}
	s.Disconnect()
	<-c.Done()
	if err := c.Err(); err == nil {
		t.Error("the connection is gone, and the session has no error")
	}
}

func TestOtherOperations(t *testing.T) {
	s := New(t)
	c := bind(t, s, smpp.Transceiver, smpp.Config{})
	if err := s.WaitBinds(soon(t), 1); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		pdu  smpp.PDU
		want smpp.Status
	}{
		{&smpp.QuerySM{MessageID: "1"}, smpp.ESME_RQUERYFAIL},
		{&smpp.CancelSM{MessageID: "1"}, smpp.ESME_RCANCELFAIL},
		{&smpp.ReplaceSM{MessageID: "1"}, smpp.ESME_RREPLACEFAIL},
		{&smpp.DataSM{RegisteredDelivery: smpp.ReceiptFinal, TLVs: smpp.TLVs{}.With(smpp.TagMessagePayload, "hello")}, smpp.ESME_ROK},
	} {
		r, err := c.Do(soon(t), test.pdu)
		if err != nil || r.Status != test.want || r.PDU.Command() != test.pdu.Command().Response() {
			t.Errorf("%v: %+v, %v", test.pdu.Command(), r, err)
		}
	}
	if err := s.WaitSubmits(soon(t), 1); err != nil {
		t.Error(err)
	}
	if err := s.WaitReceipts(soon(t), 1); err != nil {
		t.Error(err)
	}
}

func TestWaitInVain(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := New(t).WaitSubmits(ctx, 1); !errors.Is(err, context.Canceled) {
		t.Errorf("waited: %v", err)
	}
}

// The bucket takes rate submits a second, and a fifth of a second's worth at once after a pause.
func TestBucket(t *testing.T) {
	for _, rate := range []float64{0.5, 1, 10, 1000} {
		var b bucket
		now := time.Unix(0, 0)
		const seconds, steps = 20, 100_000
		taken := 0
		for range steps {
			if b.take(rate, now) {
				taken++
			}
			now = now.Add(seconds * time.Second / steps)
		}
		if most := rate*seconds + max(1, rate/bucketSpan); float64(taken) > most || float64(taken) < rate*seconds*0.99-1 {
			t.Errorf("%v a second: %d in %d seconds", rate, taken, seconds)
		}
	}
}

func TestReceiptIsHeardOf(t *testing.T) {
	heard := make(chan Report, 1)
	s := New(t, func(c *Config) {
		c.OnReceipt, c.FirstID, c.ReceiptDelay = func(r Report) { heard <- r }, 42, time.Millisecond
	})
	bind(t, s, smpp.Transceiver, smpp.Config{}).send(1)
	if r := <-heard; r.MessageID != "42" || r.State != smpp.StateDelivered {
		t.Errorf("heard %+v", r)
	}
}

func TestUserDataAsText(t *testing.T) {
	for _, test := range []struct {
		name string
		pdu  smpp.SubmitSM
		text string
		part Part
	}{
		{"GSM", smpp.SubmitSM{ShortMessage: "\x00\x01\x1be \x1b\x14\x1b(\x1b)\x1b/\x1b<\x1b=\x1b>\x1b@\x1b\n\x1bx\x80"}, "@£€ ^{}\\[~]|\f\uFFFD\uFFFD", Part{}},
		{"UCS-2", smpp.SubmitSM{DataCoding: smpp.DataCodingUCS2, ShortMessage: "\xd8\x3d\xde\x00\x00!"}, "😀!", Part{}},
		{"Latin 1", smpp.SubmitSM{DataCoding: smpp.DataCodingLatin1, ShortMessage: "caf\xe9"}, "café", Part{}},
		{"header", smpp.SubmitSM{ESMClass: smpp.ESMUDHI, ShortMessage: "\x05\x00\x03\x07\x03\x02hi"}, "hi", Part{7, 2, 3}},
		{"long header", smpp.SubmitSM{ESMClass: smpp.ESMUDHI, ShortMessage: "\x06\x08\x04\x01\x07\x03\x02hi"}, "hi", Part{263, 2, 3}},
		{"cut header", smpp.SubmitSM{ESMClass: smpp.ESMUDHI, ShortMessage: "\x05\x00\x03"}, "", Part{}},
		{"SAR", smpp.SubmitSM{ShortMessage: "hi", TLVs: smpp.TLVs{}.WithUint16(smpp.TagSARMsgRefNum, 9).WithUint8(smpp.TagSARTotalSegments, 2).WithUint8(smpp.TagSARSegmentSeqnum, 1)}, "hi", Part{9, 1, 2}},
		{"payload", smpp.SubmitSM{TLVs: smpp.TLVs{}.With(smpp.TagMessagePayload, "hi")}, "hi", Part{}},
	} {
		if text, part := readUserData(&test.pdu); text != test.text || part != test.part {
			t.Errorf("%s: %q, %+v", test.name, text, part)
		}
	}
}

func BenchmarkSubmits(b *testing.B) {
	for _, receipts := range []bool{false, true} {
		b.Run(fmt.Sprintf("receipts=%v", receipts), func(b *testing.B) {
			s := New(b)
			const window = 100
			session, err := connect(b, s, smpp.Transceiver, smpp.Config{Window: window, Handler: func(r *smpp.Request) { _ = r.Respond(smpp.ESME_ROK, nil) }})
			if err != nil {
				b.Fatal(err)
			}
			m := message(1)
			if !receipts {
				m.RegisteredDelivery = smpp.ReceiptNone
			}
			places := make(chan struct{}, window)
			b.ReportAllocs()
			b.ResetTimer()
			for range b.N {
				places <- struct{}{}
				session.Submit(m, func(_ smpp.Response, err error) {
					if err != nil {
						b.Error(err)
					}
					<-places
				})
			}
			if receipts {
				if err := s.WaitReceipts(soon(b), b.N); err != nil {
					b.Fatal(err)
				}
			}
			for range window {
				places <- struct{}{}
			}
		})
	}
}

func TestTLS(t *testing.T) {
	server, roots := certificate(t)
	s := New(t, func(c *Config) { c.TLS = server })
	conn, err := tls.Dial("tcp", s.Addr(), &tls.Config{RootCAs: roots, ServerName: "localhost"})
	if err != nil {
		t.Fatal(err)
	}
	session := smpp.NewSession(conn, smpp.ESME, smpp.Config{Handler: func(r *smpp.Request) { _ = r.Respond(smpp.ESME_ROK, nil) }})
	ended := make(chan error, 1)
	go func() { ended <- session.Run(context.Background()) }()
	if _, err := session.Bind(soon(t), &smpp.Bind{SystemID: "user"}); err != nil {
		t.Fatal(err)
	}
	if r, err := session.Do(soon(t), message(1)); err != nil || r.Status != smpp.ESME_ROK {
		t.Errorf("%+v, %v", r, err)
	}
	if err := s.WaitReceipts(soon(t), 1); err != nil {
		t.Error(err)
	}
	if err := session.Unbind(soon(t)); err != nil {
		t.Error(err)
	}
	if err := <-ended; err != nil {
		t.Errorf("Run: %v", err)
	}
}

// certificate makes one for localhost that signs itself.
func certificate(t *testing.T) (*tls.Config, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{"localhost"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(parsed)
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}, roots
}
