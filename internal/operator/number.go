package operator

import (
	"context"
	"encoding/json"
	"errors"
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

// Bounds of one call that puts numbers. The call is all or nothing, so a whole file of numbers must fit into one.
const (
	maxNumbers     = 200_000
	maxNumbersBody = 64 << 20
	maxRefused     = 100 // that an answer lists
)

// importTime is how long a call that puts numbers may take to arrive and to be answered: longer than others, for it may be large.
const importTime = 5 * time.Minute

// unhurried lets a request take its time.
func (a *API) unhurried(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		deadlines, until := http.NewResponseController(w), a.Now().Add(importTime)
		_, _ = deadlines.SetReadDeadline(until), deadlines.SetWriteDeadline(until) // what cannot is as quick as the server wants it
		next(w, r)
	}
}

// putNumbers adds numbers, or replaces the settings of those that are there: all of them or none. With dry_run it only tells whether it would.
func (a *API) putNumbers(r *http.Request) (int, any, error) {
	query, err := params(r, "dry_run")
	if err != nil {
		return 0, nil, err
	}
	dry, err := boolParam(query, "dry_run")
	if err != nil {
		return 0, nil, err
	}
	var args struct {
		Numbers []numberArgs `json:"numbers"`
	}
	body, err := readBody(r, maxNumbersBody)
	if err != nil {
		return 0, nil, err
	}
	if err := decode(body, &args); err != nil {
		return 0, nil, firstIllegible(body, err)
	}
	if len(args.Numbers) == 0 || len(args.Numbers) > maxNumbers {
		return 0, nil, gateway.Errorf(gateway.Invalid, "numbers must have 1 to %d entries", maxNumbers)
	}
	numbers, err := a.checkNumbers(args.Numbers)
	if err != nil {
		return 0, nil, err
	}
	names := make([]string, len(numbers))
	for i := range numbers {
		names[i] = numbers[i].Number
	}
	if dry {
		return http.StatusOK, map[string]any{"message": "checked, nothing changed", "numbers": names}, a.checkParties(r.Context(), numbers)
	}
	if err := a.Store.PutNumbers(r.Context(), numbers); err != nil {
		return 0, nil, a.explainRefusal(r.Context(), numbers, err)
	}
	a.logNumbers("numbers changed", names)
	if err := a.tellChange(r); err != nil {
		return 0, nil, err
	}
	return http.StatusOK, map[string]any{"message": "changed", "numbers": names}, nil
}

// firstIllegible finds the number that made a body illegible. Only a body that is refused is read twice.
func firstIllegible(body []byte, refusal error) error {
	var args struct {
		Numbers []json.RawMessage `json:"numbers"`
	}
	if decode(body, &args) != nil {
		return refusal
	}
	for i, raw := range args.Numbers {
		var n numberArgs
		if err := decode(raw, &n); err != nil {
			refused := refusedNumbers{}
			var setting *settingError
			if errors.As(err, &setting) {
				err = invalid(setting.field, "number %d of the call: %s", i+1, err)
			}
			refused.add(i, n.Number, err)
			return &refused
		}
	}
	return refusal
}

// checkNumbers checks all numbers of a call, as far as that needs no store.
func (a *API) checkNumbers(args []numberArgs) ([]gateway.Number, error) {
	numbers, refused := make([]gateway.Number, len(args)), refusedNumbers{}
	seen, now := make(map[string]struct{}, len(args)), a.Now()
	for i := range args {
		n, err := a.number(&args[i], now)
		if _, twice := seen[n.Number]; err == nil && twice {
			err = invalid("number", "%s is there twice", n.Number)
		}
		if err != nil {
			refused.add(i, args[i].Number, err)
		}
		seen[n.Number] = struct{}{}
		numbers[i] = n
	}
	return numbers, refused.verdict()
}

// checkParties checks that owners and campaigns exist and belong together, and that pools have one short code for a country, as the store does when it puts numbers.
func (a *API) checkParties(ctx context.Context, numbers []gateway.Number) error {
	accounts, err := a.Store.Accounts(ctx)
	if err != nil {
		return err
	}
	campaigns, err := a.Store.Campaigns(ctx)
	if err != nil {
		return err
	}
	known, owners := make(map[gateway.AccountID]bool, len(accounts)), make(map[string]gateway.AccountID, len(campaigns))
	for i := range accounts {
		known[accounts[i].ID] = true
	}
	for _, c := range campaigns {
		owners[c.ID] = c.Account
	}
	var refused refusedNumbers
	for i := range numbers {
		n := &numbers[i]
		switch {
		case n.Account != "" && !known[n.Account]:
			refused.add(i, n.Number, invalid("auth_id", "account %s does not exist", n.Account))
		case n.Campaign != "" && owners[n.Campaign] != n.Account:
			refused.add(i, n.Number, invalid("campaign", "campaign %s does not exist, or is not of the account that rents the number", n.Campaign))
		}
	}
	if err := a.checkShortCodes(ctx, numbers, &refused); err != nil {
		return err
	}
	return refused.verdict()
}

