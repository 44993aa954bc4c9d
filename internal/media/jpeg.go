package media

import (
	"bytes"
	"encoding/binary"
)

// Markers of JPEG (ITU-T T.81, table B.1).
const (
	markerSOF0, markerSOF2   = 0xc0, 0xc2
	markerDHT, markerJPG     = 0xc4, 0xc8
	markerDAC, markerSOFLast = 0xcc, 0xcf
	markerRST0, markerRST7   = 0xd0, 0xd7
	markerSOI, markerEOI     = 0xd8, 0xd9
	markerSOS, markerDQT     = 0xda, 0xdb
	markerDNL, markerDRI     = 0xdc, 0xdd
	markerAPP0, markerAPP1   = 0xe0, 0xe1
	markerAPP2, markerAPP14  = 0xe2, 0xee
	markerTEM                = 0x01
)

const (
	// mostScans bounds how often the samples of a progressive picture are gone through; encoders use about ten.
	mostScans = 100
	// mostProfile is how large a colour profile may be that is kept. The profiles of phones and of sRGB are smaller.
	mostProfile = 4 << 10
)

// jpegReader goes through a file of JPEG.
type jpegReader struct {
	picture
	source []byte
	at     int

	jfif, adobe bool
	rest        []byte // what follows the segments of applications
	scans       int
}

// inspectJPEG reads what a JPEG file shows of itself without decoding it, and makes one of the same pixels without anything else: of the segments of
// applications only the head of JFIF, a small colour profile and Adobe's colour transform stay, and what follows its end does not.
func inspectJPEG(source []byte) (*picture, error) {
	r := &jpegReader{picture: picture{kind: typeJPEG, orientation: upright}, source: source, at: 2}
	if !bytes.HasPrefix(source, []byte{0xff, markerSOI}) {
		return nil, damaged("it does not begin as a JPEG")
	}
	r.rest = make([]byte, 0, len(source))
	for {
		marker, err := r.marker()
		if err != nil {
			return nil, err
		}
		switch {
		case marker == markerEOI:
			return r.end()
		case marker >= markerRST0 && marker <= markerRST7, marker == markerTEM:
			continue // of no use here, and of no harm
		case marker == markerSOI || marker == 0:
			return nil, damaged("there is no segment where one should be")
		}
		if err := r.segment(marker); err != nil {
			return nil, err
		}
	}
}

func (r *jpegReader) marker() (byte, error) {
	if r.at < len(r.source) && r.source[r.at] != 0xff {
		return 0, damaged("there is no segment where one should be")
	}
	for r.at < len(r.source) && r.source[r.at] == 0xff {
		r.at++
	}
	if r.at == len(r.source) {
		return 0, cutShort()
	}
	r.at++
	return r.source[r.at-1], nil
}

func (r *jpegReader) segment(marker byte) error {
	if len(r.source)-r.at < 2 {
		return cutShort()
	}
	length := int(binary.BigEndian.Uint16(r.source[r.at:]))
	if length < 2 {
		return damaged("a segment has no length")
	}
	if len(r.source)-r.at < length {
		return cutShort()
	}
	body := r.source[r.at+2 : r.at+length]
	r.at += length
	switch {
	case marker >= markerSOF0 && marker <= markerSOFLast && marker != markerDHT && marker != markerJPG && marker != markerDAC:
		if err := r.frame(marker, body); err != nil {
			return err
		}
		r.keep(marker, body)
	case marker == markerSOS:
		return r.scan(body)
	case marker == markerDHT, marker == markerDQT, marker == markerDRI, marker == markerDNL:
		r.keep(marker, body)
	case marker >= markerAPP0 && marker < markerAPP0+16:
		r.application(marker, body)
	}
	return nil
}

func (r *jpegReader) keep(marker byte, body []byte) { r.rest = appendSegment(r.rest, marker, body) }

func appendSegment(to []byte, marker byte, body []byte) []byte {
	to = append(to, 0xff, marker)
	to = binary.BigEndian.AppendUint16(to, uint16(len(body)+2))
	return append(to, body...)
}

