package tpdu

import (
	"fmt"
	"testing"
	"unicode/utf8"
)

// standard is the default alphabet of 3GPP TS 23.038, 6.2.1, written out as the standard names its characters and in code points, so that a slip in
// one table shows against the other.
var standard = map[uint8]rune{
	0x00: 0x0040, 0x01: 0x00a3, 0x02: 0x0024, 0x03: 0x00a5, 0x04: 0x00e8, 0x05: 0x00e9, 0x06: 0x00f9, 0x07: 0x00ec,
	0x08: 0x00f2, 0x09: 0x00c7, 0x0a: 0x000a, 0x0b: 0x00d8, 0x0c: 0x00f8, 0x0d: 0x000d, 0x0e: 0x00c5, 0x0f: 0x00e5,
	0x10: 0x0394, 0x11: 0x005f, 0x12: 0x03a6, 0x13: 0x0393, 0x14: 0x039b, 0x15: 0x03a9, 0x16: 0x03a0, 0x17: 0x03a8,
	0x18: 0x03a3, 0x19: 0x0398, 0x1a: 0x039e, 0x1c: 0x00c6, 0x1d: 0x00e6, 0x1e: 0x00df, 0x1f: 0x00c9,
	0x24: 0x00a4, 0x40: 0x00a1,
	0x5b: 0x00c4, 0x5c: 0x00d6, 0x5d: 0x00d1, 0x5e: 0x00dc, 0x5f: 0x00a7, 0x60: 0x00bf,
	0x7b: 0x00e4, 0x7c: 0x00f6, 0x7d: 0x00f1, 0x7e: 0x00fc, 0x7f: 0x00e0,
}

// standardExtension is the table of 6.2.1.1.
var standardExtension = map[uint8]rune{
	0x0a: 0x000c, 0x14: 0x005e, 0x28: 0x007b, 0x29: 0x007d, 0x2f: 0x005c,
	0x3c: 0x005b, 0x3d: 0x007e, 0x3e: 0x005d, 0x40: 0x007c, 0x65: 0x20ac,
}

func TestEveryCharacter(t *testing.T) {
	known := map[rune]bool{}
	check := func(octets []byte, r rune) {
		t.Helper()
		known[r] = true
		text := string(r)
		if a, n := Length(text); a != GSM7 || n != len(octets) {
			t.Errorf("%q: %v, length %d", r, a, n)
		}
		if got := Append(nil, text, GSM7); string(got) != string(octets) {
			t.Errorf("%q is encoded as % x, not % x", r, got, octets)
		}
		if got := Decode(octets, GSM7); got != text {
			t.Errorf("% x is decoded as %q, not %q", octets, got, r)
		}
	}
	for code := range uint8(0x80) {
		r, listed := standard[code]
		if !listed {
			r = rune(code) // where the standard has the ASCII character at its place
		}
		if code != escape {
			check([]byte{code}, r)
		}
	}
	for code, r := range standardExtension {
		check([]byte{escape, code}, r)
	}
	if len(known) != 127+10 {
		t.Fatalf("%d characters", len(known))
	}
	for r := rune(0); r <= utf8.MaxRune; r++ {
		if utf8.ValidRune(r) && !known[r] && Detect(string(r)) != UCS2 {
			t.Fatalf("%q is in no table but was found to be GSM7", r)
		}
	}
}

func TestAlphabetString(t *testing.T) {
	if got := fmt.Sprint(GSM7, UCS2, Latin1, Alphabet(9)); got != "GSM7 UCS2 Latin1 " {
		t.Error(got)
	}
}

func TestLength(t *testing.T) {
	for _, test := range []struct {
		text     string
		alphabet Alphabet
		length   int
	}{
		{"", GSM7, 0},
		{"hello", GSM7, 5},
		{"€5 {net}", GSM7, 11},
		{"Ça va", GSM7, 5},
		{"ça va", UCS2, 5},
		{"tab\there", UCS2, 8},
		{"“curly”", UCS2, 7},
		{"back`tick", UCS2, 9},
		{"null\x00", UCS2, 5},
		{"escape\x1b", UCS2, 7},
		{"😀", UCS2, 2},
		{"€😀", UCS2, 3},
		{"\xff\xfe", UCS2, 2},
		{"a\xe2\x82", UCS2, 3},
	} {
		if a, n := Length(test.text); a != test.alphabet || n != test.length || Detect(test.text) != a {
			t.Errorf("%q: %v of length %d, want %v of %d", test.text, a, n, test.alphabet, test.length)
		}
	}
}
