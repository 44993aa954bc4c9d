package mm7

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"mime/quotedprintable"
	"strings"
)

// Limits bound what a peer may send. The zero value is the defaults.
type Limits struct {
	SOAP  int   // octets of the SOAP part; 0: 256 KiB
	Total int64 // octets of the whole body as it came; 0: 16 MiB
	Part  int64 // octets of a part, decoded; 0: 8 MiB
	Parts int   // parts, multiparts among them; 0: 64
	Depth int   // multiparts within each other; 0: 4
}

func (l *Limits) setDefaults() {
	if l.SOAP <= 0 {
		l.SOAP = 256 << 10
	}
	if l.Total <= 0 {
		l.Total = 16 << 20
	}
	if l.Part <= 0 {
		l.Part = 8 << 20
	}
	if l.Parts <= 0 {
		l.Parts = 64
	}
	if l.Depth <= 0 {
		l.Depth = 4
	}
}

// Incoming is a document that is being read: its envelope is, its parts are still on their way.
type Incoming struct {
	Envelope

	limits Limits
	outer  *partStream // nil: the SOAP part is all
	parts  int         // so far
	err    error       // of Each; io.EOF: all were given

	streamErr error // of the body itself
}

// bodyReader keeps what was wrong with the stream, which a function might give back as its own error.
type bodyReader struct {
	source io.Reader
	in     *Incoming
}

func (b bodyReader) Read(p []byte) (int, error) {
	n, err := b.source.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		b.in.streamErr = err
	}
	return n, err
}

// Decode reads a document up to the end of its SOAP part, which is the first. When the SOAP part is not understood, what is known of the envelope
// comes with the error, which is then a *DecodeError; other errors are body's own.
func Decode(contentType string, body io.Reader, limits Limits) (*Incoming, error) {
	limits.setDefaults()
	in := &Incoming{limits: limits}
	limited := &limitedReader{source: bodyReader{body, in}, left: limits.Total, what: "document is too large"}
	kind, params := mediaType(contentType)
	if !strings.HasPrefix(kind, "multipart/") {
		if !isXML(kind) {
			return in, invalid("document is neither XML nor multipart")
		}
		in.err = io.EOF
		return in, in.readSOAP(limited, params["charset"])
	}
	outer, err := newPartStream(limited, params["boundary"])
	if err != nil {
		return in, err
	}
	first, err := outer.next()
	if err != nil {
		return in, endOfParts(err)
	}
	kind, soapParams := mediaType(first.contentType)
	if start := contentID(params["start"]); start != "" && first.id != "" && start != first.id && !isXML(kind) {
		return in, invalid("SOAP part is not the first")
	}
	soap, err := decoded(outer, first.transfer)
	if err != nil {
		return in, err
	}
	in.outer = outer
	return in, in.readSOAP(soap, soapParams["charset"])
}

func isXML(kind string) bool {
	return kind == "text/xml" || kind == "application/xml" || kind == "application/soap+xml" || kind == ""
}

func endOfParts(err error) error {
	if errors.Is(err, io.EOF) {
		return invalid("multipart without parts")
	}
	return err
}

func (in *Incoming) readSOAP(source io.Reader, charset string) error {
	document, err := io.ReadAll(&limitedReader{source: source, left: int64(in.limits.SOAP), what: "SOAP part is too large"})
	if err != nil {
		return err
	}
	in.Envelope, err = DecodeSOAP(document, charset)
	return err
}

// ReceivedPart is a part on its way: it is read while Each calls, or not at all.
type ReceivedPart struct {
	Type     string // Content-Type without parameters, in small letters
	Charset  string
	Name     string // from Content-Type or Content-Disposition: what a person called it; nothing to open a file with
	ID       string // Content-ID without angle brackets
	Location string

	source io.Reader
}

// Read gives the octets, decoded.
func (p *ReceivedPart) Read(b []byte) (int, error) { return p.source.Read(b) }

