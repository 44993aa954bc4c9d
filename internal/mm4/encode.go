package mm4

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"mime"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Transfer says what the way to the peer carries unharmed. RFC 6152, RFC 3030.
type Transfer struct {
	EightBit bool // 8BITMIME: lines of octets
	Binary   bool // BINARYMIME: any octets
}

// SourceError is that the content of a part could not be read: the message is at fault, not the peer.
type SourceError struct {
	Part int // its index
	Err  error
}

func (e *SourceError) Error() string {
	return fmt.Sprintf("mm4: content of part %d: %v", e.Part, e.Err)
}

// Unwrap is why.
func (e *SourceError) Unwrap() error { return e.Err }

// Encode writes a message as mail, its lines ended by CRLF. Content is streamed. Nothing is written when a field cannot be.
func Encode(w io.Writer, m Message, t Transfer) error {
	doc, err := newDocument(m, t)
	if err != nil {
		return err
	}
	return doc.write(w)
}

// document is a message whose header is known to be good.
type document struct {
	header   []byte
	parts    []Part
	boundary string
	transfer Transfer
}

const (
	maxParts     = 64
	maxBoundary  = 70
	presentation = "application/smil"
)

func newDocument(m Message, t Transfer) (*document, error) {
	h := &header{}
	doc := &document{transfer: t}
	writeHead(h, m)
	switch m := m.(type) {
	case *Forward:
		writeForward(h, m)
		doc.parts = m.Parts
	case *Response:
		writeResponse(h, m)
	case *DeliveryReport:
		writeDeliveryReport(h, m)
	case *ReadReply:
		writeReadReply(h, m)
	}
	h.add("MIME-Version", "1.0")
	if len(doc.parts) > 0 {
		doc.boundary = newBoundary()
		h.add("Content-Type", multipartType(doc.parts, doc.boundary))
		if t.Binary {
			h.add("Content-Transfer-Encoding", "binary")
		} else if t.EightBit {
			h.add("Content-Transfer-Encoding", "8bit")
		}
	} else {
		h.add("Content-Type", "text/plain; charset=us-ascii")
	}
	h.buf.WriteString("\r\n")
	doc.header = h.buf.Bytes()
	return doc, h.err
}

func writeHead(h *header, m Message) {
	head := m.head()
	version := head.Version
	if version == "" {
		version = DefaultVersion
	}
	if m.Kind() == "" {
		h.fail(fieldKind, errMissing)
	}
	h.add(fieldVersion, version)
	h.add(fieldKind, string(m.Kind()))
	h.id(fieldTransactionID, head.TransactionID, head.Bare)
	if head.MessageID != "" || m.Kind().response() != "" { // a response to a request without one has none to repeat
		h.id(fieldMessageID, head.MessageID, head.Bare)
	}
	if !head.Sender.IsZero() {
		h.address("Sender", head.Sender)
	}
	if head.Date.IsZero() {
		h.fail("Date", errMissing)
	}
	h.add("Date", head.Date.UTC().Format(time.RFC1123Z))
	if head.MailID != "" {
		if len(head.MailID) > maxID || strings.ContainsAny(head.MailID, "<> ") {
			h.fail("Message-ID", errControl)
		}
		h.add("Message-ID", "<"+head.MailID+">")
	}
}

func writeForward(h *header, f *Forward) {
	h.address("From", f.From)
	if len(f.To) == 0 {
		h.fail("To", errMissing)
	}
	h.addresses("To", f.To)
	h.addresses("Cc", f.Cc)
	h.text("Subject", f.Subject)
	h.add(fieldClass, f.Class)
	h.add(fieldPriority, f.Priority)
	h.expiry(f.Expiry)
	h.say(fieldDeliveryReport, f.DeliveryReport)
	h.yes(fieldOriginatorReport, f.OriginatorReport)
	h.say(fieldReadReply, f.ReadReply)
	if f.HideSender {
		h.add(fieldVisibility, "Hide")
	}
	h.say(fieldAckRequest, f.AckRequest)
	if !f.OriginatorSystem.IsZero() {
		h.address(fieldOriginatorSystem, f.OriginatorSystem)
	}
	if f.ForwardCounter > 0 {
		h.add(fieldForwardCounter, strconv.Itoa(f.ForwardCounter))
	}
	if len(f.Parts) > maxParts {
		h.fail("Content-Type", errTooLong)
	}
	for _, part := range f.Parts {
		if err := part.check(); err != nil {
			h.fail("Content-Type", err)
		}
	}
}

