// Package pricing is the price list: what a message costs by its destination, service and kind of sender, what comes in, and what numbers cost. It is read
// once from a file that docs/pricing.md describes, and not changed after that.
//
//	table.go  the list, and which of its lines fits
//	quote.go  what the list says of a country
//	file.go   the list as a file
package pricing
