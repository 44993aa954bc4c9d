package plivo

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/heliograph/heliograph/internal/gateway"
	"github.com/heliograph/heliograph/internal/mo"
)

// powerpackKeywords are the keywords of a powerpack's numbers, an addition of ours in the words of campaigns. An empty list or text is not set.
type powerpackKeywords struct {
	OptoutEnabled   bool     `json:"optout_enabled"`
	OptoutLanguages []string `json:"optout_languages"`
	OptoutKeywords  []string `json:"optout_keywords"`
	OptoutMessage   string   `json:"optout_message"`
	OptinKeywords   []string `json:"optin_keywords"`
	OptinMessage    string   `json:"optin_message"`
	HelpKeywords    []string `json:"help_keywords"`
	HelpMessage     string   `json:"help_message"`
}

func showKeywords(k *gateway.Keywords) powerpackKeywords {
	return powerpackKeywords{
		OptoutEnabled: !k.Off, OptoutLanguages: listOf(k.Languages), OptoutKeywords: listOf(k.OptOut), OptoutMessage: k.OptOutText,
		OptinKeywords: listOf(k.OptIn), OptinMessage: k.OptInText, HelpKeywords: listOf(k.Help), HelpMessage: k.HelpText,
	}
}

// listOf is the list as JSON has it: never null.
func listOf(texts []string) []string { return append([]string{}, texts...) }

// readKeywords changes what the arguments give. null changes nothing; an empty list or text takes it away.
func readKeywords(args arguments, k *gateway.Keywords) error {
	on, err := args.boolean("optout_enabled", !k.Off)
	if err != nil {
		return err
	}
	k.Off = !on
	if err := readLanguages(args, k); err != nil {
		return err
	}
	for _, list := range [...]struct {
		name string
		to   *[]string
	}{{"optout_keywords", &k.OptOut}, {"optin_keywords", &k.OptIn}, {"help_keywords", &k.Help}} {
		if err := readKeywordList(args, list.name, list.to); err != nil {
			return err
		}
	}
	for _, text := range [...]struct {
		name string
		to   *string
	}{{"optout_message", &k.OptOutText}, {"optin_message", &k.OptInText}, {"help_message", &k.HelpText}} {
		if err := readKeywordText(args, text.name, text.to); err != nil {
			return err
		}
	}
	if word := k.Ambiguous(); word != "" {
		return gateway.Errorf(gateway.Invalid, "the keyword %s is in two lists", word)
	}
	return nil
}

// changedTexts reads a list that takes the place of one that is there; given is false when it is absent or null.
func (a arguments) changedTexts(name string) (list []string, given bool, err error) {
	for i := len(a) - 1; i >= 0; i-- {
		if a[i].name == name {
			list, err = a.texts(name, cutCommas)
			return list, a[i].value.kind != isNull, err
		}
	}
	return nil, false, nil
}

func readLanguages(args arguments, k *gateway.Keywords) error {
	list, given, err := args.changedTexts("optout_languages")
	if err != nil || !given {
		return err
	}
	var languages []string
	for _, name := range list {
		name = strings.ToLower(name)
		if !slices.Contains(mo.Languages(), name) {
			return gateway.Errorf(gateway.Invalid, "optout_languages must be among %s", strings.Join(mo.Languages(), ", "))
		}
		if !slices.Contains(languages, name) {
			languages = append(languages, name)
		}
	}
	k.Languages = languages
	return nil
}

func readKeywordList(args arguments, name string, to *[]string) error {
	list, given, err := args.changedTexts(name)
	if err != nil || !given {
		return err
	}
	var words []string
	for _, text := range list {
		word, ok := gateway.Keyword(text)
		if !ok {
			return gateway.Errorf(gateway.Invalid, "%s must be words of letters and digits, each of at most %d characters", name, gateway.MaxKeyword)
		}
		if !slices.Contains(words, word) {
			words = append(words, word)
		}
	}
	if len(words) > gateway.MaxKeywords {
		return gateway.Errorf(gateway.Invalid, "%s must have at most %d words", name, gateway.MaxKeywords)
	}
	*to = words
	return nil
}

func readKeywordText(args arguments, name string, to *string) error {
	text, err := args.given(name)
	if err != nil || text == nil {
		return err
	}
	if utf8.RuneCountInString(*text) > gateway.MaxKeywordText {
		return gateway.Errorf(gateway.Invalid, "%s must have at most %d characters", name, gateway.MaxKeywordText)
	}
	*to = strings.TrimSpace(*text)
	return nil
}
