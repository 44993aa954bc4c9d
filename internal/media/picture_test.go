package media

import (
	"bytes"
	"compress/zlib"
	"context"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/heliograph/heliograph/internal/gateway"
)

// secret is in all metadata of the pictures here.
const secret = "LATITUDE 48.13743"

// photo is a picture that is as hard to pack as a photograph: slopes and noise.
func photo(width, height int) *image.RGBA {
	random := rand.New(rand.NewPCG(1, 2))
	img := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			noise := byte(random.Uint32() & 31)
			img.SetRGBA(x, y, color.RGBA{byte(x*200/width) + noise, byte(y*200/height) + noise, byte((x+y)*100/(width+height)) + noise, 255})
		}
	}
	return img
}

// exif is a segment that turns the picture and says where it was taken.
func exif(orientation byte) []byte {
	return slices.Concat([]byte(exifHead+"MM\x00*\x00\x00\x00\x08\x00\x02"),
		[]byte{0x01, 0x00, 0, 4, 0, 0, 0, 1, 0, 0, 0, 1}, []byte{0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0}, []byte("\x00\x00\x00\x00"+secret))
}

// jpegFile is a JPEG with all that cameras and programs put into it.
func jpegFile(img image.Image, quality int, orientation byte) []byte {
	var out bytes.Buffer
	if err := jpeg.Encode(&out, img, &jpeg.Options{Quality: quality}); err != nil {
		panic(err)
	}
	file := []byte{0xff, markerSOI}
	file = appendSegment(file, markerAPP0, []byte("JFIF\x00\x01\x02\x01\x00H\x00H\x00\x00"))
	file = appendSegment(file, markerAPP1, exif(orientation))
	file = appendSegment(file, markerAPP1, []byte("http://ns.adobe.com/xap/1.0/\x00<x:xmpmeta>"+secret+"</x:xmpmeta>"))
	file = appendSegment(file, markerAPP2, []byte(iccHead+"\x01\x01profile"))
	file = appendSegment(file, markerAPP2, []byte("MPF\x00"+secret))
	file = appendSegment(file, 0xed, []byte("Photoshop 3.0\x008BIM"+secret))
	file = appendSegment(file, 0xfe, []byte(secret))
	file = append(file, out.Bytes()[2:]...)
	return append(file, "a film behind it: "+secret...)
}

func pngChunk(name, body string) []byte {
	chunk := binary.BigEndian.AppendUint32(nil, uint32(len(body)))
	chunk = append(chunk, name+body...)
	return binary.BigEndian.AppendUint32(chunk, crc32.ChecksumIEEE(chunk[4:]))
}

// pngFile is a PNG with texts in it.
func pngFile(img image.Image) []byte {
	var out bytes.Buffer
	if err := png.Encode(&out, img); err != nil {
		panic(err)
	}
	file := out.Bytes()
	const head = 8 + 25
	return slices.Concat(file[:head], pngChunk("tEXt", "Comment\x00"+secret), pngChunk("eXIf", "MM\x00*"+secret), pngChunk("iCCP", strings.Repeat("x", 9000)+secret),
		pngChunk("prVt", secret), file[head:], []byte(secret))
}

// film is a GIF in which a square moves over a picture. Its frames are of several disposals.
func film(width, height, frames int, through bool) []byte {
	palette := color.Palette{color.Transparent}
	for i := range 255 {
		palette = append(palette, color.RGBA{byte(i * 7), byte(i), byte(255 - i), 255})
	}
	random := rand.New(rand.NewPCG(3, 4))
	g := &gif.GIF{Config: image.Config{Width: width, Height: height}, LoopCount: 3}
	for n := range frames {
		img := image.NewPaletted(image.Rect(0, 0, width, height), palette)
		for i := range img.Pix {
			img.Pix[i] = byte(1 + (i%width*100/width+random.IntN(100))%255)
		}
		if n > 0 || through { // a part of the screen, with a hole
			img = img.SubImage(image.Rect(n%(width/2), n%(height/2), width/2+n%(width/2), height/2+n%(height/2))).(*image.Paletted)
			img.SetColorIndex(img.Rect.Min.X, img.Rect.Min.Y, 0)
		}
		g.Image, g.Delay = append(g.Image, img), append(g.Delay, 4+n%3)
		g.Disposal = append(g.Disposal, [...]byte{gif.DisposalNone, gif.DisposalPrevious, gif.DisposalBackground}[n%3])
	}
	var out bytes.Buffer
	if err := gif.EncodeAll(&out, g); err != nil {
		panic(err)
	}
	file := out.Bytes()
	comment := "\x21\xfe\x11" + secret + "\x00" + "\x21\xff\x0bXMP DataXMP\x11" + secret + "\x00"
	at := gifScreenLength
	if file[10]&gifColours != 0 {
		at += 3 << (file[10]&7 + 1)
	}
	return slices.Concat(file[:at], []byte(comment), file[at:], []byte(secret))
}

