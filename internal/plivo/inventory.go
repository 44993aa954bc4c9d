package plivo

import (
	"net/http"
	"strings"

	"github.com/heliograph/heliograph/internal/gateway"
	"github.com/heliograph/heliograph/internal/numbering"
)

// phoneNumber is a number of the inventory as the contract shows it.
type phoneNumber struct {
	Number                string  `json:"number"`
	Prefix                string  `json:"prefix"`
	City                  string  `json:"city"`
	Country               string  `json:"country"`
	Region                string  `json:"region"`
	RateCenter            *string `json:"rate_center"`
	LATA                  *int    `json:"lata"`
	Type                  string  `json:"type"`
	MonthlyRentalRate     string  `json:"monthly_rental_rate"`
	SetupRate             string  `json:"setup_rate"`
	SMSEnabled            bool    `json:"sms_enabled"`
	SMSRate               *string `json:"sms_rate"`
	MMSEnabled            bool    `json:"mms_enabled"`
	MMSRate               *string `json:"mms_rate"`
	VoiceEnabled          bool    `json:"voice_enabled"`
	VoiceRate             *string `json:"voice_rate"`
	Restriction           *string `json:"restriction"`
	RestrictionText       *string `json:"restriction_text"`
	ComplianceRequirement *string `json:"compliance_requirement"`
	HAEnabled             bool    `json:"ha_enabled"`
	ResourceURI           string  `json:"resource_uri"`
}

func (a *API) showPhoneNumber(c *call, n *gateway.Number) phoneNumber {
	monthly, once := a.prices.Rental(n)
	return phoneNumber{
		Number: n.Number, Prefix: n.AreaCode, Country: strings.ToUpper(countryName(n.Country)), Region: regionOrCountry(n.Country, n.Region),
		Type: lineType(n.Type), MonthlyRentalRate: monthly.String(), SetupRate: once.String(),
		SMSEnabled: n.Services.Has(gateway.SMS), SMSRate: a.rateOf(n, gateway.SMS),
		MMSEnabled: n.Services.Has(gateway.MMS), MMSRate: a.rateOf(n, gateway.MMS),
		ResourceURI: c.resource("/PhoneNumber/" + n.Number + "/"),
	}
}

// lineType is a type in the words of pools and searches.
func lineType(t gateway.NumberType) string {
	if t == gateway.TollFree {
		return "tollfree"
	}
	return "fixed"
}

// searchInventory lists numbers that can be rented.
func (a *API) searchInventory(c *call) (answer, error) {
	args, err := c.args()
	if err != nil {
		return answer{}, err
	}
	p, err := readPage(args)
	if err != nil {
		return answer{}, err
	}
	filter := gateway.NumberFilter{Inventory: true, Limit: p.limit, Offset: p.offset}
	some, err := readSearch(args, &filter)
	if err != nil {
		return answer{}, err
	}
	found, total, err := a.numbers(c, filter, some)
	if err != nil {
		return answer{}, err
	}
	body := list[phoneNumber]{c.id.String(), newMeta(c.resource("/PhoneNumber/"), args, p, total), make([]phoneNumber, len(found))}
	for i := range found {
		body.Objects[i] = a.showPhoneNumber(c, &found[i])
	}
	return answer{http.StatusOK, body}, nil
}

// readSearch reads what numbers are looked for. some is false when nothing can fit.
func readSearch(args arguments, filter *gateway.NumberFilter) (some bool, err error) {
	if filter.Country, err = readCountry(args, "country_iso"); err != nil {
		return false, err
	}
	if filter.Country == "" {
		return false, gateway.Errorf(gateway.Invalid, "country_iso parameter not present")
	}
	code, ok := numbering.CallingCode(filter.Country)
	if !ok {
		return false, gateway.Errorf(gateway.Invalid, "country_iso is not a country with telephone numbers")
	}
	if err := readPattern(args, code, filter); err != nil {
		return false, err
	}
	some = true
	for _, read := range [...]func(arguments, *gateway.NumberFilter) (bool, error){readSearchType, readServices, readRegion, readUncharted} {
		fits, err := read(args, filter)
		if err != nil {
			return false, err
		}
		some = some && fits
	}
	return some, nil
}

