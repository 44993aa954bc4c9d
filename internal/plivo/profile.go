package plivo

import (
	"net/http"

	"github.com/heliograph/heliograph/internal/gateway"
)

// address is where a business is.
type address struct {
	Street     string `json:"street"`
	City       string `json:"city"`
	State      string `json:"state"`
	PostalCode string `json:"postal_code"`
	Country    string `json:"country"`
}

// contact is who answers for a business.
type contact struct {
	FirstName string `json:"first_name"`
	LastName  string `json:"last_name"`
	Email     string `json:"email"`
	Phone     string `json:"phone"`
	Title     string `json:"title"`
	Seniority string `json:"seniority"`
}

// business is what an account tells of a business, and what a brand of it shows.
type business struct {
	EntityType        string  `json:"entity_type"`
	CompanyName       string  `json:"company_name"`
	EIN               string  `json:"ein"`
	EINIssuingCountry string  `json:"ein_issuing_country"`
	StockSymbol       string  `json:"stock_symbol"`
	StockExchange     string  `json:"stock_exchange"`
	AltBusinessID     string  `json:"alt_business_id"`
	AltBusinessIDType string  `json:"alt_business_id_type"`
	Website           string  `json:"website"`
	Vertical          string  `json:"vertical"`
	Address           address `json:"address"`
	AuthorizedContact contact `json:"authorized_contact"`
}

// profileDetails are what is kept of a profile.
type profileDetails struct {
	ProfileAlias         string `json:"profile_alias"`
	ProfileType          string `json:"profile_type"`
	PrimaryProfile       string `json:"primary_profile"`
	CustomerType         string `json:"customer_type"`
	PlivoSubaccount      string `json:"plivo_subaccount"`
	BusinessContactEmail string `json:"business_contact_email"`
	DoingBusinessAs      string `json:"doing_business_as"`
	business
}

// profile is a profile as the contract shows it.
type profile struct {
	ProfileUUID string `json:"profile_uuid"`
	profileDetails
	CreatedAt string `json:"created_at"`
}

type singleProfile struct {
	APIID   string  `json:"api_id"`
	Profile profile `json:"profile"`
}

type profileList struct {
	APIID    string    `json:"api_id"`
	Meta     meta      `json:"meta"`
	Profiles []profile `json:"profiles"`
}

// registeredProfile is the answer to a creation or, without the id, to a removal.
type registeredProfile struct {
	APIID       string `json:"api_id"`
	Message     string `json:"message"`
	ProfileUUID string `json:"profile_uuid,omitempty"`
}

// The first profile of an account is its own; those that come after are of its customers.
const (
	primaryProfile   = "PRIMARY"
	secondaryProfile = "SECONDARY"
)

// entityTypes are what a business may be.
var entityTypes = [...]string{"PRIVATE", "PUBLIC", "NON_PROFIT", "GOVERNMENT", "INDIVIDUAL"}

func showProfile(r *gateway.Registration) (profile, error) {
	told, err := details[profileDetails](r)
	return profile{r.ID, told, instant(r.CreatedAt)}, err
}

func (a *API) createProfile(c *call) (answer, error) {
	args, err := c.args()
	if err != nil {
		return answer{}, err
	}
	var told profileDetails
	if err := a.readProfile(c, args, &told); err != nil {
		return answer{}, err
	}
	primary, _, err := a.registrations(c, gateway.RegistrationFilter{
		Kind: gateway.BusinessProfile, Details: map[string]string{"profile_type": primaryProfile},
	}, page{limit: 1}, true)
	if err != nil {
		return answer{}, err
	}
	told.ProfileType = primaryProfile
	if len(primary) > 0 {
		told.ProfileType, told.PrimaryProfile = secondaryProfile, primary[0].ID
	}
	r := gateway.Registration{
		ID: a.newUUID(c), Kind: gateway.BusinessProfile, Account: c.accountID(), Parent: told.PrimaryProfile, Details: encodeDetails(told), CreatedAt: c.at,
	}
	if err := a.store.CreateRegistration(c.context(), r); err != nil {
		return answer{}, asInvalid(err)
	}
	return answer{http.StatusAccepted, registeredProfile{c.id.String(), "Profile created successfully.", r.ID}}, nil
}

// readProfile changes what the arguments give.
func (a *API) readProfile(c *call, args arguments, told *profileDetails) error {
	if err := readDetails(args, []textArgument{
		{name: "profile_alias", to: &told.ProfileAlias, longest: maxName, required: true},
		{name: "customer_type", to: &told.CustomerType, words: []string{"DIRECT", "RESELLER"}, required: true},
		{name: "entity_type", to: &told.EntityType, words: entityTypes[:], required: true},
		{name: "company_name", to: &told.CompanyName, longest: maxName, required: true},
		{name: "vertical", to: &told.Vertical, longest: maxName, required: true},
		{name: "ein", to: &told.EIN, longest: 100},
		{name: "ein_issuing_country", to: &told.EINIssuingCountry, longest: 2, upper: true},
		{name: "stock_symbol", to: &told.StockSymbol, longest: 10},
		{name: "stock_exchange", to: &told.StockExchange, longest: 10},
		{name: "alt_business_id", to: &told.AltBusinessID, longest: 50},
		{name: "alt_business_id_type", to: &told.AltBusinessIDType, words: []string{"DUNS", "LEI", "GIIN", "NONE"}},
		{name: "website", to: &told.Website, longest: maxName, lasting: true},
		{name: "business_contact_email", to: &told.BusinessContactEmail, longest: maxName},
		{name: "doing_business_as", to: &told.DoingBusinessAs, longest: maxName},
	}); err != nil {
		return err
	}
	if err := readAddress(args, &told.Address); err != nil {
		return err
	}
	if err := readContact(args, &told.AuthorizedContact); err != nil {
		return err
	}
	return a.readProfileSubaccount(c, args, &told.PlivoSubaccount)
}

