package plivo

import (
	"net/http"
	"strings"

	"github.com/heliograph/heliograph/internal/gateway"
	"github.com/heliograph/heliograph/internal/numbering"
)

// pool is a number pool as the contract shows it.
type pool struct {
	APIID      string `json:"api_id"`
	UUID       string `json:"uuid"`
	Numbers    string `json:"numbers"`
	Shortcodes string `json:"shortcodes"`
	Tollfree   string `json:"tollfree"`
}

// poolNumber is a number in a pool. The pool's key is written in both spellings that clients know.
type poolNumber struct {
	APIID          string `json:"api_id,omitempty"` // alone only, not in lists
	NumberPoolUUID string `json:"number_pool_uuid"`
	NumberpoolUUID string `json:"numberpool_uuid"`
	Number         string `json:"number"`
	Type           string `json:"type"`
	Service        string `json:"service"`
	CountryISO2    string `json:"country_iso2"`
	AddedOn        string `json:"added_on"`
	Resource       string `json:"account_phone_number_resource"`
}

// poolShortcode is a short code in a pool. One client reads it from number, another from short_code.
type poolShortcode struct {
	APIID          string `json:"api_id,omitempty"` // alone only, not in lists
	NumberPoolUUID string `json:"number_pool_uuid"`
	Shortcode      string `json:"shortcode"`
	ShortCode      string `json:"short_code"`
	Number         string `json:"number"`
	CountryISO2    string `json:"country_iso2"`
	Service        string `json:"service"`
	AddedOn        string `json:"added_on"`
}

// shelf is one of the lists of a pool: its name in paths, and the types of numbers that it holds.
type shelf struct {
	segment string
	lists   []gateway.NumberType // shown when the list is asked for
	takes   []gateway.NumberType // may be added, retrieved and removed
}

// shelves are a pool's lists. Toll-free numbers have a list of their own, but clients that add, retrieve or remove them below Number are served.
func shelves() [3]shelf {
	return [...]shelf{
		{
			"Number",
			[]gateway.NumberType{gateway.LongCode, gateway.Alphanumeric},
			[]gateway.NumberType{gateway.LongCode, gateway.Alphanumeric, gateway.TollFree},
		},
		{"Tollfree", []gateway.NumberType{gateway.TollFree}, []gateway.NumberType{gateway.TollFree}},
		{"Shortcode", []gateway.NumberType{gateway.ShortCode}, []gateway.NumberType{gateway.ShortCode}},
	}
}

func (s *shelf) has(t gateway.NumberType) bool {
	for _, taken := range s.takes {
		if taken == t {
			return true
		}
	}
	return false
}

// shelfOf is the list that the path names.
func (c *call) shelfOf() *shelf {
	all := shelves()
	for i := range all {
		if foldEqual(all[i].segment, c.param(paramList)) {
			return &all[i]
		}
	}
	return &all[0]
}

// poolOf finds the powerpack whose pool the path names: by the pool's id, or below Powerpack by its own.
func (a *API) poolOf(c *call) (gateway.Powerpack, error) {
	if foldEqual(c.param(paramResource), "Powerpack") {
		return a.powerpackOf(c)
	}
	id, ok := gateway.ParseID(c.param(paramID))
	if !ok {
		return gateway.Powerpack{}, errNotFound
	}
	return a.store.PowerpackOfPool(c.context(), c.accountID(), id)
}

func (a *API) getPool(c *call) (answer, error) {
	p, err := a.poolOf(c)
	if err != nil {
		return answer{}, err
	}
	path := c.resource("/NumberPool/" + p.Pool.String() + "/")
	return answer{http.StatusOK, pool{c.id.String(), p.Pool.String(), path + "Number/", path + "Shortcode/", path + "Tollfree/"}}, nil
}

