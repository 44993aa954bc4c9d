package main

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/heliograph/heliograph/internal/gateway"
	"github.com/heliograph/heliograph/internal/numbering"
	"github.com/heliograph/heliograph/internal/operator"
)

// Bounds of a file: what one call of the API takes.
const (
	maxFileNumbers = 200_000
	maxFileBytes   = 64 << 20
)

// numberFile is a CSV file of numbers as it was read: every line checked, those that are good as the API takes them.
type numberFile struct {
	body  bytes.Buffer // the call's body, while nothing is bad
	lines []int32      // of the numbers in the body
	bad   []badLine

	comma   rune
	columns []string         // by position
	seen    map[string]int32 // the line of each number
	rows    int              // with something in them, that of the columns included
}

// badLine is what is wrong with a line.
type badLine struct {
	Line   int    `json:"line"`
	Column string `json:"column,omitempty"` // empty: the line as a whole
	Reason string `json:"reason"`
}

func (b *badLine) String() string {
	if b.Column == "" {
		return fmt.Sprintf("line %d: %s", b.Line, b.Reason)
	}
	return fmt.Sprintf("line %d, %s: %s", b.Line, b.Column, b.Reason)
}

// columnReaders read the columns of a file by their names; an empty field is absent.
var columnReaders = map[string]func(f *numberFile, n *numberSettings, text string) error{
	"number":       (*numberFile).readNumber,
	"type":         func(_ *numberFile, n *numberSettings, text string) error { return readType(n, text) },
	"country_iso2": func(_ *numberFile, n *numberSettings, text string) error { return readCountry(n, text) },
	"carrier":      func(_ *numberFile, n *numberSettings, text string) error { n.Carrier = text; return nil },
	"services":     func(_ *numberFile, n *numberSettings, text string) error { return readServices(n, text) },
	"rate":         (*numberFile).readRate,
	"daily_cap":    func(_ *numberFile, n *numberSettings, text string) error { return readDailyCap(n, text) },
	"campaign":     func(_ *numberFile, n *numberSettings, text string) error { n.Campaign = text; return nil },
	"paused":       func(_ *numberFile, n *numberSettings, text string) error { return readPaused(n, text) },
	"auth_id":      func(_ *numberFile, n *numberSettings, text string) error { return readOwner(n, text) },
}

// knownColumns is how a message lists them.
const knownColumns = "number, type, country_iso2, carrier, services, rate, daily_cap, campaign, paused, auth_id"

// readNumberFile reads and checks a whole file. The error is one that made reading impossible; what is wrong in the file is in bad.
func readNumberFile(from io.Reader) (*numberFile, error) {
	bounded := &io.LimitedReader{R: from, N: maxFileBytes + 1}
	buffered := bufio.NewReader(bounded)
	if mark, _ := buffered.Peek(3); bytes.Equal(mark, []byte("\ufeff")) {
		_, _ = buffered.Discard(len(mark))
	}
	f := &numberFile{comma: separator(buffered), seen: map[string]int32{}}
	records := csv.NewReader(buffered)
	records.Comma, records.FieldsPerRecord, records.ReuseRecord = f.comma, -1, true
	f.body.WriteString(`{"numbers":[`)
reading:
	for {
		record, err := records.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		var broken *csv.ParseError
		switch {
		case errors.As(err, &broken):
			if f.wrong(broken.StartLine, "", quoteProblem(broken)); len(f.bad) > maxFileNumbers {
				return f, nil
			}
			continue
		case err != nil:
			return nil, err
		case blank(record):
			continue
		}
		line, _ := records.FieldPos(0)
		if f.rows++; f.rows > maxFileNumbers+1 {
			f.wrong(line, "", fmt.Sprintf("the file has more than %d numbers; split it", maxFileNumbers))
			break reading
		}
		if f.columns == nil {
			f.header(line, record)
			if len(f.bad) > 0 {
				return f, nil
			}
			continue
		}
		f.record(line, record)
	}
	if bounded.N <= 0 {
		return nil, fmt.Errorf("is larger than %d MiB; split it", maxFileBytes>>20)
	}
	f.end()
	return f, nil
}

