package mt

import (
	"context"

	"github.com/heliograph/heliograph/internal/gateway"
)

// roster is what the message path knows of numbers and powerpacks: a copy in memory of what the API changes, replaced as a whole.
type roster struct {
	numbers map[string]*gateway.Number
	pools   map[gateway.ID]*pool // by powerpack
}

// pool is a powerpack with its senders; the slices go together. What senders point to is guarded by Dispatcher.mu.
type pool struct {
	powerpack gateway.Powerpack
	numbers   []gateway.Number
	senders   []*sender
}

// Refresh reads the roster anew. It is called at start and after every change to numbers or powerpacks; when it returns, new
// messages follow the change.
func (s *Service) Refresh(ctx context.Context) error {
	s.refreshing.Lock() // so that an older reading never replaces a newer one
	defer s.refreshing.Unlock()
	numbers, powerpacks, err := s.Store.Roster(ctx)
	if err != nil {
		return err
	}
	s.roster.Store(s.Dispatcher.enlist(numbers, powerpacks))
	return nil
}

// enlist makes a roster, binding its numbers to the dispatcher's senders and setting their limits.
func (d *Dispatcher) enlist(numbers []gateway.Number, powerpacks []gateway.Powerpack) *roster {
	r := &roster{numbers: make(map[string]*gateway.Number, len(numbers)), pools: make(map[gateway.ID]*pool, len(powerpacks))}
	byPool := make(map[gateway.ID]*pool, len(powerpacks))
	for _, p := range powerpacks {
		made := &pool{powerpack: p}
		r.pools[p.ID], byPool[p.Pool] = made, made
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, s := range d.senders {
		s.listed = false
	}
	for i := range numbers {
		n := &numbers[i]
		r.numbers[n.Number] = n
		s := d.sender(n.Number)
		s.owner = n.Account
		d.limitSender(s, n.Limit())
		if p := byPool[n.Pool]; p != nil && !n.Pool.IsZero() {
			p.numbers = append(p.numbers, *n)
			p.senders = append(p.senders, s)
		}
	}
	for _, s := range d.senders {
		d.forget(s)
	}
	return r
}