func (a *API) listPoolNumbers(c *call) (answer, error) {
	args, err := c.args()
	if err != nil {
		return answer{}, err
	}
	at, err := readPage(args)
	if err != nil {
		return answer{}, err
	}
	p, err := a.poolOf(c)
	if err != nil {
		return answer{}, err
	}
	list := c.shelfOf()
	filter := gateway.NumberFilter{Account: c.accountID(), Pool: p.Pool, Types: list.lists, Limit: at.limit, Offset: at.offset}
	some, err := readPoolFilters(args, list, &filter)
	if err != nil {
		return answer{}, err
	}
	numbers, total, err := a.numbers(c, filter, some)
	if err != nil {
		return answer{}, err
	}
	path := c.resource("/NumberPool/" + p.Pool.String() + "/" + list.segment + "/")
	body := poolNumberList{c.id.String(), poolMeta(newMeta(path, args, at, total)), showPoolNumbers(c, numbers)}
	return answer{http.StatusOK, body}, nil
}

// poolMeta writes an empty text at the ends, as lists of a pool do, where others write null.
func poolMeta(m meta) meta {
	none := ""
	if m.Next == nil {
		m.Next = &none
	}
	if m.Previous == nil {
		m.Previous = &none
	}
	return m
}

// poolNumberList is a page of a pool's list: of numbers or of short codes.
type poolNumberList struct {
	APIID   string `json:"api_id"`
	Meta    meta   `json:"meta"`
	Objects []any  `json:"objects"`
}

func showPoolNumbers(c *call, numbers []gateway.Number) []any {
	shown := make([]any, len(numbers))
	for i := range numbers {
		shown[i] = showPoolNumber(&numbers[i], c.account.ID, "")
	}
	return shown
}

// showPoolNumber writes a number in a pool; apiID is empty in lists.
func showPoolNumber(n *gateway.Number, account gateway.AccountID, apiID string) any {
	pool := n.Pool.String()
	if n.Type == gateway.ShortCode {
		return poolShortcode{
			APIID: apiID, NumberPoolUUID: pool, Shortcode: n.Number, ShortCode: n.Number, Number: n.Number, CountryISO2: n.Country,
			Service: n.Service.String(), AddedOn: stamp(n.AddedAt),
		}
	}
	return poolNumber{
		APIID: apiID, NumberPoolUUID: pool, NumberpoolUUID: pool, Number: n.Number, Type: lineType(n.Type), Service: n.Service.String(),
		CountryISO2: n.Country, AddedOn: stamp(n.AddedAt), Resource: "/v1/Account/" + string(account) + "/Number/" + n.Number + "/",
	}
}

// readPoolFilters reads what narrows a list of a pool. some is false when nothing can fit.
func readPoolFilters(args arguments, s *shelf, filter *gateway.NumberFilter) (some bool, err error) {
	some = true
	kind, err := args.text("type")
	if err != nil {
		return false, err
	}
	switch strings.ToLower(kind) {
	case "":
	case "fixed":
		filter.Types = []gateway.NumberType{gateway.LongCode}
	case "mobile": // no number of ours is one of a mobile network
		some = false
	case "toll-free", "tollfree":
		filter.Types = []gateway.NumberType{gateway.TollFree}
	default:
		return false, gateway.Errorf(gateway.Invalid, "type must be fixed, mobile or toll-free")
	}
	some = some && (len(filter.Types) != 1 || s.has(filter.Types[0]))
	if filter.Service, err = readPoolService(args, 0); err != nil {
		return false, err
	}
	if filter.Country, err = readCountry(args, "country_iso2"); err != nil {
		return false, err
	}
	filter.Prefixes, err = readPrefixes(args, filter.Country)
	return some, err
}

// maxPrefixes is how many prefixes starts_with may name.
const maxPrefixes = 10

// readPrefixes reads starts_with: prefixes without the country's calling code, which the country in turn gives.
func readPrefixes(args arguments, country string) ([]string, error) {
	prefixes, err := args.texts("starts_with", cutCommas)
	switch {
	case err != nil || len(prefixes) == 0:
		return nil, err
	case len(prefixes) > maxPrefixes:
		return nil, gateway.Errorf(gateway.Invalid, "starts_with may name at most %d prefixes", maxPrefixes)
	case country == "":
		return nil, gateway.Errorf(gateway.Invalid, "starts_with needs country_iso2")
	}
	code, ok := numbering.CallingCode(country)
	if !ok {
		return nil, gateway.Errorf(gateway.Invalid, "country_iso2 is not a country with telephone numbers")
	}
	for i, prefix := range prefixes {
		if strings.ContainsFunc(prefix, func(r rune) bool { return r < '0' || r > '9' }) {
			return nil, gateway.Errorf(gateway.Invalid, "starts_with must consist of digits")
		}
		prefixes[i] = code + prefix
	}
	return prefixes, nil
}

