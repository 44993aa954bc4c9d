// Package gateway is the domain of Heliograph: accounts, numbers, powerpacks, messages, receipts and the rules that
// hold between them. It decides and remembers nothing: no I/O, no clock, no goroutine. Time, entropy and load are
// arguments; what a rule concludes is its result.
//
// Where to find what:
//
//	id.go         identifiers: UUIDv7 with an order of their own
//	account.go    accounts, subaccounts and their credentials' form
//	number.go     numbers: types, services, where they are at home
//	powerpack.go  the rules by which a message gets one of a pool's senders (Powerpack.Pick)
//	pool.go       the senders of a pool, indexed for that choice
//	tree.go       those that differ in nothing but their loads, in order
//	explain.go    the choice, rule by rule
//	health.go     which senders rest since they deliver badly
//	campaign.go   10DLC campaigns, and all that the queue knows of who sends
//	route.go      which carrier takes a message
//	message.go    the message, its states and how they move
//	part.go       what a carrier is given and what it answers
//	receipt.go    what a carrier later says about a part
//	preparation.go  what becomes of the media that a message waits for
//	inbound.go    what carriers bring from handsets
//	optout.go     who is not to be written to any more, and the words for that
//	event.go      what an account is told
//	notice.go     what an account is told of what it registered
//	reason.go     why a message failed or was not delivered
//	limit.go      rates, in units
//	allowance.go  a rate and a daily cap, and what of them is used up
//	money.go      amounts, prices, and what accounts pay from
//	credit.go     entries of an account's ledger
//	retry.go      schedules of further attempts
//	error.go      refusals that a caller may see
package gateway
