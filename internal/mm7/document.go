package mm7

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
)

// Document is an encoded envelope with its content: octets in memory for what frames them, and the parts, which are read while it is sent.
type Document struct {
	ContentType string
	Length      int64

	segments []segment
	state    atomic.Uint32
}

// States of a document: who comes first decides, a reader that gives the last octet or the sender that gives up.
const (
	underway uint32 = iota
	complete
	withheld
)

var errWithheld = errors.New("mm7: request was given up")

// segment is a piece of memory, or a part.
type segment struct {
	memory   []byte
	part     *Part
	transfer Transfer
}

func (s *segment) length() int64 {
	switch {
	case s.part == nil:
		return int64(len(s.memory))
	case s.transfer == Base64:
		return base64Length(s.part.Size)
	}
	return s.part.Size
}

const soapID = "mm7-soap"

// Encode makes a document. Without content it is the SOAP part alone, as text/xml; with it, multipart/related with the SOAP part first. The
// message's Content element must refer to the content: set it to ContentHref.
func (d Dialect) Encode(envelope Envelope, content *Content, transfer Transfer) (*Document, error) {
	soap := d.EncodeSOAP(envelope)
	if content == nil || len(content.Parts) == 0 {
		return &Document{ContentType: `text/xml; charset="utf-8"`, Length: int64(len(soap)), segments: []segment{{memory: soap}}}, nil
	}
	for i := range content.Parts {
		if err := content.Parts[i].check(); err != nil {
			return nil, err
		}
	}
	outer, inner := boundary(), boundary()
	var b documentBuilder
	b.printf("--%s\r\nContent-Type: text/xml; charset=\"utf-8\"\r\nContent-ID: <%s>\r\n\r\n", outer, soapID)
	b.memory.Write(soap)
	b.printf("\r\n--%s\r\n", outer)
	b.content(content, inner, transfer)
	b.printf("\r\n--%s--\r\n", outer)
	b.flush()
	document := &Document{
		ContentType: fmt.Sprintf(`multipart/related; type="text/xml"; start="<%s>"; boundary="%s"`, soapID, outer),
		segments:    b.segments,
	}
	for i := range document.segments {
		document.Length += document.segments[i].length()
	}
	return document, nil
}

// ContentHref is what a message's Content element says of content that goes with it.
func ContentHref(content *Content) string {
	if content == nil || len(content.Parts) == 0 {
		return ""
	}
	if len(content.Parts) == 1 && content.Parts[0].ID != "" {
		return "cid:" + content.Parts[0].ID
	}
	return "cid:mm7-content"
}

// boundary is no line of any file but by an accident of 128 random bits.
func boundary() string { return "mm7-" + rand.Text() }

// documentBuilder gathers memory until a part comes.
type documentBuilder struct {
	memory   bytes.Buffer
	segments []segment
}

func (b *documentBuilder) printf(format string, args ...any) { fmt.Fprintf(&b.memory, format, args...) }

func (b *documentBuilder) flush() {
	b.segments = append(b.segments, segment{memory: bytes.Clone(b.memory.Bytes())})
	b.memory.Reset()
}

// content appends a single part, or a multipart of them.
func (b *documentBuilder) content(content *Content, inner string, transfer Transfer) {
	if len(content.Parts) == 1 {
		b.part(&content.Parts[0], contentID(ContentHref(content)), transfer)
		return
	}
	start := content.smil()
	if start < 0 {
		b.printf("Content-Type: multipart/mixed; boundary=\"%s\"\r\n", inner)
	} else {
		b.printf("Content-Type: multipart/related; type=\"%s\"; start=%s; boundary=\"%s\"\r\n", typeSMIL, quote("<"+content.partID(start)+">"), inner)
	}
	b.printf("Content-ID: <%s>\r\n\r\n", contentID(ContentHref(content)))
	for i := range content.Parts {
		b.printf("--%s\r\n", inner)
		b.part(&content.Parts[i], content.partID(i), transfer)
		b.printf("\r\n")
	}
	b.printf("--%s--\r\n", inner)
}

func (c *Content) partID(i int) string {
	if id := c.Parts[i].ID; id != "" {
		return id
	}
	return fmt.Sprintf("mm7-part-%d", i+1)
}

func (b *documentBuilder) part(part *Part, id string, transfer Transfer) {
	b.printf("Content-Type: %s\r\nContent-ID: <%s>\r\n", part.Type, id)
	if part.Location != "" {
		b.printf("Content-Location: %s\r\n", part.Location)
	}
	if transfer == Base64 {
		b.printf("Content-Transfer-Encoding: base64\r\n\r\n")
	} else {
		b.printf("Content-Transfer-Encoding: binary\r\n\r\n")
	}
	b.flush()
	b.segments = append(b.segments, segment{part: part, transfer: transfer})
}

