package relay

import (
	"strings"
	"testing"

	"github.com/heliograph/heliograph/internal/gateway"
	"github.com/heliograph/heliograph/internal/mm4/mm4test"
)

// BenchmarkSubmit is a message with a file of 100 kB, from the submit to its response.
func BenchmarkSubmit(b *testing.B) {
	file := strings.Repeat("x", 100_000)
	r, _ := withHub(b, mm4test.Config{}, func(c *Config) { c.NoReports = true })
	b.SetBytes(int64(len(file)))
	b.ReportAllocs()
	free := make(chan struct{}, r.Window)
	n := 0
	for b.Loop() {
		n++
		free <- struct{}{}
		m := message(0, "x", file)
		m.ID = gateway.ID{1, byte(n >> 16), byte(n >> 8), byte(n)}
		r.Submit(gateway.Part{Message: m, Number: 1, Total: 1}, func(o gateway.Outcome) {
			if o.Status != gateway.Accepted {
				b.Errorf("%+v", o)
			}
			<-free
		})
	}
	for range cap(free) {
		free <- struct{}{}
	}
}
