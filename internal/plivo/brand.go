package plivo

import (
	"net/http"

	"github.com/heliograph/heliograph/internal/gateway"
)

// Types of brands.
const (
	starterBrand  = "STARTER"
	standardBrand = "STANDARD"
)

var brandTypes = [...]string{starterBrand, standardBrand}

// brandDetails are what is kept of a brand: what was told of it, and its business as the profile had it then.
type brandDetails struct {
	BrandAlias       string `json:"brand_alias"`
	BrandType        string `json:"brand_type"`
	SecondaryVetting bool   `json:"secondary_vetting"`
	business
}

// brand is a brand as the contract shows it.
type brand struct {
	BrandID     string `json:"brand_id"`
	ProfileUUID string `json:"profile_uuid"`
	brandDetails
	RegistrationStatus string           `json:"registration_status"`
	VettingStatus      string           `json:"vetting_status"`
	VettingScore       int              `json:"vetting_score"`
	DeclinedReasons    []declinedReason `json:"declined_reasons"`
	CreatedAt          string           `json:"created_at"`
}

// declinedReason is why a brand was not registered.
type declinedReason struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

type singleBrand struct {
	APIID string `json:"api_id"`
	Brand brand  `json:"brand"`
}

type brandList struct {
	APIID  string  `json:"api_id"`
	Meta   meta    `json:"meta"`
	Brands []brand `json:"brands"`
}

// registeredBrand is the answer to a request about a brand.
type registeredBrand struct {
	APIID   string `json:"api_id"`
	BrandID string `json:"brand_id"`
	Message string `json:"message"`
}

// brandUseCases are what a brand may send for.
type brandUseCases struct {
	APIID    string    `json:"api_id"`
	BrandID  string    `json:"brand_id"`
	UseCases []useCase `json:"use_cases"`
}

type useCase struct {
	Code    string `json:"code"`
	Name    string `json:"name"`
	Details string `json:"details"`
}

// useCasesOf lists the use cases of a type of brand: the registry's ordinary ones, or the only one of a small sender.
func useCasesOf(brandType string) []useCase {
	if brandType == starterBrand {
		return []useCase{{"STARTER", "Starter", "Any of the others, in small volume"}}
	}
	return []useCase{
		{"2FA", "2FA", "Codes that prove who somebody is"},
		{"ACCOUNT_NOTIFICATION", "Account Notification", "News of a customer's account"},
		{"CUSTOMER_CARE", "Customer Care", "Talk with customers who need help"},
		{"DELIVERY_NOTIFICATION", "Delivery Notification", "Where a delivery is"},
		{"FRAUD_ALERT", "Fraud Alert Messaging", "Warnings of what may be fraud"},
		{"HIGHER_EDUCATION", "Higher Education", "Messages of colleges and universities"},
		{"LOW_VOLUME", "Low Volume Mixed", "Several uses, in small volume"},
		{"MARKETING", "Marketing", "Offers and advertisements"},
		{"MIXED", "Mixed", "Several uses"},
		{"POLLING_VOTING", "Polling and voting", "Surveys and votes that are not political"},
		{"PUBLIC_SERVICE_ANNOUNCEMENT", "Public Service Announcement", "What the public should know"},
		{"SECURITY_ALERT", "Security Alert", "Warnings that something may be compromised"},
	}
}

func showBrand(r *gateway.Registration) (brand, error) {
	told, err := details[brandDetails](r)
	shown := brand{
		BrandID: r.ID, ProfileUUID: r.Parent, brandDetails: told, RegistrationStatus: registrationStatuses[r.State],
		VettingStatus: r.Grant.VettingStatus, VettingScore: r.Grant.VettingScore, DeclinedReasons: []declinedReason{}, CreatedAt: instant(r.CreatedAt),
	}
	if r.Reason != "" {
		shown.DeclinedReasons = append(shown.DeclinedReasons, declinedReason{r.Code, r.Reason})
	}
	return shown, err
}

func (a *API) createBrand(c *call) (answer, error) {
	args, err := c.args()
	if err != nil {
		return answer{}, err
	}
	r := gateway.Registration{ID: a.newRegistryID('B'), Kind: gateway.Brand, Account: c.accountID(), CreatedAt: c.at}
	told := brandDetails{BrandType: starterBrand}
	if err := readDetails(args, []textArgument{
		{name: "profile_uuid", to: &r.Parent, longest: maxName, required: true},
		{name: "brand_alias", to: &told.BrandAlias, longest: maxName, required: true},
		{name: "brand_type", to: &told.BrandType, words: brandTypes[:]},
	}); err != nil {
		return answer{}, err
	}
	if told.BrandType == "" {
		told.BrandType = starterBrand
	}
	if told.SecondaryVetting, err = args.boolean("secondary_vetting", false); err != nil {
		return answer{}, err
	}
	if err := readStatusHook(args, "url", "method", &r.Callback); err != nil {
		return answer{}, err
	}
	if told.business, err = a.businessOf(c, r.Parent); err != nil {
		return answer{}, err
	}
	r.Details = encodeDetails(told)
	if err := a.store.CreateRegistration(c.context(), r); err != nil {
		return answer{}, asInvalid(err)
	}
	return answer{http.StatusAccepted, registeredBrand{c.id.String(), r.ID, "Request to create brand was received and is being processed."}}, nil
}

// businessOf is the business of a profile of the account.
func (a *API) businessOf(c *call, profile string) (business, error) {
	r, err := a.store.Registration(c.context(), c.accountID(), gateway.BusinessProfile, profile)
	if isNotFound(err) {
		return business{}, gateway.Errorf(gateway.Invalid, "there is no such profile")
	}
	if err != nil {
		return business{}, err
	}
	told, err := details[profileDetails](&r)
	return told.business, err
}

func (a *API) listBrands(c *call) (answer, error) {
	shown, m, err := registrationList[brand]{gateway.Brand, "/10dlc/Brand/", readBrandFilter, showBrand}.page(c)
	return answer{http.StatusOK, brandList{c.id.String(), m, shown}}, err
}

func readBrandFilter(_ *call, args arguments, filter *gateway.RegistrationFilter) (some bool, err error) {
	if err := readDetailFilters(args, filter, []detailFilter{{"type", "brand_type", brandTypes[:]}}); err != nil {
		return false, err
	}
	return readStates(args, registrationStatuses[:], filter, "registration_status", "status")
}

// theBrand is the brand that the path names.
func (a *API) theBrand(c *call) (gateway.Registration, error) {
	return a.store.Registration(c.context(), c.accountID(), gateway.Brand, c.param(paramRegistered))
}

func (a *API) getBrand(c *call) (answer, error) {
	r, err := a.theBrand(c)
	if err != nil {
		return answer{}, err
	}
	shown, err := showBrand(&r)
	return answer{http.StatusOK, singleBrand{c.id.String(), shown}}, err
}

func (a *API) listUseCases(c *call) (answer, error) {
	r, err := a.theBrand(c)
	if err != nil {
		return answer{}, err
	}
	told, err := details[brandDetails](&r)
	return answer{http.StatusOK, brandUseCases{c.id.String(), r.ID, useCasesOf(told.BrandType)}}, err
}

func (a *API) deleteBrand(c *call) (answer, error) {
	id := c.param(paramRegistered)
	if err := a.store.DeleteRegistration(c.context(), c.accountID(), gateway.Brand, id, c.at); err != nil {
		return answer{}, asInvalid(err)
	}
	return answer{http.StatusOK, registeredBrand{c.id.String(), id, "Brand Deactivated"}}, nil
}
