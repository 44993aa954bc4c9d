package smpp

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// running is a session whose Run is on its own goroutine.
type running struct {
	*Session
	result chan error
}

func start(ctx context.Context, conn net.Conn, role Role, cfg Config) running {
	r := running{NewSession(conn, role, cfg), make(chan error, 1)}
	go func() { r.result <- r.Run(ctx) }()
	return r
}

// acceptAll lets every bind in.
func acceptAll(b *BindRequest) { _ = b.Accept("smsc") }

// pair gives both ends of a session over net.Pipe, bound as transceiver. Without an SMSC handler every submit is accepted with id "1".
func pair(t *testing.T, esme, smsc Config) (running, running) {
	t.Helper()
	if smsc.Authenticate == nil {
		smsc.Authenticate = acceptAll
	}
	if smsc.Handler == nil {
		smsc.Handler = func(r *Request) { _ = r.Respond(ESME_ROK, &SubmitSMResp{MessageID: "1"}) }
	}
	a, b := net.Pipe()
	ctx, cancel := context.WithCancel(context.Background())
	client, server := start(ctx, a, ESME, esme), start(ctx, b, SMSC, smsc)
	t.Cleanup(func() {
		cancel()
		<-client.Done()
		<-server.Done()
	})
	if _, err := client.Bind(ctx, &Bind{SystemID: "me", Password: "secret", InterfaceVersion: InterfaceVersion}); err != nil {
		t.Fatal(err)
	}
	return client, server
}

// peer is the other end of a session as octets: what a real SMSC may do and this package would not.
type peer struct {
	t    *testing.T
	conn net.Conn
	in   *frames
}

// bare gives an ESME session that is bound to a peer of octets.
func bare(t *testing.T, cfg Config) (running, *peer) {
	t.Helper()
	a, b := net.Pipe()
	ctx, cancel := context.WithCancel(context.Background())
	client := start(ctx, a, ESME, cfg)
	p := &peer{t: t, conn: b, in: newFrames(b, 1<<20, func(bool) {})}
	t.Cleanup(func() {
		cancel()
		_ = b.Close()
		<-client.Done()
	})
	bound := make(chan error, 1)
	go func() {
		_, err := client.Bind(ctx, &Bind{SystemID: "me"})
		bound <- err
	}()
	h, _ := p.receive()
	p.answer(h, ESME_ROK, &BindResp{SystemID: "smsc"})
	if err := <-bound; err != nil {
		t.Fatal(err)
	}
	return client, p
}

func (p *peer) receive() (Header, PDU) {
	p.t.Helper()
	frame, err := p.in.next()
	if err != nil {
		p.t.Fatal(err)
	}
	h, body, err := Decode(frame)
	if err != nil {
		p.t.Fatal(err)
	}
	return h, body
}

func (p *peer) send(octets []byte) {
	p.t.Helper()
	if _, err := p.conn.Write(octets); err != nil {
		p.t.Fatal(err)
	}
}

func (p *peer) answer(h Header, status Status, body PDU) {
	p.t.Helper()
	octets, err := Append(nil, h.Sequence, status, body)
	if err != nil {
		p.t.Fatal(err)
	}
	p.send(octets)
}

// result is an outcome as done gets it.
type result struct {
	response Response
	err      error
}

// submit starts one and gives where its outcome comes.
func submit(s running, pdu PDU) chan result {
	c := make(chan result, 1)
	s.Submit(pdu, func(r Response, err error) { c <- result{r, err} })
	return c
}

func message() *SubmitSM {
	return &SubmitSM{Source: Address{TON: TONInternational, NPI: NPIISDN, Addr: "14155550100"}, Dest: Address{Addr: "14152223333"}, ShortMessage: "hello"}
}

