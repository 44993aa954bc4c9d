package gateway

import "time"

// NumberType classes senders by what they may do and how fast.
type NumberType uint8

const (
	LongCode NumberType = iota + 1
	TollFree
	ShortCode
	Alphanumeric
)

var numberTypeNames = [...]string{LongCode: "longcode", TollFree: "tollfree", ShortCode: "shortcode", Alphanumeric: "alphanumeric"}

func (t NumberType) String() string {
	if int(t) < len(numberTypeNames) {
		return numberTypeNames[t]
	}
	return ""
}

// ParseNumberType reads the names longcode, tollfree, shortcode and alphanumeric.
func ParseNumberType(name string) (NumberType, bool) {
	for t := LongCode; t <= Alphanumeric; t++ {
		if numberTypeNames[t] == name {
			return t, true
		}
	}
	return 0, false
}

// Service is what a message is carried as.
type Service uint8

const (
	SMS Service = iota + 1
	MMS
)

func (s Service) String() string {
	switch s {
	case SMS:
		return "sms"
	case MMS:
		return "mms"
	}
	return ""
}

// ParseService reads "sms" and "mms".
func ParseService(name string) (Service, bool) {
	switch name {
	case "sms":
		return SMS, true
	case "mms":
		return MMS, true
	}
	return 0, false
}

// HasMMS tells whether MMS reaches handsets of the country: the United States with their territories, and Canada.
func HasMMS(country string) bool { return isUSCA(Market(country)) }

// ServiceSet is a set of services, one bit each.
type ServiceSet uint8

// Services makes a set.
func Services(services ...Service) ServiceSet {
	var set ServiceSet
	for _, s := range services {
		set |= 1 << s
	}
	return set
}

// Has tells whether the service is in the set.
func (set ServiceSet) Has(s Service) bool { return set&(1<<s) != 0 }

// List gives the members in a fixed order.
func (set ServiceSet) List() []Service {
	var list []Service
	for s := SMS; s <= MMS; s++ {
		if set.Has(s) {
			list = append(list, s)
		}
	}
	return list
}

// Number is a sender that this installation owns: in the inventory while Account is empty, else rented by it.
type Number struct {
	Number   string // digits of E.164 without "+", a short code, or an alphanumeric sender id
	Type     NumberType
	Country  string // ISO 3166-1 alpha-2
	Region   string // state or province, two letters; US and CA only
	AreaCode string // three digits; NANP only
	Services ServiceSet
	Carrier  string  // the carrier that hosts it; empty: by route
	Rate     float64 // units a second; 0 is unlimited; negative is the default of its type
	DailyCap int     // units a day; 0 is unlimited; negative is the default of its type
	Campaign string  // the 10DLC campaign whose rate and cap it shares; empty: none
	Linking  string  // the campaign that it comes into when that is approved; empty: none
	Paused   bool    // by the operator: it sends nothing, and no powerpack takes it

	Account AccountID // who rented it; empty: in the inventory
	Pool    ID        // the pool it is in; zero: in none
	Service Service   // what it was put into the pool for; 0: in none
	AddedAt time.Time // when it came into the pool, or else when it was rented

	Alias       string    // what its account calls it
	Application string    // the application that its account linked it to
	RentedAt    time.Time // a store tells it; what is put was rented at AddedAt
}

// NumberChange is what an account changes about a number that it rents; nil and empty fields change nothing.
type NumberChange struct {
	Alias       *string
	Application *string
	Account     AccountID // who has it from now on; a number that goes to another leaves its pool and its application
}

// Default rates of a sender in units a second, when its owner set none. Source: the throughput table of the API reference
// (unregistered US long code 1, toll-free 25, short code 100; Canadian long code 15 a minute, short code 10).
func defaultRate(t NumberType, country string) float64 {
	switch {
	case t == LongCode && country == "CA":
		return 15.0 / 60
	case t == LongCode:
		return 1
	case t == TollFree:
		return 25
	case t == ShortCode && country == "CA":
		return 10
	case t == ShortCode:
		return 100
	}
	return 0
}

// Limit is the number's rate as it applies: its own, or the default of its type and country.
func (n *Number) Limit() Limit {
	if n.Rate < 0 {
		return Limit{Rate: defaultRate(n.Type, n.Country)}
	}
	return Limit{Rate: n.Rate}
}

// defaultCap is the units a day of a sender whose owner set none. Source: the same table (unregistered US long code 2,000 a day).
const defaultCap = 2000

// Cap is the number's daily cap as it applies, in units; 0 is unlimited. The default is for long codes of the United States that belong to no
// campaign: a registered one has its campaign's.
func (n *Number) Cap() int {
	switch {
	case n.DailyCap >= 0:
		return n.DailyCap
	case n.Type == LongCode && Market(n.Country) == "US" && n.Campaign == "":
		return defaultCap
	}
	return 0
}

// Carries tells whether the number may send such a message at all.
func (n *Number) Carries(req Request) bool {
	class := n.class()
	return n.Number != req.To.Number && class.carries(req.Service, Market(req.To.Country))
}

// class is all that decides what numbers may carry, but that none sends to itself.
type class struct {
	kind     NumberType
	home     string // the market it is at home in, where that matters
	services ServiceSet
}

func (n *Number) class() class {
	c := class{kind: n.Type, services: n.Services}
	switch home := Market(n.Country); {
	case n.Type == ShortCode, n.Type == TollFree, n.Type == LongCode && isUSCA(home):
		c.home = home
	}
	return c
}

// carries tells whether numbers of the class may carry the service to a market.
func (c *class) carries(service Service, to string) bool {
	return c.services.Has(service) && c.reaches(to)
}

func (c *class) reaches(to string) bool {
	switch c.kind {
	case ShortCode:
		return c.home == to
	case TollFree: // US toll-free numbers do not reach Canada; Canadian ones reach both
		return c.home == to || c.home == "CA" && to == "US"
	case LongCode:
		return isUSCA(c.home) || !isUSCA(to)
	}
	return !isUSCA(to) // alphanumeric senders do not exist in the US and Canada
}

func isUSCA(country string) bool { return country == "US" || country == "CA" }

// Market is the country whose carriers' rules hold in a country: the territories of the United States are served by its carriers.
func Market(country string) string {
	switch country {
	case "PR", "VI", "GU", "AS", "MP":
		return "US"
	}
	return country
}

// Spares tells whether the number, which its account has in no pool, can take the place of another one that is in one: of the same type, country and
// area, in the same campaign, and for the same services.
func (n *Number) Spares(old *Number) bool {
	return n.Account == old.Account && n.Pool.IsZero() && !n.Paused && n.Type == old.Type && n.Country == old.Country && n.AreaCode == old.AreaCode &&
		n.Campaign == old.Campaign && n.Services&old.Services == old.Services
}

// near is how local connect sees the number from a destination: BySameArea, BySameRegion, or NoRule when they are not near.
func (n *Number) near(to *Destination) Rule {
	if n.Type != LongCode || !isUSCA(Market(n.Country)) || !isUSCA(Market(to.Country)) {
		return NoRule
	}
	switch {
	case n.AreaCode != "" && n.AreaCode == to.AreaCode:
		return BySameArea
	case n.Region != "" && n.Region == to.Region && n.Country == to.Country:
		return BySameRegion
	}
	return NoRule
}
