package mm4

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"strings"
)

// Body is the content of a mail that is being read.
type Body struct {
	raw     *bufio.Reader
	src     *source             // below raw: knows whether the mail's own end was come to
	levels  []*multipart.Reader // the multiparts that are open, outermost first
	closing *closing            // of the outermost
	single  *Incoming           // the only part of a mail that is no multipart
	limits  Limits
	parts   int
	err     error // once set, Next repeats it
}

// Incoming is a part of the content, to be read before the next one is asked for.
type Incoming struct {
	Type     string // media type in lower case, without its parameters
	Charset  string // of text, in lower case; empty: not said
	ID       string // Content-ID, without angle brackets
	Location string // Content-Location
	Name     string // file name, without a path
	Body     io.Reader
}

// Text is the content in UTF-8, where its charset is known; else as it is. What no charset has becomes U+FFFD.
func (p *Incoming) Text() io.Reader {
	if !strings.HasPrefix(p.Type, "text/") || p.Charset == "" || p.Charset == "us-ascii" {
		return p.Body
	}
	if text, err := charsetReader(p.Charset, p.Body); err == nil {
		return text
	}
	return p.Body
}

func newBody(raw *bufio.Reader, src *source, f fields, limits Limits) (*Body, error) {
	b := &Body{raw: raw, src: src, limits: limits}
	part, params := describe(f.get)
	if !strings.HasPrefix(part.Type, "multipart/") {
		part.Body = b.decoded(f.get("Content-Transfer-Encoding"), raw)
		b.single = part
		return b, nil
	}
	return b, b.open(raw, params)
}

// open goes into a multipart.
func (b *Body) open(r io.Reader, params map[string]string) error {
	boundary := params["boundary"]
	switch {
	case boundary == "" || len(boundary) > maxBoundary || !only(boundary, isPrintable):
		return malformed("a multipart has no boundary")
	case len(b.levels) == b.limits.Depth:
		return malformed("multiparts are nested too deeply")
	}
	if len(b.levels) == 0 {
		b.closing = newClosing(r, boundary)
		r = b.closing
	}
	b.levels = append(b.levels, multipart.NewReader(r, boundary))
	return nil
}

// Next gives the next part, and io.EOF after the last one: only when the mail has come to its end, so that a part's reader never has to decide
// whether the mail was whole. Parts of multiparts within come in their order.
func (b *Body) Next() (*Incoming, error) {
	if b.err != nil {
		return nil, b.err
	}
	part, err := b.next()
	if errors.Is(err, io.EOF) {
		if err = b.drain(); err == nil {
			err = io.EOF
		}
	}
	b.err = err
	return part, err
}

// Drain reads what is left and is nil when the mail came to its end.
func (b *Body) Drain() error {
	for {
		part, err := b.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			_, err = io.Copy(io.Discard, part.Body)
		}
		if errors.Is(err, ErrMalformed) {
			return b.drain() // what it says does not matter any more
		}
		if err != nil {
			return err
		}
	}
}

func (b *Body) drain() error {
	_, err := io.Copy(io.Discard, b.raw)
	return err
}

func (b *Body) next() (*Incoming, error) {
	if b.single != nil {
		part := b.single
		b.single = nil
		return part, nil
	}
	for len(b.levels) > 0 {
		level := len(b.levels) - 1
		raw, err := b.levels[level].NextRawPart()
		if err == io.EOF && (level > 0 || b.closing.seen) { // wrapped, it is no closing boundary either
			b.levels = b.levels[:level]
			continue
		}
		if err != nil {
			return nil, b.partError(err)
		}
		if b.parts++; b.parts > b.limits.Parts {
			return nil, malformed("there are too many parts")
		}
		if size := headerSize(raw); size > b.limits.Header {
			return nil, malformed("the header of a part is too long")
		}
		part, params := describe(raw.Header.Get)
		if strings.HasPrefix(part.Type, "multipart/") {
			if err := b.open(raw, params); err != nil {
				return nil, err
			}
			continue
		}
		part.Body = b.decoded(raw.Header.Get("Content-Transfer-Encoding"), raw)
		return part, nil
	}
	return nil, io.EOF
}

// closing looks out for the closing boundary of the outermost multipart: the library gives io.EOF also when a mail ends amid the header of a part.
type closing struct {
	r       io.Reader
	pattern []byte
	last    []byte // of what was read, shorter than the pattern by one
	seen    bool
}

