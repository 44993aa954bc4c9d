package gateway

import "time"

// Retention says what has become too old to keep.
type Retention struct {
	Texts   time.Time // texts and media addresses of messages accepted before are removed
	Records time.Time // messages accepted before, and their events, are removed; those still queued stay
	Keys    time.Time // idempotency keys of requests before
	Parked  time.Time // receipts without a part that came before
	Told    time.Time // events that were told, or given up, before
}
