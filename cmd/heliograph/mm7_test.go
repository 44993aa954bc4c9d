package main

import (
	"maps"
	"testing"

	"github.com/heliograph/heliograph/internal/vasp"
)

// TestMM7Counts: what the metrics show of an MM7 carrier alone, under the names that an MM4 carrier's have.
func TestMM7Counts(t *testing.T) {
	got := mm7Counts(vasp.Stats{ReceiptsPutOff: 1, Reads: 2, FilesTaken: 3, FilesDropped: 4, Ups: 5, Falls: 6, Accepted: 7})
	want := map[string]int64{"receipt_put_off": 1, "read": 2, "file_taken": 3, "file_dropped": 4, "up": 5, "down": 6}
	if !maps.Equal(got, want) {
		t.Errorf("%v", got)
	}
}
