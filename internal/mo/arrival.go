package mo

import (
	"fmt"
	"strings"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
	"github.com/heliograph/heliograph/internal/tpdu"
)

// gap stands in a text for segments that did not come.
const gap = "[…]"

// arrive makes a message of its parts: a gateway.Receive.
func (s *Service) arrive(parts []gateway.InboundPart, to *gateway.Recipient) gateway.Arrival {
	now := s.Now()
	m := &gateway.Message{
		ID: s.IDs.Next(now), Account: to.Number.Account, Direction: gateway.Inbound, Service: parts[0].Service,
		From: parts[0].From, To: parts[0].To, Country: to.Number.Country, Powerpack: to.Powerpack,
		Carrier: parts[0].Carrier, Units: 1, AcceptedAt: now,
	}
	if app := &to.Application; app.ID != "" {
		m.Callback = app.Message
		if !app.LogIncoming {
			m.Log = gateway.LogNothing
		}
	}
	m.Price = s.Price(m.Service, &to.Number)
	m.Arrive(now)
	if m.Service == gateway.MMS {
		m.Text, m.Subject, m.MediaIDs = parts[0].Text, parts[0].Subject, gateway.IDTexts(parts[0].Media)
	} else {
		s.join(m, parts)
	}
	return understand(m, to, now)
}

// join makes the text of an SMS of its segments.
func (s *Service) join(m *gateway.Message, parts []gateway.InboundPart) {
	segments := make([]tpdu.Segment, len(parts))
	for i := range parts {
		p := &parts[i]
		segments[i] = tpdu.Segment{Number: max(p.Number, 1), Total: max(p.Total, 1), Octets: p.Data.Octets, Coding: tpdu.Coding{
			Alphabet: tpdu.Alphabet(p.Data.Alphabet), Locking: tpdu.Language(p.Data.Locking), Single: tpdu.Language(p.Data.Single),
		}}
		if segments[i].Alphabet == tpdu.UCS2 {
			m.Alphabet = gateway.UCS2
		}
	}
	var whole bool
	m.Text, whole = tpdu.Join(segments, gap)
	m.Units = len(parts)
	if !whole {
		m.Detail = fmt.Sprintf("%d of the message's %d segments came", len(parts), segments[0].Total)
		s.counts.partial.Add(1)
	}
}

// understand finds out what a message asks for by a keyword.
func understand(m *gateway.Message, to *gateway.Recipient, now time.Time) gateway.Arrival {
	a := gateway.Arrival{Message: m}
	words, on := vocabularyOf(to)
	if !on || m.Service == gateway.SMS && m.Detail != "" { // the rest of a text that lacks segments may be anything
		return a
	}
	found, ok := words.find(m.Text)
	if !ok {
		return a
	}
	m.Intent = found.intent
	if answerable(m.From) {
		a.Answer = found.answer
	}
	if m.Intent == gateway.HelpIntent || !digits(m.From) { // nobody writes to a name
		return a
	}
	a.OnlyIfChanged = true
	change := gateway.OptOutChange{
		OptOut: gateway.OptOut{
			Account: m.Account, Source: m.To, Person: m.From, At: now, Origin: gateway.ByKeyword, Word: found.word,
		},
		In: m.Intent == gateway.OptInIntent, Message: m.ID,
	}
	a.OptOuts = append(a.OptOuts, change) // the number's own too: it may leave its campaign, or the campaign may end
	if campaign := to.Number.Campaign; campaign != "" {
		change.Source = campaign
		a.OptOuts = append(a.OptOuts, change)
	}
	return a
}

// shortestAnswered is how many digits a sender has at least that is answered: shorter ones are services, which answer automatically too.
const shortestAnswered = 7

// answerable tells whether a person can be behind a sender.
func answerable(from string) bool {
	return len(from) >= shortestAnswered && digits(from)
}

func digits(text string) bool { return strings.Trim(text, "0123456789") == "" }
