package mm7

import (
	"fmt"
	"strconv"
)

// StatusCode says how a request ended. The thousands tell the kind: 1 success, 2 the client's fault, 3 the server could not, 4 the service itself
// (identity, version, syntax, capacity). The lower digits refine it, and a peer may have codes of its own. TS 23.140, 8.7.8.3.2, table 20.
type StatusCode int

// The specification's codes.
const (
	StatusSuccess              StatusCode = 1000
	StatusPartialSuccess       StatusCode = 1100 // done for some recipients; Details may say for which it was not
	StatusClientError          StatusCode = 2000
	StatusOperationRestricted  StatusCode = 2001
	StatusAddressError         StatusCode = 2002
	StatusAddressNotFound      StatusCode = 2003
	StatusContentRefused       StatusCode = 2004
	StatusMessageIDNotFound    StatusCode = 2005
	StatusLinkedIDNotFound     StatusCode = 2006
	StatusFormatCorrupt        StatusCode = 2007
	StatusServerError          StatusCode = 3000
	StatusNotPossible          StatusCode = 3001
	StatusMessageRejected      StatusCode = 3002
	StatusMultipleAddresses    StatusCode = 3003 // several recipients at once are not supported
	StatusServiceGeneral       StatusCode = 4000
	StatusImproperID           StatusCode = 4001
	StatusUnsupportedVersion   StatusCode = 4002
	StatusUnsupportedOperation StatusCode = 4003
	StatusValidationError      StatusCode = 4004
	StatusServiceError         StatusCode = 4005 // not to be sent again
	StatusServiceUnavailable   StatusCode = 4006 // for the moment
	StatusServiceDenied        StatusCode = 4007
)

// Text is the specification's StatusText, empty for a code that it does not know.
func (c StatusCode) Text() string {
	switch c {
	case StatusSuccess:
		return "Success"
	case StatusPartialSuccess:
		return "Partial success"
	case StatusClientError:
		return "Client error"
	case StatusOperationRestricted:
		return "Operation restricted"
	case StatusAddressError:
		return "Address Error"
	case StatusAddressNotFound:
		return "Address Not Found"
	case StatusContentRefused:
		return "Multimedia content refused"
	case StatusMessageIDNotFound:
		return "Message ID Not found"
	case StatusLinkedIDNotFound:
		return "LinkedID not found"
	case StatusFormatCorrupt:
		return "Message format corrupt"
	case StatusServerError:
		return "Server Error"
	case StatusNotPossible:
		return "Not Possible"
	case StatusMessageRejected:
		return "Message rejected"
	case StatusMultipleAddresses:
		return "Multiple addresses not supported"
	case StatusServiceGeneral:
		return "General service error"
	case StatusImproperID:
		return "Improper identification"
	case StatusUnsupportedVersion:
		return "Unsupported version"
	case StatusUnsupportedOperation:
		return "Unsupported operation"
	case StatusValidationError:
		return "Validation error"
	case StatusServiceError:
		return "Service error"
	case StatusServiceUnavailable:
		return "Service unavailable"
	case StatusServiceDenied:
		return "Service denied"
	}
	return ""
}

// OK tells success, full or partial.
func (c StatusCode) OK() bool { return c >= 1000 && c < 2000 }

// ClientFault tells that the same request will fail again.
func (c StatusCode) ClientFault() bool { return c >= 2000 && c < 3000 }

// String is the number with its text.
func (c StatusCode) String() string {
	if text := c.Text(); text != "" {
		return strconv.Itoa(int(c)) + " " + text
	}
	return strconv.Itoa(int(c))
}

// Status is the Status element of a response.
type Status struct {
	Code    StatusCode
	Text    string // empty on the way out: the specification's
	Details string // what there is of text in Details, which may hold anything
}

// Error makes a refusal an error that a function may give to the Handler. It leaves out the peer's own words, which may quote an address.
func (s Status) Error() string { return fmt.Sprintf("mm7: status %v", s.Code) }

func (s Status) write(w *writer) {
	text := s.Text
	if text == "" {
		text = s.Code.Text()
	}
	w.open("Status")
	w.text("StatusCode", strconv.Itoa(int(s.Code)))
	w.text("StatusText", text)
	w.text("Details", s.Details)
	w.close("Status")
}

func (s *Status) read(r *reader) {
	e := r.need("Status")
	if e == nil {
		return
	}
	code, err := strconv.Atoi(e.value("StatusCode"))
	if err != nil || code < 1000 || code > 9999 {
		r.fail(StatusValidationError, "Status without a StatusCode of four digits")
		return
	}
	s.Code = StatusCode(code)
	s.Text = e.value("StatusText")
	if details := e.child("Details"); details != nil {
		s.Details = details.allText()
	}
}
