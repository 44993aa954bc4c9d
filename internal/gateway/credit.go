package gateway

import "time"

// Credit is an entry of an account's ledger: what an operator paid in, or corrected. What messages cost is in their rows.
type Credit struct {
	ID      int64 // given by the store, increasing
	Account AccountID
	Amount  Money // negative: taken out
	Balance Money // of the account then
	Note    string
	Key     string // Idempotency-Key of the request; empty: none. Of an account's entries, no two have the same
	At      time.Time
}

// CheckCredit refuses amounts that cannot be entered, given the balance before.
func CheckCredit(balance, amount Money) error {
	if after := balance.Plus(amount); after > MaxMoney || after < -MaxMoney {
		return Errorf(Invalid, "the balance would be beyond %s", MaxMoney)
	}
	return nil
}
