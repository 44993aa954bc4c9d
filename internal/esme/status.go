package esme

import (
	"errors"

	"github.com/heliograph/heliograph/internal/gateway"
	"github.com/heliograph/heliograph/internal/smpp"
)

// Answer is what a command_status in a submit_sm_resp means for the part.
type Answer struct {
	Status gateway.OutcomeStatus // Accepted, Rejected, Throttled or Deferred
	Reason gateway.Reason        // of Rejected, which must have one
	// Settings is set when it is the carrier's settings that are likely wrong, not the message: the log says so.
	Settings bool
}

// answers is the meaning of command_status, for submit_sm_resp and for a generic_nack in its place. SMPP 3.4, 5.1.3.
//
// Rejected is what is wrong with this message and would be wrong again. Deferred is what time or an operator can put right: the message waits on
// the carrier's retry schedule, at most until it expires. When in doubt a status that names nothing is deferred, for failing a thousand
// messages over a passing fault is worse than failing one message late.
var answers = map[smpp.Status]Answer{
	smpp.ESME_ROK: {Status: gateway.Accepted},

	// Too fast. A full queue is taken for the carrier's as a whole; an SMSC that means the handset's queue has `answers` set for it.
	smpp.ESME_RTHROTTLED: {Status: gateway.Throttled},
	smpp.ESME_RMSGQFUL:   {Status: gateway.Throttled},

	// The SMSC is in trouble.
	smpp.ESME_RSYSERR:     {Status: gateway.Deferred},
	smpp.ESME_RX_T_APPN:   {Status: gateway.Deferred},
	smpp.ESME_RUNKNOWNERR: {Status: gateway.Deferred},
	// "Submit failed" names nothing: SMSCs say it when something behind them is down as well as when they have no route.
	smpp.ESME_RSUBMITFAIL: {Status: gateway.Deferred},

	// The bind or the account is not what it should be; it would be so for every message.
	smpp.ESME_RINVBNDSTS:    {Status: gateway.Deferred, Settings: true},
	smpp.ESME_RBINDFAIL:     {Status: gateway.Deferred, Settings: true},
	smpp.ESME_RINVPASWD:     {Status: gateway.Deferred, Settings: true},
	smpp.ESME_RINVSYSID:     {Status: gateway.Deferred, Settings: true},
	smpp.ESME_RINVSYSTYP:    {Status: gateway.Deferred, Settings: true},
	smpp.ESME_RINVCMDID:     {Status: gateway.Deferred, Settings: true},
	smpp.ESME_RINVSERTYP:    {Status: gateway.Deferred, Settings: true},
	smpp.ESME_RINVREGDLVFLG: {Status: gateway.Deferred, Settings: true},
	smpp.ESME_RINVPRTFLG:    {Status: gateway.Deferred, Settings: true},
	smpp.ESME_RINVEXPIRY:    {Status: gateway.Deferred, Settings: true},

	// The sender.
	smpp.ESME_RINVSRCADR: {Status: gateway.Rejected, Reason: gateway.InvalidSource},
	smpp.ESME_RINVSRCTON: {Status: gateway.Rejected, Reason: gateway.InvalidSource, Settings: true},
	smpp.ESME_RINVSRCNPI: {Status: gateway.Rejected, Reason: gateway.InvalidSource, Settings: true},

	// The destination.
	smpp.ESME_RINVDSTADR: {Status: gateway.Rejected, Reason: gateway.InvalidDestination},
	smpp.ESME_RINVDSTTON: {Status: gateway.Rejected, Reason: gateway.InvalidDestination, Settings: true},
	smpp.ESME_RINVDSTNPI: {Status: gateway.Rejected, Reason: gateway.InvalidDestination, Settings: true},

	// The content.
	smpp.ESME_RINVMSGLEN:       {Status: gateway.Rejected, Reason: gateway.TooLong},
	smpp.ESME_RINVCMDLEN:       {Status: gateway.Rejected, Reason: gateway.InvalidMessage, Settings: true},
	smpp.ESME_RINVESMCLASS:     {Status: gateway.Rejected, Reason: gateway.InvalidMessage, Settings: true}, // no UDH here?
	smpp.ESME_RINVOPTPARSTREAM: {Status: gateway.Rejected, Reason: gateway.InvalidMessage, Settings: true}, // no SAR, no payload?
	smpp.ESME_ROPTPARNOTALLWD:  {Status: gateway.Rejected, Reason: gateway.InvalidMessage, Settings: true},
	smpp.ESME_RINVPARLEN:       {Status: gateway.Rejected, Reason: gateway.InvalidMessage, Settings: true},
	smpp.ESME_RMISSINGOPTPARAM: {Status: gateway.Rejected, Reason: gateway.InvalidMessage, Settings: true},
	smpp.ESME_RINVOPTPARAMVAL:  {Status: gateway.Rejected, Reason: gateway.InvalidMessage, Settings: true},

	// Refused for good by whoever is behind the SMSC.
	smpp.ESME_RX_P_APPN:        {Status: gateway.Rejected, Reason: gateway.UnknownReason},
	smpp.ESME_RX_R_APPN:        {Status: gateway.Rejected, Reason: gateway.Prohibited},
	smpp.ESME_RDELIVERYFAILURE: {Status: gateway.Rejected, Reason: gateway.UnknownReason},
}

