package media

import (
	"context"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync/atomic"

	"github.com/heliograph/heliograph/internal/gateway"
)

// files is the folder of contents: ab/ab12…, by the hexadecimal SHA-256 of what is in them, and incoming/ for those that are still being written.
// A name that is there is whole and durable: it was flushed before it got its name, and its folder after.
type files struct {
	dir string
	// made says which folders of contents are there, durably. They are made when they are needed.
	made *[folderCount]atomic.Bool
}

const folderCount = 256

const incomingFolder = "incoming"

// openFiles opens the folder, and makes it when it is not there. What an earlier process was still writing is removed: nobody was told of it.
func openFiles(dir string) (files, error) {
	f := files{dir, &[folderCount]atomic.Bool{}}
	if err := os.RemoveAll(f.incoming()); err != nil {
		return f, err
	}
	if err := os.MkdirAll(f.incoming(), 0o700); err != nil {
		return f, err
	}
	return f, errors.Join(syncFolder(dir), syncFolder(filepath.Dir(dir)))
}

func (f files) incoming() string { return filepath.Join(f.dir, incomingFolder) }

// folder is where the contents lie that begin with an octet.
func (f files) folder(first byte) string { return folderOf(f.dir, first) }

// makeFolder sees to it that a folder is there, durably.
func (f files) makeFolder(first byte) error {
	if f.made[first].Load() {
		return nil
	}
	if err := os.Mkdir(f.folder(first), 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	if err := syncFolder(f.dir); err != nil {
		return err
	}
	f.made[first].Store(true)
	return nil
}

func (f files) path(content gateway.Content) string {
	return filepath.Join(f.folder(content[0]), content.String())
}

// place gives a file that came in its name, durably. A content that is there already stays as it is.
func (f files) place(in *Incoming) error {
	if err := f.makeFolder(in.Content[0]); err != nil {
		return err
	}
	path := f.path(in.Content)
	if info, err := os.Stat(path); err != nil || info.Size() != in.Size {
		if err := os.Rename(in.path, path); err != nil {
			return err
		}
	}
	return syncFolder(filepath.Dir(path)) // also when it is there: whoever placed it may not have come so far
}

func (f files) open(content gateway.Content) (*os.File, error) { return os.Open(f.path(content)) }

// remove takes a content away. One that is not there is no error.
func (f files) remove(content gateway.Content) error { return removeIfThere(f.path(content)) }

func removeIfThere(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// walk calls fn for every content that is there, until fn fails or ctx ends.
func (f files) walk(ctx context.Context, fn func(gateway.Content) error) error {
	return walkContents(ctx, f.dir, fn)
}

// folderOf is the folder in another one of the contents that begin with an octet.
func folderOf(dir string, first byte) string {
	return filepath.Join(dir, hex.EncodeToString([]byte{first}))
}

// walkContents calls fn for every content that has its place in a folder, as ab/ab12…, until fn fails or ctx ends. What else lies there is none of our
// business.
func walkContents(ctx context.Context, dir string, fn func(gateway.Content) error) error {
	for first := range folderCount {
		entries, err := os.ReadDir(folderOf(dir, byte(first)))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		for _, entry := range entries {
			if err := ctx.Err(); err != nil {
				return err
			}
			content, ok := contentOf(entry.Name())
			if !ok || content[0] != byte(first) || content.String() != entry.Name() {
				continue
			}
			if err := fn(content); err != nil {
				return err
			}
		}
	}
	return nil
}

func contentOf(name string) (content gateway.Content, ok bool) {
	octets, err := hex.DecodeString(name)
	if err != nil || len(octets) != len(content) {
		return content, false
	}
	return gateway.Content(octets), true
}

// syncFolder makes the names in a folder durable.
func syncFolder(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
