package storetest

import (
	"slices"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
)

// model is the simplest store of messages there can be: everything in slices, looked through from end to end. It follows gateway's
// rules, as every store does; what it checks is that a store's indexes, shortcuts and transactions change nothing about it.
type model struct {
	messages []*modelMessage // in the order of their IDs
	parts    []modelPart
	parked   []gateway.Receipt
	events   []modelEvent
}

type modelMessage struct {
	gateway.Message
	total      int // parts that the carrier takes it in
	submitting bool
	held       bool
	markedAt   time.Time
}

type modelPart struct {
	carrierID string
	message   *modelMessage
	number    int
}

type modelEvent struct {
	message  gateway.ID
	account  gateway.AccountID
	sequence int
	state    gateway.State
	closed   bool
	attempt  int
	dueAt    int64
}

func (m *model) find(id gateway.ID) *modelMessage {
	for _, message := range m.messages {
		if message.ID == id {
			return message
		}
	}
	return nil
}

// insert stores a message, unless it is there.
func (m *model) insert(message *gateway.Message, total int) {
	if m.find(message.ID) != nil {
		return
	}
	m.messages = append(m.messages, &modelMessage{Message: *message, total: total})
	m.events = append(m.events, modelEvent{message: message.ID, account: message.Account, sequence: 1, state: gateway.Queued})
}

// moved takes up the steps of a message and gives its new state.
func (m *model) moved(message *modelMessage, steps []gateway.Step) gateway.State {
	for _, step := range steps {
		m.events = append(m.events, modelEvent{message: message.ID, account: message.Account, sequence: step.Sequence, state: step.State})
	}
	if message.State != gateway.Queued {
		message.submitting, message.held, message.markedAt = false, false, time.Time{}
	}
	return message.State
}

func (m *model) mark(id gateway.ID, at time.Time) {
	if message := m.find(id); message.State == gateway.Queued && !message.submitting && !message.held {
		message.submitting, message.markedAt = true, at
	}
}

// keep notes the carrier's id of a part.
func (m *model) keep(message *modelMessage, carrierID string, number int) {
	for _, part := range m.parts {
		if part.carrierID == carrierID && part.message == message {
			return
		}
	}
	m.parts = append(m.parts, modelPart{carrierID, message, number})
}

// record takes up what became of a submit. ended tells whether receipts ended the message.
func (m *model) record(r *gateway.SubmitRecord) (state gateway.State, ended bool) {
	message := m.find(r.Message.ID)
	var steps []gateway.Step
	if len(r.Results) > 0 {
		steps = message.Submitted(r.Total, r.Results)
	}
	if message.State == gateway.Queued {
		switch {
		case r.Failure != gateway.NoReason:
			steps = append(steps, message.Fail(r.Failure, r.At)...)
		case !r.Due.IsZero():
			if !message.DueAt.Equal(r.Due) {
				message.Defer(r.Due, r.At)
			}
			message.submitting, message.held, message.markedAt = false, false, time.Time{}
		case r.Held:
			if message.markedAt.IsZero() {
				message.markedAt = r.At
			}
			message.submitting, message.held = false, true
			message.Parts = max(message.Parts, r.Total)
		default:
			message.DueAt = time.Time{}
			if r.Released {
				message.submitting, message.held, message.markedAt = false, false, time.Time{}
			}
		}
	}
	for _, result := range r.Results {
		if result.Status == gateway.Accepted {
			m.keep(message, result.CarrierID, result.Number)
		}
	}
	open := !message.State.Final()
	for _, receipt := range r.Receipts {
		steps = append(steps, message.Receipted(receipt.Number, receipt.Receipt)...)
	}
	state = m.moved(message, m.adopt(message, r, steps))
	return state, open && state.Final()
}

// adopt applies parked receipts: by id, then for a held message by its addresses.
func (m *model) adopt(message *modelMessage, r *gateway.SubmitRecord, steps []gateway.Step) []gateway.Step {
	for _, result := range r.Results {
		i := slices.IndexFunc(m.parked, func(p gateway.Receipt) bool { return p.CarrierID == result.CarrierID })
		if result.Status == gateway.Accepted && i >= 0 {
			steps = append(steps, message.Receipted(result.Number, m.parked[i])...)
			m.parked = slices.Delete(m.parked, i, i+1)
		}
	}
	return m.adoptByAddress(message, steps)
}

