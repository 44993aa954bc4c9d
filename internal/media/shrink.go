package media

import (
	"image"
	"image/draw"
)

// raster is a picture in memory of which JPEG and PNG are made: *image.YCbCr, *image.Gray, or *image.RGBA. Its bounds begin at 0, 0.
type raster interface {
	image.Image
	Opaque() bool
}

// shrink gives a picture in that many pixels, none of which may be more than there are. Each is the mean of what it covers. Pictures of luma and
// chroma stay such, so that a photograph is never in memory as RGB.
func shrink(img image.Image, width, height int) raster {
	from := img.Bounds()
	same := from.Min == (image.Point{}) && from.Dx() == width && from.Dy() == height
	switch img := img.(type) {
	case *image.YCbCr:
		if same {
			return img
		}
		return shrinkYCbCr(img, width, height)
	case *image.Gray:
		if same {
			return img
		}
		to := image.NewGray(image.Rect(0, 0, width, height))
		shrinkPlane(plane{to.Pix, width, height, to.Stride, 1}, from.Dx(), from.Dy(), rowsOf(img.Pix, img.Stride, from.Dx()))
		return to
	}
	to := image.NewRGBA(image.Rect(0, 0, width, height))
	if same {
		draw.Draw(to, to.Rect, img, from.Min, draw.Src)
		return to
	}
	row := image.NewRGBA(image.Rect(0, 0, from.Dx(), 1))
	shrinkPlane(plane{to.Pix, width, height, to.Stride, 4}, from.Dx(), from.Dy(), func(y int) []byte {
		draw.Draw(row, row.Rect, img, image.Pt(from.Min.X, from.Min.Y+y), draw.Src)
		return row.Pix
	})
	return to
}

func shrinkYCbCr(img *image.YCbCr, width, height int) *image.YCbCr {
	to := image.NewYCbCr(image.Rect(0, 0, width, height), image.YCbCrSubsampleRatio420)
	w, h := img.Rect.Dx(), img.Rect.Dy()
	shrinkPlane(plane{to.Y, width, height, to.YStride, 1}, w, h, rowsOf(img.Y, img.YStride, w))
	cw, ch := chromaSize(img)
	for _, c := range [...]struct{ to, from []byte }{{to.Cb, img.Cb}, {to.Cr, img.Cr}} {
		shrinkPlane(plane{c.to, (width + 1) / 2, (height + 1) / 2, to.CStride, 1}, cw, ch, rowsOf(c.from, img.CStride, cw))
	}
	return to
}

// chromaSize is how many samples of chroma a picture has that begins at 0, 0.
func chromaSize(img *image.YCbCr) (width, height int) {
	last := img.COffset(img.Rect.Dx()-1, img.Rect.Dy()-1)
	return last%img.CStride + 1, last/img.CStride + 1
}

func rowsOf(pix []byte, stride, width int) func(int) []byte {
	return func(y int) []byte { return pix[y*stride:][:width] }
}

// plane is where samples go: of each pixel one or several, beside each other.
type plane struct {
	pix           []byte
	width, height int
	stride        int
	channels      int
}

// shrinkPlane fills a plane from one of width × height, whose rows it asks for in order, once each. A source pixel is counted for each target pixel by
// the share of the target that it covers, in whole numbers: along a row the shares of a target add up to the width of the source, and down a column
// to its height. A plane that is larger than the source in some direction (chroma of 4:2:0 beside full luma may be) repeats pixels.
func shrinkPlane(to plane, width, height int, rows func(int) []byte) {
	samples := to.width * to.channels
	line, sums := make([]uint32, samples), make([]uint64, samples)
	area := uint64(width) * uint64(height)
	y, left := 0, height // the target row, and how much of it is not covered
	for sy := range height {
		shrinkRow(line, rows(sy), to.width, width, to.channels)
		for share := to.height; share > 0; {
			part := min(share, left)
			for i, v := range line {
				sums[i] += uint64(v) * uint64(part)
			}
			share -= part
			if left -= part; left > 0 {
				continue
			}
			out := to.pix[y*to.stride:][:samples]
			for i, sum := range sums {
				out[i] = byte((sum + area/2) / area)
			}
			clear(sums)
			y, left = y+1, height
		}
	}
}

