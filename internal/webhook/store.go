package webhook

import (
	"context"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
)

// Store is what the worker needs of a store. Events are kept with the message's moves, in the same transaction; what the worker
// holds in memory is only a copy.
type Store interface {
	// Endpoints counts the events that are not told yet, by endpoint, from the index alone.
	Endpoints(ctx context.Context) ([]gateway.EndpointCount, error)
	// FreshEvents reads events of an endpoint that were never tried, with IDs greater than after, in their order.
	FreshEvents(ctx context.Context, endpoint, after int64, limit int) ([]gateway.Event, error)
	// RetryEvents reads events of an endpoint whose next attempt is due at now, earliest first.
	RetryEvents(ctx context.Context, endpoint int64, now time.Time, limit int) ([]gateway.Event, error)
	// RecordAttempts closes events, gives them up, or sets when they are tried again.
	RecordAttempts(ctx context.Context, attempts []gateway.Attempt) error
}
