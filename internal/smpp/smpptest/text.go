package smpptest

import (
	"strings"
	"unicode/utf16"

	"github.com/heliograph/heliograph/internal/smpp"
)

// Part says which part of a longer message a submit is. The zero value: it is a whole one.
type Part struct {
	Reference, Number, Total int
}

// readUserData gives the text of a submit, and which part it is, by a user data header or by SAR parameters.
func readUserData(pdu *smpp.SubmitSM) (string, Part) {
	data, part := pdu.UserData(), sarPart(pdu.TLVs)
	if pdu.ESMClass&smpp.ESMUDHI != 0 && data != "" {
		header := data[1:min(len(data), 1+int(data[0]))]
		data = data[1+len(header):]
		part = headerPart(header)
	}
	switch pdu.DataCoding {
	case smpp.DataCodingDefault:
		return gsmText(data), part
	case smpp.DataCodingUCS2:
		units := make([]uint16, len(data)/2)
		for i := range units {
			units[i] = uint16(data[2*i])<<8 | uint16(data[2*i+1])
		}
		return string(utf16.Decode(units)), part
	case smpp.DataCodingLatin1:
		var b strings.Builder
		for i := range len(data) {
			b.WriteRune(rune(data[i]))
		}
		return b.String(), part
	}
	return data, part
}

func sarPart(tlvs smpp.TLVs) Part {
	reference, ok := tlvs.Uint16(smpp.TagSARMsgRefNum)
	total, hasTotal := tlvs.Uint8(smpp.TagSARTotalSegments)
	number, hasNumber := tlvs.Uint8(smpp.TagSARSegmentSeqnum)
	if !ok || !hasTotal || !hasNumber {
		return Part{}
	}
	return Part{int(reference), int(number), int(total)}
}

// Information elements of concatenated messages. 3GPP TS 23.040, 9.2.3.24.
const (
	concat8  = 0x00
	concat16 = 0x08
)

func headerPart(header string) Part {
	for len(header) >= 2 && len(header) >= 2+int(header[1]) {
		element := header[2 : 2+int(header[1])]
		switch {
		case header[0] == concat8 && len(element) == 3:
			return Part{int(element[0]), int(element[2]), int(element[1])}
		case header[0] == concat16 && len(element) == 4:
			return Part{int(element[0])<<8 | int(element[1]), int(element[3]), int(element[2])}
		}
		header = header[2+len(element):]
	}
	return Part{}
}

// gsmAlphabet is the default alphabet of 3GPP TS 23.038, 6.2.1, one septet an octet; the escape's place holds a blank.
const gsmAlphabet = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ ÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"

const gsmEscape = 0x1B

// gsmText reads the default alphabet. Octets that are no septet, and unknown extensions, are read as U+FFFD.
func gsmText(data string) string {
	alphabet := []rune(gsmAlphabet)
	var b strings.Builder
	for i := 0; i < len(data); i++ {
		switch c := data[i]; {
		case c == gsmEscape && i+1 < len(data):
			i++
			b.WriteRune(gsmExtension(data[i]))
		case int(c) < len(alphabet):
			b.WriteRune(alphabet[c])
		default:
			b.WriteRune('\uFFFD')
		}
	}
	return b.String()
}

// gsmExtension is the extension table. 3GPP TS 23.038, 6.2.1.1.
func gsmExtension(c byte) rune {
	switch c {
	case 0x0A:
		return '\f'
	case 0x14:
		return '^'
	case 0x28:
		return '{'
	case 0x29:
		return '}'
	case 0x2F:
		return '\\'
	case 0x3C:
		return '['
	case 0x3D:
		return '~'
	case 0x3E:
		return ']'
	case 0x40:
		return '|'
	case 0x65:
		return '€'
	}
	return '\uFFFD'
}
