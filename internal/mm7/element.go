package mm7

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
)

// element is an XML element as far as MM7 needs it: names without their namespaces, because peers disagree about those.
type element struct {
	space    string
	name     string
	attrs    []xml.Attr
	text     string // of the element itself, without the white space around it
	children []*element
}

// Bounds of a SOAP part. A SubmitReq for a thousand recipients has some 1,050 elements.
const (
	maxDepth    = 16
	maxElements = 4096
	maxAttrs    = 16
)

// parseXML reads a document that is UTF-8 whatever it declares. A document type, and with it every entity but XML's own five, is refused.
func parseXML(document []byte) (*element, error) {
	decoder := xml.NewDecoder(bytes.NewReader(document))
	decoder.CharsetReader = func(_ string, input io.Reader) (io.Reader, error) { return input, nil }
	var tree treeBuilder
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, invalid("SOAP part is no well-formed XML")
		}
		if err := tree.add(token); err != nil {
			return nil, err
		}
	}
	if tree.root == nil || len(tree.open) > 0 {
		return nil, invalid("SOAP part is empty")
	}
	return tree.root, nil
}

// treeBuilder makes a tree of tokens, within the bounds.
type treeBuilder struct {
	root  *element
	open  []*element
	texts [][]byte // of those open
	count int
}

func (t *treeBuilder) add(token xml.Token) error {
	switch token := token.(type) {
	case xml.Directive:
		return invalid("SOAP part has a document type")
	case xml.StartElement:
		return t.start(token)
	case xml.CharData:
		if n := len(t.open); n > 0 {
			t.texts[n-1] = append(t.texts[n-1], token...)
		}
	case xml.EndElement:
		n := len(t.open) - 1
		t.open[n].text = strings.TrimSpace(string(t.texts[n]))
		t.open, t.texts = t.open[:n], t.texts[:n]
	}
	return nil
}

func (t *treeBuilder) start(token xml.StartElement) error {
	t.count++
	switch {
	case t.count > maxElements:
		return invalid(fmt.Sprintf("SOAP part has more than %d elements", maxElements))
	case len(t.open) >= maxDepth:
		return invalid(fmt.Sprintf("SOAP part is nested deeper than %d", maxDepth))
	case len(token.Attr) > maxAttrs:
		return invalid(fmt.Sprintf("SOAP part has an element with more than %d attributes", maxAttrs))
	case t.root != nil && len(t.open) == 0:
		return invalid("SOAP part has several roots")
	}
	e := &element{space: token.Name.Space, name: token.Name.Local, attrs: token.Copy().Attr}
	if t.root == nil {
		t.root = e
	} else {
		parent := t.open[len(t.open)-1]
		parent.children = append(parent.children, e)
	}
	t.open = append(t.open, e)
	t.texts = append(t.texts, nil)
	return nil
}

func (e *element) child(name string) *element {
	for _, child := range e.children {
		if child.name == name {
			return child
		}
	}
	return nil
}

// value is the text of a child, empty when there is none.
func (e *element) value(name string) string {
	if child := e.child(name); child != nil {
		return child.text
	}
	return ""
}

func (e *element) attr(name string) string {
	for _, attr := range e.attrs {
		if attr.Name.Local == name {
			return strings.TrimSpace(attr.Value)
		}
	}
	return ""
}

// allText is the text of an element and all below it.
func (e *element) allText() string {
	texts := make([]string, 0, 1+len(e.children))
	if e.text != "" {
		texts = append(texts, e.text)
	}
	for _, child := range e.children {
		if text := child.allText(); text != "" {
			texts = append(texts, text)
		}
	}
	return strings.Join(texts, " ")
}

// isTrue reads xs:boolean in the spellings that are met.
func isTrue(s string) bool { return s == "1" || strings.EqualFold(s, "true") }
