package media

import (
	"bytes"
	"context"
	"image"
	"image/jpeg"
	"image/png"
	"math"
	"slices"

	"github.com/heliograph/heliograph/internal/gateway"
)

// The types of pictures that are adapted.
const (
	typeJPEG = "image/jpeg"
	typePNG  = "image/png"
	typeGIF  = "image/gif"
)

// Limits are what a carrier, or a message on its way there, has room for.
type Limits struct {
	MaxBytes            int64 // of a file; 0: any
	MaxWidth, MaxHeight int   // of a picture, in pixels as it is seen; 0: any
	// Types are what is taken; empty: all.
	Types []string
}

func (l *Limits) takes(mediaType string) bool {
	return len(l.Types) == 0 || slices.Contains(l.Types, mediaType)
}

// bytes is how large a file may be.
func (l *Limits) bytes() int64 {
	if l.MaxBytes <= 0 {
		return mostSource
	}
	return min(l.MaxBytes, mostSource)
}

// Bounds of pictures, whatever a carrier takes.
const (
	mostPixels int64 = 64e6
	mostSource int64 = 20 << 20 // octets of a file; it is in memory twice
	mostWorked int64 = 6e6      // pixels of what is encoded anew: more than any phone shows
)

// picture is what a file shows of itself before anything in it is decoded.
type picture struct {
	kind          string
	clean         []byte // a file of the same pixels without metadata
	width, height int    // as they are stored
	orientation   int
	need          int64 // octets that decoding takes

	profile []byte // of JPEG: the segments of its colour profile
	inks    bool   // it is for print: what is made of it has other colours than its profile is for
	rgb     bool   // it is RGB when it is decoded, not luma and chroma

	head        []byte     // of GIF: its screen
	loop        []byte     // how often it is played; nil: once
	frames      []gifFrame // its images
	framePixels int64      // of all of them
	restores    bool       // one of them is taken away again
}

const badPicture = gateway.InvalidMessage

func damaged(how string) error { return failuref(badPicture, "the picture is damaged: %s", how) }

func cutShort() error { return damaged("it ends too early") }

func tooManyPixels() error {
	return failuref(gateway.MediaTooLarge, "the picture has too many pixels to be sent, or to be made smaller")
}

// isPicture tells whether files of a type are adapted.
func isPicture(mediaType string) bool {
	return mediaType == typeJPEG || mediaType == typePNG || mediaType == typeGIF
}

// inspect reads what a file of a type shows of itself. Its errors are Failures.
func inspect(source []byte, mediaType string) (p *picture, err error) {
	switch mediaType {
	case typeJPEG:
		p, err = inspectJPEG(source)
	case typePNG:
		p, err = inspectPNG(source)
	default:
		p, err = inspectGIF(source)
	}
	if err == nil && int64(p.width)*int64(p.height) > mostPixels {
		err = tooManyPixels()
	}
	return p, err
}

// seen is the size of the picture as it is seen.
func (p *picture) seen() (width, height int) {
	if turned(p.orientation) {
		return p.height, p.width
	}
	return p.width, p.height
}

// fits tells whether the clean file can be sent as it is.
func (p *picture) fits(l *Limits) bool {
	w, h := p.seen()
	return p.orientation == upright && l.takes(p.kind) && int64(len(p.clean)) <= l.bytes() &&
		(l.MaxWidth <= 0 || w <= l.MaxWidth) && (l.MaxHeight <= 0 || h <= l.MaxHeight)
}

// target is the size, as it is seen, that a picture is made in at first: within the limits, and with no more pixels than the octets are good for.
func (p *picture) target(l *Limits) (width, height int) {
	const pixelsPerOctet = 10 // of JPEG, which below a quality of 40 or so has the looks of fewer pixels
	w, h := p.seen()
	scale := 1.0
	if l.MaxWidth > 0 {
		scale = min(scale, float64(l.MaxWidth)/float64(w))
	}
	if l.MaxHeight > 0 {
		scale = min(scale, float64(l.MaxHeight)/float64(h))
	}
	most := float64(min(mostWorked, l.bytes()*pixelsPerOctet))
	scale = min(scale, math.Sqrt(most/(float64(w)*float64(h))))
	return scaled(w, h, scale)
}

func scaled(w, h int, scale float64) (width, height int) {
	return max(int(float64(w)*scale+1e-6), 1), max(int(float64(h)*scale+1e-6), 1)
}

// claim is how many octets adapting the picture takes besides the file: decoding it, and what it becomes, which is there twice while it is turned or
// flattened.
func (p *picture) claim(l *Limits) int64 {
	const encoder = 1 << 20
	w, h := p.target(l)
	worked := int64(w) * int64(h)
	if p.kind == typeJPEG && !p.rgb {
		worked += worked / 2 // luma, and chroma of half the width and height
	} else {
		worked *= 4
	}
	return p.need + 2*worked + 2*l.bytes() + encoder
}

