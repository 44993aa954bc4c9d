package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/heliograph/heliograph/internal/smpp/smpptest"
)

// inboundBench is how messages from handsets are measured beside senders.
type inboundBench struct {
	Inbound      int           `default:"0" help:"Also bring this many messages from handsets to a server of our own, beside those that are sent."`
	InboundRate  float64       `default:"2000" help:"Of them per second."`
	InboundDelay time.Duration `default:"5ms" help:"How long the application takes to answer."`
	InboundSlow  time.Duration `default:"0s" help:"Bring as many to another account, whose application takes this long."`
}

func (c *inboundBench) check(own bool) error {
	switch {
	case c.Inbound == 0:
		return nil
	case !own:
		return errors.New("--inbound measures a server of our own: it needs its pretend SMSC")
	case c.Inbound < 0 || c.Inbound > maxHandsetCount || !(c.InboundRate > 0) || c.InboundDelay < 0 || c.InboundSlow < 0:
		return fmt.Errorf("--inbound must be at most %d, its rate positive, and delays not negative", maxHandsetCount)
	}
	return nil
}

// inboundResult is what was measured of messages from handsets.
type inboundResult struct {
	Messages     int         `json:"messages"`
	Failed       int64       `json:"failed"`          // not taken
	Lost         int         `json:"lost"`            // taken, and the application was not told
	ReceivedRate float64     `json:"received_per_s"`  // acknowledged
	HandedRate   float64     `json:"handed_on_per_s"` // told to the application
	Answer       percentiles `json:"answer_ms"`       // from deliver_sm to its answer
	Handed       percentiles `json:"handed_on_ms"`    // from deliver_sm to the application's request
	SlowAsked    int64       `json:"slow_requests"`   // to the other account's application
}

func (r *inboundResult) print(out io.Writer) {
	fmt.Fprintf(out, "inbound           %d messages, %d not taken, %d not handed on\n", r.Messages, r.Failed, r.Lost)
	fmt.Fprintf(out, "received/s        %.0f\n", r.ReceivedRate)
	fmt.Fprintf(out, "handed on/s       %.0f\n", r.HandedRate)
	fmt.Fprintf(out, "answer ms         %s\n", r.Answer)
	fmt.Fprintf(out, "handed on ms      %s\n", r.Handed)
	if r.SlowAsked > 0 {
		fmt.Fprintf(out, "slow application  %d requests\n", r.SlowAsked)
	}
}

// inboundLoad is one run of it.
type inboundLoad struct {
	*inboundBench
	smsc *smpptest.SMSC
	sink *callbackSink
	slow atomic.Int64 // requests to the slow application

	answers, handed *latencies
	failed          atomic.Int64

	mu     sync.Mutex
	begun  []time.Time // by message; zero: not yet, or told
	told   int
	last   time.Time // that the application was told
	stirs  chan struct{}
	marker string
}

// The numbers that get the messages.
const (
	inboundNumber = "14155550001"
	slowNumber    = "14155550002"
)

// newInboundLoad sets up numbers and applications.
func newInboundLoad(ctx context.Context, c *inboundBench, target *client, smsc *smpptest.SMSC) (*inboundLoad, error) {
	l := &inboundLoad{
		inboundBench: c, smsc: smsc, answers: newLatencies(c.Inbound), handed: newLatencies(c.Inbound), begun: make([]time.Time, c.Inbound),
		stirs: make(chan struct{}, 1), marker: "inbound message ",
	}
	var err error
	if l.sink, err = startSink(l.take); err != nil {
		return nil, err
	}
	if err := linkNumber(ctx, target, inboundNumber, l.sink.url+"good"); err != nil {
		return l, err
	}
	if c.InboundSlow == 0 {
		return l, nil
	}
	other := *target
	var made struct {
		ID    string `json:"auth_id"`
		Token string `json:"auth_token"`
	}
	if err := target.operator(ctx, http.MethodPost, "/accounts", map[string]string{"name": "slow"}, &made); err != nil {
		return l, err
	}
	other.authID, other.authToken = made.ID, made.Token
	return l, linkNumber(ctx, &other, slowNumber, l.sink.url+"slow")
}

