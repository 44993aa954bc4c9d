package media

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/heliograph/heliograph/internal/gateway"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestAdd(t *testing.T) {
	s := newShelf(t)
	in := s.receive("hello")
	if in.Size != 5 || string(in.Head) != "hello" || in.Content != sha256.Sum256([]byte("hello")) {
		t.Errorf("came in as %+v", in)
	}
	in.Discard()
	if left := s.names(); len(left) != 0 {
		t.Errorf("a discarded file leaves %v", left)
	}
	first, second, other := s.add("hello"), s.add("hello"), s.add("other")
	want := gateway.Medium{
		ID: first.ID, Account: account, Content: sha256.Sum256([]byte("hello")), Name: "a.txt", Type: "text/plain", Size: 5,
		CreatedAt: begin, ExpiresAt: begin.Add(DefaultUnused),
	}
	if first != want || second.ID == first.ID || second.Content != first.Content {
		t.Errorf("kept as %+v and %+v", first, second)
	}
	s.open()
	for content, want := range map[gateway.Content]string{first.Content: "hello", other.Content: "other"} {
		if got, ok := s.read(content); !ok || got != want {
			t.Errorf("%s: %q, %v", content, got, ok)
		}
	}
	if files := s.names(); len(files) != 2 || files[0][:3] != files[0][3:5]+"/" {
		t.Errorf("two contents in %v", files)
	}
}

// TestHead: the head is the first octets, however they come.
func TestHead(t *testing.T) {
	s := newShelf(t)
	long := strings.Repeat("0123456789", 1000)
	for _, r := range []io.Reader{strings.NewReader(long), iotest.OneByteReader(strings.NewReader(long)), iotest.DataErrReader(strings.NewReader(long))} {
		in, err := s.Receive(r, int64(len(long)))
		if err != nil || string(in.Head) != long[:headLength] || in.Size != int64(len(long)) {
			t.Fatalf("%d octets of head, %d in all, %v", len(in.Head), in.Size, err)
		}
		in.Discard()
	}
}

