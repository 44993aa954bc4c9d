package mt

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
)

// memory is a store without a disk, by the rules of Store and gateway. Its times pass before and after each step, so that what callers
// read can be stale by the time they have it.
type memory struct {
	mu     sync.Mutex
	rows   map[gateway.ID]*memoryRow
	lanes  map[gateway.LaneKey][]*memoryRow // in the order of Seq
	queued map[*memoryRow]struct{}
	parts  map[partKey]memoryPart
	parked map[partKey][]gateway.Receipt
	sticky map[gateway.StickyKey]string
	clocks map[string]int64
	out    map[gateway.Addressee][]string
	recent []gateway.OptOut
	clean  bool
	keys   map[string]gateway.Idempotency

	numbers    []gateway.Number
	powerpacks []gateway.Powerpack
	campaigns  []gateway.Campaign
	rates      map[gateway.AccountID]float64
	guards     []gateway.Guard
	parents    map[gateway.AccountID]gateway.AccountID
	usage      map[usageKey]gateway.Usage

	credit *gateway.Money // what messages may cost yet; nil: anything

	full    bool                 // writes fail
	latency func() time.Duration // before and after a step; nil: none
	calls   map[string]int

	slowWrites time.Duration
	asked      []int // limits that QueuedMessages was asked for
}

type memoryRow struct {
	message gateway.Message
	marked  bool
	moved   bool // to another sender
}

type memoryPart struct {
	id   gateway.ID
	part int
}

func newMemory() *memory {
	return &memory{
		rows: map[gateway.ID]*memoryRow{}, lanes: map[gateway.LaneKey][]*memoryRow{}, queued: map[*memoryRow]struct{}{},
		parts: map[partKey]memoryPart{}, parked: map[partKey][]gateway.Receipt{}, sticky: map[gateway.StickyKey]string{},
		keys: map[string]gateway.Idempotency{}, calls: map[string]int{}, clean: true,
		usage: map[usageKey]gateway.Usage{},
	}
}

var errFull = gateway.Errorf(gateway.Unavailable, "the disk is full")

// step is one transaction.
func (s *memory) step(name string, writes bool, do func()) error {
	s.mu.Lock()
	latency := s.latency
	if s.slowWrites > 0 && name == "RecordSubmits" {
		by := s.slowWrites
		latency = func() time.Duration { return by }
	}
	s.mu.Unlock()
	if latency != nil {
		time.Sleep(latency())
		defer func() { time.Sleep(latency()) }()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls[name]++
	if writes && s.full {
		return errFull
	}
	do()
	return nil
}

// slowRecords makes recording submits take so long before it happens, and again after.
func (s *memory) slowRecords(by time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.slowWrites = by
}

func (s *memory) setFull(full bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.full = full
}

func (s *memory) setLatency(latency func() time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.latency = latency
}

func (s *memory) limits() []int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.asked)
}

func (s *memory) called(name string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls[name]
}

// insert stores one message. Guarded by mu.
func (s *memory) insert(m *gateway.Message) {
	row := &memoryRow{message: *m}
	s.rows[m.ID] = row
	if m.State == gateway.Queued {
		key := m.Lane()
		s.lanes[key] = append(s.lanes[key], row)
		s.queued[row] = struct{}{}
	}
}

// put stores a message behind everybody's back.
func (s *memory) put(m *gateway.Message) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.insert(m)
}

func (s *memory) Answered(_ context.Context, _ gateway.AccountID, key string, body [32]byte, _ time.Time) (answer *gateway.Acceptance, err error) {
	err = s.step("Answered", false, func() {
		if before, used := s.keys[key]; used && before.BodyHash == body {
			answer = &before.Acceptance
		}
	})
	return answer, err
}

