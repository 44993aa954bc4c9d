package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/heliograph/heliograph/internal/plivo"
	"github.com/heliograph/heliograph/internal/smpp/smpptest"
)

type demoCommand struct {
	Log bool `help:"Show the server's log as well."`
}

// demoPatience bounds the whole demonstration.
const demoPatience = 60 * time.Second

// Run sends one message the whole way and prints what happened. It fails when the message was not delivered, or a callback's signature is
// wrong.
func (c demoCommand) Run(ctx context.Context, std streams) error {
	ctx, cancel := context.WithTimeout(ctx, demoPatience)
	defer cancel()
	d := &demo{out: std.out, begin: time.Now(), told: make(chan struct{}, 1)}
	if c.Log {
		d.log = std.err
	}
	if err := d.start(ctx); err != nil {
		d.stop()
		return err
	}
	err := d.perform(ctx)
	return errors.Join(err, d.stop())
}

// demo is one demonstration: a server in a process of its own, a pretend SMSC behind real SMPP, a sink for callbacks.
type demo struct {
	out   io.Writer
	log   io.Writer
	begin time.Time

	target client
	smsc   *smpptest.SMSC
	sink   *callbackSink
	server *child
	undo   []func() error

	told chan struct{} // of capacity 1: something was added to the timeline

	mu        sync.Mutex
	timeline  []moments
	callbacks []string // their states
	forged    int      // callbacks whose signature is wrong
}

// moments is one line of the timeline.
type moments struct {
	at   time.Time
	what string
}

func (d *demo) note(at time.Time, format string, args ...any) {
	d.mu.Lock()
	d.timeline = append(d.timeline, moments{at, fmt.Sprintf(format, args...)})
	d.mu.Unlock()
	select {
	case d.told <- struct{}{}:
	default:
	}
}

// start starts all there is, in a folder that goes away afterwards.
func (d *demo) start(ctx context.Context) error {
	folder, err := os.MkdirTemp("", "heliograph-demo-")
	if err != nil {
		return err
	}
	d.undo = append(d.undo, func() error { return os.RemoveAll(folder) })
	if d.smsc, err = smpptest.Listen(smpptest.Config{
		DecodeText: true, ReceiptDelay: 300 * time.Millisecond, OnSubmit: d.submitted, OnReceipt: d.reported,
	}); err != nil {
		return err
	}
	stopSMSC := background(ctx, d.smsc.Run)
	d.undo = append(d.undo, func() error { stopSMSC(); return nil })
	if d.sink, err = startSink(d.takeCallback); err != nil {
		return err
	}
	d.undo = append(d.undo, d.sink.stop)
	d.target.http = &http.Client{Timeout: 10 * time.Second}
	if d.server, err = startOwnServer(ctx, folder, smppCarrier(d.smsc.Addr(), "binds: 1"), &d.target, d.log); err != nil {
		return err
	}
	d.undo = append(d.undo, d.server.stop)
	fmt.Fprintf(d.out, "server    %s (a process of its own, with an empty store in a throw-away folder)\n", d.server.url)
	fmt.Fprintf(d.out, "SMSC      %s (pretend, reached over real SMPP 3.4)\n", d.smsc.Addr())
	fmt.Fprintf(d.out, "callbacks %s\n\n", d.sink.url)
	return nil
}

// stop ends all that was started, the last first.
func (d *demo) stop() error {
	var err error
	for _, undo := range slices.Backward(d.undo) {
		err = errors.Join(err, undo())
	}
	return err
}

// demoText needs two segments, so that there is something to see.
const demoText = "Heliograph signals by sunlight: this text is longer than one SMS carries, so it travels in two segments that the phone puts together. " +
	"Each of them has its own receipt, and the message is delivered when both are."

// perform sends the message and follows it to its end.
func (d *demo) perform(ctx context.Context) error {
	pack, err := d.setUp(ctx)
	if err != nil {
		return err
	}
	var accepted struct {
		UUID []string `json:"message_uuid"`
	}
	arguments := map[string]any{
		"powerpack_uuid": pack, "dst": "14152223333", "text": demoText, "type": "sms", "url": d.sink.url, "method": "POST",
		"log": "true", "trackable": "false",
	}
	asked := time.Now()
	if err := d.target.account(ctx, http.MethodPost, "/Message/", arguments, &accepted); err != nil {
		return err
	}
	answered := time.Since(asked)
	if len(accepted.UUID) != 1 {
		return fmt.Errorf("the server answered %d message ids for one destination", len(accepted.UUID))
	}
	if err := d.awaitEnd(ctx); err != nil {
		d.print()
		return err
	}
	message, err := d.describe(ctx, accepted.UUID[0], answered)
	d.print()
	if err != nil {
		return err
	}
	return d.judge(message)
}

