package mt

import (
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
)

var testPack = gateway.ID{1}

// pack puts all numbers of the roster into one powerpack.
func (w *world) pack(p gateway.Powerpack) {
	p.ID, p.Pool, p.Account = testPack, gateway.ID{2}, testAccount
	w.store.powerpacks = []gateway.Powerpack{p}
	for i := range w.store.numbers {
		w.store.numbers[i].Pool = p.Pool
	}
}

func packRequest(to ...string) *Request {
	req := &Request{Account: testAccount, Powerpack: testPack, Service: gateway.SMS, Text: "a", ReceivedAt: time.Now()}
	for _, number := range to {
		req.To = append(req.To, gateway.Destination{Number: number, Country: "US"})
	}
	return req
}

func (w *world) accept(t *testing.T, req *Request) []*gateway.Message {
	t.Helper()
	a, err := w.process.service.Accept(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	var messages []*gateway.Message
	for _, id := range a.Messages {
		messages = append(messages, w.store.message(id))
	}
	return messages
}

func TestChoicesSeeThoseBeforeThem(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		for _, number := range []string{"14155550100", "14155550101", "14155550102", "14155550103"} {
			w.number(number, "", 1)
		}
		w.pack(gateway.Powerpack{})
		w.start()
		used := map[string]int{}
		for _, m := range w.accept(t, packRequest("12025550100", "12025550101", "12025550102", "12025550103")) {
			used[m.From]++
		}
		for range 4 {
			used[w.accept(t, packRequest("12025550104"))[0].From]++
		}
		for number, times := range used {
			if times != 2 {
				t.Errorf("%s was chosen %d times of 8", number, times)
			}
		}
	}, net("net1", 10, 0))
}

func TestSticky(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		for _, number := range []string{"14155550100", "14155550101", "14155550102"} {
			w.number(number, "", 0)
		}
		w.pack(gateway.Powerpack{Sticky: true})
		w.start()
		first := w.accept(t, packRequest(over1, over1))
		if first[0].From != first[1].From {
			t.Error("two messages of one request have different senders")
		}
		for range 3 {
			w.accept(t, packRequest("12025550177"))
			if again := w.accept(t, packRequest(over1))[0]; again.From != first[0].From || again.PickedBy != gateway.BySticky {
				t.Errorf("%s by %v, at first %s", again.From, again.PickedBy, first[0].From)
			}
		}
	}, net("net1", 10, 0))
}

// What cannot be sent in time fails at once, costs no pace and leaves nothing in the queue.
func TestKnownTooLate(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.number(alice, "", 0.1)
		w.pack(gateway.Powerpack{})
		p := w.start()
		req := packRequest(over1, over1, over1)
		req.Expiry = 15 * time.Second
		messages := w.accept(t, req)
		if m := messages[2]; m.State != gateway.Failed || m.Reason != gateway.Expired {
			t.Errorf("%v, %v", m.State, m.Reason)
		}
		time.Sleep(time.Minute)
		if messages[0] = w.store.message(messages[0].ID); messages[0].State != gateway.Sent {
			t.Errorf("%v", messages[0].State)
		}
		p.dispatcher.mu.Lock()
		defer p.dispatcher.mu.Unlock()
		if s := p.dispatcher.senders[alice]; s.queued != 0 {
			t.Errorf("%d units are left", s.queued)
		}
	}, net("net1", 10, 0))
}

