package sqlite

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/heliograph/heliograph/internal/gateway"
)

// remains counts how often a text stands in the store's files.
func remains(t *testing.T, dir, text string) (n int) {
	t.Helper()
	for _, name := range []string{FileName, FileName + "-wal", FileName + "-journal"} {
		content, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
		n += bytes.Count(content, []byte(text))
	}
	return n
}

// scrubbed scrubs and fails the test unless that is done.
func scrubbed(t *testing.T, s *Store) {
	t.Helper()
	if done, err := s.Scrub(context.Background()); err != nil || !done {
		t.Fatalf("scrub: %v, %v", done, err)
	}
}

// Contents of the test: what must not remain, and what must.
const (
	secret = "the secret that nobody may read afterwards"
	plain  = "a text that may be read"
)

// lives are messages whose contents must not be logged, among others whose may; every third has media whose addresses need pages of their own.
func lives(ids *gateway.IDSource, n int) []*gateway.Message {
	now := time.Now()
	list := make([]*gateway.Message, n)
	for i := range list {
		m := &gateway.Message{
			ID: ids.Next(now), Account: benchAccount, Service: gateway.SMS, From: "14155550100", To: fmt.Sprintf("1415222%04d", i), Country: "US",
			Text: plain, Units: 1, Carrier: "main", AcceptedAt: now, ExpiresAt: now.Add(time.Hour),
		}
		if i%2 == 0 {
			m.Log, m.Text = gateway.LogNothing, strings.Repeat(secret+" ", 1+i%20)
			if i%4 == 0 {
				m.Log = gateway.LogNumberOnly
			}
		}
		if i%6 == 0 {
			m.Service = gateway.MMS
			for len(m.MediaURLs) < 10 {
				m.MediaURLs = append(m.MediaURLs, "https://media.example/"+strings.Repeat(strings.ReplaceAll(secret, " ", "-"), 40))
			}
			m.MediaIDs = []string{strings.ReplaceAll(secret, " ", "_")}
		}
		m.Start(now)
		list[i] = m
	}
	return list
}

// TestContentsAreGoneFromTheFiles: texts and media that are not to be logged are on disk while they wait, through deferrals that move rows about and
// checkpoints that carry them into the database; when their messages have ended and the log was scrubbed, nothing of them is left in any file.
func TestContentsAreGoneFromTheFiles(t *testing.T) {
	dir, ctx := t.TempDir(), context.Background()
	s := openIn(t, dir, slog.New(slog.DiscardHandler))
	defer func() { must(t, s.Close()) }()
	must(t, s.CreateAccount(ctx, gateway.Account{ID: benchAccount, Token: secretToken}))
	counter := uint64(0)
	ids := &gateway.IDSource{Entropy: func() uint64 { counter++; return counter * 0x9e3779b97f4a7c15 }}
	messages := lives(ids, 1200)
	for chunk := 0; chunk < len(messages); chunk += 50 {
		_, err := s.InsertMessages(ctx, []*gateway.Submission{{Account: benchAccount, Messages: messages[chunk : chunk+50], At: time.Now()}})
		must(t, err)
	}
	scrubbed(t, s)
	if remains(t, dir, secret) == 0 || remains(t, dir, "secret-that-nobody") == 0 {
		t.Fatal("the contents were never in the files: the test sees nothing")
	}
	record := func(result gateway.SubmitRecord, from, step int) {
		var batch []*gateway.SubmitRecord
		for i := from; i < len(messages); i += step {
			r := result
			r.Message, r.Total, r.At = messages[i], 1, time.Now()
			if r.Results != nil {
				r.Results = []gateway.PartResult{{Number: 1, Outcome: gateway.Outcome{
					Status: gateway.Accepted, CarrierID: fmt.Sprintf("%040d", i),
				}, At: r.At}}
			}
			batch = append(batch, &r)
		}
		for records := range slices.Chunk(batch, 20) {
			_, err := s.RecordSubmits(ctx, records)
			must(t, err)
		}
	}
	for round := range 3 { // rows grow in place, and those beside them are moved
		record(gateway.SubmitRecord{Due: time.Now().Add(time.Duration(round+1) * time.Hour)}, round, 5)
		scrubbed(t, s)
	}
	record(gateway.SubmitRecord{Failure: gateway.Expired}, 0, 7)
	record(gateway.SubmitRecord{Results: make([]gateway.PartResult, 1)}, 0, 1)
	if remains(t, dir, secret) == 0 {
		t.Error("nothing is left for Scrub to do")
	}
	scrubbed(t, s)
	for _, text := range []string{secret, "secret-that-nobody", "secret_that_nobody"} {
		if n := remains(t, dir, text); n > 0 {
			t.Errorf("%q stands %d times in the files", text, n)
		}
	}
	if remains(t, dir, plain) < len(messages)/2 {
		t.Error("contents that may be logged are gone too")
	}

	for more := true; more; { // their time comes as well
		var err error
		if more, err = s.Purge(ctx, gateway.Retention{Texts: time.Now().Add(time.Second)}); err != nil {
			t.Fatal(err)
		}
	}
	scrubbed(t, s)
	if n := remains(t, dir, plain); n > 0 {
		t.Errorf("texts that retention removed stand %d times in the files", n)
	}
}

