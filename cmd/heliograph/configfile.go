package main

import (
	"fmt"
	"os"
	"reflect"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// readConfig reads a configuration file over the defaults, and gives every error that it finds. No file leaves the defaults.
func readConfig(file string) (Config, []error) {
	cfg := defaultConfig()
	if file == "" {
		return cfg, nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return cfg, []error{err}
	}
	parsed, err := parser.ParseBytes(text, 0)
	if err != nil {
		return cfg, []error{fmt.Errorf("%s: %s", file, strings.TrimSpace(yaml.FormatError(err, false, true)))}
	}
	var errs []error
	for _, document := range parsed.Docs {
		if document.Body != nil { // there is something besides comments
			errs = append(errs, readNode(document.Body, reflect.ValueOf(&cfg).Elem(), "")...)
		}
	}
	return cfg, errs
}

// readNode reads a node into a setting: sections key by key, lists of sections entry by entry, so that one error does not hide the others. What
// no setting is called by is an error.
func readNode(node ast.Node, into reflect.Value, path string) []error {
	if _, empty := node.(*ast.NullNode); empty {
		return nil // a key without a value leaves the default
	}
	switch into.Kind() {
	case reflect.Pointer:
		into.Set(reflect.New(into.Type().Elem()))
		return readNode(node, into.Elem(), path)
	case reflect.Struct:
		if entries, ok := mapping(node); ok {
			return readSection(entries, into, path)
		}
	case reflect.Slice:
		if list, ok := node.(*ast.SequenceNode); ok && into.Type().Elem().Kind() == reflect.Struct && !isText(into.Type().Elem()) {
			return readList(list, into, path)
		}
	}
	if err := yaml.NodeToValue(node, into.Addr().Interface(), yaml.Strict()); err != nil {
		said, _, _ := strings.Cut(strings.TrimSpace(yaml.FormatError(err, false, false)), "\n")
		if _, after, ok := strings.Cut(said, "] "); ok && strings.HasPrefix(said, "[") { // it begins with its place in the file
			said = after
		}
		return []error{fmt.Errorf("%s: line %d: %s", path, node.GetToken().Position.Line, said)}
	}
	return nil
}

// isText tells whether values of the type are written as one text.
func isText(t reflect.Type) bool {
	return reflect.PointerTo(t).Implements(reflect.TypeFor[interface{ UnmarshalText([]byte) error }]())
}

// mapping gives the entries of a mapping.
func mapping(node ast.Node) ([]*ast.MappingValueNode, bool) {
	switch n := node.(type) {
	case *ast.MappingNode:
		return n.Values, true
	case *ast.MappingValueNode:
		return []*ast.MappingValueNode{n}, true
	}
	return nil, false
}

func readSection(entries []*ast.MappingValueNode, into reflect.Value, path string) []error {
	var errs []error
	fields := map[string]reflect.Value{}
	for i := range into.NumField() {
		fields[into.Type().Field(i).Tag.Get("yaml")] = into.Field(i)
	}
	for _, entry := range entries {
		key := entry.Key.GetToken().Value
		at := strings.TrimPrefix(path+"."+key, ".")
		field, known := fields[key]
		if !known {
			errs = append(errs, fmt.Errorf("%s: line %d: there is no such setting", at, entry.Key.GetToken().Position.Line))
			continue
		}
		errs = append(errs, readNode(entry.Value, field, at)...)
	}
	return errs
}

func readList(list *ast.SequenceNode, into reflect.Value, path string) []error {
	var errs []error
	read := reflect.MakeSlice(into.Type(), len(list.Values), len(list.Values))
	for i, node := range list.Values {
		errs = append(errs, readNode(node, read.Index(i), fmt.Sprintf("%s[%d]", path, i))...)
	}
	into.Set(read)
	return errs
}

// loadConfig reads the file and the environment, and gives every error in them.
func loadConfig(file string, lookup func(string) (string, bool)) (Config, []error) {
	cfg, errs := readConfig(file)
	return cfg, append(errs, applyEnvironment(&cfg, lookup)...)
}
