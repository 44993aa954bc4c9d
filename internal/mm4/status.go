package mm4

import "strings"

// RequestStatus is the X-Mms-Request-Status-Code of a response: what the answering MMS relay/server says about the request. TS 23.140, 8.4.1.
type RequestStatus string

// The values of the specification.
const (
	Ok                       RequestStatus = "Ok"
	ErrorUnspecified         RequestStatus = "Error-unspecified"
	ErrorServiceDenied       RequestStatus = "Error-service-denied"
	ErrorMessageFormat       RequestStatus = "Error-message-format-corrupt"
	ErrorAddressUnresolved   RequestStatus = "Error-sending-address-unresolved"
	ErrorMessageNotFound     RequestStatus = "Error-message-not-found"
	ErrorNetworkProblem      RequestStatus = "Error-network-problem"
	ErrorContentNotAccepted  RequestStatus = "Error-content-not-accepted"
	ErrorUnsupportedMessage  RequestStatus = "Error-unsupported-message"
	ErrorTransientFailure    RequestStatus = "Error-transient-failure"
	ErrorTransientAddress    RequestStatus = "Error-transient-sending-address-unresolved"
	ErrorTransientNotFound   RequestStatus = "Error-transient-message-not-found"
	ErrorTransientNetwork    RequestStatus = "Error-transient-network-problem"
	ErrorPermanentFailure    RequestStatus = "Error-permanent-failure"
	ErrorPermanentDenied     RequestStatus = "Error-permanent-service-denied"
	ErrorPermanentFormat     RequestStatus = "Error-permanent-message-format-corrupt"
	ErrorPermanentAddress    RequestStatus = "Error-permanent-sending-address-unresolved"
	ErrorPermanentNotFound   RequestStatus = "Error-permanent-message-not-found"
	ErrorPermanentNotAllowed RequestStatus = "Error-permanent-content-not-accepted"
)

// requestStatuses are the words above, so that a peer's spelling is brought into ours.
func requestStatuses() []RequestStatus {
	return []RequestStatus{
		Ok, ErrorUnspecified, ErrorServiceDenied, ErrorMessageFormat, ErrorAddressUnresolved, ErrorMessageNotFound,
		ErrorNetworkProblem, ErrorContentNotAccepted, ErrorUnsupportedMessage, ErrorTransientFailure, ErrorTransientAddress,
		ErrorTransientNotFound, ErrorTransientNetwork, ErrorPermanentFailure, ErrorPermanentDenied, ErrorPermanentFormat,
		ErrorPermanentAddress, ErrorPermanentNotFound, ErrorPermanentNotAllowed,
	}
}

// OK tells whether the request was taken.
func (s RequestStatus) OK() bool { return s == Ok }

// Temporary tells whether the same request may be taken later: the transient family, and a network problem.
func (s RequestStatus) Temporary() bool {
	return s == ErrorNetworkProblem || strings.HasPrefix(strings.ToLower(string(s)), "error-transient-")
}

// MMStatus is the X-Mms-MM-Status-Code of a delivery report: what became of the message at one recipient. TS 23.140, 8.4.2.
type MMStatus string

// The values of the specification; Unreachable is OMA's addition.
const (
	Expired       MMStatus = "Expired"
	Retrieved     MMStatus = "Retrieved"
	Rejected      MMStatus = "Rejected"
	Deferred      MMStatus = "Deferred"
	Indeterminate MMStatus = "Indeterminate"
	Forwarded     MMStatus = "Forwarded"
	Unrecognised  MMStatus = "Unrecognised"
	Unreachable   MMStatus = "Unreachable"
)

func mmStatuses() []MMStatus {
	return []MMStatus{Expired, Retrieved, Rejected, Deferred, Indeterminate, Forwarded, Unrecognised, Unreachable}
}

// Final tells whether no other report about this recipient is to be expected.
func (s MMStatus) Final() bool { return s != Deferred && s != Forwarded && s != Indeterminate }

// StatusExtension is the X-Mms-MM-Status-Extension: who rejected.
type StatusExtension string

// The values of the specification.
const (
	RejectedByRecipient StatusExtension = "Rejection-By-MMS-Recipient"
	RejectedByOtherRS   StatusExtension = "Rejection-By-Other-RS"
)

// ReadStatus is the X-Mms-Read-Status of a read-reply report. TS 23.140, 8.4.3.
type ReadStatus string

// The values of the specification.
const (
	Read          ReadStatus = "Read"
	DeletedUnread ReadStatus = "Deleted without being read"
)

// Classes and priorities of a message.
const (
	ClassPersonal      = "Personal"
	ClassAdvertisement = "Advertisement"
	ClassInformational = "Informational"
	ClassAuto          = "Auto"

	PriorityLow    = "Low"
	PriorityNormal = "Normal"
	PriorityHigh   = "High"
)

// word brings a peer's spelling of one of the words into ours; other words stay as they are.
func word[W ~string](value string, words ...W) W {
	for _, w := range words {
		if strings.EqualFold(value, string(w)) {
			return w
		}
	}
	return W(value)
}

// mmStatus is word for delivery reports, which some peers spell the American way.
func mmStatus(value string) MMStatus {
	if strings.EqualFold(value, "Unrecognized") {
		return Unrecognised
	}
	return word(value, mmStatuses()...)
}
