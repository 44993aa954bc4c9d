package media

import (
	"crypto/sha256"
	"errors"
	"io"
	"os"

	"github.com/heliograph/heliograph/internal/gateway"
)

// Refusals of what comes in. An error of the reader is given as it is.
var (
	ErrTooLarge = gateway.Errorf(gateway.Invalid, "the file is too large")
	errDisk     = gateway.Errorf(gateway.Unavailable, "the file cannot be stored at the moment; nothing was done, try again later")
)

// headLength is how much of a file tells its type.
const headLength = 3072

// Incoming is a file that has come in and that no row names yet. Whoever received it discards it when all is done, whatever became of it.
type Incoming struct {
	Content gateway.Content
	Size    int64
	Head    []byte // its first octets

	path string
}

// Receive writes a file of at most that size to disk, while it comes. Of one that is larger nothing is left, and no more than one octet beyond the
// bound is read.
func (l *Library) Receive(r io.Reader, most int64) (*Incoming, error) {
	file, err := os.CreateTemp(l.files.incoming(), "")
	if err != nil {
		return nil, l.diskError(err)
	}
	in := &Incoming{path: file.Name()}
	readErr, writeErr := in.fill(file, io.LimitReader(r, most+1))
	if readErr == nil && writeErr == nil && in.Size <= most {
		writeErr = file.Sync()
	}
	writeErr = errors.Join(writeErr, file.Close())
	switch {
	case readErr != nil:
		err = readErr
	case writeErr != nil:
		err = l.diskError(writeErr)
	case in.Size > most:
		err = ErrTooLarge
	default:
		return in, nil
	}
	in.Discard()
	return nil, err
}

// fill copies from r to the file, and tells apart which of the two failed.
func (in *Incoming) fill(file *os.File, r io.Reader) (readErr, writeErr error) {
	hash := sha256.New()
	buffer := make([]byte, 32<<10)
	for {
		n, err := r.Read(buffer)
		if n > 0 {
			hash.Write(buffer[:n])
			in.Size += int64(n)
			in.Head = append(in.Head, buffer[:min(n, headLength-len(in.Head))]...)
			if _, err := file.Write(buffer[:n]); err != nil {
				return nil, err
			}
		}
		if errors.Is(err, io.EOF) {
			hash.Sum(in.Content[:0])
			return nil, nil
		}
		if err != nil {
			return err, nil
		}
	}
}

// Discard removes what the file takes up outside the contents.
func (in *Incoming) Discard() {
	_ = os.Remove(in.path) // gone when it was placed; what cannot be removed goes at the next start
}
