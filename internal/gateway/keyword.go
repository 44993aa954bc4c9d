package gateway

import (
	"encoding/json"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Bounds of keywords and of their answers. The answers go out as messages of a few segments, whatever their alphabet.
const (
	MaxKeywords    = 20 // in a list
	MaxKeyword     = 32 // characters
	MaxKeywordText = 320
)

// Keyword is a word as inbound messages are compared with it: in upper case, single blanks in it. ok is false for what no message can be equal to, or has too
// many characters.
func Keyword(text string) (word string, ok bool) {
	word = strings.ToUpper(strings.Join(strings.Fields(text), " "))
	fits := func(r rune) bool { return r == ' ' || unicode.IsLetter(r) || unicode.IsMark(r) || unicode.IsDigit(r) }
	if n := utf8.RuneCountInString(word); n == 0 || n > MaxKeyword || strings.ContainsFunc(word, func(r rune) bool { return !fits(r) }) {
		return "", false
	}
	return word, true
}

// lists are the words of keywords, by what they ask for.
func (k *Keywords) lists() [3][]string { return [3][]string{k.OptOut, k.OptIn, k.Help} }

// Ambiguous is a word that is in two lists; empty: none is.
func (k *Keywords) Ambiguous() string {
	lists := k.lists()
	for i, list := range lists {
		for _, other := range lists[i+1:] {
			for _, word := range list {
				if slices.Contains(other, word) {
					return word
				}
			}
		}
	}
	return ""
}

// keywords are what an account told of a campaign's, in the words of its API. What cannot be a keyword, or an answer, is left out.
func (r *Registration) keywords() (k Keywords) {
	var told struct {
		OptOut     string `json:"optout_keywords"`
		OptOutText string `json:"optout_message"`
		OptIn      string `json:"optin_keywords"`
		OptInText  string `json:"optin_message"`
		Help       string `json:"help_keywords"`
		HelpText   string `json:"help_message"`
	}
	if json.Unmarshal(r.Details, &told) != nil {
		return Keywords{}
	}
	return Keywords{
		OptOut: keywordsIn(told.OptOut), OptIn: keywordsIn(told.OptIn), Help: keywordsIn(told.Help),
		OptOutText: answerIn(told.OptOutText), OptInText: answerIn(told.OptInText), HelpText: answerIn(told.HelpText),
	}
}

// keywordsIn takes a list apart that commas part.
func keywordsIn(list string) (words []string) {
	for text := range strings.SplitSeq(list, ",") {
		if word, ok := Keyword(text); ok && !slices.Contains(words, word) && len(words) < MaxKeywords {
			words = append(words, word)
		}
	}
	return words
}

func answerIn(text string) string {
	if text = strings.TrimSpace(text); utf8.RuneCountInString(text) > MaxKeywordText {
		return ""
	}
	return text
}
