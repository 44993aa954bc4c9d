package relay

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/heliograph/heliograph/internal/gateway"
	"github.com/heliograph/heliograph/internal/media"
	"github.com/heliograph/heliograph/internal/mm4"
	"github.com/heliograph/heliograph/internal/mm4/mm4test"
	"github.com/heliograph/heliograph/internal/mms"
	"github.com/heliograph/heliograph/internal/trouble"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	ours    = "14155550100"
	theirs  = "14152223333"
	account = gateway.AccountID("MAONEONEONEONEONEONE")
)

var loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}

// rig is a carrier, what it is given, and what it says.
type rig struct {
	*Carrier
	t testing.TB

	mu       sync.Mutex
	log      bytes.Buffer
	nudged   int
	receipts []gateway.Receipt
	parts    []gateway.InboundPart
	kept     []media.Addition
	keep     func(done func(error)) // decides about receipts and parts; nil keeps them at once
	ids      int
	folder   string
	stop     func() error
}

// Write is the log's.
func (r *rig) Write(line []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.log.Write(line)
}

// newRig makes a carrier to a peer; start runs it.
func newRig(t testing.TB, address string, settings ...func(*Config)) *rig {
	t.Helper()
	r := &rig{t: t, folder: t.TempDir()}
	cfg := Config{
		Name: "hub", Address: address, System: mm4.Address{User: "mms", Host: "us.example"}, PeerDomain: "hub.example", Listen: "127.0.0.1:0",
		Networks: loopback, Reconnect: trouble.Backoff{First: time.Millisecond}, Now: time.Now, Log: slog.New(slog.NewTextHandler(r, nil)),
		Ends: mms.Ends{
			Files: r.open, OnReceipt: r.take, OnPart: r.takePart, NewID: r.newID, Receive: r.receive, Keep: r.keepFiles,
			Whose: func(number string) (gateway.AccountID, bool) {
				return account, strings.HasPrefix(number, "1415555") || number == "55500"
			},
		},
	}
	for _, set := range settings {
		set(&cfg)
	}
	c, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	r.Carrier = c
	c.OnPlaces(func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.nudged++
	})
	return r
}

// withHub is a carrier before a hub with knobs, both running.
func withHub(t testing.TB, knobs mm4test.Config, settings ...func(*Config)) (*rig, *mm4test.Hub) {
	t.Helper()
	var r *rig
	ready := make(chan struct{})
	if knobs.Back == nil {
		knobs.Back = &mm4.ClientConfig{}
	}
	knobs.Back.Address, knobs.Back.Name, knobs.Back.RetryFirst = "us.example:25", "hub.example", time.Millisecond
	knobs.Back.Dial = func(ctx context.Context, network, _ string) (net.Conn, error) {
		select {
		case <-ready:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		if at := r.Addr(); at != nil {
			return new(net.Dialer).DialContext(ctx, network, at.String())
		}
		return nil, errors.New("the other side does not listen")
	}
	knobs.RetryDelay, knobs.Retries = time.Millisecond, 30_000
	knobs.Record, knobs.Content = 100, true
	hub, err := mm4test.New(knobs)
	if err != nil {
		t.Fatal(err)
	}
	stop := run(t, hub.Run)
	r = newRig(t, hub.Addr(), settings...)
	close(ready)
	r.start()
	t.Cleanup(func() { _ = stop() }) // before the carrier does; its error is looked at later
	r.await("the hub", func() bool { return r.Places() > 0 })
	return r, hub
}

// run runs something until the test ends, or what it returns is called.
func run(t testing.TB, what func(context.Context) error) (stop func() error) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- what(ctx) }()
	stop = sync.OnceValue(func() error { cancel(); return <-ended })
	t.Cleanup(func() {
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
	return stop
}

func (r *rig) start() { r.stop = run(r.t, r.Run) }

// open gives the files that a message's ids name: their content is what they are called.
func (r *rig) open(_ context.Context, m *gateway.Message) (files []*media.File, err error) {
	for _, id := range m.MediaIDs {
		switch id {
		case "gone":
			return nil, &media.Failure{Reason: gateway.InvalidMessage, Text: "a file is gone"}
		case "away":
			return nil, errors.New("disk on fire")
		}
		file, err := os.CreateTemp(r.folder, "")
		if err == nil {
			_, err = file.WriteString(id)
		}
		if err != nil {
			return nil, err
		}
		if id == "closed" {
			_ = file.Close() // so that it cannot be read
		}
		files = append(files, &media.File{ReadSeekCloser: file, ReaderAt: file, Name: "a picture.JPG", Type: "image/jpeg", Size: int64(len(id))})
	}
	return files, nil
}

func (r *rig) newID() gateway.ID {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ids++
	return gateway.ID{byte(r.ids)}
}

// receive writes nothing to disk: what it read is in Head.
func (r *rig) receive(source io.Reader, most int64) (*media.Incoming, error) {
	content, err := io.ReadAll(io.LimitReader(source, most+1))
	if err != nil {
		return nil, err
	}
	if int64(len(content)) > most {
		return nil, media.ErrTooLarge
	}
	in := &media.Incoming{Size: int64(len(content)), Head: content}
	copy(in.Content[:], content)
	return in, nil
}

func (r *rig) keepFiles(_ context.Context, owner gateway.AccountID, files []media.Addition) (ids []gateway.ID, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, file := range files {
		r.kept = append(r.kept, file)
		ids = append(ids, file.ID)
	}
	if owner != account {
		r.t.Errorf("kept for %s", owner)
	}
	return ids, nil
}

func (r *rig) take(receipt gateway.Receipt, done func(error)) {
	r.mu.Lock()
	r.receipts = append(r.receipts, receipt)
	keep := r.keep
	r.mu.Unlock()
	decide(keep, done)
}

func (r *rig) takePart(part gateway.InboundPart, done func(error)) {
	r.mu.Lock()
	r.parts = append(r.parts, part)
	keep := r.keep
	r.mu.Unlock()
	decide(keep, done)
}

func decide(keep func(done func(error)), done func(error)) {
	if keep == nil {
		done(nil)
		return
	}
	keep(done)
}

// decideBy has every receipt and part decided by a function.
func (r *rig) decideBy(keep func(done func(error))) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.keep = keep
}

