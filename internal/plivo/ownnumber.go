package plivo

import (
	"net/http"

	"github.com/heliograph/heliograph/internal/gateway"
	"github.com/heliograph/heliograph/internal/numbering"
)

// maxAdded bounds the numbers of one call.
const maxAdded = 1000

// addNumbers adds numbers that the account brings along, and which nobody has here: all or none. Those that it has already stay as they are. Whoever
// may call it can take any number that is not here yet, so the operator decides whether it is served; see Config.OwnNumbers.
func (a *API) addNumbers(c *call) (answer, error) {
	args, err := c.args()
	if err != nil {
		return answer{}, err
	}
	given, err := args.texts("numbers", cutCommas)
	switch {
	case err != nil:
		return answer{}, err
	case len(given) == 0:
		return answer{}, missing("numbers")
	case len(given) > maxAdded:
		return answer{}, gateway.Errorf(gateway.Invalid, "numbers has more than %d numbers", maxAdded)
	}
	owner, application, err := a.readNewOwner(c, args)
	if err != nil {
		return answer{}, err
	}
	numbers := make([]gateway.Number, len(given))
	for i, text := range given {
		if numbers[i], err = ownNumber(text); err != nil {
			return answer{}, err
		}
		numbers[i].Account, numbers[i].Application, numbers[i].AddedAt = owner, application, c.at
	}
	if err := a.store.AddNumbers(c.context(), numbers); err != nil {
		return answer{}, asInvalid(err)
	}
	if err := a.tellChange(c); err != nil {
		return answer{}, err
	}
	return answer{http.StatusAccepted, changed{c.id.String(), "changed"}}, nil
}

// ownNumber is a number as it is when nothing else is known of it: of the type and the place that its digits tell, at the rate of these, by whatever
// carrier the routes give. Short codes are taken to be of the United States.
func ownNumber(text string) (gateway.Number, error) {
	number := numbering.SanitizeSource(text)
	kind, ok := numbering.Source(number)
	to, phone := numbering.Destination(number)
	if isPhone := kind == gateway.LongCode || kind == gateway.TollFree; !ok || isPhone && (!phone || to.Number != number) {
		return gateway.Number{}, gateway.Errorf(gateway.Invalid, "The number %s is not a valid number", shortened(text))
	}
	n := gateway.Number{Number: number, Type: kind, Services: gateway.Services(gateway.SMS), Rate: -1, DailyCap: -1}
	switch kind {
	case gateway.ShortCode:
		n.Country = "US"
	case gateway.LongCode, gateway.TollFree:
		n.Country, n.Region, n.AreaCode = to.Country, to.Region, to.AreaCode
	}
	if kind != gateway.Alphanumeric && gateway.HasMMS(n.Country) {
		n.Services |= gateway.Services(gateway.MMS)
	}
	return n, nil
}
