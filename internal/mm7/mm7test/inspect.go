package mm7test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"strings"
	"time"
)

// This reader shares nothing with mm7's own: it is the standard library's multipart and xml, so that a mistake of the one is not forgiven by the other.

// node is an XML element.
type node struct {
	XMLName xml.Name
	Attrs   []xml.Attr `xml:",any,attr"`
	Text    string     `xml:",chardata"`
	Nodes   []node     `xml:",any"`
}

type soapEnvelope struct {
	XMLName xml.Name `xml:"http://schemas.xmlsoap.org/soap/envelope/ Envelope"`
	Header  struct {
		TransactionID *struct {
			XMLName        xml.Name
			MustUnderstand string `xml:"http://schemas.xmlsoap.org/soap/envelope/ mustUnderstand,attr"`
			Value          string `xml:",chardata"`
		} `xml:"TransactionID"`
	} `xml:"http://schemas.xmlsoap.org/soap/envelope/ Header"`
	Body struct {
		Nodes []node `xml:",any"`
	} `xml:"http://schemas.xmlsoap.org/soap/envelope/ Body"`
}

func (n *node) value() string { return strings.TrimSpace(n.Text) }

func (n *node) child(name string) *node {
	if n == nil {
		return nil
	}
	for i := range n.Nodes {
		if n.Nodes[i].XMLName.Local == name {
			return &n.Nodes[i]
		}
	}
	return nil
}

func (n *node) text(name string) string {
	if child := n.child(name); child != nil {
		return child.value()
	}
	return ""
}

func (n *node) attr(name string) string {
	for _, attr := range n.Attrs {
		if attr.Name.Local == name {
			return attr.Value
		}
	}
	return ""
}

// Submit is what was submitted.
type Submit struct {
	At            time.Time
	Operation     string // SubmitReq, CancelReq, ReplaceReq
	TransactionID string
	MessageID     string // of ours, or the one that is cancelled or replaced
	Namespace     string
	MM7Version    string
	VASPID, VASID string
	Sender        string
	Recipients    []string // those to be sent to
	Subject       string
	ServiceCode   string
	LinkedID      string
	MessageClass  string
	Priority      string
	Expiry        string
	Earliest      string
	Report        bool
	ReadReply     bool
	Parts         []File
	ContentType   string   // of the content: the multipart's, or the single file's
	Violations    []string // of the specification; empty: none
}

// File is a part.
type File struct {
	Type, ID, Location, Transfer string
	Size                         int64
	SHA256                       [sha256.Size]byte
	Data                         []byte // with Config.KeepContent
}

func (s *Submit) wrong(format string, args ...any) {
	s.Violations = append(s.Violations, fmt.Sprintf(format, args...))
}

const maxSOAP = 1 << 20

// inspect reads a request. An error is the connection's or MIME's: nothing can be said about the rest.
func inspect(r *http.Request, body io.Reader, keep bool) (*Submit, error) {
	s := &Submit{At: time.Now()}
	if r.ContentLength < 0 {
		s.wrong("no Content-Length")
	}
	if _, found := r.Header[textproto.CanonicalMIMEHeaderKey("SOAPAction")]; !found {
		s.wrong("no SOAPAction")
	}
	kind, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil {
		return s, fmt.Errorf("Content-Type: %w", err)
	}
	if kind == "text/xml" {
		_, err := s.soap(body)
		return s, err
	}
	if kind != "multipart/related" || params["type"] != "text/xml" {
		s.wrong("Content-Type is not multipart/related of text/xml")
	}
	return s, s.related(multipart.NewReader(body, params["boundary"]), params["start"], keep)
}

// related reads the SOAP part and the content after it.
func (s *Submit) related(parts *multipart.Reader, start string, keep bool) error {
	first, err := parts.NextRawPart()
	if err != nil {
		return fmt.Errorf("SOAP part: %w", err)
	}
	if start == "" || first.Header.Get("Content-ID") != start {
		s.wrong("the first part is not the start")
	}
	href, err := s.soap(first)
	if err != nil {
		return err
	}
	content, err := parts.NextRawPart()
	if err != nil {
		return fmt.Errorf("content: %w", err)
	}
	if id := content.Header.Get("Content-ID"); href == "" || "<"+strings.TrimPrefix(href, "cid:")+">" != id {
		s.wrong("Content does not refer to the part that follows")
	}
	if err := s.content(content, keep); err != nil {
		return err
	}
	if _, err := parts.NextRawPart(); !errors.Is(err, io.EOF) {
		s.wrong("something follows the content")
	}
	return nil
}

