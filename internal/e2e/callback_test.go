package e2e

import (
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
)

// TestCallbackIsolation: while one endpoint answers nothing and another refuses connections, a third is told of everything.
func TestCallbackIsolation(t *testing.T) {
	release := make(chan struct{})
	var asked atomic.Int64
	hanging := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		asked.Add(1)
		<-release
	}))
	t.Cleanup(hanging.Close)
	t.Cleanup(func() { close(release) })
	dead := httptest.NewServer(http.NotFoundHandler())
	dead.Close()
	l := newLedger()
	good := httptest.NewServer(l)
	t.Cleanup(good.Close)

	server := serve(t, t.TempDir(), "")
	customer := newAccount(t, server.url(t))
	pack := customer.powerpack(t, "isolation", "14155550190", "14155550191")
	send := func(n int, url string) string {
		return customer.call(t, http.MethodPost, "/Message/", map[string]any{"powerpack_uuid": pack, "dst": destination(n), "text": "x", "url": url}).messages(t)[0]
	}
	for n := range 150 {
		send(n, hanging.URL)
		send(n, dead.URL)
	}
	for n := range 50 {
		id := send(n, good.URL)
		l.note(func() { l.acknowledged[id] = id })
	}
	l.await(t, "every callback to the endpoint that answers", func() (bool, string) {
		for id := range l.acknowledged {
			if states := l.told[id]; !states["queued"] || !states["sent"] || !states["delivered"] {
				return false, id
			}
		}
		return true, ""
	})
	if asked.Load() == 0 {
		t.Error("the hanging endpoint was never asked")
	}
}