func readAddress(args arguments, to *address) error {
	group, err := args.group("address")
	if err != nil {
		return err
	}
	if group == nil && *to == (address{}) {
		return missing("address")
	}
	return readDetails(group, []textArgument{
		{name: "street", to: &to.Street, longest: maxName, lasting: true},
		{name: "city", to: &to.City, longest: maxName, lasting: true},
		{name: "state", to: &to.State, longest: maxName, lasting: true},
		{name: "postal_code", to: &to.PostalCode, longest: 20, lasting: true},
		{name: "country", to: &to.Country, longest: 2, lasting: true, upper: true},
	})
}

func readContact(args arguments, to *contact) error {
	group, err := args.group("authorized_contact")
	if err != nil {
		return err
	}
	if group == nil && *to == (contact{}) {
		return missing("authorized_contact")
	}
	return readDetails(group, []textArgument{
		{name: "first_name", to: &to.FirstName, longest: maxName, lasting: true},
		{name: "last_name", to: &to.LastName, longest: maxName, lasting: true},
		{name: "email", to: &to.Email, longest: maxName, lasting: true},
		{name: "phone", to: &to.Phone, longest: 32, lasting: true},
		{name: "title", to: &to.Title, longest: maxName},
		{name: "seniority", to: &to.Seniority, longest: maxName},
	})
}

// readProfileSubaccount reads which subaccount a profile is for.
func (a *API) readProfileSubaccount(c *call, args arguments, to *string) error {
	text, err := args.given("plivo_subaccount")
	if err != nil || text == nil {
		return err
	}
	if *text != "" {
		sub, err := a.accounts.get(c.context(), gateway.AccountID(*text))
		if err != nil {
			return err
		}
		if !sub.exists || sub.Parent != c.accountID() {
			return gateway.Errorf(gateway.Invalid, "plivo_subaccount is not a subaccount of this account")
		}
	}
	*to = *text
	return nil
}

func (a *API) listProfiles(c *call) (answer, error) {
	shown, m, err := registrationList[profile]{gateway.BusinessProfile, "/Profile/", readProfileFilter, showProfile}.page(c)
	return answer{http.StatusOK, profileList{c.id.String(), m, shown}}, err
}

func readProfileFilter(_ *call, args arguments, filter *gateway.RegistrationFilter) (some bool, err error) {
	return true, readDetailFilters(args, filter, []detailFilter{
		{"entity_type", "entity_type", entityTypes[:]}, {"type", "profile_type", []string{primaryProfile, secondaryProfile}}, {"vertical", "vertical", nil},
	})
}

// ofProfile is an error about the profile that the path names: the contract has a sentence of its own for one that is not there.
func ofProfile(err error) error {
	if isNotFound(err) {
		return errNoProfile
	}
	return err
}

func (a *API) getProfile(c *call) (answer, error) {
	return a.answerProfile(c, http.StatusOK)
}

// answerProfile shows the profile that the path names.
func (a *API) answerProfile(c *call, status int) (answer, error) {
	r, err := a.store.Registration(c.context(), c.accountID(), gateway.BusinessProfile, c.param(paramID))
	if err != nil {
		return answer{}, ofProfile(err)
	}
	shown, err := showProfile(&r)
	return answer{status, singleProfile{c.id.String(), shown}}, err
}

func (a *API) updateProfile(c *call) (answer, error) {
	err := a.changeRegistration(c, gateway.BusinessProfile, c.param(paramID), func(args arguments, r *gateway.Registration) error {
		told, err := details[profileDetails](r)
		if err != nil {
			return err
		}
		if err := a.readProfile(c, args, &told); err != nil {
			return err
		}
		r.Details = encodeDetails(told)
		return nil
	})
	if err != nil {
		return answer{}, ofProfile(err)
	}
	return a.answerProfile(c, http.StatusAccepted)
}

func (a *API) deleteProfile(c *call) (answer, error) {
	if err := a.store.DeleteRegistration(c.context(), c.accountID(), gateway.BusinessProfile, c.param(paramID), c.at); err != nil {
		return answer{}, ofProfile(asInvalid(err))
	}
	return answer{http.StatusOK, registeredProfile{APIID: c.id.String(), Message: "Profile deleted successfully."}}, nil
}
