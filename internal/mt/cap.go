package mt

import (
	"context"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
)

// How daily caps hold over a crash: the disk always counts at least as much as used up as has left. It is told some units ahead, with the records of
// submits, so that this costs no write of its own; only the first message of a day, and one for which there are too many unrecorded, wait until it
// is written. After a crash the units told ahead are lost for the day; a clean stop writes what was used.

// ahead is how many units the disk is told ahead.
func (s *scope) ahead() int { return max(gateway.MaxParts, s.Cap/50) }

// toKeep is what the disk is to count as used up, when some units are about to leave.
func (s *scope) toKeep(units int) gateway.Usage {
	return gateway.Usage{Kind: s.kind, Name: s.name, Day: s.Day, Units: min(s.Cap, s.Used+units+s.ahead())}
}

// keep notes what the disk counts as used up.
func (s *scope) keep(u gateway.Usage) {
	if u.Day > s.kept.Day || u.Day == s.kept.Day && u.Units > s.kept.Units {
		s.kept = u
	}
}

// covers tells whether the disk counts some more units as used up, if a cap holds.
func (s *scope) covers(units int) bool {
	return s.Cap == 0 || s.kept.Day == s.Day && s.Used+units <= s.kept.Units
}

// covered tells whether the lane's next message may leave as far as its daily caps are on disk. What is missing is written, and all that would use it
// waits. Guarded by mu.
func (d *Dispatcher) covered(l *lane, now int64) bool {
	all, units := true, l.nextUnits()
	for _, s := range [...]*scope{&l.sender.scope, l.sender.campaign, l.account} {
		if s == nil || s.Cap == 0 {
			continue
		}
		if s.Roll(d.Calendar, now); s.covers(units) {
			continue
		}
		all = false
		if !s.raising {
			s.raising = true
			d.toRaise = append(d.toRaise, s)
			select {
			case d.raiseWake <- struct{}{}:
			default:
			}
		}
	}
	if l.sender.Cap > 0 { // another day may have begun
		l.sender.tell()
	}
	if !all {
		d.reorder(l.sender)
		l.gate.settle()
	}
	return all
}

// raiseLoop writes what is about to be used up of daily caps, many in one call, until ctx ends.
func (d *Dispatcher) raiseLoop(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-d.raiseWake:
		}
		scopes, usage := d.nextRaise()
		for len(scopes) > 0 {
			err := d.Store.KeepUsage(ctx, usage)
			if ctx.Err() != nil {
				return
			}
			d.raising.note(d.Log, "daily caps cannot be written, so what they hold for does not leave", err)
			if err == nil {
				d.raised(scopes, usage)
				break
			}
			select {
			case <-ctx.Done():
				return
			case <-time.After(storePause):
			}
		}
	}
}

// nextRaise takes what is to be written.
func (d *Dispatcher) nextRaise() (scopes []*scope, usage []gateway.Usage) {
	d.mu.Lock()
	defer d.mu.Unlock()
	scopes, d.toRaise = d.toRaise, nil
	for _, s := range scopes {
		usage = append(usage, s.toKeep(gateway.MaxParts))
	}
	return scopes, usage
}

// raised lets go on what waited for that.
func (d *Dispatcher) raised(scopes []*scope, usage []gateway.Usage) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for i, s := range scopes {
		s.raising = false
		s.keep(usage[i])
		s.settleGates()
		if s.kind != gateway.SenderScope {
			continue
		}
		if sender := d.senders[s.name]; sender != nil {
			d.reorder(sender)
		}
	}
}

// scopeOf finds what a usage is of; nil when it is not known any more. Guarded by mu.
func (d *Dispatcher) scopeOf(u *gateway.Usage) *scope {
	switch u.Kind {
	case gateway.SenderScope:
		if s := d.senders[u.Name]; s != nil {
			return &s.scope
		}
	case gateway.CampaignScope:
		return d.campaigns[u.Name]
	}
	return nil
}

// usedUp is what is used up of today's caps.
func (d *Dispatcher) usedUp() (list []gateway.Usage) {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := d.Now().UnixNano()
	for s := range d.scopes() {
		if s.Roll(d.Calendar, now); s.Cap > 0 && (s.Used > 0 || s.kept.Day == s.Day) {
			list = append(list, gateway.Usage{Kind: s.kind, Name: s.name, Day: s.Day, Units: s.Used})
		}
	}
	return list
}
