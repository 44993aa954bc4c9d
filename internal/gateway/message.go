package gateway

import "time"

// State is where a message is. Values are stored: only append.
type State uint8

const (
	Queued State = iota
	Sent
	Delivered
	Undelivered
	Failed
	Received // inbound only

	stateCount
)

var stateNames = [stateCount]string{"queued", "sent", "delivered", "undelivered", "failed", "received"}

func (s State) String() string {
	if s < stateCount {
		return stateNames[s]
	}
	return ""
}

// ParseState reads a state's name.
func ParseState(name string) (State, bool) {
	for s, n := range stateNames {
		if n == name {
			return State(s), true
		}
	}
	return 0, false
}

// Final tells whether nothing moves a message on from here.
func (s State) Final() bool { return s == Delivered || s == Undelivered || s == Failed }

// Trigger is what can move a message.
type Trigger uint8

const (
	// AllSubmitted: a carrier has all its parts.
	AllSubmitted Trigger = iota
	// GaveUp: it will not be handed to a carrier any more: refused by it, expired, no sender, opted out.
	GaveUp
	// AllDelivered: every part was reported delivered.
	AllDelivered
	// OneUndelivered: a part was reported as not delivered, or was refused after others were taken.
	OneUndelivered
	// Handed: the account's application took an inbound message.
	Handed
	// Unhanded: it did not, and is not asked any more.
	Unhanded

	triggerCount
)

// transitions is the whole life of a message, outbound and inbound; what is not here does not move it. Drawn in docs/message-states.md.
var transitions = map[State]map[Trigger]State{
	Queued: {AllSubmitted: Sent, GaveUp: Failed},
	Sent:   {AllDelivered: Delivered, OneUndelivered: Undelivered},

	Received: {Handed: Delivered, Unhanded: Undelivered},
}

// Next is the state that the trigger leads to, and whether it moves the message at all.
func (s State) Next(t Trigger) (State, bool) {
	next, ok := transitions[s][t]
	return next, ok
}

// Direction is which way a message goes.
type Direction uint8

const (
	Outbound Direction = iota
	Inbound
)

func (d Direction) String() string {
	if d == Inbound {
		return "inbound"
	}
	return "outbound"
}

// LogMode says which of a message's contents its records may show.
type LogMode uint8

const (
	LogAll         LogMode = iota // text and number
	LogNothing                    // neither
	LogContentOnly                // the text, not the number
	LogNumberOnly                 // the number, not the text
)

// HidesContent tells whether text and media are nobody's to see: they are kept only as long as the message needs them.
func (m LogMode) HidesContent() bool { return m == LogNothing || m == LogNumberOnly }

// HidesNumber tells whether the number of the person is not to be shown in full.
func (m LogMode) HidesNumber() bool { return m == LogNothing || m == LogContentOnly }

// Alphabet is how a text is encoded on the wire.
type Alphabet uint8

const (
	GSM7 Alphabet = iota // GSM 7-bit default alphabet, 3GPP TS 23.038
	UCS2                 // UTF-16BE
)

// Default and limits of a message's time in the queue, in the API's words message_expiry.
const (
	DefaultExpiry = 10800 * time.Second
	MinExpiry     = 5 * time.Second
	MaxExpiry     = 10799 * time.Second
)

// Message is one message to one destination. All but its Progress is fixed when it is accepted; a Message that was handed to
// another goroutine is not written any more.
type Message struct {
	ID         ID
	Account    AccountID
	Direction  Direction
	Service    Service
	From, To   string // digits without "+"; From may be alphanumeric. From is empty when no sender was found
	Country    string // of To, ISO 3166-1 alpha-2; empty when unknown
	Text       string
	Alphabet   Alphabet
	Units      int // segments; 1 for an MMS
	MediaURLs  []string
	MediaIDs   []string
	Powerpack  ID // zero: sent with a sender of the caller's choice
	PickedBy   Rule
	Carrier    string // which is to carry it
	Callback   Callback
	Log        LogMode
	Trackable  bool
	DLT        DLT
	Requester  string // address of the API's caller
	AcceptedAt time.Time
	ExpiresAt  time.Time
	Price      Price  // of a unit; zero: it costs nothing
	Intent     Intent // of an inbound message
	Subject    string // of an inbound MMS

	Progress
}

// Lane is the lane that the message waits in while it is queued.
func (m *Message) Lane() LaneKey {
	return LaneKey{Account: m.Account, Sender: m.From, Carrier: m.Carrier}
}

// DLT holds the registration data that Indian carriers ask for; the empty value is none.
type DLT struct{ EntityID, TemplateID, TemplateCategory string }

// PartMask has a bit for each part of a message, bit 0 for part 1.
type PartMask uint16

// Has tells whether the part (counted from 1) is in the mask.
func (m PartMask) Has(part int) bool { return m>>(part-1)&1 != 0 }

// With is the mask and the part.
func (m PartMask) With(part int) PartMask { return m | 1<<(part-1) }

// AllParts is the mask of n parts.
func AllParts(n int) PartMask { return 1<<n - 1 }

// Progress is what happens to a message after it was accepted: all that its row changes.
type Progress struct {
	State     State
	Reason    Reason
	Detail    string   // the carrier's own words about Reason
	Parts     int      // into how many parts the carrier takes it; 0: not submitted yet
	Taken     PartMask // parts that the carrier has
	Refused   PartMask // parts that the carrier refused
	Delivered PartMask // parts reported delivered
	Attempt   int      // times that the carrier deferred it
	DueAt     time.Time
	// Unprepared: its media are not there yet, and no carrier gets it before they are. DueAt is when they are looked for next.
	Unprepared bool
	Sequence   int // events so far
	SentAt     time.Time
	// ReportedAt is when the last receipt came that moved the message.
	ReportedAt time.Time
	UpdatedAt  time.Time
}

