package media

import (
	"bytes"
	"cmp"
	"context"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
)

const account gateway.AccountID = "MAONEONEONEONEONEONE"

var begin = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)

// fakeIndex keeps rows in memory. It holds to what Index's comments say.
type fakeIndex struct {
	mu   sync.Mutex
	rows []gateway.Medium
	err  error // every method fails with it
	full error // CreateMedia fails with it

	expired func() // called after rows were removed, before anybody hears of it
}

func (x *fakeIndex) CreateMedia(_ context.Context, list []gateway.Medium) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	if err := cmp.Or(x.err, x.full); err != nil {
		return err
	}
	x.rows = append(x.rows, list...)
	return nil
}

func (x *fakeIndex) count() int {
	x.mu.Lock()
	defer x.mu.Unlock()
	return len(x.rows)
}

// fail makes every method fail.
func (x *fakeIndex) fail(err error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.err = err
}

func (x *fakeIndex) find(id gateway.ID, at time.Time) *gateway.Medium {
	for i := range x.rows {
		if m := &x.rows[i]; m.ID == id && m.ExpiresAt.After(at) {
			return m
		}
	}
	return nil
}

func (x *fakeIndex) AnyMedium(_ context.Context, id gateway.ID, at time.Time) (gateway.Medium, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.err != nil {
		return gateway.Medium{}, x.err
	}
	if m := x.find(id, at); m != nil {
		return *m, nil
	}
	return gateway.Medium{}, gateway.Errorf(gateway.NotFound, "medium %s not found", id)
}

func (x *fakeIndex) MediaByID(_ context.Context, owner gateway.AccountID, ids []gateway.ID, at time.Time) (list []gateway.Medium, err error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, id := range ids {
		if m := x.find(id, at); m != nil && m.Account == owner {
			list = append(list, *m)
		}
	}
	return list, x.err
}

func (x *fakeIndex) UseMedia(_ context.Context, owner gateway.AccountID, ids []gateway.ID, at, until time.Time) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, id := range ids {
		if m := x.find(id, at); m == nil || m.Account != owner {
			return gateway.Errorf(gateway.NotFound, "medium %s not found", id)
		}
	}
	for _, id := range ids {
		m := x.find(id, at)
		if m.UsedAt.IsZero() {
			m.UsedAt = at
		}
		if m.ExpiresAt.Before(until) {
			m.ExpiresAt = until
		}
	}
	return x.err
}

func (x *fakeIndex) MediaSize(_ context.Context, owner gateway.AccountID, at time.Time) (size int64, err error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, m := range x.rows {
		if m.Account == owner && m.ExpiresAt.After(at) {
			size += m.Size
		}
	}
	return size, x.err
}

// expireBatch is how many rows one step removes.
const expireBatch = 2

func (x *fakeIndex) ExpireMedia(_ context.Context, before time.Time) (orphans []gateway.Content, more bool, err error) {
	x.mu.Lock()
	var gone []gateway.Content
	x.rows = slices.DeleteFunc(x.rows, func(m gateway.Medium) bool {
		if m.ExpiresAt.After(before) || len(gone) == expireBatch || x.err != nil {
			return false
		}
		gone = append(gone, m.Content)
		return true
	})
	for _, content := range gone {
		if !x.names(content) && !slices.Contains(orphans, content) {
			orphans = append(orphans, content)
		}
	}
	expired, err := x.expired, x.err
	x.mu.Unlock()
	if expired != nil {
		expired()
	}
	return orphans, len(gone) == expireBatch, err
}

func (x *fakeIndex) names(content gateway.Content) bool {
	return slices.ContainsFunc(x.rows, func(m gateway.Medium) bool { return m.Content == content })
}

func (x *fakeIndex) ContentNamed(_ context.Context, content gateway.Content) (bool, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.names(content), x.err
}

// shelf is a library over a fake index, with a clock.
type shelf struct {
	*Library
	t     testing.TB
	index *fakeIndex
	dir   string
	log   *bytes.Buffer
	time  time.Time
	ids   gateway.IDSource
}

func newShelf(t testing.TB) *shelf {
	t.Helper()
	s := &shelf{t: t, index: &fakeIndex{}, dir: filepath.Join(t.TempDir(), "media"), log: &bytes.Buffer{}, time: begin}
	n := uint64(0)
	s.ids.Entropy = func() uint64 { n++; return n }
	s.open()
	return s
}

// open opens the library, again after what may have been a crash.
func (s *shelf) open() {
	s.t.Helper()
	links, err := NewLinks([32]byte{7}, 0)
	if err != nil {
		s.t.Fatal(err)
	}
	s.Library, err = Open(Config{
		Dir: s.dir, Index: s.index, Links: links, Now: func() time.Time { return s.time }, Log: slog.New(slog.NewTextHandler(s.log, nil)),
	})
	if err != nil {
		s.t.Fatal(err)
	}
}

// receive takes in a file that must come in.
func (s *shelf) receive(content string) *Incoming {
	s.t.Helper()
	in, err := s.Receive(strings.NewReader(content), 1<<20)
	if err != nil {
		s.t.Fatal(err)
	}
	return in
}

// add keeps a file.
func (s *shelf) add(content string) gateway.Medium {
	s.t.Helper()
	in := s.receive(content)
	defer in.Discard()
	list, err := s.Add(s.t.Context(), account, []Addition{{in, s.ids.Next(s.time), "a.txt", "text/plain"}})
	if err != nil || len(list) != 1 {
		s.t.Fatalf("%d media, %v", len(list), err)
	}
	return list[0]
}

// read gives what is kept of a content; ok is false when there is nothing.
func (s *shelf) read(content gateway.Content) (text string, ok bool) {
	s.t.Helper()
	file, err := s.files.open(content)
	if os.IsNotExist(err) {
		return "", false
	}
	if err != nil {
		s.t.Fatal(err)
	}
	defer file.Close()
	all, err := io.ReadAll(file)
	if err != nil {
		s.t.Fatal(err)
	}
	return string(all), true
}

// names are those of all files in the library's folder.
func (s *shelf) names() (list []string) {
	s.t.Helper()
	err := filepath.WalkDir(s.dir, func(path string, entry os.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			name, _ := filepath.Rel(s.dir, path)
			list = append(list, name)
		}
		return err
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return list
}
