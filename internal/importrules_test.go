package internal

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/heliograph/heliograph/"

// rows orders the packages: one imports only those of lower rows, never of its own. Those of the second row stand alone, so that
// each can be read, tested and replaced by itself. docs/architecture.md shows the same as a map.
var rows = [][]string{
	1: {"gateway"},
	2: {"tpdu", "numbering", "pricing", "smpp", "mm7", "mm4", "egress", "groupcommit", "trouble", "docs"},
	3: {"mt", "mo", "dlr", "media", "mms"},
	4: {"plivo", "operator", "console", "webhook", "esme", "vasp", "relay", "upstream", "loopback", "sqlite", "postgres"},
}

// program is the row of cmd: it wires everything and decides nothing.
const program = 5

// forTests are packages that only tests import.
var forTests = []string{"smpp/smpptest", "mm7/mm7test", "mm4/mm4test", "storetest", "docs/docstest", "e2e"}

// alsoAllowed are imports against the rows, each with its reason.
var alsoAllowed = []struct{ from, to, reason string }{
	{"numbering", "gateway", "it says in the domain's words where a number is at home"},
	{"pricing", "gateway", "it prices the domain's messages and numbers in the domain's money"},
	{"mms", "media", "it makes messages of media's files, and media's files of messages"},
	{"cmd/heliograph", "smpp/smpptest", "its simulator of a carrier is the one that tests use"},
	{"cmd/heliograph", "mm7/mm7test", "likewise, for MMS"},
}

// never lists imports that break a promise, besides those against the rows. A pattern that ends with /... stands for all below it.
var never = []struct {
	from   []string // packages; "*": all
	but    []string // of those, not these
	to     []string
	reason string
}{
	{[]string{"gateway", "tpdu"}, nil, []string{"net", "net/http", "database/sql", "os", "log", "log/slog", "io/fs"}, "the domain and the codec decide, they do no I/O"},
	{[]string{"gateway"}, nil, []string{"math/rand", "math/rand/v2", "crypto/rand"}, "entropy is an argument of the domain, so that tests can play it again"},
	{[]string{"pricing"}, nil, []string{"os", "net/http", "database/sql"}, "it is given the price list, it does not look for it"},
	{[]string{"mt", "mo", "dlr", "groupcommit"}, nil, []string{"net", "net/http", "os", "database/sql"}, "the flow of messages knows no edge: networks, disks and requests are behind its interfaces"},
	{[]string{"smpp", "mm4"}, nil, []string{"net/http"}, "SMPP and MM4 are no web services"},
	{[]string{"smpp", "mm7", "mm4"}, nil, []string{"database/sql", "log"}, "a protocol knows its wire and nothing of accounts, stores or logs of its own"},
	{[]string{"*"}, []string{"sqlite", "postgres", "storetest", "e2e"}, []string{"database/sql", "zombiezen.com/go/sqlite/...", "modernc.org/...", "github.com/jackc/..."}, "SQL stays in the stores"},
	{[]string{"*"}, []string{"egress"}, []string{"code.dny.dev/ssrf"}, "addresses that customers give are dialled in one place only"},
	{[]string{"*"}, []string{"numbering"}, []string{"github.com/nyaruka/phonenumbers"}, "the library is slow: on the way of a message it stays behind numbering's fast path"},
	{[]string{"*"}, []string{"media"}, []string{"github.com/gabriel-vasile/mimetype"}, "what a file really is, is decided in one place"},
	{[]string{"*"}, []string{"cmd/heliograph"}, []string{"github.com/alecthomas/kong", "github.com/goccy/go-yaml/...", "github.com/mattn/go-isatty", "flag"}, "settings reach packages as arguments"},
	{[]string{"*"}, []string{"mm4", "mm4/mm4test"}, []string{"net/smtp", "github.com/emersion/..."}, "mail is spoken in one place only"},
	{[]string{"gateway", "tpdu", "smpp", "mm7", "mm4", "mt", "mo", "dlr", "groupcommit"}, nil, []string{"github.com/prometheus/..."}, "the core counts, edges export"},
	{[]string{"*"}, []string{"cmd/heliograph", "docs/docstest"}, []string{module + "docs"}, "documents are read by people: the program hands them out, and nothing depends on them"},
	{[]string{"*"}, []string{"docs/docstest"}, []string{"github.com/getkin/kin-openapi/..."}, "answers are held against the document in tests only"},
	{[]string{"*"}, nil, []string{"unsafe", "C"}, "one static binary without surprises"},
}

// row is the row of a package, 0 when it has none.
func row(pkg string) int {
	if pkg == "cmd" || strings.HasPrefix(pkg, "cmd/") {
		return program
	}
	for r := range rows {
		if slices.Contains(rows[r], pkg) {
			return r
		}
	}
	return 0
}

