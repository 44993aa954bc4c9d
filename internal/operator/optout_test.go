package operator

import (
	"encoding/csv"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/heliograph/heliograph/internal/gateway"
)

const person = "14155550123"

// newOptOuts is a fixture with an account and a few opt-outs.
func newOptOuts() *fixture {
	f := newFixture()
	f.accounts = []gateway.Account{{ID: anAccount}}
	return f
}

func optedOut(source, person string, at time.Time) gateway.OptOut {
	return gateway.OptOut{Account: anAccount, Source: source, Person: person, At: at, Origin: gateway.ByKeyword, Word: "STOP"}
}

func TestAddAndRemoveOptOuts(t *testing.T) {
	f := newOptOuts()
	const entries = `{"opt_outs":[{"auth_id":"MAXXXXXXXXXXXXXXXXXX","source":"+1 (415) 555-0100","number":"+1 415-555-0123","note":"ticket 1"},` +
		`{"auth_id":"MAXXXXXXXXXXXXXXXXXX","source":"C-1_a","number":"14155550124"}]}`
	status, fields := f.call(t, "POST", "/admin/v1/opt-outs", entries, bearer)
	if diff := gocmp.Diff(map[string]any{"message": "opted out", "opt_outs": 2.0, "changed": 2.0}, fields); status != http.StatusOK || diff != "" {
		t.Fatalf("%d (-want +got):\n%s", status, diff)
	}
	want := []gateway.OptOutChange{
		{OptOut: gateway.OptOut{Account: anAccount, Source: "14155550100", Person: person, At: noon, Origin: gateway.ByOperator}, Note: "ticket 1"},
		{OptOut: gateway.OptOut{Account: anAccount, Source: "C-1_a", Person: "14155550124", At: noon, Origin: gateway.ByOperator}},
	}
	if diff := gocmp.Diff(want, f.optOuts.heard); diff != "" {
		t.Errorf("heard (-want +got):\n%s", diff)
	}
	if _, fields = f.call(t, "POST", "/admin/v1/opt-outs", entries, bearer); fields["changed"] != 0.0 || len(f.optOuts.heard) != 2 {
		t.Errorf("again: %v, heard of %d", fields, len(f.optOuts.heard))
	}

	path := "/admin/v1/opt-outs?auth_id=" + string(anAccount) + "&source=1-415-555-0100&number=%2B14155550123&note=asked"
	if status, fields = f.call(t, "DELETE", path, "", bearer); status != http.StatusOK || fields["message"] != "opted in" || len(f.optOuts.list) != 1 {
		t.Errorf("delete: %d %v, left %d", status, fields, len(f.optOuts.list))
	}
	if last := f.optOuts.heard[len(f.optOuts.heard)-1]; !last.In || last.Note != "asked" || last.Person != person {
		t.Errorf("heard %+v", last)
	}
	if status, _ = f.call(t, "DELETE", path, "", bearer); status != http.StatusNotFound || len(f.optOuts.heard) != 3 {
		t.Errorf("deleted again: %d, heard of %d", status, len(f.optOuts.heard))
	}
	if log := f.log.String(); strings.Contains(log, person) || !strings.Contains(log, "opt-outs changed") {
		t.Errorf("the log says %s", log)
	}
}

// TestOptOutsRefused: a call that is refused names every entry that is wrong, and changes nothing.
func TestOptOutsRefused(t *testing.T) {
	f := newOptOuts()
	const good = `{"auth_id":"MAXXXXXXXXXXXXXXXXXX","source":"14155550100","number":"14155550123"}`
	for body, fields := range map[string]string{
		`{"opt_outs":[` + good + `,{"auth_id":"x","source":"14155550100","number":"14155550123"}]}`:                                     "1 auth_id",
		`{"opt_outs":[{"auth_id":"MAXXXXXXXXXXXXXXXXXX","source":"a b","number":"14155550123"},` + good + `]}`:                          "0 source",
		`{"opt_outs":[{"auth_id":"MAXXXXXXXXXXXXXXXXXX","source":"1","number":"12"},` + good + `]}`:                                     "0 number",
		`{"opt_outs":[{"auth_id":"MAYYYYYYYYYYYYYYYYYY","source":"14155550100","number":"14155550123"}]}`:                               "0 auth_id",
		`{"opt_outs":[{"auth_id":"MAXXXXXXXXXXXXXXXXXX","source":"14155550100","number":"14155550123","note":"a\u0000"},` + good + `]}`: "0 note",
		`{"opt_outs":[]}`: "", `{"opt_out":[]}`: "", ``: "",
	} {
		status, answer := f.call(t, "POST", "/admin/v1/opt-outs", body, bearer)
		got := ""
		if list, ok := answer["refused"].([]any); ok {
			entry := list[0].(map[string]any)
			got = fmt.Sprint(entry["index"], " ", entry["field"])
		}
		if status != http.StatusBadRequest || got != fields {
			t.Errorf("%s: %d %v, want %s", body, status, answer, fields)
		}
	}
	for _, query := range []string{"", "auth_id=x&source=1&number=2", "auth_id=MAXXXXXXXXXXXXXXXXXX&source=14155550100", "source=14155550100&number=14155550123", "person=1"} {
		if status, fields := f.call(t, "DELETE", "/admin/v1/opt-outs?"+query, "", bearer); status != http.StatusBadRequest {
			t.Errorf("DELETE %s: %d %v", query, status, fields)
		}
	}
	if len(f.optOuts.list)+len(f.optOuts.heard) > 0 {
		t.Errorf("changed %v", f.optOuts.list)
	}
}

