package main

import (
	"bytes"
	"log"
	"strings"
	"testing"
)

// TestLibraryLog: what libraries say is in the log, what peers sent them is not.
func TestLibraryLog(t *testing.T) {
	var out bytes.Buffer
	library := log.New(libraryLog{newLogger(LogConfig{Format: "json"}, &out)}, "", 0)
	library.Printf("Unsolicited response received on idle HTTP channel starting with %q; err=%v", "a secret", nil)
	library.Print("http: TLS handshake error from 192.0.2.1:1234: EOF")
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != 2 || strings.Contains(out.String(), "secret") {
		t.Fatalf("%s", out.String())
	}
	for i, said := range []string{"Unsolicited response received on idle HTTP channel", "http: TLS handshake error from 192.0.2.1:1234: EOF"} {
		if !strings.Contains(lines[i], `"level":"WARN"`) || !strings.Contains(lines[i], said) {
			t.Errorf("%s", lines[i])
		}
	}
}