// judge says what is wrong with an import, or nothing.
func judge(from, to string, inTest bool) string {
	for _, rule := range never {
		hit := slices.Contains(rule.from, from) || rule.from[0] == "*"
		if hit && !slices.Contains(rule.but, from) && slices.ContainsFunc(rule.to, func(p string) bool { return matches(p, to) }) {
			if !inTest {
				return rule.reason
			}
		}
	}
	own, isOwn := strings.CutPrefix(to, module)
	if !isOwn {
		return ""
	}
	own = strings.TrimPrefix(own, "internal/")
	for _, allowed := range alsoAllowed {
		if allowed.from == from && allowed.to == own {
			return ""
		}
	}
	switch {
	case row(own) == program:
		return "nothing imports the program"
	case own == from: // an external test of the package itself
		return ""
	case slices.Contains(forTests, own):
		if inTest || slices.Contains(forTests, from) {
			return ""
		}
		return "it is for tests only"
	case slices.Contains(forTests, from):
		return ""
	case row(own) == 0:
		return "it has no row in the table above"
	case row(from) == 2:
		return "packages of the second row stand alone"
	case row(own) >= row(from):
		return "a package imports only rows below its own"
	}
	return ""
}

func matches(pattern, pkg string) bool {
	if below, ok := strings.CutSuffix(pattern, "/..."); ok {
		return pkg == below || strings.HasPrefix(pkg, below+"/")
	}
	return pkg == pattern
}

func TestImportRules(t *testing.T) {
	files := 0
	for _, root := range []string{".", "../cmd", "../docs"} {
		if _, err := os.Stat(root); os.IsNotExist(err) {
			continue
		}
		err := filepath.WalkDir(root, func(file string, entry fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case entry.IsDir() && (entry.Name() == "testdata" || entry.Name() == "node_modules"):
				return fs.SkipDir
			case entry.IsDir() || !strings.HasSuffix(file, ".go"):
				return nil
			}
			files++
			checkFile(t, file)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if files < 50 {
		t.Errorf("only %d files were looked at", files)
	}
}

func checkFile(t *testing.T, file string) {
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
	if err != nil {
		t.Error(err)
		return
	}
	from := strings.TrimPrefix(path.Dir(filepath.ToSlash(file)), "../")
	inTest := strings.HasSuffix(file, "_test.go")
	if from == "." && inTest { // what is checked here
		return
	}
	if row(from) == 0 && !slices.Contains(forTests, from) {
		t.Errorf("%s: package %s has no row: give it one in the table above", file, from)
	}
	for _, spec := range parsed.Imports {
		to, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			t.Error(err)
			continue
		}
		if wrong := judge(from, to, inTest); wrong != "" {
			t.Errorf("%s imports %s: %s", file, to, wrong)
		}
	}
}

// The rules themselves, so that a slip in them is seen.
func TestImportRulesBite(t *testing.T) {
	const own = module + "internal/"
	for _, c := range []struct {
		from, to string
		inTest   bool
		ok       bool
	}{
		{"mt", own + "gateway", false, true},
		{"mt", own + "tpdu", false, true},
		{"mt", own + "dlr", false, false},
		{"mt", own + "sqlite", true, false},
		{"mt", "net/http", false, false},
		{"gateway", own + "tpdu", false, false},
		{"gateway", "os", false, false},
		{"gateway", "os", true, true},
		{"tpdu", own + "gateway", false, false},
		{"numbering", own + "gateway", false, true},
		{"numbering", own + "tpdu", false, false},
		{"plivo", own + "mt", false, true},
		{"plivo", own + "webhook", false, false},
		{"plivo", own + "nowhere", false, false},
		{"sqlite", "zombiezen.com/go/sqlite/sqlitex", false, true},
		{"webhook", "zombiezen.com/go/sqlite", false, false},
		{"esme", own + "smpp", false, true},
		{"esme", own + "smpp/smpptest", false, false},
		{"esme", own + "smpp/smpptest", true, true},
		{"mm4", "github.com/emersion/go-smtp", false, true},
		{"vasp", "net/smtp", false, false},
		{"cmd/heliograph", own + "smpp/smpptest", false, true},
		{"cmd/heliograph", own + "mm7/mm7test", false, true},
		{"mm7", "net/http", false, true},
		{"smpp", "net/http", false, false},
		{"cmd/heliograph", own + "storetest", false, false},
		{"cmd/heliograph", own + "sqlite", false, true},
		{"cmd/heliograph", module + "docs", false, true},
		{"plivo", module + "docs", false, false},
		{"plivo", module + "docs/docstest", false, false},
		{"plivo", module + "docs/docstest", true, true},
		{"e2e", module + "cmd/heliograph", true, false},
		{"storetest", own + "mt", false, true},
	} {
		if wrong := judge(c.from, c.to, c.inTest); (wrong == "") != c.ok {
			t.Errorf("%s imports %s (in a test: %v): %q", c.from, c.to, c.inTest, wrong)
		}
	}
}
