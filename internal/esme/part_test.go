package esme

import (
	"bufio"
	"encoding/hex"
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/heliograph/heliograph/internal/gateway"
	"github.com/heliograph/heliograph/internal/smpp"
	"github.com/heliograph/heliograph/internal/tpdu"
)

// inboundConfig is a carrier's settings with their defaults.
func inboundConfig(settings ...func(*Config)) *Config {
	c := Config{Name: "main"}
	for _, set := range settings {
		set(&c)
	}
	c = c.withDefaults()
	return &c
}

// joined gives the text of parts, as package mo makes it.
func joined(parts ...gateway.InboundPart) (text string, whole bool) {
	segments := make([]tpdu.Segment, len(parts))
	for i, p := range parts {
		segments[i] = tpdu.Segment{Number: max(p.Number, 1), Total: max(p.Total, 1), Octets: p.Data.Octets, Coding: tpdu.Coding{
			Alphabet: tpdu.Alphabet(p.Data.Alphabet), Locking: tpdu.Language(p.Data.Locking), Single: tpdu.Language(p.Data.Single),
		}}
	}
	return tpdu.Join(segments, "")
}

// TestPartAlphabets: every data_coding that means something.
func TestPartAlphabets(t *testing.T) {
	packed := func(c *Config) { c.GSM7Packed = true }
	asLatin1 := func(c *Config) { c.GSM7AsLatin1 = true }
	octetsAsLatin1 := func(c *Config) { c.OctetsAsLatin1 = true }
	for _, tc := range []struct {
		name   string
		coding smpp.DataCoding
		data   string
		want   string
		set    func(*Config)
	}{
		{"the SMSC's default", 0, "a\x00\x1b\x65", "a@€", nil},
		{"the SMSC's default is Latin-1", 0, "a@\xe9", "a@é", asLatin1},
		{"IA5", 1, "a@_[", "a@_[", nil},
		{"IA5, where GSM 7-bit is called so", 1, "a\x00", "a@", func(c *Config) { c.GSM7Coding = 1 }},
		{"octets", 2, "\x00\xffA", "00ff41", nil},
		{"octets are text", 2, "a\xe9", "aé", octetsAsLatin1},
		{"Latin-1", 3, "a@\xe9", "a@é", nil},
		{"binary", 4, "\x0b\x05", "0b05", nil},
		{"binary is text", 4, "a\xe9", "aé", octetsAsLatin1},
		{"JIS is not read", 5, "\x88", "88", nil},
		{"Cyrillic", 6, "\xbf\xe0\xd8\xd2\xd5\xe2 \xf0\xa1\xfd\xff\xad", "Привет №Ё§џ\u00ad", nil},
		{"Hebrew", 7, "\xf9\xec\xe5\xed \xaa\xba\xdf\xa2\xfd\xfe\xa1", "שלום ×÷‗¢\u200e\u200f\ufffd", nil},
		{"UCS-2", 8, "\x04\x3f\xd8\x3d\xde\x00", "п😀", nil},
		{"UCS-2 under another number", 9, "\x04\x3f", "п", func(c *Config) { c.UCS2Coding = 9 }},
		{"pictograms are not read", 9, "\xf8", "f8", nil},
		{"ISO-2022-JP is not read", 10, "\x1b$B", "1b2442", nil},
		{"KS C 5601 is not read", 14, "\xb0\xa1", "b0a1", nil},
		{"reserved", 11, "a\x00", "a@", nil},
		{"class 0", 0x10, "a\x00", "a@", nil},
		{"class 1, octets", 0x15, "a", "61", nil},
		{"class 2, UCS-2", 0x1a, "\x04\x3f", "п", nil},
		{"compressed", 0x20, "a", "61", nil},
		{"marked for deletion, UCS-2", 0x48, "\x04\x3f", "п", nil},
		{"marked for deletion, compressed", 0x68, "a", "61", nil},
		{"reserved alphabet", 0x1c, "a\x00", "a@", nil},
		{"reserved group", 0x84, "a\x00", "a@", nil},
		{"message waiting, discard", 0xc8, "a\x00", "a@", nil},
		{"message waiting, store", 0xd0, "a\x00", "a@", nil},
		{"message waiting, UCS-2", 0xe0, "\x04\x3f", "п", nil},
		{"message class", 0xf1, "a\x00", "a@", nil},
		{"message class, octets", 0xf5, "a", "61", nil},
		{"message class, octets are text", 0xf6, "a", "a", octetsAsLatin1},
		{"message class, Latin-1 is the default only", 0xf0, "\x00", "@", asLatin1},
		{"packed", 0, "\xe8\x32\x9b\xfd\x06", "hello", packed},
		{"packed, class", 0xf1, "\xe8\x32\x9b\xfd\x06", "hello", packed},
		{"packed, seven septets and padding", 0, "\x61\xf1\x98\x5c\x36\x9f\x01", "abcdefg", packed},
		{"packed, eight septets", 0, "\x61\xf1\x98\x5c\x36\x9f\xd1", "abcdefgh", packed},
		{"packed, an @ that is no padding", 0, "\x61\x00", "a@", packed},
		{"packed, nothing", 0, "", "", packed},
		{"packed concerns septets only", 8, "\x04\x3f", "п", packed},
		{"no septet", 0, "a\xe9", "a\ufffd", nil},
		{"half a character", 8, "\x04\x3f\x04", "п\ufffd", nil},
		{"nothing", 0, "", "", nil},
	} {
		set := func(*Config) {}
		if tc.set != nil {
			set = tc.set
		}
		c := inboundConfig(set)
		for _, pdu := range []*smpp.DeliverSM{
			{DataCoding: tc.coding, ShortMessage: tc.data},
			{DataCoding: tc.coding, TLVs: smpp.TLVs{}.With(smpp.TagMessagePayload, tc.data)},
		} {
			p, err := c.part(pdu, time.Time{}, 1)
			if got, whole := joined(p); got != tc.want || !whole || err != nil || p.Service != gateway.SMS || p.Total > 1 {
				t.Errorf("%s: %q, %v, %v, want %q", tc.name, got, whole, err, tc.want)
			}
		}
	}
}

