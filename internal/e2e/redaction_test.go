package e2e

import (
	"bytes"
	"errors"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// told keeps the status callbacks that came.
type told struct {
	url string

	mu    sync.Mutex
	forms []url.Values
}

func newTold(t testing.TB) *told {
	t.Helper()
	c := &told{}
	server := httptest.NewServer(c)
	t.Cleanup(server.Close)
	c.url = server.URL
	return c
}

func (c *told) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.forms = append(c.forms, r.PostForm)
}

// await waits for the callback that tells of a message in a state.
func (c *told) await(t testing.TB, id, state string) url.Values {
	t.Helper()
	var found url.Values
	eventually(t, "the callback says that "+id+" is "+state, func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		for _, form := range c.forms {
			if form.Get("MessageUUID") == id && form.Get("Status") == state {
				found = form
			}
		}
		return found != nil
	})
	return found
}

// standsIn counts how often a text stands in the files of a folder.
func standsIn(t testing.TB, folder, text string) (n int) {
	t.Helper()
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		content, err := os.ReadFile(path)
		n += bytes.Count(content, []byte(text))
		if errors.Is(err, fs.ErrNotExist) { // it went away meanwhile
			return nil
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestRedaction: what `log` says is not to be logged is in no record, list, callback, view of the operator's or log; contents are in no file of the
// store any more soon after the carrier has the message.
func TestRedaction(t *testing.T) {
	const secret, plain, media = "Xq7-redact-me", "Xq7-keep-me", "Xq7-picture"
	files := web(t, &pictures{content: photograph(t, 10_000)})
	data := t.TempDir()
	server := serve(t, data, "")
	customer, callbacks := newAccount(t, server.url(t)), newTold(t)
	pack := customer.powerpack(t, "redaction", "14155550190")
	sent := map[string]struct{ id, to, shown, text string }{}
	for mode, shownTo := range map[string]bool{"true": true, "false": false, "content_only": false, "number_only": true} {
		to, text := destination(len(sent)), plain
		message := map[string]any{"powerpack_uuid": pack, "dst": to, "url": callbacks.url, "log": mode}
		if mode == "false" || mode == "number_only" {
			text = secret
			message["type"], message["media_urls"] = "mms", files+"/"+media+"/sun.jpg"
		}
		message["text"] = strings.Repeat(text+" ", 12)
		shown := to
		if !shownTo {
			shown = to[:len(to)-3] + "***"
		}
		sent[mode] = struct{ id, to, shown, text string }{customer.call(t, http.MethodPost, "/Message/", message).messages(t)[0], to, shown, text}
	}
	for mode, m := range sent {
		record := customer.awaitState(t, m.id, "delivered")
		listed := customer.call(t, http.MethodGet, "/Message/", nil).want(t, http.StatusOK)
		viewed := customer.operate(t, http.MethodGet, "/accounts/"+authID+"/messages/"+m.id, nil).want(t, http.StatusOK)
		form := callbacks.await(t, m.id, "delivered")
		if record.text("to_number") != m.shown || record.text("log") != mode || form.Get("To") != m.shown {
			t.Errorf("log %s: the record shows %s and log %s, the callback %s; want %s", mode, record.text("to_number"), record.text("log"), form.Get("To"), m.shown)
		}
		if whole := m.shown == m.to; strings.Contains(string(listed.body), m.to) != whole {
			t.Errorf("log %s: the list shows the number: %v", mode, !whole)
		}
		if found := customer.call(t, http.MethodGet, "/Message/?to_number="+m.to, nil); strings.Contains(string(found.body), m.id) != (m.shown == m.to) {
			t.Errorf("log %s: found by its number: %s", mode, found.body)
		}
		for where, said := range map[string]string{
			"record": string(record.body), "list": string(listed.body), "operator's view": string(viewed.body), "callback": form.Encode(), "log": server.log(),
		} {
			if strings.Contains(said, secret) || strings.Contains(said, plain) || strings.Contains(said, media) {
				t.Errorf("log %s: the %s has the contents", mode, where)
			}
		}
		if strings.Contains(string(viewed.body), m.to) || strings.Contains(server.log(), m.to) {
			t.Errorf("log %s: the operator sees the number", mode)
		}
	}
	eventually(t, "the contents are in no file", func() bool {
		return standsIn(t, data, secret)+standsIn(t, data, media) == 0
	})
	if standsIn(t, data, plain) == 0 {
		t.Error("contents that may be logged are gone too")
	}
}