// TestReceiveRefuses: nothing is left of what does not come in whole, and no more of it is read than needed.
func TestReceiveRefuses(t *testing.T) {
	s := newShelf(t)
	broken := errors.New("the line is dead")
	read := int64(0)
	endless := readerFunc(func(p []byte) (int, error) { read += int64(len(p)); return len(p), nil })
	for _, test := range []struct {
		from io.Reader
		want error
	}{
		{strings.NewReader(strings.Repeat("x", 101)), ErrTooLarge},
		{endless, ErrTooLarge},
		{io.MultiReader(strings.NewReader("half"), iotest.ErrReader(broken)), broken},
		{iotest.TimeoutReader(iotest.OneByteReader(strings.NewReader("half"))), iotest.ErrTimeout},
	} {
		in, err := s.Receive(test.from, 100)
		if in != nil || !errors.Is(err, test.want) {
			t.Errorf("%v, %v, want %v", in, err, test.want)
		}
	}
	if read != 101 {
		t.Errorf("%d octets of a stream without end were read", read)
	}
	if left := s.names(); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
	if in, err := s.Receive(strings.NewReader(strings.Repeat("x", 100)), 100); err != nil || in.Size != 100 {
		t.Errorf("as large as may be: %v", err)
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// TestDisk: a disk that takes nothing is said to be one, and no rows are stored.
func TestDisk(t *testing.T) {
	s := newShelf(t)
	in := s.receive("hello")
	if err := os.WriteFile(s.files.folder(in.Content[0]), nil, 0o600); err != nil { // where a folder is to be
		t.Fatal(err)
	}
	unavailable := func(err error) {
		t.Helper()
		var refusal *gateway.Error
		if !errors.As(err, &refusal) || refusal.Code != gateway.Unavailable {
			t.Errorf("got %v", err)
		}
	}
	_, err := s.Add(t.Context(), account, []Addition{{in, s.ids.Next(begin), "a.txt", "text/plain"}})
	unavailable(err)
	if err := os.RemoveAll(s.files.incoming()); err != nil {
		t.Fatal(err)
	}
	_, err = s.Receive(strings.NewReader("hello"), 100)
	unavailable(err)
	if len(s.index.rows) != 0 || strings.Count(s.log.String(), "a media file cannot be stored") != 2 {
		t.Errorf("%d rows; the log: %s", len(s.index.rows), s.log)
	}
	if _, err := Open(Config{Dir: filepath.Join(s.files.folder(in.Content[0]), "x")}); err == nil {
		t.Error("a library in a file")
	}
}

// TestAddNothing: rows that cannot be stored leave a file that nobody names, which the next sweep removes.
func TestAddNothing(t *testing.T) {
	s := newShelf(t)
	if list, err := s.Add(t.Context(), account, nil); list != nil || err != nil {
		t.Errorf("%v, %v", list, err)
	}
	add := func() error {
		in := s.receive("hello")
		defer in.Discard()
		_, err := s.Add(t.Context(), account, []Addition{{in, s.ids.Next(begin), "a.txt", "text/plain"}})
		return err
	}
	s.index.full = errors.New("no")
	if err := add(); !errors.Is(err, s.index.full) {
		t.Errorf("kept without a row: %v", err)
	}
	s.index.err = errors.New("no")
	if err := add(); !errors.Is(err, s.index.err) {
		t.Errorf("kept without a look at the rows: %v", err)
	}
	if err := s.sweep(t.Context()); err == nil || len(s.names()) != 1 {
		t.Errorf("without the rows a sweep leaves %v, %v", s.names(), err)
	}
	s.index.err = nil
	if err := s.sweep(t.Context()); err != nil || len(s.names()) != 0 {
		t.Errorf("a sweep leaves %v, %v", s.names(), err)
	}
}

// TestRoom: an account keeps no more than it has room for; others have theirs.
func TestRoom(t *testing.T) {
	s := newShelf(t)
	s.room = 11
	first := s.add("12345")
	s.add("12345") // the same content: the account asked for it twice
	add := func(owner gateway.AccountID, content string) error {
		in := s.receive(content)
		defer in.Discard()
		_, err := s.Add(t.Context(), owner, []Addition{{in, s.ids.Next(s.time), "a.txt", "text/plain"}})
		return err
	}
	var refusal *gateway.Error
	if err := add(account, "12"); !errors.As(err, &refusal) || refusal.Code != gateway.Invalid || len(s.index.rows) != 2 {
		t.Errorf("more than there is room for: %v", err)
	}
	if err := errors.Join(add(account, "1"), add("MATWOTWOTWOTWOTWOTWO", "12345678901")); err != nil {
		t.Error(err)
	}
	s.time = first.ExpiresAt // what has expired takes up none
	if err := add(account, "12345678901"); err != nil {
		t.Error(err)
	}
}

// TestCrash: what a crash leaves behind at any moment is either whole or goes.
func TestCrash(t *testing.T) {
	s := newShelf(t)
	kept := s.add("kept")
	s.receive("came in") // and was never heard of again
	placed := s.receive("placed")
	if err := s.files.place(placed); err != nil { // before its row was stored
		t.Fatal(err)
	}
	expired := s.add("expired")
	s.time = s.time.Add(time.Minute)
	s.index.rows[1].ExpiresAt = s.time
	if _, _, err := s.index.ExpireMedia(t.Context(), s.time); err != nil { // before its file was removed
		t.Fatal(err)
	}
	strange := filepath.Join(s.dir, "00", "notes.txt")
	if err := errors.Join(os.MkdirAll(filepath.Dir(strange), 0o700), os.WriteFile(strange, []byte("mine"), 0o600)); err != nil {
		t.Fatal(err)
	}
	s.open()
	if left, _ := os.ReadDir(s.files.incoming()); len(left) != 0 {
		t.Errorf("after the start %d files are still coming in", len(left))
	}
	if err := s.sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	for content, want := range map[gateway.Content]bool{kept.Content: true, placed.Content: false, expired.Content: false} {
		if _, ok := s.read(content); ok != want {
			t.Errorf("%s is there: %v", content, ok)
		}
	}
	if _, err := os.Stat(strange); err != nil {
		t.Errorf("what is not ours: %v", err)
	}
}

// TestExpire: a content goes with its last row.
func TestExpire(t *testing.T) {
	s := newShelf(t)
	a, b, c := s.add("same"), s.add("same"), s.add("other")
	used, err := s.Use(t.Context(), account, []gateway.ID{b.ID})
	if err != nil || len(used) != 1 || used[0].ID != b.ID {
		t.Fatalf("%v, %v", used, err)
	}
	expire := func() {
		t.Helper()
		for more := true; more; {
			var err error
			if more, err = s.expire(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	there := func(content gateway.Content, want bool) {
		t.Helper()
		if _, ok := s.read(content); ok != want {
			t.Errorf("%s is there: %v", content, ok)
		}
	}
	s.time = a.ExpiresAt.Add(-time.Second)
	expire()
	there(a.Content, true)
	there(c.Content, true)
	s.time = a.ExpiresAt
	expire()
	there(a.Content, true) // b still names it
	there(c.Content, false)
	s.time = begin.Add(DefaultUsed)
	expire()
	there(a.Content, false)
	if _, err := s.Use(t.Context(), account, []gateway.ID{b.ID}); err == nil {
		t.Error("an expired medium is used")
	}
	s.index.err = errors.New("no")
	if _, err := s.expire(t.Context()); err == nil {
		t.Error("a failure of the rows is not told")
	}
	if _, err := s.Use(t.Context(), account, []gateway.ID{b.ID}); err == nil {
		t.Error("a failure of the rows is not told")
	}
}

// TestUseUntil: what only messages name that hide it is gone a day and some hours after the last of them; any other use keeps it as ever, be it before or
// after.
func TestUseUntil(t *testing.T) {
	for name, test := range map[string]struct {
		uses func(s *shelf, id gateway.ID)
		want time.Duration // it is there before, and not any more then
	}{
		"hidden":         {func(s *shelf, id gateway.ID) { s.use(id, time.Hour) }, time.Hour + hiddenMost},
		"hidden twice":   {func(s *shelf, id gateway.ID) { s.use(id, time.Hour); s.use(id, 3*time.Hour) }, time.Hour + hiddenMost},
		"hidden, longer": {func(s *shelf, id gateway.ID) { s.use(id, time.Hour); s.use(id, 8*time.Hour) }, 8*time.Hour + hiddenMost},
		"used before":    {func(s *shelf, id gateway.ID) { s.use(id, 0); s.use(id, time.Hour) }, DefaultUsed},
		"used after":     {func(s *shelf, id gateway.ID) { s.use(id, time.Hour); s.use(id, 0) }, DefaultUsed},
	} {
		s := newShelf(t)
		m := s.add(name)
		test.uses(s, m.ID)
		there := func(want bool) {
			t.Helper()
			if _, err := s.expire(t.Context()); err != nil {
				t.Fatal(err)
			}
			if _, ok := s.read(m.Content); ok != want {
				t.Errorf("%s: it is there %v after it came: %v", name, s.time.Sub(begin), ok)
			}
		}
		s.time = begin.Add(test.want - time.Second)
		there(true)
		s.time = begin.Add(test.want)
		there(false)
	}
}

// use notes a use for a message that hides the medium until some time after it is sent, or for one that does not.
func (s *shelf) use(id gateway.ID, until time.Duration) {
	s.t.Helper()
	end := time.Time{}
	if until > 0 {
		end = begin.Add(until)
	}
	if list, err := s.UseUntil(s.t.Context(), account, []gateway.ID{id}, end); err != nil || len(list) != 1 {
		s.t.Fatalf("%v, %v", list, err)
	}
}

// TestUploadWhileItGoes: a content whose last row has just gone comes again at that moment.
func TestUploadWhileItGoes(t *testing.T) {
	s := newShelf(t)
	first := s.add("same")
	s.time = first.ExpiresAt
	s.index.expired = func() {
		s.index.expired = nil
		s.add("same")
	}
	if _, err := s.expire(t.Context()); err != nil {
		t.Fatal(err)
	}
	if text, ok := s.read(first.Content); !ok || text != "same" {
		t.Error("the file of a row is gone")
	}
}

// TestUploadsAndRemovals: at any time, every row has its file.
func TestUploadsAndRemovals(t *testing.T) {
	s := newShelf(t)
	s.unused = time.Nanosecond // so that all expires at once
	var adding, removing sync.WaitGroup
	var mu sync.Mutex // of the ids
	done := make(chan struct{})
	removing.Go(func() {
		for {
			select {
			case <-done:
				return
			default:
			}
			s.index.mu.Lock()
			for i := range s.index.rows { // some expire, some not yet
				if i%2 == 0 {
					s.index.rows[i].ExpiresAt = begin
				}
			}
			s.index.mu.Unlock()
			if _, err := s.expire(context.Background()); err != nil {
				t.Error(err)
			}
			if err := s.sweep(context.Background()); err != nil {
				t.Error(err)
			}
		}
	})
	for range 4 {
		adding.Go(func() {
			for i := range 25 {
				in, err := s.Receive(strings.NewReader(fmt.Sprint("content ", i%3)), 100)
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				id := s.ids.Next(begin)
				mu.Unlock()
				if _, err := s.Add(context.Background(), account, []Addition{{in, id, "a.txt", "text/plain"}}); err != nil {
					t.Error(err)
				}
				in.Discard()
			}
		})
	}
	adding.Wait()
	close(done)
	removing.Wait()
	var want []string
	for _, m := range s.index.rows {
		if _, ok := s.read(m.Content); !ok {
			t.Errorf("the file of %s is gone", m.ID)
		}
		if name := m.Content.String(); !slices.Contains(want, name[:2]+"/"+name) {
			want = append(want, name[:2]+"/"+name)
		}
	}
	if err := s.sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	slices.Sort(want)
	if got := s.names(); !slices.Equal(got, want) {
		t.Errorf("files %v, want %v", got, want)
	}
}

// TestRun: what a crash left goes at the start, what expires within some minutes, and a failure is no end.
func TestRun(t *testing.T) {
	s := newShelf(t)
	if err := s.files.place(s.receive("orphan")); err != nil {
		t.Fatal(err)
	}
	var media []gateway.Medium
	for i := range 2*expireBatch + 1 {
		media = append(media, s.add(fmt.Sprint(i)))
	}
	synctest.Test(t, func(t *testing.T) {
		started := time.Now()
		s.now = func() time.Time { return begin.Add(time.Since(started)) }
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- s.Run(ctx) }()
		synctest.Wait()
		if n := s.index.count(); n != len(media) {
			t.Errorf("%d rows at the start", n)
		}
		for _, name := range s.names() {
			if strings.Contains(name, fmt.Sprintf("%x", sha256.Sum256([]byte("orphan")))) {
				t.Error("the orphan is still there")
			}
		}
		s.index.fail(errors.New("no"))
		time.Sleep(2 * expireEvery)
		s.index.fail(nil)
		time.Sleep(DefaultUnused - 3*expireEvery)
		if n := s.index.count(); n != len(media) {
			t.Errorf("%d rows before they expire", n)
		}
		time.Sleep(3 * expireEvery)
		if n := s.index.count(); n != 0 {
			t.Errorf("%d rows after they expired", n)
		}
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	if left := s.names(); slices.ContainsFunc(left, func(name string) bool { return !strings.HasPrefix(name, incomingFolder) }) {
		t.Errorf("left: %v", left)
	}
	if !strings.Contains(s.log.String(), "expired media cannot be removed") {
		t.Errorf("the log: %s", s.log)
	}
}
