package plivo

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
)

// Callbacks renders events as the requests that tell an account of them, and signs them.
type Callbacks struct {
	// Links makes links to the files of a message from a handset, in their order; MediaLinks.Of. nil: no files are told of. Set before use.
	Links func(ctx context.Context, m *gateway.Message) ([]string, error)

	accounts  *Accounts
	userAgent string
	entropy   func() uint64
}

// NewCallbacks makes a renderer. The accounts are those of the API, so that a token is read once for both.
func NewCallbacks(accounts *Accounts, userAgent string) *Callbacks {
	return &Callbacks{accounts: accounts, userAgent: userAgent, entropy: rand.Uint64}
}

// parameters is how many a callback has.
const parameters = 20

// Request makes the request that tells an event. Each attempt is rendered and signed afresh: the nonce is never used twice. An error of code
// Unavailable passes; any other is final.
func (c *Callbacks) Request(ctx context.Context, e *gateway.Event) (*http.Request, error) {
	owner, main, err := c.owners(ctx, e.Message.Account)
	if err != nil {
		return nil, err
	}
	var buf [parameters]pair
	params := buf[:]
	if e.Message.Direction == gateway.Inbound {
		if params, err = c.tellInbound(ctx, e); err != nil {
			return nil, err
		}
	} else {
		fill(&buf, e)
	}
	req, err := newCallback(ctx, e.Message.Callback)
	if err != nil {
		return nil, fmt.Errorf("plivo: the callback of message %s cannot be addressed", e.Message.ID) // the address may hold secrets
	}
	c.sign(req, params, owner, main)
	addParameters(req, params)
	return req, nil
}

// owners are the account of a message and its main account, often the same.
func (c *Callbacks) owners(ctx context.Context, id gateway.AccountID) (owner, main *account, err error) {
	if owner, err = c.owner(ctx, id); err != nil || owner.Parent == "" {
		return owner, owner, err
	}
	main, err = c.owner(ctx, owner.Parent)
	return owner, main, err
}

// owner gives an account, also one that was removed: what it was promised goes on. NotFound when there never was one, which ends its callbacks;
// Unavailable when it cannot be read now.
func (c *Callbacks) owner(ctx context.Context, id gateway.AccountID) (*account, error) {
	found, err := c.accounts.get(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", gateway.Errorf(gateway.Unavailable, "account %s cannot be read", id), err)
	}
	if found.ID == "" {
		return nil, gateway.Errorf(gateway.NotFound, "account %s not found", id)
	}
	return found, nil
}

// fill writes an event's parameters, in the order of their names. All of them are always there; what is not known is empty.
func fill(params *[parameters]pair, e *gateway.Event) {
	m := e.Message
	id, price := m.ID.String(), priceOf(m, e.State)
	from, to := shownNumbers(m)
	accepted := callbackTime(m.AcceptedAt)
	*params = [parameters]pair{
		{"DeliveryReportTime", callbackTime(e.ReportedAt)},
		{"ErrorCode", codeOf(e.State, e.Reason).code},
		{"From", from},
		{"MCC", ""},
		{"MNC", ""},
		{"MessageTime", accepted},
		{"MessageUUID", id},
		{"ParentMessageUUID", id},
		{"PartInfo", "1 of 1"},
		{"PowerpackUUID", idOrEmpty(m.Powerpack)},
		{"QueuedTime", accepted},
		{"SentTime", callbackTime(e.SentAt)},
		{"Sequence", strconv.Itoa(e.Sequence)},
		{"Status", e.State.String()},
		{"To", to},
		{"TotalAmount", price.amount},
		{"TotalRate", price.rate},
		{"Type", m.Service.String()},
		{"Units", strconv.Itoa(m.Units)},
		{"requester_ip", m.Requester},
	}
}

func callbackTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02 15:04:05.000000")
}

