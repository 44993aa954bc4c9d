package smpp

import "slices"

// window holds the outstanding requests of a session: each has a place from before it is written until it is answered, timed out, abandoned or
// the session is over. All of it is guarded by Session.mu.
type window struct {
	size     int
	used     int // places of requests that count; the session's own (bind, unbind, enquire_link) do not
	sequence uint32
	places   map[uint32]*place
	oldest   *place // a list in the order of due
	newest   *place
	free     *place          // places that were used before, by next
	waiting  []chan struct{} // callers of Do without a place, in their order
}

// place is one outstanding request.
type place struct {
	sequence   uint32
	command    CommandID
	counts     bool   // it is one of the window's size
	start      uint64 // where in the stream its first octet is
	due        int64  // tick of its timeout
	done       func(Response, error)
	prev, next *place
}

func newWindow(size int) window { return window{size: size, places: make(map[uint32]*place, size)} }

func (w *window) full() bool { return w.used >= w.size }

// maxSequence is the greatest sequence number. SMPP 3.4, 3.2.
const maxSequence = 0x7FFFFFFF

// nextSequence counts from 1 and passes over numbers that are still outstanding.
func (w *window) nextSequence() uint32 {
	for {
		w.sequence++
		if w.sequence > maxSequence {
			w.sequence = 1
		}
		if _, taken := w.places[w.sequence]; !taken {
			return w.sequence
		}
	}
}

// take makes a place for a request. due must not be before that of any other.
func (w *window) take(request place) {
	p := w.free
	if p == nil {
		p = new(place)
	} else {
		w.free = p.next
	}
	*p = request
	p.prev, p.next = w.newest, nil
	if w.newest == nil {
		w.oldest = p
	} else {
		w.newest.next = p
	}
	w.newest = p
	w.places[p.sequence] = p
	if p.counts {
		w.used++
	}
}

// give takes the place of a request back and says what was in it.
func (w *window) give(p *place) place {
	was := *p
	delete(w.places, p.sequence)
	if p.prev == nil {
		w.oldest = p.next
	} else {
		p.prev.next = p.next
	}
	if p.next == nil {
		w.newest = p.prev
	} else {
		p.next.prev = p.prev
	}
	*p = place{next: w.free}
	w.free = p
	if was.counts {
		w.used--
		w.wakeOne()
	}
	return was
}

// answered gives back the place that a response with this header is for. Not found: it came too late, or was never asked for.
func (w *window) answered(h Header) (place, bool) {
	p := w.places[h.Sequence]
	if p == nil || h.Command != CommandGenericNack && h.Command != p.command.Response() {
		return place{}, false
	}
	return w.give(p), true
}

// overdue gives back one place whose time is over.
func (w *window) overdue(tick int64) (place, bool) {
	if w.oldest == nil || w.oldest.due > tick {
		return place{}, false
	}
	return w.give(w.oldest), true
}

// wait gives a channel that is closed when a place may be free.
func (w *window) wait() chan struct{} {
	c := make(chan struct{})
	w.waiting = append(w.waiting, c)
	return c
}

// forget takes one out that waits no longer. It answers false when a place was offered to it.
func (w *window) forget(c chan struct{}) bool {
	i := slices.Index(w.waiting, c)
	if i < 0 {
		return false
	}
	w.waiting = slices.Delete(w.waiting, i, i+1)
	return true
}

func (w *window) wakeOne() {
	if len(w.waiting) > 0 {
		close(w.waiting[0])
		w.waiting = w.waiting[1:]
	}
}

func (w *window) wakeAll() {
	for _, c := range w.waiting {
		close(c)
	}
	w.waiting = nil
}
