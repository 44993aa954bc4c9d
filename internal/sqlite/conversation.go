package sqlite

import (
	"context"

	"github.com/heliograph/heliograph/internal/gateway"
)

// Conversation lists what an account and a person have written to each other, newest first or oldest first, and how many messages there are: at least,
// where more rows than the bounds of Messages would have to be looked at. Invalid when no person is given.
func (s *Store) Conversation(ctx context.Context, f gateway.ConversationFilter) ([]*gateway.Message, int, error) {
	if f.Account == "" || f.Person == "" {
		return nil, 0, gateway.Errorf(gateway.Invalid, "a conversation is with one number")
	}
	order := "DESC"
	if f.OldestFirst {
		order = "ASC"
	}
	any := gateway.MessageFilter{Account: f.Account, After: f.After, Before: f.Before}
	sent, received := any, any
	sent.From, sent.To = f.Number, f.Person
	received.From, received.To = f.Person, f.Number
	return s.listMessages(ctx, bothWays(sent, received), order, f.Limit, f.Offset)
}
