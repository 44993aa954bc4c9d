package plivo

import (
	"net/http"
	"strings"

	"github.com/heliograph/heliograph/internal/gateway"
	"github.com/heliograph/heliograph/internal/numbering"
)

// optOut is a person's word that a source is not to write any more, as the API shows it. The whole resource is an addition of ours.
type optOut struct {
	Number     string `json:"number"`
	Source     string `json:"source"`
	OptedOutAt string `json:"opted_out_at"`
	Origin     string `json:"origin"`
	Keyword    string `json:"keyword"`
}

// changedOptOuts is the answer to a change.
type changedOptOuts struct {
	APIID   string `json:"api_id"`
	Message string `json:"message"`
	Changed int    `json:"changed"`
}

func (a *API) listOptOuts(c *call) (answer, error) {
	args, err := c.args()
	if err != nil {
		return answer{}, err
	}
	p, err := readPage(args)
	if err != nil {
		return answer{}, err
	}
	owner, err := a.readSubaccount(c, args)
	if err != nil {
		return answer{}, err
	}
	filter := gateway.OptOutFilter{Account: owner.ID, Limit: p.limit, Offset: p.offset}
	if filter.Person, err = readPerson(args, "number"); err != nil {
		return answer{}, err
	}
	source, err := args.text("source")
	if err != nil {
		return answer{}, err
	}
	filter.Source = sourceIn(source)
	if filter.After, filter.Before, _, err = readPeriod(args, "opted_out_at"); err != nil {
		return answer{}, err
	}
	found, total, err := a.store.OptOuts(c.context(), filter)
	if err != nil {
		return answer{}, err
	}
	body := list[optOut]{c.id.String(), newMeta(c.resource("/OptOut/"), args, p, total), make([]optOut, len(found))}
	for i, o := range found {
		body.Objects[i] = optOut{o.Person, o.Source, recordTime(o.At), o.Origin.String(), o.Word}
	}
	return answer{http.StatusOK, body}, nil
}

// readPerson reads a number that is not one of the account's, in the form that messages have it; "" when it is absent.
func readPerson(args arguments, name string) (string, error) {
	text, err := args.text(name)
	if err != nil || text == "" {
		return "", err
	}
	if to, ok := numbering.Destination(numbering.Sanitize(text)); ok {
		return to.Number, nil
	}
	number := numbering.SanitizeSource(text) // short codes and names write, too
	if number == "" {
		return "", gateway.Errorf(gateway.Invalid, "%s is not a number", name)
	}
	return number, nil
}

// sourceIn is a source as opt-outs have it: a number as its digits, anything else, such as the id of a campaign, as it is.
func sourceIn(text string) string {
	text = strings.TrimSpace(text)
	if digits := numbering.Sanitize(text); strings.Trim(digits, "0123456789") == "" {
		return digits
	}
	return text
}

func (a *API) addOptOuts(c *call) (answer, error) { return a.changeOptOuts(c, false) }

func (a *API) removeOptOuts(c *call) (answer, error) { return a.changeOptOuts(c, true) }

// changeOptOuts opts persons out of a source, or in again: all or none of them. It is well where that is so already.
func (a *API) changeOptOuts(c *call, in bool) (answer, error) {
	args, err := c.args()
	if err != nil {
		return answer{}, err
	}
	persons, err := readPersons(args)
	if err != nil {
		return answer{}, err
	}
	source, err := a.readSource(c, args, in)
	if err != nil {
		return answer{}, err
	}
	changes := make([]gateway.OptOutChange, len(persons))
	for i, person := range persons {
		changes[i] = gateway.OptOutChange{
			OptOut: gateway.OptOut{Account: c.accountID(), Source: source, Person: person, At: c.at, Origin: gateway.ByAccount}, In: in, Note: c.requester(),
		}
	}
	results, err := a.store.ChangeOptOuts(c.context(), changes)
	if err != nil {
		return answer{}, err
	}
	changed := changes[:0]
	for i, did := range results {
		if did {
			changed = append(changed, changes[i])
		}
	}
	if len(changed) > 0 {
		a.optedOut(changed)
	}
	message := "opted out"
	if in {
		message = "opted in"
	}
	return answer{http.StatusOK, changedOptOuts{c.id.String(), message, len(changed)}}, nil
}

// requester is the caller's address; "" where it is not known.
func (c *call) requester() string {
	if c.client.IsValid() {
		return c.client.String()
	}
	return ""
}

// readPersons reads whose opt-outs are changed.
func readPersons(args arguments) (persons []string, err error) {
	for _, name := range [...]string{"number", "numbers"} {
		given, err := args.texts(name, cutCommas)
		if err != nil {
			return nil, err
		}
		if len(persons)+len(given) > maxDestinations {
			return nil, gateway.Errorf(gateway.Invalid, "at most %d numbers are changed at once", maxDestinations)
		}
		for _, text := range given {
			to, ok := numbering.Destination(numbering.Sanitize(text))
			if !ok {
				return nil, gateway.Errorf(gateway.Invalid, "'%s' is not a valid phone number.", shortened(text))
			}
			persons = append(persons, to.Number)
		}
	}
	if len(persons) == 0 {
		return nil, missing("number")
	}
	return persons, nil
}

// readSource reads what is opted out of: a number of the account, or a campaign of its numbers. Opting in again may also name one that it has not any more.
func (a *API) readSource(c *call, args arguments, in bool) (string, error) {
	text, err := args.text("source")
	if err != nil {
		return "", err
	}
	source := sourceIn(text)
	if source == "" {
		return "", missing("source")
	}
	if in {
		return source, nil
	}
	owned, err := a.store.NumbersOf(c.context(), c.accountID(), []string{source})
	if err != nil || len(owned) > 0 {
		return source, err
	}
	_, err = a.store.Registration(c.context(), c.accountID(), gateway.RegisteredCampaign, source)
	if !isNotFound(err) {
		return source, err
	}
	_, total, err := a.store.Numbers(c.context(), gateway.NumberFilter{Account: c.accountID(), Campaign: source, Limit: 1})
	if err == nil && total == 0 {
		err = gateway.Errorf(gateway.Invalid, "source is neither a number of the account nor a campaign of its numbers")
	}
	return source, err
}
