package mms

import (
	"bytes"
	"encoding/xml"
	"strings"
)

// slide is a <par>: what is shown and heard at one time. OMA MMS Conformance allows one image or video, one text and one sound, and no sound beside a video.
type slide struct {
	visual, text, sound Part
}

// How long a slide stands when the user does not turn it. Phones play a longer sound or video to its end.
const (
	slideTime = "8000ms"
	mediaTime = "30000ms"
)

// smil lays parts out on slides, in their order, in the subset that OMA MMS Conformance guarantees: every phone shows the same. A text stands with the
// picture, video or sound before it or, when that has one already, after it. What is neither text nor media is attached only.
func smil(parts []Part) []byte {
	slides := slidesOf(parts)
	hasVisual, hasText := false, false
	for _, s := range slides {
		hasVisual = hasVisual || s.visual.Name != ""
		hasText = hasText || s.text.Name != ""
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

func slidesOf(parts []Part) []slide {
	var slides []slide
	for _, part := range parts {
		if !shown(part.Type) {
			continue
		}
		if n := len(slides); n > 0 && slides[n-1].add(part) {
			continue
		}
		var next slide
		next.add(part)
		slides = append(slides, next)
	}
	return slides
}

// shown tells what SMIL can refer to.
func shown(kind string) bool {
	return kind == TypeText || strings.HasPrefix(kind, "image/") || strings.HasPrefix(kind, "video/") || strings.HasPrefix(kind, "audio/")
}

// add puts a part on the slide when there is room.
func (s *slide) add(part Part) bool {
	video := strings.HasPrefix(part.Type, "video/")
	place := &s.visual
	switch {
	case part.Type == TypeText:
		place = &s.text
	case strings.HasPrefix(part.Type, "audio/"):
		place = &s.sound
	}
	if place.Name != "" || video && s.sound.Name != "" || place == &s.sound && strings.HasPrefix(s.visual.Type, "video/") {
		return false
	}
	*place = part
	return true
}

func (s *slide) write(b *bytes.Buffer) {
	duration := slideTime
	if s.sound.Name != "" || strings.HasPrefix(s.visual.Type, "video/") {
		duration = mediaTime
	}
	b.WriteString(`<par dur="` + duration + `">`)
	switch {
	case strings.HasPrefix(s.visual.Type, "video/"):
		medium(b, "video", s.visual.Name, "Image")
	case s.visual.Name != "":
		medium(b, "img", s.visual.Name, "Image")
	}
	if s.text.Name != "" {
		medium(b, "text", s.text.Name, "Text")
	}
	if s.sound.Name != "" {
		medium(b, "audio", s.sound.Name, "")
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
