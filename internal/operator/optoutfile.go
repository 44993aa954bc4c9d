package operator

import (
	"bufio"
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
)

const (
	// maxOptOutBody bounds a file, and a call that opts out.
	maxOptOutBody = 32 << 20
	// exportPage is how many opt-outs are read from the store at once, and pageTime how long a page may take to be sent.
	exportPage = 5000
	pageTime   = time.Minute
)

// The columns of files: an export has the first group and no others; an import needs number and passes over what only an export says.
var (
	exportedColumns = [...]string{"auth_id", "source", "number", "opted_out_on", "origin", "keyword"}
	importedColumns = [...]string{"auth_id", "source", "number", "note"}
	passedColumns   = [...]string{"opted_out_on", "origin", "keyword"}
)

// exportOptOuts gives opt-outs as a CSV file, newest first. It is read and sent by pages: what changes meanwhile is in it, or not.
func (a *API) exportOptOuts(r *http.Request) (int, any, error) {
	query, err := params(r, "auth_id", "source", "number", "after", "before")
	if err != nil {
		return 0, nil, err
	}
	filter, err := optOutFilter(query)
	if err != nil {
		return 0, nil, err
	}
	if now := a.Now().Add(time.Microsecond); filter.Before.IsZero() || filter.Before.After(now) {
		filter.Before = now // what is added from now on moves no page
	}
	first, err := a.exportedPage(r.Context(), &filter)
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, &file{kind: "text/csv; charset=utf-8", name: "opt-outs.csv", send: func(w http.ResponseWriter) error {
		return a.sendOptOuts(r.Context(), w, &filter, first)
	}}, nil
}

// sendOptOuts writes a page, and reads and writes those behind it.
func (a *API) sendOptOuts(ctx context.Context, w http.ResponseWriter, filter *gateway.OptOutFilter, page []gateway.OptOut) error {
	deadlines, out := http.NewResponseController(w), csv.NewWriter(w)
	if err := out.Write(exportedColumns[:]); err != nil {
		return err
	}
	for {
		_ = deadlines.SetWriteDeadline(a.Now().Add(pageTime)) // where there is none, none is needed
		for i := range page {
			o := &page[i]
			if err := out.Write([]string{string(o.Account), o.Source, o.Person, o.At.UTC().Format(time.RFC3339Nano), o.Origin.String(), o.Word}); err != nil {
				return err
			}
		}
		if out.Flush(); out.Error() != nil {
			return out.Error()
		}
		if len(page) < exportPage {
			return nil
		}
		var err error
		if page, err = a.exportedPage(ctx, filter); err != nil {
			return err
		}
	}
}

// exportedPage reads a page and moves the filter behind it: to the time of its last entry, and there behind those of the same time that were read. So no
// page is found by counting all before it, but for lists that came in at one time.
func (a *API) exportedPage(ctx context.Context, filter *gateway.OptOutFilter) ([]gateway.OptOut, error) {
	filter.Limit = exportPage
	page, _, err := a.Store.OptOuts(ctx, *filter)
	if err != nil || len(page) == 0 {
		return nil, err
	}
	last := page[len(page)-1].At
	alike := 0
	for i := len(page) - 1; i >= 0 && page[i].At.Equal(last); i-- {
		alike++
	}
	behind := last.Truncate(time.Microsecond).Add(time.Microsecond)
	if alike == len(page) && behind.Equal(filter.Before) {
		filter.Offset += alike
	} else {
		filter.Before, filter.Offset = behind, alike
	}
	return page, nil
}

// importOptOuts takes a CSV file of opt-outs: all lines or none. With dry_run it only checks whether it would.
func (a *API) importOptOuts(r *http.Request) (int, any, error) {
	query, err := params(r, "auth_id", "source", "note", "dry_run")
	if err != nil {
		return 0, nil, err
	}
	dry, err := boolParam(query, "dry_run")
	if err != nil {
		return 0, nil, err
	}
	body, err := readBody(r, maxOptOutBody)
	if err != nil {
		return 0, nil, err
	}
	known, err := a.knownAccounts(r.Context())
	if err != nil {
		return 0, nil, err
	}
	f := optOutFile{
		absent: optOutArgs{AuthID: query.Get("auth_id"), Source: query.Get("source"), Note: query.Get("note")}, known: known, now: a.Now(),
	}
	if err := f.read(body); err != nil {
		return 0, nil, err
	}
	if dry {
		return http.StatusOK, map[string]any{"message": "checked, nothing changed", "opt_outs": len(f.changes), "changed": 0}, nil
	}
	changed, err := a.changeOptOuts(r.Context(), f.changes)
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, map[string]any{"message": "imported", "opt_outs": len(f.changes), "changed": changed}, nil
}

