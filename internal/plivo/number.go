package plivo

import (
	"cmp"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/heliograph/heliograph/internal/gateway"
	"github.com/heliograph/heliograph/internal/numbering"
)

// number is a rented number as the contract shows it, in lists. What this gateway does not do (voice, renewals, compliance)
// is there as clients expect to find it when it is not used.
type number struct {
	Number                             string  `json:"number"`
	Alias                              *string `json:"alias"`
	Application                        *string `json:"application"`
	SubAccount                         *string `json:"sub_account"`
	SubAccountName                     *string `json:"sub_account_name"`
	AddedOn                            string  `json:"added_on"`
	RenewalDate                        *string `json:"renewal_date"`
	Carrier                            string  `json:"carrier"`
	Region                             string  `json:"region"`
	City                               string  `json:"city"`
	Country                            string  `json:"country"`
	NumberType                         string  `json:"number_type"`
	MonthlyRentalRate                  string  `json:"monthly_rental_rate"`
	Active                             bool    `json:"active"`
	CNAMLookup                         string  `json:"cnam_lookup"`
	SMSEnabled                         bool    `json:"sms_enabled"`
	SMSRate                            *string `json:"sms_rate"`
	MMSEnabled                         bool    `json:"mms_enabled"`
	MMSRate                            *string `json:"mms_rate"`
	VoiceEnabled                       bool    `json:"voice_enabled"`
	VoiceRate                          *string `json:"voice_rate"`
	TendlcCampaignID                   *string `json:"tendlc_campaign_id"`
	TendlcRegistrationStatus           *string `json:"tendlc_registration_status"`
	TollFreeSMSVerification            *string `json:"toll_free_sms_verification"`
	TollFreeSMSVerificationID          *string `json:"toll_free_sms_verification_id"`
	TollFreeSMSVerificationOrderStatus *string `json:"toll_free_sms_verification_order_status"`
	ComplianceApplicationID            *string `json:"compliance_application_id"`
	ComplianceStatus                   *string `json:"compliance_status"`
	ResourceURI                        string  `json:"resource_uri"`
}

// singleNumber is a number as the contract shows it alone.
type singleNumber struct {
	APIID string `json:"api_id"`
	number
}

// changed is the answer to an update.
type changed struct {
	APIID   string `json:"api_id"`
	Message string `json:"message"`
}

// ourName stands where the contract names the company that a number is rented from. Which carrier hosts it is the operator's affair.
const ourName = "Heliograph"

// showNumbers writes numbers that an account rents. The verifications of all toll-free ones are asked for at once.
func (a *API) showNumbers(c *call, found []gateway.Number, owner *account) ([]number, error) {
	var tollFree []string
	for i := range found {
		if found[i].Type == gateway.TollFree {
			tollFree = append(tollFree, found[i].Number)
		}
	}
	var verifications map[string]gateway.Registration
	if len(tollFree) > 0 {
		var err error
		if verifications, err = a.store.Verifications(c.context(), owner.ID, tollFree); err != nil {
			return nil, err
		}
	}
	shown := make([]number, len(found))
	for i := range found {
		shown[i] = a.showNumber(&found[i], owner)
		if found[i].Type == gateway.TollFree {
			shown[i].verify(verifications)
		}
	}
	return shown, nil
}

// verify shows how far a toll-free number is verified.
func (shown *number) verify(verifications map[string]gateway.Registration) {
	word := verificationWord(gateway.Refused)
	if r, ok := verifications[shown.Number]; ok {
		word = verificationWord(r.State)
		shown.TollFreeSMSVerificationID, shown.TollFreeSMSVerificationOrderStatus = &r.ID, &verificationStatuses[r.State]
	}
	shown.TollFreeSMSVerification = &word
}

// showNumber writes a number that the account rents.
func (a *API) showNumber(n *gateway.Number, owner *account) number {
	path := "/v1/Account/" + string(owner.ID)
	monthly, _ := a.prices.Rental(n)
	shown := number{
		Number: n.Number, Alias: stringOrNull(n.Alias), AddedOn: n.RentedAt.UTC().Format("2006-01-02"), Carrier: ourName,
		Region: fullRegion(n.Country, n.Region), Country: countryName(n.Country), NumberType: numberTypeName(n.Type),
		MonthlyRentalRate: monthly.String(), Active: true, CNAMLookup: "disabled",
		SMSEnabled: n.Services.Has(gateway.SMS), SMSRate: a.rateOf(n, gateway.SMS),
		MMSEnabled: n.Services.Has(gateway.MMS), MMSRate: a.rateOf(n, gateway.MMS),
		TendlcCampaignID: stringOrNull(cmp.Or(n.Campaign, n.Linking)), TendlcRegistrationStatus: stringOrNull(linkStatus(n)),
		ResourceURI: path + "/Number/" + n.Number + "/",
	}
	if n.Application != "" {
		uri := path + "/Application/" + n.Application + "/"
		shown.Application = &uri
	}
	if owner.Parent != "" {
		id := string(owner.ID)
		shown.SubAccount, shown.SubAccountName = &id, &owner.Name
	}
	return shown
}