// Step is one move of a message: what an event tells.
type Step struct {
	State              State
	Reason             Reason
	Sequence           int
	At                 time.Time
	SentAt, ReportedAt time.Time
}

// move applies a trigger and appends the step it makes, if it makes one.
func (p *Progress) move(steps []Step, t Trigger, reason Reason, at time.Time) []Step {
	next, ok := p.State.Next(t)
	if !ok {
		return steps
	}
	p.State, p.UpdatedAt, p.DueAt, p.Unprepared = next, at, time.Time{}, false
	if next == Failed || next == Undelivered {
		p.Reason = reason
	}
	switch t {
	case AllSubmitted:
		p.SentAt = at
	case AllDelivered, OneUndelivered:
		p.ReportedAt = at
	}
	p.Sequence++
	return append(steps, Step{
		State: next, Reason: p.Reason, Sequence: p.Sequence, At: at, SentAt: p.SentAt, ReportedAt: p.ReportedAt,
	})
}

// Start is the first step: accepted, and queued.
func (p *Progress) Start(at time.Time) Step {
	p.State, p.Sequence, p.UpdatedAt = Queued, 1, at
	return Step{State: Queued, Sequence: 1, At: at}
}

// Arrive is the beginning of an inbound message. Its step is an event only where an application is to be told.
func (p *Progress) Arrive(at time.Time) Step {
	p.State, p.Sequence, p.UpdatedAt = Received, 1, at
	return Step{State: Received, Sequence: 1, At: at}
}

// HandOver ends an inbound message: its application took it, or did not. It makes no step that anybody is told.
func (p *Progress) HandOver(told bool, at time.Time) {
	trigger := Unhanded
	if told {
		trigger = Handed
	}
	p.move(nil, trigger, NoReason, at)
}

// Fail ends a queued message that no carrier will get; no step when it is not queued any more.
func (p *Progress) Fail(reason Reason, at time.Time) []Step {
	return p.move(nil, GaveUp, reason, at)
}

// Submitted takes up a carrier's settled answers for parts of the message, which it takes as total parts in all. A message
// whose every part was taken is sent. When a part is refused the rest makes no sense to the reader of the phone: the message has
// failed if the carrier has none of it; otherwise it was sent, for the carrier charges what it took, and is undelivered.
func (p *Progress) Submitted(total int, results []PartResult) []Step {
	if p.State != Queued || len(results) == 0 {
		return nil
	}
	p.Parts = total
	reason, at := NoReason, time.Time{}
	for _, r := range results {
		if r.At.After(at) {
			at = r.At
		}
		if r.Status == Accepted {
			p.Taken = p.Taken.With(r.Number)
			continue
		}
		p.Refused = p.Refused.With(r.Number)
		reason, p.Detail = r.Reason, r.Detail
	}
	switch {
	case p.Taken&AllParts(total) == AllParts(total): // it may have been cut into more parts before
		return p.move(nil, AllSubmitted, NoReason, at)
	case p.Refused != 0 && p.Taken == 0:
		return p.move(nil, GaveUp, reason, at)
	case p.Refused != 0:
		steps := p.move(nil, AllSubmitted, NoReason, at)
		return p.move(steps, OneUndelivered, reason, at)
	}
	p.UpdatedAt = at
	return nil
}

// Defer notes that the carrier could not take the message for the moment and when it is tried again.
func (p *Progress) Defer(due, at time.Time) {
	p.Attempt++
	p.DueAt, p.UpdatedAt = due, at
}

// Prepared takes up what became of the message's media.
func (p *Progress) Prepared(media *Preparation) []Step {
	if p.State != Queued || !p.Unprepared {
		return nil
	}
	p.UpdatedAt, p.Detail = media.At, media.Detail
	if media.Failure != NoReason {
		return p.move(nil, GaveUp, media.Failure, media.At)
	}
	p.DueAt, p.Unprepared = media.Due, !media.Due.IsZero()
	return nil
}

// Receipted takes up a receipt for a part. A receipt that says nothing final, comes again or comes late changes nothing. The
// first part that is not delivered decides the message; delivered it is when all parts are.
//
// A receipt proves that the carrier has the part: a message that was still queued, because the answer to its submit never
// came, counts the part as taken first.
func (p *Progress) Receipted(part int, r Receipt) []Step {
	if r.Outcome == InTransit || p.State.Final() || part < 1 || part > MaxParts {
		return nil
	}
	var steps []Step
	if p.State == Queued {
		steps = p.Submitted(max(p.Parts, 1), []PartResult{{Number: part, Outcome: Outcome{Status: Accepted}, At: r.At}})
	}
	if r.Outcome == ReceiptUndelivered {
		p.Detail = r.Detail
		if p.State == Queued { // other parts are still to go; without this one they make no sense
			steps = p.move(steps, AllSubmitted, NoReason, r.At)
		}
		return p.move(steps, OneUndelivered, r.Reason, r.At)
	}
	p.Delivered = p.Delivered.With(part)
	if p.State == Sent && p.Delivered == AllParts(max(p.Parts, 1)) {
		return p.move(steps, AllDelivered, NoReason, r.At)
	}
	p.UpdatedAt = r.At
	return steps
}
