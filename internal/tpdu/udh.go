package tpdu

import "fmt"

// Information elements of a user data header that concatenate (3GPP TS 23.040, 9.2.3.24.1 and 9.2.3.24.8) and that name the language of shift tables
// (9.2.3.24.15 and 9.2.3.24.16).
const (
	concat8ID  = 0x00
	concat16ID = 0x08
	singleID   = 0x24
	lockingID  = 0x25
)

// AppendConcat appends a user data header that is the n-th segment's of total, both from 1 to 255, with an 8-bit reference.
func AppendConcat(dst []byte, ref uint8, total, number int) []byte {
	return append(dst, 5, concat8ID, 3, ref, byte(total), byte(number))
}

// AppendConcat16 is AppendConcat with a 16-bit reference; it leaves less room: see Concat16.
func AppendConcat16(dst []byte, ref uint16, total, number int) []byte {
	return append(dst, 6, concat16ID, 4, byte(ref>>8), byte(ref), byte(total), byte(number))
}

// Header is a user data header.
type Header struct {
	// Ref, Total and Number place a segment among those of its message. Total is 0 when the header says nothing of it.
	Ref    uint16
	Total  int
	Number int  // from 1 to Total
	Wide   bool // Ref has 16 bits: it is another series than those of 8
	// Locking and Single are the languages of the shift tables, also such that nobody knows.
	Locking, Single Language
	// Others are the other elements, in their order.
	Others []Element
}

// Element is an information element.
type Element struct {
	ID   uint8
	Data []byte // shares its octets with what was parsed
}

// ParseUDH reads the header that user data begins with and gives the octets after it. Packed septets begin FillBits into these.
// Of elements that concatenate the last holds, and one that is out of its range counts as absent: 3GPP TS 23.040, 9.2.3.24 and 9.2.3.24.1.
func ParseUDH(data []byte) (h Header, rest []byte, err error) {
	if len(data) == 0 {
		return Header{}, nil, fmt.Errorf("tpdu: udh.length at octet 0: missing")
	}
	end := 1 + int(data[0])
	if end > len(data) {
		return Header{}, nil, fmt.Errorf("tpdu: udh.length at octet 0: %d, but %d octets follow", data[0], len(data)-1)
	}
	for at := 1; at < end; {
		if at+1 == end {
			return Header{}, nil, fmt.Errorf("tpdu: udh.element %#02x at octet %d: without its length", data[at], at)
		}
		id, from, to := data[at], at+2, at+2+int(data[at+1])
		if to > end {
			return Header{}, nil, fmt.Errorf("tpdu: udh.element %#02x at octet %d: length %d, but the header has %d more", id, at, to-from, end-from)
		}
		if err := h.take(Element{ID: id, Data: data[from:to:to]}, at); err != nil {
			return Header{}, nil, err
		}
		at = to
	}
	return h, data[end:], nil
}

// take enters an element that begins at the given octet.
func (h *Header) take(e Element, at int) error {
	size := 3
	switch e.ID {
	case concat8ID:
	case concat16ID:
		size = 4
	case singleID, lockingID:
		h.speak(e)
		return nil
	default:
		h.Others = append(h.Others, e)
		return nil
	}
	if len(e.Data) != size {
		return fmt.Errorf("tpdu: udh.element %#02x at octet %d: length %d, not %d", e.ID, at, len(e.Data), size)
	}
	total, number := int(e.Data[size-2]), int(e.Data[size-1])
	if number == 0 || number > total {
		return nil
	}
	h.Total, h.Number, h.Wide = total, number, e.ID == concat16ID
	h.Ref = uint16(e.Data[0])
	if h.Wide {
		h.Ref = h.Ref<<8 | uint16(e.Data[1])
	}
	return nil
}

// speak enters an element that names a language. Of several the last holds; one that is not an octet names none.
func (h *Header) speak(e Element) {
	switch {
	case len(e.Data) != 1:
		h.Others = append(h.Others, e)
	case e.ID == singleID:
		h.Single = Language(e.Data[0])
	default:
		h.Locking = Language(e.Data[0])
	}
}
