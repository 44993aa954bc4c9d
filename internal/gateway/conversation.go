package gateway

import "time"

// ConversationFilter asks for what an account and a person have written to each other, newest first. Messages whose records hide the person's number are
// not among it.
type ConversationFilter struct {
	Account       AccountID
	Number        string    // of the account; empty: any
	Person        string    // digits without "+"
	After, Before time.Time // accepted at or after; before; zero: no bound
	OldestFirst   bool
	Limit, Offset int
}
