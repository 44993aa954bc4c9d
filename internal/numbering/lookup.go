package numbering

import (
	"strings"

	"github.com/nyaruka/phonenumbers"
)

// Facts are what numbering plans tell of a number. The carrier is that to which the number's range was given: numbers move between carriers where
// the country lets them, so there it is not told. Empty: not known.
type Facts struct {
	Country                          string // ISO 3166-1 alpha-2
	International, National, RFC3966 string
	Line                             Line
	Carrier                          string
}

// Line is what a number is a line of.
type Line string

const (
	Fixed    Line = "fixed"
	Mobile   Line = "mobile"
	FreeCall Line = "tollfree"
	VoIP     Line = "voip"
	Other    Line = "other" // pagers, premium and shared rates, voice mail
)

// lines are the lines that can be told; a number of North America can be either of the first two.
var lines = map[phonenumbers.PhoneNumberType]Line{
	phonenumbers.FIXED_LINE: Fixed, phonenumbers.MOBILE: Mobile, phonenumbers.TOLL_FREE: FreeCall, phonenumbers.VOIP: VoIP,
	phonenumbers.PREMIUM_RATE: Other, phonenumbers.SHARED_COST: Other, phonenumbers.PERSONAL_NUMBER: Other, phonenumbers.PAGER: Other,
	phonenumbers.UAN: Other, phonenumbers.VOICEMAIL: Other,
}

// Lookup tells what is known of a number, digits without "+"; ok is false for what Destination refuses.
func Lookup(number string) (f Facts, ok bool) {
	to, ok := Destination(number)
	if !ok {
		return Facts{}, false
	}
	parsed, err := phonenumbers.Parse("+"+to.Number, "")
	if err != nil {
		return Facts{}, false
	}
	f = Facts{
		Country: to.Country, International: phonenumbers.Format(parsed, phonenumbers.INTERNATIONAL),
		National: phonenumbers.Format(parsed, phonenumbers.NATIONAL), RFC3966: phonenumbers.Format(parsed, phonenumbers.RFC3966),
		Line: lines[phonenumbers.GetNumberType(parsed)],
	}
	if NamesNetworks(f.Country) {
		f.Carrier = carrierOf(parsed)
	}
	return f, true
}

// NamesNetworks tells whether the numbers of a country tell the network that they are of: not where they move between networks, nor where nothing is known
// of them.
func NamesNetworks(country string) bool {
	return country != "" && !phonenumbers.IsMobileNumberPortableRegion(country)
}

// Network is what Lookup calls the carrier of a number, and empty for what is none. It costs next to nothing where NamesNetworks is false.
func Network(number string) string {
	to, ok := Destination(number)
	if !ok || !NamesNetworks(to.Country) {
		return ""
	}
	parsed, err := phonenumbers.Parse("+"+to.Number, "")
	if err != nil {
		return ""
	}
	return carrierOf(parsed)
}

func carrierOf(number *phonenumbers.PhoneNumber) string {
	name, err := phonenumbers.GetSafeCarrierDisplayNameForNumber(number, "en")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(name)
}