func readPoolService(args arguments, absent gateway.Service) (gateway.Service, error) {
	text, err := args.text("service")
	if err != nil || text == "" {
		return absent, err
	}
	service, ok := gateway.ParseService(strings.ToLower(text))
	if !ok {
		return 0, gateway.Errorf(gateway.Invalid, "service must be sms or mms")
	}
	return service, nil
}

// numberOf is the number that the path names; below Powerpack, a client may also give it as an argument.
func numberOf(c *call, args arguments) (string, error) {
	text := c.param(paramItem)
	if text == "" {
		var err error
		if text, err = args.text("number"); err != nil {
			return "", err
		}
		if text == "" {
			return "", gateway.Errorf(gateway.Invalid, "number parameter not present")
		}
	}
	return numbering.SanitizeSource(text), nil
}

func (a *API) getPoolNumber(c *call) (answer, error) {
	args, err := c.args()
	if err != nil {
		return answer{}, err
	}
	service, err := readPoolService(args, 0)
	if err != nil {
		return answer{}, err
	}
	p, err := a.poolOf(c)
	if err != nil {
		return answer{}, err
	}
	n, err := a.inPool(c, p, args, service)
	if err != nil {
		return answer{}, err
	}
	return answer{http.StatusOK, showPoolNumber(&n, c.accountID(), c.id.String())}, nil
}

// inPool finds the number that the path names in the list of the pool that it names. service 0 is any.
func (a *API) inPool(c *call, p gateway.Powerpack, args arguments, service gateway.Service) (gateway.Number, error) {
	number, err := numberOf(c, args)
	if err != nil {
		return gateway.Number{}, err
	}
	n, err := a.store.Number(c.context(), c.accountID(), number)
	if err == nil && (n.Pool != p.Pool || !c.shelfOf().has(n.Type) || service != 0 && service != n.Service) {
		err = errNotFound
	}
	return n, err
}

func (a *API) addPoolNumber(c *call) (answer, error) {
	args, err := c.args()
	if err != nil {
		return answer{}, err
	}
	service, err := readPoolService(args, gateway.SMS)
	if err != nil {
		return answer{}, err
	}
	rent, err := args.boolean("rent", false)
	if err != nil {
		return answer{}, err
	}
	number, err := numberOf(c, args)
	if err != nil {
		return answer{}, err
	}
	p, err := a.poolOf(c)
	if err != nil {
		return answer{}, err
	}
	if err := a.fits(c, number, rent); err != nil {
		return answer{}, err
	}
	n, err := a.store.AddToPool(c.context(), c.accountID(), p.Pool, number, service, rent, c.at)
	if err != nil {
		return answer{}, asInvalid(err)
	}
	if err := a.tellChange(c); err != nil {
		return answer{}, err
	}
	return answer{http.StatusOK, showPoolNumber(&n, c.accountID(), c.id.String())}, nil
}

// fits checks that a number is one of the account, or of the inventory when it is to be rented, and of a type that the list takes.
func (a *API) fits(c *call, number string, rent bool) error {
	n, err := a.store.Number(c.context(), c.accountID(), number)
	if rent && isNotFound(err) {
		n, err = a.store.Number(c.context(), "", number)
	}
	if err != nil {
		return err
	}
	if list := c.shelfOf(); !list.has(n.Type) {
		return gateway.Errorf(gateway.Invalid, "%s is a %s number: it does not belong below %s", n.Number, n.Type, list.segment)
	}
	return nil
}

func (a *API) removePoolNumber(c *call) (answer, error) {
	args, err := c.args()
	if err != nil {
		return answer{}, err
	}
	unrent, err := args.boolean("unrent", false)
	if err != nil {
		return answer{}, err
	}
	p, err := a.poolOf(c)
	if err != nil {
		return answer{}, err
	}
	n, err := a.inPool(c, p, args, 0)
	if err != nil {
		return answer{}, err
	}
	if err := a.store.RemoveFromPool(c.context(), c.accountID(), p.Pool, n.Number, unrent); err != nil {
		return answer{}, err
	}
	return a.gone(c)
}
