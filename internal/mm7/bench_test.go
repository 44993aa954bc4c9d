package mm7_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/heliograph/heliograph/internal/mm7"
	"github.com/heliograph/heliograph/internal/mm7/mm7test"
)

// BenchmarkSubmit submits a picture of 500 kB over loopback, hashing at the MMSC included, eight requests at once.
func BenchmarkSubmit(b *testing.B) {
	for name, transfer := range map[string]mm7.Transfer{"binary": mm7.Binary, "base64": mm7.Base64} {
		b.Run(name, func(b *testing.B) {
			const size = 500_000
			m := mm7test.New(b)
			vasp := client(b, m, func(c *mm7.Client) { c.Transfer = transfer })
			file := make([]byte, size)
			if _, err := io.ReadFull(newPattern(), file); err != nil {
				b.Fatal(err)
			}
			sent := content(1)
			sent.Parts[2] = mm7.BytesPart("image/jpeg", "picture.jpg", file)
			b.SetBytes(size)
			b.ReportAllocs()
			b.SetParallelism(4)
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if _, err := vasp.Submit(context.Background(), submitReq(), sent); err != nil {
						b.Error(err)
					}
				}
			})
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "submits/s")
		})
	}
}

// BenchmarkBareHTTP is what BenchmarkSubmit is measured against: the same octets posted and hashed, without MM7.
func BenchmarkBareHTTP(b *testing.B) {
	const size = 500_000
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.Copy(sha256.New(), r.Body); err != nil {
			w.WriteHeader(http.StatusBadRequest)
		}
	}))
	defer server.Close()
	server.Client().Transport.(*http.Transport).MaxIdleConnsPerHost = 16
	file := make([]byte, size)
	b.SetBytes(size)
	b.ReportAllocs()
	b.SetParallelism(4)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			response, err := server.Client().Post(server.URL, "image/jpeg", bytes.NewReader(file))
			if err != nil {
				b.Error(err)
				return
			}
			response.Body.Close()
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "posts/s")
}
