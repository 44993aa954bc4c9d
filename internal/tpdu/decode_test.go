package tpdu

import (
	"testing"
	"unicode/utf8"
)

func TestDecode(t *testing.T) {
	for _, test := range []struct {
		name     string
		alphabet Alphabet
		octets   string
		want     string
	}{
		{"empty", GSM7, "", ""},
		{"default alphabet", GSM7, "Hello\x00\x10", "Hello@Δ"},
		{"extension", GSM7, "\x1b\x65\x1b\x3c", "€["},
		{"extension without that code", GSM7, "\x1ba", "a"},
		{"escape at the end", GSM7, "a\x1b", "a "},
		{"escape twice", GSM7, "\x1b\x1ba", " a"},
		{"no septet", GSM7, "a\x80b\xff", "a\ufffdb\ufffd"},
		{"escape before no septet", GSM7, "\x1b\x80", " \ufffd"},
		{"basic plane", UCS2, "\x04\x4f\x20\xac", "я€"},
		{"surrogate pair", UCS2, "\xd8\x3d\xde\x00", "😀"},
		{"high surrogate alone", UCS2, "\xd8\x3d\x00a", "\ufffda"},
		{"high surrogate twice", UCS2, "\xd8\x3d\xd8\x3d\xde\x00", "\ufffd😀"},
		{"high surrogate at the end", UCS2, "\x00a\xd8\x3d", "a\ufffd"},
		{"low surrogate alone", UCS2, "\xde\x00\x00a", "\ufffda"},
		{"odd octet", UCS2, "\x00a\x04", "a\ufffd"},
		{"odd octet after a high surrogate", UCS2, "\xd8\x3d\xde", "\ufffd\ufffd"},
		{"Latin-1", Latin1, "\xe7a \xff", "ça ÿ"},
	} {
		if got := Decode([]byte(test.octets), test.alphabet); got != test.want {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
}

func TestAppendReplaces(t *testing.T) {
	for _, test := range []struct {
		alphabet   Alphabet
		text, want string
	}{
		{GSM7, "aяb😀", "a?b?"},
		{Latin1, "ça €", "\xe7a ?"},
		{GSM7, "\xff", "?"},
		{UCS2, "\xff", "\xff\xfd"},
	} {
		if got := Append(nil, test.text, test.alphabet); string(got) != test.want {
			t.Errorf("%q in %v: %q, want %q", test.text, test.alphabet, got, test.want)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte("hello\x1b\x65\x1b"), uint8(GSM7))
	f.Add([]byte("\xd8\x3d\xde\x00\x00a\xd8"), uint8(UCS2))
	f.Add([]byte("\x80\xff"), uint8(Latin1))
	f.Fuzz(func(t *testing.T, octets []byte, alphabet uint8) {
		a := Alphabet(alphabet % 3)
		text := Decode(octets, a)
		if !utf8.ValidString(text) {
			t.Fatalf("%v: % x gives %q", a, octets, text)
		}
		if again := Decode(Append(nil, text, a), a); a == UCS2 && again != text {
			t.Fatalf("%v: %q comes back as %q", a, text, again)
		}
		if a == Latin1 && string(Append(nil, text, a)) != string(octets) {
			t.Fatalf("% x comes back as something else", octets)
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	b.ReportAllocs()
	octets := make([]byte, 160)
	for i := range octets {
		octets[i] = 'a' + byte(i%26)
	}
	for b.Loop() {
		Decode(octets, GSM7)
	}
}
