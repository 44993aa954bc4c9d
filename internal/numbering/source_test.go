package numbering

import (
	"testing"

	"github.com/heliograph/heliograph/internal/gateway"
	"pgregory.net/rapid"
)

func TestSource(t *testing.T) {
	for _, test := range []struct {
		src  string
		want gateway.NumberType
		ok   bool
	}{
		{"14155550100", gateway.LongCode, true},
		{"18005550100", gateway.TollFree, true},
		{"18885550100", gateway.TollFree, true},
		{"18995550100", gateway.LongCode, true},
		{"15005550100", gateway.LongCode, true},
		{"447911123456", gateway.LongCode, true},
		{"80012345678", gateway.LongCode, true},
		{"12345", gateway.ShortCode, true},
		{"123456", gateway.ShortCode, true},
		{"431234", gateway.ShortCode, true},
		{"123", gateway.ShortCode, true},
		{"12", gateway.ShortCode, false},
		{"12345678", gateway.ShortCode, true},
		{"2905123", gateway.LongCode, true},
		{"29051234567", gateway.LongCode, true},
		{"123456789", gateway.LongCode, true},
		{"12345678901234", gateway.LongCode, true},
		{"123456789012345", gateway.LongCode, false},
		{"MyBrand", gateway.Alphanumeric, true},
		{"4Ever", gateway.Alphanumeric, true},
		{"a", gateway.Alphanumeric, true},
		{"ABCDEFGHIJK", gateway.Alphanumeric, true},
		{"ABCDEFGHIJKL", gateway.Alphanumeric, false},
		{"My Brand", gateway.Alphanumeric, false},
		{"Café", gateway.Alphanumeric, false},
		{"", gateway.Alphanumeric, false},
	} {
		got, ok := Source(test.src)
		if got != test.want || ok != test.ok || Type(test.src) != got {
			t.Errorf("%q: %v, %v, want %v, %v", test.src, got, ok, test.want, test.ok)
		}
	}
}

// TestSourceOfSanitized checks that nothing which SanitizeSource leaves is refused for its characters.
func TestSourceOfSanitized(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		src := SanitizeSource(rapid.String().Draw(t, "src"))
		_, ok := Source(src)
		want := len(src) >= 1 && len(src) <= maxAlphanumeric
		if onlyDigits(src) {
			want = len(src) >= minShortCode && len(src) <= maxDigits
		}
		if ok != want {
			t.Fatalf("%q: %v", src, ok)
		}
	})
}
