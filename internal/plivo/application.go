package plivo

import (
	"encoding/binary"
	"net/http"
	"strings"

	"github.com/heliograph/heliograph/internal/gateway"
)

// application is an application as the contract shows it, in lists. The clients do not agree on the name of log_incoming_messages: it is there
// in both.
type application struct {
	AppID               string  `json:"app_id"`
	AppName             string  `json:"app_name"`
	MessageURL          string  `json:"message_url"`
	MessageMethod       string  `json:"message_method"`
	AnswerURL           string  `json:"answer_url"`
	AnswerMethod        string  `json:"answer_method"`
	HangupURL           string  `json:"hangup_url"`
	HangupMethod        string  `json:"hangup_method"`
	FallbackAnswerURL   string  `json:"fallback_answer_url"`
	FallbackMethod      string  `json:"fallback_method"`
	DefaultApp          bool    `json:"default_app"`
	DefaultEndpointApp  bool    `json:"default_endpoint_app"`
	Enabled             bool    `json:"enabled"`
	PublicURI           bool    `json:"public_uri"`
	LogIncomingMessages bool    `json:"log_incoming_messages"`
	LogIncomingMessage  bool    `json:"log_incoming_message"`
	ApplicationType     string  `json:"application_type"`
	SIPURI              string  `json:"sip_uri"`
	SubAccount          *string `json:"sub_account"`
	ResourceURI         string  `json:"resource_uri"`
}

// singleApplication is an application as the contract shows it alone.
type singleApplication struct {
	APIID string `json:"api_id"`
	application
}

// createdApplication is the answer to a creation.
type createdApplication struct {
	APIID   string `json:"api_id"`
	Message string `json:"message"`
	AppID   string `json:"app_id"`
}

// showApplication writes an application as the account of the call sees it: its own, or a subaccount's.
func showApplication(c *call, app *gateway.Application) application {
	shown := application{
		AppID: app.ID, AppName: app.Name,
		MessageURL: app.Message.URL, MessageMethod: app.Message.Method, AnswerURL: app.Answer.URL, AnswerMethod: app.Answer.Method,
		HangupURL: app.Hangup.URL, HangupMethod: app.Hangup.Method, FallbackAnswerURL: app.Fallback.URL, FallbackMethod: app.Fallback.Method,
		DefaultApp: app.DefaultNumber, DefaultEndpointApp: app.DefaultEndpoint, Enabled: true, PublicURI: app.PublicURI,
		LogIncomingMessages: app.LogIncoming, LogIncomingMessage: app.LogIncoming, ApplicationType: "XML",
		SIPURI: "sip:" + app.ID + "@app.plivo.com", ResourceURI: c.resource("/Application/" + app.ID + "/"),
	}
	if app.Account != c.accountID() {
		uri := c.resource("/Subaccount/" + string(app.Account) + "/")
		shown.SubAccount = &uri
	}
	return shown
}

// newApplication is an application of which nothing was said yet.
func (a *API) newApplication(c *call, owner gateway.AccountID) gateway.Application {
	var random [8]byte
	a.random(random[:])
	post := gateway.Callback{Method: http.MethodPost}
	return gateway.Application{
		ID: gateway.NewApplicationID(binary.BigEndian.Uint64(random[:])), Account: owner,
		Message: post, Answer: post, Hangup: post, Fallback: post, LogIncoming: true, CreatedAt: c.at,
	}
}

func (a *API) createApplication(c *call) (answer, error) {
	args, err := c.args()
	if err != nil {
		return answer{}, err
	}
	owner, err := a.readSubaccount(c, args)
	if err != nil {
		return answer{}, err
	}
	app := a.newApplication(c, owner.ID)
	if err := readApplicationArguments(args, &app); err != nil {
		return answer{}, err
	}
	if app.Name == "" {
		return answer{}, gateway.Errorf(gateway.Invalid, "app_name parameter not present")
	}
	if err := a.store.CreateApplication(c.context(), app); err != nil {
		return answer{}, err
	}
	return answer{http.StatusCreated, createdApplication{c.id.String(), "created", app.ID}}, nil
}

// readApplicationArguments changes what the arguments give.
func readApplicationArguments(args arguments, app *gateway.Application) error {
	if err := readApplicationName(args, app); err != nil {
		return err
	}
	for _, hook := range [...]struct {
		url, method string
		to          *gateway.Callback
	}{
		{"message_url", "message_method", &app.Message},
		{"answer_url", "answer_method", &app.Answer},
		{"hangup_url", "hangup_method", &app.Hangup},
		{"fallback_answer_url", "fallback_method", &app.Fallback},
	} {
		if err := readHook(args, hook.url, hook.method, hook.to); err != nil {
			return err
		}
	}
	for _, flag := range [...]struct {
		name string
		to   *bool
	}{
		{"default_app", &app.DefaultNumber}, // what older clients call the next one
		{"default_number_app", &app.DefaultNumber},
		{"default_endpoint_app", &app.DefaultEndpoint},
		{"public_uri", &app.PublicURI},
		{"log_incoming_message", &app.LogIncoming}, // as some clients call the next one
		{"log_incoming_messages", &app.LogIncoming},
	} {
		given, err := args.boolean(flag.name, *flag.to)
		if err != nil {
			return err
		}
		*flag.to = given
	}
	return nil
}