func TestListOptOuts(t *testing.T) {
	f := newOptOuts()
	f.optOuts.list = []gateway.OptOut{
		optedOut("14155550100", person, noon), optedOut("C1", "14155550124", noon.Add(time.Hour)), optedOut("14155550100", "14155550125", noon.Add(2*time.Hour)),
	}
	_, fields := f.call(t, "GET", "/admin/v1/opt-outs?limit=1&number=1-415-555-0123", "", bearer)
	want := map[string]any{"total": 1.0, "opt_outs": []any{map[string]any{
		"auth_id": string(anAccount), "source": "14155550100", "number": person, "opted_out_on": "2026-05-06T12:00:00Z", "origin": "keyword", "keyword": "STOP",
	}}}
	if diff := gocmp.Diff(want, fields); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for query, want := range map[string]string{
		"": "14155550125 14155550124 14155550123", "source=%2B1+415+555+0100": "14155550125 14155550123", "source=C1": "14155550124",
		"auth_id=MAYYYYYYYYYYYYYYYYYY": "", "after=2026-05-06T13:00:00Z": "14155550125 14155550124", "before=2026-05-06T13:00:00Z": "14155550123",
		"limit=1&offset=1": "14155550124",
	} {
		status, fields := f.call(t, "GET", "/admin/v1/opt-outs?"+query, "", bearer)
		var got []string
		for _, o := range fields["opt_outs"].([]any) {
			got = append(got, o.(map[string]any)["number"].(string))
		}
		if status != http.StatusOK || strings.Join(got, " ") != want {
			t.Errorf("%s: %d %v, want %s", query, status, got, want)
		}
	}
	for _, query := range []string{"after=soon", "limit=1001", "auth_id=x", "person=1", "before=1"} {
		for _, path := range []string{"", "/audit", "/export"} {
			if status, _ := f.call(t, "GET", "/admin/v1/opt-outs"+path+"?"+query, "", bearer); status != http.StatusBadRequest {
				t.Errorf("%s?%s: %d", path, query, status)
			}
		}
	}
}

// TestOptOutAudit: every change is there with who made it, and what changed nothing is not.
func TestOptOutAudit(t *testing.T) {
	f := newOptOuts()
	const entry = `{"opt_outs":[{"auth_id":"MAXXXXXXXXXXXXXXXXXX","source":"14155550100","number":"14155550123","note":"by phone"}]}`
	f.call(t, "POST", "/admin/v1/opt-outs", entry, bearer)
	f.call(t, "POST", "/admin/v1/opt-outs", entry, bearer)
	f.call(t, "DELETE", "/admin/v1/opt-outs?auth_id=MAXXXXXXXXXXXXXXXXXX&source=14155550100&number=14155550123", "", bearer)
	message := f.IDs.Next(noon)
	f.optOuts.records[1].Message = message
	_, fields := f.call(t, "GET", "/admin/v1/opt-outs/audit?number=14155550123", "", bearer)
	row := func(id float64, change, message, note string) map[string]any {
		return map[string]any{
			"id": id, "change": change, "auth_id": string(anAccount), "source": "14155550100", "number": person, "changed_on": "2026-05-06T12:00:00Z",
			"origin": "operator", "keyword": "", "message_uuid": message, "note": note,
		}
	}
	want := map[string]any{"total": 2.0, "changes": []any{row(2, "opted in", message.String(), ""), row(1, "opted out", "", "by phone")}}
	if diff := gocmp.Diff(want, fields); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// export gives the lines of an export.
func (f *fixture) export(t *testing.T, query string) (*httptest.ResponseRecorder, [][]string) {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), "GET", "/admin/v1/opt-outs/export?"+query, nil)
	r.Header.Set("Authorization", bearer)
	w := httptest.NewRecorder()
	f.ServeHTTP(w, r)
	checkDocumented(t, r, w)
	rows, err := csv.NewReader(strings.NewReader(w.Body.String())).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return w, rows
}

