package media

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
)

// Bounds of how long an answer is used without asking again.
const (
	mostFresh   = time.Hour       // a picture that changes is sent anew after this long, whatever its server says
	usualFresh  = 5 * time.Minute // of answers that do not say
	failedFresh = 30 * time.Second
	mostKnown   = 10_000
	mostTag     = 256 // octets of an ETag or a date that are worth keeping
)

// known is what an address gave before.
type known struct {
	medium         gateway.Medium // its ID is zero when nothing came
	etag, modified string
	failure        *Failure // of the last attempt
	freshUntil     time.Time
}

// confirmed is what is known after an answer to it, a new file or word that the old one is still good. Such word without an ETag or a date leaves
// those that were there.
func (k known) confirmed(m gateway.Medium, header http.Header, now time.Time) known {
	after := known{medium: m, etag: tagOf(header, "ETag"), modified: tagOf(header, "Last-Modified"), freshUntil: now.Add(freshFor(header, now))}
	if m.ID == k.medium.ID {
		if after.etag == "" {
			after.etag = k.etag
		}
		if after.modified == "" {
			after.modified = k.modified
		}
	}
	return after
}

// failed is what is known after a failure: it is not tried again at once for each of a thousand messages.
func (k known) failed(failure *Failure, now time.Time) known {
	k.failure = failure
	k.freshUntil = now.Add(failedFresh)
	if failure.Temporary {
		k.freshUntil = now.Add(min(failure.After, mostFresh))
	}
	return k
}

func tagOf(header http.Header, name string) string {
	if tag := header.Get(name); len(tag) <= mostTag {
		return tag
	}
	return ""
}

// freshFor is how long an answer may be used without asking again, by RFC 9111, 4.2, for a cache that is the account's own, and within our own bounds.
func freshFor(header http.Header, now time.Time) time.Duration {
	var maxAge time.Duration
	said := false
	for directive := range strings.SplitSeq(strings.Join(header.Values("Cache-Control"), ","), ",") {
		name, value, _ := strings.Cut(strings.ToLower(strings.TrimSpace(directive)), "=")
		switch name {
		case "no-cache", "no-store":
			return 0
		case "max-age":
			if age, ok := seconds(strings.Trim(value, `"`)); ok {
				maxAge, said = age, true
			}
		}
	}
	if !said {
		expires := header.Get("Expires")
		if expires == "" {
			return usualFresh
		}
		date, err := http.ParseTime(header.Get("Date"))
		if err != nil {
			date = now
		}
		end, err := http.ParseTime(expires)
		if err != nil { // such as "0": already past
			return 0
		}
		maxAge = end.Sub(date)
	}
	age, _ := seconds(header.Get("Age"))
	return min(max(maxAge-age, 0), mostFresh)
}

// seconds reads a number of them; one that is beyond all measure is a long time, as RFC 9111, 1.2.2 has it.
func seconds(text string) (time.Duration, bool) {
	const most = 1 << 31
	for _, c := range []byte(text) {
		if c < '0' || c > '9' {
			return 0, false
		}
	}
	if text == "" {
		return 0, false
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n > most {
		n = most
	}
	return time.Duration(n) * time.Second, true
}

// retryAfter is what an answer says about when to ask again, 0: nothing.
func retryAfter(header http.Header, now time.Time) time.Duration {
	text := header.Get("Retry-After")
	if wait, ok := seconds(text); ok {
		return wait
	}
	if at, err := http.ParseTime(text); err == nil {
		return max(at.Sub(now), 0)
	}
	return 0
}
