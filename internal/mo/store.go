package mo

import (
	"context"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
)

// Store is what receiving needs of a store. Every method is one step over a batch in one transaction; what it returns without an error is on disk.
type Store interface {
	// AddInboundParts keeps parts. A part with which a message is whole becomes that message, through receive, together with its first event (if its
	// callback is set), its opt-out or opt-in with a line in the audit trail, and the answer that is owed for it; what it costs is charged to
	// the account's wallet, at once and also below zero. Segments whose message is not whole wait, as many as an account has room for: beyond that the longest
	// waiting messages wait no more, and CompleteInbound takes them first. A part that was kept before (see gateway.PartIdentity; within
	// gateway.RepeatWindow) changes nothing. Results are in the order of the parts.
	AddInboundParts(ctx context.Context, parts []gateway.InboundPart, receive gateway.Receive) ([]gateway.InboundResult, error)
	// CompleteInbound makes messages of segments that came before a time and still wait for others: at most limit messages, the longest waiting first. A message
	// goes to the account that had the number when its first segment came; of that account nothing but its ID and the number is told.
	CompleteInbound(ctx context.Context, before time.Time, limit int, receive gateway.Receive) ([]gateway.InboundResult, error)
	// NextIncomplete is when the longest waiting segment came whose message is not whole; zero: none waits. It is long ago where a message waits no more.
	NextIncomplete(ctx context.Context) (time.Time, error)
	// SettleSessions tells that what a session brought until a time has been acknowledged for good: when another session brings the same later, it is another
	// part that says the same.
	SettleSessions(ctx context.Context, until map[uint64]time.Time) error

	// OwedAnswers reads answers that are owed for messages after a Seq, in their order.
	OwedAnswers(ctx context.Context, after int64, limit int) ([]gateway.OwedAnswer, error)
	// AnswersGiven notes that answers have become messages, or never will.
	AnswersGiven(ctx context.Context, inbound []gateway.ID) error
}
