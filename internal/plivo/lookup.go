package plivo

import (
	"net/http"

	"github.com/heliograph/heliograph/internal/gateway"
	"github.com/heliograph/heliograph/internal/numbering"
)

// lookedUp is what is known of a number, as the contract shows it. Networks are not asked: what numbering plans do not tell is null.
type lookedUp struct {
	APIID       string        `json:"api_id"`
	PhoneNumber string        `json:"phone_number"`
	Country     lookupCountry `json:"country"`
	Format      lookupFormat  `json:"format"`
	Carrier     lookupCarrier `json:"carrier"`
	ResourceURI string        `json:"resource_uri"`
}

type lookupCountry struct {
	ISO2 *string `json:"iso2"`
	ISO3 *string `json:"iso3"`
	Name *string `json:"name"`
}

type lookupFormat struct {
	E164          string `json:"e164"`
	International string `json:"international"`
	National      string `json:"national"`
	RFC3966       string `json:"rfc3966"`
}

type lookupCarrier struct {
	MobileCountryCode *string `json:"mobile_country_code"`
	MobileNetworkCode *string `json:"mobile_network_code"`
	Name              *string `json:"name"`
	Type              *string `json:"type"`
	Ported            *string `json:"ported"`
}

// unknownNumber is the answer about what is no number. It has a shape of its own, beside that of all refusals.
type unknownNumber struct {
	errorBody
	ErrorCode int    `json:"error_code"`
	Message   string `json:"message"`
}

// paramLookup is the place of the number in a path that names no account.
const paramLookup = 2

func (a *API) lookup(c *call) (answer, error) {
	args, err := c.args()
	if err != nil {
		return answer{}, err
	}
	kind, err := args.text("type")
	if err != nil {
		return answer{}, err
	}
	if kind != "" && !foldEqual(kind, "carrier") {
		return answer{}, gateway.Errorf(gateway.Invalid, "type must be carrier")
	}
	number := numbering.Sanitize(c.param(paramLookup))
	to, ok := numbering.Destination(number)
	facts, known := numbering.Lookup(number)
	if !ok || !known {
		const text = "Phone number is invalid or does not exist."
		return answer{http.StatusNotFound, unknownNumber{errorBody{c.id.String(), text}, http.StatusNotFound, text}}, nil
	}
	e164 := "+" + to.Number
	body := lookedUp{
		APIID: c.id.String(), PhoneNumber: e164, Format: lookupFormat{e164, facts.International, facts.National, facts.RFC3966},
		Carrier:     lookupCarrier{Name: stringOrNull(facts.Carrier), Type: stringOrNull(string(facts.Line))},
		ResourceURI: "/v1/Number/" + e164 + "?type=carrier",
	}
	if facts.Country != "" {
		name := countryName(facts.Country)
		body.Country = lookupCountry{&facts.Country, stringOrNull(iso3(facts.Country)), &name}
	}
	return answer{http.StatusOK, body}, nil
}
