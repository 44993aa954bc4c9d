package gateway

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestKeyword(t *testing.T) {
	for _, test := range []struct{ text, word string }{
		{"stop", "STOP"},
		{" Stop   all ", "STOP ALL"},
		{"arrêt", "ARRÊT"},
		{"2", "2"},
		{strings.Repeat("x", 32), strings.Repeat("X", 32)},
		{strings.Repeat("x", 33), ""},
		{"", ""},
		{"  ", ""},
		{"stop!", ""},
		{"a\x00b", ""},
		{"👍", ""},
	} {
		if word, ok := Keyword(test.text); word != test.word || ok != (test.word != "") {
			t.Errorf("%q: %q, %v", test.text, word, ok)
		}
	}
}

func TestAmbiguousKeywords(t *testing.T) {
	for _, test := range []struct {
		k    Keywords
		want string
	}{
		{Keywords{}, ""},
		{Keywords{OptOut: []string{"A", "B"}, OptIn: []string{"C"}, Help: []string{"D"}}, ""},
		{Keywords{OptOut: []string{"A", "B"}, OptIn: []string{"B"}}, "B"},
		{Keywords{OptOut: []string{"A"}, Help: []string{"A"}}, "A"},
		{Keywords{OptIn: []string{"C", "A"}, Help: []string{"A"}}, "A"},
	} {
		if got := test.k.Ambiguous(); got != test.want {
			t.Errorf("%+v: %q", test.k, got)
		}
	}
}

// TestKeywordsOfCampaign: what an account told of its campaign holds for the campaign, as far as it can.
func TestKeywordsOfCampaign(t *testing.T) {
	many := strings.Repeat("A,", 3) + "b, c d ,,no!," + strings.Repeat("x", 33)
	for _, test := range []struct {
		details string
		want    Keywords
	}{
		{`{"optout_keywords":"` + many + `","optout_message":" Gone. ","optin_keywords":"join","optin_message":"Back.","help_keywords":"?","help_message":"Help."}`, Keywords{
			OptOut: []string{"A", "B", "C D"}, OptOutText: "Gone.", OptIn: []string{"JOIN"}, OptInText: "Back.", HelpText: "Help.",
		}},
		{`{"usecase":"2FA","optout_message":"` + strings.Repeat("x", MaxKeywordText+1) + `"}`, Keywords{}},
		{`{}`, Keywords{}},
		{`{"optout_keywords":7,"help_message":"x"}`, Keywords{}},
		{``, Keywords{}},
	} {
		r := Registration{ID: "CAMPAIG", Account: "MA000000000000000000", Details: []byte(test.details), Decision: Decision{Grant: Grant{Rate: 3, DailyCap: 4}}}
		want := Campaign{ID: r.ID, Account: r.Account, Rate: 3, DailyCap: 4, Keywords: test.want}
		if diff := cmp.Diff(want, r.Campaign()); diff != "" {
			t.Errorf("%s: %s", test.details, diff)
		}
	}
	var all []string
	for i := range MaxKeywords + 5 {
		all = append(all, "K"+strings.Repeat("I", i))
	}
	r := Registration{Details: []byte(`{"help_keywords":"` + strings.Join(all, ",") + `"}`)}
	if got := r.Campaign().Keywords.Help; len(got) != MaxKeywords {
		t.Errorf("%d keywords", len(got))
	}
}
