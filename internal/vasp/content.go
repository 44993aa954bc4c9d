package vasp

import (
	"fmt"
	"io"
	"path"
	"strings"

	"github.com/heliograph/heliograph/internal/media"
	"github.com/heliograph/heliograph/internal/mm7"
)

// Overhead is what text, SMIL and the heads of the parts take of what an MMSC takes in one message: 1,600 characters of four octets, and some for the
// rest. The files have what is left of it.
const Overhead = 10 << 10

const (
	typeSMIL = "application/smil"
	typeText = "text/plain"
)

// content makes the parts of a document: SMIL first, then the text, then the files in their order. The files stay open until the request is over; each
// reading of one has a place in it of its own, should the request be sent again.
func content(text string, files []*media.File) *mm7.Content {
	parts := make([]mm7.Part, 1, 2+len(files))
	var shown []mm7.SMILPart
	if text != "" {
		parts = append(parts, mm7.BytesPart(typeText+"; charset=utf-8", "text.txt", []byte(text)))
		shown = append(shown, mm7.SMILPart{Type: typeText, Src: "text.txt"})
	}
	for i, file := range files {
		name := fileName(i, file)
		parts = append(parts, mm7.Part{
			Type: file.Type, Location: name, Size: file.Size,
			Open: func() (io.ReadCloser, error) { return io.NopCloser(io.NewSectionReader(file, 0, file.Size)), nil },
		})
		shown = append(shown, mm7.SMILPart{Type: file.Type, Src: name})
	}
	parts[0] = mm7.BytesPart(typeSMIL, "message.smil", mm7.SMIL(shown...))
	return &mm7.Content{Parts: parts}
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
