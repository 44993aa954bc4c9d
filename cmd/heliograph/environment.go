package main

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/goccy/go-yaml"
)

// environmentPrefix begins the name of every environment variable that is a setting.
const environmentPrefix = "HELIOGRAPH_"

// applyEnvironment sets every setting that the environment names. It gives one error for each variable that cannot be read.
func applyEnvironment(cfg *Config, lookup func(string) (string, bool)) []error {
	var errs []error
	walkSettings(reflect.ValueOf(cfg).Elem(), "", func(path string, field reflect.Value) {
		name := environmentPrefix + strings.ToUpper(strings.ReplaceAll(path, ".", "_"))
		text, ok := lookup(name)
		if !ok {
			return
		}
		if field.Kind() == reflect.String { // as it is: a token may look like YAML
			field.SetString(text)
			return
		}
		fresh := reflect.New(field.Type())
		if err := yaml.UnmarshalWithOptions([]byte(text), fresh.Interface(), yaml.Strict()); err != nil {
			errs = append(errs, fmt.Errorf("%s: %s", name, strings.TrimSpace(yaml.FormatError(err, false, false))))
			return
		}
		field.Set(fresh.Elem())
	})
	return errs
}

// walkSettings visits the leaves of a configuration with their paths: sections are entered, lists are leaves.
func walkSettings(section reflect.Value, path string, visit func(path string, field reflect.Value)) {
	for i := range section.NumField() {
		key := section.Type().Field(i).Tag.Get("yaml")
		if path != "" {
			key = path + "." + key
		}
		if field := section.Field(i); field.Kind() == reflect.Struct {
			walkSettings(field, key, visit)
		} else {
			visit(key, field)
		}
	}
}
