package media

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
)

// preparer makes a preparer whose addresses lead to what found has; carriers named "small" take 4 kB. Calls wait for each other up to gather at a time.
func (s *shelf) preparer(found map[string]gateway.Medium, failing map[string]error, gather int) *Preparer {
	var together sync.WaitGroup
	together.Add(gather)
	return NewPreparer(PreparerConfig{
		Library: s.Library, Most: 200_000, Log: slog.New(slog.DiscardHandler),
		Fetch: func(_ context.Context, owner gateway.AccountID, address string, end time.Time) (gateway.Medium, error) {
			if hidden := address == "hidden"; hidden != end.Equal(begin.Add(time.Hour)) {
				s.t.Errorf("%s is kept until %s", address, end)
			}
			if owner != account {
				s.t.Errorf("fetched for %s", owner)
			}
			if gather > 0 {
				together.Done()
				together.Wait()
			}
			return found[address], failing[address]
		},
		Limits: func(carrier string) (MessageLimits, bool) { return MessageLimits{MaxBytes: 4000}, carrier == "small" },
	})
}

// TestPrepare: what a message names comes first, what its addresses lead to after it, fetched side by side; and all is made for the carrier by then.
func TestPrepare(t *testing.T) {
	s := newShelf(t)
	picture := jpegFile(photo(300, 300), 95, 1)
	named := s.keep(account, picture, "a.jpg", "image/jpeg")
	text := s.add("text")
	other := s.add("other")
	m := &gateway.Message{Account: account, Carrier: "small", AcceptedAt: begin, MediaIDs: []string{named.ID.String()}, MediaURLs: []string{"http://b", "http://a"}}
	p := s.preparer(map[string]gateway.Medium{"http://a": text, "http://b": other}, nil, 2)
	got := p.Prepare(t.Context(), m)
	if !slices.Equal(got.Media, []gateway.ID{named.ID, other.ID, text.ID}) || got.Failure != 0 || !got.Due.IsZero() {
		t.Fatalf("prepared: %+v", got)
	}
	made := s.made()
	if len(made) != 1 {
		t.Fatalf("made: %v", made)
	}
	m.MediaIDs = gateway.IDTexts(got.Media)
	files, err := s.Attached(t.Context(), m, MessageLimits{MaxBytes: 4000})
	if err != nil || len(files) != 3 || files[0].Size > 4000 || files[0].Type != "image/jpeg" {
		t.Fatalf("%d files, %v", len(files), err)
	}
	if err := closeAll(files); err != nil {
		t.Error(err)
	}
	if again := s.made(); !slices.Equal(made, again) {
		t.Errorf("made anew: %v", again)
	}
	if m.Carrier = "large"; p.Prepare(t.Context(), &gateway.Message{Account: account, MediaIDs: m.MediaIDs[:1]}).Failure != 0 || len(s.made()) != 1 {
		t.Error("adapted for a carrier that takes all")
	}
}

// TestPrepareFails: what fails for good ends the message, with a sentence; what may pass is looked for again, less and less often.
func TestPrepareFails(t *testing.T) {
	s := newShelf(t)
	large, gone := failuref(gateway.MediaTooLarge, "it is large"), temporaryf("it is away")
	gone.After = 40 * time.Second
	failing := map[string]error{"large": large, "gone": gone, "away": temporaryf("it is away"), "store": errors.New("disk on fire")}
	text, picture := s.add("x"), s.keep(account, append(jpegFile(photo(60, 60), 90, 1)[:200], "cut"...), "a.jpg", "image/jpeg")
	huge := text
	huge.Size = 200_000
	p := s.preparer(map[string]gateway.Medium{"huge": huge, "text": text, "broken": picture}, failing, 0)
	for _, test := range []struct {
		urls, ids []string
		age       time.Duration
		failure   gateway.Reason
		due       time.Duration
		detail    string
	}{
		{urls: []string{"away", "large"}, failure: gateway.MediaTooLarge, detail: "it is large"},
		{urls: []string{"huge", "text"}, failure: gateway.MediaTooLarge, detail: "200001 octets together"},
		{urls: []string{"broken"}, failure: gateway.InvalidMessage, detail: "picture"},
		{ids: []string{"019cb73d-0000-7000-8000-00000000dead"}, failure: gateway.InvalidMessage, detail: "not there any more"},
		{urls: []string{"away"}, due: 10 * time.Second, detail: "it is away"},
		{urls: []string{"text", "away"}, age: time.Minute, due: time.Minute, detail: "it is away"},
		{urls: []string{"away"}, age: time.Hour, due: 10 * time.Minute, detail: "it is away"},
		{urls: []string{"gone"}, due: 40 * time.Second, detail: "it is away"},
		{urls: []string{"store"}, due: 10 * time.Second, detail: "for the moment"},
	} {
		m := &gateway.Message{Account: account, Carrier: "small", MediaURLs: test.urls, MediaIDs: test.ids, AcceptedAt: begin.Add(-test.age)}
		got := p.Prepare(t.Context(), m)
		due := time.Time{}
		if test.due > 0 {
			due = begin.Add(test.due)
		}
		if got.Failure != test.failure || !got.Due.Equal(due) || !strings.Contains(got.Detail, test.detail) || strings.Contains(got.Detail, "fire") || got.Media != nil {
			t.Errorf("%v %v: %+v", test.urls, test.ids, got)
		}
	}
	m := &gateway.Message{Account: "MATWOTWOTWOTWOTWOTWO", MediaIDs: []string{text.ID.String()}}
	if got := p.Prepare(t.Context(), m); got.Failure != gateway.InvalidMessage {
		t.Errorf("another's file: %+v", got)
	}
	if _, err := s.Attached(t.Context(), m, MessageLimits{}); !errors.Is(err, errGone) {
		t.Errorf("another's file: %v", err)
	}
}

// TestPrepareHidden: the files of a message that hides its contents are kept for less long, those that it names and those that are fetched.
func TestPrepareHidden(t *testing.T) {
	s := newShelf(t)
	named, fetched := s.add("named"), s.add("fetched")
	p := s.preparer(map[string]gateway.Medium{"hidden": fetched}, nil, 0)
	m := &gateway.Message{
		Account: account, Log: gateway.LogNothing, AcceptedAt: begin, ExpiresAt: begin.Add(time.Hour), MediaIDs: []string{named.ID.String()}, MediaURLs: []string{"hidden"},
	}
	if got := p.Prepare(t.Context(), m); len(got.Media) != 2 {
		t.Fatalf("prepared: %+v", got)
	}
	if row := s.index.rows[0]; row.UsedAt.IsZero() || row.ExpiresAt.After(begin.Add(48*time.Hour)) {
		t.Errorf("what it names is kept until %s", row.ExpiresAt)
	}
}
