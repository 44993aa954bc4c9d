// Package numbering knows the numbering plan of E.164: what a destination or a sender is, by its digits alone. It asks whether a number is
// plausible, not whether it is in service: allocations change faster than releases, and developers write to fictional numbers.
//
// Where to find what:
//
//	sanitize.go     what people write around the digits
//	destination.go  which numbers can be written to, and where they are at home
//	source.go       which senders there can be, and of which type
//	area.go         country code 1: area codes and their states and provinces
//	plan.go         the other country codes: lengths and countries; a country's code
//	lookup.go       what the plans tell of a number
package numbering