// TestForgottenMediaAreGoneFromTheFiles: media that an account deletes from its message are in no file either.
func TestForgottenMediaAreGoneFromTheFiles(t *testing.T) {
	dir, ctx := t.TempDir(), context.Background()
	s := openIn(t, dir, slog.New(slog.DiscardHandler))
	defer func() { must(t, s.Close()) }()
	must(t, s.CreateAccount(ctx, gateway.Account{ID: benchAccount, Token: secretToken}))
	m := lives(&gateway.IDSource{Entropy: func() uint64 { return 1 }}, 1)[0]
	m.Log, m.Text = gateway.LogAll, ""
	_, err := s.InsertMessages(ctx, []*gateway.Submission{{Account: benchAccount, Messages: []*gateway.Message{m}, At: time.Now()}})
	must(t, err)
	_, err = s.RecordSubmits(ctx, []*gateway.SubmitRecord{{Message: m, Total: 1, At: time.Now(), Failure: gateway.Expired}})
	must(t, err)
	scrubbed(t, s)
	if remains(t, dir, "secret-that-nobody") == 0 {
		t.Fatal("the addresses were never in the files: the test sees nothing")
	}
	must(t, s.ForgetMedia(ctx, benchAccount, m.ID))
	scrubbed(t, s)
	if n := remains(t, dir, "secret-that-nobody") + remains(t, dir, "secret_that_nobody"); n > 0 {
		t.Errorf("media that were deleted stand %d times in the files", n)
	}
}

// TestScrubLeavesReadersAlone: it does not wait for a reader that is in the way, and does its work when that is gone.
func TestScrubLeavesReadersAlone(t *testing.T) {
	s, ctx := openTest(t), context.Background()
	must(t, s.Check(ctx))
	err := s.snapshot(ctx, func(conn *sqlite.Conn) error {
		q := prepare(conn, "SELECT count(*) FROM settings")
		must(t, q.run())
		must(t, s.Check(ctx)) // the log goes on behind what the reader sees
		if done, err := s.Scrub(ctx); done || err != nil {
			t.Errorf("scrub beside a reader: %v, %v", done, err)
		}
		return s.Check(ctx)
	})
	must(t, err)
	scrubbed(t, s)
	if stats, err := s.Stats(); err != nil || stats.Log != 0 {
		t.Errorf("the log has %d octets, %v", stats.Log, err)
	}
	must(t, s.Check(ctx))
	scrubbed(t, s) // nothing was removed: nothing is done
	if stats, err := s.Stats(); err != nil || stats.Log == 0 {
		t.Errorf("the log has %d octets, %v", stats.Log, err)
	}
}

// TestScrubUnderLoad: while others read and write without a pause, the log is emptied all the same, and nobody's work fails.
func TestScrubUnderLoad(t *testing.T) {
	s, ctx := openTest(t), context.Background()
	l := newLife("")
	stop := make(chan struct{})
	var others sync.WaitGroup
	for range 3 {
		others.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if _, err := s.Lanes(ctx); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	others.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
			}
			if _, err := s.InsertMessages(ctx, l.submissions(20)); err != nil {
				t.Error(err)
				return
			}
		}
	})
	for range 5 {
		must(t, s.own(ctx, func(w *writer) error { w.removed++; return nil }))
		for done := false; !done; {
			var err error
			if done, err = s.Scrub(ctx); err != nil {
				t.Fatal(err)
			}
		}
	}
	close(stop)
	others.Wait()
}
