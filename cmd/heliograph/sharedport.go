package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"sync"
	"time"
)

// sharedPort is one port for SMPP and for HTTP: a PDU begins with its length, and "GET " or "POST" would be a length of more than a gigabyte. So
// whoever pretends an SMSC has one address for its binds and for its counters.
type sharedPort struct {
	net.Listener
	smpp, http chan net.Conn
	closed     chan struct{}
	sniffing   sync.WaitGroup
}

// sniffFor is how long a connection may stay silent: that of an ESME that never binds.
const sniffFor = 5 * time.Second

func newSharedPort(l net.Listener) *sharedPort {
	return &sharedPort{Listener: l, smpp: make(chan net.Conn), http: make(chan net.Conn), closed: make(chan struct{})}
}

// run sorts connections until ctx ends, or a side closes the port.
func (p *sharedPort) run(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() { _ = p.Close() })
	defer stop()
	defer p.sniffing.Wait()
	defer close(p.closed)
	for {
		conn, err := p.Listener.Accept()
		if err != nil {
			if errors.Is(err, net.ErrClosed) {
				err = nil
			}
			return err
		}
		p.sniffing.Go(func() { p.sort(conn) })
	}
}

func (p *sharedPort) sort(conn net.Conn) {
	_ = conn.SetReadDeadline(time.Now().Add(sniffFor)) // a connection without deadlines is not to be had from a TCP listener
	reader := bufio.NewReaderSize(conn, 4096)
	head, err := reader.Peek(4)
	if err != nil {
		_ = conn.Close()
		return
	}
	_ = conn.SetReadDeadline(time.Time{})
	to := p.smpp
	if string(head) == "GET " || string(head) == "POST" {
		to = p.http
	}
	select {
	case to <- &sniffed{conn, reader}:
	case <-p.closed:
		_ = conn.Close()
	}
}

// sniffed is a connection whose first octets have been read.
type sniffed struct {
	net.Conn
	reader *bufio.Reader
}

func (c *sniffed) Read(b []byte) (int, error) { return c.reader.Read(b) }

// side is one of the two listeners of a shared port.
type side struct {
	*sharedPort
	conns chan net.Conn
}

func (s side) Accept() (net.Conn, error) {
	select {
	case conn := <-s.conns:
		return conn, nil
	case <-s.closed:
		return nil, net.ErrClosed
	}
}

// serveStats answers GET /stats, and POST /inbound, until ctx ends.
func serveStats(ctx context.Context, l net.Listener, stats func() any, inbound http.HandlerFunc) error {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /stats", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(stats()) // a client that is gone needs no answer
	})
	mux.HandleFunc("POST /inbound", inbound)
	server := &http.Server{Handler: mux, ReadHeaderTimeout: sniffFor}
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stop()
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) && !errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil
}
