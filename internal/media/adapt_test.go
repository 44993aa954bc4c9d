package media

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"pgregory.net/rapid"

	"github.com/heliograph/heliograph/internal/gateway"
)

// keep keeps a file of a type for an account.
func (s *shelf) keep(owner gateway.AccountID, content []byte, name, mediaType string) gateway.Medium {
	s.t.Helper()
	in, err := s.Receive(bytes.NewReader(content), mostSource+1)
	if err != nil {
		s.t.Fatal(err)
	}
	defer in.Discard()
	list, err := s.Add(s.t.Context(), owner, []Addition{{in, s.ids.Next(s.time), name, mediaType}})
	if err != nil {
		s.t.Fatal(err)
	}
	return list[0]
}

// content reads a file and closes it.
func (s *shelf) content(file *File) []byte {
	s.t.Helper()
	content, err := io.ReadAll(file)
	if err = errors.Join(err, file.Close()); err != nil || int64(len(content)) != file.Size {
		s.t.Errorf("%d octets of %d: %v", len(content), file.Size, err)
	}
	return content
}

// made are the names in the folder of what was adapted.
func (s *shelf) made() []string {
	return slices.DeleteFunc(s.names(), func(name string) bool { return !strings.HasPrefix(name, adaptedFolderName) })
}

// TestAdapted: what was made is found again, after a restart too, and leaves with its source.
func TestAdapted(t *testing.T) {
	s := newShelf(t)
	m := s.keep(account, pngFile(photo(200, 150)), "sun.png", typePNG)
	limits := Limits{MaxBytes: 5000}
	adapted := func() []byte {
		t.Helper()
		file, err := s.Adapted(t.Context(), &m, limits)
		if err != nil {
			t.Fatal(err)
		}
		if file.Name != "sun.jpg" || file.Type != typeJPEG {
			t.Errorf("%s, %s", file.Name, file.Type)
		}
		content := s.content(file)
		checkFits(t, content, file.Type, limits)
		return content
	}
	first := adapted()
	made := s.made()
	if len(made) != 1 {
		t.Fatalf("made: %v", made)
	}
	path := s.dir + "/" + made[0]
	if err := os.WriteFile(path, append(first, "again"...), 0o600); err != nil { // so that it can be told from one that is made anew
		t.Fatal(err)
	}
	s.open()
	if again := adapted(); !bytes.HasSuffix(again, []byte("again")) {
		t.Error("it was made again")
	}
	s.time = m.ExpiresAt
	if _, err := s.expire(t.Context()); err != nil {
		t.Fatal(err)
	}
	if left := s.names(); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
	if _, err := s.Adapted(t.Context(), &m, limits); err == nil || err.Error() != "the file of a medium is not there any more" {
		t.Errorf("of a source that is gone: %v", err)
	}
}

// TestAdaptedIsWhatItWas: a file that needs nothing is not there twice, and one that cannot be sent is looked at once.
func TestAdaptedIsWhatItWas(t *testing.T) {
	s := newShelf(t)
	p, err := inspect(jpegFile(photo(60, 40), 80, 1), typeJPEG)
	if err != nil {
		t.Fatal(err)
	}
	damaged := p.clean[:len(p.clean)-9]
	for _, test := range []struct {
		content         []byte
		name, mediaType string
		limits          Limits
		size            int
		text            string
		reason          gateway.Reason
	}{
		{p.clean, "a.jpg", typeJPEG, Limits{}, len(p.clean), "", 0},
		{damaged, "b.jpg", typeJPEG, Limits{}, 0, "the picture is damaged: it ends too early", gateway.InvalidMessage},
		{p.clean, "a.jpg", typeJPEG, Limits{MaxBytes: 50}, 0, "the picture cannot be made smaller than 50 octets", gateway.MediaTooLarge},
		{[]byte(vcard), "a.vcf", "text/vcard", Limits{MaxBytes: 1000}, len(vcard), "", 0},
		{[]byte(vcard), "a.vcf", "text/vcard", Limits{MaxBytes: 10}, 0, "the file has 49 octets, and 10 can be sent; only pictures are made smaller", gateway.MediaTooLarge},
		{[]byte(vcard), "a.vcf", "text/vcard", Limits{Types: []string{typeJPEG}}, 0, "the carrier takes no files of type text/vcard", gateway.InvalidMessage},
		{make([]byte, mostSource+1), "c.gif", typeGIF, Limits{}, 0, "the picture has 20971521 octets, and more than 20971520 are not made smaller", gateway.MediaTooLarge},
	} {
		m := s.keep(account, test.content, test.name, test.mediaType)
		for range 2 {
			file, err := s.Adapted(t.Context(), &m, test.limits)
			var failure *Failure
			switch {
			case test.text == "" && err != nil, test.text != "" && (!errors.As(err, &failure) || failure.Text != test.text || failure.Reason != test.reason):
				t.Errorf("%s: %+v", test.name, err)
			case err == nil && (file.Name != test.name || file.Type != test.mediaType || len(s.content(file)) != test.size):
				t.Errorf("%s: %+v", test.name, file)
			}
		}
	}
	for _, name := range s.made() {
		if info, err := os.Stat(s.dir + "/" + name); err != nil || info.Size() > 100 {
			t.Errorf("%s has %d octets, %v", name, info.Size(), err)
		}
	}
}

