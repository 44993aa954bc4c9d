package esme

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
	"github.com/heliograph/heliograph/internal/smpp"
)

func TestBind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, func(c *Config) { c.SystemType, c.Window = "OTA", 7 })
		if r.Places() != 0 {
			t.Errorf("%d places before the bind", r.Places())
		}
		r.start()
		want := smpp.Bind{Mode: smpp.Transceiver, SystemID: "user", Password: "secret", SystemType: "OTA", InterfaceVersion: 0x34}
		if got := r.peer.binds[0]; got != want {
			t.Errorf("bound with %+v, want %+v", got, want)
		}
		if r.Places() != 7 || r.nudged != 1 {
			t.Errorf("%d places, %d nudges", r.Places(), r.nudged)
		}
		b := r.Binds()[0]
		if b.Name != "main/1" || b.State != "bound" || b.Window != 7 || b.InUse != 0 || b.LastError != "" || b.Since.IsZero() {
			t.Errorf("got %+v", b)
		}
		r.submit("hello")
		if got := r.statuses(); !slices.Equal(got, []gateway.OutcomeStatus{gateway.Accepted}) {
			t.Errorf("outcomes %v", got)
		}
		r.stop()
		if r.state() != "stopped" || r.Places() != 0 || r.peer.session(1).Err() != nil {
			t.Errorf("state %s, %d places, session %v", r.state(), r.Places(), r.peer.session(1).Err())
		}
		r.submit("late")
		if got := r.statuses(); !slices.Equal(got, []gateway.OutcomeStatus{gateway.NotSent}) {
			t.Errorf("outcomes after the end %v", got)
		}
		r.wantLines(`level=INFO msg=bound bind=main/1 mode=transceiver`, `level=INFO msg=unbound bind=main/1`)
	})
}

// TestBackoffOfDials: the pauses double up to their maximum, and the log says once why.
func TestBackoffOfDials(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.peer.dialled = func(n int) error {
			if n <= 9 {
				return &net.OpError{Op: "dial", Net: "tcp", Err: errNoRoute, Addr: &net.TCPAddr{Port: n}}
			}
			return nil
		}
		begin := time.Now()
		r.start()
		time.Sleep(5 * time.Minute)
		synctest.Wait()
		var got []time.Duration
		for _, at := range r.peer.dials {
			got = append(got, at.Sub(begin))
			begin = at
		}
		want := []time.Duration{
			0, 750, 1500, 3000, 6000, 12000, 24000, 45000, 45000, 45000, // ms: three quarters of 1, 2, 4, … 60 s
		}
		for i := range want {
			want[i] *= time.Millisecond
		}
		if !slices.Equal(got, want) {
			t.Errorf("dialled after %v, want %v", got, want)
		}
		r.wantLines(
			`level=WARN msg="bind down; it is made again" bind=main/1 reason="dial: no route to host"`,
			`level=INFO msg=bound`,
			`level=INFO msg="bind holds again" bind=main/1 failures=9`,
		)
	})
}

// TestWrongPassword: said once, tried on with growing pauses, and good as soon as the SMSC thinks so.
func TestWrongPassword(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		var status atomic.Uint32
		status.Store(uint32(smpp.ESME_RINVPASWD))
		r.peer.bind = func(_ int, b *smpp.BindRequest) {
			switch refuse := smpp.Status(status.Load()); refuse {
			case smpp.ESME_ROK:
				_ = b.Accept("peer")
			default:
				_ = b.Refuse(refuse)
			}
		}
		r.start()
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		r.wantLines(`level=WARN msg="bind down; it is made again" bind=main/1 reason="the SMSC refuses the bind: ESME_RINVPASWD"`)
		if b := r.Binds()[0]; b.State != "waiting" || b.LastError != "the SMSC refuses the bind: ESME_RINVPASWD" {
			t.Errorf("got %+v", b)
		}
		if _, binds, _ := r.peer.counts(); binds > 20 {
			t.Errorf("tried %d times in ten minutes", binds)
		}
		status.Store(uint32(smpp.ESME_RINVSYSID))
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		r.wantLines(`reason="the SMSC refuses the bind: ESME_RINVSYSID"`)
		status.Store(uint32(smpp.ESME_ROK))
		time.Sleep(time.Minute)
		synctest.Wait()
		r.wantLines(`msg=bound`, `msg="bind holds again" bind=main/1 failures=21`)
		if r.Places() != 10 {
			t.Errorf("%d places", r.Places())
		}
	})
}

