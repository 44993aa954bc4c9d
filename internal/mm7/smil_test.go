package mm7

import (
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// slideShow is SMIL in brackets: a pair for every slide.
func slideShow(t testing.TB, smil []byte) string {
	t.Helper()
	decoder := xml.NewDecoder(strings.NewReader(string(smil)))
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
	image, text, sound, video := SMILPart{"image/gif", "a.gif"}, SMILPart{"text/plain; charset=utf-8", "b&.txt"}, SMILPart{"audio/amr", "c.amr"}, SMILPart{"video/3gpp", "d.3gp"}
	for _, c := range []struct {
		parts []SMILPart
		want  string
	}{
		{nil, ""},
		{[]SMILPart{text}, "[ text:b&.txt ]"},
		{[]SMILPart{image, text}, "[ img:a.gif text:b&.txt ]"},
		{[]SMILPart{text, image, sound}, "[ img:a.gif text:b&.txt audio:c.amr ]"},
		{[]SMILPart{image, image, text}, "[ img:a.gif ][ img:a.gif text:b&.txt ]"},
		{[]SMILPart{video, sound}, "[ video:d.3gp ][ audio:c.amr ]"},
		{[]SMILPart{sound, video}, "[ audio:c.amr ][ video:d.3gp ]"},
		{[]SMILPart{image, video}, "[ img:a.gif ][ video:d.3gp ]"},
		{[]SMILPart{text, video}, "[ video:d.3gp text:b&.txt ]"},
		{[]SMILPart{{"text/vcard", "e.vcf"}, {"application/pdf", "f.pdf"}, image}, "[ img:a.gif ]"},
	} {
		if got := slideShow(t, SMIL(c.parts...)); got != c.want {
			t.Errorf("%v: %s; want %s", c.parts, got, c.want)
		}
	}
}

// Every medium is on a slide once, in order; regions are there for what stands in them.
func TestSMILShowsAll(t *testing.T) {
	kinds := map[string]string{"image/png": "img", "text/plain": "text", "audio/mpeg": "audio", "video/mp4": "video"}
	rapid.Check(t, func(t *rapid.T) {
		var parts []SMILPart
		for range rapid.IntRange(0, 12).Draw(t, "n") {
			kind := rapid.SampledFrom([]string{"image/png", "text/plain", "audio/mpeg", "video/mp4"}).Draw(t, "kind")
			parts = append(parts, SMILPart{kind, kinds[kind] + string(rune('a'+len(parts)))})
		}
		smil := string(SMIL(parts...))
		for _, part := range parts {
			if strings.Count(smil, `<`+kinds[part.Type]+` src="`+part.Src+`"`) != 1 {
				t.Errorf("%s is not there once: %s", part.Src, smil)
			}
		}
		for _, region := range []string{"Image", "Text"} {
			if strings.Contains(smil, ` region="`+region+`"`) != strings.Contains(smil, `<region id="`+region+`"`) {
				t.Errorf("region %s: %s", region, smil)
			}
		}
	})
}
