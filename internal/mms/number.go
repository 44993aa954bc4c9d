package mms

import "strings"

// IsDigits tells whether all of a text is digits, and some are there.
func IsDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

// Number gives a number as messages have it: without "+" and what people write between digits. ok is false when what is written is no number.
func Number(written string) (number string, ok bool) {
	number = strings.NewReplacer("+", "", " ", "", "-", "", ".", "", "(", "", ")", "").Replace(written)
	return number, IsDigits(number)
}

// Party is the number of somebody in a message: one that is not said to be whole, by "+", may lack its country code.
func Party(written string) (number string, ok bool) {
	number, ok = Number(written)
	if ok && !strings.HasPrefix(written, "+") {
		number = whole(number)
	}
	return number, ok
}

// national is how many digits a number of the North American Numbering Plan has without its country code, as peers there may write it.
const national = 10

// whole is a number that may lack the country code of the North American Numbering Plan.
func whole(number string) string {
	if len(number) == national {
		return "1" + number
	}
	return number
}
