package relay

import (
	"bytes"
	"fmt"
	"io"
	"path"
	"strings"

	"github.com/heliograph/heliograph/internal/media"
	"github.com/heliograph/heliograph/internal/mm4"
	"github.com/heliograph/heliograph/internal/mm7"
)

const (
	typeSMIL = "application/smil"
	typeText = "text/plain"
)

// content makes the parts of a mail: SMIL first, then the text, then the files in their order. The files stay open until the mail is over; one is read by
// one reader at a time, from its beginning.
func content(text string, files []*media.File) []mm4.Part {
	parts := make([]mm4.Part, 1, 2+len(files))
	var shown []mm7.SMILPart
	if text != "" {
		part := inMemory(typeText, "text.txt", []byte(text))
		part.Charset = "utf-8"
		parts = append(parts, part)
		shown = append(shown, mm7.SMILPart{Type: typeText, Src: "text.txt"})
	}
	for i, file := range files {
		name := fileName(i, file)
		parts = append(parts, mm4.Part{Type: file.Type, ID: name, Location: name, Name: name, Size: file.Size, Open: func() (io.ReadCloser, error) {
			_, err := file.Seek(0, io.SeekStart)
			return io.NopCloser(file), err
		}})
		shown = append(shown, mm7.SMILPart{Type: file.Type, Src: name})
	}
	parts[0] = inMemory(typeSMIL, "message.smil", mm7.SMIL(shown...))
	return parts
}

func inMemory(mediaType, name string, octets []byte) mm4.Part {
	return mm4.Part{Type: mediaType, ID: name, Location: name, Name: name, Size: int64(len(octets)), Open: func() (io.ReadCloser, error) {
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
