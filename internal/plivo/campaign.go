package plivo

import (
	"net/http"
	"strings"

	"github.com/heliograph/heliograph/internal/gateway"
)

// Where a campaign was registered.
const (
	ownCampaign    = "plivo"
	sharedCampaign = "shared" // elsewhere, and shared with this account
)

// campaignAttributes are what the messages of a campaign have.
type campaignAttributes struct {
	EmbeddedLink       bool `json:"embedded_link"`
	EmbeddedPhone      bool `json:"embedded_phone"`
	AgeGated           bool `json:"age_gated"`
	DirectLending      bool `json:"direct_lending"`
	SubscriberOptin    bool `json:"subscriber_optin"`
	SubscriberOptout   bool `json:"subscriber_optout"`
	SubscriberHelp     bool `json:"subscriber_help"`
	AffiliateMarketing bool `json:"affiliate_marketing"`
}

// campaignDetails are what is kept of a campaign.
type campaignDetails struct {
	CampaignAlias          string             `json:"campaign_alias"`
	CampaignSource         string             `json:"campaign_source"`
	Vertical               string             `json:"vertical"`
	UseCase                string             `json:"usecase"`
	SubUseCase             string             `json:"sub_usecase"` // a list, parted by commas
	ResellerID             string             `json:"reseller_id"`
	Description            string             `json:"description"`
	Sample1                string             `json:"sample1"`
	Sample2                string             `json:"sample2"`
	Sample3                string             `json:"sample3"`
	Sample4                string             `json:"sample4"`
	Sample5                string             `json:"sample5"`
	Attributes             campaignAttributes `json:"campaign_attributes"`
	MessageFlow            string             `json:"message_flow"`
	HelpMessage            string             `json:"help_message"`
	OptinKeywords          string             `json:"optin_keywords"`
	OptinMessage           string             `json:"optin_message"`
	OptoutKeywords         string             `json:"optout_keywords"`
	OptoutMessage          string             `json:"optout_message"`
	HelpKeywords           string             `json:"help_keywords"`
	TermsAndConditionsLink string             `json:"terms_and_conditions_link"`
	PrivacyPolicyLink      string             `json:"privacy_policy_link"`
}

// campaign is a campaign as the contract shows it.
type campaign struct {
	CampaignID string `json:"campaign_id"`
	BrandID    string `json:"brand_id"`
	campaignDetails
	RegistrationStatus string                    `json:"registration_status"`
	MNOMetadata        map[string]carrierSetting `json:"mno_metadata"`
	ErrorCode          string                    `json:"error_code"`
	ErrorReason        string                    `json:"error_reason"`
	ErrorDescription   string                    `json:"error_description"`
	CreatedAt          string                    `json:"created_at"`
}

// carrierSetting is what a carrier grants a campaign: messages a minute, or a tier.
type carrierSetting struct {
	TPM       int    `json:"tpm,omitempty"`
	BrandTier string `json:"brand_tier,omitempty"`
}

type singleCampaign struct {
	APIID    string   `json:"api_id"`
	Campaign campaign `json:"campaign"`
}

type campaignList struct {
	APIID     string     `json:"api_id"`
	Meta      meta       `json:"meta"`
	Campaigns []campaign `json:"campaigns"`
}

// registeredCampaign is the answer to a request about a campaign.
type registeredCampaign struct {
	APIID      string `json:"api_id"`
	CampaignID string `json:"campaign_id"`
	Message    string `json:"message"`
}

func showCampaign(r *gateway.Registration) (campaign, error) {
	told, err := details[campaignDetails](r)
	return campaign{
		CampaignID: r.ID, BrandID: r.Parent, campaignDetails: told, RegistrationStatus: registrationStatuses[r.State], MNOMetadata: carrierSettings(r),
		ErrorCode: r.Code, ErrorReason: r.Reason, ErrorDescription: r.Reason, CreatedAt: instant(r.CreatedAt),
	}, err
}