func TestSubmitIsAnswered(t *testing.T) {
	client, server := pair(t, Config{}, Config{})
	for range 100 {
		response, err := client.Do(context.Background(), message())
		if err != nil || response.Status != ESME_ROK || response.PDU.(*SubmitSMResp).MessageID != "1" {
			t.Fatalf("%+v, %v", response, err)
		}
	}
	if got := client.Stats(); got.Sent != 101 || got.Answered != 101 {
		t.Errorf("client: %+v", got)
	}
	if got := server.Stats(); got.Received != 101 {
		t.Errorf("server: %+v", got)
	}
	if b := server.Bound(); b == nil || b.SystemID != "me" || server.State() != BoundTRX || client.State() != BoundTRX {
		t.Errorf("bound %+v, %v, %v", b, server.State(), client.State())
	}
	if err := client.Unbind(context.Background()); err != nil {
		t.Fatal(err)
	}
	if err := <-client.result; err != nil {
		t.Errorf("the ESME's Run: %v", err)
	}
	if err := <-server.result; err != nil {
		t.Errorf("the SMSC's Run: %v", err)
	}
	if _, err := client.Do(context.Background(), message()); !errors.Is(err, ErrNotSent) || !errors.Is(err, ErrClosed) {
		t.Errorf("after the unbind: %v", err)
	}
}

func TestRefusalIsAnAnswer(t *testing.T) {
	client, _ := pair(t, Config{}, Config{Handler: func(r *Request) { _ = r.Respond(ESME_RTHROTTLED, nil) }})
	response, err := client.Do(context.Background(), message())
	if err != nil || response.Status != ESME_RTHROTTLED {
		t.Errorf("%+v, %v", response, err)
	}
}

func TestWindow(t *testing.T) {
	var mu sync.Mutex
	var held []*Request
	hold := func(r *Request) { mu.Lock(); held = append(held, r); mu.Unlock() }
	synctest.Test(t, func(t *testing.T) {
		client, _ := pair(t, Config{Window: 3, ResponseTimeout: time.Hour, EnquireAfter: -1}, Config{Handler: hold})
		outcomes := []chan result{submit(client, message()), submit(client, message()), submit(client, message())}
		if r := <-submit(client, message()); !errors.Is(r.err, ErrWindowFull) || !errors.Is(r.err, ErrNotSent) {
			t.Errorf("the fourth: %v", r.err)
		}
		waited := make(chan error, 1)
		go func() {
			_, err := client.Do(context.Background(), message())
			waited <- err
		}()
		brief, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if _, err := client.Do(brief, message()); !errors.Is(err, ErrNotSent) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("no place in time: %v", err)
		}
		synctest.Wait()
		if client.Outstanding() != 3 {
			t.Errorf("%d outstanding", client.Outstanding())
		}
		for len(held) > 0 { // the answers come in reverse order
			mu.Lock()
			last := held[len(held)-1]
			held = held[:len(held)-1]
			mu.Unlock()
			_ = last.Respond(ESME_ROK, nil)
			synctest.Wait()
		}
		for i, c := range outcomes {
			if r := <-c; r.err != nil {
				t.Errorf("submit %d: %v", i, r.err)
			}
		}
		if err := <-waited; err != nil {
			t.Errorf("who waited for a place: %v", err)
		}
		if client.Outstanding() != 0 {
			t.Errorf("%d outstanding at the end", client.Outstanding())
		}
	})
}

// The place must be free when done is called: it submits the next from there.
func TestDoneFindsItsPlaceFree(t *testing.T) {
	client, _ := pair(t, Config{Window: 1}, Config{})
	const total = 1000
	finished := make(chan error, 1)
	count := 0
	var next func(Response, error)
	next = func(_ Response, err error) {
		if count++; err != nil || count == total {
			finished <- err
			return
		}
		client.Submit(message(), next)
	}
	client.Submit(message(), next)
	if err := <-finished; err != nil || count != total {
		t.Errorf("%v after %d", err, count)
	}
}

func TestTimeoutAndLateResponse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, p := bare(t, Config{Window: 1, ResponseTimeout: 10 * time.Second, EnquireAfter: -1})
		began := time.Now()
		outcome := submit(client, message())
		h, _ := p.receive()
		r := <-outcome
		if took := time.Since(began); took < 10*time.Second || took > 12*time.Second {
			t.Errorf("timed out after %v", took)
		}
		if !errors.Is(r.err, ErrUnanswered) || errors.Is(r.err, ErrNotSent) || !errors.Is(r.err, context.DeadlineExceeded) {
			t.Errorf("outcome %v", r.err)
		}
		if client.Outstanding() != 0 {
			t.Error("the place was not given back")
		}
		p.answer(h, ESME_ROK, &SubmitSMResp{MessageID: "late"})
		outcome = submit(client, message())
		h, _ = p.receive()
		p.answer(h, ESME_ROK, &SubmitSMResp{MessageID: "2"})
		if r := <-outcome; r.err != nil || r.response.PDU.(*SubmitSMResp).MessageID != "2" {
			t.Errorf("the next: %+v", r)
		}
		if got := client.Stats(); got.Late != 1 || got.TimedOut != 1 {
			t.Errorf("%+v", got)
		}
	})
}

func TestAbandonedByItsCaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, p := bare(t, Config{Window: 1, EnquireAfter: -1})
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		read := make(chan error, 1)
		go func() {
			_, err := p.in.next()
			read <- err
		}()
		if _, err := client.Do(ctx, message()); !errors.Is(err, ErrUnanswered) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("outcome %v", err)
		}
		if client.Outstanding() != 0 {
			t.Error("the place was not given back")
		}
		if err := <-read; err != nil {
			t.Error(err)
		}
	})
}

// What was read by the peer may have been taken by it; what still waits in the outbox when the connection dies was not sent.
func TestOutcomesOfALostConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, p := bare(t, Config{Window: 10, EnquireAfter: -1})
		sent := submit(client, message())
		p.receive()
		begun := submit(client, message())
		synctest.Wait() // its write has begun and waits for the peer to read
		if _, err := io.ReadFull(p.conn, make([]byte, 5)); err != nil {
			t.Fatal(err)
		}
		queued := submit(client, message())
		synctest.Wait()
		_ = p.conn.Close()
		for name, c := range map[string]chan result{"read": sent, "read in part": begun} {
			if r := <-c; !errors.Is(r.err, ErrUnanswered) || errors.Is(r.err, ErrNotSent) {
				t.Errorf("%s: %v", name, r.err)
			}
		}
		if r := <-queued; !errors.Is(r.err, ErrNotSent) || errors.Is(r.err, ErrUnanswered) {
			t.Errorf("queued: %v", r.err)
		}
		if r := <-submit(client, message()); !errors.Is(r.err, ErrNotSent) {
			t.Errorf("afterwards: %v", r.err)
		}
		if err := <-client.result; err == nil {
			t.Error("Run: nil, want why it ended")
		}
	})
}

func TestBadPDUCostsNoBind(t *testing.T) {
	submitted, err := Append(nil, 7, ESME_ROK, (*DeliverSM)(message()))
	if err != nil {
		t.Fatal(err)
	}
	shorter := append([]byte{}, submitted[:len(submitted)-2]...) // short_message ends before sm_length
	shorter[3] -= 2
	for _, test := range []struct {
		name    string
		octets  []byte
		command CommandID
		status  Status
	}{
		{"unknown command", AppendStatus(nil, 0x0000BEEF, 9, ESME_ROK), CommandGenericNack, ESME_RINVCMDID},
		{"submit_multi", AppendStatus(nil, CommandSubmitMulti, 9, ESME_ROK), CommandGenericNack, ESME_RINVCMDID},
		{"no body", AppendStatus(nil, CommandDeliverSM, 9, ESME_ROK), CommandDeliverSMResp, ESME_RINVCMDLEN},
		{"short message", shorter, CommandDeliverSMResp, ESME_RINVMSGLEN},
		{"not in this role", AppendStatus(nil, CommandUnbind|0x10000, 9, ESME_ROK), CommandGenericNack, ESME_RINVCMDID},
		{"bound already", mustAppend(t, 9, &Bind{}), CommandBindTransceiverResp, ESME_RALYBND},
		{"submit_sm to an ESME", mustAppend(t, 9, message()), CommandSubmitSMResp, ESME_RINVBNDSTS},
	} {
		t.Run(test.name, func(t *testing.T) {
			client, p := bare(t, Config{})
			p.send(test.octets)
			h, _ := p.receive()
			if want := ParseHeader(test.octets).Sequence; h.Command != test.command || h.Status != test.status || h.Sequence != want {
				t.Errorf("answered %v, want %v with %v for %d", h, test.command, test.status, want)
			}
			outcome := submit(client, message())
			h, _ = p.receive()
			p.answer(h, ESME_ROK, &SubmitSMResp{MessageID: "1"})
			if r := <-outcome; r.err != nil {
				t.Errorf("the bind did not live on: %v", r.err)
			}
		})
	}
}