// TestExport: an export that takes many pages has every opt-out once, those of one time included, and can be imported as it is.
func TestExport(t *testing.T) {
	f := newOptOuts()
	const many = 3*exportPage + 7
	for i := range many {
		at := noon.Add(-time.Hour)
		if i%4 == 3 { // the others came in at one time, by an import
			at = at.Add(time.Duration(i) * time.Microsecond)
		}
		f.optOuts.list = append(f.optOuts.list, optedOut("14155550100", fmt.Sprintf("1415%07d", 5550000+i), at))
	}
	w, rows := f.export(t, "")
	if got := w.Header().Get("Content-Disposition"); got != `attachment; filename="opt-outs.csv"` {
		t.Errorf("Content-Disposition %s", got)
	}
	if strings.Join(rows[0], ",") != "auth_id,source,number,opted_out_on,origin,keyword" {
		t.Errorf("columns %v", rows[0])
	}
	seen := map[string]bool{}
	for _, row := range rows[1:] {
		seen[row[2]] = true
	}
	if len(rows) != many+1 || len(seen) != many {
		t.Fatalf("%d lines, %d numbers of %d", len(rows)-1, len(seen), many)
	}
	if f.optOuts.pages != 4 {
		t.Errorf("%d pages", f.optOuts.pages)
	}
	if row := rows[len(rows)-1]; row[0] != string(anAccount) || row[1] != "14155550100" || row[3] != "2026-05-06T11:00:00Z" || row[4] != "keyword" || row[5] != "STOP" {
		t.Errorf("the last line is %v", row)
	}
	f.optOuts.list = nil
	if status, fields := f.call(t, "POST", "/admin/v1/opt-outs/import", w.Body.String(), bearer); status != http.StatusOK || fields["changed"] != float64(many) {
		t.Errorf("imported again: %d %v", status, fields)
	}
}

// TestExportThatBreaks: a file that cannot be read to its end is cut off, not ended.
func TestExportThatBreaks(t *testing.T) {
	f := newOptOuts()
	for i := range exportPage + 1 {
		f.optOuts.list = append(f.optOuts.list, optedOut("14155550100", fmt.Sprintf("1415%07d", i), noon.Add(-time.Hour)))
	}
	r := httptest.NewRequestWithContext(t.Context(), "GET", "/admin/v1/opt-outs/export", nil)
	r.Header.Set("Authorization", bearer)
	defer func() {
		if reason := recover(); !errors.Is(reason.(error), http.ErrAbortHandler) {
			t.Errorf("%v", reason)
		}
		if !strings.Contains(f.log.String(), "could not be sent to its end") {
			t.Errorf("the log says %s", &f.log)
		}
	}()
	f.ServeHTTP(&failsBehind{httptest.NewRecorder(), f}, r)
	t.Error("it ended")
}

// failsBehind makes the store fail after something was written.
type failsBehind struct {
	*httptest.ResponseRecorder
	fixture *fixture
}

func (w *failsBehind) Write(b []byte) (int, error) {
	w.fixture.fail = errors.New("the disk is gone")
	return w.ResponseRecorder.Write(b)
}

