package webhook

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/heliograph/heliograph/internal/gateway"
)

const (
	good gateway.AccountID = "MAGOOD00000000000000"
	evil gateway.AccountID = "MAEVIL00000000000000"
)

// tenants is a worker with several accounts, and when each event was told of.
type tenants struct {
	store    *memory
	receiver *receiver
	worker   *Worker
	messages int
	told     map[int64]time.Time
}

// tenantsWith makes a worker. Hosts whose names begin with "dead" hang, all others answer after a round trip.
func tenantsWith(t *testing.T, roundTrip time.Duration) *tenants {
	r := newReceiver(func(req *http.Request, p seen) (int, error) {
		if strings.HasPrefix(req.URL.Host, "dead") || strings.HasPrefix(req.URL.Path, "/dead") {
			return hang(req, p)
		}
		return after(roundTrip, 200)(req, p)
	})
	g := &tenants{store: newMemory(t), receiver: r, told: map[int64]time.Time{}}
	g.worker = newWorker(g.store, r)
	return g
}

// tell stores a message of an account with one event, and tells of it.
func (g *tenants) tell(account gateway.AccountID, url string) int64 {
	g.messages++
	m := message(g.messages, url)
	m.Account = account
	e := g.store.add(m, 1)
	g.told[e.ID] = time.Now()
	g.worker.Told([]gateway.Event{e})
	return e.ID
}

// waited is how long after it was told of an event was first posted; -1: not yet.
func (g *tenants) waited(event int64) time.Duration {
	for _, p := range g.receiver.all() {
		if p.event == event {
			return p.at.Sub(g.told[event])
		}
	}
	return -1
}

// failing is how many endpoints take posts of those that fail.
func (g *tenants) failing() (n int) {
	g.worker.mu.Lock()
	defer g.worker.mu.Unlock()
	for _, ep := range g.worker.endpoints {
		if ep.lane.class == failing {
			n++
		}
	}
	return n
}

// TestNewcomerBesideHangingURLs: a brand-new endpoint is posted to at once, whatever another account or ten others have out, whether they
// have one host or thousands.
func TestNewcomerBesideHangingURLs(t *testing.T) {
	for _, c := range []struct {
		name  string
		evils int
		url   string
	}{
		{"one account, many hosts", 1, "http://dead%d.example/"},
		{"one account, one host", 1, "http://dead.example/%d"},
		{"ten accounts, many hosts", 10, "http://dead%d.example/"},
		{"thirty accounts, many hosts", 30, "http://dead%d.example/"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := tenantsWith(t, 20*time.Millisecond)
				stop := begin(t, g.worker)
				defer stop()
				for a := range c.evils { // one after the other, so that the first have taken all they get
					for n := range 4000 {
						g.tell(evil+gateway.AccountID(fmt.Sprint(a)), fmt.Sprintf(c.url, n))
					}
					synctest.Wait()
				}
				for n := range 40 { // at once, and all through the time in which hosts turn bad
					url := fmt.Sprintf("http://new%d.example/", n)
					event := g.tell(good, url)
					synctest.Wait()
					if late := g.waited(event); late != 0 {
						t.Fatalf("the callback to %s was posted after %v", url, late)
					}
					time.Sleep(500 * time.Millisecond)
				}
			})
		})
	}
}

// TestPathForEachMessageBesideHangingURLs: a path of its own for each message, on a host that has answered before.
func TestPathForEachMessageBesideHangingURLs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := tenantsWith(t, 20*time.Millisecond)
		stop := begin(t, g.worker)
		defer stop()
		g.tell(good, "http://good.example/m/first")
		time.Sleep(time.Second)
		for n := range 4000 {
			g.tell(evil, fmt.Sprintf("http://dead%d.example/", n))
		}
		for n := range 1000 { // a hundred in a second
			event := g.tell(good, fmt.Sprintf("http://good.example/m/%d", n))
			synctest.Wait()
			if late := g.waited(event); late != 0 {
				t.Fatalf("message %d waited %v", n, late)
			}
			time.Sleep(10 * time.Millisecond)
		}
	})
}