// rateOf is what a unit costs that comes in for a number by a service; nil when the number does not carry it.
func (a *API) rateOf(n *gateway.Number, service gateway.Service) *string {
	if !n.Services.Has(service) {
		return nil
	}
	rate := a.prices.Inbound(service, n).Rate.String()
	return &rate
}

// numberTypeName is a type in the words of number_type. One client knows no others than the contract's, so names of letters, which belong
// to a country and to no place in it, go as national.
func numberTypeName(t gateway.NumberType) string {
	switch t {
	case gateway.LongCode:
		return "local"
	case gateway.Alphanumeric:
		return "national"
	}
	return t.String()
}

func (a *API) listNumbers(c *call) (answer, error) {
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
	filter := gateway.NumberFilter{Account: owner.ID, Limit: p.limit, Offset: p.offset}
	some, err := readNumberFilters(args, &filter)
	if err != nil {
		return answer{}, err
	}
	found, total, err := a.numbers(c, filter, some)
	if err != nil {
		return answer{}, err
	}
	shown, err := a.showNumbers(c, found, owner)
	return answer{http.StatusOK, list[number]{c.id.String(), newMeta(c.resource("/Number/"), args, p, total), shown}}, err
}

// numbers lists the numbers that fit a filter: none, unless some can.
func (a *API) numbers(c *call, filter gateway.NumberFilter, some bool) ([]gateway.Number, int, error) {
	if !some {
		return nil, 0, nil
	}
	return a.store.Numbers(c.context(), filter)
}

// readNumberFilters reads what narrows a list of rented numbers. some is false when nothing can fit.
func readNumberFilters(args arguments, filter *gateway.NumberFilter) (some bool, err error) {
	kind, err := args.text("number_type")
	if err == nil && kind == "" {
		kind, err = args.text("type")
	}
	if err != nil {
		return false, err
	}
	if filter.Types, some, err = numberTypesOf(kind); err != nil {
		return false, err
	}
	prefix, err := args.text("number_startswith")
	if err != nil {
		return false, err
	}
	if prefix = strings.TrimLeft(prefix, " +"); prefix != "" { // a plus that was not escaped comes as a blank
		if numbering.SanitizeSource(prefix) != prefix {
			return false, gateway.Errorf(gateway.Invalid, "number_startswith must consist of digits")
		}
		filter.Prefixes = []string{prefix}
	}
	if filter.Alias, err = args.text("alias"); err != nil {
		return false, err
	}
	carried, err := readServices(args, filter)
	if err != nil {
		return false, err
	}
	registered, err := readNumberRegistration(args, filter)
	if err != nil {
		return false, err
	}
	known, err := readUnused(args)
	return some && carried && registered && known, err
}

// numberTypesOf are the types that one of the contract's words stands for; some is false when no number here is of that type.
func numberTypesOf(word string) (types []gateway.NumberType, some bool, err error) {
	switch strings.ToLower(word) {
	case "", "any":
		return nil, true, nil
	case "local", "fixed":
		return []gateway.NumberType{gateway.LongCode}, true, nil
	case "tollfree", "toll-free":
		return []gateway.NumberType{gateway.TollFree}, true, nil
	case "shortcode":
		return []gateway.NumberType{gateway.ShortCode}, true, nil
	case "national":
		return []gateway.NumberType{gateway.Alphanumeric}, true, nil
	case "mobile": // no number of ours is one of a mobile network
		return nil, false, nil
	}
	return nil, false, gateway.Errorf(gateway.Invalid, "type must be local, fixed, tollfree, shortcode, national, mobile or any")
}

// readServices reads which services numbers must carry at least, of which voice is carried by none here. A client that buys for a pool writes
// service instead.
func readServices(args arguments, filter *gateway.NumberFilter) (some bool, err error) {
	names, err := args.texts("services", cutCommas)
	if err == nil && len(names) == 0 {
		names, err = args.texts("service", cutCommas)
	}
	if err != nil {
		return false, err
	}
	some = true
	for _, name := range names {
		service, ok := gateway.ParseService(strings.ToLower(name))
		switch {
		case ok:
			filter.Carries |= gateway.Services(service)
		case foldEqual(name, "voice"):
			some = false
		default:
			return false, gateway.Errorf(gateway.Invalid, "services must be a list of voice, sms and mms")
		}
	}
	return some, nil
}

// readNumberRegistration reads filters by campaigns and verifications. some is false when nothing can fit.
func readNumberRegistration(args arguments, filter *gateway.NumberFilter) (some bool, err error) {
	if filter.Campaign, err = args.text("tendlc_campaign_id"); err != nil {
		return false, err
	}
	status, err := args.text("tendlc_registration_status")
	if err != nil {
		return false, err
	}
	if status != "" {
		linked := foldEqual(status, linkedStatus)
		if filter.Linked = &linked; !linked && !foldEqual(status, linkingStatus) {
			return false, nil
		}
	}
	return readNumberVerification(args, filter)
}

