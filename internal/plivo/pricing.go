package plivo

import (
	"net/http"
	"strconv"

	"github.com/heliograph/heliograph/internal/gateway"
	"github.com/heliograph/heliograph/internal/numbering"
	"github.com/heliograph/heliograph/internal/pricing"
)

// countryPricing is what things cost in a country, as the contract shows it.
type countryPricing struct {
	APIID       string         `json:"api_id"`
	Country     string         `json:"country"`
	CountryCode int            `json:"country_code"`
	CountryISO  string         `json:"country_iso"`
	Message     messagePricing `json:"message"`
	MMS         messagePricing `json:"mms"`
	Numbers     struct {
		Local    rate `json:"local"`
		TollFree rate `json:"tollfree"`
	} `json:"phone_numbers"`
	Voice voicePricing `json:"voice"`
}

type rate struct {
	Rate string `json:"rate"`
}

type messagePricing struct {
	Inbound  rate             `json:"inbound"`
	Outbound rate             `json:"outbound"`
	Networks []networkPricing `json:"outbound_networks_list"`
}

type networkPricing struct {
	GroupName string `json:"group_name"`
	Rate      string `json:"rate"`
}

// voicePricing is there for clients that look into it: no calls are carried here, so none has a rate.
type voicePricing struct {
	Inbound  voiceRates `json:"inbound"`
	Outbound struct {
		voiceRates
		Rates []struct{} `json:"rates"`
	} `json:"outbound"`
}

type voiceRates struct {
	IP       noRate `json:"ip"`
	Local    noRate `json:"local"`
	TollFree noRate `json:"tollfree"`
}

type noRate struct {
	Rate *string `json:"rate"` // null
}

// getPricing shows what the price list says of a country.
func (a *API) getPricing(c *call) (answer, error) {
	args, err := c.args()
	if err != nil {
		return answer{}, err
	}
	country, err := readCountry(args, "country_iso")
	if err != nil {
		return answer{}, err
	}
	if country == "" {
		return answer{}, gateway.Errorf(gateway.Invalid, "country_iso parameter not present")
	}
	code, ok := numbering.CallingCode(country)
	if !ok {
		return answer{}, errNotFound
	}
	quote := a.prices.Quote(country)
	body := countryPricing{
		APIID: c.id.String(), Country: countryName(country), CountryISO: country,
		Message: showServiceQuote(country, &quote.SMS), MMS: showServiceQuote(country, &quote.MMS),
	}
	if body.CountryCode, err = strconv.Atoi(code); err != nil {
		return answer{}, err
	}
	body.Numbers.Local, body.Numbers.TollFree = rate{quote.Local.String()}, rate{quote.TollFree.String()}
	body.Voice.Outbound.Rates = []struct{}{}
	return answer{http.StatusOK, body}, nil
}

// showServiceQuote lists the country as a whole first, then its networks.
func showServiceQuote(country string, q *pricing.ServiceQuote) messagePricing {
	networks := []networkPricing{{country, q.Outbound.String()}}
	for _, n := range q.Networks {
		networks = append(networks, networkPricing{n.Name, n.Rate.String()})
	}
	return messagePricing{Inbound: rate{q.Inbound.String()}, Outbound: rate{q.Outbound.String()}, Networks: networks}
}
