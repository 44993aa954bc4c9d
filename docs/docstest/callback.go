package docstest

import (
	"fmt"
	"net/http"

	"github.com/getkin/kin-openapi/openapi3"
)

// Where the document promises callbacks: the operation, and what it calls them.
var (
	statusCallback       = promise{"POST /v1/Account/{auth_id}/Message/", "status"}
	registrationCallback = promise{"POST /v1/Account/{auth_id}/10dlc/Brand/", "decision"}
	inboundWebhook       = promise{"POST /v1/Account/{auth_id}/Application/", "message"}
)

type promise struct{ operation, name string }

// CheckCallback says what about the parameters of a callback is not as the document says; nil: nothing. Those that name an endpoint are about what an
// account registered, those with an intent bring a message from a handset, and all others are about messages that were sent.
func (d *Document) CheckCallback(method string, parameters map[string]string) error {
	promised := statusCallback
	if _, ok := parameters["endpoint"]; ok {
		promised = registrationCallback
	} else if _, ok := parameters["MessageIntent"]; ok {
		promised = inboundWebhook
	}
	schema, err := d.callbackSchema(promised, method)
	if err != nil {
		return err
	}
	value := make(map[string]any, len(parameters))
	for name, text := range parameters {
		value[name] = text
	}
	return d.visit(schema, value)
}

// callbackSchema is what the parameters of a callback must be, which a POST has in its body and a GET in its query.
func (d *Document) callbackSchema(p promise, method string) (*openapi3.Schema, error) {
	callback := d.Operations()[p.operation].Callbacks[p.name]
	if callback == nil {
		return nil, fmt.Errorf("the document promises no callback %s with %s", p.name, p.operation)
	}
	for _, item := range callback.Value.Map() {
		if method == http.MethodPost {
			return item.Post.RequestBody.Value.Content["application/x-www-form-urlencoded"].Schema.Value, nil
		}
		return item.Get.Parameters[0].Value.Schema.Value, nil
	}
	return nil, fmt.Errorf("the callback %s has no address", p.name)
}
