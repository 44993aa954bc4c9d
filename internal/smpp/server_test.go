package smpp

import (
	"context"
	"errors"
	"io"
	"net"
	"testing"
)

// serving runs a server on a free port and gives its address and how to stop it.
func serving(t *testing.T, server *Server) (address string, stop func() error) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- server.Serve(ctx, listener) }()
	return listener.Addr().String(), func() error {
		cancel()
		return <-served
	}
}

func dialed(t *testing.T, address string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func TestServer(t *testing.T) {
	opened, ended := make(chan *Session, 10), make(chan *Session, 10)
	server := &Server{
		Config:      Config{Authenticate: acceptAll, Handler: func(r *Request) { _ = r.Respond(ESME_ROK, &SubmitSMResp{MessageID: "1"}) }},
		MaxSessions: 1,
		Opened:      func(s *Session, _ net.Conn) { opened <- s },
		Ended:       func(s *Session) { ended <- s },
	}
	address, stop := serving(t, server)
	client := start(t.Context(), dialed(t, address), ESME, Config{})
	if _, err := client.Bind(t.Context(), &Bind{Mode: Transmitter, SystemID: "me"}); err != nil {
		t.Fatal(err)
	}
	session := <-opened
	if session.Bound().SystemID != "me" || session.State() != BoundTX || session.RemoteAddr() == nil {
		t.Errorf("bound with %+v, %v", session.Bound(), session.State())
	}
	if _, err := session.Do(t.Context(), (*DeliverSM)(message())); !errors.Is(err, ErrBindState) {
		t.Errorf("a deliver_sm to a transmitter: %v", err)
	}
	if n, err := dialed(t, address).Read(make([]byte, 1)); n != 0 || !errors.Is(err, io.EOF) {
		t.Errorf("one connection too many: %v", err)
	}
	if r, err := client.Do(t.Context(), message()); err != nil || r.Status != ESME_ROK {
		t.Errorf("submit: %+v, %v", r, err)
	}
	if err := stop(); err != nil {
		t.Errorf("Serve: %v", err)
	}
	if got := <-ended; got != session || !errors.Is(got.Err(), context.Canceled) {
		t.Errorf("ended: %v", got.Err())
	}
	<-client.Done()
}

func TestServerWithoutItsListener(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	if err := new(Server).Serve(t.Context(), listener); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Serve: %v", err)
	}
}
