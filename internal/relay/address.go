package relay

import (
	"github.com/heliograph/heliograph/internal/mm4"
	"github.com/heliograph/heliograph/internal/mms"
)

// longestShortCode is how many digits a sender has at most that is no number of E.164.
const longestShortCode = 6

// address is that of a number at a host; ok is false when it is no number.
func (c *Config) address(number, host string) (a mm4.Address, ok bool) {
	if !mms.IsDigits(number) {
		return a, false
	}
	if len(number) > longestShortCode && !c.BareNumbers {
		number = "+" + number
	}
	return mm4.PLMN(number, host), true
}

// hidden is who sent a message that does not say it.
const hidden = "anonymous"

// digits gives an address of the peer's as messages have it: a number without "+" and what people write between digits, else the mailbox.
func digits(a mm4.Address) string { return named(a, mms.Number) }

// party is who an address names: a number that is not said to be whole may lack its country code.
func party(a mm4.Address) string { return named(a, mms.Party) }

// named reads an address as a number, where it is one.
func named(a mm4.Address, read func(written string) (string, bool)) string {
	number, ok := read(a.User)
	switch {
	case a.IsZero():
		return hidden
	case ok:
		return number
	case a.Type == "" && a.Host != "":
		return a.User + "@" + a.Host
	}
	return a.User
}
