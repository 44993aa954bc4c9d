package tpdu

import (
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

func TestCount(t *testing.T) {
	x, u := strings.Repeat, "я"
	for _, test := range []struct {
		name     string
		text     string
		alphabet Alphabet
		lengths  []int // units of each segment
	}{
		{"empty", "", GSM7, []int{0}},
		{"159", x("a", 159), GSM7, []int{159}},
		{"160", x("a", 160), GSM7, []int{160}},
		{"161", x("a", 161), GSM7, []int{153, 8}},
		{"158 and extension", x("a", 158) + "€", GSM7, []int{160}},
		{"159 and extension", x("a", 159) + "€", GSM7, []int{153, 8}},
		{"80 extensions", x("^", 80), GSM7, []int{160}},
		{"81 extensions", x("^", 81), GSM7, []int{152, 10}},
		{"152, extension, rest", x("a", 152) + "€" + x("b", 10), GSM7, []int{152, 12}},
		{"151, extension, rest", x("a", 151) + "€" + x("b", 10), GSM7, []int{153, 10}},
		{"2 × 153", x("a", 306), GSM7, []int{153, 153}},
		{"2 × 153 + 1", x("a", 307), GSM7, []int{153, 153, 1}},
		{"3 × 153", x("a", 459), GSM7, []int{153, 153, 153}},
		{"306 septets that need three", x("a", 152) + "{" + x("b", 152), GSM7, []int{152, 153, 1}},
		{"1600", x("a", 1600), GSM7, []int{153, 153, 153, 153, 153, 153, 153, 153, 153, 153, 70}},
		{"1600 in extensions", x("€", 800), GSM7, []int{152, 152, 152, 152, 152, 152, 152, 152, 152, 152, 80}},
		{"1683", x("a", 11*153), GSM7, []int{153, 153, 153, 153, 153, 153, 153, 153, 153, 153, 153}},
		{
			"1682, misaligned", x("a"+x("€", 76), 10) + x("a", 152), GSM7,
			[]int{153, 153, 153, 153, 153, 153, 153, 153, 153, 153, 152},
		},
		{"69", x(u, 69), UCS2, []int{69}},
		{"70", x(u, 70), UCS2, []int{70}},
		{"71", x(u, 71), UCS2, []int{67, 4}},
		{"67", x(u, 67), UCS2, []int{67}},
		{"2 × 67", x(u, 134), UCS2, []int{67, 67}},
		{"2 × 67 + 1", x(u, 135), UCS2, []int{67, 67, 1}},
		{"68 and surrogates", x(u, 68) + "😀", UCS2, []int{70}},
		{"69 and surrogates", x(u, 69) + "😀", UCS2, []int{67, 4}},
		{"66, surrogates, rest", x(u, 66) + "😀" + x(u, 3), UCS2, []int{66, 5}},
		{"65, surrogates, rest", x(u, 65) + "😀" + x(u, 4), UCS2, []int{67, 4}},
		{"35 emoji", x("😀", 35), UCS2, []int{70}},
		{"36 emoji", x("😀", 36), UCS2, []int{66, 6}},
		{"737", x(u, 737), UCS2, []int{67, 67, 67, 67, 67, 67, 67, 67, 67, 67, 67}},
		{"737 in emoji", x("😀", 368) + u, UCS2, []int{66, 66, 66, 66, 66, 66, 66, 66, 66, 66, 66, 11}},
		{"one outside of the alphabet", x("a", 100) + u, UCS2, []int{67, 34}},
	} {
		a, total := Count(test.text)
		if a != test.alphabet || total != len(test.lengths) {
			t.Errorf("%s: %v in %d, want %v in %d", test.name, a, total, test.alphabet, len(test.lengths))
			continue
		}
		for i, want := range test.lengths {
			octets := AppendSegment(nil, test.text, a, i+1, total)
			if a == UCS2 {
				want *= 2
			}
			if len(octets) != want {
				t.Errorf("%s: segment %d has %d octets, want %d", test.name, i+1, len(octets), want)
			}
		}
	}
}

func TestCountIn(t *testing.T) {
	for _, test := range []struct {
		name     string
		text     string
		alphabet Alphabet
		concat   Concat
		total    int
	}{
		{"empty", "", UCS2, Concat8, 1},
		{"GSM7 text in UCS2", strings.Repeat("a", 71), UCS2, Concat8, 2},
		{"140 in Latin1", strings.Repeat("ç", 140), Latin1, Concat8, 1},
		{"2 × 134 in Latin1", strings.Repeat("ç", 268), Latin1, Concat8, 2},
		{"2 × 134 + 1 in Latin1", strings.Repeat("ç", 269), Latin1, Concat8, 3},
		{"160 beside a wide reference", strings.Repeat("a", 160), GSM7, Concat16, 1},
		{"2 × 152 beside a wide reference", strings.Repeat("a", 304), GSM7, Concat16, 2},
		{"2 × 152 + 1 beside a wide reference", strings.Repeat("a", 305), GSM7, Concat16, 3},
		{"2 × 66 beside a wide reference", strings.Repeat("я", 132), UCS2, Concat16, 2},
		{"2 × 66 + 1 beside a wide reference", strings.Repeat("я", 133), UCS2, Concat16, 3},
		{"what GSM7 does not have", strings.Repeat("я", 160), GSM7, Concat8, 1},
	} {
		if got := CountIn(test.text, test.alphabet, test.concat); got != test.total {
			t.Errorf("%s: %d, want %d", test.name, got, test.total)
		}
	}
}

func TestCutOutside(t *testing.T) {
	text := strings.Repeat("a", 200)
	for _, number := range []int{-1, 0, 3, 256} {
		if got := Cut(text, GSM7, Concat8, number); got != "" {
			t.Errorf("segment %d of 2: %q", number, got)
		}
	}
}

// texts draws texts that come near to every border: of one alphabet or of both, with many extension characters and surrogate pairs.
func texts() *rapid.Generator[string] {
	gsm := rapid.SampledFrom([]rune("ab @èΔ\n\fÇ^{}\\[~]|€€"))
	wide := rapid.SampledFrom([]rune("aя€…😀😀\U0010ffff\ufffd"))
	every := rapid.Rune()
	return rapid.Custom(func(t *rapid.T) string {
		from := rapid.SampledFrom([]*rapid.Generator[rune]{gsm, wide, every}).Draw(t, "of")
		var text []rune
		for len(text) < 1600 && rapid.IntRange(0, 9).Draw(t, "more") > 0 {
			if rapid.Bool().Draw(t, "run") {
				r, n := from.Draw(t, "rune"), rapid.IntRange(60, 170).Draw(t, "times")
				for range n {
					text = append(text, r)
				}
			}
			text = append(text, rapid.SliceOfN(from, 0, 12).Draw(t, "runes")...)
		}
		return string(text)
	})
}

// TestSegmentsMakeTheText checks, for every alphabet and header, all that segmentation promises.
func TestSegmentsMakeTheText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := texts().Draw(t, "text")
		detected, counted := Count(text)
		if n := CountIn(text, detected, Concat8); n != counted {
			t.Fatalf("Count says %d, CountIn %d", counted, n)
		}
		concat := rapid.SampledFrom([]Concat{Concat8, Concat16}).Draw(t, "concat")
		a := rapid.SampledFrom([]Alphabet{detected, UCS2}).Draw(t, "alphabet")
		total := CountIn(text, a, concat)
		var whole []byte
		for n := 1; n <= total; n++ {
			segment, room := text, a.room(0)
			if total > 1 {
				segment, room = Cut(text, a, concat, n), a.room(int(concat))
			}
			octets := Append(nil, segment, a)
			checkSegment(t, octets, a, room)
			if total > 1 && len(octets) == 0 {
				t.Fatalf("segment %d of %d is empty", n, total)
			}
			whole = append(whole, octets...)
		}
		if got := Decode(whole, a); got != text {
			t.Fatalf("segments decode to %q", got)
		}
		if string(whole) != string(Append(nil, text, a)) {
			t.Fatal("segments are not what the whole text is encoded as")
		}
		if total > 1 && Cut(text, a, concat, total+1) != "" {
			t.Fatal("there is more after the last segment")
		}
	})
}

