package mt

import (
	"context"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
	"github.com/heliograph/heliograph/internal/numbering"
)

// repickBatch is how many messages are given other senders at once.
const repickBatch = 500

// orphaned tells whether a message needs another sender: a powerpack chose the one it has, and that has left the powerpack's pool. When the powerpack
// itself is gone, the message keeps its sender; so does one of which a carrier has parts already. Guarded by mu.
func (d *Dispatcher) orphaned(s *sender, m *gateway.Message) bool {
	return !m.Powerpack.IsZero() && m.Taken == 0 && s.powerpack != m.Powerpack && d.pools[m.Powerpack] != nil
}

// strand lets a lane wait until its messages were looked through. Guarded by mu.
func (d *Dispatcher) strand(l *lane) {
	if l.astray {
		return
	}
	l.astray = true
	d.place(l)
	d.astray = append(d.astray, l)
	select {
	case d.strandWake <- struct{}{}:
	default:
	}
}

// nextAstray is the lane that is to be looked through next; nil: none.
func (d *Dispatcher) nextAstray() *lane {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.astray) == 0 {
		return nil
	}
	l := d.astray[0]
	d.astray = d.astray[1:]
	return l
}

// found lets a lane go on that was looked through.
func (d *Dispatcher) found(l *lane) {
	d.mu.Lock()
	defer d.mu.Unlock()
	l.astray = false
	d.place(l)
}

// repickLoop gives messages whose sender has left their pool another one of it, until ctx ends.
func (s *Service) repickLoop(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.Dispatcher.strandWake:
		}
		for l := s.Dispatcher.nextAstray(); l != nil; l = s.Dispatcher.nextAstray() {
			for !s.lookThrough(ctx, l) {
				select {
				case <-ctx.Done():
					return
				case <-time.After(storePause):
				}
			}
			s.Dispatcher.found(l)
		}
	}
}

// lookThrough gives those messages of a lane other senders that need one. It answers false when the store could not be read or written.
func (s *Service) lookThrough(ctx context.Context, l *lane) bool {
	d := s.Dispatcher
	err := s.repick(ctx, l, d.returned(l))
	for after, more := int64(0), true; more && err == nil; {
		var rows [][]*gateway.Message
		rows, err = d.Store.QueuedMessages(ctx, []gateway.LaneCursor{{LaneKey: l.key, After: after, Limit: repickBatch}})
		if err != nil {
			break
		}
		if more = len(rows[0]) == repickBatch; more {
			after = rows[0][repickBatch-1].ID.Seq()
		}
		err = s.repick(ctx, l, rows[0])
	}
	if ctx.Err() == nil {
		d.repicking.note(d.Log, "messages cannot be given other senders", err)
	}
	return err == nil
}

// returned lists the lane's messages that the store would not give with the others: deferred ones that are back in memory.
func (d *Dispatcher) returned(l *lane) (list []*gateway.Message) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, m := range l.rows[l.head:] {
		if !m.DueAt.IsZero() {
			list = append(list, m)
		}
	}
	return list
}

// repicked is a message on its way to another sender.
type repicked struct {
	gateway.Move
	counted bool    // it was counted in its old lane
	sender  *sender // where its units are set aside; nil: nowhere, it fails
}

// repick gives those of some messages of a lane other senders that need one.
func (s *Service) repick(ctx context.Context, l *lane, messages []*gateway.Message) error {
	keys := make([]gateway.StickyKey, len(messages))
	for i, m := range messages {
		keys[i] = gateway.StickyKey{Powerpack: m.Powerpack, To: m.To}
	}
	if len(keys) == 0 {
		return nil
	}
	senders, err := s.Store.StickySenders(ctx, keys)
	if err != nil {
		return err
	}
	habits := make(map[gateway.StickyKey]habit, len(keys))
	for i, key := range keys {
		habits[key] = habit{from: senders[i]}
	}
	addressees := make([]gateway.Addressee, len(messages))
	for i, m := range messages {
		addressees[i] = gateway.Addressee{Account: m.Account, Person: m.To}
	}
	out, err := s.optOutsOf(ctx, addressees)
	if err != nil {
		return err
	}
	list, remember := s.claimOrphans(l, messages, habits, out)
	if len(list) == 0 {
		return nil
	}
	moves := make([]gateway.Move, len(list))
	for i := range list {
		moves[i] = list[i].Move
	}
	applied, err := s.Store.MoveMessages(ctx, moves, remember)
	s.arrive(list, applied, err)
	return err
}

