package main

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	anOptOutJSON = `"auth_id":"MAXXXXXXXXXXXXXXXXXX","source":"14155550100","number":"14155550123","opted_out_on":"2026-05-06T11:00:00Z",` +
		`"origin":"keyword","keyword":"STOP"`
	aChangeJSON = `"id":7,"change":"opted in","auth_id":"MAXXXXXXXXXXXXXXXXXX","source":"C1","number":"14155550123","changed_on":"2026-05-06T11:00:00Z",` +
		`"origin":"operator","keyword":"","message_uuid":"","note":"by phone"`
)

// TestOptOutCommands: what is asked, and what people are shown.
func TestOptOutCommands(t *testing.T) {
	for _, c := range []struct{ name, args, asked, answer, body, out, note string }{
		{
			name: "list", args: "opt-out list --account MAXXXXXXXXXXXXXXXXXX --source 14155550100 --number 14155550123 --after 2026-05-01 --before 2026-06-01 --limit 1",
			asked:  "GET /admin/v1/opt-outs?after=2026-05-01&auth_id=MAXXXXXXXXXXXXXXXXXX&before=2026-06-01&limit=1&number=14155550123&source=14155550100",
			answer: `{"opt_outs":[{` + anOptOutJSON + `}],"total":2}`,
			out: `
NUMBER       SOURCE       ACCOUNT               OPTED OUT                 BY       KEYWORD
14155550123  14155550100  MAXXXXXXXXXXXXXXXXXX  2026-05-06 13:00:00 CEST  keyword  STOP
`,
			note: "1 of 2 opt-outs; --limit shows more\n",
		},
		{name: "none", args: "opt-out list", asked: "GET /admin/v1/opt-outs?limit=100", answer: `{"opt_outs":[],"total":0}`, out: "\nNobody has opted out.\n"},
		{
			name: "audit", args: "opt-out audit --number 14155550123", asked: "GET /admin/v1/opt-outs/audit?limit=100&number=14155550123",
			answer: `{"changes":[{` + aChangeJSON + `}],"total":1}`,
			out: `
WHEN                      CHANGE    NUMBER       SOURCE  ACCOUNT               BY        KEYWORD  MESSAGE  NOTE
2026-05-06 13:00:00 CEST  opted in  14155550123  C1      MAXXXXXXXXXXXXXXXXXX  operator  -        -        by phone
`,
		},
		{
			name: "add", args: "opt-out add MAXXXXXXXXXXXXXXXXXX 14155550100 14155550123 14155550124 --note letter", asked: "POST /admin/v1/opt-outs",
			answer: `{"message":"opted out","opt_outs":2,"changed":1}`, out: "\n2 persons have opted out of 14155550100, 1 of them before.\n",
			body: `{"opt_outs":[{"auth_id":"MAXXXXXXXXXXXXXXXXXX","note":"letter","number":"14155550123","source":"14155550100"},` +
				`{"auth_id":"MAXXXXXXXXXXXXXXXXXX","note":"letter","number":"14155550124","source":"14155550100"}]}`,
		},
		{
			name: "remove", args: "opt-out remove MAXXXXXXXXXXXXXXXXXX C1 14155550123 --note phone",
			asked:  "DELETE /admin/v1/opt-outs?auth_id=MAXXXXXXXXXXXXXXXXXX&note=phone&number=14155550123&source=C1",
			answer: `{"message":"opted in"}`, out: "\nThe person has opted in to C1 again.\n",
		},
		{
			name: "as JSON", args: "opt-out list --json", asked: "GET /admin/v1/opt-outs?limit=100", answer: `{"opt_outs":[{` + anOptOutJSON + `}],"total":1}`,
			out: "\n" + `{"opt_outs":[{` + anOptOutJSON + `}],"total":1}` + "\n",
		},
		{
			name: "receive", args: "message receive 14155550123 14155550100 hello", asked: "POST /admin/v1/loopback/inbound", answer: `{"message_uuid":"` + testUUID + `"}`,
			body: `{"carrier":"","from":"14155550123","text":"hello","to":"14155550100"}`, out: "\n14155550100 has received message " + testUUID + ".\n",
		},
		{
			name: "receive MMS", args: "message receive 14155550123 14155550100 --media " + testUUID + " --carrier loop", asked: "POST /admin/v1/loopback/inbound",
			answer: `{"message_uuid":"` + testUUID + `"}`, out: "\n14155550100 has received message " + testUUID + ".\n",
			body: `{"carrier":"loop","from":"14155550123","media_ids":["` + testUUID + `"],"text":"","to":"14155550100","type":"mms"}`,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFakeOperator(t)
			f.answers[c.asked] = c.answer
			status, out, note := command(t, "", strings.Fields(c.args)...)
			if status != 0 || "\n"+out != c.out || note != c.note {
				t.Errorf("status %d\n%s%s(-want +got):\n%s", status, out, note, cmp.Diff(c.out, "\n"+out))
			}
			if diff := cmp.Diff([]string{c.asked}, f.asked); diff != "" || f.bodies[0] != c.body {
				t.Errorf("sent %s (-want +got):\n%s", f.bodies, diff)
			}
		})
	}
	for want, counts := range map[string][2]int{
		"The person has opted out of C1.": {1, 1}, "The person had opted out of C1 before.": {1, 0}, "3 persons have opted out of C1.": {3, 3},
	} {
		if got := optedOutOf(counts[0], counts[1], "C1"); got != want {
			t.Errorf("%v: %s", counts, got)
		}
	}
}

