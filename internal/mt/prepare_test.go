package mt

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
)

// shelf is where media are looked for: by address.
type shelf struct {
	mu     sync.Mutex
	asked  map[string]int
	what   map[string]gateway.Preparation // by address; others are there
	takes  map[string]time.Duration
	atOnce int
	most   int
}

func (s *shelf) look(ctx context.Context, m *gateway.Message) gateway.Preparation {
	url := m.MediaURLs[0]
	s.mu.Lock()
	s.asked[url]++
	found, known := s.what[url]
	takes := s.takes[url]
	s.atOnce++
	s.most = max(s.most, s.atOnce)
	s.mu.Unlock()
	sleepFor(ctx, takes)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.atOnce--
	if !known {
		found.Media = []gateway.ID{{7}}
	}
	return found
}

func (s *shelf) set(url string, found gateway.Preparation) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.what[url] = found
}

func (s *shelf) take(url string, long time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.takes[url] = long
}

func (s *shelf) times(url string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked[url]
}

// shelved starts a process whose messages need preparation.
func (w *world) shelved() *shelf {
	s := &shelf{asked: map[string]int{}, what: map[string]gateway.Preparation{}, takes: map[string]time.Duration{}}
	w.prepare = s.look
	w.start()
	return s
}

func picture(from, to, url string) *Request {
	req := byName(from, to)
	req.Service, req.MediaURLs = gateway.MMS, []string{url}
	return req
}

func TestPreparation(t *testing.T) {
	net1 := net("net1", 100, 0)
	inWorld(t, func(t *testing.T, w *world) {
		w.number(alice, "", 0)
		s := w.shelved()
		s.take("a", time.Millisecond)
		m := w.accept(t, picture(alice, over1, "a"))[0]
		if m.State != gateway.Queued || !m.Unprepared {
			t.Errorf("accepted as %+v", m.Progress)
		}
		time.Sleep(2 * time.Millisecond)
		sent := net1.seen()
		if len(sent) != 1 || !slices.Equal(sent[0].message.MediaIDs, gateway.IDTexts([]gateway.ID{{7}})) || s.times("a") != 1 {
			t.Fatalf("%d left, asked %d times", len(sent), s.times("a"))
		}
		if plain := w.accept(t, byName(alice, over1))[0]; plain.Unprepared {
			t.Error("a text waits for media")
		}
	}, net1)
}

// TestPreparationAgain: what is not there yet is looked for again when it is due, what never will be fails, and neither holds up others.
func TestPreparationAgain(t *testing.T) {
	net1 := net("net1", 100, 0)
	inWorld(t, func(t *testing.T, w *world) {
		w.number(alice, "", 0)
		s := w.shelved()
		begin := time.Now()
		s.set("later", gateway.Preparation{Due: begin.Add(time.Minute), Detail: "the server is busy"})
		s.set("never", gateway.Preparation{Failure: gateway.MediaTooLarge, Detail: "6 MB"})
		later := w.accept(t, picture(alice, over1, "later"))[0].ID
		never := w.accept(t, picture(alice, over1, "never"))[0].ID
		other := w.accept(t, picture(alice, over1, "other"))[0].ID
		time.Sleep(time.Second)
		if m := w.store.message(never); m.State != gateway.Failed || m.Reason != gateway.MediaTooLarge || m.Detail != "6 MB" {
			t.Errorf("never: %+v", m.Progress)
		}
		if m := w.store.message(other); m.State != gateway.Sent {
			t.Errorf("other: %+v", m.Progress)
		}
		if m := w.store.message(later); m.State != gateway.Queued || m.Detail != "the server is busy" || s.times("later") != 1 {
			t.Errorf("later: %+v, asked %d times", m.Progress, s.times("later"))
		}
		s.mu.Lock()
		delete(s.what, "later")
		s.mu.Unlock()
		time.Sleep(time.Minute)
		if m := w.store.message(later); m.State != gateway.Sent || s.times("later") != 2 {
			t.Errorf("later: %+v, asked %d times", m.Progress, s.times("later"))
		}
	}, net1)
}

// TestPreparationExpires: a message whose media do not come in time has expired, and one that is looked for just then is not sent.
func TestPreparationExpires(t *testing.T) {
	net1 := net("net1", 100, 0)
	inWorld(t, func(t *testing.T, w *world) {
		w.number(alice, "", 0)
		s := w.shelved()
		s.take("slow", time.Minute)
		req := picture(alice, over1, "slow")
		req.Expiry = 10 * time.Second
		id := w.accept(t, req)[0].ID
		time.Sleep(2 * time.Minute)
		if m := w.store.message(id); m.State != gateway.Failed || m.Reason != gateway.Expired {
			t.Errorf("%+v", m.Progress)
		}
		if n := len(net1.seen()); n != 0 {
			t.Errorf("%d left", n)
		}
	}, net1)
}

