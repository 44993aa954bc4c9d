package mm4

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestParseAddress(t *testing.T) {
	for _, c := range []struct {
		text string
		want Address
		bad  bool
	}{
		{text: "+14155550123/TYPE=PLMN@mms.example.net", want: PLMN("+14155550123", "mms.example.net")},
		{text: "+14155550123/type=plmn@MMS.Example.NET.", want: PLMN("+14155550123", "mms.example.net")},
		{text: "+14155550123/TYPE=PLMN", want: PLMN("+14155550123", "")},
		{text: " <+14155550123/TYPE=PLMN@mms.example.net> ", want: PLMN("+14155550123", "mms.example.net")},
		{text: `"Ann, at home" <+14155550123/TYPE=PLMN@mms.example.net>`, want: PLMN("+14155550123", "mms.example.net")},
		{text: `"+14155550123/TYPE=PLMN"@mms.example.net`, want: PLMN("+14155550123", "mms.example.net")},
		{text: "14155550123@mms.example.net", want: Address{User: "14155550123", Host: "mms.example.net"}},
		{text: "24246/TYPE=PLMN@mms.example.net", want: PLMN("24246", "mms.example.net")},
		{text: "192.0.2.7/TYPE=IPv4@mms.example.net", want: Address{User: "192.0.2.7", Type: "IPV4", Host: "mms.example.net"}},
		{text: "mms-system@[192.0.2.7]", want: Address{User: "mms-system", Host: "[192.0.2.7]"}},
		{text: "a/TYPE=PLMN/TYPE=PLMN@mms.example.net", bad: true},
		{text: "nobody", bad: true},
		{text: "", bad: true},
		{text: "@mms.example.net", bad: true},
		{text: "/TYPE=PLMN@mms.example.net", bad: true},
		{text: "+1415 5550123/TYPE=PLMN@mms.example.net", bad: true},
		{text: "+14155550123/TYPE=PLMN@mms.example.net>\r\nRCPT TO:<x@y", bad: true},
		{text: "a@b@mms.example.net", bad: true},
		{text: strings.Repeat("1", 65) + "@mms.example.net", bad: true},
		{text: "1@" + strings.Repeat("h", 256), bad: true},
		{text: "ann..lee@mms.example.net", bad: true},
	} {
		got, ok := ParseAddress(c.text)
		if ok == c.bad {
			t.Errorf("%q: ok is %v", c.text, ok)
		}
		if ok && got != c.want {
			t.Errorf("%q is %+v, want %+v", c.text, got, c.want)
		}
	}
}

func TestAddressList(t *testing.T) {
	text := `"Lee, Ann" <+14155550123/TYPE=PLMN@a.example>,, nobody at all ,+14155550124/TYPE=PLMN; x@b.example`
	want := []Address{PLMN("+14155550123", "a.example"), PLMN("+14155550124", ""), {User: "x", Host: "b.example"}}
	got, more := parseAddresses(text, 3)
	if diff := cmp.Diff(want, got); diff != "" || more {
		t.Errorf("more %v, %s", more, diff)
	}
	if _, more := parseAddresses(text, 2); !more {
		t.Error("a third address beyond a limit of two was not seen")
	}
}

// addresses are those that may be written.
func addresses(hostless bool) *rapid.Generator[Address] {
	return rapid.Custom(func(t *rapid.T) Address {
		a := Address{
			User: rapid.StringMatching(`\+?[0-9]{3,15}|[a-z][a-z0-9_+=-]{0,20}(\.[a-z0-9]{1,5})?`).Draw(t, "user"),
			Type: rapid.SampledFrom([]string{"", TypePLMN, TypePLMN, "IPV4"}).Draw(t, "type"),
			Host: rapid.StringMatching(`[a-z0-9]{1,10}(\.[a-z0-9-]{1,10}[a-z]){1,3}`).Draw(t, "host"),
		}
		if hostless && a.Type != "" && rapid.Bool().Draw(t, "hostless") {
			a.Host = ""
		}
		return a
	})
}

func TestAddressRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := addresses(true).Draw(t, "address")
		if err := want.check(); err != nil {
			t.Fatalf("%+v: %v", want, err)
		}
		got, ok := ParseAddress(want.String())
		if !ok || got != want {
			t.Fatalf("%q: ok %v, %+v", want, ok, got)
		}
	})
}
