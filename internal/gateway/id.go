package gateway

import (
	"encoding/hex"
	"sync"
	"time"
)

// ID is a UUID of version 7 (RFC 9562, 5.7). The IDs of one source are strictly increasing in their first 64 bits, so
// tables and indexes keyed by them are appended to instead of written all over.
type ID [16]byte

// String is the canonical lower-case form with dashes.
func (id ID) String() string {
	var text [36]byte
	hex.Encode(text[0:8], id[0:4])
	hex.Encode(text[9:13], id[4:6])
	hex.Encode(text[14:18], id[6:8])
	hex.Encode(text[19:23], id[8:10])
	hex.Encode(text[24:36], id[10:16])
	text[8], text[13], text[18], text[23] = '-', '-', '-', '-'
	return string(text[:])
}

// MarshalText is String, so that logs and JSON show the canonical form.
func (id ID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// IsZero tells whether the ID was never set.
func (id ID) IsZero() bool { return id == ID{} }

// ParseID reads the canonical form, in either case.
func ParseID(text string) (ID, bool) {
	var id ID
	if len(text) != 36 || text[8] != '-' || text[13] != '-' || text[18] != '-' || text[23] != '-' {
		return ID{}, false
	}
	digits := text[0:8] + text[9:13] + text[14:18] + text[19:23] + text[24:36]
	if _, err := hex.Decode(id[:], []byte(digits)); err != nil {
		return ID{}, false
	}
	return id, true
}

// Seq is the ID's place in the order of its source: 48 bits of milliseconds since 1970 and the 12 bits that count within
// one. It is unique among the IDs of one source and never negative.
func (id ID) Seq() int64 {
	millis := int64(id[0])<<40 | int64(id[1])<<32 | int64(id[2])<<24 | int64(id[3])<<16 | int64(id[4])<<8 | int64(id[5])
	return millis<<12 | int64(id[6]&0x0f)<<8 | int64(id[7])
}

// SeqAt is the smallest Seq an ID made at t can have: a bound for searches by time.
func SeqAt(t time.Time) int64 { return t.UnixMilli() << 12 }

// IDSource makes IDs. Its zero value is not usable: Entropy must be set, to a source that cannot be predicted.
type IDSource struct {
	Entropy func() uint64

	mu   sync.Mutex
	last int64 // Seq of the newest ID, guarded by mu
}

// Resume makes all further IDs greater than seq, which a store remembers from before a restart.
func (s *IDSource) Resume(seq int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last = max(s.last, seq)
}

// Next makes the ID for something that happens at now. When more than 4,096 are asked for in a millisecond, or the clock
// went back, the order wins over the clock: the ID then carries a time slightly ahead.
func (s *IDSource) Next(now time.Time) ID {
	s.mu.Lock()
	s.last = max(s.last+1, SeqAt(now))
	seq, random := s.last, s.Entropy()
	s.mu.Unlock()
	return newID(seq, random)
}

func newID(seq int64, random uint64) ID {
	millis := seq >> 12
	id := ID{
		byte(millis >> 40), byte(millis >> 32), byte(millis >> 24), byte(millis >> 16), byte(millis >> 8), byte(millis),
		0x70 | byte(seq>>8)&0x0f, byte(seq),
	}
	for i := range 8 {
		id[8+i] = byte(random >> (56 - 8*i))
	}
	id[8] = 0x80 | id[8]&0x3f
	return id
}
