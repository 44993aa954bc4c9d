package tpdu

import (
	"encoding/hex"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestPack7(t *testing.T) {
	for _, test := range []struct {
		name    string
		septets string
		fill    int
		want    string
	}{
		{"nothing", "", 0, ""},
		{"nothing after fill bits", "", 3, ""},
		{"hello", "hello", 0, "e8329bfd06"},
		{"hellohello", "hellohello", 0, "e8329bfd4697d9ec37"},
		{"seven septets leave seven bits", "1234567", 0, "31d98c56b3dd00"},
		{"eight septets", "12345678", 0, "31d98c56b3dd70"},
		{"one after one fill bit", "a", 1, "c2"},
		{"two after one fill bit", "ab", 1, "c262"},
		{"one after six fill bits", "a", 6, "4018"},
	} {
		if got := hex.EncodeToString(Pack7(nil, []byte(test.septets), test.fill)); got != test.want {
			t.Errorf("%s: %s, want %s", test.name, got, test.want)
		}
		packed, _ := hex.DecodeString(test.want)
		if got := Unpack7(nil, packed, test.fill, len(test.septets)); string(got) != test.septets {
			t.Errorf("%s: unpacked %q, want %q", test.name, got, test.septets)
		}
	}
}

func TestFillBits(t *testing.T) {
	for header, want := range map[int]int{0: 0, 1: 6, 6: 1, 7: 0, 8: 6, 12: 2} {
		if got := FillBits(header); got != want {
			t.Errorf("header of %d octets: %d fill bits, want %d", header, got, want)
		}
		if (header*8+FillBits(header))%7 != 0 {
			t.Errorf("header of %d octets: the first septet does not begin at a multiple of seven bits", header)
		}
	}
}

// TestSegmentFillsTheTPDU packs full segments as a TPDU has them: they take its 140 octets and not one more.
func TestSegmentFillsTheTPDU(t *testing.T) {
	text := strings.Repeat("a", 400)
	single := Pack7(nil, Append(nil, text[:160], GSM7), 0)
	if len(single) != userData {
		t.Errorf("single: %d octets", len(single))
	}
	for _, c := range []Concat{Concat8, Concat16} {
		septets := Append(nil, Cut(text, GSM7, c, 1), GSM7)
		if n := int(c) + len(Pack7(nil, septets, FillBits(int(c)))); n != userData {
			t.Errorf("header of %d octets: %d octets of user data", c, n)
		}
	}
}

func TestUnpackWithoutCount(t *testing.T) {
	packed := Pack7(nil, []byte("1234567"), 0)
	if got := Unpack7(nil, packed, 0, -1); string(got) != "1234567\x00" {
		t.Errorf("as many as there are: %q", got)
	}
	if got := Unpack7(nil, packed, 0, 1000); string(got) != "1234567\x00" {
		t.Errorf("more than there are: %q", got)
	}
	if got := Unpack7(nil, nil, 6, 5); len(got) != 0 {
		t.Errorf("from nothing: %q", got)
	}
}

func TestPackRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		septets := rapid.SliceOfN(rapid.ByteRange(0, 0x7f), 0, 200).Draw(t, "septets")
		fill := rapid.IntRange(0, 6).Draw(t, "fill")
		packed := Pack7(nil, septets, fill)
		want := 0
		if len(septets) > 0 {
			want = (fill + 7*len(septets) + 7) / 8
		}
		if len(packed) != want {
			t.Fatalf("%d septets after %d bits took %d octets", len(septets), fill, len(packed))
		}
		if got := Unpack7(nil, packed, fill, len(septets)); string(got) != string(septets) {
			t.Fatalf("unpacked % x", got)
		}
	})
}

func FuzzDecodePacked(f *testing.F) {
	f.Add([]byte{0xe8, 0x32, 0x9b, 0xfd, 0x06}, 0, 5)
	f.Add([]byte{0xc2}, 1, -1)
	f.Add([]byte{}, 6, 100)
	f.Fuzz(func(t *testing.T, octets []byte, fill, count int) {
		fill &= 7
		septets := Unpack7(nil, octets, fill, count)
		if len(septets)*7+fill > len(octets)*8 && len(septets) > 0 {
			t.Fatalf("%d septets from %d octets", len(septets), len(octets))
		}
		for _, s := range septets {
			if s > 0x7f {
				t.Fatalf("%#x is no septet", s)
			}
		}
		if again := Unpack7(nil, Pack7(nil, septets, fill), fill, len(septets)); string(again) != string(septets) {
			t.Fatalf("% x came back as % x", septets, again)
		}
	})
}
