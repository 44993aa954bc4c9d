package storetest

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"pgregory.net/rapid"

	"github.com/heliograph/heliograph/internal/gateway"
)

// inbox is a random history of what comes in: messages of several segments that come in any order, again, by other sessions, and never; batches that break
// off; sessions that are settled; and restarts. It is held against the simplest inbox there can be: everything in slices, looked through from end to end.
type inbox struct {
	*world
	rt      *rapid.T
	seen    []delivery
	waiting []*assembly
	texts   []string // of the messages that came to be, in their order
	spent   gateway.Money
	begun   int
}

// delivery is a part that may be brought again.
type delivery struct {
	digest  byte
	session uint64
	at      time.Time
}

// assembly is a message that is not whole.
type assembly struct {
	first gateway.InboundPart
	parts []gateway.InboundPart
	since time.Time
	order int // in which they came
}

func testInbox(rt *rapid.T, open func() Store) {
	b := &inbox{world: stock(rt, open), rt: rt}
	defer func() { b.ok(b.Close()) }()
	b.price = small
	b.hooked()
	rt.Repeat(map[string]func(*rapid.T){
		"bring":     func(*rapid.T) { b.bring() },
		"bring too": func(*rapid.T) { b.bring() }, // more often than the rest
		"break off": func(*rapid.T) { b.breakOff() },
		"complete":  func(*rapid.T) { b.completeSome() },
		"settle":    func(*rapid.T) { b.settle() },
		"time flies": func(*rapid.T) {
			b.now = b.now.Add(time.Duration(rapid.IntRange(1, 20).Draw(b.rt, "minutes")) * time.Minute)
		},
		"reopen": func(*rapid.T) { b.restart() },
		"":       func(*rapid.T) { b.check() },
	})
}

// check holds all that can be read against the model.
func (b *inbox) check() {
	list, total, err := b.Messages(b.ctx, gateway.MessageFilter{Account: one})
	b.ok(err)
	var got []string
	for _, m := range slices.Backward(list) {
		got = append(got, m.Text)
	}
	b.same(got, b.texts)
	b.same(total, len(b.texts))
	b.same(b.wallet(one).Balance, -b.spent)
	events := b.pending()
	b.same(len(events), len(b.texts))
	for i, e := range events {
		b.same(e.Message, list[len(list)-1-i])
	}
	next := time.Time{}
	for _, a := range b.waiting {
		if next.IsZero() || a.since.Before(next) {
			next = a.since
		}
	}
	b.nextIncomplete(next)
}

// drawPart is a part of one of few messages, as one of few sessions brings it.
func (b *inbox) drawPart() gateway.InboundPart {
	total := rapid.IntRange(1, 3).Draw(b.rt, "total")
	number := rapid.IntRange(1, total).Draw(b.rt, "number")
	reference := rapid.IntRange(1, 2).Draw(b.rt, "reference")
	version := rapid.IntRange(0, 1).Draw(b.rt, "version") // of what is said: another one has come round to the same reference
	part := b.sms(person, pooled, fmt.Sprintf("<%d.%d %d/%d>", reference, version, number, total))
	part.Reference, part.Number, part.Total = uint32(reference), number, total
	if rapid.IntRange(0, 4).Draw(b.rt, "known again") > 0 {
		part.Identity.Digest = [16]byte{1, byte(64*version + 16*reference + 4*total + number)}
		part.Identity.Session = uint64(rapid.IntRange(0, 3).Draw(b.rt, "session"))
		if part.Identity.Session == 0 {
			part.Identity.Digest[1] |= 128 // a carrier gives ids or does not
		}
	}
	return part
}

func (b *inbox) drawBatch() (batch []gateway.InboundPart) {
	for range rapid.IntRange(1, 4).Draw(b.rt, "parts") {
		batch = append(batch, b.drawPart())
		b.now = b.now.Add(time.Millisecond)
	}
	return batch
}

func (b *inbox) bring() {
	batch := b.drawBatch()
	results := must[[]gateway.InboundResult](b.world)(b.AddInboundParts(b.ctx, batch, b.receive))
	b.same(len(results), len(batch))
	for i, part := range batch {
		status, text := b.add(part)
		if results[i].Status != status {
			b.Fatalf("part %d is %d, want %d", i, results[i].Status, status)
		}
		if status == gateway.InboundStored {
			b.same(results[i].Message.Text, text)
			b.same(told(results[i].Events), []string{"1 received"})
		}
	}
}

