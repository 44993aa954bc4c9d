package main

import (
	"bytes"
	"io"
	"strings"
	"testing"
)

// TestBar: it is drawn when it changes, goes away at its end, and is not there where nobody looks.
func TestBar(t *testing.T) {
	var screen bytes.Buffer
	b := newBar(&screen, "sending")
	b.draw(1, 2)
	b.end()
	if screen.Len() > 0 || b.out != nil {
		t.Errorf("no terminal, and it drew %q", screen.String())
	}
	b = &bar{out: &screen, what: "sending", then: ", waiting", last: -1}
	r := &progressReader{from: strings.NewReader(strings.Repeat("x", 1000)), total: 1000, bar: b}
	for _, n := range []int64{499, 1, 1, 499} {
		if _, err := io.CopyN(io.Discard, r, n); err != nil {
			t.Fatal(err)
		}
		if r.left() != (r.done < 1000) {
			t.Errorf("left %t of %d", r.left(), r.done)
		}
	}
	b.end()
	b.draw(1, 2)
	want := "\rsending [##############................]  49%\rsending [###############...............]  50%" +
		"\rsending [##############################] 100%, waiting\r\x1b[K"
	if got := screen.String(); got != want {
		t.Errorf("drew %q", got)
	}
	screen.Reset()
	b = &bar{out: &screen, last: -1}
	b.draw(5, 0) // how much there is is not known
	b.end()
	if screen.Len() > 0 {
		t.Errorf("drew %q", screen.String())
	}
}
