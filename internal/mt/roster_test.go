package mt

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
)

func from(messages []*gateway.Message) (senders []string) {
	for _, m := range messages {
		senders = append(senders, m.From)
	}
	return senders
}

func wantFrom(t *testing.T, what string, messages []*gateway.Message, want ...string) {
	t.Helper()
	if got := from(messages); !slices.Equal(got, want) {
		t.Errorf("%s: from %v, want %v", what, got, want)
	}
}

func (w *world) refresh(t *testing.T, change func()) {
	t.Helper()
	w.store.mu.Lock()
	change()
	w.store.mu.Unlock()
	if err := w.process.service.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	if wrong := w.process.auditPools(); len(wrong) > 0 {
		t.Error(wrong)
	}
}

const carol = "14155550102"

// A change of the roster makes new pools; who is busy and who was used last is known in them too.
func TestRefreshKeepsLoads(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.number(alice, "", 0.1)
		w.number(bob, "", 0.1)
		w.pack(gateway.Powerpack{})
		p := w.start()
		wantFrom(t, "both are free", w.accept(t, packRequest(over1)), alice)
		w.refresh(t, func() {})
		wantFrom(t, "alice pays for one", w.accept(t, packRequest(over1)), bob)
		wantFrom(t, "from the one that was used longer ago", w.accept(t, packRequest(over1)), alice)
		synctest.Wait()
		w.refresh(t, func() { w.store.numbers[1].Pool = gateway.ID{} })
		wantFrom(t, "bob has left the pool", w.accept(t, packRequest(over1, over1)), alice, alice)
		synctest.Wait()
		for range 5 {
			w.mustSend(t, bob, over1, 1) // and goes on sending outside of it
		}
		w.refresh(t, func() {
			w.number0(carol)
			w.store.numbers[1].Pool = w.store.powerpacks[0].Pool
		})
		wantFrom(t, "a new one, and bob is back with what waits for him", w.accept(t, packRequest(over1, over1, over1)), carol, carol, carol)
		p.dispatcher.mu.Lock()
		defer p.dispatcher.mu.Unlock()
		if got := p.dispatcher.senders[bob].queued; got != 5 {
			t.Errorf("%d units wait for bob", got)
		}
	}, net("net1", 10, 0))
}

// number0 adds a sender without a limit to the first powerpack's pool. Guarded by memory.mu.
func (w *world) number0(number string) {
	n := w.store.numbers[0]
	n.Number, n.Rate = number, 0
	w.store.numbers = append(w.store.numbers, n)
}

// A powerpack may change between the request and the choice.
func TestPowerpackChangesWhileRequestsWait(t *testing.T) {
	for name, c := range map[string]struct {
		sticky bool
		change func(w *world)
		want   gateway.Reason
	}{
		"removed": {true, func(w *world) { w.store.powerpacks = nil }, gateway.InvalidSource},
		"emptied": {true, func(w *world) { w.store.numbers = nil }, gateway.InvalidSource},
		"renamed": {true, func(w *world) { w.store.powerpacks[0].Name = "another" }, gateway.NoReason},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				w.number(alice, "", 0)
				w.pack(gateway.Powerpack{Sticky: c.sticky})
				p := w.start()
				w.store.setLatency(func() time.Duration { return time.Second }) // the habits are being read
				done := make(chan []gateway.ID)
				go func() {
					a, err := p.service.Accept(t.Context(), packRequest(over1))
					if err != nil {
						t.Error(err)
					}
					done <- a.Messages
				}()
				time.Sleep(500 * time.Millisecond)
				w.store.setLatency(nil)
				w.refresh(t, func() { c.change(w) })
				if m := w.store.message((<-done)[0]); m.Reason != c.want {
					t.Errorf("%v", m.Reason)
				}
			}, net("net1", 10, 0))
		})
	}
}

// A powerpack that became sticky after the habits were read has none to go by yet.
func TestChoiceWithoutHabits(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.number(alice, "", 0)
		w.pack(gateway.Powerpack{Sticky: true})
		p := w.start()
		sub := &submission{request: packRequest(over1)}
		sub.Messages = sub.request.messages()
		p.service.choose([]*submission{sub}, nil, nil)
		if m := sub.Messages[0]; m.From != alice || m.PickedBy != gateway.ByPriority || len(sub.Remember) > 0 {
			t.Errorf("%+v, %+v", m, sub.Remember)
		}
		p.service.giveBack([]*submission{sub})
		p.dispatcher.Offer(nil)
	}, net("net1", 10, 0))
}

