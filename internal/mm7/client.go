package mm7

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Client posts messages to a peer: a VASP's to its MMSC, or an MMSC's to its VASP. Any number of requests may run at once; how many connections they
// share is HTTP's affair (its Transport keeps two idle ones by default, which is too few for more requests). Its fields are set before the first use.
type Client struct {
	URL       string
	HTTP      *http.Client        // nil: one that follows no redirects, on http.DefaultTransport
	Authorize func(*http.Request) // BasicAuth and the like; nil: nothing
	Dialect   Dialect
	Transfer  Transfer
	Timeout   time.Duration // of a request, the sending included; 0: 60 s
	Limits    Limits        // of responses; zero: no attachments, 256 KiB
	UserAgent string        // empty: none

	// NewID makes TransactionIDs; nil: random ones.
	NewID func() string
	// AnyTransactionID accepts responses with another TransactionID than the request's, for peers that answer with one of their own.
	AnyTransactionID bool
}

const defaultTimeout = time.Minute

// BasicAuth gives name and password with every request, without waiting to be asked.
func BasicAuth(name, password string) func(*http.Request) {
	return func(r *http.Request) { r.SetBasicAuth(name, password) }
}

// Bearer gives a token with every request.
func Bearer(token string) func(*http.Request) { return Header("Authorization", "Bearer "+token) }

// Header sets a header field of every request.
func Header(name, value string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set(name, value) }
}

// Submit sends a message. The response's status is a success, full or partial; every error is an *Error.
func (c *Client) Submit(ctx context.Context, request *SubmitReq, content *Content) (*SubmitRsp, error) {
	sent := *request
	sent.Content.Href = cmp.Or(sent.Content.Href, ContentHref(content))
	return post[*SubmitRsp](ctx, c, &sent, content)
}

// Cancel withdraws a message.
func (c *Client) Cancel(ctx context.Context, request *CancelReq) (*CancelRsp, error) {
	return post[*CancelRsp](ctx, c, request, nil)
}

// Replace puts other content in a message's place.
func (c *Client) Replace(ctx context.Context, request *ReplaceReq, content *Content) (*ReplaceRsp, error) {
	sent := *request
	sent.Content.Href = cmp.Or(sent.Content.Href, ContentHref(content))
	return post[*ReplaceRsp](ctx, c, &sent, content)
}

// Deliver brings a VASP a message. This and what follows is the MMSC's side.
func (c *Client) Deliver(ctx context.Context, request *DeliverReq, content *Content) (*DeliverRsp, error) {
	sent := *request
	sent.Content.Href = cmp.Or(sent.Content.Href, ContentHref(content))
	return post[*DeliverRsp](ctx, c, &sent, content)
}

// DeliveryReport tells a VASP of a delivery.
func (c *Client) DeliveryReport(ctx context.Context, request *DeliveryReportReq) (*DeliveryReportRsp, error) {
	return post[*DeliveryReportRsp](ctx, c, request, nil)
}

// ReadReply tells a VASP that a message was read.
func (c *Client) ReadReply(ctx context.Context, request *ReadReplyReq) (*ReadReplyRsp, error) {
	return post[*ReadReplyRsp](ctx, c, request, nil)
}

// post sends a request and takes the response of its kind.
func post[R Response](ctx context.Context, c *Client, message Message, content *Content) (R, error) {
	var none R
	response, status, err := c.exchange(ctx, message, content)
	if err != nil {
		return none, err
	}
	r, ok := response.(R)
	result := response.Result()
	switch fault, isFault := response.(*Fault); {
	case isFault:
		return none, &Error{Outcome: Answered, Status: result, Fault: fault, HTTPStatus: status.code, RetryAfter: status.retryAfter}
	case !result.Code.OK():
		return none, &Error{Outcome: Answered, Status: result, HTTPStatus: status.code, RetryAfter: status.retryAfter}
	case !ok:
		return none, &Error{Outcome: Unanswered, HTTPStatus: status.code, Err: fmt.Errorf("mm7: %s answered with %s", message.Name(), response.Name())}
	}
	return r, nil
}

// httpStatus is what HTTP says of an answer.
type httpStatus struct {
	code       int
	retryAfter time.Duration
}

