package smpp

import "runtime"

// outbox holds the octets that wait to be written. Guarded by Session.mu.
type outbox struct {
	queue   []byte
	spare   []byte // the buffer that was written last
	taken   uint64 // octets handed to the connection so far: where in the stream the queue begins
	written uint64 // octets that the connection took
}

// Bounds of the outbox. While more than outboxFull waits, nothing is read: a peer that does not read its answers gets to ask nothing more.
const (
	outboxFull  = 1 << 20
	outboxSpare = 256 << 10 // larger buffers are not kept
)

// position is where in the stream the next PDU begins.
func (o *outbox) position() uint64 { return o.taken + uint64(len(o.queue)) }

// waiting is how many octets are not written yet, those of a write that is going on included.
func (o *outbox) waiting() uint64 { return o.position() - o.written }

func (o *outbox) take() []byte {
	batch := o.queue
	o.taken += uint64(len(batch))
	o.queue, o.spare = o.spare, nil
	return batch
}

func (o *outbox) giveBack(batch []byte, written int) {
	o.written += uint64(written)
	if cap(batch) <= outboxSpare {
		o.spare = batch[:0]
	}
}

// hurry wakes the writing goroutine.
func (s *Session) hurry() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// write writes what the outbox holds, all of it in one call, until the session is over.
func (s *Session) write() {
	for {
		select {
		case <-s.wake:
		case <-s.over:
			return
		}
		// Whoever woke us mostly has more to add: let it. Many PDUs in one write cost little more than one.
		runtime.Gosched()
		for s.writeBatch() {
			continue
		}
	}
}

// writeBatch writes what waits now. It answers false when nothing did.
func (s *Session) writeBatch() bool {
	s.mu.Lock()
	if len(s.outbox.queue) == 0 {
		finishing, reason := s.finishing, s.reason
		s.mu.Unlock()
		if finishing {
			s.fail(reason)
		}
		return false
	}
	batch := s.outbox.take()
	s.mu.Unlock()
	s.writing.Store(s.ticks.Load())
	n, err := s.conn.Write(batch)
	s.writing.Store(never)
	s.wrote(batch, n)
	if err != nil {
		s.fail(err)
		return false
	}
	select {
	case s.room <- struct{}{}:
	default:
	}
	return true
}

func (s *Session) wrote(batch []byte, written int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.outbox.giveBack(batch, written)
}

// awaitRoom holds the reading goroutine while the outbox is full.
func (s *Session) awaitRoom() {
	for {
		s.mu.Lock()
		full := s.outbox.waiting() > outboxFull
		s.mu.Unlock()
		if !full {
			return
		}
		select {
		case <-s.room:
		case <-s.over:
			return
		}
	}
}

// enqueue adds a PDU that needs no answer to the outbox. mu is held.
func (s *Session) enqueue(sequence uint32, status Status, body PDU) error {
	queue, err := Append(s.outbox.queue, sequence, status, body)
	s.outbox.queue = queue
	return err
}

func (s *Session) enqueueStatus(command CommandID, sequence uint32, status Status) {
	s.outbox.queue = AppendStatus(s.outbox.queue, command, sequence, status)
}
