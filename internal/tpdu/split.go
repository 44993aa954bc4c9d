package tpdu

// userData is the octets that the user data of one short message has room for, header included: 3GPP TS 23.040, 9.2.3.24.
const userData = 140

// Concat is the header by which the segments of one message know each other. Its value is the octets that it takes in each.
type Concat uint8

const (
	Concat8  Concat = 6 // 8-bit reference: leaves 153 septets or 67 UTF-16 code units
	Concat16 Concat = 7 // 16-bit reference: leaves 152 septets or 66 UTF-16 code units
)

// room is the units that fit beside a header of the given octets: septets, UTF-16 code units or octets.
func (a Alphabet) room(header int) int {
	free := userData - header
	switch a {
	case GSM7:
		return free * 8 / 7
	case UCS2:
		return free / 2
	}
	return free
}

// units is how many a character takes. What the alphabet does not have takes the one of its replacement: see Append.
func (a Alphabet) units(r rune) int {
	switch {
	case a == GSM7:
		if s := septet(r); s != none {
			return 1 + int(s>>7)
		}
	case a == UCS2 && r >= 0x10000:
		return 2
	}
	return 1
}

// cut gives where the text's first segment ends, in octets. It ends between characters: an escape stays with its septet and a high
// surrogate with its low one, though that leaves a unit of room unused: they must not be split (3GPP TS 23.040, 9.2.3.24).
func (a Alphabet) cut(text string, room int) int {
	for i, r := range text {
		room -= a.units(r)
		if room < 0 {
			return i
		}
	}
	return len(text)
}

// Count gives the alphabet that the text needs and how many segments it makes: one of at most 160 septets or 70 UTF-16 code units,
// or else several of at most 153 or 67 with an 8-bit reference. It counts as Cut cuts. An empty text makes one empty segment.
func Count(text string) (Alphabet, int) {
	a, length := Length(text)
	if length <= a.room(0) {
		return a, 1
	}
	return a, a.segments(text, Concat8)
}

// CountIn is Count for a given alphabet and header: for carriers that do not take what Count supposes.
func CountIn(text string, a Alphabet, c Concat) int {
	if a.cut(text, a.room(0)) == len(text) {
		return 1
	}
	return a.segments(text, c)
}

// segments counts the segments that leave room for a header.
func (a Alphabet) segments(text string, c Concat) int {
	room, n := a.room(int(c)), 0
	for text != "" {
		text = text[a.cut(text, room):]
		n++
	}
	return n
}

// Cut gives the part of the text that is its n-th segment, counted from 1, of several with the header; nothing beyond the last. A text
// that Count or CountIn makes one segment of is not to be cut: without a header there is more room.
//
// The cut is the same whether the header goes into the user data, or the carrier makes it from the SMPP parameters sar_msg_ref_num,
// sar_total_segments and sar_segment_seqnum: on the air there is one in each segment all the same. With these, Concat8 holds
// as long as the reference is below 256, for then the SMSC can use the 8-bit one.
func Cut(text string, a Alphabet, c Concat, number int) string {
	room := a.room(int(c))
	for ; number > 1; number-- {
		text = text[a.cut(text, room):]
	}
	if number < 1 {
		return ""
	}
	return text[:a.cut(text, room)]
}
