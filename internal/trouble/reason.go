package trouble

import (
	"context"
	"errors"
	"net"
)

// Reason puts an error into words that stay the same while the reason does: without the addresses that change with every connection.
func Reason(err error) string {
	var op *net.OpError
	var name *net.DNSError
	switch {
	case err == nil:
		return ""
	case errors.As(err, &name):
		return "its name cannot be found"
	case errors.As(err, &op):
		return op.Op + ": " + op.Err.Error()
	case errors.Is(err, context.DeadlineExceeded):
		return "no answer in time"
	}
	return err.Error()
}