// setUp makes two senders and a powerpack of them, one in the destination's area code.
func (d *demo) setUp(ctx context.Context) (pack string, err error) {
	numbers := []map[string]any{
		{"number": "12125550100", "auth_id": d.target.authID, "services": []string{"sms", "mms"}},
		{"number": "14155550100", "auth_id": d.target.authID, "services": []string{"sms", "mms"}},
	}
	if err := d.target.operator(ctx, http.MethodPost, "/numbers", map[string]any{"numbers": numbers}, nil); err != nil {
		return "", err
	}
	var made struct {
		UUID       string `json:"uuid"`
		NumberPool string `json:"number_pool"`
	}
	if err := d.target.account(ctx, http.MethodPost, "/Powerpack/", map[string]any{"name": demoPowerpack}, &made); err != nil {
		return "", err
	}
	pool := strings.TrimPrefix(made.NumberPool, "/v1/Account/"+d.target.authID)
	for _, n := range numbers {
		if err := d.target.account(ctx, http.MethodPost, fmt.Sprintf("%sNumber/%s/", pool, n["number"]), map[string]any{}, nil); err != nil {
			return "", err
		}
	}
	return made.UUID, nil
}

// awaitEnd waits for the final callback.
func (d *demo) awaitEnd(ctx context.Context) error {
	for {
		d.mu.Lock()
		ended := len(d.callbacks) > 0 && d.callbacks[len(d.callbacks)-1] != "queued" && d.callbacks[len(d.callbacks)-1] != "sent"
		d.mu.Unlock()
		if ended {
			return nil
		}
		select {
		case <-d.told:
		case <-d.server.ended:
			return fmt.Errorf("the server ended: %w\n%s", d.server.err, d.server.lastLines())
		case <-ctx.Done():
			return errors.New("the message did not come to its end in time")
		}
	}
}

// messageEnd is what the operator API says about the message.
type messageEnd struct {
	State    string    `json:"state"`
	Sender   string    `json:"sender"`
	ChosenBy string    `json:"sender_chosen_by"`
	Units    int       `json:"units"`
	Accepted time.Time `json:"accepted_at"`
	Sent     time.Time `json:"sent_at"`
}

// describe asks what became of the message, and why.
func (d *demo) describe(ctx context.Context, id string, answered time.Duration) (messageEnd, error) {
	var m messageEnd
	if err := d.target.operator(ctx, http.MethodGet, "/accounts/"+d.target.authID+"/messages/"+id, nil, &m); err != nil {
		return m, err
	}
	d.note(m.Accepted, "accepted     message %s; 202 after %.1f ms, when it was on disk", id, float64(answered.Microseconds())/1000)
	d.note(m.Accepted, "sender       %s, chosen by %s", m.Sender, m.ChosenBy)
	return m, nil
}

func (d *demo) submitted(s smpptest.Submit) {
	d.note(s.At, "submitted    submit_sm from %s to %s, carrier id %s: %q", s.PDU.Source.Addr, s.PDU.Dest.Addr, s.MessageID, s.Text)
}

func (d *demo) reported(r smpptest.Report) {
	d.note(r.At, "receipt      deliver_sm for carrier id %s: %s", r.MessageID, r.State)
}

// takeCallback verifies a callback as its receiver would.
func (d *demo) takeCallback(r *http.Request) {
	now := time.Now()
	if d.server == nil {
		return
	}
	form := r.PostForm
	verdict := "signature verified (V2, V3)"
	if !plivo.Verify(r.Method, d.sink.url, r.PostForm, r.Header, d.target.authToken) {
		verdict = "SIGNATURE WRONG"
	}
	d.mu.Lock()
	d.callbacks = append(d.callbacks, form.Get("Status"))
	if !strings.HasPrefix(verdict, "signature verified") {
		d.forged++
	}
	d.mu.Unlock()
	d.note(now, "callback %s   Status=%s Units=%s ErrorCode=%s: %s", form.Get("Sequence"), form.Get("Status"), form.Get("Units"), form.Get("ErrorCode"), verdict)
}

// print shows the timeline in its order.
func (d *demo) print() {
	d.mu.Lock()
	defer d.mu.Unlock()
	slices.SortStableFunc(d.timeline, func(a, b moments) int { return a.at.Compare(b.at) })
	if len(d.timeline) == 0 {
		return
	}
	first := d.timeline[0].at
	for _, m := range d.timeline {
		fmt.Fprintf(d.out, "%8.1f ms  %s\n", float64(m.at.Sub(first).Microseconds())/1000, m.what)
	}
}

// judge says whether all went as it should.
func (d *demo) judge(m messageEnd) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case m.State != "delivered":
		return fmt.Errorf("the message is %s, not delivered", m.State)
	case d.forged > 0:
		return fmt.Errorf("%d callbacks were not signed as they should be", d.forged)
	case !slices.Equal(d.callbacks, []string{"queued", "sent", "delivered"}):
		return fmt.Errorf("the callbacks told %s", strings.Join(d.callbacks, ", "))
	}
	fmt.Fprintf(d.out, "\ndelivered: %d parts from %s\n", m.Units, m.Sender)
	return nil
}
