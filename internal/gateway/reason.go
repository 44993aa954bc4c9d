package gateway

// Reason says why a message failed or was not delivered, in our own terms; the account side translates it into the codes of
// its contract. Values are stored: only append.
type Reason uint8

const (
	NoReason Reason = iota
	// InvalidMessage: the carrier called the content invalid.
	InvalidMessage
	// NetworkError: passing trouble in the carrier's network.
	NetworkError
	// Spam: stopped by a filter of the carrier.
	Spam
	// InvalidSource: malformed, not enabled for the service, or not of this account.
	InvalidSource
	// InvalidDestination: malformed, a landline, or unable to receive.
	InvalidDestination
	// Loop: two automatic answerers answering each other.
	Loop
	// DestinationGone: inactive for good.
	DestinationGone
	// DestinationAway: handset off or out of coverage.
	DestinationAway
	// NoRoute: no carrier takes messages to there.
	NoRoute
	// Prohibited: the network does not support or allow the message.
	Prohibited
	// TooLong: more than the network carries.
	TooLong
	// MediaTooLarge: over the size that MMS carries.
	MediaTooLarge
	// OptedOut: the destination asked this sender to stop.
	OptedOut
	// TollFreeToCanada: US toll-free numbers do not reach Canadian numbers.
	TollFreeToCanada
	// DispatchFailed: an internal failure.
	DispatchFailed
	// Expired: waited longer than the message's expiry.
	Expired
	// CountryBarred: the account does not send to that country.
	CountryBarred
	// ThresholdExceeded: the country's hourly threshold was passed.
	ThresholdExceeded
	// NoCredit: the account's balance does not cover it.
	NoCredit
	// AccountDisabled: the account was switched off while the message waited.
	AccountDisabled
	// UnknownReason: the carrier gave none.
	UnknownReason

	reasonCount
)

// Reasons lists every reason but NoReason.
func Reasons() []Reason {
	all := make([]Reason, 0, reasonCount-1)
	for r := InvalidMessage; r < reasonCount; r++ {
		all = append(all, r)
	}
	return all
}
