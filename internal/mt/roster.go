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

// pool is a powerpack with its senders. The index is guarded by Dispatcher.mu.
type pool struct {
	powerpack gateway.Powerpack
	index     *gateway.Pool
}

// Refresh reads the roster anew. It is called at start and after every change to numbers or powerpacks; when it returns, new
// messages follow the change.
func (s *Service) Refresh(ctx context.Context) error {
	s.refreshing.Lock() // so that an older reading never replaces a newer one
	defer s.refreshing.Unlock()
	read, err := s.Store.Roster(ctx)
	if err != nil {
		return err
	}
	numbers, powerpacks := read.Numbers, read.Powerpacks
	d := s.Dispatcher
	r := newRoster(numbers, powerpacks, d.loads())
	d.mu.Lock()
	defer d.mu.Unlock()
	d.enlist(numbers, r)
	s.roster.Store(r) // with the lock held: who chooses with it finds its pools told of every change of load
	return nil
}

// loads gives how busy all senders are. What changes after that, enlist puts right; so most of the work on large pools is done without the lock.
func (d *Dispatcher) loads() map[string]gateway.Load {
	d.mu.Lock()
	defer d.mu.Unlock()
	loads := make(map[string]gateway.Load, len(d.senders))
	for number, s := range d.senders {
		loads[number] = s.inPool()
	}
	return loads
}

// newRoster indexes numbers and powerpacks.
func newRoster(numbers []gateway.Number, powerpacks []gateway.Powerpack, loads map[string]gateway.Load) *roster {
	r := &roster{numbers: make(map[string]*gateway.Number, len(numbers)), pools: make(map[gateway.ID]*pool, len(powerpacks))}
	members := make(map[gateway.ID][]gateway.Number, len(powerpacks))
	for i := range numbers {
		n := &numbers[i]
		r.numbers[n.Number] = n
		if !n.Pool.IsZero() {
			members[n.Pool] = append(members[n.Pool], *n)
		}
	}
	for _, p := range powerpacks {
		index := gateway.NewPool(members[p.Pool])
		for i := range index.Len() {
			index.Set(i, loads[index.Number(i).Number])
		}
		r.pools[p.ID] = &pool{powerpack: p, index: index}
	}
	return r
}

// enlist sets the limits of the dispatcher's senders, and brings their loads into the roster's pools. Guarded by mu.
func (d *Dispatcher) enlist(numbers []gateway.Number, r *roster) {
	for _, s := range d.senders {
		s.listed = false
		s.join(nil, 0)
	}
	for i := range numbers {
		s := d.sender(numbers[i].Number)
		s.owner = numbers[i].Account
		d.limitSender(s, numbers[i].Limit())
	}
	for _, p := range r.pools {
		for i := range p.index.Len() {
			d.sender(p.index.Number(i).Number).join(p.index, i)
		}
	}
	for _, s := range d.senders {
		d.forget(s)
	}
}