// TestPartHeaders: concatenation, languages, and what else a header may have.
func TestPartHeaders(t *testing.T) {
	sar := func(ref uint16, total, number uint8) smpp.TLVs {
		return smpp.TLVs{}.WithUint16(smpp.TagSARMsgRefNum, ref).WithUint8(smpp.TagSARTotalSegments, total).WithUint8(smpp.TagSARSegmentSeqnum, number)
	}
	const udhi = smpp.ESMUDHI
	for _, tc := range []struct {
		name                     string
		class                    smpp.ESMClass
		coding                   smpp.DataCoding
		data                     string
		tlvs                     smpp.TLVs
		text                     string
		reference, total, number int
		locking, single          tpdu.Language
		broken                   bool
	}{
		{name: "none", data: "text", text: "text"},
		{name: "8-bit reference", class: udhi, data: "\x05\x00\x03\xfe\x03\x02text", text: "text", reference: 1<<16 + 0xfe, total: 3, number: 2},
		{name: "16-bit reference", class: udhi, data: "\x06\x08\x04\x00\xfe\x03\x02text", text: "text", reference: 2<<16 + 0xfe, total: 3, number: 2},
		{name: "SAR", data: "text", tlvs: sar(0xfe, 3, 2), text: "text", reference: 3<<16 + 0xfe, total: 3, number: 2},
		{
			name: "both: the header counts", class: udhi, data: "\x05\x00\x03\x01\x02\x01text", tlvs: sar(9, 3, 3), text: "text",
			reference: 1<<16 + 1, total: 2, number: 1,
		},
		{name: "a header that says nothing, and SAR", class: udhi, data: "\x02\x70\x00text", tlvs: sar(9, 3, 3), text: "text", reference: 3<<16 + 9, total: 3, number: 3},
		{name: "one of one", class: udhi, data: "\x05\x00\x03\x01\x01\x01text", text: "text"},
		{name: "number above total", class: udhi, data: "\x05\x00\x03\x01\x02\x03text", text: "text"},
		{name: "SAR number above total", data: "text", tlvs: sar(1, 2, 3), text: "text"},
		{name: "SAR number 0", data: "text", tlvs: sar(1, 2, 0), text: "text"},
		{name: "SAR of one", data: "text", tlvs: sar(1, 1, 1), text: "text"},
		{name: "SAR without a number", data: "text", tlvs: smpp.TLVs{}.WithUint16(smpp.TagSARMsgRefNum, 1).WithUint8(smpp.TagSARTotalSegments, 2), text: "text"},
		{name: "languages", class: udhi, data: "\x06\x24\x01\x06\x25\x01\x01\x60\x1b\x1c", text: "ç०", locking: tpdu.Turkish, single: tpdu.Hindi},
		{name: "languages, and septets called IA5", class: udhi, coding: 1, data: "\x03\x25\x01\x01\x60", text: "ç", locking: tpdu.Turkish},
		{name: "languages mean nothing to UCS-2", class: udhi, coding: 8, data: "\x03\x25\x01\x01\x04\x3f", text: "п"},
		{name: "ports: a text stays a text", class: udhi, data: "\x06\x05\x04\x0b\x84\x23\xf0text", text: "text"},
		{name: "ports: a WAP push is data", class: udhi, coding: 4, data: "\x06\x05\x04\x0b\x84\x23\xf0\x01\x06", text: "0106"},
		{
			name: "ports and concatenation", class: udhi, coding: 0xf5, data: "\x0b\x05\x04\x0b\x84\x23\xf0\x00\x03\x07\x02\x01\x01\x06", text: "0106",
			reference: 1<<16 + 7, total: 2, number: 1,
		},
		{name: "a header without text", class: udhi, data: "\x05\x00\x03\x01\x02\x01", reference: 1<<16 + 1, total: 2, number: 1},
		{name: "broken: longer than the data", class: udhi, data: "Hello", text: "Hello", broken: true},
		{name: "broken: an element that is longer than the header", class: udhi, data: "\x05\x00\x09abcd", text: "é@Çabcd", broken: true},
		{name: "broken, with SAR", class: udhi, data: "Hello", tlvs: sar(1, 2, 1), text: "Hello", reference: 3<<16 + 1, total: 2, number: 1, broken: true},
		{name: "broken: nothing", class: udhi, broken: true},
		{name: "no header is announced", data: "\x05\x00\x03", text: "é@¥"},
	} {
		c := inboundConfig()
		pdu := &smpp.DeliverSM{ESMClass: tc.class, DataCoding: tc.coding, ShortMessage: tc.data, TLVs: tc.tlvs}
		p, err := c.part(pdu, time.Time{}, 1)
		if (err != nil) != tc.broken || int(p.Reference) != tc.reference || p.Total != tc.total || p.Number != tc.number {
			t.Errorf("%s: reference %#x, %d of %d, %v", tc.name, p.Reference, p.Number, p.Total, err)
		}
		if p.Data.Locking != uint8(tc.locking) || p.Data.Single != uint8(tc.single) {
			t.Errorf("%s: languages %d, %d", tc.name, p.Data.Locking, p.Data.Single)
		}
		p.Total, p.Number = 1, 1
		if got, _ := joined(p); got != tc.text {
			t.Errorf("%s: %q, want %q", tc.name, got, tc.text)
		}
	}
}

