package mt

import (
	"context"
	"slices"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
)

// watch counts what accounts send against their thresholds. A message is counted when it has a sender and a carrier, under the lock and in the order in
// which it is stored. Nothing of that is written: at a start, and when thresholds change, the store is asked what the hour has seen.
type watch struct {
	limited map[gateway.AccountID][]gateway.Threshold   // as they were when the store was last asked. Guarded by Service.refreshing
	counts  map[gateway.AccountID]*gateway.HourlyCounts // of accounts with thresholds. Guarded by Dispatcher.mu
	passed  []gateway.Breach                            // that nobody was told of yet. Guarded by Dispatcher.mu
}

// permitted refuses a request to countries that the account does not send to. While it sends to one of them the request is taken, and the messages to
// the others fail: some of many destinations do not hold up the rest.
func (s *Service) permitted(req *Request) error {
	guards := s.roster.Load().guards
	if guards.None() {
		return nil
	}
	for i := range req.To {
		if guards.Allows(req.Account, req.To[i].Country) {
			return nil
		}
	}
	if len(req.To) == 0 {
		return nil
	}
	country := req.To[0].Country
	if country == "" {
		country = "numbers that belong to no country"
	}
	return gateway.Errorf(gateway.Forbidden, "geo-permission: the account does not send to %s", country)
}

// withinThresholds counts a message that is about to be queued, unless it is one too many. Guarded by Dispatcher.mu.
func (s *Service) withinThresholds(r *roster, m *gateway.Message, to gateway.Destination, now time.Time) bool {
	thresholds := r.guards.Thresholds(m.Account)
	if len(thresholds) == 0 {
		return true
	}
	passed, first := s.countsOf(m.Account).Spend(thresholds, to, now)
	if passed != nil && first {
		s.watch.passed = append(s.watch.passed, gateway.Breach{
			Account: m.Account, Threshold: *passed, Country: to.Country, Until: gateway.HourStart(now).Add(time.Hour), AlertURL: r.guards.AlertURL(m.Account),
		})
	}
	return passed == nil
}

// uncount takes a message that was counted and not stored back. Guarded by Dispatcher.mu.
func (s *Service) uncount(m *gateway.Message) {
	if thresholds := s.roster.Load().guards.Thresholds(m.Account); len(thresholds) > 0 {
		s.countsOf(m.Account).Return(thresholds, gateway.Destination{Number: m.To, Country: m.Country}, s.Now())
	}
}

// countsOf are an account's. Guarded by Dispatcher.mu.
func (s *Service) countsOf(account gateway.AccountID) *gateway.HourlyCounts {
	counts := s.watch.counts[account]
	if counts == nil {
		counts = &gateway.HourlyCounts{}
		s.watch.counts[account] = counts
	}
	return counts
}

// tellBreaches hands over what was passed since the last time.
func (s *Service) tellBreaches() {
	d := s.Dispatcher
	d.mu.Lock()
	passed := s.watch.passed
	s.watch.passed = nil
	d.mu.Unlock()
	for _, breach := range passed {
		s.Breached(breach)
	}
}

// recount asks the store what accounts have sent in this hour whose thresholds have changed, and forgets those that have none any more. Messages that
// are accepted while it asks may be missed by a threshold that is new. Guarded by Service.refreshing.
func (s *Service) recount(ctx context.Context, guards *gateway.Guards) error {
	if guards.None() && len(s.watch.limited) == 0 {
		return nil
	}
	limited, now := guards.Limited(), s.Now()
	restored := map[gateway.AccountID]map[string]int{}
	for account, thresholds := range limited {
		if slices.Equal(s.watch.limited[account], thresholds) {
			continue
		}
		var prefixes []string
		for _, t := range thresholds {
			if t.Prefix != "" {
				prefixes = append(prefixes, t.Prefix)
			}
		}
		counts, err := s.Store.SentSince(ctx, account, gateway.HourStart(now), prefixes)
		if err != nil {
			return err
		}
		restored[account] = counts
	}
	s.watch.limited = limited
	d := s.Dispatcher
	d.mu.Lock()
	defer d.mu.Unlock()
	for account, counts := range restored {
		s.countsOf(account).Restore(counts, now)
	}
	for account := range s.watch.counts {
		if _, still := limited[account]; !still {
			delete(s.watch.counts, account)
		}
	}
	return nil
}
