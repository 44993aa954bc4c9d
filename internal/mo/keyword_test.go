package mo

import (
	"strings"
	"testing"

	"github.com/heliograph/heliograph/internal/gateway"
)

func TestFind(t *testing.T) {
	us := gateway.Number{Type: gateway.LongCode, Country: "US"}
	usual := gateway.Recipient{Number: us}
	french := gateway.Recipient{Number: us, OfPowerpack: gateway.Keywords{Languages: []string{"fr"}}}
	own := gateway.Recipient{
		Number:      us,
		OfPowerpack: gateway.Keywords{OptOut: []string{"GENUG"}, OptIn: []string{"JA"}, OptInText: "Willkommen"},
		OfCampaign:  gateway.Keywords{OptIn: []string{"JOIN"}, OptOutText: "Bye", HelpText: "Call us"},
	}
	for _, test := range []struct {
		to     *gateway.Recipient
		text   string
		intent gateway.Intent
		word   string
		answer string // the beginning of it
	}{
		{&usual, "STOP", gateway.OptOutIntent, "STOP", "You have been unsubscribed"},
		{&usual, "  stop!\r\n", gateway.OptOutIntent, "STOP", "You have"},
		{&usual, "Stop all", gateway.OptOutIntent, "STOP ALL", "You have"},
		{&usual, "“Stop”.", gateway.OptOutIntent, "STOP", "You have"},
		{&usual, "STOP it", gateway.NoIntent, "", ""},
		{&usual, "please stop", gateway.NoIntent, "", ""},
		{&usual, "arret", gateway.NoIntent, "", ""},
		{&usual, "yes\n", gateway.OptInIntent, "YES", "You have been resubscribed"},
		{&usual, " yes", gateway.NoIntent, "", ""},
		{&usual, "yes!", gateway.NoIntent, "", ""},
		{&usual, "Help", gateway.HelpIntent, "HELP", "Text STOP"},
		{&usual, "", gateway.NoIntent, "", ""},
		{&usual, "...", gateway.NoIntent, "", ""},
		{&french, "arrêt", gateway.OptOutIntent, "ARRÊT", "Vous êtes"},
		{&french, "stop", gateway.OptOutIntent, "STOP", "You have"},
		{&french, "oui", gateway.OptInIntent, "OUI", "Vous recevez"},
		{&french, "yes", gateway.NoIntent, "", ""},
		{&own, "genug", gateway.OptOutIntent, "GENUG", "Bye"},
		{&own, "stop", gateway.OptOutIntent, "STOP", "Bye"},
		{&own, "ja", gateway.OptInIntent, "JA", "Willkommen"},
		{&own, "join", gateway.NoIntent, "", ""},
		{&own, "start", gateway.NoIntent, "", ""},
		{&own, "help", gateway.HelpIntent, "HELP", "Call us"},
	} {
		words, on := vocabularyOf(test.to)
		if !on {
			t.Fatalf("%q: no keywords hold", test.text)
		}
		got, ok := words.find(test.text)
		if ok != (test.intent != gateway.NoIntent) || got.intent != test.intent || got.word != test.word || !strings.HasPrefix(got.answer, test.answer) {
			t.Errorf("%q: got %+v, %v, want %+v", test.text, got, ok, test)
		}
	}
}

func TestWhereKeywordsHold(t *testing.T) {
	number := func(kind gateway.NumberType, country string) gateway.Recipient {
		return gateway.Recipient{Number: gateway.Number{Type: kind, Country: country}}
	}
	with := func(r gateway.Recipient, pack, campaign gateway.Keywords) gateway.Recipient {
		r.OfPowerpack, r.OfCampaign = pack, campaign
		return r
	}
	some, off := gateway.Keywords{HelpText: "x"}, gateway.Keywords{Off: true}
	for name, test := range map[string]struct {
		to gateway.Recipient
		on bool
	}{
		"long code":                  {number(gateway.LongCode, "US"), true},
		"of a territory":             {number(gateway.LongCode, "PR"), true},
		"toll-free":                  {number(gateway.TollFree, "CA"), true},
		"short code":                 {number(gateway.ShortCode, "US"), false},
		"short code with words":      {with(number(gateway.ShortCode, "US"), some, gateway.Keywords{}), true},
		"abroad":                     {number(gateway.LongCode, "GB"), false},
		"abroad with words":          {with(number(gateway.LongCode, "GB"), gateway.Keywords{}, some), true},
		"switched off":               {with(number(gateway.LongCode, "US"), off, some), false},
		"campaign off":               {with(number(gateway.LongCode, "US"), gateway.Keywords{}, off), false},
		"campaign off, powerpack on": {with(number(gateway.LongCode, "US"), some, off), true},
	} {
		if _, on := vocabularyOf(&test.to); on != test.on {
			t.Errorf("%s: %v", name, on)
		}
	}
}

// TestLanguages: no word asks for two things, and every language is whole.
func TestLanguages(t *testing.T) {
	for _, name := range Languages() {
		l := languages[name]
		seen := map[string]bool{}
		for _, list := range [][]string{l.optOut, l.optIn, l.help} {
			if len(list) == 0 {
				t.Errorf("%s lacks words", name)
			}
			for _, word := range list {
				if seen[word] || word != strings.ToUpper(word) {
					t.Errorf("%s: %q is there twice, or not in upper case", name, word)
				}
				seen[word] = true
			}
		}
		if l.optOutText == "" || l.optInText == "" || l.helpText == "" {
			t.Errorf("%s lacks an answer", name)
		}
	}
	if len(languages) != len(Languages()) {
		t.Error("a language has no name")
	}
}
