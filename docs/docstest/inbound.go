package docstest

import (
	"errors"
	"net/http"

	"github.com/getkin/kin-openapi/openapi3"
)

// CheckInbound says what about the parameters that tell an application of a message is not as the document says; nil: nothing.
func (d *Document) CheckInbound(method string, parameters map[string]string) error {
	schema, err := d.inboundSchema(method)
	if err != nil {
		return err
	}
	value := make(map[string]any, len(parameters))
	for name, text := range parameters {
		value[name] = text
	}
	return d.visit(schema, value)
}

// inboundSchema is what the parameters must be: making an application promises it.
func (d *Document) inboundSchema(method string) (*openapi3.Schema, error) {
	webhook := d.Operations()["POST /v1/Account/{auth_id}/Application/"].Callbacks["message"]
	if webhook == nil {
		return nil, errors.New("the document promises applications no messages")
	}
	for _, item := range webhook.Value.Map() {
		if method == http.MethodPost {
			return item.Post.RequestBody.Value.Content["application/x-www-form-urlencoded"].Schema.Value, nil
		}
		return item.Get.Parameters[0].Value.Schema.Value, nil
	}
	return nil, errors.New("the webhook of messages has no address")
}