// checkShortCodes refuses short codes that would be the second of their country in a pool.
func (a *API) checkShortCodes(ctx context.Context, numbers []gateway.Number, refused *refusedNumbers) error {
	type place struct {
		pool    gateway.ID
		country string
	}
	given, taken := map[string]*gateway.Number{}, map[place]string{}
	for i := range numbers {
		given[numbers[i].Number] = &numbers[i]
	}
	read := map[gateway.ID]bool{} // pools, for those that the call does not name
	for i := range numbers {
		n := &numbers[i]
		if n.Type != gateway.ShortCode || n.Account == "" {
			continue
		}
		known, err := a.findNumber(ctx, n.Number)
		if isNotFound(err) || err == nil && (known.Pool.IsZero() || known.Account != n.Account) {
			continue
		} else if err != nil {
			return err
		}
		if !read[known.Pool] {
			read[known.Pool] = true
			others, _, err := a.Store.Numbers(ctx, gateway.NumberFilter{Pool: known.Pool, Types: []gateway.NumberType{gateway.ShortCode}, Limit: maxListed})
			if err != nil {
				return err
			}
			for _, other := range others {
				if given[other.Number] == nil {
					taken[place{known.Pool, other.Country}] = other.Number
				}
			}
		}
		at := place{known.Pool, n.Country}
		if other := taken[at]; other != "" {
			refused.add(i, n.Number, invalid("country_iso2", "country_iso2 of %s: its powerpack has a short code for %s already, %s", n.Number, n.Country, other))
		}
		taken[at] = n.Number
	}
	return nil
}

func isNotFound(err error) bool {
	var refusal *gateway.Error
	return errors.As(err, &refusal) && refusal.Code == gateway.NotFound
}

// explainRefusal finds out which numbers a store refused, and why; it stays at the store's word when that is not to be seen.
func (a *API) explainRefusal(ctx context.Context, numbers []gateway.Number, refusal error) error {
	var known *gateway.Error
	if !errors.As(refusal, &known) || known.Code != gateway.Invalid && known.Code != gateway.Conflict {
		return refusal
	}
	var found *refusedNumbers
	if errors.As(a.checkParties(ctx, numbers), &found) {
		return found
	}
	return refusal
}

// settingError is what is wrong with one setting.
type settingError struct {
	field   string
	refusal *gateway.Error
}

func (e *settingError) Error() string { return e.refusal.Text }
func (e *settingError) Unwrap() error { return e.refusal }

func invalid(field, format string, args ...any) error {
	return &settingError{field, gateway.Errorf(gateway.Invalid, format, args...)}
}

// refusedNumbers are the numbers for which a call is refused.
type refusedNumbers struct {
	list  []refusedNumber // the first of them
	total int
}

// refusedNumber is one of them.
type refusedNumber struct {
	Index  int    `json:"index"` // in the call's numbers, from 0
	Number string `json:"number"`
	Field  string `json:"field"`
	Error  string `json:"error"`
}

func (e *refusedNumbers) Error() string { return e.list[0].Error }

func (e *refusedNumbers) add(index int, number string, err error) {
	if e.total++; len(e.list) < maxRefused {
		refused := refusedNumber{Index: index, Number: number, Error: err.Error()}
		var setting *settingError
		if errors.As(err, &setting) {
			refused.Field = setting.field
		}
		e.list = append(e.list, refused)
	}
}

// verdict is the refusal; nil when there is none.
func (e *refusedNumbers) verdict() error {
	if e.total == 0 {
		return nil
	}
	return e
}

// number checks one number and completes it.
func (a *API) number(args *numberArgs, now time.Time) (gateway.Number, error) {
	number := numbering.SanitizeSource(args.Number)
	if _, ok := numbering.Source(number); !ok {
		return gateway.Number{}, invalid("number", "%q is no number, short code or alphanumeric sender", args.Number)
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
			return n, invalid("type", "type of %s must be longcode, tollfree, shortcode or alphanumeric", number)
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
	if len(args.Services) == 0 {
		n.Services = gateway.Services(gateway.SMS)
	}
	for _, name := range args.Services {
		s, ok := gateway.ParseService(strings.ToLower(name))
		if !ok {
			return invalid("services", "services of %s may hold sms and mms", n.Number)
		}
		n.Services |= gateway.Services(s)
	}
	if field, reason := Misfit(n); field != "" {
		return invalid(field, "%s", reason)
	}
	if err := setLimits(n, args); err != nil {
		return err
	}
	if n.Carrier != "" && !a.hasCarrier(n.Carrier) {
		return invalid("carrier", "carrier of %s: there is no carrier %q", n.Number, n.Carrier)
	}
	if n.Account != "" && !n.Account.Valid() {
		return invalid("auth_id", "auth_id of %s has not the form of an auth id", n.Number)
	}
	if n.Campaign != "" && (!isCampaignID(n.Campaign) || n.Account == "") {
		return invalid("campaign", "campaign of %s must be a campaign of the number's account", n.Number)
	}
	return nil
}

// setLimits sets the rate and the cap. Whoever sets a rate has agreed on what the number may send, so the default cap is not for it.
func setLimits(n *gateway.Number, args *numberArgs) error {
	if args.Rate != nil {
		if n.Rate, n.DailyCap = *args.Rate, 0; n.Rate < 0 {
			return invalid("rate", "rate of %s must be units per second, 0 for unlimited", n.Number)
		}
	}
	if args.DailyCap != nil {
		if n.DailyCap = *args.DailyCap; n.DailyCap < 0 {
			return invalid("daily_cap", "daily_cap of %s must be units per day, 0 for none", n.Number)
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
