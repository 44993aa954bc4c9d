package media

import "slices"

// histogram counts the colours of pictures, in 32,768 classes of five bits each for red, green and blue.
type histogram struct {
	count [classes]uint32
	sum   [classes][3]uint64
}

const classes = 1 << 15

func class(r, g, b byte) int { return int(r>>3)<<10 | int(g>>3)<<5 | int(b>>3) }

// add counts every pixel of RGBA that is not transparent.
func (h *histogram) add(pix []byte) {
	for i := 0; i+3 < len(pix); i += 4 {
		if pix[i+3] < 128 {
			continue
		}
		k := class(pix[i], pix[i+1], pix[i+2])
		h.count[k]++
		for c := range 3 {
			h.sum[k][c] += uint64(pix[i+c])
		}
	}
}

// palette is a table of colours, and which of them stands for each class that is known.
type palette struct {
	colours [][3]byte
	index   [classes]uint8
	known   [classes]bool
}

// of gives the colour that stands for one: that of its box, or the nearest for one that was not counted.
func (p *palette) of(r, g, b byte) uint8 {
	k := class(r, g, b)
	if p.known[k] {
		return p.index[k]
	}
	best := 1 << 30
	for i, c := range p.colours {
		dr, dg, db := int(c[0])-int(r), int(c[1])-int(g), int(c[2])-int(b)
		if d := dr*dr + dg*dg + db*db; d < best {
			best, p.index[k] = d, uint8(i)
		}
	}
	p.known[k] = true
	return p.index[k]
}

// box is a set of classes: a part of colour space.
type box struct {
	classes []int
	channel int // in which it is widest
	weight  uint64
}

// palette chooses colours by median cut (P. Heckbert, 1982): the box whose split gains most is split in the middle of its pixels.
func (h *histogram) palette(most int) *palette {
	var all []int
	for k, n := range h.count {
		if n > 0 {
			all = append(all, k)
		}
	}
	if len(all) == 0 {
		return &palette{colours: [][3]byte{{}}}
	}
	boxes := []box{h.box(all)}
	for len(boxes) < most {
		widest := 0
		for i := range boxes {
			if boxes[i].weight > boxes[widest].weight {
				widest = i
			}
		}
		if boxes[widest].weight == 0 { // each has one class
			break
		}
		low, high := h.split(&boxes[widest])
		boxes[widest] = low
		boxes = append(boxes, high)
	}
	p := &palette{}
	for i, b := range boxes {
		p.colours = append(p.colours, h.mean(b.classes))
		for _, k := range b.classes {
			p.index[k], p.known[k] = uint8(i), true
		}
	}
	return p
}

// part is one of the three five-bit parts of a class.
func part(k, channel int) int { return k >> (10 - 5*channel) & 31 }

// box measures a set of classes. Its weight is the square of its width times its pixels: 0 for a single class.
func (h *histogram) box(set []int) box {
	b := box{classes: set}
	widest, pixels := 0, uint64(0)
	for channel := range 3 {
		low, high := 31, 0
		for _, k := range set {
			low, high = min(low, part(k, channel)), max(high, part(k, channel))
		}
		if high-low > widest {
			widest, b.channel = high-low, channel
		}
	}
	for _, k := range set {
		pixels += uint64(h.count[k])
	}
	b.weight = uint64(widest) * uint64(widest) * pixels
	return b
}

func (h *histogram) split(b *box) (low, high box) {
	slices.SortFunc(b.classes, func(x, y int) int { return part(x, b.channel) - part(y, b.channel) })
	pixels := uint64(0)
	for _, k := range b.classes {
		pixels += uint64(h.count[k])
	}
	at, below := 0, uint64(0)
	for at < len(b.classes)-1 && (at == 0 || below+uint64(h.count[b.classes[at]]) <= pixels/2) {
		below += uint64(h.count[b.classes[at]])
		at++
	}
	return h.box(b.classes[:at:at]), h.box(b.classes[at:])
}

func (h *histogram) mean(set []int) (colour [3]byte) {
	var sum [3]uint64
	pixels := uint64(0)
	for _, k := range set {
		pixels += uint64(h.count[k])
		for c := range sum {
			sum[c] += h.sum[k][c]
		}
	}
	for c := range sum {
		colour[c] = byte((sum[c] + pixels/2) / pixels)
	}
	return colour
}