// withhold gives up: the last octet is not given to anybody any more. It is false when somebody has it already.
func (d *Document) withhold() bool {
	return d.state.CompareAndSwap(underway, withheld) || d.state.Load() == withheld
}

// Open reads the document from its beginning.
func (d *Document) Open() io.ReadCloser { return &documentReader{document: d} }

// ErrSize: a part gave more or fewer octets than it said, so the length that was promised cannot be kept.
var ErrSize = errors.New("mm7: part of another size than it said")

// documentReader reads one segment after the other.
type documentReader struct {
	document *Document
	next     int   // segment
	left     int64 // of the segment
	current  io.Reader
	closer   io.Closer // of the part
	err      error
}

func (r *documentReader) Read(p []byte) (int, error) {
	for r.err == nil {
		if r.current == nil {
			r.err = r.open()
			continue
		}
		n, err := r.current.Read(p)
		r.left -= int64(n)
		switch {
		case errors.Is(err, io.EOF):
			r.err = r.closePart()
		case errors.Is(err, ErrSize):
			r.err = err
		case err != nil:
			r.err = fmt.Errorf("mm7: read a part: %w", err)
		}
		if n > 0 && r.err == nil {
			if r.err = r.note(); r.err == nil {
				return n, nil
			}
		}
	}
	return 0, r.err
}

// note marks the document complete before its last octet is given.
func (r *documentReader) note() error {
	if r.left > 0 || r.next < len(r.document.segments) {
		return nil
	}
	if !r.document.state.CompareAndSwap(underway, complete) && r.document.state.Load() == withheld {
		return errWithheld
	}
	return nil
}

func (r *documentReader) open() error {
	if r.next == len(r.document.segments) {
		return io.EOF
	}
	s := &r.document.segments[r.next]
	r.next++
	r.left = s.length()
	if s.part == nil {
		r.current = newMemory(s.memory)
		return nil
	}
	file, err := s.part.Open()
	if err != nil {
		return fmt.Errorf("mm7: open a part: %w", err)
	}
	r.current, r.closer = &exactReader{file, s.part.Size}, file
	if s.transfer == Base64 {
		r.current = &base64Lines{source: r.current}
	}
	return nil
}

// exactReader insists on a size.
type exactReader struct {
	source io.Reader
	left   int64
}

func (e *exactReader) Read(p []byte) (int, error) {
	n, err := e.source.Read(p)
	if e.left -= int64(n); e.left < 0 || errors.Is(err, io.EOF) && e.left > 0 {
		return 0, ErrSize
	}
	return n, err
}

func (r *documentReader) closePart() error {
	r.current = nil
	if r.closer == nil {
		return nil
	}
	err := r.closer.Close()
	r.closer = nil
	return err
}

// Close gives back the part in hand.
func (r *documentReader) Close() error {
	if r.err == nil {
		r.err = errors.New("mm7: document is closed")
	}
	return r.closePart()
}

func newMemory(data []byte) io.Reader { return bytes.NewReader(data) }

// Lines of base64: 57 octets make 76 characters. RFC 2045, 6.8.
const (
	lineOctets  = 57
	lineChars   = 76
	linesAtOnce = 64
)

// base64Length is how long size octets become in lines that each end with CRLF.
func base64Length(size int64) int64 {
	lines := (size + lineOctets - 1) / lineOctets
	return (size+2)/3*4 + 2*lines
}

// base64Lines encodes what it reads.
type base64Lines struct {
	source io.Reader
	raw    [lineOctets * linesAtOnce]byte
	lines  [(lineChars + 2) * linesAtOnce]byte
	ready  []byte // of lines
	err    error
}

func (b *base64Lines) Read(p []byte) (int, error) {
	for len(b.ready) == 0 {
		if b.err != nil {
			return 0, b.err
		}
		n, err := io.ReadFull(b.source, b.raw[:])
		if errors.Is(err, io.ErrUnexpectedEOF) {
			err = io.EOF
		}
		b.err = err
		b.encode(b.raw[:n])
	}
	n := copy(p, b.ready)
	b.ready = b.ready[n:]
	return n, nil
}

func (b *base64Lines) encode(raw []byte) {
	b.ready = b.lines[:0]
	for len(raw) > 0 {
		line := raw[:min(lineOctets, len(raw))]
		b.ready = base64.StdEncoding.AppendEncode(b.ready, line)
		b.ready = append(b.ready, '\r', '\n')
		raw = raw[len(line):]
	}
}
