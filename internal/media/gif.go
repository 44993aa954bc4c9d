package media

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/gif"
	"io"
)

// Blocks of GIF (GIF89a specification, 11 to 27).
const (
	gifExtension, gifImage, gifTrailer                = 0x21, 0x2c, 0x3b
	gifControl, gifPlainText, gifApplication          = 0xf9, 0x01, 0xff
	gifScreenLength, gifImageLength, gifColours       = 13, 10, 0x80
	mostFrames                                        = 5000
	mostFramePixels                             int64 = 100e6 // of all frames together: each is decoded several times
)

// gifFrame is an image of a GIF file.
type gifFrame struct {
	area     image.Rectangle
	delay    int // hundredths of a second
	disposal byte
	data     []byte // its blocks in the clean file, its graphic control first
}

// gifReader goes through a file of GIF.
type gifReader struct {
	picture
	rest    []byte
	control []byte // of the image that follows; nil: none
}

// inspectGIF reads what a GIF file shows of itself without decoding it, and makes one of the same images without anything else: comments, plain texts
// and what programs put there go, but how often it is played stays.
func inspectGIF(source []byte) (*picture, error) {
	if !bytes.HasPrefix(source, []byte("GIF87a")) && !bytes.HasPrefix(source, []byte("GIF89a")) {
		return nil, damaged("it does not begin as a GIF")
	}
	r := &gifReader{picture: picture{kind: typeGIF, orientation: upright}, rest: source}
	r.clean = make([]byte, 0, len(source)+1) // it does not grow beyond, so that frames may point into it
	if err := r.screen(); err != nil {
		return nil, err
	}
	for len(r.rest) > 0 && r.rest[0] != gifTrailer {
		var err error
		switch r.rest[0] {
		case gifExtension:
			err = r.extension()
		case gifImage:
			err = r.image()
		default:
			err = damaged("there is no block where one should be")
		}
		if err != nil {
			return nil, err
		}
	}
	if len(r.frames) == 0 {
		return nil, damaged("there is no picture in it")
	}
	r.clean = append(r.clean, gifTrailer) // some programs leave it out
	return &r.picture, nil
}

// take cuts off what comes next.
func (r *gifReader) take(n int) ([]byte, error) {
	if len(r.rest) < n {
		return nil, cutShort()
	}
	part := r.rest[:n]
	r.rest = r.rest[n:]
	return part, nil
}

// table cuts off a table of colours, if the flags say that there is one.
func (r *gifReader) table(flags byte) ([]byte, error) {
	if flags&gifColours == 0 {
		return nil, nil
	}
	return r.take(3 << (flags&7 + 1))
}

// subBlocks cuts off blocks of data up to the empty one that ends them.
func (r *gifReader) subBlocks() ([]byte, error) {
	n := 0
	for {
		if n >= len(r.rest) {
			return nil, cutShort()
		}
		length := int(r.rest[n])
		if n += 1 + length; length == 0 {
			return r.take(n)
		}
	}
}

func (r *gifReader) screen() error {
	head, err := r.take(gifScreenLength)
	if err != nil {
		return err
	}
	colours, err := r.table(head[10])
	if err != nil {
		return err
	}
	r.width, r.height = int(binary.LittleEndian.Uint16(head[6:])), int(binary.LittleEndian.Uint16(head[8:]))
	if r.width == 0 || r.height == 0 {
		return damaged("it does not say how large it is")
	}
	r.clean = append(append(r.clean, head...), colours...)
	r.head = r.clean[:len(r.clean):len(r.clean)]
	pixels := int64(r.width) * int64(r.height)
	r.need = 6 * pixels // the canvas and one image; see player
	return nil
}

func (r *gifReader) extension() error {
	if len(r.rest) < 2 {
		return cutShort()
	}
	label := r.rest[1]
	begin := r.rest
	r.rest = r.rest[2:]
	blocks, err := r.subBlocks()
	if err != nil {
		return err
	}
	whole := begin[:2+len(blocks)]
	switch {
	case label == gifControl && len(blocks) == 6 && blocks[0] == 4:
		r.control = whole
	case label == gifPlainText:
		r.control = nil // it was for the text
	case label == gifApplication && len(blocks) == 17 && r.loop == nil &&
		(bytes.HasPrefix(blocks, []byte("\x0bNETSCAPE2.0\x03\x01")) || bytes.HasPrefix(blocks, []byte("\x0bANIMEXTS1.0\x03\x01"))):
		r.loop = whole
		r.clean = append(r.clean, whole...)
	}
	return nil
}