func (c *Client) exchange(ctx context.Context, message Message, content *Content) (Response, httpStatus, error) {
	ctx, cancel := context.WithTimeout(ctx, cmp.Or(c.Timeout, defaultTimeout))
	defer cancel()
	envelope := Envelope{TransactionID: c.newID(), Message: message}
	document, err := c.Dialect.Encode(envelope, content, c.Transfer)
	if err != nil {
		return nil, httpStatus{}, &Error{Outcome: NotSent, Err: err}
	}
	request, err := c.request(ctx, document)
	if err != nil {
		return nil, httpStatus{}, &Error{Outcome: NotSent, Err: err}
	}
	response, err := c.client().Do(request)
	if err != nil {
		outcome := Unanswered
		if document.withhold() {
			outcome = NotSent
		}
		return nil, httpStatus{}, &Error{Outcome: outcome, Err: withoutURL(err)}
	}
	defer response.Body.Close()
	answer, err := c.answer(response, envelope)
	return answer, httpStatus{response.StatusCode, retryAfter(response)}, err
}

func (c *Client) newID() string {
	if c.NewID != nil {
		return c.NewID()
	}
	return rand.Text()
}

func (c *Client) client() *http.Client {
	if c.HTTP != nil {
		return c.HTTP
	}
	return &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

func (c *Client) request(ctx context.Context, document *Document) (*http.Request, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.URL, document.Open())
	if err != nil {
		return nil, withoutURL(err)
	}
	request.ContentLength = document.Length
	request.GetBody = func() (io.ReadCloser, error) { return document.Open(), nil } // for a kept connection that turns out to be closed
	request.Header.Set("Content-Type", document.ContentType)
	request.Header.Set("SOAPAction", `""`)
	request.Header["User-Agent"] = []string{c.UserAgent}
	if c.Authorize != nil {
		c.Authorize(request)
	}
	return request, nil
}

// withoutURL leaves out the address, which may hold a password.
func withoutURL(err error) error {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		return wrapped.Err
	}
	return err
}

// answer reads a response, whatever its HTTP status: faults come with 500, and some peers answer everything with 200.
func (c *Client) answer(response *http.Response, request Envelope) (Response, error) {
	limits := c.Limits
	if limits.Total <= 0 {
		limits.Total = 256 << 10
	}
	in, err := Decode(response.Header.Get("Content-Type"), response.Body, limits)
	if err == nil {
		err = in.Each(func(*ReceivedPart) error { return nil })
	}
	if err != nil {
		return nil, noAnswer(response, err)
	}
	answer, ok := in.Message.(Response)
	if !ok {
		return nil, noAnswer(response, fmt.Errorf("mm7: %s is no response", in.Message.Name()))
	}
	if in.TransactionID != "" && in.TransactionID != request.TransactionID && !c.AnyTransactionID {
		return nil, &Error{Outcome: Unanswered, HTTPStatus: response.StatusCode, Err: errors.New("mm7: response to another request")}
	}
	return answer, nil
}

// noAnswer judges a response that is not MM7's by its HTTP status. A server that refuses says 3xx or 4xx, or that it is overloaded; what else a proxy or
// a server in trouble says leaves open what happened behind it.
func noAnswer(response *http.Response, err error) *Error {
	e := &Error{Outcome: Unanswered, HTTPStatus: response.StatusCode, RetryAfter: retryAfter(response), Err: err}
	switch code := response.StatusCode; {
	case code >= 300 && code < 500 && code != http.StatusRequestTimeout,
		code == http.StatusServiceUnavailable, code == http.StatusNotImplemented, code == http.StatusHTTPVersionNotSupported:
		e.Outcome = Answered
		e.Err = nil
	}
	return e
}

// retryAfter reads the field, in seconds or as a date.
func retryAfter(response *http.Response) time.Duration {
	value := strings.TrimSpace(response.Header.Get("Retry-After"))
	if seconds, err := strconv.Atoi(value); err == nil && seconds >= 0 && seconds <= 7*24*3600 {
		return time.Duration(seconds) * time.Second
	}
	at, err := http.ParseTime(value)
	now, nowErr := http.ParseTime(response.Header.Get("Date")) // the peer's clock, as the date is
	if err != nil || nowErr != nil {
		return 0
	}
	return max(0, at.Sub(now))
}
