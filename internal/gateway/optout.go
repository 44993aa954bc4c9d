package gateway

import "time"

// OptOut is a person's word that a source is not to write any more. Source is a number (a sender) or a 10DLC campaign's id, which
// stands for all numbers of the campaign.
type OptOut struct {
	Account AccountID
	Source  string
	Person  string // digits without "+"
	At      time.Time
	Origin  OptOutOrigin
	Word    string // the keyword that was sent; empty: none was
}

// OptOutOrigin is by whom an opt-out, or its end, came about. Values are stored: only append.
type OptOutOrigin uint8

const (
	ByKeyword  OptOutOrigin = iota + 1 // the person sent a keyword
	ByAccount                          // the account said so through its API
	ByOperator                         // the operator did, one by one or by importing a list
)

// String gives the words keyword, account and operator.
func (o OptOutOrigin) String() string { return [...]string{"", "keyword", "account", "operator"}[o%4] }

// OptOutChange opts a person out, or in again.
type OptOutChange struct {
	OptOut
	In      bool   // opted in again: the opt-out is removed
	Message ID     // the inbound message that asked for it; zero: none
	Note    string // of who made it, for the audit trail
}

// OptOutRecord is one line of the audit trail: a change that changed something.
type OptOutRecord struct {
	ID int64
	OptOutChange
}

// OptOutFilter narrows a list of opt-outs, newest first; zero fields do not.
type OptOutFilter struct {
	Account       AccountID
	Source        string
	Person        string
	After, Before time.Time // opted out at or after; before
	Limit, Offset int
}

// Addressee is a person as an account writes to them.
type Addressee struct {
	Account AccountID
	Person  string
}

// Keywords are the words by which handsets opt out, opt in and ask for help, and what they are answered. An empty list or text is not set: another one's
// holds. Words are compared in upper case, with blanks at their ends cut off.
type Keywords struct {
	OptOut     []string `json:",omitempty"`
	OptOutText string   `json:",omitempty"`
	OptIn      []string `json:",omitempty"`
	OptInText  string   `json:",omitempty"`
	Help       []string `json:",omitempty"`
	HelpText   string   `json:",omitempty"`
	// Languages whose usual keywords hold where no list is set: "en", "es", "fr". Empty: English.
	Languages []string `json:",omitempty"`
	// Off: this gateway takes no keywords for the sender; a carrier, or the application, does.
	Off bool `json:",omitempty"`
}

// IsZero tells whether nothing is set.
func (k *Keywords) IsZero() bool {
	return len(k.OptOut)+len(k.OptIn)+len(k.Help)+len(k.Languages) == 0 && k.OptOutText == "" && k.OptInText == "" && k.HelpText == "" && !k.Off
}
