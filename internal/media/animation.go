package media

import (
	"compress/lzw"
	"context"
	"image"
	"image/gif"
	"math"
)

// Bounds of animations that are made smaller.
const (
	mostShown     = 100e6 // pixels of all screens together that are looked at: some are left out where there are more
	mostTries     = 5
	leastAnimated = 160 // pixels of the longer side, below which frames are rather left out
	leastFrames   = 4   // below which pixels are
	leastMoving   = 48  // pixels of the longer side, below which a picture that stands still is better
	mostColours   = 255
	fewColours    = 64
)

// cut is how an animation is made smaller.
type cut struct {
	width, height int
	step          int // one of that many frames stays; the delays of the others are added to it
	colours       int
}

// adaptGIF makes a GIF of a GIF, or nothing when none is taken, or none that moves fits. One that stands still is tried once: as JPEG it fits better.
func (p *picture) adaptGIF(ctx context.Context, l *Limits) ([]byte, error) {
	if !l.takes(typeGIF) {
		return nil, nil
	}
	first := p.firstCut(l)
	c, tries := p.guess(first, l), mostTries
	if len(p.frames) == 1 {
		c, tries = first, 1
	}
	colours, through, err := p.colours(ctx, first.step)
	if err != nil {
		return nil, err
	}
	var best []byte
	for range tries {
		content, size, err := p.play(ctx, c, colours.palette(c.colours), through, l.bytes())
		if err != nil {
			return nil, err
		}
		share := float64(l.bytes()) / float64(size)
		switch larger := p.larger(c, first, share); {
		case content == nil && best != nil, content != nil && (best != nil || larger == c || share < 1.5):
			if content == nil {
				content = best
			}
			return content, nil
		case content != nil: // much room is left: once more
			best, c = content, larger
		default:
			if c = p.smaller(c, share); max(c.width, c.height) < leastMoving {
				return nil, nil
			}
		}
	}
	return best, nil
}

// larger is a cut that should still fit when that many times the octets may be there: with frames that were left out, or with more pixels, but not more
// than in the first place.
func (p *picture) larger(c, first cut, share float64) cut {
	share *= 0.8
	if step := max(int(math.Ceil(float64(c.step)/share)), first.step); step < c.step {
		c.step = step
		return c
	}
	scale := min(math.Sqrt(max(share, 1)), float64(first.width)/float64(c.width))
	if scale > 1 {
		c.width, c.height = scaled(c.width, c.height, scale)
	}
	return c
}

// firstCut is what is looked at where octets do not count.
func (p *picture) firstCut(l *Limits) cut {
	w, h := p.target(l)
	return cut{w, h, 1 + int(int64(p.width)*int64(p.height)*int64(len(p.frames))/mostShown), mostColours}
}

// guess is the cut to begin with: the same share of the pixels as of the octets, since those are what costs.
func (p *picture) guess(first cut, l *Limits) cut {
	pixels := float64(first.width) * float64(first.height) / (float64(p.width) * float64(p.height)) / float64(first.step)
	if share := float64(l.bytes()) / float64(len(p.clean)); share < pixels {
		return p.smaller(first, share/pixels)
	}
	return first
}

// smaller is a cut that should give that share of the octets, and a little less: fewer pixels while that makes sense, then fewer colours and frames,
// and fewer pixels again.
func (p *picture) smaller(c cut, share float64) cut {
	share = c.scale(share*0.9, leastAnimated)
	if share < 1 && c.colours > fewColours {
		c.colours = fewColours
		share /= 0.75 // about what six bits take of eight
	}
	most := max(len(p.frames)/leastFrames, c.step)
	if step := min(int(math.Ceil(float64(c.step)/share)), most); step > c.step {
		share *= float64(step) / float64(c.step)
		c.step = step
	}
	c.scale(share, 1)
	return c
}

// scale takes pixels for a share of the octets, but leaves so many on the longer side. It gives the share of what is left that is still to be saved.
func (c *cut) scale(share float64, least int) float64 {
	scale := min(max(math.Sqrt(share), float64(least)/float64(max(c.width, c.height))), 1)
	c.width, c.height = scaled(c.width, c.height, scale)
	if share /= scale * scale; share > 0.99 {
		return 1
	}
	return share
}

// colours counts those of the frames that stay, and tells whether one shows what is behind it.
func (p *picture) colours(ctx context.Context, step int) (h *histogram, through bool, err error) {
	h = &histogram{}
	s := newPlayer(p)
	for i := range p.frames {
		if err := ctx.Err(); err != nil {
			return nil, false, err
		}
		if err := s.show(); err != nil {
			return nil, false, err
		}
		if i%step == 0 {
			h.add(s.canvas)
			through = through || !s.seen().Opaque()
		}
	}
	return h, through, nil
}

// play makes an animation. The content is nil when it is larger than that: then size is what it would be, about.
func (p *picture) play(ctx context.Context, c cut, colours *palette, through bool, most int64) (content []byte, size int64, err error) {
	out := bounded{most: most}
	w := newGIFWriter(&out, c.width, c.height, colours, through)
	w.begin(p.loop)
	s := newPlayer(p)
	for i := range p.frames {
		if err := ctx.Err(); err != nil {
			return nil, 0, err
		}
		if err := s.show(); err != nil {
			return nil, 0, err
		}
		if i%c.step != 0 {
			continue
		}
		img, _ := shrink(s.seen(), c.width, c.height).(*image.RGBA)
		w.frame(img, p.delay(i, c.step))
		if out.size > 2*most { // its end is not worth waiting for
			return nil, out.size * int64(len(p.frames)) / int64(i+1), nil
		}
	}
	w.end()
	if out.size > most {
		return nil, out.size, nil
	}
	return out.kept, out.size, nil
}

