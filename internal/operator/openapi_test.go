package operator

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/heliograph/heliograph/docs/docstest"
)

// checkDocumented holds an answer against openapi.yaml.
func checkDocumented(t *testing.T, r *http.Request, w *httptest.ResponseRecorder) {
	t.Helper()
	document, err := docstest.Load()
	if err != nil {
		t.Fatal(err)
	}
	answer := &docstest.Answer{Method: r.Method, Path: r.URL.Path, Status: w.Code, Header: w.Header(), Body: w.Body.Bytes()}
	if err := document.Check(answer); err != nil {
		t.Errorf("%s %s: %d %s\nis not what openapi.yaml says: %v", r.Method, r.URL, w.Code, w.Body, err)
	}
}

// TestSpecification: openapi.yaml has the routes that are served, and no others.
func TestSpecification(t *testing.T) {
	document, err := docstest.Load()
	if err != nil {
		t.Fatal(err)
	}
	served, described := map[string]bool{}, map[string]bool{}
	for pattern := range newFixture().table() {
		served[pattern] = true
	}
	for operation := range document.Operations() {
		if strings.Contains(operation, " /admin/") {
			described[operation] = true
		}
	}
	if diff := cmp.Diff(served, described); diff != "" {
		t.Error(diff)
	}
}
