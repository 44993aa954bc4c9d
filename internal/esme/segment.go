package esme

import (
	"github.com/heliograph/heliograph/internal/gateway"
	"github.com/heliograph/heliograph/internal/smpp"
	"github.com/heliograph/heliograph/internal/tpdu"
)

// encoding is how a message's text goes out.
type encoding struct {
	cut    tpdu.Alphabet // by which the text is cut into segments: the alphabet on the air
	wire   tpdu.Alphabet // what the SMSC is given
	coding smpp.DataCoding
	parts  int
}

// encoding of a message. An SMSC whose default alphabet is Latin 1 makes GSM 7-bit of it, so the segments are those of GSM 7-bit; a text with
// characters that Latin 1 lacks (the euro sign, Greek capitals) goes as UTF-16.
func (c *Config) encoding(m *gateway.Message) encoding {
	e := encoding{cut: tpdu.GSM7, wire: tpdu.GSM7, coding: c.GSM7Coding, parts: m.Units}
	switch {
	case m.Alphabet == gateway.UCS2:
		e.cut, e.wire, e.coding = tpdu.UCS2, tpdu.UCS2, c.UCS2Coding
	case c.GSM7AsLatin1 && inLatin1(m.Text):
		e.wire = tpdu.Latin1
	case c.GSM7AsLatin1:
		e.cut, e.wire, e.coding = tpdu.UCS2, tpdu.UCS2, c.UCS2Coding
		e.parts = tpdu.CountIn(m.Text, tpdu.UCS2, tpdu.Concat8)
	}
	return e
}

func inLatin1(text string) bool {
	for _, r := range text {
		if r > 0xff {
			return false
		}
	}
	return true
}

// parts is how many submit_sm the message makes.
func (c *Config) parts(m *gateway.Message) int {
	if m.Service == gateway.MMS || c.Concatenation == Payload {
		return 1
	}
	return max(1, c.encoding(m).parts)
}

// reference is the concatenation reference of a message: the same for all its parts, also when some go again after a restart. It is the
// message ID's last octet, which is random: two messages to one handset that arrive mixed up have the same one once in 256 times.
func reference(id gateway.ID) uint8 { return id[len(id)-1] }

// fill puts the part's user data into the PDU. scratch is overwritten and given back.
func (c *Config) fill(pdu *smpp.SubmitSM, part gateway.Part, scratch []byte) []byte {
	m := part.Message
	e := c.encoding(m)
	pdu.DataCoding = e.coding
	text := m.Text
	switch {
	case c.Concatenation == Payload && e.parts > 1:
		scratch = tpdu.Append(scratch[:0], text, e.wire)
		pdu.TLVs = smpp.TLVs{}.With(smpp.TagMessagePayload, octets(scratch, text))
		return scratch
	case part.Total <= 1:
		scratch = tpdu.Append(scratch[:0], text, e.wire)
		pdu.ShortMessage = octets(scratch, text)
		return scratch
	}
	text = tpdu.Cut(text, e.cut, tpdu.Concat8, part.Number)
	scratch = scratch[:0]
	if c.Concatenation == SAR {
		scratch = append(scratch, 0, reference(m.ID), byte(part.Total), byte(part.Number))
		numbers := string(scratch)
		pdu.TLVs = smpp.MakeTLVs(
			smpp.TLV{Tag: smpp.TagSARMsgRefNum, Value: numbers[:2]},
			smpp.TLV{Tag: smpp.TagSARTotalSegments, Value: numbers[2:3]},
			smpp.TLV{Tag: smpp.TagSARSegmentSeqnum, Value: numbers[3:]},
		)
		scratch = scratch[:0]
	} else {
		pdu.ESMClass |= smpp.ESMUDHI
		scratch = tpdu.AppendConcat(scratch, reference(m.ID), part.Total, part.Number)
	}
	scratch = tpdu.Append(scratch, text, e.wire)
	pdu.ShortMessage = octets(scratch, text)
	return scratch
}

// octets makes a string of what was encoded. Most texts are their own encoding: those share their octets.
func octets(encoded []byte, text string) string {
	if string(encoded) == text {
		return text
	}
	return string(encoded)
}
