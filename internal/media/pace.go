package media

import (
	"context"
	"errors"
	"io"
	"time"
)

// Bounds of how slow a server may be.
const (
	// FetchTimeout is for a whole exchange, its body included.
	FetchTimeout = 60 * time.Second
	stepTime     = 10 * time.Second // for an answer to begin, and for each step of it
	step         = 16 << 10         // octets
)

var errSlow = errors.New("media: too slow")

// pace ends an exchange that does not get on: a server that sends an octet now and then holds a place no longer than one that is silent.
type pace struct {
	timer *time.Timer
	left  int // octets until the timer starts anew
}

// newPace makes a context that ends with errSlow as its cause when what is read through pace's body comes too slowly. stop must be called.
func newPace(ctx context.Context) (paced context.Context, p *pace, stop func()) {
	whole, end := context.WithTimeoutCause(ctx, FetchTimeout, errSlow)
	paced, cancel := context.WithCancelCause(whole)
	p = &pace{time.AfterFunc(stepTime, func() { cancel(errSlow) }), step}
	return paced, p, func() {
		p.timer.Stop()
		cancel(nil)
		end()
	}
}

// body is r, whose reading keeps the pace. The answer has begun: what is left of the first step's time is given anew.
func (p *pace) body(r io.Reader) io.Reader {
	p.timer.Reset(stepTime)
	return &pacedReader{r, p}
}

type pacedReader struct {
	io.Reader
	pace *pace
}

func (r *pacedReader) Read(b []byte) (int, error) {
	n, err := r.Reader.Read(b)
	if r.pace.left -= n; r.pace.left <= 0 {
		r.pace.left = step
		r.pace.timer.Reset(stepTime)
	}
	return n, err
}
