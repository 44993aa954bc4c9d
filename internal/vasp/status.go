package vasp

import (
	"context"
	"errors"
	"io/fs"
	"net/http"
	"strconv"

	"github.com/heliograph/heliograph/internal/gateway"
	"github.com/heliograph/heliograph/internal/mm7"
)

// Answer is what a StatusCode in a SubmitRsp or a fault means for the message.
type Answer struct {
	Status gateway.OutcomeStatus // Accepted, Rejected, Throttled or Deferred
	Reason gateway.Reason        // of Rejected, which must have one
	// Settings is set when it is the carrier's settings that are likely wrong, not the message: the log says so.
	Settings bool
}

// answers is the meaning of StatusCode. TS 23.140, 8.7.8.3.2, table 20.
//
// Rejected is what is wrong with this message and would be wrong again. Deferred is what time or an operator can put right: the message waits on
// the carrier's retry schedule, at most until it expires. When in doubt a status that names nothing is deferred, for failing a thousand
// messages over a passing fault is worse than failing one message late.
var answers = map[mm7.StatusCode]Answer{
	mm7.StatusSuccess: {Status: gateway.Accepted},
	// For some recipients; of one there is no part.
	mm7.StatusPartialSuccess: {Status: gateway.Accepted},

	mm7.StatusClientError:         {Status: gateway.Rejected, Reason: gateway.InvalidMessage, Settings: true},
	mm7.StatusOperationRestricted: {Status: gateway.Rejected, Reason: gateway.Prohibited},
	mm7.StatusAddressError:        {Status: gateway.Rejected, Reason: gateway.InvalidDestination},
	mm7.StatusAddressNotFound:     {Status: gateway.Rejected, Reason: gateway.InvalidDestination},
	// For its size, its types or what it shows: the MMSC does not say which.
	mm7.StatusContentRefused:    {Status: gateway.Rejected, Reason: gateway.InvalidMessage},
	mm7.StatusMessageIDNotFound: {Status: gateway.Rejected, Reason: gateway.UnknownReason, Settings: true},
	mm7.StatusLinkedIDNotFound:  {Status: gateway.Rejected, Reason: gateway.UnknownReason, Settings: true},
	mm7.StatusFormatCorrupt:     {Status: gateway.Rejected, Reason: gateway.InvalidMessage, Settings: true},

	mm7.StatusServerError:       {Status: gateway.Deferred},
	mm7.StatusNotPossible:       {Status: gateway.Rejected, Reason: gateway.UnknownReason},
	mm7.StatusMessageRejected:   {Status: gateway.Rejected, Reason: gateway.Prohibited},
	mm7.StatusMultipleAddresses: {Status: gateway.Rejected, Reason: gateway.UnknownReason, Settings: true},

	// The identity, the release or the account is not what it should be; it would be so for every message.
	mm7.StatusServiceGeneral:       {Status: gateway.Deferred},
	mm7.StatusImproperID:           {Status: gateway.Deferred, Settings: true},
	mm7.StatusUnsupportedVersion:   {Status: gateway.Deferred, Settings: true},
	mm7.StatusUnsupportedOperation: {Status: gateway.Deferred, Settings: true},
	mm7.StatusValidationError:      {Status: gateway.Deferred, Settings: true},
	mm7.StatusServiceDenied:        {Status: gateway.Deferred, Settings: true},
	// "Not to be sent again."
	mm7.StatusServiceError: {Status: gateway.Rejected, Reason: gateway.UnknownReason},
	// MMSCs say so when they are asked too much: the carrier is slowed down, and the message goes again.
	mm7.StatusServiceUnavailable: {Status: gateway.Throttled},
}

// answer looks a code up, the carrier's own meanings first. A code of the MMSC's own means what its thousand says.
func (c *Config) answer(code mm7.StatusCode) Answer {
	if a, ok := c.Answers[code]; ok {
		return a
	}
	if a, ok := answers[code]; ok {
		return a
	}
	switch code / 1000 {
	case 1:
		return Answer{Status: gateway.Accepted}
	case 3, 4:
		return Answer{Status: gateway.Deferred, Settings: true}
	}
	return Answer{Status: gateway.Rejected, Reason: gateway.UnknownReason, Settings: true}
}

// httpAnswer is the meaning of a refusal that HTTP alone says: by a server or a proxy in front of the MMSC. All but the size concern every message alike.
func httpAnswer(code int) Answer {
	switch code {
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		return Answer{Status: gateway.Throttled}
	case http.StatusRequestEntityTooLarge:
		return Answer{Status: gateway.Rejected, Reason: gateway.MediaTooLarge, Settings: true}
	}
	return Answer{Status: gateway.Deferred, Settings: true}
}

// heard is how much of an answer there was.
type heard uint8

const (
	anAnswer heard = iota
	noAnswer       // in time, or the connection broke
	noConnection
	notAsked // it is our own doing
)

// outcome is what became of a submit, what its status was about when it was answered, and whether there was anybody.
func (c *Config) outcome(rsp *mm7.SubmitRsp, err error) (gateway.Outcome, Answer, heard) {
	if err == nil {
		a := c.answer(rsp.Status.Code)
		return outcomeOf(a, rsp.Status.Code.String(), rsp.MessageID), a, anAnswer
	}
	var failed *mm7.Error
	if !errors.As(err, &failed) {
		return gateway.Outcome{Status: gateway.Unanswered, Detail: "no answer"}, Answer{}, noAnswer
	}
	switch {
	case failed.Outcome == mm7.Answered && failed.Status.Code != 0:
		a := c.answer(failed.Status.Code)
		return outcomeOf(a, failed.Status.Code.String(), ""), a, anAnswer
	case failed.Outcome == mm7.Answered:
		a := httpAnswer(failed.HTTPStatus)
		return outcomeOf(a, "HTTP "+strconv.Itoa(failed.HTTPStatus), ""), a, anAnswer
	case failed.Outcome == mm7.Unanswered:
		return gateway.Outcome{Status: gateway.Unanswered, Detail: "no answer"}, Answer{}, noAnswer
	}
	return notSent(failed)
}

func outcomeOf(a Answer, status, id string) gateway.Outcome {
	switch a.Status {
	case gateway.Accepted:
		return gateway.Outcome{Status: gateway.Accepted, CarrierID: id}
	case gateway.Rejected:
		return gateway.Outcome{Status: gateway.Rejected, Reason: a.Reason, Detail: status}
	}
	return gateway.Outcome{Status: a.Status, Detail: status}
}

// notSent is the outcome of a submit whose last octet did not leave. Only one that had no connection goes again at once: a message at which the MMSC closes
// every connection waits on the carrier's schedule, like one whose files cannot be read.
func notSent(failed *mm7.Error) (gateway.Outcome, Answer, heard) {
	var file *fs.PathError
	switch {
	case errors.As(failed, &file), errors.Is(failed, mm7.ErrSize):
		return gateway.Outcome{Status: gateway.Deferred, Detail: "its files cannot be read"}, Answer{}, notAsked
	case errors.Is(failed, context.Canceled):
		return gateway.Outcome{Status: gateway.NotSent, Detail: "the carrier has stopped"}, Answer{}, notAsked
	case isDial(failed):
		return gateway.Outcome{Status: gateway.NotSent, Detail: "the MMSC cannot be reached"}, Answer{}, noConnection
	}
	return gateway.Outcome{Status: gateway.Deferred, Detail: "the connection broke while it was sent"}, Answer{}, noAnswer
}
