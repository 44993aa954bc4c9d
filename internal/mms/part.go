package mms

import (
	"bytes"
	"fmt"
	"io"
	"path"
	"strings"

	"github.com/heliograph/heliograph/internal/media"
)

// Overhead is what text, SMIL and the heads of the parts take of what a carrier takes in one message: 1,600 characters of four octets, and some for the
// rest. The files have what is left of it.
const Overhead = 10 << 10

// TypeText is the media type of texts that phones show as the message's; others are files.
const TypeText = "text/plain"

const typeSMIL = "application/smil"

// Part is a part of a message on its way out.
type Part struct {
	Type    string // media type, without parameters
	Charset string // of text; empty: it is none
	Name    string // by which SMIL refers to it: none is there twice, and any header can hold it
	Size    int64
	// Open gives the content from its beginning, each time with a place in it of its own.
	Open func() (io.ReadCloser, error)
}

// Parts makes the parts of a message: SMIL first, then the text, then the files in their order. The files must stay open until the message is sent.
func Parts(text string, files []*media.File) []Part {
	parts := make([]Part, 1, 2+len(files))
	if text != "" {
		part := inMemory(TypeText, "text.txt", []byte(text))
		part.Charset = "utf-8"
		parts = append(parts, part)
	}
	for i, file := range files {
		parts = append(parts, Part{Type: file.Type, Name: fileName(i, file), Size: file.Size, Open: func() (io.ReadCloser, error) {
			return io.NopCloser(io.NewSectionReader(file, 0, file.Size)), nil
		}})
	}
	parts[0] = inMemory(typeSMIL, "message.smil", smil(parts[1:]))
	return parts
}

func inMemory(mediaType, name string, octets []byte) Part {
	return Part{Type: mediaType, Name: name, Size: int64(len(octets)), Open: func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(octets)), nil
	}}
}

// fileName names the n-th file within the message. Names that people gave may be the same twice, or none that a header can hold.
func fileName(n int, file *media.File) string {
	extension := path.Ext(file.Name)
	if strings.ContainsFunc(extension, func(r rune) bool {
		return r != '.' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	}) {
		extension = ""
	}
	return fmt.Sprintf("file%d%s", n+1, strings.ToLower(extension))
}
