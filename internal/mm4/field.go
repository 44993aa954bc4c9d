package mm4

import (
	"bytes"
	"errors"
	"fmt"
	"mime"
	"net/mail"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// The header fields. TS 23.140, 8.4.4.
const (
	fieldVersion          = "X-Mms-3GPP-MMS-Version"
	fieldKind             = "X-Mms-Message-Type"
	fieldTransactionID    = "X-Mms-Transaction-ID"
	fieldMessageID        = "X-Mms-Message-ID"
	fieldExpiry           = "X-Mms-Expiry"
	fieldClass            = "X-Mms-Message-Class"
	fieldPriority         = "X-Mms-Priority"
	fieldDeliveryReport   = "X-Mms-Delivery-Report"
	fieldOriginatorReport = "X-Mms-Originator-R/S-Delivery-Report"
	fieldReadReply        = "X-Mms-Read-Reply"
	fieldVisibility       = "X-Mms-Sender-Visibility"
	fieldAckRequest       = "X-Mms-Ack-Request"
	fieldOriginatorSystem = "X-Mms-Originator-System"
	fieldForwardCounter   = "X-Mms-Forward-Counter"
	fieldRequestStatus    = "X-Mms-Request-Status-Code"
	fieldStatusText       = "X-Mms-Status-Text"
	fieldRecipients       = "X-Mms-Request-Recipients"
	fieldToOriginator     = "X-Mms-Forward-To-Originator-UA"
	fieldMMStatus         = "X-Mms-MM-Status-Code"
	fieldMMStatusExt      = "X-Mms-MM-Status-Extension"
	fieldReadStatus       = "X-Mms-Read-Status"
)

// httpDate is the form of a time in X-Mms-Expiry.
const httpDate = "Mon, 02 Jan 2006 15:04:05 GMT"

const (
	foldAt   = 76  // columns, where there is a space to fold at
	maxToken = 900 // a word without one; a line ends at 998
	maxID    = 255
	maxText  = 1000 // octets of a subject or a status text that is sent
)

// header is a header that is written. It keeps its first error, which names the field and nothing of its value.
type header struct {
	buf bytes.Buffer
	err error
}

func (h *header) fail(field string, err error) {
	if h.err == nil {
		h.err = fmt.Errorf("mm4: %s: %w", field, err)
	}
}

var (
	errControl = errors.New("a control character or one outside ASCII")
	errTooLong = errors.New("too long")
	errMissing = errors.New("missing")
)

// add writes a field as it is, folded. What could begin another field or end the header is refused.
func (h *header) add(field, value string) {
	if value == "" {
		return
	}
	if !only(value, isPrintable) {
		h.fail(field, errControl)
		return
	}
	line := len(field) + 1
	h.buf.WriteString(field)
	h.buf.WriteByte(':')
	for token := range strings.FieldsSeq(value) {
		if len(token) > maxToken {
			h.fail(field, errTooLong)
			return
		}
		if line+1+len(token) > foldAt && line > len(field)+1 {
			h.buf.WriteString("\r\n")
			line = 0
		}
		h.buf.WriteByte(' ')
		h.buf.WriteString(token)
		line += 1 + len(token)
	}
	h.buf.WriteString("\r\n")
}

func isPrintable(c byte) bool { return ' ' <= c && c <= '~' }

// text writes what people read, in encoded words where it is not ASCII. RFC 2047.
func (h *header) text(field, value string) {
	if len(value) > maxText {
		h.fail(field, errTooLong)
		return
	}
	if strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r == 0x7F }) || !utf8.ValidString(value) {
		h.fail(field, errControl)
		return
	}
	if strings.Contains(value, "=?") || strings.HasPrefix(value, `"`) || strings.Contains(value, "  ") || strings.TrimSpace(value) != value || !only(value, isPrintable) {
		value = encodeWords(value)
	}
	h.add(field, value)
}

// encodeWords is the text in encoded words, whether it needs them or not, with no character divided among two.
func encodeWords(text string) string {
	const room = 42 // octets of text in a word: 56 in base64, and the frame
	var words []string
	for len(text) > 0 {
		cut := min(room, len(text))
		for cut < len(text) && !utf8.RuneStart(text[cut]) {
			cut--
		}
		words = append(words, "=?UTF-8?B?"+base64Text(text[:cut])+"?=")
		text = text[cut:]
	}
	return strings.Join(words, " ")
}