// adapt makes the picture fit, and says of which type it is now. The error is a Failure, or that of ctx. What cannot fit fails with MediaTooLarge.
func (p *picture) adapt(ctx context.Context, l *Limits) (content []byte, mediaType string, err error) {
	if p.kind == typeGIF {
		if content, err := p.adaptGIF(ctx, l); content != nil || err != nil {
			return content, typeGIF, err
		}
	}
	w, h := p.target(l)
	img, err := p.decode(w, h)
	if err != nil {
		return nil, "", err
	}
	// Drawings and what shows through stay what they are if they can.
	if p.kind == typePNG && l.takes(typePNG) {
		if content := encodePNG(img, l.bytes()); content != nil {
			return content, typePNG, nil
		}
	}
	switch {
	case l.takes(typeJPEG):
		content, err = p.searchJPEG(ctx, flatten(img), l.bytes())
		return content, typeJPEG, err
	case l.takes(typePNG):
		content, err = searchPNG(ctx, img, l.bytes())
		return content, typePNG, err
	}
	return nil, "", failuref(gateway.MediaTooLarge, "the picture does not fit, and the carrier takes no other types of pictures")
}

// decode gives the picture in a size, as it is seen.
func (p *picture) decode(width, height int) (raster, error) {
	var img image.Image
	var err error
	switch p.kind {
	case typeJPEG:
		img, err = jpeg.Decode(bytes.NewReader(p.clean))
	case typePNG:
		img, err = png.Decode(bytes.NewReader(p.clean))
	case typeGIF:
		s := newPlayer(p)
		err, img = s.show(), s.seen()
	}
	if err != nil || img.Bounds().Dx() != p.width || img.Bounds().Dy() != p.height {
		return nil, damaged("it cannot be decoded")
	}
	if turned(p.orientation) {
		width, height = height, width
	}
	return orient(shrink(img, width, height), p.orientation), nil
}

// Bounds of the search for a JPEG that fits.
const (
	bestQuality  = 88
	leastQuality = 45
	leastSide    = 16 // pixels: what is smaller is no picture any more
)

// searchJPEG encodes a picture in the best quality that fits, and a smaller one if none does. Most pictures take four or five encodings.
func (p *picture) searchJPEG(ctx context.Context, img raster, most int64) ([]byte, error) {
	room := most - int64(len(p.profile))
	profile := p.profile
	if room < most*9/10 || p.inks {
		room, profile = most, nil
	}
	for {
		content, size, err := bestJPEG(ctx, img, room)
		if err != nil || content != nil {
			return withProfile(content, profile), err
		}
		w, h := img.Bounds().Dx(), img.Bounds().Dy()
		scale := min(0.95*math.Sqrt(float64(room)/float64(size)), 0.8)
		w, h = scaled(w, h, scale)
		if max(w, h) < leastSide {
			return nil, failuref(gateway.MediaTooLarge, "the picture cannot be made smaller than %d octets", most)
		}
		img = shrink(img, w, h)
	}
}

// bestJPEG finds the quality. The content is nil when none fits: then size is that in the least.
func bestJPEG(ctx context.Context, img raster, most int64) (content []byte, size int64, err error) {
	low, high := leastQuality, bestQuality // what is below low fits, if content is there; what is above high does not
	for quality := bestQuality; low <= high; quality = (low + high + 1) / 2 {
		if err := ctx.Err(); err != nil {
			return nil, 0, err
		}
		out := bounded{most: most}
		if err := jpeg.Encode(&out, img, &jpeg.Options{Quality: quality}); err != nil {
			return nil, 0, damaged("it cannot be encoded")
		}
		if out.size <= most {
			content, low = out.kept, quality+1
			if out.size > most*9/10 || quality == bestQuality {
				return content, out.size, nil
			}
			continue
		}
		high = quality - 1
		size = out.size
		if out.size > 4*most && content == nil { // far too large: the least is tried at once
			high = min(high, leastQuality)
		}
	}
	return content, size, nil
}

// encodePNG gives a PNG, or nil when it is larger than that.
func encodePNG(img raster, most int64) []byte {
	out := bounded{most: most}
	if err := png.Encode(&out, unmultiplied(img)); err != nil || out.size > most {
		return nil
	}
	return out.kept
}

// searchPNG makes the picture smaller until its PNG fits.
func searchPNG(ctx context.Context, img raster, most int64) ([]byte, error) {
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if content := encodePNG(img, most); content != nil {
			return content, nil
		}
		w, h := scaled(img.Bounds().Dx(), img.Bounds().Dy(), 0.8)
		if max(w, h) < leastSide {
			return nil, failuref(gateway.MediaTooLarge, "the picture cannot be made smaller than %d octets", most)
		}
		img = shrink(img, w, h)
	}
}

// bounded keeps what is written up to a size, and counts the rest.
type bounded struct {
	most, size int64
	kept       []byte
}

func (b *bounded) Write(p []byte) (int, error) {
	if b.size += int64(len(p)); b.size <= b.most {
		b.kept = append(b.kept, p...)
	} else {
		b.kept = nil
	}
	return len(p), nil
}
