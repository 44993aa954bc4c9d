package plivo

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"mime"
	"slices"
	"strings"
)

// Bounds of an answer.
const (
	maxAnswer  = 64 << 10 // octets; who hands an answer on gives one more where there is more
	maxReplies = 50       // Message elements
	maxNested  = 32       // elements in each other
)

// xmlReply is a Message element.
type xmlReply struct {
	place          int // among the Message elements of its document, from 1
	src, dst, kind string
	callbackURL    string
	callbackMethod string
	text           string
}

// remarks are what is to be said about an answer to whoever wrote the application.
type remarks []string

func (r *remarks) add(format string, args ...any) { *r = append(*r, fmt.Sprintf(format, args...)) }

// maxSaid is how many remarks a note repeats.
const maxSaid = 3

// note is the remarks in a line.
func (r remarks) note() string {
	if more := len(r) - maxSaid; more > 0 {
		return strings.Join(r[:maxSaid], "; ") + fmt.Sprintf("; and %d more", more)
	}
	return strings.Join(r, "; ")
}

// What makes an answer no document of replies at all.
var (
	errDoctype   = errors.New("it has a document type, which is not allowed")
	errDeep      = errors.New("its elements are nested too deeply")
	errRoots     = errors.New("it has more than one root element")
	errTwice     = errors.New("an element has an attribute twice")
	errStray     = errors.New("it has text beside its root element")
	errCut       = errors.New("it ends too early")
	errCharset   = errors.New("its character set is neither UTF-8 nor ISO-8859-1")
	errMalformed = errors.New("it is not well-formed XML")
)

// readReplies takes the replies out of an answer. What is no XML says nothing. Of a document that is not well-formed nothing is taken; of one that is, all
// that can be understood, with remarks about the rest.
func readReplies(contentType string, body []byte) (replies []xmlReply, said remarks) {
	kind, params, err := mime.ParseMediaType(contentType)
	if err != nil {
		kind, params = "", nil
	}
	text := bytes.TrimLeft(bytes.TrimPrefix(body, []byte("\ufeff")), xmlBlanks)
	if kind != "application/xml" && kind != "text/xml" {
		if bytes.HasPrefix(text, []byte("<?xml")) || bytes.HasPrefix(text, []byte("<Response")) {
			said.add("the answer was not read: its Content-Type is neither application/xml nor text/xml")
		}
		return nil, said
	}
	if len(text) == 0 || text[0] != '<' {
		return nil, nil
	}
	if len(body) > maxAnswer {
		said.add("the answer was not read: it has more than %d octets", maxAnswer)
		return nil, said
	}
	r, err := newReplyReader(text, params["charset"])
	if err == nil {
		err = r.document()
	}
	if err != nil {
		said.add("the answer was not read: %v", plainXMLError(err))
		return nil, said
	}
	return r.replies, r.said
}

// plainXMLError is an error as it may be shown: the parser's own words can repeat parts of the document.
func plainXMLError(err error) error {
	for _, own := range [...]error{errDoctype, errDeep, errRoots, errTwice, errStray, errCut, errCharset} {
		if errors.Is(err, own) {
			return own
		}
	}
	var syntax *xml.SyntaxError
	if errors.As(err, &syntax) {
		return fmt.Errorf("%w, in line %d", errMalformed, syntax.Line)
	}
	return errMalformed
}

// xmlBlanks is white space, as XML has it.
const xmlBlanks = " \t\r\n"

// replyReader reads a document. It knows no entities but XML's five, and expands none of its own.
type replyReader struct {
	*xml.Decoder
	replies []xmlReply
	seen    int // Message elements
	said    remarks
}

// newReplyReader begins to read a document. The character set that HTTP names holds before the one that the document does (RFC 7303, 3).
func newReplyReader(text []byte, charset string) (*replyReader, error) {
	var from io.Reader = bytes.NewReader(text)
	reader := charsetReader
	if charset != "" {
		var err error
		if from, err = charsetReader(charset, from); err != nil {
			return nil, err
		}
		reader = func(_ string, in io.Reader) (io.Reader, error) { return in, nil }
	}
	d := xml.NewDecoder(from)
	d.CharsetReader = reader
	return &replyReader{Decoder: d}, nil
}

// charsetReader makes UTF-8 of a text in a character set that is known here.
func charsetReader(charset string, in io.Reader) (io.Reader, error) {
	switch strings.ToLower(charset) {
	case "utf-8", "utf8", "us-ascii", "ascii":
		return in, nil
	case "iso-8859-1", "iso8859-1", "latin1", "latin-1":
		return &latin1{from: in}, nil
	}
	return nil, errCharset
}

// latin1 reads ISO 8859-1 as UTF-8: its octets are the first characters of Unicode.
type latin1 struct {
	from io.Reader
	half byte // the second octet of a character whose first was given; 0: none
}