func (r *gifReader) image() error {
	head, err := r.take(gifImageLength)
	if err != nil {
		return err
	}
	number := func(i int) int { return int(binary.LittleEndian.Uint16(head[i:])) }
	frame := gifFrame{area: image.Rect(number(1), number(3), number(1)+number(5), number(3)+number(7))}
	if frame.area.Empty() || !frame.area.In(image.Rect(0, 0, r.width, r.height)) {
		return damaged("an image is outside of its screen")
	}
	begin := len(r.clean)
	if r.control != nil {
		r.clean = append(r.clean, r.control...)
		frame.disposal, frame.delay = r.control[3]>>2&7, int(binary.LittleEndian.Uint16(r.control[4:]))
		if frame.disposal == gif.DisposalPrevious && !r.restores {
			r.restores = true
			r.need += 4 * int64(r.width) * int64(r.height)
		}
		r.control = nil
	}
	colours, err := r.table(head[9])
	if err != nil {
		return err
	}
	size, err := r.take(1)
	if err != nil {
		return err
	}
	blocks, err := r.subBlocks()
	if err != nil {
		return err
	}
	for _, part := range [...][]byte{head, colours, size, blocks} {
		r.clean = append(r.clean, part...)
	}
	frame.data = r.clean[begin:]
	r.frames = append(r.frames, frame)
	r.framePixels += int64(frame.area.Dx()) * int64(frame.area.Dy())
	if len(r.frames) > mostFrames || r.framePixels > mostFramePixels {
		return tooManyPixels()
	}
	return nil
}

// player shows the images of a GIF one after the other, as a viewer does. It holds the screen, what a frame is to restore, and one image.
type player struct {
	*picture
	canvas []byte // RGBA; a pixel is opaque or transparent
	saved  []byte // the canvas before the last image, where that is to be restored
	next   int
}

func newPlayer(p *picture) *player {
	s := &player{picture: p, canvas: make([]byte, 4*p.width*p.height)}
	if p.restores {
		s.saved = make([]byte, len(s.canvas))
	}
	return s
}

// show draws the next image.
func (s *player) show() error {
	if s.next > 0 {
		s.dispose(&s.frames[s.next-1])
	}
	frame := &s.frames[s.next]
	s.next++
	if frame.disposal == gif.DisposalPrevious {
		s.rows(frame.area, func(from, to int) { copy(s.saved[from:to], s.canvas[from:to]) })
	}
	// A file of this image alone.
	decoded, err := gif.Decode(io.MultiReader(bytes.NewReader(s.head), bytes.NewReader(frame.data), bytes.NewReader([]byte{gifTrailer})))
	img, ok := decoded.(*image.Paletted)
	if err != nil || !ok || img.Rect != frame.area {
		return damaged("an image in it cannot be decoded")
	}
	var colours [256][4]byte
	for i, c := range img.Palette {
		if r, g, b, a := c.RGBA(); a != 0 {
			colours[i] = [4]byte{byte(r >> 8), byte(g >> 8), byte(b >> 8), 255}
		}
	}
	y := 0
	s.rows(frame.area, func(from, to int) {
		row := s.canvas[from:to]
		for x, index := range img.Pix[y*img.Stride:][:img.Rect.Dx()] {
			if c := &colours[index]; c[3] != 0 {
				copy(row[4*x:4*x+4], c[:])
			}
		}
		y++
	})
	return nil
}

// seen is what the screen shows. A pixel is opaque or all zero, so that it is the same with its colours multiplied by its alpha or not.
func (s *player) seen() *image.RGBA {
	return &image.RGBA{Pix: s.canvas, Stride: 4 * s.width, Rect: image.Rect(0, 0, s.width, s.height)}
}

// dispose does what comes between an image and the next.
func (s *player) dispose(frame *gifFrame) {
	switch frame.disposal {
	case gif.DisposalBackground: // viewers show through what the specification fills with a colour
		s.rows(frame.area, func(from, to int) { clear(s.canvas[from:to]) })
	case gif.DisposalPrevious:
		s.rows(frame.area, func(from, to int) { copy(s.canvas[from:to], s.saved[from:to]) })
	}
}

// rows calls fn for each row of an area with where it is in the canvas.
func (s *player) rows(area image.Rectangle, fn func(from, to int)) {
	for y := area.Min.Y; y < area.Max.Y; y++ {
		fn(4*(y*s.width+area.Min.X), 4*(y*s.width+area.Max.X))
	}
}
