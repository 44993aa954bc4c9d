package vasp

import (
	"github.com/heliograph/heliograph/internal/mm7"
	"github.com/heliograph/heliograph/internal/mms"
)

// longestShortCode is how many digits a sender has at most that is no number of E.164.
const longestShortCode = 6

// sender is the address that a message comes from.
func (c *Config) sender(from string) mm7.Address {
	if len(from) <= longestShortCode || !mms.IsDigits(from) {
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

// digits gives an address of the MMSC's as messages have it: a number without "+" and what people write between digits.
func digits(a mm7.Address) string { return named(a, mms.Number) }

// party is who an address names: a number that is not said to be whole may lack its country code.
func party(a mm7.Address) string { return named(a, mms.Party) }

// named reads an address as a number, where it is one.
func named(a mm7.Address, read func(written string) (string, bool)) string {
	if number, ok := read(a.Value); ok && a.Kind != mm7.RFC2822 {
		return number
	}
	return a.Value
}