// adaptFile is what a library does with a file.
func adaptFile(source []byte, mediaType string, l Limits) (content []byte, made string, err error) {
	a := &adapter{budget: DefaultDecoding}
	a.memory.inOrder = true
	content, done, err := a.make(context.Background(), source, mediaType, &l)
	if done.asIs {
		return source, mediaType, err
	}
	return content, done.mediaType, err
}

// checkFits says what is wrong with what was made for limits.
func checkFits(t interface {
	Helper()
	Errorf(string, ...any)
}, content []byte, made string, l Limits,
) {
	t.Helper()
	config, name, err := image.DecodeConfig(bytes.NewReader(content))
	switch {
	case err != nil || "image/"+name != made:
		t.Errorf("%s for %+v cannot be read: %q, %v", made, l, name, err)
	case int64(len(content)) > l.bytes() || l.MaxWidth > 0 && config.Width > l.MaxWidth || l.MaxHeight > 0 && config.Height > l.MaxHeight || !l.takes(made):
		t.Errorf("%d octets of %s, %d × %d, for %+v", len(content), made, config.Width, config.Height, l)
	case bytes.Contains(content, []byte(secret)) || bytes.Contains(content, []byte("Exif")):
		t.Errorf("metadata are left in %s", made)
	}
	if _, _, err := image.Decode(bytes.NewReader(content)); err != nil {
		t.Errorf("%s: %v", made, err)
	}
}

