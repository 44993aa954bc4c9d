package mt

import (
	"context"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
)

// explainMost is how many of the senders that are not taken an explanation names.
const explainMost = 100

// Candidate is a sender of a powerpack, as an explanation sees it.
type Candidate struct {
	Number      *gateway.Number
	Verdict     gateway.Verdict // why it is not taken
	SendAt      time.Time       // when it would send the message
	QueuedUnits int             // that wait for it
	Health      SenderHealth
}

// Explanation is what would become of a message to a destination now.
type Explanation struct {
	Taken   Candidate
	Rule    gateway.Rule   // by which it is taken; NoRule: nobody is, and Reason says why the message would fail
	Reason  gateway.Reason //
	Habit   string         // the sender that the destination is used to; empty: none, or the powerpack is not sticky
	Senders int            // in the pool
	Others  []Candidate    // nearest first, at most 100
}

// Explain tells which sender a powerpack would take for a message of the default expiry now, and why not the others. It changes nothing. Carriers
// and loads are those of one moment; the lock is held for as long as it takes to copy them.
func (s *Service) Explain(
	ctx context.Context, account gateway.AccountID, powerpack gateway.ID, to gateway.Destination, service gateway.Service,
) (Explanation, error) {
	p, err := s.poolOf(account, powerpack)
	if err != nil {
		return Explanation{}, err
	}
	req := gateway.Request{To: to, Service: service}
	if p.powerpack.Sticky {
		habits, err := s.Store.StickySenders(ctx, []gateway.StickyKey{{Powerpack: powerpack, To: to.Number}})
		if err != nil {
			return Explanation{}, err
		}
		req.Sticky = habits[0]
	}
	now := s.Now()
	req.Now, req.Deadline = now.UnixNano(), now.Add(gateway.DefaultExpiry).UnixNano()
	p, carriers, err := s.snapshot(account, powerpack)
	if err != nil {
		return Explanation{}, err
	}
	found := p.powerpack.Explain(p.index, req, func(name string) gateway.Condition { return carriers[name] }, explainMost)
	e := Explanation{Habit: req.Sticky, Senders: p.index.Len(), Others: make([]Candidate, len(found.Others))}
	for i, f := range found.Others {
		e.Others[i] = Candidate{Number: p.index.Number(f.Index), Verdict: f.Verdict, SendAt: time.Unix(0, f.FreeAt)}
	}
	switch {
	case found.Picked:
		e.Taken = Candidate{Number: p.index.Number(found.Choice.Index), SendAt: time.Unix(0, found.Choice.FreeAt)}
		e.Rule = found.Choice.Rule
	case p.powerpack.Suits(p.index, req):
		e.Reason = gateway.Expired
	default:
		e.Reason = gateway.InvalidSource
	}
	return e, nil
}

// snapshot copies a pool with the loads of its senders, and notes the condition of their carriers.
func (s *Service) snapshot(account gateway.AccountID, powerpack gateway.ID) (p *pool, carriers map[string]gateway.Condition, err error) {
	d := s.Dispatcher
	d.mu.Lock()
	defer d.mu.Unlock()
	live, err := s.poolOf(account, powerpack) // under the lock: only this roster's pools are told of loads
	if err != nil {
		return nil, nil, err
	}
	p = &pool{powerpack: live.powerpack, index: live.index.Clone()}
	carriers = map[string]gateway.Condition{}
	for _, name := range p.index.Carriers() {
		carriers[name] = d.condition(name)
	}
	return p, carriers, nil
}
