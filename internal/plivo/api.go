// Package plivo is the account side of Heliograph: an API that is wire-compatible with Plivo's Messaging API, the forms of its
// callbacks, and their signatures. Plivo's field names, codes and habits live here and nowhere else;
// docs/plivo-divergences.md lists where we decided something that its documentation leaves open.
//
//	api.go        the routes, and how a call is answered
//	path.go       paths as the clients really send them
//	auth.go       who calls, about which account; slowing down guesses
//	limit.go      how often an account may call
//	accounts.go   accounts, a few seconds old at most
//	body.go       arguments from JSON, forms and queries, loosely typed
//	json.go       the JSON reader
//	message.go    POST Message: checks, and what is answered
//	media.go      files: uploads, and those of a message
//	record.go     a message as its record shows it
//	conversion.go feedback on trackable messages
//	list.go       GET Message: filters; pages of any list
//	number.go     the numbers of an account
//	inventory.go  the numbers that can be rented
//	ownnumber.go  numbers that an account brings along
//	application.go  what becomes of what comes in for numbers
//	accountprofile.go  what an account says of itself
//	pricing.go    what things cost in a country
//	subaccount.go subaccounts of an account
//	registration.go  what is common to profiles, brands, campaigns and verifications
//	profile.go    who the business is that registers
//	brand.go      10DLC brands
//	campaign.go   10DLC campaigns
//	campaignnumber.go  the numbers of a campaign
//	tollfreeverification.go  verifications of toll-free numbers
//	lookup.go     what is known of any number
//	iso.go        codes of countries
//	place.go      names of countries and regions
//	powerpack.go  powerpacks
//	explain.go    which sender a powerpack would take, and why
//	pool.go       numbers, toll-free numbers and short codes of a pool
//	priority.go   number_priority
//	alert.go      alerts that a threshold was passed
//	callback.go   events as requests
//	inbound.go    messages from handsets as requests to applications
//	xmlreply.go   what applications answer to them
//	reply.go      messages made of that
//	optout.go     who has opted out of what
//	keyword.go    the words for that, of powerpacks
//	conversation.go  what an account and a person have written to each other
//	signature.go  the signatures of callbacks, V2 and V3
//	error.go      refusals in HTTP
//	errorcode.go  reasons in the contract's codes
//
// docs/openapi.yaml describes the whole surface; the tests hold every answer against it.
package plivo

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
	"github.com/heliograph/heliograph/internal/media"
	"github.com/heliograph/heliograph/internal/mt"
	"github.com/heliograph/heliograph/internal/pricing"
)

// Config is what an API works with. Store, Media, Accept, Explain, Feedback, IDs, Now and Log must be set.
type Config struct {
	Store Store
	// Media keeps what is uploaded.
	Media *media.Library
	// Accept takes a checked message. When it returns without an error, the message is on disk.
	Accept func(context.Context, *mt.Request) (gateway.Acceptance, error)
	// Explain tells which sender a powerpack of the account would take, and why not the others.
	Explain func(context.Context, mt.Question) (mt.Explanation, error)
	// Estimate tells when queued messages are expected to leave, in their order; a zero time: not known. nil: nobody knows.
	Estimate func(context.Context, []*gateway.Message) ([]time.Time, error)
	// Changed is called after each change to numbers or powerpacks, before the answer; new messages follow the change when it returns.
	Changed func(context.Context) error
	// Feedback keeps what an account says about a message; Feedback.Record. When it returns without an error, it is on disk.
	Feedback func(context.Context, gateway.Conversion) error
	IDs      *gateway.IDSource
	Now      func() time.Time
	Log      *slog.Logger

	// OptedOut hears of changes of opt-outs after their commit; nil: nobody does.
	OptedOut func([]gateway.OptOutChange)
	// Prices is the price list; nil: there is none, and nothing costs anything.
	Prices *pricing.Table
	// Random fills ids and tokens of subaccounts and ids of applications with what cannot be predicted; nil: crypto/rand.
	Random func([]byte)
	// Accounts is shared with the callbacks; nil: the API has its own.
	Accounts *Accounts
	// MaxBody bounds a request's body in octets; 0: DefaultMaxBody.
	MaxBody int64
	Limits  Limits
	// TrustedProxies are networks whose X-Forwarded-For is believed.
	TrustedProxies []netip.Prefix
	// OwnNumbers lets accounts add numbers that nobody has here as their own. They say themselves that these are theirs.
	OwnNumbers bool
	// PublicURL is what links to media begin with, without a slash at its end; empty: the address by which the caller has reached the server.
	PublicURL string
	// Served hears of every answered request: the route's pattern ("" where none fits), the status and the time it took. nil: nobody does.
	Served func(method, pattern string, status int, took time.Duration)
}

