package pricing

import (
	"github.com/heliograph/heliograph/internal/gateway"
)

// item is what a line of the list prices.
type item uint8

const (
	sms item = iota
	mms
	rental // of a number, a month
	setup  // of a number, once

	itemCount
)

var itemNames = [itemCount]string{"sms", "mms", "rental", "setup"}

func parseItem(name string) (item, bool) {
	for i, n := range itemNames {
		if n == name {
			return item(i), true
		}
	}
	return 0, false
}

// isMessage tells whether units of it are sent and received.
func (i item) isMessage() bool { return i == sms || i == mms }

func itemOf(s gateway.Service) item {
	if s == gateway.MMS {
		return mms
	}
	return sms
}

// key is what a line is for: that of a message goes by its destination when it leaves, and by the number of ours when it comes in.
type key struct {
	item    item
	inbound bool
	country string             // ISO 3166-1 alpha-2; empty: any
	sender  gateway.NumberType // 0: any
	prefix  string             // what the number begins with, in digits
}

// Table is a price list. A nil one prices nothing. It may be used from any goroutine.
type Table struct {
	prices   map[key]gateway.Price
	lengths  [itemCount][2][]int // of the prefixes of an item, outbound and inbound, longest first
	networks []network           // in the order of the file
}

// network is a line with a prefix, which countries list.
type network struct {
	key
	name string // empty: none was given
}

// Outbound is what a unit of a message costs that leaves from a number.
func (t *Table) Outbound(m *gateway.Message, from *gateway.Number) gateway.Price {
	return t.find(key{item: itemOf(m.Service), country: m.Country, sender: from.Type}, m.To)
}

// Inbound is what a unit of a message costs that comes in for a number.
func (t *Table) Inbound(service gateway.Service, to *gateway.Number) gateway.Price {
	return t.find(key{item: itemOf(service), inbound: true, country: to.Country, sender: to.Type}, to.Number)
}

// Rental is what a number costs: every month, and once.
func (t *Table) Rental(n *gateway.Number) (monthly, once gateway.Money) {
	of := key{item: rental, country: n.Country, sender: n.Type}
	monthly = t.find(of, n.Number).Rate
	of.item = setup
	return monthly, t.find(of, n.Number).Rate
}

// find gives the price of the line that fits best: the one with the longest prefix; of those the one for the country, then for the country whose carriers
// serve it, then for any; of those the one for the kind of sender. A line for none of all that is there for everything that is sent.
func (t *Table) find(of key, number string) gateway.Price {
	if t == nil {
		return gateway.Price{}
	}
	direction := 0
	if of.inbound {
		direction = 1
	}
	countries := [...]string{of.country, gateway.Market(of.country), ""}
	senders := [...]gateway.NumberType{of.sender, 0}
	for _, n := range t.lengths[of.item][direction] {
		if n > len(number) {
			continue
		}
		of.prefix = number[:n]
		for _, of.country = range countries {
			for _, of.sender = range senders {
				if price, ok := t.prices[of]; ok {
					return price
				}
			}
		}
	}
	return gateway.Price{}
}
