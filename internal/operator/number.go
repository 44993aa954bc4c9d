package operator

import (
	"net/http"
	"strings"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
	"github.com/heliograph/heliograph/internal/numbering"
)

// numberArgs is a number as the operator gives it. What is absent follows from the number itself or has a default.
type numberArgs struct {
	Number   string   `json:"number"`
	Type     string   `json:"type"`
	Country  string   `json:"country_iso2"`
	Carrier  string   `json:"carrier"`
	Services []string `json:"services"`
	Rate     *float64 `json:"rate"`
	DailyCap *int     `json:"daily_cap"`
	Campaign string   `json:"campaign"`
	Paused   bool     `json:"paused"`
	AuthID   string   `json:"auth_id"`
}

// maxNumbers bounds the numbers of one call.
const maxNumbers = 10_000

// putNumbers adds numbers, or replaces the settings of those that are there: all of them or none.
func (a *API) putNumbers(r *http.Request) (int, any, error) {
	var args struct {
		Numbers []numberArgs `json:"numbers"`
	}
	if err := read(r, &args); err != nil {
		return 0, nil, err
	}
	if len(args.Numbers) == 0 || len(args.Numbers) > maxNumbers {
		return 0, nil, gateway.Errorf(gateway.Invalid, "numbers must have 1 to %d entries", maxNumbers)
	}
	numbers := make([]gateway.Number, len(args.Numbers))
	names := make([]string, len(args.Numbers))
	for i := range args.Numbers {
		n, err := a.number(&args.Numbers[i], a.Now())
		if err != nil {
			return 0, nil, err
		}
		numbers[i], names[i] = n, n.Number
	}
	if err := a.Store.PutNumbers(r.Context(), numbers); err != nil {
		return 0, nil, err
	}
	a.logNumbers("numbers changed", names)
	if err := a.tellChange(r); err != nil {
		return 0, nil, err
	}
	return http.StatusOK, map[string]any{"message": "changed", "numbers": names}, nil
}

// number checks one number and completes it.
func (a *API) number(args *numberArgs, now time.Time) (gateway.Number, error) {
	number := numbering.SanitizeSource(args.Number)
	if _, ok := numbering.Source(number); !ok {
		return gateway.Number{}, gateway.Errorf(gateway.Invalid, "%q is no number, short code or alphanumeric sender", args.Number)
	}
	country, region, area := numbering.Place(number)
	if args.Country != "" {
		country = strings.ToUpper(args.Country)
	}
	n := gateway.Number{
		Number: number, Type: numbering.Type(number), Country: country, Region: region, AreaCode: area, Carrier: args.Carrier,
		Rate: -1, DailyCap: -1, Campaign: args.Campaign, Paused: args.Paused, Account: gateway.AccountID(args.AuthID), AddedAt: now,
	}
	if args.Type != "" {
		t, ok := gateway.ParseNumberType(strings.ToLower(args.Type))
		if !ok {
			return n, gateway.Errorf(gateway.Invalid, "type of %s must be longcode, tollfree, shortcode or alphanumeric", number)
		}
		n.Type = t
	}
	if n.Type == gateway.ShortCode || n.Type == gateway.Alphanumeric {
		n.Region, n.AreaCode = "", ""
	}
	return n, a.completeNumber(&n, args)
}

// completeNumber checks what does not follow from the number itself.
func (a *API) completeNumber(n *gateway.Number, args *numberArgs) error {
	if n.Country == "" && n.Type == gateway.ShortCode {
		n.Country = "US"
	}
	if len(n.Country) != 2 && n.Type != gateway.Alphanumeric {
		return gateway.Errorf(gateway.Invalid, "country_iso2 of %s must be a country's two letters", n.Number)
	}
	if len(args.Services) == 0 {
		n.Services = gateway.Services(gateway.SMS)
	}
	for _, name := range args.Services {
		s, ok := gateway.ParseService(strings.ToLower(name))
		if !ok {
			return gateway.Errorf(gateway.Invalid, "services of %s may hold sms and mms", n.Number)
		}
		n.Services |= gateway.Services(s)
	}
	if err := setLimits(n, args); err != nil {
		return err
	}
	if n.Carrier != "" && !a.hasCarrier(n.Carrier) {
		return gateway.Errorf(gateway.Invalid, "carrier of %s: there is no carrier %q", n.Number, n.Carrier)
	}
	if n.Account != "" && !n.Account.Valid() {
		return gateway.Errorf(gateway.Invalid, "auth_id of %s has not the form of an auth id", n.Number)
	}
	if n.Campaign != "" && (!isCampaignID(n.Campaign) || n.Account == "") {
		return gateway.Errorf(gateway.Invalid, "campaign of %s must be a campaign of the number's account", n.Number)
	}
	return nil
}

// setLimits sets the rate and the cap. Whoever sets a rate has agreed on what the number may send, so the default cap is not for it.
func setLimits(n *gateway.Number, args *numberArgs) error {
	if args.Rate != nil {
		if n.Rate, n.DailyCap = *args.Rate, 0; n.Rate < 0 {
			return gateway.Errorf(gateway.Invalid, "rate of %s must be units per second, 0 for unlimited", n.Number)
		}
	}
	if args.DailyCap != nil {
		if n.DailyCap = *args.DailyCap; n.DailyCap < 0 {
			return gateway.Errorf(gateway.Invalid, "daily_cap of %s must be units per day, 0 for none", n.Number)
		}
	}
	return nil
}

func (a *API) hasCarrier(name string) bool {
	for _, c := range a.Queue.Carriers() {
		if c.Name == name {
			return true
		}
	}
	return false
}

func (a *API) pauseNumber(r *http.Request) (int, any, error) {
	return a.setPaused(r, true, "paused")
}

func (a *API) resumeNumber(r *http.Request) (int, any, error) {
	return a.setPaused(r, false, "resumed")
}

// setPaused pauses or resumes one number. What is so already is told again: the call before may have failed at that.
func (a *API) setPaused(r *http.Request, paused bool, done string) (int, any, error) {
	number := numbering.SanitizeSource(r.PathValue("number"))
	if err := a.Store.PauseNumber(r.Context(), number, paused); err != nil {
		return 0, nil, err
	}
	a.logNumbers("number "+done, []string{number})
	if err := a.tellChange(r); err != nil {
		return 0, nil, err
	}
	return http.StatusOK, map[string]string{"message": done}, nil
}

// logNumbers logs a change of numbers, of which a log never holds the whole.
func (a *API) logNumbers(what string, numbers []string) {
	names := make([]string, 0, len(numbers))
	for _, number := range logged(numbers) {
		names = append(names, masked(number))
	}
	a.Log.Info(what, "count", len(numbers), "numbers", names)
}

// masked covers the last three characters.
func masked(number string) string { return number[:max(0, len(number)-3)] + "***" }