// end checks the file as a whole.
func (f *numberFile) end() {
	f.body.WriteString("]}")
	switch {
	case f.columns == nil && len(f.bad) == 0:
		f.wrong(1, "", "the file is empty: its first line names the columns, "+knownColumns)
	case len(f.lines) == 0 && len(f.bad) == 0:
		f.wrong(1, "", "the file has no numbers below the names of its columns")
	}
}

// separator is the one that the first line uses.
func separator(r *bufio.Reader) rune {
	head, _ := r.Peek(4096)
	head = bytes.TrimLeft(head, "\r\n")
	if end := bytes.IndexByte(head, '\n'); end >= 0 {
		head = head[:end]
	}
	if bytes.IndexByte(head, ';') >= 0 && bytes.IndexByte(head, ',') < 0 {
		return ';'
	}
	return ','
}

func quoteProblem(err *csv.ParseError) string {
	if errors.Is(err, csv.ErrBareQuote) {
		return `has a quotation mark within a field that is not quoted`
	}
	return `has a quoted field that does not end as it should`
}

// blank tells whether a line has nothing in it.
func blank(record []string) bool {
	return !slices.ContainsFunc(record, func(field string) bool { return strings.TrimSpace(field) != "" })
}

func (f *numberFile) wrong(line int, column, reason string) {
	f.bad = append(f.bad, badLine{line, column, reason})
}

// header reads the names of the columns.
func (f *numberFile) header(line int, record []string) {
	f.columns = make([]string, len(record))
	for i, field := range record {
		name := strings.ToLower(strings.TrimSpace(field))
		switch _, known := columnReaders[name]; {
		case !known:
			f.wrong(line, "", fmt.Sprintf("there is no column %q; the first line names columns, known are %s", shown(field), knownColumns))
		case slices.Contains(f.columns, name):
			f.wrong(line, "", fmt.Sprintf("the column %s is there twice", name))
		}
		f.columns[i] = name
	}
	if len(f.bad) == 0 && !slices.Contains(f.columns, "number") {
		f.wrong(line, "", "there is no column number")
	}
}

// record reads one number.
func (f *numberFile) record(line int, record []string) {
	if len(record) != len(f.columns) {
		f.wrong(line, "", fmt.Sprintf("has %d fields, the first line names %d columns", len(record), len(f.columns)))
		return
	}
	var n numberSettings
	before := len(f.bad)
	for i, column := range f.columns {
		text := strings.TrimSpace(record[i])
		if !utf8.ValidString(text) {
			f.wrong(line, column, "is not UTF-8; save the file as CSV in UTF-8")
			continue
		}
		if text == "" {
			if column == "number" {
				f.wrong(line, column, "is missing")
			}
			continue
		}
		if err := columnReaders[column](f, &n, text); err != nil {
			f.wrong(line, column, err.Error())
		}
	}
	if n.Type == "" && misspelt(n.Number) {
		f.wrong(line, "number", fmt.Sprintf("%q has letters among its digits; if it is an alphanumeric sender, say so in a column type", shown(n.Number)))
	}
	if column, reason := misfit(&n); column != "" && len(f.bad) == before {
		f.wrong(line, column, reason)
	}
	if n.Campaign != "" && n.AuthID == "" && len(f.bad) == before {
		f.wrong(line, "campaign", "needs an auth_id: a campaign belongs to an account")
	}
	if first, twice := f.seen[n.Number]; n.Number != "" && twice {
		f.wrong(line, "number", fmt.Sprintf("is in line %d already", first))
	} else if n.Number != "" {
		f.seen[n.Number] = int32(line)
	}
	if len(f.bad) > 0 {
		f.body.Reset() // nothing will be sent
		return
	}
	f.add(line, &n)
}

// add puts a number into the call's body.
func (f *numberFile) add(line int, n *numberSettings) {
	if len(f.lines) > 0 {
		f.body.WriteByte(',')
	}
	f.lines = append(f.lines, int32(line))
	encoded, _ := json.Marshal(n) // texts and finite numbers: this does not fail
	f.body.Write(encoded)
}