func writeResponse(h *header, r *Response) {
	h.address("To", r.To)
	if r.Status == "" {
		h.fail(fieldRequestStatus, errMissing)
	}
	h.add(fieldRequestStatus, string(r.Status))
	h.text(fieldStatusText, r.Text)
	h.addresses(fieldRecipients, r.Recipients)
}

func writeDeliveryReport(h *header, r *DeliveryReport) {
	h.address("From", r.From)
	h.address("To", r.To)
	if r.Status == "" {
		h.fail(fieldMMStatus, errMissing)
	}
	h.add(fieldMMStatus, string(r.Status))
	h.add(fieldMMStatusExt, string(r.Extension))
	h.text(fieldStatusText, r.Text)
	h.say(fieldAckRequest, r.AckRequest)
	h.say(fieldToOriginator, r.ForwardToOriginator)
	if !r.OriginatorSystem.IsZero() {
		h.address(fieldOriginatorSystem, r.OriginatorSystem)
	}
}

func writeReadReply(h *header, r *ReadReply) {
	h.address("From", r.From)
	h.address("To", r.To)
	if r.Status == "" {
		h.fail(fieldReadStatus, errMissing)
	}
	h.add(fieldReadStatus, string(r.Status))
	h.text(fieldStatusText, r.Text)
	h.say(fieldAckRequest, r.AckRequest)
	if !r.OriginatorSystem.IsZero() {
		h.address(fieldOriginatorSystem, r.OriginatorSystem)
	}
}

// multipartType is related to the presentation where there is one, else mixed.
func multipartType(parts []Part, boundary string) string {
	params := map[string]string{"boundary": boundary}
	at := slices.IndexFunc(parts, Part.presents)
	if at < 0 {
		return mime.FormatMediaType("multipart/mixed", params)
	}
	params["type"] = presentation
	if parts[at].ID != "" {
		params["start"] = "<" + parts[at].ID + ">"
	}
	return mime.FormatMediaType("multipart/related", params)
}

func newBoundary() string { return "mm4-" + rand.Text() }

var errPart = errors.New("a part that cannot be written")

func (p Part) presents() bool { return strings.EqualFold(p.Type, presentation) }

func (p Part) isText() bool {
	return p.presents() || strings.HasPrefix(strings.ToLower(p.Type), "text/")
}

func (p Part) check() error {
	kind, params, err := mime.ParseMediaType(p.Type)
	if err != nil || len(params) > 0 || !strings.Contains(kind, "/") || strings.HasPrefix(kind, "multipart/") || p.Open == nil {
		return errPart
	}
	for _, token := range []string{p.ID, p.Location, p.Charset} {
		if len(token) > maxID || !only(token, isPrintable) || strings.ContainsAny(token, `<>" `) {
			return errPart
		}
	}
	if len(p.Name) > maxID || strings.ContainsFunc(p.Name, func(r rune) bool { return r < ' ' || r == 0x7F }) || !utf8.ValidString(p.Name) {
		return errPart
	}
	return nil
}

func (d *document) write(w io.Writer) error {
	if _, err := w.Write(d.header); err != nil {
		return err
	}
	for i, part := range d.parts {
		if err := d.writePart(w, i, part); err != nil {
			return err
		}
	}
	if len(d.parts) > 0 {
		_, err := io.WriteString(w, "\r\n--"+d.boundary+"--\r\n")
		return err
	}
	return nil
}