func TestRefusedSources(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.number(alice, "", 0)
		w.number("18005550100", "", 0)
		w.store.numbers[1].Type = gateway.TollFree
		w.number("14155550109", "", 0)
		w.store.numbers[2].Account = "MAOTHER"
		w.number("14155550108", "elsewhere", 0)
		w.number("33612345678", "", 0)
		w.store.numbers[4].Account = "MAOTHER"
		p := w.start()
		for name, c := range map[string]struct {
			from    string
			to      gateway.Destination
			service gateway.Service
			want    gateway.Reason
		}{
			"own":                      {alice, gateway.Destination{Number: over1, Country: "US"}, gateway.SMS, 0},
			"of nobody, to the US":     {"14155550199", gateway.Destination{Number: over1, Country: "US"}, gateway.SMS, gateway.InvalidSource},
			"of nobody, abroad":        {"447700900123", gateway.Destination{Number: "133", Country: "FR"}, gateway.SMS, 0},
			"a name of nobody, abroad": {"ACME", gateway.Destination{Number: "133", Country: "FR"}, gateway.SMS, gateway.InvalidSource},
			"of another account":       {"33612345678", gateway.Destination{Number: "133", Country: "FR"}, gateway.SMS, gateway.InvalidSource},
			"of nobody, beside it":     {"33612345679", gateway.Destination{Number: "133", Country: "FR"}, gateway.SMS, gateway.InvalidSource},
			"of another account, +1":   {"14155550109", gateway.Destination{Number: "133", Country: "FR"}, gateway.SMS, gateway.InvalidSource},
			"of nobody, +1":            {"14155550199", gateway.Destination{Number: "133", Country: "FR"}, gateway.SMS, gateway.InvalidSource},
			"a short code of nobody":   {"60123", gateway.Destination{Number: "133", Country: "FR"}, gateway.SMS, gateway.InvalidSource},
			"toll-free to Canada":      {"18005550100", gateway.Destination{Number: "14165550100", Country: "CA"}, gateway.SMS, gateway.TollFreeToCanada},
			"to itself":                {alice, gateway.Destination{Number: alice, Country: "US"}, gateway.SMS, gateway.InvalidSource},
			"no route":                 {alice, gateway.Destination{Number: "9133", Country: "FR"}, gateway.SMS, gateway.NoRoute},
			"its carrier is not there": {"14155550108", gateway.Destination{Number: over1, Country: "US"}, gateway.SMS, gateway.NoRoute},
		} {
			a, err := p.service.Accept(t.Context(), &Request{
				Account: testAccount, Source: c.from, To: []gateway.Destination{c.to}, Service: c.service, Text: "a", ReceivedAt: time.Now(),
			})
			if err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
			m := w.store.message(a.Messages[0])
			if m.Reason != c.want || (m.State == gateway.Failed) != (c.want != 0) {
				t.Errorf("%s: %v, %v", name, m.State, m.Reason)
			}
		}
		p.dispatcher.mu.Lock()
		defer p.dispatcher.mu.Unlock()
		if len(p.dispatcher.senders) != len(w.store.numbers) {
			t.Errorf("%d senders are remembered for %d numbers", len(p.dispatcher.senders), len(w.store.numbers))
		}
	}, net("net1", 10, 0))
}

func TestPowerpackOfAnother(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.pack(gateway.Powerpack{})
		p := w.start()
		req := packRequest(over1)
		req.Account = "MAOTHER"
		var refusal *gateway.Error
		if _, err := p.service.Accept(t.Context(), req); !errors.As(err, &refusal) || refusal.Code != gateway.NotFound {
			t.Errorf("%v", err)
		}
	}, net("net1", 10, 0))
}

func TestIdempotencyKey(t *testing.T) {
	net1 := net("net1", 10, 0)
	inWorld(t, func(t *testing.T, w *world) {
		w.number(alice, "", 1)
		w.pack(gateway.Powerpack{})
		p := w.start()
		req := func(body byte) *Request {
			r := packRequest(over1, over1)
			r.Key, r.BodyHash = "key", [32]byte{body}
			return r
		}
		first, err := p.service.Accept(t.Context(), req(1))
		if err != nil {
			t.Fatal(err)
		}
		again, err := p.service.Accept(t.Context(), req(1))
		if err != nil || again.Messages[0] != first.Messages[0] || again.Messages[1] != first.Messages[1] {
			t.Errorf("%v, %v; at first %v", again, err, first)
		}
		var refusal *gateway.Error
		if _, err := p.service.Accept(t.Context(), req(2)); !errors.As(err, &refusal) || refusal.Code != gateway.Conflict {
			t.Errorf("another body: %v", err)
		}
		if got := p.service.Accepted(); got != 2 {
			t.Errorf("%d accepted", got)
		}
		time.Sleep(10 * time.Second)
		if got := len(net1.seen()); got != 2 {
			t.Errorf("%d submits", got)
		}
		p.dispatcher.mu.Lock()
		defer p.dispatcher.mu.Unlock()
		if s := p.dispatcher.senders[alice]; s.queued != 0 {
			t.Errorf("%d units are left", s.queued)
		}
	}, net1)
}