// TestPartsFromAForeignPeer: what an independent implementation writes, with its own alphabets and headers, comes out as what was meant.
func TestPartsFromAForeignPeer(t *testing.T) {
	file, err := os.Open("testdata/inbound.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	c := inboundConfig()
	var want string
	var parts []gateway.InboundPart
	texts := 0
	for lines := bufio.NewScanner(file); lines.Scan(); {
		key, value, _ := strings.Cut(lines.Text(), " ")
		switch key {
		case "text":
			if err := json.Unmarshal([]byte(value), &want); err != nil {
				t.Fatal(err)
			}
		case "octets":
			parts = append(parts, partOf(t, c, value))
		case "":
			if got, whole := joined(parts...); got != want || !whole {
				t.Errorf("%q, %v, want %q", got, whole, want)
			}
			texts++
			parts = nil
		}
	}
	if texts < 13 {
		t.Errorf("only %d texts", texts)
	}
}

// partOf takes a whole PDU to a part, as a link does.
func partOf(t *testing.T, c *Config, octets string) gateway.InboundPart {
	t.Helper()
	frame, err := hex.DecodeString(octets)
	if err != nil {
		t.Fatal(err)
	}
	_, body, err := smpp.Decode(frame)
	if err != nil {
		t.Fatal(err)
	}
	pdu, ok := body.(*smpp.DeliverSM)
	if !ok {
		pdu = body.(*smpp.DataSM).Deliver()
	}
	p, err := c.part(pdu, time.Time{}, 1)
	if err != nil || p.From != "14155550123" || p.To != "14155550100" {
		t.Errorf("from %s to %s, %v", p.From, p.To, err)
	}
	return p
}

// TestPartsSplitAnywhere: a text comes back from segments in any order, in every alphabet and with every way of concatenation, packed or not, also where a
// sender splits escapes and surrogates.
func TestPartsSplitAnywhere(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		packed := rapid.Bool().Draw(t, "packed")
		c := inboundConfig(func(c *Config) { c.GSM7Packed = packed })
		alphabet := rapid.SampledFrom([]tpdu.Alphabet{tpdu.GSM7, tpdu.UCS2, tpdu.Latin1}).Draw(t, "alphabet")
		coding := map[tpdu.Alphabet]smpp.DataCoding{tpdu.GSM7: 0, tpdu.UCS2: 8, tpdu.Latin1: 3}[alphabet]
		letters := map[tpdu.Alphabet][]rune{tpdu.GSM7: []rune("ab €{Ωé"), tpdu.UCS2: []rune("ab я😀€"), tpdu.Latin1: []rune("ab@ÿ")}[alphabet]
		text := string(rapid.SliceOfN(rapid.SampledFrom(letters), 0, 60).Draw(t, "text"))
		octets := tpdu.Append(nil, text, alphabet)
		way := rapid.SampledFrom([]string{"8-bit", "16-bit", "SAR"}).Draw(t, "way")
		total := rapid.IntRange(2, 5).Draw(t, "total")
		var pdus []*smpp.DeliverSM
		for number := 1; number <= total; number++ {
			n := len(octets)
			if number < total {
				n = rapid.IntRange(0, len(octets)).Draw(t, "length")
			}
			pdu := &smpp.DeliverSM{DataCoding: coding}
			var data []byte
			switch way {
			case "8-bit":
				data = tpdu.AppendConcat(nil, 200, total, number)
			case "16-bit":
				data = tpdu.AppendConcat16(nil, 200, total, number)
			default:
				pdu.TLVs = smpp.TLVs{}.WithUint16(smpp.TagSARMsgRefNum, 200).WithUint8(smpp.TagSARTotalSegments, uint8(total)).
					WithUint8(smpp.TagSARSegmentSeqnum, uint8(number))
			}
			if len(data) > 0 {
				pdu.ESMClass = smpp.ESMUDHI
			}
			if packed && alphabet == tpdu.GSM7 {
				data = tpdu.Pack7(data, octets[:n], tpdu.FillBits(len(data)))
			} else {
				data = append(data, octets[:n]...)
			}
			octets = octets[n:]
			pdu.ShortMessage = string(data)
			pdus = append(pdus, pdu)
		}
		var parts []gateway.InboundPart
		for _, i := range rapid.Permutation(pdus).Draw(t, "order") {
			p, err := c.part(i, time.Time{}, 1)
			if err != nil {
				t.Fatal(err)
			}
			parts = append(parts, p)
		}
		if got, whole := joined(parts...); got != text || !whole {
			t.Fatalf("%q comes back as %q, %v", text, got, whole)
		}
	})
}