// TestAdaptations: what becomes of pictures.
func TestAdaptations(t *testing.T) {
	large := photo(400, 300)
	seeThrough := image.NewNRGBA(image.Rect(0, 0, 300, 200))
	for i := range seeThrough.Pix {
		seeThrough.Pix[i] = byte(i / 4 % 300)
	}
	noisy := photo(300, 200)
	noisy.SetRGBA(7, 7, color.RGBA{})
	for _, test := range []struct {
		name, mediaType string
		source          []byte
		limits          Limits
		made            string
		width, height   int
	}{
		{"JPEG that fits", typeJPEG, jpegFile(large, 80, 1), Limits{MaxBytes: 5e6, MaxWidth: 400, MaxHeight: 300}, typeJPEG, 400, 300},
		{"JPEG that is turned", typeJPEG, jpegFile(large, 80, 6), Limits{MaxBytes: 5e6}, typeJPEG, 300, 400},
		{"JPEG that is too wide", typeJPEG, jpegFile(large, 80, 1), Limits{MaxBytes: 5e6, MaxWidth: 320, MaxHeight: 240}, typeJPEG, 320, 240},
		{"JPEG that is turned and too wide", typeJPEG, jpegFile(large, 80, 8), Limits{MaxWidth: 320, MaxHeight: 240}, typeJPEG, 180, 240},
		{"JPEG of too many octets", typeJPEG, jpegFile(large, 95, 1), Limits{MaxBytes: 20e3}, typeJPEG, 0, 0},
		{"a little room", typeJPEG, jpegFile(large, 95, 1), Limits{MaxBytes: 3000}, typeJPEG, 0, 0},
		{"gray JPEG", typeJPEG, jpegFile(image.NewGray(image.Rect(0, 0, 800, 600)), 95, 3), Limits{MaxWidth: 100}, typeJPEG, 100, 75},
		{"JPEG where only PNG goes", typeJPEG, jpegFile(photo(150, 100), 80, 1), Limits{MaxBytes: 10e3, Types: []string{typePNG}}, typePNG, 0, 0},
		{"PNG that fits", typePNG, pngFile(photo(300, 200)), Limits{MaxBytes: 5e6}, typePNG, 300, 200},
		{"PNG that shows through", typePNG, pngFile(seeThrough), Limits{MaxWidth: 150}, typePNG, 150, 100},
		{"PNG that shows through and does not fit", typePNG, pngFile(noisy), Limits{MaxBytes: 10e3}, typeJPEG, 0, 0},
		{"PNG where no PNG goes", typePNG, pngFile(photo(300, 200)), Limits{Types: []string{typeJPEG}}, typeJPEG, 300, 200},
		{"GIF that fits", typeGIF, film(100, 80, 5, false), Limits{MaxBytes: 5e6}, typeGIF, 100, 80},
		{"GIF that is too wide", typeGIF, film(150, 100, 7, false), Limits{MaxWidth: 100}, typeGIF, 100, 66},
		{"GIF that is too large", typeGIF, film(120, 90, 12, false), Limits{MaxBytes: 15e3}, typeGIF, 0, 0},
		{"GIF that shows through", typeGIF, film(120, 90, 12, true), Limits{MaxBytes: 15e3}, typeGIF, 0, 0},
		{"GIF with room for a picture only", typeGIF, film(150, 100, 7, false), Limits{MaxBytes: 2000}, typeJPEG, 0, 0},
		{"GIF where none goes", typeGIF, film(100, 80, 5, false), Limits{Types: []string{typeJPEG, typePNG}}, typeJPEG, 100, 80},
		{"GIF that stands still", typeGIF, film(200, 150, 1, false), Limits{MaxBytes: 6e3}, typeJPEG, 0, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			content, made, err := adaptFile(test.source, test.mediaType, test.limits)
			if err != nil || made != test.made {
				t.Fatalf("%s, %v", made, err)
			}
			checkFits(t, content, made, test.limits)
			config, _, err := image.DecodeConfig(bytes.NewReader(content))
			if err != nil || test.width != 0 && (config.Width != test.width || config.Height != test.height) {
				t.Errorf("%d × %d, %v", config.Width, config.Height, err)
			}
			again, _, err := adaptFile(content, made, test.limits)
			if err != nil || !bytes.Equal(again, content) {
				t.Errorf("what fits is not left as it is: %v", err)
			}
		})
	}
}

