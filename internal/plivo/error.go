package plivo

import (
	"errors"
	"net/http"

	"github.com/heliograph/heliograph/internal/gateway"
)

// refusal is an error with a status that no gateway.Error stands for.
type refusal struct {
	status     int
	text       string
	retryAfter int    // seconds; 0: not said
	allow      string // methods, with 405
}

func (e *refusal) Error() string { return e.text }

var (
	errTooLarge  = &refusal{status: http.StatusRequestEntityTooLarge, text: "the request body is too large"}
	errGone      = &refusal{status: http.StatusServiceUnavailable, text: "the client gave up"}
	errNoRoute   = &refusal{status: http.StatusNotFound, text: "not found"}
	errNoProfile = &refusal{status: http.StatusNotFound, text: "Profile not found."}
	errNotFound  = gateway.Errorf(gateway.NotFound, "not found")
	errNoAuth    = gateway.Errorf(gateway.Unauthenticated, "authentication credentials were not provided")
	errWrongAuth = gateway.Errorf(gateway.Unauthenticated, "invalid auth token")
	errDisabled  = gateway.Errorf(gateway.Unauthenticated, "the account is disabled")
	errForeign   = gateway.Errorf(gateway.Forbidden, "the credentials do not give access to this account")
	errNotOwned  = gateway.Errorf(gateway.Invalid, "subaccount is not a subaccount of this account")
	errInternal  = errors.New("internal server error")
)

// retrySeconds is what a client is told to wait when the server cannot take its request for the moment.
const retrySeconds = 1

// statuses says how HTTP puts a refusal.
var statuses = map[gateway.ErrorCode]int{
	gateway.Invalid:         http.StatusBadRequest,
	gateway.Unauthenticated: http.StatusUnauthorized,
	gateway.Forbidden:       http.StatusForbidden,
	gateway.NotFound:        http.StatusNotFound,
	gateway.Conflict:        http.StatusConflict,
	gateway.TooMany:         http.StatusTooManyRequests,
	gateway.Unavailable:     http.StatusServiceUnavailable,
}

// refusalOf makes an error into what the client is told. internal is set when the error is none of the client's business.
func refusalOf(err error) (r refusal, internal bool) {
	var own *refusal
	if errors.As(err, &own) {
		return *own, false
	}
	var domain *gateway.Error
	if errors.As(err, &domain) {
		if status, ok := statuses[domain.Code]; ok {
			r = refusal{status: status, text: domain.Text}
			if status == http.StatusNotFound {
				r.text = errNotFound.Text // the contract has one sentence for it, whatever is missing
			}
			if status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable {
				r.retryAfter = retrySeconds
			}
			return r, false
		}
	}
	return refusal{status: http.StatusInternalServerError, text: errInternal.Error()}, true
}

func isNotFound(err error) bool {
	var domain *gateway.Error
	return errors.As(err, &domain) && domain.Code == gateway.NotFound
}

// asInvalid makes a conflict with what is there a fault of the argument: the contract knows 400 for these.
func asInvalid(err error) error {
	var domain *gateway.Error
	if errors.As(err, &domain) && domain.Code == gateway.Conflict {
		return gateway.Errorf(gateway.Invalid, "%s", domain.Text)
	}
	return err
}
