// Package mt is the way of mobile-terminated messages: Service.Accept makes an API request into stored, queued messages, the
// Dispatcher hands them to carriers, each sender at its rate, and records what the carriers answer.
//
// The rows in the store are the truth; order and pace live in memory, in one lane for each sender and carrier. DESIGN.md says what is
// guaranteed, and when a message can go out twice.
//
//	service.go     Accept: check, choose senders, store, queue
//	roster.go      numbers and powerpacks, as the message path sees them
//	scope.go       rates and caps of senders, campaigns and accounts
//	sender.go      how busy a sender is, and where its pool learns of it
//	gate.go        lanes that wait for the same campaign and account
//	cap.go         daily caps, over a crash too
//	health.go      senders that deliver badly, and numbers that replace them
//	guard.go       countries and hourly thresholds
//	estimate.go    when a queued message is expected to leave
//	repick.go      messages whose sender has left their pool
//	prepare.go     messages whose media have to be looked for first
//	optout.go      who is not to be written to any more
//	failover.go    messages whose carrier is down
//	explain.go     which sender a powerpack would take, and why not the others
//	lane.go        a sender's queue towards a carrier, and the heap over lanes
//	line.go        one carrier's side: places, pace, submits
//	flight.go      one message on its way to the carrier
//	dispatcher.go  lanes and lines together; start and stop
//	refill.go      reading on where memory holds only the head of a lane
//	record.go      what became of submits, written in batches, with receipts that came meanwhile
//	expiry.go      messages whose time is over, and those to be tried again
//	pace.go        slowing down for a carrier that throttles
//	trouble.go     what fails again and again, said once
package mt
