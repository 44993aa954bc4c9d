package main

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/heliograph/heliograph/docs"
)

// TestDocument: openapi.yaml is given to everybody, and not again to those who have it.
func TestDocument(t *testing.T) {
	d := newDocument(docs.OpenAPI())
	ask := func(method, known string) *httptest.ResponseRecorder {
		r := httptest.NewRequestWithContext(t.Context(), method, "/openapi.yaml", nil)
		if known != "" {
			r.Header.Set("If-None-Match", known)
		}
		w := httptest.NewRecorder()
		d.ServeHTTP(w, r)
		return w
	}
	got := ask(http.MethodGet, "")
	tag := got.Header().Get("ETag")
	if got.Code != http.StatusOK || got.Body.String() != docs.OpenAPI() || got.Header().Get("Content-Type") != "application/yaml" || tag == "" {
		t.Errorf("GET: %d, %v, %d bytes", got.Code, got.Header(), got.Body.Len())
	}
	if w := ask(http.MethodHead, ""); w.Code != http.StatusOK || w.Body.Len() != 0 || w.Header().Get("ETag") != tag {
		t.Errorf("HEAD: %d, %v, %d bytes", w.Code, w.Header(), w.Body.Len())
	}
	if w := ask(http.MethodGet, tag); w.Code != http.StatusNotModified || w.Body.Len() != 0 {
		t.Errorf("GET of what is known: %d, %d bytes", w.Code, w.Body.Len())
	}
	if w := ask(http.MethodGet, `"another"`); w.Code != http.StatusOK {
		t.Errorf("GET with another tag: %d", w.Code)
	}
	if w := ask(http.MethodPost, ""); w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") != "GET, HEAD" {
		t.Errorf("POST: %d, %v", w.Code, w.Header())
	}
	if other := newDocument("another"); other.tag == tag {
		t.Error("another text has the same tag")
	}
}