// TestConnectionDropped: what was outstanding is unanswered, the bind comes back soon each time, and the log does not repeat itself.
func TestConnectionDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.peer.answer = func(n int, req *smpp.Request) {
			if n%2 == 0 {
				req.Session().Close(errors.New("dropped"))
				return
			}
			accept(n, req)
		}
		r.start()
		for range 20 {
			r.submit("a")
			r.submit("b")
			if got := r.statuses(); !slices.Equal(got, []gateway.OutcomeStatus{gateway.Accepted, gateway.Unanswered}) {
				t.Fatalf("outcomes %v", got)
			}
			if r.Places() != 0 {
				t.Fatal("places without a bind")
			}
			time.Sleep(time.Second) // a bind that worked is made again after the first pause
			synctest.Wait()
			if r.state() != "bound" {
				t.Fatalf("state %s", r.state())
			}
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		r.wantLines(
			`level=INFO msg=bound`,
			`level=WARN msg="bind down; it is made again"`,
			`level=INFO msg=bound`,
			`level=WARN msg="bind does not hold"`,
			`level=INFO msg="bind holds again" bind=main/1 failures=20`,
		)
		if got := r.nudged; got != 21 {
			t.Errorf("nudged %d times, want 21", got)
		}
		if s := r.Stats(); s.Accepted != 20 || s.Unanswered != 20 || s.BindsMade != 21 || s.BindsLost != 20 {
			t.Errorf("stats %+v", s)
		}
	})
}

// TestBindThatNeverWorks: an SMSC that lets the ESME in and drops it is left alone longer and longer.
func TestBindThatNeverWorks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.peer.bind = func(_ int, b *smpp.BindRequest) {
			_ = b.Accept("peer")
			time.AfterFunc(100*time.Millisecond, func() { b.Session().Close(errors.New("dropped")) })
		}
		r.start()
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		if _, binds, _ := r.peer.counts(); binds < 10 || binds > 20 {
			t.Errorf("bound %d times in ten minutes", binds)
		}
		if got := r.lines(); len(got) != 4 { // bound, down, bound, does not hold
			t.Errorf("log: %q", got)
		}
	})
}

func TestSMSCUnbinds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.start()
		r.submit("a")
		if err := r.peer.session(1).Unbind(t.Context()); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if b := r.Binds()[0]; b.State != "waiting" || b.LastError != "the SMSC unbound" {
			t.Errorf("got %+v", b)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if r.state() != "bound" {
			t.Errorf("state %s", r.state())
		}
		r.wantLines(`msg=bound`, `reason="the SMSC unbound"`, `msg=bound`)
	})
}

// TestBindUnanswered: an SMSC that takes the connection and says nothing.
func TestBindUnanswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, func(c *Config) { c.BindTimeout = 3 * time.Second })
		r.peer.bind = func(n int, b *smpp.BindRequest) {
			if n > 1 {
				_ = b.Accept("peer")
			}
		}
		r.start()
		time.Sleep(3 * time.Second)
		synctest.Wait()
		if b := r.Binds()[0]; b.State != "waiting" || b.LastError != "the SMSC answers no bind" {
			t.Errorf("got %+v", b)
		}
		if r.peer.session(1).State() != smpp.Closed {
			t.Error("the first connection is still open")
		}
		time.Sleep(time.Second)
		synctest.Wait()
		r.wantLines(`reason="the SMSC answers no bind"`, `msg=bound`)
	})
}

// TestGarbage: what is no SMPP ends the connection, once in the log, and no tighter than the backoff allows.
func TestGarbage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.peer.script = func(conn net.Conn) {
			drain(conn, 16)
			fmt.Fprintf(conn, "HTTP/1.1 400 Bad Request\r\n\r\n")
			drain(conn, 1<<20)
		}
		r.start()
		time.Sleep(time.Minute)
		synctest.Wait()
		if dials, _, _ := r.peer.counts(); dials < 4 || dials > 8 {
			t.Errorf("dialled %d times in a minute", dials)
		}
		r.wantLines(`reason="bind: smpp: command_length 1213486160 is not between`)
		if r.Places() != 0 {
			t.Error("places without a bind")
		}
	})
}

