package smpp

import (
	"encoding/binary"
	"fmt"
	"io"
)

// FramingError is a command_length that no PDU can have: where the next PDU begins is not known any more, and the session ends.
type FramingError struct {
	Length  uint32
	Maximum int
}

func (e *FramingError) Error() string {
	return fmt.Sprintf("smpp: command_length %d is not between %d and %d", e.Length, HeaderSize, e.Maximum)
}

// frameBuffer is how much is read at once. Larger PDUs have it grow, up to the session's maximum.
const frameBuffer = 32 << 10

// frames cuts a stream into PDUs.
type frames struct {
	source  io.Reader
	maximum int
	partial func(bool) // told when a PDU begins that is not there as a whole, and when it is complete
	buf     []byte
	lo, hi  int // what is read and not given out
	begun   bool
}

func newFrames(source io.Reader, maximum int, partial func(bool)) *frames {
	return &frames{source: source, maximum: maximum, partial: partial, buf: make([]byte, frameBuffer)}
}

// next gives the next PDU. It is valid until the call after. io.EOF means that the stream ended between two PDUs.
func (f *frames) next() ([]byte, error) {
	if err := f.fill(4); err != nil {
		return nil, err
	}
	length := binary.BigEndian.Uint32(f.buf[f.lo:])
	if length < HeaderSize || uint64(length) > uint64(f.maximum) {
		return nil, &FramingError{Length: length, Maximum: f.maximum}
	}
	if err := f.fill(int(length)); err != nil {
		return nil, err
	}
	if f.begun {
		f.begun = false
		f.partial(false)
	}
	frame := f.buf[f.lo : f.lo+int(length) : f.lo+int(length)]
	f.lo += int(length)
	return frame, nil
}

// fill reads until n octets are there.
func (f *frames) fill(n int) error {
	if f.hi-f.lo >= n {
		return nil
	}
	f.room(n)
	for f.hi-f.lo < n {
		if f.hi > f.lo && !f.begun {
			f.begun = true
			f.partial(true)
		}
		m, err := f.source.Read(f.buf[f.hi:])
		f.hi += m
		if err != nil && f.hi-f.lo < n {
			if err == io.EOF && f.hi > f.lo {
				return io.ErrUnexpectedEOF
			}
			return err
		}
	}
	return nil
}

// room makes the buffer hold n octets from lo on.
func (f *frames) room(n int) {
	if f.lo+n <= len(f.buf) && f.lo < f.hi {
		return
	}
	into := f.buf
	if n > len(into) {
		into = make([]byte, n)
	}
	f.hi = copy(into, f.buf[f.lo:f.hi])
	f.lo, f.buf = 0, into
}
