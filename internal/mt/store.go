package mt

import (
	"context"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
)

// Store is what the message path needs of a store. Every method is one step over a batch in one transaction; what it returns
// without an error is on disk. When a batch cannot be kept (a full disk) the whole batch fails with a gateway.Error of code
// Unavailable and nothing of it is done. Batches may come again after an unclear answer, so every method is idempotent:
// what is there already is not done twice.
type Store interface {
	// InsertMessages stores submissions with their first events, sticky choices and idempotency keys. Results are in the order
	// of the submissions. A submission whose key was used with another body fails alone, with code Conflict. What queued messages cost is held
	// from the wallet that their account pays from; one that a prepaid wallet does not cover is stored as failed, which Inserted.Unpaid tells.
	InsertMessages(ctx context.Context, batch []*gateway.Submission) ([]gateway.Inserted, error)
	// Answered gives what a request with an idempotency key was answered within gateway.IdempotencyWindow before at, nil when none was;
	// Conflict when another request used the key.
	Answered(ctx context.Context, account gateway.AccountID, key string, body [32]byte, at time.Time) (*gateway.Acceptance, error)
	// StickySenders gives the remembered sender for each key, "" where there is none.
	StickySenders(ctx context.Context, keys []gateway.StickyKey) ([]string, error)

	// OptOutSources gives for each addressee the sources that the person has opted out of; nearly always none.
	OptOutSources(ctx context.Context, keys []gateway.Addressee) ([][]string, error)
	// RecentOptOuts gives the opt-outs that were made since a time and still stand.
	RecentOptOuts(ctx context.Context, since time.Time) ([]gateway.OptOut, error)

	// Lanes counts what is queued, from the index alone.
	Lanes(ctx context.Context) ([]gateway.LaneCount, error)
	// QueuedMessages reads the next messages of given lanes; results are in the order of the cursors. Deferred messages and
	// those marked as submitting are not among them.
	QueuedMessages(ctx context.Context, cursors []gateway.LaneCursor) ([][]*gateway.Message, error)
	// DueRetries reads deferred messages of a carrier that are due at now, earliest first. Those that are not recorded anew are given
	// again.
	DueRetries(ctx context.Context, carrier string, now time.Time, limit int) ([]*gateway.Message, error)
	// NextRetry is when the earliest deferred message of a carrier is due; zero when there is none.
	NextRetry(ctx context.Context, carrier string) (time.Time, error)
	// ExpiredMessages reads queued messages (deferred ones too, those marked as submitting not) whose expiry is not after now,
	// the longest expired first.
	ExpiredMessages(ctx context.Context, now time.Time, limit int) ([]*gateway.Message, error)

	// UnpreparedAccounts gives the accounts that have messages whose media are to be looked for at now, in an order that does not change.
	UnpreparedAccounts(ctx context.Context, now time.Time) ([]gateway.AccountID, error)
	// UnpreparedMessages reads messages of an account whose media are to be looked for at now, the longest due first. Those that are not recorded anew are
	// given again.
	UnpreparedMessages(ctx context.Context, account gateway.AccountID, now time.Time, limit int) ([]*gateway.Message, error)
	// RecordPreparations writes what became of the media of messages that waited for them: whose media are there, those are queued. Results are in the
	// order of the preparations; Moved is false for messages that do not wait for media any more.
	RecordPreparations(ctx context.Context, batch []*gateway.Preparation) ([]gateway.Applied, error)

	// MarkSubmitting notes, before a submit to a carrier set to hold, that it is about to leave: after a crash exactly the marked ones
	// are not sent again by themselves.
	MarkSubmitting(ctx context.Context, ids []gateway.ID, at time.Time) error
	// RecordSubmits writes what became of submits and takes up receipts that were parked for them. Results are in the order of the
	// records. Like every method that ends the waiting of a message, it charges what is held for it when a carrier has it, and gives it back otherwise.
	RecordSubmits(ctx context.Context, records []*gateway.SubmitRecord) ([]gateway.Applied, error)

	// SaveClocks keeps when limited senders are free again (Unix nanoseconds), and exactly what of daily caps is used up, over a clean stop;
	// TakeClocks reads and clears the former. ok is false when the last stop was not clean.
	SaveClocks(ctx context.Context, free map[string]int64, used []gateway.Usage) error
	TakeClocks(ctx context.Context) (free map[string]int64, ok bool, err error)

	// Traces tells what was sent lately, by sender: it looks at messages accepted since a time, the newest first and at most so many. ok is false when
	// there are more.
	Traces(ctx context.Context, since time.Time, most int) (traces map[string]gateway.Trace, ok bool, err error)

	// KeepUsage notes what of daily caps is used up, or soon will be: of each scope the latest day, and of a day the most.
	KeepUsage(ctx context.Context, usage []gateway.Usage) error
	// Usage gives what of daily caps was used up, of each scope its latest day.
	Usage(ctx context.Context) ([]gateway.Usage, error)

	// UnitsBefore counts the units that are queued before given places in lanes, from the index alone; results are in the order of the places.
	UnitsBefore(ctx context.Context, places []gateway.LanePosition) ([]int, error)
	// MoveMessages gives queued messages other senders, or ends them, and keeps the sticky choices that go with that. Results are in the order of
	// the moves; Moved is false for messages that were not queued with that sender any more, or marked as submitting.
	MoveMessages(ctx context.Context, moves []gateway.Move, remember []gateway.Sticky) ([]gateway.Applied, error)

	// ReplaceInPool takes a number out of a pool and puts another one of the account into it, for the same service. NotFound when the one is
	// not in the pool, or the other not the account's or in a pool.
	ReplaceInPool(ctx context.Context, account gateway.AccountID, pool gateway.ID, old, other string, at time.Time) error
	// SentSince counts the messages of an account, accepted since a time, that a carrier was found for: by country, and of those whose number
	// begins with one of the prefixes.
	SentSince(ctx context.Context, account gateway.AccountID, since time.Time, prefixes []string) (map[string]int, error)
	// Roster reads who sends, as of one moment.
	Roster(ctx context.Context) (gateway.Roster, error)
}
