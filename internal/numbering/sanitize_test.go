package numbering

import (
	"testing"
	"unicode"
)

func TestSanitize(t *testing.T) {
	for _, test := range []struct{ dst, want string }{
		{"14155550100", "14155550100"},
		{"+1 (415) 555-0100", "14155550100"},
		{"+1.415.555/0100", "14155550100"},
		{" \t1415\u00a05550100\n", "14155550100"},
		{"1415_5550100", "1415_5550100"},
		{"call me", "callme"},
		{"", ""},
		{"+", ""},
		{"\xff14155550100", "\ufffd14155550100"},
	} {
		if got := Sanitize(test.dst); got != test.want {
			t.Errorf("%q: %q, want %q", test.dst, got, test.want)
		}
	}
}

func TestSanitizeSource(t *testing.T) {
	for _, test := range []struct{ src, want string }{
		{"14155550100", "14155550100"},
		{"+1 (415) 555-0100", "14155550100"},
		{"My Brand!", "MyBrand"},
		{"a[b@c`d{e/f:g", "abcdefg"},
		{"AZaz09", "AZaz09"},
		{"Café١", "Caf"},
		{"Ⅻ\u017f\u212a", ""},
		{"\xff\x00", ""},
		{"", ""},
	} {
		if got := SanitizeSource(test.src); got != test.want {
			t.Errorf("%q: %q, want %q", test.src, got, test.want)
		}
	}
	for r := rune(0); r <= unicode.MaxLatin1; r++ {
		kept := SanitizeSource(string(r)) != ""
		if want := r < 0x80 && (unicode.IsLetter(r) || unicode.IsDigit(r)); kept != want {
			t.Errorf("%q: kept %v", r, kept)
		}
	}
}
