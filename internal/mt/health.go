package mt

import (
	"context"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
)

// judgeEvery is how often the senders of each pool are held against each other.
const judgeEvery = 5 * time.Second

// SetHealth sets by which rules senders rest that deliver badly. It is called before Service.Load.
func (d *Dispatcher) SetHealth(rules gateway.HealthRules) { d.health = gateway.NewHealth(rules) }

// Ended takes up what became of messages that receipts ended.
func (d *Dispatcher) Ended(applied []gateway.Applied) {
	now := d.Now().UnixNano()
	d.mu.Lock()
	defer d.mu.Unlock()
	for i := range applied {
		if a := &applied[i]; a.Sender != "" {
			d.health.Report(a.Sender, gateway.Market(a.Country), a.State == gateway.Delivered, now)
		}
	}
}

// reportRecord takes up what a submit's record ended: the carrier refused the message, or its receipts were there already. Guarded by mu.
func (d *Dispatcher) reportRecord(p *pendingRecord, applied *gateway.Applied) {
	if !applied.Moved || !applied.State.Final() || len(p.Results) == 0 {
		return
	}
	m := p.Message
	d.health.Report(m.From, gateway.Market(m.Country), applied.State == gateway.Delivered, d.Now().UnixNano())
}

// healthLoop looks at carriers that are down, judges the senders of all pools now and then, and replaces numbers that keep falling behind, until ctx ends.
func (s *Service) healthLoop(ctx context.Context) {
	ticker := time.NewTicker(judgeEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		s.Dispatcher.watchCarriers()
		for _, p := range s.roster.Load().pools {
			s.judge(ctx, p)
		}
	}
}

// judge holds the senders of a pool against each other. The lock is held for one pool at a time.
func (s *Service) judge(ctx context.Context, p *pool) {
	d := s.Dispatcher
	d.mu.Lock()
	if d.pools[p.powerpack.ID] != p.index { // the roster has changed meanwhile
		d.mu.Unlock()
		return
	}
	changed := d.health.Judge(p.index, s.Now().UnixNano())
	var exhausted []int
	if p.powerpack.Refresh {
		exhausted = d.health.Exhausted(p.index)
	}
	d.mu.Unlock()
	if len(changed) > 0 {
		d.Log.Info("senders of a powerpack rest or come back", "powerpack", p.powerpack.ID, "senders", len(changed))
	}
	for _, i := range exhausted {
		if !s.replace(ctx, p, i) {
			return
		}
	}
}

// replace puts a spare number of the account in the place of one that keeps falling behind. It answers false when the roster has changed, or none can
// be replaced now.
func (s *Service) replace(ctx context.Context, p *pool, i int) bool {
	old := p.index.Number(i)
	spare := s.spareFor(old)
	if spare == nil {
		return true // others may have one
	}
	err := s.Store.ReplaceInPool(ctx, p.powerpack.Account, p.powerpack.Pool, old.Number, spare.Number, s.Now())
	if err == nil {
		err = s.Refresh(ctx)
	}
	if ctx.Err() == nil {
		s.Dispatcher.refreshing.note(s.Dispatcher.Log, "a number that keeps falling behind cannot be replaced", err)
	}
	if err == nil {
		s.replaced.Add(1)
		s.Dispatcher.Log.Info("a number that kept falling behind was replaced", "powerpack", p.powerpack.ID)
	}
	return false // the pool is another one now
}

// spareFor finds a number of the account that can take the place of one of a pool: in no pool, of the same type, country, area and campaign, for
// the same services, and not itself one that does badly. nil: there is none.
func (s *Service) spareFor(old *gateway.Number) (best *gateway.Number) {
	d, now := s.Dispatcher, s.Now().UnixNano()
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, n := range s.roster.Load().numbers {
		if !n.Spares(old) {
			continue
		}
		if view := d.health.Rate(n.Number, gateway.Market(n.Country), now); view.Standing != gateway.Well || view.Rests > 0 {
			continue
		}
		if best == nil || n.Number < best.Number {
			best = n
		}
	}
	return best
}

// HealthState is how many senders of powerpacks rest, how many senders probe, and how many numbers were replaced since the start.
type HealthState struct {
	Resting, Probing int
	Replaced         int64
}

// Health gives the state of the senders' health.
func (s *Service) Health() HealthState {
	d := s.Dispatcher
	d.mu.Lock()
	defer d.mu.Unlock()
	resting := 0 // numbers that are in no pool any more rest from nothing
	for _, p := range d.pools {
		resting += p.Resting()
	}
	return HealthState{Resting: resting, Probing: d.health.Count(gateway.Probing), Replaced: s.replaced.Load()}
}

// healthOf is a sender's health as an explanation shows it. Guarded by mu.
func (d *Dispatcher) healthOf(number, country string, now int64) SenderHealth {
	view := d.health.Rate(number, gateway.Market(country), now)
	h := SenderHealth{Ended: view.Ended, Delivered: view.Delivered, Standing: view.Standing.String()}
	if view.RestsUntil > 0 {
		h.RestsUntil = time.Unix(0, view.RestsUntil)
	}
	return h
}