func (f *numberFile) readNumber(n *numberSettings, text string) error {
	if _, err := strconv.ParseFloat(strings.ReplaceAll(text, ",", "."), 64); err == nil && strings.ContainsAny(text, "eE") {
		return fmt.Errorf("%q has lost digits: a spreadsheet wrote it as a power of ten; format the column as text", text)
	}
	number := numbering.SanitizeSource(text)
	if _, ok := numbering.Source(number); !ok {
		return fmt.Errorf("%q is no number, short code or alphanumeric sender", shown(text))
	}
	n.Number = number
	return nil
}

// misspelt tells whether what would be an alphanumeric sender is more likely a phone number with a slip in it.
func misspelt(number string) bool {
	const many = 7
	digits := 0
	for _, r := range number {
		if r >= '0' && r <= '9' {
			digits++
		}
	}
	return digits >= many && numbering.Type(number) == gateway.Alphanumeric
}

// misfit tells what contradicts the number itself, as the server would.
func misfit(n *numberSettings) (column, reason string) {
	number := gateway.Number{Number: n.Number, Type: numbering.Type(n.Number), Country: n.Country}
	if t, ok := gateway.ParseNumberType(n.Type); ok {
		number.Type = t
	}
	if n.Country == "" {
		number.Country, _, _ = numbering.Place(n.Number)
	}
	for _, name := range n.Services {
		s, _ := gateway.ParseService(name)
		number.Services |= gateway.Services(s)
	}
	return operator.Misfit(&number)
}

func readType(n *numberSettings, text string) error {
	n.Type = strings.ToLower(text)
	if _, ok := gateway.ParseNumberType(n.Type); !ok {
		return fmt.Errorf("%q must be longcode, tollfree, shortcode or alphanumeric", shown(text))
	}
	return nil
}

func readCountry(n *numberSettings, text string) error {
	n.Country = strings.ToUpper(text)
	if len(n.Country) != 2 || strings.ContainsFunc(n.Country, func(r rune) bool { return r < 'A' || r > 'Z' }) {
		return fmt.Errorf("%q must be a country's two letters", shown(text))
	}
	return nil
}

func readServices(n *numberSettings, text string) error {
	for _, name := range strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return strings.ContainsRune(" ,;|/+", r) }) {
		if _, ok := gateway.ParseService(name); !ok {
			return fmt.Errorf("%q may hold sms and mms, as in \"sms mms\"", shown(text))
		}
		n.Services = append(n.Services, name)
	}
	return nil
}

// readRate reads a rate, with a decimal comma where a file is separated by semicolons.
func (f *numberFile) readRate(n *numberSettings, text string) error {
	decimal := text
	if f.comma == ';' {
		decimal = strings.Replace(text, ",", ".", 1)
	}
	rate, err := strconv.ParseFloat(decimal, 64)
	if err != nil || !(rate >= 0) || math.IsInf(rate, 0) {
		return fmt.Errorf("%q must be units per second, 0 for unlimited", shown(text))
	}
	n.Rate = &rate
	return nil
}

func readDailyCap(n *numberSettings, text string) error {
	units, err := strconv.Atoi(text)
	if err != nil || units < 0 {
		return fmt.Errorf("%q must be units per day, 0 for none", shown(text))
	}
	n.DailyCap = &units
	return nil
}

func readPaused(n *numberSettings, text string) error {
	switch strings.ToLower(text) {
	case "true", "yes", "1":
		n.Paused = true
	case "false", "no", "0":
	default:
		return fmt.Errorf("%q must be true or false", shown(text))
	}
	return nil
}

func readOwner(n *numberSettings, text string) error {
	n.AuthID = text
	if !gateway.AccountID(text).Valid() {
		return fmt.Errorf("%q has not the form of an auth id", shown(text))
	}
	return nil
}

// shown is a field as a message repeats it: printable, and not at any length.
func shown(text string) string {
	const most = 40
	text = printable(strings.ToValidUTF8(text, "?"))
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return text
}
