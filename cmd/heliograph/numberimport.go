package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"time"
)

type numberImport struct {
	File   string `arg:"" help:"CSV file; -: standard input. Its first line names the columns: number, and any of type, country_iso2, carrier, services, rate, daily_cap, campaign, paused, auth_id."`
	DryRun bool   `help:"Check everything, here and at the server, and import nothing."`
}

// importWithin is how long an import may take, the answer included.
const importWithin = 5 * time.Minute

// Run imports all numbers of the file in one call, which the server does as a whole or not at all.
func (c numberImport) Run(ctx context.Context, std streams, noun *numberCommand) error {
	if _, err := noun.token(); err != nil {
		return err // before anything is read
	}
	file, err := c.read(std)
	if err != nil {
		return err
	}
	if len(file.bad) > 0 {
		return noun.report(std, c.File, file.bad, len(file.bad))
	}
	sent := &progressReader{from: &file.body, total: int64(file.body.Len()), bar: newBar(std.err, "sending")}
	sent.bar.then = ", the server stores"
	defer sent.bar.end()
	q := question{method: http.MethodPost, path: "/numbers", stream: io.NopCloser(sent), length: sent.total, within: importWithin}
	if c.DryRun {
		q.query = url.Values{"dry_run": {"true"}}
	}
	answer, err := noun.call(ctx, q)
	sent.bar.end()
	if err != nil {
		return c.failed(std, noun, file, sent, err)
	}
	return noun.print(std, answer, &struct{}{}, func(p *printer) {
		if c.DryRun {
			p.line("%s: all %d numbers are good. Nothing was imported.", c.name(), len(file.lines))
		} else {
			p.line("%s: %d numbers imported.", c.name(), len(file.lines))
		}
	})
}

func (c *numberImport) name() string {
	if c.File == "-" {
		return "standard input"
	}
	return c.File
}

// read reads and checks the file.
func (c *numberImport) read(std streams) (*numberFile, error) {
	from, total := std.in, int64(0)
	if c.File != "-" {
		opened, err := os.Open(c.File)
		if err != nil {
			return nil, err
		}
		defer opened.Close()
		from = opened
		if info, err := opened.Stat(); err == nil {
			total = info.Size()
		}
	}
	reading := &progressReader{from: from, total: total, bar: newBar(std.err, "checking")}
	defer reading.bar.end()
	file, err := readNumberFile(reading)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.name(), err)
	}
	return file, nil
}

// failed says what is known after a call without success.
func (c *numberImport) failed(std streams, noun *numberCommand, file *numberFile, sent *progressReader, err error) error {
	var refusal *apiRefusal
	switch {
	case errors.As(err, &refusal) && len(refusal.refused) > 0:
		bad := make([]badLine, 0, len(refusal.refused))
		for _, r := range refusal.refused {
			if r.Index >= 0 && r.Index < len(file.lines) {
				bad = append(bad, badLine{int(file.lines[r.Index]), r.Field, r.Error})
			}
		}
		return noun.report(std, c.File, bad, max(refusal.total, len(bad)))
	case !errors.Is(err, errUnreached) || c.DryRun:
		return err
	case sent.left():
		return fmt.Errorf("%w. Not everything was sent, so nothing was imported", err)
	}
	return fmt.Errorf("%w. Either all %d numbers were imported or none; importing the file again does no harm", err, len(file.lines))
}

// report tells every bad line, and that nothing was imported.
func (c *connection) report(std streams, name string, bad []badLine, total int) error {
	if c.JSON {
		document := struct {
			Error    string    `json:"error"`
			BadTotal int       `json:"bad_total"`
			Bad      []badLine `json:"bad"`
		}{"the file has bad lines; nothing was imported", total, bad}
		if err := json.NewEncoder(std.out).Encode(document); err != nil {
			return err
		}
	} else {
		var text bytes.Buffer
		for i := range bad {
			fmt.Fprintln(&text, bad[i].String())
		}
		if total > len(bad) {
			fmt.Fprintf(&text, "… and %d more\n", total-len(bad))
		}
		if _, err := std.err.Write(text.Bytes()); err != nil {
			return err
		}
	}
	if total == 1 {
		return fmt.Errorf("%s: 1 error; nothing was imported", name)
	}
	return fmt.Errorf("%s: %d errors; nothing was imported", name, total)
}
