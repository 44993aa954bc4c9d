// Package operator is the API of those who run the installation: accounts, numbers, carriers, queues, messages on hold. Every call needs
// the operator's token; bodies are JSON, and errors have the shape of the account API's.
//
//	api.go       routes, authentication, answering
//	throttle.go  guesses of the token
//	body.go      bodies of requests
//	account.go   accounts
//	credit.go    what accounts pay from, and their ledgers
//	campaign.go  10DLC campaigns
//	registration.go  what accounts register, and what is decided
//	number.go    numbers as they are set
//	fit.go       whether what is said of a number fits its digits
//	powerpack.go powerpacks: their settings and senders, and which one a message would get
//	listing.go   numbers as they are shown
//	carrier.go   carriers
//	queue.go     queues, and the rates and caps that senders share
//	message.go   messages: what became of them, and why
//	guard.go     countries and thresholds of accounts
//	conversion.go how trackable messages converted
//	held.go      messages whose submit was never answered
//	optout.go    persons who have opted out, and the trail of that
//	optoutfile.go  the same as files
//	inbound.go   messages from handsets that the pretend network brings
//	store.go     what is needed of a store
package operator

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
	"github.com/heliograph/heliograph/internal/mt"
)

// Config is what the API works on.
type Config struct {
	Store Store
	// TokenHash is the SHA-256 of the operator's token.
	TokenHash [sha256.Size]byte
	// Queue is the dispatcher: queues, and carriers' lines.
	Queue Queue
	// Binds gives the connections of a carrier, nil where it has none to show.
	Binds func(carrier string) []Bind
	// Receipted counts the receipts that came from a carrier since the start.
	Receipted func(carrier string) int64
	// Changed is called after accounts, campaigns or numbers changed, before the answer; new messages follow the change when it returns.
	Changed func(context.Context) error
	// Explain tells which sender a powerpack would take for a message now: mt.Service.Explain.
	Explain func(context.Context, mt.Question) (mt.Explanation, error)
	// Told hears of the events of a message that was ended.
	Told func([]gateway.Event)
	// OptedOut hears of opt-outs that the store has, before the answer: mt.Dispatcher.OptedOut.
	OptedOut func([]gateway.OptOutChange)
	// Bring has a pretend network bring a message from a handset, and gives the message's id when it is on disk. nil: there is no such network.
	Bring func(ctx context.Context, h Handset) (gateway.ID, error)
	IDs   *gateway.IDSource
	// ConversionWindow is how long after it was sent a trackable message may wait for feedback until it counts as not converted.
	ConversionWindow time.Duration
	// Random gives unpredictable octets, for credentials.
	Random func([]byte)
	Now    func() time.Time
	Log    *slog.Logger
}

// Queue is what the operator sees and changes of the queue: mt.Dispatcher.
type Queue interface {
	Carriers() []mt.CarrierState
	Queues(filter mt.QueueFilter) []mt.QueueState
	Scopes() []mt.ScopeState
	Pause(carrier string) error
	Resume(carrier string) error
	Return(m *gateway.Message)
}

// API is the operator's API below /admin/v1/.
type API struct {
	Config
	routes   *http.ServeMux
	throttle throttle
}

// New makes the API.
func New(cfg Config) *API {
	a := &API{Config: cfg, routes: http.NewServeMux()}
	for pattern, handle := range a.table() {
		answer := a.answer(handle)
		switch pattern {
		case "POST /admin/v1/numbers", "POST /admin/v1/opt-outs", "POST /admin/v1/opt-outs/import":
			answer = a.unhurried(answer)
		}
		a.routes.HandleFunc(pattern, answer)
		a.routes.HandleFunc(pattern+"/{$}", answer) // with a slash at the end, and no redirect
	}
	a.routes.HandleFunc("/", a.answer(func(*http.Request) (int, any, error) {
		return 0, nil, gateway.Errorf(gateway.NotFound, "not found")
	}))
	return a
}