// carrierSettings are what the carriers grant an approved campaign.
func carrierSettings(r *gateway.Registration) map[string]carrierSetting {
	settings := map[string]carrierSetting{}
	if r.State != gateway.Approved {
		return settings
	}
	if tpm := r.Grant.PerMinute; tpm > 0 {
		for _, carrier := range [...]string{"AT&T", "Verizon Wireless", "US Cellular"} {
			settings[carrier] = carrierSetting{TPM: tpm}
		}
	}
	if tier := r.Grant.Tier; tier != "" {
		settings["T-Mobile"] = carrierSetting{BrandTier: tier}
	}
	return settings
}

func (a *API) createCampaign(c *call) (answer, error) {
	args, err := c.args()
	if err != nil {
		return answer{}, err
	}
	r := gateway.Registration{ID: a.newRegistryID('C'), Kind: gateway.RegisteredCampaign, Account: c.accountID(), CreatedAt: c.at}
	told := campaignDetails{CampaignSource: ownCampaign}
	if err := readDetails(args, []textArgument{
		{name: "brand_id", to: &r.Parent, longest: maxName, required: true},
		{name: "usecase", to: &told.UseCase, longest: maxName, required: true},
	}); err != nil {
		return answer{}, err
	}
	subUseCases, err := args.texts("sub_usecases", cutCommas)
	if err != nil {
		return answer{}, err
	}
	told.SubUseCase = strings.Join(subUseCases, ",")
	if err := readCampaign(args, &told); err != nil {
		return answer{}, err
	}
	if told.Sample1 == "" {
		return answer{}, missing("sample1")
	}
	if err := readStatusHook(args, "url", "method", &r.Callback); err != nil {
		return answer{}, err
	}
	r.Details = encodeDetails(told)
	if err := a.store.CreateRegistration(c.context(), r); err != nil {
		return answer{}, asInvalid(err)
	}
	return answer{http.StatusAccepted, registeredCampaign{c.id.String(), r.ID, "Request to create campaign was received and is being processed."}}, nil
}

// The least that the registry takes.
const (
	shortestDescription = 40
	shortestSample      = 20
)

// readCampaign changes what the arguments give.
func readCampaign(args arguments, told *campaignDetails) error {
	if err := readDetails(args, []textArgument{
		{name: "campaign_alias", to: &told.CampaignAlias, longest: maxName},
		{name: "vertical", to: &told.Vertical, longest: maxName},
		{name: " reseller_id", to: &told.ResellerID, longest: maxName}, // as one client writes it
		{name: "reseller_id", to: &told.ResellerID, longest: maxName},
		{name: "description", to: &told.Description, shortest: shortestDescription},
		{name: "sample1", to: &told.Sample1, shortest: shortestSample, lasting: true}, // one client sends it with every update
		{name: "sample2", to: &told.Sample2, shortest: shortestSample},
		{name: "sample3", to: &told.Sample3, shortest: shortestSample},
		{name: "sample4", to: &told.Sample4, shortest: shortestSample},
		{name: "sample5", to: &told.Sample5, shortest: shortestSample},
		{name: "message_flow", to: &told.MessageFlow},
		{name: "help_message", to: &told.HelpMessage, longest: gateway.MaxKeywordText},
		{name: "optin_keywords", to: &told.OptinKeywords},
		{name: "optin_message", to: &told.OptinMessage, longest: gateway.MaxKeywordText},
		{name: "optout_keywords", to: &told.OptoutKeywords},
		{name: "optout_message", to: &told.OptoutMessage, longest: gateway.MaxKeywordText},
		{name: "help_keywords", to: &told.HelpKeywords},
		{name: "terms_and_conditions_link", to: &told.TermsAndConditionsLink},
		{name: "privacy_policy_link", to: &told.PrivacyPolicyLink},
	}); err != nil {
		return err
	}
	return readAttributes(args, &told.Attributes)
}

func readAttributes(args arguments, to *campaignAttributes) (err error) {
	for _, flag := range [...]struct {
		name string
		to   *bool
	}{
		{"embedded_link", &to.EmbeddedLink},
		{"embedded_phone", &to.EmbeddedPhone},
		{"age_gated", &to.AgeGated},
		{"direct_lending", &to.DirectLending},
		{"subscriber_optin", &to.SubscriberOptin},
		{"subscriber_optout", &to.SubscriberOptout},
		{"subscriber_help", &to.SubscriberHelp},
		{"affiliate_marketing", &to.AffiliateMarketing},
	} {
		if *flag.to, err = args.boolean(flag.name, *flag.to); err != nil {
			return err
		}
	}
	return nil
}

