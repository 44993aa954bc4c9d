package operator

import (
	"fmt"
	"slices"
	"strings"

	"github.com/heliograph/heliograph/internal/gateway"
	"github.com/heliograph/heliograph/internal/numbering"
)

// Misfit tells which setting of a number contradicts the number itself, and why; both are empty when none does. An empty country is one that is to
// follow from the number. Where numbering plans leave something open, the operator's word stands: short codes belong to any country, area codes are
// assigned after this was written, and some networks number as they like.
func Misfit(n *gateway.Number) (field, reason string) {
	letters := numbering.Type(n.Number) == gateway.Alphanumeric
	switch {
	case n.Country != "" && !isCountry(n.Country):
		return "country_iso2", fmt.Sprintf("country_iso2 of %s: there is no country %q", n.Number, n.Country)
	case letters && n.Type != gateway.Alphanumeric:
		return "type", fmt.Sprintf("%s has letters: it is an alphanumeric sender and no %s", n.Number, n.Type)
	case !letters && n.Type == gateway.Alphanumeric:
		return "type", fmt.Sprintf("%s has digits alone: an alphanumeric sender has a letter", n.Number)
	case letters && n.Services.Has(gateway.MMS):
		return "services", fmt.Sprintf("services of %s: an alphanumeric sender carries sms and no mms", n.Number)
	case letters:
		return "", ""
	case n.Type == gateway.ShortCode && len(n.Number) > longestShortCode:
		return "type", fmt.Sprintf("%s has %d digits: a shortcode has at most %d", n.Number, len(n.Number), longestShortCode)
	case n.Type == gateway.ShortCode:
		return "", ""
	}
	return phoneMisfit(n)
}

// Digits of short codes and phone numbers.
const (
	longestShortCode = 8
	shortestPhone    = 7
	northAmerican    = "1" // country code
)

// phoneMisfit is Misfit for what is said to be a phone number.
func phoneMisfit(n *gateway.Number) (field, reason string) {
	place, plausible := numbering.Destination(n.Number)
	code, _ := numbering.CallingCode(n.Country)
	switch {
	case len(n.Number) < shortestPhone:
		return "type", fmt.Sprintf("%s has %d digits, too few for a %s", n.Number, len(n.Number), n.Type)
	case !plausible && n.Number[:1] == northAmerican:
		return "number", fmt.Sprintf("%s is no number: after 1 come an area code, which begins with 2 to 9, and seven digits", n.Number)
	case plausible && place.Number != n.Number:
		return "number", fmt.Sprintf("%s has the digits that are dialled within its country: write %s", n.Number, place.Number)
	case n.Country == "":
		return "country_iso2", fmt.Sprintf("country_iso2 of %s is needed: it does not follow from the number", n.Number)
	case plausible && place.Country == "": // of a satellite network and the like
		return "", ""
	case !strings.HasPrefix(n.Number, code) && code == northAmerican && len(n.Number) == 10:
		return "number", fmt.Sprintf("%s lacks its country code: write 1%s", n.Number, n.Number)
	case !strings.HasPrefix(n.Number, code):
		return "country_iso2", fmt.Sprintf("%s is no number of %s: those begin with %s", n.Number, n.Country, code)
	case code == northAmerican:
		return northAmericanMisfit(n, place)
	}
	return "", ""
}

// territories are those of the United States in country code 1: carriers take them for one country.
var territories = []string{"AS", "GU", "MP", "PR", "VI"}

// northAmericanMisfit is Misfit for numbers of country code 1, whose area codes tell the country and whether calls are free. Toll-free, personal and
// unassigned ones belong to all of its countries.
func northAmericanMisfit(n *gateway.Number, place gateway.Destination) (field, reason string) {
	free := numbering.Type(n.Number) == gateway.TollFree
	open := place.AreaCode == "" || place.Country == "US" && place.Region == ""
	switch {
	case free && n.Type != gateway.TollFree:
		return "type", fmt.Sprintf("%s has a toll-free area code: it is no %s", n.Number, n.Type)
	case !free && n.Type == gateway.TollFree && !open:
		return "type", fmt.Sprintf("%s has the area code of a place: it is no tollfree", n.Number)
	case open, n.Country == place.Country, n.Country == "US" && slices.Contains(territories, place.Country):
		return "", ""
	}
	return "country_iso2", fmt.Sprintf("%s has an area code of %s, not of %s", n.Number, place.Country, n.Country)
}