// API serves the account API.
type API struct {
	store    Store
	media    *media.Library
	uploads  uploading
	public   string // what links to media begin with
	accept   func(context.Context, *mt.Request) (gateway.Acceptance, error)
	explain  func(context.Context, mt.Question) (mt.Explanation, error)
	estimate func(context.Context, []*gateway.Message) ([]time.Time, error)
	changed  func(context.Context) error
	feedback func(context.Context, gateway.Conversion) error
	optedOut func([]gateway.OptOutChange)
	ids      *gateway.IDSource
	prices   *pricing.Table
	random   func([]byte)
	now      func() time.Time
	log      *slog.Logger
	accounts *Accounts
	throttle *throttle
	requests *limiter
	messages *limiter
	maxBody  int64
	proxies  []netip.Prefix
	served   func(method, pattern string, status int, took time.Duration)
	routes   []route
}

// New makes the handler for everything below /v1/. It must see paths as they came: a router that cleans them answers doubled slashes with a
// redirect, which turns a client's POST into a GET.
func New(cfg Config) http.Handler {
	a := &API{
		store: cfg.Store, accept: cfg.Accept, explain: cfg.Explain, estimate: cfg.Estimate, changed: cfg.Changed, feedback: cfg.Feedback, ids: cfg.IDs, random: cfg.Random, now: cfg.Now,
		prices: cfg.Prices, log: cfg.Log, accounts: cfg.Accounts, throttle: newThrottle(), requests: newLimiter(cfg.Limits.Requests), messages: newLimiter(cfg.Limits.Messages), maxBody: cfg.MaxBody, proxies: cfg.TrustedProxies, served: cfg.Served,
	}
	if a.accounts == nil {
		a.accounts = NewAccounts(cfg.Store.Account, cfg.Now)
	}
	if a.estimate == nil {
		a.estimate = func(_ context.Context, messages []*gateway.Message) ([]time.Time, error) {
			return make([]time.Time, len(messages)), nil
		}
	}
	if a.optedOut = cfg.OptedOut; a.optedOut == nil {
		a.optedOut = func([]gateway.OptOutChange) {}
	}
	if a.changed == nil {
		a.changed = func(context.Context) error { return nil }
	}
	if a.random == nil {
		a.random = func(b []byte) { _, _ = rand.Read(b) } // never fails
	}
	if a.maxBody <= 0 {
		a.maxBody = DefaultMaxBody
	}
	if a.served == nil {
		a.served = func(string, string, int, time.Duration) {}
	}
	a.media, a.public, a.uploads.own = cfg.Media, cfg.PublicURL, map[gateway.AccountID]int{}
	a.routes = a.table(cfg.OwnNumbers)
	return a
}

