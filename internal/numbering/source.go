package numbering

import "github.com/heliograph/heliograph/internal/gateway"

// Bounds of senders.
const (
	minShortCode = 3
	maxShortCode = 8
	// neverPhone is the most digits that always make a short code: longer ones can be numbers of small countries.
	neverPhone      = 6
	maxAlphanumeric = 11 // of TP-Originating-Address: 3GPP TS 23.040, 9.1.2.5
)

// Source tells whether the text, as SanitizeSource leaves it, has the form of a sender, and of which type: a phone number of at most
// 14 digits, a short code of 3 to 8, or up to 11 letters and digits with a letter among them.
func Source(src string) (gateway.NumberType, bool) {
	if onlyDigits(src) {
		return digitsType(src), len(src) >= minShortCode && len(src) <= maxDigits
	}
	for i := range len(src) {
		if !isDigit(src[i]) && !isLetter(src[i]) {
			return gateway.Alphanumeric, false
		}
	}
	return gateway.Alphanumeric, src != "" && len(src) <= maxAlphanumeric
}

// Type is the type that a sender has by its form: the operator may know better.
func Type(number string) gateway.NumberType {
	t, _ := Source(number)
	return t
}

func digitsType(number string) gateway.NumberType {
	if len(number) <= neverPhone {
		return gateway.ShortCode
	}
	_, plausible := Destination(number)
	switch {
	case !plausible && len(number) <= maxShortCode:
		return gateway.ShortCode
	case plausible && number[0] == '1' && areaOf(number).kind == tollFree:
		return gateway.TollFree
	}
	return gateway.LongCode
}