// claimOrphans takes messages that need another sender, or another carrier, out of their lane, and chooses it for each.
func (s *Service) claimOrphans(l *lane, messages []*gateway.Message, habits map[gateway.StickyKey]habit, out optOuts) (list []repicked, remember []gateway.Sticky) {
	d := s.Dispatcher
	now := s.Now()
	d.mu.Lock()
	defer d.mu.Unlock()
	r := s.roster.Load()
	chosen := submission{}
	for _, m := range messages {
		seq := m.ID.Seq()
		if _, flying := d.flying[seq]; flying || seq >= d.storing {
			continue
		}
		orphaned, lost := d.orphaned(l.sender, m), d.hopeless(l.sender, m, now.UnixNano()) == gateway.InvalidSource
		carrier, around := s.detour(l, r, m, now.UnixNano())
		if !orphaned && !lost && !around {
			continue
		}
		d.flying[seq] = struct{}{}
		p := repicked{Move: gateway.Move{Message: m, At: now}, counted: d.uncount(m)}
		switch {
		case orphaned:
		case lost: // its account has the number no more
			p.Failure = gateway.InvalidSource
			list = append(list, p)
			continue
		default:
			p.From, p.PickedBy, p.Carrier, p.sender = m.From, m.PickedBy, carrier, l.sender
			d.setAside(p.sender, m.Account, m.Units)
			list = append(list, p)
			continue
		}
		again := *m
		number, reason := s.pickFor(r.pools[m.Powerpack], &again, requestOf(m, now), habits)
		if out.of(m.Account, m.To, m.From, r) || reason == gateway.NoReason && out.of(m.Account, m.To, again.From, r) {
			reason = gateway.OptedOut
		}
		if reason == gateway.NoReason {
			if p.Carrier = s.carrierFor(&again, number); p.Carrier == "" {
				reason = gateway.NoRoute
			}
		}
		if p.Failure = reason; reason == gateway.NoReason {
			p.From, p.PickedBy, p.sender = again.From, again.PickedBy, d.sender(again.From)
			d.setAside(p.sender, m.Account, m.Units)
			chosen.remember(r.pools[m.Powerpack], &again, habits)
		}
		list = append(list, p)
	}
	return list, chosen.Remember
}

// requestOf is what a sender is wanted for, from a message that was stored.
func requestOf(m *gateway.Message, now time.Time) gateway.Request {
	to, ok := numbering.Destination(m.To)
	if !ok {
		to = gateway.Destination{Number: m.To, Country: m.Country}
	}
	return gateway.Request{To: to, Service: m.Service, Now: now.UnixNano(), Deadline: m.ExpiresAt.UnixNano()}
}

// arrive puts messages into the lanes of their new senders; those that could not be moved stay in their old ones.
func (s *Service) arrive(list []repicked, applied []gateway.Applied, err error) {
	d := s.Dispatcher
	d.mu.Lock()
	for i := range list {
		p := &list[i]
		m := p.Message
		d.unfly(d.lanes[m.Lane()], m.ID.Seq())
		moved := err == nil && applied[i].Moved
		if p.sender != nil && !moved {
			d.setAside(p.sender, m.Account, -m.Units)
		}
		switch {
		case err != nil && p.counted:
			d.comeBack(m)
		case err != nil:
		case p.sender != nil && moved:
			again := *m
			again.From, again.Carrier, again.PickedBy = p.From, p.Carrier, p.PickedBy
			d.join(&again)
		}
		if l := d.lines[m.Carrier]; l != nil && err == nil {
			l.settle(m.ID.Seq())
		}
	}
	d.mu.Unlock()
	if err == nil {
		d.tell(applied)
	}
}

// join brings a message that was accepted earlier into another lane, where its units are set aside already. Those accepted later must not leave
// before it. Guarded by mu.
func (d *Dispatcher) join(m *gateway.Message) {
	l := d.lane(m.Lane())
	if !m.DueAt.IsZero() { // the store brings it back when it is due
		l.enqueue(-m.Units)
		d.nudgeRetries()
		d.place(l)
		return
	}
	l.waiting++
	l.units += m.Units
	seq := m.ID.Seq()
	if !l.more && !l.filling && l.held() < l.depth() && d.room(l.line) > 0 {
		if l.insert(m) {
			l.line.buffered++
		}
		l.after = max(l.after, seq)
	} else {
		l.rewind(seq)
	}
	d.place(l)
}

// rewind makes the lane be read again from a message on. What was read after it is let go of, but for deferred messages that are back: the store does
// not give those with the others.
func (l *lane) rewind(seq int64) {
	l.after, l.more, l.reread = min(l.after, seq-1), true, l.filling
	live := l.rows[l.head:]
	kept := live[:0]
	for _, m := range live {
		if !m.DueAt.IsZero() || m.ID.Seq() < seq {
			kept = append(kept, m)
		}
	}
	l.line.buffered -= len(live) - len(kept)
	clear(live[len(kept):])
	l.rows = l.rows[:l.head+len(kept)]
}
