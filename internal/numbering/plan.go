package numbering

import (
	"strconv"
	"strings"
	"sync"

	"github.com/heliograph/heliograph/internal/gateway"
	"github.com/nyaruka/phonenumbers"
)

// countryCode is the numbering plan of one country code.
type countryCode struct {
	lengths uint16 // of the national number, a bit for each that is possible; none: the code is not assigned
	country string // the main one; empty where there is none
	within  []territory
}

// territory is a country whose numbers are a part of another's plan.
type territory struct {
	country  string
	prefixes []string // of the national number
}

// territories are those of shared country codes that have ranges of their own. Source: the national numbering plans as ITU-T publishes
// them. Saint Martin and Saint Barthélemy have none to speak of: they are served out of Guadeloupe's.
var territories = map[int][]territory{
	7:  {{"KZ", []string{"6", "7"}}},
	39: {{"VA", []string{"06698"}}},
	44: {
		{"GG", []string{"1481", "7781", "7839", "79111", "79117"}},
		{"JE", []string{"1534", "7509", "77003", "77007", "77008", "7797", "7829", "7937"}},
		{"IM", []string{"1624", "74576", "7524", "7624", "7924"}},
	},
	47:  {{"SJ", []string{"79"}}},
	61:  {{"CC", []string{"89162"}}, {"CX", []string{"89164"}}},
	262: {{"YT", []string{"269", "2689", "63", "7093", "9398", "9478", "9769"}}},
	290: {{"TA", []string{"8"}}},
	358: {{"AX", []string{"18"}}},
	599: {{"BQ", []string{"3", "4", "7"}}},
}

// plan is every country code but 1 by its value. It is asked of the library once, so that no message pays for parsing: whether a number
// is possible depends on its country code and its length alone.
var plan = sync.OnceValue(func() *[1000]countryCode {
	var table [1000]countryCode
	for code := range phonenumbers.GetSupportedCallingCodes() {
		table[code] = askLibrary(code)
	}
	for code := range phonenumbers.GetSupportedGlobalNetworkCallingCodes() {
		table[code] = askLibrary(code)
	}
	table[1] = countryCode{}
	return &table
})

// noCountry is what the library calls the region of country codes that belong to none.
const noCountry = "001"

func askLibrary(code int) countryCode {
	c := countryCode{within: territories[code]}
	if region := phonenumbers.GetRegionCodeForCountryCode(code); region != noCountry {
		c.country = region
	}
	national := uint64(0)
	for length := 1; length < maxDigits; length++ {
		national = national*10 + 5
		number := &phonenumbers.PhoneNumber{CountryCode: new(int32(code)), NationalNumber: new(national)}
		// Not IsPossibleNumber: it also takes what can be dialled within one town only.
		if phonenumbers.IsPossibleNumberWithReason(number) == phonenumbers.IS_POSSIBLE {
			c.lengths |= 1 << length
		}
	}
	return c
}

// international is Destination for all country codes but 1.
func international(number string) (gateway.Destination, bool) {
	c, national := split(number)
	switch {
	case c == nil:
		return gateway.Destination{}, false
	case c.lengths>>len(national)&1 != 0:
		return gateway.Destination{Number: number, Country: c.countryOf(national)}, true
	}
	return withoutTrunkPrefix(number)
}

// split finds the country code that the number begins with, and the national number after it. No code is the beginning of another.
func split(number string) (*countryCode, string) {
	if number[0] == '0' {
		return nil, ""
	}
	table, code := plan(), 0
	for i := range 3 {
		code = code*10 + int(number[i]-'0')
		if c := &table[code]; c.lengths != 0 {
			return c, number[i+1:]
		}
	}
	return nil, ""
}

// countryOf is the main country of the code, or the territory whose range the national number is in.
func (c *countryCode) countryOf(national string) string {
	for _, t := range c.within {
		for _, prefix := range t.prefixes {
			if strings.HasPrefix(national, prefix) {
				return t.country
			}
		}
	}
	return c.country
}

// CallingCode is the country code, in digits, of a country given as ISO 3166-1 alpha-2 in capital letters.
func CallingCode(country string) (string, bool) {
	code := phonenumbers.GetCountryCodeForRegion(country)
	return strconv.Itoa(code), code > 0
}

// withoutTrunkPrefix is for numbers of an impossible length: people write the digits that their country dials before its own numbers
// after its country code. Only the library knows them; it is asked for mistakes alone.
func withoutTrunkPrefix(number string) (gateway.Destination, bool) {
	parsed, err := phonenumbers.Parse("+"+number, "")
	if err != nil {
		return gateway.Destination{}, false
	}
	number = strings.TrimPrefix(phonenumbers.Format(parsed, phonenumbers.E164), "+")
	if len(number) < minDigits || len(number) > maxDigits || !onlyDigits(number) {
		return gateway.Destination{}, false
	}
	c, national := split(number)
	if c == nil || c.lengths>>len(national)&1 == 0 {
		return gateway.Destination{}, false
	}
	return gateway.Destination{Number: number, Country: c.countryOf(national)}, true
}