func (d *document) writePart(w io.Writer, index int, part Part) error {
	content, err := part.Open()
	if err != nil {
		return &SourceError{index, err}
	}
	defer func() { _ = content.Close() }() // it was only read
	src := &source{r: content}
	encoding, body, err := d.encoding(part, src)
	if err != nil {
		return &SourceError{index, err}
	}
	h := &header{}
	h.buf.WriteString("\r\n--" + d.boundary + "\r\n")
	part.writeHeader(h, encoding)
	if h.err != nil {
		return h.err
	}
	if _, err := w.Write(h.buf.Bytes()); err != nil {
		return err
	}
	if encoding == "base64" {
		err = writeBase64(w, body)
	} else {
		_, err = io.Copy(w, body)
	}
	if src.err != nil {
		return &SourceError{index, src.err}
	}
	return err
}

func (p Part) writeHeader(h *header, encoding string) {
	params := map[string]string{}
	if p.Charset != "" {
		params["charset"] = p.Charset
	}
	if p.Name != "" {
		params["name"] = p.Name
	}
	h.add("Content-Type", mime.FormatMediaType(strings.ToLower(p.Type), params))
	h.add("Content-Transfer-Encoding", encoding)
	if p.ID != "" {
		h.add("Content-ID", "<"+p.ID+">")
	}
	h.add("Content-Location", p.Location)
	h.buf.WriteString("\r\n")
}

// maxPlain is how long a text may be to be looked at as a whole, to see whether it can go as it is.
const maxPlain = 64 << 10

// encoding says how a part's content travels, and gives the content from its beginning. Short text in proper lines goes as it is, its line ends
// made CRLF (the canonical form of text, RFC 2046, 4.1.1); everything else goes in base64, unless the way takes any octets.
func (d *document) encoding(part Part, src *source) (string, io.Reader, error) {
	if d.transfer.Binary {
		return "binary", src, nil
	}
	if !part.isText() {
		return "base64", src, nil
	}
	start, err := io.ReadAll(io.LimitReader(src, maxPlain+1))
	if err != nil {
		return "", nil, err
	}
	if len(start) > maxPlain {
		return "base64", io.MultiReader(bytes.NewReader(start), src), nil
	}
	lines := bytes.ReplaceAll(bytes.ReplaceAll(start, []byte("\r\n"), []byte("\n")), []byte("\n"), []byte("\r\n"))
	switch ascii, ok := properLines(lines); {
	case ok && ascii:
		return "7bit", bytes.NewReader(lines), nil
	case ok && d.transfer.EightBit:
		return "8bit", bytes.NewReader(lines), nil
	}
	return "base64", bytes.NewReader(start), nil
}

// properLines tells whether mail carries the text: no NUL, no CR but before LF, no line beyond 998 octets.
func properLines(text []byte) (ascii, ok bool) {
	ascii = true
	length := 0
	for i, c := range text {
		switch {
		case c == 0, c == '\r' && (i+1 == len(text) || text[i+1] != '\n'):
			return false, false
		case c == '\n':
			length = 0
			continue
		case c >= 0x80:
			ascii = false
		}
		if length++; length > 998 {
			return false, false
		}
	}
	return ascii, true
}

// source remembers why reading failed, to tell it from what else may.
type source struct {
	r   io.Reader
	err error
}

func (s *source) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		s.err = err
	}
	return n, err
}

// base64Line is the octets in a line of 76 columns. RFC 2045, 6.8.
const base64Line = 57

// writeBase64 writes lines of base64, many at once.
func writeBase64(w io.Writer, r io.Reader) error {
	const lines = 256
	raw := make([]byte, base64Line*lines)
	text := make([]byte, 0, 78*lines)
	for {
		n, err := io.ReadFull(r, raw)
		text = text[:0]
		for line := range slices.Chunk(raw[:n], base64Line) {
			text = append(base64.StdEncoding.AppendEncode(text, line), '\r', '\n')
		}
		if _, writeErr := w.Write(text); writeErr != nil {
			return writeErr
		}
		switch {
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
			return nil
		case err != nil:
			return err
		}
	}
}

func base64Text(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }

// size is about how many octets the message has as mail; 0 when that is not known.
func (d *document) size() int64 {
	total := int64(len(d.header)) + 100
	for _, part := range d.parts {
		if part.Size == 0 {
			return 0
		}
		total += 500
		if d.transfer.Binary {
			total += part.Size
		} else {
			total += (part.Size/base64Line + 1) * 78
		}
	}
	return total
}
