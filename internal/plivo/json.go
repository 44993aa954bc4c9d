package plivo

import (
	"errors"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// Bounds of a JSON body. The deepest arguments that the contract knows (WhatsApp cards) are nested eleven deep.
const (
	maxDepth  = 16
	maxValues = 10_000
)

var (
	errJSON       = errors.New("invalid json")
	errJSONDeep   = errors.New("invalid json: nested too deeply")
	errJSONValues = errors.New("invalid json: too many values")
	errJSONUTF8   = errors.New("invalid json: not UTF-8")
)

// kind is the type of a value as it came.
type kind uint8

const (
	isNull kind = iota
	isText
	isNumber
	isBool
	isList
	isObject
)

// value is one argument, or a part of one.
type value struct {
	kind    kind
	text    string // of a text; the literal of a number; "true" or "false"
	list    []value
	members []member
}

// member is a named value. Where a name occurs twice, the last one counts.
type member struct {
	name  string
	value value
}

// parseJSON reads one JSON text (RFC 8259). It refuses what encoding/json would silently replace: octets that are not UTF-8, and escapes of
// half a surrogate pair. Strings without escapes are parts of the input, not copies.
func parseJSON(input string) (value, error) {
	if !utf8.ValidString(input) {
		return value{}, errJSONUTF8
	}
	p := jsonParser{in: input}
	p.blank()
	v := p.value(0)
	p.blank()
	if p.err == nil && p.at != len(p.in) {
		p.fail(errJSON)
	}
	if p.err != nil {
		return value{}, p.err
	}
	return v, nil
}

// jsonParser keeps its first error; after it, nothing is consumed.
type jsonParser struct {
	in     string
	at     int
	values int
	err    error
}

func (p *jsonParser) fail(err error) {
	if p.err == nil {
		p.err = err
	}
	p.at = len(p.in)
}

func (p *jsonParser) blank() {
	for p.at < len(p.in) {
		switch p.in[p.at] {
		case ' ', '\t', '\n', '\r':
			p.at++
		default:
			return
		}
	}
}

// peek is the next octet, 0 at the end: no JSON text holds an unescaped 0.
func (p *jsonParser) peek() byte {
	if p.at < len(p.in) {
		return p.in[p.at]
	}
	return 0
}

// take consumes the octet if it is next.
func (p *jsonParser) take(c byte) bool {
	if p.peek() != c {
		return false
	}
	p.at++
	return true
}

func (p *jsonParser) value(depth int) value {
	p.values++
	switch {
	case p.values > maxValues:
		p.fail(errJSONValues)
		return value{}
	case depth > maxDepth:
		p.fail(errJSONDeep)
		return value{}
	}
	switch c := p.peek(); {
	case c == '"':
		return value{kind: isText, text: p.string()}
	case c == '{':
		return p.object(depth)
	case c == '[':
		return p.array(depth)
	case c == '-' || c >= '0' && c <= '9':
		return p.number()
	case p.word("true"):
		return value{kind: isBool, text: "true"}
	case p.word("false"):
		return value{kind: isBool, text: "false"}
	case p.word("null"):
		return value{}
	}
	p.fail(errJSON)
	return value{}
}

func (p *jsonParser) word(w string) bool {
	if !strings.HasPrefix(p.in[p.at:], w) {
		return false
	}
	p.at += len(w)
	return true
}

func (p *jsonParser) object(depth int) value {
	p.at++
	v := value{kind: isObject}
	for p.blank(); !p.take('}'); p.blank() {
		if len(v.members) > 0 {
			if !p.take(',') {
				p.fail(errJSON)
				return v
			}
			p.blank()
		}
		if p.peek() != '"' {
			p.fail(errJSON)
			return v
		}
		if depth == 0 && v.members == nil {
			v.members = make([]member, 0, 12)
		}
		name := p.string()
		p.blank()
		if !p.take(':') {
			p.fail(errJSON)
			return v
		}
		p.blank()
		v.members = append(v.members, member{name, p.value(depth + 1)})
		if p.err != nil {
			return v
		}
	}
	return v
}

func (p *jsonParser) array(depth int) value {
	p.at++
	v := value{kind: isList}
	for p.blank(); !p.take(']'); p.blank() {
		if len(v.list) > 0 {
			if !p.take(',') {
				p.fail(errJSON)
				return v
			}
			p.blank()
		}
		v.list = append(v.list, p.value(depth+1))
		if p.err != nil {
			return v
		}
	}
	return v
}

// number consumes a number's literal. What it stands for is the affair of whoever needs it: a literal costs nothing, however large
// its exponent.
func (p *jsonParser) number() value {
	start := p.at
	p.take('-')
	if !p.take('0') && !p.digits() {
		p.fail(errJSON)
	}
	if p.take('.') && !p.digits() {
		p.fail(errJSON)
	}
	if p.take('e') || p.take('E') {
		if !p.take('+') {
			p.take('-')
		}
		if !p.digits() {
			p.fail(errJSON)
		}
	}
	if p.err != nil {
		return value{}
	}
	return value{kind: isNumber, text: p.in[start:p.at]}
}

func (p *jsonParser) digits() bool {
	start := p.at
	for c := p.peek(); c >= '0' && c <= '9'; c = p.peek() {
		p.at++
	}
	return p.at > start
}

func (p *jsonParser) string() string {
	p.at++
	start := p.at
	for p.at < len(p.in) {
		switch c := p.in[p.at]; {
		case c == '"':
			p.at++
			return p.in[start : p.at-1]
		case c == '\\':
			return p.escaped(start)
		case c < ' ':
			p.fail(errJSON)
			return ""
		default:
			p.at++
		}
	}
	p.fail(errJSON)
	return ""
}

// escaped goes on with a string that has an escape at p.at.
func (p *jsonParser) escaped(start int) string {
	var b strings.Builder
	for p.at < len(p.in) {
		switch c := p.in[p.at]; {
		case c == '"':
			b.WriteString(p.in[start:p.at])
			p.at++
			return b.String()
		case c == '\\':
			b.WriteString(p.in[start:p.at])
			p.at++
			b.WriteRune(p.escape())
			start = p.at
		case c < ' ':
			p.fail(errJSON)
			return ""
		default:
			p.at++
		}
	}
	p.fail(errJSON)
	return ""
}

func (p *jsonParser) escape() rune {
	c := p.peek()
	p.at++
	switch c {
	case '"', '\\', '/':
		return rune(c)
	case 'b':
		return '\b'
	case 'f':
		return '\f'
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	case 't':
		return '\t'
	case 'u':
		r := p.hex4()
		if !utf16.IsSurrogate(r) {
			return r
		}
		if p.word(`\u`) {
			if r = utf16.DecodeRune(r, p.hex4()); r != utf8.RuneError {
				return r
			}
		}
		p.fail(errJSONUTF8)
		return 0
	}
	p.fail(errJSON)
	return 0
}

func (p *jsonParser) hex4() rune {
	if len(p.in)-p.at < 4 {
		p.fail(errJSON)
		return 0
	}
	var r rune
	for _, c := range []byte(p.in[p.at : p.at+4]) {
		switch c = lower(c); {
		case c >= '0' && c <= '9':
			r = r<<4 | rune(c-'0')
		case c >= 'a' && c <= 'f':
			r = r<<4 | rune(c-'a'+10)
		default:
			p.fail(errJSON)
			return 0
		}
	}
	p.at += 4
	return r
}
