package gateway

import "time"

// MessageFilter narrows a list of messages; zero fields do not. A list is newest first.
type MessageFilter struct {
	Account   AccountID
	After     time.Time // accepted at or after
	Before    time.Time // accepted before
	Direction *Direction
	State     *State
	Service   Service
	Reasons   []Reason // any of them; a filter by delivered's code uses State
	Powerpack ID
	Campaign  string // sent from numbers that are in it now
	// Registered finds what was sent from long codes of the United States that are in a campaign now, or in none.
	Registered *bool
	From, To   string // they find no message whose Log hides the number of the person
	Country    string
	Limit      int
	Offset     int
}

// NumberFilter narrows a list of numbers; zero fields do not.
type NumberFilter struct {
	Account  AccountID
	Pool     ID
	Types    []NumberType
	Prefixes []string // of the number, with the country code
	Country  string
	Service  Service // numbers put into the pool for it
	Limit    int
	Offset   int

	Inventory  bool       // those that nobody rents; Account is empty then
	Region     string     // state or province, two letters
	Carries    ServiceSet // numbers that can carry all of these
	Alias      string
	Campaign   string             // numbers that are in it, or will be
	Linked     *bool              // numbers that are in a campaign, or that will be
	Verified   *RegistrationState // toll-free numbers whose newest verification is in that state
	Unverified bool               // toll-free numbers that were never to be verified, or not with success
	Pattern    string             // what the number begins with, in digits, among which "*" stands for any number of them
}

// Held is a message whose submit was never answered under `unanswered: hold`.
type Held struct {
	ID       ID
	Account  AccountID
	Carrier  string
	MarkedAt time.Time
}
