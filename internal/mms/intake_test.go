package mms

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
	"github.com/heliograph/heliograph/internal/media"
	"github.com/heliograph/heliograph/internal/trouble"
)

const (
	number  = "14155550100"
	account = gateway.AccountID("MAONEONEONEONEONEONE")
	picture = "\xff\xd8\xff\xe0\x00\x10JFIF and so on"
)

// rig is an intake, and what it was given and gave.
type rig struct {
	*Intake
	said   bytes.Buffer
	kept   []media.Addition
	parts  []gateway.InboundPart
	keep   error // of the files
	answer error // to parts
	ids    byte
}

func newRig(mostFile int64) *rig {
	r := &rig{}
	ends := Ends{
		Whose: func(n string) (gateway.AccountID, bool) { return account, n == number || n == "55500" },
		Receive: func(body io.Reader, most int64) (*media.Incoming, error) {
			content, err := io.ReadAll(io.LimitReader(body, most+1))
			if err == nil && int64(len(content)) > most {
				err = media.ErrTooLarge
			}
			return &media.Incoming{Size: int64(len(content)), Head: content}, err
		},
		Keep: func(_ context.Context, _ gateway.AccountID, files []media.Addition) (ids []gateway.ID, _ error) {
			for _, file := range files {
				r.kept = append(r.kept, file)
				ids = append(ids, file.ID)
			}
			return ids, r.keep
		},
		NewID:  func() gateway.ID { r.ids++; return gateway.ID{r.ids} },
		OnPart: func(part gateway.InboundPart, done func(error)) { r.parts = append(r.parts, part); done(r.answer) },
	}
	r.Intake = NewIntake(ends, mostFile, trouble.New(slog.New(slog.NewTextHandler(&r.said, nil)), time.Now, time.Minute))
	return r
}

func incoming(mediaType, name, content string) Incoming {
	return Incoming{
		Type: mediaType, Name: name, Location: "location.jpg", Body: strings.NewReader(content),
		Text: func(octets []byte) string { return strings.TrimSpace(string(octets)) },
	}
}

// TestTake: texts are joined, SMIL is dropped, what is a file is one, and what is not taken is left out.
func TestTake(t *testing.T) {
	r := newRig(100_000)
	var a Arrival
	for _, part := range []Incoming{
		incoming("application/smil", "", "<smil/>"), incoming("application/smil+xml", "", "<smil/>"), incoming("text/plain", "", "one"),
		incoming("image/jpeg", "sun.jpg", picture), incoming("text/plain", "", " "), incoming("text/plain", "", "two"),
		incoming("image/jpeg", "", picture), incoming("text/html", "c.html", "<html>"), incoming("image/gif", "empty.gif", ""),
		incoming("text/plain", "long.txt", strings.Repeat("long ", 10_000)),
	} {
		if err := r.Take(&a, part); err != nil {
			t.Fatalf("%+v: %v", part, err)
		}
	}
	if a.Text() != "one\ntwo" {
		t.Errorf("the text is %q", a.Text())
	}
	var files []string
	for _, file := range a.Files {
		files = append(files, file.Name+" "+file.Type)
	}
	if want := []string{"sun.jpg image/jpeg", "location.jpg image/jpeg", "long.txt text/plain"}; !slices.Equal(files, want) || a.Files[2].Size != 50_000 {
		t.Errorf("files: %q", files)
	}
	if got := r.Counts(); got.FilesDropped != 2 || strings.Count(r.said.String(), "are left out") != 2 {
		t.Errorf("%+v; said:\n%s", got, &r.said)
	}
	a.Discard()
}

