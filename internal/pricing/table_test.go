package pricing

import (
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/heliograph/heliograph/internal/gateway"
)

const list = `sms,,US,,,,0.0055,0.003
sms,,US,,,tollfree,0.0065,0.002
sms,,US,1415,Bay Mobile,,0.0075,
sms,,US,1415555,,shortcode,0.0085,
sms,,*,,,alphanumeric,0.06,
sms,inbound,US,,,,0.001,
sms,inbound,US,,,tollfree,0.002,
mms,inbound,*,,,,0.003,
rental,,US,,,,0.8,
rental,,US,,,tollfree,1,
setup,,US,,,shortcode,500,
`

func TestTheMostSpecificLineFits(t *testing.T) {
	table := read(t, list)
	for _, test := range []struct {
		what, to, country string
		service           gateway.Service
		sender            gateway.NumberType
		want              string
	}{
		{"a country", "12125550100", "US", gateway.SMS, gateway.LongCode, "0.00550 0.00300"},
		{"a kind of sender", "12125550100", "US", gateway.SMS, gateway.TollFree, "0.00650 0.00200"},
		{"a prefix goes before a kind of sender", "14155550100", "US", gateway.SMS, gateway.TollFree, "0.00750 0.00000"},
		{"a longer prefix", "14155550100", "US", gateway.SMS, gateway.ShortCode, "0.00850 0.00000"},
		{"a longer prefix, but not that kind of sender", "14155550100", "US", gateway.SMS, gateway.LongCode, "0.00750 0.00000"},
		{"a territory of the United States", "17875550100", "PR", gateway.SMS, gateway.LongCode, "0.00550 0.00300"},
		{"a country that has no line", "4915112345678", "DE", gateway.SMS, gateway.LongCode, "0.05000 0.00000"},
		{"a country that has no line, by the kind of sender", "4915112345678", "DE", gateway.SMS, gateway.Alphanumeric, "0.06000 0.00000"},
		{"a country that is not known", "88213000000", "", gateway.SMS, gateway.LongCode, "0.05000 0.00000"},
		{"another service", "14155550100", "US", gateway.MMS, gateway.LongCode, "0.10000 0.00000"},
		{"a number that is shorter than prefixes", "14", "US", gateway.SMS, gateway.ShortCode, "0.00550 0.00300"},
	} {
		m := gateway.Message{To: test.to, Country: test.country, Service: test.service}
		got := table.Outbound(&m, &gateway.Number{Type: test.sender, Country: "US"})
		if text := got.Rate.String() + " " + got.Fee.String(); text != test.want {
			t.Errorf("%s: got %s, want %s", test.what, text, test.want)
		}
	}
}

func TestWhatComesInIsPricedByTheNumber(t *testing.T) {
	table := read(t, list)
	for _, test := range []struct {
		service gateway.Service
		number  gateway.Number
		want    string
	}{
		{gateway.SMS, gateway.Number{Number: "14155550100", Country: "US", Type: gateway.LongCode}, "0.00100"},
		{gateway.SMS, gateway.Number{Number: "18005550100", Country: "US", Type: gateway.TollFree}, "0.00200"},
		{gateway.MMS, gateway.Number{Number: "14155550100", Country: "US", Type: gateway.LongCode}, "0.00300"},
		{gateway.SMS, gateway.Number{Number: "4915112345678", Country: "DE", Type: gateway.LongCode}, "0.00000"},
	} {
		if got := table.Inbound(test.service, &test.number).Rate.String(); got != test.want {
			t.Errorf("%s for %s: %s, want %s", test.service, test.number.Number, got, test.want)
		}
	}
}

func TestNumbersHaveTheirRent(t *testing.T) {
	table := read(t, list)
	for kind, want := range map[gateway.NumberType][2]gateway.Money{
		gateway.LongCode: {80_000, 0}, gateway.TollFree: {100_000, 0}, gateway.ShortCode: {80_000, 50_000_000},
	} {
		monthly, once := table.Rental(&gateway.Number{Number: "1", Country: "US", Type: kind})
		if got := [2]gateway.Money{monthly, once}; got != want {
			t.Errorf("%s: %v, want %v", kind, got, want)
		}
	}
}

