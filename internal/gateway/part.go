package gateway

import "time"

// Part is what a carrier takes at once: one submit_sm, or a whole MMS.
type Part struct {
	Message *Message
	Number  int // from 1
	Total   int
}

// MaxParts bounds the parts of a message: 1,600 septets in segments of 153 are 11, and some more where extension characters
// keep segments from being full.
const MaxParts = 16

// OutcomeStatus classes a carrier's answer to a submit.
type OutcomeStatus uint8

const (
	// Accepted: the carrier has it and gave it an id.
	Accepted OutcomeStatus = iota + 1
	// Rejected: the carrier will never take it; Reason says why.
	Rejected
	// Throttled: too fast for the carrier; no failure of the message, it goes again as soon as the carrier's pace allows.
	Throttled
	// Deferred: the carrier cannot take this message for the moment; it is tried again on the carrier's schedule.
	Deferred
	// NotSent: the part never left (the connection was gone before); it goes again and cannot be a duplicate.
	NotSent
	// Unanswered: it left and no answer came: the carrier may have it or not. The carrier's setting `unanswered` decides.
	Unanswered
)

// Outcome is a carrier's answer to a submit.
type Outcome struct {
	Status    OutcomeStatus
	CarrierID string // set when Accepted: in the carrier's normal form, as its receipts will have it
	Reason    Reason // set when Rejected
	Detail    string // the carrier's own words (a status by name), for the operator
}

// PartResult is the settled answer for one part of a message: Accepted or Rejected.
type PartResult struct {
	Number int // of the part, from 1
	Outcome
	At time.Time
}
