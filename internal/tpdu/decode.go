package tpdu

import (
	"unicode/utf16"
	"unicode/utf8"
)

// Decode gives the text of octets in the alphabet, GSM7 with a septet in each octet. It always gives valid UTF-8: what means nothing
// becomes U+FFFD.
func Decode(octets []byte, a Alphabet) string {
	return string(appendDecoded(make([]byte, 0, len(octets)+len(octets)/8), octets, a))
}

// appendDecoded decodes octets in the coding.
func (c Coding) appendDecoded(dst, octets []byte) []byte {
	if c.Alphabet == GSM7 {
		letters, shifted := tables(c.Locking, c.Single)
		return appendFromGSM7(dst, octets, letters, shifted)
	}
	return appendDecoded(dst, octets, c.Alphabet)
}

func appendDecoded(dst, octets []byte, a Alphabet) []byte {
	switch a {
	case GSM7:
		return appendFromGSM7(dst, octets, &basic, &extension)
	case UCS2:
		return appendFromUCS2(dst, octets)
	}
	for _, o := range octets {
		dst = utf8.AppendRune(dst, rune(o))
	}
	return dst
}

// appendFromGSM7 decodes septets by two tables. After an escape, a code that the second does not have means the character that the first has, and a second
// escape, or an escape at the end, a space: 3GPP TS 23.038, 6.2.1 and 6.2.1.1. A code that no table has becomes U+FFFD.
func appendFromGSM7(dst, septets []byte, letters, shifted *table) []byte {
	for i := 0; i < len(septets); i++ {
		s := septets[i]
		if s == escape && i+1 < len(septets) && septets[i+1] < 0x80 {
			i++
			s = septets[i]
			if r := shifted[s]; r != 0 {
				dst = utf8.AppendRune(dst, r)
				continue
			}
		}
		r := utf8.RuneError
		if s < 0x80 && letters[s] != 0 {
			r = letters[s]
		}
		dst = utf8.AppendRune(dst, r)
	}
	return dst
}

// appendFromUCS2 decodes UTF-16BE. A surrogate without its other half becomes U+FFFD, and so does an odd octet at the end.
func appendFromUCS2(dst, octets []byte) []byte {
	for len(octets) >= 2 {
		r := rune(octets[0])<<8 | rune(octets[1])
		octets = octets[2:]
		if utf16.IsSurrogate(r) {
			var low rune
			if len(octets) >= 2 {
				low = rune(octets[0])<<8 | rune(octets[1])
			}
			if r = utf16.DecodeRune(r, low); r != utf8.RuneError {
				octets = octets[2:]
			}
		}
		dst = utf8.AppendRune(dst, r)
	}
	if len(octets) > 0 {
		dst = utf8.AppendRune(dst, utf8.RuneError)
	}
	return dst
}
