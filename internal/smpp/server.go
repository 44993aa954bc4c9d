package smpp

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"
)

// Server is the SMSC's role on a listener: a session for each connection. Set its fields before Serve.
type Server struct {
	Config      Config
	MaxSessions int                      // more connections are closed at once (1000)
	Opened      func(*Session, net.Conn) // a connection came; its session does not run yet
	Ended       func(*Session)           // its Run has returned
}

const (
	defaultMaxSessions = 1000
	acceptPause        = 20 * time.Millisecond // after a failed accept: mostly too many open files
)

// Serve takes connections until ctx ends or the listener fails for good. It closes the listener, and returns when every session has ended.
func (srv *Server) Serve(ctx context.Context, listener net.Listener) error {
	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	wg.Go(func() {
		<-ctx.Done()
		_ = listener.Close() // Accept returns; there is nothing else to do about it
	})
	limit := srv.MaxSessions
	if limit <= 0 {
		limit = defaultMaxSessions
	}
	places := make(chan struct{}, limit)
	for {
		conn, err := listener.Accept()
		switch {
		case ctx.Err() != nil:
			if err == nil {
				_ = conn.Close()
			}
			return nil
		case errors.Is(err, net.ErrClosed):
			return err
		case err != nil:
			select {
			case <-time.After(acceptPause):
			case <-ctx.Done():
			}
			continue
		}
		select {
		case places <- struct{}{}:
			wg.Go(func() {
				defer func() { <-places }()
				srv.serve(ctx, conn)
			})
		default:
			_ = conn.Close() // that it is full is answer enough
		}
	}
}

func (srv *Server) serve(ctx context.Context, conn net.Conn) {
	s := NewSession(conn, SMSC, srv.Config)
	if srv.Opened != nil {
		srv.Opened(s, conn)
	}
	_ = s.Run(ctx) // Ended can ask the session why
	if srv.Ended != nil {
		srv.Ended(s)
	}
}
