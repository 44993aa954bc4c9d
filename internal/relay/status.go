package relay

import (
	"strconv"

	"github.com/heliograph/heliograph/internal/gateway"
	"github.com/heliograph/heliograph/internal/mm4"
)

// Answer is what a request status means for the message.
type Answer struct {
	Status gateway.OutcomeStatus // Accepted, Rejected, Throttled or Deferred
	Reason gateway.Reason        // of Rejected, which must have one
	// Settings is set when it is the carrier's settings that are likely wrong, not the message: the log says so.
	Settings bool
}

// answers is the meaning of X-Mms-Request-Status-Code in a response to a forward. TS 23.140, 8.4.1.
//
// Rejected is what is wrong with this message and would be wrong again. Deferred is what time or an operator can put right: the message waits on
// the carrier's retry schedule, at most until it expires. When in doubt a status that names nothing is deferred, for failing a thousand
// messages over a passing fault is worse than failing one message late.
var answers = map[mm4.RequestStatus]Answer{
	mm4.Ok: {Status: gateway.Accepted},

	mm4.ErrorUnspecified:      {Status: gateway.Deferred},
	mm4.ErrorNetworkProblem:   {Status: gateway.Deferred},
	mm4.ErrorTransientFailure: {Status: gateway.Deferred},
	mm4.ErrorTransientAddress: {Status: gateway.Deferred},
	mm4.ErrorTransientNetwork: {Status: gateway.Deferred},
	// Of a forward there is no message before it: the peer mixes something up.
	mm4.ErrorTransientNotFound: {Status: gateway.Deferred, Settings: true},

	// The peer does not know us, or no longer: it would be so for every message. The permanent one says that it was decided about this one.
	mm4.ErrorServiceDenied:   {Status: gateway.Deferred, Settings: true},
	mm4.ErrorPermanentDenied: {Status: gateway.Rejected, Reason: gateway.Prohibited, Settings: true},

	mm4.ErrorAddressUnresolved: {Status: gateway.Rejected, Reason: gateway.InvalidDestination},
	mm4.ErrorPermanentAddress:  {Status: gateway.Rejected, Reason: gateway.InvalidDestination},

	mm4.ErrorMessageFormat:       {Status: gateway.Rejected, Reason: gateway.InvalidMessage, Settings: true},
	mm4.ErrorPermanentFormat:     {Status: gateway.Rejected, Reason: gateway.InvalidMessage, Settings: true},
	mm4.ErrorUnsupportedMessage:  {Status: gateway.Rejected, Reason: gateway.InvalidMessage, Settings: true},
	mm4.ErrorContentNotAccepted:  {Status: gateway.Rejected, Reason: gateway.InvalidMessage}, // for its size, its types or what it shows
	mm4.ErrorPermanentNotAllowed: {Status: gateway.Rejected, Reason: gateway.InvalidMessage},

	mm4.ErrorPermanentFailure:  {Status: gateway.Rejected, Reason: gateway.UnknownReason},
	mm4.ErrorMessageNotFound:   {Status: gateway.Rejected, Reason: gateway.UnknownReason, Settings: true},
	mm4.ErrorPermanentNotFound: {Status: gateway.Rejected, Reason: gateway.UnknownReason, Settings: true},
}

// meaning looks a request status up, the carrier's own meanings first. One of the peer's own means what its family says.
func (c *Config) meaning(status mm4.RequestStatus) Answer {
	if a, ok := c.Answers[status]; ok {
		return a
	}
	if a, ok := answers[status]; ok {
		return a
	}
	if status.Temporary() {
		return Answer{Status: gateway.Deferred, Settings: true}
	}
	return Answer{Status: gateway.Rejected, Reason: gateway.UnknownReason, Settings: true}
}

// outcome is what a response says about a message.
func (c *Config) outcome(status mm4.RequestStatus, id string) (gateway.Outcome, Answer) {
	a := c.meaning(status)
	return outcomeOf(a, brief(string(status)), id), a
}

func outcomeOf(a Answer, detail, id string) gateway.Outcome {
	switch a.Status {
	case gateway.Accepted:
		return gateway.Outcome{Status: gateway.Accepted, CarrierID: id}
	case gateway.Rejected:
		return gateway.Outcome{Status: gateway.Rejected, Reason: a.Reason, Detail: detail}
	}
	return gateway.Outcome{Status: a.Status, Detail: detail}
}

// mailOutcome is what a mail says about a message that the peer has not taken over. Only one that had no connection goes again at once: a message at which the
// peer closes every connection waits on the carrier's schedule, like one whose files cannot be read.
func mailOutcome(out mm4.Outcome) (gateway.Outcome, Answer) {
	switch {
	case out.Code != 0 && out.Phase != mm4.PhaseConnect:
		a := smtpAnswer(out.Phase, out.Code)
		return outcomeOf(a, "SMTP "+strconv.Itoa(out.Code)+" to "+out.Phase.String(), ""), a
	case out.Status == mm4.Refused:
		return gateway.Outcome{Status: gateway.Rejected, Reason: gateway.InvalidMessage, Detail: "it cannot be written as mail"}, Answer{}
	case out.Phase == mm4.PhaseConnect, out.Phase == mm4.PhaseNothing:
		return gateway.Outcome{Status: gateway.NotSent, Detail: "the peer cannot be reached"}, Answer{}
	}
	return gateway.Outcome{Status: gateway.Deferred, Detail: "the connection broke while it was sent"}, Answer{}
}

// Reply codes of SMTP. RFC 5321, 4.2.3; RFC 4954, 6.
const (
	smtpUnavailable  = 421 // the server stops, or has had enough
	smtpNoStorage    = 452
	smtpAuthRequired = 530
	smtpNoMailbox    = 550
	smtpNotLocal     = 551
	smtpTooLarge     = 552
	smtpBadMailbox   = 553
)

// smtpAnswer is the meaning of a refusal that SMTP alone says. One of the recipient is about them; of the rest, all but the size and what is said about the
// content concern every message alike.
func smtpAnswer(phase mm4.Phase, code int) Answer {
	switch {
	case code == smtpUnavailable, code == smtpNoStorage && phase != mm4.PhaseRcpt:
		return Answer{Status: gateway.Throttled}
	case code/100 == 4:
		return Answer{Status: gateway.Deferred}
	case code == smtpTooLarge:
		return Answer{Status: gateway.Rejected, Reason: gateway.MediaTooLarge, Settings: true}
	case phase == mm4.PhaseRcpt && (code == smtpNoMailbox || code == smtpNotLocal || code == smtpBadMailbox):
		return Answer{Status: gateway.Rejected, Reason: gateway.InvalidDestination}
	case phase == mm4.PhaseRcpt && code != smtpAuthRequired:
		return Answer{Status: gateway.Rejected, Reason: gateway.Prohibited}
	case phase == mm4.PhaseFinal && code/10 == 55:
		return Answer{Status: gateway.Rejected, Reason: gateway.UnknownReason}
	}
	return Answer{Status: gateway.Deferred, Settings: true}
}

// mostDetail bounds what is kept of words of the peer's.
const mostDetail = 64

// brief is a word of the peer's, or that it is none.
func brief(word string) string {
	if len(word) > mostDetail {
		return "?"
	}
	for i := range len(word) {
		if word[i] < ' ' || word[i] > '~' {
			return "?"
		}
	}
	return word
}