func TestNothingIsHalfAccepted(t *testing.T) {
	net1 := net("net1", 10, 0)
	inWorld(t, func(t *testing.T, w *world) {
		w.number(alice, "", 1)
		w.pack(gateway.Powerpack{})
		p := w.start()
		w.store.setFull(true)
		var wg sync.WaitGroup
		for range 50 {
			wg.Go(func() {
				if _, err := p.service.Accept(t.Context(), packRequest(over1, over1)); err == nil {
					t.Error("accepted on a full disk")
				}
			})
		}
		wg.Wait()
		w.store.setFull(false)
		time.Sleep(time.Minute)
		if got := len(net1.seen()); got != 0 || p.service.Accepted() != 0 {
			t.Errorf("%d submits of %d accepted", got, p.service.Accepted())
		}
		began := time.Now() // and it left no trace in the sender's free time
		w.accept(t, packRequest(over1))
		synctest.Wait()
		wantTimes(t, net1, began, "0.00")
	}, net1)
}

func TestAcceptAfterTheStop(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.pack(gateway.Powerpack{})
		p := w.start()
		p.stop()
		var refusal *gateway.Error
		if _, err := p.service.Accept(t.Context(), packRequest(over1)); !errors.As(err, &refusal) || refusal.Code != gateway.Unavailable {
			t.Errorf("%v", err)
		}
	}, net("net1", 10, 0))
}

// Other traffic fails over: the first carrier of the route that is up takes it.
func TestRouteFailsOver(t *testing.T) {
	net1, net2 := net("net1", 10, 0), net("net2", 10, 0)
	inWorld(t, func(t *testing.T, w *world) {
		w.number(alice, "", 0)
		p := w.start()
		p.service.Routes = gateway.Routes{{Carriers: []string{"missing", "net1", "net2"}}}
		carrier := func() string {
			id := w.mustSend(t, alice, over1, 1)
			return w.store.message(id).Carrier
		}
		if got := carrier(); got != "net1" {
			t.Errorf("both up: %s", got)
		}
		_ = p.dispatcher.Pause("net1")
		if got := carrier(); got != "net2" {
			t.Errorf("the first paused: %s", got)
		}
		net2.set(func() { net2.down = true })
		if got := carrier(); got != "net1" {
			t.Errorf("none up: %s", got)
		}
		_ = p.dispatcher.Resume("net1")
	}, net1, net2)
}

// A request that comes again gets its answer, also when its powerpack has been deleted meanwhile.
func TestKeyOutlivesItsPowerpack(t *testing.T) {
	net1 := net("net1", 10, 0)
	inWorld(t, func(t *testing.T, w *world) {
		w.number(alice, "", 0)
		pack := gateway.Powerpack{ID: w.ids.Next(time.Now()), Account: testAccount, Pool: w.ids.Next(time.Now())}
		w.store.mu.Lock()
		w.store.powerpacks = append(w.store.powerpacks, pack)
		w.store.numbers[0].Pool = pack.Pool
		w.store.mu.Unlock()
		p := w.start()
		request := func(key string) *Request {
			return &Request{
				Account: testAccount, Powerpack: pack.ID, To: []gateway.Destination{{Number: over1, Country: "US"}}, Service: gateway.SMS,
				Text: "a", Key: key, BodyHash: [32]byte{1}, ReceivedAt: time.Now(),
			}
		}
		first, err := p.service.Accept(t.Context(), request("key"))
		if err != nil {
			t.Fatal(err)
		}
		w.store.mu.Lock()
		w.store.powerpacks = nil
		w.store.mu.Unlock()
		if err := p.service.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		again, err := p.service.Accept(t.Context(), request("key"))
		if err != nil || !slices.Equal(again.Messages, first.Messages) {
			t.Errorf("again: %v, %v, want %v", again.Messages, err, first.Messages)
		}
		var refusal *gateway.Error
		for _, key := range []string{"", "other"} {
			if _, err := p.service.Accept(t.Context(), request(key)); !errors.As(err, &refusal) || refusal.Code != gateway.NotFound {
				t.Errorf("key %q: %v", key, err)
			}
		}
	}, net1)
}

func TestMMSFromANumberWithoutMMS(t *testing.T) {
	net1 := net("net1", 10, 0)
	inWorld(t, func(t *testing.T, w *world) {
		w.number(alice, "", 0)
		w.store.mu.Lock()
		w.store.numbers[0].Services = gateway.Services(gateway.SMS)
		w.store.mu.Unlock()
		p := w.start()
		_, err := p.service.Accept(t.Context(), &Request{
			Account: testAccount, Source: alice, To: []gateway.Destination{{Number: over1, Country: "US"}}, Service: gateway.MMS, Text: "a", ReceivedAt: time.Now(),
		})
		var refusal *gateway.Error
		if !errors.As(err, &refusal) || refusal.Code != gateway.Invalid {
			t.Errorf("got %v", err)
		}
	}, net1)
}