// TestRecoveredEndpointBesideHangingURLs: the retries of an endpoint that failed come at their times, and so does what is new.
func TestRecoveredEndpointBesideHangingURLs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := tenantsWith(t, 20*time.Millisecond)
		answer := g.receiver.answer
		var failed atomic.Int64
		g.receiver.answer = func(req *http.Request, p seen) (int, error) {
			if req.URL.Host == "flap.example" && failed.Add(1) <= 3 {
				return 500, nil
			}
			return answer(req, p)
		}
		stop := begin(t, g.worker)
		defer stop()
		for n := range 4000 {
			g.tell(evil, fmt.Sprintf("http://dead%d.example/", n))
		}
		time.Sleep(20 * time.Second)
		begun := time.Now()
		for range 3 {
			g.tell(good, "http://flap.example/")
			synctest.Wait()
		}
		for n := range 5 {
			event := g.tell(good, "http://flap.example/")
			synctest.Wait()
			if late := g.waited(event); late != 0 {
				t.Fatalf("event %d to the endpoint that works again waited %v", n, late)
			}
			time.Sleep(time.Second)
		}
		time.Sleep(time.Minute)
		retries := 0
		for _, p := range g.receiver.all() {
			if p.url != "http://flap.example/" || p.attempt == 0 {
				continue
			}
			retries++
			if at := p.at.Sub(begun); at < time.Minute || at > time.Minute+20*time.Millisecond {
				t.Errorf("a retry came after %v", at)
			}
		}
		if retries != 3 {
			t.Errorf("%d retries", retries)
		}
	})
}

// TestOwnHangingPathsDelayNoProvenEndpoint: neither on another host nor on the same.
func TestOwnHangingPathsDelayNoProvenEndpoint(t *testing.T) {
	for _, host := range []string{"dead.example", "good.example"} {
		t.Run(host, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := tenantsWith(t, 20*time.Millisecond)
				stop := begin(t, g.worker)
				defer stop()
				g.tell(good, "http://good.example/status")
				time.Sleep(time.Second)
				for n := range 1500 {
					g.tell(good, fmt.Sprintf("http://%s/dead/%d", host, n))
				}
				for n := range 1000 {
					event := g.tell(good, "http://good.example/status")
					synctest.Wait()
					if late := g.waited(event); late != 0 {
						t.Fatalf("callback %d waited %v", n, late)
					}
					time.Sleep(50 * time.Millisecond)
				}
			})
		})
	}
}

// TestProvenEndpointsThatFallSilentTogether: another account earns as many posts as it can get and hangs with all of them.
func TestProvenEndpointsThatFallSilentTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := tenantsWith(t, 20*time.Millisecond)
		answer := g.receiver.answer
		var dead atomic.Bool
		g.receiver.answer = func(req *http.Request, p seen) (int, error) {
			if dead.Load() && req.URL.Host != "good.example" {
				return hang(req, p)
			}
			return answer(req, p)
		}
		stop := begin(t, g.worker)
		defer stop()
		flood := func() {
			for n := range 12_000 {
				g.tell(evil, fmt.Sprintf("http://turning%d.example/", n%40))
			}
		}
		flood()
		g.tell(good, "http://good.example/")
		time.Sleep(5 * time.Second)
		dead.Store(true)
		flood()
		synctest.Wait()
		if n := g.worker.Stats().InFlight; n < proven.posts()/3 {
			t.Fatalf("only %d posts hang", n)
		}
		for n := range 500 {
			var events []int64
			for range startPosts {
				events = append(events, g.tell(good, "http://good.example/"))
			}
			synctest.Wait()
			for _, event := range events {
				if late := g.waited(event); late != 0 {
					t.Fatalf("event %d of %d waited %v", event, n, late)
				}
			}
			time.Sleep(50 * time.Millisecond)
			if n == 40 && g.failing() != 40 { // after two seconds
				t.Fatalf("%d of 40 silent endpoints count as failing", g.failing())
			}
		}
	})
}

