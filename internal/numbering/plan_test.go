package numbering

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/nyaruka/phonenumbers"
	"pgregory.net/rapid"
)

// parse gives a number as the library reads it, when it is possible as a whole.
func parse(number string) (*phonenumbers.PhoneNumber, bool) {
	parsed, err := phonenumbers.Parse("+"+number, "")
	return parsed, err == nil && phonenumbers.IsPossibleNumberWithReason(parsed) == phonenumbers.IS_POSSIBLE
}

// asIs is a number as it stands, where parse takes a trunk prefix off.
func asIs(code int, national string) *phonenumbers.PhoneNumber {
	significant := strings.TrimLeft(national, "0")
	value, _ := strconv.ParseUint("0"+significant, 10, 64)
	return &phonenumbers.PhoneNumber{
		CountryCode: new(int32(code)), NationalNumber: new(value),
		ItalianLeadingZero: new(significant != national), NumberOfLeadingZeros: new(int32(len(national) - len(significant))),
	}
}

// TestPossibleNumbers checks that nothing which the library takes for possible is refused, and nothing else passes.
func TestPossibleNumbers(t *testing.T) {
	codes := slices.Sorted(maps.Keys(phonenumbers.GetSupportedCallingCodes()))
	codes = slices.DeleteFunc(codes, func(code int) bool { return code == 1 })
	rapid.Check(t, func(t *rapid.T) {
		code := rapid.SampledFrom(codes).Draw(t, "code")
		national := rapid.StringMatching("[0-9]{0,3}[1-9][0-9]{1,11}").Draw(t, "national")
		number := strconv.Itoa(code) + national
		_, read := parse(number)
		possible := read || phonenumbers.IsPossibleNumberWithReason(asIs(code, national)) == phonenumbers.IS_POSSIBLE
		if len(number) < minDigits || len(number) > maxDigits {
			possible = false
		}
		d, ok := Destination(number)
		if ok != possible {
			t.Fatalf("%s: %v", number, ok)
		}
		if ok && !strings.HasPrefix(d.Number, strconv.Itoa(code)) {
			t.Fatalf("%s became %s", number, d.Number)
		}
		if d.Country != "" && phonenumbers.GetCountryCodeForRegion(d.Country) != code {
			t.Fatalf("%s is in %s", number, d.Country)
		}
	})
}

// TestCountriesOfValidNumbers checks that numbers which the library takes for valid are so in the country that we name. In the plans of
// Guadeloupe and Australia the territories have single exchanges, which we do not tell apart.
func TestCountriesOfValidNumbers(t *testing.T) {
	regions := slices.Sorted(maps.Keys(phonenumbers.GetSupportedRegions()))
	rapid.Check(t, func(t *rapid.T) {
		example := phonenumbers.GetExampleNumberForType(rapid.SampledFrom(regions).Draw(t, "region"), phonenumbers.MOBILE)
		if example == nil {
			return
		}
		number := strings.TrimPrefix(phonenumbers.Format(example, phonenumbers.E164), "+")
		changed := []byte(number)
		for i := len(number) - rapid.IntRange(0, 5).Draw(t, "changed"); i < len(number); i++ {
			changed[i] = '0' + byte(rapid.IntRange(0, 9).Draw(t, "digit"))
		}
		number = string(changed)
		parsed, ok := parse(number)
		if !ok || !phonenumbers.IsValidNumber(parsed) || strings.HasPrefix(number, "1") {
			return
		}
		d, ok := Destination(number)
		right := phonenumbers.IsValidNumberForRegion(parsed, d.Country)
		if d.Country == "GP" || d.Country == "AU" {
			right = phonenumbers.GetRegionCodeForCountryCode(int(parsed.GetCountryCode())) == d.Country
		}
		if !ok || !right {
			t.Fatalf("%s: %+v, %v, the library says %s", number, d, ok, phonenumbers.GetRegionCodeForNumber(parsed))
		}
	})
}

// TestTerritories checks that each territory is one of its country code, by the library's word.
func TestTerritories(t *testing.T) {
	for code, list := range territories {
		for _, territory := range list {
			if got := phonenumbers.GetCountryCodeForRegion(territory.country); got != code {
				t.Errorf("%s has country code %d, not %d", territory.country, got, code)
			}
			for _, prefix := range territory.prefixes {
				if !onlyDigits(prefix) {
					t.Errorf("%s: prefix %q", territory.country, prefix)
				}
			}
		}
	}
}

func TestPlan(t *testing.T) {
	assigned := 0
	for code, c := range plan() {
		if c.lengths == 0 {
			continue
		}
		assigned++
		if code < 2 || (code >= 10 && code < 20) {
			t.Errorf("%d has a plan of its own", code)
		}
		for _, shorter := range []int{code / 10, code / 100} {
			if shorter > 0 && plan()[shorter].lengths != 0 {
				t.Errorf("%d begins with %d, which is a country code too", code, shorter)
			}
		}
	}
	if assigned < 200 {
		t.Errorf("%d country codes only", assigned)
	}
}

func TestCallingCode(t *testing.T) {
	for country, want := range map[string]string{"US": "1", "CA": "1", "PR": "1", "GB": "44", "JE": "44", "KZ": "7", "IE": "353"} {
		if got, ok := CallingCode(country); !ok || got != want {
			t.Errorf("%s: %q, %v", country, got, ok)
		}
	}
	for _, country := range []string{"", "us", "ZZ", "USA", "001"} {
		if got, ok := CallingCode(country); ok {
			t.Errorf("%q: %s", country, got)
		}
	}
}
