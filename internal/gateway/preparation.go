package gateway

import "time"

// Preparation is what became of the media of a message that waited for them: they are there (Media), they are not yet (Due), or they never
// will be (Failure).
type Preparation struct {
	Message *Message // as it was
	Media   []ID     // all that the message carries, in their order: those that it named, and those that its addresses led to
	Due     time.Time
	Failure Reason
	Detail  string // in words, for the account and the operator: why it failed, or is not there yet
	At      time.Time
}
