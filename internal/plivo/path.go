package plivo

import "strings"

// The official clients send doubled slashes, leave the last one out, write segments in lower case, and one of them writes a query behind an "&"
// instead of a "?". A redirect would turn their POST into a GET, so the path is read as it comes: cut at its slashes, empty segments dropped.

// maxSegments is the longest path of the API: v1/Account/{id}/10dlc/Campaign/{campaign}/Number/{number}.
const maxSegments = 8

// segments is a path cut at its slashes.
type segments struct {
	list [maxSegments]string
	n    int
	// query is what a client wrote into the path as its last segment, behind an "&".
	query string
	// long is set when the path has more segments than any of the API.
	long bool
}

// cutPath cuts a path, without copying it.
func cutPath(path string) segments {
	var s segments
	for len(path) > 0 {
		segment, rest, _ := strings.Cut(path, "/")
		path = rest
		switch {
		case segment == "":
		case segment[0] == '&' && strings.Trim(rest, "/") == "":
			s.query = segment[1:]
		case s.n == maxSegments:
			s.long = true
			return s
		default:
			s.list[s.n] = segment
			s.n++
		}
	}
	return s
}

// foldEqual compares ASCII without regard to case. strings.EqualFold would take letters beyond ASCII for their look-alikes.
func foldEqual(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range len(a) {
		if lower(a[i]) != lower(b[i]) {
			return false
		}
	}
	return true
}

func lower(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}