// TestPicturesThatFail: with a sentence, before anything is decoded.
func TestPicturesThatFail(t *testing.T) {
	good := map[string][]byte{typeJPEG: jpegFile(photo(200, 100), 80, 1), typePNG: pngFile(photo(200, 100)), typeGIF: film(60, 60, 3, false)}
	huge := func(width, height uint32, kind, interlace byte) []byte {
		head := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, width), height)
		return slices.Concat([]byte(pngSignature), pngChunk("IHDR", string(append(head, 8, kind, 0, 0, interlace))), pngChunk("IDAT", "x"), pngChunk("IEND", ""))
	}
	var packed bytes.Buffer
	pack := zlib.NewWriter(&packed)
	if _, err := pack.Write(make([]byte, 4<<20)); err != nil || pack.Close() != nil {
		t.Fatal(err)
	}
	bomb := huge(300, 300, 6, 0)
	bomb = slices.Concat(bomb[:8+25], pngChunk("IDAT", packed.String()), pngChunk("IEND", ""))
	frames := func(sof byte, width, height, sampling byte, scans int) []byte {
		file := appendSegment([]byte{0xff, markerSOI}, sof, []byte{8, height, 0, width, 0, 3, 1, sampling, 0, 2, 0x11, 0, 3, 0x11, 0})
		for range scans {
			file = append(appendSegment(file, markerSOS, []byte{3, 1, 0, 2, 0, 3, 0, 0, 63, 0}), "data"...)
		}
		return append(file, 0xff, markerEOI)
	}
	frame := func(sof byte, width, height, sampling byte) []byte { return frames(sof, width, height, sampling, 1) }
	for _, test := range []struct {
		name, mediaType string
		source          []byte
		reason          gateway.Reason
		text            string
	}{
		{"JPEG as PNG", typePNG, good[typeJPEG], badPicture, "does not begin as a PNG"},
		{"PNG as GIF", typeGIF, good[typePNG], badPicture, "does not begin as a GIF"},
		{"GIF as JPEG", typeJPEG, good[typeGIF], badPicture, "does not begin as a JPEG"},
		{"half a JPEG", typeJPEG, good[typeJPEG][:len(good[typeJPEG])/2], badPicture, "ends too early"},
		{"half a PNG", typePNG, good[typePNG][:len(good[typePNG])/2], badPicture, "ends too early"},
		{"half a GIF", typeGIF, good[typeGIF][:len(good[typeGIF])/2], badPicture, "ends too early"},
		{"PNG with a flipped bit", typePNG, flipped(good[typePNG], len(good[typePNG])/2), badPicture, "a checksum is wrong"},
		{"PNG that unpacks to 100 Gpixel", typePNG, huge(320_000, 320_000, 6, 0), gateway.MediaTooLarge, "too many pixels"},
		{"PNG that is too large to be made smaller", typePNG, huge(5000, 5000, 6, 0), gateway.MediaTooLarge, "too many pixels"},
		{"PNG of no size", typePNG, huge(0, 10, 6, 0), badPicture, "how large it is"},
		{"JPEG of 4 Gpixel", typeJPEG, frame(markerSOF0, 255, 255, 0x11), gateway.MediaTooLarge, "too many pixels"},
		{"progressive JPEG whose coefficients are too many", typeJPEG, frame(markerSOF2, 15, 15, 0x11), gateway.MediaTooLarge, "too many pixels"},
		{"JPEG without height", typeJPEG, frame(markerSOF0, 255, 0, 0x11), badPicture, "how large it is"},
		{"JPEG without loss", typeJPEG, frame(0xc3, 1, 1, 0x11), badPicture, "of a kind of JPEG"},
		{"JPEG of too many scans", typeJPEG, frames(markerSOF2, 1, 1, 0x11, mostScans+1), badPicture, "too many scans"},
		{"JPEG whose data are none", typeJPEG, frame(markerSOF0, 1, 1, 0x11), badPicture, "cannot be decoded"},
		{"PNG whose data are none", typePNG, huge(300, 300, 6, 0), badPicture, "cannot be decoded"},
		{"PNG that unpacks to far more than its pixels", typePNG, bomb, badPicture, "cannot be decoded"},
		{"GIF that ends in an image", typeGIF, []byte("GIF89a\x02\x00\x02\x00\x00\x00\x00,\x00\x00\x00\x00\x02\x00\x02\x00\x00\x02\x05"), badPicture, "ends too early"},
		{"GIF with an image outside of it", typeGIF, []byte("GIF89a\x02\x00\x02\x00\x00\x00\x00,\x01\x00\x00\x00\x02\x00\x02\x00\x00\x02\x00;"), badPicture, "outside of its screen"},
		{"GIF without images", typeGIF, []byte("GIF89a\x02\x00\x02\x00\x00\x00\x00;"), badPicture, "no picture in it"},
		{"GIF of endless frames", typeGIF, slices.Concat([]byte("GIF89a\x00\x10\x00\x10\x80\x00\x00\x00\x00\x00\xff\xff\xff"), bytes.Repeat([]byte(",\x00\x00\x00\x00\x00\x10\x00\x10\x00\x02\x00"), 100), []byte(";")), gateway.MediaTooLarge, "too many pixels"},
		{"no room", typeJPEG, good[typeJPEG], gateway.MediaTooLarge, "cannot be made smaller than 100 octets"},
	} {
		t.Run(test.name, func(t *testing.T) {
			content, _, err := adaptFile(test.source, test.mediaType, Limits{MaxBytes: 100, MaxWidth: 50})
			var failure *Failure
			if !errors.As(err, &failure) || failure.Reason != test.reason || !strings.Contains(failure.Text, test.text) || failure.Temporary || content != nil {
				t.Errorf("%d octets, %v", len(content), err)
			}
		})
	}
}