func checkSegment(t *rapid.T, octets []byte, a Alphabet, room int) {
	switch a {
	case GSM7:
		if len(octets) > room {
			t.Fatalf("%d septets, but room for %d", len(octets), room)
		}
		if len(octets) > 0 && octets[len(octets)-1] == escape {
			t.Fatal("ends in an escape")
		}
	case UCS2:
		if len(octets) > 2*room {
			t.Fatalf("%d octets, but room for %d code units", len(octets), room)
		}
		if len(octets) > 1 && octets[len(octets)-2]>>2 == 0xd8>>2 {
			t.Fatal("ends in a high surrogate")
		}
	}
}

// TestSegmentsAreFull checks that no segment is shorter than it has to be: the next one's first character would not have fitted.
func TestSegmentsAreFull(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := texts().Draw(t, "text")
		a, total := Count(text)
		for n := 1; n < total; n++ {
			octets := AppendSegment(nil, text, a, n, total)
			next := Cut(text, a, Concat8, n+1)
			_, width := utf8.DecodeRuneInString(next)
			octets = Append(octets, next[:width], a)
			if room := a.room(int(Concat8)); (a == GSM7 && len(octets) <= room) || (a == UCS2 && len(octets) <= 2*room) {
				t.Fatalf("segment %d of %d had room for one character more", n, total)
			}
		}
	})
}

