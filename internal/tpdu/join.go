package tpdu

// Segment is one segment of a message as it came: where it stands and what it carries, without its header.
type Segment struct {
	Number   int // from 1
	Total    int
	Alphabet Alphabet
	Octets   []byte // GSM7: a septet in each
}

// maxTotal is the most segments that a header can announce.
const maxTotal = 255

// Join gives the text of a message whose segments came in any order, and whether they are all there; without all there is no text.
// The segments are those of one message: of one sender to one recipient, with one reference. The first says how many there are; one that
// disagrees is ignored, and so is one that came before.
//
// Neighbours in the same alphabet are decoded together, because there are senders that split escapes and surrogate pairs.
func Join(segments []Segment) (text string, complete bool) {
	if len(segments) == 0 || segments[0].Total < 1 || segments[0].Total > maxTotal {
		return "", false
	}
	total := segments[0].Total
	var ordered [maxTotal]*Segment
	have, size := 0, 0
	for i := range segments {
		s := &segments[i]
		if s.Total != total || s.Number < 1 || s.Number > total || ordered[s.Number-1] != nil {
			continue
		}
		ordered[s.Number-1] = s
		have++
		size += len(s.Octets)
	}
	if have < total {
		return "", false
	}
	decoded := make([]byte, 0, size)
	run := make([]byte, 0, size)
	for i, s := range ordered[:total] {
		run = append(run, s.Octets...)
		if i+1 == total || ordered[i+1].Alphabet != s.Alphabet {
			decoded = appendDecoded(decoded, run, s.Alphabet)
			run = run[:0]
		}
	}
	return string(decoded), true
}
