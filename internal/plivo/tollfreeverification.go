package plivo

import (
	"net/http"
	"strings"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
	"github.com/heliograph/heliograph/internal/numbering"
)

// verificationDetails are what is kept of a verification.
type verificationDetails struct {
	UseCase               string `json:"usecase"` // a list, parted by commas
	UseCaseSummary        string `json:"usecase_summary"`
	MessageSample         string `json:"message_sample"`
	OptinImageURL         string `json:"optin_image_url"`
	OptinType             string `json:"optin_type"`
	Volume                string `json:"volume"`
	AdditionalInformation string `json:"additional_information"`
	ExtraData             string `json:"extra_data"`
}

// verification is a verification as the contract shows it, in lists. Its documentation and its clients do not agree on the names of some
// members: those are there in both.
type verification struct {
	UUID        string `json:"uuid"`
	ProfileUUID string `json:"profile_uuid"`
	Number      string `json:"number"`
	verificationDetails
	CallbackURL     string `json:"callback_url"`
	CallbackMethod  string `json:"callback_method"`
	Status          string `json:"status"`
	ErrorMessage    string `json:"error_message"`
	RejectionReason string `json:"rejection_reason"`
	Created         string `json:"created"`
	CreatedAt       string `json:"created_at"`
	LastModified    string `json:"last_modified"`
	UpdatedAt       string `json:"updated_at"`
}

// singleVerification is a verification as the contract shows it alone.
type singleVerification struct {
	APIID string `json:"api_id"`
	verification
}

type verificationList struct {
	APIID   string           `json:"api_id"`
	Meta    verificationMeta `json:"meta"`
	Objects []verification   `json:"objects"`
}

// verificationMeta says how many there are under both of its names.
type verificationMeta struct {
	meta
	Count int `json:"count"`
}

type createdVerification struct {
	APIID   string `json:"api_id"`
	Message string `json:"message"`
	UUID    string `json:"uuid"`
}

func showVerification(r *gateway.Registration) (verification, error) {
	told, err := details[verificationDetails](r)
	last := r.CreatedAt
	for _, t := range [...]time.Time{r.ModifiedAt, r.DecidedAt} {
		if t.After(last) {
			last = t
		}
	}
	created, modified := instant(r.CreatedAt), instant(last)
	return verification{
		UUID: r.ID, ProfileUUID: r.Parent, Number: r.Number, verificationDetails: told, CallbackURL: r.Callback.URL, CallbackMethod: r.Callback.Method,
		Status: verificationStatuses[r.State], ErrorMessage: r.Reason, RejectionReason: r.Reason,
		Created: created, CreatedAt: created, LastModified: modified, UpdatedAt: modified,
	}, err
}

func (a *API) createVerification(c *call) (answer, error) {
	args, err := c.args()
	if err != nil {
		return answer{}, err
	}
	r := gateway.Registration{ID: a.newUUID(c), Kind: gateway.TollFreeVerification, Account: c.accountID(), CreatedAt: c.at}
	number, err := args.text("number")
	if err != nil {
		return answer{}, err
	}
	if r.Number = numbering.SanitizeSource(number); r.Number == "" {
		return answer{}, missing("number")
	}
	if err := readVerification(args, &r); err != nil {
		return answer{}, err
	}
	if err := a.store.CreateRegistration(c.context(), r); err != nil {
		return answer{}, asInvalid(err)
	}
	return answer{http.StatusCreated, createdVerification{c.id.String(), "created", r.ID}}, nil
}

// readVerification changes what the arguments give.
func readVerification(args arguments, r *gateway.Registration) error {
	var told verificationDetails
	if r.Details != nil {
		var err error
		if told, err = details[verificationDetails](r); err != nil {
			return err
		}
	}
	useCases, err := args.texts("usecase", cutCommas)
	if err != nil {
		return err
	}
	if len(useCases) > 0 {
		told.UseCase = strings.Join(useCases, ",")
	}
	if told.UseCase == "" {
		return missing("usecase")
	}
	if err := readDetails(args, []textArgument{
		{name: "profile_uuid", to: &r.Parent, longest: maxName, required: true},
		{name: "usecase_summary", to: &told.UseCaseSummary, longest: 500, required: true},
		{name: "message_sample", to: &told.MessageSample, longest: 1000, required: true},
		{name: "optin_image_url", to: &told.OptinImageURL, longest: maxAddress, required: true},
		{name: "optin_type", to: &told.OptinType, words: []string{"VERBAL", "WEB_FORM", "PAPER_FORM", "VIA_TEXT", "MOBILE_QR_CODE"}, required: true},
		{name: "volume", to: &told.Volume, longest: 20, required: true},
		{name: "additional_information", to: &told.AdditionalInformation, longest: 500},
		{name: "extra_data", to: &told.ExtraData, longest: 100},
	}); err != nil {
		return err
	}
	r.Details = encodeDetails(told)
	return readStatusHook(args, "callback_url", "callback_method", &r.Callback)
}

