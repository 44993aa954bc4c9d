package media

import (
	"mime"
	"path"
	"slices"
	"strings"

	"github.com/gabriel-vasile/mimetype"

	"github.com/heliograph/heliograph/internal/gateway"
)

// kind is a type of file that is taken.
type kind struct {
	name       string
	inline     bool     // browsers show it, and it carries no script
	family     string   // of containers and notations that cannot always be told apart from their beginning; "" is none
	aliases    []string // what else it is called
	extensions []string
}

const (
	isoMedia = "ISO media" // ISO/IEC 14496-12 and its relatives
	ogg      = "Ogg"
	text     = "text"
)

// kinds are what MMS carries and what the contract's Media API takes besides.
var kinds = []kind{
	{"image/jpeg", true, "", []string{"image/jpg", "image/pjpeg"}, []string{".jpg", ".jpeg", ".jpe"}},
	{"image/png", true, "", []string{"image/x-png"}, []string{".png"}},
	{"image/gif", true, "", nil, []string{".gif"}},
	{"image/x-xcf", false, "", []string{"image/xcf"}, []string{".xcf"}},
	{"audio/mpeg", true, "", []string{"audio/mp3", "audio/x-mp3", "audio/mpeg3", "audio/x-mpeg"}, []string{".mp3"}},
	{"audio/wav", true, "", []string{"audio/x-wav", "audio/wave", "audio/vnd.wave"}, []string{".wav"}},
	{"audio/amr", true, "", []string{"audio/amr-nb"}, []string{".amr"}},
	{"audio/mp4", true, isoMedia, []string{"audio/x-m4a", "audio/m4a", "audio/x-mp4a"}, []string{".m4a"}},
	{"audio/3gpp", true, isoMedia, nil, nil},
	{"audio/3gpp2", true, isoMedia, nil, nil},
	{"audio/ogg", true, ogg, nil, []string{".oga", ".ogg"}},
	{"video/ogg", true, ogg, nil, []string{".ogv"}},
	{"video/mpeg", true, "", nil, []string{".mpeg", ".mpg"}},
	{"video/mp4", true, isoMedia, []string{"video/x-m4v"}, []string{".mp4", ".m4v"}},
	{"video/quicktime", true, isoMedia, nil, []string{".mov", ".qt"}},
	{"video/3gpp", true, isoMedia, []string{"video/3gp"}, []string{".3gp", ".3gpp"}},
	{"video/3gpp2", true, isoMedia, []string{"video/3g2"}, []string{".3g2"}},
	{"text/plain", false, text, nil, []string{".txt"}},
	{"text/csv", false, text, []string{"application/csv"}, []string{".csv"}},
	{"text/vcard", false, text, []string{"text/x-vcard", "text/directory"}, []string{".vcf", ".vcard"}},
	{"application/pdf", false, "", []string{"application/x-pdf"}, []string{".pdf"}},
	{"application/vnd.ms-excel", false, "", nil, []string{".xls"}},
	{"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", false, "", nil, []string{".xlsx"}},
}

// wrappers are containers in which a type may hide when the beginning of the file does not show more. They are taken only for that type.
var wrappers = map[string]string{
	"application/zip":           "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
	"application/x-ole-storage": "application/vnd.ms-excel",
	"application/ogg":           "audio/ogg",
}

// active are notations that run in a browser. They are not taken, whatever they are declared to be.
var active = []string{"text/html", "application/xhtml+xml", "image/svg+xml", "text/xml", "application/xml", "text/javascript", "application/javascript", "text/x-php"}

// unsaid are declared types that say nothing.
var unsaid = []string{"", "application/octet-stream", "binary/octet-stream", "application/x-www-form-urlencoded"}

// Taken tells whether files of a media type are taken, by the name that we give it.
func Taken(mediaType string) bool {
	k := kindOf(mediaType)
	return k != nil && k.name == mediaType
}

func kindOf(name string) *kind {
	for i := range kinds {
		if k := &kinds[i]; k.name == name || slices.Contains(k.aliases, name) {
			return k
		}
	}
	return nil
}

// TypeOf gives the type of a file by its first octets, its declared media type and its name. The content decides; what is declared only chooses
// among types that such a beginning can have. It refuses types that are not taken, and files that are not what they are declared to be.
func TypeOf(head []byte, declared, name string) (string, error) {
	found := mimetype.Detect(head)
	seen := bare(found.String())
	for at := found; at != nil; at = at.Parent() {
		if slices.Contains(active, bare(at.String())) {
			return "", gateway.Errorf(gateway.Invalid, "files of type %s are not taken", bare(at.String()))
		}
	}
	said, err := saidType(declared, name)
	if err != nil {
		return "", err
	}
	content := contentKind(found)
	switch {
	case said == nil && content != nil:
		return content.name, nil
	case said != nil && (content == said || content != nil && content.family != "" && content.family == said.family):
		return said.name, nil
	case said != nil && wrappers[seen] != "" && (wrappers[seen] == said.name || said.family == kindOf(wrappers[seen]).family && said.family != ""):
		return said.name, nil
	case said != nil:
		return "", gateway.Errorf(gateway.Invalid, "the file is not what it is said to be: %s was declared, %s was found", said.name, seen)
	}
	return "", gateway.Errorf(gateway.Invalid, "files of type %s are not taken", seen)
}

// contentKind is the kind that a file's beginning shows; nil: none that is taken. Any text is text; a comma makes it no table.
func contentKind(found *mimetype.MIME) *kind {
	if k := kindOf(bare(found.String())); k != nil && k.name != "text/csv" {
		return k
	}
	for at := found; at != nil; at = at.Parent() {
		if bare(at.String()) == "text/plain" {
			return kindOf("text/plain")
		}
	}
	return nil
}

// saidType is the kind that a file is said to be, by its declared type or, where that says nothing, by its name; nil: nothing is said.
func saidType(declared, name string) (*kind, error) {
	base := bare(declared)
	if !slices.Contains(unsaid, base) {
		if k := kindOf(base); k != nil {
			return k, nil
		}
		return nil, gateway.Errorf(gateway.Invalid, "files of type %s are not taken", base)
	}
	extension := strings.ToLower(path.Ext(name))
	for i := range kinds {
		if k := &kinds[i]; slices.Contains(k.extensions, extension) {
			return k, nil
		}
	}
	return nil, nil
}

// maxTypeLength bounds what is repeated of a declared type.
const maxTypeLength = 100

// bare is a media type without its parameters, in lower case; what is none, or is endless, says nothing.
func bare(mediaType string) string {
	base, _, err := mime.ParseMediaType(mediaType)
	if err != nil && base == "" || len(base) > maxTypeLength || !strings.Contains(base, "/") {
		return ""
	}
	return base
}

// shownInline tells whether browsers may show files of the type instead of saving them.
func shownInline(mediaType string) bool {
	k := kindOf(mediaType)
	return k != nil && k.inline
}
