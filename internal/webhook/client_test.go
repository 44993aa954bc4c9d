package webhook

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/heliograph/heliograph/internal/egress"
	"github.com/heliograph/heliograph/internal/gateway"
)

// signalled is a store that says when attempts were recorded.
type signalled struct {
	*memory
	recordedN chan int
}

func (s *signalled) RecordAttempts(ctx context.Context, attempts []gateway.Attempt) error {
	err := s.memory.RecordAttempts(ctx, attempts)
	s.recordedN <- len(attempts)
	return err
}

// tellServer tells n events to a real server over the real client and gives what was recorded.
func tellServer(t *testing.T, url string, n int) []gateway.Attempt {
	t.Helper()
	store := &signalled{newMemory(t), make(chan int, n)}
	client := egress.New(egress.Config{AllowLoopback: true})
	defer client.CloseIdleConnections()
	w := newWorker(store, nil)
	w.Client = client
	for i := range n {
		store.add(message(i, url), 1)
	}
	stop := run(t, w)
	defer stop()
	for done := 0; done < n; {
		done += <-store.recordedN
	}
	return store.recorded()
}

func serve(t *testing.T, handler http.HandlerFunc) *httptest.Server {
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server
}

func TestAnswers(t *testing.T) {
	var redirected atomic.Int64
	target := serve(t, func(http.ResponseWriter, *http.Request) { redirected.Add(1) })
	for _, c := range []struct {
		name   string
		answer http.HandlerFunc
		status int
		told   bool
	}{
		{"200", func(http.ResponseWriter, *http.Request) {}, 200, true},
		{"204", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) }, 204, true},
		{"299", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(299) }, 299, true},
		{"small body", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "thank you") }, 200, true},
		{"large body", func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, strings.Repeat("x", 20*drainOctets))
		}, 200, true},
		{"redirect", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, target.URL, http.StatusFound) }, 302, false},
		{"not modified", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(304) }, 304, false},
		{"not found", http.NotFound, 404, false},
		{"error", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) }, 503, false},
		{"broken off", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			_, _ = io.WriteString(w, "half")
		}, 200, false},
		{"hung up", func(w http.ResponseWriter, _ *http.Request) { panic(http.ErrAbortHandler) }, 0, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := tellServer(t, serve(t, c.answer).URL, 1)[0]
			if a.Status != c.status || a.Done != c.told || a.GaveUp || (a.Error == "") != c.told {
				t.Errorf("recorded %+v", a)
			}
		})
	}
	if redirected.Load() != 0 {
		t.Error("a redirect was followed")
	}
}

func TestWhatIsSent(t *testing.T) {
	var mu sync.Mutex
	var got []string
	server := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		mu.Lock()
		defer mu.Unlock()
		_, marked := r.Header["Idempotency-Key"]
		got = append(got, fmt.Sprint(r.Method, " ", r.URL, " ", string(body), " ", marked))
	})
	tellServer(t, server.URL+"/cb?a=b", 1)
	mu.Lock()
	defer mu.Unlock()
	if want := "POST /cb?a=b Status=queued false"; len(got) != 1 || got[0] != want {
		t.Errorf("got %q", got)
	}
}

func TestConnectionRefused(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	_ = listener.Close()
	a := tellServer(t, "http://"+address+"/?token=secret", 1)[0]
	if a.Status != 0 || a.Done || !strings.Contains(a.Error, "connection refused") || strings.Contains(a.Error, "secret") {
		t.Errorf("recorded %+v", a)
	}
}

func TestRefusedAddress(t *testing.T) {
	a := tellServer(t, "http://10.0.0.1/?token=secret", 1)[0]
	if a.Done || !strings.Contains(a.Error, "egress: refused: 10.0.0.1 is not a public address") || strings.Contains(a.Error, "secret") {
		t.Errorf("recorded %+v", a)
	}
}