func (r *rig) taken() ([]gateway.Receipt, []gateway.InboundPart) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.receipts, r.parts
}

// message is an MMS with files that are their own names.
func message(n byte, text string, files ...string) *gateway.Message {
	return &gateway.Message{ID: gateway.ID{n}, Service: gateway.MMS, From: ours, To: theirs, Text: text, MediaIDs: files, Units: 1}
}

// submit submits a message and waits for what becomes of it.
func (r *rig) submit(m *gateway.Message) gateway.Outcome {
	r.t.Helper()
	select {
	case o := <-r.begin(m):
		return o
	case <-time.After(patience):
		r.t.Fatalf("no outcome; log:\n%s", r.said())
		return gateway.Outcome{}
	}
}

func (r *rig) begin(m *gateway.Message) <-chan gateway.Outcome {
	outcome := make(chan gateway.Outcome, 1)
	r.Submit(gateway.Part{Message: m, Number: 1, Total: 1}, func(o gateway.Outcome) { outcome <- o })
	return outcome
}

const patience = 30 * time.Second

// await waits until a condition holds, which some goroutine brings about.
func (r *rig) await(what string, condition func() bool) {
	r.t.Helper()
	deadline := time.Now().Add(patience)
	for !condition() {
		if time.Now().After(deadline) {
			r.t.Fatalf("%s did not come; log:\n%s", what, r.said())
		}
		time.Sleep(time.Millisecond)
	}
}

func (r *rig) said() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.log.String()
}

// peer is an MMS relay/server of which a test writes every mail itself.
type peer struct {
	*rig
	client *mm4.Client

	got       sync.Mutex
	responses []*mm4.Response
	reports   []*mm4.DeliveryReport
}

var theirSystem = mm4.Address{User: "system", Host: "hub.example"}

// withPeer is a carrier before such a peer, both running.
func withPeer(t *testing.T, settings ...func(*Config)) *peer {
	t.Helper()
	p := &peer{}
	server, err := mm4.NewServer(mm4.ServerConfig{
		Name: "hub.example", Domains: []string{"hub.example"}, Networks: loopback,
		Handler: mm4.Handler{
			Response: func(_ context.Context, _ mm4.Envelope, r *mm4.Response) error {
				p.got.Lock()
				defer p.got.Unlock()
				p.responses = append(p.responses, r)
				return nil
			},
			DeliveryReport: func(_ context.Context, _ mm4.Envelope, r *mm4.DeliveryReport) error {
				p.got.Lock()
				defer p.got.Unlock()
				p.reports = append(p.reports, r)
				return nil
			},
			Forward: func(context.Context, mm4.Envelope, *mm4.Forward, *mm4.Body) error { return nil },
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	run(t, func(ctx context.Context) error { return server.Serve(ctx, listener) })
	p.rig = newRig(t, listener.Addr().String(), settings...)
	p.start()
	p.await("the peer", func() bool { return p.Places() > 0 })
	p.client, err = mm4.NewClient(mm4.ClientConfig{Address: p.Addr().String(), Name: "hub.example", RetryFirst: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	run(t, p.client.Run)
	p.await("us", func() bool { return p.client.Places() > 0 })
	return p
}

// mail sends a mail to the carrier and waits for what becomes of it.
func (p *peer) mail(m mm4.Message, to ...mm4.Address) mm4.Outcome {
	p.t.Helper()
	done := make(chan mm4.Outcome, 1)
	p.client.Submit(mm4.Mail{From: theirSystem, To: to, Message: m}, func(out mm4.Outcome) { done <- out })
	return <-done
}

// answered are the responses that came, once there are that many.
func (p *peer) answered(n int) []*mm4.Response {
	p.t.Helper()
	var list []*mm4.Response
	p.await("the responses", func() bool {
		p.got.Lock()
		defer p.got.Unlock()
		list = p.responses
		return len(list) >= n
	})
	return list
}