// table is the whole surface.
func (a *API) table() map[string]func(*http.Request) (int, any, error) {
	return map[string]func(*http.Request) (int, any, error){
		"POST /admin/v1/accounts":                                      a.createAccount,
		"GET /admin/v1/accounts":                                       a.listAccounts,
		"GET /admin/v1/accounts/{auth_id}":                             a.showAccount,
		"POST /admin/v1/accounts/{auth_id}":                            a.changeAccount,
		"POST /admin/v1/campaigns":                                     a.putCampaigns,
		"GET /admin/v1/campaigns":                                      a.listCampaigns,
		"DELETE /admin/v1/campaigns/{id}":                              a.deleteCampaign,
		"POST /admin/v1/numbers":                                       a.putNumbers,
		"GET /admin/v1/numbers":                                        a.listNumbers,
		"GET /admin/v1/numbers/{number}":                               a.showNumber,
		"POST /admin/v1/numbers/{number}/pause":                        a.pauseNumber,
		"POST /admin/v1/numbers/{number}/resume":                       a.resumeNumber,
		"GET /admin/v1/powerpacks":                                     a.listPowerpacks,
		"GET /admin/v1/powerpacks/{id}":                                a.showPowerpack,
		"GET /admin/v1/powerpacks/{id}/explain":                        a.explainPowerpack,
		"GET /admin/v1/carriers":                                       a.listCarriers,
		"POST /admin/v1/carriers/{name}/pause":                         a.pauseCarrier,
		"POST /admin/v1/carriers/{name}/resume":                        a.resumeCarrier,
		"GET /admin/v1/accounts/{auth_id}/messages/{id}":               a.showMessage,
		"GET /admin/v1/messages":                                       a.listMessages,
		"GET /admin/v1/queues":                                         a.listQueues,
		"GET /admin/v1/held":                                           a.listHeld,
		"POST /admin/v1/held/{id}/resend":                              a.resendHeld,
		"POST /admin/v1/held/{id}/fail":                                a.failHeld,
		"GET /admin/v1/registrations":                                  a.listRegistrations,
		"GET /admin/v1/accounts/{auth_id}/registrations/{id}":          a.showRegistration,
		"POST /admin/v1/accounts/{auth_id}/registrations/{id}/approve": a.approveRegistration,
		"POST /admin/v1/accounts/{auth_id}/registrations/{id}/reject":  a.rejectRegistration,
		"GET /admin/v1/accounts/{auth_id}/guard":                       a.showGuard,
		"POST /admin/v1/accounts/{auth_id}/guard":                      a.changeGuard,
		"GET /admin/v1/conversions":                                    a.listConversions,
		"GET /admin/v1/opt-outs":                                       a.listOptOuts,
		"POST /admin/v1/opt-outs":                                      a.addOptOuts,
		"DELETE /admin/v1/opt-outs":                                    a.removeOptOut,
		"GET /admin/v1/opt-outs/export":                                a.exportOptOuts,
		"POST /admin/v1/opt-outs/import":                               a.importOptOuts,
		"GET /admin/v1/opt-outs/audit":                                 a.listOptOutChanges,
		"POST /admin/v1/loopback/inbound":                              a.bringInbound,
		"POST /admin/v1/accounts/{auth_id}/credits":                    a.addCredit,
		"GET /admin/v1/accounts/{auth_id}/credits":                     a.listCredits,
	}
}

// ServeHTTP answers the operator, and nobody else.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) { a.Guard(a.routes).ServeHTTP(w, r) }

// Guard lets only requests with the operator's token through.
func (a *API) Guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		hash := sha256.Sum256([]byte(strings.TrimSpace(token)))
		right := strings.EqualFold(scheme, "Bearer") && subtle.ConstantTimeCompare(hash[:], a.TokenHash[:]) == 1
		switch pass, wait := a.throttle.judge(sourceOf(r.RemoteAddr), right, a.Now()); {
		case wait > 0:
			w.Header().Set("Retry-After", strconv.Itoa(int((wait+time.Second-1)/time.Second)))
			a.write(w, r, a.newID(), http.StatusTooManyRequests, map[string]string{"error": "too many failed attempts; try again later"})
			return
		case !pass:
			w.Header().Set("WWW-Authenticate", `Bearer realm="heliograph operator"`)
			a.write(w, r, a.newID(), http.StatusUnauthorized, map[string]string{"error": "the operator's token is missing or wrong"})
			return
		}
		next.ServeHTTP(w, r)
	})
}

// statuses are how refusals are said in HTTP.
var statuses = map[gateway.ErrorCode]int{
	gateway.Invalid: http.StatusBadRequest, gateway.Unauthenticated: http.StatusUnauthorized, gateway.Forbidden: http.StatusForbidden,
	gateway.NotFound: http.StatusNotFound, gateway.Conflict: http.StatusConflict, gateway.TooMany: http.StatusTooManyRequests,
	gateway.Unavailable: http.StatusServiceUnavailable,
}

// answer makes a handler of a function that gives a status and a body, or an error.
func (a *API) answer(handle func(*http.Request) (int, any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		id := a.newID()
		status, body, err := handle(r)
		if err != nil {
			status, body = a.refusal(r, id, err)
		}
		if f, ok := body.(*file); ok {
			a.send(w, r, id, f)
			return
		}
		a.write(w, r, id, status, body)
	}
}

// file is an answer that is no JSON, and may be too long to be held in memory.
type file struct {
	kind, name string
	send       func(http.ResponseWriter) error
}

