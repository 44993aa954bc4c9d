package plivo

import (
	"testing"

	"github.com/heliograph/heliograph/internal/gateway"
)

// TestErrorMessage: what was wrong with the files of an MMS is told; a carrier's own words are not.
func TestErrorMessage(t *testing.T) {
	for _, test := range []struct {
		service gateway.Service
		state   gateway.State
		reason  gateway.Reason
		parts   int
		detail  string
		want    string
	}{
		{gateway.MMS, gateway.Failed, gateway.MediaTooLarge, 0, "the file is large", "Media too large: the file is large"},
		{gateway.MMS, gateway.Failed, gateway.Expired, 0, "the host cannot be found", "Message expired: the host cannot be found"},
		{gateway.MMS, gateway.Failed, gateway.OptedOut, 0, "", "Source number blocked by STOP from destination number"},
		{gateway.MMS, gateway.Failed, gateway.InvalidMessage, 1, "2004 Multimedia content refused", "Invalid message"},
		{gateway.MMS, gateway.Undelivered, gateway.DestinationAway, 1, "Expired", "Destination temporarily unavailable"},
		{gateway.MMS, gateway.Queued, gateway.NoReason, 0, "the host cannot be found", ""},
		{gateway.SMS, gateway.Failed, gateway.DispatchFailed, 0, "words", "Failed to dispatch message"},
	} {
		m := &gateway.Message{Service: test.service, Progress: gateway.Progress{State: test.state, Reason: test.reason, Parts: test.parts, Detail: test.detail}}
		if got := errorMessage(m, codeOf(m.State, m.Reason)); got != test.want {
			t.Errorf("%v, %v with %d parts: %q, want %q", test.service, test.state, test.parts, got, test.want)
		}
	}
}
