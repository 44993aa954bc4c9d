package main

import (
	"fmt"
	"io"
	"strings"
	"sync"
)

// bar shows on a terminal how far something is; elsewhere it shows nothing.
type bar struct {
	out  io.Writer // nil: no terminal
	what string
	then string // what is waited for when all is done

	mu    sync.Mutex
	last  int64 // percent that was drawn; -1: none
	ended bool
}

// barWidth is how many characters 100 percent are.
const barWidth = 30

func newBar(out io.Writer, what string) *bar {
	b := &bar{what: what, last: -1}
	if onTerminal(out) {
		b.out = out
	}
	return b
}

// draw shows a share. Most calls change nothing that could be seen.
func (b *bar) draw(done, total int64) {
	if b.out == nil || total <= 0 {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	percent := min(100, done*100/total)
	if percent == b.last || b.ended {
		return
	}
	b.last = percent
	full := int(percent) * barWidth / 100
	fmt.Fprintf(b.out, "\r%s [%s%s] %3d%%", b.what, strings.Repeat("#", full), strings.Repeat(".", barWidth-full), percent)
	if percent == 100 {
		fmt.Fprint(b.out, b.then)
	}
}

// end takes the bar away.
func (b *bar) end() {
	if b.out == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.last >= 0 && !b.ended {
		fmt.Fprint(b.out, "\r\x1b[K")
	}
	b.ended = true
}

// progressReader draws how much was read.
type progressReader struct {
	from  io.Reader
	total int64 // 0: not known
	bar   *bar

	mu   sync.Mutex
	done int64
}

func (r *progressReader) Read(b []byte) (int, error) {
	n, err := r.from.Read(b)
	r.mu.Lock()
	r.done += int64(n)
	done := r.done
	r.mu.Unlock()
	r.bar.draw(done, r.total)
	return n, err
}

// left tells whether something was not read yet.
func (r *progressReader) left() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.done < r.total
}
