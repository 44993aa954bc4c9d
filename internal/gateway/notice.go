package gateway

import (
	"crypto/sha256"
	"time"
)

// NoticeKind is what an account is told of something that it registered. Values are stored: only append.
type NoticeKind uint8

const (
	DecisionNotice NoticeKind = iota + 1 // an operator decided on it
	LinkNotice                           // a number came into a campaign, or never will
	UnlinkNotice                         // a number left a campaign because its account said so
)

// Notice is what an account is told of something that it registered, as it was then. It is told like the events of messages: as an Event that has a
// Notice instead of a message. Notices without a callback URL are not kept.
type Notice struct {
	Kind         NoticeKind
	Account      AccountID
	Registration string // its ID
	Of           RegistrationKind
	Parent       string // what the registration belongs to
	Number       string // that was linked, unlinked or verified
	State        RegistrationState
	Reason       string
	Code         string
	Callback     Callback
}

// NewNotice is a notice about a registration as it is.
func NewNotice(kind NoticeKind, r *Registration, to Callback) Notice {
	return Notice{
		Kind: kind, Account: r.Account, Registration: r.ID, Of: r.Kind, Parent: r.Parent, Number: r.Number, State: r.State,
		Reason: r.Reason, Code: r.Code, Callback: to,
	}
}

// Account is whom the event is told.
func (e *Event) Account() AccountID {
	if e.Notice != nil {
		return e.Notice.Account
	}
	return e.Message.Account
}

// Callback is where the event is told.
func (e *Event) Callback() *Callback {
	if e.Notice != nil {
		return &e.Notice.Callback
	}
	return &e.Message.Callback
}

// Subject is what events share whose order matters: the ID of the message, or one that stands for the registration and the address that is told of it.
// Events of one subject have one endpoint.
func (e *Event) Subject() ID {
	if e.Notice == nil {
		return e.Message.ID
	}
	sum := sha256.Sum256([]byte(string(e.Notice.Account) + " " + e.Notice.Registration + " " + e.Notice.Callback.URL))
	return ID(sum[:len(ID{})])
}

// About names the subject for people: the message's ID or the registration's.
func (e *Event) About() string {
	if e.Notice != nil {
		return e.Notice.Registration
	}
	return e.Message.ID.String()
}

// Endpoint is the lane of the event's callbacks. Notices have lanes of their own, beside those of messages for the same URL: theirs are negative, so
// that a store knows by the lane where it keeps the events.
func (e *Event) Endpoint() int64 {
	if e.Notice != nil {
		return NoticeEndpointOf(e.Notice.Account, e.Notice.Callback.URL)
	}
	return EndpointOf(e.Message.Account, e.Message.Callback.URL)
}

// NoticeEndpointOf is EndpointOf for notices.
func NoticeEndpointOf(account AccountID, url string) int64 { return ^EndpointOf(account, url) }

// Event is the notice as an event.
func (n *Notice) Event(id int64, at time.Time) Event {
	return Event{ID: id, Notice: n, Sequence: 1, At: at}
}
