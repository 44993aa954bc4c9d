package smpp

import (
	"errors"
	"fmt"
	"time"
)

// Times are 16 characters: YYMMDDhhmmsstnnp. p is + or - for an absolute time nn quarters of an hour from UTC, or R for one relative to the
// SMSC's now. SMPP 3.4, 7.1.1.

var errTime = errors.New("smpp: not a time of the form YYMMDDhhmmsstnnp")

// AbsoluteTime writes a time, in UTC.
func AbsoluteTime(t time.Time) string {
	t = t.UTC()
	return t.Format("060102150405") + string(rune('0'+t.Nanosecond()/int(time.Second/10))) + "00+"
}

// maxRelative is the most that RelativeTime says: SMSCs cap it themselves at less.
const maxRelative = 99 * 24 * time.Hour

// RelativeTime writes a duration, to the second and rounded up, so that a short one does not become none. Months and years are not used: how
// long they are is each SMSC's own idea. Beyond 99 days it says 99 days, below one second one second.
func RelativeTime(d time.Duration) string {
	seconds := int(min(max(d, time.Second)+time.Second-1, maxRelative) / time.Second)
	days := seconds / 86400
	return fmt.Sprintf("0000%02d%02d%02d%02d000R", days, seconds/3600%24, seconds/60%60, seconds%60)
}

// ParseTime reads a time of either kind; relative ones count from now.
func ParseTime(s string, now time.Time) (time.Time, error) {
	if len(s) != 16 {
		return time.Time{}, errTime
	}
	var n [6]int // years, months, days, hours, minutes, seconds
	for i := range 6 {
		v, ok := twoDigits(s[2*i:])
		if !ok {
			return time.Time{}, errTime
		}
		n[i] = v
	}
	tenths := int(s[12]) - '0'
	quarters, ok := twoDigits(s[13:])
	if !ok || tenths < 0 || tenths > 9 || quarters > 48 {
		return time.Time{}, errTime
	}
	fraction := time.Duration(tenths) * time.Second / 10
	if s[15] == 'R' {
		clock := time.Duration(n[3])*time.Hour + time.Duration(n[4])*time.Minute + time.Duration(n[5])*time.Second
		return now.AddDate(n[0], n[1], n[2]).Add(clock + fraction), nil
	}
	t, err := time.Parse("060102150405", s[:12])
	zone := time.Duration(quarters) * 15 * time.Minute
	switch {
	case err != nil:
		return time.Time{}, errTime
	case s[15] == '+': // local time is ahead of UTC
		return t.Add(fraction - zone), nil
	case s[15] == '-':
		return t.Add(fraction + zone), nil
	}
	return time.Time{}, errTime
}

func twoDigits(s string) (int, bool) {
	a, b := int(s[0])-'0', int(s[1])-'0'
	return 10*a + b, a >= 0 && a <= 9 && b >= 0 && b <= 9
}