func (l *latin1) Read(p []byte) (n int, err error) {
	if len(p) == 0 {
		return 0, nil
	}
	if l.half != 0 {
		p[0], l.half = l.half, 0
		return 1, nil
	}
	read, err := l.from.Read(p[:(len(p)+1)/2])
	octets := slices.Clone(p[:read])
	for _, c := range octets {
		if c < 0x80 {
			p[n] = c
			n++
			continue
		}
		p[n] = 0xc0 | c>>6
		if n++; n == len(p) { // only the last one of a p of odd length
			l.half = 0x80 | c&0x3f
			return n, nil // an error comes again
		}
		p[n] = 0x80 | c&0x3f
		n++
	}
	return n, err
}

// token gives the next token that means something: an element's begin or end, or text.
func (r *replyReader) token() (xml.Token, error) {
	for {
		t, err := r.Token()
		if err != nil {
			return nil, err
		}
		switch t := t.(type) {
		case xml.Directive:
			return nil, errDoctype
		case xml.StartElement:
			for i, a := range t.Attr {
				if slices.ContainsFunc(t.Attr[:i], func(other xml.Attr) bool { return other.Name == a.Name }) {
					return nil, errTwice
				}
			}
			return t, nil
		case xml.EndElement, xml.CharData:
			return t, nil
		}
	}
}

// document reads the whole document.
func (r *replyReader) document() error {
	rooted := false
	for {
		t, err := r.token()
		if errors.Is(err, io.EOF) {
			if !rooted {
				return errCut
			}
			return nil
		}
		if err != nil {
			return err
		}
		switch t := t.(type) {
		case xml.StartElement:
			if rooted {
				return errRoots
			}
			rooted = true
			if err := r.root(t); err != nil {
				return err
			}
		case xml.CharData:
			if len(bytes.Trim(t, xmlBlanks)) > 0 {
				return errStray
			}
		}
	}
}

// root reads the root element.
func (r *replyReader) root(root xml.StartElement) error {
	if root.Name.Local != "Response" {
		r.said.add("the answer's root element is not Response: nothing was sent")
		return r.pass(1)
	}
	texted := false
	for {
		t, err := r.token()
		if err != nil {
			return cutOff(err)
		}
		switch t := t.(type) {
		case xml.EndElement:
			return nil
		case xml.CharData:
			if !texted && len(bytes.Trim(t, xmlBlanks)) > 0 {
				texted = true
				r.said.add("text outside of a Message element was ignored")
			}
		case xml.StartElement:
			if err := r.child(t, root.Name.Space); err != nil {
				return err
			}
		}
	}
}

// cutOff is what an error inside of an element is.
func cutOff(err error) error {
	var syntax *xml.SyntaxError
	if errors.Is(err, io.EOF) || errors.As(err, &syntax) && syntax.Msg == "unexpected EOF" {
		return errCut
	}
	return err
}

// child reads an element in the root.
func (r *replyReader) child(start xml.StartElement, space string) error {
	if start.Name.Local != "Message" || start.Name.Space != space {
		r.said.add("an element %s was ignored: only Message is one of messages", shownName(start.Name.Local))
		return r.pass(2)
	}
	if r.seen++; r.seen == maxReplies+1 {
		r.said.add("only the first %d Message elements were sent", maxReplies)
	}
	reply := xmlReply{place: r.seen}
	r.attributes(&reply, start.Attr)
	var text strings.Builder
	nested := false
	for {
		t, err := r.token()
		if err != nil {
			return cutOff(err)
		}
		switch t := t.(type) {
		case xml.CharData:
			text.Write(t)
		case xml.StartElement:
			nested = true
			if err := r.pass(3); err != nil {
				return err
			}
		case xml.EndElement:
			reply.text = strings.Trim(text.String(), xmlBlanks)
			switch {
			case r.seen > maxReplies:
			case nested:
				r.said.add("Message %d was not sent: it has an element in its text", reply.place)
			default:
				r.replies = append(r.replies, reply)
			}
			return nil
		}
	}
}

// attributes reads those of a Message element.
func (r *replyReader) attributes(reply *xmlReply, attributes []xml.Attr) {
	for _, a := range attributes {
		to := map[string]*string{
			"src": &reply.src, "dst": &reply.dst, "type": &reply.kind, "callbackUrl": &reply.callbackURL, "callbackMethod": &reply.callbackMethod,
		}[a.Name.Local]
		switch {
		case to != nil && a.Name.Space == "":
			*to = strings.Trim(a.Value, xmlBlanks)
		case a.Name.Space == "" && a.Name.Local != "xmlns" && r.seen <= maxReplies:
			r.said.add("the attribute %s of Message %d was ignored", shownName(a.Name.Local), reply.place)
		}
	}
}

// pass reads on to the end of an element that is so deep in the document, the root being the first.
func (r *replyReader) pass(depth int) error {
	for open := depth; open >= depth; {
		t, err := r.token()
		if err != nil {
			return cutOff(err)
		}
		switch t.(type) {
		case xml.StartElement:
			if open++; open > maxNested {
				return errDeep
			}
		case xml.EndElement:
			open--
		}
	}
	return nil
}

// shownName bounds what is repeated of a name.
func shownName(name string) string {
	const most = 32
	if len([]rune(name)) > most {
		return string([]rune(name)[:most]) + "…"
	}
	return name
}
