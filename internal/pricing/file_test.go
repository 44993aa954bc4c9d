package pricing

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/heliograph/heliograph/internal/gateway"
)

// known stands for the countries that the program knows.
func known(country string) bool {
	return slices.Contains([]string{"US", "CA", "DE", "GB", "PR"}, country)
}

// rest are the lines that every list needs.
const rest = "sms,,*,,,,0.05,\nmms,,*,,,,0.1,\n"

const head = "item,direction,country,prefix,network,sender,rate,fee\n"

func read(t testing.TB, lines string) *Table {
	t.Helper()
	table, errs := Read(strings.NewReader(head+lines+rest), known)
	if len(errs) > 0 {
		t.Fatal(errors.Join(errs...))
	}
	return table
}

func TestColumnsComeInAnyOrder(t *testing.T) {
	file := "\ufeffrate, country ,item\r\n# the rest of the world\r\n0.05,*,sms\r\n\r\n 0.1 , *,mms\r\n0.0055,\"US\",sms\r\n"
	table, errs := Read(strings.NewReader(file), known)
	if len(errs) > 0 {
		t.Fatal(errors.Join(errs...))
	}
	if got := table.Quote("US"); got.SMS.Outbound != 550 || got.MMS.Outbound != 10_000 {
		t.Errorf("got %+v", got)
	}
}

func TestEveryBadLineIsTold(t *testing.T) {
	table, errs := Read(strings.NewReader(head+
		"sms,,US,,,,0.0055,0.003\n"+
		"fax,,US,,,,1,\n"+
		"sms,sideways,US,,,,1,\n"+
		"rental,inbound,US,,,,1,\n"+
		"sms,,us,,,,1,\n"+
		"sms,,,,,,1,\n"+
		"sms,,DE,+4915,,,1,\n"+
		"sms,,*,4915,,,1,\n"+
		"sms,,DE,,T-Mobile,,1,\n"+
		"sms,,DE,,,landline,1,\n"+
		"sms,,DE,,,,0.000001,\n"+
		"sms,,DE,,,,-1,x\n"+
		"rental,,DE,,,,1,1\n"+
		"sms,outbound,US,,,,0.0055,0.003\n"+
		"sms,,DE\n"+
		"sms,,DE,,,,\"1,\n"), known)
	var got []string
	for _, err := range errs {
		got = append(got, err.Error())
	}
	want := []string{
		"line 3: item: must be sms, mms, rental or setup",
		"line 4: direction: must be outbound, inbound or empty",
		"line 5: direction: only messages have one",
		"line 6: country: must be two capital letters of ISO 3166-1, or * for all others",
		"line 7: country: must be two capital letters of ISO 3166-1, or * for all others",
		"line 8: prefix: must be the first digits of E.164 numbers, without +",
		"line 9: prefix: needs a country",
		"line 10: network: names what numbers with a prefix belong to",
		"line 11: sender: must be longcode, tollfree, shortcode, alphanumeric or empty",
		"line 12: rate: must be a decimal from 0 to 10000.00000 with at most five decimals",
		"line 13: rate: must be a decimal from 0 to 10000.00000 with at most five decimals",
		"line 13: fee: must be a decimal from 0 to 10000.00000 with at most five decimals",
		"line 14: fee: only messages have carriers' fees",
		"line 15: line 2 gives a price for the same",
		"line 16: it has 3 fields and not 8, as the first line",
		"line 17: extraneous or missing \" in quoted-field",
	}
	if diff := gocmp.Diff(want, got); diff != "" || table != nil {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestBadFilesAreTold(t *testing.T) {
	for file, want := range map[string]string{
		"":                            "it is empty",
		"# only this\n":               "it is empty",
		"item,rate\n":                 "line 1: the column country is missing",
		"item,country,rate,colour\n":  `there is no column "colour"; known are item,`,
		"item,country,rate,rate\n":    "line 1: the column rate comes twice",
		head:                          "there is no price for sms to all other countries",
		head + "sms,,*,,,,0,\n":       "there is no price for mms to all other countries",
		head + "sms,,*,,,longcode,0,": "there is no price for sms to all other countries",
	} {
		if _, errs := Read(strings.NewReader(file), known); len(errs) == 0 || !strings.Contains(errors.Join(errs...).Error(), want) {
			t.Errorf("%q: %v", file, errs)
		}
	}
	broken := errors.New("the disk is gone")
	if _, errs := Read(iotest.ErrReader(broken), known); len(errs) != 1 || !errors.Is(errs[0], broken) {
		t.Errorf("a file that cannot be read: %v", errs)
	}
}

func FuzzRead(f *testing.F) {
	f.Add(head + rest)
	f.Add(head + "sms,,US,1415,X,longcode,0.1,0.2\n" + rest)
	f.Add("item,country,rate\nsms,*,0\nmms,*,\"0\n")
	f.Fuzz(func(t *testing.T, file string) {
		table, errs := Read(strings.NewReader(file), known)
		if (table == nil) != (len(errs) > 0) {
			t.Fatalf("a table %v and errors %v", table, errs)
		}
		number := gateway.Number{Number: "14155550100", Country: "US", Type: gateway.LongCode}
		p := table.Outbound(&gateway.Message{Service: gateway.SMS, To: "14155550199", Country: "US"}, &number)
		if p.Rate < 0 || p.Rate > gateway.MaxRate || p.Fee < 0 || p.Fee > gateway.MaxRate {
			t.Fatalf("a price of %+v", p)
		}
		table.Quote("US")
	})
}
