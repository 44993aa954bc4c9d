package mm7

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Handler takes what an MMSC posts to a VASP. A response with success leaves only after the function returned nil. A function refuses with a Status as
// its error; StatusServiceUnavailable says that the MMSC may try again, and is also what any other error becomes. The same request may come again
// when its response was lost, so the functions must be able to take a thing twice. Its fields are set before the first use.
type Handler struct {
	// Authenticate tells whether the request is the MMSC's; nil: every request is.
	Authenticate func(*http.Request) bool
	// Realm is what an MMSC without credentials is asked for; empty: mm7.
	Realm string

	DeliveryReport func(ctx context.Context, request *DeliveryReportReq) error
	ReadReply      func(ctx context.Context, request *ReadReplyReq) error
	// Deliver takes a message: in.Each gives its parts, which are not kept. An error of Each is to be returned.
	Deliver func(ctx context.Context, request *DeliverReq, in *Incoming) error

	Limits        Limits
	MaxConcurrent int           // requests in hand; more wait; 0: 64
	Patience      time.Duration // how long they wait before they are told to come again; 0: 1 s
	Timeout       time.Duration // for a request: for reading it, and for its function; 0: 60 s

	once  sync.Once
	slots chan struct{}
}

const (
	defaultConcurrent = 64
	defaultPatience   = time.Second
	busyRetry         = 5 // seconds, as Retry-After
)

func (h *Handler) setUp() {
	if h.MaxConcurrent <= 0 {
		h.MaxConcurrent = defaultConcurrent
	}
	if h.Patience <= 0 {
		h.Patience = defaultPatience
	}
	if h.Timeout <= 0 {
		h.Timeout = defaultTimeout
	}
	if h.Realm == "" {
		h.Realm = "mm7"
	}
	h.Limits.setDefaults()
	h.slots = make(chan struct{}, h.MaxConcurrent)
}

// ServeHTTP answers one request.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.once.Do(h.setUp)
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		http.Error(w, "MM7 is posted", http.StatusMethodNotAllowed)
		return
	}
	if h.Authenticate != nil && !h.Authenticate(r) {
		w.Header().Set("WWW-Authenticate", "Basic realm="+quote(h.Realm))
		http.Error(w, "not authorized", http.StatusUnauthorized)
		return
	}
	if !h.enter(r.Context()) {
		w.Header().Set("Retry-After", strconv.Itoa(busyRetry))
		w.Header().Set("Connection", "close") // the body stays unread
		refuse(w, http.StatusServiceUnavailable, Envelope{}, Status{Code: StatusServiceUnavailable})
		return
	}
	defer func() { <-h.slots }()
	h.serve(w, r)
}

// enter waits for a place, but not for long.
func (h *Handler) enter(ctx context.Context) bool {
	select {
	case h.slots <- struct{}{}:
		return true
	default:
	}
	timer := time.NewTimer(h.Patience)
	defer timer.Stop()
	select {
	case h.slots <- struct{}{}:
		return true
	case <-timer.C:
	case <-ctx.Done():
	}
	return false
}

func (h *Handler) serve(w http.ResponseWriter, r *http.Request) {
	if r.ContentLength > h.Limits.Total {
		w.Header().Set("Connection", "close")
		refuse(w, http.StatusRequestEntityTooLarge, Envelope{}, Status{Code: StatusContentRefused})
		return
	}
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(h.Timeout)) // a writer without it has its server's deadline
	in, err := Decode(r.Header.Get("Content-Type"), r.Body, h.Limits)
	if err != nil {
		h.refuseDecoding(w, in.Envelope, err)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), h.Timeout)
	defer cancel()
	response, err := h.call(ctx, in)
	if err == nil {
		err = in.finish() // a document that breaks off is not acknowledged, though the function did not look at its end
	}
	var undecodable *DecodeError
	switch {
	case errors.As(err, &undecodable), response == nil, in.broken(err):
		h.refuseDecoding(w, in.Envelope, err)
	default:
		answer(w, http.StatusOK, in.Envelope, response(statusOf(err)))
	}
}