func TestConnectionsAreUsedAgain(t *testing.T) {
	for _, body := range []string{"", "thank you", strings.Repeat("x", drainOctets-1)} {
		var opened atomic.Int64
		server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, body) }))
		server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
			if state == http.StateNew {
				opened.Add(1)
			}
		}
		server.Start()
		const events = 1000
		tellServer(t, server.URL, events)
		server.Close()
		if n := opened.Load(); n > 2*mostPosts {
			t.Errorf("%d octets of answer: %d connections for %d callbacks", len(body), n, events)
		}
	}
}

// TestKeptConnectionThatWasClosed: the server closes connections just when they are used again; that costs no attempt.
func TestKeptConnectionThatWasClosed(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	var serving sync.WaitGroup
	serving.Go(func() { // answers one request on each connection and hangs up, without a word about it, when the second comes
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			serving.Go(func() {
				defer conn.Close()
				buf := make([]byte, 4096)
				if _, err := conn.Read(buf); err != nil {
					return
				}
				_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
				_, _ = conn.Read(buf[:1])
			})
		}
	})
	for _, a := range tellServer(t, "http://"+listener.Addr().String(), 50) {
		if !a.Done {
			t.Fatalf("recorded %+v", a)
		}
	}
	_ = listener.Close()
	serving.Wait()
}

// settled is a store that holds nothing: what is told is told.
type settled struct {
	Store
	left chan struct{}
	n    atomic.Int64
	want int64
}

func (s *settled) Endpoints(context.Context) ([]gateway.EndpointCount, error) { return nil, nil }
func (s *settled) FreshEvents(context.Context, int64, int64, int) ([]gateway.Event, error) {
	return nil, nil
}

func (s *settled) RecordAttempts(_ context.Context, attempts []gateway.Attempt) error {
	if s.n.Add(int64(len(attempts))) == s.want {
		close(s.left)
	}
	return nil
}

// benchmarkWorker tells b.N events, as many waiting at a time as an endpoint takes.
func benchmarkWorker(b *testing.B, client *http.Client, url string) {
	store := &settled{left: make(chan struct{}), want: int64(b.N)}
	slots := make(chan struct{}, mostEvents/2)
	w := newWorker(store, nil)
	w.Client = client
	w.Observe = func(time.Duration, bool) { <-slots }
	stop := run(b, w)
	for !running(w) {
		time.Sleep(time.Millisecond)
	}
	messages := make([]*gateway.Message, 4096)
	for i := range messages {
		messages[i] = message(i, url)
	}
	b.ReportAllocs()
	b.ResetTimer()
	for i := range b.N {
		slots <- struct{}{}
		w.Told([]gateway.Event{{ID: int64(i + 1), Message: messages[i%len(messages)], Sequence: 1}})
	}
	<-store.left
	b.StopTimer()
	stop()
}

func running(w *Worker) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.running
}

type instant struct{}

func (instant) RoundTrip(req *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: 200, Body: http.NoBody, Request: req, Header: http.Header{}}, nil
}

// BenchmarkWorker is the worker's own cost: the answer comes at once.
func BenchmarkWorker(b *testing.B) {
	benchmarkWorker(b, &http.Client{Transport: instant{}}, "http://a.example/")
}

// BenchmarkPost is a callback over loopback, the server's cost included: compare it with BenchmarkRawPost.
func BenchmarkPost(b *testing.B) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) }))
	defer server.Close()
	client := egress.New(egress.Config{AllowLoopback: true})
	defer client.CloseIdleConnections()
	benchmarkWorker(b, client, server.URL)
}

// BenchmarkRawPost is a bare net/http client against the same server, from as many goroutines.
func BenchmarkRawPost(b *testing.B) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) }))
	defer server.Close()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
	defer client.CloseIdleConnections()
	e := gateway.Event{ID: 1, Message: message(1, server.URL), Sequence: 1}
	b.SetParallelism(32)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			req, _ := render(context.Background(), &e)
			resp, err := client.Do(req)
			if err != nil {
				b.Error(err)
				return
			}
			_, _ = io.Copy(io.Discard, resp.Body)
			_ = resp.Body.Close()
		}
	})
}