func flipped(source []byte, at int) []byte {
	out := bytes.Clone(source)
	out[at] ^= 1
	return out
}

// TestCleanKeepsThePicture: without metadata each pixel, and the time of each frame, is what it was.
func TestCleanKeepsThePicture(t *testing.T) {
	for mediaType, source := range map[string][]byte{
		typeJPEG: jpegFile(photo(123, 45), 80, 1), typePNG: pngFile(photo(123, 45)), typeGIF: film(60, 50, 9, true),
	} {
		p, err := inspect(source, mediaType)
		if err != nil {
			t.Fatal(err)
		}
		checkFits(t, p.clean, mediaType, Limits{})
		before, _, errBefore := image.Decode(bytes.NewReader(source))
		after, _, err := image.Decode(bytes.NewReader(p.clean))
		if err != nil || errBefore != nil || !samePixels(before, after) {
			t.Errorf("%s: not the same pixels: %v", mediaType, err)
		}
		if mediaType == typeJPEG && !bytes.Contains(p.clean, []byte(iccHead+"\x01\x01profile")) {
			t.Error("the colour profile is gone")
		}
		if mediaType != typeGIF {
			continue
		}
		a, err := gif.DecodeAll(bytes.NewReader(source))
		b, errB := gif.DecodeAll(bytes.NewReader(p.clean))
		if err != nil || errB != nil || len(a.Image) != len(b.Image) || !slices.Equal(a.Delay, b.Delay) || !bytes.Equal(a.Disposal, b.Disposal) || a.LoopCount != b.LoopCount {
			t.Errorf("%v, %v: not the same film", err, errB)
		}
	}
}

func samePixels(a, b image.Image) bool {
	if a.Bounds() != b.Bounds() {
		return false
	}
	for y := a.Bounds().Min.Y; y < a.Bounds().Max.Y; y++ {
		for x := a.Bounds().Min.X; x < a.Bounds().Max.X; x++ {
			if a.At(x, y) != b.At(x, y) {
				return false
			}
		}
	}
	return true
}

// TestFilmWithoutEnd: the octet that ends a GIF is left out by some programs.
func TestFilmWithoutEnd(t *testing.T) {
	p, err := inspect(film(20, 10, 3, false), typeGIF)
	if err != nil {
		t.Fatal(err)
	}
	again, err := inspect(p.clean[:len(p.clean)-1], typeGIF)
	if err != nil || !bytes.Equal(again.clean, p.clean) {
		t.Errorf("not made whole: %v", err)
	}
}

// TestFilmKeepsItsTime: however many frames are left out, a film takes as long as before, and is played as often.
func TestFilmKeepsItsTime(t *testing.T) {
	source := film(120, 90, 30, false)
	before, err := gif.DecodeAll(bytes.NewReader(source))
	if err != nil {
		t.Fatal(err)
	}
	content, _, err := adaptFile(source, typeGIF, Limits{MaxBytes: 25e3})
	if err != nil {
		t.Fatal(err)
	}
	after, err := gif.DecodeAll(bytes.NewReader(content))
	total := func(delays []int) (sum int) {
		for _, d := range delays {
			sum += d
		}
		return sum
	}
	if err != nil || total(after.Delay) != total(before.Delay) || after.LoopCount != before.LoopCount || len(after.Image) < 2 || len(after.Image) >= 30 {
		t.Errorf("%v: %d frames, %d instead of %d, %d times", err, len(after.Image), total(after.Delay), total(before.Delay), after.LoopCount)
	}
}

