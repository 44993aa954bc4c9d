package operator

import (
	"encoding/json"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/heliograph/heliograph/internal/gateway"
)

// registrationView is what an account registered, and what was decided.
type registrationView struct {
	ID             string          `json:"id"`
	Kind           string          `json:"kind"`
	AuthID         string          `json:"auth_id"`
	State          string          `json:"state"`
	Waits          bool            `json:"waits"` // it was never decided on, or changed since
	Parent         string          `json:"parent_id"`
	Number         string          `json:"number"`
	Details        json.RawMessage `json:"details"` // in the account's words
	CallbackURL    string          `json:"callback_url"`
	CallbackMethod string          `json:"callback_method"`
	Reason         string          `json:"reason"`
	Code           string          `json:"code"`
	Rate           *float64        `json:"rate"` // of an approved campaign, else null
	DailyCap       *int            `json:"daily_cap"`
	TPM            *int            `json:"tpm"`
	BrandTier      string          `json:"brand_tier"`
	VettingStatus  string          `json:"vetting_status"`
	VettingScore   int             `json:"vetting_score"`
	CreatedAt      time.Time       `json:"created_on"`
	ModifiedAt     *time.Time      `json:"modified_on"`
	DecidedAt      *time.Time      `json:"decided_on"`
}

func viewRegistration(r *gateway.Registration) registrationView {
	view := registrationView{
		ID: r.ID, Kind: r.Kind.String(), AuthID: string(r.Account), State: r.State.String(), Waits: r.Waits(), Parent: r.Parent, Number: r.Number,
		Details: r.Details, CallbackURL: r.Callback.URL, CallbackMethod: r.Callback.Method, Reason: r.Reason, Code: r.Code,
		BrandTier: r.Grant.Tier, VettingStatus: r.Grant.VettingStatus, VettingScore: r.Grant.VettingScore,
		CreatedAt: r.CreatedAt.UTC(), ModifiedAt: moment(r.ModifiedAt), DecidedAt: moment(r.DecidedAt),
	}
	if r.Kind == gateway.RegisteredCampaign && r.State == gateway.Approved {
		view.Rate, view.DailyCap, view.TPM = &r.Grant.Rate, &r.Grant.DailyCap, &r.Grant.PerMinute
	}
	return view
}

// listRegistrations shows what accounts registered, newest first: what waits for a decision, unless a state is asked for.
func (a *API) listRegistrations(r *http.Request) (int, any, error) {
	query, err := params(r, "auth_id", "kind", "state", "limit", "offset")
	if err != nil {
		return 0, nil, err
	}
	filter, err := registrationFilter(query)
	if err != nil {
		return 0, nil, err
	}
	found, total, err := a.Store.Registrations(r.Context(), filter)
	if err != nil {
		return 0, nil, err
	}
	views := make([]registrationView, len(found))
	for i := range found {
		views[i] = viewRegistration(&found[i])
	}
	return http.StatusOK, map[string]any{"registrations": views, "total": total}, nil
}

// registrationFilter reads which registrations are wanted.
func registrationFilter(query url.Values) (filter gateway.RegistrationFilter, err error) {
	if filter.Limit, filter.Offset, err = pageParams(query); err != nil {
		return filter, err
	}
	if filter.Account, err = accountParam(query); err != nil {
		return filter, err
	}
	if text := query.Get("kind"); text != "" {
		kind, ok := gateway.ParseRegistrationKind(strings.ToLower(text))
		if !ok {
			return filter, gateway.Errorf(gateway.Invalid, "kind must be profile, brand, campaign or tollfree_verification")
		}
		filter.Kind = kind
	}
	switch text := strings.ToLower(query.Get("state")); text {
	case "":
		filter.Waiting = true
	case "all":
	default:
		state, ok := gateway.ParseRegistrationState(text)
		if !ok {
			return filter, gateway.Errorf(gateway.Invalid, "state must be pending, approved, rejected, update_required or all")
		}
		filter.States = []gateway.RegistrationState{state}
	}
	return filter, nil
}

// ofPath is the account and the id that a path names.
func ofPath(r *http.Request) (gateway.AccountID, string) {
	return gateway.AccountID(r.PathValue("auth_id")), r.PathValue("id")
}

func (a *API) showRegistration(r *http.Request) (int, any, error) {
	account, id := ofPath(r)
	found, err := a.Store.Registration(r.Context(), account, 0, id)
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, viewRegistration(&found), nil
}

// approval is what the operator says with an approval.
type approval struct {
	Rate          *float64 `json:"rate"`
	DailyCap      *int     `json:"daily_cap"`
	TPM           *int     `json:"tpm"`
	BrandTier     *string  `json:"brand_tier"`
	VettingStatus *string  `json:"vetting_status"`
	VettingScore  *int     `json:"vetting_score"`
}

