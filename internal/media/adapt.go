package media

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/heliograph/heliograph/internal/gateway"
)

// DefaultDecoding is how much memory decoding pictures takes at most, when nothing else was set.
const DefaultDecoding int64 = 64 << 20

// accountAdapts is how many pictures of an account are adapted or wait for memory at a time: those of others wait for no more than these.
const accountAdapts = 2

// adapter is what a library adapts pictures with.
type adapter struct {
	folder  adaptedFolder
	flights flights[adaptKey, adapted]
	places  gate // of a processor and of the account
	memory  gate // of decoding
	workers int64
	budget  int64
}

// openAdapter opens what is adapted of the contents of a folder.
func openAdapter(dir string, budget int64) (*adapter, error) {
	if budget <= 0 {
		budget = DefaultDecoding
	}
	// Half of the processors, so that messages go on while pictures are drawn.
	folder := adaptedFolder{filepath.Join(dir, adaptedFolderName), filepath.Join(dir, incomingFolder)}
	a := &adapter{folder: folder, workers: int64(runtime.GOMAXPROCS(0)+1) / 2, budget: budget}
	a.memory.inOrder = true
	return a, a.folder.open()
}

// adaptKey names what is made once: of a content, for limits.
type adaptKey struct {
	content gateway.Content
	limits  string
}

// key is the limits as a name: hexadecimal, and the same for the same limits. The budget is in it because what it made fail may pass with another.
func (l *Limits) key(mediaType string, budget int64) string {
	types := slices.Sorted(slices.Values(l.Types))
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %d %d %d %d %q", mediaType, budget, l.bytes(), max(l.MaxWidth, 0), max(l.MaxHeight, 0), types))
	return hex.EncodeToString(sum[:12])
}

// File is a file as it can be sent. It is closed by whoever got it.
type File struct {
	io.ReadSeekCloser
	io.ReaderAt
	Name string
	Type string
	Size int64
}

// Adapted gives a medium as it fits the limits. A picture has no metadata any more, and is made smaller if need be: once for all messages. What cannot
// fit is a *Failure, with MediaTooLarge if it is for its size; other errors are that of ctx, and those of the disk, which may pass.
func (l *Library) Adapted(ctx context.Context, m *gateway.Medium, limits Limits) (*File, error) {
	if !isPicture(m.Type) {
		return l.whole(m, limits)
	}
	if m.Size > mostSource {
		return nil, failuref(gateway.MediaTooLarge, "the picture has %d octets, and more than %d are not made smaller", m.Size, mostSource)
	}
	key := adaptKey{m.Content, limits.key(m.Type, l.adapter.budget)}
	for {
		found, err := l.adapter.folder.find(key)
		if err != nil {
			return nil, l.diskError(err)
		}
		if found == (adapted{}) {
			found, err = l.adapter.flights.do(ctx, key, func() (adapted, error) { return l.adapt(ctx, m, limits, key) })
		}
		if err != nil {
			return nil, err
		}
		file, err := l.open(m, key, found)
		if !errors.Is(err, fs.ErrNotExist) { // else it has just made room for others
			return file, err
		}
	}
}

// open opens what was made of a medium.
func (l *Library) open(m *gateway.Medium, key adaptKey, found adapted) (*File, error) {
	switch {
	case found.failure != "":
		return nil, failuref(found.reason, "%s", found.failure)
	case found.asIs:
		return l.source(m)
	}
	file, err := l.adapter.folder.openFile(key, found)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, err
	case err != nil:
		return nil, l.diskError(err)
	}
	return adaptedFile(file, m, found.mediaType)
}

// whole gives a medium that cannot be adapted.
func (l *Library) whole(m *gateway.Medium, limits Limits) (*File, error) {
	switch {
	case !limits.takes(m.Type):
		return nil, failuref(gateway.InvalidMessage, "the carrier takes no files of type %s", m.Type)
	case limits.MaxBytes > 0 && m.Size > limits.MaxBytes:
		return nil, failuref(gateway.MediaTooLarge, "the file has %d octets, and %d can be sent; only pictures are made smaller", m.Size, limits.MaxBytes)
	}
	return l.source(m)
}

func (l *Library) source(m *gateway.Medium) (*File, error) {
	file, err := l.files.open(m.Content)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, failuref(gateway.InvalidMessage, "the file of a medium is not there any more")
	}
	if err != nil {
		return nil, l.diskError(err)
	}
	return adaptedFile(file, m, m.Type)
}

func adaptedFile(file *os.File, m *gateway.Medium, mediaType string) (*File, error) {
	info, err := file.Stat()
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return &File{file, file, adaptedName(m, mediaType), mediaType, info.Size()}, nil
}

// adaptedName is the name of a medium, with the extension of what it has become.
func adaptedName(m *gateway.Medium, mediaType string) string {
	extensions := kindOf(mediaType).extensions
	extension := path.Ext(m.Name)
	if mediaType == m.Type || len(extensions) == 0 || slices.Contains(extensions, strings.ToLower(extension)) {
		return m.Name
	}
	return CleanName(strings.TrimSuffix(m.Name, extension) + extensions[0])
}

// adapt makes what is not there yet, and puts it into the folder. What cannot be made is remembered too.
func (l *Library) adapt(ctx context.Context, m *gateway.Medium, limits Limits, key adaptKey) (adapted, error) {
	leave, err := l.adapter.places.enter(ctx, claim{nil, 1, l.adapter.workers}, claim{m.Account, 1, accountAdapts})
	if err != nil {
		return adapted{}, err
	}
	defer leave()
	if found, err := l.adapter.folder.find(key); err == nil && found != (adapted{}) { // by one who was here just before
		return found, nil
	}
	source, err := l.read(m)
	if err != nil {
		return adapted{}, err
	}
	content, made, err := l.adapter.make(ctx, source, m.Type, &limits)
	var failure *Failure
	if errors.As(err, &failure) {
		made, err = adapted{reason: failure.Reason, failure: failure.Text}, nil
	}
	if err != nil {
		return adapted{}, err
	}
	// As Add does: nobody removes the source meanwhile. Should it be gone already, the next sweep finds what is left of it.
	l.placing.RLock()
	defer l.placing.RUnlock()
	if err := l.adapter.folder.place(key, made, content); err != nil {
		return adapted{}, l.diskError(err)
	}
	return made, nil
}

func (l *Library) read(m *gateway.Medium) ([]byte, error) {
	file, err := l.source(m)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	source := make([]byte, file.Size)
	if _, err := io.ReadFull(file, source); err != nil {
		return nil, l.diskError(err)
	}
	return source, nil
}

// make adapts a file. The content is nil when the file can be sent as it is.
func (a *adapter) make(ctx context.Context, source []byte, mediaType string, limits *Limits) ([]byte, adapted, error) {
	p, err := inspect(source, mediaType)
	if err != nil {
		return nil, adapted{}, err
	}
	if p.fits(limits) {
		if bytes.Equal(p.clean, source) {
			return nil, adapted{asIs: true}, nil
		}
		return p.clean, adapted{mediaType: p.kind}, nil
	}
	need := p.claim(limits)
	if need > a.budget {
		return nil, adapted{}, tooManyPixels()
	}
	leave, err := a.memory.enter(ctx, claim{nil, need, a.budget})
	if err != nil {
		return nil, adapted{}, err
	}
	defer leave()
	content, made, err := p.adapt(ctx, limits)
	return content, adapted{mediaType: made}, err
}
