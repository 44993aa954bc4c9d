package vasp

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
	"github.com/heliograph/heliograph/internal/media"
	"github.com/heliograph/heliograph/internal/mms"
)

const (
	ours    = "14155550100"
	theirs  = "14152223333"
	account = gateway.AccountID("MAONEONEONEONEONEONE")
)

// rig is a carrier, what it is given, and what it says.
type rig struct {
	*Carrier
	t *testing.T

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

// newRig makes a carrier to a URL; start runs it.
func newRig(t *testing.T, url string, settings ...func(*Config)) *rig {
	t.Helper()
	r := &rig{t: t, folder: t.TempDir()}
	cfg := Config{
		Name: "mmsc", URL: url, VASPID: "vasp", VASID: "vas", Now: time.Now, Log: slog.New(slog.NewTextHandler(r, nil)), Rand: func() float64 { return 0 },
		Ends: mms.Ends{
			Files: r.open, OnReceipt: r.take, OnPart: r.takePart, NewID: r.newID, Receive: r.receive, Keep: r.keepFiles,
			Whose: func(number string) (gateway.AccountID, bool) { return account, number == ours },
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

// start runs the carrier until the test ends, or stop is called.
func (r *rig) start() *rig {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- r.Run(ctx) }()
	r.stop = sync.OnceValue(func() error { cancel(); return <-ended })
	r.t.Cleanup(func() {
		if err := r.stop(); err != nil {
			r.t.Error(err)
		}
	})
	return r
}

// open gives the files that a message's ids name: their content is what they are called.
func (r *rig) open(_ context.Context, m *gateway.Message) (files []*media.File, err error) {
	for _, id := range m.MediaIDs {
		if id == "gone" {
			return nil, &media.Failure{Reason: gateway.InvalidMessage, Text: "a file is gone"}
		}
		if id == "away" {
			return nil, errors.New("disk on fire")
		}
		file, err := os.CreateTemp(r.folder, "")
		if err == nil {
			_, err = file.WriteString(id)
		}
		if err != nil {
			return nil, err
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
	in := &media.Incoming{Size: int64(len(content)), Head: content}
	copy(in.Content[:], content)
	return in, nil
}

func (r *rig) keepFiles(_ context.Context, owner gateway.AccountID, files []media.Addition) (ids []gateway.ID, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, file := range files {
		if strings.Contains(string(file.Head), "no room") {
			return nil, gateway.Errorf(gateway.Invalid, "no room")
		}
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

// message is an MMS with files that are their own names.
func message(text string, files ...string) *gateway.Message {
	return &gateway.Message{ID: gateway.ID{9}, Service: gateway.MMS, From: ours, To: theirs, Text: text, MediaIDs: files, Units: 1}
}

// send submits a message and waits for what becomes of it.
func (r *rig) send(m *gateway.Message) gateway.Outcome {
	r.t.Helper()
	return <-r.begin(m)
}

func (r *rig) begin(m *gateway.Message) <-chan gateway.Outcome {
	outcome := make(chan gateway.Outcome, 1)
	r.Submit(gateway.Part{Message: m, Number: 1, Total: 1}, func(o gateway.Outcome) { outcome <- o })
	return outcome
}

// await waits until a condition holds, which some goroutine brings about.
func (r *rig) await(what string, condition func() bool) {
	r.t.Helper()
	deadline := time.Now().Add(30 * time.Second)
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

// up runs the carrier and waits until the MMSC is reached.
func (r *rig) up() *rig {
	r.t.Helper()
	r.start()
	r.await("the MMSC", func() bool { return r.Places() > 0 })
	return r
}