func TestNumber(t *testing.T) {
	for _, tc := range []struct {
		country string
		ton     smpp.TON
		addr    string
		want    string
	}{
		{"", 1, "14155550123", "14155550123"},
		{"", 1, "+14155550123", "14155550123"},
		{"", 0, "+14155550123", "14155550123"},
		{"", 5, "+14155550123", "14155550123"},
		{"", 1, "0014155550123", "14155550123"},
		{"", 0, "00447700900123", "447700900123"},
		{"", 2, "4155550123", "4155550123"},
		{"", 0, "07700900123", "07700900123"},
		{"1", 2, "4155550123", "14155550123"},
		{"1", 0, "4155550123", "14155550123"},
		{"1", 2, "14155550123", "14155550123"},
		{"1", 1, "4155550123", "4155550123"},
		{"1", 0, "1155550123", "1155550123"},
		{"1", 0, "0044770090012", "44770090012"},
		{"44", 2, "07700900123", "447700900123"},
		{"44", 0, "07700900123", "447700900123"},
		{"44", 2, "7700900123", "447700900123"},
		{"44", 4, "7700900123", "447700900123"},
		{"44", 0, "447700900123", "447700900123"},
		{"1", 0, "12345", "12345"},
		{"1", 2, "40404", "40404"},
		{"", 0, "004041", "004041"},
		{"1", 3, "5551234567", "5551234567"},
		{"1", 6, "0042424242", "0042424242"},
		{"1", 5, "4155550123", "4155550123"},
		{"1", 5, "ACME Inc", "ACME Inc"},
		{"1", 0, "ACME", "ACME"},
		{"1", 5, "Ärzte", "Ärzte"},
		{"1", 5, "\xc4rzte\x07", "?rzte?"},
		{"1", 5, strings.Repeat("ü", 30), strings.Repeat("ü", 16)},
		{"1", 1, strings.Repeat("1", 40), strings.Repeat("1", 32)},
		{"1", 0, "", ""},
		{"1", 0, "+", "+"},
	} {
		c := inboundConfig(func(c *Config) { c.CountryCode = tc.country })
		if got := c.number(smpp.Address{TON: tc.ton, Addr: tc.addr}); got != tc.want {
			t.Errorf("country code %q, TON %d, %q: %q, want %q", tc.country, tc.ton, tc.addr, got, tc.want)
		}
	}
}

