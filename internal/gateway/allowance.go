package gateway

import (
	"math"
	"time"
)

// Calendar says when days begin: daily caps hold from one midnight to the next in its zone; nil is UTC.
type Calendar struct{ Zone *time.Location }

// Day is the day that a time (Unix nanoseconds) lies in, counted in days since 1970-01-01, and when it ends.
func (c Calendar) Day(now int64) (day int, end int64) {
	zone := c.Zone
	if zone == nil {
		zone = time.UTC
	}
	year, month, date := time.Unix(0, now).In(zone).Date()
	day = int(time.Date(year, month, date, 0, 0, 0, 0, time.UTC).Unix() / secondsADay)
	return day, time.Date(year, month, date+1, 0, 0, 0, 0, zone).UnixNano()
}

const (
	secondsADay = 24 * 60 * 60
	day         = secondsADay * second
)

// Never is a time that does not come.
const Never = int64(1<<63 - 1)

// Allowance is a rate and a daily cap, and what of them is used up. Times are Unix nanoseconds.
type Allowance struct {
	Limit  Limit
	Free   int64 // from when on the rate lets something leave
	Cap    int   // units a day; 0 is unlimited
	Used   int   // units of the day: those that left, and those about to
	Aboard int   // of these, those about to leave
	Day    int   // that Used is counted for
	DayEnd int64
	Paused bool // nothing leaves
}

// Limited tells whether it can ever make anything wait.
func (a *Allowance) Limited() bool { return a.Limit.Rate > 0 || a.Cap > 0 || a.Paused }

// Roll begins another day when the one that Used is counted for is over. What is about to leave counts for the new one.
func (a *Allowance) Roll(c Calendar, now int64) {
	if a.Cap > 0 && now >= a.DayEnd {
		a.Used = a.Aboard
		a.Day, a.DayEnd = c.Day(now)
	}
}

// FreeAt is when a message of some units may leave, if nothing is before it: a message leaves whole, so all of its units must fit into what
// is left of the day.
func (a *Allowance) FreeAt(units int) int64 {
	switch {
	case a.Paused || a.Cap > 0 && units > a.Cap:
		return Never
	case a.Cap > 0 && a.Used+units > a.Cap:
		return max(a.Free, a.DayEnd)
	}
	return a.Free
}

// Behind is when a message of some units leaves that waits behind others, queued or just leaving (those have their share of the cap already):
// not before free, and then as long as backlog takes. That is said in two numbers because only the first of them is a time: who has rested since
// sends after the backlog alone.
func (a *Allowance) Behind(queued, leaving, units int) (free, backlog int64) {
	switch over := a.Used + queued + units - a.Cap; {
	case a.Paused || a.Cap > 0 && units > a.Cap:
		return Never, 0
	case a.Cap > 0 && over > 0: // on a later day, behind what goes on that day
		days := (over - 1) / a.Cap // that are full between
		return max(a.Free, a.DayEnd+int64(days)*day), a.Limit.Cost(max(0, over-units-days*a.Cap))
	}
	return a.Free, a.Limit.Cost(queued + leaving)
}

// BehindAt is when such a message leaves, at now or later.
func (a *Allowance) BehindAt(now int64, queued, leaving, units int) int64 {
	free, backlog := a.Behind(queued, leaving, units)
	if free == Never {
		return Never
	}
	return max(free, now) + backlog
}

// Reserve takes units that are about to leave from the day's cap, and tells whether there is one.
func (a *Allowance) Reserve(c Calendar, now int64, units int) bool {
	if a.Cap == 0 {
		return false
	}
	a.Roll(c, now)
	a.Used += units
	a.Aboard += units
	return true
}

// Leave notes that units left at now that were reserved: on a new day they count for that.
func (a *Allowance) Leave(c Calendar, now int64, units int) {
	a.Roll(c, now)
	a.Aboard = max(0, a.Aboard-units)
}

// Return gives reserved units back that did not leave after all.
func (a *Allowance) Return(units int) { a.Used = max(0, a.Used-units) }

// lateness is how late, in nanoseconds, something may leave that is not lost for good: a process wakes up some tenths of a millisecond after it
// wanted to, and a fast sender would never get its rate. It is never more than one unit takes.
const lateness = int64(2 * time.Millisecond)

// Pay charges the rate for units that left at now. A moment's lateness is made up for with the next; who rested earns nothing.
func (a *Allowance) Pay(now int64, units int) {
	if late := now - a.Free; late > min(lateness, a.Limit.Cost(1)) {
		a.Free = now
	}
	a.Free += a.Limit.Cost(units)
}

// Reset gives another rate and cap. What is owed to the old rate is a number of units: they are paid off at the new one from now on, so that
// a change takes effect at once, in both directions; it is never more than the longest message, so that a clock that was set back silences
// nothing.
func (a *Allowance) Reset(c Calendar, limit Limit, dailyCap int, now int64) {
	if a.Limit.Rate > 0 && a.Free > now {
		owed := float64(a.Free-now) * a.Limit.Rate / second
		a.Free = now + limit.Cost(int(math.Ceil(min(owed, MaxParts))))
	}
	a.Free = min(a.Free, now+limit.Cost(MaxParts))
	a.Limit = limit
	if a.Cap = dailyCap; a.Cap > 0 && a.DayEnd == 0 {
		a.Day, a.DayEnd = c.Day(now)
	}
	a.Roll(c, now)
}
