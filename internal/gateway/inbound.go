package gateway

import "time"

// InboundPart is what a carrier brings at once: one segment of an SMS from a handset, or a whole MMS.
type InboundPart struct {
	Carrier string
	Service Service
	From    string // who sent it: digits without "+"; alphanumeric where a service sent it
	To      string // the number that it came for: digits of E.164 without "+", or a short code
	At      time.Time

	// Identity tells parts that are brought again from new ones; the zero one is like no other.
	Identity PartIdentity

	// Of an SMS.
	Reference uint32 // of the message that it is a segment of, as From gave it; meaningful when Total is above 1
	Number    int    // from 1
	Total     int    // segments of the message, at most 255; 0 and 1: it is whole
	Data      UserData

	// Of an MMS.
	Subject string
	Text    string
	Media   []ID // files that the account of To has already been given, in their order
}

// UserData is the body of a segment, not decoded yet: senders split characters between segments.
type UserData struct {
	Alphabet uint8 // in the numbering of package tpdu
	Locking  uint8 // national language of the locking shift table, 3GPP TS 23.038, 6.2.1.2.4; 0: the default alphabet
	Single   uint8 // of the single shift table; 0: the default extension table
	Octets   []byte
}

// PartIdentity is by which a carrier's part is known again.
type PartIdentity struct {
	Digest [16]byte // of the carrier's id of the delivery where it gives one, else of all that the part says
	// Session is the connection that brought it. One that is brought again by the same session is another one that says the same; 0: the digest
	// alone decides.
	Session uint64
}

// RepeatWindow is how long a part is known again.
const RepeatWindow = 15 * time.Minute

// IsZero tells whether the part cannot be known again.
func (i PartIdentity) IsZero() bool { return i == PartIdentity{} }

// Recipient is whose an inbound message is: what a store knows of the number that it came for, in the transaction that keeps the message.
type Recipient struct {
	Number      Number
	Powerpack   ID          // of whose pool the number is; zero: none
	Application Application // the powerpack's, else the number's; the zero one: none
	// What the powerpack and the campaign of the number say of keywords.
	OfPowerpack, OfCampaign Keywords
}

// Arrival is a whole message from a handset, and what follows from it: what Receive makes of its parts.
type Arrival struct {
	// Message has direction Inbound, state Received, and no event yet. Its callback is that of the application, if that has one.
	Message *Message
	// OptOuts is what its keyword asks for: all are made, in one transaction with the message. A help keyword asks for nothing.
	OptOuts []OptOutChange
	// Answer is the automatic answer's text that is owed for it; empty: none. OnlyIfChanged: it is owed only if one of OptOuts changes something.
	Answer        string
	OnlyIfChanged bool
}

// Receive makes a message of its parts, which are all of those that it says there are, in any order; or fewer of them when it was given up to wait for
// the rest. It is pure and quick: it is called inside a transaction.
type Receive func(parts []InboundPart, to *Recipient) Arrival

// Intent is what an inbound message asks for by a keyword. Values are stored: only append.
type Intent uint8

const (
	NoIntent Intent = iota
	OptOutIntent
	OptInIntent
	HelpIntent
)

// String gives the words optout, optin and help; "" for none.
func (i Intent) String() string { return [...]string{"", "optout", "optin", "help"}[i%4] }

// InboundStatus is what became of an inbound part.
type InboundStatus uint8

const (
	InboundWaits    InboundStatus = iota + 1 // kept until the other segments come
	InboundStored                            // with it the message is whole, and stored
	InboundRepeated                          // it was there already; nothing was done
	InboundUnowned                           // no account rents the number; nothing was kept
)

// InboundResult is what became of an inbound part.
type InboundResult struct {
	Status  InboundStatus
	Message *Message // when InboundStored
	Events  []Event
	// Changed are the opt-outs that the message's keyword made or removed.
	Changed []OptOutChange
	// Answer is the automatic answer's text that is owed; empty: none.
	Answer string
}

// OwedAnswer is an automatic answer that has not become a message yet.
type OwedAnswer struct {
	Message *Message // the inbound message
	Text    string
}