// TestPreparationIsShared: a thousand messages with one file are one preparation, and they leave in the order in which they were accepted, each once.
func TestPreparationIsShared(t *testing.T) {
	const messages = 1000
	net1 := net("net1", 100, 0)
	inWorld(t, func(t *testing.T, w *world) {
		w.number(alice, "", 20)
		s := w.shelved()
		s.take("a", time.Second)
		var ids []gateway.ID
		for range messages {
			ids = append(ids, w.accept(t, picture(alice, over1, "a"))[0].ID)
		}
		time.Sleep(5 * time.Minute)
		var left []gateway.ID
		for _, a := range net1.seen() {
			left = append(left, a.message.ID)
		}
		if !slices.Equal(left, ids) {
			t.Errorf("%d of %d left, or not in order", len(left), len(ids))
		}
		if n := s.times("a"); n > messages/prepareBatch+3 {
			t.Errorf("looked for %d times", n)
		}
		if q := w.process.dispatcher.Queues(QueueFilter{Limit: 9}); len(q) != 0 {
			t.Errorf("%+v is still counted", q)
		}
		w.process.auditPools()
	}, net1)
}

// TestPreparationByAccounts: files that take long hold up nobody but their own account, and of that only so many are waited for at once.
func TestPreparationByAccounts(t *testing.T) {
	net1 := net("net1", 100, 0)
	inWorld(t, func(t *testing.T, w *world) {
		const another = gateway.AccountID("MABBBBBBBBBBBBBBBBBB")
		w.number(alice, "", 0)
		w.number(bob, "", 0)
		w.store.numbers[1].Account = another
		s := w.shelved()
		for i := range 100 {
			url := fmt.Sprint("slow", i)
			s.take(url, time.Minute)
			w.accept(t, picture(alice, over1, url))
		}
		time.Sleep(5 * time.Second)
		req := picture(bob, over1, "quick")
		req.Account = another
		id := w.accept(t, req)[0].ID
		time.Sleep(2 * time.Second)
		if m := w.store.message(id); m.State != gateway.Sent {
			t.Errorf("%+v", m.Progress)
		}
		time.Sleep(20 * time.Minute)
		s.mu.Lock()
		defer s.mu.Unlock()
		if n := len(net1.seen()); n != 101 || s.most > prepareSets+1 {
			t.Errorf("%d left, %d were waited for at once", n, s.most)
		}
	}, net1)
}

// TestPreparationGoesOn: a file that takes long holds up nothing that its own account sends meanwhile, and is looked for once.
func TestPreparationGoesOn(t *testing.T) {
	net1 := net("net1", 100, 0)
	inWorld(t, func(t *testing.T, w *world) {
		w.number(alice, "", 0)
		s := w.shelved()
		s.take("slow", time.Minute)
		slow := w.accept(t, picture(alice, over1, "slow"))[0].ID
		for i := range 10 {
			time.Sleep(2 * time.Second)
			id := w.accept(t, picture(alice, over1, fmt.Sprint("quick", i)))[0].ID
			time.Sleep(2 * time.Second)
			if m := w.store.message(id); m.State != gateway.Sent {
				t.Fatalf("message %d waits: %+v", i, m.Progress)
			}
		}
		if m := w.store.message(slow); m.State != gateway.Queued {
			t.Errorf("%+v before its file is there", m.Progress)
		}
		time.Sleep(time.Minute)
		if m := w.store.message(slow); m.State != gateway.Sent || s.times("slow") != 1 {
			t.Errorf("%+v, looked for %d times", m.Progress, s.times("slow"))
		}
	}, net1)
}

// TestPreparationAfterACrash: what waits for media is found again, and a store that cannot write loses nothing.
func TestPreparationAfterACrash(t *testing.T) {
	net1 := net("net1", 100, 0)
	inWorld(t, func(t *testing.T, w *world) {
		w.number(alice, "", 0)
		s := w.shelved()
		s.take("a", time.Minute)
		id := w.accept(t, picture(alice, over1, "a"))[0].ID
		time.Sleep(time.Second)
		w.process.kill()
		w.start()
		synctest.Wait()
		w.store.setFull(true)
		time.Sleep(70 * time.Second)
		w.store.setFull(false)
		time.Sleep(2 * time.Minute)
		if m := w.store.message(id); m.State != gateway.Sent || len(net1.seen()) != 1 {
			t.Errorf("%+v, left %d times", m.Progress, len(net1.seen()))
		}
	}, net1)
}