// drain reads n octets, or until the end.
func drain(conn net.Conn, n int) {
	octets := make([]byte, 256)
	for n > 0 {
		m, err := conn.Read(octets[:min(n, len(octets))])
		if n -= m; err != nil {
			return
		}
	}
}

// TestSilentSMSC: enquire_links are answered, submits never. The bind is made again after as many as the setting says.
func TestSilentSMSC(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, func(c *Config) { c.UnansweredLimit, c.ResponseTimeout = 3, 5*time.Second })
		var speaks atomic.Bool
		r.peer.answer = func(n int, req *smpp.Request) {
			if speaks.Load() || n == 3 { // one answer between begins the count anew
				accept(n, req)
			}
		}
		r.start()
		for n, text := range []string{"a", "b", "c", "d", "e"} {
			r.submit(text)
			time.Sleep(6 * time.Second)
			synctest.Wait()
			if _, binds, _ := r.peer.counts(); binds != 1 {
				t.Fatalf("bound %d times after %d submits", binds, n+1)
			}
		}
		r.submit("f")
		time.Sleep(10 * time.Second)
		synctest.Wait()
		const no, yes = gateway.Unanswered, gateway.Accepted
		if got := r.statuses(); !slices.Equal(got, []gateway.OutcomeStatus{no, no, yes, no, no, no}) {
			t.Errorf("outcomes %v", got)
		}
		speaks.Store(true)
		if _, binds, _ := r.peer.counts(); binds != 2 {
			t.Errorf("bound %d times", binds)
		}
		if s := r.Stats(); s.BindsSilent != 1 {
			t.Errorf("stats %+v", s)
		}
		r.wantLines(`msg=bound`, `msg="submits stay without an answer"`, `reason="submits stay without an answer"`, `msg=bound`)
	})
}

// TestDeadPeer: an SMSC that answers nothing at all, enquire_link neither.
func TestDeadPeer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, func(c *Config) { c.EnquireLink = 10 * time.Second })
		r.peer.script = func(conn net.Conn) {
			defer conn.Close()
			letIn(conn)
			drain(conn, 1<<20)
		}
		r.start()
		if r.state() != "bound" {
			t.Fatalf("state %s", r.state())
		}
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		if b := r.Binds()[0]; b.LastError != smpp.ErrPeerSilent.Error() {
			t.Errorf("got %+v", b)
		}
	})
}

// letIn answers a bind by hand.
func letIn(conn net.Conn) {
	bind := make([]byte, 256)
	n, _ := conn.Read(bind)
	resp, _ := smpp.Append(nil, smpp.ParseHeader(bind[:n]).Sequence, smpp.ESME_ROK, &smpp.BindResp{SystemID: "peer"})
	_, _ = conn.Write(resp)
}

// TestStopWithAStalledPeer: an SMSC that reads nothing any more does not hold up the stop.
func TestStopWithAStalledPeer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		over := make(chan struct{})
		r.peer.script = func(conn net.Conn) {
			defer conn.Close()
			letIn(conn)
			<-over
		}
		r.start()
		r.submit("a")
		begin := time.Now()
		time.AfterFunc(time.Minute, func() { close(over) })
		r.stop()
		ended := r.Binds()[0]
		if took := ended.Since.Sub(begin); ended.State != "stopped" || took > 3*time.Second {
			t.Errorf("%s after %s", ended.State, took)
		}
		if got := r.statuses(); !slices.Equal(got, []gateway.OutcomeStatus{gateway.NotSent}) { // the pipe took no octet
			t.Errorf("outcomes %v", got)
		}
	})
}

// TestReceiverIsOfUse: a bind that only brings receipts is made again as soon as one that is submitted over.
func TestReceiverIsOfUse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, func(c *Config) { c.Mode = TransmitterReceiver })
		r.start()
		for range 6 {
			_, binds, _ := r.peer.counts()
			for n := 1; n <= binds; n++ {
				if s := r.peer.session(n); s.State() == smpp.BoundRX {
					r.peer.deliver(n, textReceipt("1", "DELIVRD"))
					s.Close(errors.New("dropped"))
				}
			}
			time.Sleep(time.Second)
			synctest.Wait()
			if b := r.Binds()[1]; b.State != "bound" {
				t.Fatalf("got %+v", b)
			}
		}
	})
}