// The first submission of a batch may be a replay, of which nothing is stored: the others must not count on it to keep a new habit.
func TestFreshHabitGoesWithEverySubmission(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.number(alice, "", 0)
		w.number(bob, "", 0)
		w.pack(gateway.Powerpack{Sticky: true})
		p := w.start()
		const old = "12025550177"
		w.store.sticky[gateway.StickyKey{Powerpack: testPack, To: old}] = bob
		var batch []*submission
		for range 3 {
			sub := &submission{request: packRequest(over1, old)}
			sub.Messages = sub.request.messages()
			batch = append(batch, sub)
		}
		habits, err := p.service.habits(t.Context(), batch)
		if err != nil {
			t.Fatal(err)
		}
		p.service.choose(batch, habits, nil)
		for _, sub := range batch {
			wantFrom(t, "one batch", sub.Messages, alice, bob)
			if len(sub.Remember) != 1 || sub.Remember[0] != (gateway.Sticky{Powerpack: testPack, To: over1, From: alice}) {
				t.Errorf("remembered %v", sub.Remember)
			}
		}
		p.service.giveBack(batch)
		p.dispatcher.Offer(nil)
	}, net("net1", 10, 0))
}

// Senders whose carrier takes nothing do not come up while others do; when none does, the message waits for its carrier.
func TestClosedSendersWait(t *testing.T) {
	net1, net2 := net("net1", 10, 0), net("net2", 10, 0)
	inWorld(t, func(t *testing.T, w *world) {
		w.number(alice, "net1", 0)
		w.number(bob, "net2", 0)
		w.number(carol, "elsewhere", 0)
		w.pack(gateway.Powerpack{Sticky: true})
		p := w.start()
		wantFrom(t, "both up", w.accept(t, packRequest(over1)), alice)
		_ = p.dispatcher.Pause("net1")
		wantFrom(t, "alice's is paused", w.accept(t, packRequest(over1, "12025550101")), bob, bob)
		_ = p.dispatcher.Resume("net1")
		wantFrom(t, "who was used to alice still is", w.accept(t, packRequest(over1, "12025550101")), alice, bob)
		net1.set(func() { net1.down = true })
		net2.set(func() { net2.down = true })
		began := time.Now()
		wantFrom(t, "none up", w.accept(t, packRequest(over1, "12025550102", "12025550103", "12025550104")), alice, bob, alice, bob)
		time.Sleep(30 * time.Second)
		net1.set(func() { net1.down = false })
		time.Sleep(time.Second)
		if got := net1.times(began)[2:]; !slices.Equal(got, []string{"30.00", "30.00"}) {
			t.Errorf("left at %v", got)
		}
		w.refresh(t, func() { w.store.numbers = w.store.numbers[2:] })
		lost := w.accept(t, packRequest(over2))[0]
		if habit := w.store.sticky[gateway.StickyKey{Powerpack: testPack, To: over2}]; lost.Reason != gateway.NoRoute || habit != "" {
			t.Errorf("only a sender whose carrier is not configured: %v, remembered %q", lost.Reason, habit)
		}
	}, net1, net2)
}

func TestPatience(t *testing.T) {
	for patience, want := range map[time.Duration]string{0: alice, 20 * time.Second: bob, 40 * time.Second: alice} {
		inWorld(t, func(t *testing.T, w *world) {
			w.number(alice, "", 0.1)
			w.number(bob, "", 1)
			w.store.numbers[0].Type = gateway.ShortCode
			w.pack(gateway.Powerpack{Patience: patience})
			w.start()
			for range 3 {
				w.mustSend(t, alice, over1, 1)
			}
			wantFrom(t, patience.String(), w.accept(t, packRequest(over1)), want) // alice is free in 30 s
		}, net("net1", 10, 0))
	}
}

// Types that the priority does not name are no senders that could be free in time.
func TestNoSenderOfThePriority(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.number(alice, "", 1)
		w.pack(gateway.Powerpack{Priorities: []gateway.Priority{{Service: gateway.SMS, Country: "US", Order: [3]gateway.NumberType{gateway.ShortCode}}}})
		w.start()
		if m := w.accept(t, packRequest(over1))[0]; m.Reason != gateway.InvalidSource {
			t.Errorf("%v", m.Reason)
		}
	}, net("net1", 10, 0))
}