func (s *memory) InsertMessages(_ context.Context, batch []*gateway.Submission) (results []gateway.Inserted, err error) {
	err = s.step("InsertMessages", true, func() {
		for _, sub := range batch {
			if key := sub.Idempotency; key != nil {
				before, used := s.keys[key.Key]
				switch {
				case used && before.BodyHash != key.BodyHash:
					results = append(results, gateway.Inserted{Err: gateway.Errorf(gateway.Conflict, "another body")})
					continue
				case used:
					results = append(results, gateway.Inserted{Replayed: &before.Acceptance})
					continue
				}
				s.keys[key.Key] = *key
			}
			var in gateway.Inserted
			for i, m := range sub.Messages {
				steps := sub.Steps[i]
				if s.credit != nil && m.State == gateway.Queued && m.Cost() > *s.credit {
					in.Unpaid = append(in.Unpaid, i)
					failed := *m
					steps = append(slices.Clip(steps), failed.Fail(gateway.NoCredit, sub.At)...)
					m = &failed
				} else if s.credit != nil && m.State == gateway.Queued {
					*s.credit -= m.Cost()
				}
				s.insert(m)
				for _, step := range steps {
					in.Events = append(in.Events, gateway.Event{Message: m, State: step.State, Reason: step.Reason, Sequence: step.Sequence})
				}
			}
			s.remember(sub.Remember)
			results = append(results, in)
		}
	})
	return results, err
}

// pooled tells whether the number is in the powerpack's pool. Guarded by mu.
func (s *memory) pooled(number string, powerpack gateway.ID) bool {
	for i := range s.powerpacks {
		if s.powerpacks[i].ID == powerpack {
			return slices.ContainsFunc(s.numbers, func(n gateway.Number) bool { return n.Number == number && n.Pool == s.powerpacks[i].Pool })
		}
	}
	return false
}

func (s *memory) StickySenders(_ context.Context, keys []gateway.StickyKey) (senders []string, err error) {
	err = s.step("StickySenders", false, func() {
		for _, key := range keys {
			senders = append(senders, s.sticky[key])
		}
	})
	return senders, err
}

// inLane tells whether a row is what Lanes and QueuedMessages see.
func (r *memoryRow) inLane() bool {
	return r.message.State == gateway.Queued && !r.marked && r.message.DueAt.IsZero()
}

func (s *memory) Lanes(context.Context) (counts []gateway.LaneCount, err error) {
	err = s.step("Lanes", false, func() {
		for key, rows := range s.lanes {
			c := gateway.LaneCount{LaneKey: key}
			for _, r := range rows {
				if r.inLane() {
					c.Messages++
					c.Units += r.message.Units
				}
			}
			if c.Messages > 0 {
				counts = append(counts, c)
			}
		}
	})
	return counts, err
}

func (s *memory) QueuedMessages(_ context.Context, cursors []gateway.LaneCursor) (lanes [][]*gateway.Message, err error) {
	err = s.step("QueuedMessages", false, func() {
		lanes = make([][]*gateway.Message, len(cursors))
		for i, c := range cursors {
			s.asked = append(s.asked, c.Limit)
			rows := s.lanes[c.LaneKey]
			from, _ := slices.BinarySearchFunc(rows, c.After+1, func(r *memoryRow, seq int64) int {
				return cmp.Compare(r.message.ID.Seq(), seq)
			})
			for _, r := range rows[from:] {
				if len(lanes[i]) == c.Limit {
					break
				}
				if r.inLane() {
					lanes[i] = append(lanes[i], r.copy())
				}
			}
		}
	})
	return lanes, err
}

func (r *memoryRow) copy() *gateway.Message {
	m := r.message
	return &m
}

// waiting gives the queued, unmarked messages that fit, in an order. Guarded by mu.
func (s *memory) waiting(fits func(*gateway.Message) bool, at func(*gateway.Message) time.Time, limit int) (list []*gateway.Message) {
	for r := range s.queued {
		if !r.marked && fits(&r.message) {
			list = append(list, r.copy())
		}
	}
	slices.SortFunc(list, func(a, b *gateway.Message) int {
		return cmp.Or(at(a).Compare(at(b)), cmp.Compare(a.ID.Seq(), b.ID.Seq()))
	})
	return list[:min(limit, len(list))]
}

func (s *memory) DueRetries(_ context.Context, carrier string, now time.Time, limit int) (due []*gateway.Message, err error) {
	err = s.step("DueRetries", false, func() {
		due = s.waiting(func(m *gateway.Message) bool {
			return m.Carrier == carrier && !m.Unprepared && !m.DueAt.IsZero() && !m.DueAt.After(now)
		}, func(m *gateway.Message) time.Time { return m.DueAt }, limit)
	})
	return due, err
}

