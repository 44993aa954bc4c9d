package mt

import (
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
)

// Request is a checked API request to send one text to one or more destinations.
type Request struct {
	ID         gateway.ID // of the request
	Account    gateway.AccountID
	Source     string     // the sender the caller named; empty: Powerpack is set
	Powerpack  gateway.ID // zero: Source is set
	To         []gateway.Destination
	Invalid    []string // destinations that were refused, as given: kept for an idempotent answer
	Service    gateway.Service
	Text       string
	MediaURLs  []string
	MediaIDs   []string
	Callback   gateway.Callback
	Log        gateway.LogMode
	Trackable  bool
	DLT        gateway.DLT
	Expiry     time.Duration // zero: gateway.DefaultExpiry
	Requester  string
	Exempt     bool           // it goes even to who has opted out: the answer to just that
	Failure    gateway.Reason // it cannot be sent, as the caller knows; NoReason: it can
	Key        string         // Idempotency-Key; empty: none
	BodyHash   [32]byte       // what the key stands for
	ReceivedAt time.Time
}
