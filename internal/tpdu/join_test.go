package tpdu

import (
	"testing"

	"pgregory.net/rapid"
)

func TestJoin(t *testing.T) {
	segment := func(number, total int, a Alphabet, octets string) Segment {
		return Segment{Number: number, Total: total, Coding: Coding{Alphabet: a}, Octets: []byte(octets)}
	}
	for _, test := range []struct {
		name     string
		segments []Segment
		want     string
		complete bool
	}{
		{"none", nil, "", false},
		{"one", []Segment{segment(1, 1, GSM7, "a")}, "a", true},
		{"out of order", []Segment{segment(3, 3, GSM7, "c"), segment(1, 3, GSM7, "a"), segment(2, 3, GSM7, "b")}, "abc", true},
		{"one missing", []Segment{segment(3, 3, GSM7, "c"), segment(1, 3, GSM7, "a")}, "", false},
		{"the first of duplicates", []Segment{segment(2, 2, GSM7, "b"), segment(2, 2, GSM7, "x"), segment(1, 2, GSM7, "a")}, "ab", true},
		{"duplicates do not complete", []Segment{segment(2, 2, GSM7, "b"), segment(2, 2, GSM7, "b")}, "", false},
		{"another total", []Segment{segment(1, 2, GSM7, "a"), segment(1, 3, GSM7, "x"), segment(2, 2, GSM7, "b")}, "ab", true},
		{"out of range", []Segment{segment(1, 1, GSM7, "a"), segment(0, 1, GSM7, "x"), segment(2, 1, GSM7, "x")}, "a", true},
		{"total 0", []Segment{segment(0, 0, GSM7, "a")}, "", false},
		{"total beyond a header's", []Segment{segment(1, 256, GSM7, "a")}, "", false},
		{"split surrogate pair", []Segment{segment(1, 2, UCS2, "\xd8\x3d"), segment(2, 2, UCS2, "\xde\x00")}, "😀", true},
		{"split escape", []Segment{segment(1, 2, GSM7, "a\x1b"), segment(2, 2, GSM7, "\x65")}, "a€", true},
		{
			"several alphabets",
			[]Segment{segment(2, 4, UCS2, "\x04\x4f"), segment(1, 4, GSM7, "a"), segment(3, 4, UCS2, "\x20\xac"), segment(4, 4, Latin1, "\xe7")},
			"aя€ç", true,
		},
		{"an empty one", []Segment{segment(1, 2, GSM7, ""), segment(2, 2, GSM7, "b")}, "b", true},
	} {
		if got, complete := Join(test.segments, ""); got != test.want || complete != test.complete {
			t.Errorf("%s: %q, %v, want %q, %v", test.name, got, complete, test.want, test.complete)
		}
	}
}

func TestJoinAnyOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := texts().Draw(t, "text")
		a, total := Count(text)
		segments := make([]Segment, 0, 2*total)
		for n := 1; n <= total; n++ {
			s := Segment{Number: n, Total: total, Coding: Coding{Alphabet: a}, Octets: AppendSegment(nil, text, a, n, total)}
			segments = append(segments, s)
			if rapid.Bool().Draw(t, "twice") {
				segments = append(segments, s)
			}
		}
		segments = rapid.Permutation(segments).Draw(t, "order")
		if got, complete := Join(segments, ""); !complete || got != text {
			t.Fatalf("%q, %v", got, complete)
		}
		lost := rapid.IntRange(1, total).Draw(t, "lost")
		var rest []Segment
		for _, s := range segments {
			if s.Number != lost {
				rest = append(rest, s)
			}
		}
		if got, complete := Join(rest, ""); complete || got != "" {
			t.Fatalf("complete without segment %d: %q", lost, got)
		}
	})
}