// How far back verifications are listed.
const (
	verificationWindow  = 7 * 24 * time.Hour // when no time is asked for
	longestVerification = 30 * 24 * time.Hour
)

func (a *API) listVerifications(c *call) (answer, error) {
	shown, m, err := registrationList[verification]{
		gateway.TollFreeVerification, "/TollfreeVerification/", readVerificationFilter, showVerification,
	}.page(c)
	return answer{http.StatusOK, verificationList{c.id.String(), verificationMeta{m, m.TotalCount}, shown}}, err
}

func readVerificationFilter(c *call, args arguments, filter *gateway.RegistrationFilter) (some bool, err error) {
	number, err := args.text("number")
	if err != nil {
		return false, err
	}
	filter.Number = numbering.SanitizeSource(number)
	if filter.Parent, err = args.text("profile_uuid"); err != nil {
		return false, err
	}
	if err := readDetailFilters(args, filter, []detailFilter{{"usecase", "usecase", nil}}); err != nil {
		return false, err
	}
	if some, err = readStates(args, verificationStatuses[:], filter, "status"); err != nil {
		return false, err
	}
	timed, err := readCreated(args, filter)
	if err != nil {
		return false, err
	}
	end := c.at
	if !filter.Before.IsZero() {
		end = filter.Before
	}
	window := longestVerification
	if !timed {
		window = verificationWindow
	}
	if first := end.Add(-window); filter.After.Before(first) {
		filter.After = first
	}
	return some, nil
}

// readCreated reads the filters by day, with one underscore as some clients write them, or two.
func readCreated(args arguments, filter *gateway.RegistrationFilter) (timed bool, err error) {
	for _, suffix := range [...]string{"", "_gt", "_gte", "_lt", "_lte"} {
		text, err := args.text("created" + suffix)
		if err == nil && text == "" && suffix != "" {
			text, err = args.text("created_" + suffix)
		}
		if err != nil {
			return false, err
		}
		if text == "" {
			continue
		}
		t, precision, ok := parseTime(text)
		if !ok {
			return false, gateway.Errorf(gateway.Invalid, "created%s must be a day in the form YYYY-MM-DD", suffix)
		}
		timed = true
		switch suffix {
		case "":
			filter.After, filter.Before = t, t.Add(precision)
		case "_gt":
			filter.After = t.Add(precision)
		case "_gte":
			filter.After = t
		case "_lt":
			filter.Before = t
		case "_lte":
			filter.Before = t.Add(precision)
		}
	}
	return timed, nil
}

func (a *API) getVerification(c *call) (answer, error) {
	r, err := a.store.Registration(c.context(), c.accountID(), gateway.TollFreeVerification, c.param(paramID))
	if err != nil {
		return answer{}, err
	}
	shown, err := showVerification(&r)
	return answer{http.StatusOK, singleVerification{c.id.String(), shown}}, err
}

func (a *API) updateVerification(c *call) (answer, error) {
	if err := a.changeRegistration(c, gateway.TollFreeVerification, c.param(paramID), readVerification); err != nil {
		return answer{}, err
	}
	return answer{http.StatusAccepted, changed{c.id.String(), "changed"}}, nil
}

func (a *API) deleteVerification(c *call) (answer, error) {
	if err := a.store.DeleteRegistration(c.context(), c.accountID(), gateway.TollFreeVerification, c.param(paramID), c.at); err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusNoContent}, nil
}

// verificationWord is what numbers show of their verification.
func verificationWord(state gateway.RegistrationState) string {
	switch state {
	case gateway.Pending:
		return "pending"
	case gateway.Approved:
		return "verified"
	}
	return "unverified"
}
