package gateway

import "fmt"

// ErrorCode classes a refusal. An error without one is internal: logged, never shown.
type ErrorCode int

const (
	// Invalid: the request itself is wrong and will be refused again.
	Invalid ErrorCode = iota + 1
	// Unauthenticated: no or wrong credentials.
	Unauthenticated
	// Forbidden: known, but not allowed.
	Forbidden
	// NotFound: there is no such thing, or none that this account may see.
	NotFound
	// Conflict: at odds with what is there.
	Conflict
	// TooMany: faster than allowed; later it may pass.
	TooMany
	// Unavailable: cannot be kept safely now (a full disk, a full queue); nothing was done, later it may pass.
	Unavailable
)

// Error is a refusal with a sentence that the caller may see.
type Error struct {
	Code ErrorCode
	Text string
}

func (e *Error) Error() string { return e.Text }

// Errorf makes an Error. The sentence is for the customer: no secrets, no message texts.
func Errorf(code ErrorCode, format string, args ...any) *Error {
	return &Error{Code: code, Text: fmt.Sprintf(format, args...)}
}
