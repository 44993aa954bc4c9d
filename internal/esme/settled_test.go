package esme

import (
	"errors"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
	"github.com/heliograph/heliograph/internal/smpp"
)

// inbox takes parts in a bubble.
type inbox struct {
	mu      sync.Mutex
	parts   []gateway.InboundPart
	keep    func(done func(error)) // decides about a part; nil keeps it at once
	settled map[uint64]time.Time
	reports int
}

func (b *inbox) onPart(p gateway.InboundPart, done func(error)) {
	b.mu.Lock()
	b.parts = append(b.parts, p)
	keep := b.keep
	b.mu.Unlock()
	if keep != nil {
		keep(done)
		return
	}
	done(nil)
}

func (b *inbox) onSettled(session uint64, until time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.settled[session] = until
	b.reports++
}

// told gives how often something was settled, and until when that of a session is.
func (b *inbox) told(session uint64) (reports int, until time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.reports, b.settled[session]
}

// came gives the n-th part, from 1.
func (b *inbox) came(n int) gateway.InboundPart {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.parts[n-1]
}

func (b *inbox) keeping(keep func(done func(error))) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.keep = keep
}

// newInbox is a running carrier with a taker of messages.
func newInbox(t *testing.T, settings ...func(*Config)) (*rig, *inbox) {
	b := &inbox{settled: map[uint64]time.Time{}}
	r := newRig(t, append([]func(*Config){b.serve}, settings...)...)
	r.start()
	return r, b
}

func (b *inbox) serve(c *Config) { c.OnPart, c.OnSettled = b.onPart, b.onSettled }

func handsetMessage(text string) *smpp.DeliverSM {
	return &smpp.DeliverSM{
		Source: smpp.Address{TON: 1, NPI: 1, Addr: "14155550123"}, Dest: smpp.Address{TON: 1, NPI: 1, Addr: "14155550100"}, ShortMessage: text,
	}
}

// TestMessageIsAnsweredWhenKept: the SMSC hears ESME_ROK after the part is on disk and not before, by deliver_sm and by data_sm.
func TestMessageIsAnsweredWhenKept(t *testing.T) {
	data := &smpp.DataSM{
		Source: smpp.Address{TON: 1, NPI: 1, Addr: "14155550123"}, Dest: smpp.Address{TON: 1, NPI: 1, Addr: "14155550100"},
		TLVs: smpp.TLVs{}.With(smpp.TagMessagePayload, "hello"),
	}
	for _, pdu := range []smpp.PDU{handsetMessage("hello"), data} {
		synctest.Test(t, func(t *testing.T) {
			r, b := newInbox(t)
			var done func(error)
			b.keeping(func(d func(error)) { done = d })
			answered := smpp.Status(0xFFFF)
			r.peer.session(1).Submit(pdu, func(resp smpp.Response, _ error) { answered = resp.Status })
			synctest.Wait()
			if len(b.parts) != 1 || answered != 0xFFFF {
				t.Fatalf("%d parts, answered %s before it is kept", len(b.parts), answered)
			}
			p := b.parts[0]
			text, _ := joined(p)
			if text != "hello" || p.From != "14155550123" || p.To != "14155550100" || p.Carrier != "main" || !p.At.Equal(time.Now()) || p.Identity.Session == 0 {
				t.Errorf("%+v", p)
			}
			done(nil)
			synctest.Wait()
			if s := r.Stats(); answered != smpp.ESME_ROK || s.Inbound != 1 || s.InboundKept != 1 || s.Receipts != 0 {
				t.Errorf("answered %s, %+v", answered, s)
			}
		})
	}
}

// TestMessageThatCannotBeKept comes again; the log tells once, and nothing of what is in it.
func TestMessageThatCannotBeKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, b := newInbox(t)
		b.keeping(func(done func(error)) { done(errors.New("disk full")) })
		for range 3 {
			if got := r.peer.deliver(1, handsetMessage("hello")); got != smpp.ESME_RX_T_APPN {
				t.Errorf("answered %s", got)
			}
		}
		r.wantLines(`msg=bound`, `level=WARN msg="messages from handsets cannot be kept; the SMSC is asked to keep them" reason="disk full"`)
		b.keeping(func(done func(error)) { done(gateway.Errorf(gateway.Unavailable, "the queue is full")) })
		if got := r.peer.deliver(1, handsetMessage("hello")); got != smpp.ESME_RX_T_APPN {
			t.Errorf("answered %s", got)
		}
		b.keeping(nil)
		if got := r.peer.deliver(1, handsetMessage("hello")); got != smpp.ESME_ROK {
			t.Errorf("answered %s", got)
		}
		if s := r.Stats(); s.Inbound != 5 || s.InboundPutOff != 4 || s.InboundKept != 1 {
			t.Errorf("%+v", s)
		}
	})
}