// breakOff brings a batch whose last part breaks it off.
func (b *inbox) breakOff() {
	b.breaksOff(append(b.drawBatch(), b.sms(person, pooled, "last")), "last")
}

func (b *inbox) restart() {
	if rapid.IntRange(0, 3).Draw(b.rt, "now") == 0 {
		b.reopen()
	}
}

func (b *inbox) settle() {
	session, until := uint64(rapid.IntRange(1, 3).Draw(b.rt, "session")), b.now.Add(-time.Duration(rapid.IntRange(0, 5).Draw(b.rt, "ago"))*time.Minute)
	b.ok(b.SettleSessions(b.ctx, map[uint64]time.Time{session: until}))
	b.seen = slices.DeleteFunc(b.seen, func(d delivery) bool { return d.session == session && !d.at.After(until) })
}

func (b *inbox) completeSome() {
	before, limit := b.now.Add(-time.Duration(rapid.IntRange(0, 30).Draw(b.rt, "ago"))*time.Minute), rapid.IntRange(1, 3).Draw(b.rt, "limit")
	results := b.complete(before, limit)
	slices.SortFunc(b.waiting, func(x, y *assembly) int { return cmp.Or(x.since.Compare(y.since), x.order-y.order) })
	var texts []string
	for len(b.waiting) > 0 && len(texts) < limit && b.waiting[0].since.Before(before) {
		texts = append(texts, b.keep(b.waiting[0].parts))
		b.waiting = b.waiting[1:]
	}
	var got []string
	for _, r := range results {
		got = append(got, r.Message.Text)
	}
	b.same(got, texts)
}

// add is what becomes of a part.
func (b *inbox) add(part gateway.InboundPart) (gateway.InboundStatus, string) {
	if b.repeated(part) {
		return gateway.InboundRepeated, ""
	}
	if part.Total == 1 {
		return gateway.InboundStored, b.keep([]gateway.InboundPart{part})
	}
	a := b.assembly(part)
	for _, known := range a.parts {
		if known.Number != part.Number {
			continue
		}
		if string(known.Data.Octets) == string(part.Data.Octets) {
			return gateway.InboundRepeated, ""
		}
		a.since = time.UnixMicro(1).UTC() // it waits no more
		a = b.assembly(part)
		break
	}
	a.parts = append(a.parts, part)
	slices.SortFunc(a.parts, func(x, y gateway.InboundPart) int { return x.Number - y.Number })
	if len(a.parts) < part.Total {
		return gateway.InboundWaits, ""
	}
	b.waiting = slices.DeleteFunc(b.waiting, func(other *assembly) bool { return other == a })
	return gateway.InboundStored, b.keep(a.parts)
}

// assembly finds the message that a segment belongs to, or begins it.
func (b *inbox) assembly(part gateway.InboundPart) *assembly {
	for _, a := range b.waiting {
		if a.first.Reference == part.Reference && a.first.Total == part.Total && a.since.UnixMicro() > 1 {
			return a
		}
	}
	b.begun++
	a := &assembly{first: part, since: part.At, order: b.begun}
	b.waiting = append(b.waiting, a)
	return a
}

func (b *inbox) keep(parts []gateway.InboundPart) string {
	text := textOf(parts)
	b.texts = append(b.texts, text)
	b.spent += gateway.Money(len(parts)) * smallCost
	return text
}

// repeated tells whether a part is known, and notes it if it is not.
func (b *inbox) repeated(part gateway.InboundPart) bool {
	if part.Identity.IsZero() {
		return false
	}
	now := delivery{part.Identity.Digest[1], part.Identity.Session, part.At}
	for i, d := range b.seen {
		if d.digest != now.digest || part.At.Sub(d.at) >= gateway.RepeatWindow || now.session != 0 && d.session == now.session {
			continue
		}
		if now.session != 0 {
			b.seen = append(slices.Delete(b.seen, i, i+1), now)
		}
		return true
	}
	b.seen = append(b.seen, now)
	return false
}