// optOutFile is a file of opt-outs as it is read.
type optOutFile struct {
	absent optOutArgs // what holds where a line says nothing
	known  accountSet
	now    time.Time

	columns []string
	changes []gateway.OptOutChange
	refused refusedLines
}

// read reads and checks the whole file; its error is what is wrong with it.
func (f *optOutFile) read(body []byte) error {
	reader := csv.NewReader(bufio.NewReader(bytes.NewReader(bytes.TrimPrefix(body, []byte("\ufeff")))))
	reader.Comma, reader.FieldsPerRecord, reader.ReuseRecord = commaOf(body), -1, true
	for {
		record, err := reader.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			var broken *csv.ParseError
			if !errors.As(err, &broken) {
				return err
			}
			f.refused.add(broken.StartLine, "", "its quotes are not as CSV has them")
			continue
		}
		line, _ := reader.FieldPos(0)
		if f.columns == nil {
			if err := f.header(record); err != nil {
				return err
			}
			continue
		}
		if len(f.changes)+f.refused.total >= maxOptOuts {
			return gateway.Errorf(gateway.Invalid, "the file has more than %d lines; split it", maxOptOuts)
		}
		f.line(line, record)
	}
	switch {
	case f.refused.total > 0:
		return &f.refused
	case f.columns == nil:
		return gateway.Errorf(gateway.Invalid, "the file is empty; its first line names the columns, of %s", strings.Join(importedColumns[:], ", "))
	case len(f.changes) == 0:
		return gateway.Errorf(gateway.Invalid, "the file has no lines below the names of its columns")
	}
	return nil
}

// commaOf is what stands between the fields: a comma, or a semicolon, which some spreadsheets write.
func commaOf(body []byte) rune {
	first, _, _ := bytes.Cut(body, []byte("\n"))
	if bytes.ContainsRune(first, ';') && !bytes.ContainsRune(first, ',') {
		return ';'
	}
	return ','
}

// header reads the names of the columns.
func (f *optOutFile) header(record []string) error {
	for _, name := range record {
		name = strings.ToLower(strings.TrimSpace(name))
		switch {
		case slices.Contains(f.columns, name):
			return gateway.Errorf(gateway.Invalid, "line 1: the column %q is there twice", name)
		case !slices.Contains(importedColumns[:], name) && !slices.Contains(passedColumns[:], name):
			return gateway.Errorf(gateway.Invalid, "line 1: there is no column %q; known are %s", name, strings.Join(importedColumns[:], ", "))
		}
		f.columns = append(f.columns, name)
	}
	for name, absent := range map[string]string{"auth_id": f.absent.AuthID, "source": f.absent.Source} {
		if absent == "" && !slices.Contains(f.columns, name) {
			return gateway.Errorf(gateway.Invalid, "line 1: the file has no column %s, and the call names none", name)
		}
	}
	if !slices.Contains(f.columns, "number") {
		return gateway.Errorf(gateway.Invalid, "line 1: the file has no column number")
	}
	return nil
}

// line reads and checks one line.
func (f *optOutFile) line(number int, record []string) {
	if len(record) != len(f.columns) {
		f.refused.add(number, "", "it has not as many fields as there are columns")
		return
	}
	args := f.absent
	for i, name := range f.columns {
		value := strings.TrimSpace(record[i])
		if value == "" {
			continue
		}
		switch name {
		case "auth_id":
			args.AuthID = value
		case "source":
			args.Source = value
		case "number":
			args.Number = value
		case "note":
			args.Note = value
		}
	}
	change, err := args.change(f.now)
	if err == nil {
		err = f.known.check(change.Account)
	}
	if err != nil {
		column := ""
		if setting := (*settingError)(nil); errors.As(err, &setting) {
			column = setting.field
		}
		f.refused.add(number, column, err.Error())
		return
	}
	f.changes = append(f.changes, change)
}

// refusedLines are the lines for which a file is refused.
type refusedLines struct {
	list  []refusedLine // the first of them
	total int
}

// refusedLine is one of them.
type refusedLine struct {
	Line   int    `json:"line"` // from 1
	Column string `json:"column,omitempty"`
	Error  string `json:"error"`
}

func (e *refusedLines) Error() string { return "lines of the file are wrong; nothing was imported" }

func (e *refusedLines) add(line int, column, text string) {
	if e.total++; len(e.list) < maxRefused {
		e.list = append(e.list, refusedLine{line, column, text})
	}
}
