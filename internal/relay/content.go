package relay

import (
	"github.com/heliograph/heliograph/internal/media"
	"github.com/heliograph/heliograph/internal/mm4"
	"github.com/heliograph/heliograph/internal/mms"
)

// content makes the parts of a mail. The files stay open until the mail is over.
func content(text string, files []*media.File) (parts []mm4.Part) {
	for _, part := range mms.Parts(text, files) {
		parts = append(parts, mm4.Part{
			Type: part.Type, Charset: part.Charset, ID: part.Name, Location: part.Name, Name: part.Name, Size: part.Size, Open: part.Open,
		})
	}
	return parts
}
