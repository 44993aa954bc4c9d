package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// TestNumberFile: what files may look like, and what is sent of them.
func TestNumberFile(t *testing.T) {
	const plain = `{"numbers":[{"number":"14155550100","carrier":"main","services":["sms","mms"],"rate":0.5,"auth_id":"MAXXXXXXXXXXXXXXXXXX"},{"number":"555444"}]}`
	for name, c := range map[string]struct {
		text, body string
		lines      []int32
	}{
		"commas":                     {"number,carrier,services,rate,auth_id\n14155550100,main,\"sms,mms\",0.5,MAXXXXXXXXXXXXXXXXXX\n555444,,,,\n", plain, []int32{2, 3}},
		"a mark, CRLF, no last end":  {"\ufeffnumber,carrier,services,rate,auth_id\r\n14155550100,main,sms mms,0.5,MAXXXXXXXXXXXXXXXXXX\r\n555444,,,,", plain, []int32{2, 3}},
		"semicolons, decimal commas": {"number;carrier;services;rate;auth_id\n14155550100;main;sms,mms;0,5;MAXXXXXXXXXXXXXXXXXX\n555444;;;;\n", plain, []int32{2, 3}},
		"blank lines, other names": {
			"\n\n Number , CARRIER,services,rate,auth_id\n\n+1 (415) 555-0100, main ,sms|MMS,.5,MAXXXXXXXXXXXXXXXXXX\n   \n,,,,\n\"555444\",,,,\n\n", plain, []int32{5, 8},
		},
		"every column": {
			"paused,campaign,auth_id,daily_cap,rate,services,carrier,country_iso2,type,number\nYes,C1,MAXXXXXXXXXXXXXXXXXX,0,0,mms,\"a, \"\"b\"\"\",us,LongCode,14155550100\nfalse,,,,,,,gb,,HELIO\n",
			`{"numbers":[{"number":"14155550100","type":"longcode","country_iso2":"US","carrier":"a, \"b\"","services":["mms"],"rate":0,"daily_cap":0,"campaign":"C1","paused":true,"auth_id":"MAXXXXXXXXXXXXXXXXXX"},` +
				`{"number":"HELIO","country_iso2":"GB"}]}`,
			[]int32{2, 3},
		},
		"a field over two lines": {"number,carrier\n14155550100,\"main\n\"\n555444,\n", `{"numbers":[{"number":"14155550100","carrier":"main"},{"number":"555444"}]}`, []int32{2, 4}},
	} {
		f, err := readNumberFile(strings.NewReader(c.text))
		if err != nil || len(f.bad) > 0 {
			t.Errorf("%s: %v, %+v", name, err, f)
			continue
		}
		if diff := cmp.Diff(c.body, f.body.String()) + cmp.Diff(c.lines, f.lines); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// TestBadNumberFiles: every bad line is named, with its column and what is wrong, however the file goes on.
func TestBadNumberFiles(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"empty": {"", "line 1: the file is empty: its first line names the columns, number, type, country_iso2, carrier, services, rate, daily_cap, campaign, paused, auth_id"},
		"against the digits": {
			"number,type,country_iso2,services\n18005550100,longcode,,\n14155550100,,ZZ,\n14155550101,,CA,\n4155550102,shortcode,US,\nHELIO,longcode,,\nHELIA,,,mms\n5555,,DE,\n",
			"line 2, type: 18005550100 has a toll-free area code: it is no longcode\n" +
				"line 3, country_iso2: country_iso2 of 14155550100: there is no country \"ZZ\"\n" +
				"line 4, country_iso2: 14155550101 has an area code of US, not of CA\n" +
				"line 5, type: 4155550102 has 10 digits: a shortcode has at most 8\n" +
				"line 6, type: HELIO has letters: it is an alphanumeric sender and no longcode\n" +
				"line 7, services: services of HELIA: an alphanumeric sender carries sms and no mms",
		},
		"only a header": {"number\r\n\r\n", "line 1: the file has no numbers below the names of its columns"},
		"no number":     {"rate,carrier\n1,main\n", "line 1: there is no column number"},
		"no header": {"\n14155550100,main\n", `line 2: there is no column "14155550100"; the first line names columns, known are ` + knownColumns + `
line 2: there is no column "main"; the first line names columns, known are ` + knownColumns},
		"a column twice": {"number,rate,Rate\n1,1,1\n", "line 1: the column rate is there twice"},
		"fields": {"number,type,country_iso2,services,rate,daily_cap,paused,auth_id\n12@,pager,USA,fax,-1,1.5,perhaps,me\n" +
			",,,,NaN,,,\n14155550100,,,,Inf,-1,,\n14155550101\n14155550102,,,,,,,,\n\"1.41556E+10\",,,,,,,\n14155550103,,U1,\xff,,,,\n", `
line 2, number: "12@" is no number, short code or alphanumeric sender
line 2, type: "pager" must be longcode, tollfree, shortcode or alphanumeric
line 2, country_iso2: "USA" must be a country's two letters
line 2, services: "fax" may hold sms and mms, as in "sms mms"
line 2, rate: "-1" must be units per second, 0 for unlimited
line 2, daily_cap: "1.5" must be units per day, 0 for none
line 2, paused: "perhaps" must be true or false
line 2, auth_id: "me" has not the form of an auth id
line 3, number: is missing
line 3, rate: "NaN" must be units per second, 0 for unlimited
line 4, rate: "Inf" must be units per second, 0 for unlimited
line 4, daily_cap: "-1" must be units per day, 0 for none
line 5: has 1 fields, the first line names 8 columns
line 6: has 9 fields, the first line names 8 columns
line 7, number: "1.41556E+10" has lost digits: a spreadsheet wrote it as a power of ten; format the column as text
line 8, country_iso2: "U1" must be a country's two letters
line 8, services: is not UTF-8; save the file as CSV in UTF-8`},
		"there twice":             {"number\n14155550100\n555444\n+1-415-555-0100\n555444\n", "line 4, number: is in line 2 already\nline 5, number: is in line 3 already"},
		"a slip":                  {"number,type\n1415555010O,\n1415555011O,alphanumeric\n", "line 2, number: \"1415555010O\" has letters among its digits; if it is an alphanumeric sender, say so in a column type"},
		"a campaign of nobody":    {"number,campaign\n14155550100,C1\n", "line 2, campaign: needs an auth_id: a campaign belongs to an account"},
		"quotation marks":         {"number,carrier\n141\"55,main\n14155550100,x\n@@,y\n", "line 2: has a quotation mark within a field that is not quoted\nline 4, number: \"@@\" is no number, short code or alphanumeric sender"},
		"a quote that never ends": {"number,carrier\n14155550100,\"main\n555444,x\n", "line 2: has a quoted field that does not end as it should"},
		"controls and length":     {"number\n\x1b[!!" + strings.Repeat("@", 50) + "\n", `line 2, number: "?[!!` + strings.Repeat("@", 36) + `…" is no number, short code or alphanumeric sender`},
	} {
		f, err := readNumberFile(strings.NewReader(c.text))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var got []string
		for i := range f.bad {
			got = append(got, f.bad[i].String())
		}
		if diff := cmp.Diff(strings.TrimPrefix(c.want, "\n"), strings.Join(got, "\n")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// TestNumberFileBounds: a file that is too large is refused, and is not read to its end.
func TestNumberFileBounds(t *testing.T) {
	lines := &repeated{line: "@\n"}
	f, err := readNumberFile(io.MultiReader(strings.NewReader("number\n"), lines))
	if err != nil || len(f.bad) != maxFileNumbers+1 || !strings.Contains(f.bad[maxFileNumbers].String(), "more than 200000 numbers") {
		t.Errorf("%v, %d bad lines", err, len(f.bad))
	}
	if lines.given > 1<<20 {
		t.Errorf("%d bytes were read", lines.given)
	}
	if f, err = readNumberFile(io.MultiReader(strings.NewReader("number\n"), &repeated{line: "4\"4\n"})); err != nil || len(f.bad) > maxFileNumbers+1 {
		t.Errorf("%v, %d bad lines", err, len(f.bad))
	}
	if _, err := readNumberFile(io.MultiReader(strings.NewReader("number\n"), &repeated{line: "\n"})); err == nil || err.Error() != "is larger than 64 MiB; split it" {
		t.Errorf("got %v", err)
	}
	broken := errors.New("the disk is gone")
	if _, err := readNumberFile(io.MultiReader(strings.NewReader("number\n"), errorReader{broken})); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
}

// repeated is a line without end.
type repeated struct {
	line  string
	given int
}

func (r *repeated) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = r.line[(r.given+i)%len(r.line)]
	}
	r.given += len(b)
	return len(b), nil
}

type errorReader struct{ err error }

func (r errorReader) Read([]byte) (int, error) { return 0, r.err }

// TestAnyFileIsJudged: whatever is in a file, either lines are bad, or what is sent holds as many numbers as lines are named.
func TestAnyFileIsJudged(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringOf(rapid.SampledFrom([]rune("number,rate;\"\n\r 14155550100555444AB.-\ufeffé"))).Draw(t, "text")
		f, err := readNumberFile(strings.NewReader("number,rate\n" + text))
		if err != nil {
			t.Fatal(err)
		}
		var body struct{ Numbers []numberSettings }
		if len(f.bad) == 0 && (json.Unmarshal(f.body.Bytes(), &body) != nil || len(body.Numbers) != len(f.lines) || len(f.lines) == 0) {
			t.Fatalf("%d lines, sent %s", len(f.lines), &f.body)
		}
	})
}