// delay is that of a frame and of those that are left out after it.
func (p *picture) delay(from, step int) (sum int) {
	for i := from; i < min(from+step, len(p.frames)); i++ {
		sum += p.frames[i].delay
	}
	return min(sum, math.MaxUint16)
}

// gifWriter writes an animation with one table of colours. Where nothing shows through, a frame has only what is other than before, and stays when the
// next comes; else each frame is whole and taken away.
type gifWriter struct {
	out           *bounded
	width, height int
	colours       *palette
	through       bool
	bits          int

	now, before []uint8 // indexes of colours
	first       bool
	pixels      []uint8 // of one image
}

func newGIFWriter(out *bounded, width, height int, colours *palette, through bool) *gifWriter {
	w := &gifWriter{out: out, width: width, height: height, colours: colours, through: through, bits: 2, first: true}
	for 1<<w.bits < len(colours.colours)+1 {
		w.bits++
	}
	n := width * height
	w.now, w.before, w.pixels = make([]uint8, n), make([]uint8, n), make([]uint8, 0, n)
	return w
}

// none is the index of what shows through.
func (w *gifWriter) none() uint8 { return uint8(len(w.colours.colours)) }

func (w *gifWriter) write(octets ...byte) { _, _ = w.out.Write(octets) } // into memory

func (w *gifWriter) begin(loop []byte) {
	w.write([]byte("GIF89a")...)
	w.write(byte(w.width), byte(w.width>>8), byte(w.height), byte(w.height>>8), gifColours|byte(w.bits-1), 0, 0)
	table := make([]byte, 3<<w.bits)
	for i, c := range w.colours.colours {
		copy(table[3*i:], c[:])
	}
	w.write(table...)
	w.write(loop...)
}

func (w *gifWriter) end() { w.write(gifTrailer) }

func (w *gifWriter) frame(img *image.RGBA, delay int) {
	for i := range w.now {
		w.now[i] = w.index(img.Pix[4*i : 4*i+4])
	}
	area := w.changed()
	w.pixels = w.pixels[:0]
	for y := area.Min.Y; y < area.Max.Y; y++ {
		for i := y*w.width + area.Min.X; i < y*w.width+area.Max.X; i++ {
			index := w.now[i]
			if !w.through && !w.first && index == w.before[i] {
				index = w.none()
			}
			w.pixels = append(w.pixels, index)
		}
	}
	disposal := byte(gif.DisposalNone)
	if w.through {
		disposal = gif.DisposalBackground
	}
	w.write(gifExtension, gifControl, 4, disposal<<2|1, byte(delay), byte(delay>>8), w.none(), 0)
	w.image(area)
	w.now, w.before, w.first = w.before, w.now, false
}

func (w *gifWriter) index(pixel []byte) uint8 {
	switch a := uint32(pixel[3]); {
	case a == 255:
		return w.colours.of(pixel[0], pixel[1], pixel[2])
	case a < 128:
		return w.none()
	default:
		plain := func(c byte) byte { return byte(min((uint32(c)*255+a/2)/a, 255)) }
		return w.colours.of(plain(pixel[0]), plain(pixel[1]), plain(pixel[2]))
	}
}

// changed is the part of the screen that the frame must hold; it has one pixel at least.
func (w *gifWriter) changed() image.Rectangle {
	if w.first && !w.through {
		return image.Rect(0, 0, w.width, w.height)
	}
	area := image.Rectangle{}
	for y := range w.height {
		row, before := w.now[y*w.width:][:w.width], w.before[y*w.width:][:w.width]
		for x, index := range row {
			if w.through && index != w.none() || !w.through && index != before[x] {
				area = area.Union(image.Rect(x, y, x+1, y+1))
			}
		}
	}
	if area.Empty() {
		return image.Rect(0, 0, 1, 1)
	}
	return area
}

// image writes pixels, packed, in blocks.
func (w *gifWriter) image(area image.Rectangle) {
	x, y, width, height := area.Min.X, area.Min.Y, area.Dx(), area.Dy()
	w.write(gifImage, byte(x), byte(x>>8), byte(y), byte(y>>8), byte(width), byte(width>>8), byte(height), byte(height>>8), 0)
	w.write(byte(w.bits))
	blocks := blockWriter{to: w.out}
	pack := lzw.NewWriter(&blocks, lzw.LSB, w.bits)
	_, _ = pack.Write(w.pixels)
	_ = pack.Close()
	blocks.end()
}

// blockWriter cuts what is written into blocks of 255 octets at most.
type blockWriter struct {
	to     *bounded
	length int
	block  [256]byte // its length first
}

func (b *blockWriter) Write(p []byte) (n int, err error) {
	for n < len(p) {
		part := copy(b.block[1+b.length:], p[n:])
		n += part
		if b.length += part; b.length == 255 {
			b.flush()
		}
	}
	return n, nil
}

func (b *blockWriter) flush() {
	b.block[0] = byte(b.length)
	_, _ = b.to.Write(b.block[:1+b.length])
	b.length = 0
}

func (b *blockWriter) end() {
	if b.length > 0 {
		b.flush()
	}
	b.flush() // the empty one
}
