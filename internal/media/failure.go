package media

import (
	"fmt"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
)

// Failure says why a file cannot be sent: in the terms of a message that ends of it, and in a sentence for people. It holds no address and nothing
// of what is in the file.
type Failure struct {
	Reason gateway.Reason
	Text   string
	// Temporary: it may pass, but not sooner than After.
	Temporary bool
	After     time.Duration
}

func (e *Failure) Error() string { return e.Text }

func failuref(reason gateway.Reason, format string, args ...any) *Failure {
	return &Failure{Reason: reason, Text: fmt.Sprintf(format, args...)}
}

func temporaryf(format string, args ...any) *Failure {
	return &Failure{Reason: gateway.NetworkError, Text: fmt.Sprintf(format, args...), Temporary: true}
}