// linkNumber gives an account a number with an application.
func linkNumber(ctx context.Context, target *client, number, url string) error {
	numbers := []map[string]any{{"number": number, "auth_id": target.authID, "services": []string{"sms"}, "rate": 0}}
	if err := target.operator(ctx, http.MethodPost, "/numbers", map[string]any{"numbers": numbers}, nil); err != nil {
		return err
	}
	var made struct {
		ID string `json:"app_id"`
	}
	if err := target.account(ctx, http.MethodPost, "/Application/", map[string]string{"app_name": "bench", "message_url": url}, &made); err != nil {
		return err
	}
	return target.account(ctx, http.MethodPost, "/Number/"+number+"/", map[string]string{"app_id": made.ID}, nil)
}

// take is both applications.
func (l *inboundLoad) take(r *http.Request) {
	now := time.Now()
	if strings.HasSuffix(r.URL.Path, "slow") {
		l.slow.Add(1)
		pauseFor(r.Context(), l.InboundSlow)
		return
	}
	if n, err := strconv.Atoi(strings.TrimPrefix(r.Form.Get("Text"), l.marker)); err == nil && n >= 1 && n <= l.Inbound {
		l.note(n-1, now)
	}
	pauseFor(r.Context(), l.InboundDelay)
}

func pauseFor(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// note counts a message that the application is told of for the first time.
func (l *inboundLoad) note(n int, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if begin := l.begun[n]; !begin.IsZero() {
		l.begun[n] = time.Time{}
		l.handed.add(now.Sub(begin))
		l.told++
		l.last = now
	}
	select {
	case l.stirs <- struct{}{}:
	default:
	}
}

// run brings all messages and waits until the application has been told of them, or nothing happens any more.
func (l *inboundLoad) run(ctx context.Context, patience time.Duration) *inboundResult {
	begin := time.Now()
	var beside sync.WaitGroup
	if l.InboundSlow > 0 {
		slow := handsetTraffic{Rate: l.InboundRate, Count: l.Inbound, From: "12122000000", To: []string{slowNumber}, Text: "to the slow one, %d", Segments: 1}
		beside.Go(func() { slow.deliver(ctx, l.smsc, nil) })
	}
	traffic := handsetTraffic{Rate: l.InboundRate, Count: l.Inbound, From: "12132000000", To: []string{inboundNumber}, Text: l.marker + "%d", Segments: 1}
	traffic.deliver(ctx, &announced{l.smsc, l}, func(_ int, begin time.Time, err error) {
		if err != nil {
			l.failed.Add(1)
			return
		}
		l.answers.add(time.Since(begin))
	})
	received := time.Since(begin)
	beside.Wait()
	l.await(ctx, patience)
	l.mu.Lock()
	defer l.mu.Unlock()
	result := &inboundResult{
		Messages: l.Inbound, Failed: l.failed.Load(), ReceivedRate: float64(l.answers.count()) / received.Seconds(), SlowAsked: l.slow.Load(),
		Answer: l.answers.percentiles(), Handed: l.handed.percentiles(), Lost: l.answers.count() - l.told,
	}
	if took := l.last.Sub(begin); took > 0 {
		result.HandedRate = float64(l.told) / took.Seconds()
	}
	return result
}

// announced notes when a message leaves.
type announced struct {
	smsc *smpptest.SMSC
	load *inboundLoad
}

// DeliverText is the SMSC's.
func (a *announced) DeliverText(ctx context.Context, t smpptest.Text) error {
	if n, err := strconv.Atoi(strings.TrimPrefix(t.Text, a.load.marker)); err == nil {
		a.load.mu.Lock()
		a.load.begun[n-1] = time.Now()
		a.load.mu.Unlock()
	}
	return a.smsc.DeliverText(ctx, t)
}

func (l *inboundLoad) await(ctx context.Context, patience time.Duration) {
	for {
		l.mu.Lock()
		done := l.told >= l.answers.count()
		l.mu.Unlock()
		if done {
			return
		}
		select {
		case <-l.stirs:
		case <-ctx.Done():
			return
		case <-time.After(patience):
			return
		}
	}
}
