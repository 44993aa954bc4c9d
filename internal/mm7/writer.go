package mm7

import (
	"bytes"
	"encoding/xml"
	"time"
)

// writer appends the elements of a message. Elements without a value are left out.
type writer struct {
	buf     bytes.Buffer
	prefix  string // with its colon, or empty
	version string // where a message names none
}

// open begins an element; attrs are names and values in turn.
func (w *writer) open(name string, attrs ...string) {
	w.buf.WriteByte('<')
	w.buf.WriteString(w.prefix)
	w.buf.WriteString(name)
	w.attributes(attrs)
	w.buf.WriteByte('>')
}

func (w *writer) attributes(attrs []string) {
	for i := 0; i+1 < len(attrs); i += 2 {
		w.buf.WriteByte(' ')
		w.buf.WriteString(attrs[i])
		w.buf.WriteString(`="`)
		w.escaped(attrs[i+1])
		w.buf.WriteByte('"')
	}
}

func (w *writer) close(name string) {
	w.buf.WriteString("</")
	w.buf.WriteString(w.prefix)
	w.buf.WriteString(name)
	w.buf.WriteByte('>')
}

func (w *writer) escaped(text string) {
	_ = xml.EscapeText(&w.buf, []byte(text)) // a bytes.Buffer takes everything
}

func (w *writer) text(name, value string) {
	if value == "" {
		return
	}
	w.open(name)
	w.escaped(value)
	w.close(name)
}

// empty writes an element that has attributes only.
func (w *writer) empty(name string, attrs ...string) {
	w.buf.WriteByte('<')
	w.buf.WriteString(w.prefix)
	w.buf.WriteString(name)
	w.attributes(attrs)
	w.buf.WriteString("/>")
}

func (w *writer) time(name string, t time.Time) { w.text(name, formatTime(t)) }

func (w *writer) flag(name string, f Flag) { w.text(name, f.String()) }

func (w *writer) mm7Version(version string) {
	if version == "" {
		version = w.version
	}
	w.text("MM7Version", version)
}
