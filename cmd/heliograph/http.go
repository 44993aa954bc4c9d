package main

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/http/pprof"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/heliograph/heliograph/docs"
	"github.com/heliograph/heliograph/internal/media"
)

// httpListener is an open port.
type httpListener struct {
	net.Listener
	secure bool
}

// listen opens the port and gives the address under which it is reached.
func listen(cfg *Config) (l *httpListener, url string, err error) {
	plain, err := net.Listen("tcp", cfg.Listen)
	if err != nil {
		return nil, "", err
	}
	l = &httpListener{Listener: plain}
	if cfg.TLS.Cert == "" {
		return l, "http://" + plain.Addr().String(), nil
	}
	pair, err := tls.LoadX509KeyPair(cfg.TLS.Cert, cfg.TLS.Key)
	if err != nil {
		return nil, "", errors.Join(err, plain.Close())
	}
	l.secure = true
	l.Listener = tls.NewListener(plain, &tls.Config{
		Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"},
	})
	return l, "https://" + plain.Addr().String(), nil
}

// Bounds of a connection: a client that is slow or silent costs little, and not for ever.
const (
	headTimeout  = 10 * time.Second
	readTimeout  = 30 * time.Second
	writeTimeout = 60 * time.Second
	idleTimeout  = 2 * time.Minute
	maxHead      = 64 << 10
	drainFor     = 3 * time.Second // requests in hand at a stop
)

// serve answers requests until ctx ends; then it takes no more and finishes those in hand.
func (l *httpListener) serve(ctx context.Context, handler http.Handler) error {
	server := &http.Server{
		Handler: handler, ReadHeaderTimeout: headTimeout, ReadTimeout: readTimeout, WriteTimeout: writeTimeout,
		IdleTimeout: idleTimeout, MaxHeaderBytes: maxHead,
	}
	stopped := make(chan error, 1)
	go func() {
		<-ctx.Done()
		draining, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainFor)
		defer cancel()
		err := server.Shutdown(draining)
		if errors.Is(err, context.DeadlineExceeded) {
			err = server.Close()
		}
		stopped <- err
	}()
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return <-stopped
}

// handler is everything that the port serves. It is no ServeMux: that would answer the doubled slashes of real clients with redirects.
func (s *server) handler() http.Handler {
	metrics := promhttp.HandlerFor(s.registry(), promhttp.HandlerOpts{})
	ready := &readiness{check: s.store.Check}
	profiles := s.operator.Guard(profiler())
	document := newDocument(docs.OpenAPI())
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch path := r.URL.Path; {
		case path == "/healthz":
			writeStatus(w, http.StatusOK, "ok", "")
		case path == "/readyz":
			ready.ServeHTTP(w, r)
		case path == "/openapi.yaml":
			document.ServeHTTP(w, r)
		case path == "/metrics":
			metrics.ServeHTTP(w, r)
		case strings.HasPrefix(path, media.Prefix):
			s.library.ServeHTTP(w, r)
		case strings.HasPrefix(path, carriersPath):
			s.carriers.posted(w, r)
		case strings.HasPrefix(path, "/admin/debug/pprof/"):
			profiles.ServeHTTP(w, r)
		case strings.HasPrefix(path, "/admin/"):
			s.operator.ServeHTTP(w, r)
		default:
			s.accounts.ServeHTTP(w, r)
		}
	})
}

// document is a text that anybody may read. It is what was built in, so its hash tells its versions apart.
type document struct{ text, tag string }

func newDocument(text string) *document {
	hash := sha256.Sum256([]byte(text))
	return &document{text, `"` + hex.EncodeToString(hash[:16]) + `"`}
}

func (d *document) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		writeStatus(w, http.StatusMethodNotAllowed, "refused", "method not allowed")
		return
	}
	w.Header().Set("Content-Type", "application/yaml") // RFC 9512
	w.Header().Set("ETag", d.tag)
	w.Header().Set("Cache-Control", "no-cache") // may be kept, and is asked for again
	http.ServeContent(w, r, "", time.Time{}, strings.NewReader(d.text))
}

// profiler serves Go's profiles, for whoever has to find out why it is slow.
func profiler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/admin/debug/pprof/", func(w http.ResponseWriter, r *http.Request) {
		r.URL.Path = strings.TrimPrefix(r.URL.Path, "/admin")
		pprof.Index(w, r)
	})
	mux.HandleFunc("/admin/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/admin/debug/pprof/trace", pprof.Trace)
	return mux
}

// readiness answers whether messages can be accepted. The store is asked at most once a second, however often somebody asks here.
type readiness struct {
	check func(context.Context) error

	mu    sync.Mutex
	asked time.Time
	last  error
}

const readyFor = time.Second

func (r *readiness) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	if err := r.state(req.Context()); err != nil {
		writeStatus(w, http.StatusServiceUnavailable, "unavailable", "the store cannot keep messages")
		return
	}
	writeStatus(w, http.StatusOK, "ok", "")
}

func (r *readiness) state(ctx context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if now := time.Now(); now.Sub(r.asked) >= readyFor {
		asking, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		r.asked, r.last = now, r.check(asking)
	}
	return r.last
}

func writeStatus(w http.ResponseWriter, code int, status, why string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	body := map[string]string{"status": status}
	if why != "" {
		body["error"] = why
	}
	_ = json.NewEncoder(w).Encode(body) // a client that is gone needs no answer
}
