package mm7

import (
	"fmt"
	"io"
	"strings"
)

// Transfer is the Content-Transfer-Encoding of the parts that are sent.
type Transfer uint8

// Transfer encodings.
const (
	Binary Transfer = iota
	Base64          // for MMSCs that take nothing else; a third more octets
)

// Part is one of a message's files. It is opened when its turn comes, and again when the request is sent again: nothing of it is kept in memory.
type Part struct {
	Type     string // Content-Type, with its parameters
	ID       string // Content-ID without angle brackets; empty: one is made
	Location string // Content-Location: the name under which SMIL refers to it; empty: none
	Size     int64  // octets, exactly
	Open     func() (io.ReadCloser, error)
}

// BytesPart is a Part in memory: a text, or SMIL.
func BytesPart(contentType, location string, data []byte) Part {
	return Part{Type: contentType, Location: location, Size: int64(len(data)), Open: func() (io.ReadCloser, error) {
		return io.NopCloser(newMemory(data)), nil
	}}
}

// Content is what a message shows. With several parts it goes as a multipart of its own: related when one of them is SMIL, which becomes its
// start, else mixed. A single part stands for itself.
type Content struct {
	Parts []Part
}

const typeSMIL = "application/smil"

// smil is the index of the part that is SMIL, -1 when none is.
func (c *Content) smil() int {
	for i, part := range c.Parts {
		if kind, _ := mediaType(part.Type); kind == typeSMIL {
			return i
		}
	}
	return -1
}

// check refuses what would break the document: a header with a line end or a quote in it, a part without a reader.
func (p *Part) check() error {
	for _, value := range []string{p.Type, p.ID, p.Location} {
		if strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r > '~' }) {
			return fmt.Errorf("mm7: part with a header that is not printable ASCII")
		}
	}
	switch {
	case strings.ContainsAny(p.ID, `<>" `):
		return fmt.Errorf("mm7: part with a Content-ID that is none")
	case p.Type == "":
		return fmt.Errorf("mm7: part without a type")
	case p.Open == nil || p.Size < 0:
		return fmt.Errorf("mm7: part without octets")
	}
	return nil
}
