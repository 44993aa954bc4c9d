package mm7

import "time"

// reader takes the fields of a message from its element and keeps the first error.
type reader struct {
	*element
	err error
}

func (r *reader) fail(code StatusCode, what string) {
	if r.err == nil {
		r.err = &DecodeError{code, what}
	}
}

// need gives a child that must be there, or nil.
func (r *reader) need(name string) *element {
	child := r.child(name)
	if child == nil {
		r.fail(StatusValidationError, r.name+" without "+name)
	}
	return child
}

// needText gives the text of a child that must have one.
func (r *reader) needText(name string) string {
	text := r.value(name)
	if text == "" {
		r.fail(StatusValidationError, r.name+" without "+name)
	}
	return text
}

// time reads a date that is told only: what cannot be read is none, since no report or message is worth losing for it.
func (r *reader) time(name string) time.Time {
	t, _ := parseTime(r.value(name))
	return t
}

// when reads a date that is asked for: to ignore it would send a message too early or too late.
func (r *reader) when(name string) When {
	text := r.value(name)
	if text == "" {
		return When{}
	}
	w, ok := parseWhen(text)
	if !ok {
		r.fail(StatusFormatCorrupt, name+" is no date")
	}
	return w
}

func (r *reader) flag(name string) Flag { return parseFlag(r.value(name)) }
