package mm7

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strings"
)

// partStream reads the parts of a MIME multipart, one after the other, from a stream. Lines may end with LF alone. RFC 2046, 5.1.
type partStream struct {
	src       *bufio.Reader
	delimiter []byte // "--" and the boundary
	atStart   bool   // of a part: a delimiter may stand there without a line end before it
	inPart    bool   // octets of a part are left
	sure      int    // so many octets in the buffer are the part's
	ended     bool   // the last delimiter was read
	err       error
}

const (
	bufferSize    = 16 << 10
	maxBoundary   = 200 // the specification says 70
	maxHeader     = 8 << 10
	maxHeaderRows = 64
)

func newPartStream(src io.Reader, boundary string) (*partStream, error) {
	if boundary == "" || len(boundary) > maxBoundary {
		return nil, invalid("multipart without a boundary")
	}
	return &partStream{src: bufio.NewReaderSize(src, bufferSize), delimiter: []byte("--" + boundary), atStart: true, inPart: true}, nil
}

// header is what MM7 needs of a part's header.
type header struct {
	contentType string
	transfer    string
	id          string
	location    string
	disposition string
}

// next goes to the next part, past what is left of the one before. io.EOF follows the last.
func (m *partStream) next() (header, error) {
	if m.inPart { // or in the preamble
		if _, err := io.Copy(io.Discard, m); err != nil {
			return header{}, err
		}
	}
	if m.err == nil {
		m.err = m.pastDelimiter()
	}
	if m.err != nil {
		return header{}, m.err
	}
	h, err := m.header()
	m.err = err
	m.atStart, m.inPart = true, true
	return h, err
}

// Read gives the octets of the part.
func (m *partStream) Read(p []byte) (int, error) {
	switch {
	case m.err != nil:
		return 0, m.err
	case !m.inPart:
		return 0, io.EOF
	case len(p) == 0:
		return 0, nil
	}
	if m.sure == 0 {
		n, delimited, err := m.scan()
		if err != nil {
			m.err = err
			return 0, err
		}
		if n == 0 && delimited {
			m.inPart = false
			return 0, io.EOF
		}
		m.sure = n
	}
	n, err := m.src.Read(p[:min(m.sure, len(p))]) // of what is buffered
	m.sure -= n
	m.atStart = false
	return n, err
}

// scan says how many octets at the front of the buffer are the part's for sure, and whether a delimiter follows them.
func (m *partStream) scan() (n int, delimited bool, err error) {
	need := len(m.delimiter) + 4 // with the line end before it, and two octets that say whether it is one
	if _, err := m.src.Peek(need); err != nil && !errors.Is(err, io.EOF) {
		return 0, false, err
	}
	window, _ := m.src.Peek(m.src.Buffered())
	if m.atStart && bytes.HasPrefix(window, m.delimiter) && m.endsWell(window[len(m.delimiter):]) {
		return 0, true, nil
	}
	for from := 0; ; {
		at := bytes.Index(window[from:], m.delimiter)
		if at < 0 {
			break
		}
		at += from
		if at > 0 && window[at-1] == '\n' {
			before := at - 1
			if before > 0 && window[before-1] == '\r' {
				before--
			}
			after := window[at+len(m.delimiter):]
			if len(after) < 2 && before > 0 {
				return before, false, nil // looked at again when it is in front, with what follows
			}
			if m.endsWell(after) {
				return before, true, nil
			}
		}
		from = at + 1
	}
	if len(window) < need { // the stream ends without the delimiter
		return 0, false, invalid("multipart ends before its last delimiter")
	}
	return len(window) - need + 1, false, nil
}

// endsWell tells a delimiter from a longer boundary that begins with the same octets.
func (m *partStream) endsWell(after []byte) bool {
	return len(after) == 0 || bytes.HasPrefix(after, []byte("--")) || strings.IndexByte(" \t\r\n", after[0]) >= 0
}

// pastDelimiter reads the delimiter with the line ends around it. io.EOF after the last one.
func (m *partStream) pastDelimiter() error {
	if m.ended {
		return io.EOF
	}
	for { // the line end before it, which is the delimiter's
		octet, err := m.src.Peek(1)
		if err != nil {
			return cutShort(err)
		}
		if octet[0] != '\r' && octet[0] != '\n' {
			break
		}
		_, _ = m.src.Discard(1) // it is buffered
	}
	if _, err := m.src.Discard(len(m.delimiter)); err != nil {
		return cutShort(err)
	}
	if mark, _ := m.src.Peek(2); bytes.Equal(mark, []byte("--")) {
		m.ended, m.inPart = true, false
		_, err := io.Copy(io.Discard, m.src) // what follows is nobody's, but the limits count it
		if err != nil {
			return err
		}
		return io.EOF
	}
	line, err := m.src.ReadSlice('\n')
	if err != nil || len(bytes.TrimSpace(line)) > 0 {
		return invalid("multipart with a broken delimiter")
	}
	return nil
}

// cutShort names the end of a stream within a multipart; other errors are the stream's own.
func cutShort(err error) error {
	if errors.Is(err, io.EOF) {
		return invalid("multipart ends before its last delimiter")
	}
	return err
}

// header reads a part's header up to the empty line.
func (m *partStream) header() (header, error) {
	var h header
	var field string // with its continuations
	total := 0
	for range maxHeaderRows {
		line, err := m.src.ReadSlice('\n')
		total += len(line)
		switch {
		case errors.Is(err, bufio.ErrBufferFull), total > maxHeader:
			return h, invalid("part with a header that is too long")
		case err != nil:
			return h, cutShort(err)
		}
		text := strings.TrimRight(string(line), "\r\n")
		if text != "" && (text[0] == ' ' || text[0] == '\t') {
			field += " " + strings.TrimSpace(text)
			continue
		}
		h.set(field)
		if field = text; text == "" {
			return h, nil
		}
	}
	return h, invalid("part with too many header fields")
}

func (h *header) set(field string) {
	name, value, found := strings.Cut(field, ":")
	if !found {
		return
	}
	value = strings.TrimSpace(value)
	switch strings.ToLower(strings.TrimSpace(name)) {
	case "content-type":
		h.contentType = value
	case "content-transfer-encoding":
		h.transfer = strings.ToLower(value)
	case "content-id":
		h.id = contentID(value)
	case "content-location":
		h.location = value
	case "content-disposition":
		h.disposition = value
	}
}
