package smpp

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"testing/iotest"

	"pgregory.net/rapid"
)

// However a stream is cut into reads, the same PDUs come out of it.
func TestFramesDoNotDependOnReads(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const maximum = 70 << 10
		sizes := rapid.SliceOfN(rapid.OneOf(rapid.IntRange(HeaderSize, 300), rapid.IntRange(HeaderSize, maximum)), 1, 20).Draw(t, "sizes")
		var stream []byte
		for i, size := range sizes {
			octets := bytes.Repeat([]byte{byte(i)}, size)
			copy(octets, []byte{0, byte(size >> 16), byte(size >> 8), byte(size)})
			stream = append(stream, octets...)
		}
		var source io.Reader = bytes.NewReader(stream)
		switch rapid.IntRange(0, 3).Draw(t, "reader") {
		case 0:
			source = iotest.OneByteReader(source)
		case 1:
			source = iotest.HalfReader(source)
		case 2:
			source = iotest.DataErrReader(source)
		}
		begun := false
		in := newFrames(source, maximum, func(b bool) {
			if begun == b {
				t.Fatalf("told %v twice", b)
			}
			begun = b
		})
		rest := stream
		for i, size := range sizes {
			got, err := in.next()
			if err != nil || !bytes.Equal(got, rest[:size]) {
				t.Fatalf("PDU %d of %d octets: %d octets, %v", i, size, len(got), err)
			}
			if begun {
				t.Fatalf("PDU %d is complete, and still begun", i)
			}
			rest = rest[size:]
		}
		if _, err := in.next(); err != io.EOF {
			t.Fatalf("at the end: %v", err)
		}
	})
}

func TestFramesRefuse(t *testing.T) {
	for _, test := range []struct {
		name   string
		octets []byte
		want   error
	}{
		{"shorter than a header", []byte{0, 0, 0, 15}, &FramingError{15, 100}},
		{"longer than may be", []byte{0, 0, 0, 101}, &FramingError{101, 100}},
		{"far longer", []byte{0xFF, 0xFF, 0xFF, 0xFF}, &FramingError{0xFFFFFFFF, 100}},
		{"a length cut off", []byte{0, 0}, io.ErrUnexpectedEOF},
		{"a PDU cut off", []byte{0, 0, 0, 16, 0, 0}, io.ErrUnexpectedEOF},
		{"nothing", nil, io.EOF},
	} {
		in := newFrames(bytes.NewReader(test.octets), 100, func(bool) {})
		_, err := in.next()
		var framing, want *FramingError
		if errors.As(test.want, &want) {
			if !errors.As(err, &framing) || *framing != *want {
				t.Errorf("%s: %v", test.name, err)
			}
			continue
		}
		if !errors.Is(err, test.want) {
			t.Errorf("%s: %v, want %v", test.name, err, test.want)
		}
	}
}

// What is announced costs nothing before it is known to be allowed.
func TestFramesAllocateWithinTheMaximum(t *testing.T) {
	in := newFrames(bytes.NewReader([]byte{0x7F, 0xFF, 0xFF, 0xFF}), 1<<20, func(bool) {})
	if _, err := in.next(); err == nil || len(in.buf) != frameBuffer {
		t.Errorf("%v, with a buffer of %d", err, len(in.buf))
	}
}