func TestQuoteOfACountry(t *testing.T) {
	table := read(t, list+"sms,,US,1416,Bay Mobile,,0.0075,\nsms,,US,1212,,tollfree,9,\nsms,,US,1213,,,0.1,\n")
	want := Quote{
		SMS: ServiceQuote{Inbound: 100, Outbound: 550, Networks: []NetworkQuote{{"Bay Mobile", 750}, {"1213", 10_000}}},
		MMS: ServiceQuote{Inbound: 300, Outbound: 10_000}, Local: 80_000, TollFree: 100_000,
	}
	if diff := gocmp.Diff(want, table.Quote("US")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := gocmp.Diff(Quote{SMS: ServiceQuote{Outbound: 5000}, MMS: ServiceQuote{Inbound: 300, Outbound: 10_000}}, table.Quote("DE")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestNoListPricesNothing(t *testing.T) {
	var table *Table
	number := gateway.Number{Number: "14155550100", Country: "US", Type: gateway.LongCode}
	monthly, once := table.Rental(&number)
	if !table.Outbound(&gateway.Message{To: "14155550100", Country: "US"}, &number).IsZero() || !table.Inbound(gateway.SMS, &number).IsZero() ||
		monthly != 0 || once != 0 {
		t.Error("something costs something")
	}
	if diff := gocmp.Diff(Quote{}, table.Quote("US")); diff != "" {
		t.Error(diff)
	}
}

// TestFindAgreesWithASearch holds the index against looking at every line.
func TestFindAgreesWithASearch(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		table := &Table{prices: map[key]gateway.Price{}}
		for range rapid.IntRange(0, 30).Draw(rt, "lines") {
			table.prices[drawKey(rt, rapid.StringOfN(rapid.RuneFrom([]rune("12")), 0, 4, -1).Draw(rt, "prefix"))] = gateway.Price{
				Rate: gateway.Money(rapid.Int64Range(1, 1_000_000).Draw(rt, "rate")),
			}
		}
		table.index()
		number := rapid.StringOfN(rapid.RuneFrom([]rune("12")), 0, 6, -1).Draw(rt, "number")
		of := drawKey(rt, "")
		if got, want := table.find(of, number), search(table, of, number); got != want {
			rt.Fatalf("got %s, want %s", got.Rate, want.Rate)
		}
	})
}

func drawKey(rt *rapid.T, prefix string) key {
	return key{
		item: item(rapid.IntRange(0, int(mms)).Draw(rt, "item")), inbound: rapid.Bool().Draw(rt, "inbound"), prefix: prefix,
		country: rapid.SampledFrom([]string{"", "US", "PR", "DE"}).Draw(rt, "country"),
		sender:  gateway.NumberType(rapid.IntRange(0, 2).Draw(rt, "sender")),
	}
}

func search(table *Table, of key, number string) (best gateway.Price) {
	most := -1
	for line, price := range table.prices {
		if line.item != of.item || line.inbound != of.inbound || len(line.prefix) > len(number) || number[:len(line.prefix)] != line.prefix {
			continue
		}
		fit := 100 * len(line.prefix)
		switch line.country {
		case of.country:
			fit += 30
		case gateway.Market(of.country):
			fit += 20
		case "":
			fit += 10
		default:
			continue
		}
		switch line.sender {
		case of.sender:
			fit += 2
		case 0:
		default:
			continue
		}
		if fit > most {
			most, best = fit, price
		}
	}
	return best
}

func BenchmarkOutbound(b *testing.B) {
	table := read(b, list)
	m, number := gateway.Message{To: "14155550100", Country: "US", Service: gateway.SMS}, gateway.Number{Type: gateway.LongCode}
	b.ReportAllocs()
	for b.Loop() {
		if table.Outbound(&m, &number).Rate != 750 {
			b.Fatal("wrong")
		}
	}
}
