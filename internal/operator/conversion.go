package operator

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
	"github.com/heliograph/heliograph/internal/numbering"
)

// conversionView says how the trackable messages of a group converted.
type conversionView struct {
	Carrier             string   `json:"carrier,omitempty"`
	Sender              string   `json:"sender,omitempty"`
	Country             *string  `json:"country_iso2,omitempty"` // "" when it is not known
	Messages            int      `json:"messages"`
	Converted           int      `json:"converted"`
	ConvertedWithOthers int      `json:"converted_with_others"`
	NotConverted        int      `json:"not_converted"`
	Pending             int      `json:"pending"` // no feedback, and the window is not over
	Rate                *float64 `json:"rate"`    // converted among those that are not pending; null: there are none
}

// conversionGroups are the names of what conversions are told apart by.
var conversionGroups = map[string]gateway.ConversionGroup{
	"": gateway.ByCarrier, "carrier": gateway.ByCarrier, "sender": gateway.BySender, "country": gateway.ByCountry,
}

// conversionRange is how far back conversions are counted when nothing else is asked for.
const conversionRange = 24 * time.Hour

func (a *API) listConversions(r *http.Request) (int, any, error) {
	query, err := params(r, "by", "auth_id", "carrier", "sender", "country_iso2", "from", "until", "limit")
	if err != nil {
		return 0, nil, err
	}
	now := a.Now()
	filter := gateway.ConversionFilter{
		Carrier: query.Get("carrier"), Sender: numbering.SanitizeSource(query.Get("sender")), Country: strings.ToUpper(query.Get("country_iso2")),
		Settled: now.Add(-a.ConversionWindow),
	}
	var ok bool
	if filter.By, ok = conversionGroups[query.Get("by")]; !ok {
		return 0, nil, gateway.Errorf(gateway.Invalid, "by must be carrier, sender or country")
	}
	if filter.Account, err = accountParam(query); err != nil {
		return 0, nil, err
	}
	if filter.Limit, err = intParam(query, "limit", 100, 1, 10_000); err != nil {
		return 0, nil, err
	}
	if filter.Before, err = timeParam(query, "until", now); err != nil {
		return 0, nil, err
	}
	if filter.After, err = timeParam(query, "from", filter.Before.Add(-conversionRange)); err != nil {
		return 0, nil, err
	}
	counts, err := a.Store.Conversions(r.Context(), filter)
	if err != nil {
		return 0, nil, err
	}
	views := make([]conversionView, len(counts))
	for i := range counts {
		views[i] = viewConversions(&counts[i], filter.By)
	}
	return http.StatusOK, map[string]any{
		"conversions": views, "from": filter.After.UTC(), "until": filter.Before.UTC(), "window_seconds": int(a.ConversionWindow / time.Second),
	}, nil
}

func viewConversions(c *gateway.ConversionCount, by gateway.ConversionGroup) conversionView {
	view := conversionView{
		Messages:  c.Converted + c.ConvertedWithOthers + c.NotConverted + c.Pending,
		Converted: c.Converted, ConvertedWithOthers: c.ConvertedWithOthers, NotConverted: c.NotConverted, Pending: c.Pending,
	}
	if rate, ok := c.Rate(); ok {
		view.Rate = &rate
	}
	switch by {
	case gateway.ByCarrier:
		view.Carrier = c.Name
	case gateway.BySender:
		view.Sender = c.Name
	case gateway.ByCountry:
		view.Country = &c.Name
	}
	return view
}

// timeParam reads a time out of a query: RFC 3339, or a day, which begins in UTC.
func timeParam(query url.Values, name string, absent time.Time) (time.Time, error) {
	text := query.Get(name)
	if text == "" {
		return absent, nil
	}
	for _, form := range [...]string{time.RFC3339, time.DateOnly} {
		if at, err := time.Parse(form, text); err == nil {
			return at, nil
		}
	}
	return time.Time{}, gateway.Errorf(gateway.Invalid, "%s must be a time such as 2026-05-06T07:00:00Z, or a day", name)
}