// call gives a request to its function, and the response that is its.
func (h *Handler) call(ctx context.Context, in *Incoming) (func(Status) Message, error) {
	switch request := in.Message.(type) {
	case *DeliveryReportReq:
		if h.DeliveryReport != nil {
			return func(s Status) Message { return &DeliveryReportRsp{plain{Status: s}} }, h.DeliveryReport(ctx, request)
		}
	case *ReadReplyReq:
		if h.ReadReply != nil {
			return func(s Status) Message { return &ReadReplyRsp{plain{Status: s}} }, h.ReadReply(ctx, request)
		}
	case *DeliverReq:
		if h.Deliver != nil {
			return func(s Status) Message { return &DeliverRsp{Status: s} }, h.Deliver(ctx, request, in)
		}
	}
	return nil, &DecodeError{StatusUnsupportedOperation, in.Message.Name() + " is not taken here"}
}

// finish reads past what the function left.
func (in *Incoming) finish() error {
	return in.Each(func(*ReceivedPart) error { return nil })
}

// broken tells that err is the document's end or the connection's, and not the function's own.
func (in *Incoming) broken(err error) bool {
	return err != nil && in.streamErr != nil && errors.Is(err, in.streamErr)
}

// statusOf is the status of a function's error.
func statusOf(err error) Status {
	var status Status
	switch {
	case err == nil:
		return Status{Code: StatusSuccess}
	case errors.As(err, &status):
		return status
	}
	return Status{Code: StatusServiceUnavailable}
}

// refuseDecoding answers what is no request, or none that is known, with a fault.
func (h *Handler) refuseDecoding(w http.ResponseWriter, envelope Envelope, err error) {
	var undecodable *DecodeError
	if !errors.As(err, &undecodable) { // the connection broke: nobody may be there to read this
		undecodable = invalid("document is not complete")
	}
	refuse(w, http.StatusInternalServerError, envelope, Status{Code: undecodable.Code, Details: undecodable.What})
}

// refuse answers with a fault. SOAP 1.1, 6.2: its HTTP status is 500 where HTTP itself has nothing to say.
func refuse(w http.ResponseWriter, code int, request Envelope, status Status) {
	side := FaultClient
	if status.Code == StatusServiceUnavailable {
		side = FaultServer
	}
	answer(w, code, request, &Fault{Code: side, Text: status.Code.Text(), Detail: &VASPErrorRsp{plain{Status: status}}})
}

// answer speaks the dialect of the request.
func answer(w http.ResponseWriter, code int, request Envelope, message Message) {
	soap := dialectOf(request).EncodeSOAP(Envelope{TransactionID: request.TransactionID, Message: message})
	w.Header().Set("Content-Type", `text/xml; charset="utf-8"`)
	w.Header().Set("Content-Length", strconv.Itoa(len(soap)))
	w.WriteHeader(code)
	_, _ = w.Write(soap) // the MMSC may be gone: then it asks again
}

// dialectOf answers in the release that the peer speaks, as far as it is one.
func dialectOf(request Envelope) Dialect {
	d := Dialect{}
	if schema, ok := schemaOf(request.Namespace); ok {
		d.Schema = schema
	}
	if isVersion(request.MM7Version) {
		d.Version = request.MM7Version
	}
	return d
}

func schemaOf(namespace string) (string, bool) {
	if len(namespace) <= len(schemaBase) || len(namespace) > len(schemaBase)+32 || namespace[:len(schemaBase)] != schemaBase {
		return "", false
	}
	return namespace[len(schemaBase):], true
}

// isVersion tells a version from what else a peer may write there.
func isVersion(s string) bool { return s != "" && len(s) <= 16 && strings.Trim(s, "0123456789.") == "" }