// TestFilmLooksTheSame: what a viewer shows after each frame is what it showed before, in other colours by a little.
func TestFilmLooksTheSame(t *testing.T) {
	for _, through := range []bool{false, true} {
		p, err := inspect(film(40, 30, 12, through), typeGIF)
		if err != nil {
			t.Fatal(err)
		}
		colours, shows, err := p.colours(t.Context(), 1)
		if err != nil {
			t.Fatal(err)
		}
		content, _, err := p.play(t.Context(), cut{40, 30, 1, mostColours}, colours.palette(mostColours), shows, 1<<20)
		if err != nil {
			t.Fatal(err)
		}
		made, err := inspect(content, typeGIF)
		if err != nil || len(made.frames) != len(p.frames) {
			t.Fatalf("%d frames, %v", len(made.frames), err)
		}
		before, after := newPlayer(p), newPlayer(made)
		for n := range p.frames {
			if err := errors.Join(before.show(), after.show()); err != nil {
				t.Fatal(err)
			}
			for i, v := range before.canvas {
				if d := int(v) - int(after.canvas[i]); d > 16 || d < -16 {
					t.Fatalf("frame %d, through %v: %d instead of %d at %d", n, through, after.canvas[i], v, i)
				}
			}
		}
	}
}

// TestAdaptProperties: whatever the picture and the limits, what comes out fits and is clean, or there is a sentence.
func TestAdaptProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		width, height := rapid.IntRange(1, 120).Draw(t, "width"), rapid.IntRange(1, 120).Draw(t, "height")
		img := photo(width, height)
		mediaType := rapid.SampledFrom([]string{typeJPEG, typePNG, typeGIF}).Draw(t, "type")
		var source []byte
		switch mediaType {
		case typeJPEG:
			source = jpegFile(img, rapid.IntRange(1, 100).Draw(t, "quality"), byte(rapid.IntRange(0, 9).Draw(t, "orientation")))
		case typePNG:
			if rapid.Bool().Draw(t, "through") {
				img.Pix[3] = 0
			}
			source = pngFile(img)
		case typeGIF:
			source = film(max(width, 4), max(height, 4), rapid.IntRange(1, 5).Draw(t, "frames"), rapid.Bool().Draw(t, "through"))
		}
		limits := Limits{
			MaxBytes: rapid.Int64Range(200, 20_000).Draw(t, "octets"),
			MaxWidth: rapid.IntRange(0, 120).Draw(t, "most width"), MaxHeight: rapid.IntRange(0, 120).Draw(t, "most height"),
			Types: rapid.SampledFrom([][]string{nil, {typeJPEG}, {typePNG}, {typeGIF, typeJPEG}}).Draw(t, "types"),
		}
		content, made, err := adaptFile(source, mediaType, limits)
		var failure *Failure
		switch {
		case err == nil:
			checkFits(t, content, made, limits)
		case !errors.As(err, &failure) || failure.Reason != gateway.MediaTooLarge:
			t.Errorf("%v", err)
		case limits.MaxBytes > 5000 && limits.takes(typeJPEG):
			t.Errorf("%v for %+v", err, limits)
		}
	})
}

// TestShrink: a picture that is made smaller has the same mean, and one of a single colour stays it.
func TestShrink(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w, h := rapid.IntRange(1, 40).Draw(t, "w"), rapid.IntRange(1, 40).Draw(t, "h")
		to := image.Pt(rapid.IntRange(1, w).Draw(t, "to w"), rapid.IntRange(1, h).Draw(t, "to h"))
		from := image.NewGray(image.Rect(0, 0, w, h))
		flat := rapid.Bool().Draw(t, "flat")
		for i := range from.Pix {
			from.Pix[i] = 200
			if !flat {
				from.Pix[i] = byte(i * 37)
			}
		}
		small, _ := shrink(from, to.X, to.Y).(*image.Gray)
		mean := func(pix []byte) (m float64) {
			for _, v := range pix {
				m += float64(v) / float64(len(pix))
			}
			return m
		}
		if d := mean(small.Pix) - mean(from.Pix); d > 0.51 || d < -0.51 {
			t.Errorf("%d × %d to %s: %f from %f", w, h, to, mean(small.Pix), mean(from.Pix))
		}
		if flat && slices.ContainsFunc(small.Pix, func(v byte) bool { return v != 200 }) {
			t.Errorf("%d × %d to %s: %v", w, h, to, small.Pix)
		}
	})
}

