package plivo

import (
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"sort"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/heliograph/heliograph/internal/gateway"
)

// DefaultMaxBody is how many octets a request's body may have when nothing else was set.
const DefaultMaxBody = 1 << 20

// drainLimit is how much of a body that is too large is read and thrown away, so that a client that writes before it reads gets its answer.
const drainLimit = 8 << 20

// arguments are a request's arguments, from a JSON object, a form or a query.
type arguments []member

// args gives the request's arguments: of the query for GET, of the body for POST, of both for DELETE, where the body wins. A GET's body is not
// looked at.
func (c *call) args() (arguments, error) {
	if c.r.Method == http.MethodPost {
		return c.bodyArgs()
	}
	query, err := c.queryArgs()
	if err != nil || c.r.Method != http.MethodDelete {
		return query, err
	}
	body, err := c.bodyArgs()
	return append(query, body...), err
}

func (c *call) queryArgs() (arguments, error) {
	raw := c.r.URL.RawQuery
	if c.path.query != "" {
		raw = strings.TrimPrefix(raw+"&"+c.path.query, "&")
	}
	if raw == "" {
		return nil, nil
	}
	return parseForm(raw, "query string")
}

func (c *call) bodyArgs() (arguments, error) {
	body, err := c.readBody()
	if err != nil {
		return nil, err
	}
	media, params := c.r.Header.Get("Content-Type"), map[string]string(nil)
	if media != "application/json" {
		media, params, _ = mime.ParseMediaType(media)
	}
	if media == "multipart/form-data" && body != "" {
		return parseMultipart(body, params["boundary"])
	}
	body = strings.TrimLeft(strings.TrimPrefix(body, "\ufeff"), " \t\r\n")
	switch {
	case body == "":
		return nil, nil
	case media == "application/json", strings.HasSuffix(media, "+json"), strings.IndexByte(`{["`, body[0]) >= 0:
		return parseArguments(body)
	case media == "application/x-www-form-urlencoded", strings.Contains(body, "="):
		return parseForm(body, "form")
	}
	return parseArguments(body)
}

// readBody reads the whole body, within its bound.
func (c *call) readBody() (string, error) {
	limit := c.api.maxBody
	size := c.r.ContentLength
	if size > limit {
		if c.r.Header.Get("Expect") == "" { // who asks first need not be let send
			_, _ = io.CopyN(io.Discard, c.r.Body, drainLimit)
		}
		return "", errTooLarge
	}
	if size < 0 {
		size = 512
	}
	body := make([]byte, 0, size+1)
	for {
		n, err := c.r.Body.Read(body[len(body):cap(body)])
		body = body[:len(body)+n]
		switch {
		case int64(len(body)) > limit:
			_, _ = io.CopyN(io.Discard, c.r.Body, drainLimit)
			return "", errTooLarge
		case errors.Is(err, io.EOF):
			return string(body), nil
		case err != nil:
			return "", gateway.Errorf(gateway.Invalid, "the request body could not be read")
		case len(body) == cap(body):
			body = append(body, 0)[:len(body)]
		}
	}
}

// parseArguments reads a JSON body. What says nothing (null, an empty string) is no arguments; anything else but an object is refused.
func parseArguments(body string) (arguments, error) {
	v, err := parseJSON(body)
	switch {
	case err != nil:
		return nil, gateway.Errorf(gateway.Invalid, "%s", err.Error())
	case v.kind == isObject:
		return v.members, nil
	case v.kind == isNull, v.kind == isText && v.text == "":
		return nil, nil
	}
	return nil, gateway.Errorf(gateway.Invalid, "invalid json: the body must be an object")
}

// parseForm reads a form or a query. A name that occurs several times, or ends in brackets as PHP writes lists, becomes a list; where one
// value is wanted, its last counts.
func parseForm(raw, what string) (arguments, error) {
	values, items := url.Values{}, 0
	for item := range strings.SplitSeq(raw, "&") {
		if item == "" {
			continue
		}
		if items++; items > maxValues {
			return nil, gateway.Errorf(gateway.Invalid, "invalid %s: too many values", what)
		}
		name, text, _ := strings.Cut(item, "=")
		values.Add(lenientUnescape(name), lenientUnescape(text))
	}
	return formArguments(values, what)
}

