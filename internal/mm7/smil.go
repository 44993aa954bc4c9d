package mm7

import (
	"bytes"
	"encoding/xml"
	"strings"
)

// SMILPart is a file that SMIL refers to.
type SMILPart struct {
	Type string // Content-Type
	Src  string // its Content-Location, or cid: and its Content-ID
}

// slide is a <par>: what is shown and heard at one time. OMA MMS Conformance allows one image or video, one text and one sound, and no sound beside a video.
type slide struct {
	visual, text, sound SMILPart
}

// How long a slide stands when the user does not turn it. Phones play a longer sound or video to its end.
const (
	slideTime = "8000ms"
	mediaTime = "30000ms"
)

// SMIL lays parts out on slides, in their order, in the subset that OMA MMS Conformance guarantees: every phone shows the same. A text stands with the
// picture, video or sound before it or, when that has one already, after it. What is neither text nor media is attached only.
func SMIL(parts ...SMILPart) []byte {
	slides := slidesOf(parts)
	hasVisual, hasText := false, false
	for _, s := range slides {
		hasVisual = hasVisual || s.visual.Src != ""
		hasText = hasText || s.text.Src != ""
	}
	var b bytes.Buffer
	b.WriteString(`<smil><head><layout><root-layout width="100%" height="100%"/>`)
	switch {
	case hasVisual && hasText:
		region(&b, "Image", "0%", "70%", "meet")
		region(&b, "Text", "70%", "30%", "scroll")
	case hasVisual:
		region(&b, "Image", "0%", "100%", "meet")
	case hasText:
		region(&b, "Text", "0%", "100%", "scroll")
	}
	b.WriteString(`</layout></head><body>`)
	for _, s := range slides {
		s.write(&b)
	}
	b.WriteString(`</body></smil>`)
	return b.Bytes()
}

func region(b *bytes.Buffer, id, top, height, fit string) {
	b.WriteString(`<region id="` + id + `" top="` + top + `" left="0%" width="100%" height="` + height + `" fit="` + fit + `"/>`)
}

func slidesOf(parts []SMILPart) []slide {
	var slides []slide
	for _, part := range parts {
		kind, _ := mediaType(part.Type)
		if part.Src == "" || !shown(kind) {
			continue
		}
		if n := len(slides); n > 0 && slides[n-1].add(kind, part) {
			continue
		}
		var next slide
		next.add(kind, part)
		slides = append(slides, next)
	}
	return slides
}

// shown tells what SMIL can refer to.
func shown(kind string) bool {
	return kind == "text/plain" || strings.HasPrefix(kind, "image/") || strings.HasPrefix(kind, "video/") || strings.HasPrefix(kind, "audio/")
}

// add puts a part on the slide when there is room.
func (s *slide) add(kind string, part SMILPart) bool {
	video := strings.HasPrefix(kind, "video/")
	place := &s.visual
	switch {
	case kind == "text/plain":
		place = &s.text
	case strings.HasPrefix(kind, "audio/"):
		place = &s.sound
	}
	if place.Src != "" || video && s.sound.Src != "" || place == &s.sound && strings.HasPrefix(s.visual.Type, "video/") {
		return false
	}
	*place = SMILPart{kind, part.Src}
	return true
}

func (s *slide) write(b *bytes.Buffer) {
	duration := slideTime
	if s.sound.Src != "" || strings.HasPrefix(s.visual.Type, "video/") {
		duration = mediaTime
	}
	b.WriteString(`<par dur="` + duration + `">`)
	switch {
	case strings.HasPrefix(s.visual.Type, "video/"):
		medium(b, "video", s.visual.Src, "Image")
	case s.visual.Src != "":
		medium(b, "img", s.visual.Src, "Image")
	}
	if s.text.Src != "" {
		medium(b, "text", s.text.Src, "Text")
	}
	if s.sound.Src != "" {
		medium(b, "audio", s.sound.Src, "")
	}
	b.WriteString(`</par>`)
}

func medium(b *bytes.Buffer, name, src, region string) {
	b.WriteString(`<` + name + ` src="`)
	_ = xml.EscapeText(b, []byte(src)) // a bytes.Buffer takes everything
	b.WriteByte('"')
	if region != "" {
		b.WriteString(` region="` + region + `"`)
	}
	b.WriteString(`/>`)
}
