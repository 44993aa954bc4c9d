package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/term"
)

// printer writes for people. What it is given is written at the end, in one piece.
type printer struct {
	std   streams
	text  bytes.Buffer
	notes bytes.Buffer // for standard error, after the text
	width int          // of the terminal; 0: no terminal, lines are as long as they are
	now   time.Time    // as the server has it
}

func newPrinter(std streams, now time.Time) *printer {
	p := &printer{std: std, now: now}
	if file, ok := std.out.(*os.File); ok {
		if width, _, err := term.GetSize(int(file.Fd())); err == nil {
			p.width = width
		}
	}
	return p
}

func (p *printer) flush() error {
	if _, err := p.std.out.Write(p.text.Bytes()); err != nil {
		return err
	}
	_, err := p.std.err.Write(p.notes.Bytes())
	return err
}

func (p *printer) line(format string, args ...any) {
	p.text.WriteString(printable(fmt.Sprintf(format, args...)) + "\n")
}

// note tells something beside what was asked for.
func (p *printer) note(format string, args ...any) {
	p.notes.WriteString(printable(fmt.Sprintf(format, args...)) + "\n")
}

// shown notes that there is more than was shown.
func (p *printer) shown(count, total int, what string) {
	if count < total {
		p.note("%d of %d %s; --limit shows more", count, total, what)
	}
}

// gap is between columns.
const gap = "  "

// leastFlexible is how narrow a column that may shrink becomes at most.
const leastFlexible = 8

// table is rows below titles.
type table struct {
	columns []tableColumn
	rows    [][]string
}

type tableColumn struct {
	title    string
	right    bool // numbers are aligned at their end
	flexible bool // it gives way when the terminal is narrow
	width    int
}

// newTable makes a table of its titles: ">" before one aligns its column to the right, "~" lets it shrink.
func newTable(titles ...string) *table {
	t := &table{columns: make([]tableColumn, len(titles))}
	for i, title := range titles {
		c := &t.columns[i]
		c.title, c.right = strings.CutPrefix(title, ">")
		c.title, c.flexible = strings.CutPrefix(c.title, "~")
		c.width = utf8.RuneCountInString(c.title)
	}
	return t
}

func (t *table) row(cells ...string) {
	for i := range cells {
		cells[i] = printable(cells[i])
		if cells[i] == "" {
			cells[i] = "-"
		}
		t.columns[i].width = max(t.columns[i].width, utf8.RuneCountInString(cells[i]))
	}
	t.rows = append(t.rows, cells)
}

// table writes a table, or a sentence when it has no rows.
func (p *printer) table(t *table, none string) {
	if len(t.rows) == 0 {
		p.line("%s", none)
		return
	}
	t.fit(p.width)
	titles := make([]string, len(t.columns))
	for i := range t.columns {
		titles[i] = t.columns[i].title
	}
	t.write(&p.text, titles)
	for _, cells := range t.rows {
		t.write(&p.text, cells)
	}
}

// fit makes columns narrower, the last first, until the table is as wide as the terminal or none can give way any more.
func (t *table) fit(width int) {
	if width == 0 {
		return
	}
	over := -width - len(gap)
	for i := range t.columns {
		over += t.columns[i].width + len(gap)
	}
	for i := len(t.columns) - 1; i >= 0 && over > 0; i-- {
		c := &t.columns[i]
		if room := c.width - max(leastFlexible, utf8.RuneCountInString(c.title)); c.flexible && room > 0 {
			c.width -= min(room, over)
			over -= min(room, over)
		}
	}
}

func (t *table) write(out *bytes.Buffer, cells []string) {
	var line strings.Builder
	for i, cell := range cells {
		c := &t.columns[i]
		if i > 0 {
			line.WriteString(gap)
		}
		length := utf8.RuneCountInString(cell)
		if length > c.width {
			cell, length = string([]rune(cell)[:c.width-1])+"…", c.width
		}
		space := strings.Repeat(" ", c.width-length)
		if c.right {
			line.WriteString(space + cell)
		} else {
			line.WriteString(cell + space)
		}
	}
	out.WriteString(strings.TrimRight(line.String(), " ") + "\n")
}

// fields writes pairs of a name and a value below each other.
func (p *printer) fields(pairs ...string) {
	widest := 0
	for i := 0; i < len(pairs); i += 2 {
		widest = max(widest, len(pairs[i]))
	}
	for i := 0; i < len(pairs); i += 2 {
		value := pairs[i+1]
		if value == "" {
			value = "-"
		}
		p.line("%-*s%s%s", widest, pairs[i], gap, value)
	}
}

// printable takes out what would not be printed but obeyed by a terminal.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, text)
}

// at is a moment, in the time of the machine that the operator sits at.
func (p *printer) at(t *time.Time) string {
	if t == nil || t.IsZero() {
		return "-"
	}
	return t.In(p.std.location()).Format("2006-01-02 15:04:05 MST")
}

// until is how long it takes until a moment.
func (p *printer) until(t *time.Time) string {
	switch {
	case t == nil:
		return "never"
	case t.Sub(p.now) <= time.Second:
		return "now"
	}
	return brief(t.Sub(p.now))
}

// since is how long a moment is ago.
func (p *printer) since(t *time.Time) string {
	if t == nil {
		return "-"
	}
	return brief(max(0, p.now.Sub(*t)))
}

// brief is a duration in its two greatest units.
func brief(d time.Duration) string {
	d = d.Round(time.Second)
	days, hours, minutes, seconds := d/(24*time.Hour), d/time.Hour%24, d/time.Minute%60, d/time.Second%60
	switch {
	case days > 0:
		return fmt.Sprintf("%dd%dh", days, hours)
	case hours > 0:
		return fmt.Sprintf("%dh%dm", hours, minutes)
	case minutes > 0:
		return fmt.Sprintf("%dm%ds", minutes, seconds)
	}
	return fmt.Sprintf("%ds", seconds)
}

// ratePerSecond is a rate, of which 0 stands for none.
func ratePerSecond(rate float64) string {
	if rate == 0 {
		return "unlimited"
	}
	return strconv.FormatFloat(rate, 'f', -1, 64)
}

// perDay is a daily cap, of which 0 stands for none.
func perDay(units int) string {
	if units == 0 {
		return "none"
	}
	return strconv.Itoa(units)
}

// usedOf is how much of a daily cap is used up.
func usedOf(used, most int) string {
	if most == 0 {
		return "no cap"
	}
	return fmt.Sprintf("%d of %d", used, most)
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

// location is the time zone in which times are shown.
func (s streams) location() *time.Location {
	if s.zone == nil {
		return time.Local
	}
	return s.zone
}

// onTerminal tells whether a person looks at what is written.
func onTerminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}