func (s *memory) NextRetry(_ context.Context, carrier string) (next time.Time, err error) {
	err = s.step("NextRetry", false, func() {
		for r := range s.queued {
			m := &r.message
			if m.Carrier == carrier && !r.marked && !m.Unprepared && !m.DueAt.IsZero() && (next.IsZero() || m.DueAt.Before(next)) {
				next = m.DueAt
			}
		}
	})
	return next, err
}

func (s *memory) ExpiredMessages(_ context.Context, now time.Time, limit int) (expired []*gateway.Message, err error) {
	err = s.step("ExpiredMessages", false, func() {
		expired = s.waiting(func(m *gateway.Message) bool { return !m.ExpiresAt.After(now) },
			func(m *gateway.Message) time.Time { return m.ExpiresAt }, limit)
	})
	return expired, err
}

func (s *memory) MarkSubmitting(_ context.Context, ids []gateway.ID, _ time.Time) error {
	return s.step("MarkSubmitting", true, func() {
		for _, id := range ids {
			if r := s.rows[id]; r.message.State == gateway.Queued {
				r.marked = true
			}
		}
	})
}

func (s *memory) RecordSubmits(_ context.Context, records []*gateway.SubmitRecord) (applied []gateway.Applied, err error) {
	err = s.step("RecordSubmits", true, func() {
		for _, r := range records {
			applied = append(applied, s.record(r))
		}
	})
	return applied, err
}

func (s *memory) record(r *gateway.SubmitRecord) gateway.Applied {
	for _, u := range r.Usage {
		s.use(u)
	}
	row := s.rows[r.Message.ID]
	p := &row.message.Progress
	before := p.State
	var steps []gateway.Step
	if len(r.Results) > 0 {
		steps = p.Submitted(r.Total, r.Results)
	}
	if p.State == gateway.Queued {
		switch {
		case r.Failure != gateway.NoReason:
			steps = append(steps, p.Fail(r.Failure, r.At)...)
		case !r.Due.IsZero():
			p.Defer(r.Due, r.At)
			row.marked = false
		case r.Held:
			row.marked = true
		default:
			p.DueAt = time.Time{}
			row.marked = row.marked && !r.Released
		}
	}
	for _, receipt := range r.Receipts {
		steps = append(steps, p.Receipted(receipt.Number, receipt.Receipt)...)
	}
	for _, result := range r.Results {
		if result.Status != gateway.Accepted {
			continue
		}
		key := partKey{row.message.Carrier, result.CarrierID}
		s.parts[key] = memoryPart{r.Message.ID, result.Number}
		for _, receipt := range s.parked[key] {
			steps = append(steps, p.Receipted(result.Number, receipt)...)
		}
		delete(s.parked, key)
	}
	return s.applied(row, before, steps)
}

// applied ends a step that moved a row. Guarded by mu.
func (s *memory) applied(row *memoryRow, before gateway.State, steps []gateway.Step) gateway.Applied {
	if row.message.State != gateway.Queued {
		delete(s.queued, row)
	}
	a := gateway.Applied{State: row.message.State, Moved: row.message.State != before}
	for _, step := range steps {
		a.Events = append(a.Events, gateway.Event{Message: row.copy(), State: step.State, Reason: step.Reason, Sequence: step.Sequence})
	}
	return a
}

// ApplyReceipts makes the store one for dlr too.
func (s *memory) ApplyReceipts(_ context.Context, receipts []gateway.Receipt) (applied []gateway.Applied, err error) {
	err = s.step("ApplyReceipts", true, func() {
		for _, r := range receipts {
			key := partKey{r.Carrier, r.CarrierID}
			part, known := s.parts[key]
			if !known {
				s.parked[key] = append(s.parked[key], r)
				applied = append(applied, gateway.Applied{Parked: true})
				continue
			}
			row := s.rows[part.id]
			before := row.message.State
			applied = append(applied, s.applied(row, before, row.message.Receipted(part.part, r)))
		}
	})
	return applied, err
}