// TestOrient: each orientation is what Exif says, for every kind of picture in memory.
func TestOrient(t *testing.T) {
	// 1 2 3
	// 4 5 6
	for orientation, want := range map[int]string{1: "123 456", 2: "321 654", 3: "654 321", 4: "456 123", 5: "14 25 36", 6: "41 52 63", 7: "63 52 41", 8: "36 25 14", 9: "123 456"} {
		gray, rgba := image.NewGray(image.Rect(0, 0, 3, 2)), image.NewRGBA(image.Rect(0, 0, 3, 2))
		luma := image.NewYCbCr(image.Rect(0, 0, 3, 2), image.YCbCrSubsampleRatio444)
		for i := range 6 {
			v := byte('1' + i)
			gray.Pix[i], luma.Y[i], luma.Cb[i], luma.Cr[i] = v, v, 128, 128
			rgba.SetRGBA(i%3, i/3, color.RGBA{v, v, v, 255})
		}
		for _, img := range []raster{gray, rgba, luma} {
			out := orient(img, orientation)
			var rows []string
			for y := range out.Bounds().Dy() {
				row := ""
				for x := range out.Bounds().Dx() {
					g, _ := color.GrayModel.Convert(out.At(x, y)).(color.Gray)
					row += string(rune(g.Y))
				}
				rows = append(rows, row)
			}
			if got := strings.Join(rows, " "); got != want {
				t.Errorf("%d, %T: %s, want %s", orientation, img, got, want)
			}
		}
	}
}

func TestExifOrientation(t *testing.T) {
	little := "II*\x00\x08\x00\x00\x00\x01\x00\x12\x01\x03\x00\x01\x00\x00\x00\x06\x00\x00\x00"
	for tiff, want := range map[string]int{
		string(exif(8)[6:]): 8, little: 6, "": 1, "II*\x00": 1, "XX*\x00\x08\x00\x00\x00": 1, "II*\x00\xff\xff\xff\xff": 1, little[:20]: 1,
		strings.Replace(little, "\x06", "\x09", 1): 1, strings.Replace(little, "\x03\x00\x01", "\x04\x00\x01", 1): 1,
	} {
		if got := exifOrientation([]byte(tiff)); got != want {
			t.Errorf("%q: %d, want %d", tiff, got, want)
		}
	}
}

func FuzzInspect(f *testing.F) {
	f.Add(jpegFile(photo(20, 10), 80, 6), typeJPEG)
	f.Add(pngFile(photo(20, 10)), typePNG)
	f.Add(film(20, 10, 3, true), typeGIF)
	f.Fuzz(func(t *testing.T, source []byte, mediaType string) {
		if !isPicture(mediaType) {
			return
		}
		p, err := inspect(source, mediaType)
		if err != nil {
			var failure *Failure
			if !errors.As(err, &failure) {
				t.Fatal(err)
			}
			return
		}
		again, err := inspect(p.clean, mediaType)
		if len(p.clean) > len(source)+18 || err != nil || !bytes.Equal(again.clean, p.clean) || again.width != p.width || again.height != p.height {
			t.Errorf("what is clean is not left as it is: %v", err)
		}
	})
}

func FuzzAdapt(f *testing.F) {
	f.Add(jpegFile(photo(20, 10), 80, 6), typeJPEG, 600, 10)
	f.Add(pngFile(photo(20, 10)), typePNG, 600, 10)
	f.Add(film(20, 10, 3, true), typeGIF, 600, 10)
	f.Fuzz(func(t *testing.T, source []byte, mediaType string, octets, side int) {
		if !isPicture(mediaType) || octets <= 0 || side < 0 {
			return
		}
		limits := Limits{MaxBytes: int64(octets), MaxWidth: side, MaxHeight: side}
		p, err := inspect(source, mediaType)
		if err != nil || int64(p.width)*int64(p.height)*int64(max(len(p.frames), 1)) > 1e5 { // enough for a fuzzer
			return
		}
		content, made, err := adaptFile(source, mediaType, limits)
		var failure *Failure
		switch {
		case err != nil && !errors.As(err, &failure):
			t.Fatal(err)
		case err == nil && (int64(len(content)) > limits.bytes() || made == ""):
			t.Errorf("%d octets of %q for %+v", len(content), made, limits)
		}
	})
}