// TestUnrentedNumbers: the SMSC hears what is set; the log tells once, without the whole number.
func TestUnrentedNumbers(t *testing.T) {
	for _, tc := range []struct {
		set  Unrented
		want smpp.Status
	}{{RefuseUnrented, smpp.ESME_RX_P_APPN}, {DeferUnrented, smpp.ESME_RX_T_APPN}, {DropUnrented, smpp.ESME_ROK}} {
		synctest.Test(t, func(t *testing.T) {
			r, b := newInbox(t, func(c *Config) { c.Unrented = tc.set })
			b.keeping(func(done func(error)) { done(gateway.Errorf(gateway.NotFound, "no account rents the number")) })
			for range 3 {
				if got := r.peer.deliver(1, handsetMessage("hello")); got != tc.want {
					t.Errorf("answered %s, want %s", got, tc.want)
				}
			}
			r.wantLines(`msg=bound`, `level=WARN msg="messages from handsets arrive for numbers that nobody rents" bind=main/1 reason="answered `+
				tc.want.String()+`" to=1415555xxxx`)
			if s := r.Stats(); s.Inbound != 3 || s.InboundUnrented != 3 || s.InboundKept != 0 {
				t.Errorf("%+v", s)
			}
		})
	}
}

// TestBrokenHeaderIsSaid: the message is kept, and the log tells once.
func TestBrokenHeaderIsSaid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, b := newInbox(t)
		for _, text := range []string{"Hello", "World"} {
			pdu := handsetMessage(text)
			pdu.ESMClass = smpp.ESMUDHI
			if got := r.peer.deliver(1, pdu); got != smpp.ESME_ROK {
				t.Errorf("answered %s", got)
			}
		}
		r.wantLines(`msg=bound`, `level=WARN msg="headers of messages from handsets cannot be read; they are taken as text" bind=main/1 error="tpdu: udh.length at octet 0`)
		if text, _ := joined(b.parts[1]); text != "World" {
			t.Errorf("%q", text)
		}
	})
}

// TestMessagesInHandAreBounded: what is more than the setting is put off at once.
func TestMessagesInHandAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, b := newInbox(t, func(c *Config) { c.Inbound = 2 })
		var held []func(error)
		b.keeping(func(done func(error)) { held = append(held, done) })
		for n, want := range []smpp.Status{0xFFFF, 0xFFFF, smpp.ESME_RMSGQFUL} {
			if got := r.peer.deliver(1, handsetMessage("hello")); got != want {
				t.Errorf("message %d: answered %s, want %s", n+1, got, want)
			}
		}
		for _, done := range held {
			done(nil)
		}
	})
}

// TestLostAnswer: what was kept, and whose answer was lost, comes again in a new session with the same digest, and nothing said of it that it was settled.
func TestLostAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, b := newInbox(t)
		var late func(error)
		b.keeping(func(done func(error)) {
			r.peer.session(1).Close(errors.New("lost")) // after the part is on disk, before its answer
			late = done
		})
		if got := r.peer.deliver(1, handsetMessage("hello")); got != 0xFFFF {
			t.Errorf("answered %s", got)
		}
		late(nil)
		b.keeping(nil)
		time.Sleep(5 * time.Second) // the bind is made again
		synctest.Wait()
		if got := r.peer.deliver(2, handsetMessage("hello")); got != smpp.ESME_ROK {
			t.Fatalf("answered %s", got)
		}
		first, again := b.came(1).Identity, b.came(2).Identity
		if first.Digest != again.Digest || first.Session == again.Session || first.Session == 0 || again.Session == 0 {
			t.Errorf("%x and %x", first, again)
		}
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		if _, until := b.told(first.Session); !until.IsZero() {
			t.Errorf("the session that was lost is settled until %s", until)
		}
		if _, until := b.told(again.Session); !until.Equal(b.came(2).At) {
			t.Errorf("settled until %s", until)
		}
	})
}