// frame reads the head of the frame (T.81, B.2.2), and what decoding it takes: the samples, and in a progressive one its coefficients besides.
func (r *jpegReader) frame(marker byte, body []byte) error {
	switch {
	case marker > markerSOF2:
		return failuref(badPicture, "the picture is of a kind of JPEG that phones do not show")
	case r.width != 0:
		return damaged("it has more than one frame")
	case len(body) < 6 || len(body) != 6+3*int(body[5]) || body[5] == 0 || body[5] > 4:
		return damaged("the head of its frame makes no sense")
	}
	r.height, r.width = int(binary.BigEndian.Uint16(body[1:])), int(binary.BigEndian.Uint16(body[3:]))
	if r.width == 0 || r.height == 0 {
		return damaged("it does not say how large it is")
	}
	components := body[6:]
	mostH, mostV, blocks := 1, 1, 0
	for i := 0; i < len(components); i += 3 {
		h, v := int(components[i+1]>>4), int(components[i+1]&15)
		if h < 1 || h > 4 || v < 1 || v > 4 {
			return damaged("the head of its frame makes no sense")
		}
		mostH, mostV, blocks = max(mostH, h), max(mostV, v), blocks+h*v
	}
	units := int64((r.width+8*mostH-1)/(8*mostH)) * int64((r.height+8*mostV-1)/(8*mostV))
	samples := units * int64(blocks) * 64
	r.need = samples
	if marker == markerSOF2 {
		r.need += 4 * samples // the decoder's coefficients have 32 bits
	}
	r.inks = len(components) == 12
	r.rgb = r.inks || len(components) == 9 && r.named(components)
	if r.rgb {
		r.need += 4 * int64(r.width) * int64(r.height)
	}
	return nil
}

// named tells whether the components are named for red, green and blue, which makes another copy of the picture in memory, as Adobe's segment may.
func (r *jpegReader) named(components []byte) bool {
	return r.adobe || components[0] == 'R' && components[3] == 'G' && components[6] == 'B'
}

// scan keeps a scan: its head, and coded data up to the next marker.
func (r *jpegReader) scan(body []byte) error {
	if r.width == 0 {
		return damaged("it has data before its frame")
	}
	if r.scans++; r.scans > mostScans {
		return damaged("it has too many scans")
	}
	r.keep(markerSOS, body)
	begin := r.at
	for {
		i := bytes.IndexByte(r.source[r.at:], 0xff)
		if i < 0 || r.at+i+1 >= len(r.source) {
			return cutShort()
		}
		r.at += i
		switch next := r.source[r.at+1]; {
		case next == 0, next >= markerRST0 && next <= markerRST7:
			r.at += 2
		case next == 0xff:
			r.at++
		default:
			r.rest = append(r.rest, r.source[begin:r.at]...)
			return nil
		}
	}
}

const jfifHead, exifHead, iccHead, adobeHead = "JFIF\x00", "Exif\x00\x00", "ICC_PROFILE\x00", "Adobe"

// application looks at a segment of an application, of which little stays.
func (r *jpegReader) application(marker byte, body []byte) {
	switch {
	case marker == markerAPP0 && bytes.HasPrefix(body, []byte(jfifHead)):
		r.jfif = true
	case marker == markerAPP1 && bytes.HasPrefix(body, []byte(exifHead)) && r.orientation == upright:
		r.orientation = exifOrientation(body[len(exifHead):])
	case marker == markerAPP2 && bytes.HasPrefix(body, []byte(iccHead)):
		r.profile = appendSegment(r.profile, markerAPP2, body)
	case marker == markerAPP14 && bytes.HasPrefix(body, []byte(adobeHead)) && len(body) >= 12 && !r.adobe:
		r.adobe = true
		r.keep(markerAPP14, body[:12])
	}
}

func (r *jpegReader) end() (*picture, error) {
	if r.scans == 0 {
		return nil, damaged("there is no picture in it")
	}
	if len(r.profile) > mostProfile {
		r.profile = nil
	}
	r.clean = make([]byte, 0, len(r.source))
	r.clean = append(r.clean, 0xff, markerSOI)
	if r.jfif {
		r.clean = appendSegment(r.clean, markerAPP0, []byte(jfifHead+"\x01\x01\x00\x00\x01\x00\x01\x00\x00"))
	}
	r.clean = append(r.clean, r.profile...)
	r.clean = append(r.clean, r.rest...)
	r.clean = append(r.clean, 0xff, markerEOI)
	return &r.picture, nil
}

// withProfile puts a colour profile into a JPEG that the encoder made, behind its beginning.
func withProfile(file, profile []byte) []byte {
	if len(profile) == 0 {
		return file
	}
	out := make([]byte, 0, len(file)+len(profile))
	out = append(out, file[:2]...)
	out = append(out, profile...)
	return append(out, file[2:]...)
}
