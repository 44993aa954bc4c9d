package smpp

import (
	"encoding/binary"
	"iter"
	"strings"
)

// TLVs are a PDU's optional parameters as they are on the wire, in their order; the zero value has none. Values can be compared with ==.
// SMPP 3.4, 5.3.
type TLVs struct{ octets string }

// TLV is one optional parameter.
type TLV struct {
	Tag   Tag
	Value string // octets
}

const (
	tlvHeader = 4
	maxTLV    = 0xFFFF
)

// All gives each parameter in order.
func (t TLVs) All() iter.Seq2[Tag, string] {
	return func(yield func(Tag, string) bool) {
		for rest := t.octets; len(rest) >= tlvHeader; {
			tag, length := tlvHead(rest)
			if !yield(tag, rest[tlvHeader:tlvHeader+length]) {
				return
			}
			rest = rest[tlvHeader+length:]
		}
	}
}

// Get gives the value of the first parameter with that tag.
func (t TLVs) Get(tag Tag) (value string, ok bool) {
	for rest := t.octets; len(rest) >= tlvHeader; {
		found, length := tlvHead(rest)
		if found == tag {
			return rest[tlvHeader : tlvHeader+length], true
		}
		rest = rest[tlvHeader+length:]
	}
	return "", false
}

// CString gives the value of a text parameter without the NUL at its end; some peers leave the NUL out.
func (t TLVs) CString(tag Tag) (value string, ok bool) {
	value, ok = t.Get(tag)
	if i := strings.IndexByte(value, 0); i >= 0 {
		value = value[:i]
	}
	return value, ok
}

// Uint8 gives the value of a parameter of one octet.
func (t TLVs) Uint8(tag Tag) (value uint8, ok bool) {
	s, ok := t.Get(tag)
	if !ok || len(s) != 1 {
		return 0, false
	}
	return s[0], true
}

// Uint16 gives the value of a parameter of two octets. A parameter of one octet counts: SMSCs shorten small numbers.
func (t TLVs) Uint16(tag Tag) (value uint16, ok bool) {
	s, ok := t.Get(tag)
	switch {
	case ok && len(s) == 2:
		return uint16(s[0])<<8 | uint16(s[1]), true
	case ok && len(s) == 1:
		return uint16(s[0]), true
	}
	return 0, false
}

// With adds one parameter after the others. It panics when the value is longer than a length field can say.
func (t TLVs) With(tag Tag, value string) TLVs {
	var b strings.Builder
	b.Grow(len(t.octets) + tlvHeader + len(value))
	b.WriteString(t.octets)
	writeTLV(&b, tag, value)
	return TLVs{b.String()}
}

// WithUint8 adds a parameter of one octet.
func (t TLVs) WithUint8(tag Tag, value uint8) TLVs { return t.With(tag, string([]byte{value})) }

// WithUint16 adds a parameter of two octets.
func (t TLVs) WithUint16(tag Tag, value uint16) TLVs {
	return t.With(tag, string([]byte{byte(value >> 8), byte(value)}))
}

// WithCString adds a text parameter with its NUL.
func (t TLVs) WithCString(tag Tag, value string) TLVs { return t.With(tag, value+"\x00") }

// MakeTLVs makes TLVs of several parameters at once.
func MakeTLVs(list ...TLV) TLVs {
	size := 0
	for _, tlv := range list {
		size += tlvHeader + len(tlv.Value)
	}
	var b strings.Builder
	b.Grow(size)
	for _, tlv := range list {
		writeTLV(&b, tlv.Tag, tlv.Value)
	}
	return TLVs{b.String()}
}

func writeTLV(b *strings.Builder, tag Tag, value string) {
	if len(value) > maxTLV {
		panic("smpp: a TLV's value is longer than 65535 octets")
	}
	var head [tlvHeader]byte
	binary.BigEndian.PutUint16(head[:], uint16(tag))
	binary.BigEndian.PutUint16(head[2:], uint16(len(value)))
	b.Write(head[:])
	b.WriteString(value)
}

func tlvHead(s string) (tag Tag, length int) {
	return Tag(uint16(s[0])<<8 | uint16(s[1])), int(s[2])<<8 | int(s[3])
}
