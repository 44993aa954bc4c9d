package media

import (
	"cmp"
	"context"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/heliograph/heliograph/internal/gateway"
)

// adaptedVersion is of the way that pictures are adapted. What another version made is not used, and goes with the next sweep.
const adaptedVersion = "1"

// mostAdapted is how many adapted files there are of one source: the oldest makes room.
const mostAdapted = 32

const adaptedFolderName = "adapted"

// adaptedFolder keeps what was made of contents: adapted/ab/ab12…/1-key.jpg, by source, version and limits. It is a cache: what is not there is made
// anew. What is there is whole: it was flushed before it got its name.
type adaptedFolder struct {
	dir      string
	incoming string // for what is still being written; it is emptied at every start
}

// adapted is what became of a source: nothing but what it was, another file, or no file at all.
type adapted struct {
	asIs      bool
	mediaType string
	reason    gateway.Reason
	failure   string
}

// Extensions of what is no file of a type.
const (
	asIsExtension    = ".as-is"
	failureExtension = ".failed-"
)

func (f adaptedFolder) open() error { return os.MkdirAll(f.dir, 0o700) }

func (f adaptedFolder) of(content gateway.Content) string {
	return filepath.Join(f.dir, hex.EncodeToString(content[:1]), content.String())
}

func (f adaptedFolder) path(key adaptKey, a adapted) string {
	extension := asIsExtension
	switch {
	case a.failure != "":
		extension = failureExtension + strconv.Itoa(int(a.reason))
	case !a.asIs:
		extension = kindOf(a.mediaType).extensions[0]
	}
	return filepath.Join(f.of(key.content), adaptedVersion+"-"+key.limits+extension)
}

// find gives what was made before; the zero value: nothing was.
func (f adaptedFolder) find(key adaptKey) (adapted, error) {
	entries, err := os.ReadDir(f.of(key.content))
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			err = nil
		}
		return adapted{}, err
	}
	for _, entry := range entries {
		extension, ok := strings.CutPrefix(entry.Name(), adaptedVersion+"-"+key.limits)
		if !ok {
			continue
		}
		if extension == asIsExtension {
			return adapted{asIs: true}, nil
		}
		if number, failed := strings.CutPrefix(extension, failureExtension); failed {
			return f.failure(key, number)
		}
		for i := range kinds {
			if slices.Contains(kinds[i].extensions, extension) {
				return adapted{mediaType: kinds[i].name}, nil
			}
		}
	}
	return adapted{}, nil
}

func (f adaptedFolder) failure(key adaptKey, number string) (adapted, error) {
	reason, err := strconv.ParseUint(number, 10, 8)
	if err != nil {
		return adapted{}, nil
	}
	a := adapted{reason: gateway.Reason(reason), failure: "?"}
	text, err := os.ReadFile(f.path(key, a))
	a.failure = cmp.Or(string(text), a.failure)
	return a, err
}

func (f adaptedFolder) openFile(key adaptKey, a adapted) (*os.File, error) {
	return os.Open(f.path(key, a))
}

// place puts what was made where find finds it.
func (f adaptedFolder) place(key adaptKey, a adapted, content []byte) error {
	folder := f.of(key.content)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	if err := f.makeRoom(folder); err != nil {
		return err
	}
	if a.failure != "" {
		content = []byte(a.failure)
	}
	file, err := os.CreateTemp(f.incoming, "")
	if err != nil {
		return err
	}
	_, err = file.Write(content)
	err = errors.Join(err, file.Sync(), file.Close())
	if err == nil {
		err = os.Rename(file.Name(), f.path(key, a))
	}
	if err != nil {
		_ = os.Remove(file.Name()) // else it goes at the next start
	}
	return err
}

// makeRoom removes the oldest of a source's files when there are many.
func (f adaptedFolder) makeRoom(folder string) error {
	entries, err := os.ReadDir(folder)
	if err != nil || len(entries) < mostAdapted {
		return err
	}
	var oldest fs.FileInfo
	for _, entry := range entries {
		info, err := entry.Info()
		if err == nil && (oldest == nil || info.ModTime().Before(oldest.ModTime())) {
			oldest = info
		}
	}
	if oldest == nil {
		return nil
	}
	return removeIfThere(filepath.Join(folder, oldest.Name()))
}

// remove takes away all that was made of a source.
func (f adaptedFolder) remove(content gateway.Content) error { return os.RemoveAll(f.of(content)) }

// walk calls fn for every source of which something is there, and removes what another version made.
func (f adaptedFolder) walk(ctx context.Context, fn func(gateway.Content) error) error {
	return walkContents(ctx, f.dir, func(content gateway.Content) error { return errors.Join(f.clean(content), fn(content)) })
}

// clean removes what another version made of a source.
func (f adaptedFolder) clean(content gateway.Content) error {
	entries, err := os.ReadDir(f.of(content))
	for _, entry := range entries {
		if !strings.HasPrefix(entry.Name(), adaptedVersion+"-") {
			err = errors.Join(err, removeIfThere(filepath.Join(f.of(content), entry.Name())))
		}
	}
	return err
}
