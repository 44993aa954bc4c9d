package main

import (
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"
)

// TestSharedPortSorts: a connection goes where its first octets belong, and none of them is lost on the way.
func TestSharedPortSorts(t *testing.T) {
	for first, toHTTP := range map[string]bool{"GET /stats HTTP/1.1\r\n": true, "POST /inbound HTTP/1.1\r\n": true, "\x00\x00\x00\x10\x00\x00\x00\x15": false, "PUT ": false} {
		synctest.Test(t, func(t *testing.T) {
			p := newSharedPort(nil)
			ours, theirs := net.Pipe()
			go p.sort(ours)
			go func() { _, _ = theirs.Write([]byte(first)) }()
			var conn net.Conn
			select {
			case conn = <-p.http:
				if !toHTTP {
					t.Errorf("%q went to HTTP", first)
				}
			case conn = <-p.smpp:
				if toHTTP {
					t.Errorf("%q went to SMPP", first)
				}
			}
			got := make([]byte, len(first))
			if _, err := io.ReadFull(conn, got); err != nil || string(got) != first {
				t.Errorf("%q arrived as %q, %v", first, got, err)
			}
			_, _ = theirs.Close(), conn.Close()
		})
	}
}

// TestSharedPortClosesTheSilent: who says nothing is sent away, as an SMSC does with ESMEs that never bind.
func TestSharedPortClosesTheSilent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newSharedPort(nil)
		ours, theirs := net.Pipe()
		go p.sort(ours)
		begin := time.Now()
		if _, err := theirs.Read(make([]byte, 1)); err == nil || time.Since(begin) != sniffFor {
			t.Errorf("%v after %s", err, time.Since(begin))
		}
	})
}