// releaseHeld takes a message's mark off, as an operator does.
func (s *memory) releaseHeld(id gateway.ID) *gateway.Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rows[id].marked = false
	return s.rows[id].copy()
}

func (s *memory) SaveClocks(_ context.Context, free map[string]int64, used []gateway.Usage) error {
	return s.step("SaveClocks", true, func() {
		s.clocks, s.clean = maps.Clone(free), true
		for _, u := range used {
			s.usage[usageKey{u.Kind, u.Name}] = u
		}
	})
}

func (s *memory) KeepUsage(_ context.Context, usage []gateway.Usage) error {
	return s.step("KeepUsage", true, func() {
		for _, u := range usage {
			s.use(u)
		}
	})
}

func (s *memory) TakeClocks(context.Context) (free map[string]int64, ok bool, err error) {
	err = s.step("TakeClocks", true, func() {
		free, ok = s.clocks, s.clean
		s.clocks, s.clean = nil, false
	})
	return free, ok, err
}

func (s *memory) Roster(context.Context) (roster gateway.Roster, err error) {
	err = s.step("Roster", false, func() {
		roster = gateway.Roster{
			Numbers: slices.Clone(s.numbers), Powerpacks: slices.Clone(s.powerpacks), Campaigns: slices.Clone(s.campaigns), Rates: maps.Clone(s.rates),
			Guards: slices.Clone(s.guards), Parents: maps.Clone(s.parents),
		}
	})
	return roster, err
}

func (s *memory) Traces(_ context.Context, since time.Time, most int) (traces map[string]gateway.Trace, ok bool, err error) {
	err = s.step("Traces", false, func() {
		traces, ok = map[string]gateway.Trace{}, len(s.rows) <= most
		for _, row := range s.rows {
			m := &row.message
			t := traces[m.From]
			switch left := m.SentAt; {
			case m.AcceptedAt.Before(since):
				continue
			case m.State == gateway.Queued:
				t.Waiting = max(t.Waiting, m.Units)
			default:
				if left.IsZero() {
					left = m.UpdatedAt
				}
				if left.After(t.Left) {
					t.Left = left
				}
				t.Units = max(t.Units, m.Units)
			}
			traces[m.From] = t
		}
	})
	return traces, ok, err
}

func (s *memory) SentSince(_ context.Context, account gateway.AccountID, since time.Time, prefixes []string) (counts map[string]int, err error) {
	err = s.step("SentSince", false, func() {
		counts = map[string]int{}
		for _, row := range s.rows {
			m := &row.message
			if m.Account != account || m.AcceptedAt.Before(since) || m.Carrier == "" {
				continue
			}
			counts[m.Country]++
			for _, prefix := range prefixes {
				if strings.HasPrefix(m.To, prefix) {
					counts[prefix]++
				}
			}
		}
	})
	return counts, err
}

func (s *memory) Usage(context.Context) (list []gateway.Usage, err error) {
	err = s.step("Usage", false, func() { list = slices.Collect(maps.Values(s.usage)) })
	return list, err
}

// use keeps what is used up of a daily cap. Guarded by mu.
func (s *memory) use(u gateway.Usage) {
	key := usageKey{u.Kind, u.Name}
	if before := s.usage[key]; u.Day > before.Day || u.Day == before.Day && u.Units > before.Units {
		s.usage[key] = u
	}
}

func (s *memory) ReplaceInPool(_ context.Context, _ gateway.AccountID, pool gateway.ID, old, other string, _ time.Time) error {
	return s.step("ReplaceInPool", true, func() {
		for i := range s.numbers {
			switch s.numbers[i].Number {
			case old:
				s.numbers[i].Pool = gateway.ID{}
			case other:
				s.numbers[i].Pool = pool
			}
		}
	})
}

func (s *memory) UnitsBefore(_ context.Context, places []gateway.LanePosition) (units []int, err error) {
	err = s.step("UnitsBefore", false, func() {
		units = make([]int, len(places))
		for i, p := range places {
			for _, r := range s.lanes[p.LaneKey] {
				if r.inLane() && r.message.ID.Seq() < p.Seq {
					units[i] += r.message.Units
				}
			}
		}
	})
	return units, err
}

