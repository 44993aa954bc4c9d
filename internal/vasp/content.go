package vasp

import (
	"github.com/heliograph/heliograph/internal/media"
	"github.com/heliograph/heliograph/internal/mm7"
	"github.com/heliograph/heliograph/internal/mms"
)

// content makes the parts of a document. The files stay open until the request is over.
func content(text string, files []*media.File) *mm7.Content {
	var parts []mm7.Part
	for _, part := range mms.Parts(text, files) {
		kind := part.Type
		if part.Charset != "" {
			kind += "; charset=" + part.Charset
		}
		parts = append(parts, mm7.Part{Type: kind, Location: part.Name, Size: part.Size, Open: part.Open})
	}
	return &mm7.Content{Parts: parts}
}
