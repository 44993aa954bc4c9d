package esme

import (
	"strings"
	"unicode"
	"unicode/utf8"

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

// longestAddress bounds what is kept of an address: alphanumeric ones have 11 characters, numbers 15 digits.
const longestAddress = 32

// number gives an address of the SMSC's as messages have it: digits of E.164 without the "+" or "00" that some put before them, short codes and names as they
// are. A number in the form of its country gets the country's code, where the carrier has one set.
func (c *Config) number(a smpp.Address) string {
	digits, plus := strings.CutPrefix(a.Addr, "+")
	switch {
	case !isDigits(digits), a.TON == smpp.TONAlphanumeric && !plus, len(digits) > longestAddress:
		return printableText(a.Addr)
	case plus || len(digits) <= longestShortCode:
		return digits
	case a.TON == smpp.TONNetworkSpecific, a.TON == smpp.TONAbbreviated:
		return digits
	case strings.HasPrefix(digits, "00"):
		return digits[2:]
	case a.TON == smpp.TONInternational:
		return digits
	}
	return c.international(digits, a.TON == smpp.TONNational || a.TON == smpp.TONSubscriberNumber)
}

// international gives a number of unknown or national type its country code. In the North American Numbering Plan a number without it has ten digits;
// elsewhere one that begins with the trunk prefix 0, or whose type says so, is without.
func (c *Config) international(digits string, national bool) string {
	switch {
	case c.CountryCode == "":
	case c.CountryCode == "1":
		if len(digits) == 10 && digits[0] >= '2' {
			return "1" + digits
		}
	case digits[0] == '0':
		return c.CountryCode + digits[1:]
	case national:
		return c.CountryCode + digits
	}
	return digits
}

// printableText is a name as it can be shown and kept.
func printableText(name string) string {
	name = strings.Map(func(r rune) rune {
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, name)
	for len(name) > longestAddress {
		_, size := utf8.DecodeLastRuneInString(name)
		name = name[:len(name)-size]
	}
	return name
}
