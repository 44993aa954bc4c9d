package tpdu

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseUDH(t *testing.T) {
	for _, test := range []struct {
		name, data, rest string
		want             Header
	}{
		{"no element", "\x00text", "text", Header{}},
		{"8-bit reference", "\x05\x00\x03\xfe\x03\x02text", "text", Header{Ref: 0xfe, Total: 3, Number: 2}},
		{"16-bit reference", "\x06\x08\x04\x12\x34\x02\x01", "", Header{Ref: 0x1234, Total: 2, Number: 1, Wide: true}},
		{
			"other elements", "\x0b\x05\x04\x0b\x84\x23\xf0\x00\x03\x01\x02\x02x", "x",
			Header{Ref: 1, Total: 2, Number: 2, Others: []Element{{ID: 5, Data: []byte("\x0b\x84\x23\xf0")}}},
		},
		{"an element without data", "\x04\x70\x00\x71\x00", "", Header{Others: []Element{{ID: 0x70, Data: []byte{}}, {ID: 0x71, Data: []byte{}}}}},
		{"languages", "\x06\x24\x01\x03\x25\x01\x01ol\xc3", "ol\xc3", Header{Single: Portuguese, Locking: Turkish}},
		{"a language twice: the last holds", "\x06\x25\x01\x03\x25\x01\x63", "", Header{Locking: 0x63}},
		{"a language of two octets", "\x04\x24\x02\x03\x01", "", Header{Others: []Element{{ID: 0x24, Data: []byte{3, 1}}}}},
		{"number 0", "\x05\x00\x03\x01\x02\x00", "", Header{}},
		{"number above total", "\x05\x00\x03\x01\x02\x03", "", Header{}},
		{"total 0", "\x05\x00\x03\x01\x00\x00", "", Header{}},
		{"twice: the last holds", "\x0a\x00\x03\x01\x02\x01\x00\x03\x09\x03\x02", "", Header{Ref: 9, Total: 3, Number: 2}},
		{"both: the last holds", "\x0b\x08\x04\x01\x01\x02\x01\x00\x03\x09\x03\x02", "", Header{Ref: 9, Total: 3, Number: 2}},
	} {
		h, rest, err := ParseUDH([]byte(test.data))
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		if diff := cmp.Diff(test.want, h); diff != "" || string(rest) != test.rest {
			t.Errorf("%s: rest %q, header (-want +got):\n%s", test.name, rest, diff)
		}
	}
}

func TestParseUDHRefuses(t *testing.T) {
	for _, test := range []struct{ data, want string }{
		{"", "tpdu: udh.length at octet 0: missing"},
		{"\x05\x00\x03\x01", "tpdu: udh.length at octet 0: 5, but 3 octets follow"},
		{"\xff", "tpdu: udh.length at octet 0: 255, but 0 octets follow"},
		{"\x01\x00abc", "tpdu: udh.element 0x00 at octet 1: without its length"},
		{"\x05\x00\x04\x01\x02\x01x", "tpdu: udh.element 0x00 at octet 1: length 4, but the header has 3 more"},
		{"\x07\x70\x01x\x05\x04\x0b\x84text", "tpdu: udh.element 0x05 at octet 4: length 4, but the header has 2 more"},
		{"\x04\x00\x02\x01\x02", "tpdu: udh.element 0x00 at octet 1: length 2, not 3"},
		{"\x05\x08\x03\x01\x02\x01", "tpdu: udh.element 0x08 at octet 1: length 3, not 4"},
	} {
		if h, rest, err := ParseUDH([]byte(test.data)); err == nil || err.Error() != test.want {
			t.Errorf("% x: %v, %q, error %v, want %s", test.data, h, rest, err, test.want)
		}
	}
}

func TestAppendConcat(t *testing.T) {
	if got := AppendConcat([]byte("x"), 0xab, 3, 2); string(got) != "x\x05\x00\x03\xab\x03\x02" || len(got) != 1+int(Concat8) {
		t.Errorf("% x", got)
	}
	if got := AppendConcat16([]byte("x"), 0xabcd, 3, 2); string(got) != "x\x06\x08\x04\xab\xcd\x03\x02" || len(got) != 1+int(Concat16) {
		t.Errorf("% x", got)
	}
}

func FuzzUDH(f *testing.F) {
	for _, seed := range []string{
		"", "\x00", "\x05\x00\x03\x01\x02\x01text", "\x06\x08\x04\x01\x02\x03\x01text", "\x0b\x05\x04\x0b\x84\x23\xf0\x00\x03\x01\x02\x02x", "\xff\x00",
		"\x01\x00", "\x05\x00\x04\x01\x02\x01x",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		h, rest, err := ParseUDH(data)
		if err != nil {
			return
		}
		if len(rest)+1+int(data[0]) != len(data) {
			t.Fatalf("%d octets of header and %d of rest in %d", data[0], len(rest), len(data))
		}
		if h.Number > h.Total || (h.Total > 0) != (h.Number > 0) || (!h.Wide && h.Ref > 0xff) {
			t.Fatalf("%+v", h)
		}
		if h.Total == 0 {
			return
		}
		built := AppendConcat(nil, uint8(h.Ref), h.Total, h.Number)
		if h.Wide {
			built = AppendConcat16(nil, h.Ref, h.Total, h.Number)
		}
		h.Others, h.Locking, h.Single = nil, NoLanguage, NoLanguage
		if again, _, err := ParseUDH(built); err != nil || !cmp.Equal(again, h) {
			t.Fatalf("%+v came back as %+v, %v", h, again, err)
		}
	})
}