func readApplicationName(args arguments, app *gateway.Application) error {
	name, err := args.text("app_name")
	if err != nil || name == "" {
		return err
	}
	if len(name) > maxName || strings.ContainsFunc(name, notOfApplicationName) {
		return gateway.Errorf(gateway.Invalid, "app_name must consist of at most %d letters, digits, hyphens and underscores", maxName)
	}
	app.Name = name
	return nil
}

func notOfApplicationName(r rune) bool {
	return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '_'
}

// readHook reads an address and its method. An empty address takes away the one that is there.
func readHook(args arguments, url, method string, to *gateway.Callback) error {
	address, err := args.given(url)
	if err != nil {
		return err
	}
	if address != nil {
		*address = strings.TrimSpace(*address)
		if *address != "" && !isWebAddress(*address) {
			return gateway.Errorf(gateway.Invalid, "%s must be an absolute http or https URL", url)
		}
		to.URL = *address
	}
	text, err := args.text(method)
	if err != nil || text == "" {
		return err
	}
	if text = strings.ToUpper(strings.TrimSpace(text)); text != http.MethodGet && text != http.MethodPost {
		return gateway.Errorf(gateway.Invalid, "%s must be GET or POST", method)
	}
	to.Method = text
	return nil
}

// given reads an argument that may be emptied, where null says nothing: nil when it is absent or null.
func (a arguments) given(name string) (*string, error) {
	for i := len(a) - 1; i >= 0; i-- {
		if a[i].name != name {
			continue
		}
		if a[i].value.kind == isNull {
			return nil, nil
		}
		text, err := a.text(name)
		return &text, err
	}
	return nil, nil
}

func (a *API) listApplications(c *call) (answer, error) {
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
	filter := gateway.ApplicationFilter{Account: owner.ID, Limit: p.limit, Offset: p.offset}
	if filter.Name, err = args.text("app_name"); err != nil {
		return answer{}, err
	}
	found, total, err := a.store.Applications(c.context(), filter)
	if err != nil {
		return answer{}, err
	}
	body := list[application]{c.id.String(), newMeta(c.resource("/Application/"), args, p, total), make([]application, len(found))}
	for i := range found {
		body.Objects[i] = showApplication(c, &found[i])
	}
	return answer{http.StatusOK, body}, nil
}

func (a *API) getApplication(c *call) (answer, error) {
	app, err := a.store.Application(c.context(), c.accountID(), c.param(paramID))
	if err != nil {
		return answer{}, err
	}
	return answer{http.StatusOK, singleApplication{c.id.String(), showApplication(c, &app)}}, nil
}

func (a *API) updateApplication(c *call) (answer, error) {
	args, err := c.args()
	if err != nil {
		return answer{}, err
	}
	owner, err := a.readSubaccount(c, args)
	if err != nil {
		return answer{}, err
	}
	_, named := args.find("subaccount")
	moved := false
	err = a.store.ChangeApplication(c.context(), c.accountID(), c.param(paramID), func(app *gateway.Application) error {
		if moved = named && app.Account != owner.ID; moved {
			app.Account = owner.ID
		}
		return readApplicationArguments(args, app)
	})
	if err != nil {
		return answer{}, err
	}
	if moved { // it left what was linked to it
		if err := a.tellChange(c); err != nil {
			return answer{}, err
		}
	}
	return answer{http.StatusAccepted, changed{c.id.String(), "changed"}}, nil
}

func (a *API) deleteApplication(c *call) (answer, error) {
	args, err := c.args()
	if err != nil {
		return answer{}, err
	}
	if err := a.readEndpoints(c, args); err != nil {
		return answer{}, err
	}
	if err := a.store.DeleteApplication(c.context(), c.accountID(), c.param(paramID)); err != nil {
		return answer{}, err
	}
	if err := a.tellChange(c); err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusNoContent}, nil
}

// readEndpoints reads what is to become of the endpoints of a deleted application. There are no endpoints, for they are of voice: so only what
// cannot be meant is refused.
func (a *API) readEndpoints(c *call, args arguments) error {
	if _, err := args.boolean("cascade", true); err != nil {
		return err
	}
	heir, err := args.text("new_endpoint_application")
	if err != nil || heir == "" {
		return err
	}
	_, err = a.store.Application(c.context(), c.accountID(), heir)
	if heir == c.param(paramID) || isNotFound(err) {
		return gateway.Errorf(gateway.Invalid, "new_endpoint_application is not another application of this account")
	}
	return err
}