// Each calls take for every part after the SOAP part, those within multiparts included, in their order. It ends with the first error of take or of
// the document; without one the document was whole. A second call gives what the first one ended with.
func (in *Incoming) Each(take func(*ReceivedPart) error) error {
	if in.err == nil {
		in.err = in.walk(in.outer, 1, take)
		if in.err == nil {
			in.err = io.EOF
		}
	}
	if errors.Is(in.err, io.EOF) {
		return nil
	}
	return in.err
}

func (in *Incoming) walk(parts *partStream, depth int, take func(*ReceivedPart) error) error {
	for {
		h, err := parts.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if in.parts++; in.parts > in.limits.Parts {
			return tooLarge(fmt.Sprintf("document has more than %d parts", in.limits.Parts))
		}
		if err := in.one(parts, h, depth, take); err != nil {
			return err
		}
	}
}

// one hands out a part, or goes into it.
func (in *Incoming) one(parts *partStream, h header, depth int, take func(*ReceivedPart) error) error {
	kind, params := mediaType(h.contentType)
	source, err := decoded(parts, h.transfer)
	if err != nil {
		return err
	}
	if strings.HasPrefix(kind, "multipart/") {
		if depth >= in.limits.Depth {
			return invalid(fmt.Sprintf("multipart nested deeper than %d", in.limits.Depth))
		}
		inner, err := newPartStream(source, params["boundary"])
		if err != nil {
			return err
		}
		return in.walk(inner, depth+1, take)
	}
	if kind == "" {
		kind = "application/octet-stream"
	}
	part := &ReceivedPart{
		Type: kind, Charset: strings.ToLower(params["charset"]), Name: params["name"], ID: h.id, Location: h.location,
		source: &limitedReader{source: source, left: in.limits.Part, what: "part is too large"},
	}
	if _, disposition := mediaType(h.disposition); part.Name == "" {
		part.Name = disposition["filename"]
	}
	return take(part)
}

// decoded undoes a Content-Transfer-Encoding.
func decoded(source io.Reader, transfer string) (io.Reader, error) {
	switch transfer {
	case "", "7bit", "8bit", "binary":
		return source, nil
	case "base64":
		return wrongOctets{base64.NewDecoder(base64.StdEncoding, skipBlanks{source})}, nil
	case "quoted-printable":
		return wrongOctets{quotedprintable.NewReader(source)}, nil
	}
	return nil, invalid("part with a transfer encoding that is not known")
}

// skipBlanks leaves out what may stand in base64 and is none.
type skipBlanks struct{ source io.Reader }

func (s skipBlanks) Read(p []byte) (int, error) {
	for {
		n, err := s.source.Read(p)
		kept := 0
		for _, octet := range p[:n] {
			if octet > ' ' {
				p[kept] = octet
				kept++
			}
		}
		if kept > 0 || err != nil {
			return kept, err
		}
	}
}

// wrongOctets names what a decoder says of its input; errors of the stream pass.
type wrongOctets struct{ source io.Reader }

func (w wrongOctets) Read(p []byte) (int, error) {
	n, err := w.source.Read(p)
	var corrupt base64.CorruptInputError
	switch {
	case err == nil, errors.Is(err, io.EOF):
	case errors.As(err, &corrupt), errors.Is(err, io.ErrUnexpectedEOF), strings.HasPrefix(err.Error(), "quotedprintable:"):
		err = invalid("part that is not in its transfer encoding")
	}
	return n, err
}

// limitedReader refuses what is longer than the limit, where io.LimitedReader would only end.
type limitedReader struct {
	source io.Reader
	left   int64
	what   string
}

func (l *limitedReader) Read(p []byte) (int, error) {
	if l.left < 0 {
		return 0, tooLarge(l.what)
	}
	n, err := l.source.Read(p[:min(int64(len(p)), l.left+1)])
	if l.left -= int64(n); l.left < 0 {
		return n - 1, tooLarge(l.what)
	}
	return n, err
}