func (s *memory) MoveMessages(_ context.Context, moves []gateway.Move, remember []gateway.Sticky) (applied []gateway.Applied, err error) {
	err = s.step("MoveMessages", true, func() {
		for _, m := range moves {
			applied = append(applied, s.move(&m))
		}
		s.remember(remember)
	})
	return applied, err
}

// move gives a message another sender. Guarded by mu.
func (s *memory) move(move *gateway.Move) gateway.Applied {
	row := s.rows[move.Message.ID]
	m := &row.message
	if m.State != gateway.Queued || row.marked || m.From != move.Message.From {
		return gateway.Applied{State: m.State}
	}
	row.moved = true
	if move.Failure != gateway.NoReason {
		before := m.State
		return s.applied(row, before, m.Fail(move.Failure, move.At))
	}
	old := m.Lane()
	m.From, m.Carrier, m.PickedBy = move.From, move.Carrier, move.PickedBy
	s.lanes[old] = slices.DeleteFunc(s.lanes[old], func(r *memoryRow) bool { return r == row })
	at, _ := slices.BinarySearchFunc(s.lanes[m.Lane()], m.ID.Seq(), func(r *memoryRow, seq int64) int { return cmp.Compare(r.message.ID.Seq(), seq) })
	s.lanes[m.Lane()] = slices.Insert(s.lanes[m.Lane()], at, row)
	return gateway.Applied{State: m.State, Moved: true}
}

// remember keeps sticky choices, but for destinations that are used to another number of the pool. Guarded by mu.
func (s *memory) remember(choices []gateway.Sticky) {
	for _, choice := range choices {
		key := gateway.StickyKey{Powerpack: choice.Powerpack, To: choice.To}
		if old := s.sticky[key]; old != "" && old == choice.Instead || !s.pooled(old, choice.Powerpack) {
			s.sticky[key] = choice.From
		}
	}
}

// message reads a row.
func (s *memory) message(id gateway.ID) *gateway.Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.rows[id].copy()
}

func (s *memory) OptOutSources(_ context.Context, keys []gateway.Addressee) (sources [][]string, err error) {
	err = s.step("OptOutSources", false, func() {
		for _, key := range keys {
			sources = append(sources, s.out[key])
		}
	})
	return sources, err
}

func (s *memory) RecentOptOuts(_ context.Context, since time.Time) (list []gateway.OptOut, err error) {
	err = s.step("RecentOptOuts", false, func() {
		for _, o := range s.recent {
			if !o.At.Before(since) {
				list = append(list, o)
			}
		}
	})
	return list, err
}

func (s *memory) UnpreparedAccounts(_ context.Context, now time.Time) (accounts []gateway.AccountID, err error) {
	err = s.step("UnpreparedAccounts", false, func() {
		seen := map[gateway.AccountID]bool{}
		for r := range s.queued {
			if m := &r.message; m.Unprepared && !m.DueAt.After(now) {
				seen[m.Account] = true
			}
		}
		accounts = slices.Sorted(maps.Keys(seen))
	})
	return accounts, err
}

func (s *memory) UnpreparedMessages(_ context.Context, account gateway.AccountID, now time.Time, limit int) (list []*gateway.Message, err error) {
	err = s.step("UnpreparedMessages", false, func() {
		list = s.waiting(func(m *gateway.Message) bool { return m.Account == account && m.Unprepared && !m.DueAt.After(now) },
			func(m *gateway.Message) time.Time { return m.DueAt }, limit)
	})
	return list, err
}

func (s *memory) RecordPreparations(_ context.Context, batch []*gateway.Preparation) (applied []gateway.Applied, err error) {
	err = s.step("RecordPreparations", true, func() {
		for _, p := range batch {
			row := s.rows[p.Message.ID]
			if row.message.State != gateway.Queued || !row.message.Unprepared {
				applied = append(applied, gateway.Applied{State: row.message.State})
				continue
			}
			row.message.Prepared(p)
			row.message.MediaIDs = gateway.IDTexts(p.Media)
			if row.message.State != gateway.Queued {
				delete(s.queued, row)
			}
			applied = append(applied, gateway.Applied{Moved: true, State: row.message.State})
		}
	})
	return applied, err
}