// TestSegmentIdentity: a segment that comes again is the same whatever session brings it, for it has its message's reference.
func TestSegmentIdentity(t *testing.T) {
	c := inboundConfig()
	for name, pdu := range map[string]*smpp.DeliverSM{
		"header": {ESMClass: smpp.ESMUDHI, ShortMessage: "\x05\x00\x03\x07\x02\x01yes"},
		"sar": {ShortMessage: "yes", TLVs: smpp.TLVs{}.WithUint16(smpp.TagSARMsgRefNum, 7).WithUint8(smpp.TagSARTotalSegments, 2).
			WithUint8(smpp.TagSARSegmentSeqnum, 1)},
	} {
		if p, err := c.part(pdu, time.Now(), 7); err != nil || p.Total != 2 || p.Identity.Session != 0 || p.Identity.IsZero() {
			t.Errorf("%s: %+v, %v", name, p, err)
		}
	}
	whole := &smpp.DeliverSM{ESMClass: smpp.ESMUDHI, ShortMessage: "\x05\x00\x03\x07\x01\x01yes"}
	if p, err := c.part(whole, time.Now(), 7); err != nil || p.Identity.Session != 7 {
		t.Errorf("the only segment: %+v, %v", p, err)
	}
}

// TestIdentity: the same words have the same identity, others have another, and only the handset's own reference does without the session.
func TestIdentity(t *testing.T) {
	c := inboundConfig()
	base := func() *smpp.DeliverSM {
		return &smpp.DeliverSM{
			Source: smpp.Address{TON: 1, NPI: 1, Addr: "14155550123"}, Dest: smpp.Address{TON: 1, NPI: 1, Addr: "14155550100"}, ShortMessage: "yes",
		}
	}
	id := func(c *Config, pdu *smpp.DeliverSM, session uint64) gateway.PartIdentity {
		return c.identity(pdu, session)
	}
	first := id(c, base(), 7)
	if first != id(c, base(), 7) || first.IsZero() || first.Session != 7 {
		t.Errorf("%x, and again %x", first, id(c, base(), 7))
	}
	if other := id(c, base(), 8); other.Digest != first.Digest || other.Session != 8 {
		t.Errorf("%x in another session", other)
	}
	seen := map[[16]byte]string{first.Digest: "base"}
	different := func(what string, got gateway.PartIdentity) {
		if is := seen[got.Digest]; is != "" {
			t.Errorf("%s looks like %s", what, is)
		}
		seen[got.Digest] = what
	}
	different("another carrier", id(inboundConfig(func(c *Config) { c.Name = "other" }), base(), 7))
	for what, edit := range map[string]func(*smpp.DeliverSM){
		"another text":             func(d *smpp.DeliverSM) { d.ShortMessage = "no" },
		"another sender":           func(d *smpp.DeliverSM) { d.Source.Addr = "14155550124" },
		"another number":           func(d *smpp.DeliverSM) { d.Dest.Addr = "14155550101" },
		"another type of number":   func(d *smpp.DeliverSM) { d.Dest.TON = 2 },
		"another class":            func(d *smpp.DeliverSM) { d.ESMClass = smpp.ESMUDHI },
		"another coding":           func(d *smpp.DeliverSM) { d.DataCoding = 1 },
		"a digit that moved":       func(d *smpp.DeliverSM) { d.Source.Addr, d.Dest.Addr = "141555501231", "4155550100" },
		"another segment":          func(d *smpp.DeliverSM) { d.TLVs = d.TLVs.WithUint8(smpp.TagSARSegmentSeqnum, 1) },
		"still another segment":    func(d *smpp.DeliverSM) { d.TLVs = d.TLVs.WithUint8(smpp.TagSARSegmentSeqnum, 2) },
		"a reference that is none": func(d *smpp.DeliverSM) { d.TLVs = d.TLVs.WithUint16(smpp.TagUserMessageReference, 0) },
	} {
		pdu := base()
		edit(pdu)
		got := id(c, pdu, 7)
		if got.Session != 7 {
			t.Errorf("%s: session %d", what, got.Session)
		}
		different(what, got)
	}
	pdu := base()
	pdu.TLVs = pdu.TLVs.WithUint16(smpp.TagUserMessageReference, 300)
	got := id(c, pdu, 7)
	if got.Session != 0 || got != id(c, pdu, 8) {
		t.Errorf("with a reference: %x", got)
	}
	different("a reference", got)
	noise := base()
	noise.TLVs = noise.TLVs.WithUint8(smpp.TagMoreMessagesToSend, 1)
	if id(c, noise, 7) != first {
		t.Error("what may differ when it is brought again makes another part of it")
	}
}

