package operator

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"reflect"
	"strings"

	"github.com/heliograph/heliograph/internal/gateway"
)

// maxBody bounds a request's body, but for those that put numbers.
const maxBody = 4 << 20

// read decodes a JSON object strictly: what is not known is refused, so that a misspelt setting is not taken for its default.
func read(r *http.Request, into any) error {
	body, err := readBody(r, maxBody)
	if err != nil {
		return err
	}
	return decode(body, into)
}

func readBody(r *http.Request, most int64) ([]byte, error) {
	body, err := io.ReadAll(io.LimitReader(r.Body, most+1))
	switch {
	case err != nil:
		return nil, gateway.Errorf(gateway.Invalid, "the body could not be read")
	case int64(len(body)) > most:
		return nil, gateway.Errorf(gateway.Invalid, "the body is longer than %d bytes", most)
	}
	return body, nil
}

// decode reads one JSON value and nothing after it. A refusal that is about a field is a settingError.
func decode(body []byte, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return explainJSON(err, reflect.TypeOf(into))
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return gateway.Errorf(gateway.Invalid, "invalid json: more than one value")
	}
	return nil
}

// explainJSON says what is wrong with a body in the words of JSON, not of the language that reads it.
func explainJSON(err error, into reflect.Type) error {
	var (
		mistyped *json.UnmarshalTypeError
		refusal  *gateway.Error // of a value that reads itself
	)
	switch {
	case errors.As(err, &refusal):
		return refusal
	case errors.As(err, &mistyped) && mistyped.Field == "":
		return gateway.Errorf(gateway.Invalid, "the body must be %s", wanted(mistyped.Type))
	case errors.As(err, &mistyped):
		names := strings.Split(mistyped.Field, ".")
		subject := mistyped.Field
		if holds := fieldOf(into, names); holds != nil && holds.Kind() != mistyped.Type.Kind() && (holds.Kind() == reflect.Slice || holds.Kind() == reflect.Map) {
			subject = "each value of " + subject
		}
		return invalid(names[len(names)-1], "%s must be %s", subject, wanted(mistyped.Type))
	case errors.Is(err, io.EOF):
		return gateway.Errorf(gateway.Invalid, "the body is empty; it must be a JSON object")
	case errors.Is(err, io.ErrUnexpectedEOF):
		return gateway.Errorf(gateway.Invalid, "invalid json: it ends too early")
	}
	text := strings.TrimPrefix(err.Error(), "json: ")
	if name, ok := strings.CutPrefix(text, "unknown field "); ok {
		return invalid(strings.Trim(name, `"`), "there is no field %s", name)
	}
	return gateway.Errorf(gateway.Invalid, "invalid json: %s", text)
}

// fieldOf is the type of the field that names lead to, through lists and pointers; nil when they lead nowhere.
func fieldOf(t reflect.Type, names []string) reflect.Type {
	for i, name := range names {
		for t.Kind() == reflect.Pointer || i > 0 && t.Kind() == reflect.Slice {
			t = t.Elem()
		}
		if t.Kind() != reflect.Struct {
			return nil
		}
		field, ok := t.FieldByNameFunc(func(goName string) bool {
			f, _ := t.FieldByName(goName)
			tag, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			return tag == name
		})
		if !ok {
			return nil
		}
		t = field.Type
	}
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t
}

// wanted is what JSON calls the values of a type.
func wanted(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Bool:
		return "true or false"
	case reflect.String:
		return "a text"
	case reflect.Float32, reflect.Float64:
		return "a number"
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64, reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return "a whole number"
	case reflect.Slice, reflect.Array:
		return "a list"
	}
	return "an object"
}
