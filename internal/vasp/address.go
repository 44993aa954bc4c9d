package vasp

import (
	"strings"

	"github.com/heliograph/heliograph/internal/mm7"
)

// longestShortCode is how many digits a sender has at most that is no number of E.164.
const longestShortCode = 6

// sender is the address that a message comes from.
func (c *Config) sender(from string) mm7.Address {
	if len(from) <= longestShortCode || !isDigits(from) {
		return mm7.Address{Kind: mm7.ShortCode, Value: from}
	}
	return c.number(from)
}

// number is a number of E.164 as the MMSC likes it.
func (c *Config) number(digits string) mm7.Address {
	if c.BareNumbers {
		return mm7.Address{Value: digits}
	}
	return mm7.Address{Value: "+" + digits}
}

func isDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

// digits gives an address of the MMSC's as messages have it: a number without "+" and what people write between digits.
func digits(a mm7.Address) string {
	if a.Kind == mm7.RFC2822 {
		return a.Value
	}
	bare := strings.NewReplacer("+", "", " ", "", "-", "", ".", "", "(", "", ")", "").Replace(a.Value)
	if isDigits(bare) {
		return bare
	}
	return a.Value
}

// national is how many digits a number of the North American Numbering Plan has without its country code, as MMSCs there may write it.
const national = 10

// whole is a number that may lack the country code of the North American Numbering Plan.
func whole(number string) string {
	if len(number) == national && isDigits(number) {
		return "1" + number
	}
	return number
}