// TestDeadHostIsOneFailingThing: its many paths have one place at a time between those that never took a callback, and one between the
// others, and people read of it once.
func TestDeadHostIsOneFailingThing(t *testing.T) {
	for name, answer := range map[string]func(*http.Request, seen) (int, error){
		"hangs": hang, "refuses": func(*http.Request, seen) (int, error) { return 0, fmt.Errorf("connection refused") },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := tenantsWith(t, 20*time.Millisecond)
				var down atomic.Bool
				well := g.receiver.answer
				g.receiver.answer = func(req *http.Request, p seen) (int, error) {
					if down.Load() {
						return answer(req, p)
					}
					return well(req, p)
				}
				var log bytes.Buffer
				g.worker.Log = slog.New(slog.NewTextHandler(&log, nil))
				stop := begin(t, g.worker)
				g.tell(good, "http://a.example:8080/first")
				time.Sleep(time.Second)
				down.Store(true)
				for n := range 500 {
					g.tell(good, fmt.Sprintf("http://a.example:8080/%d", n))
				}
				time.Sleep(time.Minute)
				g.receiver.mu.Lock()
				g.receiver.most = map[string]int{}
				g.receiver.mu.Unlock()
				time.Sleep(10 * time.Minute)
				if most := g.receiver.mostAt("a.example:8080"); most > 2 {
					t.Errorf("%d posts at a time", most)
				}
				if text := log.String(); strings.Count(text, "\n") != 1 || !strings.Contains(text, "host=a.example:8080 ") || !strings.Contains(text, string(good)) {
					t.Errorf("logged while it is down:\n%s", text)
				}
				down.Store(false)
				for n := range 500 {
					g.tell(good, fmt.Sprintf("http://a.example:8080/again/%d", n))
				}
				time.Sleep(20 * time.Minute)
				stop()
				if text := log.String(); strings.Count(text, "\n") != 2 || !strings.Contains(text, "takes callbacks again") {
					t.Errorf("logged:\n%s", text)
				}
				if n := g.store.unsettled(); n != 0 {
					t.Errorf("%d not settled", n)
				}
			})
		})
	}
}

// TestPathThatHangsBesideGoodOnes: a path that worked and hangs now does not make its host bad, nor does it delay new paths for longer than
// its posts in flight last.
func TestPathThatHangsBesideGoodOnes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := tenantsWith(t, 20*time.Millisecond)
		answer := g.receiver.answer
		var dead atomic.Bool
		g.receiver.answer = func(req *http.Request, p seen) (int, error) {
			if dead.Load() && req.URL.Path == "/turning" {
				return hang(req, p)
			}
			return answer(req, p)
		}
		stop := begin(t, g.worker)
		defer stop()
		for range 300 {
			g.tell(good, "http://a.example/turning")
		}
		time.Sleep(5 * time.Second)
		dead.Store(true)
		for range 300 {
			g.tell(good, "http://a.example/turning")
		}
		for n := range 500 {
			event := g.tell(good, fmt.Sprintf("http://a.example/m/%d", n))
			synctest.Wait()
			if late := g.waited(event); late != 0 {
				t.Fatalf("new path %d waited %v", n, late)
			}
			time.Sleep(100 * time.Millisecond)
		}
	})
}

func TestHostsAreToldApart(t *testing.T) {
	for _, c := range []struct {
		a, b string
		same bool
	}{
		{"http://a.example/1", "http://A.example:/2?x=y", true},
		{"http://a.example:8080/", "http://a.example/", false},
		{"http://a.example/", "https://a.example/", false},
		{"https://[2001:db8::1]:444/", "https://[2001:DB8::1]:444/x", true},
		{"http://a.example/%zz", "http://b.example/%zz", true}, // none can be posted to
	} {
		a, _ := hostOf(c.a)
		b, _ := hostOf(c.b)
		if (a == b) != c.same {
			t.Errorf("%s has host %q, %s has %q", c.a, a, c.b, b)
		}
	}
}

// TestAllowance: however accounts come and take, together they never have more than there is; one alone gets half; and beside
// ten that took all they got, one that comes newly finds what an endpoint starts with.
func TestAllowance(t *testing.T) {
	if n := allowance(256, 0, 0); n != 128 {
		t.Errorf("one alone gets %d of 256", n)
	}
	rapid.Check(t, func(t *rapid.T) {
		total := rapid.SampledFrom([]int{proven.posts(), unproven.posts(), failing.posts()}).Draw(t, "total")
		takers := rapid.SliceOfN(rapid.IntRange(0, 9), 1, 400).Draw(t, "takers")
		used, mine := 0, map[int]int{}
		for _, taker := range takers {
			for range rapid.IntRange(1, 300).Draw(t, "n") {
				if allowance(total, used, mine[taker]) > 0 {
					used++
					mine[taker]++
				}
			}
			if used > total || mine[taker] > total/2 {
				t.Fatalf("%d of %d are used, %d by one", used, total, mine[taker])
			}
			if newcomer := allowance(total, used, 0); newcomer < startPosts {
				t.Fatalf("a newcomer gets %d while %d of %d are used by %v", newcomer, used, total, mine)
			}
		}
	})
}
