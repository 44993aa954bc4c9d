package numbering

import "testing"

func TestLookup(t *testing.T) {
	for number, want := range map[string]Facts{
		"14155550123":  {Country: "US", International: "+1 415-555-0123", National: "(415) 555-0123", RFC3966: "tel:+1-415-555-0123"},
		"18005550123":  {Country: "US", International: "+1 800-555-0123", National: "(800) 555-0123", RFC3966: "tel:+1-800-555-0123", Line: FreeCall},
		"442079460018": {Country: "GB", International: "+44 20 7946 0018", National: "020 7946 0018", RFC3966: "tel:+44-20-7946-0018", Line: Fixed},
		// A country where numbers do not move between carriers.
		"224601123456": {Country: "GN", International: "+224 601 12 34 56", National: "601 12 34 56", RFC3966: "tel:+224-601-12-34-56", Line: Mobile, Carrier: "Sotelgui"},
	} {
		got, ok := Lookup(number)
		if country := got.Country; !ok || country != want.Country {
			t.Fatalf("%s: %+v, %v", number, got, ok)
		}
		if got != want && number[0] != '1' || got.International != want.International || got.National != want.National || got.RFC3966 != want.RFC3966 {
			t.Errorf("%s: %+v, want %+v", number, got, want)
		}
	}
	for _, number := range []string{"14155550123", "442079460018", "224601123456", "8613912345678", "79161234567", "77011234567", "870773111632", "", "1", "x"} {
		facts, _ := Lookup(number)
		if got := Network(number); got != facts.Carrier || got != "" && !NamesNetworks(facts.Country) {
			t.Errorf("%s is of the network %q, and %+v", number, got, facts)
		}
	}
	for country, want := range map[string]bool{"GN": true, "CN": true, "US": false, "GB": false, "": false} {
		if NamesNetworks(country) != want {
			t.Errorf("%q names networks: %v", country, !want)
		}
	}
	for _, number := range []string{"", "1", "1415555012", "999999999", "x"} {
		if got, ok := Lookup(number); ok {
			t.Errorf("%q: %+v", number, got)
		}
	}
}
