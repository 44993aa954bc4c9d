package operator

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"slices"
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
	Network             *string  `json:"network,omitempty"`      // "" when it is not known
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
	by, ok := query.Get("by"), false
	if filter.By, ok = conversionGroups[by]; !ok && by != byNetwork {
		return 0, nil, gateway.Errorf(gateway.Invalid, "by must be carrier, sender, country or network")
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
	views, err := a.conversions(r.Context(), filter, by == byNetwork)
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, map[string]any{
		"conversions": views, "from": filter.After.UTC(), "until": filter.Before.UTC(), "window_seconds": int(a.ConversionWindow / time.Second),
	}, nil
}

// conversions counts, by what the filter says or by network.
func (a *API) conversions(ctx context.Context, filter gateway.ConversionFilter, networks bool) ([]conversionView, error) {
	if networks {
		return a.networkConversions(ctx, filter)
	}
	counts, err := a.Store.Conversions(ctx, filter)
	if err != nil {
		return nil, err
	}
	views := make([]conversionView, len(counts))
	for i := range counts {
		views[i] = viewConversions(&counts[i], filter.By)
	}
	return views, nil
}

// byNetwork groups by the networks that destinations are of. No row holds one: they are looked up when somebody asks, so that no message waits for
// that. Blocks of a thousand numbers are of one network, as countries give them out.
const byNetwork = "network"

// maxBlocks bounds how many blocks are read together.
const maxBlocks = 20_000

// network is a network of a country. Its name is empty where it is not known: numbers move between networks in most countries, and which one a number is
// in today is known to them alone.
type network struct{ country, name string }

func (a *API) networkConversions(ctx context.Context, filter gateway.ConversionFilter) ([]conversionView, error) {
	most := filter.Limit
	filter.By, filter.Limit = gateway.ByCountry, 0
	countries, err := a.Store.Conversions(ctx, filter)
	if err != nil {
		return nil, err
	}
	counts := map[network]*gateway.ConversionCount{}
	for i := range countries {
		if country := countries[i].Name; !numbering.NamesNetworks(country) {
			counts[network{country: country}] = &countries[i]
			continue
		}
		filter.Country = countries[i].Name
		if err := a.addBlocks(ctx, filter, counts); err != nil {
			return nil, err
		}
	}
	views := make([]conversionView, 0, len(counts))
	for of, count := range counts {
		view := viewConversions(count, gateway.ByCountry)
		view.Country, view.Network = &of.country, &of.name
		views = append(views, view)
	}
	slices.SortFunc(views, func(a, b conversionView) int {
		return cmp.Or(cmp.Compare(b.Messages, a.Messages), cmp.Compare(*a.Country, *b.Country), cmp.Compare(*a.Network, *b.Network))
	})
	return views[:min(most, len(views))], nil
}

// addBlocks adds the blocks of a country to the counts of its networks. Where there are many, it takes one half of the time after the other.
func (a *API) addBlocks(ctx context.Context, filter gateway.ConversionFilter, counts map[network]*gateway.ConversionCount) error {
	filter.Limit = maxBlocks + 1
	blocks, err := a.Store.ConversionBlocks(ctx, filter)
	if err != nil {
		return err
	}
	if half := filter.Before.Sub(filter.After) / 2; len(blocks) > maxBlocks && half > 0 {
		first, second := filter, filter
		first.Before = filter.After.Add(half)
		second.After = first.Before
		if err := a.addBlocks(ctx, first, counts); err != nil {
			return err
		}
		return a.addBlocks(ctx, second, counts)
	}
	for i := range blocks {
		block, of := &blocks[i], network{filter.Country, numbering.Network(blocks[i].Name)}
		sum := counts[of]
		if sum == nil {
			sum = &gateway.ConversionCount{}
			counts[of] = sum
		}
		sum.Converted += block.Converted
		sum.ConvertedWithOthers += block.ConvertedWithOthers
		sum.NotConverted += block.NotConverted
		sum.Pending += block.Pending
	}
	return ctx.Err()
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
