package main

import (
	"context"
	"errors"
	"net"
	"net/http"
	"time"
)

// callbackSink is an HTTP server of ours that takes status callbacks.
type callbackSink struct {
	url    string
	server *http.Server
	ended  chan error
}

// startSink listens on a free port of the loopback address and hands every request to take, with its form parsed.
func startSink(take func(*http.Request)) (*callbackSink, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &callbackSink{url: "http://" + listener.Addr().String() + "/status/", ended: make(chan error, 1)}
	s.server = &http.Server{
		ReadHeaderTimeout: 10 * time.Second,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if err := r.ParseForm(); err != nil {
				http.Error(w, "the form cannot be read", http.StatusBadRequest)
				return
			}
			take(r)
			w.WriteHeader(http.StatusNoContent)
		}),
	}
	go func() { s.ended <- s.server.Serve(listener) }()
	return s, nil
}

func (s *callbackSink) stop() error {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	err := s.server.Shutdown(ctx)
	if served := <-s.ended; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	return err
}
