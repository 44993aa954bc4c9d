package mm4

import (
	"errors"
	"strings"
	"unicode"
)

// Address is a party of MM4, written as +14155550123/TYPE=PLMN@mms.example.net. TS 23.140, 8.4.5. Without a Type it is a mailbox, such as that
// of a system; without a Host, as some peers write it in From and To, it cannot stand in an envelope.
type Address struct {
	User string // a number with its plus sign, a short code, or the local part of a mailbox
	Type string // PLMN for numbers; empty: none
	Host string
}

// TypePLMN is the Type of numbers and short codes.
const TypePLMN = "PLMN"

// bounds of addresses; RFC 5321, 4.5.3.1.
const (
	maxUser = 64
	maxHost = 255
)

// PLMN is the address of a number at a host.
func PLMN(number, host string) Address { return Address{User: number, Type: TypePLMN, Host: host} }

// IsZero tells whether there is no address.
func (a Address) IsZero() bool { return a == Address{} }

// String is the address as it is written.
func (a Address) String() string {
	text := a.User
	if a.Type != "" {
		text += "/TYPE=" + a.Type
	}
	if a.Host != "" {
		text += "@" + a.Host
	}
	return text
}

// At is the address with a host, where it has none.
func (a Address) At(host string) Address {
	if a.Host == "" {
		a.Host = host
	}
	return a
}

var errAddress = errors.New("no address that can be written")

// check refuses what cannot stand in a header field and an envelope as it is: no quoting, no comments, no other fields.
func (a Address) check() error {
	if a.User == "" || len(a.User)+len(a.Type) > maxUser || len(a.Host) > maxHost {
		return errAddress
	}
	if !only(a.User, isAtext) || !only(a.Type, isTypeChar) || !only(a.Host, isHostChar) || !dotted(a.User) {
		return errAddress
	}
	if a.Type == "" && a.Host == "" && !only(strings.TrimPrefix(a.User, "+"), isDigit) {
		return errAddress // a word, not a party
	}
	if i := strings.LastIndexByte(strings.ToUpper(a.User), '/'); i >= 0 && strings.HasPrefix(strings.ToUpper(a.User[i:]), "/TYPE=") {
		return errAddress // it would be read as another type
	}
	return nil
}

func only(s string, ok func(byte) bool) bool {
	for i := range len(s) {
		if !ok(s[i]) {
			return false
		}
	}
	return true
}

// dotted tells whether dots are only between other characters.
func dotted(s string) bool {
	return !strings.HasPrefix(s, ".") && !strings.HasSuffix(s, ".") && !strings.Contains(s, "..")
}

// isAtext is atext of RFC 5322, 3.2.3, and the dot.
func isAtext(c byte) bool {
	return isTypeChar(c) || strings.IndexByte("!#$%&'*+/=?^_`{|}~.", c) >= 0
}

func isTypeChar(c byte) bool {
	return c == '-' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func isHostChar(c byte) bool {
	return isTypeChar(c) || c == '.' || c == '[' || c == ']' || c == ':' // [192.0.2.1] and [IPv6:…] too
}

// ParseAddress reads an address as peers write it: bare or between angle brackets, with or without a display name and a host. ok is
// false when there is none.
func ParseAddress(text string) (a Address, ok bool) {
	if strings.ContainsFunc(text, unicode.IsControl) {
		return a, false
	}
	text = strings.TrimSpace(text)
	if open := strings.LastIndexByte(text, '<'); open >= 0 {
		text = text[open+1:]
		if end := strings.IndexByte(text, '>'); end >= 0 {
			text = text[:end]
		}
	}
	text = strings.Trim(strings.TrimSpace(text), `"`)
	local, host := text, ""
	if at := strings.LastIndexByte(text, '@'); at >= 0 {
		local, host = strings.Trim(text[:at], `"`), strings.TrimSuffix(text[at+1:], ".")
	}
	if slash := strings.LastIndexByte(local, '/'); slash >= 0 && len(local) > slash+6 && strings.EqualFold(local[slash:slash+6], "/TYPE=") {
		local, a.Type = local[:slash], strings.ToUpper(local[slash+6:])
	}
	a.User, a.Host = local, strings.ToLower(host)
	return a, a.check() == nil
}

// parseAddresses reads a list; entries that are no address are left out. more tells that it was longer than limit.
func parseAddresses(text string, limit int) (list []Address, more bool) {
	for entry := range entries(text) {
		a, ok := ParseAddress(entry)
		if !ok {
			continue
		}
		if len(list) == limit {
			return list, true
		}
		list = append(list, a)
	}
	return list, false
}

// entries are the pieces of a list between commas, outside of quotation marks and angle brackets.
func entries(text string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		quoted, start := false, 0
		for i := range len(text) {
			switch c := text[i]; {
			case c == '"':
				quoted = !quoted
			case (c == ',' || c == ';') && !quoted:
				if !yield(text[start:i]) {
					return
				}
				start = i + 1
			}
		}
		yield(text[start:])
	}
}

func joinAddresses(list []Address) string {
	texts := make([]string, len(list))
	for i, a := range list {
		texts[i] = a.String()
	}
	return strings.Join(texts, ", ")
}