// TestAdaptedOnce: for many messages at a time it is made once, and who is given up does not spoil it for the others.
func TestAdaptedOnce(t *testing.T) {
	s := newShelf(t)
	m := s.keep(account, jpegFile(photo(300, 200), 95, 1), "a.jpg", typeJPEG)
	leave, err := s.adapter.places.enter(t.Context(), claim{nil, s.adapter.workers, s.adapter.workers}) // all who work are busy
	if err != nil {
		t.Fatal(err)
	}
	ctx, giveUp := context.WithCancel(t.Context())
	giveUp()
	if _, err := s.Adapted(ctx, &m, Limits{MaxBytes: 9000}); !errors.Is(err, context.Canceled) {
		t.Errorf("given up: %v", err)
	}
	var all sync.WaitGroup
	contents := make([][]byte, 20)
	for i := range contents {
		all.Go(func() {
			file, err := s.Adapted(t.Context(), &m, Limits{MaxBytes: 9000})
			if err != nil {
				t.Error(err)
				return
			}
			contents[i] = s.content(file)
		})
	}
	leave()
	all.Wait()
	for _, content := range contents {
		if !bytes.Equal(content, contents[0]) {
			t.Error("it was made twice")
		}
	}
	if made := s.made(); len(made) != 1 || len(s.adapter.places.taken)+len(s.adapter.memory.taken) != 0 {
		t.Errorf("made %v; %v is taken", made, s.adapter.memory.taken)
	}
}