func TestImport(t *testing.T) {
	const path = "/admin/v1/opt-outs/import"
	cases := []struct {
		name, query, body string
		want              []string // source and person of each, and its note
	}{
		{"all columns", "", "auth_id,source,number,note\nMAXXXXXXXXXXXXXXXXXX,14155550100,+1 415 555 0123,by letter\n", []string{"14155550100 14155550123 by letter"}},
		{"what the call says", "?auth_id=MAXXXXXXXXXXXXXXXXXX&source=C1&note=old+list", "number\n14155550123\n14155550124\n", []string{"C1 14155550123 old list", "C1 14155550124 old list"}},
		{"a line's own word wins", "?auth_id=MAXXXXXXXXXXXXXXXXXX&source=C1", "number,source\n14155550123,\n14155550124,C2\n", []string{"C1 14155550123 ", "C2 14155550124 "}},
		{"a spreadsheet's file", "", "\ufeffauth_id;source;number\r\nMAXXXXXXXXXXXXXXXXXX;14155550100;14155550123\r\n", []string{"14155550100 14155550123 "}},
		{"a line twice", "?auth_id=MAXXXXXXXXXXXXXXXXXX&source=C1", "number\n14155550123\n+14155550123\n", []string{"C1 14155550123 "}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			f := newOptOuts()
			dry := "?dry_run=true"
			if c.query != "" {
				dry = c.query + "&dry_run=true"
			}
			status, fields := f.call(t, "POST", path+dry, c.body, bearer)
			if status != http.StatusOK || fields["message"] != "checked, nothing changed" || len(f.optOuts.list) > 0 || len(f.optOuts.heard) > 0 {
				t.Fatalf("dry: %d %v, stored %v", status, fields, f.optOuts.list)
			}
			status, fields = f.call(t, "POST", path+c.query, c.body, bearer)
			var got []string
			for _, heard := range f.optOuts.heard {
				got = append(got, heard.Source+" "+heard.Person+" "+heard.Note)
				if heard.Origin != gateway.ByOperator || !heard.At.Equal(noon) || heard.In || heard.Account != anAccount {
					t.Errorf("heard %+v", heard)
				}
			}
			if diff := gocmp.Diff(c.want, got); status != http.StatusOK || fields["changed"] != float64(len(c.want)) || diff != "" {
				t.Errorf("%d %v (-want +got):\n%s", status, fields, diff)
			}
		})
	}
}

// TestImportRefused: every wrong line is told, and nothing is half imported.
func TestImportRefused(t *testing.T) {
	f := newOptOuts()
	const path = "/admin/v1/opt-outs/import?auth_id=MAXXXXXXXXXXXXXXXXXX&source=14155550100"
	for body, want := range map[string]string{
		"number\n14155550123\n12\n14155550124\nx\n":          "3 number, 5 number",
		"number,auth_id\n14155550123,MAYYYYYYYYYYYYYYYYYY\n": "2 auth_id",
		"number,source\n14155550123,\"a b\"\n":               "2 source",
		"number,note\n14155550123,a,b\n14155550124\n":        "2 <nil>, 3 <nil>",
		"number\n\"14155550123\n":                            "2 <nil>",
		"":                                                   "", "number\n": "", "phone\n14155550123\n": "", "number,number\n1,2\n": "", "source\nC1\n": "",
	} {
		status, fields := f.call(t, "POST", path, body, bearer)
		var got []string
		if list, ok := fields["refused"].([]any); ok {
			for _, entry := range list {
				line := entry.(map[string]any)
				got = append(got, fmt.Sprint(line["line"], " ", line["column"]))
			}
		}
		if status != http.StatusBadRequest || strings.Join(got, ", ") != want {
			t.Errorf("%q: %d %v, want %s", body, status, fields, want)
		}
	}
	many := "number\n" + strings.Repeat("12\n", maxRefused+5)
	if _, fields := f.call(t, "POST", path, many, bearer); len(fields["refused"].([]any)) != maxRefused || fields["refused_total"] != float64(maxRefused+5) {
		t.Errorf("%v of %v", len(fields["refused"].([]any)), fields["refused_total"])
	}
	if status, _ := f.call(t, "POST", "/admin/v1/opt-outs/import", "number\n14155550123\n", bearer); status != http.StatusBadRequest {
		t.Errorf("nobody said whose: %d", status)
	}
	if len(f.optOuts.list)+len(f.optOuts.heard) > 0 {
		t.Errorf("stored %v", f.optOuts.list)
	}
}

// TestOptOutsThatAreNotStored: nobody hears of what the store did not take.
func TestOptOutsThatAreNotStored(t *testing.T) {
	f := newOptOuts()
	f.fail = errors.New("the disk is gone")
	for _, call := range []struct{ method, path, body string }{
		{"GET", "", ""},
		{"GET", "/audit", ""},
		{"GET", "/export", ""},
		{"POST", "", `{"opt_outs":[{"auth_id":"MAXXXXXXXXXXXXXXXXXX","source":"14155550100","number":"14155550123"}]}`},
		{"DELETE", "?auth_id=MAXXXXXXXXXXXXXXXXXX&source=14155550100&number=14155550123", ""},
		{"POST", "/import?auth_id=MAXXXXXXXXXXXXXXXXXX&source=C1", "number\n14155550123\n"},
	} {
		if status, _ := f.call(t, call.method, "/admin/v1/opt-outs"+call.path, call.body, bearer); status != http.StatusInternalServerError {
			t.Errorf("%s %s: %d", call.method, call.path, status)
		}
	}
	if len(f.optOuts.heard) > 0 {
		t.Errorf("heard %v", f.optOuts.heard)
	}
}
