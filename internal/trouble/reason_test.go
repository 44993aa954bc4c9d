package trouble

import (
	"context"
	"errors"
	"fmt"
	"net"
	"testing"
)

// TestReason: an error says the same as long as it is the same.
func TestReason(t *testing.T) {
	for want, err := range map[string]error{
		"":                         nil,
		"its name cannot be found": fmt.Errorf("x: %w", &net.DNSError{Name: "hub.example"}),
		"dial: no way":             &net.OpError{Op: "dial", Err: errors.New("no way")},
		"no answer in time":        context.DeadlineExceeded,
		"other":                    errors.New("other"),
	} {
		if got := Reason(err); got != want {
			t.Errorf("%v: %q", err, got)
		}
	}
}