func mustAppend(t *testing.T, sequence uint32, body PDU) []byte {
	t.Helper()
	octets, err := Append(nil, sequence, ESME_ROK, body)
	if err != nil {
		t.Fatal(err)
	}
	return octets
}

func TestLostFramingEndsTheSession(t *testing.T) {
	for _, octets := range []string{"\x00\x00\x00\x0f", "\x7f\xff\xff\xff", "HTTP/1.1 400 Bad Request\r\n\r\n"} {
		client, p := bare(t, Config{})
		outcome := submit(client, message())
		p.receive()
		p.send([]byte(octets)[:4])
		if h, _ := p.receive(); h.Command != CommandGenericNack || h.Status != ESME_RINVCMDLEN {
			t.Errorf("answered %v", h)
		}
		if r := <-outcome; !errors.Is(r.err, ErrUnanswered) {
			t.Errorf("outcome %v", r.err)
		}
		var framing *FramingError
		if err := <-client.result; !errors.As(err, &framing) {
			t.Errorf("Run: %v", err)
		}
	}
}

func TestEnquireLink(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, p := bare(t, Config{EnquireAfter: 30 * time.Second, EnquireLimit: 2, ResponseTimeout: 10 * time.Second})
		began := time.Now()
		h, _ := p.receive()
		if took := time.Since(began); h.Command != CommandEnquireLink || took < 30*time.Second || took > 35*time.Second {
			t.Errorf("%v after %v", h.Command, took)
		}
		p.answer(h, ESME_ROK, &EnquireLinkResp{})
		for range 2 {
			if h, _ := p.receive(); h.Command != CommandEnquireLink {
				t.Errorf("%v", h.Command)
			}
		}
		if err := <-client.result; !errors.Is(err, ErrPeerSilent) {
			t.Errorf("Run: %v", err)
		}
	})
}

func TestEnquireLinkIsAnsweredInAnyState(t *testing.T) {
	a, b := net.Pipe()
	server := start(t.Context(), b, SMSC, Config{})
	p := &peer{t: t, conn: a, in: newFrames(a, 1<<20, func(bool) {})}
	p.send(mustAppend(t, 5, &EnquireLink{}))
	if h, _ := p.receive(); h.Command != CommandEnquireLinkResp || h.Sequence != 5 {
		t.Errorf("answered %v", h)
	}
	_ = a.Close()
	<-server.Done()
	if err := <-server.result; !errors.Is(err, ErrPeerClosed) {
		t.Errorf("Run: %v", err)
	}
}

func TestStallingPeers(t *testing.T) {
	var dripping sync.WaitGroup
	for _, test := range []struct {
		name string
		do   func(client running, p *peer)
	}{
		{"in the middle of a PDU", func(_ running, p *peer) { p.send([]byte{0, 0, 0}) }},
		{"an octet at a time", func(_ running, p *peer) {
			dripping.Go(func() {
				for _, octet := range mustAppend(p.t, 1, (*DeliverSM)(message())) {
					if _, err := p.conn.Write([]byte{octet}); err != nil {
						return
					}
					time.Sleep(time.Second)
				}
			})
		}},
		{"reads nothing", func(client running, _ *peer) { client.Submit(message(), func(Response, error) {}) }},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client, p := bare(t, Config{EnquireAfter: -1, FrameTimeout: 5 * time.Second, WriteTimeout: 5 * time.Second})
				began := time.Now()
				test.do(client, p)
				if err := <-client.result; !errors.Is(err, ErrPeerStalled) {
					t.Errorf("Run: %v", err)
				}
				dripping.Wait()
				if took := time.Since(began); took < 5*time.Second || took > 8*time.Second {
					t.Errorf("ended after %v", took)
				}
			})
		})
	}
}

func TestUnboundConnectionIsClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := net.Pipe()
		defer func() { _ = a.Close() }()
		began := time.Now()
		server := start(t.Context(), b, SMSC, Config{})
		if err := <-server.result; !errors.Is(err, ErrNotBound) {
			t.Errorf("Run: %v", err)
		}
		if took := time.Since(began); took < 5*time.Second || took > 6*time.Second {
			t.Errorf("closed after %v", took)
		}
	})
}

func TestRefusedBind(t *testing.T) {
	a, b := net.Pipe()
	server := start(t.Context(), b, SMSC, Config{Authenticate: func(b *BindRequest) {
		if b.Password != "right" {
			_ = b.Refuse(ESME_RINVPASWD)
			_ = b.Accept("smsc") // only the first answer counts
		}
	}})
	client := start(t.Context(), a, ESME, Config{})
	_, err := client.Bind(t.Context(), &Bind{SystemID: "me", Password: "wrong"})
	var status Status
	if !errors.As(err, &status) || status != ESME_RINVPASWD {
		t.Errorf("bind: %v", err)
	}
	if r := <-submit(client, message()); !errors.Is(r.err, ErrNotSent) {
		t.Errorf("submit without a bind: %v", r.err)
	}
	<-server.Done()
	<-client.Done()
}

// The SMSC may deliver right behind its answer to the bind: nothing may be refused for a bind that is not known yet.
func TestDeliveryRightBehindTheBind(t *testing.T) {
	a, b := net.Pipe()
	got := make(chan *Request, 1)
	client := start(t.Context(), a, ESME, Config{Handler: func(r *Request) { got <- r }})
	p := &peer{t: t, conn: b, in: newFrames(b, 1<<20, func(bool) {})}
	go func() { _, _ = client.Bind(t.Context(), &Bind{}) }()
	h, _ := p.receive()
	octets, _ := Append(nil, h.Sequence, ESME_ROK, &BindResp{})
	octets, _ = Append(octets, 1, ESME_ROK, (*DeliverSM)(message()))
	p.send(octets)
	r := <-got
	go func() { _ = r.Respond(ESME_ROK, nil) }() // later, from another goroutine
	if h, body := p.receive(); h.Command != CommandDeliverSMResp || h.Status != ESME_ROK || *body.(*DeliverSMResp) != (DeliverSMResp{}) {
		t.Errorf("answered %v", h)
	}
	_ = b.Close()
	<-client.Done()
	if err := r.Respond(ESME_ROK, nil); err != nil {
		t.Errorf("a second answer: %v", err)
	}
}

func TestInboundIsBounded(t *testing.T) {
	held := make(chan *Request, 10)
	client, p := bare(t, Config{MaxInbound: 2, Handler: func(r *Request) { held <- r }})
	for sequence := range uint32(3) {
		p.send(mustAppend(t, sequence+1, (*DeliverSM)(message())))
	}
	if h, _ := p.receive(); h.Sequence != 3 || h.Status != ESME_RMSGQFUL {
		t.Errorf("answered %v", h)
	}
	go func() { _ = (<-held).Respond(ESME_RX_T_APPN, nil) }()
	if h, _ := p.receive(); h.Sequence != 1 || h.Status != ESME_RX_T_APPN {
		t.Errorf("answered %v", h)
	}
	p.send(mustAppend(t, 4, (*DeliverSM)(message())))
	<-held
	<-held
	if got := client.Stats(); got.Refused != 1 || got.Received != 4 {
		t.Errorf("%+v", got)
	}
}

func TestUnbindWaitsForWhatIsOutstanding(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		requests := make(chan *Request, 1)
		client, p := bare(t, Config{Handler: func(r *Request) { requests <- r }, EnquireAfter: -1})
		outcome := submit(client, message())
		submitted, _ := p.receive()
		p.send(mustAppend(t, 1, (*DeliverSM)(message())))
		synctest.Wait() // until the handler has it
		unbound := make(chan error, 1)
		go func() { unbound <- client.Unbind(context.Background()) }()
		synctest.Wait()
		if r := <-submit(client, message()); !errors.Is(r.err, ErrNotSent) {
			t.Errorf("a new submit: %v", r.err)
		}
		p.send(mustAppend(t, 2, (*DeliverSM)(message())))
		if h, _ := p.receive(); h.Sequence != 2 || h.Status != ESME_RMSGQFUL {
			t.Errorf("a new delivery was answered %v", h)
		}
		go func() { _ = (<-requests).Respond(ESME_ROK, nil) }()
		if h, _ := p.receive(); h.Sequence != 1 || h.Status != ESME_ROK {
			t.Errorf("the delivery was answered %v", h)
		}
		p.answer(submitted, ESME_ROK, &SubmitSMResp{MessageID: "1"})
		if r := <-outcome; r.err != nil {
			t.Errorf("submit: %v", r.err)
		}
		h, _ := p.receive()
		if h.Command != CommandUnbind {
			t.Fatalf("then came %v", h)
		}
		p.answer(h, ESME_ROK, &UnbindResp{})
		if err := <-unbound; err != nil {
			t.Errorf("Unbind: %v", err)
		}
	})
}

func TestUnbindWaitsNoLongerThanItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, p := bare(t, Config{EnquireAfter: -1})
		outcome := submit(client, message())
		p.receive()
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		last := make(chan Header, 1)
		go func() {
			frame, err := p.in.next()
			if err != nil {
				t.Error(err)
				frame = make([]byte, HeaderSize)
			}
			last <- ParseHeader(frame)
		}()
		if err := client.Unbind(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Unbind: %v", err)
		}
		if h := <-last; h.Command != CommandUnbind {
			t.Errorf("then came %v", h)
		}
		if r := <-outcome; !errors.Is(r.err, ErrUnanswered) {
			t.Errorf("outcome %v", r.err)
		}
	})
}

func TestPeerUnbinds(t *testing.T) {
	client, p := bare(t, Config{})
	p.send(mustAppend(t, 3, &Unbind{}))
	if h, _ := p.receive(); h.Command != CommandUnbindResp || h.Sequence != 3 {
		t.Errorf("answered %v", h)
	}
	if err := <-client.result; err != nil {
		t.Errorf("Run: %v", err)
	}
}

// A peer that unbinds may still answer what it has; the unbind_resp comes behind.
func TestPeerUnbindsAndAnswersWhatItHas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, p := bare(t, Config{EnquireAfter: -1})
		outcome := submit(client, message())
		submitted, _ := p.receive()
		p.send(mustAppend(t, 3, &Unbind{}))
		synctest.Wait()
		if r := <-submit(client, message()); !errors.Is(r.err, ErrNotSent) {
			t.Errorf("a submit after the unbind: %v", r.err)
		}
		p.answer(submitted, ESME_ROK, &SubmitSMResp{MessageID: "1"})
		if r := <-outcome; r.err != nil || r.response.Status != ESME_ROK {
			t.Errorf("outcome %v", r)
		}
		if h, _ := p.receive(); h.Command != CommandUnbindResp || h.Sequence != 3 {
			t.Errorf("then came %v", h)
		}
		if err := <-client.result; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
}

// One that does not is not waited for.
func TestPeerUnbindsAndAnswersNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, p := bare(t, Config{EnquireAfter: -1})
		outcome := submit(client, message())
		p.receive()
		began := time.Now()
		p.send(mustAppend(t, 3, &Unbind{}))
		if h, _ := p.receive(); h.Command != CommandUnbindResp {
			t.Errorf("then came %v", h)
		}
		if waited := time.Since(began); waited < partFor || waited > 2*partFor {
			t.Errorf("answered after %v", waited)
		}
		if r := <-outcome; !errors.Is(r.err, ErrUnanswered) {
			t.Errorf("outcome %v", r.err)
		}
	})
}

// A PDU that cannot be written is nobody's fault but its caller's: nothing of it reaches the wire, and it holds no place.
func TestUnwritablePDU(t *testing.T) {
	client, _ := pair(t, Config{Window: 1}, Config{})
	bad := message()
	bad.Dest.Addr = "0123456789012345678901"
	r := <-submit(client, bad)
	var field *Error
	if !errors.Is(r.err, ErrNotSent) || !errors.As(r.err, &field) || field.Field != "destination_addr" {
		t.Errorf("outcome %v", r.err)
	}
	if response, err := client.Do(context.Background(), message()); err != nil || response.Status != ESME_ROK {
		t.Errorf("the next: %v, %v", response, err)
	}
}

