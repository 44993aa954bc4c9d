package main

import (
	"fmt"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
	"github.com/heliograph/heliograph/internal/numbering"
)

// A development install is stocked with numbers that belong to nobody: 555-01XX is set aside for fiction in every area code. Each area
// code is there with three numbers; the first of those named as rented belong to the account from the start.
var (
	rentedAreas = []string{"415", "213", "212", "718", "312", "512", "206", "305", "617", "303", "416", "604"}
	stockAreas  = []string{"408", "619", "916", "917", "516", "773", "214", "713", "425", "813", "404", "602", "215", "437", "778"}
	tollFrees   = []string{"18005550100", "18335550101", "18445550102", "18885550103"}
)

const (
	numbersPerArea = 3
	rentedTollFree = 2
	usShortCode    = "555444"
	caShortCode    = "555333"
)

// inventory makes the numbers of a development install. Those rented are in the pool already.
func inventory(account gateway.AccountID, pool gateway.ID, carrier string, now time.Time) []gateway.Number {
	var numbers []gateway.Number
	add := func(n gateway.Number, rented bool) {
		n.Carrier, n.Rate, n.AddedAt = carrier, -1, now
		if rented {
			n.Account, n.Pool, n.Service = account, pool, gateway.SMS
		}
		numbers = append(numbers, n)
	}
	for _, area := range rentedAreas {
		for i := range numbersPerArea {
			add(localNumber(area, i), i == 0)
		}
	}
	for _, area := range stockAreas {
		for i := range numbersPerArea {
			add(localNumber(area, i), false)
		}
	}
	for i, number := range tollFrees {
		add(gateway.Number{Number: number, Type: gateway.TollFree, Country: "US", Services: gateway.Services(gateway.SMS, gateway.MMS)}, i < rentedTollFree)
	}
	short := gateway.Number{Number: usShortCode, Type: gateway.ShortCode, Country: "US", Services: gateway.Services(gateway.SMS)}
	add(short, true)
	short.Number, short.Country = caShortCode, "CA"
	add(short, false)
	return numbers
}

// localNumber is the i-th fictional number of an area code.
func localNumber(area string, i int) gateway.Number {
	number := fmt.Sprintf("1%s55501%02d", area, i)
	country, region, _ := numbering.Place(number)
	return gateway.Number{
		Number: number, Type: gateway.LongCode, Country: country, Region: region, AreaCode: area,
		Services: gateway.Services(gateway.SMS, gateway.MMS),
	}
}