func TestImportOptOuts(t *testing.T) {
	f := newFakeOperator(t)
	file := filepath.Join(t.TempDir(), "list.csv")
	const content = "number\n14155550123\n12\n"
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	const asked = "POST /admin/v1/opt-outs/import?auth_id=MAXXXXXXXXXXXXXXXXXX&note=old&source=C1"
	args := []string{"opt-out", "import", file, "--account", testAccount, "--source", "C1", "--note", "old"}
	f.answers[asked] = `{"message":"imported","opt_outs":2,"changed":1}`
	if status, out, _ := command(t, "", args...); status != 0 || out != file+": 2 lines imported; 1 opt-outs are new.\n" || f.bodies[0] != content {
		t.Errorf("%d %q, sent %q", status, out, f.bodies)
	}
	f.answers["POST /admin/v1/opt-outs/import?dry_run=true"] = `{"message":"checked, nothing changed","opt_outs":2,"changed":0}`
	status, out, _ := command(t, content, "opt-out", "import", "-", "--dry-run")
	if status != 0 || out != "standard input: all 2 lines are good. Nothing was imported.\n" {
		t.Errorf("dry: %d %q", status, out)
	}
	f.status = http.StatusBadRequest
	f.answers[asked] = `{"error":"lines of the file are wrong; nothing was imported","refused":[{"line":3,"column":"number","error":"no number"},{"line":4,"error":"short"}],"refused_total":5}`
	want := "line 3, number: no number\nline 4: short\n… and 3 more\nheliograph: " + file + ": 5 errors; nothing was imported\n"
	if status, _, errs := command(t, "", args...); status != 1 || errs != want {
		t.Errorf("refused: %d %q, want %q", status, errs, want)
	}
	if status, _, errs := command(t, "", "opt-out", "import", file+".no"); status != 1 || !strings.Contains(errs, "no such file") {
		t.Errorf("no file: %d %q", status, errs)
	}
	f.Close()
	if status, _, errs := command(t, "", args...); status != 1 || !strings.Contains(errs, "no answer") {
		t.Errorf("no server: %d %q", status, errs)
	}
}

func TestExportOptOuts(t *testing.T) {
	f := newFakeOperator(t)
	const content = "auth_id,source,number\nMAXXXXXXXXXXXXXXXXXX,C1,14155550123\nMAXXXXXXXXXXXXXXXXXX,C1,14155550124"
	f.answers["GET /admin/v1/opt-outs?limit=1&source=C1"] = `{"opt_outs":[],"total":2}`
	f.answers["GET /admin/v1/opt-outs/export?source=C1"] = content
	file := filepath.Join(t.TempDir(), "list.csv")
	status, out, _ := command(t, "", "opt-out", "export", file, "--source", "C1")
	if text, err := os.ReadFile(file); status != 0 || err != nil || string(text) != content+"\n" || out != file+": 2 opt-outs written.\n" {
		t.Errorf("%d %q, written %q, %v", status, out, text, err)
	}
	if status, out, _ = command(t, "", "opt-out", "export", "-", "--source", "C1"); status != 0 || out != content+"\n" {
		t.Errorf("%d %q", status, out)
	}
	if status, out, _ = command(t, "", "opt-out", "export", file, "--source", "C1", "--json"); status != 0 || out != `{"file":"`+file+`","opt_outs":2}`+"\n" {
		t.Errorf("%d %q", status, out)
	}
	delete(f.answers, "GET /admin/v1/opt-outs/export?source=C1")
	missing := filepath.Join(filepath.Dir(file), "other.csv")
	if status, _, errs := command(t, "", "opt-out", "export", missing, "--source", "C1"); status != 1 || !strings.Contains(errs, "not found") {
		t.Errorf("refused: %d %q", status, errs)
	}
	if left, err := filepath.Glob(filepath.Join(filepath.Dir(file), "*")); err != nil || len(left) != 1 {
		t.Errorf("left %v, %v", left, err)
	}
}

// TestExportThatIsCut: a file whose end does not come leaves nothing that could be taken for it.
func TestExportThatIsCut(t *testing.T) {
	server := http.NewServeMux()
	server.HandleFunc("GET /admin/v1/opt-outs", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{"opt_outs":[],"total":9}`)) })
	server.HandleFunc("GET /admin/v1/opt-outs/export", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte("auth_id,source,number\nMAXXXXXXXXXXXXXXXXXX,C1,14155550123\n"))
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	})
	f := newFakeOperator(t)
	f.Config.Handler = server
	file := filepath.Join(t.TempDir(), "list.csv")
	status, _, errs := command(t, "", "opt-out", "export", file)
	if left, err := filepath.Glob(filepath.Join(filepath.Dir(file), "*")); status != 1 || !strings.Contains(errs, "not whole") || err != nil || len(left) != 0 {
		t.Errorf("%d %q, left %v, %v", status, errs, left, err)
	}
}
