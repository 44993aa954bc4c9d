package numbering

import (
	"strings"
	"testing"

	"github.com/heliograph/heliograph/internal/gateway"
)

func TestDestination(t *testing.T) {
	for _, test := range []struct {
		number string
		want   gateway.Destination
	}{
		{"14155550100", gateway.Destination{Number: "14155550100", Country: "US", Region: "CA", AreaCode: "415"}},
		{"12025550100", gateway.Destination{Number: "12025550100", Country: "US", Region: "DC", AreaCode: "202"}},
		{"15551234567", gateway.Destination{Number: "15551234567", Country: "US", AreaCode: "555"}},
		{"14165550100", gateway.Destination{Number: "14165550100", Country: "CA", Region: "ON", AreaCode: "416"}},
		{"19025550100", gateway.Destination{Number: "19025550100", Country: "CA", Region: "NS", AreaCode: "902"}},
		{"18675550100", gateway.Destination{Number: "18675550100", Country: "CA", AreaCode: "867"}},
		{"17875550100", gateway.Destination{Number: "17875550100", Country: "PR", Region: "PR", AreaCode: "787"}},
		{"18765550100", gateway.Destination{Number: "18765550100", Country: "JM", AreaCode: "876"}},
		{"18005550100", gateway.Destination{Number: "18005550100", Country: "US"}},
		{"16005550100", gateway.Destination{Number: "16005550100", Country: "CA"}},
		{"12235550100", gateway.Destination{Number: "12235550100", Country: "US", Region: "PA", AreaCode: "223"}},
		{"17195550100", gateway.Destination{Number: "17195550100", Country: "US", Region: "CO", AreaCode: "719"}},
		{"19875550100", gateway.Destination{Number: "19875550100", Country: "US", AreaCode: "987"}}, // not assigned
		{"442071838750", gateway.Destination{Number: "442071838750", Country: "GB"}},
		{"447911123456", gateway.Destination{Number: "447911123456", Country: "GG"}},
		{"447624123456", gateway.Destination{Number: "447624123456", Country: "IM"}},
		{"79161234567", gateway.Destination{Number: "79161234567", Country: "RU"}},
		{"77011234567", gateway.Destination{Number: "77011234567", Country: "KZ"}},
		{"390612345678", gateway.Destination{Number: "390612345678", Country: "IT"}},
		{"919876543210", gateway.Destination{Number: "919876543210", Country: "IN"}},
		{"2905123", gateway.Destination{Number: "2905123", Country: "SH"}}, // the shortest that there is: 7 digits
		{"49151123456789", gateway.Destination{Number: "49151123456789", Country: "DE"}},
		{"870773123456", gateway.Destination{Number: "870773123456"}},
		// With a trunk prefix.
		{"4402071838750", gateway.Destination{Number: "442071838750", Country: "GB"}},
		{"330612345678", gateway.Destination{Number: "33612345678", Country: "FR"}},
	} {
		got, ok := Destination(test.number)
		if !ok || got != test.want {
			t.Errorf("%s: %+v, %v, want %+v", test.number, got, ok, test.want)
		}
		country, region, area := Place(test.number)
		if country != test.want.Country || region != test.want.Region || area != test.want.AreaCode {
			t.Errorf("%s is placed at %q %q %q", test.number, country, region, area)
		}
	}
}

func TestDestinationRefuses(t *testing.T) {
	for _, number := range []string{
		"", "abc", "1234", "1111111", "+14155550100", "1415555010", "141555501000", "1415555O100", "１４１５５５５０１００",
		"10155550100", "11155550100", "14110100100", "19115550100", "14115550100",
		"04155550100", "0447911123456", "00447911123456", "007916123456", "0391234567",
		"431234", "491234", // six digits are a short code
		"21012345678", "999123456789", "38412345678", // no such country codes
		"44", "4479111234567", "4479111", "331234567", "3312345678901",
		"491511234567890", // 15 digits
		strings.Repeat("4", 100),
	} {
		if got, ok := Destination(number); ok || got != (gateway.Destination{}) {
			t.Errorf("%q: %+v, %v", number, got, ok)
		}
		if country, region, area := Place(number); country+region+area != "" {
			t.Errorf("%q is placed at %q %q %q", number, country, region, area)
		}
	}
}

func TestNoAllocations(t *testing.T) {
	plan()
	for _, number := range []string{"14155550100", "447911123456", "79161234567", "919876543210", "12345", "999123456789"} {
		if n := testing.AllocsPerRun(100, func() { Destination(number) }); n != 0 {
			t.Errorf("%s: %v allocations", number, n)
		}
	}
}

func FuzzDestination(f *testing.F) {
	for _, seed := range []string{
		"", "1", "14155550100", "+1 (415) 555-0100", "15551234567", "447911123456", "4402071838750", "330612345678", "007", "0447911123456",
		"39066981234", "abc", "\xff", "99999999999999", "870773123456", "800123456",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		number := Sanitize(text)
		d, ok := Destination(number)
		if !ok {
			if d != (gateway.Destination{}) {
				t.Fatalf("%q is refused, but %+v", number, d)
			}
			return
		}
		if !onlyDigits(d.Number) || len(d.Number) < minDigits || len(d.Number) > maxDigits || (len(d.Country) != 2 && d.Country != "") {
			t.Fatalf("%q: %+v", number, d)
		}
		if again, ok := Destination(d.Number); !ok || again != d {
			t.Fatalf("%q is %+v, which is %+v, %v", number, d, again, ok)
		}
	})
}

func BenchmarkDestination(b *testing.B) {
	plan()
	for _, bench := range []struct{ name, number string }{
		{"US", "14155550100"},
		{"GB", "447700900123"},
		{"IN", "919876543210"},
		{"trunk-prefix", "4402071838750"},
		{"impossible", "4479111234567"},
	} {
		b.Run(bench.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				Destination(bench.number)
			}
		})
	}
}
