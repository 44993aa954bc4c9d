package esme

import (
	"strings"

	"github.com/heliograph/heliograph/internal/smpp"
)

// longestShortCode is how many digits a source has at most that is no number of E.164.
const longestShortCode = 6

// source is the address that a message comes from.
func (c *Config) source(from string) smpp.Address {
	kind := c.LongCode
	switch {
	case !isDigits(from):
		kind = c.Alphanumeric
	case len(from) <= longestShortCode:
		kind = c.ShortCode
	case isTollFree(from):
		kind = c.TollFree
	}
	return smpp.Address{TON: kind.TON, NPI: kind.NPI, Addr: from}
}

// destination is the address that a message goes to.
func (c *Config) destination(to string) smpp.Address {
	return smpp.Address{TON: c.Destination.TON, NPI: c.Destination.NPI, Addr: to}
}

func isDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

// isTollFree tells whether digits of E.164 are a toll-free number of the North American Numbering Plan.
func isTollFree(number string) bool {
	if len(number) != 11 || number[0] != '1' {
		return false
	}
	switch number[1:4] {
	case "800", "833", "844", "855", "866", "877", "888":
		return true
	}
	return false
}

// number gives an address of the SMSC's as messages have it: without the "+" that some put before it.
func number(a smpp.Address) string { return strings.TrimPrefix(a.Addr, "+") }
