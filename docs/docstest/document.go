// Package docstest holds answers against openapi.yaml: the unit tests of both APIs and the end-to-end tests all ask it.
//
//	document.go   the document and its routes
//	answer.go     answers
//	callback.go   callbacks
package docstest

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/heliograph/heliograph/docs"
)

// Document is openapi.yaml, read and found to be an OpenAPI document. It may be used by many at once.
type Document struct {
	Spec    *openapi3.T
	routes  []route
	formats []openapi3.SchemaValidationOption
}

// route is a path of the document.
type route struct {
	pattern  string
	segments []string
	item     *openapi3.PathItem
}

// Load reads the document that the program serves. It is read once, however often it is asked for.
func Load() (*Document, error) { return load() }

var load = sync.OnceValues(func() (*Document, error) {
	spec, err := openapi3.NewLoader().LoadFromData([]byte(docs.OpenAPI()))
	if err != nil {
		return nil, err
	}
	if err := spec.Validate(context.Background(), openapi3.EnableExamplesValidation()); err != nil {
		return nil, err
	}
	d := &Document{Spec: spec, formats: formats()}
	for pattern, item := range spec.Paths.Map() {
		d.routes = append(d.routes, route{pattern, segmentsOf(pattern), item})
	}
	slices.SortFunc(d.routes, func(a, b route) int { // fixed segments go before parameters, as with the servers' own routes
		return strings.Compare(strings.ReplaceAll(a.pattern, "{", "~"), strings.ReplaceAll(b.pattern, "{", "~"))
	})
	return d, nil
})

// segmentsOf cuts a path as the servers do: doubled slashes and one at the end make no difference, nor does a query that a client wrote as
// the last segment, behind an "&".
func segmentsOf(path string) []string {
	segments := strings.FieldsFunc(path, func(r rune) bool { return r == '/' })
	if last := len(segments) - 1; last >= 0 && strings.HasPrefix(segments[last], "&") {
		return segments[:last]
	}
	return segments
}

// Operations are all operations, as "GET /v1/…".
func (d *Document) Operations() map[string]*openapi3.Operation {
	operations := map[string]*openapi3.Operation{}
	for _, r := range d.routes {
		for method, operation := range r.item.Operations() {
			operations[method+" "+r.pattern] = operation
		}
	}
	return operations
}

// find gives the route of a path; nil where the document has none.
func (d *Document) find(path string) *route {
	segments := segmentsOf(path)
	for i := range d.routes {
		if d.routes[i].matches(segments) {
			return &d.routes[i]
		}
	}
	return nil
}

func (r *route) matches(segments []string) bool {
	return slices.EqualFunc(r.segments, segments, func(pattern, segment string) bool {
		return strings.HasPrefix(pattern, "{") || len(pattern) == len(segment) && strings.EqualFold(pattern, segment)
	})
}

// operation is what the route says of a method; HEAD is answered as GET.
func (r *route) operation(method string) *openapi3.Operation {
	if method == http.MethodHead {
		method = http.MethodGet
	}
	return r.item.Operations()[method]
}

// response gives what the document says of an answer to a request.
func (d *Document) response(method, path string, status int) (*openapi3.Response, error) {
	r := d.find(path)
	switch {
	case r == nil:
		return d.elsewhere(status)
	case r.operation(method) == nil:
		return d.wrongMethod(r, status)
	}
	documented := r.operation(method).Responses.Status(status)
	if documented == nil {
		return nil, fmt.Errorf("status %d is not documented for %s %s", status, method, r.pattern)
	}
	return documented.Value, nil
}

// wrongMethod gives what a path says of methods that it has not, or else what holds everywhere.
func (d *Document) wrongMethod(r *route, status int) (*openapi3.Response, error) {
	for _, operation := range r.item.Operations() {
		if own := operation.Responses.Status(status); own != nil && status == http.StatusMethodNotAllowed {
			return own.Value, nil
		}
	}
	return d.elsewhere(status)
}

// elsewhere gives what holds where there is no operation: a refusal.
func (d *Document) elsewhere(status int) (*openapi3.Response, error) {
	name, ok := map[int]string{
		http.StatusUnauthorized: "Unauthenticated", http.StatusForbidden: "Forbidden", http.StatusNotFound: "NotFound",
		http.StatusMethodNotAllowed: "MethodNotAllowed", http.StatusTooManyRequests: "TooMany",
	}[status]
	if !ok {
		return nil, fmt.Errorf("status %d where the document has no operation", status)
	}
	return d.Spec.Components.Responses[name].Value, nil
}