// csvFile writes a file of numbers.
func csvFile(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "numbers.csv")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestNumberImport(t *testing.T) {
	f := newFakeOperator(t)
	file := csvFile(t, "number,carrier\n14155550100,main\n\n555444,none\n")
	const put, dry, changed = "POST /admin/v1/numbers", "POST /admin/v1/numbers?dry_run=true", `{"message":"changed","numbers":["14155550100","555444"]}`
	f.answers[put], f.answers[dry] = changed, changed
	check := func(wantStatus int, wantOut, wantErr, in string, args ...string) {
		t.Helper()
		status, out, errs := command(t, in, append([]string{"number", "import"}, args...)...)
		if diff := cmp.Diff(wantOut, out) + cmp.Diff(wantErr, errs); status != wantStatus || diff != "" {
			t.Errorf("%v: status %d (-want +got):\n%s", args, status, diff)
		}
	}
	check(0, file+": 2 numbers imported.\n", "", "", file)
	check(0, file+": all 2 numbers are good. Nothing was imported.\n", "", "", "--dry-run", file)
	check(0, "standard input: 1 numbers imported.\n", "", "number\n555444\n", "-")
	check(0, changed+"\n", "", "", "--json", file)
	if diff := cmp.Diff([]string{put, dry, put, put}, f.asked); diff != "" || f.bodies[0] != f.bodies[1] ||
		f.bodies[0] != `{"numbers":[{"number":"14155550100","carrier":"main"},{"number":"555444","carrier":"none"}]}` {
		t.Errorf("sent %s (-want +got):\n%s", f.bodies[0], diff)
	}

	f.asked = nil
	bad := csvFile(t, "number,rate\n@@,1\n555444,x\n")
	const lines = "line 2, number: \"@@\" is no number, short code or alphanumeric sender\nline 3, rate: \"x\" must be units per second, 0 for unlimited\n"
	check(1, "", lines+"heliograph: "+bad+": 2 errors; nothing was imported\n", "", bad)
	check(1, `{"error":"the file has bad lines; nothing was imported","bad_total":2,"bad":[`+
		`{"line":2,"column":"number","reason":"\"@@\" is no number, short code or alphanumeric sender"},`+
		`{"line":3,"column":"rate","reason":"\"x\" must be units per second, 0 for unlimited"}]}`+"\n", "heliograph: "+bad+": 2 errors; nothing was imported\n", "", bad, "--json")
	if len(f.asked) > 0 {
		t.Errorf("a bad file was sent: %v", f.asked)
	}
	check(1, "", "heliograph: open "+file+".missing: no such file or directory\n", "", file+".missing")

	f.status = http.StatusBadRequest
	refusal := `{"api_id":"1","error":"carrier of 555444: there is no carrier \"none\"","refused":[` +
		`{"index":1,"number":"555444","field":"carrier","error":"carrier of 555444: there is no carrier \"none\""}],"refused_total":`
	f.answers[put], f.answers[dry] = refusal+`1}`, refusal+`3}`
	const line = "line 4, carrier: carrier of 555444: there is no carrier \"none\"\n"
	check(1, "", line+"heliograph: "+file+": 1 error; nothing was imported\n", "", file)
	check(1, "", line+"… and 2 more\nheliograph: "+file+": 3 errors; nothing was imported\n", "", file, "--dry-run")
	f.status, f.answers[put] = http.StatusServiceUnavailable, `{"error":"the change was stored, but does not hold for new messages yet"}`
	check(1, "", "heliograph: the change was stored, but does not hold for new messages yet\n", "", file)
	t.Setenv("HELIOGRAPH_ADMIN_TOKEN", "")
	check(1, "", "heliograph: the operator's token is needed: set HELIOGRAPH_ADMIN_TOKEN, or name a file with --admin-token-file\n", "", file+".missing")
}