func newClosing(r io.Reader, boundary string) *closing {
	return &closing{r: r, pattern: []byte("\n--" + boundary + "--"), last: []byte{'\n'}}
}

func (c *closing) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	if c.seen {
		return n, err
	}
	overlap := len(c.pattern) - 1
	c.last = append(c.last, p[:min(n, overlap)]...)
	c.seen = bytes.Contains(c.last, c.pattern) || bytes.Contains(p[:n], c.pattern)
	if n > overlap {
		c.last = append(c.last[:0], p[n-overlap:n]...)
	} else {
		c.last = append(c.last[:0], c.last[max(0, len(c.last)-overlap):]...)
	}
	return n, err
}

// partError tells a multipart that is wrong from a mail that did not come to its end: both end in the middle.
func (b *Body) partError(err error) error {
	if drained := b.drain(); drained != nil {
		return drained
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return malformed("a multipart does not end")
	}
	return malformed("a multipart cannot be read")
}

func headerSize(part *multipart.Part) int {
	size := 0
	for name, values := range part.Header {
		for _, value := range values {
			size += len(name) + len(value) + 4
		}
	}
	return size
}

// describe reads what a header says about content.
func describe(get func(string) string) (*Incoming, map[string]string) {
	kind, params, err := mime.ParseMediaType(get("Content-Type"))
	if err != nil && !errors.Is(err, mime.ErrInvalidMediaParameter) || kind == "" {
		kind = "application/octet-stream"
		if get("Content-Type") == "" {
			kind = "text/plain"
		}
	}
	if len(kind) > maxID || !only(kind, isPrintable) {
		kind = "application/octet-stream"
	}
	p := &Incoming{Type: kind, Charset: strings.ToLower(params["charset"]), Name: params["name"]}
	if len(p.Charset) > 40 || !only(p.Charset, isPrintable) {
		p.Charset = ""
	}
	if _, disposition, err := mime.ParseMediaType(get("Content-Disposition")); err == nil && disposition["filename"] != "" {
		p.Name = disposition["filename"]
	}
	p.ID = clean(strings.Trim(strings.Trim(strings.TrimSpace(get("Content-ID")), `"`), "<>"))
	p.Location = clean(get("Content-Location"))
	p.Name = clean(decodeWords(p.Name))
	p.Name = p.Name[strings.LastIndexAny(p.Name, `/\`)+1:]
	for _, at := range []*string{&p.ID, &p.Location, &p.Name} {
		if len(*at) > maxID {
			*at = ""
		}
	}
	return p, params
}

// decoded takes the transfer encoding off. One that is not known leaves the octets as they are: what they are is seen by their content.
func (b *Body) decoded(encoding string, r io.Reader) io.Reader {
	switch strings.ToLower(strings.TrimSpace(encoding)) {
	case "base64":
		r = base64.NewDecoder(base64.RawStdEncoding, &alphabet{r: r})
	case "quoted-printable":
		r = quotedprintable.NewReader(r)
	}
	return &judged{r, b.src}
}

// judged tells content that is wrong from a mail that did not come to its end: the first is malformed, the second is the way's error.
type judged struct {
	r   io.Reader
	src *source
}

func (j *judged) Read(p []byte) (int, error) {
	n, err := j.r.Read(p)
	switch {
	case err == nil || errors.Is(err, io.EOF):
		return n, err
	case j.src.err != nil:
		return n, j.src.err
	}
	return n, malformed("the content of a part is not encoded as its header says, or has no end")
}

// alphabet lets through what base64 has, up to its padding: peers wrap, indent and end it in their own ways. RFC 2045, 6.8.
type alphabet struct {
	r     io.Reader
	ended bool
}

func (a *alphabet) Read(p []byte) (int, error) {
	for {
		n, err := a.r.Read(p)
		kept := 0
		for _, c := range p[:n] {
			switch {
			case a.ended:
			case c == '=':
				a.ended = true
			case 'A' <= c && c <= 'Z', 'a' <= c && c <= 'z', '0' <= c && c <= '9', c == '+', c == '/':
				p[kept] = c
				kept++
			}
		}
		if kept > 0 || err != nil {
			return kept, err
		}
	}
}