// readSearchType reads the type. Short codes and names of letters are not found by searching.
func readSearchType(args arguments, filter *gateway.NumberFilter) (some bool, err error) {
	kind, err := args.text("type")
	if err != nil {
		return false, err
	}
	types, some, err := numberTypesOf(kind)
	if types == nil {
		types = []gateway.NumberType{gateway.LongCode, gateway.TollFree}
	}
	filter.Types = types
	return some && types[0] != gateway.ShortCode && types[0] != gateway.Alphanumeric, err
}

// maxPattern is longer than any number.
const maxPattern = 20

// readPattern reads what a number must begin with, after the country's calling code, and, where that code has them, its area code with the
// exchange: npanxx.
func readPattern(args arguments, code string, filter *gateway.NumberFilter) error {
	pattern, err := args.text("pattern")
	if err != nil {
		return err
	}
	if len(pattern) > maxPattern || strings.ContainsFunc(pattern, notDigitOrStar) {
		return gateway.Errorf(gateway.Invalid, "pattern must consist of at most %d digits and stars", maxPattern)
	}
	if pattern != "" {
		filter.Pattern = code + pattern
	}
	exchange, err := args.text("npanxx")
	if err != nil {
		return err
	}
	if exchange != "" {
		if len(exchange) != 6 || strings.ContainsFunc(exchange, notDigitOrStar) || strings.Contains(exchange, "*") {
			return gateway.Errorf(gateway.Invalid, "npanxx must consist of six digits")
		}
		filter.Prefixes = []string{code + exchange}
	}
	return nil
}

func notDigitOrStar(r rune) bool { return r != '*' && (r < '0' || r > '9') }

// readRegion reads the state or province, by its name or its two letters. Other countries' regions are not known.
func readRegion(args arguments, filter *gateway.NumberFilter) (some bool, err error) {
	text, err := args.text("region")
	if err != nil || text == "" {
		return true, err
	}
	region, ok := regionOf(filter.Country, text)
	filter.Region = region
	return ok, nil
}

// readUncharted knows searches by what is not known of any number here.
func readUncharted(args arguments, _ *gateway.NumberFilter) (some bool, err error) {
	for _, name := range [...]string{"city", "lata", "rate_center"} {
		if text, err := args.text(name); err != nil || text != "" {
			return false, err
		}
	}
	return true, nil
}

// rented is the answer to a rent.
type rented struct {
	APIID   string         `json:"api_id"`
	Message string         `json:"message"`
	Numbers []rentedNumber `json:"numbers"`
	Status  string         `json:"status"`
}

type rentedNumber struct {
	Number string `json:"number"`
	Status string `json:"status"`
}

// rentNumber gives a number of the inventory to the account, or to a subaccount that it names.
func (a *API) rentNumber(c *call) (answer, error) {
	args, err := c.args()
	if err != nil {
		return answer{}, err
	}
	owner, application, err := a.readNewOwner(c, args)
	if err != nil {
		return answer{}, err
	}
	number := numbering.SanitizeSource(c.param(paramID))
	if err := a.store.RentNumber(c.context(), owner, number, application, c.at); err != nil {
		return answer{}, asInvalid(err)
	}
	if err := a.tellChange(c); err != nil {
		return answer{}, err
	}
	return answer{http.StatusCreated, rented{c.id.String(), "created", []rentedNumber{{number, "Success"}}, "fulfilled"}}, nil
}

// readNewOwner reads who is to have a number, the account or a subaccount that it names, and which application it is linked to: the one that is named, or
// else the owner's default.
func (a *API) readNewOwner(c *call, args arguments) (owner gateway.AccountID, application string, err error) {
	named, err := readNumberApplication(args)
	if err != nil {
		return "", "", err
	}
	to, err := a.readSubaccount(c, args)
	if err != nil {
		return "", "", err
	}
	if _, given := args.find("app_id"); given {
		return to.ID, *named, nil
	}
	application, err = a.store.DefaultApplication(c.context(), to.ID)
	return to.ID, application, err
}
