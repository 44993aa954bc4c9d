package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
)

// TestClientComesAgain: a call that came too soon is made again, with its body, when it may come; other refusals are told.
func TestClientComesAgain(t *testing.T) {
	var bodies []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		bodies = append(bodies, string(body))
		switch len(bodies) {
		case 1:
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusTooManyRequests)
		case 2:
			_, _ = io.WriteString(w, `{"uuid":"x"}`)
		default:
			w.WriteHeader(http.StatusTooManyRequests)
		}
	}))
	defer server.Close()
	c := &client{http: server.Client(), url: server.URL}
	var answer struct{ UUID string }
	if err := c.account(t.Context(), http.MethodPost, "/x", map[string]string{"a": "b"}, &answer); err != nil || answer.UUID != "x" {
		t.Fatalf("%+v, %v", answer, err)
	}
	if len(bodies) != 2 || bodies[1] != `{"a":"b"}` {
		t.Errorf("sent %q", bodies)
	}
	if err := c.account(t.Context(), http.MethodPost, "/x", nil, nil); err == nil {
		t.Error("a refusal that names no time was taken for an answer")
	}
}
