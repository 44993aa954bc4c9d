package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"
)

// connection is how an operator's command reaches the server, and how it prints what that answers. Every noun of the command line has it.
type connection struct {
	URL            string `help:"Server." default:"http://127.0.0.1:8080" env:"HELIOGRAPH_URL" placeholder:"URL"`
	AdminToken     string `help:"The operator's token. Everybody on the machine can read a command line: the environment and a file are better places." env:"HELIOGRAPH_ADMIN_TOKEN" placeholder:"TOKEN"`
	AdminTokenFile string `help:"File that holds the operator's token." env:"HELIOGRAPH_ADMIN_TOKEN_FILE" placeholder:"FILE"`
	JSON           bool   `help:"Print what the API answers, as one JSON document."`
}

// Bounds of a call.
const (
	callTime  = 30 * time.Second
	maxAnswer = 64 << 20
)

// question is one call of the operator API.
type question struct {
	method string
	path   string // below /admin/v1
	query  url.Values
	body   any           // sent as JSON; nil: none
	stream io.Reader     // sent as it is, instead of body
	length int64         // of stream
	within time.Duration // 0: callTime
	kind   string        // Content-Type of stream; empty: JSON
	once   string        // makes the call once, however often it is sent; empty: it has no such key
}

// apiAnswer is what the server answered with a status of success.
type apiAnswer struct {
	body []byte
	at   time.Time // the server's clock; ours when it does not tell
}

// apiRefusal is what it answered otherwise.
type apiRefusal struct {
	text    string
	refused []refusedEntry
	total   int // that were refused
}

// refusedEntry is an entry of a list for which all of it is refused.
type refusedEntry struct {
	Index  int    `json:"index"`
	Number string `json:"number"`
	Field  string `json:"field"`
	Line   int    `json:"line"` // of a file
	Column string `json:"column"`
	Error  string `json:"error"`
}

func (e *apiRefusal) Error() string { return e.text }

// errUnreached means that there is no answer: what became of the call is not known.
var errUnreached = errors.New("no answer")

// token is the operator's token. A file wins: whoever names one means it.
func (c *connection) token() (string, error) {
	if c.AdminTokenFile == "" {
		if c.AdminToken == "" {
			return "", errors.New("the operator's token is needed: set HELIOGRAPH_ADMIN_TOKEN, or name a file with --admin-token-file")
		}
		return c.AdminToken, nil
	}
	text, err := os.ReadFile(c.AdminTokenFile)
	if err != nil {
		return "", err
	}
	token := strings.TrimSpace(string(text))
	if token == "" {
		return "", fmt.Errorf("%s holds no token", c.AdminTokenFile)
	}
	return token, nil
}

// call asks the server. An error is a sentence for the operator: the server's own where it refused.
func (c *connection) call(ctx context.Context, q question) (apiAnswer, error) {
	response, end, err := c.ask(ctx, &q)
	if err != nil {
		return apiAnswer{}, err
	}
	defer end()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
	switch {
	case err != nil:
		return apiAnswer{}, fmt.Errorf("%w from %s: %w", errUnreached, c.URL, cause(err))
	case response.StatusCode/100 != 2:
		return apiAnswer{}, refusalOf(response, body)
	case len(body) > maxAnswer:
		return apiAnswer{}, fmt.Errorf("%s answers more than %d bytes", c.URL, maxAnswer)
	case !json.Valid(body):
		return apiAnswer{}, fmt.Errorf("%s does not answer as Heliograph's operator API does", c.URL)
	}
	at, err := http.ParseTime(response.Header.Get("Date"))
	if err != nil {
		at = time.Now()
	}
	return apiAnswer{bytes.TrimSpace(body), at}, nil
}

