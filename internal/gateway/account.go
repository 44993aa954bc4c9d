package gateway

import "time"

// AccountID names an account: "MA" (main) or "SA" (subaccount) and 18 characters of A-Z and 0-9. The official clients
// refuse any other form before they send.
type AccountID string

// AuthIDLength is the length of every account's id.
const AuthIDLength = 20

const authIDAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

// Valid tells whether the id has the form that clients accept.
func (id AccountID) Valid() bool {
	if len(id) != AuthIDLength || (id[:2] != "MA" && id[:2] != "SA") {
		return false
	}
	for i := 2; i < len(id); i++ {
		c := id[i]
		if (c < 'A' || c > 'Z') && (c < '0' || c > '9') {
			return false
		}
	}
	return true
}

// NewAccountID makes a main account's id from 18 random octets.
func NewAccountID(random [18]byte) AccountID { return newAuthID("MA", random) }

// NewSubaccountID makes a subaccount's id from 18 random octets.
func NewSubaccountID(random [18]byte) AccountID { return newAuthID("SA", random) }

func newAuthID(kind string, random [18]byte) AccountID {
	id := []byte(kind)
	for _, b := range random {
		id = append(id, authIDAlphabet[int(b)%len(authIDAlphabet)])
	}
	return AccountID(id)
}

// TokenLength is the length of every auth token, in printable ASCII characters.
const TokenLength = 40

const tokenAlphabet = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"

// NewToken makes an auth token from 40 random octets: 6 bits of each are used, 240 in all.
func NewToken(random [TokenLength]byte) string {
	token := make([]byte, TokenLength)
	for i, b := range random {
		token[i] = tokenAlphabet[b&63]
	}
	return string(token)
}

// ValidToken tells whether an auth token given from outside has the form that all clients can carry.
func ValidToken(token string) bool {
	if len(token) != TokenLength {
		return false
	}
	for i := range len(token) {
		if token[i] <= ' ' || token[i] > '~' || token[i] == ':' {
			return false
		}
	}
	return true
}

// AccountChange is what an operator changes about an account; nil fields change nothing.
type AccountChange struct {
	Name    *string
	Enabled *bool
	Rate    *float64
	Billing *Billing // of a main account
}

// Account is who sends: a main account, or a subaccount of one.
type Account struct {
	ID        AccountID
	Parent    AccountID // the main account of a subaccount, empty for a main account
	Name      string
	Token     string // in clear: signatures need it; the store keeps it sealed
	Enabled   bool
	Rate      float64 // units a second over all its senders; 0 is unlimited
	CreatedAt time.Time
	Wallet    Wallet    // of a main account; a subaccount's is empty
	RemovedAt time.Time // a subaccount that its main account deleted; its messages and their callbacks stay. Zero: it is there
}
