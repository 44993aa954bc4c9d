package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"time"
)

type optOutImport struct {
	File    string `arg:"" help:"CSV file; -: standard input. Its first line names the columns: number, and any of auth_id, source, note."`
	Account string `help:"Whose messages they do not want, where a line does not say." placeholder:"AUTH-ID"`
	Source  string `help:"Sender or campaign, where a line does not say." placeholder:"NUMBER"`
	Note    string `help:"Kept in the audit trail, where a line says none." placeholder:"TEXT"`
	DryRun  bool   `help:"Check everything and import nothing."`
}

// mostOptOutFile is the longest file that one call of the API takes.
const mostOptOutFile = 32 << 20

// Run sends the file as it is; the server checks every line, and takes all of them or none.
func (c optOutImport) Run(ctx context.Context, std streams, noun *optOutCommand) error {
	if _, err := noun.token(); err != nil {
		return err // before anything is read
	}
	name, content, err := c.read(std)
	if err != nil {
		return err
	}
	sent := &progressReader{from: bytes.NewReader(content), total: int64(len(content)), bar: newBar(std.err, "sending")}
	sent.bar.then = ", the server stores"
	defer sent.bar.end()
	query := url.Values{}
	for parameter, value := range map[string]string{"auth_id": c.Account, "source": c.Source, "note": c.Note} {
		setIf(query, parameter, value)
	}
	if c.DryRun {
		query.Set("dry_run", "true")
	}
	answer, err := noun.call(ctx, question{
		method: http.MethodPost, path: "/opt-outs/import", query: query, stream: io.NopCloser(sent), length: sent.total, kind: "text/csv", within: importWithin,
	})
	sent.bar.end()
	if err != nil {
		return c.failed(std, noun, name, sent, err)
	}
	var result struct {
		OptOuts int `json:"opt_outs"`
		Changed int
	}
	return noun.print(std, answer, &result, func(p *printer) {
		if c.DryRun {
			p.line("%s: all %d lines are good. Nothing was imported.", name, result.OptOuts)
		} else {
			p.line("%s: %d lines imported; %d opt-outs are new.", name, result.OptOuts, result.Changed)
		}
	})
}

// read gives the file whole: it is sent once it is known to be short enough.
func (c *optOutImport) read(std streams) (name string, content []byte, err error) {
	name, from := c.File, std.in
	if c.File == "-" {
		name = "standard input"
	} else {
		opened, err := os.Open(c.File)
		if err != nil {
			return name, nil, err
		}
		defer opened.Close()
		from = opened
	}
	content, err = io.ReadAll(io.LimitReader(from, mostOptOutFile+1))
	if err == nil && len(content) > mostOptOutFile {
		err = fmt.Errorf("%s is larger than %d MiB; split it", name, mostOptOutFile>>20)
	}
	return name, content, err
}

// failed says what is known after a call without success.
func (c *optOutImport) failed(std streams, noun *optOutCommand, name string, sent *progressReader, err error) error {
	var refusal *apiRefusal
	switch {
	case errors.As(err, &refusal) && len(refusal.refused) > 0:
		bad := make([]badLine, len(refusal.refused))
		for i, r := range refusal.refused {
			bad[i] = badLine{r.Line, r.Column, r.Error}
		}
		return noun.report(std, name, bad, max(refusal.total, len(bad)))
	case !errors.Is(err, errUnreached) || c.DryRun:
		return err
	case sent.left():
		return fmt.Errorf("%w. Not everything was sent, so nothing was imported", err)
	}
	return fmt.Errorf("%w. Either all lines were imported or none; importing the file again does no harm", err)
}

type optOutExport struct {
	File string `arg:"" help:"CSV file that is written; -: standard output."`
	optOutChoice
}

// Run writes the file beside its place and moves it there when it is whole.
func (c optOutExport) Run(ctx context.Context, std streams, noun *optOutCommand) error {
	total, err := c.total(ctx, noun)
	if err != nil {
		return err
	}
	q := question{method: http.MethodGet, path: "/opt-outs/export", query: c.query(), within: importWithin}
	if c.File == "-" {
		_, err := c.receive(ctx, std, noun, q, std.out, total)
		return err
	}
	file, err := os.CreateTemp(filepath.Dir(c.File), ".heliograph-export-*")
	if err != nil {
		return err
	}
	lines, err := c.receive(ctx, std, noun, q, file, total)
	if err = errors.Join(err, file.Close()); err == nil {
		err = os.Rename(file.Name(), c.File)
	}
	if err != nil {
		return errors.Join(err, os.Remove(file.Name()))
	}
	if noun.JSON {
		return json.NewEncoder(std.out).Encode(map[string]any{"file": c.File, "opt_outs": lines})
	}
	p := newPrinter(std, time.Now())
	p.line("%s: %d opt-outs written.", c.File, lines)
	return p.flush()
}

// total is how many opt-outs the file will have, about.
func (c *optOutExport) total(ctx context.Context, noun *optOutCommand) (int64, error) {
	answer, err := noun.call(ctx, question{method: http.MethodGet, path: "/opt-outs", query: c.page(1, 0)})
	if err != nil {
		return 0, err
	}
	var page struct{ Total int64 }
	return page.Total, json.Unmarshal(answer.body, &page)
}

// receive copies the file and counts its opt-outs. A file whose end does not come is an error.
func (c *optOutExport) receive(ctx context.Context, std streams, noun *optOutCommand, q question, to io.Writer, total int64) (lines int64, err error) {
	bar := newBar(std.err, "receiving")
	defer bar.end()
	err = noun.fetch(ctx, q, func(body io.Reader) error {
		buffered := bufio.NewReader(body)
		for {
			line, err := buffered.ReadBytes('\n')
			if _, failed := to.Write(line); failed != nil {
				return failed
			}
			if errors.Is(err, io.EOF) {
				return nil
			} else if err != nil {
				return fmt.Errorf("the file is not whole: %w", err)
			}
			lines++
			bar.draw(lines-1, total)
		}
	})
	return max(0, lines-1), err // without the names of the columns
}
