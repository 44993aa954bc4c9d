package mm7

import (
	"fmt"
	"strings"
)

const envelopeNamespace = "http://schemas.xmlsoap.org/soap/envelope/"

// Dialect says which release of the schema is spoken. The zero value is REL-6-MM7-1-4.
type Dialect struct {
	Namespace string // of the messages; empty: the one of Schema
	Schema    string // end of the namespace: REL-5-MM7-1-0 … REL-6-MM7-1-5; empty: REL-6-MM7-1-4
	Version   string // MM7Version; empty: the one that belongs to the schema
	Prefix    string // of the messages' elements; empty: the namespace is the default one
}

const (
	schemaBase    = "http://www.3gpp.org/ftp/Specs/archive/23_series/23.140/schema/"
	defaultSchema = "REL-6-MM7-1-4"
)

func (d Dialect) namespace() string {
	if d.Namespace != "" {
		return d.Namespace
	}
	return schemaBase + d.schema()
}

func (d Dialect) schema() string {
	if d.Schema != "" {
		return d.Schema
	}
	return defaultSchema
}

// version is the release of TS 23.140 that brought the schema, where nothing else is set. MMSCs compare it with a list.
func (d Dialect) version() string {
	if d.Version != "" {
		return d.Version
	}
	switch d.schema() {
	case "REL-5-MM7-1-0", "REL-5-MM7-1-1", "REL-5-MM7-1-2":
		return "5.3.0"
	case "REL-5-MM7-1-3", "REL-5-MM7-1-4", "REL-5-MM7-1-5":
		return "5.6.0"
	case "REL-6-MM7-1-0", "REL-6-MM7-1-1", "REL-6-MM7-1-2", "REL-6-MM7-1-3":
		return "6.5.0"
	}
	return "6.8.0"
}

// Envelope is a message with what its SOAP header says.
type Envelope struct {
	TransactionID string // of a request; its response says the same
	Message       Message
	Namespace     string // that the message came in, and
	MM7Version    string // its version; on the way out both are the dialect's
}

// EncodeSOAP gives the SOAP part of an envelope.
func (d Dialect) EncodeSOAP(envelope Envelope) []byte {
	w := writer{version: d.version()}
	w.buf.WriteString(`<?xml version="1.0" encoding="UTF-8"?>` + "\r\n")
	w.buf.WriteString(`<env:Envelope xmlns:env="` + envelopeNamespace + `"><env:Header>`)
	d.element(&w, "TransactionID", []string{"env:mustUnderstand", "1"}, func() { w.escaped(envelope.TransactionID) })
	w.buf.WriteString(`</env:Header><env:Body>`)
	if fault, ok := envelope.Message.(*Fault); ok {
		d.fault(&w, fault)
	} else {
		d.message(&w, envelope.Message)
	}
	w.buf.WriteString(`</env:Body></env:Envelope>` + "\r\n")
	return w.buf.Bytes()
}

func (d Dialect) message(w *writer, message Message) {
	d.element(w, message.Name(), nil, func() {
		if d.Prefix != "" {
			w.prefix = d.Prefix + ":"
		}
		message.write(w)
		w.prefix = ""
	})
}

// element writes an element that declares the messages' namespace.
func (d Dialect) element(w *writer, name string, attrs []string, body func()) {
	declaration := "xmlns"
	if d.Prefix != "" {
		declaration += ":" + d.Prefix
		name = d.Prefix + ":" + name
	}
	w.open(name, append([]string{declaration, d.namespace()}, attrs...)...)
	body()
	w.close(name)
}

func (d Dialect) fault(w *writer, fault *Fault) {
	w.buf.WriteString(`<env:Fault><faultcode>env:`)
	w.escaped(fault.Code)
	w.buf.WriteString(`</faultcode>`)
	w.text("faultstring", fault.Text)
	if fault.Detail != nil {
		w.buf.WriteString(`<detail>`)
		d.message(w, fault.Detail)
		w.buf.WriteString(`</detail>`)
	}
	w.buf.WriteString(`</env:Fault>`)
}

// Fault is SOAP's own answer to a request that failed as a whole. SOAP 1.1, 4.4.
type Fault struct {
	Code   string   // Client, Server, VersionMismatch or MustUnderstand
	Text   string   // for people
	Detail Response // RSErrorRsp or VASPErrorRsp; nil: none that is known
}

// The codes of a fault that MM7 uses.
const (
	FaultClient = "Client"
	FaultServer = "Server"
)

// Name is Fault.
func (*Fault) Name() string { return "Fault" }

// Result is the status of its detail; a fault without one is a general error of the side that its code names.
func (f *Fault) Result() Status {
	switch {
	case f.Detail != nil:
		return f.Detail.Result()
	case f.Code == FaultClient:
		return Status{Code: StatusClientError, Text: f.Text}
	}
	return Status{Code: StatusServerError, Text: f.Text}
}

func (f *Fault) write(*writer) {} // by Dialect.fault: its namespace is another

func (f *Fault) read(r *reader) {
	f.Code = r.value("faultcode")
	if _, local, qualified := strings.Cut(f.Code, ":"); qualified {
		f.Code = local
	}
	f.Text = r.value("faultstring")
	detail := r.child("detail")
	if detail == nil {
		return
	}
	for _, child := range detail.children {
		response, ok := newMessage(child.name).(Response)
		if !ok || child.name == "Fault" {
			continue
		}
		inner := reader{element: child}
		response.read(&inner)
		if inner.err == nil {
			f.Detail = response
			return
		}
	}
}

// DecodeSOAP reads a SOAP part. charset is what its Content-Type says, or empty. It does not mind namespaces: peers of the field mix releases,
// and leave the elements of a prefixed message without one.
func DecodeSOAP(document []byte, charset string) (Envelope, error) {
	document, err := toUTF8(document, charset)
	if err != nil {
		return Envelope{}, err
	}
	root, err := parseXML(document)
	if err != nil {
		return Envelope{}, err
	}
	if root.name != "Envelope" {
		return Envelope{}, invalid("SOAP part is no Envelope")
	}
	var envelope Envelope
	if header := root.child("Header"); header != nil {
		envelope.TransactionID = header.value("TransactionID")
	}
	body := root.child("Body")
	if body == nil || len(body.children) == 0 {
		return envelope, invalid("Envelope without a body")
	}
	return envelope, envelope.read(body.children[0])
}

func (e *Envelope) read(body *element) error {
	e.Namespace, e.MM7Version = body.space, body.value("MM7Version")
	message := newMessage(body.name)
	if message == nil {
		return &DecodeError{StatusUnsupportedOperation, "message is none that is known"}
	}
	r := reader{element: body}
	message.read(&r)
	if r.err != nil {
		return r.err
	}
	e.Message = message
	return nil
}

// String names the message only: its fields are not for logs.
func (e Envelope) String() string {
	if e.Message == nil {
		return "mm7: no message"
	}
	return fmt.Sprintf("mm7: %s, TransactionID %s", e.Message.Name(), e.TransactionID)
}
