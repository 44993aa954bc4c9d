package numbering

import "github.com/heliograph/heliograph/internal/gateway"

// Bounds of a destination's digits, country code included. E.164 allows 15; the API allows 14. No number has fewer than 7 that could not
// be taken for a short code.
const (
	minDigits = 7
	maxDigits = 14
)

// Destination tells whether the number, digits without "+", can be one of its country's, and where it is at home. Country is empty for
// numbers of no country, such as those of satellite networks; region and area code are known in country code 1 only. A number that has its
// country's trunk prefix after the country code (44 020…, 33 06…) is given without it.
func Destination(number string) (gateway.Destination, bool) {
	switch {
	case len(number) < minDigits || len(number) > maxDigits || !onlyDigits(number):
		return gateway.Destination{}, false
	case number[0] == '1':
		return northAmerican(number)
	}
	return international(number)
}

// Place is where a number of ours is at home; all empty for short codes, names and what is no number.
func Place(number string) (country, region, areaCode string) {
	d, _ := Destination(number)
	return d.Country, d.Region, d.AreaCode
}