// ask sends the question; end must be called when the answer has been read.
func (c *connection) ask(ctx context.Context, q *question) (response *http.Response, end func(), err error) {
	request, err := c.request(ctx, q)
	if err != nil {
		return nil, nil, err
	}
	if q.within == 0 {
		q.within = callTime
	}
	client := &http.Client{
		Timeout:       q.within,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, // the token is for this server
	}
	if response, err = client.Do(request); err != nil {
		client.CloseIdleConnections()
		return nil, nil, fmt.Errorf("%w from %s: %w", errUnreached, c.URL, cause(err))
	}
	return response, func() { _ = response.Body.Close(); client.CloseIdleConnections() }, nil
}

// fetch asks for a file and has it read as it comes.
func (c *connection) fetch(ctx context.Context, q question, read func(io.Reader) error) error {
	response, end, err := c.ask(ctx, &q)
	if err != nil {
		return err
	}
	defer end()
	if response.StatusCode/100 == 2 {
		return read(response.Body)
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return fmt.Errorf("%w from %s: %w", errUnreached, c.URL, cause(err))
	}
	return refusalOf(response, body)
}

func (c *connection) request(ctx context.Context, q *question) (*http.Request, error) {
	token, err := c.token()
	if err != nil {
		return nil, err
	}
	server, err := url.Parse(c.URL)
	if err != nil || server.Host == "" || server.Scheme != "http" && server.Scheme != "https" {
		return nil, fmt.Errorf("%q is no address such as http://127.0.0.1:8080", c.URL)
	}
	body := q.stream
	if q.body != nil {
		encoded, err := json.Marshal(q.body)
		if err != nil {
			return nil, err
		}
		body = bytes.NewReader(encoded)
	}
	address := strings.TrimSuffix(c.URL, "/") + "/admin/v1" + q.path
	if len(q.query) > 0 {
		address += "?" + q.query.Encode()
	}
	request, err := http.NewRequestWithContext(ctx, q.method, address, body)
	if err != nil {
		return nil, err
	}
	if q.stream != nil {
		request.ContentLength = q.length
	}
	request.Header.Set("Content-Type", cmp.Or(q.kind, "application/json"))
	if q.once != "" {
		request.Header.Set("Idempotency-Key", q.once)
	}
	request.Header.Set("Authorization", "Bearer "+token)
	return request, nil
}

// cause is an error without the address that was called: that may hold a number, and is not what went wrong.
func cause(err error) error {
	var called *url.Error
	if errors.As(err, &called) {
		if called.Timeout() {
			return errors.New("it took too long")
		}
		return called.Err
	}
	return err
}

// refusalOf reads a refusal. One that only the server's log explains is told with the id to look for there.
func refusalOf(response *http.Response, body []byte) error {
	var said struct {
		ID      string         `json:"api_id"`
		Error   string         `json:"error"`
		Refused []refusedEntry `json:"refused"`
		Total   int            `json:"refused_total"`
	}
	if json.Unmarshal(body, &said) != nil || said.Error == "" {
		return &apiRefusal{text: "the server answers " + response.Status}
	}
	if response.StatusCode >= http.StatusInternalServerError && said.ID != "" {
		said.Error += " (" + said.ID + ")"
	}
	return &apiRefusal{text: said.Error, refused: said.Refused, total: said.Total}
}

// show asks, and prints the answer: as it is with --json, else rendered for people after it was decoded.
func (c *connection) show(ctx context.Context, std streams, q question, into any, render func(*printer)) error {
	answer, err := c.call(ctx, q)
	if err != nil {
		return err
	}
	return c.print(std, answer, into, render)
}

func (c *connection) print(std streams, answer apiAnswer, into any, render func(*printer)) error {
	if c.JSON {
		_, err := fmt.Fprintf(std.out, "%s\n", answer.body)
		return err
	}
	if err := json.Unmarshal(answer.body, into); err != nil {
		return fmt.Errorf("the server's answer is not understood: %w", err)
	}
	p := newPrinter(std, answer.at)
	render(p)
	return p.flush()
}

// done asks for a change, and prints a sentence that says what is so now.
func (c *connection) done(ctx context.Context, std streams, q question, sentence string, args ...any) error {
	return c.show(ctx, std, q, &struct{}{}, func(p *printer) { p.line(sentence, args...) })
}
