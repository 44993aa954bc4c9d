package mm4

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Limits bound what a peer's mail may cost. Zero values are replaced by the defaults in the comments.
type Limits struct {
	Header     int // octets of a header, of the mail and of each part (64 KiB)
	Recipients int // in To and Cc together (100)
	Parts      int // over all levels (64)
	Depth      int // multiparts within multiparts (5)
}

func (l Limits) withDefaults() Limits {
	for _, d := range []struct {
		at    *int
		value int
	}{{&l.Header, 64 << 10}, {&l.Recipients, 100}, {&l.Parts, maxParts}, {&l.Depth, 5}} {
		if *d.at <= 0 {
			*d.at = d.value
		}
	}
	return l
}

// ErrMalformed is what all errors are about octets that are no message, as opposed to those of reading them.
var ErrMalformed = errors.New("mm4: malformed")

func malformed(what string) error { return fmt.Errorf("%w: %s", ErrMalformed, what) }

// Decode reads the header of a mail and says what it is. Its content is read through the body, which is never nil when err is. A message
// that is no MM4 at all, or lacks what its kind cannot do without, is ErrMalformed.
func Decode(r io.Reader, limits Limits) (Message, *Body, error) {
	limits = limits.withDefaults()
	src := &source{r: r}
	br := bufio.NewReader(src)
	f, err := readFields(br, limits.Header)
	if err != nil {
		return nil, nil, err
	}
	body, err := newBody(br, src, f, limits)
	if err != nil {
		return nil, nil, err
	}
	head, err := readHead(f)
	if err != nil {
		return nil, nil, err
	}
	var m Message
	switch kind := word(f.get(fieldKind), kinds()...); kind {
	case ForwardReq:
		m, err = readForward(head, f, limits)
	case DeliveryReportReq:
		m, err = readDeliveryReport(head, f)
	case ReadReplyReportReq:
		m, err = readReadReply(head, f)
	case ForwardRes, DeliveryReportRes, ReadReplyReportRes:
		m, err = readResponse(head, f, kind, limits)
	default:
		err = malformed(fieldKind + " is missing or unknown")
	}
	if err != nil {
		return nil, nil, err
	}
	return m, body, nil
}

// maxLines is how many lines a header may have.
const maxLines = 1000

// readFields reads a header and the empty line behind it. Lines that are no field are left out: relays add all sorts.
func readFields(br *bufio.Reader, limit int) (fields, error) {
	f := fields{}
	last, count := "", 0
	for {
		line, err := readLine(br, limit)
		if err != nil {
			return nil, err
		}
		limit -= len(line) + 2
		if line == "" {
			return f, nil
		}
		if count++; count > maxLines {
			return nil, malformed("the header has too many lines")
		}
		if line[0] == ' ' || line[0] == '\t' { // folded: more of the field before. RFC 5322, 2.2.3
			if last != "" {
				values := f[last]
				values[len(values)-1] += " " + strings.TrimSpace(line)
			}
			continue
		}
		name, value, found := strings.Cut(line, ":")
		name = strings.ToLower(strings.TrimRight(name, " \t"))
		if !found || name == "" || !only(name, isFieldChar) {
			last = ""
			continue
		}
		last = name
		f[name] = append(f[name], strings.TrimSpace(value))
	}
}

func isFieldChar(c byte) bool { return '!' <= c && c <= '~' && c != ':' }

// readLine reads a line of the header, ended by CRLF or LF, without its end.
func readLine(br *bufio.Reader, limit int) (string, error) {
	var line []byte
	for {
		piece, err := br.ReadSlice('\n')
		if len(line)+len(piece) > limit {
			return "", malformed("the header is too long")
		}
		line = append(line, piece...)
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case errors.Is(err, io.EOF) && len(line) == 0: // a mail may be a header alone
			return "", nil
		case err != nil && !errors.Is(err, io.EOF):
			return "", err
		}
		return strings.TrimRight(string(line), "\r\n"), nil
	}
}

