package mo

import (
	"slices"
	"strings"

	"github.com/heliograph/heliograph/internal/gateway"
)

// language is the usual words of a language, and what they are answered. Words are in upper case.
type language struct {
	optOut, optIn, help             []string
	optOutText, optInText, helpText string
}

// languages are the sets that senders can take. The English ones, and their answers, are those of the API reference (inbound and opt-out, section 4);
// STOPALL is added, as usual elsewhere.
var languages = map[string]*language{
	"en": {
		optOut:     []string{"STOP", "END", "QUIT", "CANCEL", "UNSUBSCRIBE", "UNSUB", "STOP ALL", "STOPALL"},
		optIn:      []string{"START", "YES", "RESUME", "UNSTOP", "GO"},
		help:       []string{"HELP", "INFO"},
		optOutText: "You have been unsubscribed and will not receive any more messages from this number.",
		optInText: "You have been resubscribed to receiving messages from this number. Reply HELP for help or STOP to stop receiving messages. " +
			"Message and data rates may apply.",
		helpText: "Text STOP to stop receiving messages from this number. Message and data rates may apply.",
	},
	"es": {
		optOut:     []string{"ALTO", "PARAR", "PARE", "BAJA", "CANCELAR", "DETENER", "SALIR"},
		optIn:      []string{"INICIAR", "INICIO", "COMENZAR", "ALTA", "SI", "SÍ"},
		help:       []string{"AYUDA"},
		optOutText: "Se ha dado de baja y no recibirá más mensajes de este número.",
		optInText:  "Vuelve a recibir mensajes de este número. Responda AYUDA para obtener ayuda o ALTO para dejar de recibirlos. Pueden aplicarse tarifas.",
		helpText:   "Envíe ALTO para dejar de recibir mensajes de este número. Pueden aplicarse tarifas.",
	},
	"fr": {
		optOut:     []string{"ARRET", "ARRÊT", "ARRETER", "ARRÊTER", "DESABONNER", "DÉSABONNER", "FIN"},
		optIn:      []string{"DEMARRER", "DÉMARRER", "COMMENCER", "REPRENDRE", "OUI"},
		help:       []string{"AIDE"},
		optOutText: "Vous êtes désabonné et ne recevrez plus de messages de ce numéro.",
		optInText:  "Vous recevez de nouveau les messages de ce numéro. Répondez AIDE pour de l'aide ou ARRET pour ne plus en recevoir. Des frais peuvent s'appliquer.",
		helpText:   "Envoyez ARRET pour ne plus recevoir de messages de ce numéro. Des frais peuvent s'appliquer.",
	},
}

// Languages are the names of the languages whose usual keywords a sender can take.
func Languages() []string { return []string{"en", "es", "fr"} }

// vocabulary is the words that hold for a number.
type vocabulary struct {
	languages []*language
	own       gateway.Keywords // where set, before the languages' words
}

// vocabularyOf is the words that hold for a recipient: its powerpack's, else its campaign's, else the usual ones. on is false where none hold: they are on by
// default for long codes and toll-free numbers of the United States and Canada, elsewhere where the powerpack or the campaign sets any.
func vocabularyOf(to *gateway.Recipient) (v vocabulary, on bool) {
	pack, campaign := &to.OfPowerpack, &to.OfCampaign
	if pack.Off || campaign.Off && pack.IsZero() {
		return v, false
	}
	set := !pack.IsZero() || !campaign.IsZero()
	if !set && !onByDefault(&to.Number) {
		return v, false
	}
	v.own = gateway.Keywords{
		OptOut: either(pack.OptOut, campaign.OptOut), OptIn: either(pack.OptIn, campaign.OptIn), Help: either(pack.Help, campaign.Help),
		OptOutText: text(pack.OptOutText, campaign.OptOutText), OptInText: text(pack.OptInText, campaign.OptInText),
		HelpText: text(pack.HelpText, campaign.HelpText), Languages: either(pack.Languages, campaign.Languages),
	}
	for _, name := range v.own.Languages {
		if l := languages[name]; l != nil {
			v.languages = append(v.languages, l)
		}
	}
	if len(v.languages) == 0 {
		v.languages = []*language{languages["en"]}
	}
	return v, true
}

func onByDefault(n *gateway.Number) bool {
	home := gateway.Market(n.Country)
	return (n.Type == gateway.LongCode || n.Type == gateway.TollFree) && (home == "US" || home == "CA")
}

func either(first, second []string) []string {
	if len(first) > 0 {
		return first
	}
	return second
}

func text(first, second string) string {
	if first != "" {
		return first
	}
	return second
}

// found is what a text asks for.
type found struct {
	intent gateway.Intent
	word   string
	answer string
}

// find looks whether a text is a keyword, as a whole. Words for opting out are found with blanks around them and punctuation behind them, for who wants to be
// left alone need not write well; the others as the API reference has it: no blank before them, no punctuation. The English words for opting out hold for
// everybody, besides own ones: carriers in the United States and Canada require them. Own words for the other two replace the usual ones.
func (v *vocabulary) find(message string) (f found, ok bool) {
	plain := strings.ToUpper(strings.TrimRight(message, " \t\r\n\u00a0"))
	bare := strings.Trim(plain, " \t\r\n\u00a0.,;:!\"'“”‘’…")
	if slices.Contains(v.own.OptOut, bare) {
		return found{gateway.OptOutIntent, bare, text(v.own.OptOutText, v.languages[0].optOutText)}, true
	}
	for _, l := range append(v.languages[:len(v.languages):len(v.languages)], languages["en"]) {
		if slices.Contains(l.optOut, bare) {
			return found{gateway.OptOutIntent, bare, text(v.own.OptOutText, l.optOutText)}, true
		}
	}
	if f, ok := v.findIn(gateway.OptInIntent, plain, v.own.OptIn, v.own.OptInText); ok {
		return f, true
	}
	return v.findIn(gateway.HelpIntent, plain, v.own.Help, v.own.HelpText)
}

// findIn looks for a word among own ones, or the languages' where there are none.
func (v *vocabulary) findIn(intent gateway.Intent, word string, own []string, ownText string) (f found, ok bool) {
	for _, l := range v.languages {
		usual, answer := l.optIn, l.optInText
		if intent == gateway.HelpIntent {
			usual, answer = l.help, l.helpText
		}
		if slices.Contains(either(own, usual), word) {
			return found{intent, word, text(ownText, answer)}, true
		}
	}
	return found{}, false
}