// other is a status that is not in the table: the vendor's own (0x400 to 0x4FF), or one that no submit_sm is answered with. Vendors use theirs
// mostly for refusals (no credit, blacklisted, no route); the log names it once, so that `answers` can be set for it.
var other = Answer{Status: gateway.Rejected, Reason: gateway.UnknownReason, Settings: true}

// answer looks a status up, the carrier's own meanings first.
func (c *Config) answer(status smpp.Status) Answer {
	if a, ok := c.Answers[status]; ok {
		return a
	}
	if a, ok := answers[status]; ok {
		return a
	}
	return other
}

// outcome is what became of a submit, and what the status was about when it was answered.
func (c *Config) outcome(r smpp.Response, err error) (gateway.Outcome, Answer) {
	if err != nil {
		return unanswered(err), Answer{}
	}
	resp, ok := r.PDU.(*smpp.SubmitSMResp)
	if !ok && r.Status == smpp.ESME_ROK { // a generic_nack that names no error: not taken, that much is sure
		return gateway.Outcome{Status: gateway.Deferred, Detail: "generic_nack"}, Answer{Status: gateway.Deferred, Settings: true}
	}
	a := c.answer(r.Status)
	o := gateway.Outcome{Status: a.Status, Detail: r.Status.String()}
	switch a.Status {
	case gateway.Accepted:
		o.Detail = ""
		if ok {
			o.CarrierID = c.ReceiptIDs.submitted(resp.MessageID)
		}
	case gateway.Rejected:
		o.Reason = a.Reason
	}
	return o, a
}

// unanswered is the outcome of a submit that got no answer. What can never be written is the message's own fault and is refused; of the rest
// only what surely did not leave counts as not sent.
func unanswered(err error) gateway.Outcome {
	var pdu *smpp.Error
	switch {
	case !errors.Is(err, smpp.ErrNotSent):
		return gateway.Outcome{Status: gateway.Unanswered, Detail: "no answer"}
	case errors.As(err, &pdu):
		return gateway.Outcome{Status: gateway.Rejected, Reason: unencodable(pdu.Field), Detail: pdu.Error()}
	}
	return gateway.Outcome{Status: gateway.NotSent, Detail: "the bind was gone"}
}

// unencodable says whose fault a field is that has no room for its value.
func unencodable(field string) gateway.Reason {
	switch field {
	case "source_addr":
		return gateway.InvalidSource
	case "destination_addr":
		return gateway.InvalidDestination
	case "short_message":
		return gateway.TooLong
	}
	return gateway.InvalidMessage
}
