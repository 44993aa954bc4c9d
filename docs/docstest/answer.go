package docstest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"

	"github.com/getkin/kin-openapi/openapi3"
)

// Answer is an answer to a request.
type Answer struct {
	Method, Path string // of the request
	Status       int
	Header       http.Header
	Body         []byte
}

// Check says what about an answer is not as the document says; nil: nothing.
func (d *Document) Check(a *Answer) error {
	response, err := d.response(a.Method, a.Path, a.Status)
	if err != nil {
		return err
	}
	if err := d.checkHeaders(response, a.Header); err != nil {
		return err
	}
	if len(response.Content) == 0 {
		if len(a.Body) > 0 || a.Header.Get("Content-Type") != "" {
			return fmt.Errorf("an answer of %d bytes and type %q, where none is documented", len(a.Body), a.Header.Get("Content-Type"))
		}
		return nil
	}
	kind, _, err := mime.ParseMediaType(a.Header.Get("Content-Type"))
	if err != nil {
		return fmt.Errorf("Content-Type %q: %w", a.Header.Get("Content-Type"), err)
	}
	content := response.Content[kind]
	switch {
	case content == nil:
		return fmt.Errorf("content of type %s is not documented", kind)
	case a.Method == http.MethodHead:
		if len(a.Body) > 0 {
			return errors.New("an answer to HEAD has a body")
		}
		return nil
	case kind != "application/json":
		return nil
	}
	return d.checkJSON(content.Schema.Value, a)
}

// checkHeaders checks the headers that are documented.
func (d *Document) checkHeaders(response *openapi3.Response, header http.Header) error {
	for name, documented := range response.Headers {
		values := header.Values(name)
		switch {
		case len(values) > 1:
			return fmt.Errorf("header %s is there %d times", name, len(values))
		case len(values) == 0 && documented.Value.Required:
			return fmt.Errorf("header %s is missing", name)
		case len(values) == 0:
			continue
		}
		if err := d.visit(documented.Value.Schema.Value, values[0]); err != nil {
			return fmt.Errorf("header %s: %w", name, err)
		}
	}
	return nil
}

// checkJSON checks a JSON body, and that the header X-Request-ID repeats its api_id.
func (d *Document) checkJSON(schema *openapi3.Schema, a *Answer) error {
	var body any
	if err := decode(a.Body, &body); err != nil {
		return err
	}
	if err := d.visit(schema, body); err != nil {
		return err
	}
	object, _ := body.(map[string]any)
	if id, ok := object["api_id"]; ok && id != a.Header.Get("X-Request-ID") {
		return fmt.Errorf("api_id is %v, X-Request-ID %q", id, a.Header.Get("X-Request-ID"))
	}
	return nil
}

// decode reads one JSON value, and nothing after it.
func decode(text []byte, into *any) error {
	decoder := json.NewDecoder(bytes.NewReader(text))
	if err := decoder.Decode(into); err != nil {
		return fmt.Errorf("no JSON: %w", err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return errors.New("more than one JSON value")
	}
	return nil
}

// formats are the options with which values are held against schemas.
func formats() []openapi3.SchemaValidationOption {
	return []openapi3.SchemaValidationOption{
		openapi3.VisitAsResponse(), openapi3.EnableFormatValidation(), openapi3.DisableSchemaErrorDetails(),
		openapi3.WithStringFormatValidator("uuid", openapi3.NewRegexpFormatValidator(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)),
		openapi3.WithStringFormatValidator("uri", openapi3.NewRegexpFormatValidator(`^https?://\S+$`)),
	}
}

// visit holds a value against a schema, formats included.
func (d *Document) visit(schema *openapi3.Schema, value any) error {
	return schema.VisitJSON(value, d.formats...)
}
