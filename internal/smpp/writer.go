package smpp

import (
	"fmt"
	"strings"
)

// writer adds the fields of a body in order and keeps the first that cannot be written.
type writer struct {
	command CommandID
	dst     []byte
	failed  string // the field
	reason  string
}

func (w *writer) fail(field, reason string) {
	if w.failed == "" {
		w.failed, w.reason = field, reason
	}
}

func (w *writer) uint8(value uint8) { w.dst = append(w.dst, value) }

// cstring adds a text and its NUL; max counts both. The fields of responses are as long as they come: they are somebody's ids.
func (w *writer) cstring(field, value string, max int) {
	switch {
	case strings.IndexByte(value, 0) >= 0:
		w.fail(field, "holds a NUL")
	case len(value) >= max && !w.command.IsResponse():
		w.fail(field, fmt.Sprintf("longer than %d octets", max-1))
	}
	w.dst = append(w.dst, value...)
	w.dst = append(w.dst, 0)
}

func (w *writer) address(field string, a Address, max int) {
	w.dst = append(w.dst, byte(a.TON), byte(a.NPI))
	w.cstring(field, a.Addr, max)
}

// maxShortMessage is what short_message may hold; more goes into message_payload. SMPP 3.4, 5.2.22.
const maxShortMessage = 254

func (w *writer) shortMessage(value string) {
	if len(value) > maxShortMessage {
		w.fail("short_message", fmt.Sprintf("longer than %d octets", maxShortMessage))
	}
	w.dst = append(w.dst, byte(len(value)))
	w.dst = append(w.dst, value...)
}

func (w *writer) tlvs(t TLVs) { w.dst = append(w.dst, t.octets...) }
