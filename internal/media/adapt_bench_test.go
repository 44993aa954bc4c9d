package media

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"math"
	"runtime"
	"runtime/metrics"
	"testing"
	"time"
)

// landscape is a picture with the octets of a real one: soft shapes, some edges, a little noise.
func landscape(width, height int) image.Image {
	img := image.NewYCbCr(image.Rect(0, 0, width, height), image.YCbCrSubsampleRatio420)
	seed := uint32(1)
	for y := range height {
		for x := range width {
			seed = seed*1664525 + 1013904223
			v := 128 + 60*math.Sin(float64(x)/170)*math.Cos(float64(y)/130) + float64(seed>>24)/32
			if (x/97+y/61)%7 == 0 {
				v += 30
			}
			img.Y[y*img.YStride+x] = byte(min(max(v, 0), 255))
		}
	}
	for i := range img.Cb {
		img.Cb[i], img.Cr[i] = byte(100+i%img.CStride*50/img.CStride), byte(110+i/img.CStride*40/max(height/2, 1))
	}
	return img
}

// peak measures the largest heap while fn runs, over what it was before.
func peak(fn func()) (octets uint64) {
	runtime.GC()
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	read := func() uint64 { metrics.Read(sample); return sample[0].Value.Uint64() }
	before, stop, done := read(), make(chan struct{}), make(chan uint64)
	go func() {
		most := uint64(0)
		for {
			select {
			case <-stop:
				done <- most
				return
			case <-time.After(time.Millisecond):
				most = max(most, read())
			}
		}
	}()
	fn()
	close(stop)
	return max(<-done, before) - before
}

func benchmarkAdapt(b *testing.B, source []byte, mediaType string, limits Limits) {
	most := uint64(0)
	for b.Loop() {
		most = max(most, peak(func() {
			content, made, err := adaptFile(source, mediaType, limits)
			if err != nil {
				b.Fatal(err)
			}
			config, _, _ := image.DecodeConfig(bytes.NewReader(content))
			b.ReportMetric(float64(len(content)), "octets-out")
			b.ReportMetric(float64(config.Width), "wide-out")
			if made != mediaType {
				b.Errorf("made a %s", made)
			}
		}))
	}
	b.ReportMetric(float64(len(source)), "octets-in")
	b.ReportMetric(float64(most)/(1<<20), "peak-MiB")
}

func BenchmarkPhotoOf12Megapixels(b *testing.B) {
	var out bytes.Buffer
	if err := jpeg.Encode(&out, landscape(4000, 3000), &jpeg.Options{Quality: 92}); err != nil {
		b.Fatal(err)
	}
	benchmarkAdapt(b, out.Bytes(), typeJPEG, Limits{MaxBytes: 300e3, MaxWidth: 2048, MaxHeight: 2048})
}

func BenchmarkFilmOf5Megabytes(b *testing.B) {
	benchmarkAdapt(b, film(480, 360, 90, false), typeGIF, Limits{MaxBytes: 600e3})
}

func BenchmarkPNGOf4Megapixels(b *testing.B) {
	img := image.NewNRGBA(image.Rect(0, 0, 2000, 2000))
	for y := range 2000 {
		for x := range 2000 {
			img.SetNRGBA(x, y, color.NRGBA{byte(x / 8), byte(y / 8), byte((x * y) >> 12), byte(x)})
		}
	}
	benchmarkAdapt(b, pngFile(img), typePNG, Limits{MaxBytes: 600e3, MaxWidth: 640, MaxHeight: 640})
}

func BenchmarkClean(b *testing.B) {
	source := jpegFile(landscape(1600, 1200), 85, 1)
	b.SetBytes(int64(len(source)))
	for b.Loop() {
		if _, err := inspect(source, typeJPEG); err != nil {
			b.Fatal(err)
		}
	}
}
