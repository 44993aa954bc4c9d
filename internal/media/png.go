package media

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"slices"
)

const pngSignature = "\x89PNG\r\n\x1a\n"

// pngKept are the chunks that say how a picture looks (PNG, third edition, 11), those of an animation among them. All else is about it: texts, times,
// Exif, and what programs put there.
var pngKept = []string{"IHDR", "PLTE", "IDAT", "IEND", "tRNS", "gAMA", "cHRM", "sRGB", "sBIT", "cICP", "iCCP", "acTL", "fcTL", "fdAT"}

// inspectPNG reads what a PNG file shows of itself without decoding it, and makes one of the same pixels without anything else.
func inspectPNG(source []byte) (*picture, error) {
	p := &picture{kind: typePNG, orientation: upright}
	if !bytes.HasPrefix(source, []byte(pngSignature)) {
		return nil, damaged("it does not begin as a PNG")
	}
	p.clean = append(make([]byte, 0, len(source)), pngSignature...)
	data := false
	for rest := source[len(pngSignature):]; ; {
		const around = 12 // length, name and checksum
		if len(rest) < around {
			return nil, cutShort()
		}
		length := uint64(binary.BigEndian.Uint32(rest))
		if length > uint64(len(rest)-around) {
			return nil, cutShort()
		}
		chunk := rest[:around+length]
		rest = rest[len(chunk):]
		name, body := string(chunk[4:8]), chunk[8:8+length]
		if crc32.ChecksumIEEE(chunk[4:8+length]) != binary.BigEndian.Uint32(chunk[8+length:]) {
			return nil, damaged("a checksum is wrong")
		}
		if first := p.width == 0; first != (name == "IHDR") {
			return nil, damaged("its head is not where it should be")
		} else if first {
			if err := p.pngHead(body); err != nil {
				return nil, err
			}
		}
		if slices.Contains(pngKept, name) && (name != "iCCP" || len(body) <= mostProfile) {
			p.clean = append(p.clean, chunk...)
		}
		data = data || name == "IDAT"
		if name != "IEND" {
			continue
		}
		if !data {
			return nil, damaged("there is no picture in it")
		}
		return p, nil
	}
}

// pngHead reads the head of a PNG, and what decoding it takes.
func (p *picture) pngHead(head []byte) error {
	const indexed, interlaced = 3, 1
	if len(head) != 13 {
		return damaged("its head makes no sense")
	}
	width, height := binary.BigEndian.Uint32(head), binary.BigEndian.Uint32(head[4:])
	if width == 0 || height == 0 || width > 1<<31-1 || height > 1<<31-1 {
		return damaged("it does not say how large it is")
	}
	p.width, p.height = int(width), int(height)
	each := int64(4)
	switch {
	case head[9] == indexed:
		each = 1
	case head[8] == 16:
		each = 8
	}
	if head[12] == interlaced {
		each *= 2
	}
	if int64(p.width) > mostPixels || int64(p.height) > mostPixels { // so that the product is one
		return tooManyPixels()
	}
	p.need = each * int64(p.width) * int64(p.height)
	return nil
}
