package tpdu

// Alphabet is what the units of a text's user data mean.
type Alphabet uint8

const (
	GSM7   Alphabet = iota // GSM 7-bit default alphabet with its extension table: 3GPP TS 23.038, 6.2.1
	UCS2                   // UTF-16, big-endian: what handsets make of the UCS2 of 3GPP TS 23.038, 6.2.3
	Latin1                 // ISO 8859-1, which some carriers speak in place of GSM 7-bit; never detected, only asked for
)

func (a Alphabet) String() string {
	switch a {
	case GSM7:
		return "GSM7"
	case UCS2:
		return "UCS2"
	case Latin1:
		return "Latin1"
	}
	return ""
}

// escape announces that the next septet is one of the extension table.
const escape = 0x1b

// basic is the GSM 7-bit default alphabet by code: 3GPP TS 23.038, 6.2.1. The escape has no character; 6.2.1 has receivers
// that cannot use it show a space.
var basic = table{
	'@', '£', '$', '¥', 'è', 'é', 'ù', 'ì', 'ò', 'Ç', '\n', 'Ø', 'ø', '\r', 'Å', 'å',
	'Δ', '_', 'Φ', 'Γ', 'Λ', 'Ω', 'Π', 'Ψ', 'Σ', 'Θ', 'Ξ', ' ', 'Æ', 'æ', 'ß', 'É',
	' ', '!', '"', '#', '¤', '%', '&', '\'', '(', ')', '*', '+', ',', '-', '.', '/',
	'0', '1', '2', '3', '4', '5', '6', '7', '8', '9', ':', ';', '<', '=', '>', '?',
	'¡', 'A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'I', 'J', 'K', 'L', 'M', 'N', 'O',
	'P', 'Q', 'R', 'S', 'T', 'U', 'V', 'W', 'X', 'Y', 'Z', 'Ä', 'Ö', 'Ñ', 'Ü', '§',
	'¿', 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm', 'n', 'o',
	'p', 'q', 'r', 's', 't', 'u', 'v', 'w', 'x', 'y', 'z', 'ä', 'ö', 'ñ', 'ü', 'à',
}

// extension is the extension table by code: 3GPP TS 23.038, 6.2.1.1. A zero is a code without a character.
var extension = table{
	0x0a: '\f', 0x14: '^', 0x28: '{', 0x29: '}', 0x2f: '\\', 0x3c: '[', 0x3d: '~', 0x3e: ']', 0x40: '|', 0x65: '€',
}

// Values of septetOf: a code of the default alphabet, a code of the extension table with extended set, or none.
const (
	extended = 0x80
	none     = 0xff
)

// septetOf is both tables the other way round, for the characters below U+0400: all but the euro sign.
var septetOf = reverse()

func reverse() (table [0x400]uint8) {
	for r := range table {
		table[r] = none
	}
	for code, r := range basic {
		if code != escape {
			table[r] = uint8(code)
		}
	}
	for code, r := range extension {
		if r != 0 && r != '€' {
			table[r] = extended | uint8(code)
		}
	}
	return table
}

// septet looks a character up: see septetOf.
func septet(r rune) uint8 {
	switch {
	case r < rune(len(septetOf)):
		return septetOf[r]
	case r == '€':
		return extended | 0x65
	}
	return none
}

// Detect gives the alphabet that the text needs: GSM7 when it has every character, else UCS2.
func Detect(text string) Alphabet {
	a, _ := Length(text)
	return a
}

// Length gives the alphabet that the text needs and the text's length in it: in septets, of which a character of the extension table
// takes two, or in UTF-16 code units, of which a character beyond the basic plane takes two. An octet that is no UTF-8 counts as U+FFFD.
func Length(text string) (Alphabet, int) {
	septets := 0
	for _, r := range text {
		s := septet(r)
		if s == none {
			return UCS2, utf16Length(text)
		}
		septets += 1 + int(s>>7)
	}
	return GSM7, septets
}

// utf16Length counts UTF-16 code units.
func utf16Length(text string) int {
	n := 0
	for _, r := range text {
		n += UCS2.units(r)
	}
	return n
}