// lenientUnescape decodes a form's name or value. People write "100% off; reply STOP" into a form by hand: a percent sign that escapes nothing
// stands for itself, and a semicolon parts nothing.
func lenientUnescape(text string) string {
	if !strings.ContainsAny(text, "%+") {
		return text
	}
	b := make([]byte, 0, len(text))
	for i := 0; i < len(text); i++ {
		switch {
		case text[i] == '+':
			b = append(b, ' ')
		case text[i] == '%' && i+2 < len(text) && isHex(text[i+1]) && isHex(text[i+2]):
			octet, _ := strconv.ParseUint(text[i+1:i+3], 16, 8) // two digits: it cannot fail
			b = append(b, byte(octet))
			i += 2
		default:
			b = append(b, text[i])
		}
	}
	return string(b)
}

func isHex(c byte) bool { return c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'f' }

func formArguments(values url.Values, what string) (arguments, error) {
	names := make([]string, 0, len(values))
	for name := range values {
		names = append(names, name)
	}
	sort.Strings(names)
	args := make(arguments, 0, len(names))
	for _, name := range names {
		list := values[name]
		bare, bracket, bracketed := strings.Cut(name, "[")
		v := value{kind: isText, text: list[len(list)-1]}
		if len(list) > 1 || bracketed && strings.HasSuffix(bracket, "]") {
			v = value{kind: isList, text: v.text}
			for _, text := range list {
				v.list = append(v.list, value{kind: isText, text: text})
			}
		}
		for _, text := range append(list, name) {
			if !utf8.ValidString(text) {
				return nil, gateway.Errorf(gateway.Invalid, "invalid %s: not UTF-8", what)
			}
		}
		if n := len(args); bracketed && n > 0 && args[n-1].name == bare && args[n-1].value.kind == isList {
			args[n-1].value.list = append(args[n-1].value.list, v.list...)
			continue
		}
		if bracketed {
			name = bare
		}
		args = append(args, member{name, v})
	}
	return args, nil
}

func parseMultipart(body, boundary string) (arguments, error) {
	values := url.Values{}
	reader := multipart.NewReader(strings.NewReader(body), boundary)
	for range maxValues {
		part, err := reader.NextPart()
		if err == io.EOF { // a wrapped one is a form that was cut off
			return formArguments(values, "form")
		}
		if err != nil {
			break
		}
		text, err := io.ReadAll(part)
		if err != nil {
			break
		}
		if part.FileName() == "" && part.FormName() != "" {
			values.Add(part.FormName(), string(text))
		}
	}
	return nil, gateway.Errorf(gateway.Invalid, "invalid multipart form")
}

// find gives an argument; ok is false when it is absent, null or empty.
func (a arguments) find(name string) (v value, ok bool) {
	for i := len(a) - 1; i >= 0; i-- {
		if a[i].name != name {
			continue
		}
		v = a[i].value
		switch v.kind {
		case isNull:
			return v, false
		case isText:
			return v, v.text != ""
		case isList:
			return v, len(v.list) > 0
		}
		return v, true
	}
	return value{}, false
}

// text reads an argument as a text. Numbers may come as numbers. Absent: "".
func (a arguments) text(name string) (string, error) {
	v, ok := a.find(name)
	if !ok {
		return "", nil
	}
	text, ok := v.asText()
	if !ok {
		return "", gateway.Errorf(gateway.Invalid, "%s must be a string", name)
	}
	return text, nil
}

// change reads an argument that may also be emptied: nil when it is absent, "" when it is null or empty.
func (a arguments) change(name string) (*string, error) {
	for i := range a {
		if a[i].name == name {
			text, err := a.text(name)
			return &text, err
		}
	}
	return nil, nil
}

