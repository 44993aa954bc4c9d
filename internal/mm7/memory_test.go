package mm7_test

import (
	"runtime"
	"testing"

	"github.com/heliograph/heliograph/internal/mm7"
	"github.com/heliograph/heliograph/internal/mm7/mm7test"
)

// A message of 5 MB is submitted, and taken by the MMSC, with a small part of its size in memory: all that is allocated on both sides counts.
func TestSubmitAllocatesLittle(t *testing.T) {
	const size, most = 5 << 20, 1 << 20
	for name, transfer := range map[string]mm7.Transfer{"binary": mm7.Binary, "base64": mm7.Base64} {
		m := mm7test.New(t)
		vasp := client(t, m, func(c *mm7.Client) { c.Transfer = transfer })
		ctx := within(t)
		submit := func() {
			if _, err := vasp.Submit(ctx, submitReq(), content(size)); err != nil {
				t.Fatal(err)
			}
		}
		submit() // connections, pools
		const times = 2
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for range times {
			submit()
		}
		runtime.ReadMemStats(&after)
		each := (after.TotalAlloc - before.TotalAlloc) / times
		t.Logf("%s: %d octets allocated for %d submitted", name, each, size)
		if each > most {
			t.Errorf("%s: %d octets allocated for %d submitted; at most %d", name, each, size, most)
		}
	}
}