// TestSettled: what was answered is settled half a minute later and not before, once the SMSC has answered an enquire_link, and is reported once.
func TestSettled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, b := newInbox(t)
		begin := time.Now()
		r.peer.deliver(1, handsetMessage("one"))
		var late func(error)
		time.Sleep(15 * time.Second)
		b.keeping(func(done func(error)) { late = done })
		r.peer.deliver(1, handsetMessage("two"))
		b.keeping(nil)
		r.peer.deliver(1, handsetMessage("three"))
		session := b.came(1).Identity.Session
		want := func(when string, reports int, until time.Time) {
			t.Helper()
			synctest.Wait()
			if n, at := b.told(session); n != reports || !at.Equal(until) {
				t.Errorf("%s: %d reports, settled until %s; want %d, %s", when, n, at, reports, until)
			}
		}
		time.Sleep(time.Until(begin.Add(29 * time.Second)))
		want("before its time", 0, time.Time{})
		time.Sleep(time.Until(begin.Add(75 * time.Second)))
		want("while the second is in hand", 1, begin)
		late(nil)
		time.Sleep(29 * time.Second)
		want("soon after its answer", 1, begin)
		time.Sleep(30 * time.Second)
		want("after its answer", 2, begin.Add(15*time.Second))
		time.Sleep(10 * time.Minute)
		want("when nothing comes", 2, begin.Add(15*time.Second))
		r.stop()
		want("after the end", 2, begin.Add(15*time.Second))
	})
}

// TestSilentSMSCSettlesNothing: answers may lie in the buffers of a dead connection; without an answer of the SMSC's they count for nothing.
func TestSilentSMSCSettlesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &inbox{settled: map[uint64]time.Time{}}
		r := newRig(t, b.serve, func(c *Config) { c.EnquireLink = time.Hour })
		r.peer.script = func(conn net.Conn) {
			defer conn.Close()
			letIn(conn)
			message, _ := smpp.Append(nil, 1, smpp.ESME_ROK, handsetMessage("hello"))
			_, _ = conn.Write(message)
			drain(conn, 1<<20) // the answer, and enquire_links
		}
		r.start()
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		if n, _ := b.told(b.came(1).Identity.Session); n != 0 || r.state() != "bound" || r.Stats().InboundKept != 1 {
			t.Errorf("%d reports, %s, %+v", n, r.state(), r.Stats())
		}
	})
}

// TestSpans: the arithmetic of what is settled, under a load without gaps.
func TestSpans(t *testing.T) {
	in := newIntake()
	begin := time.Unix(1_800_000_000, 0)
	const every = 100 * time.Microsecond
	now := begin
	for now.Sub(begin) < 60*time.Second {
		in.answered(in.brought(now), now)
		now = now.Add(every)
	}
	until, spans := in.settleable(now)
	if spans != 3 || until.Sub(begin) != 30*time.Second-every-clockStep {
		t.Errorf("settled until %s with %d spans of %d", until.Sub(begin), spans, len(in.spans))
	}
	in.told(spans)
	if _, spans := in.settleable(now); spans != 0 || len(in.spans) != 3 {
		t.Errorf("%d spans again, of %d", spans, len(in.spans))
	}
	if until, spans = in.settleable(now.Add(time.Minute)); spans != 3 || !until.Equal(now.Add(-every)) {
		t.Errorf("at last until %s with %d spans", until.Sub(begin), spans)
	}
	waits := newIntake()
	for n := range 1000 { // nothing is ever answered
		waits.brought(begin.Add(time.Duration(n) * settleEvery))
	}
	if _, spans := waits.settleable(now.Add(time.Hour * 24)); spans != 0 || len(waits.spans) != maxSpans {
		t.Errorf("%d spans settled of %d", spans, len(waits.spans))
	}
	back := newIntake()
	back.answered(back.brought(begin), begin)
	back.answered(back.brought(begin.Add(-time.Hour)), begin.Add(-time.Hour)) // the clock was set back
	if until, _ := back.settleable(begin.Add(time.Minute)); !until.Equal(begin) {
		t.Errorf("settled until %s", until.Sub(begin))
	}
}
