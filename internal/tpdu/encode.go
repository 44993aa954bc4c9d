package tpdu

import "unicode/utf16"

// replacement stands for characters that GSM7 and Latin1 do not have.
const replacement = '?'

// Append appends the whole text in the alphabet, as SMPP carries it: GSM7 with a septet in each octet, UCS2 as UTF-16BE. It is what goes
// into a single segment, or into message_payload, where the SMSC does the segmentation. A character that the alphabet does not have becomes
// a question mark; Detect never chooses such an alphabet. An octet that is no UTF-8 becomes U+FFFD.
func Append(dst []byte, text string, a Alphabet) []byte {
	switch a {
	case GSM7:
		return appendGSM7(dst, text)
	case UCS2:
		return appendUCS2(dst, text)
	}
	return appendLatin1(dst, text)
}

// AppendSegment appends the user data, without its header, of the n-th of total segments that Count counted, both from 1.
func AppendSegment(dst []byte, text string, a Alphabet, number, total int) []byte {
	if total > 1 {
		text = Cut(text, a, Concat8, number)
	}
	return Append(dst, text, a)
}

func appendGSM7(dst []byte, text string) []byte {
	for _, r := range text {
		switch s := septet(r); {
		case s == none:
			dst = append(dst, replacement)
		case s >= extended:
			dst = append(dst, escape, s&^extended)
		default:
			dst = append(dst, s)
		}
	}
	return dst
}

func appendUCS2(dst []byte, text string) []byte {
	for _, r := range text {
		if r < 0x10000 {
			dst = append(dst, byte(r>>8), byte(r))
			continue
		}
		high, low := utf16.EncodeRune(r)
		dst = append(dst, byte(high>>8), byte(high), byte(low>>8), byte(low))
	}
	return dst
}

func appendLatin1(dst []byte, text string) []byte {
	for _, r := range text {
		if r > 0xff {
			r = replacement
		}
		dst = append(dst, byte(r))
	}
	return dst
}
