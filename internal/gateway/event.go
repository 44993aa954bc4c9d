package gateway

import "time"

// Event is what an account is told: a message came into a state. Events of a message without a callback URL are not kept.
type Event struct {
	ID       int64 // given by the store, increasing
	Message  *Message
	Notice   *Notice // set: it is this that is told, and there is no message
	Sequence int     // counts the events of a message from 1
	State    State
	Reason   Reason
	At       time.Time

	// The message's times as they were at the event; zero: not yet.
	SentAt, ReportedAt time.Time

	Attempt int // attempts made so far
}

// Callback is where an account wants to be told of a message's events.
type Callback struct {
	URL    string // empty: not at all
	Method string // GET or POST
}