func (m *model) adoptByAddress(message *modelMessage, steps []gateway.Step) []gateway.Step {
	for message.held && message.State == gateway.Queued {
		i := slices.IndexFunc(m.parked, func(p gateway.Receipt) bool {
			return p.From == message.From && p.To == message.To && !p.At.Before(message.markedAt.Add(-time.Minute))
		})
		if i < 0 {
			break
		}
		receipt := m.parked[i]
		m.parked = slices.Delete(m.parked, i, i+1)
		number := message.unknown()
		m.keep(message, receipt.CarrierID, number)
		steps = append(steps, message.Receipted(number, receipt)...)
	}
	return steps
}

// unknown is the first part of which it is not known that the carrier has it.
func (m *modelMessage) unknown() int {
	for number := 1; number < m.Parts; number++ {
		if !m.Taken.Has(number) {
			return number
		}
	}
	return max(1, m.Parts)
}

// receipt takes up a receipt; ended is the message that it ended.
func (m *model) receipt(r gateway.Receipt) (parked bool, ended *modelMessage) {
	var found *modelPart
	for i := range m.parts {
		part := &m.parts[i]
		if part.carrierID == r.CarrierID && (found == nil || part.message.ID.Seq() > found.message.ID.Seq()) {
			found = part
		}
	}
	if found != nil {
		return false, m.receipted(found.message, found.number, r)
	}
	var held *modelMessage
	for _, message := range m.messages {
		if message.held && message.From == r.From && message.To == r.To && (held == nil || message.markedAt.Before(held.markedAt)) {
			held = message
		}
	}
	if held != nil {
		number := held.unknown()
		m.keep(held, r.CarrierID, number)
		return false, m.receipted(held, number, r)
	}
	if !slices.ContainsFunc(m.parked, func(p gateway.Receipt) bool { return p.CarrierID == r.CarrierID }) {
		m.parked = append(m.parked, r)
	}
	return true, nil
}

func (m *model) receipted(message *modelMessage, number int, r gateway.Receipt) (ended *modelMessage) {
	open := !message.State.Final()
	if m.moved(message, message.Receipted(number, r)).Final() && open {
		return message
	}
	return nil
}

// move takes up a move, and tells whether the message is where it was to come.
func (m *model) move(move gateway.Move) (moved bool) {
	message := m.find(move.Message.ID)
	switch {
	case message.State != gateway.Queued || message.submitting || message.held:
		return false
	case message.From != move.Message.From:
		return move.Failure == gateway.NoReason && message.From == move.From
	case move.Failure != gateway.NoReason:
		m.moved(message, message.Fail(move.Failure, move.At))
	default:
		message.From, message.PickedBy = move.From, move.PickedBy
	}
	return true
}

// restart is what opening anew does: what is marked counts as held.
func (m *model) restart() {
	marked := slices.Clone(m.messages)
	slices.SortStableFunc(marked, func(a, b *modelMessage) int { return a.markedAt.Compare(b.markedAt) })
	for _, message := range marked {
		if message.submitting {
			message.submitting, message.held = false, true
			m.moved(message, m.adoptByAddress(message, nil))
		}
	}
}

// attempt records a try to tell an event; events are counted from 1 in the order in which they came to be.
func (m *model) attempt(place int, a gateway.Attempt) {
	e := &m.events[place-1]
	if e.closed || a.Number <= e.attempt {
		return
	}
	e.attempt, e.closed, e.dueAt = a.Number, a.Done || a.GaveUp, a.DueAtMicro
}

// lanes counts what is queued.
func (m *model) lanes() map[gateway.LaneKey][2]int {
	counts := map[gateway.LaneKey][2]int{}
	for _, message := range m.messages {
		if message.waiting() {
			key := message.Lane()
			counts[key] = [2]int{counts[key][0] + 1, counts[key][1] + message.Units}
		}
	}
	return counts
}

// message is the message itself; nil when there is none.
func (m *modelMessage) message() *gateway.Message {
	if m == nil {
		return nil
	}
	return &m.Message
}

func (m *modelMessage) waiting() bool {
	return m.State == gateway.Queued && !m.submitting && !m.held && m.DueAt.IsZero()
}

// ids lists the messages that a condition holds for, in the order of a time of theirs, then of their IDs.
func (m *model) ids(holds func(*modelMessage) bool, order func(*modelMessage) time.Time) []gateway.ID {
	var list []*modelMessage
	for _, message := range m.messages {
		if holds(message) {
			list = append(list, message)
		}
	}
	slices.SortStableFunc(list, func(a, b *modelMessage) int { return order(a).Compare(order(b)) })
	ids := []gateway.ID{}
	for _, message := range list {
		ids = append(ids, message.ID)
	}
	return ids
}