// table is the whole surface.
func (a *API) table(ownNumbers bool) []route {
	addNumbers := a.addNumbers
	if !ownNumbers {
		addNumbers = nil
	}
	return []route{
		newRoute("/v1/Account/{auth_id}/", a.getAccount, a.updateAccount, nil),
		newRoute("/v1/Account/{auth_id}/Subaccount/", a.listSubaccounts, a.createSubaccount, nil),
		newRoute("/v1/Account/{auth_id}/Subaccount/{subauth_id}/", a.getSubaccount, a.updateSubaccount, a.deleteSubaccount),

		newRoute("/v1/Account/{auth_id}/Application/", a.listApplications, a.createApplication, nil),
		newRoute("/v1/Account/{auth_id}/Application/{app_id}/", a.getApplication, a.updateApplication, a.deleteApplication),

		newRoute(sendRoute, a.listMessages, a.createMessage, nil),
		newRoute("/v1/Account/{auth_id}/Message/{message_uuid}/", a.getMessage, nil, nil),
		newRoute(feedbackRoute, nil, a.recordConversion, nil),
		newRoute("/v1/Account/{auth_id}/Message/{message_uuid}/Media/", a.listMessageMedia, nil, a.deleteMessageMedia),
		newRoute("/v1/Account/{auth_id}/Message/{message_uuid}/Media/{media_id}/", a.getMessageMedium, nil, nil),

		newRoute("/v1/Account/{auth_id}/Conversation/", a.listConversation, nil, nil),
		newRoute("/v1/Account/{auth_id}/OptOut/", a.listOptOuts, a.addOptOuts, a.removeOptOuts),

		newRoute("/v1/Account/{auth_id}/Media/", a.listMedia, a.uploadMedia, nil),
		newRoute("/v1/Account/{auth_id}/Media/{media_id}/", a.getMedium, nil, nil),

		newRoute("/v1/Account/{auth_id}/Pricing/", a.getPricing, nil, nil),

		newRoute("/v1/Account/{auth_id}/Number/", a.listNumbers, addNumbers, nil),
		newRoute("/v1/Account/{auth_id}/Number/{number}/", a.getNumber, a.updateNumber, a.unrentNumber),

		newRoute("/v1/Account/{auth_id}/PhoneNumber/", a.searchInventory, nil, nil),
		newRoute("/v1/Account/{auth_id}/PhoneNumber/{number}/", nil, a.rentNumber, nil),

		newRoute("/v1/Account/{auth_id}/Powerpack/", a.listPowerpacks, a.createPowerpack, nil),
		newRoute("/v1/Account/{auth_id}/Powerpack/{uuid}/", a.getPowerpack, a.updatePowerpack, a.deletePowerpack),
		newRoute("/v1/Account/{auth_id}/Powerpack/{uuid}/Explain/", a.explainPowerpack, nil, nil),
		newRoute("/v1/Account/{auth_id}/Powerpack/{uuid}/Number/", a.listPoolNumbers, a.addPoolNumber, a.removePoolNumber),
		newRoute("/v1/Account/{auth_id}/Powerpack/{uuid}/Number/{number}/", a.getPoolNumber, a.addPoolNumber, a.removePoolNumber),

		newRoute("/v1/Account/{auth_id}/NumberPool/{pool_uuid}/", a.getPool, nil, nil),
		newRoute("/v1/Account/{auth_id}/NumberPool/{pool_uuid}/Number/", a.listPoolNumbers, nil, nil),
		newRoute("/v1/Account/{auth_id}/NumberPool/{pool_uuid}/Number/{number}/", a.getPoolNumber, a.addPoolNumber, a.removePoolNumber),
		newRoute("/v1/Account/{auth_id}/NumberPool/{pool_uuid}/Tollfree/", a.listPoolNumbers, nil, nil),
		newRoute("/v1/Account/{auth_id}/NumberPool/{pool_uuid}/Tollfree/{number}/", a.getPoolNumber, a.addPoolNumber, a.removePoolNumber),
		newRoute("/v1/Account/{auth_id}/NumberPool/{pool_uuid}/Shortcode/", a.listPoolNumbers, nil, nil),
		newRoute("/v1/Account/{auth_id}/NumberPool/{pool_uuid}/Shortcode/{shortcode}/", a.getPoolNumber, a.addPoolNumber, a.removePoolNumber),

		newRoute("/v1/Account/{auth_id}/Profile/", a.listProfiles, a.createProfile, nil),
		newRoute("/v1/Account/{auth_id}/Profile/{profile_uuid}/", a.getProfile, a.updateProfile, a.deleteProfile),
		newRoute("/v1/Account/{auth_id}/10dlc/Brand/", a.listBrands, a.createBrand, nil),
		newRoute("/v1/Account/{auth_id}/10dlc/Brand/{brand_id}/", a.getBrand, nil, a.deleteBrand),
		newRoute("/v1/Account/{auth_id}/10dlc/Brand/{brand_id}/usecases/", a.listUseCases, nil, nil),
		newRoute("/v1/Account/{auth_id}/10dlc/Campaign/", a.listCampaigns, a.createCampaign, nil),
		newRoute("/v1/Account/{auth_id}/10dlc/Campaign/Import/", nil, a.importCampaign, nil),
		newRoute("/v1/Account/{auth_id}/10dlc/Campaign/{campaign_id}/", a.getCampaign, a.updateCampaign, a.deleteCampaign),
		newRoute("/v1/Account/{auth_id}/10dlc/Campaign/{campaign_id}/Number/", a.listCampaignNumbers, a.linkNumbers, nil),
		newRoute("/v1/Account/{auth_id}/10dlc/Campaign/{campaign_id}/Number/{number}/", a.getCampaignNumber, nil, a.unlinkNumber),
		newRoute("/v1/Account/{auth_id}/TollfreeVerification/", a.listVerifications, a.createVerification, nil),
		newRoute("/v1/Account/{auth_id}/TollfreeVerification/{verification_uuid}/", a.getVerification, a.updateVerification, a.deleteVerification),

		newRoute("/v1/Number/{number}/", a.lookup, nil, nil),
	}
}

