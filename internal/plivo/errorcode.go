package plivo

import "github.com/heliograph/heliograph/internal/gateway"

// reasonCode is how the contract names a reason.
type reasonCode struct{ code, text string }

// deliveredCode is the code of a message that arrived.
const deliveredCode = "000"

// reasonCodes translates reasons. Source: the error code table of the API reference; no code is made up.
var reasonCodes = map[gateway.Reason]reasonCode{
	gateway.InvalidMessage:     {"10", "Invalid message"},
	gateway.NetworkError:       {"20", "Network error"},
	gateway.Spam:               {"30", "Spam detected"},
	gateway.InvalidSource:      {"40", "Invalid source number"},
	gateway.InvalidDestination: {"50", "Invalid destination number"},
	gateway.Loop:               {"60", "Loop detected"},
	gateway.DestinationGone:    {"70", "Destination permanently unavailable"},
	gateway.DestinationAway:    {"80", "Destination temporarily unavailable"},
	gateway.NoRoute:            {"90", "No route available"},
	gateway.Prohibited:         {"100", "Prohibited by carrier"},
	gateway.TooLong:            {"110", "Message too long"},
	gateway.MediaTooLarge:      {"120", "Media too large"},
	gateway.OptedOut:           {"200", "Source number blocked by STOP from destination number"},
	gateway.TollFreeToCanada:   {"201", "US toll-free to Canadian destination blocked"},
	gateway.DispatchFailed:     {"300", "Failed to dispatch message"},
	gateway.Expired:            {"420", "Message expired"},
	gateway.CountryBarred:      {"450", "Destination country barred"},
	gateway.ThresholdExceeded:  {"451", "Destination country blocked by its hourly threshold"},
	gateway.NoCredit:           {"900", "Insufficient credit"},
	gateway.AccountDisabled:    {"910", "Account disabled"},
	gateway.UnknownReason:      {"1000", "Unknown error"},
}

// codeOf is the code and the text of a message's state; both are empty while nothing is decided.
func codeOf(state gateway.State, reason gateway.Reason) reasonCode {
	switch state {
	case gateway.Delivered:
		return reasonCode{code: deliveredCode}
	case gateway.Failed, gateway.Undelivered:
		if named, ok := reasonCodes[reason]; ok {
			return named
		}
		return reasonCodes[gateway.UnknownReason]
	}
	return reasonCode{}
}

// reasonsOf gives the reasons that a code stands for.
func reasonsOf(code string) []gateway.Reason {
	var reasons []gateway.Reason
	for _, reason := range gateway.Reasons() {
		if reasonCodes[reason].code == code {
			reasons = append(reasons, reason)
		}
	}
	return reasons
}

// ReasonOf gives the reason that a code stands for, for configurations, which speak the contract's codes.
func ReasonOf(code string) (gateway.Reason, bool) {
	reasons := reasonsOf(code)
	if len(reasons) == 0 {
		return gateway.NoReason, false
	}
	return reasons[0], true
}
