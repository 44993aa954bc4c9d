package numbering

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/nyaruka/phonenumbers"
	"pgregory.net/rapid"
)

func TestAreaCodesAreWellFormed(t *testing.T) {
	seen := map[string]bool{}
	for _, place := range areaCodes {
		for code := range strings.FieldsSeq(place.codes) {
			if len(code) != 3 || !onlyDigits(code) || code[0] < '2' || code[1] == '9' || code[1:] == "11" {
				t.Errorf("%s is no area code", code)
			}
			if seen[code] {
				t.Errorf("%s is assigned twice", code)
			}
			seen[code] = true
		}
		if len(place.country) != 2 || (place.region != "" && len(place.region) != 2) {
			t.Errorf("%+v is no place", place.area)
		}
	}
}

// sample is a number of country code 1 that the library takes for valid.
type sample struct {
	area   int
	number string
	parsed *phonenumbers.PhoneNumber
}

// samples finds one for each area code that the library knows: its own examples, for in the area codes of islands few exchanges are open,
// and numbers of a few exchanges that most others have.
func samples() []sample {
	found := map[int]sample{}
	add := func(national uint64) {
		code := int(national / 10_000_000)
		parsed := &phonenumbers.PhoneNumber{CountryCode: new(int32(1)), NationalNumber: new(national)}
		if _, ok := found[code]; !ok && phonenumbers.IsValidNumber(parsed) {
			found[code] = sample{code, fmt.Sprint("1", national), parsed}
		}
	}
	for _, region := range phonenumbers.GetRegionCodesForCountryCode(1) {
		add(phonenumbers.GetExampleNumber(region).GetNationalNumber())
	}
	for code := uint64(200); code < 1000; code++ {
		for _, exchange := range []uint64{200, 222, 345, 789} {
			add(code*10_000_000 + exchange*10_000 + 1234)
		}
	}
	return slices.SortedFunc(maps.Values(found), func(a, b sample) int { return a.area - b.area })
}

// TestEveryAreaCodeOfTheLibrary checks the table against the library: each area code that it knows is assigned, in the same country, and is
// toll-free in both or in neither.
func TestEveryAreaCodeOfTheLibrary(t *testing.T) {
	listed := map[int]bool{}
	for _, place := range areaCodes {
		for code := range strings.FieldsSeq(place.codes) {
			listed[threeDigits(code)] = true
		}
	}
	known := samples()
	for _, s := range known {
		if !listed[s.area] {
			t.Errorf("%d is not assigned", s.area)
		}
		d, ok := Destination(s.number)
		if want := phonenumbers.GetRegionCodeForNumber(s.parsed); !ok || d.Country != want {
			t.Errorf("%d is in %q, %v, want %s", s.area, d.Country, ok, want)
		}
		free := phonenumbers.GetNumberType(s.parsed) == phonenumbers.TOLL_FREE
		if (areas[s.area].kind == tollFree) != free {
			t.Errorf("%d: toll-free %v", s.area, free)
		}
	}
	if len(known) < 450 {
		t.Errorf("the library knows %d area codes only", len(known))
	}
}

// places are the names that the library's descriptions of numbers have for states and provinces.
var places = map[string]string{
	"Alabama": "AL", "Alaska": "AK", "Arizona": "AZ", "Arkansas": "AR", "California": "CA", "Colorado": "CO", "Connecticut": "CT",
	"Delaware": "DE", "Florida": "FL", "Georgia": "GA", "Hawaii": "HI", "Idaho": "ID", "Illinois": "IL", "Indiana": "IN", "Iowa": "IA",
	"Kansas": "KS", "Kentucky": "KY", "Louisiana": "LA", "Maine": "ME", "Maryland": "MD", "Massachusetts": "MA", "Michigan": "MI",
	"Minnesota": "MN", "Mississippi": "MS", "Missouri": "MO", "Montana": "MT", "Nebraska": "NE", "Nevada": "NV", "New Hampshire": "NH",
	"New Jersey": "NJ", "New Mexico": "NM", "New York": "NY", "North Carolina": "NC", "North Dakota": "ND", "Ohio": "OH", "Oklahoma": "OK",
	"Oregon": "OR", "Pennsylvania": "PA", "Rhode Island": "RI", "South Carolina": "SC", "South Dakota": "SD", "Tennessee": "TN",
	"Texas": "TX", "Utah": "UT", "Vermont": "VT", "Virginia": "VA", "Washington State": "WA", "Washington D.C.": "DC",
	"West Virginia": "WV", "Wisconsin": "WI", "Wyoming": "WY",
	"Alberta": "AB", "British Columbia": "BC", "British Colombia": "BC", "Manitoba": "MB", "New Brunswick": "NB",
	"Newfoundland and Labrador": "NL", "Nova Scotia/Prince Edward Island": "NS", "Ontario": "ON", "Quebec": "QC", "Saskatchewan": "SK",
}

// TestRegionsOfTheLibrary checks states and provinces against what the library says of the area codes that it can place: the name of a
// state, or a town with the state's two letters.
func TestRegionsOfTheLibrary(t *testing.T) {
	placed := 0
	for _, s := range samples() {
		description, err := phonenumbers.GetGeocodingForNumber(s.parsed, "en")
		if err != nil {
			t.Fatal(err)
		}
		want := places[description]
		if i := strings.LastIndex(description, ", "); i >= 0 {
			want = description[i+2:]
		}
		if len(want) != 2 {
			continue
		}
		placed++
		if got := areas[s.area].region; got != want {
			t.Errorf("%d is in %q, the library says %q", s.area, got, description)
		}
	}
	if placed < 380 {
		t.Errorf("the library places %d area codes only", placed)
	}
}

// TestValidNumbersPass draws numbers of country code 1: one that the library takes for valid is a destination in the same country.
// Exchanges that begin with 0 or 1 are left out: the library takes them for valid in the Dominican Republic, against the plan.
func TestValidNumbersPass(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		number := fmt.Sprintf("1%03d%03d%04d", rapid.IntRange(200, 999).Draw(t, "area"), rapid.IntRange(200, 999).Draw(t, "exchange"),
			rapid.IntRange(0, 9999).Draw(t, "line"))
		d, ok := Destination(number)
		parsed, err := phonenumbers.Parse("+"+number, "")
		if err != nil || !phonenumbers.IsValidNumber(parsed) {
			return
		}
		if want := phonenumbers.GetRegionCodeForNumber(parsed); !ok || d.Country != want || d.Number != number {
			t.Fatalf("%s: %+v, %v, the library says %s", number, d, ok, want)
		}
	})
}
