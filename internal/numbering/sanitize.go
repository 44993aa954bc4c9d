package numbering

import (
	"strings"
	"unicode"
)

// Sanitize takes out of a destination what people write around its digits: / - . + ( ) and white space. Anything else stays, and
// makes it no number. Source: the API reference's number formats.
func Sanitize(dst string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune("/-.+()", r) || unicode.IsSpace(r) {
			return -1
		}
		return r
	}, dst)
}

// SanitizeSource takes everything out of a sender but letters and digits. Only those of ASCII count: networks carry no others in a
// sender.
func SanitizeSource(src string) string {
	return strings.Map(func(r rune) rune {
		if r < unicode.MaxASCII && (isDigit(byte(r)) || isLetter(byte(r))) {
			return r
		}
		return -1
	}, src)
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

// onlyDigits tells whether the text is digits and nothing else; empty it is not.
func onlyDigits(text string) bool {
	for i := range len(text) {
		if !isDigit(text[i]) {
			return false
		}
	}
	return text != ""
}
