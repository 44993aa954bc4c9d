// Package operator is the API of those who run the installation: accounts, numbers, carriers, queues, messages on hold. Every call needs
// the operator's token; bodies are JSON, and errors have the shape of the account API's.
//
//	api.go      routes, authentication, reading and answering
//	account.go  accounts
//	number.go   numbers
//	carrier.go  carriers and queues
//	message.go  one message: what became of it, and why
//	held.go     messages whose submit was never answered
//	store.go    what is needed of a store
package operator

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
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
	// Changed is called after numbers changed, before the answer.
	Changed func(context.Context) error
	// Told hears of the events of a message that was ended.
	Told func([]gateway.Event)
	IDs  *gateway.IDSource
	// Random gives unpredictable octets, for credentials.
	Random func([]byte)
	Now    func() time.Time
	Log    *slog.Logger
}

// Queue is what the operator sees and changes of the queue: mt.Dispatcher.
type Queue interface {
	Carriers() []mt.CarrierState
	Queues(limit int) []mt.QueueState
	Pause(carrier string) error
	Resume(carrier string) error
	Return(m *gateway.Message)
}

// API is the operator's API below /admin/v1/.
type API struct {
	Config
	routes *http.ServeMux
}

// New makes the API.
func New(cfg Config) *API {
	a := &API{Config: cfg, routes: http.NewServeMux()}
	for pattern, handle := range map[string]func(*http.Request) (int, any, error){
		"POST /admin/v1/accounts":                        a.createAccount,
		"GET /admin/v1/accounts":                         a.listAccounts,
		"POST /admin/v1/numbers":                         a.putNumbers,
		"GET /admin/v1/carriers":                         a.listCarriers,
		"POST /admin/v1/carriers/{name}/pause":           a.pauseCarrier,
		"POST /admin/v1/carriers/{name}/resume":          a.resumeCarrier,
		"GET /admin/v1/accounts/{auth_id}/messages/{id}": a.showMessage,
		"GET /admin/v1/queues":                           a.listQueues,
		"GET /admin/v1/held":                             a.listHeld,
		"POST /admin/v1/held/{id}/resend":                a.resendHeld,
		"POST /admin/v1/held/{id}/fail":                  a.failHeld,
	} {
		a.routes.HandleFunc(pattern, a.answer(handle))
		a.routes.HandleFunc(pattern+"/{$}", a.answer(handle)) // with a slash at the end, and no redirect
	}
	a.routes.HandleFunc("/", a.answer(func(r *http.Request) (int, any, error) {
		return 0, nil, gateway.Errorf(gateway.NotFound, "not found")
	}))
	return a
}

// ServeHTTP answers the operator, and nobody else.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) { a.Guard(a.routes).ServeHTTP(w, r) }

// Guard lets only requests with the operator's token through.
func (a *API) Guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		hash := sha256.Sum256([]byte(strings.TrimSpace(token)))
		if !strings.EqualFold(scheme, "Bearer") || subtle.ConstantTimeCompare(hash[:], a.TokenHash[:]) != 1 {
			w.Header().Set("WWW-Authenticate", `Bearer realm="heliograph operator"`)
			a.write(w, r, http.StatusUnauthorized, map[string]string{"error": "the operator's token is missing or wrong"})
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
		status, body, err := handle(r)
		if err != nil {
			status, body = a.refusal(r, err)
		}
		a.write(w, r, status, body)
	}
}

func (a *API) refusal(r *http.Request, err error) (int, any) {
	var refusal *gateway.Error
	if errors.As(err, &refusal) {
		return statuses[refusal.Code], map[string]string{"error": refusal.Text}
	}
	a.Log.Error("an operator's request failed", "method", r.Method, "path", r.URL.Path, "err", err)
	return http.StatusInternalServerError, map[string]string{"error": "internal error; the server's log says more"}
}

// write sends a JSON object with the request's id.
func (a *API) write(w http.ResponseWriter, r *http.Request, status int, body any) {
	fields, err := json.Marshal(body)
	if err != nil {
		a.Log.Error("an answer cannot be encoded", "path", r.URL.Path, "err", err)
		status, fields = http.StatusInternalServerError, []byte(`{"error":"internal error; the server's log says more"}`)
	}
	id := a.IDs.Next(a.Now()).String()
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

// maxBody bounds a request's body: 20,000 numbers fit.
const maxBody = 4 << 20

// read decodes a JSON object strictly: what is not known is refused, so that a misspelt setting is not taken for its default.
func read(r *http.Request, into any) error {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	switch {
	case err != nil:
		return gateway.Errorf(gateway.Invalid, "the body could not be read")
	case len(body) > maxBody:
		return gateway.Errorf(gateway.Invalid, "the body is longer than %d bytes", maxBody)
	}
	decoder := json.NewDecoder(strings.NewReader(string(body)))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return gateway.Errorf(gateway.Invalid, "invalid json: %s", strings.TrimPrefix(err.Error(), "json: "))
	}
	if decoder.More() {
		return gateway.Errorf(gateway.Invalid, "invalid json: more than one value")
	}
	return nil
}
