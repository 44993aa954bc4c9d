package esme

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/heliograph/heliograph/internal/gateway"
	"github.com/heliograph/heliograph/internal/smpp"
	"github.com/heliograph/heliograph/internal/tpdu"
)

// message makes a text message as accepting makes it.
func message(text string) *gateway.Message {
	alphabet, units := tpdu.Count(text)
	return &gateway.Message{
		ID: gateway.ID{0: 1, 15: 0xA7}, Service: gateway.SMS, From: "14155550100", To: "14155550123",
		Text: text, Alphabet: gateway.Alphabet(alphabet), Units: units,
	}
}

// TestSegmentsJoin: what the SMSC is given is the text again, by every way of concatenation, and each part fits into a short message.
func TestSegmentsJoin(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		alphabets := []string{"abc @$_[]{}€é\n", "aé€ΔΦ", "aß漢字", "a😀漢"}
		runes := []rune(rapid.SampledFrom(alphabets).Draw(t, "alphabet"))
		length := rapid.IntRange(0, 700).Draw(t, "length")
		text := rapid.StringOfN(rapid.SampledFrom(runes), length, length, -1).Draw(t, "text")
		c := Config{
			Concatenation: Concatenation(rapid.IntRange(0, 2).Draw(t, "concatenation")), UCS2Coding: smpp.DataCodingUCS2,
			GSM7AsLatin1: rapid.Bool().Draw(t, "latin1"),
		}
		m := message(text)
		total := c.parts(m)
		var joined strings.Builder
		var scratch []byte
		for n := 1; n <= total; n++ {
			var pdu smpp.SubmitSM
			scratch = c.fill(&pdu, gateway.Part{Message: m, Number: n, Total: total}, scratch)
			if _, err := smpp.Append(nil, 1, smpp.ESME_ROK, &pdu); err != nil {
				t.Fatal(err)
			}
			joined.WriteString(read(t, &c, &pdu, n, total))
		}
		if joined.String() != text {
			t.Fatalf("got %q in %d parts, want %q", joined.String(), total, text)
		}
	})
}

// read takes a part's text out of its PDU, after holding its concatenation against what it should be.
func read(t *rapid.T, c *Config, pdu *smpp.SubmitSM, number, total int) string {
	data := pdu.UserData()
	switch {
	case pdu.ESMClass&smpp.ESMUDHI != 0:
		h, rest, err := tpdu.ParseUDH([]byte(data))
		if err != nil || h.Ref != 0xA7 || h.Number != number || h.Total != total {
			t.Fatalf("part %d of %d: header %+v, %v", number, total, h, err)
		}
		data = string(rest)
	case total > 1:
		ref, _ := pdu.TLVs.Uint16(smpp.TagSARMsgRefNum)
		of, _ := pdu.TLVs.Uint8(smpp.TagSARTotalSegments)
		n, _ := pdu.TLVs.Uint8(smpp.TagSARSegmentSeqnum)
		if ref != 0xA7 || int(n) != number || int(of) != total {
			t.Fatalf("part %d of %d: sar %d, %d of %d", number, total, ref, n, of)
		}
	}
	switch {
	case pdu.DataCoding == smpp.DataCodingUCS2:
		return tpdu.Decode([]byte(data), tpdu.UCS2)
	case c.GSM7AsLatin1:
		return tpdu.Decode([]byte(data), tpdu.Latin1)
	}
	return tpdu.Decode([]byte(data), tpdu.GSM7)
}

func TestParts(t *testing.T) {
	long := strings.Repeat("a", 307)
	euros := strings.Repeat("€", 77) // 154 septets: one segment; 77 UTF-16 units: two
	cases := []struct {
		name  string
		cfg   Config
		m     *gateway.Message
		parts int
	}{
		{"short", Config{}, message("a"), 1},
		{"empty", Config{}, message(""), 1},
		{"with a header", Config{}, message(long), 3},
		{"with parameters", Config{Concatenation: SAR}, message(long), 3},
		{"as a payload", Config{Concatenation: Payload}, message(long), 1},
		{"an MMS", Config{}, &gateway.Message{Service: gateway.MMS, Units: 1}, 1},
		{"in GSM 7-bit", Config{}, message(euros), 1},
		{"in UTF-16 for want of Latin 1", Config{GSM7AsLatin1: true}, message(euros), 2},
		{"in Latin 1", Config{GSM7AsLatin1: true}, message(long), 3},
	}
	for _, tc := range cases {
		if got := tc.cfg.parts(tc.m); got != tc.parts {
			t.Errorf("%s: %d parts, want %d", tc.name, got, tc.parts)
		}
	}
}