// send sends a file. When that fails in the midst the connection is cut, so that nobody takes the beginning for the whole.
func (a *API) send(w http.ResponseWriter, r *http.Request, id string, f *file) {
	w.Header().Set("Content-Type", f.kind)
	w.Header().Set("Content-Disposition", `attachment; filename="`+f.name+`"`)
	w.Header().Set("X-Request-ID", id)
	if err := f.send(w); err != nil {
		if r.Context().Err() == nil {
			a.Log.Error("a file could not be sent to its end", "api_id", id, "route", r.Pattern, "err", err)
		}
		panic(http.ErrAbortHandler)
	}
}

// newID is the id of a request: the answer holds it, and so does what the log says of it.
func (a *API) newID() string { return a.IDs.Next(a.Now()).String() }

// refusal is what the operator is told of an error. The log names the route and not the path, which may hold a number.
func (a *API) refusal(r *http.Request, id string, err error) (int, any) {
	var numbers *refusedNumbers
	if errors.As(err, &numbers) {
		return http.StatusBadRequest, map[string]any{"error": numbers.Error(), "refused": numbers.list, "refused_total": numbers.total}
	}
	var lines *refusedLines
	if errors.As(err, &lines) {
		return http.StatusBadRequest, map[string]any{"error": lines.Error(), "refused": lines.list, "refused_total": lines.total}
	}
	var refusal *gateway.Error
	if errors.As(err, &refusal) {
		return statuses[refusal.Code], map[string]string{"error": refusal.Text}
	}
	a.Log.Error("an operator's request failed", "api_id", id, "route", r.Pattern, "err", err)
	return http.StatusInternalServerError, map[string]string{"error": "internal error; the server's log says more"}
}

// tellChange makes the message path follow a change that the store has. It is finished even if the operator goes away meanwhile.
func (a *API) tellChange(r *http.Request) error {
	err := a.Changed(context.WithoutCancel(r.Context()))
	if err == nil {
		return nil
	}
	a.Log.Error("a change is stored, but the message path could not read it", "route", r.Pattern, "err", err)
	return gateway.Errorf(gateway.Unavailable, "the change was stored, but does not hold for new messages yet")
}

// write sends a JSON object with the request's id.
func (a *API) write(w http.ResponseWriter, r *http.Request, id string, status int, body any) {
	fields, err := json.Marshal(body)
	if err != nil {
		a.Log.Error("an answer cannot be encoded", "api_id", id, "route", r.Pattern, "err", err)
		status, fields = http.StatusInternalServerError, []byte(`{"error":"internal error; the server's log says more"}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Request-ID", id)
	w.WriteHeader(status)
	object := `{"api_id":"` + id + `"`
	if rest := fields[1:]; len(rest) > 1 {
		object += "," + string(rest)
	} else {
		object += "}"
	}
	_, _ = io.WriteString(w, object+"\n") // a client that is gone needs no answer
}

// params gives the query's parameters. Like fields of a body, what is not known is refused: a misspelt filter would show everything.
func params(r *http.Request, known ...string) (url.Values, error) {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, gateway.Errorf(gateway.Invalid, "the query could not be read")
	}
	for _, name := range slices.Sorted(maps.Keys(query)) {
		if !slices.Contains(known, name) {
			return nil, gateway.Errorf(gateway.Invalid, "there is no parameter %q; known are %s", name, strings.Join(known, ", "))
		}
	}
	return query, nil
}

// intParam reads a whole number from least to most out of a query.
func intParam(query url.Values, name string, absent, least, most int) (int, error) {
	text := query.Get(name)
	if text == "" {
		return absent, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < least || n > most {
		return 0, gateway.Errorf(gateway.Invalid, "%s must be a number from %d to %d", name, least, most)
	}
	return n, nil
}

// pageParams reads which part of a list is wanted.
func pageParams(query url.Values) (limit, offset int, err error) {
	if limit, err = intParam(query, "limit", defaultListed, 1, maxListed); err != nil {
		return 0, 0, err
	}
	offset, err = intParam(query, "offset", 0, 0, maxOffset)
	return limit, offset, err
}

// boolParam reads a switch out of a query; off when it is absent.
func boolParam(query url.Values, name string) (bool, error) {
	text := query.Get(name)
	if text == "" {
		return false, nil
	}
	on, err := strconv.ParseBool(text)
	if err != nil {
		return false, gateway.Errorf(gateway.Invalid, "%s must be true or false", name)
	}
	return on, nil
}

// accountParam reads an account's id out of a query; "" when it is absent.
func accountParam(query url.Values) (gateway.AccountID, error) {
	id := gateway.AccountID(query.Get("auth_id"))
	if id != "" && !id.Valid() {
		return "", gateway.Errorf(gateway.Invalid, "auth_id has not the form of an auth id")
	}
	return id, nil
}

// logged is what a log names of those that a call changed: the first few, so that a line stays one.
func logged(ids []string) []string { return ids[:min(len(ids), 20)] }
