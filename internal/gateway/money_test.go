package gateway

import (
	"math"
	"math/big"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestMoneyIsReadAndWrittenExactly(t *testing.T) {
	for text, want := range map[string]struct {
		amount Money
		prints string
	}{
		"0":                    {0, "0.00000"},
		"-0":                   {0, "0.00000"},
		"0.0055":               {550, "0.00550"},
		"0.00350":              {350, "0.00350"},
		"0.00001":              {1, "0.00001"},
		"-0.00001":             {-1, "-0.00001"},
		"25":                   {2_500_000, "25.00000"},
		"-12.5":                {-1_250_000, "-12.50000"},
		"007.1":                {710_000, "7.10000"},
		"1000000000000":        {MaxMoney, "1000000000000.00000"},
		"-1000000000000.00000": {-MaxMoney, "-1000000000000.00000"},
	} {
		if got, ok := ParseMoney(text); !ok || got != want.amount || got.String() != want.prints {
			t.Errorf("%q is %d %v, written %s", text, got, ok, got)
		}
	}
	for _, text := range []string{
		"", "-", ".", "1.", ".5", "+1", " 1", "1 ", "1e3", "0x1", "1,5", "1.2.3", "--1", "1.-2", "0.000001", "0.123456", "١", "NaN", "Inf",
		"1000000000000.00001", "99999999999999999999", "1_000",
	} {
		if got, ok := ParseMoney(text); ok {
			t.Errorf("%q is taken for %s", text, got)
		}
	}
	if got := Money(math.MinInt64).String(); got != "-92233720368547.75808" {
		t.Errorf("the least amount is written %s", got)
	}
}

func TestMoneyAgreesWithExactArithmetic(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		a, b := Money(rapid.Int64().Draw(rt, "a")), Money(rapid.Int64().Draw(rt, "b"))
		n := rapid.IntRange(0, math.MaxInt).Draw(rt, "n")
		exact := func(what string, got Money, want *big.Int) {
			switch {
			case want.IsInt64() && int64(got) != want.Int64():
				rt.Fatalf("%s is %d, want %s", what, got, want)
			case !want.IsInt64() && got != Money(math.MaxInt64) && got != Money(math.MinInt64):
				rt.Fatalf("%s is %d, want a bound for %s", what, got, want)
			case !want.IsInt64() && (got < 0) != (want.Sign() < 0):
				rt.Fatalf("%s is the wrong bound for %s", what, want)
			}
		}
		exact("the product", a.Times(n), new(big.Int).Mul(big.NewInt(int64(a)), big.NewInt(int64(n))))
		exact("the sum", a.Plus(b), new(big.Int).Add(big.NewInt(int64(a)), big.NewInt(int64(b))))

		m := Money(rapid.Int64Range(int64(-MaxMoney), int64(MaxMoney)).Draw(rt, "m"))
		if back, ok := ParseMoney(m.String()); !ok || back != m {
			rt.Fatalf("%s is read as %d %v", m, back, ok)
		}
	})
}

func TestCostIsRateAndFeeOfAllUnits(t *testing.T) {
	m := Message{Units: 3, Price: Price{Rate: 550, Fee: 300}}
	if got := m.Cost().String(); got != "0.02550" {
		t.Errorf("got %s", got)
	}
	m.Price = Price{Rate: math.MaxInt64, Fee: 1}
	prepaid := Wallet{Billing: Prepaid, Balance: MaxMoney}
	if prepaid.Covers(m.Cost()) {
		t.Error("a cost beyond all amounts is covered")
	}
}

func TestWalletCovers(t *testing.T) {
	for _, test := range []struct {
		wallet Wallet
		cost   Money
		want   bool
	}{
		{Wallet{Billing: Prepaid, Balance: 10, Held: 4}, 6, true},
		{Wallet{Billing: Prepaid, Balance: 10, Held: 4}, 7, false},
		{Wallet{Billing: Prepaid}, 0, true},
		{Wallet{Billing: Prepaid, Balance: -1}, 0, false},
		{Wallet{Billing: Postpaid, Balance: -10}, 6, true},
	} {
		if got := test.wallet.Covers(test.cost); got != test.want {
			t.Errorf("%+v covers %s: %v", test.wallet, test.cost, got)
		}
	}
}

func TestBillingHasTheNamesOfTheContract(t *testing.T) {
	for _, b := range []Billing{Postpaid, Prepaid} {
		if got, ok := ParseBilling(b.String()); !ok || got != b {
			t.Errorf("%s is read as %s %v", b, got, ok)
		}
	}
	if _, ok := ParseBilling("Prepaid"); ok {
		t.Error("names are exact")
	}
}

func TestCreditsStayWithinBounds(t *testing.T) {
	for _, test := range []struct {
		balance, amount Money
		want            string
	}{
		{0, MaxMoney, ""}, {1, MaxMoney, "beyond"}, {-MaxMoney, -1, "beyond"}, {MaxMoney, -MaxMoney, ""},
	} {
		err := CheckCredit(test.balance, test.amount)
		if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s and %s: %v", test.balance, test.amount, err)
		}
	}
}