// TestTakeFails: what cannot be read, or is too large, ends the message.
func TestTakeFails(t *testing.T) {
	r := newRig(1000)
	broken := errors.New("the connection broke")
	for _, test := range []struct {
		part Incoming
		want error
	}{
		{incoming("image/jpeg", "", picture+strings.Repeat("x", 1000)), media.ErrTooLarge},
		{incoming("text/plain", "", strings.Repeat("x", 20_000)), media.ErrTooLarge},
		{Incoming{Type: "text/plain", Body: io.MultiReader(strings.NewReader("x"), failing{broken})}, broken},
		{Incoming{Type: "image/jpeg", Body: failing{broken}}, broken},
	} {
		var a Arrival
		if err := r.Take(&a, test.part); !errors.Is(err, test.want) || len(a.Files) > 0 || a.Text() != "" {
			t.Errorf("%s: %v, %+v", test.part.Type, err, a)
		}
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// TestOwner: a number of ours may come without its country code.
func TestOwner(t *testing.T) {
	r := newRig(0)
	for written, want := range map[string]string{
		number: number, "+" + number: number, number[1:]: number, "+" + number[1:]: "", "55500": "55500", "14159990000": "", "4159990000": "", "ABCDEFGHIJ": "",
	} {
		digits, _ := Number(written)
		party, _ := Party(written)
		rented, owner, ok := r.Owner(digits, party)
		if ok != (want != "") || ok && (rented != want || owner != account) {
			t.Errorf("%s: %s, %s, %v", written, rented, owner, ok)
		}
	}
}

// TestHand: what becomes of a message, and what is counted. Each time its files are kept under names of their own.
func TestHand(t *testing.T) {
	r := newRig(1000)
	var a Arrival
	if err := r.Take(&a, incoming("image/jpeg", "sun.jpg", picture)); err != nil {
		t.Fatal(err)
	}
	disk := errors.New("disk full")
	for n, test := range []struct {
		name         string
		identity     byte
		keep, answer error
		fate         Fate
		err          error
	}{
		{"no room", 1, disk, nil, 0, disk},
		{"full disk", 1, nil, disk, 0, disk},
		{"no account", 1, nil, gateway.Errorf(gateway.NotFound, "nobody's"), Unowned, nil},
		{"taken", 1, nil, nil, Taken, nil},
		{"again", 1, disk, disk, Repeated, nil},
		{"another", 2, nil, nil, Taken, nil},
	} {
		r.keep, r.answer = test.keep, test.answer
		part := gateway.InboundPart{To: number, At: time.Unix(1e9, 0), Identity: gateway.PartIdentity{Digest: [16]byte{test.identity}}}
		if fate, err := r.Hand(t.Context(), account, part, a.Files); fate != test.fate || !errors.Is(err, test.err) {
			t.Errorf("%d, %s: %v, %v", n, test.name, fate, err)
		}
	}
	last := r.parts[len(r.parts)-1]
	if len(r.parts) != 4 || len(r.kept) != 5 || r.ids != 5 || !slices.Equal(last.Media, []gateway.ID{{5}}) || !a.Files[0].ID.IsZero() {
		t.Errorf("%d parts, %d files, the last %v", len(r.parts), len(r.kept), last.Media)
	}
	if got, want := r.Counts(), (Counts{Taken: 2, Repeated: 1, FilesTaken: 2}); got != want {
		t.Errorf("%+v", got)
	}
}

// TestHandWaits: nobody hears that a message is taken before it is, nor waits longer than there is time.
func TestHandWaits(t *testing.T) {
	r := newRig(0)
	ctx, cancel := context.WithCancel(t.Context())
	r.ends.OnPart = func(gateway.InboundPart, func(error)) { cancel() }
	part := gateway.InboundPart{To: number, At: time.Unix(1e9, 0), Identity: gateway.PartIdentity{Digest: [16]byte{1}}}
	if fate, err := r.Hand(ctx, account, part, nil); fate != 0 || !errors.Is(err, context.Canceled) {
		t.Errorf("%v, %v", fate, err)
	}
	if got := r.Counts(); got != (Counts{}) {
		t.Errorf("%+v", got)
	}
}

// TestUnready: files that are gone are the message's fault, those that cannot be read the disk's.
func TestUnready(t *testing.T) {
	r := newRig(0)
	stopped, stop := context.WithCancel(t.Context())
	stop()
	failure := &media.Failure{Reason: gateway.InvalidMessage, Text: "a file is gone"}
	for _, test := range []struct {
		ctx  context.Context
		err  error
		want gateway.Outcome
	}{
		{t.Context(), failure, gateway.Outcome{Status: gateway.Rejected, Reason: gateway.InvalidMessage, Detail: "a file is gone"}},
		{stopped, context.Canceled, gateway.Outcome{Status: gateway.NotSent, Detail: "the carrier has stopped"}},
		{t.Context(), os.ErrPermission, gateway.Outcome{Status: gateway.Deferred, Detail: "its files cannot be read"}},
		{t.Context(), &media.Failure{Temporary: true}, gateway.Outcome{Status: gateway.Deferred, Detail: "its files cannot be read"}},
	} {
		if got := Unready(test.ctx, test.err, r.troubles); got != test.want {
			t.Errorf("%v: %+v", test.err, got)
		}
	}
	if strings.Count(r.said.String(), "cannot be read") != 2 {
		t.Errorf("said:\n%s", &r.said)
	}
}

// TestEnds: one that is not connected is not fit for use.
func TestEnds(t *testing.T) {
	ends := newRig(0).ends
	if err := ends.Check(); err == nil {
		t.Error("nothing is said of files and receipts")
	}
	ends.Files = func(context.Context, *gateway.Message) ([]*media.File, error) { return nil, nil }
	disk := errors.New("disk full")
	ends.OnReceipt = func(receipt gateway.Receipt, done func(error)) {
		if receipt.CarrierID == "lost" {
			done(disk)
			return
		}
		done(nil)
	}
	if err := ends.Check(); err != nil {
		t.Error(err)
	}
	if err := ends.Record(t.Context(), gateway.Receipt{}); err != nil {
		t.Error(err)
	}
	if err := ends.Record(t.Context(), gateway.Receipt{CarrierID: "lost"}); !errors.Is(err, disk) {
		t.Error(err)
	}
}
