package media

import (
	"errors"
	"io/fs"
	"mime"
	"net/http"
	"strconv"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
)

// Link is a path under which ServeHTTP gives the medium for a while.
func (l *Library) Link(m *gateway.Medium) string { return l.links.Path(m, l.now()) }

// ServeHTTP gives what a signed link leads to. It needs no credentials: the link is the permission. What is given can do nothing in a browser: its
// type is not guessed, no script runs in it, and what could carry one is saved instead of shown.
func (l *Library) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	header.Set("Referrer-Policy", "no-referrer")
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		header.Set("Allow", "GET, HEAD")
		refuse(w, http.StatusMethodNotAllowed, "method not allowed")
		return
	}
	id, ends, ok := l.links.read(r.URL.Path)
	now := l.now()
	switch {
	case !ok:
		refuse(w, http.StatusNotFound, "not found")
		return
	case !now.Before(ends):
		refuse(w, http.StatusGone, "the link has expired; ask the API for a new one")
		return
	}
	m, err := l.index.AnyMedium(r.Context(), id, now)
	var refusal *gateway.Error
	switch {
	case errors.As(err, &refusal) && refusal.Code == gateway.NotFound:
		refuse(w, http.StatusNotFound, "not found")
	case err != nil:
		l.report(r.Context(), "a medium cannot be read", err)
		header.Set("Retry-After", "1")
		refuse(w, http.StatusServiceUnavailable, "the file cannot be read at the moment")
	default:
		l.give(w, r, &m, ends.Sub(now))
	}
}

// give writes a medium, whole or in the ranges that are asked for.
func (l *Library) give(w http.ResponseWriter, r *http.Request, m *gateway.Medium, left time.Duration) {
	file, err := l.files.open(m.Content)
	if err != nil {
		if !errors.Is(err, fs.ErrNotExist) || l.stillNamed(r, m) {
			l.log.Error("the file of a medium cannot be read", "media_id", m.ID.String(), "err", err)
		}
		refuse(w, http.StatusNotFound, "not found")
		return
	}
	defer file.Close()
	header := w.Header()
	header.Set("Content-Type", m.Type)
	header.Set("Content-Disposition", disposition(m))
	header.Set("Cache-Control", "private, max-age="+strconv.Itoa(int(left/time.Second)))
	header.Set("ETag", `"`+m.Content.String()+`"`)
	http.ServeContent(w, r, "", m.CreatedAt, file)
}

// stillNamed tells whether a medium is there although its content is not: it did not expire just now.
func (l *Library) stillNamed(r *http.Request, m *gateway.Medium) bool {
	_, err := l.index.AnyMedium(r.Context(), m.ID, l.now())
	return err == nil
}

// disposition says that a file is saved, unless it is a picture, a sound or a film, which carry no script; and what it is called.
func disposition(m *gateway.Medium) string {
	how := "attachment"
	if shownInline(m.Type) {
		how = "inline"
	}
	if named := mime.FormatMediaType(how, map[string]string{"filename": m.Name}); named != "" {
		return named
	}
	return how
}

func refuse(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Cache-Control", "no-store")
	http.Error(w, text, status)
}
