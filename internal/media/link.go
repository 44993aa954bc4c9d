package media

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
)

// Prefix is what the paths of links begin with.
const Prefix = "/media/"

// DefaultLinked is how long a link leads somewhere when nothing else was set.
const DefaultLinked = 24 * time.Hour

// Links makes and reads paths of the form /media/{id}/{expiry}.{signature}/{name}. Whoever has one may read the medium until it expires; nobody can
// make one without the key, not for another medium and not for a later time. The name is for people: nothing hangs on it.
type Links struct {
	key  []byte
	life time.Duration
}

// NewLinks makes links that hold for a time, at least; 0: the default. The key is derived from the installation's secret, so that nothing that is
// signed or sealed elsewhere with that secret is of use here.
func NewLinks(secret [32]byte, life time.Duration) (*Links, error) {
	if life <= 0 {
		life = DefaultLinked
	}
	key, err := hkdf.Key(sha256.New, secret[:], nil, "heliograph media links 1", sha256.Size)
	return &Links{key, life}, err
}

// linkStep is what the ends of links are rounded up to: who asks twice gets the same link, which caches know.
const linkStep = time.Hour

// Path is a path that leads to the medium for a while, and no longer than the medium is there.
func (l *Links) Path(m *gateway.Medium, now time.Time) string {
	expiry := now.Add(l.life).Truncate(linkStep).Add(linkStep)
	if m.ExpiresAt.Before(expiry) {
		expiry = m.ExpiresAt
	}
	ends := expiry.Unix()
	return Prefix + m.ID.String() + "/" + strconv.FormatInt(ends, 10) + "." + l.sign(m.ID, ends) + "/" + url.PathEscape(m.Name)
}

func (l *Links) sign(id gateway.ID, ends int64) string {
	mac := hmac.New(sha256.New, l.key)
	mac.Write(id[:])
	mac.Write(binary.BigEndian.AppendUint64(nil, uint64(ends)))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// read gives the medium that a path leads to and until when; ok is false unless the path was made here.
func (l *Links) read(path string) (id gateway.ID, ends time.Time, ok bool) {
	rest, ok := strings.CutPrefix(path, Prefix)
	if !ok {
		return id, ends, false
	}
	text, rest, _ := strings.Cut(rest, "/")
	token, _, _ := strings.Cut(rest, "/")
	number, signature, _ := strings.Cut(token, ".")
	id, ok = gateway.ParseID(text)
	seconds, err := strconv.ParseInt(number, 10, 64)
	if !ok || err != nil || number != strconv.FormatInt(seconds, 10) {
		return id, ends, false
	}
	if !hmac.Equal([]byte(signature), []byte(l.sign(id, seconds))) { // in constant time
		return id, ends, false
	}
	return id, time.Unix(seconds, 0), true
}