// handler answers a call, or refuses it with an error.
type handler func(*call) (answer, error)

// answer is a status and what becomes the JSON object; a nil body is none, which goes with 204.
type answer struct {
	status int
	body   any
}

// route is a path and what may be done there. GET also serves HEAD.
type route struct {
	pattern           string
	segments          []string
	get, post, delete handler
}

// Places of a path's parameters among its segments.
const (
	paramAccount  = 2
	paramResource = 3 // a fixed segment: which collection
	paramID       = 4
	paramList     = 5 // a fixed segment: which list of a pool
	paramItem     = 6
)

func newRoute(pattern string, get, post, remove handler) route {
	return route{pattern: pattern, segments: strings.Split(strings.Trim(pattern, "/"), "/"), get: get, post: post, delete: remove}
}

// ofAccount tells whether the path names the account that the call is about; where it does not, that is the caller.
func (r *route) ofAccount() bool { return r.segments[paramAccount-1] == "Account" }

func (r *route) matches(path *segments) bool {
	if path.long || path.n != len(r.segments) {
		return false
	}
	for i, segment := range r.segments {
		if segment[0] != '{' && !foldEqual(segment, path.list[i]) {
			return false
		}
	}
	return true
}

func (r *route) handler(method string) handler {
	switch method {
	case http.MethodGet, http.MethodHead:
		return r.get
	case http.MethodPost:
		return r.post
	case http.MethodDelete:
		return r.delete
	}
	return nil
}

func (r *route) allow() string {
	var methods []string
	for _, method := range [...]string{http.MethodGet, http.MethodPost, http.MethodDelete} {
		if r.handler(method) != nil {
			methods = append(methods, method)
		}
	}
	return strings.Join(methods, ", ")
}

// call is one request on its way through the API.
type call struct {
	api     *API
	r       *http.Request
	id      gateway.ID // api_id; a repeated request answers with the first one's
	at      time.Time
	header  http.Header // of the answer
	control *http.ResponseController
	client  netip.Addr
	from    netip.Addr // what the throttle counts the client as
	path    segments
	route   *route
	account *account // that the call is about
}

