package gateway

import (
	"strconv"
	"time"
)

// Application says what becomes of what comes in for the numbers that are linked to it. This gateway carries no voice; what an account says of
// calls is kept for it.
type Application struct {
	ID      string
	Account AccountID
	Name    string

	Message  Callback // told of inbound messages
	Answer   Callback // voice
	Hangup   Callback // voice
	Fallback Callback // voice

	DefaultNumber   bool // numbers that the account rents from now on are linked to it; one of an account's at most
	DefaultEndpoint bool // voice; one of an account's at most
	PublicURI       bool // voice
	LogIncoming     bool // records of inbound messages may show their texts and senders

	CreatedAt time.Time
}

// ApplicationFilter narrows a list of applications; zero fields do not. A list is newest first.
type ApplicationFilter struct {
	Account AccountID
	Name    string // the name, or what it begins with
	Limit   int
	Offset  int
}

// ApplicationIDLength is the length of every application's id.
const ApplicationIDLength = 17

// NewApplicationID makes an application's id, a decimal of 17 digits, from a random number.
func NewApplicationID(random uint64) string {
	const first, count = 10_000_000_000_000_000, 90_000_000_000_000_000
	return strconv.FormatUint(first+random%count, 10)
}
