package mt

import (
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
)

// failOverAfter is how long a carrier must be down before what waits for it goes by another one of its route. A carrier that is only paused keeps what it
// has: somebody wants it to wait.
const failOverAfter = 30 * time.Second

// watchCarriers lets what waits for carriers that have been down for long be looked through, once for each change of what is up.
func (d *Dispatcher) watchCarriers() {
	now := d.Now().UnixNano()
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, l := range d.lines {
		switch up := l.carrier.Places() > 0; {
		case up && l.downSince != 0:
			l.downSince = 0
			d.upTurn++
		case !up && l.downSince == 0:
			l.downSince = now
			d.upTurn++
		}
	}
	for _, l := range d.lanes {
		if l.line.out(now) && l.waiting > 0 && l.watched != d.upTurn {
			l.watched = d.upTurn
			d.strand(l)
		}
	}
}

// out tells whether what waits for the carrier may go by another.
func (l *line) out(now int64) bool {
	return l.downSince != 0 && now-l.downSince >= int64(failOverAfter) && !l.paused
}

// detour finds another carrier for a message whose own is out: the first of its route that is up, for senders that are bound to none. A message of which
// a carrier has parts already stays. Guarded by Dispatcher.mu.
func (s *Service) detour(l *lane, r *roster, m *gateway.Message, now int64) (carrier string, ok bool) {
	n := r.numbers[m.From]
	if n == nil {
		n = &gateway.Number{Number: m.From, Type: gateway.LongCode}
	}
	if m.Taken != 0 || n.Carrier != "" || !l.line.out(now) {
		return "", false
	}
	carrier = s.carrierFor(m, n)
	return carrier, carrier != "" && carrier != m.Carrier && s.Dispatcher.condition(carrier) == gateway.Up
}
