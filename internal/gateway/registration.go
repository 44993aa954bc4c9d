package gateway

import "time"

// RegistrationKind is what an account registers. Values are stored: only append.
type RegistrationKind uint8

const (
	BusinessProfile      RegistrationKind = iota + 1 // who the business is; nobody decides on it. Its parent is the account's first one
	Brand                                            // a business as the 10DLC registry knows it; its parent is a profile
	RegisteredCampaign                               // what a brand sends; its parent is a brand, unless it was registered elsewhere
	TollFreeVerification                             // what a toll-free number sends; its parent is a profile
)

var registrationKinds = [...]string{
	BusinessProfile: "profile", Brand: "brand", RegisteredCampaign: "campaign", TollFreeVerification: "tollfree_verification",
}

func (k RegistrationKind) String() string {
	if int(k) < len(registrationKinds) {
		return registrationKinds[k]
	}
	return ""
}

// ParseRegistrationKind reads the names profile, brand, campaign and tollfree_verification.
func ParseRegistrationKind(name string) (RegistrationKind, bool) {
	for k := BusinessProfile; k <= TollFreeVerification; k++ {
		if registrationKinds[k] == name {
			return k, true
		}
	}
	return 0, false
}

// RegistrationState is what an operator decided. Values are stored: only append.
type RegistrationState uint8

const (
	Pending RegistrationState = iota // waits for the operator
	Approved
	Refused
	Incomplete // not as it is: the account has to change something
)

var registrationStates = [...]string{"pending", "approved", "rejected", "update_required"}

func (s RegistrationState) String() string {
	if int(s) < len(registrationStates) {
		return registrationStates[s]
	}
	return ""
}

// ParseRegistrationState reads the names pending, approved, rejected and update_required.
func ParseRegistrationState(name string) (RegistrationState, bool) {
	for s, n := range registrationStates {
		if n == name {
			return RegistrationState(s), true
		}
	}
	return 0, false
}

// Registration is what an account told of itself for the registries of the United States' carriers, and what an operator decided.
type Registration struct {
	ID      string // one of its account at most
	Kind    RegistrationKind
	Account AccountID
	Parent  string // what it belongs to; empty: nothing
	Number  string // that is verified
	// Details are what the account told, a JSON object in the words of its API. Filters look into it.
	Details  []byte
	Callback Callback // where the account wants to be told of decisions
	Decision
	CreatedAt  time.Time
	ModifiedAt time.Time // by the account
}

// Decision is what an operator decides.
type Decision struct {
	State     RegistrationState
	Reason    string // for a person to read; empty when approved
	Code      string // the registry's code of the reason, if it has one
	Grant     Grant
	DecidedAt time.Time // zero: not yet
}

// Grant is what came with an approval.
type Grant struct {
	Rate          float64 `json:",omitempty"` // of a campaign: units a second; 0 is unlimited
	DailyCap      int     `json:",omitempty"` // of a campaign: units a day; 0 is unlimited
	PerMinute     int     `json:",omitempty"` // of a campaign: messages a minute, as carriers say it; for showing only
	Tier          string  `json:",omitempty"` // of a campaign: its brand's tier at the carrier that has tiers; for showing only
	VettingStatus string  `json:",omitempty"` // of a brand
	VettingScore  int     `json:",omitempty"` // of a brand
}

// Waits tells whether an operator has something to look at: it was never decided on, or its account changed it since.
func (r *Registration) Waits() bool {
	return r.Kind != BusinessProfile && (r.State == Pending || r.ModifiedAt.After(r.DecidedAt))
}

// Modify notes that the account changed it. What was refused waits for the operator again; what was approved stays so until he decides anew.
func (r *Registration) Modify(at time.Time) {
	r.ModifiedAt = at
	if r.State == Refused || r.State == Incomplete {
		r.State, r.Reason, r.Code = Pending, "", ""
	}
}

// Campaign is the campaign as messages depend on it.
func (r *Registration) Campaign() Campaign {
	return Campaign{ID: r.ID, Account: r.Account, Rate: r.Grant.Rate, DailyCap: r.Grant.DailyCap, Keywords: r.keywords()}
}

// RegistrationFilter narrows a list of registrations; zero fields do not. A list is newest first.
type RegistrationFilter struct {
	Account AccountID
	Kind    RegistrationKind
	States  []RegistrationState // any of them
	Waiting bool                // those that Waits
	Parent  string
	Number  string
	Details map[string]string // members of Details: equal, or one of a list that commas part
	After   time.Time         // made at or after
	Before  time.Time         // made before
	Limit   int
	Offset  int
}

// MaxLinked is how many numbers an account may link to a campaign. Source: number_pool_limit of the API reference.
const MaxLinked = 49

// Linkable tells whether the number may belong to a 10DLC campaign at all: campaigns are for long codes of the United States.
func (n *Number) Linkable() bool { return n.Type == LongCode && Market(n.Country) == "US" }

const registryAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

// NewRegistryID makes an id as the 10DLC registry has them: a letter, "B" for brands or "C" for campaigns, and six characters.
func NewRegistryID(letter byte, random [6]byte) string {
	id := [7]byte{letter}
	for i, b := range random {
		id[i+1] = registryAlphabet[int(b)%len(registryAlphabet)]
	}
	return string(id[:])
}

// IsCampaignID tells whether a text has the form of a campaign's id in the registry.
func IsCampaignID(id string) bool {
	if len(id) != 7 || id[0] != 'C' {
		return false
	}
	for i := 1; i < len(id); i++ {
		if (id[i] < 'A' || id[i] > 'Z') && (id[i] < '0' || id[i] > '9') {
			return false
		}
	}
	return true
}
