package gateway

import (
	"slices"
	"strings"
	"time"
)

// Guard is what an operator sets for an account against fraud: the countries that it sends to, and how much it sends there within an hour.
type Guard struct {
	Account    AccountID
	Geo        GeoPermissions
	Thresholds []Threshold // a subaccount without any has those of its main account
	AlertURL   string      // hears of thresholds that were passed; of a subaccount without one, its main account's does
}

// GeoPermissions say which countries an account sends to.
type GeoPermissions struct {
	Others    *bool           // countries that are not named; nil: as the main account, or the installation, has it
	Countries map[string]bool // by ISO 3166-1 alpha-2
}

// decide tells whether a country is allowed; decided is false when these permissions say nothing about it.
func (g *GeoPermissions) decide(country string) (allowed, decided bool) {
	if allowed, named := g.Countries[country]; named {
		return allowed, true
	}
	if g.Others != nil {
		return *g.Others, true
	}
	return false, false
}

// AnyCountry stands for each country that no other threshold of the account names.
const AnyCountry = "*"

// Threshold bounds the messages that an account sends within an hour to a country, or to numbers that begin alike.
type Threshold struct {
	Country string // ISO 3166-1 alpha-2, or AnyCountry; "": Prefix is set
	Prefix  string // of an E.164 number without "+"
	PerHour int
}

// key is what the messages that the threshold bounds are counted under; ok is false when a destination is none of them. Country codes are letters and
// prefixes digits, so keys never meet.
func (t *Threshold) key(all []Threshold, to Destination) (key string, ok bool) {
	switch t.Country {
	case "":
		return t.Prefix, strings.HasPrefix(to.Number, t.Prefix)
	case AnyCountry:
		return to.Country, !slices.ContainsFunc(all, func(other Threshold) bool { return other.Country == to.Country && other.Country != "" })
	}
	return t.Country, t.Country == to.Country
}

// Guards are the guards of all accounts that have one, and who inherits them. The zero value guards nobody.
type Guards struct {
	countries map[string]bool // that accounts send to about which nothing else is said; nil: all
	of        map[AccountID]*Guard
	parents   map[AccountID]AccountID
}

// NewGuards indexes guards; parents are the main accounts of subaccounts. countries are those that accounts send to about which nothing else is said;
// none: all.
func NewGuards(guards []Guard, parents map[AccountID]AccountID, countries []string) *Guards {
	g := &Guards{parents: parents, of: make(map[AccountID]*Guard, len(guards))}
	for i := range guards {
		g.of[guards[i].Account] = &guards[i]
	}
	if len(countries) > 0 {
		g.countries = make(map[string]bool, len(countries))
		for _, country := range countries {
			g.countries[country] = true
		}
	}
	return g
}

// None tells whether nothing is guarded at all.
func (g *Guards) None() bool { return g == nil || len(g.of) == 0 && g.countries == nil }

// Allows tells whether an account sends to a country: the account's own word counts first, then its main account's, then the installation's.
func (g *Guards) Allows(account AccountID, country string) bool {
	if g.None() {
		return true
	}
	for id := account; id != ""; id = g.parents[id] {
		if own := g.of[id]; own != nil {
			if allowed, decided := own.Geo.decide(country); decided {
				return allowed
			}
		}
	}
	return g.countries == nil || g.countries[country]
}

// Thresholds are those of an account: its own, or else its main account's.
func (g *Guards) Thresholds(account AccountID) []Threshold {
	if g.None() {
		return nil
	}
	for id := account; id != ""; id = g.parents[id] {
		if own := g.of[id]; own != nil && len(own.Thresholds) > 0 {
			return own.Thresholds
		}
	}
	return nil
}

// AlertURL is where an account's alerts go; "": nowhere.
func (g *Guards) AlertURL(account AccountID) string {
	for id := account; id != ""; id = g.parents[id] {
		if own := g.of[id]; own != nil && own.AlertURL != "" {
			return own.AlertURL
		}
	}
	return ""
}

// Limited lists the accounts that have thresholds, with those.
func (g *Guards) Limited() map[AccountID][]Threshold {
	limited := map[AccountID][]Threshold{}
	for id := range g.of {
		limited[id] = g.Thresholds(id)
	}
	for id := range g.parents {
		limited[id] = g.Thresholds(id)
	}
	for id, thresholds := range limited {
		if len(thresholds) == 0 {
			delete(limited, id)
		}
	}
	return limited
}

// Breach is a threshold that was passed for the first time in an hour.
type Breach struct {
	Account   AccountID
	Threshold Threshold
	Country   string    // of the message that was one too many
	Until     time.Time // further messages fail until then
	AlertURL  string
}

// HourStart is when the hour began in which thresholds count at a time: hours of UTC.
func HourStart(at time.Time) time.Time { return at.Truncate(time.Hour) }

// HourlyCounts counts the messages of one account within the hour that runs, by what its thresholds are for. The zero value has counted nothing.
type HourlyCounts struct {
	hour   int64 // since 1970
	counts map[string]int
	passed map[string]bool // those of which was told
}

func hourOf(at time.Time) int64 { return at.Unix() / int64(time.Hour/time.Second) }

// turn forgets what was counted in an hour that is over.
func (h *HourlyCounts) turn(at time.Time) {
	if hour := hourOf(at); hour != h.hour || h.counts == nil {
		h.hour, h.counts, h.passed = hour, map[string]int{}, map[string]bool{}
	}
}

// Spend counts a message, unless it is one too many: then it gives the threshold that it would pass, and whether that is the first time within the
// hour. A message that passes none is counted under all that bound it.
func (h *HourlyCounts) Spend(thresholds []Threshold, to Destination, at time.Time) (passed *Threshold, first bool) {
	h.turn(at)
	for i := range thresholds {
		t := &thresholds[i]
		if key, bound := t.key(thresholds, to); bound && h.counts[key] >= t.PerHour {
			first, h.passed[key] = !h.passed[key], true
			return t, first
		}
	}
	h.add(thresholds, to, 1)
	return nil, false
}

// Return takes a message that was counted and not stored back out of the count.
func (h *HourlyCounts) Return(thresholds []Threshold, to Destination, at time.Time) {
	if hourOf(at) == h.hour {
		h.add(thresholds, to, -1)
	}
}

func (h *HourlyCounts) add(thresholds []Threshold, to Destination, n int) {
	for i := range thresholds {
		if key, bound := thresholds[i].key(thresholds, to); bound {
			h.counts[key] = max(0, h.counts[key]+n)
		}
	}
}

// Restore takes up what was counted in the hour before a start, or before thresholds were set: countries and prefixes by their keys.
func (h *HourlyCounts) Restore(counts map[string]int, at time.Time) {
	h.turn(at)
	for key, n := range counts {
		h.counts[key] = max(h.counts[key], n)
	}
}