// id writes an identifier, between quotation marks unless bare.
func (h *header) id(field, value string, bare bool) {
	switch {
	case value == "":
		h.fail(field, errMissing)
	case len(value) > maxID:
		h.fail(field, errTooLong)
	case strings.ContainsAny(value, "\"\\ "):
		h.fail(field, errControl)
	case bare:
		h.add(field, value)
	default:
		h.add(field, `"`+value+`"`)
	}
}

func (h *header) address(field string, a Address) {
	if err := a.check(); err != nil {
		h.fail(field, err)
		return
	}
	h.add(field, a.String())
}

func (h *header) addresses(field string, list []Address) {
	for _, a := range list {
		if err := a.check(); err != nil {
			h.fail(field, err)
			return
		}
	}
	h.add(field, joinAddresses(list))
}

// yes writes a yes that is one, say writes it either way.
func (h *header) yes(field string, value bool) {
	if value {
		h.add(field, "Yes")
	}
}

func (h *header) say(field string, value bool) {
	if value {
		h.add(field, "Yes")
		return
	}
	h.add(field, "No")
}

func (h *header) expiry(e Expiry) {
	switch {
	case !e.At.IsZero():
		h.add(fieldExpiry, e.At.UTC().Format(httpDate))
	case e.After > 0:
		h.add(fieldExpiry, strconv.FormatInt(int64(e.After/time.Second), 10))
	}
}

// fields is a header that was read: the values by lower-case name, in their order.
type fields map[string][]string

// get is the first value of a field, without what surrounds it.
func (f fields) get(field string) string {
	if values := f[strings.ToLower(field)]; len(values) > 0 {
		return strings.TrimSpace(values[0])
	}
	return ""
}

// text is a value that people read, decoded, without control characters. The specification has it between quotation marks in X-Mms-Status-Text.
func (f fields) text(field string) string {
	value := f.get(field)
	if inner := strings.TrimSuffix(strings.TrimPrefix(value, `"`), `"`); len(inner) == len(value)-2 {
		value = inner
	}
	return clean(decodeWords(value))
}

// id is an identifier without its frame; bare tells that it had none.
func (f fields) id(field string) (id string, bare bool) {
	value := f.get(field)
	id = strings.Trim(strings.Trim(value, `"`), "<>")
	if len(id) > maxID || strings.ContainsAny(id, "\"\\ ") || !only(id, isPrintable) {
		return "", false
	}
	return id, !strings.HasPrefix(value, `"`)
}

// token is a value of the protocol's words: short and printable, or empty.
func (f fields) token(field string) string {
	value := f.get(field)
	if len(value) > 100 || !only(value, isPrintable) {
		return ""
	}
	return value
}

func (f fields) yes(field string) bool {
	switch strings.ToLower(f.get(field)) {
	case "yes", "true", "1":
		return true
	}
	return false
}

func (f fields) address(field string) Address {
	a, ok := ParseAddress(f.get(field))
	if !ok {
		return Address{}
	}
	return a
}

// addresses is the list in all fields of the name.
func (f fields) addresses(field string, limit int) (list []Address, more bool) {
	return parseAddresses(strings.Join(f[strings.ToLower(field)], ","), limit)
}

func (f fields) date(field string) time.Time {
	at, err := mail.ParseDate(f.get(field))
	if err != nil || at.Year() < 1970 || at.Year() > 9999 {
		return time.Time{}
	}
	return at.UTC()
}

func (f fields) expiry() Expiry {
	const longest = 10 * 365 * 24 * time.Hour
	if seconds, err := strconv.ParseInt(f.get(fieldExpiry), 10, 64); err == nil {
		if seconds <= 0 || seconds > int64(longest/time.Second) {
			return Expiry{}
		}
		return Expiry{After: time.Duration(seconds) * time.Second}
	}
	return Expiry{At: f.date(fieldExpiry)}
}

func (f fields) count(field string) int {
	n, err := strconv.Atoi(f.get(field))
	if err != nil || n < 0 || n > 1000 {
		return 0
	}
	return n
}

// decodeWords decodes encoded words.
func decodeWords(text string) string {
	decoder := mime.WordDecoder{CharsetReader: wordReader}
	if decoded, err := decoder.DecodeHeader(text); err == nil {
		return decoded
	}
	return text
}

// clean leaves control characters out, and makes valid UTF-8 of the rest.
func clean(text string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7F || r >= 0x80 && r < 0xA0 {
			return -1
		}
		return r
	}, strings.ToValidUTF8(text, "\uFFFD")))
}