func readNumberVerification(args arguments, filter *gateway.NumberFilter) (some bool, err error) {
	word, err := args.text("toll_free_sms_verification")
	if err != nil {
		return false, err
	}
	for _, state := range [...]gateway.RegistrationState{gateway.Pending, gateway.Approved} {
		if foldEqual(word, verificationWord(state)) {
			filter.Verified = &state
		}
	}
	filter.Unverified = foldEqual(word, verificationWord(gateway.Refused))
	if word != "" && !filter.Unverified && filter.Verified == nil {
		return false, nil
	}
	order, err := args.text("toll_free_sms_verification_order_status")
	if err != nil || order == "" {
		return true, err
	}
	states := statesOf(verificationStatuses[:], order)
	if len(states) == 0 || filter.Verified != nil && *filter.Verified != states[0] {
		return false, nil
	}
	filter.Verified = &states[0]
	return true, nil
}

// readUnused knows filters by what no number has here: renewals and lookups of callers' names.
func readUnused(args arguments) (some bool, err error) {
	for _, name := range [...]string{
		"renewal_date", "renewal_date__gt", "renewal_date__gte", "renewal_date__lt", "renewal_date__lte",
	} {
		if text, err := args.text(name); err != nil || text != "" {
			return false, err
		}
	}
	lookup, err := args.text("cnam_lookup")
	return lookup == "" || foldEqual(lookup, "disabled"), err
}

// pathNumber is the number that the path names, and who has it: the account, or one of its subaccounts.
func (a *API) pathNumber(c *call) (number string, owner gateway.AccountID, err error) {
	number = numbering.SanitizeSource(c.param(paramID))
	owner, err = a.store.NumberOwner(c.context(), c.accountID(), number)
	return number, owner, err
}

func (a *API) getNumber(c *call) (answer, error) {
	number, id, err := a.pathNumber(c)
	if err != nil {
		return answer{}, err
	}
	n, err := a.store.Number(c.context(), id, number)
	if err != nil {
		return answer{}, err
	}
	owner, err := a.accounts.get(c.context(), id)
	if err != nil {
		return answer{}, err
	}
	shown, err := a.showNumbers(c, []gateway.Number{n}, owner)
	if err != nil {
		return answer{}, err
	}
	return answer{http.StatusOK, singleNumber{c.id.String(), shown[0]}}, nil
}

func (a *API) updateNumber(c *call) (answer, error) {
	args, err := c.args()
	if err != nil {
		return answer{}, err
	}
	change, err := a.readNumberChange(c, args)
	if err != nil {
		return answer{}, err
	}
	number, owner, err := a.pathNumber(c)
	if err != nil {
		return answer{}, err
	}
	if err := a.store.ChangeNumber(c.context(), owner, number, change); err != nil {
		return answer{}, err
	}
	if err := a.tellChange(c); err != nil {
		return answer{}, err
	}
	return answer{http.StatusAccepted, changed{c.id.String(), "changed"}}, nil
}

// readNumberChange reads what is to change: only what is given does.
func (a *API) readNumberChange(c *call, args arguments) (change gateway.NumberChange, err error) {
	if change.Alias, err = args.change("alias"); err != nil {
		return change, err
	}
	if change.Alias != nil && !isName(*change.Alias) && *change.Alias != "" {
		return change, gateway.Errorf(gateway.Invalid, "alias must have at most %d characters and no control characters", maxName)
	}
	if change.Application, err = readNumberApplication(args); err != nil {
		return change, err
	}
	if named, err := args.text("subaccount"); err != nil || named == "" {
		return change, err
	}
	owner, err := a.readSubaccount(c, args)
	if err != nil {
		return change, err
	}
	change.Account = owner.ID
	return change, nil
}

// readNumberApplication reads app_id: nil when it is absent, "" when it unlinks.
func readNumberApplication(args arguments) (*string, error) {
	id, err := args.change("app_id")
	switch {
	case err != nil || id == nil:
		return nil, err
	case foldEqual(*id, "none"), foldEqual(*id, "null"): // the latter in forms
		*id = ""
	case !isApplicationID(*id):
		return nil, gateway.Errorf(gateway.Invalid, "app_id is not the id of an application")
	}
	return id, nil
}

// isName tells whether a text may be the name of something.
func isName(text string) bool {
	return text != "" && utf8.RuneCountInString(text) <= maxName && !strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f })
}

func (a *API) unrentNumber(c *call) (answer, error) {
	number, owner, err := a.pathNumber(c)
	if err != nil {
		return answer{}, err
	}
	if err := a.store.UnrentNumber(c.context(), owner, number); err != nil {
		return answer{}, err
	}
	if err := a.tellChange(c); err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusNoContent}, nil
}
