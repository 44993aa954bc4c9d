package gateway

import (
	"crypto/sha256"
	"encoding/binary"
	"strings"
)

// Shards is the number of shards that senders are spread over. It is part of the store's rows: it never changes.
const Shards = 64

// ShardOf is the shard of a sender: FNV-1a of its number, modulo Shards.
func ShardOf(sender string) int {
	hash := uint32(2166136261)
	for i := range len(sender) {
		hash = (hash ^ uint32(sender[i])) * 16777619
	}
	return int(hash % Shards)
}

// LaneKey names a lane: the queue of what an account sends from a sender to a carrier. A number that nobody here owns may send for several
// accounts, and none of them waits for another.
type LaneKey struct {
	Account         AccountID
	Sender, Carrier string
}

// LaneCount is what the store's index tells about a lane: the queued messages that are neither marked as submitting nor
// deferred.
type LaneCount struct {
	LaneKey
	Messages int
	Units    int
}

// LaneCursor asks for the next queued messages of a lane: at most Limit, in the order of their Seq, all greater than After.
type LaneCursor struct {
	LaneKey
	After int64
	Limit int
}

// EndpointOf is the lane of a callback: events of one account for one URL without its query share it. It is a hash that nobody can aim: two
// endpoints that meet in it would share a lane, and no account is to find a URL that meets another's.
func EndpointOf(account AccountID, url string) int64 {
	if i := strings.IndexAny(url, "?#"); i >= 0 {
		url = url[:i]
	}
	sum := sha256.Sum256(append(append(make([]byte, 0, 256), account...), url...))
	return int64(binary.BigEndian.Uint64(sum[:8]) >> 1)
}

// EndpointCount is what the store's index tells about a lane of callbacks.
type EndpointCount struct {
	Endpoint int64
	Fresh    int   // events never tried
	Retries  int   // events that wait for a further attempt
	DueAt    int64 // of the earliest retry, Unix microseconds; 0: none
}

// Attempt is what became of one try to tell an event.
type Attempt struct {
	Event      int64
	Number     int // from 1
	AtMicro    int64
	Status     int // HTTP status; 0: no answer
	Latency    int // milliseconds
	Error      string
	Done       bool  // told
	GaveUp     bool  // not told, and no further attempt
	DueAtMicro int64 // neither: when it is tried again
	// Inbound is the message that the event told, if it was one from a handset: with Done or GaveUp it is handed over, or is not. Zero: an outbound one.
	Inbound ID
	Note    string // on an inbound message, about what it was answered; empty: nothing
}