// Many callers, two roles, both directions: every request has exactly one outcome. Under the race detector this is the test of the locks.
func TestManyCallers(t *testing.T) {
	client, server := pair(t, Config{Window: 20, Handler: func(r *Request) { go func() { _ = r.Respond(ESME_ROK, nil) }() }}, Config{Window: 20})
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 100 {
				if _, err := client.Do(t.Context(), message()); err != nil {
					t.Errorf("submit: %v", err)
				}
			}
		})
		wg.Go(func() {
			for range 100 {
				if _, err := server.Do(t.Context(), (*DeliverSM)(message())); err != nil {
					t.Errorf("deliver: %v", err)
				}
			}
		})
	}
	wg.Wait()
	if client.Outstanding() != 0 || server.Outstanding() != 0 {
		t.Errorf("outstanding: %d, %d", client.Outstanding(), server.Outstanding())
	}
}

// A peer that asks and asks and reads no answer must not fill our memory: at some point nothing more is read from it.
func TestPeerThatReadsNoAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, p := bare(t, Config{EnquireAfter: -1})
		flood := bytes.Repeat(mustAppend(t, 1, &EnquireLink{}), 4096)
		var flooding sync.WaitGroup
		flooding.Go(func() {
			for {
				if _, err := p.conn.Write(flood); err != nil {
					return
				}
			}
		})
		synctest.Wait()
		client.mu.Lock()
		waiting := client.outbox.waiting()
		client.mu.Unlock()
		if waiting <= outboxFull || waiting > outboxFull+HeaderSize {
			t.Errorf("%d octets wait, with a bound of %d", waiting, outboxFull)
		}
		if err := <-client.result; !errors.Is(err, ErrPeerStalled) {
			t.Errorf("Run: %v", err)
		}
		flooding.Wait()
	})
}

// Without a handler, and without an Authenticate, the peer is told so.
func TestNobodyListens(t *testing.T) {
	client, p := bare(t, Config{})
	p.send(mustAppend(t, 1, (*DeliverSM)(message())))
	if h, _ := p.receive(); h.Command != CommandDeliverSMResp || h.Status != ESME_RSYSERR {
		t.Errorf("answered %v", h)
	}
	client.Close(nil)
	<-client.Done()
	a, b := net.Pipe()
	server, esme := start(t.Context(), b, SMSC, Config{}), start(t.Context(), a, ESME, Config{})
	if _, err := esme.Bind(t.Context(), &Bind{}); !errors.Is(err, ESME_RBINDFAIL) {
		t.Errorf("bind: %v", err)
	}
	<-server.Done()
	<-esme.Done()
}

func TestSequenceNumbersAreTheSessions(t *testing.T) {
	for range 2 {
		client, p := bare(t, Config{}) // its bind was number 1
		for want := uint32(2); want < 5; want++ {
			client.Submit(message(), func(Response, error) {})
			if h, _ := p.receive(); h.Sequence != want {
				t.Errorf("number %d, want %d", h.Sequence, want)
			}
		}
	}
}

func TestAlertHasNoAnswer(t *testing.T) {
	requests := make(chan *Request, 2)
	client, p := bare(t, Config{MaxInbound: 1, Handler: func(r *Request) { requests <- r }})
	for range 2 { // and takes no room
		p.send(mustAppend(t, 1, &AlertNotification{Source: Address{Addr: "14152223333"}}))
		if err := (<-requests).Respond(ESME_ROK, nil); err != nil {
			t.Error(err)
		}
	}
	outcome := submit(client, message())
	if h, _ := p.receive(); h.Command != CommandSubmitSM {
		t.Errorf("answered %v", h)
	}
	client.Close(nil)
	<-outcome
}