// approveRegistration approves what an account registered, or sets what was granted anew.
func (a *API) approveRegistration(r *http.Request) (int, any, error) {
	var args approval
	if err := readOptional(r, &args); err != nil {
		return 0, nil, err
	}
	account, id := ofPath(r)
	known, err := a.Store.Registration(r.Context(), account, 0, id)
	if err != nil {
		return 0, nil, err
	}
	grant, err := args.grant(known.Kind)
	if err != nil {
		return 0, nil, err
	}
	return a.decide(r, gateway.Decision{State: gateway.Approved, Grant: grant}, "registration approved")
}

// readOptional reads a body that may be left out.
func readOptional(r *http.Request, into any) error {
	if r.ContentLength == 0 {
		return nil
	}
	return read(r, into)
}

// grant checks what is granted to a kind of registration.
func (args *approval) grant(kind gateway.RegistrationKind) (grant gateway.Grant, err error) {
	ofCampaign := args.Rate != nil || args.DailyCap != nil || args.TPM != nil || args.BrandTier != nil
	ofBrand := args.VettingStatus != nil || args.VettingScore != nil
	switch {
	case ofCampaign && kind != gateway.RegisteredCampaign:
		return grant, gateway.Errorf(gateway.Invalid, "rate, daily_cap, tpm and brand_tier are for campaigns")
	case ofBrand && kind != gateway.Brand:
		return grant, gateway.Errorf(gateway.Invalid, "vetting_status and vetting_score are for brands")
	case kind == gateway.RegisteredCampaign:
		return args.campaignGrant()
	case args.VettingScore != nil && (*args.VettingScore < 0 || *args.VettingScore > 100):
		return grant, gateway.Errorf(gateway.Invalid, "vetting_score must be a number from 0 to 100")
	}
	return gateway.Grant{VettingStatus: valueOf(args.VettingStatus), VettingScore: valueOf(args.VettingScore)}, nil
}

// campaignGrant checks what a campaign may send. What carriers call messages a minute follows from the rate, unless it is given.
func (args *approval) campaignGrant() (grant gateway.Grant, err error) {
	const mostPerMinute = 1_000_000
	switch {
	case args.Rate == nil || *args.Rate < 0:
		return grant, gateway.Errorf(gateway.Invalid, "rate of the campaign must be units per second, 0 for unlimited")
	case valueOf(args.DailyCap) < 0:
		return grant, gateway.Errorf(gateway.Invalid, "daily_cap must be units per day, 0 for none")
	case valueOf(args.TPM) < 0 || valueOf(args.TPM) > mostPerMinute:
		return grant, gateway.Errorf(gateway.Invalid, "tpm must be messages per minute, at most %d", mostPerMinute)
	}
	grant = gateway.Grant{Rate: *args.Rate, DailyCap: valueOf(args.DailyCap), Tier: valueOf(args.BrandTier)}
	if grant.PerMinute = int(math.Round(min(grant.Rate*60, mostPerMinute))); args.TPM != nil {
		grant.PerMinute = *args.TPM
	}
	return grant, nil
}

// valueOf is what a pointer points at; nil stands for the zero value.
func valueOf[T any](p *T) (value T) {
	if p != nil {
		value = *p
	}
	return value
}

// maxReason bounds a reason in bytes.
const maxReason = 500

// rejectRegistration rejects what an account registered, or asks for a change of it.
func (a *API) rejectRegistration(r *http.Request) (int, any, error) {
	var args struct {
		Reason         string `json:"reason"`
		Code           string `json:"code"`
		UpdateRequired bool   `json:"update_required"`
	}
	if err := read(r, &args); err != nil {
		return 0, nil, err
	}
	args.Reason = strings.TrimSpace(args.Reason)
	for _, text := range [...]string{args.Reason, args.Code} {
		if len(text) > maxReason || slices.ContainsFunc([]rune(text), unicode.IsControl) {
			return 0, nil, gateway.Errorf(gateway.Invalid, "reason and code must have at most %d bytes and no control characters", maxReason)
		}
	}
	if args.Reason == "" {
		return 0, nil, gateway.Errorf(gateway.Invalid, "reason must say why: the account reads it")
	}
	decision := gateway.Decision{State: gateway.Refused, Reason: args.Reason, Code: args.Code}
	if args.UpdateRequired {
		decision.State = gateway.Incomplete
	}
	return a.decide(r, decision, "registration rejected")
}

// decide stores a decision and shows what was decided on. What is decided on a campaign holds for the queue when it is answered.
func (a *API) decide(r *http.Request, decision gateway.Decision, what string) (int, any, error) {
	account, id := ofPath(r)
	decision.DecidedAt = a.Now()
	decided, err := a.Store.DecideRegistration(r.Context(), account, id, decision)
	if err != nil {
		return 0, nil, err
	}
	a.Log.Info(what, "account", account, "kind", decided.Kind.String(), "registration", decided.ID)
	if decided.Kind == gateway.RegisteredCampaign {
		if err := a.tellChange(r); err != nil {
			return 0, nil, err
		}
	}
	return http.StatusOK, viewRegistration(&decided), nil
}
