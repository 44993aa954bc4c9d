package mms

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// slideShow is SMIL in brackets: a pair for every slide.
func slideShow(t testing.TB, document []byte) string {
	t.Helper()
	decoder := xml.NewDecoder(bytes.NewReader(document))
	var b strings.Builder
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return b.String()
		}
		if err != nil {
			t.Fatal(err)
		}
		switch token := token.(type) {
		case xml.StartElement:
			switch token.Name.Local {
			case "par":
				b.WriteByte('[')
			case "img", "text", "audio", "video":
				b.WriteString(" " + token.Name.Local + ":" + token.Attr[0].Value)
			}
		case xml.EndElement:
			if token.Name.Local == "par" {
				b.WriteString(" ]")
			}
		}
	}
}

func TestSMIL(t *testing.T) {
	part := func(mediaType, name string) Part { return Part{Type: mediaType, Name: name} }
	image, text, sound, video := part("image/gif", "a.gif"), part("text/plain", "b&.txt"), part("audio/amr", "c.amr"), part("video/3gpp", "d.3gp")
	for _, c := range []struct {
		parts []Part
		want  string
	}{
		{nil, ""},
		{[]Part{text}, "[ text:b&.txt ]"},
		{[]Part{image, text}, "[ img:a.gif text:b&.txt ]"},
		{[]Part{text, image, sound}, "[ img:a.gif text:b&.txt audio:c.amr ]"},
		{[]Part{image, image, text}, "[ img:a.gif ][ img:a.gif text:b&.txt ]"},
		{[]Part{video, sound}, "[ video:d.3gp ][ audio:c.amr ]"},
		{[]Part{sound, video}, "[ audio:c.amr ][ video:d.3gp ]"},
		{[]Part{image, video}, "[ img:a.gif ][ video:d.3gp ]"},
		{[]Part{text, video}, "[ video:d.3gp text:b&.txt ]"},
		{[]Part{part("text/vcard", "e.vcf"), part("application/pdf", "f.pdf"), image}, "[ img:a.gif ]"},
	} {
		if got := slideShow(t, smil(c.parts)); got != c.want {
			t.Errorf("%v: %s; want %s", c.parts, got, c.want)
		}
	}
}

// Every medium is on a slide once, in order; regions are there for what stands in them.
func TestSMILShowsAll(t *testing.T) {
	kinds := map[string]string{"image/png": "img", "text/plain": "text", "audio/mpeg": "audio", "video/mp4": "video"}
	rapid.Check(t, func(t *rapid.T) {
		var parts []Part
		for range rapid.IntRange(0, 12).Draw(t, "n") {
			kind := rapid.SampledFrom([]string{"image/png", "text/plain", "audio/mpeg", "video/mp4"}).Draw(t, "kind")
			parts = append(parts, Part{Type: kind, Name: kinds[kind] + string(rune('a'+len(parts)))})
		}
		shown := string(smil(parts))
		for _, part := range parts {
			if strings.Count(shown, `<`+kinds[part.Type]+` src="`+part.Name+`"`) != 1 {
				t.Errorf("%s is not there once: %s", part.Name, shown)
			}
		}
		for _, region := range []string{"Image", "Text"} {
			if strings.Contains(shown, ` region="`+region+`"`) != strings.Contains(shown, `<region id="`+region+`"`) {
				t.Errorf("region %s: %s", region, shown)
			}
		}
	})
}
