package mm7

import "fmt"

// DecodeError says why a document cannot be understood, and which status answers it. It quotes nothing of the document.
type DecodeError struct {
	Code StatusCode
	What string
}

func (e *DecodeError) Error() string { return fmt.Sprintf("mm7: %s (%v)", e.What, e.Code) }

func invalid(what string) *DecodeError { return &DecodeError{StatusValidationError, what} }

func tooLarge(what string) *DecodeError { return &DecodeError{StatusContentRefused, what} }
