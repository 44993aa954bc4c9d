package mms

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/heliograph/heliograph/internal/media"
)

// onDisk gives a file with a content.
func onDisk(t *testing.T, name, mediaType, content string) *media.File {
	t.Helper()
	at := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(at, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	file, err := os.Open(at)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = file.Close() })
	return &media.File{ReadSeekCloser: file, ReaderAt: file, Name: name, Type: mediaType, Size: int64(len(content))}
}

func contentOf(t *testing.T, part Part) string {
	t.Helper()
	content, err := part.Open()
	if err != nil {
		t.Fatal(err)
	}
	octets, err := io.ReadAll(content)
	if err != nil || content.Close() != nil {
		t.Fatal(err)
	}
	if part.Size != int64(len(octets)) {
		t.Errorf("%s has %d octets, not %d", part.Name, len(octets), part.Size)
	}
	return string(octets)
}

// TestParts: SMIL comes first and shows the rest; names are ours; a part that is read gives all of it to who reads it besides, or again.
func TestParts(t *testing.T) {
	parts := Parts("Grüße", []*media.File{
		onDisk(t, "a picture.JPG", "image/jpeg", "one"), onDisk(t, "a picture.JPG", "image/jpeg", "two"), onDisk(t, "x.m\"p\r\n4", "video/mp4", "three"),
	})
	var list []string
	for _, part := range parts[1:] {
		list = append(list, part.Type+" "+part.Charset+" "+part.Name+" "+contentOf(t, part))
	}
	want := "text/plain utf-8 text.txt Grüße|image/jpeg  file1.jpg one|image/jpeg  file2.jpg two|video/mp4  file3 three"
	if got := strings.Join(list, "|"); got != want {
		t.Errorf("%s", got)
	}
	smil := parts[0]
	if got := slideShow(t, []byte(contentOf(t, smil))); smil.Type != "application/smil" || smil.Name != "message.smil" ||
		got != "[ img:file1.jpg text:text.txt ][ img:file2.jpg ][ video:file3 ]" {
		t.Errorf("%+v: %s", smil, got)
	}
	first, err := parts[2].Open()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(first, make([]byte, 2)); err != nil || contentOf(t, parts[2]) != "one" {
		t.Errorf("a second reader disturbs the first: %v", err)
	}
	if rest, err := io.ReadAll(first); err != nil || string(rest) != "e" {
		t.Errorf("%q, %v", rest, err)
	}
	if alone := Parts("", nil); len(alone) != 1 || contentOf(t, alone[0]) == "" {
		t.Errorf("%d parts of nothing", len(alone))
	}
}
