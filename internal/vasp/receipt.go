package vasp

import (
	"strings"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
	"github.com/heliograph/heliograph/internal/mm7"
)

// Report is what an MMStatus means for the message.
type Report struct {
	Outcome gateway.ReceiptOutcome
	Reason  gateway.Reason // of ReceiptUndelivered
}

// reports is the meaning of MMStatus in small letters. TS 23.140, 8.1.5.3 and 8.7.4; below them what MMSCs of the field say besides.
var reports = map[string]Report{
	"retrieved": {Outcome: gateway.ReceiptDelivered},
	// The phone did not fetch it in time.
	"expired":  {gateway.ReceiptUndelivered, gateway.DestinationAway},
	"rejected": {gateway.ReceiptUndelivered, gateway.Prohibited},
	// The phone was told, and fetches it later.
	"deferred": {Outcome: gateway.InTransit},
	// It went to a network that tells nothing, or to another phone: nobody knows whether it was seen, and the message stays sent.
	"indeterminate": {Outcome: gateway.InTransit},
	"forwarded":     {Outcome: gateway.InTransit},
	// The phone does not know MMS.
	"unrecognised": {gateway.ReceiptUndelivered, gateway.InvalidDestination},
	"unrecognized": {gateway.ReceiptUndelivered, gateway.InvalidDestination},

	"delivered":   {Outcome: gateway.ReceiptDelivered},
	"read":        {Outcome: gateway.ReceiptDelivered},
	"unreachable": {gateway.ReceiptUndelivered, gateway.DestinationAway},
	"failed":      {gateway.ReceiptUndelivered, gateway.UnknownReason},
	"undelivered": {gateway.ReceiptUndelivered, gateway.UnknownReason},
}

// report looks an MMStatus up, the carrier's own meanings first. One that is not known says nothing.
func (c *Config) report(status string) (r Report, known bool) {
	for name, r := range c.MMStates {
		if strings.EqualFold(name, status) {
			return r, true
		}
	}
	r, known = reports[strings.ToLower(status)]
	if !known {
		r.Outcome = gateway.InTransit
	}
	return r, known
}

// receipt is a report in our own terms. Its detail is what the MMSC gives as a reason in a word or a code; its sentences may quote anything.
func (c *Config) receipt(request *mm7.DeliveryReportReq, now time.Time) (gateway.Receipt, bool) {
	r, known := c.report(request.MMStatus)
	detail := brief(request.MMStatus)
	if request.MMStatusExtension != "" {
		detail += " " + brief(request.MMStatusExtension)
	}
	return gateway.Receipt{
		Carrier: c.Name, CarrierID: request.MessageID, Outcome: r.Outcome, Reason: r.Reason, Detail: detail, At: now,
		From: party(request.Sender), To: party(request.Recipient),
	}, known
}

// mostDetail bounds what is kept of words of the MMSC's.
const mostDetail = 64

// brief is a word of the MMSC's, or that it is none.
func brief(word string) string {
	if len(word) > mostDetail || strings.ContainsFunc(word, func(r rune) bool { return r < ' ' || r > '~' }) {
		return "?"
	}
	return word
}
