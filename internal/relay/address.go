package relay

import (
	"strings"

	"github.com/heliograph/heliograph/internal/mm4"
)

// longestShortCode is how many digits a sender has at most that is no number of E.164.
const longestShortCode = 6

// address is that of a number at a host; ok is false when it is no number.
func (c *Config) address(number, host string) (a mm4.Address, ok bool) {
	if !isDigits(number) {
		return a, false
	}
	if len(number) > longestShortCode && !c.BareNumbers {
		number = "+" + number
	}
	return mm4.PLMN(number, host), true
}

func isDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

// hidden is who sent a message that does not say it.
const hidden = "anonymous"

// digits gives an address of the peer's as messages have it: a number without "+" and what people write between digits, else the mailbox.
func digits(a mm4.Address) string {
	if a.IsZero() {
		return hidden
	}
	bare := strings.NewReplacer("+", "", "-", "", ".", "").Replace(a.User)
	switch {
	case isDigits(bare):
		return bare
	case a.Type == "" && a.Host != "":
		return a.User + "@" + a.Host
	}
	return a.User
}

// national is how many digits a number of the North American Numbering Plan has without its country code, as peers there may write it.
const national = 10

// whole is a number that may lack the country code of the North American Numbering Plan.
func whole(number string) string {
	if len(number) == national && isDigits(number) {
		return "1" + number
	}
	return number
}

// party is who an address names: a number that is not said to be whole may lack its country code.
func party(a mm4.Address) string {
	if strings.HasPrefix(a.User, "+") {
		return digits(a)
	}
	return whole(digits(a))
}
