package vasp

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
	"github.com/heliograph/heliograph/internal/mm7"
)

// peer is an MMSC in the bubble of a test: a transport and a probe.
type peer struct {
	mu     sync.Mutex
	away   bool // no connection can be made
	silent bool // requests are taken and not answered
	probes []time.Time
	sent   int
}

func (p *peer) set(change func(*peer)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change(p)
}

func (p *peer) probe(context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.probes = append(p.probes, time.Now())
	if p.away {
		return refused()
	}
	return nil
}

func refused() error {
	return &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("connection refused")}
}

func (p *peer) RoundTrip(r *http.Request) (*http.Response, error) {
	p.mu.Lock()
	away, silent := p.away, p.silent
	p.mu.Unlock()
	defer r.Body.Close()
	if away {
		return nil, refused()
	}
	in, err := mm7.Decode(r.Header.Get("Content-Type"), r.Body, mm7.Limits{})
	if err == nil {
		err = in.Each(func(part *mm7.ReceivedPart) error { _, err := io.Copy(io.Discard, part); return err })
	}
	if err == nil { // to the end of what is behind the last part
		_, err = io.Copy(io.Discard, r.Body)
	}
	if err != nil {
		return nil, err
	}
	p.set(func(p *peer) { p.sent++ })
	if silent {
		<-r.Context().Done()
		return nil, r.Context().Err()
	}
	soap := mm7.Dialect{}.EncodeSOAP(mm7.Envelope{TransactionID: in.TransactionID, Message: &mm7.SubmitRsp{Status: mm7.Status{Code: 1000}, MessageID: "7"}})
	return &http.Response{
		StatusCode: 200, Header: http.Header{"Content-Type": {"text/xml"}}, Body: io.NopCloser(strings.NewReader(string(soap))), Request: r,
	}, nil
}

// bubble runs a carrier to a peer.
func bubble(t *testing.T, p *peer, settings ...func(*Config)) *rig {
	return newRig(t, "http://mmsc.example.net/mm7", append(settings, func(c *Config) {
		c.Transport, c.Probe, c.Rand = p, p.probe, func() float64 { return 0.999999 }
	})...).start()
}

// TestUnreachable: an MMSC that cannot be reached has no places, is looked for with pauses that grow, and is tried with one submit when it is there again.
func TestUnreachable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &peer{away: true}
		begin := time.Now()
		r := bubble(t, p)
		time.Sleep(200 * time.Second)
		var after []int
		p.set(func(p *peer) {
			for _, at := range p.probes {
				after = append(after, int(at.Sub(begin).Round(time.Second)/time.Second))
			}
			p.away = false
		})
		if want := []int{0, 1, 3, 7, 15, 31, 63, 123, 183}; len(after) != len(want) || after[5] != want[5] || after[8] != want[8] {
			t.Errorf("looked after %v s, want %v", after, want)
		}
		if state := r.Binds()[0]; r.Places() != 0 || state.State != "waiting" || state.LastError != "dial: connection refused" {
			t.Errorf("%d places, %+v", r.Places(), state)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if r.Places() != 1 || r.nudged != 1 {
			t.Fatalf("back again with %d places, %d nudges", r.Places(), r.nudged)
		}
		if got := r.send(message("x")); got.Status != gateway.Accepted || r.Places() != 20 || r.nudged != 2 {
			t.Errorf("%+v, then %d places, %d nudges", got, r.Places(), r.nudged)
		}
		p.set(func(p *peer) { p.away = true })
		if got := r.send(message("x")); got.Status != gateway.NotSent || r.Places() != 0 {
			t.Errorf("%+v, then %d places", got, r.Places())
		}
		if n := strings.Count(r.said(), "cannot be reached"); n != 2 {
			t.Errorf("said %d times: %s", n, r.said())
		}
	})
}

// TestSilent: an MMSC that takes requests and answers none is left alone after some of them, and tried with one at a time.
func TestSilent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &peer{silent: true}
		r := bubble(t, p, func(c *Config) { c.UnansweredLimit, c.ResponseTimeout = 3, 10*time.Second })
		synctest.Wait()
		for i := range 3 {
			if r.Places() != 20 {
				t.Fatalf("%d places after %d", r.Places(), i)
			}
			if got := r.send(message("x")); got.Status != gateway.Unanswered {
				t.Fatalf("%+v", got)
			}
		}
		if r.Places() != 0 {
			t.Errorf("%d places after the limit", r.Places())
		}
		for _, pause := range []time.Duration{time.Second, 2 * time.Second, 4 * time.Second} {
			time.Sleep(pause - 10*time.Millisecond)
			if r.Places() != 0 {
				t.Fatalf("places before %s", pause)
			}
			time.Sleep(20 * time.Millisecond)
			if r.Places() != 1 {
				t.Fatalf("%d places after %s", r.Places(), pause)
			}
			r.send(message("x"))
			synctest.Wait()
			if r.Places() != 0 {
				t.Fatalf("%d places after another without an answer", r.Places())
			}
		}
		p.set(func(p *peer) { p.silent = false })
		time.Sleep(9 * time.Second)
		if got := r.send(message("x")); got.Status != gateway.Accepted || r.Places() != 20 {
			t.Errorf("%+v, %d places", got, r.Places())
		}
		if got := r.Stats(); got.Falls != 4 || got.Ups != 2 || got.Unanswered != 6 {
			t.Errorf("%+v", got)
		}
	})
}
