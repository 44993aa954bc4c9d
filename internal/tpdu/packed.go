package tpdu

// FillBits is how many bits stand between a header of the given octets (its length octet counted) and the first septet, so that it
// begins at a multiple of seven bits: 3GPP TS 23.040, 9.2.3.24.
func FillBits(header int) int { return (7 - header*8%7) % 7 }

// Pack7 appends septets, eight in seven octets, the first in the lowest bits, after fill bits that are zero: 3GPP TS 23.038, 6.1.2.1.
// Of each octet of septets the highest bit does not count.
func Pack7(dst, septets []byte, fill int) []byte {
	var acc uint
	bits := fill
	for _, s := range septets {
		acc |= uint(s&0x7f) << bits
		bits += 7
		for bits >= 8 {
			dst = append(dst, byte(acc))
			acc >>= 8
			bits -= 8
		}
	}
	if bits > 0 && len(septets) > 0 {
		dst = append(dst, byte(acc))
	}
	return dst
}

// Unpack7 appends septets out of packed octets after fill bits: count of them, or as many as there are when that is fewer or count is negative.
// The count should be known (from TP-User-Data-Length): of eight septets that seven octets hold, the last may be nothing but
// padding, which reads as "@".
func Unpack7(dst, octets []byte, fill, count int) []byte {
	if most := max(len(octets)*8-fill, 0) / 7; count < 0 || count > most {
		count = most
	}
	for bit := fill; count > 0; bit, count = bit+7, count-1 {
		i, shift := bit/8, bit%8
		s := octets[i] >> shift
		if shift > 1 {
			s |= octets[i+1] << (8 - shift)
		}
		dst = append(dst, s&0x7f)
	}
	return dst
}
