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
	}
	cases := []struct {
		to      string
		sender  NumberType
		account AccountID
		want    string
	}{
		{"4420", LongCode, "MA1", "rest"},
		{"14155550123", LongCode, "MA1", "us"},
		{"14165550123", LongCode, "MA1", "ca us"},
		{"14155550123", TollFree, "MA1", "tf"},
		{"14165550123", TollFree, "MA1", "ca us"}, // the longer prefix wins over the type
		{"14155550123", TollFree, "MAVIP", "vip"},
	}
	for _, c := range cases {
		if got := strings.Join(routes.Carriers(c.to, c.sender, c.account), " "); got != c.want {
			t.Errorf("%s, %s, %s: got %q, want %q", c.to, c.sender, c.account, got, c.want)
		}
	}
	if got := (Routes{}).Carriers("1", LongCode, ""); got != nil {
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
