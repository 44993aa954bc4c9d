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

// Explain tells which sender a powerpack would take for a message now, and why not the others. It changes nothing. Carriers and loads are
// those of one moment; the lock is held for as long as it takes to copy them.
func (s *Service) Explain(ctx context.Context, q Question) (Explanation, error) {
	p, err := s.poolOf(q.Account, q.Powerpack)
	if err != nil {
		return Explanation{}, err
	}
	req := gateway.Request{To: q.To, Service: q.Service}
	if p.powerpack.Sticky {
		habits, err := s.Store.StickySenders(ctx, []gateway.StickyKey{{Powerpack: q.Powerpack, To: q.To.Number}})
		if err != nil {
			return Explanation{}, err
		}
		req.Sticky = habits[0]
	}
	if q.Expiry == 0 {
		q.Expiry = gateway.DefaultExpiry
	}
	q.Units = max(1, q.Units)
	now := s.Now()
	req.Now, req.Deadline = now.UnixNano(), now.Add(q.Expiry).UnixNano()
	sn, err := s.snapshot(&q, &req)
	if err != nil {
		return Explanation{}, err
	}
	p = sn.pool
	found := p.powerpack.Explain(p.index, req, sn.outside(), explainMost)
	e := Explanation{Habit: req.Sticky, Senders: p.index.Len(), Others: make([]Candidate, len(found.Others))}
	for i, f := range found.Others {
		e.Others[i] = s.candidate(p.index, f.Index, f.FreeAt, &req)
		e.Others[i].Verdict = f.Verdict
	}
	switch {
	case found.Picked:
		e.Taken, e.Rule = s.candidate(p.index, found.Choice.Index, found.Choice.FreeAt, &req), found.Choice.Rule
	case p.powerpack.Suits(p.index, req):
		e.Reason = gateway.Expired
	default:
		e.Reason = gateway.InvalidSource
	}
	return e, s.explainOptOut(ctx, &q, &e)
}

// explainOptOut notes that the message would fail because the person has opted out of the sender that they are used to, or of the one that is taken.
func (s *Service) explainOptOut(ctx context.Context, q *Question, e *Explanation) error {
	out, err := s.optOutsOf(ctx, []gateway.Addressee{{Account: q.Account, Person: q.To.Number}})
	if err != nil || out == nil {
		return err
	}
	r, taken := s.roster.Load(), ""
	if e.Rule != gateway.NoRule {
		taken = e.Taken.Number.Number
	}
	if out.of(q.Account, q.To.Number, e.Habit, r) || out.of(q.Account, q.To.Number, taken, r) {
		e.Taken, e.Rule, e.Reason = Candidate{}, gateway.NoRule, gateway.OptedOut
	}
	return nil
}

// candidate is a sender of the pool as an explanation shows it.
func (s *Service) candidate(pool *gateway.Pool, i int, freeAt int64, req *gateway.Request) Candidate {
	d, n := s.Dispatcher, pool.Number(i)
	d.mu.Lock()
	defer d.mu.Unlock()
	c := Candidate{Number: n, SendAt: moment(freeAt), Health: d.healthOf(n.Number, req.To.Country, req.Now)}
	if set := d.senders[n.Number]; set != nil {
		c.QueuedUnits = set.queued
	}
	return c
}

// snapshot is a pool with the loads of its senders, the condition of their carriers, and from when on their campaigns and the account let messages
// leave.
type snapshot struct {
	pool      *pool
	carriers  map[string]gateway.Condition
	campaigns map[string]int64
}

func (sn *snapshot) outside() gateway.Outside {
	return gateway.Outside{
		Condition: func(name string) gateway.Condition { return sn.carriers[name] },
		Campaign:  func(id string) int64 { return sn.campaigns[id] },
	}
}

// snapshot copies what a choice looks at, and notes in the request what the account's rate allows.
func (s *Service) snapshot(q *Question, req *gateway.Request) (*snapshot, error) {
	d := s.Dispatcher
	d.mu.Lock()
	defer d.mu.Unlock()
	live, err := s.poolOf(q.Account, q.Powerpack) // under the lock: only this roster's pools are told of loads
	if err != nil {
		return nil, err
	}
	sn := &snapshot{
		pool:     &pool{powerpack: live.powerpack, index: live.index.Clone()},
		carriers: map[string]gateway.Condition{}, campaigns: map[string]int64{},
	}
	for _, name := range live.index.Carriers() {
		sn.carriers[name] = d.conditionFor(name, q.Service)
	}
	for _, id := range live.index.Campaigns() {
		sn.campaigns[id] = d.campaigns[id].freeFor(req.Now, q.Units)
	}
	for i := range sn.pool.index.Len() { // pools know when a sender is free for one unit: what is left of its cap may have room for no more
		if set := d.senders[live.index.Number(i).Number]; set != nil && set.Cap > 0 && q.Units > 1 {
			sn.pool.index.Set(i, set.load(q.Units))
		}
	}
	req.Earliest = d.accountScope(q.Account).freeFor(req.Now, q.Units)
	return sn, nil
}
