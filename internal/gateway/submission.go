package gateway

import "time"

// Submission is one accepted API request: its messages are stored together or not at all.
type Submission struct {
	Account  AccountID
	Messages []*Message
	// Steps holds the steps of each message so far: queued, and failed when it is known already that it cannot be sent.
	// They become events for messages with a callback.
	Steps [][]Step
	// Remember are sticky choices to keep; one that another submission made first stays as it is.
	Remember []Sticky
	// Idempotency is set when the request carried a key.
	Idempotency *Idempotency
	At          time.Time
}

// Sticky binds a destination to a sender of a powerpack. It replaces an older choice whose sender has left the pool, and that of the sender it
// names as its forerunner, which could not carry the service.
type Sticky struct {
	Powerpack ID
	To, From  string
	Instead   string // the forerunner; empty: none
}

// StickyKey asks for the sender that a destination is used to.
type StickyKey struct {
	Powerpack ID
	To        string
}

// IdempotencyWindow is how long a key is remembered.
const IdempotencyWindow = 24 * time.Hour

// Idempotency is a request's key, what the request said, and what it was answered.
type Idempotency struct {
	Key        string
	BodyHash   [32]byte
	Acceptance Acceptance
}

// Acceptance is what an accepted request is answered.
type Acceptance struct {
	RequestID ID
	Messages  []ID     // in the order of the accepted destinations
	Invalid   []string // destinations that were refused, as they were given
	// SendAt is when each message is expected to leave, zero for one that failed at once. It is what its sender's free time was at the
	// choice: exact as far as the sender's rate and the units that waited for it then decide. The carrier's own pace and window, outages
	// and pauses make a message leave later, and so do messages before it that have to go again; it leaves earlier when messages before it
	// expire. It is not stored: a replayed answer has none.
	SendAt []time.Time
}

// Inserted is what became of a submission.
type Inserted struct {
	// Replayed is set when the key was used before by the same request: nothing was stored, and this is its answer.
	Replayed *Acceptance
	// Events are those of the submission that an account is to be told, in order, with the ids they were stored under.
	Events []Event
	// Unpaid are the messages, by their places in the submission, that were to be queued and that the account's balance did not cover: they are stored as
	// failed with NoCredit, and Events tells so.
	Unpaid []int
	// Err is set when this submission alone could not be stored: its key was used for another request.
	Err error
}

// SubmitRecord is what became of a message's submit: Results of the parts that are settled, and with them or alone what becomes of the
// rest: Due (deferred), Held, Released, or Failure (it will not be submitted any more).
type SubmitRecord struct {
	Message *Message // as it was before; stores read its ID, Progress, price and what events show
	Total   int      // parts that the carrier takes the message in
	Results []PartResult
	Due     time.Time // the carrier deferred it: tried again then
	Failure Reason    // gave up: Expired, OptedOut, …
	Held    bool      // unanswered under `hold`: it stays marked as submitting
	// Released takes the mark "submitting" off again: the part did not leave.
	Released bool
	At       time.Time
	// Usage is what of daily caps is used up with this submit; none where no cap holds.
	Usage []Usage
	// Receipts came while the submit was in hand; they are applied after Results, in the same write.
	Receipts []PartReceipt
}

// PartReceipt is a receipt whose part is known already.
type PartReceipt struct {
	Number int
	Receipt
}

// Applied is what a record or a receipt did.
type Applied struct {
	Events []Event
	// Moved is false when it changed nothing: the message had moved on already, or no part with that id is known.
	Moved bool
	// Parked is set when a receipt waits for the part it belongs to.
	Parked bool
	State  State
	// Sender and Country are those of a message that a receipt has just ended; else empty.
	Sender, Country string
}
