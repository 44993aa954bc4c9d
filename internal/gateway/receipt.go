package gateway

import "time"

// Receipt is a carrier's word about a part it took earlier.
type Receipt struct {
	Carrier   string
	CarrierID string // the carrier's id of the part, in the carrier's normal form
	Outcome   ReceiptOutcome
	Reason    Reason // set when Undelivered
	Detail    string // the carrier's own words (its error code), for the operator
	At        time.Time

	// From and To are the sender and the destination of the message that the receipt is about, as far as the carrier says: a part
	// whose submit was never answered can be recognised by them.
	From, To string
}

// ReceiptOutcome is what a receipt says.
type ReceiptOutcome uint8

const (
	// InTransit: nothing final yet; the receipt changes nothing.
	InTransit ReceiptOutcome = iota + 1
	// ReceiptDelivered: the handset has it.
	ReceiptDelivered
	// ReceiptUndelivered: it will not arrive; Reason says why.
	ReceiptUndelivered
)
