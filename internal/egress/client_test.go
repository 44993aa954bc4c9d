package egress

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// client makes a client that may reach the test's own servers, and lets go of its connections at the end.
func client(t *testing.T, cfg Config) *http.Client {
	cfg.AllowLoopback = true
	c := New(cfg)
	t.Cleanup(c.CloseIdleConnections)
	return c
}

func serve(t *testing.T, handler http.HandlerFunc) *httptest.Server {
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server
}

func get(c *http.Client, url string) (status int, body string, err error) {
	resp, err := c.Get(url)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(text), err
}

func TestRefusesBeforeItConnects(t *testing.T) {
	var reached atomic.Int64
	server := serve(t, func(http.ResponseWriter, *http.Request) { reached.Add(1) })
	_, port, _ := net.SplitHostPort(server.Listener.Addr().String())
	c := New(Config{})
	for _, url := range []string{
		server.URL, "http://localhost:" + port, "http://0.0.0.0:" + port, "http://[::ffff:127.0.0.1]:" + port, "http://[::]:" + port,
		"http://:" + port, "https://127.0.0.1:" + port, "http://169.254.169.254/latest/meta-data/",
	} {
		if _, _, err := get(c, url); !errors.Is(err, ErrRefused) {
			t.Errorf("%s: %v", url, err)
		}
	}
	for _, url := range []string{"file:///etc/passwd", "gopher://example.com/", "ftp://example.com/"} {
		if _, _, err := get(c, url); !errors.Is(err, ErrRefused) {
			t.Errorf("%s: %v", url, err)
		}
	}
	if reached.Load() != 0 {
		t.Errorf("%d requests got through", reached.Load())
	}
}

// TestNameThatChangesItsAddress: what counts is the address dialled, not the one that a look at the name gave before.
func TestNameThatChangesItsAddress(t *testing.T) {
	g := newGuard(nil, false)
	lookups := 0
	dialer := &net.Dialer{Control: g.control}
	dial := func(ctx context.Context, network, address string) (net.Conn, error) {
		lookups++
		_, port, _ := net.SplitHostPort(address)
		return dialer.DialContext(ctx, network, net.JoinHostPort("127.0.0.1", port)) // what the second lookup says
	}
	c := &http.Client{Transport: &http.Transport{DialContext: dial}}
	server := serve(t, func(http.ResponseWriter, *http.Request) {})
	_, port, _ := net.SplitHostPort(server.Listener.Addr().String())
	if _, _, err := get(c, "http://public.example:"+port); !errors.Is(err, ErrRefused) || lookups != 1 {
		t.Errorf("after %d lookups: %v", lookups, err)
	}
}

func TestRedirectsAreAnswers(t *testing.T) {
	var reached atomic.Int64
	target := serve(t, func(http.ResponseWriter, *http.Request) { reached.Add(1) })
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, target.URL, http.StatusTemporaryRedirect)
	})
	status, _, err := get(client(t, Config{}), server.URL)
	if err != nil || status != http.StatusTemporaryRedirect || reached.Load() != 0 {
		t.Errorf("status %d, %v; the target was reached %d times", status, err, reached.Load())
	}
}

func TestNoProxyNoCookiesNoCompression(t *testing.T) {
	t.Setenv("HTTP_PROXY", "http://127.0.0.1:1")
	t.Setenv("http_proxy", "http://127.0.0.1:1")
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Cookie") != "" || r.Header.Get("Accept-Encoding") != "" {
			w.WriteHeader(http.StatusTeapot)
			return
		}
		http.SetCookie(w, &http.Cookie{Name: "a", Value: "b"})
	})
	c := client(t, Config{})
	if c.Transport.(*transport).base.Proxy != nil {
		t.Error("a proxy may be used")
	}
	for range 2 {
		if status, _, err := get(c, server.URL); err != nil || status != http.StatusOK {
			t.Errorf("%d, %v", status, err)
		}
	}
}

func TestBodyBound(t *testing.T) {
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, strings.Repeat("x", int(r.ContentLength)))
	})
	c := client(t, Config{MaxBody: 100})
	for _, size := range []int{0, 1, 99, 100, 101, 5000} {
		resp, err := c.Post(server.URL, "text/plain", strings.NewReader(strings.Repeat("y", size)))
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if size <= 100 && (err != nil || len(body) != size) || size > 100 && (!errors.Is(err, ErrTooLarge) || len(body) != 100) {
			t.Errorf("%d octets: read %d, %v", size, len(body), err)
		}
	}
}

func TestHeaderBound(t *testing.T) {
	server := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Long", strings.Repeat("x", 2*maxHeader))
	})
	if _, _, err := get(client(t, Config{}), server.URL); err == nil {
		t.Error("a header of 128 KiB was taken")
	}
}

func TestTimeoutCoversTheBody(t *testing.T) {
	gate := make(chan struct{})
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "the first half")
		w.(http.Flusher).Flush()
		<-gate
	})
	defer close(gate)
	_, body, err := get(client(t, Config{Timeout: 50 * time.Millisecond}), server.URL)
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%q, %v", body, err)
	}
}

func TestConnectionsAreKept(t *testing.T) {
	var opened atomic.Int64
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	server.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			opened.Add(1)
		}
	}
	server.Start()
	defer server.Close()
	c := client(t, Config{})
	for range 50 {
		if _, _, err := get(c, server.URL); err != nil {
			t.Fatal(err)
		}
	}
	if opened.Load() != 1 {
		t.Errorf("%d connections for 50 requests in a row", opened.Load())
	}
}

func TestTLS(t *testing.T) {
	for _, c := range []struct {
		name  string
		most  uint16
		h2    bool
		works bool
	}{
		{"TLS 1.1", tls.VersionTLS11, false, false},
		{"TLS 1.2", tls.VersionTLS12, false, true},
		{"TLS 1.3 and HTTP/2", tls.VersionTLS13, true, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.Proto) }))
			server.EnableHTTP2 = c.h2
			server.TLS = &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: c.most}
			server.Config.ErrorLog = discard()
			server.StartTLS()
			defer server.Close()
			client := client(t, Config{})
			client.Transport.(*transport).base.TLSClientConfig.RootCAs = server.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
			_, proto, err := get(client, server.URL)
			if c.works != (err == nil) || c.works && c.h2 != (proto == "HTTP/2.0") {
				t.Errorf("%q, %v", proto, err)
			}
		})
	}
}

func TestCertificateIsChecked(t *testing.T) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	server.Config.ErrorLog = discard()
	server.StartTLS()
	defer server.Close()
	var unknown *tls.CertificateVerificationError
	if _, _, err := get(client(t, Config{}), server.URL); !errors.As(err, &unknown) {
		t.Errorf("a certificate of nobody: %v", err)
	}
}

func TestAllowedNetworkPasses(t *testing.T) {
	server := serve(t, func(http.ResponseWriter, *http.Request) {})
	c := New(Config{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}})
	defer c.CloseIdleConnections()
	if _, _, err := get(c, server.URL); err != nil {
		t.Error(err)
	}
}

func discard() *log.Logger { return log.New(io.Discard, "", 0) }
