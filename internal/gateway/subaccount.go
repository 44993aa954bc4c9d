package gateway

import "time"

// Subaccount is an account as its main account sees it.
type Subaccount struct {
	Account
	ModifiedAt time.Time // by its main account; zero: never
}

// SubaccountChange is what a main account changes about a subaccount; nil fields change nothing.
type SubaccountChange struct {
	Name    *string
	Enabled *bool
}

// Profile is what an account says of itself, for people to read.
type Profile struct {
	Name, Address, City, State string
	Timezone                   string // "": never said
}

// ProfileChange is what an account changes about its profile; nil fields change nothing.
type ProfileChange struct {
	Name, Address, City, State, Timezone *string
}
