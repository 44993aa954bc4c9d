package docstest

import (
	"errors"
	"net/http"

	"github.com/getkin/kin-openapi/openapi3"
)

// CheckCallback says what about the parameters of a status callback is not as the document says; nil: nothing.
func (d *Document) CheckCallback(method string, parameters map[string]string) error {
	value := make(map[string]any, len(parameters))
	for name, text := range parameters {
		value[name] = text
	}
	schema := d.Spec.Components.Schemas["StatusCallback"].Value
	if method == http.MethodPost {
		operation, err := d.statusCallback()
		if err != nil {
			return err
		}
		schema = operation.RequestBody.Value.Content["application/x-www-form-urlencoded"].Schema.Value
	}
	return d.visit(schema, value)
}

// statusCallback is the POST that sending a message promises.
func (d *Document) statusCallback() (*openapi3.Operation, error) {
	callbacks := d.Operations()["POST /v1/Account/{auth_id}/Message/"].Callbacks
	if callbacks["status"] == nil {
		return nil, errors.New("the document has no status callback")
	}
	for _, item := range callbacks["status"].Value.Map() {
		return item.Post, nil
	}
	return nil, errors.New("the status callback has no address")
}