// newCallback makes the bare request.
func newCallback(ctx context.Context, to gateway.Callback) (*http.Request, error) {
	address, _, _ := strings.Cut(to.URL, "#")
	method := http.MethodPost
	if to.Method == http.MethodGet {
		method = http.MethodGet
	}
	req, err := http.NewRequestWithContext(ctx, method, address, nil)
	if err == nil {
		req.URL.RawQuery = escapedQuery(req.URL.RawQuery)
	}
	return req, err
}

// escapedQuery escapes what a request line cannot carry: a query is otherwise sent, and signed, as it was written. Paths are escaped by url.URL.
func escapedQuery(raw string) string {
	const hex = "0123456789ABCDEF"
	if !strings.ContainsFunc(raw, unfit) {
		return raw
	}
	var b strings.Builder
	for i := range len(raw) {
		if c := raw[i]; c >= 0x80 || unfit(rune(c)) {
			b.Write([]byte{'%', hex[c>>4], hex[c&15]})
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

func unfit(r rune) bool { return r <= ' ' || r >= 0x7f || r == '"' || r == '<' || r == '>' }

// addParameters gives a POST its form, and a GET a longer query: there a blank is written %20, which all validators read alike, and what the
// address has of a query stays in front.
func addParameters(req *http.Request, params []pair) {
	if req.Method == http.MethodGet {
		query := req.URL.RawQuery
		if query != "" && !strings.HasSuffix(query, "&") {
			query += "&"
		}
		req.URL.RawQuery = query + string(appendForm(make([]byte, 0, formSize), params, "%20"))
		return
	}
	form := appendForm(make([]byte, 0, formSize), params, "+")
	req.ContentLength = int64(len(form))
	req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(form)), nil }
	req.Body, _ = req.GetBody()
}

// formSize is the room for a usual form.
const formSize = 640

// appendForm writes parameters as a form or a query, with the given text for a blank.
func appendForm(dst []byte, params []pair, blank string) []byte {
	for i := range params {
		if i > 0 {
			dst = append(dst, '&')
		}
		dst = append(dst, params[i].name...)
		dst = append(dst, '=')
		dst = appendEscaped(dst, params[i].value, blank)
	}
	return dst
}

func appendEscaped(dst []byte, text, blank string) []byte {
	const hexDigits = "0123456789ABCDEF"
	for i := range len(text) {
		switch c := text[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '-', c == '_', c == '.', c == '~':
			dst = append(dst, c)
		case c == ' ':
			dst = append(dst, blank...)
		default:
			dst = append(dst, '%', hexDigits[c>>4], hexDigits[c&15])
		}
	}
	return dst
}

// sign adds the headers. Afterwards nothing may be added but the parameters that were signed.
func (c *Callbacks) sign(req *http.Request, params []pair, owner, main *account) {
	what := newSigned(req.Method, req.URL, params)
	nonce := c.nonce()
	v2, v3 := owner.signer.v2(&what, nonce), owner.signer.v3(&what, nonce)
	mainV2, mainV3 := v2, v3
	if main.signer != owner.signer {
		mainV2, mainV3 = main.signer.v2(&what, nonce), main.signer.v3(&what, nonce)
	}
	req.Header = make(http.Header, 10) // room for what the transport adds
	values := [...]string{v2, mainV2, nonce, v3, mainV3, nonce, c.userAgent, "application/x-www-form-urlencoded"}
	for i, name := range [...]string{headerV2, headerMainV2, headerNonceV2, headerV3, headerMainV3, headerNonceV3, "User-Agent", "Content-Type"} {
		if i == len(values)-1 && req.Method == http.MethodGet {
			break
		}
		req.Header[name] = values[i : i+1 : i+1]
	}
}

// nonceDigits is the length of a nonce.
const nonceDigits = 20

// nonce makes a fresh nonce: decimal digits.
func (c *Callbacks) nonce() string {
	var digits [nonceDigits]byte
	high, low := c.entropy(), c.entropy()
	for i := range digits {
		source := &high
		if i >= nonceDigits/2 {
			source = &low
		}
		digits[i] = '0' + byte(*source%10)
		*source /= 10
	}
	return string(digits[:])
}
