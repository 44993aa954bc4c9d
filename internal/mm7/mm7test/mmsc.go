package mm7test

import (
	"context"
	"crypto/subtle"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/heliograph/heliograph/internal/mm7"
)

// MMSC is one. Run must be running for anything to happen.
type MMSC struct {
	listener net.Listener
	scheme   string
	outbox   outbox
	reports  *http.Client // to the VASP

	mu       sync.Mutex
	cfg      Config
	counters Counters
	news     chan struct{} // closed at the next change; nil while nobody waits
	record   []Submit
	oldest   int // in record
	random   *rand.Rand
	tokens   bucket
	failures int   // how many recipients were not reached: whose turn it is in Config.Failures
	taken    int64 // messages: the next id
	inHand   int
	stopped  bool // requests that come yet are not served
}

// Listen makes an MMSC that listens already: connections wait until Run.
func Listen(cfg Config) (*MMSC, error) {
	cfg.setDefaults()
	m := &MMSC{cfg: cfg, listener: cfg.Listener, scheme: "http", random: rand.New(rand.NewPCG(cfg.Seed, 0))}
	if m.listener == nil {
		var err error
		if m.listener, err = net.Listen("tcp", cfg.Address); err != nil {
			return nil, fmt.Errorf("mm7test: %w", err)
		}
	}
	if cfg.TLS != nil {
		m.listener = tls.NewListener(m.listener, cfg.TLS)
		m.scheme = "https"
	}
	transport := &http.Transport{TLSClientConfig: cfg.ReportTLS, MaxIdleConnsPerHost: cfg.Senders, IdleConnTimeout: time.Minute}
	m.reports = &http.Client{Transport: transport}
	m.outbox.wake = make(chan struct{}, 1)
	return m, nil
}

// Addr is where it listens.
func (m *MMSC) Addr() string { return m.listener.Addr().String() }

// URL is where submits are posted to.
func (m *MMSC) URL() string { return m.scheme + "://" + m.Addr() + "/mm7" }

// Run serves until ctx ends, and returns when all connections and senders of reports have ended.
func (m *MMSC) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	server := &http.Server{
		Handler:           m,
		ReadHeaderTimeout: 10 * time.Second,
		ErrorLog:          log.New(io.Discard, "", 0), // connections that peers break are their affair
		BaseContext:       func(net.Listener) context.Context { return ctx },
		ConnState: func(_ net.Conn, state http.ConnState) {
			if state == http.StateNew {
				m.count(func(c *Counters) { c.Connections++ })
			}
		},
	}
	var wg sync.WaitGroup
	for range m.cfg.Senders {
		wg.Go(func() { m.sendReports(ctx) })
	}
	stop := context.AfterFunc(ctx, func() { _ = server.Close() }) // what it says is Serve's to tell
	defer stop()
	err := server.Serve(m.listener)
	cancel()
	wg.Wait()
	m.finish()
	m.reports.CloseIdleConnections()
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// finish waits until the requests in hand have ended, which they do soon: their connections are closed.
func (m *MMSC) finish() {
	for {
		m.mu.Lock()
		m.stopped = true
		inHand, news := m.inHand, m.newsOf()
		m.mu.Unlock()
		if inHand == 0 {
			return
		}
		<-news
	}
}

// TB is what New needs of a test.
type TB interface {
	Helper()
	Cleanup(func())
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
}

// New runs an MMSC until the test ends.
func New(t TB, edits ...func(*Config)) *MMSC {
	t.Helper()
	var cfg Config
	for _, edit := range edits {
		edit(&cfg)
	}
	m, err := Listen(cfg)
	if err != nil {
		t.Fatalf("%v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- m.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("%v", err)
		}
	})
	return m
}

// Set turns knobs while it runs. Address, Listener, TLS, ReportTLS, Senders and FirstID stay as they were.
func (m *MMSC) Set(edit func(*Config)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	edit(&m.cfg)
	m.cfg.setDefaults()
}

// ServeHTTP takes one request of a VASP, or tells the counters to whoever gets /stats.
func (m *MMSC) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodGet && r.URL.Path == "/stats" {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(m.Counters()) // whoever is gone needs no answer
		return
	}
	m.mu.Lock()
	cfg := m.cfg
	if m.stopped {
		m.mu.Unlock()
		hangUp()
	}
	m.counters.Requests++
	m.inHand++
	what := m.draw(m.counters.Requests, time.Now())
	m.changed()
	m.mu.Unlock()
	defer func() {
		m.mu.Lock()
		m.inHand--
		m.changed()
		m.mu.Unlock()
	}()
	if !authorized(&cfg, r) {
		m.count(func(c *Counters) { c.Unauthorized++ })
		w.Header().Set("WWW-Authenticate", `Basic realm="mm7test"`)
		http.Error(w, "who are you?", http.StatusUnauthorized)
		return
	}
	if r.Method != http.MethodPost {
		http.Error(w, "MM7 is posted", http.StatusMethodNotAllowed)
		return
	}
	m.serve(w, r, &cfg, what)
}

func authorized(cfg *Config, r *http.Request) bool {
	if cfg.Username == "" {
		return true
	}
	name, password, ok := r.BasicAuth()
	return ok && name == cfg.Username && subtle.ConstantTimeCompare([]byte(password), []byte(cfg.Password)) == 1
}

// client posts to the VASP.
func (m *MMSC) client() *mm7.Client {
	m.mu.Lock()
	defer m.mu.Unlock()
	c := &mm7.Client{URL: m.cfg.ReportURL, HTTP: m.reports, Dialect: m.cfg.Dialect}
	if m.cfg.ReportUsername != "" {
		c.Authorize = mm7.BasicAuth(m.cfg.ReportUsername, m.cfg.ReportPass)
	}
	return c
}

// Deliver brings the VASP a message.
func (m *MMSC) Deliver(ctx context.Context, request *mm7.DeliverReq, content *mm7.Content) (*mm7.DeliverRsp, error) {
	return m.client().Deliver(ctx, request, content)
}

// Report tells the VASP of a delivery, now and once.
func (m *MMSC) Report(ctx context.Context, request *mm7.DeliveryReportReq) (*mm7.DeliveryReportRsp, error) {
	return m.client().DeliveryReport(ctx, request)
}

// ReadReply tells the VASP that a message was read, now and once.
func (m *MMSC) ReadReply(ctx context.Context, request *mm7.ReadReplyReq) (*mm7.ReadReplyRsp, error) {
	return m.client().ReadReply(ctx, request)
}
