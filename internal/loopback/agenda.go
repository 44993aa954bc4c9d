package loopback

import (
	"container/heap"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
)

// entry is something to do at a time: give an answer, or report.
type entry struct {
	at      time.Time
	answer  func()           // set, or else
	receipt *gateway.Receipt // this is
}

// agenda holds entries by their time.
type agenda []entry

// push adds an entry and tells whether it is the first now.
func (a *agenda) push(e entry) bool {
	heap.Push((*byTime)(a), e)
	return (*a)[0].at.Equal(e.at)
}

// pop takes the first entry out; there must be one.
func (a *agenda) pop() entry { return heap.Pop((*byTime)(a)).(entry) }

// first is the time of the first entry.
func (a agenda) first() (time.Time, bool) {
	if len(a) == 0 {
		return time.Time{}, false
	}
	return a[0].at, true
}

// byTime is the agenda as container/heap wants it.
type byTime []entry

func (b byTime) Len() int           { return len(b) }
func (b byTime) Less(i, j int) bool { return b[i].at.Before(b[j].at) }
func (b byTime) Swap(i, j int)      { b[i], b[j] = b[j], b[i] }
func (b *byTime) Push(e any)        { *b = append(*b, e.(entry)) }
func (b *byTime) Pop() any {
	last := len(*b) - 1
	e := (*b)[last]
	(*b)[last] = entry{}
	*b = (*b)[:last]
	return e
}
