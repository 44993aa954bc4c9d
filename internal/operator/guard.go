package operator

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/heliograph/heliograph/internal/gateway"
	"github.com/heliograph/heliograph/internal/numbering"
)

// guardView is what guards an account, as the operator sees it.
type guardView struct {
	AuthID     string          `json:"auth_id"`
	Geo        geoView         `json:"geo"`
	Thresholds []thresholdView `json:"thresholds"`
	AlertURL   string          `json:"alert_url"`
}

type geoView struct {
	Others    *bool           `json:"others"` // null: as the main account, or the installation, has it
	Countries map[string]bool `json:"countries"`
}

// thresholdView is a threshold, as the operator gives it and sees it.
type thresholdView struct {
	Country string `json:"country_iso2,omitempty"`
	Prefix  string `json:"prefix,omitempty"`
	PerHour int    `json:"per_hour"`
}

func viewGuard(g *gateway.Guard) guardView {
	view := guardView{AuthID: string(g.Account), Geo: geoView{g.Geo.Others, g.Geo.Countries}, Thresholds: []thresholdView{}, AlertURL: g.AlertURL}
	if view.Geo.Countries == nil {
		view.Geo.Countries = map[string]bool{}
	}
	for _, t := range g.Thresholds {
		view.Thresholds = append(view.Thresholds, thresholdView(t))
	}
	return view
}

func (a *API) showGuard(r *http.Request) (int, any, error) {
	guard, err := a.Store.Guard(r.Context(), gateway.AccountID(r.PathValue("auth_id")))
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, viewGuard(&guard), nil
}

// guardChange is what the operator changes. What is absent stays.
type guardChange struct {
	Geo        *geoChange       `json:"geo"`
	Thresholds *[]thresholdView `json:"thresholds"` // replaced as a whole
	AlertURL   *string          `json:"alert_url"`
}

type geoChange struct {
	Others    optionalBool     `json:"others"`
	Countries map[string]*bool `json:"countries"` // each by itself; null: nothing is said about it any more
}

// optionalBool tells null from what is absent.
type optionalBool struct {
	given bool
	value *bool
}

// UnmarshalJSON is called when the field is there.
func (b *optionalBool) UnmarshalJSON(text []byte) error {
	b.given = true
	switch string(text) {
	case "null":
		b.value = nil
	case "true", "false":
		value := string(text) == "true"
		b.value = &value
	default:
		return gateway.Errorf(gateway.Invalid, "others must be true, false or null")
	}
	return nil
}

// Bounds of a guard.
const (
	maxThresholds = 200
	maxPerHour    = 1_000_000_000
	maxAlertURL   = 2048
)

// changeGuard changes what is given.
func (a *API) changeGuard(r *http.Request) (int, any, error) {
	var args guardChange
	if err := read(r, &args); err != nil {
		return 0, nil, err
	}
	if err := args.check(); err != nil {
		return 0, nil, err
	}
	guard, err := a.Store.ChangeGuard(r.Context(), gateway.AccountID(r.PathValue("auth_id")), func(g *gateway.Guard) error {
		args.apply(g)
		return nil
	})
	if err != nil {
		return 0, nil, err
	}
	a.Log.Info("an account's countries or thresholds changed", "account", guard.Account)
	if err := a.tellChange(r); err != nil {
		return 0, nil, err
	}
	return http.StatusOK, viewGuard(&guard), nil
}

func (c *guardChange) check() error {
	if c.Geo != nil {
		for country := range c.Geo.Countries {
			if !isCountry(country) {
				return gateway.Errorf(gateway.Invalid, "geo.countries: %q is no country such as US", country)
			}
		}
	}
	if c.AlertURL != nil && *c.AlertURL != "" && !isWebAddress(*c.AlertURL) {
		return gateway.Errorf(gateway.Invalid, "alert_url must be an absolute http or https URL of at most %d characters", maxAlertURL)
	}
	if c.Thresholds == nil {
		return nil
	}
	if len(*c.Thresholds) > maxThresholds {
		return gateway.Errorf(gateway.Invalid, "thresholds must have at most %d entries", maxThresholds)
	}
	seen := map[string]bool{}
	for _, t := range *c.Thresholds {
		if err := t.check(); err != nil {
			return err
		}
		if target := t.Country + t.Prefix; seen[target] {
			return gateway.Errorf(gateway.Invalid, "thresholds: %s is there twice", target)
		} else {
			seen[target] = true
		}
	}
	return nil
}

func (t *thresholdView) check() error {
	switch {
	case (t.Country == "") == (t.Prefix == ""):
		return gateway.Errorf(gateway.Invalid, "thresholds: each needs either country_iso2 or prefix")
	case t.Country != "" && t.Country != gateway.AnyCountry && !isCountry(t.Country):
		return gateway.Errorf(gateway.Invalid, "thresholds: %q is no country such as US, nor * for each country that no other names", t.Country)
	case strings.Trim(t.Prefix, "0123456789") != "" || len(t.Prefix) > 14:
		return gateway.Errorf(gateway.Invalid, "thresholds: prefix must be digits of an E.164 number without +")
	case t.PerHour < 1 || t.PerHour > maxPerHour:
		return gateway.Errorf(gateway.Invalid, "thresholds: per_hour must be a number from 1 to %d; a country is switched off in geo", maxPerHour)
	}
	return nil
}

// isCountry tells whether a code is that of a country with numbers of its own, in capital letters.
func isCountry(code string) bool {
	if len(code) != 2 || strings.ToUpper(code) != code {
		return false
	}
	_, ok := numbering.CallingCode(code)
	return ok
}

// isWebAddress tells whether a request can go to an address.
func isWebAddress(text string) bool {
	u, err := url.Parse(text)
	return err == nil && len(text) <= maxAlertURL && (u.Scheme == "http" || u.Scheme == "https") && u.Hostname() != "" &&
		!strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r == 0x7f })
}

func (c *guardChange) apply(g *gateway.Guard) {
	if c.Geo != nil {
		if c.Geo.Others.given {
			g.Geo.Others = c.Geo.Others.value
		}
		for country, allowed := range c.Geo.Countries {
			switch {
			case allowed == nil:
				delete(g.Geo.Countries, country)
			case g.Geo.Countries == nil:
				g.Geo.Countries = map[string]bool{country: *allowed}
			default:
				g.Geo.Countries[country] = *allowed
			}
		}
	}
	if c.Thresholds != nil {
		g.Thresholds = nil
		for _, t := range *c.Thresholds {
			g.Thresholds = append(g.Thresholds, gateway.Threshold(t))
		}
		slices.SortStableFunc(g.Thresholds, func(a, b gateway.Threshold) int { return strings.Compare(a.Country+a.Prefix, b.Country+b.Prefix) })
	}
	if c.AlertURL != nil {
		g.AlertURL = *c.AlertURL
	}
}