func (v value) asText() (string, bool) {
	switch v.kind {
	case isText, isBool:
		return v.text, true
	case isNumber:
		if !strings.ContainsAny(v.text, ".eE") {
			return v.text, true
		}
		if n, ok := v.asInteger(); ok { // as some write large numbers
			return strconv.FormatInt(n, 10), true
		}
		return v.text, !strings.ContainsAny(v.text, "eE")
	case isList: // of a form
		return v.text, v.text != ""
	}
	return "", false
}

// asInteger reads a whole number, however it is written, if it is below 2^53.
func (v value) asInteger() (int64, bool) {
	if v.kind != isText && v.kind != isNumber && v.kind != isList {
		return 0, false
	}
	text := strings.TrimSpace(v.text)
	if n, err := strconv.ParseInt(text, 10, 54); err == nil {
		return n, true
	}
	if strings.ContainsAny(text, "xXpP_iInN") { // hexadecimal, infinities and the like, which ParseFloat would take
		return 0, false
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || f != float64(int64(f)) || f > 1<<53 || f < -(1<<53) {
		return 0, false
	}
	return int64(f), true
}

// integer reads an argument as a whole number within bounds; absent, it is the default.
func (a arguments) integer(name string, least, most, absent int) (int, error) {
	v, ok := a.find(name)
	if !ok {
		return absent, nil
	}
	n, ok := v.asInteger()
	if !ok || n < int64(least) || n > int64(most) {
		return 0, gateway.Errorf(gateway.Invalid, "%s must be a whole number from %d to %d", name, least, most)
	}
	return int(n), nil
}

// boolean reads an argument as a truth value: JSON's own, the words in any case, 1 and 0. Absent, it is the default.
func (a arguments) boolean(name string, absent bool) (bool, error) {
	v, ok := a.find(name)
	if !ok {
		return absent, nil
	}
	b, ok := v.asBool()
	if !ok {
		return false, gateway.Errorf(gateway.Invalid, "%s must be true or false", name)
	}
	return b, nil
}

func (v value) asBool() (b, ok bool) {
	if v.kind == isObject {
		return false, false
	}
	switch text := strings.TrimSpace(v.text); {
	case text == "1", foldEqual(text, "true"):
		return true, true
	case text == "0", foldEqual(text, "false"):
		return false, true
	}
	return false, false
}

// texts reads an argument as a list of texts: an array, a name that occurs several times, or one text that cut takes apart.
func (a arguments) texts(name string, cut func(string) []string) ([]string, error) {
	v, ok := a.find(name)
	if !ok {
		return nil, nil
	}
	items := v.list
	if v.kind != isList {
		items = []value{v}
	}
	var list []string
	for _, item := range items {
		text, ok := item.asText()
		if !ok && item.kind != isNull {
			return nil, gateway.Errorf(gateway.Invalid, "%s must be a list of strings", name)
		}
		for _, piece := range cut(text) {
			if piece = strings.TrimSpace(piece); piece != "" {
				list = append(list, piece)
			}
		}
	}
	return list, nil
}

// cutCommas takes a list apart that was written as one text.
func cutCommas(text string) []string { return strings.Split(text, ",") }

// cutURLs takes a list of addresses apart that was written as one text, percent-encoded as a whole or not. Only a comma before the next address
// parts them: an address may have commas of its own.
func cutURLs(text string) []string {
	var list []string
	start := 0
	for i := range len(text) {
		if text[i] == ',' && beginsURL(text[i+1:]) {
			list = append(list, decodedURL(text[start:i]))
			start = i + 1
		}
	}
	return append(list, decodedURL(text[start:]))
}

func beginsURL(text string) bool {
	text = strings.TrimLeft(text, " \t")
	for _, prefix := range [...]string{"http:", "https:", "http%3a", "https%3a"} {
		if len(text) >= len(prefix) && foldEqual(text[:len(prefix)], prefix) {
			return true
		}
	}
	return false
}

// decodedURL takes the percent-encoding off an address that was encoded as a whole.
func decodedURL(text string) string {
	text = strings.TrimSpace(text)
	if !beginsURL(text) || strings.Contains(text, "://") {
		return text
	}
	if decoded, err := url.QueryUnescape(text); err == nil {
		return decoded
	}
	return text
}
