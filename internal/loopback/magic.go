package loopback

import (
	"strings"

	"github.com/heliograph/heliograph/internal/gateway"
)

// Magic numbers: 1 500 555 CCCC and 1 500 556 CCCC, where CCCC says what happens. They are listed in docs/loopback.md.
//
// 500 is an area code of personal numbers (no subscriber is reached by SMS there), so no message that is meant for a person goes to one.
const (
	magicReport = "1500555" // CCCC is the error code that the message is reported with, or one of the specials below
	magicRefuse = "1500556" // CCCC is the error code that the submit is refused with
)

// act is what the network does with a message.
type act struct {
	refuse gateway.Reason        // refuses the submit
	report gateway.Reason        // reports it undelivered; NoReason: delivered
	silent bool                  // never reports
	slow   bool                  // answers and reports late
	first  gateway.OutcomeStatus // the first attempts are answered so,
	times  int                   // as often as this
}

// specials are the numbers below magicReport that are no error codes.
var specials = map[string]act{
	"0000": {},
	"2000": {silent: true},
	"3000": {first: gateway.Throttled, times: 3},
	"4000": {slow: true},
	"5000": {first: gateway.Deferred, times: 1},
	"6000": {first: gateway.Unanswered, times: 1},
}

// codes are the error codes of the account API that a carrier's word can lead to, as the magic numbers carry them.
var codes = map[string]gateway.Reason{
	"0010": gateway.InvalidMessage,
	"0020": gateway.NetworkError,
	"0030": gateway.Spam,
	"0040": gateway.InvalidSource,
	"0050": gateway.InvalidDestination,
	"0060": gateway.Loop,
	"0070": gateway.DestinationGone,
	"0080": gateway.DestinationAway,
	"0090": gateway.NoRoute,
	"0100": gateway.Prohibited,
	"0110": gateway.TooLong,
	"0120": gateway.MediaTooLarge,
	"1000": gateway.UnknownReason,
}

// actFor reads a destination; every number that is not magic is delivered.
func actFor(to string) act {
	if code, ok := strings.CutPrefix(to, magicReport); ok {
		if act, ok := specials[code]; ok {
			return act
		}
		return act{report: codes[code]}
	}
	if code, ok := strings.CutPrefix(to, magicRefuse); ok {
		return act{refuse: codes[code]}
	}
	return act{}
}
