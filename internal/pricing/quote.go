package pricing

import (
	"github.com/heliograph/heliograph/internal/gateway"
)

// Quote is what the list says of a country.
type Quote struct {
	SMS, MMS        ServiceQuote
	Local, TollFree gateway.Money // rental of numbers a month
}

// ServiceQuote is what a unit costs from and to long codes, without carriers' fees.
type ServiceQuote struct {
	Inbound, Outbound gateway.Money
	Networks          []NetworkQuote // outbound: those that cost something else
}

// NetworkQuote is what a unit costs to a part of a country's numbers.
type NetworkQuote struct {
	Name string // what the list calls it, or else what its numbers begin with
	Rate gateway.Money
}

// Quote tells what the list says of a country.
func (t *Table) Quote(country string) Quote {
	local := gateway.Number{Country: country, Type: gateway.LongCode}
	tollFree := gateway.Number{Country: country, Type: gateway.TollFree}
	q := Quote{SMS: t.quoteService(gateway.SMS, &local), MMS: t.quoteService(gateway.MMS, &local)}
	q.Local, _ = t.Rental(&local)
	q.TollFree, _ = t.Rental(&tollFree)
	return q
}

func (t *Table) quoteService(service gateway.Service, local *gateway.Number) ServiceQuote {
	to := gateway.Message{Service: service, Country: local.Country}
	q := ServiceQuote{Inbound: t.Inbound(service, local).Rate, Outbound: t.Outbound(&to, local).Rate}
	if t == nil {
		return q
	}
	seen := map[NetworkQuote]bool{}
	for _, n := range t.networks {
		if n.item != itemOf(service) || n.inbound || n.country != local.Country || n.sender != 0 && n.sender != gateway.LongCode {
			continue
		}
		to.To = n.prefix
		quoted := NetworkQuote{Name: n.name, Rate: t.Outbound(&to, local).Rate}
		if quoted.Name == "" {
			quoted.Name = n.prefix
		}
		if !seen[quoted] {
			seen[quoted] = true
			q.Networks = append(q.Networks, quoted)
		}
	}
	return q
}
