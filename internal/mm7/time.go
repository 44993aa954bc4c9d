package mm7

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// When is a time that is given absolutely or as a span from the submit. The zero value is none. TS 23.140, relativeOrAbsoluteDateType.
type When struct {
	At    time.Time
	After time.Duration // when At is zero; whole seconds
}

// IsZero tells that no time is given.
func (w When) IsZero() bool { return w.At.IsZero() && w.After == 0 }

// String is the form on the wire: xs:dateTime or xs:duration.
func (w When) String() string {
	switch {
	case !w.At.IsZero():
		return formatTime(w.At)
	case w.After != 0:
		return "PT" + strconv.FormatInt(int64(w.After/time.Second), 10) + "S"
	}
	return ""
}

func formatTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// parseTime reads the dates that are met: xs:dateTime with and without a zone (then UTC), the basic form, a zone without its colon.
func parseTime(s string) (time.Time, bool) {
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05.999999999", "2006-01-02T15:04:05Z0700", "20060102T150405Z0700", "2006-01-02 15:04:05"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC(), true
		}
	}
	return time.Time{}, false
}

func parseWhen(s string) (When, bool) {
	if strings.HasPrefix(s, "P") {
		after, ok := parseDuration(s)
		return When{After: after}, ok
	}
	at, ok := parseTime(s)
	return When{At: at}, ok
}

// Lengths of xs:duration's units that have no fixed one: as long as such a span is on average.
const (
	day   = 24 * time.Hour
	month = 30 * day
	year  = 365 * day
)

// parseDuration reads xs:duration, as P1DT2H or PT90S. Negative spans and those beyond what time.Duration holds are no expiry of a message.
func parseDuration(s string) (time.Duration, bool) {
	date, clock, hasClock := strings.Cut(strings.TrimPrefix(s, "P"), "T")
	total := 0.0
	ok := addUnits(date, "YMD", []time.Duration{year, month, day}, &total)
	if hasClock {
		ok = ok && clock != "" && addUnits(clock, "HMS", []time.Duration{time.Hour, time.Minute, time.Second}, &total)
	}
	if !ok || date+clock == "" || total > math.MaxInt64/2 {
		return 0, false
	}
	return time.Duration(total).Truncate(time.Second), true
}

// addUnits adds numbers that are followed by one letter of units each, in that order.
func addUnits(s, units string, lengths []time.Duration, total *float64) bool {
	for s != "" {
		end := strings.IndexFunc(s, func(r rune) bool { return (r < '0' || r > '9') && r != '.' })
		if end <= 0 {
			return false
		}
		unit := strings.IndexByte(units, s[end])
		n, err := strconv.ParseFloat(s[:end], 64)
		if unit < 0 || err != nil {
			return false
		}
		*total += n * float64(lengths[unit])
		units, lengths, s = units[unit+1:], lengths[unit+1:], s[end+1:]
	}
	return true
}