// shrinkRow adds up what each target pixel covers of a row.
func shrinkRow(line []uint32, row []byte, to, from, channels int) {
	clear(line)
	x, left := 0, from
	for sx := range from {
		for share := to; share > 0; {
			part := min(share, left)
			for c := range channels {
				line[x*channels+c] += uint32(row[sx*channels+c]) * uint32(part)
			}
			share -= part
			if left -= part; left == 0 {
				x, left = x+1, from
			}
		}
	}
}

// orient turns a picture the way that its orientation says (Exif 2.32, 4.6.4, tag 0112).
func orient(img raster, orientation int) raster {
	if orientation < 2 || orientation > 8 {
		return img
	}
	w, h := img.Bounds().Dx(), img.Bounds().Dy()
	to := image.Rect(0, 0, w, h)
	if turned(orientation) {
		to = image.Rect(0, 0, h, w)
	}
	switch img := img.(type) {
	case *image.YCbCr:
		small := shrinkTo420(img)
		out := image.NewYCbCr(to, image.YCbCrSubsampleRatio420)
		orientPlane(plane{out.Y, to.Dx(), to.Dy(), out.YStride, 1}, small.Y, small.YStride, w, h, orientation)
		cw, ch := (w+1)/2, (h+1)/2
		for _, c := range [...]struct{ to, from []byte }{{out.Cb, small.Cb}, {out.Cr, small.Cr}} {
			orientPlane(plane{c.to, (to.Dx() + 1) / 2, (to.Dy() + 1) / 2, out.CStride, 1}, c.from, small.CStride, cw, ch, orientation)
		}
		return out
	case *image.Gray:
		out := image.NewGray(to)
		orientPlane(plane{out.Pix, to.Dx(), to.Dy(), out.Stride, 1}, img.Pix, img.Stride, w, h, orientation)
		return out
	case *image.RGBA:
		out := image.NewRGBA(to)
		orientPlane(plane{out.Pix, to.Dx(), to.Dy(), out.Stride, 4}, img.Pix, img.Stride, w, h, orientation)
		return out
	}
	return img
}

// turned tells whether width and height change places.
func turned(orientation int) bool { return orientation >= 5 }

// shrinkTo420 gives a picture whose chroma has half of its width and height.
func shrinkTo420(img *image.YCbCr) *image.YCbCr {
	if img.SubsampleRatio == image.YCbCrSubsampleRatio420 {
		return img
	}
	return shrinkYCbCr(img, img.Rect.Dx(), img.Rect.Dy())
}

func orientPlane(to plane, from []byte, stride, width, height, orientation int) {
	for y := range height {
		for x := range width {
			tx, ty := x, y
			switch orientation {
			case 2:
				tx = width - 1 - x
			case 3:
				tx, ty = width-1-x, height-1-y
			case 4:
				ty = height - 1 - y
			case 5:
				tx, ty = y, x
			case 6:
				tx, ty = height-1-y, x
			case 7:
				tx, ty = height-1-y, width-1-x
			case 8:
				tx, ty = y, width-1-x
			}
			copy(to.pix[ty*to.stride+tx*to.channels:][:to.channels], from[y*stride+x*to.channels:][:to.channels])
		}
	}
}

// flatten gives a picture without transparency: what was transparent is white.
func flatten(img raster) raster {
	rgba, ok := img.(*image.RGBA)
	if !ok || rgba.Opaque() {
		return img
	}
	out := image.NewRGBA(rgba.Rect)
	for i := 0; i < len(rgba.Pix); i += 4 {
		rest := 255 - rgba.Pix[i+3]
		for c := range 3 {
			out.Pix[i+c] = rgba.Pix[i+c] + rest
		}
		out.Pix[i+3] = 255
	}
	return out
}

// unmultiplied gives a picture as PNG has it.
func unmultiplied(img raster) image.Image {
	rgba, ok := img.(*image.RGBA)
	if !ok || rgba.Opaque() {
		return img
	}
	out := image.NewNRGBA(rgba.Rect)
	for i := 0; i < len(rgba.Pix); i += 4 {
		a := uint32(rgba.Pix[i+3])
		if a == 0 {
			continue
		}
		for c := range 3 {
			out.Pix[i+c] = byte(min((uint32(rgba.Pix[i+c])*255+a/2)/a, 255))
		}
		out.Pix[i+3] = byte(a)
	}
	return out
}
