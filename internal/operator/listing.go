package operator

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
	"github.com/heliograph/heliograph/internal/numbering"
)

// Pages of the list of numbers.
const (
	defaultListed = 100
	maxListed     = 1000
	maxOffset     = 100_000_000
)

// numberView is a number with all its settings, under the names by which they are set, and what follows from them.
type numberView struct {
	Number      string     `json:"number"`
	Type        string     `json:"type"`
	Country     string     `json:"country_iso2"`
	Region      string     `json:"region"`
	AreaCode    string     `json:"area_code"`
	Services    []string   `json:"services"`
	Carrier     string     `json:"carrier"`
	Rate        *float64   `json:"rate"`                // null: the default of its type
	DailyCap    *int       `json:"daily_cap"`           // null: the default of its type
	RateApplied float64    `json:"effective_rate"`      // units a second; 0: unlimited
	CapApplied  int        `json:"effective_daily_cap"` // units a day; 0: none
	Campaign    string     `json:"campaign"`
	Paused      bool       `json:"paused"`
	AuthID      string     `json:"auth_id"` // empty: in the inventory
	Pool        string     `json:"number_pool_uuid"`
	PoolService string     `json:"number_pool_service"` // what it was put into the pool for
	AddedAt     time.Time  `json:"added_on"`
	RentedAt    *time.Time `json:"rented_on"`
}

func viewNumber(n *gateway.Number) numberView {
	view := numberView{
		Number: n.Number, Type: n.Type.String(), Country: n.Country, Region: n.Region, AreaCode: n.AreaCode, Services: []string{}, Carrier: n.Carrier,
		RateApplied: n.Limit().Rate, CapApplied: n.Cap(), Campaign: n.Campaign, Paused: n.Paused, AuthID: string(n.Account),
		PoolService: n.Service.String(), AddedAt: n.AddedAt.UTC(), RentedAt: moment(n.RentedAt),
	}
	for _, s := range n.Services.List() {
		view.Services = append(view.Services, s.String())
	}
	if n.Rate >= 0 {
		view.Rate = &n.Rate
	}
	if n.DailyCap >= 0 {
		view.DailyCap = &n.DailyCap
	}
	if !n.Pool.IsZero() {
		view.Pool = n.Pool.String()
	}
	return view
}

// listNumbers shows numbers in the order in which they were added.
func (a *API) listNumbers(r *http.Request) (int, any, error) {
	query, err := params(r, "auth_id", "inventory", "type", "country_iso2", "prefix", "campaign", "number_pool_uuid", "limit", "offset")
	if err != nil {
		return 0, nil, err
	}
	filter, err := numberFilter(query)
	if err != nil {
		return 0, nil, err
	}
	numbers, total, err := a.Store.Numbers(r.Context(), filter)
	if err != nil {
		return 0, nil, err
	}
	views := make([]numberView, len(numbers))
	for i := range numbers {
		views[i] = viewNumber(&numbers[i])
	}
	return http.StatusOK, map[string]any{"numbers": views, "total": total}, nil
}

// showNumber shows one number.
func (a *API) showNumber(r *http.Request) (int, any, error) {
	n, err := a.findNumber(r.Context(), numbering.SanitizeSource(r.PathValue("number")))
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, viewNumber(&n), nil
}

// findNumber reads one number, whoever has it. A store finds numbers by how they begin, and a short code may be the beginning of many.
func (a *API) findNumber(ctx context.Context, number string) (gateway.Number, error) {
	filter := gateway.NumberFilter{Prefixes: []string{number}, Limit: maxListed}
	for number != "" {
		found, total, err := a.Store.Numbers(ctx, filter)
		if err != nil {
			return gateway.Number{}, err
		}
		for _, n := range found {
			if n.Number == number {
				return n, nil
			}
		}
		if filter.Offset += len(found); len(found) == 0 || filter.Offset >= total {
			break
		}
	}
	return gateway.Number{}, gateway.Errorf(gateway.NotFound, "not found")
}

// numberFilter reads which numbers are wanted.
func numberFilter(query url.Values) (filter gateway.NumberFilter, err error) {
	if filter.Limit, filter.Offset, err = pageParams(query); err != nil {
		return filter, err
	}
	if filter.Account, err = accountParam(query); err != nil {
		return filter, err
	}
	if filter.Inventory, err = boolParam(query, "inventory"); err != nil {
		return filter, err
	}
	if filter.Inventory && filter.Account != "" {
		return filter, gateway.Errorf(gateway.Invalid, "a number is of an account or in the inventory: give one of auth_id and inventory")
	}
	if text := query.Get("type"); text != "" {
		t, ok := gateway.ParseNumberType(strings.ToLower(text))
		if !ok {
			return filter, gateway.Errorf(gateway.Invalid, "type must be longcode, tollfree, shortcode or alphanumeric")
		}
		filter.Types = []gateway.NumberType{t}
	}
	if filter.Country = strings.ToUpper(query.Get("country_iso2")); filter.Country != "" && len(filter.Country) != 2 {
		return filter, gateway.Errorf(gateway.Invalid, "country_iso2 must be a country's two letters")
	}
	filter.Campaign = query.Get("campaign")
	if text := query.Get("prefix"); text != "" {
		prefix := numbering.SanitizeSource(text)
		if prefix == "" {
			return filter, gateway.Errorf(gateway.Invalid, "prefix must be what a number begins with")
		}
		filter.Prefixes = []string{prefix}
	}
	if text := query.Get("number_pool_uuid"); text != "" {
		pool, ok := gateway.ParseID(text)
		if !ok {
			return filter, gateway.Errorf(gateway.Invalid, "number_pool_uuid must be a UUID")
		}
		filter.Pool = pool
	}
	return filter, nil
}
