package media

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Bounds of a file's name.
const (
	maxNameLength = 200 // octets
	namelessFile  = "file"
)

// CleanName makes a file's name out of what an uploader says it is: the last element of a path in either kind of slashes, without control and
// format characters and what is no UTF-8, and of bounded length; its extension survives the cut.
func CleanName(given string) string {
	if i := strings.LastIndexAny(given, `/\`); i >= 0 {
		given = given[i+1:]
	}
	name := strings.Map(func(r rune) rune {
		if r == utf8.RuneError || !unicode.IsGraphic(r) {
			return -1
		}
		return r
	}, given)
	if name = strings.Trim(name, " ."); name == "" {
		return namelessFile
	}
	if len(name) <= maxNameLength {
		return name
	}
	extension := ""
	if i := strings.LastIndexByte(name, '.'); i > 0 && len(name)-i <= 10 {
		name, extension = name[:i], name[i:]
	}
	n := maxNameLength - len(extension)
	for !utf8.RuneStart(name[n]) {
		n--
	}
	return strings.TrimRight(name[:n], " .") + extension
}