func TestNoAllocations(t *testing.T) {
	text := strings.Repeat("hello {you} ", 30)
	buffer := make([]byte, 0, 512)
	if n := testing.AllocsPerRun(100, func() {
		a, total := Count(text)
		for i := 1; i <= total; i++ {
			buffer = AppendConcat(buffer[:0], 7, total, i)
			buffer = AppendSegment(buffer, text, a, i, total)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzRoundTrip(f *testing.F) {
	for _, seed := range []string{
		"", "hello", strings.Repeat("€", 81), strings.Repeat("я", 66) + "😀" + strings.Repeat("я", 66), "\xff\xfe", "a\xe2\x82", "\x1b", "\ufffd",
		strings.Repeat("a", 152) + "{" + strings.Repeat("b", 152), strings.Repeat("😀", 300),
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		a, total := Count(text)
		if b, length := Length(text); a != b || (total == 1) != (length <= a.room(0)) {
			t.Fatalf("%v in %d, but length %d in %v", a, total, length, b)
		}
		segments := make([]Segment, total)
		for i := range segments {
			segments[i] = Segment{Number: i + 1, Total: total, Coding: Coding{Alphabet: a}, Octets: AppendSegment(nil, text, a, i+1, total)}
		}
		if total > maxTotal {
			return
		}
		got, complete := Join(segments, "")
		if want := string([]rune(text)); !complete || got != want { // the conversion makes U+FFFD of what is no UTF-8
			t.Fatalf("%q came back as %q, %v", text, got, complete)
		}
	})
}

func BenchmarkCount(b *testing.B) {
	for _, bench := range []struct{ name, text string }{
		{"160", strings.Repeat("abcdefg ", 20)},
		{"1600", strings.Repeat("abcdefg ", 200)},
		{"ucs2-70", strings.Repeat("привет ", 10)},
		{"ucs2-737", strings.Repeat("привет ", 105)},
	} {
		b.Run(bench.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				Count(bench.text)
			}
		})
	}
}

func BenchmarkAppendSegment(b *testing.B) {
	b.ReportAllocs()
	text := strings.Repeat("abcdefg ", 40)
	buffer := make([]byte, 0, 160)
	for b.Loop() {
		buffer = AppendSegment(buffer[:0], text, GSM7, 2, 3)
	}
}
