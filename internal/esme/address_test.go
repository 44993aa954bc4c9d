package esme

import (
	"testing"

	"github.com/heliograph/heliograph/internal/smpp"
)

func TestAddresses(t *testing.T) {
	plain := Config{}.withDefaults()
	odd := Config{
		LongCode: &Numbering{2, 8}, TollFree: &Numbering{4, 3}, ShortCode: &Numbering{6, 9}, Alphanumeric: &Numbering{5, 1},
		Destination: &Numbering{0, 0},
	}.withDefaults()
	cases := []struct {
		from       string
		plain, odd Numbering
	}{
		{"14155550100", Numbering{1, 1}, Numbering{2, 8}},
		{"4915112345678", Numbering{1, 1}, Numbering{2, 8}},
		{"18005550100", Numbering{1, 1}, Numbering{4, 3}},
		{"18885550100", Numbering{1, 1}, Numbering{4, 3}},
		{"18225550100", Numbering{1, 1}, Numbering{2, 8}},
		{"4980055501", Numbering{1, 1}, Numbering{2, 8}},
		{"1234567", Numbering{1, 1}, Numbering{2, 8}},
		{"555444", Numbering{3, 0}, Numbering{6, 9}},
		{"911", Numbering{3, 0}, Numbering{6, 9}},
		{"Acme", Numbering{5, 0}, Numbering{5, 1}},
		{"4YOU", Numbering{5, 0}, Numbering{5, 1}},
		{"", Numbering{5, 0}, Numbering{5, 1}},
	}
	for _, tc := range cases {
		if got, want := plain.source(tc.from), (smpp.Address{TON: tc.plain.TON, NPI: tc.plain.NPI, Addr: tc.from}); got != want {
			t.Errorf("%q: got %+v, want %+v", tc.from, got, want)
		}
		if got, want := odd.source(tc.from), (smpp.Address{TON: tc.odd.TON, NPI: tc.odd.NPI, Addr: tc.from}); got != want {
			t.Errorf("%q with settings: got %+v, want %+v", tc.from, got, want)
		}
	}
	if got := plain.destination("14155550123"); got != (smpp.Address{TON: 1, NPI: 1, Addr: "14155550123"}) {
		t.Errorf("destination: got %+v", got)
	}
	if got := odd.destination("14155550123"); got != (smpp.Address{Addr: "14155550123"}) {
		t.Errorf("destination with settings: got %+v", got)
	}
}