func readHead(f fields) (Head, error) {
	h := Head{Version: f.get(fieldVersion), Sender: f.address("Sender"), Date: f.date("Date")}
	if len(h.Version) > 20 || !only(h.Version, isPrintable) {
		h.Version = ""
	}
	h.TransactionID, h.Bare = f.id(fieldTransactionID)
	h.MessageID, _ = f.id(fieldMessageID)
	h.MailID, _ = f.id("Message-ID")
	if h.TransactionID == "" {
		return h, malformed(fieldTransactionID + " is missing")
	}
	if h.MessageID == "" {
		h.MessageID = h.MailID // as some peers have it
	}
	return h, nil
}

func readForward(head Head, f fields, limits Limits) (*Forward, error) {
	m := &Forward{
		Head: head, From: f.address("From"), Subject: f.text("Subject"),
		Class:          word(f.token(fieldClass), ClassPersonal, ClassAdvertisement, ClassInformational, ClassAuto),
		Priority:       word(f.token(fieldPriority), PriorityLow, PriorityNormal, PriorityHigh),
		Expiry:         f.expiry(),
		DeliveryReport: f.yes(fieldDeliveryReport), OriginatorReport: f.yes(fieldOriginatorReport), ReadReply: f.yes(fieldReadReply),
		HideSender: strings.EqualFold(f.get(fieldVisibility), "Hide"), AckRequest: f.yes(fieldAckRequest),
		OriginatorSystem: f.address(fieldOriginatorSystem), ForwardCounter: f.count(fieldForwardCounter),
	}
	var more bool
	if m.To, more = f.addresses("To", limits.Recipients); more {
		return nil, malformed("To has too many recipients")
	}
	if m.Cc, more = f.addresses("Cc", limits.Recipients-len(m.To)); more {
		return nil, malformed("Cc has too many recipients")
	}
	if m.From.IsZero() && !m.HideSender {
		return nil, malformed("From is no address")
	}
	if m.MessageID == "" {
		return nil, malformed(fieldMessageID + " is missing")
	}
	return m, nil
}

func readResponse(head Head, f fields, kind Kind, limits Limits) (*Response, error) {
	r := &Response{
		Head: head, To: f.address("To"), Text: f.text(fieldStatusText),
		Status: word(f.token(fieldRequestStatus), requestStatuses()...),
	}
	for _, request := range []Kind{ForwardReq, DeliveryReportReq, ReadReplyReportReq} {
		if request.response() == kind {
			r.Of = request
		}
	}
	var more bool
	if r.Recipients, more = f.addresses(fieldRecipients, limits.Recipients); more {
		return nil, malformed(fieldRecipients + " has too many recipients")
	}
	if r.Status == "" {
		return nil, malformed(fieldRequestStatus + " is missing")
	}
	return r, nil
}

func readDeliveryReport(head Head, f fields) (*DeliveryReport, error) {
	r := &DeliveryReport{
		Head: head, From: f.address("From"), To: f.address("To"), Text: f.text(fieldStatusText),
		Status:     mmStatus(f.token(fieldMMStatus)),
		Extension:  word(f.token(fieldMMStatusExt), RejectedByRecipient, RejectedByOtherRS),
		AckRequest: f.yes(fieldAckRequest), ForwardToOriginator: f.yes(fieldToOriginator),
		OriginatorSystem: f.address(fieldOriginatorSystem),
	}
	if r.Status == "" {
		return nil, malformed(fieldMMStatus + " is missing")
	}
	if r.MessageID == "" {
		return nil, malformed(fieldMessageID + " is missing")
	}
	return r, nil
}

func readReadReply(head Head, f fields) (*ReadReply, error) {
	r := &ReadReply{
		Head: head, From: f.address("From"), To: f.address("To"), Text: f.text(fieldStatusText),
		Status: word(f.token(fieldReadStatus), Read, DeletedUnread), AckRequest: f.yes(fieldAckRequest),
		OriginatorSystem: f.address(fieldOriginatorSystem),
	}
	if r.Status == "" {
		return nil, malformed(fieldReadStatus + " is missing")
	}
	if r.MessageID == "" {
		return nil, malformed(fieldMessageID + " is missing")
	}
	return r, nil
}
