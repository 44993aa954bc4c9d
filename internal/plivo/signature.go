package plivo

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"hash"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
)

// Names of the signature headers.
const (
	headerV2      = "X-Plivo-Signature-V2"
	headerMainV2  = "X-Plivo-Signature-Ma-V2"
	headerNonceV2 = "X-Plivo-Signature-V2-Nonce"
	headerV3      = "X-Plivo-Signature-V3"
	headerMainV3  = "X-Plivo-Signature-Ma-V3"
	headerNonceV3 = "X-Plivo-Signature-V3-Nonce"
)

// pair is a parameter, decoded.
type pair struct{ name, value string }

func comparePairs(a, b pair) int {
	if order := strings.Compare(a.name, b.name); order != 0 {
		return order
	}
	return cmp.Compare(a.value, b.value)
}

// signed is a request as signatures see it.
type signed struct {
	scheme, host, path string
	bare               string // host without a port; equal to host when it has none
	query              []pair // of the URL and, with GET, the parameters; sorted
	form               []pair // of the body, sorted; none with GET
}

// newSigned takes an address apart. Scheme, host, port and path are signed as they are written; a fragment and a user are not sent, and so not
// signed. The parameters are those of the body; with GET those that the query has besides the URL's.
func newSigned(method string, u *url.URL, params []pair) signed {
	s := signed{scheme: u.Scheme, host: u.Host, path: u.EscapedPath(), bare: u.Host}
	if port := u.Port(); port != "" {
		s.bare = s.host[:len(s.host)-len(port)-1]
	}
	if s.query = decodedQuery(u.RawQuery); method == http.MethodGet {
		s.query = append(s.query, params...)
	} else {
		s.form = slices.Clone(params)
	}
	slices.SortFunc(s.query, comparePairs)
	slices.SortFunc(s.form, comparePairs)
	return s
}

// decodedQuery decodes a query. What cannot be decoded is taken as it is.
func decodedQuery(raw string) []pair {
	var pairs []pair
	for raw != "" {
		var item string
		item, raw, _ = strings.Cut(raw, "&")
		if item == "" {
			continue
		}
		name, value, _ := strings.Cut(item, "=")
		pairs = append(pairs, pair{unescaped(name), unescaped(value)})
	}
	return pairs
}

func unescaped(text string) string {
	if decoded, err := url.QueryUnescape(text); err == nil {
		return decoded
	}
	return text
}

func (s *signed) appendBase(dst []byte, host string) []byte {
	dst = append(dst, s.scheme...)
	dst = append(dst, "://"...)
	dst = append(dst, host...)
	return append(dst, s.path...)
}

// appendV2 writes what signature V2 covers: the address without its query, and the nonce.
func (s *signed) appendV2(dst []byte, nonce string) []byte {
	return append(s.appendBase(dst, s.host), nonce...)
}

// appendV3 writes what signature V3 covers: the address, the query's parameters as k=v, the body's as kv, and the nonce.
func (s *signed) appendV3(dst []byte, host, nonce string) []byte {
	dst = s.appendBase(dst, host)
	if len(s.query) > 0 || len(s.form) > 0 {
		dst = append(dst, '?')
	}
	for i, p := range s.query {
		if i > 0 {
			dst = append(dst, '&')
		}
		dst = append(dst, p.name...)
		dst = append(dst, '=')
		dst = append(dst, p.value...)
	}
	if len(s.query) > 0 && len(s.form) > 0 {
		dst = append(dst, '.')
	}
	for _, p := range s.form {
		dst = append(dst, p.name...)
		dst = append(dst, p.value...)
	}
	dst = append(dst, '.')
	return append(dst, nonce...)
}

// signer signs with one token. It keeps hash states with the key already in them.
type signer struct {
	token  []byte
	states sync.Pool
}

// signing is a hash state, and room to work in.
type signing struct {
	hash.Hash
	payload []byte
	sum     [sha256.Size]byte
	text    [2*encodedSum + 1]byte
}

// encodedSum is the length of a signature's text.
const encodedSum = (sha256.Size + 2) / 3 * 4

func newSigner(token string) *signer {
	s := &signer{token: []byte(token)}
	s.states.New = func() any { return &signing{Hash: hmac.New(sha256.New, s.token)} }
	return s
}

// appendSum signs the payload and writes the signature's text.
func (g *signing) appendSum(dst []byte) []byte {
	g.Reset()
	g.Write(g.payload)
	return base64.StdEncoding.AppendEncode(dst, g.Sum(g.sum[:0]))
}

// v2 gives signature V2.
func (s *signer) v2(req *signed, nonce string) string {
	g := s.states.Get().(*signing)
	defer s.states.Put(g)
	g.payload = req.appendV2(g.payload[:0], nonce)
	return string(g.appendSum(g.text[:0]))
}

// v3 gives the value of the V3 header. With an explicit port these are two signatures, the second over the address without its port: of the official
// validators some keep the port and some drop it, and all accept a list. V2 has no lists: there the port is kept.
func (s *signer) v3(req *signed, nonce string) string {
	g := s.states.Get().(*signing)
	defer s.states.Put(g)
	g.payload = req.appendV3(g.payload[:0], req.host, nonce)
	text := g.appendSum(g.text[:0])
	if req.bare != req.host {
		g.payload = req.appendV3(g.payload[:0], req.bare, nonce)
		text = g.appendSum(append(text, ','))
	}
	return string(text)
}

// Verify tells whether a callback was signed with the token: its V2 and its V3 signature, of the account that owns the message. uri is the address that the
// callback was sent to, as the account gave it, with the query it was received with; form is the body of a POST.
func Verify(method, uri string, form url.Values, header http.Header, token string) bool {
	u, err := url.Parse(uri)
	if err != nil {
		return false
	}
	var pairs []pair
	for name, values := range form {
		for _, v := range values {
			pairs = append(pairs, pair{name, v})
		}
	}
	if method == http.MethodGet {
		pairs = nil // the query has them
	}
	req, signer := newSigned(method, u, pairs), newSigner(token)
	v2 := signer.v2(&req, header.Get(headerNonceV2))
	v3 := signer.v3(&req, header.Get(headerNonceV3))
	return equalTexts(header.Get(headerV2), v2) && anyEqual(header.Get(headerV3), v3)
}

// anyEqual tells whether two comma-separated lists have a member in common.
func anyEqual(a, b string) bool {
	for one := range strings.SplitSeq(a, ",") {
		for other := range strings.SplitSeq(b, ",") {
			if equalTexts(one, other) {
				return true
			}
		}
	}
	return false
}

func equalTexts(a, b string) bool {
	return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1
}
