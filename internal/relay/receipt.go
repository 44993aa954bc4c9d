package relay

import (
	"strings"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
	"github.com/heliograph/heliograph/internal/mm4"
)

// Report is what an MM status means for the message.
type Report struct {
	Outcome gateway.ReceiptOutcome
	Reason  gateway.Reason // of ReceiptUndelivered
}

// reports is the meaning of X-Mms-MM-Status-Code. TS 23.140, 8.4.2.
var reports = map[mm4.MMStatus]Report{
	mm4.Retrieved: {Outcome: gateway.ReceiptDelivered},
	// The phone did not fetch it in time.
	mm4.Expired:  {gateway.ReceiptUndelivered, gateway.DestinationAway},
	mm4.Rejected: {gateway.ReceiptUndelivered, gateway.Prohibited},
	// The phone was told, and fetches it later.
	mm4.Deferred: {Outcome: gateway.InTransit},
	// It went to a network that tells nothing, or to another phone: nobody knows whether it was seen, and the message stays sent.
	mm4.Indeterminate: {Outcome: gateway.InTransit},
	mm4.Forwarded:     {Outcome: gateway.InTransit},
	// The phone does not know MMS.
	mm4.Unrecognised: {gateway.ReceiptUndelivered, gateway.InvalidDestination},
	mm4.Unreachable:  {gateway.ReceiptUndelivered, gateway.DestinationAway},
}

// report looks an MM status up, the carrier's own meanings first. One that is not known says nothing.
func (c *Config) report(status mm4.MMStatus) (r Report, known bool) {
	for name, r := range c.MMStates {
		if strings.EqualFold(string(name), string(status)) {
			return r, true
		}
	}
	r, known = reports[status]
	if !known {
		r.Outcome = gateway.InTransit
	}
	return r, known
}

// receipt is a report in our own terms; ours is false when it is about a message that cannot be ours. Its detail is what the peer says in words of the
// specification; its sentences may quote anything.
func (c *Config) receipt(report *mm4.DeliveryReport, now time.Time) (receipt gateway.Receipt, ours, known bool) {
	id, ours := gateway.ParseID(report.MessageID)
	r, known := c.report(report.Status)
	detail := brief(string(report.Status))
	if report.Extension != "" {
		detail += " " + brief(string(report.Extension))
	}
	return gateway.Receipt{
		Carrier: c.Name, CarrierID: id.String(), Outcome: r.Outcome, Reason: r.Reason, Detail: detail, At: now,
		From: party(report.To), To: party(report.From),
	}, ours, known
}
