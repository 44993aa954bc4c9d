package gateway

import (
	"strings"
	"testing"
)

func TestRoutes(t *testing.T) {
	routes := Routes{
		{Prefix: "", Carriers: []string{"rest"}},
		{Prefix: "1", Carriers: []string{"us"}},
		{Prefix: "1416", Carriers: []string{"ca", "us"}},
		{Prefix: "1", Type: TollFree, Carriers: []string{"tf"}},
		{Prefix: "1", Account: "MAVIP", Carriers: []string{"vip"}},
		{Prefix: "1", Services: Services(MMS), Carriers: []string{"mmsc"}},
		{Prefix: "1647", Services: Services(SMS), Carriers: []string{"texts"}},
	}
	cases := []struct {
		to      string
		sender  NumberType
		account AccountID
		service Service
		want    string
	}{
		{"4420", LongCode, "MA1", SMS, "rest"},
		{"14155550123", LongCode, "MA1", SMS, "us"},
		{"14165550123", LongCode, "MA1", SMS, "ca us"},
		{"14155550123", TollFree, "MA1", SMS, "tf"},
		{"14165550123", TollFree, "MA1", SMS, "ca us"}, // the longer prefix wins over the type
		{"14155550123", TollFree, "MAVIP", SMS, "vip"},
		{"14155550123", LongCode, "MA1", MMS, "mmsc"},
		{"14155550123", TollFree, "MA1", MMS, "mmsc"},  // services win over the type,
		{"14155550123", LongCode, "MAVIP", MMS, "vip"}, // and the account over services
		{"14165550123", LongCode, "MA1", MMS, "ca us"},
		{"16475550123", LongCode, "MA1", SMS, "texts"},
		{"16475550123", LongCode, "MA1", MMS, "mmsc"}, // the longer one does not fit
		{"4420", LongCode, "MA1", MMS, "rest"},
	}
	for _, c := range cases {
		if got := strings.Join(routes.Carriers(c.to, c.sender, c.account, c.service), " "); got != c.want {
			t.Errorf("%s, %s, %s, %s: got %q, want %q", c.to, c.sender, c.account, c.service, got, c.want)
		}
	}
	if got := (Routes{}).Carriers("1", LongCode, "", SMS); got != nil {
		t.Errorf("no routes: %v", got)
	}
}

func TestAccountForms(t *testing.T) {
	id := NewAccountID([18]byte{0, 1, 2, 255, 254, 37, 36, 35})
	if !id.Valid() || id[:2] != "MA" {
		t.Errorf("%q is not a valid id", id)
	}
	for _, bad := range []AccountID{"", "MA", "XX345678901234567890", "MA34567890123456789", "MA3456789012345678901", "MAabcdefghijklmnopqr"} {
		if bad.Valid() {
			t.Errorf("%q passed", bad)
		}
	}
	if token := NewToken([TokenLength]byte{1, 200, 3}); !ValidToken(token) {
		t.Errorf("%q is not a valid token", token)
	}
	for _, bad := range []string{"", "short", strings.Repeat("a", 39) + " ", strings.Repeat("a", 39) + ":"} {
		if ValidToken(bad) {
			t.Errorf("%q passed", bad)
		}
	}
}