// FuzzPart: whatever comes in a deliver_sm makes a part that can be kept, shown and joined.
func FuzzPart(f *testing.F) {
	add := func(pdu smpp.PDU) {
		frame, err := smpp.Append(nil, 1, smpp.ESME_ROK, pdu)
		if err != nil {
			f.Fatal(err)
		}
		for packed := range 4 {
			f.Add(frame, uint8(packed))
		}
	}
	add(&smpp.DeliverSM{Source: smpp.Address{Addr: "+14155550123"}, Dest: smpp.Address{TON: 2, Addr: "4155550100"}, ShortMessage: "hello"})
	add(&smpp.DeliverSM{ESMClass: smpp.ESMUDHI, ShortMessage: "\x05\x00\x03\x01\x02\x01text", DataCoding: 8})
	add(&smpp.DeliverSM{ESMClass: smpp.ESMUDHI, ShortMessage: "\x06\x24\x01\x06\x25\x01\x01\x60\x1b"})
	add(&smpp.DataSM{DataCoding: 4, TLVs: smpp.TLVs{}.With(smpp.TagMessagePayload, "\x00\xff").WithUint8(smpp.TagSARTotalSegments, 2)})
	f.Fuzz(func(t *testing.T, frame []byte, settings uint8) {
		_, body, err := smpp.Decode(frame)
		if err != nil {
			return
		}
		pdu, ok := body.(*smpp.DeliverSM)
		if data, isData := body.(*smpp.DataSM); isData {
			pdu, ok = data.Deliver(), true
		}
		if !ok {
			return
		}
		c := inboundConfig(func(c *Config) {
			c.GSM7Packed, c.OctetsAsLatin1 = settings&1 != 0, settings&2 != 0
			c.CountryCode = [...]string{"", "1", "44", "39"}[settings>>2&3]
		})
		p, err := c.part(pdu, time.Now(), 5)
		if err != nil && pdu.ESMClass&smpp.ESMUDHI == 0 {
			t.Fatalf("%v without a header", err)
		}
		if p.Total != 0 && (p.Number < 1 || p.Number > p.Total || p.Total > 255 || p.Reference>>16 < 1 || p.Reference>>16 > 3) {
			t.Fatalf("%d of %d, reference %#x", p.Number, p.Total, p.Reference)
		}
		for _, address := range []string{p.From, p.To} {
			if !utf8.ValidString(address) || len(address) > longestAddress || strings.ContainsRune(address, 0) {
				t.Fatalf("address %q", address)
			}
		}
		if again, _ := c.part(pdu, time.Now(), 5); again.Identity != p.Identity || p.Identity.IsZero() {
			t.Fatal("the same part has another identity")
		}
		p.Number, p.Total = 1, 1
		text, whole := joined(p)
		if !utf8.ValidString(text) || !whole || err != nil && text == "" && pdu.UserData() != "" && !c.GSM7Packed {
			t.Fatalf("%q of % x", text, pdu.UserData())
		}
	})
}

func BenchmarkPart(b *testing.B) {
	b.ReportAllocs()
	c := inboundConfig()
	pdu := &smpp.DeliverSM{
		Source: smpp.Address{TON: 1, NPI: 1, Addr: "14155550123"}, Dest: smpp.Address{TON: 1, NPI: 1, Addr: "14155550100"},
		ESMClass: smpp.ESMUDHI, ShortMessage: "\x05\x00\x03\x07\x02\x01" + strings.Repeat("a", 153),
	}
	now := time.Now()
	for b.Loop() {
		if _, err := c.part(pdu, now, 1); err != nil {
			b.Fatal(err)
		}
	}
}