// soap reads the SOAP part, and gives what its Content element refers to.
func (s *Submit) soap(source io.Reader) (string, error) {
	var document bytes.Buffer
	if _, err := io.Copy(&document, io.LimitReader(source, maxSOAP)); err != nil {
		return "", err
	}
	var envelope soapEnvelope
	if err := xml.Unmarshal(document.Bytes(), &envelope); err != nil {
		return "", fmt.Errorf("SOAP part: %w", err)
	}
	if len(envelope.Body.Nodes) != 1 {
		return "", errors.New("SOAP body: not one message")
	}
	request := &envelope.Body.Nodes[0]
	s.Operation, s.Namespace = request.XMLName.Local, request.XMLName.Space
	switch id := envelope.Header.TransactionID; {
	case id == nil || strings.TrimSpace(id.Value) == "":
		s.wrong("TransactionID is missing")
	case id.XMLName.Space != s.Namespace || id.MustUnderstand != "1":
		s.wrong("TransactionID in another namespace, or without mustUnderstand")
		fallthrough
	default:
		s.TransactionID = strings.TrimSpace(id.Value)
	}
	return s.request(request), nil
}

func (s *Submit) request(request *node) (href string) {
	rules := schemaOf(s.Operation)
	if rules == nil {
		s.wrong("unknown operation")
		return ""
	}
	s.Violations = append(s.Violations, follows(rules, request)...)
	if s.Operation == "SubmitReq" {
		recipients, wrong := reads(request.child("Recipients"))
		s.Recipients = recipients
		s.Violations = append(s.Violations, wrong...)
	}
	identification := request.child("SenderIdentification")
	s.VASPID, s.VASID = identification.text("VASPID"), identification.text("VASID")
	if sender := identification.child("SenderAddress"); sender != nil && len(sender.Nodes) == 1 {
		s.Sender = sender.Nodes[0].value()
	}
	s.MM7Version = request.text("MM7Version")
	s.MessageID = request.text("MessageID")
	s.Subject = request.text("Subject")
	s.ServiceCode = request.text("ServiceCode")
	s.LinkedID = request.text("LinkedID")
	s.MessageClass = request.text("MessageClass")
	s.Priority = request.text("Priority")
	s.Report = request.text("DeliveryReport") == "true"
	s.ReadReply = request.text("ReadReply") == "true"
	s.Expiry, s.Earliest = request.text("ExpiryDate"), request.text("EarliestDeliveryTime")
	for _, date := range []string{s.Expiry, s.Earliest, request.text("TimeStamp")} {
		if date != "" && !strings.HasPrefix(date, "P") {
			if _, err := time.Parse(time.RFC3339, date); err != nil {
				s.wrong("a date that is none")
			}
		}
	}
	if content := request.child("Content"); content != nil {
		if href = content.attr("href"); !strings.HasPrefix(href, "cid:") {
			s.wrong("Content without href to a part")
		}
	}
	return href
}

// content reads a file, or a multipart of files.
func (s *Submit) content(part *multipart.Part, keep bool) error {
	s.ContentType = part.Header.Get("Content-Type")
	kind, params, err := mime.ParseMediaType(s.ContentType)
	if err != nil {
		return fmt.Errorf("content: %w", err)
	}
	if !strings.HasPrefix(kind, "multipart/") {
		return s.file(part, keep)
	}
	inner := multipart.NewReader(part, params["boundary"])
	for {
		file, err := inner.NextRawPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return fmt.Errorf("content: %w", err)
		}
		if err := s.file(file, keep); err != nil {
			return err
		}
	}
	s.presentation(kind, params)
	return nil
}

// presentation checks that SMIL is what the content says it is.
func (s *Submit) presentation(kind string, params map[string]string) {
	var smil *File
	for i := range s.Parts {
		if strings.HasPrefix(s.Parts[i].Type, "application/smil") {
			smil = &s.Parts[i]
		}
	}
	switch {
	case kind == "multipart/mixed" && smil != nil:
		s.wrong("SMIL in multipart/mixed")
	case kind == "multipart/related" && (smil == nil || params["start"] != smil.ID || params["type"] != "application/smil"):
		s.wrong("the start of the content is not SMIL")
	case len(s.Parts) == 0:
		s.wrong("content without files")
	}
}

func (s *Submit) file(part *multipart.Part, keep bool) error {
	f := File{
		Type: part.Header.Get("Content-Type"), ID: part.Header.Get("Content-ID"), Location: part.Header.Get("Content-Location"),
		Transfer: part.Header.Get("Content-Transfer-Encoding"),
	}
	var source io.Reader = part
	if f.Transfer == "base64" {
		source = base64.NewDecoder(base64.StdEncoding, part)
	}
	sum := sha256.New()
	var kept bytes.Buffer
	into := io.Writer(sum)
	if keep {
		into = io.MultiWriter(sum, &kept)
	}
	n, err := io.Copy(into, source)
	if err != nil {
		return fmt.Errorf("file: %w", err)
	}
	f.Size, f.SHA256, f.Data = n, [sha256.Size]byte(sum.Sum(nil)), kept.Bytes()
	if f.Type == "" || f.ID == "" {
		s.wrong("file without a type or an id")
	}
	s.Parts = append(s.Parts, f)
	return nil
}
