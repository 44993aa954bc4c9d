package esme

import (
	"encoding/hex"

	"github.com/heliograph/heliograph/internal/gateway"
	"github.com/heliograph/heliograph/internal/smpp"
	"github.com/heliograph/heliograph/internal/tpdu"
)

// charset is how the user data of a message from a handset is read.
type charset uint8

const (
	septets  charset = iota // GSM 7-bit
	latin1                  // ISO 8859-1, and IA5, which is the half of it
	cyrillic                // ISO 8859-5
	hebrew                  // ISO 8859-8
	utf16                   // big-endian
	opaque                  // no text, or none that we can read
)

// Values of data_coding that package smpp has no names for. SMPP 3.4, 5.2.19.
const (
	codingJIS       = 5
	codingCyrillic  = 6
	codingHebrew    = 7
	codingPictogram = 9
	codingISO2022JP = 10
	codingKanjiJIS  = 13
	codingKorean    = 14
	smppCodings     = 16 // from here on they are those of 3GPP TS 23.038
)

// charset looks a data_coding up: what the carrier is set to mean first, then the table of SMPP, then the groups of 3GPP TS 23.038.
func (c *Config) charset(coding smpp.DataCoding) charset {
	switch coding {
	case c.UCS2Coding, smpp.DataCodingUCS2:
		return utf16
	case c.GSM7Coding, smpp.DataCodingDefault:
		if c.GSM7AsLatin1 {
			return latin1
		}
		return septets
	case smpp.DataCodingIA5, smpp.DataCodingLatin1:
		return latin1
	case smpp.DataCodingOctets, smpp.DataCodingBinary:
		return c.eightBit()
	case codingCyrillic:
		return cyrillic
	case codingHebrew:
		return hebrew
	case codingJIS, codingPictogram, codingISO2022JP, codingKanjiJIS, codingKorean:
		return opaque
	}
	if coding < smppCodings {
		return septets
	}
	return c.scheme(uint8(coding))
}

// Bits of a data coding scheme.
const (
	schemeCompressed = 0x20 // below 0x80
	schemeAlphabet   = 0x0c // below 0x80: two bits
	schemeEightBit   = 0x04 // in the group of message classes: one bit
)

// scheme reads a data coding scheme: 3GPP TS 23.038, 4. What is reserved there is GSM 7-bit.
func (c *Config) scheme(scheme uint8) charset {
	switch group := scheme >> 4; {
	case group < 8 && scheme&schemeCompressed != 0:
		return opaque
	case group < 8 && scheme&schemeAlphabet == schemeEightBit, group == 15 && scheme&schemeEightBit != 0:
		return c.eightBit()
	case group < 8 && scheme&schemeAlphabet == 2*schemeEightBit, group == 14:
		return utf16
	}
	return septets
}

// eightBit is how data without an alphabet is read.
func (c *Config) eightBit() charset {
	if c.OctetsAsLatin1 {
		return latin1
	}
	return opaque
}

// userData is what the octets behind a header of so many octets mean. What is no text becomes hexadecimal digits: a message has nothing but text to hold it,
// and these lose nothing and can be told from what people write.
func (c *Config) userData(coding smpp.DataCoding, octets []byte, header int) gateway.UserData {
	data := func(a tpdu.Alphabet, octets []byte) gateway.UserData {
		return gateway.UserData{Alphabet: uint8(a), Octets: octets}
	}
	switch c.charset(coding) {
	case septets:
		if c.GSM7Packed {
			octets = unpacked(octets, tpdu.FillBits(header))
		}
		return data(tpdu.GSM7, octets)
	case utf16:
		return data(tpdu.UCS2, octets)
	case latin1:
		return data(tpdu.Latin1, octets)
	case cyrillic:
		return data(tpdu.UCS2, transcoded(octets, fromCyrillic))
	case hebrew:
		return data(tpdu.UCS2, transcoded(octets, fromHebrew))
	}
	return data(tpdu.Latin1, hex.AppendEncode(nil, octets))
}

// unpacked takes septets apart. SMPP counts octets and not septets: when the last septet fills them up and is zero, it is taken for the padding that seven
// septets in seven octets end with, and not for an "@".
func unpacked(octets []byte, fill int) []byte {
	septets := tpdu.Unpack7(nil, octets, fill, -1)
	last := len(septets) - 1
	if last >= 0 && septets[last] == 0 && (len(octets)*8-fill)%7 == 0 {
		septets = septets[:last]
	}
	return septets
}

// transcoded turns characters of one octet into UTF-16.
func transcoded(octets []byte, character func(byte) rune) []byte {
	units := make([]byte, 0, 2*len(octets))
	for _, o := range octets {
		r := rune(o)
		if o > 0xa0 {
			r = character(o)
		}
		units = append(units, byte(r>>8), byte(r))
	}
	return units
}

// fromCyrillic is the upper half of ISO 8859-5.
func fromCyrillic(o byte) rune {
	switch o {
	case 0xad:
		return '\u00ad' // soft hyphen
	case 0xf0:
		return '№'
	case 0xfd:
		return '§'
	}
	return 0x0401 + rune(o) - 0xa1
}

// fromHebrew is the upper half of ISO 8859-8.
func fromHebrew(o byte) rune {
	switch {
	case o >= 0xe0 && o <= 0xfa:
		return 'א' + rune(o) - 0xe0
	case o == 0xaa:
		return '×'
	case o == 0xba:
		return '÷'
	case o == 0xdf:
		return '‗'
	case o == 0xfd, o == 0xfe:
		return 0x200e + rune(o) - 0xfd // marks of direction
	case o >= 0xa2 && o <= 0xbe:
		return rune(o)
	}
	return '\ufffd'
}
