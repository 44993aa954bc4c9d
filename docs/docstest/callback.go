package docstest

import (
	"fmt"
	"net/http"

	"github.com/getkin/kin-openapi/openapi3"
)

// CheckCallback says what about the parameters of a status callback is not as the document says; nil: nothing.
func (d *Document) CheckCallback(method string, parameters map[string]string) error {
	return d.checkCallback(method, parameters, "POST /v1/Account/{auth_id}/Message/", "status", "StatusCallback")
}

// CheckInbound says what about the parameters that tell an application of a message is not as the document says; nil: nothing.
func (d *Document) CheckInbound(method string, parameters map[string]string) error {
	return d.checkCallback(method, parameters, "POST /v1/Account/{auth_id}/Application/", "message", "InboundWebhook")
}

func (d *Document) checkCallback(method string, parameters map[string]string, operation, name, schemaName string) error {
	value := make(map[string]any, len(parameters))
	for name, text := range parameters {
		value[name] = text
	}
	schema := d.Spec.Components.Schemas[schemaName].Value
	if method == http.MethodPost {
		promised, err := d.callback(operation, name)
		if err != nil {
			return err
		}
		schema = promised.RequestBody.Value.Content["application/x-www-form-urlencoded"].Schema.Value
	}
	return d.visit(schema, value)
}

// callback is the POST that an operation promises.
func (d *Document) callback(operation, name string) (*openapi3.Operation, error) {
	callbacks := d.Operations()[operation].Callbacks
	if callbacks[name] == nil {
		return nil, fmt.Errorf("the document has no callback %s of %s", name, operation)
	}
	for _, item := range callbacks[name].Value.Map() {
		return item.Post, nil
	}
	return nil, fmt.Errorf("the callback %s of %s has no address", name, operation)
}
