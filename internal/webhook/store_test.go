package webhook

import (
	"context"
	"errors"
	"sort"
	"sync"
	"testing"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
)

// memory is a Store in memory that keeps every attempt and watches over the rules of the table.
type memory struct {
	t  testing.TB
	mu sync.Mutex

	rows     map[int64]*row
	fresh    map[int64][]int64 // by endpoint, ascending
	open     map[int64]int     // events not told and not given up, by endpoint
	last     int64
	attempts []gateway.Attempt
	reads    int
	largest  int // most rows one read brought
	wrong    []string

	failWrites, failReads bool
	slowRead              func() // called between reading and returning
}

type row struct {
	event   gateway.Event
	due     int64
	settled bool // told or given up
	hidden  bool // not committed yet
}

func newMemory(t testing.TB) *memory {
	return &memory{t: t, rows: map[int64]*row{}, fresh: map[int64][]int64{}, open: map[int64]int{}}
}

func endpointOf(e *gateway.Event) int64 {
	return e.Endpoint()
}

// add stores an event of a message and gives it as Told would hear of it.
func (s *memory) add(m *gateway.Message, sequence int) gateway.Event {
	return s.addHidden(m, sequence, false)
}

func (s *memory) addHidden(m *gateway.Message, sequence int, hidden bool) gateway.Event {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last++
	e := gateway.Event{ID: s.last, Message: m, Sequence: sequence, State: gateway.State(sequence - 1)}
	s.rows[e.ID] = &row{event: e, hidden: hidden}
	s.fresh[endpointOf(&e)] = append(s.fresh[endpointOf(&e)], e.ID)
	s.open[endpointOf(&e)]++
	return e
}

// commit makes a hidden event visible.
func (s *memory) commit(id int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rows[id].hidden = false
}

var errFault = errors.New("disk full")

func (s *memory) Endpoints(context.Context) ([]gateway.EndpointCount, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failReads {
		return nil, errFault
	}
	counts := map[int64]*gateway.EndpointCount{}
	for _, r := range s.rows {
		if r.settled || r.hidden {
			continue
		}
		id := endpointOf(&r.event)
		c := counts[id]
		if c == nil {
			c = &gateway.EndpointCount{Endpoint: id}
			counts[id] = c
		}
		if r.event.Attempt == 0 {
			c.Fresh++
			continue
		}
		c.Retries++
		if c.DueAt == 0 || r.due < c.DueAt {
			c.DueAt = r.due
		}
	}
	var list []gateway.EndpointCount
	for _, c := range counts {
		list = append(list, *c)
	}
	return list, nil
}

func (s *memory) FreshEvents(_ context.Context, endpoint, after int64, limit int) ([]gateway.Event, error) {
	events, err := s.readFresh(endpoint, after, limit)
	if s.slowRead != nil {
		s.slowRead()
	}
	return events, err
}

func (s *memory) readFresh(endpoint, after int64, limit int) ([]gateway.Event, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failReads {
		return nil, errFault
	}
	s.reads++
	var events []gateway.Event
	ids := s.fresh[endpoint]
	ids = ids[sort.Search(len(ids), func(i int) bool { return ids[i] > after }):]
	for _, id := range ids {
		if r := s.rows[id]; !r.hidden && !r.settled && r.event.Attempt == 0 && len(events) < limit {
			events = append(events, r.event)
		}
	}
	s.largest = max(s.largest, len(events))
	return events, nil
}

func (s *memory) RetryEvents(_ context.Context, endpoint int64, now time.Time, limit int) ([]gateway.Event, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failReads {
		return nil, errFault
	}
	var due []*row
	for _, id := range s.fresh[endpoint] {
		if r := s.rows[id]; !r.settled && r.event.Attempt > 0 && r.due <= now.UnixMicro() {
			due = append(due, r)
		}
	}
	sort.SliceStable(due, func(i, j int) bool { return due[i].due < due[j].due })
	var events []gateway.Event
	for _, r := range due[:min(limit, len(due))] {
		events = append(events, r.event)
	}
	return events, nil
}

func (s *memory) RecordAttempts(_ context.Context, attempts []gateway.Attempt) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failWrites {
		return errFault
	}
	for _, a := range attempts {
		r := s.rows[a.Event]
		outcomes := 0
		for _, set := range []bool{a.Done, a.GaveUp, a.DueAtMicro != 0} {
			if set {
				outcomes++
			}
		}
		if r == nil || r.settled || a.Number != r.event.Attempt+1 || outcomes != 1 {
			s.wrong = append(s.wrong, "an attempt does not follow from the event's row")
			s.t.Errorf("attempt %+v of row %+v", a, r)
			continue
		}
		r.event.Attempt, r.due, r.settled = a.Number, a.DueAtMicro, a.Done || a.GaveUp
		if r.settled {
			s.open[endpointOf(&r.event)]--
		}
		s.attempts = append(s.attempts, a)
	}
	return nil
}

// unsettled is how many events are neither told nor given up.
func (s *memory) unsettled() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, open := range s.open {
		n += open
	}
	return n
}

func (s *memory) setFaults(reads, writes bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failReads, s.failWrites = reads, writes
}

func (s *memory) recorded() []gateway.Attempt {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]gateway.Attempt(nil), s.attempts...)
}
