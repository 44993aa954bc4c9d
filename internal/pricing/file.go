package pricing

import (
	"cmp"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/heliograph/heliograph/internal/gateway"
)

// columns are those that a file may have, by the names in its first line, in any order.
var columns = []string{"item", "direction", "country", "prefix", "network", "sender", "rate", "fee"}

// needed are those that it must have.
var needed = []string{"item", "country", "rate"}

// Read reads a price list, and gives every error that it finds with the line it is in. known tells which countries there are.
func Read(file io.Reader, known func(country string) bool) (*Table, []error) {
	l := lines{known: known, csv: csv.NewReader(file), table: &Table{prices: map[key]gateway.Price{}}, first: map[key]int{}}
	l.csv.Comment, l.csv.TrimLeadingSpace, l.csv.ReuseRecord = '#', true, true
	if l.readHead() {
		for l.readLine() {
		}
		l.checkRest()
	}
	if len(l.errs) > 0 {
		return nil, l.errs
	}
	l.table.index()
	return l.table, nil
}

// lines reads a file line by line.
type lines struct {
	known func(country string) bool
	csv   *csv.Reader
	table *Table
	place map[string]int // of each column
	first map[key]int    // the line that a price is in
	errs  []error
	at    int // the current line
	bad   bool
}

// wrong notes what is wrong in the current line.
func (l *lines) wrong(format string, args ...any) {
	l.bad = true
	l.errs = append(l.errs, fmt.Errorf("line %d: %w", l.at, fmt.Errorf(format, args...)))
}

// next reads a line; more is false at the end.
func (l *lines) next() (fields []string, more bool) {
	l.bad = false
	fields, err := l.csv.Read()
	var malformed *csv.ParseError
	switch {
	case err == io.EOF:
		return nil, false
	case errors.Is(err, csv.ErrFieldCount):
		l.at, _ = l.csv.FieldPos(0)
		l.wrong("it has %d fields and not %d, as the first line", len(fields), l.csv.FieldsPerRecord)
	case errors.As(err, &malformed):
		l.at = malformed.StartLine
		l.wrong("%w", malformed.Err)
	case err != nil:
		l.errs = append(l.errs, err)
		return nil, false
	default:
		l.at, _ = l.csv.FieldPos(0)
	}
	return fields, true
}

// readHead reads the names of the columns.
func (l *lines) readHead() bool {
	fields, more := l.next()
	if !more {
		if len(l.errs) == 0 {
			l.errs = append(l.errs, errors.New("it is empty: the first line must name the columns, such as item,country,rate"))
		}
		return false
	}
	l.place = map[string]int{}
	for i, name := range fields {
		name = strings.TrimSpace(strings.TrimPrefix(name, "\ufeff")) // spreadsheets write a mark in front of the first
		switch _, twice := l.place[name]; {
		case !slices.Contains(columns, name):
			l.wrong("there is no column %q; known are %s", name, strings.Join(columns, ", "))
		case twice:
			l.wrong("the column %s comes twice", name)
		}
		l.place[name] = i
	}
	for _, name := range needed {
		if _, there := l.place[name]; !there {
			l.wrong("the column %s is missing", name)
		}
	}
	return len(l.errs) == 0
}

// readLine reads one price.
func (l *lines) readLine() (more bool) {
	fields, more := l.next()
	if !more || l.bad {
		return more
	}
	get := func(name string) string {
		if place, there := l.place[name]; there {
			return strings.TrimSpace(fields[place])
		}
		return ""
	}
	of := l.readKey(get)
	price := gateway.Price{Rate: l.readRate("rate", get("rate"))}
	if fee := get("fee"); fee != "" {
		price.Fee = l.readRate("fee", fee)
		if !of.item.isMessage() && !l.bad {
			l.wrong("fee: only messages have carriers' fees")
		}
	}
	if l.bad {
		return true
	}
	if before, twice := l.first[of]; twice {
		l.wrong("line %d gives a price for the same", before)
		return true
	}
	l.first[of] = l.at
	l.table.prices[of] = price
	if of.prefix != "" {
		l.table.networks = append(l.table.networks, network{of, strings.Clone(get("network"))})
	}
	return true
}

// readKey reads what a price is for.
func (l *lines) readKey(get func(string) string) (of key) {
	var ok bool
	if of.item, ok = parseItem(get("item")); !ok {
		l.wrong("item: must be sms, mms, rental or setup")
	}
	switch direction := get("direction"); direction {
	case "", "outbound":
	case "inbound":
		of.inbound = true
	default:
		l.wrong("direction: must be outbound, inbound or empty")
	}
	if get("direction") != "" && !of.item.isMessage() && ok {
		l.wrong("direction: only messages have one")
	}
	switch country := get("country"); {
	case country == "*":
	case l.known(country):
		of.country = strings.Clone(country) // not the whole line
	default:
		l.wrong("country: must be two capital letters of ISO 3166-1, or * for all others")
	}
	of.prefix = l.readPrefix(get, of.country)
	if name := get("sender"); name != "" && name != "*" {
		if of.sender, ok = gateway.ParseNumberType(name); !ok {
			l.wrong("sender: must be longcode, tollfree, shortcode, alphanumeric or empty")
		}
	}
	return of
}

func (l *lines) readPrefix(get func(string) string, country string) string {
	const longest = 14 // digits of a destination
	prefix := get("prefix")
	switch {
	case strings.Trim(prefix, "0123456789") != "" || len(prefix) > longest:
		l.wrong("prefix: must be the first digits of E.164 numbers, without +")
	case prefix != "" && country == "" && get("country") == "*":
		l.wrong("prefix: needs a country")
	case prefix == "" && get("network") != "":
		l.wrong("network: names what numbers with a prefix belong to")
	}
	return strings.Clone(prefix)
}

func (l *lines) readRate(name, text string) gateway.Money {
	rate, ok := gateway.ParseMoney(text)
	if !ok || rate < 0 || rate > gateway.MaxRate {
		l.wrong("%s: must be a decimal from 0 to %s with at most five decimals", name, gateway.MaxRate)
	}
	return rate
}

// checkRest sees to it that no message is free because nobody thought of its destination.
func (l *lines) checkRest() {
	if len(l.errs) > 0 { // the line may be one of those that could not be read
		return
	}
	for _, i := range [...]item{sms, mms} {
		if _, there := l.table.prices[key{item: i}]; !there {
			l.errs = append(l.errs, fmt.Errorf("there is no price for %s to all other countries: a line with the country *, without sender and prefix; its rate may be 0", itemNames[i]))
		}
	}
}

// index notes which prefixes there are.
func (t *Table) index() {
	var lengths [itemCount][2]map[int]struct{}
	for of := range t.prices {
		direction := 0
		if of.inbound {
			direction = 1
		}
		set := &lengths[of.item][direction]
		if *set == nil {
			*set = map[int]struct{}{}
		}
		(*set)[len(of.prefix)] = struct{}{}
	}
	for i := range lengths {
		for direction, set := range lengths[i] {
			t.lengths[i][direction] = slices.SortedFunc(maps.Keys(set), func(a, b int) int { return cmp.Compare(b, a) })
		}
	}
}
