package gateway

import "time"

// Campaign is a 10DLC campaign as far as messages depend on it: a rate, a daily cap and keywords that all of its numbers share.
type Campaign struct {
	ID       string // 1 to 64 letters, digits, "-" and "_"
	Account  AccountID
	Rate     float64 // units a second; 0 is unlimited
	DailyCap int     // units a day; 0 is unlimited
	Keywords Keywords
}

// Roster is what the message path knows of who sends: every rented number, every powerpack, every campaign, and the rates and guards of accounts that
// have them. It is as of one moment.
type Roster struct {
	Numbers    []Number // in the order in which they were added
	Powerpacks []Powerpack
	Campaigns  []Campaign
	Rates      map[AccountID]float64 // units a second; accounts that are not named are unlimited
	Guards     []Guard
	Parents    map[AccountID]AccountID // the main accounts of subaccounts; read where there are guards
}

// ScopeKind says what a rate or a cap is for. Values are stored: only append.
type ScopeKind uint8

const (
	SenderScope ScopeKind = iota + 1
	CampaignScope
	AccountScope
)

func (k ScopeKind) String() string {
	switch k {
	case SenderScope:
		return "sender"
	case CampaignScope:
		return "campaign"
	case AccountScope:
		return "account"
	}
	return ""
}

// Usage is how much of a daily cap is used up: the units that left on a day, as known with the submit that brought it. It is a total, so that
// writing it twice does no harm.
type Usage struct {
	Kind  ScopeKind
	Name  string // the number, or the campaign's id
	Day   int    // days since 1970-01-01 in the zone in which caps are counted
	Units int
}

// Trace is what the store knows of what a sender sent lately.
type Trace struct {
	Waiting int       // units of the largest message that is queued: it may have left without a record
	Left    time.Time // when the last one left that is on record; zero: none
	Units   int       // of the largest on record
}

// Move gives a queued message another sender.
type Move struct {
	Message  *Message // as it was before; stores read its ID and From
	From     string
	Carrier  string
	PickedBy Rule
	Failure  Reason // instead of all that: nobody can send it
	At       time.Time
}

// LanePosition is a message's place in its lane.
type LanePosition struct {
	LaneKey
	Seq int64
}
