package mm7

import "strings"

// mediaType takes a Content-Type apart. It is kinder than mime.ParseMediaType: MMSCs leave out quotes around type=text/xml and start=<a@b>.
func mediaType(header string) (kind string, params map[string]string) {
	fields := splitQuoted(header, ';')
	kind = strings.ToLower(strings.TrimSpace(fields[0]))
	params = make(map[string]string, len(fields)-1)
	for _, field := range fields[1:] {
		name, value, found := strings.Cut(field, "=")
		name = strings.ToLower(strings.TrimSpace(name))
		if _, twice := params[name]; !found || twice || name == "" {
			continue
		}
		params[name] = unquote(strings.TrimSpace(value))
	}
	return kind, params
}

// splitQuoted splits at separators that stand outside of quotes.
func splitQuoted(s string, separator byte) []string {
	var fields []string
	quoted, start := false, 0
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\\' && quoted:
			i++
		case s[i] == '"':
			quoted = !quoted
		case s[i] == separator && !quoted:
			fields = append(fields, s[start:i])
			start = i + 1
		}
	}
	return append(fields, s[start:])
}

func unquote(s string) string {
	if len(s) < 2 || s[0] != '"' || s[len(s)-1] != '"' {
		return s
	}
	var b strings.Builder
	for i := 1; i < len(s)-1; i++ {
		if s[i] == '\\' && i < len(s)-2 {
			i++
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// quote writes a parameter's value.
func quote(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

// contentID is an id without its angle brackets, and without cid: where it is a reference.
func contentID(s string) string {
	s = strings.TrimSpace(s)
	if len(s) > 4 && strings.EqualFold(s[:4], "cid:") {
		s = s[4:]
	}
	return strings.TrimSuffix(strings.TrimPrefix(s, "<"), ">")
}