// importCampaign takes up a campaign that was registered elsewhere and is shared with us.
func (a *API) importCampaign(c *call) (answer, error) {
	args, err := c.args()
	if err != nil {
		return answer{}, err
	}
	r := gateway.Registration{Kind: gateway.RegisteredCampaign, Account: c.accountID(), CreatedAt: c.at}
	told := campaignDetails{CampaignSource: sharedCampaign}
	if err := readDetails(args, []textArgument{
		{name: "campaign_id", to: &r.ID, required: true},
		{name: "campaign_alias", to: &told.CampaignAlias, longest: maxName},
	}); err != nil {
		return answer{}, err
	}
	if r.ID = strings.ToUpper(r.ID); !gateway.IsCampaignID(r.ID) {
		return answer{}, gateway.Errorf(gateway.Invalid, "campaign_id must be the letter C and six letters and digits")
	}
	if err := readStatusHook(args, "url", "method", &r.Callback); err != nil {
		return answer{}, err
	}
	r.Details = encodeDetails(told)
	if err := a.store.CreateRegistration(c.context(), r); err != nil {
		return answer{}, asInvalid(err)
	}
	return answer{http.StatusAccepted, registeredCampaign{c.id.String(), r.ID, "Request to import campaign was received and is being processed."}}, nil
}

func (a *API) listCampaigns(c *call) (answer, error) {
	shown, m, err := registrationList[campaign]{gateway.RegisteredCampaign, "/10dlc/Campaign/", readCampaignFilter, showCampaign}.page(c)
	return answer{http.StatusOK, campaignList{c.id.String(), m, shown}}, err
}

func readCampaignFilter(_ *call, args arguments, filter *gateway.RegistrationFilter) (some bool, err error) {
	if filter.Parent, err = args.text("brand_id"); err != nil {
		return false, err
	}
	err = readDetailFilters(args, filter, []detailFilter{
		{"usecase", "usecase", nil}, {"campaign_source", "campaign_source", []string{ownCampaign, sharedCampaign}},
	})
	if err != nil {
		return false, err
	}
	return readStates(args, registrationStatuses[:], filter, "registration_status")
}

// theCampaign is the campaign that the path names.
func (a *API) theCampaign(c *call) (gateway.Registration, error) {
	return a.store.Registration(c.context(), c.accountID(), gateway.RegisteredCampaign, c.param(paramRegistered))
}

func (a *API) getCampaign(c *call) (answer, error) {
	return a.answerCampaign(c, http.StatusOK)
}

func (a *API) answerCampaign(c *call, status int) (answer, error) {
	r, err := a.theCampaign(c)
	if err != nil {
		return answer{}, err
	}
	shown, err := showCampaign(&r)
	return answer{status, singleCampaign{c.id.String(), shown}}, err
}

func (a *API) updateCampaign(c *call) (answer, error) {
	err := a.changeRegistration(c, gateway.RegisteredCampaign, c.param(paramRegistered), func(args arguments, r *gateway.Registration) error {
		told, err := details[campaignDetails](r)
		if err != nil {
			return err
		}
		if err := readCampaign(args, &told); err != nil {
			return err
		}
		r.Details = encodeDetails(told)
		return readStatusHook(args, "url", "method", &r.Callback)
	})
	if err != nil {
		return answer{}, err
	}
	return a.answerCampaign(c, http.StatusAccepted)
}

func (a *API) deleteCampaign(c *call) (answer, error) {
	id := c.param(paramRegistered)
	if err := a.store.DeleteRegistration(c.context(), c.accountID(), gateway.RegisteredCampaign, id, c.at); err != nil {
		return answer{}, err
	}
	if err := a.tellChange(c); err != nil {
		return answer{}, err
	}
	return answer{http.StatusOK, registeredCampaign{c.id.String(), id, "Campaign Deactivated"}}, nil
}
