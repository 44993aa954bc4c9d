package gateway

import (
	"math"
	"strconv"
	"strings"
)

// Money is an amount in hundred-thousandths of the installation's currency: the five decimals that the API prints, so that a rate times units is
// exact. It is never a float.
type Money int64

// moneyDecimals are the decimals of an amount.
const moneyDecimals = 5

// moneyUnit is one unit of the currency.
const moneyUnit Money = 100_000

// MaxMoney bounds balances, far from where sums of them overflow.
const MaxMoney = 1_000_000_000_000 * moneyUnit

// String writes the amount with all its decimals: "0.00550".
func (m Money) String() string {
	sign, magnitude := "", uint64(m)
	if m < 0 {
		sign, magnitude = "-", -magnitude
	}
	fraction := strconv.FormatUint(magnitude%uint64(moneyUnit), 10)
	return sign + strconv.FormatUint(magnitude/uint64(moneyUnit), 10) + "." + strings.Repeat("0", moneyDecimals-len(fraction)) + fraction
}

// ParseMoney reads a decimal with at most five decimals, "-" in front or nothing: no exponent, no blanks. ok is false for anything else, and for what lies
// beyond MaxMoney.
func ParseMoney(text string) (m Money, ok bool) {
	digits, negative := strings.CutPrefix(text, "-")
	whole, fraction, pointed := strings.Cut(digits, ".")
	if whole == "" || !allDigits(whole) || !allDigits(fraction) || pointed == (fraction == "") || len(fraction) > moneyDecimals {
		return 0, false
	}
	n, err := strconv.ParseInt(whole+fraction+strings.Repeat("0", moneyDecimals-len(fraction)), 10, 64)
	if err != nil || Money(n) > MaxMoney {
		return 0, false
	}
	if negative {
		n = -n
	}
	return Money(n), true
}

func allDigits(text string) bool {
	for i := range len(text) {
		if text[i] < '0' || text[i] > '9' {
			return false
		}
	}
	return true
}

// Times multiplies by a count that is not negative. What does not fit is the greatest or least amount there is, which no balance covers.
func (m Money) Times(n int) Money {
	switch {
	case n <= 0 || m == 0:
		return 0
	case m > math.MaxInt64/Money(n):
		return math.MaxInt64
	case m < math.MinInt64/Money(n):
		return math.MinInt64
	}
	return m * Money(n)
}

// Plus adds; what does not fit is the greatest or least amount there is.
func (m Money) Plus(other Money) Money {
	sum := m + other
	switch {
	case m > 0 && other > 0 && sum < 0:
		return math.MaxInt64
	case m < 0 && other < 0 && sum >= 0:
		return math.MinInt64
	}
	return sum
}

// MaxRate bounds every rate and fee.
const MaxRate = 10_000 * moneyUnit

// Price is what a unit of a message costs. It is fixed when the message is accepted: neither another sender nor a new price list changes it.
type Price struct {
	Rate Money // from 0 to MaxRate
	Fee  Money // of the carrier, which is passed on, besides Rate; likewise
}

// IsZero tells whether nothing is charged.
func (p Price) IsZero() bool { return p == Price{} }

// Cost is what an account pays for the message, unless it fails.
func (m *Message) Cost() Money {
	if m.Price.IsZero() { // nearly always where there are no prices
		return 0
	}
	return m.Price.Rate.Plus(m.Price.Fee).Times(m.Units)
}

// Billing is how an account pays. Values are stored: only append.
type Billing uint8

const (
	Postpaid Billing = iota // it owes what it has sent
	Prepaid                 // it sends what its balance covers
)

func (b Billing) String() string {
	if b == Prepaid {
		return "prepaid"
	}
	return "postpaid"
}

// ParseBilling reads "prepaid" and "postpaid".
func ParseBilling(name string) (Billing, bool) {
	switch name {
	case "prepaid":
		return Prepaid, true
	case "postpaid":
		return Postpaid, true
	}
	return 0, false
}

// Wallet is what a main account pays from, also for its subaccounts, which have none.
type Wallet struct {
	Billing Billing
	Balance Money // what was paid in, less what messages have cost; what a postpaid account owes is negative
	Held    Money // what its queued messages will cost; not out of Balance yet
}

// Available is what can be spent.
func (w *Wallet) Available() Money { return w.Balance - w.Held }

// Covers tells whether a message of that cost may be accepted.
func (w *Wallet) Covers(cost Money) bool { return w.Billing == Postpaid || cost <= w.Available() }