// Only its own response, or a generic_nack, answers a request.
func TestForeignAnswers(t *testing.T) {
	client, p := bare(t, Config{Window: 2, ResponseTimeout: time.Hour})
	for _, test := range []struct {
		name   string
		answer func(sequence uint32) []byte
		status Status
	}{
		{"generic_nack", func(n uint32) []byte { return AppendStatus(nil, CommandGenericNack, n, ESME_RINVCMDLEN) }, ESME_RINVCMDLEN},
		{"another operation's, then its own", func(n uint32) []byte {
			return AppendStatus(AppendStatus(nil, CommandQuerySMResp, n, ESME_ROK), CommandSubmitSMResp, n, ESME_RSUBMITFAIL)
		}, ESME_RSUBMITFAIL},
		{"submit_multi_resp, then its own", func(n uint32) []byte {
			return AppendStatus(AppendStatus(nil, CommandSubmitMultiResp, n, ESME_ROK), CommandSubmitSMResp, n, ESME_RSYSERR)
		}, ESME_RSYSERR},
	} {
		outcome := submit(client, message())
		h, _ := p.receive()
		p.send(test.answer(h.Sequence))
		if r := <-outcome; r.err != nil || r.response.Status != test.status {
			t.Errorf("%s: %+v", test.name, r)
		}
	}
	if got := client.Stats(); got.Late != 2 || got.Answered != 4 {
		t.Errorf("%+v", got)
	}
}

// The handler's own fault is no reason to leave the peer without an answer.
func TestUnwritableAnswer(t *testing.T) {
	failed := make(chan error, 1)
	_, p := bare(t, Config{Handler: func(r *Request) {
		if r.Session().Window() != defaultWindow {
			t.Errorf("a window of %d", r.Session().Window())
		}
		failed <- r.Respond(ESME_ROK, &DeliverSMResp{MessageID: "\x00"})
	}})
	p.send(mustAppend(t, 1, (*DeliverSM)(message())))
	if h, _ := p.receive(); h.Command != CommandDeliverSMResp || h.Status != ESME_RSYSERR {
		t.Errorf("answered %v", h)
	}
	var field *Error
	if err := <-failed; !errors.As(err, &field) || field.Field != "message_id" {
		t.Errorf("Respond: %v", err)
	}
}

// Who asks after the end is told that the answer does not arrive: the peer will ask again.
func TestAnswerAfterTheEnd(t *testing.T) {
	requests := make(chan *Request, 1)
	client, p := bare(t, Config{Handler: func(r *Request) { requests <- r }})
	p.send(mustAppend(t, 1, (*DeliverSM)(message())))
	r := <-requests
	outcome := submit(client, message())
	p.receive()
	client.Close(ErrNotSent) // another request's, say
	<-client.Done()
	if r := <-outcome; !errors.Is(r.err, ErrUnanswered) || errors.Is(r.err, ErrNotSent) {
		t.Errorf("outcome %v", r.err)
	}
	if err := r.Respond(ESME_ROK, nil); !errors.Is(err, ErrClosed) {
		t.Errorf("Respond: %v", err)
	}
	if err := client.Err(); !errors.Is(err, ErrNotSent) {
		t.Errorf("ended with %v", err)
	}
}

func TestNonsenseIsLoggedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		client, p := bare(t, Config{Logger: slog.New(slog.NewTextHandler(&log, nil)), EnquireAfter: -1})
		for range 3 {
			p.send(AppendStatus(nil, CommandDeliverSM, 1, ESME_ROK))
			p.receive()
		}
		if got := strings.Count(log.String(), "\n"); got != 1 || !strings.Contains(log.String(), "deliver_sm.service_type at octet 16") {
			t.Errorf("logged %q", log.String())
		}
		time.Sleep(logEvery + 2*time.Second)
		p.send(AppendStatus(nil, CommandDeliverSM, 1, ESME_ROK))
		p.receive()
		if got := strings.Count(log.String(), "\n"); got != 2 {
			t.Errorf("a minute later there are %d lines", got)
		}
		if got := client.Stats().Undecodable; got != 4 {
			t.Errorf("%d counted", got)
		}
	})
}

// A place that was offered to somebody who left at that moment goes to the next who waits: otherwise it would stay empty.
func TestOfferedPlaceIsNotLost(t *testing.T) {
	client, p := bare(t, Config{Window: 1})
	outcome := submit(client, message())
	h, _ := p.receive()
	client.mu.Lock()
	first, second := client.window.wait(), client.window.wait()
	client.mu.Unlock()
	p.answer(h, ESME_ROK, &SubmitSMResp{})
	<-outcome
	<-first
	client.leaveQueue(first)
	<-second
}
