package mm7

import (
	"fmt"
	"time"
)

// Outcome says what may have become of a request that failed.
type Outcome uint8

// Outcomes.
const (
	// NotSent: the last octet of the request did not leave, so the peer cannot have taken it.
	NotSent Outcome = iota + 1
	// Answered: the peer said that it did not take it.
	Answered
	// Unanswered: the peer may have taken it.
	Unanswered
)

func (o Outcome) String() string {
	switch o {
	case NotSent:
		return "not sent"
	case Answered:
		return "refused"
	case Unanswered:
		return "unanswered"
	}
	return "no outcome"
}

// Error is every error of a Client's requests.
type Error struct {
	Outcome    Outcome
	Status     Status        // of the response or the fault; zero where there was none
	Fault      *Fault        // nil: none
	HTTPStatus int           // 0: no HTTP response
	RetryAfter time.Duration // as the peer said with its HTTP response
	Err        error         // what lies beneath; may be nil
}

// Error leaves out the peer's own words, which may quote an address.
func (e *Error) Error() string {
	text := "mm7: " + e.Outcome.String()
	if e.Status.Code != 0 {
		text += fmt.Sprintf(", status %v", e.Status.Code)
	}
	if e.HTTPStatus != 0 {
		text += fmt.Sprintf(", HTTP %d", e.HTTPStatus)
	}
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

func (e *Error) Unwrap() error { return e.Err }