func (c *call) param(place int) string       { return c.path.list[place] }
func (c *call) accountID() gateway.AccountID { return c.account.ID }
func (c *call) context() context.Context     { return c.r.Context() }
func (c *call) resource(segments string) string {
	return "/v1/Account/" + string(c.account.ID) + segments
}

// ServeHTTP answers one request. Whatever happens, the answer is a JSON object with an api_id, but for 204, which has no body.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c := &call{api: a, r: r, at: a.now(), header: w.Header(), client: a.clientOf(r)}
	c.id, c.from, c.control = a.ids.Next(c.at), sourceOf(c.client), http.NewResponseController(w)
	ans, err := a.serve(c)
	if err != nil {
		ans = a.refuse(c, err)
	}
	write(w, c.id, ans)
	pattern := ""
	if c.route != nil {
		pattern = c.route.pattern
	}
	a.served(r.Method, pattern, ans.status, a.now().Sub(c.at))
}

// serve finds the route and the account and lets the handler answer. A panic ends as an internal error.
func (a *API) serve(c *call) (ans answer, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			if cause == http.ErrAbortHandler {
				panic(cause)
			}
			a.log.Error("the API panicked", "api_id", c.id.String(), "cause", panicCause(cause), "stack", string(debug.Stack()))
			err = errInternal
		}
	}()
	c.path = cutPath(c.r.URL.Path)
	for i := range a.routes {
		if a.routes[i].matches(&c.path) {
			c.route = &a.routes[i]
			break
		}
	}
	if c.route == nil {
		return answer{}, errNoRoute
	}
	if err := a.authenticate(c); err != nil {
		return answer{}, err
	}
	handle := c.route.handler(c.r.Method)
	if handle == nil {
		return answer{}, &refusal{status: http.StatusMethodNotAllowed, text: "method not allowed", allow: c.route.allow()}
	}
	return handle(c)
}

// panicCause is what a log may say of a panic: the runtime's own words, but of other values, which may hold anything, only the type.
func panicCause(cause any) string {
	var err runtime.Error
	if e, ok := cause.(error); ok && errors.As(e, &err) {
		return err.Error()
	}
	return fmt.Sprintf("%T", cause)
}

// errorBody is what every refusal looks like.
type errorBody struct {
	APIID string `json:"api_id"`
	Error string `json:"error"`
}

func (a *API) refuse(c *call, err error) answer {
	if c.context().Err() != nil && errors.Is(err, c.context().Err()) { // nobody reads the answer, and nothing is wrong here
		err = errGone
	}
	r, internal := refusalOf(err)
	if internal && err != errInternal {
		a.log.Error("the API failed", "api_id", c.id.String(), "method", c.r.Method, "err", err)
	}
	if r.retryAfter > 0 {
		c.header.Set("Retry-After", strconv.Itoa(r.retryAfter))
	}
	if r.allow != "" {
		c.header.Set("Allow", r.allow)
	}
	if r.status == http.StatusUnauthorized {
		c.header.Set("WWW-Authenticate", `Basic realm="Heliograph"`)
	}
	return answer{r.status, errorBody{APIID: c.id.String(), Error: r.text}}
}

func write(w http.ResponseWriter, id gateway.ID, ans answer) {
	header := w.Header()
	header["X-Request-Id"] = []string{id.String()}
	if ans.body == nil {
		w.WriteHeader(ans.status)
		return
	}
	var body bytes.Buffer
	encoder := json.NewEncoder(&body)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(ans.body); err != nil { // all bodies are plain structs: cannot happen
		panic(err)
	}
	header["Content-Type"] = []string{"application/json"}
	header["Content-Length"] = []string{strconv.Itoa(body.Len())}
	w.WriteHeader(ans.status)
	_, _ = w.Write(body.Bytes()) // a client that is gone does not need it
}