// TestImportThatIsCutOff: when there is no answer, what is known of the numbers is told.
func TestImportThatIsCutOff(t *testing.T) {
	var whole atomic.Bool // read everything before the connection goes
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if whole.Load() {
			_, _ = io.Copy(io.Discard, r.Body)
		} else {
			_, _ = io.ReadFull(r.Body, make([]byte, 10))
		}
		panic(http.ErrAbortHandler)
	}))
	defer server.Close()
	t.Setenv("HELIOGRAPH_ADMIN_TOKEN", testToken)
	t.Setenv("HELIOGRAPH_ADMIN_TOKEN_FILE", "")
	var text strings.Builder
	text.WriteString("number,carrier\n")
	for i := range 10_000 { // long lines: more than sockets hold of what nobody reads
		fmt.Fprintf(&text, "1415%07d,%s\n", 2_000_000+i, strings.Repeat("x", 1300))
	}
	file := csvFile(t, text.String())
	for all, want := range map[bool]string{
		false: ". Not everything was sent, so nothing was imported\n",
		true:  ". Either all 10000 numbers were imported or none; importing the file again does no harm\n",
	} {
		whole.Store(all)
		status, out, errs := command(t, "", "number", "import", file, "--url", server.URL)
		if status != 1 || out != "" || !strings.HasPrefix(errs, "heliograph: no answer from "+server.URL+": ") || !strings.HasSuffix(errs, want) {
			t.Errorf("whole %t: %d %q, wrote %q", all, status, errs, out)
		}
	}
	nobody, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := "http://" + nobody.Addr().String()
	if err := nobody.Close(); err != nil {
		t.Fatal(err)
	}
	if status, _, errs := command(t, "", "number", "import", file, "--url", address); status != 1 || !strings.HasSuffix(errs, "so nothing was imported\n") {
		t.Errorf("nobody listens: %d %q", status, errs)
	}
}