// TestReasonsAreComparedWithoutNumbers, which may be times and ports.
func TestReasonsAreComparedWithoutNumbers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.peer.dialled = func(n int) error { return fmt.Errorf("certificate is not valid at 12:00:%02d", n) }
		r.start()
		time.Sleep(time.Minute)
		synctest.Wait()
		r.wantLines(`reason="connect: certificate is not valid at 12:00:01"`)
		if b := r.Binds()[0]; b.LastError == "connect: certificate is not valid at 12:00:01" {
			t.Error("the state shows the first reason, not the last")
		}
	})
}

// TestStopWhileAway: a stop does not wait for a pause, a connection or a bind.
func TestStopWhileAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, tc := range []struct {
			name  string
			set   func(*peer)
			state string
		}{
			{"waiting", func(p *peer) { p.dialled = func(int) error { return errNoRoute } }, "waiting"},
			{"binding", func(p *peer) { p.bind = func(int, *smpp.BindRequest) {} }, "binding"},
		} {
			r := newRig(t)
			tc.set(r.peer)
			r.start()
			if r.state() != tc.state {
				t.Errorf("%s: state %s", tc.name, r.state())
			}
			begin := time.Now()
			r.stop()
			if took := time.Since(begin); took > 100*time.Millisecond {
				t.Errorf("%s: the stop took %s", tc.name, took)
			}
		}
	})
}

// TestStopAwaitsAnswers: submits and receipts in hand are finished before the unbind; an SMSC that does not answer them is not waited for
// for ever.
func TestStopAwaitsAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.peer.answer = func(n int, req *smpp.Request) {
			time.AfterFunc(time.Second, func() { accept(n, req) })
		}
		r.start()
		r.submit("a")
		r.stop()
		if got := r.statuses(); !slices.Equal(got, []gateway.OutcomeStatus{gateway.Accepted}) {
			t.Errorf("outcomes %v", got)
		}
		r.wantLines(`msg=bound`, `msg=unbound`)

		r = newRig(t)
		r.peer.answer = func(int, *smpp.Request) {}
		r.start()
		r.submit("a")
		begin := time.Now()
		r.stop()
		if took := time.Since(begin); took > 3*time.Second {
			t.Errorf("the stop took %s", took)
		}
		if got := r.statuses(); !slices.Equal(got, []gateway.OutcomeStatus{gateway.Unanswered}) {
			t.Errorf("outcomes %v", got)
		}
	})
}

// TestOutbind: an SMSC that asks to be bound to is bound to anyway, and alerts are taken without a word.
func TestOutbind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.peer.bind = func(_ int, b *smpp.BindRequest) {
			b.Session().Submit(&smpp.Outbind{SystemID: "peer"}, func(smpp.Response, error) {})
			time.AfterFunc(time.Second, func() { _ = b.Accept("peer") })
		}
		r.start()
		time.Sleep(time.Second)
		synctest.Wait()
		r.peer.session(1).Submit(&smpp.AlertNotification{}, func(smpp.Response, error) {})
		synctest.Wait()
		if r.state() != "bound" {
			t.Errorf("state %s", r.state())
		}
		r.wantLines(`msg=bound`)
	})
}

// TestFlapping: what was said while the bind was away does not hide that it comes and goes.
func TestFlapping(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.peer.dialled = func(n int) error {
			if n <= 3 {
				return errNoRoute
			}
			return nil
		}
		r.peer.bind = func(n int, b *smpp.BindRequest) {
			_ = b.Accept("peer")
			if n <= 5 {
				time.AfterFunc(time.Second, func() { b.Session().Close(errors.New("dropped")) })
			}
		}
		r.start()
		time.Sleep(20 * time.Minute)
		synctest.Wait()
		r.wantLines(
			`msg="bind down; it is made again" bind=main/1 reason="connect: no route to host"`,
			`msg=bound`,
			`msg="bind down; it is made again" bind=main/1 reason="smpp: the peer closed the connection"`,
			`msg=bound`,
			`msg="bind does not hold" bind=main/1 reason="smpp: the peer closed the connection"`,
			`msg="bind holds again" bind=main/1 failures=8`,
		)
	})
}