// TestAdaptedIsBounded: one source does not fill the disk with what is made of it, and what nobody names goes with the sweep.
func TestAdaptedIsBounded(t *testing.T) {
	s := newShelf(t)
	m := s.keep(account, jpegFile(photo(60, 40), 80, 1), "a.jpg", typeJPEG)
	for i := range mostAdapted + 5 {
		file, err := s.Adapted(t.Context(), &m, Limits{MaxBytes: int64(5000 + i)})
		if err != nil {
			t.Fatal(err)
		}
		_ = s.content(file)
	}
	if n := len(s.made()); n != mostAdapted {
		t.Errorf("%d are kept", n)
	}
	older := s.adapter.folder.of(m.Content) + "/0-abc.jpg"
	if err := os.WriteFile(older, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := s.sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := len(s.made()); n != mostAdapted {
		t.Errorf("%d are kept after a sweep", n)
	}
	s.index.rows = nil // and a crash before the file went
	if err := s.files.remove(m.Content); err != nil {
		t.Fatal(err)
	}
	if err := s.sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if left := s.names(); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
}

// TestAdaptMessage: the files of a message fit together, and small ones leave their share to the others.
func TestAdaptMessage(t *testing.T) {
	s := newShelf(t)
	list := []gateway.Medium{
		s.keep(account, []byte(vcard), "a.vcf", "text/vcard"),
		s.keep(account, jpegFile(photo(400, 300), 90, 1), "a.jpg", typeJPEG),
		s.keep(account, jpegFile(photo(40, 30), 90, 1), "b.jpg", typeJPEG),
		s.keep(account, jpegFile(photo(500, 300), 90, 6), "c.jpg", typeJPEG),
		s.keep(account, film(100, 80, 9, false), "d.gif", typeGIF),
	}
	for _, test := range []struct {
		total, each int64
		text        string
	}{
		{5e6, 0, ""},
		{5e6, 20e3, ""},
		{60e3, 0, ""},
		{60e3, 30e3, ""},
		{20e3, 15e3, ""},
		{60, 0, "can be sent"},
		{3000, 0, "can be sent"},
	} {
		files, err := s.AdaptMessage(t.Context(), list, MessageLimits{test.total, Limits{MaxBytes: test.each}})
		if (err == nil) != (test.text == "") || err != nil && !strings.Contains(err.Error(), test.text) {
			t.Fatalf("%+v: %v", test, err)
		}
		total := int64(0)
		for i, file := range files {
			total += file.Size
			if test.each > 0 && file.Size > test.each {
				t.Errorf("%+v: %s has %d", test, list[i].Name, file.Size)
			}
			_ = s.content(file)
		}
		if err == nil && (len(files) != len(list) || total > test.total || total < min(test.total, 90e3)/2) {
			t.Errorf("%+v: %d files of %d octets", test, len(files), total)
		}
	}
}

func TestDivide(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sizes := rapid.SliceOfN(rapid.Int64Range(1, 100_000), 1, 10).Draw(t, "sizes")
		list := make([]gateway.Medium, len(sizes))
		fixed, least := int64(0), int64(0)
		for i := range list {
			list[i].Type = rapid.SampledFrom([]string{typeJPEG, "video/mp4"}).Draw(t, "type")
			if isPicture(list[i].Type) {
				least += shareStep
			} else {
				fixed += sizes[i]
			}
		}
		total := rapid.Int64Range(1, 500_000).Draw(t, "total")
		shares := make([]int64, len(sizes))
		ok := divide(shares, total, sizes, list)
		if !ok && total >= fixed+least || ok && total < fixed {
			t.Fatalf("%v: %v of %d", ok, sizes, total)
		}
		used := int64(0)
		for i, share := range shares {
			if share > 0 && (!isPicture(list[i].Type) || share >= sizes[i]) {
				t.Errorf("%d has the share %d", sizes[i], share)
			}
			if share == 0 {
				share = sizes[i]
			}
			used += share
		}
		if ok && used > total {
			t.Errorf("%d of %d: %v of %v", used, total, shares, sizes)
		}
	})
}

// TestGate: there is never more inside than there is room for, and in order nobody is passed.
func TestGate(t *testing.T) {
	for _, inOrder := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			g := gate{inOrder: inOrder}
			first, _ := g.enter(t.Context(), claim{"a", 2, 3})
			in := 0
			var all sync.WaitGroup
			enter := func(ctx context.Context, amount int64) {
				all.Go(func() {
					if leave, err := g.enter(ctx, claim{"a", amount, 3}); err == nil {
						in++
						leave()
					}
				})
				synctest.Wait()
			}
			ctx, giveUp := context.WithCancel(t.Context())
			enter(ctx, 3)
			enter(t.Context(), 1)
			if passed := in == 1; passed == inOrder {
				t.Errorf("in order %v: passed %v", inOrder, passed)
			}
			giveUp() // which lets in who is behind
			synctest.Wait()
			enter(ctx, 1)
			if in != 1 {
				t.Errorf("in order %v: %d were in", inOrder, in)
			}
			enter(t.Context(), 3)
			first()
			all.Wait()
			if in != 2 || len(g.taken) != 0 || len(g.waiting) != 0 {
				t.Errorf("%d were in, %v is taken, %d wait", in, g.taken, len(g.waiting))
			}
		})
	}
}

// TestAdaptedTakesTurns: the pictures of one account are not all before that of another.
func TestAdaptedTakesTurns(t *testing.T) {
	s := newShelf(t)
	own := s.keep(account, jpegFile(photo(60, 40), 80, 1), "a.jpg", typeJPEG)
	other := s.keep("MATWOTWOTWOTWOTWOTWO", jpegFile(photo(50, 40), 80, 1), "a.jpg", typeJPEG)
	s.adapter.workers = accountAdapts + 1
	leave, err := s.adapter.places.enter(t.Context(), claim{nil, accountAdapts, s.adapter.workers}, claim{account, accountAdapts, accountAdapts})
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for i := range 5 {
		all.Go(func() {
			file, err := s.Adapted(t.Context(), &own, Limits{MaxBytes: int64(5000 + i)})
			if err != nil {
				t.Error(err)
				return
			}
			_ = s.content(file)
		})
	}
	file, err := s.Adapted(t.Context(), &other, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	_ = s.content(file)
	leave()
	all.Wait()
}