// Messages leave when it was said that they would.
func TestSendAt(t *testing.T) {
	net1 := net("net1", 10, 0)
	inWorld(t, func(t *testing.T, w *world) {
		w.number(alice, "", 0.5)
		w.number(bob, "", 2)
		w.number(carol, "", 0)
		w.store.numbers[2].Services = gateway.Services(gateway.MMS)
		w.pack(gateway.Powerpack{})
		p := w.start()
		expected := map[gateway.ID]time.Time{}
		accept := func(req *Request) {
			t.Helper()
			a, err := p.service.Accept(t.Context(), req)
			if err != nil || len(a.SendAt) != len(a.Messages) {
				t.Fatal(a, err)
			}
			for i, id := range a.Messages {
				expected[id] = a.SendAt[i]
			}
		}
		for i := range 20 {
			req := packRequest(over1, over1)
			req.Text = text(1 + i%3)
			if i%5 == 0 {
				req.Powerpack, req.Source = gateway.ID{}, alice
			}
			accept(req)
			time.Sleep(time.Duration(i*100) * time.Millisecond)
		}
		time.Sleep(10 * time.Minute)
		for _, a := range net1.seen() {
			if want := expected[a.message.ID]; a.part == 1 && !a.at.Equal(want) {
				t.Errorf("left %v after it was expected to", a.at.Sub(want))
			}
			delete(expected, a.message.ID)
		}
		if len(expected) > 0 {
			t.Errorf("%d never left", len(expected))
		}
		late := packRequest(over1, over1)
		late.Text, late.Expiry, late.Key = text(16), 8*time.Second, "key"
		late.To = append(late.To, gateway.Destination{Number: "9133", Country: "FR"})
		for replay := range 2 {
			a, err := p.service.Accept(t.Context(), late)
			if err != nil {
				t.Fatal(err)
			}
			if replay == 1 && a.SendAt != nil {
				t.Errorf("a replayed answer expects %v", a.SendAt)
			}
			if replay == 0 && (!a.SendAt[0].Equal(time.Now()) || !a.SendAt[2].IsZero()) {
				t.Errorf("expected at %v", a.SendAt)
			}
		}
	}, net1)
}

// Equal senders get equal shares of unrelated destinations.
func TestSpread(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		const senders, messages = 40, 10_000
		for i := range senders {
			w.number(fmt.Sprint(14155550000+i), "", 1)
		}
		w.pack(gateway.Powerpack{Sticky: true, LocalConnect: true})
		w.start()
		used := map[string]int{}
		for i := 0; i < messages; i += 100 {
			req := packRequest()
			for k := range 100 {
				req.To = append(req.To, gateway.Destination{Number: fmt.Sprint(12025550000 + i + k), Country: "US"})
			}
			for _, m := range w.accept(t, req) {
				used[m.From]++
			}
		}
		for sender, times := range used {
			if even := messages / senders; times < even*98/100 || times > even*102/100 {
				t.Errorf("%s was taken %d times of %d", sender, times, messages)
			}
		}
	}, net("net1", 10, 0))
}

// TestFromElsewhere: with numbers of some countries on the roster, no number of these is from elsewhere, whether it is on the roster or not.
func TestFromElsewhere(t *testing.T) {
	read := &gateway.Roster{}
	for _, number := range []string{"447700900123", "33612345678", "881612345678", "999123456789", "60123", "ACME", "14155550100"} {
		read.Numbers = append(read.Numbers, gateway.Number{Number: number, Account: testAccount})
	}
	codes := newRoster(read, nil).codes
	if len(codes) != 4 {
		t.Errorf("calling codes %q", codes)
	}
	for from, want := range map[string]bool{
		"447700900123": false, "447700900124": false, "441481960194": false, // Guernsey, within 44
		"33612345678": false, "33700000000": false, "881600000000": false, "999000000000": false,
		"14155550100": false, "14155559999": false, "12045550100": false, "1000000": false,
		"60123": false, "60124": false, "123456": false, "ACME": false, "ACME123": false, "": false,
		"4915112345678": true, "34612345678": true, "882612345678": true, "4012345": true,
	} {
		if got := codes.fromElsewhere(&gateway.Message{From: from, Country: "FR"}); got != want {
			t.Errorf("%s: %v, want %v", from, got, want)
		}
		for _, country := range []string{"US", "CA"} {
			if codes.fromElsewhere(&gateway.Message{From: from, Country: country}) {
				t.Errorf("%s may be used for %s", from, country)
			}
		}
	}
}
