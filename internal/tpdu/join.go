package tpdu

// Segment is one segment of a message as it came: where it stands and what it carries, without its header.
type Segment struct {
	Number int // from 1
	Total  int
	Coding
	Octets []byte // GSM7: a septet in each
}

// Coding is how octets are read: an alphabet, and for GSM7 the national languages that the header names.
type Coding struct {
	Alphabet Alphabet
	Locking  Language
	Single   Language
}

// maxTotal is the most segments that a header can announce.
const maxTotal = 255

// Join gives the text of a message whose segments came in any order, and whether they are all there; without all there is no text, unless gap
// is set: then it stands for each run of segments that are missing. The segments are those of one message: of one sender to one recipient, with one
// reference. The first says how many there are; one that disagrees is ignored, and so is one that came before.
//
// Neighbours in the same coding are decoded together, because there are senders that split escapes and surrogate pairs.
func Join(segments []Segment, gap string) (text string, complete bool) {
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
	if have < total && gap == "" {
		return "", false
	}
	return join(ordered[:total], size, gap), have == total
}

// join decodes segments in their order; nil ones are missing.
func join(ordered []*Segment, size int, gap string) string {
	decoded := make([]byte, 0, size+len(gap))
	run := make([]byte, 0, size)
	for i, s := range ordered {
		if s == nil {
			if i == 0 || ordered[i-1] != nil {
				decoded = append(decoded, gap...)
			}
			continue
		}
		run = append(run, s.Octets...)
		if i+1 == len(ordered) || ordered[i+1] == nil || ordered[i+1].Coding != s.Coding {
			decoded = s.Coding.appendDecoded(decoded, run)
			run = run[:0]
		}
	}
	return string(decoded)
}
