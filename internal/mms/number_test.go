package mms

import "testing"

// TestNumbers: what people write between digits is left out, and only what may lack its country code gets one.
func TestNumbers(t *testing.T) {
	for _, c := range []struct {
		written, number, party string
		ok                     bool
	}{
		{"+14155550100", "14155550100", "14155550100", true},
		{"14155550100", "14155550100", "14155550100", true},
		{"+1 (415) 555-0100", "14155550100", "14155550100", true},
		{"415.555.0100", "4155550100", "14155550100", true},
		{"+6591234567", "6591234567", "6591234567", true},
		{"55500", "55500", "55500", true},
		{"", "", "", false},
		{"+", "", "", false},
		{"ACME", "ACME", "ACME", false},
		{"ABCDEFGHIJ", "ABCDEFGHIJ", "ABCDEFGHIJ", false},
	} {
		number, ok := Number(c.written)
		party, same := Party(c.written)
		if number != c.number || party != c.party || ok != c.ok || same != c.ok {
			t.Errorf("%q is %q, %v, and in a message %q, %v", c.written, number, ok, party, same)
		}
	}
}
